//! A solver's work in parts for several processes, and the partial results of these parts.
//!
//! [`Exact::part`](crate::Exact::part) and [`Permutation::part`](crate::Permutation::part) return a [`Part`]. Its `run`
//! gives a [`Partial`] result, which can be saved (feature `serde`). Merge all of them in any order: `finish` gives the
//! bits of a single run.

pub use crate::engine::partial::{Part, Partial, Sums};
pub use crate::exact::{CoalitionSums, ExactPartial};
pub use crate::permutation::{PermutationPartial, SampleSums};
