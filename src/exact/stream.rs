//! A game's 2^n values as a stream of blocks: who asks for them, in what order, and what happens when that goes wrong.
//!
//! A **block** is an aligned range of masks, what a consumer takes at once; its size depends on n alone, so that
//! nothing that is computed from blocks depends on the number of threads. A **call** is what the game is asked at once,
//! and depends on the threads and the user's wishes. A **unit** of work is a block; or, where there are too few blocks
//! to keep many threads busy, a call, and a block is put together from several.
//!
//! Threads take units in ascending order. So the units begun are always a contiguous range from zero: when some fail,
//! the first that fails is the same on any number of threads, though no further one is begun; and few blocks are
//! incomplete at any time.

use std::collections::{BTreeMap, HashMap};
use std::ops::{ControlFlow, Range};
use std::sync::{Mutex, PoisonError};

use super::{Exact, MOST_PLAYERS};
use crate::answer::{check_answer, check_finite};
use crate::progress::Meter;
use crate::work::{self, Queue};
use crate::{Coalition, Error, Progress, TryGame, Value};

/// The largest call of a game that can be asked for is 2^12 coalitions.
const MOST_CALL_BITS: usize = 12;

/// By default it is 2^9: 16 KiB of coalitions, which stay in the first-level cache between being set and being asked.
const CALL_BITS: usize = 9;

/// With 2^6 blocks or more, blocks are units of work.
const MANY_BLOCKS_BITS: usize = 6;

/// How the 2^n values are cut.
struct Plan {
    players: usize,
    block_bits: usize,
    unit_bits: usize,
    call_bits: usize,
    threads: usize,
}

/// Refuses a game that has no players, or too many.
pub(super) fn check_players<E, F>(players: usize, options: &Exact<F>) -> Result<(), Error<E>> {
    let limit = options.max_players.min(MOST_PLAYERS);
    match players {
        0 => Err(Error::NoPlayers {}),
        _ if players > limit => Err(Error::TooManyPlayers { players, limit }),
        _ => Ok(()),
    }
}

impl Plan {
    fn new<E, F>(players: usize, block_bits: usize, options: &Exact<F>) -> Result<Self, Error<E>> {
        check_players(players, options)?;
        let threads = work::available(options.threads);
        let block_bits = block_bits.min(players);
        let call_bits = match options.batch {
            0 => players.saturating_sub(5 + threads.next_power_of_two().ilog2() as usize).min(CALL_BITS),
            batch => (batch.ilog2() as usize).min(MOST_CALL_BITS),
        };
        let call_bits = call_bits.min(block_bits);
        let many = players >= block_bits + MANY_BLOCKS_BITS;
        let unit_bits = if many || threads == 1 { block_bits } else { call_bits };
        Ok(Self { players, block_bits, unit_bits, call_bits, threads })
    }

    /// Runs `work` for every unit of 2^bits masks.
    fn run<S, E: Send>(
        &self,
        bits: usize,
        state: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, Range<u64>) -> Result<(), Error<E>> + Sync,
    ) -> Result<(), Error<E>> {
        let queue = Queue::new(0..1 << (self.players - bits));
        queue.run(self.threads, state, |_| 1, |state, units| work(state, units.start << bits..units.end << bits))
    }
}

/// Gives a game's values to `consume`, block by block, with the mask of the block's first coalition; on several
/// threads, in no particular order, and each block once. Values that were asked for are finite; those of a table have
/// not been looked at. A block has 2^`block_bits` values, or the whole game if that has fewer. The number of players is
/// given, so that everybody means the same even by a game that changes its mind.
pub(super) fn stream<G, F, C>(
    game: &G,
    options: &Exact<F>,
    players: usize,
    block_bits: usize,
    consume: C,
) -> Result<(), Error<G::Error>>
where
    G: TryGame + ?Sized,
    F: Fn(&Progress) -> ControlFlow<()> + Sync,
    C: Fn(u64, &[G::Value]) -> Result<(), Error<G::Error>> + Sync,
{
    let plan = Plan::new(players, block_bits, options)?;
    let meter = Meter::new(0, 1 << plan.players, options.observer.as_ref());
    if let Some(table) = game.tabulated() {
        if table.len() as u64 != 1 << plan.players {
            let asked = usize::try_from(1_u64 << plan.players).unwrap_or(usize::MAX);
            return Err(Error::BatchLength { asked, got: table.len() });
        }
        return plan.run(
            plan.block_bits,
            || (),
            |(), masks| {
                consume(masks.start, &table[as_indices(&masks)])?;
                count(&meter, masks)
            },
        );
    }
    if plan.unit_bits == plan.block_bits {
        return plan.run(
            plan.unit_bits,
            || Asker::new(game, &plan),
            |asker, masks| {
                let first = masks.start;
                asker.ask(masks, &meter).and_then(|values| consume(first, values))
            },
        );
    }
    let assembly = Assembly::new(&plan);
    plan.run(
        plan.unit_bits,
        || Asker::new(game, &plan),
        |asker, masks| {
            let first = masks.start;
            asker.ask(masks, &meter)?;
            match assembly.add(first, std::mem::take(&mut asker.values)) {
                Some((first, block)) => consume(first, &block),
                None => Ok(()),
            }
        },
    )
}

