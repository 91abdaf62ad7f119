//! Hyper-parameters by penalised marginal likelihood.

use faer::Mat;

use super::covariance::{Gradient, Workspace};
use super::descent::Descent;
use super::kernel::{Hyper, JITTER, Kernel, LARGEST_RELEVANCE, Rows};
use super::linear::{Factor, dot};
use crate::engine::Random;

/// What a model is fitted to: rows of ±1, the odd part of each coalition's value in units of its root mean square, and
/// whether it is noisy (1) or known to be free of noise (0).
#[derive(Clone, Debug)]
pub(super) struct Data {
    pub(super) rows: Rows,
    pub(super) y: Vec<f64>,
    pub(super) noisy: Vec<f64>,
}

impl Data {
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        let pick = |from: &[f64]| rows.iter().map(|&row| from[row]).collect();
        Self { rows: self.rows.select(rows), y: pick(&self.y), noisy: pick(&self.noisy) }
    }

    /// Row 0 and others at random, so many in all, or all if there are no more.
    pub(super) fn some(&self, rows: usize, random: &mut Random) -> Self {
        if rows >= self.len() {
            return self.clone();
        }
        let others = random.choose(rows - 1, self.len() - 1).into_iter().map(|row| row + 1);
        self.select(&std::iter::once(0).chain(others).collect::<Vec<_>>())
    }

    pub(super) fn len(&self) -> usize {
        self.y.len()
    }

    /// The factor of a covariance, with noise and so much of `jitter` on the diagonal.
    pub(super) fn factor(&self, kernel: &Kernel, mut covariance: Mat<f64>, jitter: f64) -> Option<Factor> {
        for (row, noisy) in self.noisy.iter().enumerate() {
            covariance[(row, row)] += kernel.hyper.noise * noisy + jitter;
        }
        Factor::new(covariance)
    }
}

/// The coordinates in which hyper-parameters are looked for, each in standard deviations from its prior's mean.
///
/// In this order: the logit of each player's relevance, between the least and the largest there are, less the prior
/// mean of them all | growth | for the index model only: each player's weight in the index | ln noise, ln size, ln
/// linear | ln index, decay, for the index model only.
#[derive(Clone, Debug)]
pub(super) struct Space {
    players: usize,
    /// The direction that the index starts from, and the root mean square of its weights: none for the plain model.
    index: Option<(Vec<f64>, f64)>,
    /// The prior mean of all relevances, as logits.
    mean_relevance: f64,
}

/// Means and standard deviations of normal priors, of what [`Space`] lists. The mean relevance depends on the players.
const GROWTH: (f64, f64) = (1.0, 1.5);
const NOISE: (f64, f64) = (-4.0, 3.0);
const SIZE: (f64, f64) = (-3.0, 3.0);
const LINEAR: (f64, f64) = (-1.0, 3.0);
const INDEX: (f64, f64) = (-3.0, 3.0);
const WEIGHT_SPREAD: f64 = 0.5;

/// The standard deviation of the mean of all relevances.
const SPREAD_OF_MEAN: f64 = 3.0;

/// ln of the largest noise and variance.
const MOST_LOG: f64 = 7.0;

/// The least noise, and the least variances of size and linear terms, for the same reason as the least relevance.
const LEAST_VARIANCE: f64 = 1e-6;

/// The decay is above this, below which an index could be any function; its logarithm above that is normal, about that
/// of 1.2.
const LEAST_DECAY: f64 = 0.55;
const MIDDLE_DECAY: f64 = 1.2;
const DECAY_SPREAD: f64 = 0.6;

fn decay(z: f64) -> f64 {
    LEAST_DECAY + (MIDDLE_DECAY - LEAST_DECAY) * (DECAY_SPREAD * z.clamp(-20.0, 5.0)).exp()
}

impl Space {
    pub(super) fn plain(players: usize) -> Self {
        Self { players, index: None, mean_relevance: (2.0 / players as f64).ln() + 1.0 }
    }

    /// With an index near the direction of these values.
    pub(super) fn index(players: usize, values: &[f64]) -> Self {
        let total: f64 = values.iter().map(|v| v.abs()).sum();
        let direction: Vec<f64> = values.iter().map(|v| v / total.max(1e-300)).collect();
        let scale = (dot(&direction, &direction) / players as f64).sqrt().max(1e-12);
        Self { index: Some((direction, scale)), ..Self::plain(players) }
    }

    pub(super) fn len(&self) -> usize {
        if self.index.is_some() { 2 * self.players + 6 } else { self.players + 4 }
    }

    /// Where the relevances are all e^`log` (as logits), and all else is at its mean.
    pub(super) fn tied(&self, log: f64) -> Vec<f64> {
        let mut point = vec![0.0; self.len()];
        point[..self.players].fill(log - self.mean_relevance);
        point
    }

    /// The point of the index model that is a point of the plain one, with an index of a little weight.
    pub(super) fn warm(&self, plain: &[f64]) -> Vec<f64> {
        let n = self.players;
        let mut point = vec![0.0; self.len()];
        point[..=n].copy_from_slice(&plain[..=n]);
        point[2 * n + 1..2 * n + 4].copy_from_slice(&plain[n + 1..n + 4]);
        point[2 * n + 4] = (-2.0 - INDEX.0) / INDEX.1;
        point
    }

