//! The exact solver: values by their definitions, semivalues and interactions, rounding, the same bits in any run, partial
//! results, and runs that end early.

mod axioms;
mod batches;
#[path = "../common/mod.rs"]
mod common;
mod determinism;
mod interactions;
mod numerics;
mod parts;
mod semivalues;
mod stopping;
