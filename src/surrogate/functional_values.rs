//! What a linear function is of what a model says of a game, and how sure the model is of it.

use std::collections::HashSet;

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

/// What rounding does to a term of a sum of covariances, relative to it: several steps of arithmetic.
const ROUNDING_OF_A_TERM: f64 = 16.0 * f64::EPSILON;

/// Sets whose covariances with all rows are in memory at once.
const SETS: usize = 1024;

/// What a linear function is of a posterior's mean, for all sets.
#[derive(Debug)]
pub(super) struct OfPosterior {
    pub(super) values: Vec<f64>,
    /// Given the hyper-parameters.
    pub(super) variances: Vec<f64>,
    /// Of how the values are computed: by rounding, and where a sample of pairs stands for all of them.
    pub(super) numerical: Vec<f64>,
}

/// `unseen` is what noise on the pairs that were not seen adds to a variance, per unit of noise; a sample of pairs does
/// not stand for those that are `known`.
pub(super) fn of_posterior(
    posterior: &Posterior,
    functional: &Functional,
    unseen: f64,
    known: &Rows,
    random: &mut Random,
) -> OfPosterior {
    let (rows, half) = (&posterior.rows, posterior.half);
    match &posterior.seen {
        Seen::Plainly(own) => of_half(own, &own.alpha, rows, half, functional, unseen),
        Seen::Through(curve, halves) => {
            let through = Through::new(curve, halves, Sum::new(functional, half, known, random), rows);
            let own = &halves[usize::from(half == Half::Even)];
            let mut of = of_half(own, &through.alpha, rows, half, functional, unseen);
            of.variances.iter_mut().for_each(|variance| *variance *= through.slope_squared);
            let sampled = through.add_rest(&mut of.values);
            of.numerical.iter_mut().zip(sampled).for_each(|(variance, sampled)| *variance += sampled);
            of
        }
    }
}

/// The function of the model whose covariances with the rows have these factors, and the variances of the posterior.
fn of_half(
    own: &Conditioned,
    alpha: &[f64],
    rows: &Rows,
    half: Half,
    functional: &Functional,
    unseen: f64,
) -> OfPosterior {
    let of_kernel = KernelValues::new(&own.kernel, rows, half, functional);
    let [mut values, mut variances, mut numerical] = [(); 3].map(|()| Vec::new());
    for sets in functional.sets().chunks(SETS) {
        let (mut of_rows, prior) = of_kernel.of(sets, values.len());
        for set in 0..sets.len() {
            values.push(dot(of_rows.col_as_slice(set), alpha));
            // Predictions of single rows, which residuals are made of, are sums of terms of the size of α.
            let terms =
                of_rows.col_as_slice(set).iter().zip(alpha).map(|(of_row, alpha)| of_row.abs().max(1.0) * alpha);
            numerical.push(ROUNDING_OF_A_TERM.powi(2) * terms.map(|term| term * term).sum::<f64>());
        }
        own.factor.half_solve(&mut of_rows);
        let known = |set: usize| dot(of_rows.col_as_slice(set), of_rows.col_as_slice(set));
        let variance = |(set, prior): (usize, &f64)| (prior - known(set)).max(0.0) + own.kernel.hyper.noise * unseen;
        variances.extend(prior.iter().enumerate().map(|one| own.scale * variance(one)));
    }
    OfPosterior { values, variances, numerical }
}

/// A curve's values at g, as a function of the kernel that is known in closed form, and a rest that is summed over
/// pairs.
///
/// What is linear in g is known in closed form. Where the rest is summed over a sample, as much of it as the kernel can
/// tell from the rows of the posterior is, too: the rest is then next to nothing where the model knows the game well.
struct Through<'a> {
    sum: Sum<'a>,
    /// The covariances' factors.
    alpha: Vec<f64>,
    /// Of each row of the sum; and the part of it that is the same for all pairs.
    rest: Vec<f64>,
    level: f64,
    /// The mean square of the slope, by which variances of g are multiplied.
    slope_squared: f64,
}

