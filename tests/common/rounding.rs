//! The bound of the exact solver's rounding errors.

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
