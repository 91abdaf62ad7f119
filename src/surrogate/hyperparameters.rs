//! Hyper-parameters of one half by penalised marginal likelihood.

use super::bfgs::Descent;
use super::constants::{
    CONSTANT, DECAY_SPREAD, FIRST_RIDGE, JITTER, LARGEST_RELEVANCE, LEAST_DECAY, LEAST_RELEVANCE_LOG, LEAST_VARIANCE,
    LINEAR, MEAN_RELEVANCE, MIDDLE_DECAY, MOST_LOG, NOISE, Normal, RIDGE, SIZE, SPREAD_OF_MEAN, WEIGHT_SPREAD,
};
use super::covariance::{Gradient, Half, Workspace};
use super::data::Data;
use super::devices::{Device, is_on};
use super::kernel::{Hyper, Kernel};
use super::linear::dot;

/// The coordinates in which hyper-parameters are looked for, each in standard deviations from its prior's mean.
///
/// In this order: the logit of each player's relevance, between the least and the largest there are, less the prior
/// mean of them all | for the ridge model only: each player's weight in the ridge | ln noise, ln size, ln
/// linear | ln ridge, decay, for the ridge model only.
/// The even half has a constant of a fixed variance in the place of the linear term, whose coordinate then means nothing.
#[derive(Clone, Debug)]
pub(super) struct Space {
    players: usize,
    pub(super) half: Half,
    /// The direction that the ridge starts from, and the root mean square of its weights: none for the plain model.
    ridge: Option<(Vec<f64>, f64)>,
    /// The prior mean of all relevances, as logits.
    mean_relevance: f64,
}

/// The variance of a coordinate. Beyond these limits the model is the same to all digits.
pub(super) fn variance((mean, sd): Normal, z: f64) -> f64 {
    (mean + sd * z).clamp(-40.0, MOST_LOG).exp()
}

fn decay(z: f64) -> f64 {
    LEAST_DECAY + (MIDDLE_DECAY - LEAST_DECAY) * (DECAY_SPREAD * z.clamp(-20.0, 5.0)).exp()
}

impl Space {
    pub(super) fn plain(players: usize, half: Half) -> Self {
        Self { players, half, ridge: None, mean_relevance: (2.0 / players as f64).ln() + MEAN_RELEVANCE }
    }

    /// With a ridge near the direction of these values.
    pub(super) fn ridge(players: usize, values: &[f64]) -> Self {
        let total: f64 = values.iter().map(|v| v.abs()).sum();
        let direction: Vec<f64> = values.iter().map(|v| v / total.max(1e-300)).collect();
        let scale = (dot(&direction, &direction) / players as f64).sqrt().max(1e-12);
        Self { ridge: Some((direction, scale)), ..Self::plain(players, Half::Odd) }
    }

    pub(super) fn len(&self) -> usize {
        if self.ridge.is_some() { 2 * self.players + 5 } else { self.players + 3 }
    }

    /// Where the relevances are all e^`log` (as logits), and all else is at its mean.
    pub(super) fn tied(&self, log: f64) -> Vec<f64> {
        let mut point = vec![0.0; self.len()];
        point[..self.players].fill(log - self.mean_relevance);
        point
    }

    /// The point of the ridge model that is a point of the plain one, with a ridge of a little weight.
    pub(super) fn start_from(&self, plain: &[f64]) -> Vec<f64> {
        let n = self.players;
        let mut point = vec![0.0; self.len()];
        point[..n].copy_from_slice(&plain[..n]);
        point[2 * n..2 * n + 3].copy_from_slice(&plain[n..n + 3]);
        point[2 * n + 3] = (FIRST_RIDGE - RIDGE.0) / RIDGE.1;
        point
    }

