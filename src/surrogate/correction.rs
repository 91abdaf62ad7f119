//! What `Surrogate` estimates of one half of a game: what a linear function is of the models, corrected by what they
//! leave, and how sure that is. (Of docs/surrogate.md, "Correction" and "Variance".)

use super::constants::{BLOCK, CURVE_PAIRS, EXACT_FIT, FEW_PAIRS, FEW_VALUES, FEW_VALUES_PART, MODEL_ROWS};
use super::covariance::Half;
use super::data::{Both, Data};
use super::design::PairedDesign;
use super::devices::{Device, is_on};
use super::functional::Functional;
use super::mixture::{Asked, Mixture};
use super::pair_regression::PairRegression;
use super::pair_weights::{inclusions, reach, unseen_noise, weights};
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
    /// Of what the models leave of the pairs that they do not know.
    regression: Option<PairRegression>,
    /// l and e: the residual of a pair that is predicted from all others, and what the models take for its noise.
    left_out: Vec<f64>,
    noise: Vec<f64>,
    /// Whether hyper-parameters were fitted to a pair.
    fitted: Vec<bool>,
    /// What the models leave of (N, ∅).
    of_grand: f64,
    /// π.
    inclusion: Vec<f64>,
    /// How far pairs that were not asked for may be from the models, as a root mean square over all pairs: of games of
    /// few distinct values, and of fits that are suspiciously good (docs/surrogate.md, "Variance").
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
    /// The root mean square of what a simple function leaves of it: a linear one of the odd half, a constant of the
    /// even.
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
        let shapley = Functional::shapley(design.players);
        let mixture = if pairs.y.iter().all(|y| *y == 0.0) {
            None
        } else {
            match pairs.half {
                Half::Odd => {
                    let unseen = unseen_noise(design, &shapley, Half::Odd);
                    let none = Rows::new(design.players, []);
                    Mixture::of_odd(&data, Asked { functional: &shapley, unseen, known: &none }, random)
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
        let mut of_grand = pairs.y[0] - mixture.predict(&data.rows.select(&[0]))[0];
        let others: Vec<usize> = (0..len).filter(|&pair| left_out[pair].is_nan()).collect();
        for block in others.chunks(BLOCK) {
            for (&pair, said) in block.iter().zip(mixture.predict(&rows.select(block))) {
                left_out[pair] = pairs.y[1 + pair] - said;
                noise[pair] = left_out[pair];
            }
        }
        let mut regression = None;
        if pairs.half == Half::Even && others.len() > 1 && is_on(Device::Regression) {
            let mut left: Vec<f64> = others.iter().map(|&pair| left_out[pair]).collect();
            regression = PairRegression::fit(&rows.select(&others), &mut left);
            if let Some(regression) = &regression {
                // Residuals are those after the regression; of pairs that it was fitted to, after the other half's fit.
                let said = regression.predict(&rows);
                (0..len).for_each(|pair| {
                    (left_out[pair], noise[pair]) = (left_out[pair] - said[pair], noise[pair] - said[pair])
                });
                others.iter().zip(left).for_each(|(&pair, left)| left_out[pair] = left);
                of_grand -= regression.predict(&data.rows.select(&[0]))[0];
            }
        }
        let inclusion = inclusions(design);
        let mut fit = Self {
            half: pairs.half,
            y: pairs.y.to_vec(),
            rows,
            mixture,
            regression,
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

    /// Pairs of sizes of which all were asked for, the smallest sizes first, as far as a sum over them takes no longer
    /// than one over a sample.
    fn known(&self, design: &PairedDesign) -> Rows {
        let mut pairs: Vec<usize> = (0..design.len()).filter(|&pair| self.inclusion[pair] >= 1.0).collect();
        pairs.sort_by_key(|&pair| design.size(pair));
        pairs.truncate(CURVE_PAIRS);
        self.rows.select(&pairs)
    }

    /// A linear function of this half, and its variances; symbols of docs/surrogate.md stand beside the names.
    pub(super) fn of(
        &self,
        design: &PairedDesign,
        functional: &Functional,
        random: &mut Random,
    ) -> (Vec<f64>, Vec<f64>) {
        let (n, pairs) = (design.players, design.len());
        let known = self.known(design);
        let asked = Asked { functional, unseen: unseen_noise(design, functional, self.half), known: &known };
        let mut said = self.mixture.says(asked, random);
        if let Some(regression) = &self.regression {
            regression.add_to(functional, &mut said);
        }
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
        // How the values are computed leaves its noise in them, whatever is shrunk.
        (values, places().map(|set| at_most * shrunk(set) + of_surprise + said.numerical[set]).collect())
    }
}

/// How the residuals of both halves of each pair go together: by what factor the variance of a sum of a function of
/// both is that of independent halves, for all sets together. Where small coalitions are noisier than large ones, both
/// halves of a pair are off in the same direction, and functions that count small coalitions alone are off by both.
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
