//! Single flight: of the threads that want one coalition at the same time, one evaluates it and the others wait.
//!
//! A thread **claims** what it misses and nobody else is at: one **flight**. It evaluates all of it, keeps the values,
//! and **lands**; only then does it wait for what others have claimed. So a thread that waits has nothing in the air,
//! and threads cannot wait for each other in a circle. The exception is a thread that is asked while it evaluates: by a
//! game that asks its own cache, or by a thread pool that hands it other work meanwhile. Such a thread does have
//! something in the air, so before it waits it looks whether the flight that it wants waits for it, at any remove. It
//! does not wait then; it evaluates on its own.
//!
//! No lock is held while a game, a store or a value's code runs.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::sync::{Arc, AtomicBool, AtomicU64, Condvar, Mutex, Ordering, lock, shared_static, thread};
use crate::Coalition;

/// The coalitions that are in the air.
pub(super) struct Flights<V> {
    air: Mutex<Air<V>>,
    /// How many flights have landed. What was missed in the store before one landed may be there after.
    landed: AtomicU64,
}

struct Air<V> {
    /// By the hash of their coalition.
    seats: HashTable<Seat>,
    /// By their slot: seats are many, and counting references of a flight for each takes longer than to find it.
    flights: Vec<Option<Arc<Flight<V>>>>,
    free_slots: Vec<usize>,
}

/// A coalition's place in a flight.
struct Seat {
    hash: u64,
    slot: usize,
    index: usize,
}

/// Some coalitions that one thread evaluates.
struct Flight<V> {
    course: Arc<Course>,
    /// What the thread wanted; it has a seat for what nobody else had one for.
    coalitions: Vec<Coalition>,
    /// The values, once landed: none where evaluation failed.
    values: Mutex<Option<Arc<Vec<Option<V>>>>>,
    landing: Condvar,
}

/// What can be known of a flight without its values.
struct Course {
    thread: thread::ThreadId,
    landed: AtomicBool,
}

/// For each thread that waits, the flight it waits for: across all caches, since one may be behind another.
type Waiting = Vec<(thread::ThreadId, Arc<Course>)>;

shared_static!(WAITING: Mutex<Waiting> = Mutex::new(Vec::new()));

/// What a thread got of what it wanted, by numbers of coalitions.
pub(super) struct Claim<'a, V> {
    /// Its own flight, with what it is to evaluate.
    pub(super) own: Option<OwnFlight<'a, V>>,
    /// What is in the air already, and where.
    pub(super) others: Vec<(usize, Wait<V>)>,
}

/// A flight of this thread. Lands as failed if it is dropped before it has [landed](OwnFlight::land).
pub(super) struct OwnFlight<'a, V> {
    flights: &'a Flights<V>,
    flight: Arc<Flight<V>>,
    slot: usize,
    /// The seats, with their hashes.
    seats: Vec<(usize, u64)>,
    /// The numbers of the coalitions in the seats.
    pub(super) numbers: Vec<usize>,
    is_in_air: bool,
    is_down: bool,
}

/// A place in a flight, to wait for.
pub(super) struct Wait<V> {
    flight: Arc<Flight<V>>,
    index: usize,
}

/// What came of waiting.
pub(super) enum Landed<V> {
    Value(V),
    /// The evaluation failed: somebody is to try again.
    Failed,
    /// To wait would be for ever.
    Circle,
}

impl<V> Flights<V> {
    pub(super) fn new() -> Self {
        let air = Air { seats: HashTable::new(), flights: Vec::new(), free_slots: Vec::new() };
        Self { air: Mutex::new(air), landed: AtomicU64::new(0) }
    }

    /// The number of flights that have landed. If it is the same after a claim as before the store was asked, the store
    /// has nothing new of what was claimed.
    pub(super) fn landed(&self) -> u64 {
        self.landed.load(Ordering::Acquire)
    }

    /// Claims what nobody is at of the coalitions with the numbers `wanted`.
    pub(super) fn claim(&self, coalitions: &[Coalition], wanted: &[usize]) -> Claim<'_, V> {
        let copies: Vec<Coalition> = wanted.iter().map(|&number| coalitions[number].clone()).collect();
        let state = FixedState::default();
        let hashes: Vec<u64> = copies.iter().map(|coalition| state.hash_one(coalition)).collect();
        let flight = Arc::new(Flight {
            course: Arc::new(Course { thread: thread::current().id(), landed: AtomicBool::new(false) }),
            coalitions: copies,
            values: Mutex::new(None),
            landing: Condvar::new(),
        });
        let mut own = OwnFlight {
            flights: self,
            flight,
            slot: 0,
            seats: Vec::with_capacity(wanted.len()),
            numbers: Vec::with_capacity(wanted.len()),
            is_in_air: false,
            is_down: true,
        };
        let mut others = Vec::new();

