//! The rules of a run: what a sample is, how many the budget pays for, when intervals are looked at, and when it stops.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::Permutation;
use super::order;
use super::walks::PATIENCE;
use crate::engine::ask::check_players;
use crate::engine::stopping::{Stopping, positive};
use crate::results::{Design, Samples, Weighted, sample_tree};
use crate::{Error, Stopped, Value};

/// Intervals are first looked at after this number of samples.
const FIRST_LOOK: u64 = 30;

/// The numbers of samples at which intervals are looked at: each is half as many more.
pub(crate) fn looks() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(FIRST_LOOK), |look| look.checked_add(look / 2))
}

/// The most looks of any run.
#[cfg(feature = "serde")]
pub(crate) fn most_looks() -> u32 {
    looks().count() as u32
}

/// The settings of a sampler that decide which samples of a game it makes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rules {
    pub(crate) design: Design,
    /// The most evaluations.
    pub(crate) budget: u64,
    pub(crate) seed: u64,
    pub(crate) precision: Option<f64>,
    pub(crate) confidence: f64,
    /// The evaluations before which intervals are not looked at.
    pub(crate) at_least: u64,
}

/// What there is of a run: samples, evaluations, and the largest half width.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) samples: u64,
    pub(crate) evaluations: u64,
    pub(crate) half_width: f64,
}

impl<F> Permutation<F> {
    /// The rules for a game of `players`, if the settings are in range.
    pub(crate) fn rules<E>(&self, players: usize) -> Result<Rules, Error<E>> {
        if players == 0 {
            return Err(Error::NoPlayers {});
        }
        check_players(players)?;
        self.stopping.check()?;
        positive("the tolerance of truncation", self.truncation)?;
        if self.at_least > self.evaluations {
            let (name, value) = ("the number of evaluations to make at least", self.at_least as f64);
            return Err(Error::Setting { name, value, allowed: "no more than the budget of evaluations" });
        }
        let chances = self.semivalue.as_ref().map(|semivalue| semivalue.size_distribution(players)).transpose()?;
        if let (Some(_), Some(value)) = (chances, self.truncation) {
            let name = "the tolerance of truncation";
            return Err(Error::Setting {
                name,
                value,
                allowed: "left out of a semivalue other than the Shapley value",
            });
        }
        Ok(self.unchecked_rules(players))
    }

    /// The same rules, whether or not the settings are in range.
    pub(crate) fn unchecked_rules(&self, players: usize) -> Rules {
        let Self { evaluations: budget, seed, at_least, stopping: Stopping { precision, confidence, .. }, .. } = *self;
        let weighted = self.semivalue.as_ref().and_then(|semivalue| Weighted::new(semivalue, players).ok());
        let antithetic = self.antithetic && weighted.as_ref().is_none_or(|weighted| weighted.windows.is_symmetric);
        let truncation = self.truncation;
        let design = Design { players, antithetic, truncation, orders: order::VERSION, weighted };
        Rules { design, budget, seed, precision, confidence, at_least }
    }
}

