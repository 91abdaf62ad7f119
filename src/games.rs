//! Ready-made games.
//!
//! | game | players | value |
//! |---|---|---|
//! | [`Words`] | the words of a text | what a model says of the words that are left |

mod error;
mod words;

pub use error::GameError;
pub use words::{Sentence, Words};
