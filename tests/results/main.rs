//! Results and errors: how they are shown, saved and read, and what games of any kind get.

#[path = "../common/mod.rs"]
mod common;
mod display;
mod errors;
mod interactions;
mod odd_games;
#[cfg(feature = "serde")]
mod saved;
