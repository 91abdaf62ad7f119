//! Tables of functions.

use shapley::{Table, Value};

/// A table of what a function says of each mask.
pub(crate) fn table<V: Value>(players: usize, value: impl Fn(u64) -> V) -> Table<V> {
    Table::new((0..1 << players).map(value).collect()).expect("2^n values are a table")
}