    pub(super) fn kernel(&self, point: &[f64]) -> Kernel {
        let n = self.players;
        let above = |prior, z| LEAST_VARIANCE + variance(prior, z);
        let tail = self.tail();
        let span = LARGEST_RELEVANCE - self.least_relevance();
        let logistic = |z: &f64| 1.0 / (1.0 + (-(z + self.mean_relevance)).clamp(-30.0, 30.0).exp());
        let relevance = |z: &f64| self.least_relevance() + span * logistic(z);
        let (direction, ridge, decay) = match &self.ridge {
            Some((start, scale)) => {
                let moved = |(start, z): (&f64, &f64)| start + scale * WEIGHT_SPREAD * z;
                let direction = start.iter().zip(&point[n..]).map(moved).collect();
                (direction, variance(RIDGE, point[tail + 3]), decay(point[tail + 4]))
            }
            None => (vec![0.0; n], 0.0, decay(0.0)),
        };
        Kernel::new(Hyper {
            relevance: point[..n].iter().map(relevance).collect(),
            direction,
            noise: above(NOISE, point[tail]),
            size: if is_on(Device::Size) { above(SIZE, point[tail + 1]) } else { LEAST_VARIANCE },
            linear: match self.half {
                Half::Even => CONSTANT,
                Half::Odd if is_on(Device::Linear) => above(LINEAR, point[tail + 2]),
                Half::Odd => LEAST_VARIANCE,
            },
            ridge,
            decay,
        })
    }

    /// No player is said to matter less.
    fn least_relevance(&self) -> f64 {
        (self.mean_relevance + LEAST_RELEVANCE_LOG).exp()
    }

    /// The place of ln noise.
    fn tail(&self) -> usize {
        if self.ridge.is_some() { 2 * self.players } else { self.players }
    }

    /// The derivatives by the coordinates.
    pub(super) fn coordinates(&self, kernel: &Kernel, by: &Gradient) -> Vec<f64> {
        let hyper = &kernel.hyper;
        let mut slope = Vec::with_capacity(self.len());
        for (r, by) in hyper.relevance.iter().zip(&by.relevance) {
            let above = r - self.least_relevance();
            slope.push(by * above * (1.0 - above / (LARGEST_RELEVANCE - self.least_relevance())));
        }
        if let Some((_, scale)) = &self.ridge {
            slope.extend(by.direction.iter().map(|by| by * scale * WEIGHT_SPREAD));
        }
        slope.push(by.noise * (hyper.noise - LEAST_VARIANCE) * NOISE.1);
        slope.push(by.size * (hyper.size - LEAST_VARIANCE) * SIZE.1);
        let is_fitted = f64::from(u8::from(self.half == Half::Odd));
        slope.push(is_fitted * by.linear * (hyper.linear - LEAST_VARIANCE) * LINEAR.1);
        if self.ridge.is_some() {
            slope.push(by.ridge * hyper.ridge * RIDGE.1);
            slope.push(by.decay * (hyper.decay - LEAST_DECAY) * DECAY_SPREAD);
        }
        slope
    }

    /// The prior's part of the objective, and of its slope: relevances vary about their mean, which varies more.
    pub(super) fn penalty(&self, point: &[f64], slope: &mut [f64]) -> f64 {
        let n = self.players;
        let mean = point[..n].iter().sum::<f64>() / n as f64;
        let mut sum = (mean / SPREAD_OF_MEAN).powi(2);
        for (place, z) in point.iter().enumerate() {
            let (z, of_mean) = if place < n { (z - mean, mean / SPREAD_OF_MEAN.powi(2) / n as f64) } else { (*z, 0.0) };
            sum += z * z;
            slope[place] += z + of_mean;
        }
        sum / 2.0
    }

