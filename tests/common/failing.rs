//! A game's own error.

use std::error::Error as StdError;
use std::fmt;

/// A game's own error, with the mask that it happened at.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) u64);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection for {}", self.0)
    }
}

impl StdError for Failure {}
