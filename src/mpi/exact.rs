//! Exact answers by many ranks.
//!
//! Rank 0 deals blocks, which come back as partial results. Where a block takes long, and for as long as it is not known how long, it
//! deals pieces of them, which come back as values, and puts blocks together: so a game of few blocks, or of blocks that take
//! hours, is shared by as many ranks as it has coalitions. The sums are those of the blocks all the same.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::iter::once;
use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;
use super::deal::{Plan, Share, until};
use super::hand::{Labour, Refusal, Task};
use super::link::{decode, encode};
use super::saved::Keeper;
use crate::exact::{ExactPart, ExactPartial};
use crate::exact::{Frame, check_job, values};
use crate::fingerprint::Fingerprint;
use crate::parts::Cut;
use crate::{Coalition, Exact, Progress, Summary, TryGame, Value};

/// What a value costs rank 0 that comes alone, and not in a sum: about 20 nanoseconds (`docs/cluster.md` has the measurement).
const VALUE: f64 = 20e-9;

/// The share of rank 0's time that may go into values.
const MOST_BUSY: f64 = 0.04;

/// So many blocks a rank, and nobody waits long for the last ones.
const MANY: u64 = 8;

/// Whether blocks are better dealt in pieces, of which rank 0 gets all values, to a rank of that pace.
///
/// If that hardly costs rank 0 anything, they are, so that all units are short. If it does, only where few blocks are left, which
/// would keep some ranks waiting for others for longer than rank 0 takes for the values.
fn pays_to_cut(left: u64, block: u64, share: Share) -> bool {
    let in_a_second = share.of_all_in_a_second();
    let in_a_block = block as f64 * share.ranks as f64 / in_a_second;
    in_a_second * VALUE <= MOST_BUSY
        || (left / block < MANY * share.ranks as u64 && left as f64 * VALUE < in_a_block / 2.0)
}

/// The observer of a rank, which sees to it that it stops when it is told to.
pub(super) fn until_stopped(stop: &AtomicBool) -> impl Fn(&Progress) -> ControlFlow<()> + Sync {
    move |_: &Progress| if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// A failure of a rank's solver; that it was stopped is none.
pub(super) fn refusal<E: std::error::Error + Send + Sync + 'static>(rank: usize, error: crate::Error<E>) -> Refusal {
    match error {
        crate::Error::Stopped { .. } => Refusal::Cancelled,
        error => Refusal::Failed(Error::solve(rank, error)),
    }
}

/// Sums that are not finite cannot be sent, and make no results.
fn overflow(players: usize) -> crate::Error {
    crate::Error::Overflow { coalition: Coalition::grand(players) }
}

/// The settings of all ranks, as far as they must be the same.
pub(super) fn part_of<F>(exact: Exact<F>, order: usize, fingerprint: Option<&Fingerprint>) -> ExactPart<F> {
    let part = exact.part(0, 1).order(order);
    match fingerprint {
        Some(fingerprint) => part.fingerprint(fingerprint.clone()),
        None => part,
    }
}

/// A rank's solver.
pub(super) struct Worker<'a, G: TryGame + ?Sized, F> {
    pub(super) rank: usize,
    pub(super) game: &'a G,
    pub(super) exact: &'a Exact<F>,
    pub(super) order: usize,
    pub(super) fingerprint: Option<&'a Fingerprint>,
    pub(super) frame: Option<Frame>,
    pub(super) ends: OnceLock<[G::Value; 2]>,
}

impl<G, F> Labour for Worker<'_, G, F>
where
    G: TryGame<Value: Serialize> + ?Sized,
    F: Sync,
{
    fn run(&self, task: Task, stop: &AtomicBool) -> Result<Vec<u8>, Refusal> {
        let exact = self.exact.by_ref().observe(until_stopped(stop));
        let Some(frame) = self.frame else { return Err(Refusal::Cancelled) };
        let refuse = |error| refusal(self.rank, error);
        if let Task::Masks(masks) = task {
            let values = values(self.game, &exact, frame.players, masks).map_err(refuse)?;
            return Ok(encode(self.rank, &values)?);
        }
        let part = part_of(exact, self.order, self.fingerprint);
        let Task::Blocks(blocks) = task else {
            let none = part.run_blocks(self.game, frame, 0..0, None).map_err(refuse)?;
            let ends = self.ends.get_or_init(|| none.ends().map(Clone::clone));
            return Ok(encode(self.rank, ends)?);
        };
        let partial = part.run_blocks(self.game, frame, blocks, self.ends.get().cloned()).map_err(refuse)?;
        if !partial.is_finite() {
            return Err(refusal(self.rank, overflow(frame.players)));
        }
        Ok(encode(self.rank, &partial)?)
    }
}

