//! Partial results: a solver's work in parts, each run by a process of its own, and merged to the bits of one.

pub use crate::engine::partial::{Part, Partial, Sums};
pub use crate::exact::{CoalitionSums, ExactPartial};
pub use crate::permutation::{PermutationPartial, SampleSums};
