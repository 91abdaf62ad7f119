//! Ready-made games.
//!
//! | game | players | value |
//! |---|---|---|
//! | [`Features`] | the columns of a row of data | what a model says of the row, columns that are absent being filled in |
//! | [`WeightedVoting`] | voters with weights | 1 if their weights reach the quota, 0 otherwise |
//! | [`Words`] | the words of a text | what a model says of the words that are left |

mod error;
mod features;
mod voting;
mod words;

pub use error::GameError;
pub use features::{Features, FeaturesError, Outputs};
pub use voting::WeightedVoting;
pub use words::{Sentence, Words};
