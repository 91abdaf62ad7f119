//! Standard errors of means of samples, from each player's own squared deviations and from what players know of each
//! other's. `docs/permutation.md` says why, and what it assumes.

use super::moments::Total;
use super::student::{scaled, width};
use crate::Value;

/// Degrees of freedom that the variance of all players has beside a player's own, where contributions are rare.
const PRIOR: f64 = 4.0;

/// What is added to the variance of all players where contributions are rare, in units of itself: a player that has shown
/// none of them has an estimate that is off to one side too.
const CAUTION: f64 = 2.0;

/// The standard errors of all players' means, and the degrees of freedom of each output.
#[derive(Debug)]
pub(crate) struct Spread {
    /// For each component of each player's value, player 0 first.
    pub(super) errors: Vec<f64>,
    pub(super) freedom: Vec<f64>,
}

impl Spread {
    /// Infinite for a single sample.
    pub(super) fn of<V: Value>(total: &Total<V>) -> Self {
        let (components, outputs) = (total.squares.len(), total.outputs());
        let mut spread = Self { errors: vec![f64::INFINITY; components], freedom: vec![0.0; outputs] };
        if total.samples < 2 {
            return spread;
        }
        let samples = total.samples as f64;
        let own = samples - 1.0;
        for output in 0..outputs {
            let squares = || total.squares.iter().skip(output).step_by(outputs);
            let weight = total.tails.get(output).copied().unwrap_or_default().weight();
            let mean = squares().sum::<f64>() / (components / outputs) as f64 / own * (1.0 + CAUTION * weight);
            // What overflows tells the others nothing.
            let prior = if mean.is_finite() { PRIOR * (2.0 * weight).min(1.0) } else { 0.0 };
            let kept = if prior > 0.0 { (own * (1.0 - weight)).max(1.0) } else { own };
            spread.freedom[output] = (prior + kept).min(own);
            let errors = spread.errors.iter_mut().skip(output).step_by(outputs);
            for (error, square) in errors.zip(squares()) {
                let variance = square / own;
                let shared = if prior > 0.0 { (prior * mean + kept * variance) / (prior + kept) } else { variance };
                *error = (shared / samples).sqrt();
            }
        }
        spread
    }

    /// The largest half width of all intervals; infinite if one is not a number, which is not known to be small.
    pub(super) fn half_width(&self, level: f64) -> f64 {
        let outputs = self.freedom.len();
        let of_output = |(output, &freedom): (usize, &f64)| {
            let errors = self.errors.iter().skip(output).step_by(outputs);
            let larger = |most: f64, &error: &f64| if error.is_nan() { f64::INFINITY } else { most.max(error) };
            scaled(width(level, freedom), errors.fold(0.0, larger))
        };
        self.freedom.iter().enumerate().map(of_output).fold(0.0, f64::max)
    }
}
