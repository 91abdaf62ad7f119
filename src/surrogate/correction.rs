//! What `Surrogate` estimates of one half of a game: what a linear function is of the models, corrected by what they
//! leave, and how sure that is. (Of docs/surrogate.md, "Correction" and "Variance".)

use super::constants::{BLOCK, EXACT_FIT, FEW_PAIRS, FEW_VALUES, FEW_VALUES_PART, MODEL_ROWS};
use super::covariance::Half;
use super::data::{Both, Data};
use super::design::PairedDesign;
use super::devices::{Device, is_on};
use super::functional::Functional;
use super::mixture::{Asked, Mixture};
use super::posterior::Model;
use super::rows::Rows;
use super::set_sums::sums_over_rows;
use crate::Coalition;
use crate::engine::Random;

/// Values and standard errors of one output.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub(super) values: Vec<f64>,
    pub(super) std_errors: Vec<f64>,
}

/// One half of the pairs of a design, the odd or the even one, with its models. All numbers are in the same units.
#[derive(Debug)]
pub(super) struct HalfFit {
    half: Half,
    /// Of (N, ∅) and the pairs.
    y: Vec<f64>,
    rows: Rows,
    mixture: Mixture,
    /// l and e: what is left of a pair that is predicted from others, and what the models take for noise.
    left_out: Vec<f64>,
    noise: Vec<f64>,
    /// Whether hyper-parameters were fitted to a pair.
    fitted: Vec<bool>,
    /// What the models leave of (N, ∅).
    of_grand: f64,
    /// π.
    inclusion: Vec<f64>,
    /// The mean of 1 − π times the step by which pairs that were not asked for may differ from what the models say, over
    /// the number of pairs: a surprise, in docs/surrogate.md.
    surprise: f64,
}

/// What a half is fitted to.
#[derive(Clone, Copy, Debug)]
pub(super) struct HalfOfPairs<'a> {
    pub(super) half: Half,
    /// Of (N, ∅) and the pairs.
    pub(super) y: &'a [f64],
    /// The other half, if all complements are known: for the models of both.
    pub(super) other: Option<&'a [f64]>,
    /// The root mean square of what a simple function leaves of it: a linear one of the odd half, a constant of the even.
    pub(super) not_simple: f64,
    /// A step between values of the game, for a half that is zero on all pairs.
    pub(super) step: f64,
}

/// The numbers and this first one, in units of their root mean square, and this unit; none if all are zero.
pub(super) fn scaled(numbers: &[f64], first: f64) -> Option<(f64, Vec<f64>)> {
    // In two steps, since squares of large numbers overflow.
    let largest = numbers.iter().fold(first.abs(), |most, d| most.max(d.abs()));
    if largest <= 0.0 {
        return None;
    }
    let y: Vec<f64> = std::iter::once(&first).chain(numbers).map(|d| d / largest).collect();
    let root = (y.iter().map(|d| d * d).sum::<f64>() / y.len() as f64).sqrt();
    Some((largest * root, y.iter().map(|d| d / root).collect()))
}

impl HalfFit {
    /// The models and their residuals; with the model of both halves that the odd one has, if this is the even one.
    pub(super) fn new(
        design: &PairedDesign,
        pairs: HalfOfPairs<'_>,
        saturated: Option<&Model>,
        random: &mut Random,
    ) -> Self {
        let in_model: Vec<usize> = if design.len() < MODEL_ROWS {
            (0..design.len()).collect()
        } else {
            random.choose(MODEL_ROWS - 1, design.len())
        };
        let data = data(design, pairs, &in_model);
        let shapley = Functional::index(crate::Index::Shapley, 1, 1, design.players);
        let mixture = if pairs.y.iter().all(|y| *y == 0.0) {
            None
        } else {
            match pairs.half {
                Half::Odd => {
                    let unseen = unseen_noise(design, &shapley, Half::Odd);
                    Mixture::of_odd(&data, Asked { functional: &shapley, unseen }, random)
                }
                Half::Even => Mixture::of_even(&data, saturated, random),
            }
        };
        let mixture = mixture.unwrap_or_else(|| Mixture::of_nothing(&data));
        let rows = Rows::new(design.players, design.rows.iter().map(Coalition::words));
        let len = design.len();
        let (mut left_out, mut noise, mut fitted) = (vec![f64::NAN; len], vec![f64::NAN; len], vec![false; len]);
        for (place, &pair) in in_model.iter().enumerate() {
            (left_out[pair], noise[pair]) = (mixture.left_out[place], mixture.noise[place]);
            fitted[pair] = mixture.fitted[place];
        }
        let others: Vec<usize> = (0..len).filter(|&pair| left_out[pair].is_nan()).collect();
        for block in others.chunks(BLOCK) {
            for (&pair, said) in block.iter().zip(mixture.predict(&rows.select(block))) {
                left_out[pair] = pairs.y[1 + pair] - said;
                noise[pair] = left_out[pair];
            }
        }
        let of_grand = pairs.y[0] - mixture.predict(&data.rows.select(&[0]))[0];
        let inclusion = inclusions(design);
        let mut fit = Self {
            half: pairs.half,
            y: pairs.y.to_vec(),
            rows,
            mixture,
            left_out,
            noise,
            fitted,
            of_grand,
            inclusion,
            surprise: 0.0,
        };
        fit.surprise = fit.surprise(pairs);
        fit
    }

