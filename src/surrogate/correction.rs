//! From pairs and their values to Shapley values: the model, corrected by what it leaves, and how sure it is.

use super::design::PairedDesign;
use super::fit::Data;
use super::kernel::Rows;
use super::regression::PairedRegression;
use super::selection::{Model, Start};
use crate::Coalition;
use crate::engine::Random;

/// The largest number of pairs that the model is fitted to; other pairs only correct it.
const MODEL_ROWS: usize = 2000;

/// The part of a correction that counts as noise: 2 times its variance.
const NOISE_ALLOWED: f64 = 2.0;

/// The fit is repeated if (squared size of the correction − noise) / posterior variance is above this. (Of 30 fits to a
/// vote, two had errors of six and twenty times the median. Their ratios were 9 and 12, those of the others up to 5.)
const MOST_DISAGREEMENT: f64 = 5.0;

/// Where errors are so small a part of the values that a pull would gain next to nothing, there is none: variances are
/// often too large, and the pull would then be the error.
const LITTLE_DOUBT: f64 = 0.05;

/// Values and standard errors of one output.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub(super) values: Vec<f64>,
    pub(super) std_errors: Vec<f64>,
}

/// The weights of least squares whose solution over all pairs is the Shapley value, over the chance to be in the
/// design: those of the Shapley kernel, (s − 1)! (n − s − 1)! / (n − 2)!. Times the number of coalitions of the size
/// that is n (n − 1) / (s (n − s)), where nothing is out of range.
pub(super) fn shapley_weights(design: &PairedDesign) -> Vec<f64> {
    let n = design.players;
    let weight = |size: usize| {
        // Of two coalitions of the same size one stands for the pair.
        let pairs = if 2 * size == n { 0.5 } else { 1.0 };
        pairs * (n * (n - 1)) as f64 / (size * (n - size)) as f64 / design.expected()[size.min(n - size) - 1]
    };
    (0..design.len()).map(|pair| weight(design.size(pair))).collect()
}

/// The Gram matrix of these least squares over all pairs is so many times the identity, on vectors that sum to zero.
/// For the rows of size s, centred and halved, have the squared length s (n − s) / n, and weights as above: n − 1 for
/// each size, of which each pair has two, spread over n − 1 dimensions.
pub(super) fn gram_of_all(players: usize) -> f64 {
    (players - 1) as f64 / 2.0
}

/// (N, ∅) and the pairs, in units of their root mean square; none if all are zero.
fn scaled(odd: &[f64], grand: f64) -> Option<(f64, Vec<f64>)> {
    // In two steps, since squares of large numbers overflow.
    let largest = odd.iter().fold(grand.abs(), |most, d| most.max(d.abs()));
    if largest <= 0.0 {
        return None;
    }
    let y: Vec<f64> = std::iter::once(&grand).chain(odd).map(|d| d / largest).collect();
    let root = (y.iter().map(|d| d * d).sum::<f64>() / y.len() as f64).sqrt();
    Some((largest * root, y.iter().map(|d| d / root).collect()))
}

/// Least squares alone: the values that explain the odd parts best, and what their residuals say of the errors.
pub(super) fn regression(design: &PairedDesign, odd: &[f64], grand: f64) -> Values {
    let n = design.players;
    let Some((scale, y)) = scaled(odd, grand) else {
        return Values { values: vec![0.0; n], std_errors: vec![0.0; n] };
    };
    let rows = Rows::new(n, design.rows.iter().map(Coalition::words));
    let weights = shapley_weights(design);
    let regression = PairedRegression::new(&rows, &weights);
    // Of what the equal split leaves.
    let equal = 2.0 * y[0] / n as f64;
    let rest: Vec<f64> = (0..rows.len()).map(|row| y[1 + row] - equal * f64::from(rows.balance[row]) / 2.0).collect();
    let (sums, []) = regression.apply(&[&rest], []);
    let leverages = regression.leverages();
    let left = |row: usize| {
        let said: f64 = (0..n).map(|player| rows.sign(row, player) * sums[0][player]).sum::<f64>() / 2.0;
        // What it would be if the pair had not been asked for: residuals are smaller where a pair pulls the fit. Where
        // it is all that the fit has, there is nothing else to go by than the number itself.
        match 1.0 - leverages[row] {
            free if free > 1e-9 => (rest[row] - said) / free,
            _ => rest[row],
        }
    };
    let left: Vec<f64> = (0..rows.len()).map(left).collect();
    let undrawn: Vec<f64> = (1..=n / 2).map(|size| 1.0 - design.inclusion(size)).collect();
    let variances = regression.variances(&left, |row| design.size(row).min(n - design.size(row)) - 1, &undrawn);
    // They sum to zero already, up to the conditioning of the matrix.
    let missing = sums[0].iter().sum::<f64>() / n as f64;
    Values {
        values: sums[0].iter().map(|value| scale * (equal + (value - missing))).collect(),
        std_errors: variances.iter().map(|variance| scale * variance.sqrt()).collect(),
    }
}

