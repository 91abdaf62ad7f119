//! The permutation sampler: values and standard errors, random orders, budgets, stopping, merging, and the same bits in any run.

mod budget;
mod castro;
#[path = "../common/mod.rs"]
mod common;
mod errors;
mod intervals;
mod merge;
mod observer;
mod orders;
mod repeatable;
mod statistics;
mod stopping;
mod streams;
mod threads;
mod truncation;
mod values;
