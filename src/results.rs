//! What solvers return, and how it is printed.

mod attribution;
pub(crate) mod display;
mod interactions;

pub use attribution::Attribution;
pub use interactions::Interactions;
