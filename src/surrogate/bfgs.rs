//! A descent by BFGS that counts its evaluations, each of which is a matrix factored.

use std::ops::ControlFlow;

use super::constants::{LEAST_GAIN, LONGEST_STEP};
use super::linear::dot;

/// A descent: where it is, and what it has learned of the curvature.
///
/// The memory is of all steps (Liu & Nocedal 1989, "On the limited memory BFGS method for large scale optimization",
/// *Mathematical Programming* 45, 503–528, doi:10.1007/BF01589116, without the limit, since there are few). A step that
/// does not gain enough is shortened to the minimum of a parabola.
#[derive(Clone, Debug)]
pub(super) struct Descent {
    pub(super) point: Vec<f64>,
    /// The lowest value seen, which is that of the point; infinite if the function has none there.
    pub(super) value: f64,
    slope: Vec<f64>,
    steps: Vec<(Vec<f64>, Vec<f64>, f64)>,
}

impl Descent {
    /// Nothing but a start.
    pub(super) fn new(point: Vec<f64>) -> Self {
        Self { point, value: f64::INFINITY, slope: Vec::new(), steps: Vec::new() }
    }

    /// Goes on, for at most this number of evaluations of a function, which says none where it has no value, and of its
    /// gradient, which may be left out where the value is above a bound. The first is of the point.
    pub(super) fn go(&mut self, evaluations: usize, mut function: impl FnMut(&[f64], f64) -> Option<(f64, Vec<f64>)>) {
        let Some((value, slope)) = function(&self.point, f64::INFINITY) else {
            self.value = f64::INFINITY;
            return;
        };
        (self.value, self.slope) = (value, slope);
        let mut left = evaluations.saturating_sub(1);
        while left > 0 && self.step(&mut left, &mut function).is_continue() {}
    }

    /// The same place and what is known of the curvature, for `ratio` times as many rows.
    pub(super) fn rescale(&mut self, ratio: f64) {
        for (step, change, curvature) in &mut self.steps {
            change.iter_mut().zip(step.iter()).for_each(|(c, s)| *c = s + ratio * (*c - s));
            *curvature = dot(step, change);
        }
        self.steps.retain(|(step, change, curvature)| {
            *curvature > 1e-10 * dot(change, change).sqrt() * dot(step, step).sqrt()
        });
    }

    /// One step down, in as many evaluations as it takes; breaks if there is none that is worth it.
    fn step(
        &mut self,
        left: &mut usize,
        function: &mut impl FnMut(&[f64], f64) -> Option<(f64, Vec<f64>)>,
    ) -> ControlFlow<()> {
        let mut direction = downhill(&self.steps, &self.slope);
        let mut promise = -dot(&direction, &self.slope);
        if promise.is_nan() || promise <= 0.0 {
            self.steps.clear();
            direction = self.slope.iter().map(|s| -s).collect();
            promise = dot(&self.slope, &self.slope);
        }
        if promise.is_nan() || promise <= LEAST_GAIN {
            return ControlFlow::Break(());
        }
        let longest = direction.iter().fold(0.0_f64, |most, d| most.max(d.abs()));
        // Nothing is known of the curvature before the first step.
        let limit = if self.steps.is_empty() { LONGEST_STEP / 2.0 } else { LONGEST_STEP };
        let mut length = if self.steps.is_empty() { limit / longest } else { (limit / longest).min(1.0) };
        while *left > 0 && length * longest >= 1e-6 {
            *left -= 1;
            let there: Vec<f64> = self.point.iter().zip(&direction).map(|(x, d)| x + length * d).collect();
            let bound = self.value - 1e-4 * length * promise;
            match function(&there, bound) {
                Some((lower, slope)) if lower <= bound => {
                    let step: Vec<f64> = direction.iter().map(|d| length * d).collect();
                    let change: Vec<f64> = slope.iter().zip(&self.slope).map(|(new, old)| new - old).collect();
                    let curvature = dot(&step, &change);
                    if curvature > 1e-10 * dot(&change, &change).sqrt() * dot(&step, &step).sqrt() {
                        self.steps.push((step, change, curvature));
                    }
                    let gained = self.value - lower;
                    (self.point, self.value, self.slope) = (there, lower, slope);
                    return if gained < LEAST_GAIN { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
                }
                Some((higher, _)) => {
                    let parabola = length * length * promise / (2.0 * (higher - self.value + length * promise));
                    length = parabola.clamp(0.1 * length, 0.5 * length);
                }
                None => length *= 0.2,
            }
        }
        ControlFlow::Break(())
    }
}

/// The direction of BFGS: minus the inverse of the approximate Hessian times the slope.
fn downhill(steps: &[(Vec<f64>, Vec<f64>, f64)], slope: &[f64]) -> Vec<f64> {
    let mut direction: Vec<f64> = slope.iter().map(|s| -s).collect();
    let mut shares = Vec::with_capacity(steps.len());
    for (step, change, curvature) in steps.iter().rev() {
        let share = dot(step, &direction) / curvature;
        direction.iter_mut().zip(change).for_each(|(d, c)| *d -= share * c);
        shares.push(share);
    }
    if let Some((_, change, curvature)) = steps.last() {
        let scale = curvature / dot(change, change);
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for ((step, change, curvature), share) in steps.iter().zip(shares.iter().rev()) {
        let rest = share - dot(change, &direction) / curvature;
        direction.iter_mut().zip(step).for_each(|(d, s)| *d += rest * s);
    }
    direction
}