    /// The model of both halves, for the other one.
    pub(super) fn saturated(&self) -> Option<&Model> {
        self.mixture.saturated.as_ref()
    }

    fn surprise(&self, pairs: HalfOfPairs<'_>) -> f64 {
        if self.y.iter().all(|y| *y == 0.0) {
            return surprise(pairs.step, &self.inclusion);
        }
        // Where complements were inferred, that counts them already.
        let of_few_values = if pairs.other.is_some() { of_few_values(&self.y, &self.inclusion) } else { 0.0 };
        // A model that explains nearly all of what is not simple may do so by chance, too.
        let both = self.inclusion.iter().zip(&self.left_out);
        let left: f64 = both.map(|(p, left)| (1.0 - p) * left * left).sum();
        let weight: f64 = self.inclusion.iter().map(|p| 1.0 - p).sum();
        let is_exact = self.left_out.len() < FEW_PAIRS * self.rows.players
            && left < (EXACT_FIT * pairs.not_simple).powi(2) * weight;
        of_few_values.max(if is_exact { surprise(pairs.not_simple, &self.inclusion) } else { 0.0 })
    }

    /// A linear function of this half, and its variances; symbols of docs/surrogate.md stand beside the names.
    pub(super) fn of(
        &self,
        design: &PairedDesign,
        functional: &Functional,
        random: &mut Random,
    ) -> (Vec<f64>, Vec<f64>) {
        let (n, pairs) = (design.players, design.len());
        let asked = Asked { functional, unseen: unseen_noise(design, functional, self.half) };
        let said = self.mixture.says(asked, random);
        // f: where most pairs have been asked for, one that is left out is as the few that have not been.
        let all_pairs = (1..n).map(|size| design.population(size)).sum::<f64>() / 2.0;
        let elsewhere = 1.0 + (self.mixture.inflation - 1.0) * (1.0 - pairs as f64 / all_pairs);
        // By how much residuals of pairs that hyper-parameters were fitted to are smaller is known on average, not of
        // each.
        let of_fitted = || self.left_out.iter().zip(&self.fitted).filter(|(_, fitted)| **fitted);
        let mean = of_fitted().map(|(left, _)| left * left).sum::<f64>() / of_fitted().count().max(1) as f64;
        let per_pair = weights(design, functional, self.half);
        // The noise of the correction as residuals are, and as errors elsewhere are; that with the noise of the pairs
        // that were not asked for; and the latter alone, if all are independent.
        let [seen, unseen, of_correction, of_errors, with_unseen, unseen_alone] =
            sums_over_rows(&self.rows, functional.order, |pair| {
                let weights = per_pair[design.size(pair)];
                let (p, left) = (self.inclusion[pair], self.left_out[pair]);
                let more = |inflation: f64| if self.fitted[pair] { (inflation - 1.0) * mean } else { 0.0 };
                let times = |number: f64| weights.map(|weight| weight * number);
                let squares = |number: f64| weights.map(|weight| weight * weight * number);
                let square = left * left;
                [
                    times(p * self.noise[pair]),
                    times((1.0 - p) * left),
                    squares((1.0 - p).powi(3) * square),
                    squares((1.0 - p).powi(3) * (square + more(self.mixture.inflation))),
                    squares((1.0 - p) * (square + more(elsewhere))),
                    squares(p * (1.0 - p) * (square + more(elsewhere))),
                ]
            });
        let total = |list: &[f64]| list.iter().sum::<f64>();
        // γ: the correction is shrunk by its noise, or by what is doubtful about the models if that shrinks it less.
        let length: f64 = unseen.iter().map(|b| b * b).sum();
        let excess = total(&said.variances) - total(&said.posterior_variances);
        let by_length = 1.0 - total(&of_correction) / length.max(1e-300);
        let by_doubt = excess / (excess + total(&of_errors)).max(1e-300);
        let share = match (is_on(Device::Correction), is_on(Device::Shrinkage)) {
            (false, _) => 0.0,
            (true, false) => 1.0,
            (true, true) => by_length.max(by_doubt).max(0.0),
        };
        // (N, ∅) is known, and stands for itself.
        let of_grand = functional.coefficients(n, self.half)[functional.order] * self.of_grand;
        let places = || 0..said.values.len();
        let values = places().map(|set| said.values[set] + of_grand + seen[set] + share * unseen[set]).collect();
        let shrunk = |set: usize| {
            let of_model = said.variances[set].max(unseen_alone[set]);
            (1.0 - share) * of_model + share * with_unseen[set]
        };
        // A correction that is shrunk is, over all sets, no worse than one that is not (James & Stein 1961).
        let most = total(&with_unseen) / places().map(shrunk).sum::<f64>().max(f64::MIN_POSITIVE);
        let at_most = if is_on(Device::Bound) { most.min(1.0) } else { 1.0 };
        let of_surprise = (reach(n, functional, self.half) * self.surprise).powi(2);
        (values, places().map(|set| at_most * shrunk(set) + of_surprise).collect())
    }
}

