//! From pairs and their values to Shapley values: the model, corrected by what it leaves, and how sure it is.

use super::choice::Model;
use super::design::PairedDesign;
use super::fit::Data;
use super::kernel::Rows;
use super::random::Random;
use super::regression::PairedRegression;

/// The posterior is of at most so many rows; other pairs only correct it.
const MODEL_ROWS: usize = 1000;

/// Values and standard errors of one output.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub(super) values: Vec<f64>,
    pub(super) std_errors: Vec<f64>,
}

/// The weights of least squares whose solution over all pairs is the Shapley value: those of the Shapley kernel
/// (s − 1)! (n − s − 1)!, over the chance to be in the design.
fn shapley_weights(design: &PairedDesign) -> Vec<f64> {
    let n = design.players();
    let mut log_factorials = vec![0.0];
    for k in 1..n {
        log_factorials.push(log_factorials[k - 1] + (k as f64).ln());
    }
    let log = |size: usize| log_factorials[size - 1] + log_factorials[n - size - 1];
    let most = log(1);
    let by_size: Vec<f64> = (1..n).map(|size| (log(size) - most).exp() / design.inclusion(size)).collect();
    (0..design.len()).map(|pair| by_size[design.size(pair) - 1]).collect()
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
    let n = design.players();
    let Some((scale, y)) = scaled(odd, grand) else {
        return Values { values: vec![0.0; n], std_errors: vec![0.0; n] };
    };
    let rows = Rows::new(n, design.rows().iter().map(Vec::as_slice));
    let weights = shapley_weights(design);
    let regression = PairedRegression::new(&rows, &weights);
    // Of what the equal split leaves.
    let equal = 2.0 * y[0] / n as f64;
    let rest: Vec<f64> = (0..rows.len()).map(|row| y[1 + row] - equal * f64::from(rows.balance[row]) / 2.0).collect();
    let (sums, _) = regression.apply(&[&rest], &vec![0.0; rows.len()]);
    let leverages = regression.leverages();
    let left = |row: usize| {
        let said: f64 = (0..n).map(|player| rows.sign(row, player) * sums[0][player]).sum::<f64>() / 2.0;
        // What it would be if the pair had not been asked for: residuals are smaller where a pair pulls the fit.
        (rest[row] - said) / (1.0 - leverages[row]).max(1e-3)
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
    let n = design.players();
    let pairs = design.len();
    let Some((scale, y)) = scaled(odd, grand) else {
        return Values { values: vec![0.0; n], std_errors: vec![0.0; n] };
    };
    let inclusion: Vec<f64> = (0..pairs).map(|pair| design.inclusion(design.size(pair))).collect();
    let rows = Rows::new(n, design.rows().iter().map(Vec::as_slice));
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
    let Some(model) = Model::fit(&data, unseen, random) else { return regression(design, odd, grand) };

    let (mut left_out, mut own) = (vec![f64::NAN; pairs], vec![f64::NAN; pairs]);
    for (place, &pair) in in_model.iter().enumerate() {
        (left_out[pair], own[pair]) = (model.left_out[place], model.own[place]);
    }
    let others: Vec<usize> = (0..pairs).filter(|&pair| left_out[pair].is_nan()).collect();
    for block in others.chunks(2000) {
        for (&pair, said) in block.iter().zip(model.predict(&rows.select(block))) {
            left_out[pair] = y[1 + pair] - said;
            own[pair] = left_out[pair];
        }
    }

    let weights = shapley_weights(design);
    let seen_part: Vec<f64> = inclusion.iter().zip(&own).map(|(p, own)| p * own).collect();
    let unseen_part: Vec<f64> = inclusion.iter().zip(&left_out).map(|(p, left)| (1.0 - p) * left).collect();
    let squares: Vec<f64> = inclusion.iter().zip(&left_out).map(|(p, left)| (1.0 - p).powi(3) * left * left).collect();
    let regression = PairedRegression::new(&rows, &weights);
    let (sums, noise) = regression.apply(&[&seen_part, &unseen_part], &squares);
    let total = |list: &[f64]| list.iter().sum::<f64>();
    let kappa = model.inflation;
    let correction = total(&sums[1].iter().map(|b| b * b).collect::<Vec<_>>());
    let excess = total(&model.variances) - total(&model.posterior_variances);
    let by_size = 1.0 - total(&noise) / correction.max(1e-300);
    let by_distrust = excess / (excess + kappa * total(&noise)).max(1e-300);
    let share = by_size.max(by_distrust).max(0.0);
    let mut values: Vec<f64> =
        (0..n).map(|player| model.values[player] + sums[0][player] + share * sums[1][player]).collect();
    let missing = (2.0 * y[0] - total(&values)) / n as f64;
    values.iter_mut().for_each(|value| *value += missing);
    let variances: Vec<f64> =
        (0..n).map(|player| (1.0 - share) * model.variances[player] + share * kappa * noise[player]).collect();
    let mean = total(&values) / n as f64;
    let signal: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let doubt = total(&variances) / signal.max(1e-300);
    let keep = 1.0 - (doubt - 0.25).clamp(0.0, 1.0);
    Values {
        values: values.iter().map(|value| scale * (mean + keep * (value - mean))).collect(),
        std_errors: variances.iter().map(|variance| scale * variance.sqrt()).collect(),
    }
}