    pub(super) fn kernel(&self, point: &[f64]) -> Kernel {
        let n = self.players;
        let place = |(mean, sd): (f64, f64), z: f64| mean + sd * z;
        // Beyond this the model is the same to all digits.
        let exp = |prior, z| place(prior, z).clamp(-40.0, MOST_LOG).exp();
        let above = |prior, z| LEAST_VARIANCE + exp(prior, z);
        let tail = self.tail();
        let span = LARGEST_RELEVANCE - self.least_relevance();
        let logistic = |z: &f64| 1.0 / (1.0 + (-(z + self.mean_relevance)).clamp(-30.0, 30.0).exp());
        let relevance = |z: &f64| self.least_relevance() + span * logistic(z);
        let (direction, index, decay) = match &self.index {
            Some((start, scale)) => {
                let moved = |(start, z): (&f64, &f64)| start + scale * WEIGHT_SPREAD * z;
                let direction = start.iter().zip(&point[n + 1..]).map(moved).collect();
                (direction, exp(INDEX, point[tail + 3]), decay(point[tail + 4]))
            }
            None => (vec![0.0; n], 0.0, decay(0.0)),
        };
        Kernel::new(Hyper {
            relevance: point[..n].iter().map(relevance).collect(),
            growth: place(GROWTH, point[n]) / n as f64,
            direction,
            noise: above(NOISE, point[tail]),
            size: above(SIZE, point[tail + 1]),
            linear: above(LINEAR, point[tail + 2]),
            index,
            decay,
        })
    }

    /// No player is said to matter less: where some words of a sentence do not matter at all, all likelihood would come
    /// from that, and the rest of the fit would stop.
    fn least_relevance(&self) -> f64 {
        (self.mean_relevance - 6.0).exp()
    }

    /// The place of ln noise.
    fn tail(&self) -> usize {
        if self.index.is_some() { 2 * self.players + 1 } else { self.players + 1 }
    }

    /// The derivatives by the coordinates.
    fn coordinates(&self, kernel: &Kernel, by: &Gradient) -> Vec<f64> {
        let hyper = &kernel.hyper;
        let mut slope = Vec::with_capacity(self.len());
        for (r, by) in hyper.relevance.iter().zip(&by.relevance) {
            let above = r - self.least_relevance();
            slope.push(by * above * (1.0 - above / (LARGEST_RELEVANCE - self.least_relevance())));
        }
        slope.push(by.growth / self.players as f64 * GROWTH.1);
        if let Some((_, scale)) = &self.index {
            slope.extend(by.direction.iter().map(|by| by * scale * WEIGHT_SPREAD));
        }
        slope.push(by.noise * (hyper.noise - LEAST_VARIANCE) * NOISE.1);
        slope.push(by.size * (hyper.size - LEAST_VARIANCE) * SIZE.1);
        slope.push(by.linear * (hyper.linear - LEAST_VARIANCE) * LINEAR.1);
        if self.index.is_some() {
            slope.push(by.index * hyper.index * INDEX.1);
            slope.push(by.decay * (hyper.decay - LEAST_DECAY) * DECAY_SPREAD);
        }
        slope
    }

    /// The prior's part of the objective, and of its slope: relevances vary about their mean, which varies more.
    fn penalty(&self, point: &[f64], slope: &mut [f64]) -> f64 {
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
        let waves = room.waves(&kernel);
        let factor = data.factor(&kernel, kernel.within_workspace(&data.rows, &waves, room), JITTER)?;
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
            let by = kernel.gradient(&waves, room, (&alpha, scale), &data.noisy);
            slope.iter_mut().zip(self.coordinates(&kernel, &by)).for_each(|(slope, by)| *slope -= 0.5 * by);
        }
        room.covariance = factor.into_room();
        (value.is_finite() && slope.iter().all(|s| s.is_finite())).then_some((value, slope))
    }

    /// Goes on with a descent. The workspace is of the same rows.
    pub(super) fn climb(&self, descent: &mut Descent, data: &Data, room: &mut Workspace, evaluations: usize) {
        descent.go(evaluations, |point, bound| self.objective(point, data, room, bound));
    }

    /// Descends with one relevance for all players, from where all are e^`log` (as logits), and all else is at its
    /// mean.
    pub(super) fn climb_tied(&self, log: f64, data: &Data, evaluations: usize) -> (f64, Vec<f64>) {
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

/// Random rows of different coalitions, with numbers that mean nothing.
#[cfg(test)]
pub(super) fn random_data(n: usize, rows: usize, seed: u64) -> Data {
    let mut random = super::generator(seed, 8);
    let coalition = |_| {
        let size = 1 + random.below(n as u64 - 1) as usize;
        random.coalition(n, size)
    };
    let coalitions: Vec<_> = (0..rows).map(coalition).collect();
    let y = (0..rows).map(|_| 2.0 * random.unit() - 1.0).collect();
    let mut noisy = vec![1.0; rows];
    noisy[0] = 0.0;
    Data { rows: Rows::new(n, coalitions.iter().map(crate::Coalition::words)), y, noisy }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::generator;

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        for (n, seed) in [(3, 1), (8, 2), (9, 3), (17, 4), (70, 5)] {
            let data = random_data(n, 25, seed);
            let values: Vec<f64> = (0..n).map(|k| 0.1 + k as f64).collect();
            for space in [Space::plain(n), Space::index(n, &values)] {
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
