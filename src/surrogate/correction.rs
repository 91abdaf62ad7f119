//! What `Surrogate` estimates: the models' values, corrected by what the models leave, and how sure they are.

use super::constants::{BLOCK, EXACT_FIT, FEW_PAIRS, FEW_VALUES, FEW_VALUES_PART, MODEL_ROWS};
use super::data::{Both, Data};
use super::design::PairedDesign;
use super::devices::{Device, is_on};
use super::kernel_shap::least_squares;
use super::least_squares::{LinearMap, gram_of_all, shapley_weights};
use super::mixture::Mixture;
use super::rows::Rows;
use crate::Coalition;
use crate::engine::Random;

/// Values and standard errors of one output.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub(super) values: Vec<f64>,
    pub(super) std_errors: Vec<f64>,
}

/// The odd halves of a design's pairs, the even ones where they are known, both less the mean of v(∅) and v(N), and the
/// odd half of (N, ∅).
#[derive(Clone, Copy, Debug)]
pub(super) struct PairValues<'a> {
    pub(super) odd: &'a [f64],
    pub(super) even: Option<&'a [f64]>,
    pub(super) grand: f64,
    /// The root mean square of what least squares leave of the odd halves.
    pub(super) not_linear: f64,
}

/// The odd halves of (N, ∅) and the pairs, in units of their root mean square, and this unit; none if all are zero.
pub(super) fn scaled(odd: &[f64], grand: f64) -> Option<(f64, Vec<f64>)> {
    // In two steps, since squares of large numbers overflow.
    let largest = odd.iter().fold(grand.abs(), |most, d| most.max(d.abs()));
    if largest <= 0.0 {
        return None;
    }
    let y: Vec<f64> = std::iter::once(&grand).chain(odd).map(|d| d / largest).collect();
    let root = (y.iter().map(|d| d * d).sum::<f64>() / y.len() as f64).sqrt();
    Some((largest * root, y.iter().map(|d| d / root).collect()))
}

/// The values of a game all of whose pairs are even. What was not asked for may not be, by as much as the values
/// differ; a game that showed a single value gives no unit for a doubt.
pub(super) fn all_even(design: &PairedDesign, even: Option<&[f64]>) -> Values {
    let step = even.unwrap_or_default().iter().fold(0.0_f64, |most, even| most.max(even.abs()));
    let inclusion: Vec<f64> = (0..design.len()).map(|pair| design.inclusion(design.size(pair))).collect();
    Values { values: vec![0.0; design.players], std_errors: vec![surprise(step, &inclusion); design.players] }
}

/// The values of a game of at least two players.
pub(super) fn estimate(design: &PairedDesign, pairs: PairValues<'_>, random: &mut Random) -> Values {
    let Some((scale, y)) = scaled(pairs.odd, pairs.grand) else { return all_even(design, pairs.even) };
    let in_model: Vec<usize> = if design.len() < MODEL_ROWS {
        (0..design.len()).collect()
    } else {
        random.choose(MODEL_ROWS - 1, design.len())
    };
    let data = data(design, &y, pairs.even.map(|even| (even, scale)), &in_model);
    let Some(mixture) = Mixture::fit(&data, unseen_noise(design), random) else {
        return least_squares(design, pairs.odd, pairs.grand);
    };
    let not_linear = pairs.not_linear / scale;
    let (values, variances) = correct(design, &y, (pairs.even.is_some(), not_linear), &in_model, &mixture);
    Values {
        values: values.iter().map(|value| scale * value).collect(),
        std_errors: variances.iter().map(|variance| scale * variance.sqrt()).collect(),
    }
}

/// (N, ∅) and some of the pairs, as data for the models.
fn data(design: &PairedDesign, y: &[f64], even: Option<(&[f64], f64)>, in_model: &[usize]) -> Data {
    let grand = Coalition::grand(design.players);
    let rows = std::iter::once(grand.words()).chain(in_model.iter().map(|&pair| design.rows[pair].words()));
    let y: Vec<f64> = std::iter::once(y[0]).chain(in_model.iter().map(|&pair| y[1 + pair])).collect();
    let both = even.map(|(even, scale)| {
        let even: Vec<f64> = std::iter::once(0.0).chain(in_model.iter().map(|&pair| even[pair] / scale)).collect();
        let with = |sign: f64| y.iter().zip(&even).map(|(odd, even)| even + sign * odd).collect();
        Both { of: with(1.0), complement: with(-1.0) }
    });
    let noisy = std::iter::once(0.0).chain(in_model.iter().map(|_| 1.0)).collect();
    let unseen = in_model.iter().map(|&pair| 1.0 - design.inclusion(design.size(pair)));
    let unseen = std::iter::once(0.0).chain(unseen).collect();
    Data { rows: Rows::new(design.players, rows), y, noisy, unseen, both }
}

