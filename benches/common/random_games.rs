//! Random games of any number of players with exact values, for the benches `accuracy` and `advice`. Each generator has a
//! fixed seed: the games are always the same.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use shapley::games::{Unanimity, WeightedVoting};

use crate::Result;

/// Numbers from a seed.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u8) -> Self {
        Self(ChaCha8Rng::from_seed([seed; 32]))
    }

    /// Uniform from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + ((u128::from(self.0.next_u64()) * u128::from(high - low + 1)) >> 64) as u64
    }

    /// Uniform from −1 to 1.
    pub(crate) fn signed(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// Votes with weights that are uniform from 1 to 60, won by the least majority of the total.
pub(crate) fn large_votes(voters: usize, count: usize) -> Result<Vec<WeightedVoting>> {
    let mut random = Random::new(2);
    let mut vote = || {
        let weights: Vec<u64> = (0..voters).map(|_| random.between(1, 60)).collect();
        Ok(WeightedVoting::new(weights.iter().sum::<u64>() / 2 + 1, weights)?)
    };
    (0..count).map(|_| vote()).collect()
}

/// Sums of 300 unanimity games of 1 to 6 players, uniformly, with amounts that are uniform from −1 to 1.
pub(crate) fn unanimity(players: usize, count: usize) -> Result<Vec<Unanimity<f64>>> {
    let mut random = Random::new(3);
    let mut term = || {
        let size = random.between(1, 6) as usize;
        let mut set = Vec::new();
        while set.len() < size {
            let player = random.between(0, players as u64 - 1) as usize;
            if !set.contains(&player) {
                set.push(player);
            }
        }
        (set, random.signed())
    };
    (0..count).map(|_| Ok(Unanimity::new(players, (0..300).map(|_| term()).collect::<Vec<_>>())?)).collect()
}
