//! Samples by many ranks.
//!
//! With a precision to reach, rank 0 looks at the intervals after the numbers of samples at which one process looks. While the last
//! samples before a look are made, ranks that have nothing to do make those of the round after it, which are lost if the look
//! says that it is enough.

use std::collections::VecDeque;
use std::iter::once;
use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;
use super::deal::{Plan, Share, until};
use super::exact::{refusal, until_stopped};
use super::hand::{Labour, Refusal, Task};
use super::link::{decode, encode};
use super::saved::Keeper;
use crate::parts::Cut;
use crate::permutation::{PermutationPart, PermutationPartial};
use crate::permutation::{Seen, looks};
use crate::results::Design;
use crate::{
    Estimate, Fingerprint, Permutation, PermutationPart, PermutationPartial, Progress, Stopped, TryGame, Value,
};

/// The part that all ranks together make. What ends it by the clock is rank 0's.
pub(super) fn part_of<F>(sampler: Permutation<F>, fingerprint: Option<&Fingerprint>) -> PermutationPart<F> {
    let part = Permutation { deadline: None, ..sampler }.part(0, 1);
    match fingerprint {
        Some(fingerprint) => part.fingerprint(fingerprint.clone()),
        None => part,
    }
}

/// A rank's sampler.
pub(super) struct Worker<'a, G: TryGame + ?Sized, F> {
    pub(super) rank: usize,
    pub(super) game: &'a G,
    pub(super) sampler: &'a Permutation<F>,
    pub(super) fingerprint: Option<&'a Fingerprint>,
    pub(super) frame: Option<(Design, Cut)>,
    pub(super) ends: OnceLock<[G::Value; 2]>,
}

impl<G, F> Labour for Worker<'_, G, F>
where
    G: TryGame<Value: Serialize> + ?Sized,
    F: Sync,
{
    fn run(&self, task: Task, stop: &AtomicBool) -> Result<Vec<u8>, Refusal> {
        let Some(frame) = self.frame else { return Err(Refusal::Cancelled) };
        let part = part_of(self.sampler.by_ref().observe(until_stopped(stop)), self.fingerprint).without_width();
        let refuse = |error| refusal(self.rank, error);
        let Task::Samples(numbers) = task else {
            let (none, _) = part.run_samples(self.game, frame, 0..0, None).map_err(refuse)?;
            let ends = self.ends.get_or_init(|| none.ends().map(Clone::clone));
            return Ok(encode(self.rank, ends)?);
        };
        // What was made before it was told to stop counts.
        let ends = self.ends.get().cloned();
        let (partial, _) = part.run_samples(self.game, frame, numbers, ends).map_err(refuse)?;
        match partial.overflow() {
            Some(error) => Err(refusal(self.rank, error)),
            None => Ok(encode(self.rank, &partial)?),
        }
    }
}

/// All samples that there are to make.
pub(super) struct Rounds<'a, V, F> {
    sampler: &'a Permutation<F>,
    part: PermutationPart<&'a F>,
    frame: (Design, Cut),
    /// The numbers that nobody was asked for yet.
    left: VecDeque<Range<u64>>,
    /// What there is: none before v(∅) and v(N) are known.
    partial: Option<PermutationPartial<V>>,
    /// The samples from the first one on that are there, without a gap; when they pass a look, it is made.
    whole: u64,
    /// Why no more are made, if some are left.
    stopped: Option<Stopped>,
    /// The evaluations that the observer has seen.
    shown: u64,
    start: Instant,
    keeper: Option<Keeper>,
    is_new: bool,
}

impl<'a, V, F> Rounds<'a, V, F>
where
    V: Value + Serialize + DeserializeOwned,
{
    pub(super) fn new(
        sampler: &'a Permutation<F>,
        fingerprint: Option<&Fingerprint>,
        frame: (Design, Cut),
        keeper: Option<Keeper>,
    ) -> Result<Self, Error> {
        let part = part_of(sampler.by_ref(), fingerprint);
        let mut partial = None;
        if let Some(keeper) = &keeper
            && let Some(saved) = keeper.load::<PermutationPartial<V>>()?
        {
            let none = part.none_yet(frame, saved.ends().map(Clone::clone), 2);
            none.check_job(&saved).map_err(|error| keeper.refuse(error))?;
            partial = Some(saved);
        }
        let units = frame.1.units();
        let mut left = VecDeque::new();
        let mut end = 0;
        for there in partial.iter().flat_map(PermutationPartial::ranges).chain(once(units..units)) {
            if there.start > end {
                left.push_back(end..there.start);
            }
            end = there.end;
        }
        let start = Instant::now();
        let (whole, stopped, shown, is_new) = (0, None, 0, false);
        Ok(Self { sampler, part, frame, left, partial, whole, stopped, shown, start, keeper, is_new })
    }

    fn design(&self) -> Design {
        self.frame.0
    }

    /// Looks at the intervals, if there are as many samples as that takes.
    fn check_precision(&mut self) {
        let Some(partial) = &self.partial else { return };
        let before = self.whole;
        self.whole = partial.ranges().first().map_or(0, |first| if first.start == 0 { first.end } else { 0 });
        let passes = looks().any(|look| before < look && look <= self.whole);
        if self.sampler.precision.is_some() && passes && partial.until_precise().1 {
            self.stopped = Some(Stopped::Precision);
        }
    }

    /// No sample from this number on is made yet: two looks ahead.
    fn limit(&self) -> u64 {
        match self.sampler.precision {
            Some(_) => looks().filter(|&look| look > self.whole).nth(1).unwrap_or(u64::MAX),
            None => u64::MAX,
        }
    }

    fn made(&self) -> u64 {
        self.partial.as_ref().map_or(0, |partial| partial.samples.len())
    }

    /// What an observer sees.
    fn progress(&self, partial: &PermutationPartial<V>) -> Progress {
        let half_width = partial.samples.half_width(self.sampler.confidence);
        let (samples, evaluations) = (partial.samples.len(), partial.evaluations());
        let total = self.sampler.expected(self.design(), Seen { samples, evaluations, half_width }).max(evaluations);
        let permutations = samples * self.design().walks();
        Progress { evaluations, total, permutations, half_width, elapsed: self.start.elapsed() }
    }
}

