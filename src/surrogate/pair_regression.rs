//! A regression on all pairs of players, of what the models leave of pairs of coalitions that they do not know.
//!
//! The models of the even half are conditioned on 2000 pairs of coalitions. What they leave of all others is fitted by
//! Σ β_ij x_i x_j, where all β_ij are normal with mean zero and one variance: a ridge regression, solved by conjugate
//! gradients, since its matrix would have a row for each pair of players. Each half of the rows has a fit of its own,
//! by which the other half is predicted, and the coefficients are the mean of both fits.

use faer::{Mat, Scale};

use super::constants::{LEAST_STEP, MOST_STEPS};
use super::functional::Functional;
use super::linear::{dot, times};
use super::mixture::Said;
use super::rows::Rows;

/// Coefficients of all pairs of players.
#[derive(Debug)]
pub(super) struct PairRegression {
    /// Symmetric, with zeros on the diagonal.
    coefficients: Mat<f64>,
    /// The mean squared error of a coefficient, and by how much it was larger before the regression.
    error: f64,
    gain: f64,
}

impl PairRegression {
    /// Fits the residuals of some rows, and replaces each by the residual of the fit to the other half of the rows.
    /// None, and nothing is changed, if the residuals say nothing of pairs of players, or are not predicted better.
    pub(super) fn fit(rows: &Rows, left: &mut [f64]) -> Option<Self> {
        let (n, len) = (rows.players, left.len());
        let parts = [0, 1].map(|first| (first..len).step_by(2).collect::<Vec<_>>());
        let signs = parts.each_ref().map(|part| rows.select(part).signs());
        let right = [0, 1].map(|k| transposed(&signs[k], &parts[k].iter().map(|&row| left[row]).collect::<Vec<_>>()));
        // By moments: |X'y|² is m Σ y², and m² times the variance, for each coefficient. Below, less than a tenth of
        // the squares would be noise.
        let (m, count) = (len as f64, (n * n.saturating_sub(1) / 2) as f64);
        let square = dot(left, left) / m;
        let length =
            product(&right[0], &right[0]) + 2.0 * product(&right[0], &right[1]) + product(&right[1], &right[1]);
        let variance = ((length / count - m * square) / (m * m)).min(0.9 * square / count);
        // NaN for a single player, or where all is zero.
        if variance.is_nan() || variance <= 0.0 {
            return None;
        }
        let penalty = square / variance - count;
        let [a, b] = [0, 1].map(|k| solve(&signs[k], right[k].clone(), penalty));
        let mut after = left.to_vec();
        for (k, of_others) in [&b, &a].into_iter().enumerate() {
            parts[k].iter().zip(predictions(&signs[k], of_others)).for_each(|(&row, said)| after[row] -= said);
        }
        if dot(&after, &after) >= dot(left, left) {
            return None;
        }
        left.copy_from_slice(&after);
        // The covariance of a posterior mean with what it estimates is its own variance. The variance of the mean of
        // two fits is half of the variance of one, and half of their covariance.
        let own = (product(&a, &a) + product(&b, &b)) / 2.0 / count;
        let common = product(&a, &b) / count;
        let gain = (2.0 * own - (own + common) / 2.0).clamp(0.0, variance);
        Some(Self { coefficients: Scale(0.5) * (a + b), error: variance - gain, gain })
    }

    /// What it says of rows.
    pub(super) fn predict(&self, rows: &Rows) -> Vec<f64> {
        predictions(&rows.signs(), &self.coefficients)
    }

    /// Adds what a linear function is of the regression, and takes from the variances by what it made them smaller.
    pub(super) fn add_to(&self, functional: &Functional, said: &mut Said) {
        let n = self.coefficients.ncols();
        let moments = functional.moments();
        let moment = |others: usize| moments.get(others).copied().unwrap_or_default();
        let of_player = |i: usize| self.coefficients.col_as_slice(i).iter().sum::<f64>();
        // What a coefficient counts, and how many of them make up a value: a factor of the set gives 2, and each other
        // one its mean.
        let (each, number) = match functional.order {
            0 => (moment(2), (n * (n - 1) / 2) as f64),
            1 => (2.0 * moment(1), (n - 1) as f64),
            _ => (4.0 * moment(0), 1.0),
        };
        let [error, gain] = [self.error, self.gain].map(|square| each * each * number * square);
        for (place, [i, j]) in functional.sets().into_iter().enumerate() {
            said.values[place] += each
                * match functional.order {
                    0 => (0..n).map(of_player).sum::<f64>() / 2.0,
                    1 => of_player(i),
                    _ => self.coefficients[(i, j)],
                };
            // What models of pairs of players are off by is measured, and no doubt about them is left.
            if functional.order == 2 {
                said.variances[place] = said.posterior_variances[place];
            }
            for variances in [&mut said.variances, &mut said.posterior_variances] {
                variances[place] = (variances[place] - gain).max(error);
            }
        }
    }
}

