//! What every solver stands on: asking a game and checking its answers, threads, progress, random numbers, the
//! summation tree, and partial results.

#[cfg(feature = "surrogate")]
pub(crate) mod answer;
pub(crate) mod ask;
pub(crate) mod blocks;
pub(crate) mod clock;
#[cfg(feature = "mpi")]
pub(crate) mod envelope;
#[cfg(any(feature = "disk", feature = "mpi"))]
pub(crate) mod files;
#[cfg(any(feature = "disk", feature = "mpi"))]
pub(crate) mod panics;
pub(crate) mod partial;
pub(crate) mod partition;
pub(crate) mod progress;
#[cfg(feature = "surrogate")]
pub(crate) mod question;
mod random;
pub(crate) mod settings;
pub(crate) mod stopping;
pub(crate) mod threads;
pub(crate) mod tree;

pub(crate) use random::Random;