        let mut air = lock(&self.air);
        let Air { seats, flights, free_slots } = &mut *air;
        own.slot = free_slots.pop().unwrap_or_else(|| {
            flights.push(None);
            flights.len() - 1
        });
        flights[own.slot] = Some(own.flight.clone());
        for (index, (&hash, &number)) in hashes.iter().zip(wanted).enumerate() {
            let coalition = &own.flight.coalitions[index];
            let flight_of = |seat: &Seat| flights[seat.slot].as_ref().expect("a seat is in a flight");
            let is_same = |seat: &Seat| seat.hash == hash && flight_of(seat).coalitions[seat.index] == *coalition;
            match seats.entry(hash, is_same, |seat| seat.hash) {
                Entry::Occupied(entry) => {
                    let seat = entry.get();
                    others.push((number, Wait { flight: flight_of(seat).clone(), index: seat.index }));
                }
                Entry::Vacant(entry) => {
                    entry.insert(Seat { hash, slot: own.slot, index });
                    own.seats.push((index, hash));
                    own.numbers.push(number);
                }
            }
        }
        if own.seats.is_empty() {
            flights[own.slot] = None;
            free_slots.push(own.slot);
            drop(air);
            return Claim { own: None, others };
        }
        drop(air);
        (own.is_in_air, own.is_down) = (true, false);
        Claim { own: Some(own), others }
    }
}

impl<V: Clone> OwnFlight<'_, V> {
    /// Lands with the values of its [numbers](Self::numbers), which the store has by now: none where evaluation failed.
    pub(super) fn land(mut self, values: &[Option<V>]) {
        self.leave_the_air();
        // Whoever waits has found the flight while it was in the air, so nobody waits who is not counted.
        if Arc::strong_count(&self.flight) > 1 {
            let mut of_all = vec![None; self.flight.coalitions.len()];
            for (&(index, _), value) in self.seats.iter().zip(values) {
                of_all[index].clone_from(value);
            }
            self.touch_down(Arc::new(of_all));
        }
        self.is_down = true;
    }
}

impl<V> OwnFlight<'_, V> {
    /// From here on the coalitions can be claimed again.
    fn leave_the_air(&mut self) {
        if !std::mem::replace(&mut self.is_in_air, false) {
            return; // the seats may be another flight's by now
        }
        let mut air = lock(&self.flights.air);
        for &(index, hash) in &self.seats {
            let is_it = |seat: &Seat| seat.slot == self.slot && seat.index == index;
            if let Ok(entry) = air.seats.find_entry(hash, is_it) {
                entry.remove();
            }
        }
        let flight = air.flights[self.slot].take();
        air.free_slots.push(self.slot);
        self.flights.landed.fetch_add(1, Ordering::Release);
        drop(air);
        drop(flight);
    }

    fn touch_down(&mut self, values: Arc<Vec<Option<V>>>) {
        *lock(&self.flight.values) = Some(values);
        self.flight.course.landed.store(true, Ordering::Release);
        self.flight.landing.notify_all();
        self.is_down = true;
    }
}

impl<V> Drop for OwnFlight<'_, V> {
    fn drop(&mut self) {
        if !self.is_down {
            self.leave_the_air();
            self.touch_down(Arc::new(Vec::new()));
        }
    }
}

impl<V: Clone> Wait<V> {
    /// Waits until the flight has landed, unless that waits for this thread.
    pub(super) fn wait(self) -> Landed<V> {
        let Self { flight, index } = self;
        let landed = lock(&flight.values).clone();
        if landed.is_some() {
            return value_of(landed, index);
        }
        let Some(_waiting) = StopWaiting::start(&flight.course) else { return Landed::Circle };
        let mut values = lock(&flight.values);
        while values.is_none() {
            values = flight.landing.wait(values).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        let landed = values.clone();
        drop(values);
        value_of(landed, index)
    }
}

fn value_of<V: Clone>(values: Option<Arc<Vec<Option<V>>>>, index: usize) -> Landed<V> {
    match values.as_deref().and_then(|values| values.get(index)).cloned().flatten() {
        Some(value) => Landed::Value(value),
        None => Landed::Failed,
    }
}

/// The entry of a waiting thread in [`WAITING`].
struct StopWaiting(thread::ThreadId);

impl StopWaiting {
    /// Says that this thread waits for a flight; none if it would wait for itself.
    fn start(course: &Arc<Course>) -> Option<Self> {
        let this = thread::current().id();
        let mut waiting = lock(&WAITING);
        // Each thread waits for one flight at most, so this is a path; it ends, since no circle was ever entered.
        let mut ahead = Some(course.clone());
        while let Some(flight) = ahead.filter(|flight| !flight.landed.load(Ordering::Acquire)) {
            if flight.thread == this {
                return None;
            }
            ahead = waiting.iter().find(|(thread, _)| *thread == flight.thread).map(|(_, next)| next.clone());
        }
        waiting.push((this, course.clone()));
        Some(Self(this))
    }
}

impl Drop for StopWaiting {
    fn drop(&mut self) {
        let mut waiting = lock(&WAITING);
        if let Some(at) = waiting.iter().position(|(thread, _)| *thread == self.0) {
            waiting.swap_remove(at);
        }
    }
}
