//! Games whose results were published: where the data come from is in `tests/data/README.md`.

#[path = "../common"]
mod common {
    pub(crate) mod compare;
    pub(crate) mod entries;
}
mod definitions;
mod voting;