/// π of each pair.
pub(super) fn inclusions(design: &PairedDesign) -> Vec<f64> {
    (0..design.len()).map(|pair| design.inclusion(design.size(pair))).collect()
}

/// How the residuals of both halves of each pair go together: by what factor the variance of a sum of a function of both
/// is that of independent halves, for all sets together. Where small coalitions are noisier than large ones, both halves
/// of a pair are off in the same direction, and functions that count small coalitions alone are off by both.
pub(super) fn together(design: &PairedDesign, functional: &Functional, odd: &HalfFit, even: &HalfFit) -> f64 {
    let [of_odd, of_even] = [Half::Odd, Half::Even].map(|half| weights(design, functional, half));
    let [squares, products] = sums_over_rows(&odd.rows, functional.order, |pair| {
        let size = design.size(pair);
        let unseen = 1.0 - odd.inclusion[pair];
        let (mut squares, mut products) = ([0.0; 3], [0.0; 3]);
        for members in 0..=functional.order {
            let a = of_odd[size][members] * odd.left_out[pair];
            let b = of_even[size][members] * even.left_out[pair];
            (squares[members], products[members]) = (unseen * (a * a + b * b), unseen * 2.0 * a * b);
        }
        [squares, products]
    });
    let total = |list: &[f64]| list.iter().sum::<f64>();
    1.0 + total(&products) / total(&squares).max(f64::MIN_POSITIVE)
}

/// (N, ∅) and some of the pairs, as data for the models.
fn data(design: &PairedDesign, pairs: HalfOfPairs<'_>, in_model: &[usize]) -> Data {
    let grand = Coalition::grand(design.players);
    let rows = std::iter::once(grand.words()).chain(in_model.iter().map(|&pair| design.rows[pair].words()));
    let some =
        |y: &[f64]| -> Vec<f64> { std::iter::once(y[0]).chain(in_model.iter().map(|&pair| y[1 + pair])).collect() };
    let y = some(pairs.y);
    let both = pairs.other.map(some).map(|other| {
        let (odd, even) = if pairs.half == Half::Odd { (&y, &other) } else { (&other, &y) };
        let with = |sign: f64| odd.iter().zip(even).map(|(odd, even)| even + sign * odd).collect();
        Both { of: with(1.0), complement: with(-1.0) }
    });
    let noisy = std::iter::once(0.0).chain(in_model.iter().map(|_| 1.0)).collect();
    let unseen = in_model.iter().map(|&pair| 1.0 - design.inclusion(design.size(pair)));
    let unseen = std::iter::once(0.0).chain(unseen).collect();
    Data { rows: Rows::new(design.players, rows), y, noisy, unseen, both }
}

/// A: what one half of a pair counts, over its chance to be there, by the size of the chosen coalition and by how many
/// of the set's players are members (Horvitz & Thompson 1952).
fn weights(design: &PairedDesign, functional: &Functional, half: Half) -> Vec<[f64; 3]> {
    let of_size = |size: usize| {
        let share = if 2 * size == design.players { 0.5 } else { 1.0 };
        let expected = size.checked_sub(1).map_or(1.0, |place| design.expected()[place]);
        functional.coefficients(size, half).map(|coefficient| coefficient * share / expected)
    };
    (0..=design.players / 2).map(of_size).collect()
}

