//! More of the oracle: Shapley values by all orders, and semivalues by their formula.

use crate::common::naive::Number;

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

pub(crate) fn for_each_order(order: &mut Vec<usize>, players: usize, visit: &mut impl FnMut(&[usize])) {
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
