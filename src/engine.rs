//! What solvers share.

mod random;

pub(crate) use random::Random;