    /// The negative logarithm of the posterior density of a point, up to a constant, and its slope. The scale of all
    /// covariances is profiled out. None where the covariance cannot be factored; above the bound, the slope is of no
    /// meaning.
    pub(super) fn objective(
        &self,
        point: &[f64],
        data: &Data,
        room: &mut Workspace,
        bound: f64,
    ) -> Option<(f64, Vec<f64>)> {
        let kernel = self.kernel(point);
        let harmonics = room.harmonics(&kernel);
        let mut covariance = kernel.within_workspace(&data.rows, &harmonics, room);
        if self.half == Half::Even {
            // The other half is of what that leaves in the workspace.
            room.covariance = covariance;
            covariance = kernel.even_of_workspace(room);
        }
        let factor = data.factor(&kernel, covariance, JITTER)?;
        let alpha = factor.solve(&data.y);
        let size = data.len();
        let scale = dot(&data.y, &alpha) / size as f64;
        if !(scale > 0.0 && scale.is_finite()) {
            return None;
        }
        let mut slope = vec![0.0; self.len()];
        let penalty = self.penalty(point, &mut slope);
        let value = 0.5 * size as f64 * scale.ln() + factor.log_determinant() + penalty;
        if value <= bound {
            // Σ (α α' / s² − K⁻¹) ∂K is minus twice the derivative.
            factor.put_inverse(&mut room.inverse, &mut room.scratch);
            let by = kernel.gradient(&harmonics, room, (&alpha, scale), &data.noisy, self.half);
            slope.iter_mut().zip(self.coordinates(&kernel, &by)).for_each(|(slope, by)| *slope -= 0.5 * by);
        }
        match self.half {
            Half::Odd => room.covariance = factor.into_room(),
            Half::Even => room.even_covariance = factor.into_room(),
        }
        (value.is_finite() && slope.iter().all(|s| s.is_finite())).then_some((value, slope))
    }

    /// Goes on with a descent. The workspace is of the same rows.
    pub(super) fn descend(&self, descent: &mut Descent, data: &Data, room: &mut Workspace, evaluations: usize) {
        descent.go(evaluations, |point, bound| self.objective(point, data, room, bound));
    }

    /// Descends with one relevance for all players, from where all are e^`log` (as logits), and all else is at its
    /// mean.
    pub(super) fn descend_tied(&self, log: f64, data: &Data, evaluations: usize) -> (f64, Vec<f64>) {
        let mut room = Workspace::new(&data.rows);
        let n = self.players;
        let widen = |short: &[f64]| [&vec![short[0]; n - 1][..], short].concat();
        let mut descent = Descent::new(self.tied(log)[n - 1..].to_vec());
        descent.go(evaluations, |short, bound| {
            let (value, slope) = self.objective(&widen(short), data, &mut room, bound)?;
            let together: f64 = slope[..n].iter().sum();
            Some((value, [&[together][..], &slope[n..]].concat()))
        });
        (descent.value, widen(&descent.point))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::data::random_data;
    use crate::surrogate::generator;

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        for (n, seed) in [(3, 1), (8, 2), (9, 3), (17, 4), (70, 5)] {
            let data = random_data(n, 25, seed);
            let values: Vec<f64> = (0..n).map(|k| 0.1 + k as f64).collect();
            for space in [Space::plain(n, Half::Odd), Space::plain(n, Half::Even), Space::ridge(n, &values)] {
                let mut random = generator(seed, 7);
                let point: Vec<f64> = (0..space.len()).map(|_| random.unit() - 0.5).collect();
                let mut room = Workspace::new(&data.rows);
                let (_, slope) = space.objective(&point, &data, &mut room, f64::INFINITY).unwrap();
                for place in 0..space.len() {
                    let mut at = |by: f64| {
                        let mut there = point.clone();
                        there[place] += by;
                        space.objective(&there, &data, &mut room, f64::INFINITY).unwrap().0
                    };
                    // Five points: an error of the fourth order.
                    let h = 1e-3;
                    let want = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
                    assert!(
                        (slope[place] - want).abs() < 1e-6 * (1.0 + want.abs()),
                        "n {n}, place {place}: {} {want}",
                        slope[place]
                    );
                }
            }
        }
    }
}