impl<V, F> Plan for Rounds<'_, V, F>
where
    V: Value + Serialize + DeserializeOwned,
    F: Fn(&Progress) -> ControlFlow<()> + Sync,
{
    type Value = V;
    type Output = Estimate<V>;

    fn begin(&mut self, ends: [V; 2]) -> Result<(), Error> {
        let mut none = self.part.none_yet(self.frame, ends, 2);
        if let (Some(saved), Some(keeper)) = (self.partial.take(), &self.keeper) {
            none.merge(saved).map_err(|error| keeper.refuse(error))?;
            // They were asked for again, and are not another run's.
            none.samples.evaluations = none.samples.evaluations.saturating_sub(2);
        }
        self.partial = Some(none);
        self.check_precision();
        Ok(())
    }

    fn left(&self) -> u64 {
        if self.stopped.is_some() {
            return 0;
        }
        let limit = self.limit();
        self.left.iter().map(|range| range.end.min(limit).saturating_sub(range.start)).sum()
    }

    fn next(&mut self, Share { grains, .. }: Share) -> Option<(Task, u64)> {
        let limit = self.limit();
        let first = self.left.front_mut()?;
        let numbers = first.start..until(first.start, grains, first.end.min(limit));
        first.start = numbers.end;
        if first.is_empty() {
            self.left.pop_front();
        }
        let count = numbers.end - numbers.start;
        Some((Task::Samples(numbers), count))
    }

    fn take(&mut self, rank: usize, task: Task, answer: &[u8]) -> Result<(), Error> {
        let Task::Samples(_) = task else {
            return Err(Error::Message { rank, what: format!("an answer to {task:?}") });
        };
        let made = decode::<PermutationPartial<V>>(rank, answer)?;
        if let Some(partial) = &mut self.partial {
            partial.merge(made).map_err(|error| Error::solve(0, error))?;
        }
        self.is_new = true;
        self.check_precision();
        Ok(())
    }

    fn look(&mut self) -> Result<ControlFlow<()>, Error> {
        let Some(partial) = &self.partial else { return Ok(ControlFlow::Continue(())) };
        if let Some(observer) = &self.sampler.observer
            && partial.evaluations() > self.shown
        {
            // The ends alone are nothing to stop with.
            self.shown = partial.evaluations();
            let breaks = observer(&self.progress(partial)).is_break();
            if breaks && self.made() > 0 && self.stopped.is_none() && !self.left.is_empty() {
                self.stopped = Some(Stopped::Observer);
            }
        }
        let is_late = self.sampler.deadline.is_some_and(|deadline| self.start.elapsed() >= deadline);
        if is_late && self.made() > 0 && self.stopped.is_none() {
            self.stopped = Some(Stopped::Deadline);
        }
        let is_whole = self.made() == self.frame.1.units();
        if let (Some(keeper), Some(partial)) = (&mut self.keeper, &self.partial)
            && self.is_new
            && (keeper.is_due() || is_whole)
        {
            keeper.save(partial)?;
            self.is_new = false;
        }
        Ok(if self.stopped.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn is_done(&self) -> bool {
        self.left.is_empty()
            && self.made() == self.frame.1.units()
            && (self.keeper.is_none() || !self.is_new)
            && (self.sampler.observer.is_none()
                || self.partial.as_ref().is_none_or(|all| self.shown == all.evaluations()))
    }

    fn finish(mut self) -> Result<Estimate<V>, Error> {
        let failed = |error: crate::Error| Error::solve(0, error);
        let Some(partial) = &self.partial else {
            return Err(failed(crate::Error::Stopped { evaluations: 0, total: self.sampler.evaluations }));
        };
        if let (Some(keeper), true) = (&mut self.keeper, self.is_new) {
            keeper.save(partial)?; // what came after it was stopped
        }
        if partial.is_complete() && self.stopped != Some(Stopped::Precision) {
            return partial.finish().map_err(failed);
        }
        let (samples, is_precise) = partial.until_precise();
        let stopped = if is_precise { Stopped::Precision } else { self.stopped.unwrap_or(Stopped::Evaluations) };
        samples.estimate(stopped).map_err(failed)
    }
}
