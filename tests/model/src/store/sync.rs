//! What `src/store/sync.rs` has, of loom.

pub(super) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
pub(super) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
pub(super) use loom::thread;

/// Locks, whether or not a thread has panicked with the lock.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A static that loom makes anew for every order of the threads' steps.
macro_rules! shared_static {
    ($name:ident: $type:ty = $value:expr) => {
        loom::lazy_static! {
            static ref $name: $type = $value;
        }
    };
}

pub(super) use shared_static;
