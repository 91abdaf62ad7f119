//! A game's 2^n values as a stream of blocks: who asks for them, in what order, and what happens when that goes wrong.
//!
//! A **block** is an aligned range of 2^b masks, what a consumer takes at once; b depends on n alone, so that nothing
//! that is computed from blocks depends on the number of threads. A **call** is what the game is asked at once, and
//! depends on the threads and the user's wishes. Threads take **units**, the larger of the two, from one counter in
//! ascending order: so the units begun are always a contiguous range from zero, and when some fail, the first that
//! fails is the same on any number of threads, though no further one is begun.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Exact, MOST_PLAYERS};
use crate::progress::Meter;
use crate::{Coalition, Error, Progress, TryGame, Value};

/// The largest call of a game is 2^12 coalitions.
const CALL_BITS: usize = 12;

/// A block of a large game. Measured: see `docs/numerics.md`, "Blocks".
const BLOCK_BITS: usize = 12;

/// A game is cut into 2^8 blocks, if it has that many values, so that many threads can share a small one.
const BLOCKS_BITS: usize = 8;

/// How the 2^n values are cut.
struct Plan {
    players: usize,
    block_bits: usize,
    call_bits: usize,
    threads: usize,
}

impl Plan {
    fn new<E, F>(players: usize, options: &Exact<F>) -> Result<Self, Error<E>> {
        let limit = options.max_players.min(MOST_PLAYERS);
        if players == 0 {
            return Err(Error::NoPlayers {});
        }
        if players > limit {
            return Err(Error::TooManyPlayers { players, limit });
        }
        let threads = workers::available(options.threads);
        let call_bits = match options.batch {
            0 => players.saturating_sub(5 + threads.next_power_of_two().ilog2() as usize),
            batch => batch.ilog2() as usize,
        };
        let call_bits = call_bits.min(CALL_BITS).min(players);
        Ok(Self { players, block_bits: players.saturating_sub(BLOCKS_BITS).min(BLOCK_BITS), call_bits, threads })
    }

    fn unit_bits(&self) -> usize {
        self.block_bits.max(self.call_bits)
    }

    fn units(&self) -> u64 {
        1 << (self.players - self.unit_bits())
    }
}

/// Asks the game for all its values and gives them to `consume`, block by block, with the mask of the block's first
/// coalition; on several threads, in no particular order, and each block once.
pub(super) fn stream<G, F, C>(game: &G, options: &Exact<F>, consume: C) -> Result<(), Error<G::Error>>
where
    G: TryGame + ?Sized,
    F: Fn(&Progress) -> ControlFlow<()> + Sync,
    C: Fn(u64, &[G::Value]) -> Result<(), Error<G::Error>> + Sync,
{
    let plan = Plan::new(game.num_players(), options)?;
    let table = match game.tabulated() {
        Some(table) if table.len() as u64 != 1 << plan.players => {
            let asked = usize::try_from(1_u64 << plan.players).unwrap_or(usize::MAX);
            return Err(Error::BatchLength { asked, got: table.len() });
        }
        table => table,
    };
    let meter = Meter::new(1 << plan.players, options.observer.as_ref());
    let queue = Queue::new(plan.units());
    let block = 1_u64 << plan.block_bits;
    let unit = 1_u64 << plan.unit_bits();
    let work = || {
        let mut asker = Asker::new(game, &plan);
        while let Some(index) = queue.next() {
            let masks = index * unit..(index + 1) * unit;
            let outcome = (|| {
                let values = match table {
                    Some(table) => {
                        count(&meter, unit)?;
                        &table[as_indices(&masks)]
                    }
                    None => asker.ask(masks.clone(), &meter)?,
                };
                let blocks = values.chunks_exact(as_indices(&(0..block)).len());
                masks.clone().step_by(as_indices(&(0..block)).len()).zip(blocks).try_for_each(|(m, b)| consume(m, b))
            })();
            queue.done(index, outcome);
        }
    };
    // A table is read faster than threads are woken.
    let threads = if table.is_some() && plan.players <= 14 { 1 } else { plan.threads };
    workers::run(threads, plan.units(), work).map_err(|threads| Error::Threads { threads })?;
    queue.outcome()
}

/// Ranges of masks within memory are ranges of indices.
fn as_indices(masks: &Range<u64>) -> Range<usize> {
    let index = |mask| usize::try_from(mask).expect("what is in memory is numbered by a usize");
    index(masks.start)..index(masks.end)
}

