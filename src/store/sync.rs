//! The locks that single flight is made of. The model in `tests/model` includes `cached.rs` and `flights.rs` with a
//! `sync` of its own.

pub(super) use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
};

/// Locks, whether or not a thread has panicked with the lock: nothing that can panic runs under these locks.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A static, which the model makes anew for every order of the threads' steps.
macro_rules! shared_static {
    ($name:ident: $type:ty = $value:expr) => {
        static $name: $type = $value;
    };
}

pub(super) use shared_static;