/// The values of a game of at least two players whose odd part is known on a design's pairs, and on (N, ∅).
pub(super) fn values(design: &PairedDesign, odd: &[f64], grand: f64, random: &mut Random) -> Values {
    let n = design.players;
    let pairs = design.len();
    let Some((scale, y)) = scaled(odd, grand) else {
        return Values { values: vec![0.0; n], std_errors: vec![0.0; n] };
    };
    let inclusion: Vec<f64> = (0..pairs).map(|pair| design.inclusion(design.size(pair))).collect();
    let rows = Rows::new(n, design.rows.iter().map(Coalition::words));
    let mut all = vec![u64::MAX; n.div_ceil(64)];
    if let (Some(last), used @ 1..) = (all.last_mut(), n % 64) {
        *last = (1 << used) - 1;
    }
    // What noise on the pairs that were not seen adds to the variance of a value.
    let mut choose = 1.0;
    let mut unseen = 0.0;
    for size in 1..n {
        unseen += 4.0 * (1.0 - design.inclusion(size)) / ((n * n) as f64 * choose);
        choose = choose * (n - size) as f64 / size as f64;
    }
    let in_model: Vec<usize> =
        if pairs < MODEL_ROWS { (0..pairs).collect() } else { random.choose(MODEL_ROWS - 1, pairs) };
    let model_rows = std::iter::once(all.as_slice()).chain(in_model.iter().map(|&pair| rows.words(pair)));
    let data = Data {
        rows: Rows::new(n, model_rows),
        y: std::iter::once(y[0]).chain(in_model.iter().map(|&pair| y[1 + pair])).collect(),
        noisy: std::iter::once(0.0).chain(in_model.iter().map(|_| 1.0)).collect(),
    };
    let weights = shapley_weights(design);
    let sample = Sample {
        rows: &rows,
        y: &y,
        in_model: &in_model,
        inclusion: &inclusion,
        regression: PairedRegression::with_gram(&rows, &weights, gram_of_all(n)),
        all_pairs: (1..n).map(|size| design.population(size)).sum::<f64>() / 2.0,
    };
    let mut fit = |start| Some(sample.correct(&Model::fit(&data, unseen, start, random)?));
    let Some(mut best) = fit(Start::Early) else { return regression(design, odd, grand) };
    if best.disagreement > MOST_DISAGREEMENT
        && let Some(other) = fit(Start::Late)
        && other.disagreement < best.disagreement
    {
        best = other;
    }
    let Corrected { values, variances, .. } = best;
    let total = |list: &[f64]| list.iter().sum::<f64>();
    let mean = total(&values) / n as f64;
    let signal: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    // Towards the equal split, as far as that is expected to lower the error.
    let doubt = total(&variances) / signal.max(1e-300);
    let keep = 1.0 - ((doubt - LITTLE_DOUBT) / (1.0 - LITTLE_DOUBT)).clamp(0.0, 1.0);
    Values {
        values: values.iter().map(|value| scale * (mean + keep * (value - mean))).collect(),
        std_errors: variances.iter().map(|variance| scale * variance.sqrt()).collect(),
    }
}

/// What there is to correct a model by. Numbers are of pairs, in the order of the design.
struct Sample<'a> {
    rows: &'a Rows,
    /// (N, ∅), and the pairs after it.
    y: &'a [f64],
    /// The pairs that a model knows.
    in_model: &'a [usize],
    inclusion: &'a [f64],
    regression: PairedRegression<'a>,
    /// The number of all pairs that there are.
    all_pairs: f64,
}

/// A model's values, corrected, in the model's units.
struct Corrected {
    values: Vec<f64>,
    variances: Vec<f64>,
    /// How much more the residuals change the values than their noise does, over what the model's posterior allows for.
    disagreement: f64,
}

