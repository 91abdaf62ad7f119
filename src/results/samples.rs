//! The samples of walks that an estimate is made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::estimate::Origin;
use super::moments::{SampleTree, Total};
use super::spread::Spread;
use crate::engine::partial::check_same;
use crate::weights::Windows;
use crate::{Attribution, Error, Estimate, Semivalue, Stopped, Value};

/// The samples that an estimate is made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Samples<V> {
    pub(crate) design: Design,
    /// How often their intervals may have been looked at to decide whether to stop: intervals are corrected for it.
    pub(crate) looks: u32,
    /// The evaluations made, v(∅) and v(N) included.
    pub(crate) evaluations: u64,
    /// The evaluations that truncation spared.
    pub(crate) saved: u64,
    /// v(∅) and v(N).
    pub(crate) ends: [V; 2],
    /// By seed.
    pub(crate) streams: BTreeMap<u64, SampleTree<V>>,
}

/// What a sample is: samples of different designs are not averaged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Design {
    pub(crate) players: usize,
    pub(crate) antithetic: bool,
    pub(crate) truncation: Option<f64>,
    /// The version of the orders walked along: of an older one an estimate is as good, but has other samples by the
    /// same numbers.
    pub(crate) orders: u32,
    /// Nothing for Shapley values.
    pub(crate) weighted: Option<Arc<Weighted>>,
}

/// A semivalue, and how its samples are made.
#[derive(Debug, PartialEq)]
pub(crate) struct Weighted {
    pub(crate) semivalue: Semivalue,
    pub(crate) windows: Windows,
}

impl Weighted {
    pub(crate) fn new(semivalue: &Semivalue, players: usize) -> Result<Arc<Self>, Error> {
        let windows = Windows::new(&semivalue.size_distribution::<std::convert::Infallible>(players)?);
        Ok(Arc::new(Self { semivalue: semivalue.clone(), windows }))
    }
}

impl Design {
    /// The permutations of a sample.
    pub(crate) fn walks(&self) -> u64 {
        if self.antithetic { 2 } else { 1 }
    }

    /// The most evaluations that a sample takes.
    pub(crate) fn cost(&self) -> u64 {
        let of_a_walk = self.weighted.as_ref().map_or(self.players as u64 - 1, |weighted| weighted.windows.cost());
        self.walks().saturating_mul(of_a_walk)
    }

    /// Whether all samples are the same: one player has one order, and of two players there are two.
    pub(crate) fn is_constant(&self) -> bool {
        self.players as u64 <= if self.weighted.is_some() { 1 } else { self.walks() }
    }

    /// What must be the same for samples to be averaged, by name.
    pub(crate) fn settings(&self) -> [(&'static str, String); 5] {
        [
            ("the number of players", self.players.to_string()),
            ("the setting `antithetic`", self.antithetic.to_string()),
            (
                "the tolerance of truncation",
                self.truncation.map_or("none".to_owned(), |tolerance| tolerance.to_string()),
            ),
            ("the version of the orders", self.orders.to_string()),
            (
                "the semivalue",
                self.weighted.as_ref().map_or_else(
                    || format!("{:?}", Semivalue::shapley()),
                    |weighted| format!("{:?}", weighted.semivalue),
                ),
            ),
        ]
    }

    /// Refuses samples of another design.
    pub(crate) fn check<E>(&self, other: &Self) -> Result<(), Error<E>> {
        check_same(self.settings(), other.settings())
    }
}

impl<V: Value> Samples<V> {
    pub(crate) fn len(&self) -> u64 {
        self.streams.values().map(SampleTree::len).fold(0, u64::saturating_add)
    }

    /// The number of samples, if it can be counted: what was read from a file may be anything.
    #[cfg(feature = "serde")]
    pub(crate) fn count(&self) -> Option<u64> {
        self.streams.values().try_fold(0_u64, |sum, stream| sum.checked_add(stream.len()))
    }

    pub(crate) fn total(&self) -> Option<Total<V>> {
        Total::of(self.streams.values())
    }

    /// The largest half width of all players' intervals.
    pub(crate) fn half_width(&self, level: f64) -> f64 {
        let Some(total) = self.total() else { return f64::INFINITY };
        if self.design.is_constant() {
            return 0.0;
        }
        Spread::of(&total).half_width(self.corrected(level))
    }

    /// The level at which an interval must be made so that it holds at `level` after all looks.
    pub(super) fn corrected(&self, level: f64) -> f64 {
        1.0 - (1.0 - level) / f64::from(self.looks.max(1))
    }

    /// The estimate that they make. There must be one sample at least.
    pub(crate) fn estimate<E>(self, stopped: Stopped) -> Result<Estimate<V>, Error<E>> {
        let players = self.design.players;
        let Some(total) = self.total() else { return Err(Error::NoPlayers {}) };
        let values = total.means();
        if let Some(player) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::Overflow { coalition: crate::Coalition::from_players(players, [player]) });
        }
        let mut spread = Spread::of(&total);
        if self.design.is_constant() {
            spread.errors.fill(0.0);
        }
        let std_errors = total.values_of(&spread.errors);
        let [baseline, grand] = self.ends.clone();
        let attribution = Attribution::new(values, baseline, grand, self.evaluations);
        Ok(Estimate::new(attribution, std_errors, stopped, Origin::Walks(self, spread.reach)))
    }
}
