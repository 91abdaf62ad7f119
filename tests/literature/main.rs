//! Games whose results were published: where the data come from is in `tests/data/README.md`.

#[path = "../common/mod.rs"]
mod common;
mod definitions;
mod voting;
