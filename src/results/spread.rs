//! Standard errors of means of samples, from each player's own squared deviations and from what players know of each
//! other's. `docs/permutation.md` says why, and what it assumes.

use super::moments::Total;
use super::student::{scaled, width};
use crate::Value;

/// Degrees of freedom that the mean variance of all players has beside a player's own, where contributions are rare.
const SHARED: f64 = 6.0;

/// By how much intervals are wider, where contributions are rare and hardly any was seen: a player that has shown none
/// has an estimate that is off to one side, too. The variance is larger by the square of this.
const CAUTION: f64 = 2.0;

/// How far intervals of one output reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reach {
    freedom: f64,
    /// A factor for all intervals: 1 where contributions are not rare.
    caution: f64,
}

impl Reach {
    /// Half the width of an interval, in standard errors.
    pub(super) fn width(self, level: f64) -> f64 {
        width(level, self.freedom) * self.caution
    }
}

/// The standard errors of all players' means, and how far intervals reach.
#[derive(Debug)]
pub(crate) struct Spread {
    /// For each component of each player's value, player 0 first.
    pub(super) errors: Vec<f64>,
    /// For each output.
    pub(super) reach: Vec<Reach>,
}

impl Spread {
    /// Infinite for a single sample.
    pub(super) fn of<V: Value>(total: &Total<V>) -> Self {
        let (components, outputs) = (total.squares.len(), total.outputs());
        let nothing = Reach { freedom: 0.0, caution: 1.0 };
        let mut spread = Self { errors: vec![f64::INFINITY; components], reach: vec![nothing; outputs] };
        if total.samples < 2 {
            return spread;
        }
        let samples = total.samples as f64;
        let own = samples - 1.0;
        for (output, reach) in spread.reach.iter_mut().enumerate() {
            let squares = || total.squares.iter().skip(output).step_by(outputs);
            let tail = total.tails.get(output).copied().unwrap_or_default().weight();
            let mean = squares().sum::<f64>() / (components / outputs) as f64 / own;
            // What overflows tells the others nothing.
            let shared = if mean.is_finite() { SHARED * (2.0 * tail).min(1.0) } else { 0.0 };
            let kept = if shared > 0.0 { (own * (1.0 - tail)).max(1.0) } else { own };
            let part = shared / (shared + kept);
            let errors = spread.errors.iter_mut().skip(output).step_by(outputs);
            for (error, square) in errors.zip(squares()) {
                let variance = square / own;
                let pooled = if part > 0.0 { part * mean + (1.0 - part) * variance } else { variance };
                *error = (pooled / samples).sqrt();
            }
            *reach =
                Reach { freedom: (shared + kept).min(own), caution: (1.0 + (CAUTION * tail).powi(2) * part).sqrt() };
        }
        spread
    }

    /// The largest half width of all intervals; infinite if one is not a number, which is not known to be small.
    pub(super) fn half_width(&self, level: f64) -> f64 {
        let outputs = self.reach.len();
        let of_output = |(output, reach): (usize, &Reach)| {
            let errors = self.errors.iter().skip(output).step_by(outputs);
            let larger = |most: f64, &error: &f64| if error.is_nan() { f64::INFINITY } else { most.max(error) };
            scaled(reach.width(level), errors.fold(0.0, larger))
        };
        self.reach.iter().enumerate().map(of_output).fold(0.0, f64::max)
    }
}
