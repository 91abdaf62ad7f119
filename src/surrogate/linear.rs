//! The linear algebra of the surrogate, on one thread: faer's, with nothing of its global settings.
//!
//! Another crate may have faer use rayon; its sums would then depend on the number of threads. Here every call says
//! that it wants one. faer was chosen over nalgebra for time: a Cholesky factor with its inverse takes 1.3, 4 and 36 ms
//! at 250, 400 and 1000 rows, nalgebra's 10, 39 and 590.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::{factor, solve};
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::{matmul, triangular_inverse, triangular_solve};
use faer::{Accum, Conj, Mat, MatRef, Par};

/// The product of two matrices.
pub(super) fn times(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut product = Mat::zeros(a.nrows(), b.ncols());
    matmul::matmul(product.as_mut(), Accum::Replace, a, b, 1.0, Par::Seq);
    product
}

/// Triangles are multiplied in blocks of this number of columns, each by faer's general product: its own for triangles
/// is three times slower at these sizes.
const BLOCK: usize = 64;

/// Puts the lower triangle of a product into a matrix; of what is above nothing is promised.
pub(super) fn put_lower_of_product(product: &mut Mat<f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    let (rows, columns) = (a.nrows(), b.ncols());
    for start in (0..columns).step_by(BLOCK) {
        let width = BLOCK.min(columns - start);
        let to = product.submatrix_mut(start, start, rows - start, width);
        let (a, b) = (a.subrows(start, rows - start), b.subcols(start, width));
        matmul::matmul(to, Accum::Replace, a, b, 1.0, Par::Seq);
    }
}

/// Puts the lower triangle of a lower triangular matrix, transposed, times itself; of what is above nothing is
/// promised.
fn put_lower_of_gram(product: &mut Mat<f64>, lower: MatRef<'_, f64>) {
    let size = lower.nrows();
    for start in (0..size).step_by(BLOCK) {
        let width = BLOCK.min(size - start);
        // What is above these rows is zero.
        let left = lower.submatrix(start, start, size - start, width).transpose();
        let to = product.submatrix_mut(start, 0, width, start + width);
        let right = lower.submatrix(start, 0, size - start, start + width);
        matmul::matmul(to, Accum::Replace, left, right, 1.0, Par::Seq);
    }
}

/// The lower triangle of a matrix times another.
pub(super) fn lower_times(lower: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    use BlockStructure::{Rectangular, TriangularLower};
    let mut product = Mat::zeros(lower.nrows(), b.ncols());
    let to = product.as_mut();
    triangular::matmul(to, Rectangular, Accum::Replace, lower, TriangularLower, b, Rectangular, 1.0, Par::Seq);
    product
}

/// A symmetric matrix, of which the lower triangle is given, times another.
pub(super) fn symmetric_times(lower: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    use BlockStructure::{Rectangular, StrictTriangularUpper};
    let mut product = lower_times(lower, b);
    let (to, upper) = (product.as_mut(), lower.transpose());
    triangular::matmul(to, Rectangular, Accum::Add, upper, StrictTriangularUpper, b, Rectangular, 1.0, Par::Seq);
    product
}

/// The inner product of two vectors of the same length.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The Cholesky factor of a symmetric positive definite matrix.
#[derive(Clone, Debug)]
pub(super) struct Factor {
    lower: Mat<f64>,
}

impl Factor {
    /// Of the lower triangle of a matrix; none if it is not positive definite.
    pub(super) fn new(mut matrix: Mat<f64>) -> Option<Self> {
        let size = matrix.nrows();
        let scratch = factor::cholesky_in_place_scratch::<f64>(size, Par::Seq, Default::default());
        let mut buffer = MemBuffer::try_new(scratch).ok()?;
        let stack = MemStack::new(&mut buffer);
        factor::cholesky_in_place(matrix.as_mut(), Default::default(), Par::Seq, stack, Default::default()).ok()?;
        let diagonal_is_positive = (0..size).all(|row| matrix[(row, row)] > 0.0 && matrix[(row, row)].is_finite());
        diagonal_is_positive.then_some(Self { lower: matrix })
    }

    /// The logarithm of the factor's determinant: half that of the matrix.
    pub(super) fn log_determinant(&self) -> f64 {
        (0..self.lower.nrows()).map(|row| self.lower[(row, row)].ln()).sum()
    }

    /// The smallest square on the diagonal: next to nothing where the matrix is singular but for rounding.
    pub(super) fn smallest_pivot(&self) -> f64 {
        (0..self.lower.nrows()).map(|row| self.lower[(row, row)].powi(2)).fold(f64::INFINITY, f64::min)
    }

