//! Least squares on pairs: Shapley values that explain the odd parts of values best, weighted.

use faer::Mat;
use faer::linalg::solvers::SelfAdjointEigen;

use super::constants::FEWEST_OF_STRATUM;
use super::design::PairedDesign;
use super::linear::{dot, times};
use super::rows::Rows;

/// The number of rows that are in memory at once, as numbers.
const BLOCK: usize = 4096;

/// Weighted least squares of numbers, one for each row, on the rows: what each number adds to each player's value.
///
/// The model is z(S) = Σ x_i φ_i / 2, where x is ±1 and the φ sum to zero. Its coefficients are linear in z, and this
/// finds which linear function they are.
#[derive(Debug)]
pub(super) struct LinearMap<'a> {
    rows: &'a Rows,
    weights: &'a [f64],
    /// The pseudo-inverse of the Gram matrix.
    inverse: Mat<f64>,
    /// Vectors that sum to zero and span the directions of which the rows say nothing: one more than there are of these,
    /// if there are any, whose squares sum to the squared lengths of unit vectors there.
    unseen: Mat<f64>,
}

impl<'a> LinearMap<'a> {
    pub(super) fn new(rows: &'a Rows, weights: &'a [f64]) -> Self {
        let n = rows.players;
        let mut gram = Mat::<f64>::zeros(n, n);
        for start in (0..rows.len()).step_by(BLOCK) {
            let plain = centred(rows, start, None);
            let weighted = centred(rows, start, Some(weights));
            gram += times(weighted.transpose(), plain.as_ref());
        }
        let (inverse, unseen) = pseudo_inverse(&gram);
        Self { rows, weights, inverse, unseen }
    }

    /// The number of directions of which the rows say nothing: of those that sum to zero.
    pub(super) fn unseen_directions(&self) -> usize {
        self.unseen.ncols().saturating_sub(1)
    }

    /// What the rows do not tell of each coefficient: the squared length of its unit vector in the directions of which
    /// they say nothing.
    pub(super) fn unseen(&self) -> Vec<f64> {
        (0..self.rows.players)
            .map(|player| (0..self.unseen.ncols()).map(|k| self.unseen[(player, k)].powi(2)).sum())
            .collect()
    }

    /// How much each number adds to what the fit says of its own row.
    pub(super) fn leverages(&self) -> Vec<f64> {
        let mut leverages = Vec::with_capacity(self.rows.len());
        for start in (0..self.rows.len()).step_by(BLOCK) {
            let plain = centred(self.rows, start, None);
            let parts = times(plain.as_ref(), self.inverse.as_ref());
            for row in 0..plain.nrows() {
                let sum: f64 = (0..plain.ncols()).map(|player| plain[(row, player)] * parts[(row, player)]).sum();
                leverages.push(sum * self.weights[start + row]);
            }
        }
        leverages
    }

    /// The variance of each coefficient, where rows were drawn without replacement from strata, a certain number from
    /// each: the sum over strata of so much of the squared deviations of the rows' parts from their mean as was not
    /// drawn, times m / (m − 1). Of few rows the mean is as uncertain as they are: those of such a stratum count whole.
    pub(super) fn variances(&self, numbers: &[f64], stratum: impl Fn(usize) -> usize, undrawn: &[f64]) -> Vec<f64> {
        let n = self.rows.players;
        let mut counts = vec![0_u64; undrawn.len()];
        let mut sums = vec![vec![(0.0, 0.0); n]; undrawn.len()];
        for start in (0..self.rows.len()).step_by(BLOCK) {
            let weighted = centred(self.rows, start, Some(self.weights));
            let parts = times(weighted.as_ref(), self.inverse.as_ref());
            for row in 0..parts.nrows() {
                let stratum = stratum(start + row);
                counts[stratum] += 1;
                for (player, (sum, squares)) in sums[stratum].iter_mut().enumerate() {
                    let part = parts[(row, player)] * numbers[start + row];
                    *sum += part;
                    *squares += part * part;
                }
            }
        }
        let mut variances = vec![0.0; n];
        for ((sums, &count), undrawn) in sums.iter().zip(&counts).zip(undrawn) {
            let m = count as f64;
            for (variance, (sum, squares)) in variances.iter_mut().zip(sums) {
                let spread = if count >= FEWEST_OF_STRATUM {
                    (squares - sum * sum / m).max(0.0) * m / (m - 1.0)
                } else {
                    *squares
                };
                *variance += undrawn * spread;
            }
        }
        variances
    }

    /// The coefficients that the numbers have.
    pub(super) fn apply(&self, numbers: &[f64]) -> Vec<f64> {
        let n = self.rows.players;
        let mut sums = vec![0.0; n];
        for start in (0..self.rows.len()).step_by(BLOCK) {
            let weighted = centred(self.rows, start, Some(self.weights));
            let parts = times(weighted.as_ref(), self.inverse.as_ref());
            for (player, sum) in sums.iter_mut().enumerate() {
                *sum += dot(parts.col_as_slice(player), &numbers[start..start + parts.nrows()]);
            }
        }
        sums
    }
}

