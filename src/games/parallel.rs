//! Independent parts of a closed form, on all threads.

use std::sync::{Mutex, PoisonError};

use crate::engine::threads::{Queue, available};

/// The results of `work` for the units 0, 1, …, in this order, on all threads there are.
pub(super) fn in_parallel<T: Send>(units: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let results: Vec<Mutex<Option<T>>> = (0..units).map(|_| Mutex::new(None)).collect();
    let one = |(): &mut (), units: std::ops::Range<u64>| {
        for unit in units {
            let unit = unit as usize;
            let result = work(unit);
            *results[unit].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        }
        Ok(())
    };
    // Threads that are there need not be started, so nothing fails; if it did, the units left would be done here.
    let _ = Queue::<std::convert::Infallible>::new(0..units as u64).run(available(0), || (), |()| 1, one);
    let done = |result: Mutex<Option<T>>| result.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().enumerate().map(|(unit, result)| done(result).unwrap_or_else(|| work(unit))).collect()
}
