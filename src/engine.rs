//! What solvers and stores share.

#[cfg(feature = "mpi")]
pub(crate) mod envelope;
#[cfg(any(feature = "disk", feature = "mpi"))]
pub(crate) mod files;
#[cfg(any(feature = "disk", feature = "mpi"))]
pub(crate) mod panics;
mod random;

pub(crate) use random::Random;