/// Known values of a range of a game's coalitions.
struct Known<V> {
    players: usize,
    first: u64,
    values: Vec<V>,
}

impl<V: Value> TryGame for Known<V> {
    type Value = V;
    type Error = Infallible;

    fn num_players(&self) -> usize {
        self.players
    }

    fn try_value(&self, coalition: &Coalition) -> Result<V, Infallible> {
        let place = coalition.words().first().copied().unwrap_or(0) - self.first;
        Ok(self.values[place as usize].clone())
    }
}

/// All that there is to do.
pub(super) struct Blocks<'a, V, F> {
    observer: Option<&'a F>,
    part: ExactPart,
    frame: Frame,
    /// What nobody was asked for yet, by masks.
    left: VecDeque<Range<u64>>,
    /// What is there of blocks that are not whole, by block and mask.
    pieces: BTreeMap<u64, BTreeMap<u64, Vec<V>>>,
    /// What is whole: none before v(∅) and v(N) are known.
    partial: Option<ExactPartial<V>>,
    /// The coalitions that are there, and how many of them the observer has seen.
    made: u64,
    shown: u64,
    stopped: bool,
    start: Instant,
    keeper: Option<Keeper>,
    /// Whether there is something to save.
    is_new: bool,
}

impl<'a, V, F> Blocks<'a, V, F>
where
    V: Value + Serialize + DeserializeOwned,
{
    pub(super) fn new(
        observer: Option<&'a F>,
        (order, fingerprint): (usize, Option<&Fingerprint>),
        frame: Frame,
        keeper: Option<Keeper>,
    ) -> Result<Self, Error> {
        let exact = Exact::new().max_players(frame.players).threads(1);
        let part = part_of(exact, order, fingerprint);
        let mut partial = None;
        if let Some(keeper) = &keeper
            && let Some(saved) = keeper.load::<ExactPartial<V>>()?
        {
            let cut = Cut::new(frame.blocks(), 1).map_err(|error| Error::solve::<Infallible>(0, error))?;
            check_job((frame, cut, &part.fingerprint), &saved).map_err(|error| keeper.refuse(error))?;
            partial = Some(saved);
        }
        let (blocks, bits) = (frame.blocks(), frame.block_bits);
        let mut left = VecDeque::new();
        let mut end = 0;
        for there in partial.iter().flat_map(ExactPartial::ranges).chain(once(blocks..blocks)) {
            if there.start > end {
                left.push_back(end << bits..there.start << bits);
            }
            end = there.end;
        }
        let made = (1 << frame.players) - left.iter().map(|range| range.end - range.start).sum::<u64>();
        Ok(Self {
            observer,
            part,
            frame,
            left,
            pieces: BTreeMap::new(),
            partial,
            made,
            shown: made,
            stopped: false,
            start: Instant::now(),
            keeper,
            is_new: false,
        })
    }

    fn total(&self) -> u64 {
        1 << self.frame.players
    }

    fn merge(&mut self, other: ExactPartial<V>) -> Result<(), Error> {
        self.is_new = true;
        match &mut self.partial {
            Some(partial) => partial.merge(other).map_err(|error| Error::solve(0, error)),
            None => Ok(()), // nothing is asked for before it is there
        }
    }

    /// Takes in the values of a piece; if they make a block whole, that.
    fn piece(&mut self, first: u64, values: Vec<V>) -> Result<(), Error> {
        let Frame { players, block_bits: bits, .. } = self.frame;
        let block = first >> bits;
        let pieces = self.pieces.entry(block).or_default();
        pieces.insert(first, values);
        if pieces.values().map(Vec::len).sum::<usize>() < 1 << bits {
            return Ok(());
        }
        let values = self.pieces.remove(&block).into_iter().flatten().flat_map(|(_, values)| values).collect();
        let game = Known { players, first: block << bits, values };
        let ends = self.partial.as_ref().map(|partial| partial.ends().map(Clone::clone));
        let whole = self.part.run_blocks(&game, self.frame, block..block + 1, ends);
        let whole = whole.map_err(|error| Error::solve(0, error))?;
        if !whole.is_finite() {
            return Err(Error::solve(0, overflow(players)));
        }
        self.merge(whole)
    }
}