impl Rules {
    /// All of it, by name.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = self.design.settings().to_vec();
        settings.extend([
            ("the seed", self.seed.to_string()),
            ("the budget", self.budget.to_string()),
            ("the precision", self.precision.map_or("none".to_owned(), |precision| precision.to_string())),
            ("the confidence", self.confidence.to_string()),
            ("the number of evaluations to make at least", self.at_least.to_string()),
        ]);
        settings
    }

    /// The samples that the budget pays for, if none is truncated.
    pub(crate) fn payable(&self) -> u64 {
        match self.budget.saturating_sub(2).checked_div(self.design.cost()) {
            Some(payable) if !self.design.is_constant() => payable,
            _ => 1,
        }
    }

    /// Refuses a budget that does not pay for a sample.
    pub(crate) fn check_budget<E>(&self) -> Result<(), Error<E>> {
        let needed = u64::try_from(2 + u128::from(self.design.cost())).unwrap_or(u64::MAX);
        match self.budget {
            evaluations if evaluations < needed => Err(Error::BudgetTooSmall { evaluations, needed }),
            _ => Ok(()),
        }
    }

    /// The samples that must be there before intervals are looked at.
    fn least(&self) -> u64 {
        self.at_least.saturating_sub(2).div_ceil(self.design.cost().max(1))
    }

    /// The numbers of samples at which this run looks at its intervals, if it has a precision to reach.
    pub(crate) fn looks(&self) -> impl Iterator<Item = u64> {
        let (least, has_precision) = (self.least(), self.precision.is_some());
        looks().filter(move |&look| has_precision && look >= least)
    }

    /// How often the intervals may be looked at within the budget.
    pub(crate) fn most_looks(&self) -> u32 {
        if self.precision.is_none() {
            return 0;
        }
        let design = &self.design;
        let cheapest = match design.truncation {
            Some(_) => design.walks() * PATIENCE.min(design.players - 1) as u64,
            None => design.cost(),
        };
        let most = self.budget.saturating_sub(2) / cheapest.max(1);
        u32::try_from(self.looks().take_while(|&look| look <= most).count()).unwrap_or(u32::MAX).max(1)
    }

    /// The samples that a look at the intervals must tell from those after it.
    pub(crate) fn cuts(&self) -> Arc<[u64]> {
        self.looks().take_while(|&look| look < self.payable()).collect()
    }

    /// No samples yet, but v(∅) and v(N), which took `evaluations`.
    pub(crate) fn none_yet<V: Value>(&self, ends: [V; 2], evaluations: u64) -> Samples<V> {
        let looks = self.most_looks();
        let streams = [(self.seed, sample_tree(Arc::default()))].into();
        Samples { design: self.design.clone(), looks, evaluations, saved: 0, ends, streams }
    }

    /// Whether intervals are looked at after these samples, the first `made`, and are as narrow as was asked for.
    pub(crate) fn is_precise<V: Value>(&self, samples: &Samples<V>, made: u64) -> bool {
        let Some(precision) = self.precision.filter(|_| !self.design.is_constant()) else { return false };
        let is_look = self.looks().find(|&look| look >= made) == Some(made);
        is_look && samples.half_width(self.confidence) <= precision
    }

    /// The numbers of the samples to make next, up to the next look at the intervals; or why none are.
    pub(crate) fn next<V: Value>(&self, samples: &Samples<V>) -> ControlFlow<Stopped, Range<u64>> {
        self.next_after(samples, 0)
    }

    /// The same, if this number of evaluations is spent before.
    pub(crate) fn next_after<V: Value>(&self, samples: &Samples<V>, before: u64) -> ControlFlow<Stopped, Range<u64>> {
        let made = samples.len();
        if made > 0 && self.design.is_constant() {
            return ControlFlow::Break(Stopped::Evaluations);
        }
        let missing = samples.streams.get(&self.seed).map_or(0..u64::MAX, |tree| tree.missing());
        // A look is at all samples up to one number.
        if missing.end == u64::MAX && self.is_precise(samples, made) {
            return ControlFlow::Break(Stopped::Precision);
        }
        let left = self.budget.saturating_sub(samples.evaluations.saturating_add(before));
        // A sample may cost nothing only where one is enough.
        let payable = left.checked_div(self.design.cost()).unwrap_or(1);
        if payable == 0 {
            return ControlFlow::Break(Stopped::Evaluations);
        }
        let to_look = self.looks().find(|&look| look > made).map(|look| look - made);
        let most = if self.design.is_constant() { 1 } else { payable.min(missing.end - missing.start) };
        let count = to_look.map_or(most, |to_look| to_look.min(most));
        ControlFlow::Continue(missing.start..missing.start.saturating_add(count))
    }

    /// The evaluations that a run is expected to take.
    pub(crate) fn expected(&self, seen: Seen) -> u64 {
        let cost = self.design.cost();
        let left = self.budget.saturating_sub(seen.evaluations);
        let budget = match self.design.is_constant() {
            true => 2 + cost,
            false => seen.evaluations + left - left % cost.max(1),
        };
        let Some(precision) = self.precision.filter(|_| seen.half_width.is_finite()) else { return budget };
        // Intervals narrow by the root of the number of samples.
        let needed = seen.samples as f64 * (seen.half_width / precision).powi(2);
        let look = self.looks().find(|&look| look as f64 >= needed && look >= seen.samples);
        let more = look.map_or(u64::MAX, |look| (look - seen.samples).saturating_mul(cost));
        seen.evaluations.saturating_add(more).min(budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_grow_by_halves() {
        assert_eq!(looks().take(6).collect::<Vec<_>>(), [30, 45, 67, 100, 150, 225]);
        assert_eq!(looks().count(), 102);
    }

    #[test]
    fn a_look_is_counted_only_if_it_can_be_paid_for() {
        let looks = |evaluations, players| {
            let sampler = Permutation::new(evaluations).precision(1.0);
            sampler.rules::<std::convert::Infallible>(players).expect("settings in range").most_looks()
        };
        assert_eq!(looks(2 + 30 * 30, 16), 1);
        assert_eq!(looks(2 + 45 * 30 - 1, 16), 1);
        assert_eq!(looks(2 + 45 * 30, 16), 2);
        assert_eq!(looks(1_000_000, 16), 18);
        assert_eq!(looks(u64::MAX, 16), 93);
        assert_eq!(looks(u64::MAX, 2), 100);
    }
}
