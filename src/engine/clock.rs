//! Time, on machines that have a clock.

use std::time::{Duration, Instant};

/// Whether there is a clock. On `wasm32-unknown-unknown` std has none, and `Instant::now` panics.
pub(crate) const IS_THERE: bool = !cfg!(all(target_arch = "wasm32", target_os = "unknown"));

/// A moment from which time is measured: without a clock no time passes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start(Option<Instant>);

impl Start {
    pub(crate) fn now() -> Self {
        Self(IS_THERE.then(Instant::now))
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.map_or(Duration::ZERO, |start| start.elapsed())
    }
}
