//! A game's 2^n values as a stream of blocks: who asks for them, in what order, and what happens when that goes wrong.
//!
//! A **block** is an aligned range of masks, what a consumer takes at once; its size depends on n alone, so that
//! nothing that is computed from blocks depends on the number of threads, or on which process has which blocks. A
//! **call** is what the game is asked at once, and depends on the threads and the user's wishes. A **unit** of work is
//! a block, or as many as a call has; or, where there are too few blocks to keep many threads busy, a call, and a block
//! is put together from several.
//!
//! Threads take units in ascending order. So the units begun are always a contiguous range: when some fail,
//! the first that fails is the same on any number of threads, though no further one is begun; and few blocks are
//! incomplete at any time.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::{Mutex, PoisonError};

use super::ask::{check_answer, check_finite};
use super::progress::{Meter, Observer};
use super::settings::Settings;
use super::threads::{self, Queue};
use crate::weights::MOST_PLAYERS;
use crate::{Coalition, Error, TryGame, Value};

/// The largest call of a game that can be asked for is 2^12 coalitions.
const MOST_CALL_BITS: usize = 12;

/// By default it is 2^9: 16 KiB of coalitions, which stay in the first-level cache between being set and being asked.
const CALL_BITS: usize = 9;

/// Calls of large values have fewer: 4 MiB of them.
const CALL_BYTES_BITS: usize = 22;

/// With so many blocks or more, no block is put together from several units.
const MANY_BLOCKS: u64 = 64;

/// Some of a game's blocks, and how they are cut.
struct Plan {
    players: usize,
    block_bits: usize,
    blocks: Range<u64>,
    call_bits: usize,
    /// Whether calls are units of work.
    is_in_pieces: bool,
    threads: usize,
}

/// Refuses a game that has no players, or too many to ask for all coalitions.
pub(crate) fn check_players<E>(players: usize, most: usize) -> Result<(), Error<E>> {
    let limit = most.min(MOST_PLAYERS);
    match players {
        0 => Err(Error::NoPlayers {}),
        _ if players > limit => Err(Error::TooManyPlayers { players, limit }),
        _ => Ok(()),
    }
}

impl Plan {
    fn new<V, F>(players: usize, block_bits: usize, blocks: Range<u64>, settings: &Settings<F>) -> Self {
        let threads = threads::available(settings.threads);
        let count = blocks.end - blocks.start;
        let bits = block_bits + count.max(1).ilog2() as usize;
        let value_bits = size_of::<V>().max(8).next_power_of_two().ilog2() as usize;
        let most = MOST_CALL_BITS.min(CALL_BYTES_BITS.saturating_sub(value_bits).max(2)).min(bits);
        let call_bits = match settings.batch {
            0 => bits.saturating_sub(5 + threads.next_power_of_two().ilog2() as usize).min(CALL_BITS),
            batch => batch.ilog2() as usize,
        };
        let call_bits = call_bits.min(most);
        let is_in_pieces = threads > 1 && count < MANY_BLOCKS && call_bits < block_bits;
        Self { players, block_bits, blocks, call_bits, is_in_pieces, threads }
    }

    /// Runs `work` for every unit of 2^bits masks, and for as many at once as `at_once` says.
    fn run<S, E: Send>(
        &self,
        bits: usize,
        at_once: u64,
        state: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, Range<u64>) -> Result<(), Error<E>> + Sync,
    ) -> Result<(), Error<E>> {
        let more = self.block_bits - bits;
        let queue = Queue::new(self.blocks.start << more..self.blocks.end << more);
        queue.run(self.threads, state, |_| at_once, |state, units| work(state, units.start << bits..units.end << bits))
    }
}

/// The values of a game in the place of a table: none if it has to be asked.
pub(crate) fn table<G: TryGame + ?Sized>(game: &G, players: usize) -> Result<Option<&[G::Value]>, Error<G::Error>> {
    match game.tabulated() {
        Some(table) if table.len() as u64 != 1 << players => {
            let asked = usize::try_from(1_u64 << players).unwrap_or(usize::MAX);
            Err(Error::BatchLength { asked, got: table.len() })
        }
        table => Ok(table),
    }
}

