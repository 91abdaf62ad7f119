//! `Cached` and the stores in memory. The store in a file has `tests/disk`.

mod cached;
mod cached_results;
mod check_store;
#[path = "../common/mod.rs"]
mod common;
mod memory;
mod self_asking;
mod single_flight;
