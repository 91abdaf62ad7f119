//! The ridge term: harmonics of a weighted sum of a coalition's members, each a function of one coalition times the
//! same of the other.

use faer::{Mat, MatRef};

use super::constants::HARMONICS;
use super::kernel::Hyper;
use super::linear::{dot, put_lower_of_product, symmetric_times, times};

pub(super) fn frequency(k: usize) -> f64 {
    (k as f64 + 0.5) * std::f64::consts::PI
}

/// The derivative of the logarithm of a harmonic's variance by the decay, but for what all have in common.
pub(super) fn log_weight(k: usize) -> f64 {
    -2.0 * (k as f64 + 0.5).ln()
}

/// The harmonics, a row for each coalition and a column for each; no columns if there is no ridge.
#[derive(Clone, Debug)]
pub(super) struct Harmonics {
    sines: Mat<f64>,
    cosines: Mat<f64>,
    /// The variance of each.
    variances: Vec<f64>,
}

impl Harmonics {
    /// Of coalitions as rows of ±1.
    pub(super) fn new(hyper: &Hyper, harmonics: &[f64; HARMONICS], signs: MatRef<'_, f64>) -> Self {
        let count = if hyper.ridge > 0.0 { HARMONICS } else { 0 };
        let mut harmonics = Self {
            sines: Mat::zeros(signs.nrows(), count),
            cosines: Mat::zeros(signs.nrows(), count),
            variances: harmonics[..count].iter().map(|harmonic| hyper.ridge * harmonic).collect(),
        };
        if count > 0 {
            let direction = Mat::from_fn(signs.ncols(), 1, |player, _| hyper.direction[player]);
            let angles = times(signs, direction.as_ref());
            harmonics.fill(angles.col_as_slice(0));
        }
        harmonics
    }

    /// sin and cos of w_k times each angle.
    fn fill(&mut self, angles: &[f64]) {
        // The frequencies are odd multiples of half of pi: each step turns by the whole of it.
        let turns: Vec<(f64, f64)> = angles.iter().map(|angle| (std::f64::consts::PI * angle).sin_cos()).collect();
        let mut now: Vec<(f64, f64)> =
            angles.iter().map(|angle| (std::f64::consts::FRAC_PI_2 * angle).sin_cos()).collect();
        for k in 0..self.variances.len() {
            let (sines, cosines) = (self.sines.col_as_slice_mut(k), self.cosines.col_as_slice_mut(k));
            let places = sines.iter_mut().zip(cosines).zip(now.iter_mut().zip(&turns));
            for ((to_sin, to_cos), ((sin, cos), (turn_sin, turn_cos))) in places {
                (*to_sin, *to_cos) = (*sin, *cos);
                (*sin, *cos) = (*sin * turn_cos + *cos * turn_sin, *cos * turn_cos - *sin * turn_sin);
            }
        }
    }

    /// Their covariances with those of other coalitions.
    pub(super) fn covariance(&self, others: &Self) -> Mat<f64> {
        times(self.weighted_sines().as_ref(), others.sines.transpose())
    }

    /// Puts those with each other: the lower triangle.
    pub(super) fn put_covariance(&self, covariance: &mut Mat<f64>) {
        if self.variances.is_empty() {
            covariance.fill(0.0);
        } else {
            put_lower_of_product(covariance, self.weighted_sines().as_ref(), self.sines.transpose());
        }
    }

    /// The sines, times their variances.
    pub(super) fn weighted_sines(&self) -> Mat<f64> {
        let mut weighted = self.sines.clone();
        for (k, variance) in self.variances.iter().enumerate() {
            weighted.col_as_slice_mut(k).iter_mut().for_each(|x| *x *= variance);
        }
        weighted
    }

    /// For the weights of a symmetric matrix, of which the lower triangle is given: each harmonic's quadratic form; and
    /// for each coalition the derivative by its angle, half of it.
    pub(super) fn gradient(&self, weights: MatRef<'_, f64>) -> (Vec<f64>, Vec<f64>) {
        let moved = symmetric_times(weights, self.sines.as_ref());
        let forms = (0..self.variances.len()).map(|k| dot(self.sines.col_as_slice(k), moved.col_as_slice(k))).collect();
        let mut by_angle = vec![0.0; self.sines.nrows()];
        for (k, variance) in self.variances.iter().enumerate() {
            let factor = variance * frequency(k);
            let both = self.cosines.col_as_slice(k).iter().zip(moved.col_as_slice(k));
            by_angle.iter_mut().zip(both).for_each(|(sum, (cos, moved))| *sum += factor * cos * moved);
        }
        (forms, by_angle)
    }
}
