//! Independent parts of a closed form, on all threads.

use std::convert::Infallible;

use crate::engine::threads::{Queue, available};

/// The results of `work` for the units 0, 1, …, in this order, on all threads there are.
pub(super) fn in_parallel<T: Send>(units: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let queue = Queue::<Infallible>::new(0..units as u64);
    let results = queue.map(available(0), || true, |unit| Ok(work(unit as usize)));
    // Threads that are there need not be started, so nothing fails; if it did, all would be done here.
    results.unwrap_or_else(|_| (0..units).map(work).collect())
}
