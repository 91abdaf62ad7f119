//! Sampling in parts: partial results over some of the samples.

use std::marker::PhantomData;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::Permutation;
use super::rules::Rules;
use super::run;
use crate::engine::ask::both_ends;
use crate::engine::partial::{Job, Part, Partial, Summation, Sums};
use crate::results::{BoxedNode, SampleTree, Samples, sample_tree};
use crate::{Error, Estimate, Progress, Stopped, TryGame, Value};

/// The sums of marginal contributions over samples, and their squared deviations: what parts of a sampler add up.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleSums<V> {
    pub(crate) rules: Rules,
    value: PhantomData<V>,
}

/// A part of an estimate, or several merged.
pub type PermutationPartial<V> = Partial<SampleSums<V>>;

impl<V: Value> SampleSums<V> {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, value: PhantomData }
    }
}

impl<V: Value> Sums for SampleSums<V> {
    type Value = V;
    type Output = Estimate<V>;

    fn finish(partial: Partial<Self>) -> Result<Estimate<V>, Error> {
        let (samples, is_precise) = partial.until_precise();
        samples.estimate(if is_precise { Stopped::Precision } else { Stopped::Evaluations })
    }
}

impl<V: Value> Summation for SampleSums<V> {
    type V = V;
    type Node = BoxedNode<V>;

    fn settings(&self) -> Vec<(&'static str, String)> {
        self.rules.settings()
    }

    fn units(&self) -> u64 {
        self.rules.payable()
    }

    fn tree(&self) -> SampleTree<V> {
        sample_tree(self.rules.cuts())
    }

    fn merge(&self, lower: &mut BoxedNode<V>, upper: BoxedNode<V>) {
        lower.merge(&upper);
    }
}

impl<F> Permutation<F> {
    /// Part `k` of `of`, the first being part 0, of the estimate that this sampler makes. The budget is that of all
    /// parts together. Threads, batches and observers may differ from part to part; all else must not.
    ///
    /// A part is a contiguous share of the numbers of the samples that the budget pays for. Shares differ by one sample
    /// at most. With more parts than samples, some have nothing to do, and may be run all the same.
    ///
    /// ```
    /// use shapley::Permutation;
    ///
    /// let game = shapley::from_fn(40, |s| (s.len() as f64).sqrt() + if s.contains(3) { 1.0 } else { 0.0 });
    /// let sampler = Permutation::new(10_000).seed(7);
    /// // Each on a machine of its own, as a rule.
    /// let mut all = sampler.clone().part(2, 3).run(&game)?;
    /// for k in [0, 1] {
    ///     all.merge(sampler.clone().part(k, 3).run(&game)?)?; // in any order
    /// }
    /// assert_eq!(all.finish()?, sampler.estimate(&game)?); // bit for bit
    /// # Ok::<(), shapley::Error>(())
    /// ```
    pub fn part(self, k: u64, of: u64) -> Part<Self> {
        Part::new(self, k, of)
    }

    /// What this sampler adds up in parts, if its settings are those of a part.
    pub(crate) fn sums<V: Value, E>(&self, players: usize) -> Result<SampleSums<V>, Error<E>> {
        let rules = self.rules(players)?;
        if let Some(value) = self.truncation {
            let (name, allowed) = ("the truncation of a part", "left out, since its samples must not depend on others");
            return Err(Error::Setting { name, value, allowed });
        }
        rules.check_budget()?;
        Ok(SampleSums::new(rules))
    }
}

