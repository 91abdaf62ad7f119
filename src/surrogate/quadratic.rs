//! Games whose even half is a quadratic function: those of orders up to two, and of higher odd orders beside.

use faer::Mat;

use super::constants::{LEAST_PIVOT, MOST_LEFT, MOST_QUADRATIC};
use super::design::PairedDesign;
use super::functional::Functional;
use super::linear::{Factor, dot, times};
use super::rows::Rows;
use crate::Coalition;

/// The function Σ a_ij x_i x_j of x = ±1, and a constant.
#[derive(Debug)]
pub(super) struct Quadratic {
    constant: f64,
    /// For i < j, in lexicographic order.
    pairs: Vec<f64>,
}

impl Quadratic {
    /// The one that all even halves meet, up to rounding: of (N, ∅), where it is 0, and of at least one pair more than
    /// there are coefficients. None if there is none, or if it would take long to find.
    pub(super) fn new(design: &PairedDesign, even: &[f64]) -> Option<Self> {
        let n = design.players;
        let unknowns = n * (n - 1) / 2 + 1;
        if design.len() < unknowns || unknowns > MOST_QUADRATIC {
            return None;
        }
        let grand = Coalition::grand(n);
        let rows = Rows::new(n, std::iter::once(&grand).chain(&design.rows).map(Coalition::words));
        let numbers: Vec<f64> = std::iter::once(0.0).chain(even.iter().copied()).collect();
        let signs = rows.signs();
        let mut features = Mat::<f64>::zeros(rows.len(), unknowns);
        features.col_as_slice_mut(0).fill(1.0);
        for (place, (i, j)) in (1..).zip((0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)))) {
            let both = signs.col_as_slice(i).iter().zip(signs.col_as_slice(j));
            features.col_as_slice_mut(place).iter_mut().zip(both).for_each(|(product, (x, y))| *product = x * y);
        }
        // Where pairs are few they may not tell all coefficients, however many there are.
        let factor = Factor::new(times(features.transpose(), features.as_ref()))?;
        if factor.smallest_pivot() < LEAST_PIVOT * rows.len() as f64 {
            return None;
        }
        let largest = numbers.iter().fold(0.0_f64, |most, number| most.max(number.abs()));
        let mut found = vec![0.0; unknowns];
        // Twice: normal equations lose half of the digits, which a second solution of what is left gives back.
        for _ in 0..2 {
            let left = left(&features, &found, &numbers);
            let moments: Vec<f64> = (0..unknowns).map(|place| dot(features.col_as_slice(place), &left)).collect();
            found.iter_mut().zip(factor.solve(&moments)).for_each(|(found, more)| *found += more);
        }
        let is_met = left(&features, &found, &numbers).iter().all(|left| left.abs() <= MOST_LEFT * largest);
        is_met.then(|| Self { constant: found[0], pairs: found.split_off(1) })
    }

    /// A linear function of it.
    pub(super) fn of(&self, functional: &Functional) -> Vec<f64> {
        let n = functional.players;
        let moments = functional.moments();
        let moment = |order: usize| moments.get(order).copied().unwrap_or_default();
        match functional.order {
            0 => vec![self.constant * moment(0) + self.pairs.iter().sum::<f64>() * moment(2)],
            1 => {
                let mut values = vec![0.0; n];
                let all = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
                for ((i, j), pair) in all.zip(&self.pairs) {
                    values[i] += 2.0 * pair * moment(1);
                    values[j] += 2.0 * pair * moment(1);
                }
                values
            }
            _ => self.pairs.iter().map(|pair| 4.0 * pair * moment(0)).collect(),
        }
    }
}

/// What a function leaves of the numbers.
fn left(features: &Mat<f64>, found: &[f64], numbers: &[f64]) -> Vec<f64> {
    let coefficients = Mat::from_fn(found.len(), 1, |place, _| found[place]);
    let said = times(features.as_ref(), coefficients.as_ref());
    numbers.iter().zip(said.col_as_slice(0)).map(|(number, said)| number - said).collect()
}
