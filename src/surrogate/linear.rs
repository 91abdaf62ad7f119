//! The linear algebra of the surrogate, on one thread: faer's, with nothing of its global settings.
//!
//! Another crate may have faer use rayon; its sums would then depend on the number of threads. Here every call says
//! that it wants one. faer was chosen over nalgebra for time: a Cholesky factor with its inverse takes 1.3, 4 and 36 ms at
//! 250, 400 and 1000 rows, nalgebra's 10, 39 and 590.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::{factor, inverse, solve};
use faer::linalg::{matmul, triangular_solve};
use faer::{Accum, Conj, Mat, MatRef, Par};

/// The product of two matrices.
pub(super) fn times(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut product = Mat::zeros(a.nrows(), b.ncols());
    matmul::matmul(product.as_mut(), Accum::Replace, a, b, 1.0, Par::Seq);
    product
}

/// The inner product of two vectors of the same length.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The Cholesky factor of a symmetric positive definite matrix.
#[derive(Debug)]
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

    /// The lower triangle of the inverse matrix; what is above is of no meaning.
    pub(super) fn inverse(&self) -> Mat<f64> {
        let size = self.lower.nrows();
        let mut inverted = Mat::zeros(size, size);
        let mut buffer = MemBuffer::new(inverse::inverse_scratch::<f64>(size, Par::Seq));
        inverse::inverse(inverted.as_mut(), self.lower.as_ref(), Par::Seq, MemStack::new(&mut buffer));
        inverted
    }
}
