//! When a sampler stops before its budget is spent: options that samplers share, and their checks.

use std::time::{Duration, Instant};

use super::clock;
use crate::Error;

/// A precision to reach, and a time that is not to be passed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopping {
    /// The largest half width of the players' intervals.
    pub(crate) precision: Option<f64>,
    /// The level of these intervals.
    pub(crate) confidence: f64,
    pub(crate) deadline: Option<Duration>,
}

impl Stopping {
    /// Nothing but the budget.
    pub(crate) fn never() -> Self {
        Self { precision: None, confidence: 0.95, deadline: None }
    }

    /// Whether a run may stop before its budget is spent.
    #[cfg(feature = "surrogate")]
    pub(crate) fn is_there(&self) -> bool {
        self.precision.is_some() || self.deadline.is_some()
    }

    /// Refuses what is out of range.
    pub(crate) fn check<E>(&self) -> Result<(), Error<E>> {
        positive("precision", self.precision)?;
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            let (name, value) = ("confidence", self.confidence);
            return Err(Error::Setting { name, value, allowed: "between 0 and 1, both excluded" });
        }
        if let Some(deadline) = self.deadline.filter(|_| !clock::IS_THERE) {
            let (name, allowed) = ("deadline", "left out on this target, which has no clock");
            return Err(Error::Setting { name, value: deadline.as_secs_f64(), allowed });
        }
        Ok(())
    }

    /// When the time is up, from now on; never, if it is too long to be counted.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.deadline.and_then(|after| Instant::now().checked_add(after))
    }
}

/// Refuses a number that is there, and is not positive and finite.
pub(crate) fn positive<E>(name: &'static str, value: Option<f64>) -> Result<(), Error<E>> {
    match value {
        Some(value) if !(value > 0.0 && value.is_finite()) => {
            Err(Error::Setting { name, value, allowed: "positive and finite" })
        }
        _ => Ok(()),
    }
}
