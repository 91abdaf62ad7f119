//! Coalitions, tables, and the ready-made games with their closed forms.

mod adaptors;
mod airport;
mod closures;
mod coalitions;
#[path = "../common"]
mod common {
    pub(crate) mod compare;
    pub(crate) mod every_index;
    pub(crate) mod failing;
    pub(crate) mod masks;
    pub(crate) mod naive;
    pub(crate) mod rough;
    pub(crate) mod rounding;
    pub(crate) mod tables;
}
mod features;
mod glove;
mod k_nearest;
mod sentences;
mod sizes;
mod spanning_tree;
mod table;
mod table_file;
mod unanimity;
mod voting;
mod voting_large;
mod walks;
mod words;
