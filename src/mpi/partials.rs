//! Exact answers and samples by many ranks: rank 0 deals units of work, which come back as partial results.
//!
//! Where a unit takes long, and for as long as it is not known how long, rank 0 deals pieces of it, which come back as
//! values, and makes the unit's sums itself: so a game of few blocks, or of blocks that take hours, is shared by as
//! many ranks as it has coalitions. The sums are those of the unit all the same. Samples are never cut: a sample is
//! short.
//!
//! With a precision to reach, rank 0 looks at the intervals after the numbers of samples at which one process looks.
//! While the last samples before a look are made, ranks that have nothing to do make those of the round after it, which
//! are lost if the look says that it is enough.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::iter::once;
use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;
use super::checkpoint::Checkpoint;
use super::scheduler::{Plan, Share, until};
use super::sums::SharedSums;
use super::transport::{decode, encode};
use super::worker::{Answerer, Refusal, Task};
use crate::engine::ask::both_ends;
use crate::engine::blocks::{Pieces, values};
use crate::engine::partial::{Job, Partial, Sums};
use crate::engine::progress::Observer;
use crate::engine::settings::Settings;
use crate::{Progress, Stopped, TryGame};

/// What a value costs rank 0 that comes alone, and not in a sum: about 20 nanoseconds (`docs/cluster.md` has the
/// measurement).
const VALUE: f64 = 20e-9;

/// The share of rank 0's time that may go into values.
const MOST_BUSY: f64 = 0.04;

/// With 8 blocks a rank left, nobody waits long for the last ones.
const MANY: u64 = 8;

/// Whether blocks are better dealt in pieces, of which rank 0 gets all values, to a rank of that pace.
///
/// If that hardly costs rank 0 anything, they are, so that all units are short. If it does, only where few blocks are
/// left, which would keep some ranks waiting for others for longer than rank 0 takes for the values.
fn pays_to_cut(left: u64, block: u64, share: Share) -> bool {
    let in_a_second = share.of_all_in_a_second();
    let in_a_block = block as f64 * share.ranks as f64 / in_a_second;
    in_a_second * VALUE <= MOST_BUSY
        || (left / block < MANY * share.ranks as u64 && left as f64 * VALUE < in_a_block / 2.0)
}

/// The observer of a rank, which stops the solver when rank 0 says so.
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

/// How a rank makes the partial result of some units: of those made before it was told to stop, where some are enough.
pub(super) type Make<'a, S, E> = dyn Fn(Job<S>, Range<u64>, Option<[<S as Sums>::Value; 2]>, &AtomicBool) -> Result<Partial<S>, crate::Error<E>>
    + Sync
    + 'a;

/// A rank's solver and game.
pub(super) struct UnitAnswers<'a, G: TryGame + ?Sized, S: Sums<Value = G::Value>, F> {
    pub(super) rank: usize,
    pub(super) game: &'a G,
    pub(super) players: usize,
    pub(super) settings: &'a Settings<F>,
    pub(super) make: &'a Make<'a, S, G::Error>,
    /// None if the settings are out of range; nothing is asked for then.
    pub(super) job: Option<Job<S>>,
    pub(super) ends: OnceLock<[G::Value; 2]>,
}

impl<G, S, F: Sync> Answerer for UnitAnswers<'_, G, S, F>
where
    G: TryGame<Value: Serialize> + ?Sized,
    S: SharedSums<Value = G::Value>,
    Partial<S>: Serialize,
{
    fn run(&self, task: Task, stop: &AtomicBool) -> Result<Vec<u8>, Refusal> {
        let refuse = |error| refusal(self.rank, error);
        let Some(job) = self.job.clone() else { return Err(Refusal::Cancelled) };
        match task {
            Task::Masks(masks) => {
                let settings = self.settings.quiet(until_stopped(stop));
                Ok(encode(self.rank, &values(self.game, &settings, self.players, masks).map_err(refuse)?)?)
            }
            Task::Units(units) => {
                let partial = (self.make)(job, units, self.ends.get().cloned(), stop).map_err(refuse)?;
                let overflow = partial.tree.iter().filter_map(|(_, node)| partial.job.sums.overflow(node)).min();
                match overflow {
                    Some(coalition) => Err(refuse(crate::Error::Overflow { coalition })),
                    None => Ok(encode(self.rank, &partial)?),
                }
            }
            _ => {
                let ends = both_ends(self.game, self.players).map_err(refuse)?;
                Ok(encode(self.rank, self.ends.get_or_init(|| ends))?)
            }
        }
    }
}

