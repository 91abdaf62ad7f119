//! Games of players in a row: each has an effect of its own, and each two neighbours have one together.

use shapley::{Coalition, Game};

/// The value is `outer` of the sum of the weights of those who are there and of the `pairs` of neighbours who both are.
///
/// Weights are whole numbers of `unit`, so that sums take few values, and the exact Shapley values of 30 players can be
/// had by counting coalitions by their size and sum.
pub(crate) struct Chain {
    pub(crate) weights: Vec<i32>,
    /// Of players i and i + 1.
    pub(crate) pairs: Vec<i32>,
    pub(crate) unit: f64,
    pub(crate) outer: fn(f64) -> f64,
}

impl Game for Chain {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.weights.len()
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        let (mut sum, mut before) = (0, None);
        for player in coalition.iter() {
            sum += self.weights[player];
            if before.is_some_and(|before| before + 1 == player) {
                sum += self.pairs[player - 1];
            }
            before = Some(player);
        }
        self.of_sum(sum)
    }
}

/// Numbers of coalitions by sum and size, the last player being there or not.
struct Counts {
    players: usize,
    low: i32,
    /// `[is there][(sum - low) * (players + 1) + size]`.
    counts: [Vec<f64>; 2],
}

impl Chain {
    fn of_sum(&self, sum: i32) -> f64 {
        (self.outer)(f64::from(sum) * self.unit)
    }

    /// All coalitions that have `player`, or all that have not.
    fn count(&self, player: usize, is_there: bool) -> Counts {
        let players = self.weights.len();
        let effects = || self.weights.iter().chain(&self.pairs).copied();
        let low: i32 = effects().map(|effect| effect.min(0)).sum();
        let high: i32 = effects().map(|effect| effect.max(0)).sum();
        let sums = (high - low + 1) as usize;
        let empty = || vec![0.0; sums * (players + 1)];
        let mut counts = [empty(), empty()];
        counts[0][(-low) as usize * (players + 1)] = 1.0;
        for next in 0..players {
            let mut grown = [empty(), empty()];
            for before in [0, 1] {
                for (place, &count) in counts[before].iter().enumerate().filter(|(_, count)| **count > 0.0) {
                    if next != player || !is_there {
                        grown[0][place] += count;
                    }
                    if next != player || is_there {
                        let pair = if before == 1 { self.pairs[next - 1] } else { 0 };
                        let step = (self.weights[next] + pair) as isize * (players + 1) as isize + 1;
                        grown[1][place.wrapping_add_signed(step)] += count;
                    }
                }
            }
            counts = grown;
        }
        Counts { players, low, counts }
    }

    /// The mean value over sizes and coalitions of a size, each size counting the same: what a Shapley value is a
    /// difference of.
    fn mean(&self, player: usize, is_there: bool) -> f64 {
        let Counts { players, low, counts } = self.count(player, is_there);
        // C(n − 1, k), for k others.
        let mut binomials = vec![1.0];
        for k in 1..players {
            binomials.push(binomials[k - 1] * (players - k) as f64 / k as f64);
        }
        let mut mean = 0.0;
        for (place, count) in counts.into_iter().flat_map(|counts| counts.into_iter().enumerate()) {
            if count > 0.0 {
                let (sum, size) = ((place / (players + 1)) as i32 + low, place % (players + 1));
                mean += self.of_sum(sum) * count / binomials[size - usize::from(is_there)];
            }
        }
        mean / players as f64
    }

    /// The exact Shapley values.
    pub(crate) fn shapley(&self) -> Vec<f64> {
        (0..self.weights.len()).map(|player| self.mean(player, true) - self.mean(player, false)).collect()
    }
}
