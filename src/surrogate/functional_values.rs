//! What a linear function is of what a model says of a game, and how sure the model is of it.

use super::constants::{BLOCK, CURVE_PAIRS};
use super::covariance::Half;
use super::functional::Functional;
use super::kernel_values::KernelValues;
use super::linear::dot;
use super::posterior::{Conditioned, Posterior, Seen, means_of_halves};
use super::rows::Rows;
use super::saturation::Curve;
use super::set_sums::sums_over_rows;
use crate::Coalition;
use crate::engine::Random;

/// Sets whose covariances with all rows are in memory at once.
const SETS: usize = 1024;

/// The function of a posterior's mean, for all sets, and its variances given the hyper-parameters. `unseen` is what
/// noise on the pairs that were not seen adds to a variance, per unit of noise.
pub(super) fn of_posterior(
    posterior: &Posterior,
    functional: &Functional,
    unseen: f64,
    random: &mut Random,
) -> (Vec<f64>, Vec<f64>) {
    match &posterior.seen {
        Seen::Plainly(own) => of_half(own, &posterior.rows, posterior.half, functional, unseen),
        Seen::Through(curve, halves) => {
            let own = &halves[usize::from(posterior.half == Half::Even)];
            let (mut values, mut variances) = of_half(own, &posterior.rows, posterior.half, functional, unseen);
            let sum = Sum::new(functional, posterior.half, random);
            see_through(curve, halves, &sum, &posterior.rows, (&mut values, &mut variances));
            (values, variances)
        }
    }
}

fn of_half(own: &Conditioned, rows: &Rows, half: Half, functional: &Functional, unseen: f64) -> (Vec<f64>, Vec<f64>) {
    let of_kernel = KernelValues::new(&own.kernel, rows, half, functional);
    let (mut values, mut variances) = (Vec::new(), Vec::new());
    for sets in functional.sets().chunks(SETS) {
        let (mut of_rows, prior) = of_kernel.of(sets, values.len());
        values.extend((0..sets.len()).map(|set| dot(of_rows.col_as_slice(set), &own.alpha)));
        own.factor.half_solve(&mut of_rows);
        let known = |set: usize| dot(of_rows.col_as_slice(set), of_rows.col_as_slice(set));
        let variance = |(set, prior): (usize, &f64)| (prior - known(set)).max(0.0) + own.kernel.hyper.noise * unseen;
        variances.extend(prior.iter().enumerate().map(|one| own.scale * variance(one)));
    }
    (values, variances)
}

/// From the function of g, and its variances, to that of a curve's values at g. What is linear in g is known in closed
/// form, and only the rest is summed over pairs, or over a sample of them. Variances are those of g times the mean
/// squared slope, and of the sample.
fn see_through(
    curve: &Curve,
    halves: &[Conditioned; 2],
    sum: &Sum<'_>,
    known: &Rows,
    (values, variances): (&mut [f64], &mut [f64]),
) {
    let (mut odds, mut evens) = (Vec::new(), Vec::new());
    for block in (0..sum.rows.len()).collect::<Vec<_>>().chunks(BLOCK) {
        let [odd, even] = means_of_halves(halves, &sum.rows.select(block), known);
        odds.extend(odd);
        evens.extend(even);
    }
    let pairs = || odds.iter().zip(&evens);
    // (N, ∅) comes last, and is no part of the means.
    let slopes = pairs().map(|(odd, even)| curve.slope_of_pair(*odd, *even));
    let (mut total, mut mean, mut square) = (0.0, 0.0, 0.0);
    for (slope, share) in slopes.zip(&sum.shares) {
        (total, mean, square) = (total + share, mean + share * slope, square + share * slope * slope);
    }
    let (mean, square) = (mean / total, square / total);
    let own = |odd: f64, even: f64| if sum.half == Half::Odd { odd } else { even };
    let mut rest: Vec<f64> =
        pairs().map(|(odd, even)| curve.half(sum.half, *odd, *even) - mean * own(*odd, *even)).collect();
    // What is constant is known in closed form, too: it has no derivatives, and would be the noise of a sample.
    let level = if sum.half == Half::Even { dot(&rest[..sum.shares.len()], &sum.shares) / total } else { 0.0 };
    rest.iter_mut().for_each(|rest| *rest -= level);
    let of_level = if sum.functional.order == 0 { level * sum.functional.mass() } else { 0.0 };
    let is_sampled = |row: usize| !sum.is_all && row + 1 < rest.len();
    let [sums, sampled] = sums_over_rows(&sum.rows, sum.functional.order, |row| {
        let numbers = sum.coefficients(row).map(|coefficient| coefficient * rest[row]);
        [numbers, numbers.map(|number| if is_sampled(row) { number * number } else { 0.0 })]
    });
    values.iter_mut().zip(&sums).for_each(|(value, rest)| *value = mean * *value + of_level + rest);
    variances.iter_mut().zip(&sampled).for_each(|(variance, sampled)| *variance = square * *variance + sampled);
}

