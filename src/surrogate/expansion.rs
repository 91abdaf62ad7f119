//! Products of linear factors, expanded by the number of factors: Π (a_k + b_k z).

use super::linear::dot;

/// The coefficients of Π (a_k + b_k z), up to each factor.
fn prefixes(a: &[f64], b: &[f64]) -> Vec<Vec<f64>> {
    let mut all = vec![vec![1.0]];
    for (a, b) in a.iter().zip(b) {
        let last = &all[all.len() - 1];
        let at = |place: usize| last.get(place).copied().unwrap_or(0.0);
        let next = (0..=last.len()).map(|k| a * at(k) + if k > 0 { b * at(k - 1) } else { 0.0 }).collect();
        all.push(next);
    }
    all
}

/// Σ over τ of a weight times the coefficient of z^τ in Π (a_k + b_k z).
pub(super) fn of_all(a: &[f64], b: &[f64], weights: &[f64]) -> f64 {
    prefixes(a, b).last().map_or(0.0, |all| dot_of_shorter(all, weights))
}

/// The same of the product of all factors but one, for each of them: the derivative of the sum by a_k, if there were a
/// factor more. In n² steps, since what the later factors make of the weights is known from the last one on.
pub(super) fn without_each(a: &[f64], b: &[f64], weights: &[f64]) -> Vec<f64> {
    let prefixes = prefixes(a, b);
    let mut weights = weights.to_vec();
    let mut without = vec![0.0; a.len()];
    for k in (0..a.len()).rev() {
        without[k] = dot_of_shorter(&prefixes[k], &weights);
        for place in 0..weights.len() {
            weights[place] = a[k] * weights[place] + b[k] * weights.get(place + 1).copied().unwrap_or(0.0);
        }
    }
    without
}

fn dot_of_shorter(a: &[f64], b: &[f64]) -> f64 {
    let len = a.len().min(b.len());
    dot(&a[..len], &b[..len])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::generator;

    #[test]
    fn a_product_without_one_factor_is_that_of_the_others() {
        for len in [1, 2, 5, 9] {
            let mut random = generator(len as u64, 5);
            let mut numbers = || (0..len).map(|_| random.unit() - 0.5).collect::<Vec<f64>>();
            let (a, b, weights) = (numbers(), numbers(), numbers());
            let without = without_each(&a, &b, &weights);
            for k in 0..len {
                let others = |of: &[f64]| [&of[..k], &of[k + 1..]].concat();
                let want = of_all(&others(&a), &others(&b), &weights);
                assert!((without[k] - want).abs() < 1e-14, "{len}, {k}: {} {want}", without[k]);
            }
        }
        // (1 + 2z) (3 − z) = 3 + 5z − 2z².
        assert!((of_all(&[1.0, 3.0], &[2.0, -1.0], &[1.0, 10.0, 100.0]) - (3.0 + 50.0 - 200.0)).abs() < 1e-12);
    }
}
