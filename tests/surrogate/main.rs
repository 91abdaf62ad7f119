//! `Surrogate` and least squares on the same design.
#![cfg(feature = "surrogate")]

mod guarantees;