fn count<E, F: Fn(&Progress) -> ControlFlow<()> + Sync>(
    meter: &Meter<'_, F>,
    evaluations: u64,
) -> Result<(), Error<E>> {
    match meter.add(evaluations) {
        ControlFlow::Break(evaluations) => Err(Error::Stopped { evaluations, total: meter.total() }),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// One thread's buffers for asking a game.
struct Asker<'a, G: TryGame + ?Sized> {
    game: &'a G,
    /// As many as a call has; only their masks change from call to call.
    coalitions: Vec<Coalition>,
    values: Vec<G::Value>,
}

impl<'a, G: TryGame + ?Sized> Asker<'a, G> {
    fn new(game: &'a G, plan: &Plan) -> Self {
        let coalitions = vec![Coalition::empty(plan.players); 1 << plan.call_bits];
        Self { game, coalitions, values: Vec::with_capacity(1 << plan.unit_bits()) }
    }

    /// The values of a range of masks, whose length is a multiple of a call's.
    fn ask<F>(&mut self, masks: Range<u64>, meter: &Meter<'_, F>) -> Result<&[G::Value], Error<G::Error>>
    where
        F: Fn(&Progress) -> ControlFlow<()> + Sync,
    {
        self.values.clear();
        let asked = self.coalitions.len();
        for first in masks.step_by(asked) {
            for (coalition, mask) in self.coalitions.iter_mut().zip(first..) {
                coalition.set_mask(mask);
            }
            let before = self.values.len();
            let answer = self.game.try_values(&self.coalitions, &mut self.values);
            let got = self.values.len().saturating_sub(before);
            if let Err(source) = answer {
                let coalition = self.coalitions[got.min(asked - 1)].clone();
                return Err(Error::Game { coalition, source });
            }
            if self.values.len() != before + asked {
                return Err(Error::BatchLength { asked, got });
            }
            count(meter, asked as u64)?;
        }
        Ok(&self.values)
    }
}

/// Hands out the numbers of units in ascending order, until all are out or one has failed.
struct Queue<E> {
    next: AtomicU64,
    units: u64,
    stop: AtomicBool,
    /// The failed unit with the lowest number.
    failed: Mutex<Option<(u64, Error<E>)>>,
}

impl<E> Queue<E> {
    fn new(units: u64) -> Self {
        Self { next: AtomicU64::new(0), units, stop: AtomicBool::new(false), failed: Mutex::new(None) }
    }

    fn next(&self) -> Option<u64> {
        // The numbers carry no data with them, and stopping a unit later is no harm: relaxed is enough for both.
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        Some(self.next.fetch_add(1, Ordering::Relaxed)).filter(|&index| index < self.units)
    }

    fn done(&self, index: u64, outcome: Result<(), Error<E>>) {
        if let Err(error) = outcome {
            self.stop.store(true, Ordering::Relaxed);
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            // A bad value outranks the observer's wish to stop, which came at a time of its own.
            let rank = |index: u64, error: &Error<E>| (matches!(error, Error::Stopped { .. }), index);
            if failed.as_ref().is_none_or(|(other, theirs)| rank(index, &error) < rank(*other, theirs)) {
                *failed = Some((index, error));
            }
        }
    }

    fn outcome(self) -> Result<(), Error<E>> {
        match self.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }
}

/// The first value that is not finite, as the error that names its coalition.
pub(super) fn not_finite<V: Value, E>(players: usize, first_mask: u64, values: &[V]) -> Option<Error<E>> {
    let (_, mask) = values.iter().zip(first_mask..).find(|(value, _)| !value.is_finite())?;
    let mut coalition = Coalition::empty(players);
    coalition.set_mask(mask);
    Some(Error::NotFinite { coalition })
}

/// All values of a game, in the order of the masks.
pub(crate) fn tabulate<G, F>(game: &G, options: &Exact<F>) -> Result<Vec<G::Value>, Error<G::Error>>
where
    G: TryGame + ?Sized,
    F: Fn(&Progress) -> ControlFlow<()> + Sync,
{
    /// Blocks come in nearly their order; those that came too early wait here.
    struct Gathered<V> {
        values: Vec<V>,
        early: BTreeMap<u64, Vec<V>>,
    }
    let players = game.num_players();
    let gathered = Mutex::new(Gathered { values: Vec::new(), early: BTreeMap::new() });
    stream(game, options, |first, block| {
        if let Some(error) = not_finite(players, first, block) {
            return Err(error);
        }
        let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let Gathered { values, early } = &mut *gathered;
        if values.len() as u64 == first {
            values.extend_from_slice(block);
            while let Some(mut block) = early.remove(&(values.len() as u64)) {
                values.append(&mut block);
            }
        } else {
            early.insert(first, block.to_vec());
        }
        Ok(())
    })?;
    Ok(gathered.into_inner().unwrap_or_else(PoisonError::into_inner).values)
}

#[cfg(feature = "parallel")]
mod workers {
    /// How many threads `asked` for means: 0 is rayon's own choice.
    pub(super) fn available(asked: usize) -> usize {
        if asked == 0 { rayon::current_num_threads() } else { asked }
    }

    /// Runs `work` once on each of `threads` threads, but no more than there are units. Fails with the number of
    /// threads if they cannot be started.
    pub(super) fn run(threads: usize, units: u64, work: impl Fn() + Sync) -> Result<(), usize> {
        let threads = threads.min(usize::try_from(units).unwrap_or(usize::MAX));
        if threads <= 1 {
            work();
            return Ok(());
        }
        let everywhere = || rayon::scope(|scope| (0..threads).for_each(|_| scope.spawn(|_| work())));
        if threads <= rayon::current_num_threads() {
            everywhere();
            return Ok(());
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|_| threads)?;
        pool.install(everywhere);
        Ok(())
    }
}

#[cfg(not(feature = "parallel"))]
mod workers {
    pub(super) fn available(_asked: usize) -> usize {
        1
    }

    pub(super) fn run(_threads: usize, _units: u64, work: impl Fn() + Sync) -> Result<(), usize> {
        work();
        Ok(())
    }
}
