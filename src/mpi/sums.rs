//! What ranks must know of the sums that they share: of exact solvers and of samplers.

use std::time::Duration;

use crate::engine::partial::{Partial, Summation, Sums};
use crate::exact::CoalitionSums;
use crate::permutation::{SampleSums, Seen};
use crate::{Coalition, Progress, Stopped, Value};

/// Sums that ranks share. A unit has 2^`grain_bits` **grains**: the coalitions of a block, or one sample.
pub(super) trait SharedSums: Sums {
    /// What v(∅) and v(N) add to the evaluations of a partial result.
    const ENDS: u64;

    fn grain_bits(&self) -> usize {
        0
    }

    /// The sums of a unit whose grains came as values.
    fn of_values(&self, _values: &[Self::Value]) -> Option<<Self as Summation>::Node> {
        None
    }

    /// The first unit that nobody makes yet, where the first `whole` units are here.
    fn limit(&self, _whole: u64) -> u64 {
        u64::MAX
    }

    /// Whether the first `whole` units, of which `before` were here, are enough.
    fn is_enough(_partial: &Partial<Self>, _before: u64, _whole: u64) -> bool {
        false
    }

    /// The evaluations that an observer sees, where `grains` are here.
    fn evaluations(partial: &Partial<Self>, grains: u64) -> u64;

    /// All that an observer sees.
    fn progress(partial: &Partial<Self>, grains: u64, elapsed: Duration) -> Progress;

    /// Whose sums overflow, if some do: they cannot be sent, and make no result.
    fn overflow(&self, node: &<Self as Summation>::Node) -> Option<Coalition>;

    /// The result of what is here when a rule or the observer ended the job.
    fn end(partial: Partial<Self>, stopped: Option<Stopped>, shown: u64) -> Result<Self::Output, crate::Error>;
}

impl<V: Value> SharedSums for CoalitionSums<V> {
    const ENDS: u64 = 0;

    fn grain_bits(&self) -> usize {
        self.block_bits
    }

    fn of_values(&self, values: &[V]) -> Option<<Self as Summation>::Node> {
        Some(self.fold(values))
    }

    fn evaluations(_partial: &Partial<Self>, grains: u64) -> u64 {
        grains
    }

    fn progress(partial: &Partial<Self>, grains: u64, elapsed: Duration) -> Progress {
        let total = 1 << partial.job.sums.players;
        Progress { evaluations: grains, total, permutations: 0, half_width: f64::INFINITY, elapsed }
    }

    fn overflow(&self, node: &<Self as Summation>::Node) -> Option<Coalition> {
        let is_finite = node.entries.iter().all(Value::is_finite);
        (!is_finite).then(|| Coalition::grand(self.players))
    }

    fn end(partial: Partial<Self>, stopped: Option<Stopped>, shown: u64) -> Result<Self::Output, crate::Error> {
        let players = partial.job.sums.players;
        if stopped.is_some() {
            return Err(crate::Error::Stopped { evaluations: shown, total: 1 << players });
        }
        let summary = partial.finish()?;
        match summary.is_finite() {
            true => Ok(summary),
            false => Err(crate::Error::Overflow { coalition: Coalition::grand(players) }),
        }
    }
}

impl<V: Value> SharedSums for SampleSums<V> {
    const ENDS: u64 = 2;

    /// Two looks ahead.
    fn limit(&self, whole: u64) -> u64 {
        self.rules.looks().filter(|&look| look > whole).nth(1).unwrap_or(u64::MAX)
    }

    fn is_enough(partial: &Partial<Self>, before: u64, whole: u64) -> bool {
        let passes = partial.job.sums.rules.looks().any(|look| before < look && look <= whole);
        passes && partial.until_precise().1
    }

    fn evaluations(partial: &Partial<Self>, _samples: u64) -> u64 {
        partial.evaluations()
    }

    fn progress(partial: &Partial<Self>, samples: u64, elapsed: Duration) -> Progress {
        let rules = &partial.job.sums.rules;
        let half_width = partial.samples(partial.tree.clone()).half_width(rules.confidence);
        let evaluations = partial.evaluations();
        let total = rules.expected(Seen { samples, evaluations, half_width }).max(evaluations);
        Progress { evaluations, total, permutations: samples * rules.design.walks(), half_width, elapsed }
    }

    fn overflow(&self, node: &<Self as Summation>::Node) -> Option<Coalition> {
        let player = node.sums.iter().position(|sum| !sum.is_finite())?;
        Some(Coalition::from_players(self.rules.design.players, [player]))
    }

    fn end(partial: Partial<Self>, stopped: Option<Stopped>, _shown: u64) -> Result<Self::Output, crate::Error> {
        if partial.is_complete() && stopped != Some(Stopped::Precision) {
            return partial.finish();
        }
        let (samples, is_precise) = partial.until_precise();
        samples.estimate(if is_precise { Stopped::Precision } else { stopped.unwrap_or(Stopped::Evaluations) })
    }
}
