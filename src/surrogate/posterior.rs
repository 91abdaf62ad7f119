//! The posterior of a fitted model: Shapley values, their variances, and residuals.

use super::credit::Credit;
use super::fit::Data;
use super::kernel::{JITTER, Kernel, Rows};
use super::linear::{dot, times};

/// What a model says, in units of the data. Row 0 of the data is (N, ∅); residuals are those of the pairs after it.
#[derive(Clone, Debug)]
pub(super) struct Posterior {
    pub(super) values: Vec<f64>,
    pub(super) variances: Vec<f64>,
    /// Of each pair: what is left when it is predicted from all others.
    pub(super) left_out: Vec<f64>,
    /// Of each pair: what the model takes for noise.
    pub(super) own: Vec<f64>,
    kernel: Kernel,
    rows: Rows,
    alpha: Vec<f64>,
}

impl Posterior {
    /// None if the covariance cannot be factored. `unseen` is what noise on the pairs that were not seen adds to the
    /// variance of a value, per unit of noise.
    pub(super) fn new(kernel: Kernel, data: &Data, unseen: f64) -> Option<Self> {
        // Where many rows say the same and nothing is noise, rounding may need more than the usual.
        let jitters = std::iter::successors(Some(JITTER), |jitter| Some(100.0 * jitter)).take(4);
        let (jitter, factor) = jitters.filter_map(|jitter| Some((jitter, data.factor(&kernel, jitter)?))).next()?;
        let Credit { values: mut credit, variances } = Credit::new(&kernel, &data.rows);
        let alpha = factor.solve(&data.y);
        let inverse = factor.inverse();
        let values = (0..data.rows.players).map(|player| dot(credit.col_as_slice(player), &alpha)).collect();
        factor.half_solve(&mut credit);
        let left_out: Vec<f64> = (0..data.len()).map(|row| alpha[row] / inverse[(row, row)]).collect();
        let own = (0..data.len()).map(|row| (kernel.hyper.noise * data.noisy[row] + jitter) * alpha[row]);
        // The scale of all variances, or what the leave-one-out residuals say of it if that is more.
        let size = data.len() as f64;
        let scale = (dot(&alpha, &left_out) / size).max(dot(&data.y, &alpha) / size);
        let variances = variances.iter().enumerate().map(|(player, prior)| {
            let known = dot(credit.col_as_slice(player), credit.col_as_slice(player));
            scale * ((prior - known).max(0.0) + kernel.hyper.noise * unseen)
        });
        let variances = variances.collect();
        let own = own.skip(1).collect();
        Some(Self { values, variances, left_out: left_out[1..].to_vec(), own, kernel, rows: data.rows.clone(), alpha })
    }

    /// The posterior mean of other rows.
    pub(super) fn predict(&self, rows: &Rows) -> Vec<f64> {
        let covariance = self.kernel.between(rows, &self.rows);
        let alpha = faer::Mat::from_fn(self.alpha.len(), 1, |row, _| self.alpha[row]);
        times(covariance.as_ref(), alpha.as_ref()).col_as_slice(0).to_vec()
    }
}
