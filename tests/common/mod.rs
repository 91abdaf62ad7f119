//! What several test files share.

#![allow(dead_code, reason = "every test file is a crate of its own and uses a part of this")]

pub(crate) mod failing;
pub(crate) mod fraction;
pub(crate) mod indices;
pub(crate) mod naive;

use shapley::Coalition;

/// splitmix64's output function: every bit of `x` changes half of the bits of the result.
pub(crate) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A value in [−1, 1) that depends on the seed and the mask alone: the same on any thread and in any order.
pub(crate) fn pseudo(seed: u64, mask: u64) -> f64 {
    // 53 bits fit an f64, so the conversion is exact.
    (mix(mix(seed) ^ mask) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// A whole number from −range to range, as `pseudo`.
pub(crate) fn pseudo_integer(seed: u64, mask: u64, range: u64) -> i64 {
    let drawn = mix(mix(seed) ^ mask) % (2 * range + 1);
    drawn as i64 - range as i64
}

/// The members as binary digits, player 0 the lowest; by way of `iter` alone.
pub(crate) fn mask_of(coalition: &Coalition) -> u64 {
    coalition.iter().fold(0, |mask, player| mask | 1 << player)
}

/// Whether two numbers are within `tol`; never if one is NaN.
pub(crate) fn close(a: f64, b: f64, tol: f64) -> bool {
    (a - b).abs() <= tol
}

/// The largest magnitude of some values.
pub(crate) fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |max, value| max.max(value.abs()))
}

/// How far an exact solver's `f64` result for one player may be from the truth, for n players and values of magnitude
/// up to `largest`.
///
/// With u = ε/2: the mean of the differences of a size is a difference of two means, each from a sum by a tree of depth
/// at most n, so it is off by 2·n·u·largest and its subtraction and scaling by as much as 4·u·largest more. The mean
/// over the n sizes keeps that and adds n additions of terms of magnitude 2·largest/n to sums up to 2·largest, 2·n·u,
/// and one more scaling. Altogether (4n + 6)·u·largest to first order; ε in the place of u leaves a factor of 2 for the
/// inputs' and the oracle's own last roundings.
pub(crate) fn rounding(players: usize, largest: f64) -> f64 {
    (4 * players + 6) as f64 * f64::EPSILON * largest
}
