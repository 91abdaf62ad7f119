//! Games whose batches go wrong.

use shapley::{Coalition, TryGame};

use super::failing::Failure;

/// A game by its batch method, which may not do what it should: the number of players, and that method.
pub(crate) struct BadBatches<F>(pub(crate) usize, pub(crate) F);

impl<F: Fn(&[Coalition], &mut Vec<f64>) -> Result<(), Failure> + Sync> TryGame for BadBatches<F> {
    type Value = f64;
    type Error = Failure;

    fn num_players(&self) -> usize {
        self.0
    }

    fn try_value(&self, coalition: &Coalition) -> Result<f64, Failure> {
        Ok(coalition.len() as f64)
    }

    fn try_values(&self, coalitions: &[Coalition], values: &mut Vec<f64>) -> Result<(), Failure> {
        (self.1)(coalitions, values)
    }
}
