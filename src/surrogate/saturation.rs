//! A game that saturates: an unknown function of both halves, seen through a logistic curve.
//!
//! Probabilities, accuracies and scores between two bounds flatten near them: what a coalition adds depends on how near
//! the others have come. Between bounds a < b, g(S) = ln((v(S) − a) / (b − v(S))) is then much nearer to a sum than v
//! is. Here g is a Gaussian process, its odd and its even half independent, and a and b are fitted with its
//! hyper-parameters. Bounds far from all values leave g linear in v.

use super::bfgs::Descent;
use super::constants::{
    BOUND, CONSTANT, FAR_BOUND, FIRST_ROWS, JITTER, LEAST_VARIANCE, MOST_TIES, NEAREST_BOUND, NEXT_EVALUATIONS, NOISE,
    SATURATION_EVALUATIONS, SIZE,
};
use super::covariance::{Half, Workspace};
use super::data::{Both, Data};
use super::hyperparameters::{Space, variance};
use super::kernel::{Hyper, Kernel};
use super::linear::dot;
use super::posterior::Model;
use crate::engine::Random;

/// The logistic curve between two bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Curve {
    low: f64,
    high: f64,
}

impl Curve {
    fn inverse(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - value)).ln()
    }

    /// The derivative of the inverse.
    fn density(&self, value: f64) -> f64 {
        (self.high - self.low) / ((value - self.low) * (self.high - value))
    }

    fn at(&self, g: f64) -> f64 {
        self.low + (self.high - self.low) / (1.0 + (-g).exp())
    }

    fn slope(&self, g: f64) -> f64 {
        let e = (-g.abs()).exp();
        (self.high - self.low) * e / (1.0 + e).powi(2)
    }

    /// One half of the curve's values, from the two halves of g.
    pub(super) fn half(&self, half: Half, odd: f64, even: f64) -> f64 {
        let (of, complement) = (self.at(even + odd), self.at(even - odd));
        match half {
            Half::Odd => (of - complement) / 2.0,
            Half::Even => (of + complement) / 2.0,
        }
    }

    /// The mean slope at both coalitions of a pair.
    pub(super) fn slope_of_pair(&self, odd: f64, even: f64) -> f64 {
        (self.slope(even + odd) + self.slope(even - odd)) / 2.0
    }
}

/// The two halves of g at some rows.
pub(super) struct Halves {
    pub(super) odd: Vec<f64>,
    pub(super) even: Vec<f64>,
}

impl Halves {
    pub(super) fn new(curve: &Curve, both: &Both) -> Self {
        let g = both.of.iter().zip(&both.complement).map(|(a, b)| (curve.inverse(*a), curve.inverse(*b)));
        let (odd, even) = g.map(|(a, b)| ((a - b) / 2.0, (a + b) / 2.0)).unzip();
        Self { odd, even }
    }
}

/// Where the bounds may be: outside all values.
#[derive(Clone, Copy, Debug)]
struct Extent {
    least: f64,
    most: f64,
    /// Whether the lower and the upper bound stay far away.
    is_far: [bool; 2],
}

impl Extent {
    fn new(both: &Both) -> Self {
        let (least, most) = both.all().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let near = 1e-9 * (most - least);
        // One value is always the least, and two may be by chance.
        let allowed = (MOST_TIES * both.all().count() as f64).max(1.5);
        let ties = |is_tied: &dyn Fn(f64) -> bool| both.all().filter(|v| is_tied(*v)).count() as f64;
        let is_far = [ties(&|v| v <= least + near) > allowed, ties(&|v| v >= most - near) > allowed];
        Self { least, most, is_far }
    }

    /// The curve of two coordinates, and the derivatives of its bounds by them.
    fn curve(&self, point: &[f64]) -> (Curve, [f64; 2]) {
        let bound = |side: usize| {
            let log = BOUND.0 + BOUND.1 * point[side];
            let is_free = !self.is_far[side] && (NEAREST_BOUND..=FAR_BOUND).contains(&log);
            let limited = if self.is_far[side] { FAR_BOUND } else { log.clamp(NEAREST_BOUND, FAR_BOUND) };
            let distance = (self.most - self.least) * limited.exp();
            (distance, if is_free { BOUND.1 * distance } else { 0.0 })
        };
        let ((below, by_low), (above, by_high)) = (bound(0), bound(1));
        (Curve { low: self.least - below, high: self.most + above }, [-by_low, by_high])
    }
}