/// For each size of the chosen coalition: how many of the set's players are members, with the share of the coalitions
/// of which it is true; what a pair counts then; and one over the number of pairs, C(n, size) or half of that.
fn by_size(players: usize, functional: &Functional, half: Half, mut add: impl FnMut(usize, f64, f64, f64)) {
    let n = players as f64;
    let mut one_over = 1.0;
    for size in 1..=players / 2 {
        one_over *= size as f64 / (n - size as f64 + 1.0);
        let c = size as f64;
        let shares = match functional.order {
            0 => [1.0, 0.0, 0.0],
            1 => [(n - c) / n, c / n, 0.0],
            _ => [
                (n - c) * (n - c - 1.0) / (n * (n - 1.0)),
                2.0 * c * (n - c) / (n * (n - 1.0)),
                c * (c - 1.0) / (n * (n - 1.0)),
            ],
        };
        let pairs = if 2 * size == players { 0.5 } else { 1.0 };
        for (share, coefficient) in shares.into_iter().zip(functional.coefficients(size, half)) {
            add(size, pairs * share, coefficient, one_over);
        }
    }
}

/// What independent noise on the pairs that were not asked for adds to the variance, per unit of noise.
fn unseen_noise(design: &PairedDesign, functional: &Functional, half: Half) -> f64 {
    let mut sum = 0.0;
    by_size(design.players, functional, half, |size, share, coefficient, one_over| {
        sum += (1.0 - design.inclusion(size)) * share * coefficient * coefficient * one_over;
    });
    sum
}

/// The most that a function of one half is of a game that is nowhere more than one there.
pub(super) fn reach(players: usize, functional: &Functional, half: Half) -> f64 {
    let mut sum = 0.0;
    by_size(players, functional, half, |_, share, coefficient, _| sum += share * coefficient.abs());
    sum
}

/// What a game of few distinct values can hide, from the odd halves of (N, ∅) and of pairs, and their inclusion
/// probabilities. Where d takes only a few values, a model may predict all pairs that were asked for by chance, and
/// residuals of zero say little. After m pairs without a surprise, the share p of pairs that would be one has a density
/// of m exp(−m p), and a mean square of 2/m². If they all are off by a step between two values, in favour of one
/// player, that player's value is off by 2 p steps.
pub(super) fn of_few_values(y: &[f64], inclusion: &[f64]) -> f64 {
    // d of (∅, N) is the opposite of that of (N, ∅).
    let sorted = sorted(y.iter().copied().chain([-y[0]]));
    let (distinct, pairs) = (distinct(&sorted), y.len() - 1);
    if !is_few(distinct, pairs) {
        return 0.0;
    }
    let range = sorted[sorted.len() - 1] - sorted[0];
    surprise(range / (distinct - 1).max(1) as f64, inclusion)
}

/// Whether a game that shows these values has few distinct ones.
pub(super) fn has_few_values(values: impl Iterator<Item = f64>) -> bool {
    let sorted = sorted(values);
    is_few(distinct(&sorted), sorted.len())
}

