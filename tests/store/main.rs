//! `Cached` and the stores in memory. The store in a file has `tests/disk`.

mod cached;
mod cached_results;
mod check_store;
#[path = "../common"]
mod common {
    pub(crate) mod bad_batches;
    pub(crate) mod estimates;
    pub(crate) mod failing;
    pub(crate) mod ledger;
    pub(crate) mod masks;
    pub(crate) mod rough;
}
mod crowd;
mod memory;
mod same_game;
mod self_asking;
mod single_flight;