impl Sample<'_> {
    fn correct(&self, model: &Model) -> Corrected {
        let (n, pairs) = (self.rows.players, self.rows.len());
        let (mut left_out, mut own) = (vec![f64::NAN; pairs], vec![f64::NAN; pairs]);
        let mut fitted = vec![false; pairs];
        for (place, &pair) in self.in_model.iter().enumerate() {
            (left_out[pair], own[pair], fitted[pair]) = (model.left_out[place], model.own[place], model.fitted[place]);
        }
        let others: Vec<usize> = (0..pairs).filter(|&pair| left_out[pair].is_nan()).collect();
        for block in others.chunks(2000) {
            for (&pair, said) in block.iter().zip(model.predict(&self.rows.select(block))) {
                left_out[pair] = self.y[1 + pair] - said;
                own[pair] = left_out[pair];
            }
        }
        let seen_part: Vec<f64> = self.inclusion.iter().zip(&own).map(|(p, own)| p * own).collect();
        let unseen_part: Vec<f64> = self.inclusion.iter().zip(&left_out).map(|(p, left)| (1.0 - p) * left).collect();
        // Where most pairs have been seen, one that is left out is as the few that have not; a third that is held out
        // is not.
        let of_unseen = 1.0 + (model.inflation - 1.0) * (1.0 - pairs as f64 / self.all_pairs);
        // Residuals of pairs that hyper-parameters were fitted to are smaller than those of others: by how much is
        // known on average, and not of each.
        let count = fitted.iter().filter(|fitted| **fitted).count().max(1) as f64;
        let of_fitted = left_out.iter().zip(&fitted).filter(|(_, fitted)| **fitted);
        let mean = of_fitted.map(|(left, _)| left * left).sum::<f64>() / count;
        let squares = |inflation: f64, of: &dyn Fn(f64) -> f64| -> Vec<f64> {
            let rows = self.inclusion.iter().zip(&left_out).zip(&fitted);
            rows.map(|((p, left), fitted)| {
                of(*p) * (left * left + f64::from(u8::from(*fitted)) * (inflation - 1.0) * mean)
            })
            .collect()
        };
        // The noise of the correction as the residuals are, and as they would be elsewhere; that with the noise of the
        // unseen pairs themselves; and the latter alone, if all of them are independent.
        let (sums, [noise, fair_noise, with_unseen, unseen_alone]) = self.regression.apply(
            &[&seen_part, &unseen_part],
            [
                &squares(1.0, &|p| (1.0 - p).powi(3)),
                &squares(model.inflation, &|p| (1.0 - p).powi(3)),
                &squares(of_unseen, &|p| 1.0 - p),
                &squares(of_unseen, &|p| p * (1.0 - p)),
            ],
        );
        let total = |list: &[f64]| list.iter().sum::<f64>();
        let correction: f64 = sums[1].iter().map(|b| b * b).sum();
        let posterior = total(&model.posterior_variances);
        let excess = total(&model.variances) - posterior;
        let by_size = 1.0 - total(&noise) / correction.max(1e-300);
        let by_distrust = excess / (excess + total(&fair_noise)).max(1e-300);
        let share = by_size.max(by_distrust).max(0.0);
        let mut values: Vec<f64> =
            (0..n).map(|player| model.values[player] + sums[0][player] + share * sums[1][player]).collect();
        let missing = (2.0 * self.y[0] - total(&values)) / n as f64;
        values.iter_mut().for_each(|value| *value += missing);
        let variance = |player: usize| {
            let of_model = model.variances[player].max(unseen_alone[player]);
            (1.0 - share) * of_model + share * with_unseen[player]
        };
        let surprise = correction - NOISE_ALLOWED * total(&noise);
        Corrected { values, variances: (0..n).map(variance).collect(), disagreement: surprise / posterior.max(1e-300) }
    }
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
            let model = values(&design, &odd, grand, &mut generator(3, 1));
            for found in [model, regression(&design, &odd, grand)] {
                let sum: f64 = found.values.iter().sum();
                assert!((sum - 2.0 * grand).abs() <= 1e-12 * grand.abs(), "n {n}: {sum} {grand}");
                assert!(found.std_errors.iter().all(|error| *error >= 0.0 && error.is_finite()));
            }
        }
    }

    /// Where everything is noise, the least error is that of the equal split or near it; where nothing is, nothing is
    /// pulled.
    #[test]
    fn noise_is_pulled_to_the_equal_split_and_signal_is_not() {
        let (n, pairs) = (12, 60);
        for seed in 0..5 {
            let design = PairedDesign::new(n, pairs, seed);
            let odd = odd_parts(&design, noise);
            let free = regression(&design, &odd, 0.0).values;
            let pulled = values(&design, &odd, 0.0, &mut generator(seed, 1)).values;
            let length = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>();
            assert!(length(&pulled) < 0.5 * length(&free), "{} {}", length(&pulled), length(&free));
            let weight =
                |row: &[u64]| -> f64 { (0..n).map(|k| k as f64 * if row[0] >> k & 1 == 1 { 0.5 } else { -0.5 }).sum() };
            let odd = odd_parts(&design, weight);
            let found = values(&design, &odd, weight(&[(1 << n) - 1]), &mut generator(seed, 1)).values;
            for (player, value) in found.iter().enumerate() {
                assert!((value - player as f64).abs() < 1e-4, "{player}: {value}");
            }
        }
    }
}
