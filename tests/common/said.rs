//! The text of an error.

use std::error::Error as StdError;
use std::fmt;

use shapley::Error;

/// What an error says, which is also checked to be an error that can be sent anywhere.
pub(crate) fn said<V: fmt::Debug, E: StdError + Send + Sync + 'static>(result: Result<V, Error<E>>) -> String {
    let error: Box<dyn StdError + Send + Sync + 'static> = Box::new(result.expect_err("an error"));
    error.to_string()
}
