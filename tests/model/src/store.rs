//! The library's own files beside the model's `sync`.

use shapley::store::{Store, StoreFailure};

#[path = "../../../src/store/cached.rs"]
mod cached;
#[path = "../../../src/store/flights.rs"]
mod flights;
mod sync;

pub use cached::{CacheStats, Cached};
