//! Ready-made games.
//!
//! | game | players | value |
//! |---|---|---|
//! | [`Features`] | the columns of a row of data | what a model says of the row, columns that are absent being filled in |
//! | [`Airport`] | aircraft that share a runway | the cost of the most expensive member |
//! | [`Glove`] | holders of left and right gloves | the number of pairs |
//! | [`KNearest`] | the training points of a k-nearest-neighbour classifier | how well it does on test points |
//! | [`MinimumSpanningTree`] | those who are to be connected to a source | the cost of the cheapest network |
//! | [`Unanimity`] | any | the sum of the amounts of the sets that are in the coalition |
//! | [`WeightedVoting`] | voters with weights | 1 if their weights reach the quota, 0 otherwise |
//! | [`Words`] | the words of a text, or its parts | what a model says of what is left of the text |
//!
//! [`Restricted`], [`Dual`], [`Sum`], [`Scaled`] and [`Counted`] make games of games, and [`ByRef`] one of a reference
//! to a game that can fail.

mod adaptors;
mod airport;
pub(crate) mod error;
mod features;
mod glove;
mod k_nearest;
mod parallel;
mod sentence;
mod spanning_tree;
mod unanimity;
mod voting;
mod words;

pub use crate::game::ByRef;
pub use adaptors::{Counted, Dual, Restricted, Scaled, Sum};
pub use airport::Airport;
pub use error::GameError;
pub use features::{Features, FeaturesError, Outputs};
pub use glove::Glove;
pub use k_nearest::KNearest;
pub use sentence::Sentence;
pub use spanning_tree::MinimumSpanningTree;
pub use unanimity::Unanimity;
pub use voting::WeightedVoting;
pub use words::Words;
