//! `Surrogate` and least squares on the same design.
#![cfg(feature = "surrogate")]

#[path = "../common"]
mod common {
    pub(crate) mod every_index;
}
mod few;
mod guarantees;
mod honest;
mod stopping;
mod summary;
