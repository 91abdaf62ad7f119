//! The permutation sampler: values and standard errors, random orders, budgets, stopping, merging, and the same bits in
//! any run.

mod asked;
mod budget;
mod castro;
#[path = "../common"]
mod common {
    pub(crate) mod bad_batches;
    pub(crate) mod compare;
    pub(crate) mod estimates;
    pub(crate) mod failing;
    pub(crate) mod integers;
    pub(crate) mod ledger;
    pub(crate) mod masks;
    pub(crate) mod resumed;
    pub(crate) mod rough;
    pub(crate) mod said;
}
mod errors;
mod intervals;
mod merge;
mod observer;
mod orders;
mod rare;
mod repeatable;
mod samples;
mod semivalues;
mod statistics;
mod stopping;
mod streams;
mod threads;
mod truncation;
mod values;
