//! Masks of coalitions, and numbers that look random and depend on masks alone.

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

/// The members as binary digits, player 0 the lowest; by way of `iter` alone.
pub(crate) fn mask_of(coalition: &Coalition) -> u64 {
    coalition.iter().fold(0, |mask, player| mask | 1 << player)
}
