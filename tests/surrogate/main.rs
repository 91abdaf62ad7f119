//! `Surrogate` and least squares on the same design.
#![cfg(feature = "surrogate")]

mod few;
mod guarantees;
mod honest;
mod stopping;
mod summary;