/// What independent noise on the pairs that were not asked for adds to the variance of a value, per unit of noise.
fn unseen_noise(design: &PairedDesign) -> f64 {
    let n = design.players;
    let mut choose = 1.0;
    let mut sum = 0.0;
    for size in 1..n {
        sum += 4.0 * (1.0 - design.inclusion(size)) / ((n * n) as f64 * choose);
        choose = choose * (n - size) as f64 / size as f64;
    }
    sum
}

/// The values of the models, corrected by residuals, and their variances, in the units of `y`. (Of docs/surrogate.md,
/// "Correction" and "Variance", whose symbols stand beside the names here.)
fn correct(
    design: &PairedDesign,
    y: &[f64],
    (all_whole, not_linear): (bool, f64),
    in_model: &[usize],
    mixture: &Mixture,
) -> (Vec<f64>, Vec<f64>) {
    let (n, pairs) = (design.players, design.len());
    let rows = Rows::new(n, design.rows.iter().map(Coalition::words));
    // l and e: what is left of a pair that is predicted from others, and what the models take for noise.
    let (mut left_out, mut noise) = (vec![f64::NAN; pairs], vec![f64::NAN; pairs]);
    let mut fitted = vec![false; pairs];
    for (place, &pair) in in_model.iter().enumerate() {
        (left_out[pair], noise[pair]) = (mixture.left_out[place], mixture.noise[place]);
        fitted[pair] = mixture.fitted[place];
    }
    let others: Vec<usize> = (0..pairs).filter(|&pair| left_out[pair].is_nan()).collect();
    for block in others.chunks(BLOCK) {
        for (&pair, said) in block.iter().zip(mixture.predict(&rows.select(block))) {
            left_out[pair] = y[1 + pair] - said;
            noise[pair] = left_out[pair];
        }
    }
    let inclusion: Vec<f64> = (0..pairs).map(|pair| design.inclusion(design.size(pair))).collect();
    let seen: Vec<f64> = inclusion.iter().zip(&noise).map(|(p, noise)| p * noise).collect();
    let unseen: Vec<f64> = inclusion.iter().zip(&left_out).map(|(p, left)| (1.0 - p) * left).collect();
    // f: where most pairs have been asked for, one that is left out is as the few that have not been.
    let all_pairs = (1..n).map(|size| design.population(size)).sum::<f64>() / 2.0;
    let elsewhere = 1.0 + (mixture.inflation - 1.0) * (1.0 - pairs as f64 / all_pairs);
    // By how much residuals of pairs that hyper-parameters were fitted to are smaller is known on average, not of each.
    let of_fitted = || left_out.iter().zip(&fitted).filter(|(_, fitted)| **fitted).map(|(left, _)| left * left);
    let mean = of_fitted().sum::<f64>() / of_fitted().count().max(1) as f64;
    let squares = |inflation: f64, of: &dyn Fn(f64) -> f64| -> Vec<f64> {
        let more = |fitted: bool| if fitted { (inflation - 1.0) * mean } else { 0.0 };
        let rows = inclusion.iter().zip(&left_out).zip(&fitted);
        rows.map(|((p, left), fitted)| of(*p) * (left * left + more(*fitted))).collect()
    };
    let weights = shapley_weights(design);
    let map = LinearMap::with_gram(&rows, &weights, gram_of_all(n));
    // The noise of the correction as residuals are, and as errors elsewhere are; that with the noise of the pairs that
    // were not asked for; and the latter alone, if all are independent.
    let (sums, [of_correction, of_errors, with_unseen, unseen_alone]) = map.apply(
        &[&seen, &unseen],
        [
            &squares(1.0, &|p| (1.0 - p).powi(3)),
            &squares(mixture.inflation, &|p| (1.0 - p).powi(3)),
            &squares(elsewhere, &|p| 1.0 - p),
            &squares(elsewhere, &|p| p * (1.0 - p)),
        ],
    );
    let total = |list: &[f64]| list.iter().sum::<f64>();
    // γ: the correction is shrunk by its noise, or by what is doubtful about the models if that shrinks it less.
    let length: f64 = sums[1].iter().map(|b| b * b).sum();
    let excess = total(&mixture.variances) - total(&mixture.posterior_variances);
    let by_length = 1.0 - total(&of_correction) / length.max(1e-300);
    let by_doubt = excess / (excess + total(&of_errors)).max(1e-300);
    let share = match (is_on(Device::Correction), is_on(Device::Shrinkage)) {
        (false, _) => 0.0,
        (true, false) => 1.0,
        (true, true) => by_length.max(by_doubt).max(0.0),
    };
    let mut values: Vec<f64> =
        (0..n).map(|player| mixture.values[player] + sums[0][player] + share * sums[1][player]).collect();
    let missing = (2.0 * y[0] - total(&values)) / n as f64;
    values.iter_mut().for_each(|value| *value += missing);
    let shrunk = |player: usize| {
        let of_model = mixture.variances[player].max(unseen_alone[player]);
        (1.0 - share) * of_model + share * with_unseen[player]
    };
    // A correction that is shrunk is, over all players, no worse than one that is not (James & Stein 1961).
    let most = total(&with_unseen) / (0..n).map(shrunk).sum::<f64>().max(f64::MIN_POSITIVE);
    let at_most = if is_on(Device::Bound) { most.min(1.0) } else { 1.0 };
    let variance = |player: usize| at_most * shrunk(player);
    // Where complements were inferred, that counts them already.
    let of_few_values = if all_whole { variance_of_few_values(y, &inclusion) } else { 0.0 };
    // A model that explains nearly all of what is not linear may do so by chance, too.
    let left: f64 = inclusion.iter().zip(&left_out).map(|(p, left)| (1.0 - p) * left * left).sum();
    let weight: f64 = inclusion.iter().map(|p| 1.0 - p).sum();
    let is_exact = pairs < FEW_PAIRS * n && left < (EXACT_FIT * not_linear).powi(2) * weight;
    let of_exact_fit = if is_exact { surprise(not_linear, &inclusion).powi(2) } else { 0.0 };
    (values, (0..n).map(|player| variance(player) + of_few_values.max(of_exact_fit)).collect())
}