/// The coordinates of a fit: those of the plain model, then ln noise and ln size of the even half, then the bounds.
struct JointSpace {
    plain: Space,
    extent: Extent,
}

/// How many hyper-parameters are fitted.
pub(super) fn parameters(players: usize) -> usize {
    Space::plain(players, Half::Odd).len() + 4
}

impl JointSpace {
    /// Of the odd and the even half, which share the relevances.
    fn kernels(&self, point: &[f64]) -> [Kernel; 2] {
        let plain = self.plain.len();
        let odd = self.plain.kernel(&point[..plain]);
        let above = |prior, z| LEAST_VARIANCE + variance(prior, z);
        let (noise, size) = (above(NOISE, point[plain]), above(SIZE, point[plain + 1]));
        let mut even = odd.clone();
        even.hyper = Hyper { noise, size, linear: CONSTANT, ..even.hyper };
        [odd, even]
    }

    /// The negative logarithm of the posterior density of a point, up to a constant, and its slope; the scales of both
    /// halves are profiled out. None where a covariance cannot be factored; above the bound, the slope is of no
    /// meaning.
    fn objective(&self, point: &[f64], data: &Data, room: &mut Workspace, bound: f64) -> Option<(f64, Vec<f64>)> {
        let both = data.both.as_ref()?;
        let plain = self.plain.len();
        let (curve, by_bounds) = self.extent.curve(&point[plain + 2..]);
        let halves = Halves::new(&curve, both);
        let kernels = self.kernels(point);
        let harmonics = room.harmonics(&kernels[0]);
        let odd = data.factor(&kernels[0], kernels[0].within_workspace(&data.rows, &harmonics, room), JITTER)?;
        let even = data.factor(&kernels[1], kernels[1].even_of_workspace(room), JITTER)?;
        let rows = data.len() as f64;
        // The density of the values is that of g times the slope of the inverse curve.
        let mut value = -both.all().map(|v| curve.density(v).ln()).sum::<f64>();
        let mut solved = Vec::new();
        for (factor, y) in [(&odd, &halves.odd), (&even, &halves.even)] {
            let alpha = factor.solve(y);
            let scale = dot(y, &alpha) / rows;
            if !(scale > 0.0 && scale.is_finite()) {
                return None;
            }
            value += 0.5 * rows * scale.ln() + factor.log_determinant();
            solved.push((alpha, scale));
        }
        let mut slope = vec![0.0; plain + 4];
        value += self.plain.penalty(&point[..plain], &mut slope[..plain]);
        for place in plain..plain + 4 {
            value += point[place] * point[place] / 2.0;
            slope[place] += point[place];
        }
        if value <= bound {
            let mut by_kernel = |which: usize, half: Half| {
                let (factor, (alpha, scale)) = ([&odd, &even][which], &solved[which]);
                factor.put_inverse(&mut room.inverse, &mut room.scratch);
                let by = kernels[which].gradient(&harmonics, room, (alpha, *scale), &data.noisy, half);
                self.plain.coordinates(&kernels[which], &by)
            };
            let (by_odd, by_even) = (by_kernel(0, Half::Odd), by_kernel(1, Half::Even));
            slope[..plain].iter_mut().zip(&by_odd).for_each(|(slope, by)| *slope -= 0.5 * by);
            let players = data.rows.players;
            slope[..players].iter_mut().zip(&by_even).for_each(|(slope, by)| *slope -= 0.5 * by);
            slope[plain..plain + 2].iter_mut().zip(&by_even[players..]).for_each(|(slope, by)| *slope -= 0.5 * by);
            for (side, by_bound) in by_bounds.into_iter().enumerate() {
                slope[plain + 2 + side] += by_bound * by_side(&curve, side, both, &solved);
            }
        }
        room.covariance = odd.into_room();
        room.even_covariance = even.into_room();
        (value.is_finite() && slope.iter().all(|s| s.is_finite())).then_some((value, slope))
    }
}

