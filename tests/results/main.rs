//! Results and errors: how they are shown, saved and read, and what games of any kind get.

#[path = "../common"]
mod common {
    pub(crate) mod every_index;
    pub(crate) mod failing;
    pub(crate) mod masks;
    #[cfg(feature = "serde")]
    pub(crate) mod resumed;
    pub(crate) mod said;
    pub(crate) mod sets;
    pub(crate) mod tables;
}
#[cfg(feature = "serde")]
mod believed;
mod causes;
mod display;
mod errors;
mod interactions;
mod names;
mod odd_games;
#[cfg(feature = "serde")]
mod saved;
