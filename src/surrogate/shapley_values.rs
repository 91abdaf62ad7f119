//! Shapley values of what a model says of a game, and how sure it is of them.

use super::constants::{BLOCK, CURVE_PAIRS};
use super::kernel_values::KernelValues;
use super::least_squares::{LinearMap, gram_of_all, shapley_weight};
use super::linear::dot;
use super::posterior::{Conditioned, Posterior, means_of_halves};
use super::rows::Rows;
use super::saturation::Curve;
use crate::Coalition;
use crate::engine::Random;

/// Shapley values of a posterior's mean, and their variances given its hyper-parameters. `unseen` is what noise on the
/// pairs that were not seen adds to the variance of a value, per unit of noise.
pub(super) fn of_posterior(posterior: &Posterior, unseen: f64, random: &mut Random) -> (Vec<f64>, Vec<f64>) {
    let odd = &posterior.odd;
    let players = posterior.rows.players;
    let KernelValues { values: mut of_rows, variances: prior } = KernelValues::new(&odd.kernel, &posterior.rows);
    let mut values: Vec<f64> = (0..players).map(|player| dot(of_rows.col_as_slice(player), &odd.alpha)).collect();
    odd.factor.half_solve(&mut of_rows);
    let variance = |player: usize| {
        let known = dot(of_rows.col_as_slice(player), of_rows.col_as_slice(player));
        odd.scale * ((prior[player] - known).max(0.0) + odd.kernel.hyper.noise * unseen)
    };
    let mut variances: Vec<f64> = (0..players).map(variance).collect();
    if let Some((even, curve)) = &posterior.saturated {
        see_through(curve, (odd, even), &posterior.rows, random, (&mut values, &mut variances));
    }
    let missing = (2.0 * posterior.grand - values.iter().sum::<f64>()) / players as f64;
    values.iter_mut().for_each(|value| *value += missing);
    (values, variances)
}

/// From the values of g, and their variances, to those of a curve's values at g. What is linear in g has Shapley values
/// in closed form, and only the rest is summed over pairs, or over a sample of them. Variances are those of g times the
/// mean squared slope, and of the sample.
fn see_through(
    curve: &Curve,
    (odd, even): (&Conditioned, &Conditioned),
    known: &Rows,
    random: &mut Random,
    (values, variances): (&mut [f64], &mut [f64]),
) {
    let sum = Sum::new(known.players, random);
    let (mut odds, mut evens) = (Vec::new(), Vec::new());
    for block in (0..sum.rows.len()).collect::<Vec<_>>().chunks(BLOCK) {
        let rows = sum.rows.select(block);
        let [odd, even] = means_of_halves(odd, even, &rows, known);
        odds.extend(odd);
        evens.extend(even);
    }
    let slopes: Vec<f64> = odds.iter().zip(&evens).map(|(odd, even)| curve.slope_of_pair(*odd, *even)).collect();
    let total: f64 = sum.shares.iter().sum();
    let mean = dot(&slopes, &sum.shares) / total;
    let square = slopes.iter().zip(&sum.shares).map(|(slope, share)| slope * slope * share).sum::<f64>() / total;
    let rest: Vec<f64> = odds.iter().zip(&evens).map(|(odd, even)| curve.odd(*odd, *even) - mean * odd).collect();
    let squares: Vec<f64> = rest.iter().map(|rest| if sum.is_all { 0.0 } else { rest * rest }).collect();
    let map = LinearMap::with_gram(&sum.rows, &sum.weights, gram_of_all(known.players));
    let (sums, [sampled]) = map.apply(&[&rest], [&squares]);
    values.iter_mut().zip(&sums[0]).for_each(|(value, rest)| *value = mean * *value + rest);
    variances.iter_mut().zip(&sampled).for_each(|(variance, sampled)| *variance = square * *variance + sampled);
}

/// Pairs to sum a function over: all, or a sample with replacement in which every size has the same chance.
struct Sum {
    rows: Rows,
    /// Their weights in [`LinearMap`].
    weights: Vec<f64>,
    /// The share of each in a mean in which every size has the same.
    shares: Vec<f64>,
    is_all: bool,
}

