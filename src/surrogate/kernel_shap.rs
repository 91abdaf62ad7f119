//! What `KernelShap` estimates: least squares on pairs, without a model.

use super::constants::LEAST_FREE;
use super::correction::{Values, of_few_values, scaled};
use super::design::PairedDesign;
use super::least_squares::{LinearMap, shapley_weights};
use super::pair_weights::inclusions;
use super::rows::Rows;
use crate::Coalition;

/// Least squares alone: the values that explain the odd parts best, and what their residuals say of the errors; and
/// whether the pairs tell all values.
pub(super) fn least_squares(design: &PairedDesign, odd: &[f64], grand: f64) -> (Values, bool) {
    let n = design.players;
    let Some((scale, y)) = scaled(odd, grand) else {
        return (Values { values: vec![0.0; n], std_errors: vec![0.0; n] }, false);
    };
    let rows = Rows::new(n, design.rows.iter().map(Coalition::words));
    let weights = shapley_weights(design);
    let map = LinearMap::new(&rows, &weights);
    // Of what the equal split leaves.
    let equal = 2.0 * y[0] / n as f64;
    let rest: Vec<f64> = (0..rows.len()).map(|row| y[1 + row] - equal * f64::from(rows.balance[row]) / 2.0).collect();
    let sums = map.apply(&rest);
    let leverages = map.leverages();
    let left = |row: usize| {
        let said: f64 = (0..n).map(|player| rows.sign(row, player) * sums[player]).sum::<f64>() / 2.0;
        // What it would be if the pair had not been asked for: residuals are smaller where a pair pulls the fit. Where
        // it is all that the fit has, there is nothing else to go by than the number itself.
        match 1.0 - leverages[row] {
            free if free > LEAST_FREE => (rest[row] - said) / free,
            _ => rest[row],
        }
    };
    let left: Vec<f64> = (0..rows.len()).map(left).collect();
    let undrawn: Vec<f64> = (1..=n / 2).map(|size| 1.0 - design.inclusion(size)).collect();
    let variances = map.variances(&left, |row| design.size(row).min(n - design.size(row)) - 1, &undrawn);
    // A value is off by twice the part of the pairs that are.
    let of_few_values = (2.0 * of_few_values(&y, &inclusions(design))).powi(2);
    // Where pairs say nothing of a direction, the values may differ there by as much as they do in others.
    let seen = (n - 1).saturating_sub(map.unseen_directions()).max(1);
    let per_direction = sums.iter().map(|value| value * value).sum::<f64>() / seen as f64;
    let unseen: Vec<f64> = map.unseen().into_iter().map(|part| part * per_direction).collect();
    // They sum to zero already, up to the conditioning of the matrix.
    let missing = sums.iter().sum::<f64>() / n as f64;
    let variances = variances.iter().zip(unseen);
    let values = Values {
        values: sums.iter().map(|value| scale * (equal + (value - missing))).collect(),
        std_errors: variances.map(|(variance, unseen)| scale * (variance + unseen + of_few_values).sqrt()).collect(),
    };
    (values, map.unseen_directions() == 0)
}
