//! The exact solver: values by their definitions, semivalues and interactions, rounding, the same bits in any run,
//! partial results, and runs that end early.

mod axioms;
mod batches;
#[path = "../common"]
mod common {
    pub(crate) mod bad_batches;
    pub(crate) mod compare;
    pub(crate) mod every_index;
    pub(crate) mod failing;
    pub(crate) mod integers;
    pub(crate) mod masks;
    pub(crate) mod naive;
    pub(crate) mod rounding;
    pub(crate) mod said;
    pub(crate) mod sets;
    pub(crate) mod tables;
}
mod determinism;
mod fraction;
mod indices;
mod interactions;
mod memory;
mod naive;
mod numerics;
#[cfg(feature = "serde")]
mod part_files;
mod parts;
mod refused_weights;
mod semivalues;
mod stopping;
mod symmetry;