/// Gives the values of a range of blocks to `consume`, block by block, with the mask of the block's first coalition; on
/// several threads, in no particular order, and each block once. Values that were asked for are finite; those of a
/// table have not been looked at. A block has 2^`block_bits` values, at most the whole game. The number of players is
/// given, so that everybody means the same even by a game that changes its mind. `made` evaluations were made before.
pub(crate) fn stream<G: TryGame + ?Sized, F: Observer>(
    game: &G,
    settings: &Settings<F>,
    players: usize,
    block_bits: usize,
    blocks: Range<u64>,
    made: u64,
    consume: impl Fn(u64, &[G::Value]) -> Result<(), Error<G::Error>> + Sync,
) -> Result<(), Error<G::Error>> {
    let total = made + ((blocks.end - blocks.start) << block_bits);
    let plan = Plan::new::<G::Value, _>(players, block_bits, blocks, settings);
    let meter = Meter::new(made, total, settings.observer.as_ref());
    if let Some(table) = table(game, players)? {
        return plan.run(
            block_bits,
            1,
            || (),
            |(), masks| {
                consume(masks.start, &table[as_indices(&masks)])?;
                count(&meter, masks)
            },
        );
    }
    if !plan.is_in_pieces {
        return plan.run(
            block_bits,
            1 << plan.call_bits.saturating_sub(block_bits),
            || Asker::new(game, &plan),
            |asker, masks| {
                let firsts = masks.clone().step_by(1 << block_bits);
                let values = asker.ask(masks, &meter)?;
                let mut blocks = firsts.zip(values.chunks(1 << block_bits));
                blocks.try_for_each(|(first, block)| consume(first, block))
            },
        );
    }
    let pieces = Mutex::new(Pieces::new(1 << plan.block_bits));
    plan.run(
        plan.call_bits,
        1,
        || Asker::new(game, &plan),
        |asker, masks| {
            let first = masks.start;
            asker.ask(masks, &meter)?;
            let values = std::mem::take(&mut asker.values);
            let block = pieces.lock().unwrap_or_else(PoisonError::into_inner).add(first, values);
            match block {
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

fn count<E, F: Observer>(meter: &Meter<'_, F>, masks: Range<u64>) -> Result<(), Error<E>> {
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
        let unit_bits = if plan.is_in_pieces { plan.call_bits } else { plan.call_bits.max(plan.block_bits) };
        Self {
            game,
            coalitions: vec![Coalition::empty(plan.players); 1 << plan.call_bits],
            values: Vec::with_capacity(1 << unit_bits),
        }
    }

    /// The values of a range of masks.
    fn ask<F: Observer>(&mut self, masks: Range<u64>, meter: &Meter<'_, F>) -> Result<&[G::Value], Error<G::Error>> {
        self.values.clear();
        let call = self.coalitions.len() as u64;
        for first in masks.clone().step_by(self.coalitions.len()) {
            // The last call may have fewer.
            let next = masks.end.min(first + call);
            let coalitions = &mut self.coalitions[..as_indices(&(0..next - first)).end];
            for (mask, coalition) in (first..next).zip(coalitions.iter_mut()) {
                coalition.set_mask(mask);
            }
            let before = self.values.len();
            let answer = self.game.try_values(coalitions, &mut self.values);
            let got = self.values.get(before..).unwrap_or_default();
            check_answer(self.game, coalitions.len(), got, answer, |index| coalitions[index].clone())?;
            count(meter, first..next)?;
        }
        Ok(&self.values)
    }
}

/// Refuses a block that has a value that is not finite.
pub(crate) fn check_block<V: Value, E>(players: usize, first: u64, block: &[V]) -> Result<(), Error<E>> {
    check_finite(block, |index| {
        let mut coalition = Coalition::empty(players);
        coalition.set_mask(first + index as u64);
        coalition
    })
}

/// Values of coalitions that come in pieces, until all of an aligned block are here.
pub(crate) struct Pieces<V> {
    block: u64,
    /// By the block's first mask: the pieces that are here, by theirs.
    waiting: BTreeMap<u64, BTreeMap<u64, Vec<V>>>,
}

impl<V> Pieces<V> {
    /// No pieces yet, of blocks of `block` coalitions, a power of two.
    pub(crate) fn new(block: u64) -> Self {
        Self { block, waiting: BTreeMap::new() }
    }

    /// The number of values that wait.
    #[cfg(feature = "mpi")]
    pub(crate) fn len(&self) -> u64 {
        self.waiting.values().flat_map(BTreeMap::values).map(|values| values.len() as u64).sum()
    }

    /// Takes the values of some coalitions of a block, and gives the block with its first mask once it is complete.
    pub(crate) fn add(&mut self, first: u64, values: Vec<V>) -> Option<(u64, Vec<V>)> {
        let start = first & !(self.block - 1);
        let pieces = self.waiting.entry(start).or_default();
        pieces.insert(first, values);
        if (pieces.values().map(Vec::len).sum::<usize>() as u64) < self.block {
            return None;
        }
        Some((start, self.waiting.remove(&start)?.into_values().flatten().collect()))
    }
}

/// The values of a range of masks of a game, in their order.
pub(crate) fn values<G: TryGame + ?Sized, F: Observer>(
    game: &G,
    settings: &Settings<F>,
    players: usize,
    masks: Range<u64>,
) -> Result<Vec<G::Value>, Error<G::Error>> {
    /// Blocks come in nearly their order; those that came too early wait here.
    struct Gathered<V> {
        values: Vec<V>,
        early: BTreeMap<u64, Vec<V>>,
    }
    let mut values = Vec::new();
    // Growing step by step would need twice the memory. If there is not enough, that will be seen below.
    let _ = values.try_reserve_exact(usize::try_from(masks.end - masks.start).unwrap_or(usize::MAX));
    let gathered = Mutex::new(Gathered { values, early: BTreeMap::new() });
    // The largest blocks that the range is whole ones of.
    let block_bits = MOST_CALL_BITS.min(players).min((masks.start | masks.end).trailing_zeros() as usize);
    let blocks = masks.start >> block_bits..masks.end >> block_bits;
    stream(game, settings, players, block_bits, blocks, 0, |first, block| {
        check_block(players, first, block)?;
        let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let Gathered { values, early } = &mut *gathered;
        if masks.start + values.len() as u64 == first {
            values.extend_from_slice(block);
            while let Some(mut block) = early.remove(&(masks.start + values.len() as u64)) {
                values.append(&mut block);
            }
        } else {
            early.insert(first, block.to_vec());
        }
        Ok(())
    })?;
    Ok(gathered.into_inner().unwrap_or_else(PoisonError::into_inner).values)
}