impl<F: Fn(&Progress) -> ControlFlow<()> + Sync> Part<Permutation<F>> {
    /// Makes the part.
    ///
    /// # Cost
    ///
    /// The evaluations of the part's samples, and for each part those of v(∅) and v(N), by which parts of different
    /// games are told apart: all parts together make 2 more evaluations for each part beyond the first than the budget
    /// says.
    ///
    /// With a [precision](Permutation::precision) a part makes **all its samples**, since none knows when the others
    /// have come so far. [`finish`](Partial::finish) stops where one process would have, and what was made beyond is
    /// spent for nothing: a budget for parts had better be no larger than it must be. The partial result then has some
    /// hundreds of numbers for each player; without, at most 4 log₂(samples).
    ///
    /// # Errors
    ///
    /// Those of [`Permutation::estimate`], but for `Overflow`, which `finish` finds; [`Setting`](Error::Setting) if
    /// there is no such part, or there are none, or with a [deadline](Permutation::deadline) or
    /// [truncation](Permutation::truncate), with which the samples that there are depend on time, or on those before;
    /// [`Stopped`](Error::Stopped) if the observer broke before all was done.
    ///
    /// # Panics
    ///
    /// If the game or the observer does.
    pub fn run<G: TryGame + ?Sized>(&self, game: &G) -> Result<PermutationPartial<G::Value>, Error<G::Error>> {
        self.solver.rules(game.num_players())?;
        if let Some(deadline) = self.solver.stopping.deadline {
            let (name, value) = ("the deadline of a part", deadline.as_secs_f64());
            return Err(Error::Setting { name, value, allowed: "left out, since its samples must not depend on time" });
        }
        let (job, numbers) = self.share(self.solver.sums(game.num_players())?)?;
        match self.solver.add_samples(game, job, numbers, None)? {
            (_, Some([evaluations, total])) => Err(Error::Stopped { evaluations, total }),
            (partial, None) => Ok(partial),
        }
    }
}

impl<F: Fn(&Progress) -> ControlFlow<()> + Sync> Permutation<F> {
    /// The partial result of a range of samples, which may be empty; `known` are v(∅) and v(N), if they are known. If
    /// the observer breaks, samples are missing, and the evaluations made and their total come with it.
    #[expect(clippy::type_complexity, reason = "a partial result, and where the observer broke")]
    pub(crate) fn add_samples<G: TryGame + ?Sized>(
        &self,
        game: &G,
        job: Job<SampleSums<G::Value>>,
        numbers: Range<u64>,
        known: Option<[G::Value; 2]>,
    ) -> Result<(PermutationPartial<G::Value>, Option<[u64; 2]>), Error<G::Error>> {
        let rules = job.sums.rules.clone();
        let made = if known.is_some() { 0 } else { 2 };
        let ends = known.map_or_else(|| both_ends(game, rules.design.players), Ok)?;
        let mut partial = Partial::new(job, ends, made);
        let samples = partial.samples(partial.job.sums.tree());
        let (samples, broke) = run::add(game, self, rules, samples, numbers)?;
        partial.evaluations = samples.evaluations;
        partial.tree = samples.streams.into_values().next().unwrap_or_else(|| partial.job.sums.tree());
        Ok((partial, broke))
    }
}

impl<V: Value> PermutationPartial<V> {
    /// The samples of a tree, with all that this partial result knows besides.
    pub(crate) fn samples(&self, tree: SampleTree<V>) -> Samples<V> {
        let Rules { seed, .. } = self.job.sums.rules;
        let mut samples = self.job.sums.rules.none_yet(self.ends.clone(), self.evaluations);
        samples.streams.insert(seed, tree);
        samples
    }

    /// The samples up to the look at which one process would have stopped, if those before it are all here; or all that
    /// are here. And which of the two it is. The evaluations are those that one process would have made for them.
    pub(crate) fn until_precise(&self) -> (Samples<V>, bool) {
        let rules = &self.job.sums.rules;
        let mut samples = rules.none_yet(self.ends.clone(), 0);
        let mut is_precise = false;
        for (start, node) in self.tree.iter() {
            let tree = samples.streams.entry(rules.seed).or_insert_with(|| sample_tree(Arc::default()));
            tree.insert(start, node.clone(), |lower, upper| self.job.sums.merge(lower, upper));
            // As many as the last one's number says: none before it is missing.
            let end = start + (1 << node.level);
            if samples.len() == end && rules.is_precise(&samples, end) {
                is_precise = true;
                break;
            }
        }
        samples.evaluations = 2 + samples.len() * rules.design.cost();
        (samples, is_precise)
    }
}
