//! Values that look random, of games of any number of players, and the prefixes of an order.

use shapley::Coalition;

use super::masks::{mix, pseudo};

/// What depends on the members alone, whatever their number and order.
pub(crate) fn hash_of(coalition: &Coalition) -> u64 {
    coalition.iter().fold(0, |hash, player| hash ^ mix(player as u64))
}

/// A value of any magnitude from 10⁻³ to 10³ or so, so that no two orders of summation round alike.
pub(crate) fn rough(seed: u64, coalition: &Coalition) -> f64 {
    let hash = hash_of(coalition);
    pseudo(seed, hash) * 10_f64.powf(3.0 * pseudo(!seed, hash))
}

/// The prefixes of an order that have someone in them.
pub(crate) fn prefixes(players: usize, order: &[usize]) -> Vec<Coalition> {
    (1..=order.len()).map(|len| Coalition::from_players(players, order[..len].iter().copied())).collect()
}
