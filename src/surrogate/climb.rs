//! A descent by BFGS that counts its evaluations, each of which is a matrix factored.

use super::linear::dot;

/// Stops once a step promises to gain less: hundredths of a unit of log-likelihood say nothing.
const LEAST_GAIN: f64 = 1e-3;

/// No coordinate moves farther at once. They are in units of their prior's standard deviation.
const LONGEST_STEP: f64 = 2.0;

/// Descends from a point for at most so many evaluations of a function and its gradient; returns the lowest value seen,
/// and where. The function says none where it has no value.
///
/// The memory is of all steps (Liu & Nocedal 1989, "On the limited memory BFGS method for large scale optimization",
/// *Mathematical Programming* 45, 503–528, doi:10.1007/BF01589116, without the limit, since there are few). A step that
/// does not gain enough is shortened to the minimum of a parabola.
pub(super) fn climb_down(
    start: Vec<f64>,
    evaluations: usize,
    mut function: impl FnMut(&[f64]) -> Option<(f64, Vec<f64>)>,
) -> (f64, Vec<f64>) {
    let mut x = start;
    let Some((mut value, mut slope)) = function(&x) else { return (f64::INFINITY, x) };
    let mut left = evaluations.saturating_sub(1);
    let mut steps: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    'descent: while left > 0 {
        let mut direction = downhill(&steps, &slope);
        let mut promise = -dot(&direction, &slope);
        if promise.is_nan() || promise <= 0.0 {
            steps.clear();
            direction = slope.iter().map(|s| -s).collect();
            promise = dot(&slope, &slope);
        }
        if promise.is_nan() || promise <= LEAST_GAIN {
            break;
        }
        let longest = direction.iter().fold(0.0_f64, |most, d| most.max(d.abs()));
        // Nothing is known of the curvature before the first step.
        let limit = if steps.is_empty() { LONGEST_STEP / 2.0 } else { LONGEST_STEP };
        let mut length = if steps.is_empty() { limit / longest } else { (limit / longest).min(1.0) };
        loop {
            if left == 0 {
                break 'descent;
            }
            left -= 1;
            let there: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + length * d).collect();
            match function(&there) {
                Some((lower, slope_there)) if lower <= value - 1e-4 * length * promise => {
                    let step: Vec<f64> = direction.iter().map(|d| length * d).collect();
                    let change: Vec<f64> = slope_there.iter().zip(&slope).map(|(new, old)| new - old).collect();
                    let curvature = dot(&step, &change);
                    if curvature > 1e-10 * dot(&change, &change).sqrt() * dot(&step, &step).sqrt() {
                        steps.push((step, change, curvature));
                    }
                    let gained = value - lower;
                    (x, value, slope) = (there, lower, slope_there);
                    if gained < LEAST_GAIN {
                        break 'descent;
                    }
                    continue 'descent;
                }
                Some((higher, _)) => {
                    let parabola = length * length * promise / (2.0 * (higher - value + length * promise));
                    length = parabola.clamp(0.1 * length, 0.5 * length);
                }
                None => length *= 0.2,
            }
            if length * longest < 1e-6 {
                break 'descent;
            }
        }
    }
    (value, x)
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
