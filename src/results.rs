//! What solvers return.

mod attribution;
mod estimate;
#[cfg(feature = "surrogate")]
mod interaction_estimate;
mod interactions;
mod moments;
#[cfg(feature = "surrogate")]
mod pairs;
mod samples;
mod spread;
mod student;
mod tails;

pub use attribution::Attribution;
#[cfg(feature = "surrogate")]
pub(crate) use estimate::Origin;
pub use estimate::{Estimate, Stopped};
#[cfg(feature = "surrogate")]
pub use interaction_estimate::InteractionEstimate;
pub use interactions::Interactions;
#[cfg(feature = "serde")]
pub(crate) use moments::SampleNode;
pub(crate) use moments::{BoxedNode, Moments, SampleTree, sample_tree};
#[cfg(feature = "surrogate")]
pub(crate) use pairs::{Method, Pair, Pairs, coalitions};
pub(crate) use samples::{Design, Samples, Weighted};
#[cfg(feature = "serde")]
pub(crate) use tails::Tail;
