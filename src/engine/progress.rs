//! What an observer sees of a running solver.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, TryLockError};
use std::time::Duration;

use super::clock::Start;

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
    /// The evaluations made so far, those of an estimate that was resumed included. Of a part, its own; so are `total`
    /// and the rest.
    pub evaluations: u64,
    /// The evaluations that the whole run takes, or is expected to take: 2^n for an exact solver; for a sampler what
    /// its budget buys or, where it has a [`precision`](crate::Permutation::precision) to reach, what the half width so
    /// far makes expected. That moves in steps, since a run may stop only where the precision is looked at, and means
    /// little before the first look.
    pub total: u64,
    /// The permutations walked so far; none for an exact solver.
    pub permutations: u64,
    /// The largest half width of the players' intervals so far, at the sampler's
    /// [`confidence`](crate::Permutation::confidence). Infinite before the second sample, and for an exact solver,
    /// which knows nothing before it knows all.
    pub half_width: f64,
    /// The time since this run began: of one that was resumed, that since then, unlike the counts. Always zero on
    /// `wasm32-unknown-unknown`, which has no clock.
    pub elapsed: Duration,
}

/// A function that is shown the progress, and breaks to stop the solver.
pub(crate) trait Observer: Fn(&Progress) -> ControlFlow<()> + Sync {}

impl<F: Fn(&Progress) -> ControlFlow<()> + Sync> Observer for F {}

/// Counts evaluations as they come in from any thread, and shows the count to an observer, one call at a time and
/// never backwards.
///
/// No thread ever waits for the observer: a thread that finds it busy goes on, and the one that is in it calls it again
/// with the new count. So an observer may take its time, and may even wait for rayon, which could have this very thread
/// do more of the solver's work meanwhile.
pub(crate) struct Meter<'f, F> {
    observer: Option<&'f F>,
    made: AtomicU64,
    /// The last count shown. It changes only while `busy` is locked, as it is while the observer runs.
    shown: AtomicU64,
    busy: Mutex<()>,
    /// The count at which the observer broke, or 0.
    stopped: AtomicU64,
    total: u64,
    start: Start,
}

impl<'f, F: Observer> Meter<'f, F> {
    /// A meter for a run that makes at most `total` evaluations, of which `made` are made.
    pub(crate) fn new(made: u64, total: u64, observer: Option<&'f F>) -> Self {
        Self {
            observer,
            made: AtomicU64::new(made),
            shown: AtomicU64::new(made),
            busy: Mutex::new(()),
            stopped: AtomicU64::new(0),
            total,
            start: Start::now(),
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Counts `evaluations` more of a solver that has nothing else to show, and breaks with the count at which the
    /// observer wanted to stop, if it did. At the end there is nothing left to stop.
    pub(crate) fn add(&self, evaluations: u64) -> ControlFlow<u64> {
        self.add_with(evaluations, |progress| progress)
    }

    /// The same, with a way to put more into the progress that is shown. It is called only when there is an observer.
    pub(crate) fn add_with(&self, evaluations: u64, detail: impl Fn(Progress) -> Progress) -> ControlFlow<u64> {
        let Some(observer) = self.observer else { return ControlFlow::Continue(()) };
        self.made.fetch_add(evaluations, SeqCst);
        // Once more after the lock is free: a count that came just before was not shown by its own thread.
        while self.shown_is_old() {
            let _busy = match self.busy.try_lock() {
                Ok(busy) => busy,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => break,
            };
            let made = self.made.load(SeqCst);
            // The observer may have broken before the lock was free.
            if self.stopped.load(SeqCst) == 0 && self.shown.load(SeqCst) < made {
                self.shown.store(made, SeqCst);
                let progress = detail(Progress {
                    evaluations: made,
                    total: self.total,
                    permutations: 0,
                    half_width: f64::INFINITY,
                    elapsed: self.start.elapsed(),
                });
                if observer(&progress).is_break() && made < self.total {
                    self.stopped.store(made, SeqCst);
                }
            }
        }
        self.wanted()
    }

    /// Breaks, with the count at which it broke, once the observer did.
    #[inline]
    pub(crate) fn wanted(&self) -> ControlFlow<u64> {
        if self.observer.is_none() {
            return ControlFlow::Continue(());
        }
        // What was finished while the observer made up its mind may have been the last.
        match self.stopped.load(SeqCst) {
            at if at > 0 && self.made.load(SeqCst) < self.total => ControlFlow::Break(at),
            _ => ControlFlow::Continue(()),
        }
    }

    fn shown_is_old(&self) -> bool {
        self.stopped.load(SeqCst) == 0 && self.shown.load(SeqCst) < self.made.load(SeqCst)
    }
}
