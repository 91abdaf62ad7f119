//! What several test files share.

#![allow(dead_code, reason = "every test file is a crate of its own and uses a part of this")]

pub(crate) mod cached;
pub(crate) mod entries;
pub(crate) mod failing;
pub(crate) mod fraction;
pub(crate) mod indices;
pub(crate) mod naive;
pub(crate) mod sampled;
pub(crate) mod walks;

use shapley::{Coalition, Index, Table, Value};

/// Every index of interactions.
pub(crate) const INDICES: [Index; 7] = [
    Index::Moebius,
    Index::Shapley,
    Index::Banzhaf,
    Index::KShapley,
    Index::ShapleyTaylor,
    Index::FaithfulShapley,
    Index::FaithfulBanzhaf,
];

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
/// With u = ε/2: the mean of the differences of a size is a difference of two means, each from a sum in which a value
/// goes through at most 2n additions (for n ≤ 14: at most 20 in a column, and one for each player inside a row), so it
/// is off by 4·n·u·largest and its subtraction and scaling by as much as 4·u·largest more. The mean over the n sizes
/// keeps that and adds n additions of terms of magnitude 2·largest/n to sums up to 2·largest, 2·n·u, and one more
/// scaling. Altogether (6n + 6)·u·largest to first order; (4n + 6)·ε leaves (2n + 6)·u for the inputs' and the oracle's
/// own last roundings.
pub(crate) fn rounding(players: usize, largest: f64) -> f64 {
    (4 * players + 6) as f64 * f64::EPSILON * largest
}

/// The largest magnitude of a game's values.
pub(crate) fn size_of(values: &[f64]) -> f64 {
    largest(values.iter().copied())
}

/// The mask with the digits of two players exchanged.
pub(crate) fn exchanged(mask: u64, i: usize, j: usize) -> u64 {
    let differ = (mask >> i ^ mask >> j) & 1;
    mask ^ (differ << i | differ << j)
}

/// A table of what a function says of each mask.
pub(crate) fn table<V: Value>(players: usize, value: impl Fn(u64) -> V) -> Table<V> {
    Table::new((0..1 << players).map(value).collect()).expect("2^n values are a table")
}
