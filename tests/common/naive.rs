//! The oracle: Shapley values by their formula, from nothing but v as a function of bit masks.
//!
//! Slow on purpose and written without any of the crate's types or functions, so that a mistake there cannot be made
//! here as well.

use std::ops::{Add, Div, Mul, Sub};

/// Numbers that the definitions can be computed with.
pub(crate) trait Number:
    Clone + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// A count, which for `f64` has to be below 2^53 to be exact.
    fn of(count: u64) -> Self;
}

impl Number for f64 {
    fn of(count: u64) -> Self {
        assert!(count < 1 << 53, "{count} is not exact as an f64");
        count as f64
    }
}

#[cfg(feature = "rational")]
impl Number for num_rational::BigRational {
    fn of(count: u64) -> Self {
        num_bigint::BigInt::from(count).into()
    }
}

/// The formula: φᵢ = Σ over S ⊆ N∖{i} of |S|! (n−|S|−1)! / n! · [v(S ∪ i) − v(S)], term by term. For n up to 18, where
/// n! still is a whole number in `f64`.
pub(crate) fn by_subsets<V: Number>(players: usize, value: impl Fn(u64) -> V) -> Vec<V> {
    let factorial = |n: usize| V::of((1..=n as u64).product());
    let one = |player: usize| {
        let mut sum = V::of(0);
        for without in (0..1_u64 << players).filter(|mask| mask & (1 << player) == 0) {
            let size = without.count_ones() as usize;
            let weight = factorial(size) * factorial(players - size - 1) / factorial(players);
            sum = sum + weight * (value(without | 1 << player) - value(without));
        }
        sum
    };
    (0..players).map(one).collect()
}

/// How far `by_subsets` may be from the truth in `f64`: 2^(n−1) additions of terms whose magnitudes sum to 2·largest,
/// each term with 4 roundings of its own (the products of factorials below 18! are not exact).
pub(crate) fn by_subsets_tolerance(players: usize, largest: f64) -> f64 {
    ((1_u64 << (players - 1)) + 4) as f64 * f64::EPSILON * largest
}