/// Ranges of masks within memory are ranges of indices.
fn as_indices(masks: &Range<u64>) -> Range<usize> {
    let index = |mask| usize::try_from(mask).expect("what is in memory is numbered by a usize");
    index(masks.start)..index(masks.end)
}

fn count<E, F>(meter: &Meter<'_, F>, masks: Range<u64>) -> Result<(), Error<E>>
where
    F: Fn(&Progress) -> ControlFlow<()> + Sync,
{
    match meter.add(masks.end - masks.start) {
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
        Self {
            game,
            coalitions: vec![Coalition::empty(plan.players); 1 << plan.call_bits],
            values: Vec::with_capacity(1 << plan.unit_bits),
        }
    }

    /// The values of a range of masks, whose length is a multiple of a call's.
    fn ask<F>(&mut self, masks: Range<u64>, meter: &Meter<'_, F>) -> Result<&[G::Value], Error<G::Error>>
    where
        F: Fn(&Progress) -> ControlFlow<()> + Sync,
    {
        self.values.clear();
        let asked = self.coalitions.len();
        for first in masks.step_by(asked) {
            for (offset, coalition) in self.coalitions.iter_mut().enumerate() {
                coalition.set_mask(first | offset as u64);
            }
            let before = self.values.len();
            let answer = self.game.try_values(&self.coalitions, &mut self.values);
            let got = self.values.get(before..).unwrap_or_default();
            check_answer(asked, got, answer, |index| self.coalitions[index].clone())?;
            count(meter, first..first + asked as u64)?;
        }
        Ok(&self.values)
    }
}

/// Refuses a block that has a value that is not finite.
pub(super) fn check_block<V: Value, E>(players: usize, first: u64, block: &[V]) -> Result<(), Error<E>> {
    check_finite(block, |index| {
        let mut coalition = Coalition::empty(players);
        coalition.set_mask(first + index as u64);
        coalition
    })
}

/// Blocks that wait for the rest of their units.
struct Assembly<V> {
    block: u64,
    pieces: usize,
    /// By the block's first mask: the pieces that are there, by theirs.
    waiting: Mutex<HashMap<u64, BTreeMap<u64, Vec<V>>>>,
}

impl<V: Value> Assembly<V> {
    fn new(plan: &Plan) -> Self {
        Self {
            block: 1 << plan.block_bits,
            pieces: 1 << (plan.block_bits - plan.unit_bits),
            waiting: Mutex::new(HashMap::new()),
        }
    }

    /// Takes the values of a unit, and gives the block and its first mask once it is complete.
    fn add(&self, first: u64, values: Vec<V>) -> Option<(u64, Vec<V>)> {
        let start = first & !(self.block - 1);
        let pieces = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let pieces = waiting.entry(start).or_default();
            pieces.insert(first, values);
            if pieces.len() < self.pieces {
                return None;
            }
            waiting.remove(&start)?
        };
        let mut block = Vec::with_capacity(self.pieces * pieces.first_key_value()?.1.len());
        pieces.into_values().for_each(|mut piece| block.append(&mut piece));
        Some((start, block))
    }
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
    check_players(players, options)?;
    let mut values = Vec::new();
    // Growing step by step would need twice the memory. If there is not enough, that will be seen below.
    let _ = values.try_reserve_exact(1 << players);
    let gathered = Mutex::new(Gathered { values, early: BTreeMap::new() });
    stream(game, options, players, MOST_CALL_BITS, |first, block| {
        check_block(players, first, block)?;
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
