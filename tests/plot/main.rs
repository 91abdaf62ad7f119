//! Pictures of results: their text, and how a browser shows them.
#![cfg(feature = "plot")]

mod browser;
#[path = "../common/mod.rs"]
mod common;
mod pictures;