impl<'a> Through<'a> {
    fn new(curve: &Curve, halves: &[Conditioned; 2], sum: Sum<'a>, known: &Rows) -> Self {
        let half = sum.half;
        let of_half = |odd: f64, even: f64| if half == Half::Odd { odd } else { even };
        let own = &halves[usize::from(half == Half::Even)];
        // With all pairs in the sum, the slope is the mean over them, and there is no noise to make smaller.
        let mut slope = 0.0;
        let mut of_rest = vec![0.0; own.alpha.len()];
        if !sum.is_all {
            let pairs = || halves[0].smooth.iter().zip(&halves[1].smooth);
            slope = pairs().map(|(odd, even)| curve.slope_of_pair(*odd, *even)).sum::<f64>() / known.len() as f64;
            let rest = pairs().map(|(odd, even)| curve.half(half, *odd, *even) - slope * of_half(*odd, *even));
            of_rest = own.factor.solve(&rest.collect::<Vec<_>>());
        }
        let [mut odds, mut evens, mut controls] = [(); 3].map(|()| Vec::new());
        for block in (0..sum.rows.len()).collect::<Vec<_>>().chunks(BLOCK) {
            let rows = sum.rows.select(block);
            let [odd, even] = means_of_halves(halves, &rows, known);
            controls.extend(if sum.is_all { vec![0.0; rows.len()] } else { own.combination(&of_rest, &rows, known) });
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
        if sum.is_all {
            slope = mean / total;
        }
        let left = |((odd, even), control): ((&f64, &f64), &f64)| {
            curve.half(half, *odd, *even) - slope * of_half(*odd, *even) - control
        };
        let mut rest: Vec<f64> = pairs().zip(&controls).map(left).collect();
        // What is constant has no derivatives, and would be the noise of a sum.
        let level = match half {
            Half::Even if sum.is_all => dot(&rest[..sum.shares.len()], &sum.shares) / total,
            _ => 0.0,
        };
        rest.iter_mut().for_each(|rest| *rest -= level);
        let alpha = own.alpha.iter().zip(&of_rest).map(|(alpha, of_rest)| slope * alpha + of_rest).collect();
        Self { sum, alpha, rest, level, slope_squared: square / total }
    }

    /// Adds what the function is of the rest, and gives the variances of that.
    fn add_rest(&self, values: &mut [f64]) -> Vec<f64> {
        let Self { sum, rest, .. } = self;
        let of_level = if sum.functional.order == 0 { self.level * sum.functional.mass() } else { 0.0 };
        let [sums, sampled] = sums_over_rows(&sum.rows, sum.functional.order, |row| {
            let numbers = sum.coefficients(row).map(|coefficient| coefficient * rest[row]);
            [numbers, numbers.map(|number| if row < sum.sampled { number * number } else { 0.0 })]
        });
        values.iter_mut().zip(&sums).for_each(|(value, rest)| *value += of_level + rest);
        sampled
    }
}

/// Pairs to sum a function over: all; or a sample with replacement, in which every size has the same chance, without
/// the known pairs, and then the known ones. (N, ∅) is the last row.
struct Sum<'a> {
    functional: &'a Functional,
    half: Half,
    rows: Rows,
    /// The size of each chosen coalition.
    sizes: Vec<usize>,
    /// Of each pair of its size that it stands for, the share; none of (N, ∅).
    shares: Vec<f64>,
    is_all: bool,
    /// How many rows are a sample.
    sampled: usize,
}

impl<'a> Sum<'a> {
    fn new(functional: &'a Functional, half: Half, known: &Rows, random: &mut Random) -> Self {
        let players = functional.players;
        let is_all = players <= CURVE_PAIRS.ilog2() as usize + 1;
        let share = |size: usize, pairs: f64| if 2 * size == players { 0.5 } else { 1.0 } / pairs;
        let (mut coalitions, mut shares) = (Vec::new(), Vec::new());
        if is_all {
            coalitions.extend((1..1_u64 << (players - 1)).map(|mask| Coalition::from_mask(players, mask)));
        } else {
            let is_known: HashSet<&[u64]> = (0..known.len()).map(|row| known.words(row)).collect();
            let first = random.below(CURVE_PAIRS as u64) as usize;
            for place in 0..CURVE_PAIRS {
                let size = 1 + (place * (players - 1) + first) / CURVE_PAIRS % (players - 1);
                let coalition = random.coalition(players, size);
                if !is_known.contains(coalition.words()) && !is_known.contains(coalition.complement().words()) {
                    let both = if 2 * size == players { 1.0 } else { 2.0 };
                    shares.push(share(size, CURVE_PAIRS as f64 * both / (players - 1) as f64));
                    coalitions.push(coalition);
                }
            }
        }
        let sampled = shares.len();
        let exact = if is_all { 0..0 } else { 0..known.len() };
        let words = coalitions.iter().map(Coalition::words).chain(exact.map(|row| known.words(row)));
        let grand = Coalition::grand(players);
        let rows = Rows::new(players, words.chain([grand.words()]));
        let sizes: Vec<usize> = rows.balance.iter().map(|balance| ((balance + players as i32) / 2) as usize).collect();
        let population = super::population(players);
        for &size in &sizes[sampled..sizes.len() - 1] {
            let smaller = size.min(players - size);
            shares.push(share(smaller, population[smaller - 1]));
        }
        Self { functional, half, rows, sizes, shares, is_all, sampled }
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
        let of = of_posterior(&posterior, &shapley, 0.0, &Rows::new(7, []), &mut generator(1, 1));
        assert!(of.numerical.iter().all(|variance| *variance < 1e-20));
        for (player, value) in of.values.iter().enumerate() {
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
        let runs: Vec<_> = (0..40)
            .map(|seed| of_posterior(&posterior, &shapley, 0.0, &Rows::new(16, []), &mut generator(seed, 1)))
            .collect();
        let mean = |of: &dyn Fn(usize) -> f64| (0..40).map(of).sum::<f64>() / 40.0;
        for player in 0..16 {
            let middle = mean(&|run| runs[run].values[player]);
            let spread = mean(&|run| (runs[run].values[player] - middle).powi(2));
            let said = mean(&|run| runs[run].numerical[player]);
            assert!(spread < 2.0 * said, "{player}: {spread} {said}");
            assert!(spread.sqrt() < 0.01, "{player}: {spread}");
        }
    }
}