/// All units of a job.
pub(super) struct Units<'a, S: Sums, F> {
    observer: Option<&'a F>,
    deadline: Option<Duration>,
    job: Job<S>,
    /// The grains that nobody was asked for yet.
    left: VecDeque<Range<u64>>,
    /// Values of units that are not complete.
    pieces: Pieces<S::Value>,
    /// None before v(∅) and v(N) are known.
    partial: Option<Partial<S>>,
    /// The first units that are here without a gap.
    whole: u64,
    /// Why no more are made, if some are left.
    stopped: Option<Stopped>,
    /// The evaluations that the observer has seen.
    shown: u64,
    start: Instant,
    checkpoint: Option<Checkpoint>,
    /// Whether there is something to save.
    is_new: bool,
}

impl<'a, S, F> Units<'a, S, F>
where
    S: SharedSums,
    Partial<S>: Serialize + DeserializeOwned,
{
    pub(super) fn new(
        observer: Option<&'a F>,
        deadline: Option<Duration>,
        job: Job<S>,
        checkpoint: Option<Checkpoint>,
    ) -> Result<Self, Error> {
        let mut partial = None;
        if let Some(checkpoint) = &checkpoint
            && let Some(saved) = checkpoint.load::<Partial<S>>()?
        {
            job.check::<Infallible>(&saved.job).map_err(|error| checkpoint.refuse(error))?;
            partial = Some(saved);
        }
        let (units, bits) = (job.sums.units(), job.sums.grain_bits());
        let mut left = VecDeque::new();
        let mut end = 0;
        let here = partial.iter().flat_map(|partial| partial.tree.ranges());
        for there in here.chain(once(units..units)) {
            if there.start > end {
                left.push_back(end << bits..there.start << bits);
            }
            end = there.end;
        }
        let mut plan = Self {
            observer,
            deadline,
            job,
            left,
            pieces: Pieces::new(1 << bits),
            partial,
            whole: 0,
            stopped: None,
            shown: 0,
            start: Instant::now(),
            checkpoint,
            is_new: false,
        };
        if S::ENDS == 0 {
            plan.shown = plan.made();
        }
        Ok(plan)
    }

    /// The grains that are here.
    fn made(&self) -> u64 {
        let units = self.partial.as_ref().map_or(0, |partial| partial.tree.len());
        (units << self.job.sums.grain_bits()) + self.pieces.len()
    }

    fn total(&self) -> u64 {
        self.job.sums.units() << self.job.sums.grain_bits()
    }

    /// Looks whether what is here is enough.
    fn check_enough(&mut self) {
        let Some(partial) = &self.partial else { return };
        let before = self.whole;
        self.whole = partial.tree.ranges().first().map_or(0, |first| if first.start == 0 { first.end } else { 0 });
        if S::is_enough(partial, before, self.whole) {
            self.stopped = Some(Stopped::Precision);
        }
    }

    /// Takes in the values of a piece, and the unit's sums once it is complete.
    fn take_values(&mut self, first: u64, values: Vec<S::Value>) -> Result<(), Error> {
        let bits = self.job.sums.grain_bits();
        let Some((first, values)) = self.pieces.add(first, values) else { return Ok(()) };
        let Some(node) = self.job.sums.of_values(&values) else { return Ok(()) };
        if let Some(coalition) = self.job.sums.overflow(&node) {
            return Err(Error::solve(0, crate::Error::<Infallible>::Overflow { coalition }));
        }
        if let Some(partial) = &mut self.partial {
            partial.insert(first >> bits, node);
            partial.evaluations += 1 << bits;
        }
        self.is_new = true;
        Ok(())
    }

    fn save(&mut self) -> Result<(), Error> {
        if let (Some(checkpoint), Some(partial)) = (&mut self.checkpoint, &self.partial) {
            checkpoint.save(partial)?;
        }
        self.is_new = false;
        Ok(())
    }
}

