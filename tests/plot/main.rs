//! Pictures of results: their text, and how a browser shows them.
#![cfg(feature = "plot")]

mod browser;
#[path = "../common"]
mod common {
    pub(crate) mod masks;
    pub(crate) mod tables;
}
#[cfg(feature = "surrogate")]
mod graphs;
mod labels;
mod pictures;
mod swarms;