fn is_few(distinct: usize, pairs: usize) -> bool {
    distinct as f64 <= (FEW_VALUES_PART * pairs as f64).max(FEW_VALUES)
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The number of distinct values, up to rounding.
fn distinct(sorted: &[f64]) -> usize {
    let range = sorted.last().zip(sorted.first()).map_or(0.0, |(last, first)| last - first);
    1 + sorted.windows(2).filter(|two| two[1] - two[0] > 1e-9 * range).count()
}

/// The root mean square of the part of pairs that are off by a step, √2 / m, if these are all those that were not asked
/// for; times the step.
pub(super) fn surprise(step: f64, inclusion: &[f64]) -> f64 {
    let pairs = inclusion.len() as f64;
    let unseen = 1.0 - inclusion.iter().sum::<f64>() / pairs;
    2.0_f64.sqrt() * step * unseen / pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::generator;
    use crate::{Exact, Index, Semivalue, from_fn};

    /// Numbers of no meaning on pairs, as one half of a game.
    fn table(n: usize, half: Half) -> Vec<f64> {
        let mut random = generator(n as u64, 6);
        let all = (1_usize << n) - 1;
        let mut table = vec![0.0; all + 1];
        for mask in 1..=all / 2 {
            table[mask] = random.unit() - 0.5;
            table[all ^ mask] = if half == Half::Odd { -table[mask] } else { table[mask] };
        }
        table
    }

    /// Over 1000 designs the mean of the sums is within five standard errors of the values and of the pairs, which has
    /// a chance below 10⁻⁴ to fail for any of some hundred; seeds are fixed. And the squared errors are what the squares
    /// say, within 15 % in all: pairs are spread and counts rounded together, so that they are not independent. (Of
    /// 4000 designs the ratios were 0.90 to 1.09.)
    #[test]
    fn sums_of_samples_have_no_bias_and_the_variance_that_is_said() {
        for (n, pairs, half, functional) in [
            (7, 20, Half::Odd, Functional::index(Index::Shapley, 1, 1, 7)),
            (8, 60, Half::Odd, Functional::index(Index::Shapley, 1, 1, 8)),
            (7, 40, Half::Even, Functional::index(Index::Shapley, 2, 2, 7)),
            (8, 60, Half::Even, Functional::index(Index::Banzhaf, 2, 2, 8)),
            (7, 40, Half::Odd, Functional::index(Index::ShapleyTaylor, 2, 2, 7)),
            (
                8,
                60,
                Half::Even,
                Functional::semivalue::<std::convert::Infallible>(&Semivalue::beta(4.0, 1.0).unwrap(), 8).unwrap(),
            ),
        ] {
            let table = table(n, half);
            let game = from_fn(n, |s| table[s.mask().unwrap() as usize]);
            let summary = Exact::new().threads(1).summary(&game, 2).unwrap();
            let exact: Vec<f64> = match functional.order {
                1 if half == Half::Even => summary.values(&Semivalue::beta(4.0, 1.0).unwrap()).unwrap().into_values(),
                1 => summary.values(&Semivalue::shapley()).unwrap().into_values(),
                _ => {
                    let index = match (n, half) {
                        (7, Half::Even) => Index::Shapley,
                        (7, Half::Odd) => Index::ShapleyTaylor,
                        _ => Index::Banzhaf,
                    };
                    let all = summary.interactions(index).unwrap();
                    all.iter().filter(|(set, _)| set.len() == 2).map(|(_, value)| *value).collect()
                }
            };
            let seeds = 1000;
            let (mut means, mut squares, mut said) = (vec![0.0; exact.len()], vec![0.0; exact.len()], 0.0);
            for seed in 0..seeds {
                let design = PairedDesign::new(n, pairs, seed);
                let rows = Rows::new(n, design.rows.iter().map(Coalition::words));
                let weights = weights(&design, &functional, half);
                let inclusion = inclusions(&design);
                let [sums, variances] = sums_over_rows(&rows, functional.order, |pair| {
                    let number = table[design.rows[pair].words()[0] as usize];
                    let weights = weights[design.size(pair)];
                    let unseen = (1.0 - inclusion[pair]) * number * number;
                    [weights.map(|weight| weight * number), weights.map(|weight| weight * weight * unseen)]
                });
                said += variances.iter().sum::<f64>() / seeds as f64;
                for (set, exact) in exact.iter().enumerate() {
                    let off = sums[set] - exact;
                    means[set] += off / seeds as f64;
                    squares[set] += off * off / seeds as f64;
                }
            }
            for (mean, square) in means.iter().zip(&squares) {
                let error = (square / seeds as f64).sqrt();
                assert!(mean.abs() < 5.0 * error, "n {n}, {half:?}: {mean} {error}");
            }
            let error: f64 = squares.iter().sum();
            assert!((said / error - 1.0).abs() < 0.15, "n {n}, {half:?}, {functional:?}: {said} {error}");
        }
    }

    /// What noise on pairs that were not asked for adds is the sum of its squares; and no game of ones has a larger
    /// value than the reach.
    #[test]
    fn noise_and_reach_are_sums_over_pairs() {
        for n in [2, 5, 6] {
            let design = PairedDesign::new(n, 1 << (n - 2), 1);
            for (order, half) in [(1, Half::Odd), (2, Half::Even), (1, Half::Even)] {
                let functional = Functional::index(Index::FaithfulShapley, 2, order, n);
                let (mut noise, mut most) = (0.0, 0.0);
                for mask in 1..(1_u64 << n) - 1 {
                    let coalition = Coalition::from_mask(n, mask);
                    if !super::super::far_apart::stands_for_pair(&coalition) {
                        continue;
                    }
                    let size = coalition.len();
                    let members =
                        if order == 1 { usize::from(mask & 1 == 1) } else { (mask & 3).count_ones() as usize };
                    let of_pair = functional.coefficients(size, half)[members] / design.population(size);
                    noise += (1.0 - design.inclusion(size)) * of_pair * of_pair;
                    most += of_pair.abs();
                }
                let got = (unseen_noise(&design, &functional, half), reach(n, &functional, half));
                assert!((got.0 - noise).abs() < 1e-12 && (got.1 - most).abs() < 1e-12, "n {n}: {got:?} {noise} {most}");
            }
        }
    }
}
