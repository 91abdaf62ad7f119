//! Whole numbers that look random.

use super::masks::mix;

/// A whole number from −range to range, as `pseudo`.
pub(crate) fn pseudo_integer(seed: u64, mask: u64, range: u64) -> i64 {
    let drawn = mix(mix(seed) ^ mask) % (2 * range + 1);
    drawn as i64 - range as i64
}
