//! `Cached` and its single flight, from the library's own files, with the locks, atomics and threads of loom.

// The paths by which the included files name other parts of the library.
use shapley::{Coalition, MemoryStore, TryGame, Value};

mod game {
    use shapley::Coalition;

    /// The non-empty prefixes of an order, in one batch: the library cuts batches only where there are thousands of
    /// players.
    pub(crate) fn prefix_batches(num_players: usize, order: &[usize]) -> impl Iterator<Item = Vec<Coalition>> {
        let mut prefix = Coalition::empty(num_players);
        let grow = |&player: &usize| {
            prefix.insert(player);
            prefix.clone()
        };
        std::iter::once(order.iter().map(grow).collect())
    }
}

mod engine {
    pub(crate) mod partial {
        pub(crate) fn is_same<V: shapley::Value>(a: &V, b: &V) -> bool {
            a.components().eq(b.components())
        }
    }
}

mod value {
    pub(crate) struct Shown<'a, V>(pub(crate) &'a V);

    impl<V: std::fmt::Debug> std::fmt::Display for Shown<'_, V> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.fmt(f)
        }
    }
}

#[cfg_attr(feature = "surrogate", expect(dead_code, reason = "what the surrogate uses is not modelled"))]
mod store;

pub use store::{CacheStats, Cached};