    /// The inverse matrix times a vector.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = Mat::from_fn(right.len(), 1, |row, _| right[row]);
        self.solve_in_place(&mut solution);
        solution.col_as_slice(0).to_vec()
    }

    /// The inverse matrix times another.
    pub(super) fn solve_in_place(&self, right: &mut Mat<f64>) {
        let scratch = solve::solve_in_place_scratch::<f64>(right.nrows(), right.ncols(), Par::Seq);
        let mut buffer = MemBuffer::new(scratch);
        let stack = MemStack::new(&mut buffer);
        solve::solve_in_place_with_conj(self.lower.as_ref(), Conj::No, right.as_mut(), Par::Seq, stack);
    }

    /// The inverse factor times a matrix.
    pub(super) fn half_solve(&self, right: &mut Mat<f64>) {
        triangular_solve::solve_lower_triangular_in_place(self.lower.as_ref(), right.as_mut(), Par::Seq);
    }

    /// Puts the lower triangle of the inverse matrix into one of the same size; of what is above nothing is promised.
    /// So does `scratch` get the inverse factor, if it is zero above the diagonal.
    pub(super) fn put_inverse(&self, inverse: &mut Mat<f64>, scratch: &mut Mat<f64>) {
        triangular_inverse::invert_lower_triangular(scratch.as_mut(), self.lower.as_ref(), Par::Seq);
        put_lower_of_gram(inverse, scratch.as_ref());
    }

    /// The diagonal of the inverse matrix, for half the cost of the triangle.
    pub(super) fn inverse_diagonal(&self) -> Vec<f64> {
        let size = self.lower.nrows();
        let mut inverted = Mat::zeros(size, size);
        triangular_inverse::invert_lower_triangular(inverted.as_mut(), self.lower.as_ref(), Par::Seq);
        let column = |k: usize| &inverted.col_as_slice(k)[k..];
        (0..inverted.ncols()).map(|k| dot(column(k), column(k))).collect()
    }

    /// The matrix's room, for another.
    pub(super) fn into_room(self) -> Mat<f64> {
        self.lower
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Random;
    use crate::surrogate::generator;

    fn random_matrix(rows: usize, columns: usize, random: &mut Random) -> Mat<f64> {
        Mat::from_fn(rows, columns, |_, _| random.unit() - 0.5)
    }

    fn assert_lower(got: &Mat<f64>, want: &Mat<f64>) {
        for j in 0..want.ncols() {
            for i in j..want.nrows() {
                let (got, want) = (got[(i, j)], want[(i, j)]);
                assert!((got - want).abs() <= 1e-9 * (1.0 + want.abs()), "({i}, {j}): {got} {want}");
            }
        }
    }

    /// Sizes about those of a block.
    #[test]
    fn inverses_and_products_of_triangles() {
        for size in [1, 2, 63, 64, 65, 130] {
            let mut random = generator(size as u64, 5);
            let a = random_matrix(size, size + 3, &mut random);
            let mut matrix = times(a.as_ref(), a.transpose());
            (0..size).for_each(|k| matrix[(k, k)] += 1.0);
            let mut lower = Mat::zeros(size, size);
            put_lower_of_product(&mut lower, a.as_ref(), a.transpose());
            (0..size).for_each(|k| lower[(k, k)] += 1.0);
            assert_lower(&lower, &matrix);

            let factor = Factor::new(matrix.clone()).expect("positive definite");
            let (mut inverse, mut scratch) = (Mat::zeros(size, size), Mat::zeros(size, size));
            // What an earlier use left above the diagonal does not matter.
            (0..size).for_each(|i| (i + 1..size).for_each(|j| inverse[(i, j)] = f64::NAN));
            factor.put_inverse(&mut inverse, &mut scratch);
            let diagonal = factor.inverse_diagonal();
            let whole = Mat::from_fn(size, size, |i, j| inverse[(i.max(j), i.min(j))]);
            (0..size).for_each(|k| assert!((diagonal[k] - inverse[(k, k)]).abs() <= 1e-12 * diagonal[k]));
            assert_lower(&times(matrix.as_ref(), whole.as_ref()), &Mat::identity(size, size));

            let b = random_matrix(size, 5, &mut random);
            let full = times(matrix.as_ref(), b.as_ref());
            let got = symmetric_times(lower.as_ref(), b.as_ref());
            let triangle = Mat::from_fn(size, size, |i, j| if i >= j { lower[(i, j)] } else { 0.0 });
            let halves = [(got, full), (lower_times(lower.as_ref(), b.as_ref()), times(triangle.as_ref(), b.as_ref()))];
            for (got, want) in halves {
                for (i, j) in (0..size).flat_map(|i| (0..5).map(move |j| (i, j))) {
                    assert!((got[(i, j)] - want[(i, j)]).abs() < 1e-10 * (1.0 + want[(i, j)].abs()));
                }
            }
        }
    }
}
