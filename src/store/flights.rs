//! Single flight: of the threads that want one coalition at the same time, one evaluates it and the others wait.
//!
//! A thread **claims** what it misses and nobody else is at: one **flight**. It evaluates all of it, keeps the values, and
//! **lands**; only then does it wait for what others have claimed. So a thread that waits has nothing in the air, and
//! threads cannot wait for each other in a circle. The exception is a thread that is asked while it evaluates: by a game
//! that asks its own cache, or by a thread pool that hands it other work meanwhile. Such a thread does have something in
//! the air, so before it waits it looks whether the flight that it wants waits for it, at any remove. It does not wait
//! then; it evaluates on its own.
//!
//! No lock is held while a game, a store or a value's code runs.

use std::num::NonZeroUsize;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::sync::{Arc, AtomicBool, AtomicU64, Condvar, Mutex, Ordering, lock, thread};
use crate::Coalition;

/// The coalitions that are in the air.
pub(super) struct Flights<V> {
    in_air: Mutex<HashMap<Coalition, Seat<V>, FixedState>>,
    /// How many flights have landed. What was missed in the store before one landed may be there after.
    landed: AtomicU64,
}

/// A coalition's place in a flight.
struct Seat<V> {
    flight: Arc<Flight<V>>,
    index: usize,
}

/// Some coalitions that one thread evaluates.
pub(super) struct Flight<V> {
    course: Arc<Course>,
    /// The values, once landed: none where evaluation failed.
    values: Mutex<Option<Arc<[Option<V>]>>>,
    landing: Condvar,
}

/// What can be known of a flight without its values.
struct Course {
    thread: thread::ThreadId,
    landed: AtomicBool,
}

/// For each thread that waits, the flight it waits for: across all caches, since one may be behind another.
type Waiting = Vec<(thread::ThreadId, Arc<Course>)>;

#[cfg(not(loom))]
static WAITING: Mutex<Waiting> = Mutex::new(Vec::new());

#[cfg(loom)]
loom::lazy_static! {
    static ref WAITING: Mutex<Waiting> = Mutex::new(Vec::new());
}

/// What a thread got of what it wanted.
pub(super) struct Claim<'a, V> {
    /// Its own flight, with what it is to evaluate; lands as failed if it is dropped before it has [landed](OwnFlight::land).
    pub(super) own: Option<OwnFlight<'a, V>>,
    /// What is in the air already: the number of what was wanted, and where it is.
    pub(super) others: Vec<(usize, Wait<V>)>,
}

/// A flight of this thread.
pub(super) struct OwnFlight<'a, V> {
    flights: &'a Flights<V>,
    flight: Arc<Flight<V>>,
    /// The numbers of what was wanted.
    pub(super) wanted: Vec<usize>,
    coalitions: Vec<Coalition>,
    is_in_air: bool,
    is_down: bool,
}

/// A place in a flight, to wait for.
pub(super) struct Wait<V>(Seat<V>);

/// What came of waiting.
pub(super) enum Landed<V> {
    Value(V),
    /// The evaluation failed: somebody is to try again.
    Failed,
    /// To wait would be for ever.
    Circle,
}

impl<V: Clone> Flights<V> {
    pub(super) fn new() -> Self {
        Self { in_air: Mutex::new(HashMap::with_hasher(FixedState::default())), landed: AtomicU64::new(0) }
    }

    /// The number of flights that have landed. If it is the same after a claim as before the store was asked, the store
    /// has nothing new of what was claimed.
    pub(super) fn landed(&self) -> u64 {
        self.landed.load(Ordering::Acquire)
    }

    /// Claims what nobody is at of the coalitions `wanted`, which are numbers among `coalitions`.
    pub(super) fn claim(&self, coalitions: &[Coalition], wanted: &[usize]) -> Claim<'_, V> {
        let course = Arc::new(Course { thread: thread::current().id(), landed: AtomicBool::new(false) });
        let flight = Arc::new(Flight { course, values: Mutex::new(None), landing: Condvar::new() });
        // Copies are made before the lock, and coalitions that others have are dropped after it.
        let copies: Vec<Coalition> = wanted.iter().map(|&number| coalitions[number].clone()).collect();
        let mut own = Vec::with_capacity(wanted.len());
        let mut others = Vec::new();
        let mut in_air = lock(&self.in_air);
        for (&number, coalition) in wanted.iter().zip(copies) {
            match in_air.entry(coalition) {
                Entry::Occupied(entry) => others.push((number, Wait(entry.get().clone()))),
                Entry::Vacant(entry) => {
                    entry.insert(Seat { flight: flight.clone(), index: own.len() });
                    own.push(number);
                }
            }
        }
        drop(in_air);
        let own = NonZeroUsize::new(own.len()).map(|_| OwnFlight {
            flights: self,
            flight,
            coalitions: own.iter().map(|&number| coalitions[number].clone()).collect(),
            wanted: own,
            is_in_air: true,
            is_down: false,
        });
        Claim { own, others }
    }
}

impl<V> OwnFlight<'_, V> {
    /// What this flight is to evaluate.
    pub(super) fn coalitions(&self) -> &[Coalition] {
        &self.coalitions
    }
}

impl<V: Clone> OwnFlight<'_, V> {
    /// Lands with the values, which the store has: none where evaluation failed. Returns the numbers of what was wanted.
    pub(super) fn land(mut self, values: &[Option<V>]) -> Vec<usize> {
        self.leave_the_air();
        // Whoever waits took its seat while the flight was in the air, so nobody waits who is not counted.
        if Arc::strong_count(&self.flight) > 1 {
            self.touch_down(values.into());
        } else {
            self.is_down = true;
        }
        std::mem::take(&mut self.wanted)
    }
}

impl<V> OwnFlight<'_, V> {
    /// From here on the coalitions can be claimed again.
    fn leave_the_air(&mut self) {
        if !std::mem::replace(&mut self.is_in_air, false) {
            return; // the seats of these coalitions may be another flight's by now
        }
        let mut in_air = lock(&self.flights.in_air);
        let left: Vec<_> = self.coalitions.iter().map(|coalition| in_air.remove(coalition)).collect();
        self.flights.landed.fetch_add(1, Ordering::Release);
        drop(in_air);
        drop(left);
    }

    fn touch_down(&mut self, values: Arc<[Option<V>]>) {
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
            self.touch_down(Arc::from([]));
        }
    }
}

impl<V: Clone> Wait<V> {
    /// Waits until the flight has landed, unless that waits for this thread.
    pub(super) fn wait(self) -> Landed<V> {
        let Seat { flight, index } = self.0;
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

fn value_of<V: Clone>(values: Option<Arc<[Option<V>]>>, index: usize) -> Landed<V> {
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

impl<V> Clone for Seat<V> {
    fn clone(&self) -> Self {
        Self { flight: self.flight.clone(), index: self.index }
    }
}