/// What a game of few distinct values can hide, from the odd halves of (N, ∅) and of pairs, and their inclusion
/// probabilities. Where d takes only a few values, a model may predict all pairs that were asked for by chance, and
/// residuals of zero say little. After m pairs without a surprise, the share p of pairs that would be one has a density
/// of m exp(−m p), and a mean square of 2/m². If they all are off by a step between two values, in favour of one
/// player, that player's value is off by 2 p steps.
pub(super) fn variance_of_few_values(y: &[f64], inclusion: &[f64]) -> f64 {
    // d of (∅, N) is the opposite of that of (N, ∅).
    let sorted = sorted(y.iter().copied().chain([-y[0]]));
    let (distinct, pairs) = (distinct(&sorted), y.len() - 1);
    if !is_few(distinct, pairs) {
        return 0.0;
    }
    let range = sorted[sorted.len() - 1] - sorted[0];
    surprise(range / (distinct - 1).max(1) as f64, inclusion).powi(2)
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

/// The standard error of a value if all surprises that these pairs leave room for are off by a step, in favour of one
/// player.
fn surprise(step: f64, inclusion: &[f64]) -> f64 {
    let pairs = inclusion.len() as f64;
    let unseen = 1.0 - inclusion.iter().sum::<f64>() / pairs;
    8.0_f64.sqrt() * step * unseen / pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::generator;

    fn odd_parts(design: &PairedDesign, of: impl Fn(&[u64]) -> f64) -> Vec<f64> {
        design.rows.iter().map(|row| of(row.words())).collect()
    }

    /// Numbers of no meaning, of the size of one.
    fn noise(row: &[u64]) -> f64 {
        let mixed = (row[0] ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    #[test]
    fn values_sum_to_what_there_is_to_share() {
        for (n, pairs, grand) in [(2, 1, 3.0), (5, 9, -1.0), (9, 40, 0.0), (12, 60, 1e200), (12, 60, 1e-200)] {
            let design = PairedDesign::new(n, pairs, 3);
            let odd = odd_parts(&design, |row| grand * noise(row));
            let pairs = PairValues { odd: &odd, even: None, grand, not_linear: 0.0 };
            let model = estimate(&design, pairs, &mut generator(3, 1));
            for found in [model, least_squares(&design, &odd, grand)] {
                let sum: f64 = found.values.iter().sum();
                assert!((sum - 2.0 * grand).abs() <= 1e-12 * grand.abs(), "n {n}: {sum} {grand}");
                assert!(found.std_errors.iter().all(|error| *error >= 0.0 && error.is_finite()));
            }
        }
    }

    /// A sum of the members' weights is found exactly, and is sure.
    #[test]
    fn sums_are_exact() {
        let (n, pairs) = (12, 60);
        for seed in 0..5 {
            let design = PairedDesign::new(n, pairs, seed);
            let weight =
                |row: &[u64]| -> f64 { (0..n).map(|k| k as f64 * if row[0] >> k & 1 == 1 { 0.5 } else { -0.5 }).sum() };
            let odd = odd_parts(&design, weight);
            let even: Vec<f64> = design.rows.iter().map(|row| 0.1 * noise(row.words())).collect();
            for even in [None, Some(&even[..])] {
                let pairs = PairValues { odd: &odd, even, grand: weight(&[(1 << n) - 1]), not_linear: 0.0 };
                let found = estimate(&design, pairs, &mut generator(seed, 1));
                for (player, value) in found.values.iter().enumerate() {
                    assert!((value - player as f64).abs() < 1e-4, "{player}: {value}");
                }
            }
        }
    }
}
