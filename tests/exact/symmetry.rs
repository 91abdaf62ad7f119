//! Exchanged players, and the size of a game's values.

use crate::common::compare::largest;

/// The largest magnitude of a game's values.
pub(crate) fn size_of(values: &[f64]) -> f64 {
    largest(values.iter().copied())
}

/// The mask with the digits of two players exchanged.
pub(crate) fn exchanged(mask: u64, i: usize, j: usize) -> u64 {
    let differ = (mask >> i ^ mask >> j) & 1;
    mask ^ (differ << i | differ << j)
}
