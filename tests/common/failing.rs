//! Games that fail, and batches that go wrong.

use std::error::Error as StdError;
use std::fmt;

use shapley::{Coalition, Error, TryGame};

/// A game's own error, with the mask that it happened at.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) u64);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection for {}", self.0)
    }
}

impl StdError for Failure {}

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

/// What an error says, which is also checked to be an error that can be sent anywhere.
pub(crate) fn said<V: fmt::Debug, E: StdError + Send + Sync + 'static>(result: Result<V, Error<E>>) -> String {
    let error: Box<dyn StdError + Send + Sync + 'static> = Box::new(result.expect_err("an error"));
    error.to_string()
}
