//! `DiskStore`: a store in a file, whole or damaged, of this version or the first. What needs other processes, as a kill does, is in
//! `tests/processes`.
#![cfg(feature = "disk")]

mod buffer;
mod contract;
mod damage;
mod errors;
mod merge;
mod records;
mod version_1;