impl<S, F> Plan for Units<'_, S, F>
where
    S: SharedSums<Value: Serialize + DeserializeOwned, Output: Serialize + DeserializeOwned>,
    Partial<S>: Serialize + DeserializeOwned,
    F: Observer,
{
    type Value = S::Value;
    type Output = S::Output;

    fn begin(&mut self, ends: [S::Value; 2]) -> Result<(), Error> {
        // A job that goes on has paid for v(∅) and v(N) before.
        let paid = if self.partial.is_some() { 0 } else { S::ENDS };
        let mut none = Partial::new(self.job.clone(), ends, paid);
        if let (Some(saved), Some(checkpoint)) = (self.partial.take(), &self.checkpoint) {
            none.merge(saved).map_err(|error| checkpoint.refuse(error))?;
        }
        self.partial = Some(none);
        self.check_enough();
        Ok(())
    }

    fn left(&self) -> u64 {
        if self.stopped.is_some() {
            return 0;
        }
        let limit = self.job.sums.limit(self.whole).saturating_mul(1 << self.job.sums.grain_bits());
        self.left.iter().map(|range| range.end.min(limit).saturating_sub(range.start)).sum()
    }

    fn next(&mut self, share: Share) -> Option<(Task, u64)> {
        let Share { grains, .. } = share;
        let bits = self.job.sums.grain_bits();
        let unit = 1 << bits;
        let Range { start, end } = self.left.front()?.clone();
        let limit = self.job.sums.limit(self.whole).saturating_mul(unit).min(end);
        let is_short = bits > 0 && share.in_time > 0 && !pays_to_cut(self.left(), unit, share);
        let (task, stop) = if start % unit == 0 && (grains >= unit || is_short) {
            let units = start >> bits..until(start >> bits, grains >> bits, limit >> bits);
            (Task::Units(units.clone()), units.end << bits)
        } else {
            // To the end of the unit at most.
            let whole = (start / unit + 1) * unit;
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
                let values: Vec<S::Value> = decode(rank, answer)?;
                if values.len() as u64 != masks.end - masks.start {
                    let what = format!("{} values of {masks:?}", values.len());
                    return Err(Error::Message { rank, what });
                }
                self.take_values(masks.start, values)?;
            }
            Task::Units(_) => {
                let made = decode::<Partial<S>>(rank, answer)?;
                // Nothing is asked for before it is there.
                if let Some(partial) = &mut self.partial {
                    partial.merge(made).map_err(|error| Error::solve(0, error))?;
                }
                self.is_new = true;
                self.check_enough();
            }
            other => return Err(Error::Message { rank, what: format!("an answer to {other:?}") }),
        }
        Ok(())
    }

    fn look(&mut self) -> Result<ControlFlow<()>, Error> {
        let made = self.made();
        let (is_some, is_whole) = (made > 0, made == self.total());
        if let (Some(observer), Some(partial)) = (self.observer, &self.partial)
            && S::evaluations(partial, made) > self.shown
        {
            self.shown = S::evaluations(partial, made);
            let breaks = observer(&S::progress(partial, made, self.start.elapsed())).is_break();
            // The ends alone are nothing to stop with, and at the end there is nothing left to stop.
            if breaks && is_some && !is_whole {
                self.stopped = self.stopped.or(Some(Stopped::Observer));
            }
        }
        if is_some && self.deadline.is_some_and(|deadline| self.start.elapsed() >= deadline) {
            self.stopped = self.stopped.or(Some(Stopped::Deadline));
        }
        let is_due = self.checkpoint.as_ref().is_some_and(Checkpoint::is_due);
        if self.is_new && self.checkpoint.is_some() && (is_due || is_whole) {
            self.save()?;
        }
        Ok(if self.stopped.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn is_done(&self) -> bool {
        let is_whole = self.left.is_empty() && self.made() == self.total();
        let is_saved = self.checkpoint.is_none() || !self.is_new;
        let is_shown = || match &self.partial {
            Some(partial) if self.observer.is_some() => self.shown >= S::evaluations(partial, self.made()),
            _ => true,
        };
        is_whole && is_saved && is_shown()
    }

    fn finish(mut self) -> Result<S::Output, Error> {
        if self.is_new {
            self.save()?; // what came after the job was stopped
        }
        let (shown, total) = (self.shown, self.total());
        let result = match self.partial {
            Some(partial) => S::end(partial, self.stopped, shown),
            None => Err(crate::Error::Stopped { evaluations: 0, total }),
        };
        result.map_err(|error| Error::solve(0, error))
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