/// The derivative of the objective by the lower bound (side 0) or the upper one, from K⁻¹y and the scale of both
/// halves.
fn by_side(curve: &Curve, side: usize, both: &Both, solved: &[(Vec<f64>, f64)]) -> f64 {
    let Curve { low, high } = *curve;
    let of_g = |v: f64| if side == 0 { -1.0 / (v - low) } else { -1.0 / (high - v) };
    let of_density = |v: f64| {
        let all = 1.0 / (high - low);
        if side == 0 { 1.0 / (v - low) - all } else { all - 1.0 / (high - v) }
    };
    let [(odd, odd_scale), (even, even_scale)] = solved else { return 0.0 };
    let mut sum = 0.0;
    for (row, (&a, &b)) in both.of.iter().zip(&both.complement).enumerate() {
        let (of_a, of_b) = (of_g(a), of_g(b));
        sum += odd[row] / odd_scale * (of_a - of_b) / 2.0 + even[row] / even_scale * (of_a + of_b) / 2.0;
        sum -= of_density(a) + of_density(b);
    }
    sum
}

/// Fits both halves to some rows of the data, from a point of the plain model. None if the values leave no room for a
/// curve: if many are equal to the least and to the largest, or all are the same.
pub(super) fn fit(data: &Data, few: &Data, start: &[f64], room: &mut Workspace, random: &mut Random) -> Option<Model> {
    // Of all rows, since the curve has an inverse at all of them.
    let extent = Extent::new(data.both.as_ref()?);
    if extent.is_far == [true; 2] || extent.most <= extent.least {
        return None;
    }
    let space = JointSpace { plain: Space::plain(data.rows.players, Half::Odd), extent };
    let mut point = start.to_vec();
    point.resize(start.len() + 4, 0.0);
    let mut descent = Descent::new(point);
    let fewer = few.some(FIRST_ROWS, random);
    let mut small = Workspace::new(&fewer.rows);
    descent.go(SATURATION_EVALUATIONS, |point, bound| space.objective(point, &fewer, &mut small, bound));
    if fewer.len() < few.len() {
        descent.rescale(few.len() as f64 / fewer.len() as f64);
        descent.go(NEXT_EVALUATIONS, |point, bound| space.objective(point, few, room, bound));
    }
    descent.value.is_finite().then_some(())?;
    let (curve, _) = space.extent.curve(&descent.point[start.len() + 2..]);
    Some(Model::Saturated(Box::new(space.kernels(&descent.point)), curve, Half::Odd))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::data::random_data;
    use crate::surrogate::generator;

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        for (n, seed) in [(3, 1), (8, 2), (9, 3), (17, 4)] {
            let data = random_data(n, 25, seed);
            let extent = Extent::new(data.both.as_ref().unwrap());
            assert_eq!(extent.is_far, [false; 2]);
            let space = JointSpace { plain: Space::plain(n, Half::Odd), extent };
            let mut random = generator(seed, 7);
            let point: Vec<f64> = (0..space.plain.len() + 4).map(|_| random.unit() - 0.5).collect();
            let mut room = Workspace::new(&data.rows);
            let (_, slope) = space.objective(&point, &data, &mut room, f64::INFINITY).unwrap();
            for place in 0..point.len() {
                let mut at = |by: f64| {
                    let mut there = point.clone();
                    there[place] += by;
                    space.objective(&there, &data, &mut room, f64::INFINITY).unwrap().0
                };
                let h = 1e-3;
                let want = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
                assert!(
                    (slope[place] - want).abs() < 1e-6 * (1.0 + want.abs()),
                    "n {n}, {place}: {} {want}",
                    slope[place]
                );
            }
        }
    }

    #[test]
    fn the_curve_and_its_inverse_agree_near_and_far() {
        for (low, high) in [(-1e-7, 1.0 + 1e-7), (-8000.0, 8000.0), (-1e-7, 8000.0)] {
            let curve = Curve { low, high };
            for v in [0.0, 1e-6, 0.3, 1.0] {
                let g = curve.inverse(v);
                assert!((curve.at(g) - v).abs() < 1e-11, "{low} {high} {v}: {}", curve.at(g));
                assert!((curve.slope(g) * curve.density(v) - 1.0).abs() < 1e-8, "{low} {high} {v}");
            }
        }
    }
}