impl Sum {
    fn new(players: usize, random: &mut Random) -> Self {
        let is_all = players <= CURVE_PAIRS.ilog2() as usize + 1;
        let middle = |size: usize| 2 * size == players;
        let (coalitions, expected): (Vec<Coalition>, Vec<f64>) = if is_all {
            let masks = 1..1_u64 << (players - 1);
            (masks.map(|mask| Coalition::from_mask(players, mask)).collect(), super::population(players))
        } else {
            let draw = |_| {
                let size = 1 + random.below(players as u64 - 1) as usize;
                random.coalition(players, size)
            };
            let of_size = |size| CURVE_PAIRS as f64 * if middle(size) { 1.0 } else { 2.0 } / (players - 1) as f64;
            ((0..CURVE_PAIRS).map(draw).collect(), (1..=players / 2).map(of_size).collect())
        };
        let smaller: Vec<usize> = coalitions.iter().map(|c| c.len().min(players - c.len())).collect();
        let weights = smaller.iter().map(|&size| shapley_weight(players, size, expected[size - 1])).collect();
        let share = |&size: &usize| if middle(size) { 0.5 } else { 1.0 } / expected[size - 1];
        let shares = smaller.iter().map(share).collect();
        Self { rows: Rows::new(players, coalitions.iter().map(Coalition::words)), weights, shares, is_all }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::covariance::Workspace;
    use crate::surrogate::data::{Both, Data, random_data};
    use crate::surrogate::generator;
    use crate::surrogate::hyperparameters::Space;
    use crate::surrogate::posterior::Model;
    use crate::surrogate::saturation;
    use crate::{Exact, from_fn};

    /// Probabilities: a logistic curve of a sum with a product.
    fn probabilities(players: usize, rows: usize) -> Data {
        let mut data = random_data(players, rows, 3);
        let g = |row: usize, sign: f64| {
            let member = |player: usize| sign * data.rows.sign(row, player);
            (0..players).map(|k| (k as f64 / 9.0 - 0.3) * member(k)).sum::<f64>() + 0.8 * member(0) * member(1)
        };
        let of = |sign: f64| -> Vec<f64> { (0..rows).map(|row| 1.0 / (1.0 + (-g(row, sign)).exp())).collect() };
        let (of, complement) = (of(1.0), of(-1.0));
        data.y = of.iter().zip(&complement).map(|(a, b)| (a - b) / 2.0).collect();
        data.both = Some(Both { of, complement });
        data
    }

    fn saturated(data: &Data) -> Posterior {
        let mut room = Workspace::new(&data.rows);
        let start = Space::plain(data.rows.players).tied(-1.5);
        let model: Model =
            saturation::fit(data, data, &start, &mut room, &mut generator(2, 2)).expect("values that differ");
        model.posterior(data).unwrap()
    }

    /// The values are those of the game that the model predicts, but for what the first row, which need not be (N, ∅)
    /// here, has to share.
    #[test]
    fn values_of_a_curve_are_those_of_the_exact_solver() {
        let (players, data) = (7, probabilities(7, 30));
        let posterior = saturated(&data);
        let rows: Vec<[u64; 1]> = (0..1 << players).map(|mask| [mask]).collect();
        let said = posterior.predict(&Rows::new(players, rows.iter().map(|row| &row[..])));
        let game = from_fn(players, |s| said[s.mask().unwrap() as usize]);
        let exact = Exact::new().threads(1).solve(&game).unwrap();
        let (values, _) = of_posterior(&posterior, 0.0, &mut generator(1, 1));
        let shift = values.iter().zip(exact.values()).map(|(a, b)| a - b).sum::<f64>() / players as f64;
        for (player, value) in values.iter().enumerate() {
            let want = exact[player] + shift;
            assert!((value - want).abs() < 1e-10, "{player}: {value} {want}");
        }
    }

    /// Beyond 14 players the sum is of a sample, whose standard error is in the variances: over 40 samples the squared
    /// deviations are at most twice what is said (a χ² of 40 has a chance of 10⁻³ to exceed that; seeds are fixed).
    #[test]
    fn sums_of_samples_know_how_far_they_are_off() {
        let posterior = saturated(&probabilities(16, 60));
        let runs: Vec<_> = (0..40).map(|seed| of_posterior(&posterior, 0.0, &mut generator(seed, 1))).collect();
        let mean = |of: &dyn Fn(usize) -> f64| (0..40).map(of).sum::<f64>() / 40.0;
        for player in 0..16 {
            let middle = mean(&|run| runs[run].0[player]);
            let spread = mean(&|run| (runs[run].0[player] - middle).powi(2));
            let said = mean(&|run| runs[run].1[player]);
            assert!(spread < 2.0 * said, "{player}: {spread} {said}");
            assert!(spread.sqrt() < 0.01, "{player}: {spread}");
        }
    }
}
