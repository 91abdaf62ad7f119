//! The library's own files beside the model's `sync`.

use shapley::store::{Store, StoreFailure};

#[path = "../../../src/store/cached.rs"]
mod cached;
#[path = "../../../src/store/flights.rs"]
mod flights;
#[path = "../../../src/store/same_game.rs"]
mod same_game;
mod sync;

pub use cached::{CacheStats, Cached};
