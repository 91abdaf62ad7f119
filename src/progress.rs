//! What an observer sees of a running solver.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How far a solver is: what the closure given to `observe` is shown.
///
/// ```
/// use std::ops::ControlFlow;
///
/// let game = shapley::from_fn(12, |s| (s.len() as f64).sqrt());
/// let show = |progress: &shapley::Progress| {
///     eprintln!("{} of {}", progress.evaluations, progress.total);
///     ControlFlow::Continue(())
/// };
/// let phi = shapley::Exact::new().observe(show).solve(&game)?;
/// # assert_eq!(phi.evaluations(), 4096);
/// # Ok::<(), shapley::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// The evaluations made so far.
    pub evaluations: u64,
    /// The evaluations that the whole run takes, at the most.
    pub total: u64,
    /// The time since the run began.
    pub elapsed: Duration,
}

/// Counts evaluations as they come in from any thread, and shows the count to an observer, one call at a time and
/// never backwards.
pub(crate) struct Meter<'f, F> {
    observer: Option<&'f F>,
    made: Mutex<u64>,
    total: u64,
    start: Instant,
}

impl<'f, F: Fn(&Progress) -> ControlFlow<()> + Sync> Meter<'f, F> {
    pub(crate) fn new(total: u64, observer: Option<&'f F>) -> Self {
        Self { observer, made: Mutex::new(0), total, start: Instant::now() }
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Counts `evaluations` more, and breaks with the count if the observer wants to stop. At the end there is
    /// nothing left to stop.
    pub(crate) fn add(&self, evaluations: u64) -> ControlFlow<u64> {
        let Some(observer) = self.observer else { return ControlFlow::Continue(()) };
        // Held during the observer's call, so that calls come one by one; the count is right even if one panicked.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        *made += evaluations;
        let progress = Progress { evaluations: *made, total: self.total, elapsed: self.start.elapsed() };
        match observer(&progress) {
            ControlFlow::Break(()) if *made < self.total => ControlFlow::Break(*made),
            _ => ControlFlow::Continue(()),
        }
    }
}
