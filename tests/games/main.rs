//! Coalitions, tables, and the ready-made games with their closed forms.

mod adaptors;
mod airport;
mod coalitions;
#[path = "../common/mod.rs"]
mod common;
mod features;
mod glove;
mod k_nearest;
mod spanning_tree;
mod table_file;
mod unanimity;
mod voting;
mod voting_large;
mod words;