/// Pairs to sum a function over: all, or a sample with replacement in which every size has the same chance; and (N, ∅)
/// as the last row.
struct Sum<'a> {
    functional: &'a Functional,
    half: Half,
    rows: Rows,
    /// The size of each chosen coalition.
    sizes: Vec<usize>,
    /// The share of each in a mean in which every size has the same; none of (N, ∅).
    shares: Vec<f64>,
    is_all: bool,
}

impl<'a> Sum<'a> {
    fn new(functional: &'a Functional, half: Half, random: &mut Random) -> Self {
        let players = functional.players;
        let is_all = players <= CURVE_PAIRS.ilog2() as usize + 1;
        let middle = |size: usize| 2 * size == players;
        let (mut coalitions, expected): (Vec<Coalition>, Vec<f64>) = if is_all {
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
        let smaller = |coalition: &Coalition| coalition.len().min(players - coalition.len());
        let share = |size: usize| if middle(size) { 0.5 } else { 1.0 } / expected[size - 1];
        let shares = coalitions.iter().map(|coalition| share(smaller(coalition))).collect();
        coalitions.push(Coalition::grand(players));
        let sizes = coalitions.iter().map(Coalition::len).collect();
        let rows = Rows::new(players, coalitions.iter().map(Coalition::words));
        Self { functional, half, rows, sizes, shares, is_all }
    }

    /// What a row counts, by its members of a set.
    fn coefficients(&self, row: usize) -> [f64; 3] {
        let of_row = self.functional.coefficients(self.sizes[row], self.half);
        let share = self.shares.get(row).copied().unwrap_or(1.0);
        of_row.map(|coefficient| coefficient * share)
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
    use crate::{Exact, Index, from_fn};

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
        let start = Space::plain(data.rows.players, Half::Odd).tied(-1.5);
        let model: Model =
            saturation::fit(data, data, &start, &mut room, &mut generator(2, 2)).expect("values that differ");
        model.posterior(data).unwrap()
    }

    /// The values are those of the game that the model predicts.
    #[test]
    fn values_of_a_curve_are_those_of_the_exact_solver() {
        let (players, data) = (7, probabilities(7, 30));
        let posterior = saturated(&data);
        let rows: Vec<[u64; 1]> = (0..1 << players).map(|mask| [mask]).collect();
        let said = posterior.predict(&Rows::new(players, rows.iter().map(|row| &row[..])));
        let game = from_fn(players, |s| said[s.mask().unwrap() as usize]);
        let exact = Exact::new().threads(1).solve(&game).unwrap();
        let shapley = Functional::index(Index::Shapley, 1, 1, players);
        let (values, _) = of_posterior(&posterior, &shapley, 0.0, &mut generator(1, 1));
        for (player, value) in values.iter().enumerate() {
            let want = exact[player];
            assert!((value - want).abs() < 1e-10, "{player}: {value} {want}");
        }
    }

    /// Beyond 14 players the sum is of a sample, whose standard error is in the variances: over 40 samples the squared
    /// deviations are at most twice what is said (a χ² of 40 has a chance of 10⁻³ to exceed that; seeds are fixed).
    #[test]
    fn sums_of_samples_know_how_far_they_are_off() {
        let posterior = saturated(&probabilities(16, 60));
        let shapley = Functional::index(Index::Shapley, 1, 1, 16);
        let runs: Vec<_> =
            (0..40).map(|seed| of_posterior(&posterior, &shapley, 0.0, &mut generator(seed, 1))).collect();
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
