//! A ledger's game with and without methods of its own, and walks that go wrong.

use crate::common::failing::Failure;
use crate::common::ledger::{Call, Ledger, Walked};
use crate::common::rough::prefixes;
use shapley::{Coalition, Game, TryGame};

impl Call {
    /// The coalitions asked for.
    pub(crate) fn coalitions(&self, players: usize) -> Vec<Coalition> {
        match self {
            Self::Value(coalition) => vec![coalition.clone()],
            Self::Values(coalitions) => coalitions.clone(),
            Self::Walk(order) => prefixes(players, order),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Value(_) => 1,
            Self::Values(coalitions) => coalitions.len(),
            Self::Walk(order) => order.len(),
        }
    }
}

impl<F: Fn(&Coalition) -> f64 + Sync> Ledger<F> {
    /// The game by `value` alone, with `values`, and with `walk` too.
    pub(crate) fn games(&self) -> [Box<dyn Game<Value = f64> + '_>; 3] {
        [Box::new(Plain(self)), Box::new(Batched(self)), Box::new(Walked(self))]
    }
}

/// By `value` alone.
struct Plain<'a, F>(&'a Ledger<F>);

impl<F: Fn(&Coalition) -> f64 + Sync> Game for Plain<'_, F> {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.0.players
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        self.0.one(coalition)
    }
}

/// By `value` and `values`.
struct Batched<'a, F>(&'a Ledger<F>);

impl<F: Fn(&Coalition) -> f64 + Sync> Game for Batched<'_, F> {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.0.players
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        self.0.one(coalition)
    }

    fn values(&self, coalitions: &[Coalition], values: &mut Vec<f64>) {
        self.0.many(coalitions, values);
    }
}

/// A game by its walks, which may not do what they should.
pub(crate) struct BadWalks<F>(pub(crate) usize, pub(crate) F);

impl<F: Fn(&[usize], &mut Vec<f64>) -> Result<(), Failure> + Sync> TryGame for BadWalks<F> {
    type Value = f64;
    type Error = Failure;

    fn num_players(&self) -> usize {
        self.0
    }

    fn try_value(&self, coalition: &Coalition) -> Result<f64, Failure> {
        Ok(coalition.len() as f64)
    }

    fn try_walk(&self, order: &[usize], values: &mut Vec<f64>) -> Result<(), Failure> {
        (self.1)(order, values)
    }
}
