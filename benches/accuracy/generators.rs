//! Random games. Each set has a generator of its own with a fixed seed: the games are always the same.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use shapley::games::{Unanimity, WeightedVoting};

use crate::Result;
use crate::chain::Chain;

struct Random(ChaCha8Rng);

impl Random {
    fn new(seed: u8) -> Self {
        Self(ChaCha8Rng::from_seed([seed; 32]))
    }

    /// Uniform from `low` to `high`, both included.
    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + ((u128::from(self.0.next_u64()) * u128::from(high - low + 1)) >> 64) as u64
    }

    /// Uniform from −1 to 1.
    fn signed(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// A whole number of either sign, its size uniform from `low` to `high`.
    fn effect(&mut self, low: u64, high: u64) -> i32 {
        let size = self.between(low, high) as i32;
        if self.between(0, 1) == 0 { size } else { -size }
    }
}

/// Votes of 6 to 12 voters, uniformly; weights are uniform from 1 to m, where m is one of 3, 5, 10, 30 and 100. Every
/// other vote is won by the least majority of the total, those between by a quota that is uniform from there to all.
pub(crate) fn votes(count: usize) -> Result<Vec<WeightedVoting>> {
    let mut random = Random::new(1);
    let mut vote = |number: usize| {
        let voters = random.between(6, 12);
        let most = [3, 5, 10, 30, 100][random.between(0, 4) as usize];
        let weights: Vec<u64> = (0..voters).map(|_| random.between(1, most)).collect();
        let total: u64 = weights.iter().sum();
        let majority = total / 2 + 1;
        let quota = if number.is_multiple_of(2) { majority } else { random.between(majority, total) };
        Ok(WeightedVoting::new(quota, weights)?)
    };
    (0..count).map(&mut vote).collect()
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

/// How many players are in a row.
const IN_A_ROW: usize = 30;

/// Words of a sentence: a third of them say something, good or bad, and of the words before them one in four denies it
/// (three quarters of the effect turns round) and one in four strengthens it by a third.
fn sentence(random: &mut Random) -> Chain {
    let mut weights = vec![0; IN_A_ROW];
    let mut pairs = vec![0; IN_A_ROW - 1];
    for word in 0..IN_A_ROW {
        if random.between(0, 2) == 0 {
            weights[word] = random.effect(4, 16);
            if word > 0 {
                pairs[word - 1] = match random.between(0, 3) {
                    0 => -weights[word] * 7 / 4,
                    1 => weights[word] / 3,
                    _ => 0,
                };
            }
        }
    }
    Chain { weights, pairs, unit: 0.2, outer: |sum| sum }
}

/// Players with effects of their own, and products of neighbours of the same size.
fn neighbours(random: &mut Random) -> Chain {
    let weights = (0..IN_A_ROW).map(|_| random.effect(0, 20)).collect();
    let pairs = (1..IN_A_ROW).map(|_| random.effect(0, 20)).collect();
    Chain { weights, pairs, unit: 0.05, outer: |sum| sum }
}

/// Kind, instance and game: sentences and neighbours, as sums and as what a model makes of sums.
pub(crate) fn chains(count: usize) -> Vec<(&'static str, usize, Chain)> {
    let (mut words, mut players) = (Random::new(4), Random::new(5));
    let mut chains = Vec::new();
    for instance in 0..count {
        let (sentence, neighbours) = (sentence(&mut words), neighbours(&mut players));
        // VADER's bound on a score (Hutto & Gilbert 2014).
        let vader = |sum: f64| sum / (sum * sum + 15.0).sqrt();
        let bounded = |chain: &Chain, outer| Chain {
            weights: chain.weights.clone(),
            pairs: chain.pairs.clone(),
            outer,
            ..*chain
        };
        chains.push(("sentence30_bounded", instance, bounded(&sentence, vader)));
        chains.push(("sentence30", instance, sentence));
        chains.push(("neighbours30_tanh", instance, bounded(&neighbours, f64::tanh)));
        chains.push(("neighbours30", instance, neighbours));
    }
    chains
}
