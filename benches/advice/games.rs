//! Games of any number of players whose Shapley values are known.

use shapley::games::{Airport, Unanimity};
use shapley::{Coalition, Game};

use crate::{Result, random_games};

/// A logistic curve of the sum of weights, which are −1, 1 and 2 in turn; half of the total is where it is steepest.
struct Logistic(usize);

const WEIGHTS: [i64; 3] = [-1, 1, 2];

impl Logistic {
    fn of_sum(&self, sum: i64) -> f64 {
        let total: i64 = (0..self.0).map(|player| WEIGHTS[player % 3]).sum();
        1.0 / (1.0 + (4.0 - 8.0 * sum as f64 / total as f64).exp())
    }

    /// Players of a weight are alike: coalitions count by how many of each weight they have.
    fn shapley(&self) -> Vec<f64> {
        let mut logs = vec![0.0];
        (1..=self.0).for_each(|k| logs.push(logs[k - 1] + (k as f64).ln()));
        let choose = |n: usize, k: usize| logs[n] - logs[k] - logs[n - k];
        let low = -(self.0 as i64);
        let curve: Vec<f64> = (low..=2 * self.0 as i64).map(|sum| self.of_sum(sum)).collect();
        let of_weight = |which: usize| {
            let mut others = [0, 1, 2].map(|other| (self.0 + 2 - other) / 3);
            others[which] -= 1;
            let mut value = 0.0;
            for a in 0..=others[0] {
                for b in 0..=others[1] {
                    for c in 0..=others[2] {
                        let log = choose(others[0], a) + choose(others[1], b) + choose(others[2], c)
                            - choose(self.0 - 1, a + b + c);
                        let place = (2 * c + b) as i64 - a as i64 - low;
                        let gain = curve[(place + WEIGHTS[which]) as usize] - curve[place as usize];
                        value += log.exp() * gain;
                    }
                }
            }
            value / self.0 as f64
        };
        let values = [0, 1, 2].map(of_weight);
        (0..self.0).map(|player| values[player % 3]).collect()
    }
}

impl Game for Logistic {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.0
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        self.of_sum(coalition.iter().map(|player| WEIGHTS[player % 3]).sum())
    }
}

/// A game and its Shapley values.
pub(crate) struct Problem {
    pub(crate) game: Box<dyn Game<Value = f64>>,
    pub(crate) exact: Vec<f64>,
}

/// Unanimity games, an airport and a logistic curve; with up to 100 players, a vote.
pub(crate) fn problems(players: usize) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for game in random_games::unanimity(players, 1)? {
        problems.push(Problem { exact: Unanimity::shapley(&game).into_values(), game: Box::new(game) });
    }
    let airport = Airport::new((1..=players).map(|cost| cost as f64).collect::<Vec<_>>())?;
    problems.push(Problem { exact: airport.shapley().into_values(), game: Box::new(airport) });
    let logistic = Logistic(players);
    problems.push(Problem { exact: logistic.shapley(), game: Box::new(logistic) });
    if players <= 100 {
        for vote in random_games::large_votes(players, 1)? {
            problems.push(Problem { exact: vote.try_shapley_shubik()?.into_values(), game: Box::new(vote) });
        }
    }
    Ok(problems)
}