/// The weight of a pair whose smaller coalition has this size, in least squares whose solution over all pairs is the
/// Shapley value: (s − 1)! (n − s − 1)! / (n − 2)! over the expected number of its size in the design. Times the number
/// of coalitions of the size the former is n (n − 1) / (s (n − s)), where nothing is out of range.
pub(super) fn shapley_weight(players: usize, smaller: usize, expected: f64) -> f64 {
    // Of two coalitions of the same size one stands for the pair.
    let pairs = if 2 * smaller == players { 0.5 } else { 1.0 };
    pairs * (players * (players - 1)) as f64 / (smaller * (players - smaller)) as f64 / expected
}

/// Those of all pairs of a design.
pub(super) fn shapley_weights(design: &PairedDesign) -> Vec<f64> {
    let smaller = |pair| design.size(pair).min(design.players - design.size(pair));
    let weight = |size: usize| shapley_weight(design.players, size, design.expected()[size - 1]);
    (0..design.len()).map(|pair| weight(smaller(pair))).collect()
}

/// Half the rows' signs less their mean over players, each row times its weight.
fn centred(rows: &Rows, start: usize, weights: Option<&[f64]>) -> Mat<f64> {
    let n = rows.players as f64;
    let len = BLOCK.min(rows.len() - start);
    Mat::from_fn(len, rows.players, |row, player| {
        let row = start + row;
        let half = (rows.sign(row, player) - f64::from(rows.balance[row]) / n) / 2.0;
        weights.map_or(half, |weights| half * weights[row])
    })
}

/// Of a symmetric positive semidefinite matrix, one of whose eigenvectors is that of ones, with an eigenvalue of zero;
/// and the other eigenvectors of this kind.
fn pseudo_inverse(matrix: &Mat<f64>) -> (Mat<f64>, Mat<f64>) {
    let n = matrix.nrows();
    let nothing = || (Mat::zeros(n, n), Mat::from_fn(n, n, |i, j| if i == j { 1.0 } else { 0.0 }));
    let Ok(eigen) = SelfAdjointEigen::new(matrix.as_ref(), faer::Side::Lower) else { return nothing() };
    let values: Vec<f64> = (0..n).map(|k| eigen.S().column_vector()[k]).collect();
    let least = values.iter().fold(0.0_f64, |most, v| most.max(*v)) * 1e-10;
    let vectors = eigen.U();
    let scaled = Mat::from_fn(n, n, |row, k| if values[k] > least { vectors[(row, k)] / values[k] } else { 0.0 });
    // Of the eigenspace of zero, what is at right angles to the vector of ones: the projections span it.
    let zeros: Vec<usize> = (0..n).filter(|&k| values[k] <= least).collect();
    let mean = |k: usize| (0..n).map(|row| vectors[(row, k)]).sum::<f64>() / n as f64;
    let unseen = if zeros.len() < 2 {
        Mat::zeros(n, 0)
    } else {
        Mat::from_fn(n, zeros.len(), |row, k| vectors[(row, zeros[k])] - mean(zeros[k]))
    };
    (times(scaled.as_ref(), vectors.transpose()), unseen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::generator;
    use crate::{Coalition, Exact, from_fn};

    /// Least squares of all pairs have the Shapley values; and their Gram matrix is a multiple of the identity on
    /// vectors that sum to zero: the rows of size s, centred and halved, have the squared length s (n − s) / n, which
    /// with the weights is n − 1 for each size, of which each pair has two, spread over n − 1 dimensions.
    #[test]
    fn all_pairs_have_the_shapley_values() {
        for n in [2, 3, 4, 7, 8] {
            let mut random = generator(n as u64, 6);
            let all = (1_usize << n) - 1;
            let mut odd = vec![0.0; all + 1];
            for mask in 1..=all / 2 {
                odd[mask] = random.unit() - 0.5;
                odd[all ^ mask] = -odd[mask];
            }
            let game = from_fn(n, |s| odd[s.mask().unwrap() as usize]);
            let values = Exact::new().threads(1).solve(&game).unwrap().into_values();
            let design = PairedDesign::new(n, (1 << (n - 1)) - 1, 0);
            let rows = Rows::new(n, design.rows.iter().map(Coalition::words));
            let weights = shapley_weights(&design);
            let map = LinearMap::new(&rows, &weights);
            for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                let identity = if i == j { 1.0 } else { 0.0 };
                let want = (identity - 1.0 / n as f64) / ((n - 1) as f64 / 2.0);
                assert!((map.inverse[(i, j)] - want).abs() < 1e-12, "n {n}: {} {want}", map.inverse[(i, j)]);
            }
            let numbers: Vec<f64> = design.rows.iter().map(|row| odd[row.words()[0] as usize]).collect();
            let sums = map.apply(&numbers);
            (0..n).for_each(|player| assert!((sums[player] - values[player]).abs() < 1e-12));
        }
    }
}
