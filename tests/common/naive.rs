//! The oracle: Shapley values by their two definitions, from nothing but v as a function of bit masks.
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

/// More players take longer than a test may: 8! orders are 40 320.
pub(crate) const MOST_PLAYERS_BY_ORDERS: usize = 7;

/// Shapley's own story: the players come one by one in a random order, and each gets what it adds when it comes. The
/// mean over all n! orders, each gone through.
pub(crate) fn by_orders<V: Number>(players: usize, value: impl Fn(u64) -> V) -> Vec<V> {
    assert!((1..=MOST_PLAYERS_BY_ORDERS).contains(&players));
    let mut sums = vec![V::of(0); players];
    let mut orders = 0;
    for_each_order(&mut Vec::new(), players, &mut |order| {
        orders += 1;
        let mut here = 0;
        for &player in order {
            let joined = here | 1 << player;
            sums[player] = sums[player].clone() + (value(joined) - value(here));
            here = joined;
        }
    });
    sums.into_iter().map(|sum| sum / V::of(orders)).collect()
}

pub(super) fn for_each_order(order: &mut Vec<usize>, players: usize, visit: &mut impl FnMut(&[usize])) {
    if order.len() == players {
        visit(order);
        return;
    }
    for player in 0..players {
        if !order.contains(&player) {
            order.push(player);
            for_each_order(order, players, visit);
            order.pop();
        }
    }
}

/// How far `by_orders` may be from the truth in `f64`, for values of magnitude up to `largest`: each of at most 7!
/// additions is off by u = ε/2 of a sum of at most 7! differences of magnitude 2·largest, which the division by 7!
/// leaves as 7!·u·2·largest; another 7!-th is for the subtractions and the division.
pub(crate) fn by_orders_tolerance(largest: f64) -> f64 {
    5041.0 * f64::EPSILON * largest
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

/// A semivalue by its formula: Σ over S ⊆ N∖{i} of weight(|S|) · [v(S ∪ i) − v(S)], term by term.
pub(crate) fn by_weights<V: Number>(players: usize, weight: impl Fn(usize) -> V, value: impl Fn(u64) -> V) -> Vec<V> {
    let one = |player: usize| {
        let without = (0..1_u64 << players).filter(|mask| mask & (1 << player) == 0);
        without.fold(V::of(0), |sum, mask| {
            sum + weight(mask.count_ones() as usize) * (value(mask | 1 << player) - value(mask))
        })
    };
    (0..players).map(one).collect()
}
