//! What solvers return, and how it is printed.

mod attribution;
mod estimate;
mod interactions;
mod moments;
#[cfg(feature = "surrogate")]
mod pairs;
mod student;

pub use attribution::Attribution;
#[cfg(feature = "surrogate")]
pub(crate) use estimate::Origin;
pub(crate) use estimate::{Design, Samples};
pub use estimate::{Estimate, Stopped};
pub use interactions::Interactions;
pub(crate) use moments::{Moments, SampleNode, SampleTree, sample_tree};
#[cfg(feature = "surrogate")]
pub(crate) use pairs::{Method, Pair, Pairs};