impl<V, F> Plan for Blocks<'_, V, F>
where
    V: Value + Serialize + DeserializeOwned,
    F: Fn(&Progress) -> ControlFlow<()> + Sync,
{
    type Value = V;
    type Output = Summary<V>;

    fn begin(&mut self, ends: [V; 2]) -> Result<(), Error> {
        let nothing = Known { players: self.frame.players, first: 0, values: Vec::new() };
        let none = self.part.run_blocks(&nothing, self.frame, 0..0, Some(ends));
        let mut none = none.map_err(|error| Error::solve(0, error))?;
        // Merging compares all that tells jobs apart.
        if let (Some(saved), Some(keeper)) = (self.partial.take(), &self.keeper) {
            none.merge(saved).map_err(|error| keeper.refuse(error))?;
        }
        self.partial = Some(none);
        Ok(())
    }

    fn left(&self) -> u64 {
        self.left.iter().map(|range| range.end - range.start).sum()
    }

    fn next(&mut self, share: Share) -> Option<(Task, u64)> {
        let Share { grains, .. } = share;
        let bits = self.frame.block_bits;
        let block = 1 << bits;
        let Range { start, end } = self.left.front()?.clone();
        let is_short = share.in_time > 0 && !pays_to_cut(self.left(), block, share);
        let (task, stop) = if start % block == 0 && (grains >= block || is_short) {
            let blocks = start >> bits..until(start >> bits, grains >> bits, end >> bits);
            (Task::Blocks(blocks.clone()), blocks.end << bits)
        } else {
            // To the end of the block at most.
            let whole = (start / block + 1) * block;
            let stop = if is_short { whole } else { until(start, grains, whole) };
            (Task::Masks(start..stop), stop)
        };
        if stop == end {
            self.left.pop_front();
        } else if let Some(first) = self.left.front_mut() {
            first.start = stop;
        }
        Some((task, stop - start))
    }

    fn take(&mut self, rank: usize, task: Task, answer: &[u8]) -> Result<(), Error> {
        match task {
            Task::Masks(masks) => {
                let values: Vec<V> = decode(rank, answer)?;
                if values.len() as u64 != masks.end - masks.start {
                    let what = format!("{} values of {masks:?}", values.len());
                    return Err(Error::Message { rank, what });
                }
                self.piece(masks.start, values)?;
                self.made += masks.end - masks.start;
            }
            Task::Blocks(blocks) => {
                self.merge(decode(rank, answer)?)?;
                self.made += (blocks.end - blocks.start) << self.frame.block_bits;
            }
            other => return Err(Error::Message { rank, what: format!("an answer to {other:?}") }),
        }
        Ok(())
    }

    fn look(&mut self) -> Result<ControlFlow<()>, Error> {
        if let Some(observer) = self.observer
            && self.made > self.shown
        {
            self.shown = self.made;
            let (evaluations, total) = (self.made, self.total());
            let (permutations, half_width, elapsed) = (0, f64::INFINITY, self.start.elapsed());
            let progress = Progress { evaluations, total, permutations, half_width, elapsed };
            // At the end there is nothing left to stop.
            self.stopped = observer(&progress).is_break() && evaluations < total;
        }
        let is_over = self.stopped || self.made == self.total();
        if let (Some(keeper), Some(partial)) = (&mut self.keeper, &self.partial)
            && self.is_new
            && (keeper.is_due() || is_over)
        {
            keeper.save(partial)?;
            self.is_new = false;
        }
        Ok(if self.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn is_done(&self) -> bool {
        self.left.is_empty() && self.shown_all()
    }

    fn finish(self) -> Result<Summary<V>, Error> {
        let (evaluations, total) = (self.shown, self.total());
        match self.partial {
            Some(partial) if !self.stopped => {
                let summary = partial.finish().map_err(|error| Error::solve(0, error))?;
                if !summary.is_finite() {
                    return Err(Error::solve(0, overflow(self.frame.players)));
                }
                Ok(summary)
            }
            _ => Err(Error::solve(0, crate::Error::<Infallible>::Stopped { evaluations, total })),
        }
    }
}

impl<V: Value, F> Blocks<'_, V, F> {
    /// Whether all is there, and was shown and saved.
    fn shown_all(&self) -> bool {
        self.made == 1 << self.frame.players
            && (self.observer.is_none() || self.shown == self.made)
            && (self.keeper.is_none() || !self.is_new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_cut_where_that_is_cheap_or_few_are_left() {
        let share = |in_a_second: u64, ranks| Share { grains: 1, in_time: in_a_second / 2, ranks };
        let block = 1 << 19;
        // A millisecond each, and a minute: always. A few nanoseconds: never, whatever is left.
        assert!(pays_to_cut(1 << 36, block, share(1_000, 1000)));
        assert!(pays_to_cut(1 << 12, 1 << 10, share(2, 1000)));
        assert!(!pays_to_cut(1 << 30, block, share(300_000_000, 2)));
        assert!(!pays_to_cut(block, block, share(300_000_000, 2)));
        // A microsecond on a thousand ranks: only the last blocks, if at all.
        assert!(!pays_to_cut(1 << 36, block, share(1_000_000, 1000)));
        // 100 microseconds, 256 blocks for a thousand ranks: values take rank 0 three seconds, a block takes a minute.
        assert!(pays_to_cut(1 << 27, block, share(10_000, 1000)));
    }
}