/// The sum over pairs of players of the products of two lists of coefficients.
fn product(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    (0..a.ncols()).map(|j| dot(&a.col_as_slice(j)[j + 1..], &b.col_as_slice(j)[j + 1..])).sum()
}

/// X'y: of each pair of players, the sum over rows of y x_i x_j.
fn transposed(signs: &Mat<f64>, y: &[f64]) -> Mat<f64> {
    let weighted = Mat::from_fn(signs.nrows(), signs.ncols(), |row, player| y[row] * signs[(row, player)]);
    let mut sums = times(weighted.transpose(), signs.as_ref());
    (0..sums.ncols()).for_each(|player| sums[(player, player)] = 0.0);
    sums
}

/// Xβ: of each row, the sum over pairs of players of β_ij x_i x_j.
fn predictions(signs: &Mat<f64>, beta: &Mat<f64>) -> Vec<f64> {
    let moved = times(signs.as_ref(), beta.as_ref());
    let mut said = vec![0.0; signs.nrows()];
    for player in 0..signs.ncols() {
        let products = signs.col_as_slice(player).iter().zip(moved.col_as_slice(player));
        said.iter_mut().zip(products).for_each(|(said, (sign, moved))| *said += sign * moved / 2.0);
    }
    said
}

/// β, where (X'X + penalty) β is given.
fn solve(signs: &Mat<f64>, right: Mat<f64>, penalty: f64) -> Mat<f64> {
    let mut beta = Mat::<f64>::zeros(right.nrows(), right.ncols());
    let (mut residual, mut step) = (right.clone(), right);
    let first = product(&residual, &residual);
    let mut length = first;
    for _ in 0..MOST_STEPS {
        if length <= LEAST_STEP * first {
            break;
        }
        let moved = transposed(signs, &predictions(signs, &step)) + Scale(penalty) * &step;
        let along = length / product(&step, &moved);
        beta += Scale(along) * &step;
        residual -= Scale(along) * &moved;
        let next = product(&residual, &residual);
        step = &residual + Scale(next / length) * step;
        length = next;
    }
    beta
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Random;
    use crate::surrogate::generator;
    use crate::{Exact, Index, from_fn};

    /// Rows at random, and what a game of pairs with these coefficients has there, with noise.
    fn data(n: usize, len: usize, noise: f64, random: &mut Random) -> (Mat<f64>, Rows, Vec<f64>) {
        let mut beta = Mat::<f64>::zeros(n, n);
        for (i, j) in (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))) {
            beta[(i, j)] = (0..12).map(|_| random.unit() - 0.5).sum();
            beta[(j, i)] = beta[(i, j)];
        }
        let masks: Vec<[u64; 1]> = (0..len).map(|_| [random.below(1 << n)]).collect();
        let rows = Rows::new(n, masks.iter().map(|mask| &mask[..]));
        let mut y = predictions(&rows.signs(), &beta);
        y.iter_mut().for_each(|y| *y += noise * (0..12).map(|_| random.unit() - 0.5).sum::<f64>());
        (beta, rows, y)
    }

    /// Each half of the rows is left as the normal equations of the other half say, solved with all their entries.
    #[test]
    fn residuals_are_those_of_a_fit_to_the_other_half() {
        let (n, len) = (6, 40);
        let (_, rows, y) = data(n, len, 1.0, &mut generator(1, 1));
        let mut left = y.clone();
        let regression = PairRegression::fit(&rows, &mut left).unwrap();
        let variance = regression.error + regression.gain;
        let penalty = dot(&y, &y) / len as f64 / variance - 15.0;
        let pairs: Vec<(usize, usize)> = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect();
        let product = |row: usize, (i, j): (usize, usize)| rows.sign(row, i) * rows.sign(row, j);
        let mut mean = vec![0.0; pairs.len()];
        for part in 0..2 {
            let others = || (1 - part..len).step_by(2);
            let mut equations: Vec<Vec<f64>> = pairs
                .iter()
                .enumerate()
                .map(|(place, &a)| {
                    let entry = |&b: &(usize, usize)| others().map(|row| product(row, a) * product(row, b)).sum();
                    let mut equation: Vec<f64> = pairs.iter().map(entry).collect();
                    equation[place] += penalty;
                    equation.push(others().map(|row| product(row, a) * y[row]).sum());
                    equation
                })
                .collect();
            for pivot in 0..pairs.len() {
                let of_pivot = equations[pivot].clone();
                for (_, equation) in equations.iter_mut().enumerate().filter(|(place, _)| *place != pivot) {
                    let factor = equation[pivot] / of_pivot[pivot];
                    equation.iter_mut().zip(&of_pivot).for_each(|(entry, pivot)| *entry -= factor * pivot);
                }
            }
            let beta: Vec<f64> = (0..pairs.len()).map(|k| equations[k][pairs.len()] / equations[k][k]).collect();
            mean.iter_mut().zip(&beta).for_each(|(mean, beta)| *mean += beta / 2.0);
            for row in (part..len).step_by(2) {
                let said: f64 = pairs.iter().zip(&beta).map(|(&pair, beta)| beta * product(row, pair)).sum();
                assert!((left[row] - (y[row] - said)).abs() < 0.01, "{row}: {} {}", left[row], y[row] - said);
            }
        }
        for (&(i, j), mean) in pairs.iter().zip(&mean) {
            assert!((regression.coefficients[(i, j)] - mean).abs() < 0.01);
            assert!((regression.coefficients[(j, i)] - mean).abs() < 0.01);
        }
    }

    /// Of 40 games of 190 coefficients each, the squared errors are what is said within 10 %, whatever the noise: a
    /// mean of 7600 squares, whose standard error is below 2 %. Seeds are fixed.
    #[test]
    fn errors_are_those_that_are_said() {
        for (len, noise) in [(150, 5.0), (600, 20.0), (2000, 1.0)] {
            let (mut squares, mut said) = (0.0, 0.0);
            for seed in 0..40 {
                let (beta, rows, mut left) = data(20, len, noise, &mut generator(seed, 2));
                let before = dot(&left, &left);
                match PairRegression::fit(&rows, &mut left) {
                    Some(regression) => {
                        assert!(dot(&left, &left) < before);
                        let off = &regression.coefficients - &beta;
                        squares += product(&off, &off) / 190.0;
                        said += regression.error;
                    }
                    None => assert_eq!(dot(&left, &left).to_bits(), before.to_bits()),
                }
            }
            assert!((said / squares - 1.0).abs() < 0.1, "{len} rows, noise {noise}: {said} {squares}");
        }
    }

    #[test]
    fn functions_of_it_are_those_of_the_exact_solver() {
        let n = 6;
        let (beta, ..) = data(n, 1, 0.0, &mut generator(3, 3));
        let of = beta.clone();
        let regression = PairRegression { coefficients: beta, error: 0.25, gain: 1.0 };
        let game = from_fn(n, move |s| {
            let signs = Rows::new(n, [s.words()]).signs();
            predictions(&signs, &of)[0]
        });
        let summary = Exact::new().threads(1).summary(&game, 2).unwrap();
        for index in [Index::Shapley, Index::Banzhaf, Index::ShapleyTaylor, Index::FaithfulBanzhaf] {
            let exact = summary.interactions(index).unwrap();
            for order in 0..=2 {
                let functional = Functional::index(index, 2, order, n);
                let sets = functional.sets().len();
                let of = |variance: f64| {
                    let [values, numerical] = [(); 2].map(|()| vec![0.0; sets]);
                    let [variances, posterior_variances] = [(); 2].map(|()| vec![variance; sets]);
                    let mut said = Said { values, posterior_variances, variances, numerical };
                    regression.add_to(&functional, &mut said);
                    said
                };
                let (said, least) = (of(1e9), of(0.0));
                let want = exact.iter().filter(|(set, _)| set.len() == order).map(|(_, value)| *value);
                for (place, want) in want.enumerate() {
                    assert!((said.values[place] - want).abs() < 1e-9, "{index:?} {order}: {:?} {want}", said.values);
                    // A value is a sum of independent coefficients: what is left, and what was taken.
                    let [taken, left] = [1e9 - said.variances[place], least.variances[place]];
                    assert!((taken - 4.0 * left).abs() < 1e-3 * (1.0 + left), "{index:?} {order}: {taken} {left}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_fitted_to_nothing() {
        let mut random = generator(5, 5);
        let (_, rows, _) = data(8, 50, 0.0, &mut random);
        let mut zeros = vec![0.0; 50];
        assert!(PairRegression::fit(&rows, &mut zeros).is_none());
        // What is constant says that no pair counts.
        let mut one = vec![1.0];
        assert!(PairRegression::fit(&rows.select(&[0]), &mut one).is_none());
        assert_eq!(one, [1.0]);
    }
}
