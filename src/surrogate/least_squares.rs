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
        Self { rows, weights, inverse: pseudo_inverse(&gram) }
    }

    /// With this multiple of the identity for a Gram matrix: that of all pairs there are, for numbers that are not
    /// nearly linear. The sums are then what the pairs of the sample say, each over its chance to be there, and free of
    /// bias whatever the numbers are (Horvitz & Thompson 1952, "A generalization of sampling without replacement from a
    /// finite universe", doi:10.1080/01621459.1952.10483446). With the sample's own matrix what small coalitions leave
    /// would be fitted by a line, and the line's error at all others be forgotten.
    pub(super) fn with_gram(rows: &'a Rows, weights: &'a [f64], gram: f64) -> Self {
        let n = rows.players;
        Self { rows, weights, inverse: Mat::from_fn(n, n, |i, j| if i == j { 1.0 / gram } else { 0.0 }) }
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

    /// For each list of numbers the coefficients, and for each list of squares the sum of each coefficient's squared
    /// parts.
    pub(super) fn apply<const K: usize>(
        &self,
        lists: &[&[f64]],
        squares: [&[f64]; K],
    ) -> (Vec<Vec<f64>>, [Vec<f64>; K]) {
        let n = self.rows.players;
        let mut sums = vec![vec![0.0; n]; lists.len()];
        let mut of_squares = [(); K].map(|()| vec![0.0; n]);
        for start in (0..self.rows.len()).step_by(BLOCK) {
            let weighted = centred(self.rows, start, Some(self.weights));
            let parts = times(weighted.as_ref(), self.inverse.as_ref());
            for player in 0..n {
                let part = parts.col_as_slice(player);
                for (list, sums) in lists.iter().zip(&mut sums) {
                    sums[player] += dot(part, &list[start..]);
                }
                for (list, sums) in squares.iter().zip(&mut of_squares) {
                    let both = part.iter().zip(&list[start..]);
                    sums[player] += both.map(|(part, square)| part * part * square).sum::<f64>();
                }
            }
        }
        (sums, of_squares)
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

/// The Gram matrix of these least squares over all pairs is this multiple of the identity, on vectors that sum to zero.
/// For the rows of size s, centred and halved, have the squared length s (n − s) / n, and weights as above: n − 1 for
/// each size, of which each pair has two, spread over n − 1 dimensions.
pub(super) fn gram_of_all(players: usize) -> f64 {
    (players - 1) as f64 / 2.0
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

/// Of a symmetric positive semidefinite matrix.
fn pseudo_inverse(matrix: &Mat<f64>) -> Mat<f64> {
    let n = matrix.nrows();
    let Ok(eigen) = SelfAdjointEigen::new(matrix.as_ref(), faer::Side::Lower) else { return Mat::zeros(n, n) };
    let values: Vec<f64> = (0..n).map(|k| eigen.S().column_vector()[k]).collect();
    let least = values.iter().fold(0.0_f64, |most, v| most.max(*v)) * 1e-10;
    let scaled = Mat::from_fn(n, n, |row, k| if values[k] > least { eigen.U()[(row, k)] / values[k] } else { 0.0 });
    times(scaled.as_ref(), eigen.U().transpose())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::generator;
    use crate::{Coalition, Exact, from_fn};

    /// Numbers of no meaning on pairs, as the odd part of a game; and its Shapley values.
    fn odd_game(n: usize) -> (Vec<f64>, Vec<f64>) {
        let mut random = generator(n as u64, 6);
        let all = (1_usize << n) - 1;
        let mut odd = vec![0.0; all + 1];
        for mask in 1..=all / 2 {
            odd[mask] = random.unit() - 0.5;
            odd[all ^ mask] = -odd[mask];
        }
        let solver = Exact::new().threads(1);
        let values = solver.solve(&from_fn(n, |s| odd[s.mask().unwrap() as usize])).unwrap().into_values();
        (odd, values)
    }

    #[test]
    fn the_gram_matrix_of_all_pairs_is_known() {
        for n in [2, 3, 4, 7, 8] {
            let design = PairedDesign::new(n, (1 << (n - 1)) - 1, 0);
            let rows = Rows::new(n, design.rows.iter().map(Coalition::words));
            let weights = shapley_weights(&design);
            let own = LinearMap::new(&rows, &weights);
            let gram = gram_of_all(n);
            for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                let identity = if i == j { 1.0 } else { 0.0 };
                let want = (identity - 1.0 / n as f64) / gram;
                assert!((own.inverse[(i, j)] - want).abs() < 1e-12, "n {n}: {} {want}", own.inverse[(i, j)]);
            }
            let (odd, values) = odd_game(n);
            let numbers: Vec<f64> = design.rows.iter().map(|row| odd[row.words()[0] as usize]).collect();
            let (sums, []) = LinearMap::with_gram(&rows, &weights, gram).apply(&[&numbers], []);
            (0..n).for_each(|player| assert!((sums[0][player] - values[player]).abs() < 1e-12));
        }
    }

    /// Over 1000 designs the mean is within five standard errors of the Shapley values, which has a chance below 10⁻⁵
    /// to fail for any of 15; seeds are fixed. And the squared errors are what the squares say, within a tenth.
    #[test]
    fn sums_of_samples_have_no_bias_and_the_variance_that_is_said() {
        for (n, pairs) in [(7, 20), (8, 60)] {
            let (odd, values) = odd_game(n);
            let seeds = 1000;
            let (mut means, mut squares, mut said) = (vec![0.0; n], vec![0.0; n], 0.0);
            for seed in 0..seeds {
                let design = PairedDesign::new(n, pairs, seed);
                let rows = Rows::new(n, design.rows.iter().map(Coalition::words));
                let weights = shapley_weights(&design);
                let numbers: Vec<f64> = design.rows.iter().map(|row| odd[row.words()[0] as usize]).collect();
                let unseen = |(pair, d): (usize, &f64)| (1.0 - design.inclusion(design.size(pair))) * d * d;
                let unseen: Vec<f64> = numbers.iter().enumerate().map(unseen).collect();
                let (sums, [variances]) =
                    LinearMap::with_gram(&rows, &weights, gram_of_all(n)).apply(&[&numbers], [&unseen]);
                said += variances.iter().sum::<f64>() / seeds as f64;
                for player in 0..n {
                    let off = sums[0][player] - values[player];
                    means[player] += off / seeds as f64;
                    squares[player] += off * off / seeds as f64;
                }
            }
            for player in 0..n {
                let error = (squares[player] / seeds as f64).sqrt();
                assert!(means[player].abs() < 5.0 * error, "n {n}, player {player}: {} {error}", means[player]);
            }
            let error: f64 = squares.iter().sum();
            assert!((said / error - 1.0).abs() < 0.1, "n {n}: {said} {error}");
        }
    }
}
