//! Walks of games that have their own, against their values.

use shapley::{Coalition, Game};

use crate::common::masks::mix;

/// An order of the players that depends on the seed.
pub(crate) fn order(players: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..players).collect();
    order.sort_by_key(|&player| mix(mix(seed) ^ player as u64));
    order
}

/// Walks along some orders, whole ones and prefixes, and wants the bits of `value` at every step. What was there before
/// stays there.
pub(crate) fn assert_walks_are_values(game: &impl Game<Value = f64>, seeds: u64) {
    let n = game.num_players();
    for seed in 0..seeds {
        let order = order(n, seed);
        let order = &order[..if seed % 2 == 0 { n } else { seed as usize % (n + 1) }];
        let mut walked = vec![-7.5];
        game.walk(order, &mut walked);
        let mut prefix = Coalition::empty(n);
        let values = order.iter().map(|&player| {
            prefix.insert(player);
            game.value(&prefix)
        });
        let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(walked), bits([-7.5].into_iter().chain(values).collect()), "{order:?}");
    }
}
