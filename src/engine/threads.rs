//! Numbered units of work, dealt to threads.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::Error;

/// More threads than this are not started, whatever is asked for.
const MOST_THREADS: usize = 1024;

/// How many threads `asked` for means: 0 is rayon's own choice, or this one if there are no others.
pub(crate) fn available(asked: usize) -> usize {
    pool::available(asked).min(MOST_THREADS)
}

/// Runs `work` in a pool of `threads` threads, which the [queues](Queue) of `work` share; fails with their number if they
/// cannot be started. Outside of it each queue starts its own threads.
pub(crate) fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> Result<R, usize> {
    pool::provide(threads, work)
}

/// Deals the numbers of units in ascending order, until all are out or one has failed.
pub(crate) struct Queue<E> {
    next: AtomicU64,
    units: Range<u64>,
    stop: AtomicBool,
    /// The failed unit with the lowest number.
    failed: Mutex<Option<(u64, Error<E>)>>,
}

impl<E: Send> Queue<E> {
    pub(crate) fn new(units: Range<u64>) -> Self {
        Self { next: AtomicU64::new(units.start), units, stop: AtomicBool::new(false), failed: Mutex::new(None) }
    }

    /// Runs `work` for every unit, on up to `threads` threads, each of which has a `state` of its own and takes as many
    /// units at once as `size` says. After a failure no further unit is begun, and of several failures that of the
    /// lowest number is returned. A thread whose `size` is zero takes no more.
    pub(crate) fn run<S>(
        self,
        threads: usize,
        state: impl Fn() -> S + Sync,
        size: impl Fn(&S) -> u64 + Sync,
        work: impl Fn(&mut S, Range<u64>) -> Result<(), Error<E>> + Sync,
    ) -> Result<(), Error<E>> {
        let threads = threads.min(usize::try_from(self.units.end - self.units.start).unwrap_or(usize::MAX));
        let one_thread = || {
            let mut state = state();
            while let Some(units) = self.take(size(&state)) {
                // If `work` panics, the other threads stop too.
                let stop = StopUnlessDone(&self.stop);
                let first = units.start;
                match work(&mut state, units) {
                    Ok(()) => std::mem::forget(stop),
                    Err(error) => self.fail(first, error),
                }
            }
        };
        pool::run(threads, one_thread).map_err(|threads| Error::Threads { threads })?;
        match self.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    /// The results of `work` for single units, in their order, until `more` says that no further one is wanted.
    pub(crate) fn map<T: Send>(
        self,
        threads: usize,
        more: impl Fn() -> bool + Sync,
        work: impl Fn(u64) -> Result<T, Error<E>> + Sync,
    ) -> Result<Vec<T>, Error<E>> {
        let results = Mutex::new(Vec::new());
        let one = |(): &mut (), units: Range<u64>| {
            let result = work(units.start)?;
            results.lock().unwrap_or_else(PoisonError::into_inner).push((units.start, result));
            Ok(())
        };
        self.run(threads, || (), |()| u64::from(more()), one)?;
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_unstable_by_key(|(unit, _)| *unit);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }

    fn take(&self, size: u64) -> Option<Range<u64>> {
        // The numbers carry no data with them, and stopping a unit later is no harm: relaxed is enough for both.
        if size == 0 || self.stop.load(Ordering::Relaxed) {
            return None;
        }
        // Never beyond the end, where a large size could wrap around.
        let end = |first: u64| first + size.min(self.units.end - first);
        let some_left = |first: u64| (first < self.units.end).then(|| end(first));
        let first = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, some_left).ok()?;
        Some(first..end(first))
    }

    fn fail(&self, index: u64, error: Error<E>) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        // A bad value outranks the observer's wish to stop, which came at a time of its own.
        let rank = |index: u64, error: &Error<E>| (matches!(error, Error::Stopped { .. }), index);
        if failed.as_ref().is_none_or(|(other, theirs)| rank(index, &error) < rank(*other, theirs)) {
            *failed = Some((index, error));
        }
    }
}

/// Stops a queue when dropped.
struct StopUnlessDone<'a>(&'a AtomicBool);

impl Drop for StopUnlessDone<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(feature = "parallel")]
mod pool {
    use std::error::Error;
    use std::sync::OnceLock;

    use rayon::ThreadPoolBuilder;

    /// The number of threads of the pool that this thread is in, or of rayon's global pool, which is started if need
    /// be; none if it cannot be.
    fn pool() -> Option<usize> {
        // Rayon itself panics if its global pool cannot be started, so it is started here, where that is an error: one
        // with a source, unlike the one that says that the pool was there already.
        static STARTED: OnceLock<bool> = OnceLock::new();
        let start = || ThreadPoolBuilder::new().build_global().map_or_else(|error| error.source().is_none(), |()| true);
        let usable = rayon::current_thread_index().is_some() || *STARTED.get_or_init(start);
        usable.then(rayon::current_num_threads)
    }

    pub(super) fn available(asked: usize) -> usize {
        if asked == 0 { pool().unwrap_or(1) } else { asked }
    }

    /// Runs `work` once on each of `threads` threads. Fails with their number if they cannot be started.
    pub(super) fn run(threads: usize, work: impl Fn() + Sync) -> Result<(), usize> {
        if threads <= 1 {
            work();
            return Ok(());
        }
        let everywhere = || rayon::scope(|scope| (0..threads).for_each(|_| scope.spawn(|_| work())));
        provide(threads, everywhere)
    }

    /// Runs `work` in a pool that has so many threads: the current one if it does.
    pub(super) fn provide<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> Result<R, usize> {
        if threads <= 1 || pool().is_some_and(|size| threads <= size) {
            return Ok(work());
        }
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().map_err(|_| threads)?;
        Ok(pool.install(work))
    }
}

#[cfg(not(feature = "parallel"))]
mod pool {
    pub(super) fn available(_asked: usize) -> usize {
        1
    }

    pub(super) fn provide<R>(_threads: usize, work: impl FnOnce() -> R) -> Result<R, usize> {
        Ok(work())
    }

    pub(super) fn run(_threads: usize, work: impl Fn() + Sync) -> Result<(), usize> {
        work();
        Ok(())
    }
}
