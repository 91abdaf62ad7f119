//! `DiskStore`: a store in a file, whole or damaged, of this version or the first. `tests/processes` has what needs
//! other processes, such as kills.
#![cfg(feature = "disk")]

mod buffer;
mod contract;
mod damage;
mod errors;
mod merge;
#[cfg(unix)]
mod outside;
mod records;
mod salvage;
mod version_1;
