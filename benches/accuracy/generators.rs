//! Random games, those of `common/random_games.rs` apart. Each set has a generator of its own with a fixed seed: the
//! games are always the same.

use shapley::games::WeightedVoting;

use crate::Result;
use crate::chain::Chain;
use crate::random_games::Random;

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

/// How many players are in a row.
const IN_A_ROW: usize = 30;

/// A whole number of either sign, its size uniform from `low` to `high`.
fn effect(random: &mut Random, low: u64, high: u64) -> i32 {
    let size = random.between(low, high) as i32;
    if random.between(0, 1) == 0 { size } else { -size }
}

/// Words of a sentence: a third of them say something, good or bad, and of the words before them one in four denies it
/// (three quarters of the effect turns round) and one in four strengthens it by a third.
fn sentence(random: &mut Random) -> Chain {
    let mut weights = vec![0; IN_A_ROW];
    let mut pairs = vec![0; IN_A_ROW - 1];
    for word in 0..IN_A_ROW {
        if random.between(0, 2) == 0 {
            weights[word] = effect(random, 4, 16);
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
    let weights = (0..IN_A_ROW).map(|_| effect(random, 0, 20)).collect();
    let pairs = (1..IN_A_ROW).map(|_| effect(random, 0, 20)).collect();
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
