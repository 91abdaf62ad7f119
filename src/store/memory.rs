//! The store in memory.

use std::convert::Infallible;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Store;
use crate::{Coalition, Value};

mod bounded;
mod dense;
mod sparse;

use bounded::Bounded;
use dense::Dense;
use sparse::Sparse;

/// Values in memory: as many as there are, or no more than a limit.
///
/// It cannot fail, so a [`Cached`](crate::Cached) game over it fails with the game's own error.
///
/// ```
/// use shapley::{Cached, MemoryStore, Permutation, from_fn};
///
/// let game = from_fn(60, |s| (s.len() as f64).sqrt());
/// let cached = Cached::with_store(&game, MemoryStore::bounded(10_000));
/// Permutation::new(50_000).estimate(&cached)?;
/// let stats = cached.stats();
/// assert!(stats.entries <= 10_000 && stats.evictions > 0);
/// # Ok::<(), shapley::Error>(())
/// ```
///
/// # Memory
///
/// Bytes an entry, where a value takes w, what it owns included:
///
/// | players | bytes |
/// |---|---|
/// | n where 2^n values take up to 128 MiB (24 for `f64`), and own no memory | w + 1 for all 2^n; up to 64 w, and 0.6 · 2^n in all, for some that lie far apart |
/// | up to 64 | 1.7 (9 + w), rounded up to the alignment: 28 for `f64` |
/// | up to 128 | 1.7 (17 + w): 41 for `f64` |
/// | more | 1.7 (17 + w), and an allocation of ⌈n/64⌉ words |
/// | [bounded](Self::bounded), any | about 90 for `f64` |
///
/// Once every one of the 2^n values is there, they are moved to a table, w bytes each, which exact solvers read where
/// it lies.
///
/// Values are cloned under a lock of a part of the store. A value type whose `clone` asks the same store waits for
/// ever.
pub struct MemoryStore<V> {
    values: Values<V>,
}

enum Values<V> {
    /// The first size of game that was seen; a second is rare, and follows it.
    Unbounded(OnceLock<Box<Universe<V>>>),
    Bounded(Bounded<V>),
}

/// The coalitions of one number of players.
struct Universe<V> {
    num_players: usize,
    values: Layout<V>,
    /// How many values there are.
    entries: AtomicU64,
    /// All values, once they are all there; `values` is empty then.
    table: OnceLock<Box<[V]>>,
    next: OnceLock<Box<Universe<V>>>,
}

/// Keys are as small as the number of players lets them be.
enum Layout<V> {
    Dense(Dense<V>),
    One(Sparse<u64, V>),
    Two(Sparse<[u64; 2], V>),
    Many(Sparse<Box<[u64]>, V>),
}

/// `$answer`, with the layout of a universe as `$layout`.
macro_rules! of_layout {
    ($universe:expr, $layout:ident => $answer:expr) => {
        match &$universe.values {
            Layout::Dense($layout) => $answer,
            Layout::One($layout) => $answer,
            Layout::Two($layout) => $answer,
            Layout::Many($layout) => $answer,
        }
    };
}

impl<V: Value> MemoryStore<V> {
    /// Remembers everything.
    #[must_use]
    pub fn unbounded() -> Self {
        Self { values: Values::Unbounded(OnceLock::new()) }
    }

    /// Remembers at most so many values, and forgets those that were asked for least and longest ago (S3-FIFO and CLOCK
    /// like, by `quick_cache`). What is forgotten is counted.
    ///
    /// A limit of a thousand or more is kept in parts, so that threads do not wait for each other: up to one value in a
    /// hundred fewer may fit then. With a limit of zero nothing is remembered.
    #[must_use]
    pub fn bounded(entries: usize) -> Self {
        Self { values: Values::Bounded(Bounded::new(entries)) }
    }
}

impl<V: Value> Store<V> for MemoryStore<V> {
    type Error = Infallible;

    #[inline]
    fn get(&self, coalition: &Coalition) -> Result<Option<V>, Infallible> {
        Ok(match &self.values {
            Values::Unbounded(first) => {
                find(first, coalition.num_players()).and_then(|universe| universe.get(coalition))
            }
            Values::Bounded(bounded) => bounded.get(coalition),
        })
    }

    fn insert(&self, coalition: &Coalition, value: &V) -> Result<(), Infallible> {
        self.insert_many(std::slice::from_ref(coalition), std::slice::from_ref(value))
    }

    fn get_many(&self, coalitions: &[Coalition], values: &mut Vec<Option<V>>) -> Result<(), Infallible> {
        match &self.values {
            Values::Unbounded(first) => {
                for same_size in coalitions.chunk_by(|a, b| a.num_players() == b.num_players()) {
                    match find(first, same_size[0].num_players()) {
                        Some(universe) => universe.get_many(same_size, values),
                        None => values.extend(same_size.iter().map(|_| None)),
                    }
                }
            }
            Values::Bounded(bounded) => values.extend(coalitions.iter().map(|coalition| bounded.get(coalition))),
        }
        Ok(())
    }

    fn insert_many(&self, coalitions: &[Coalition], values: &[V]) -> Result<(), Infallible> {
        assert_eq!(coalitions.len(), values.len(), "as many values as coalitions");
        match &self.values {
            Values::Unbounded(first) => {
                let mut values = values;
                for same_size in coalitions.chunk_by(|a, b| a.num_players() == b.num_players()) {
                    let (here, rest) = values.split_at(same_size.len());
                    find_or_make(first, same_size[0].num_players()).insert_many(same_size, here);
                    values = rest;
                }
            }
            Values::Bounded(bounded) => {
                coalitions.iter().zip(values).for_each(|(coalition, value)| bounded.insert(coalition, value));
            }
        }
        Ok(())
    }

    fn len(&self) -> u64 {
        match &self.values {
            Values::Unbounded(first) => universes(first).map(|universe| universe.entries.load(Ordering::Relaxed)).sum(),
            Values::Bounded(bounded) => bounded.len(),
        }
    }

    fn evictions(&self) -> u64 {
        match &self.values {
            Values::Unbounded(_) => 0,
            Values::Bounded(bounded) => bounded.evictions(),
        }
    }

    fn example(&self, num_players: usize) -> Result<Option<(Coalition, V)>, Infallible> {
        let grand = Coalition::grand(num_players);
        if let Some(value) = self.get(&grand)? {
            return Ok(Some((grand, value)));
        }
        Ok(match &self.values {
            Values::Unbounded(first) => find(first, num_players).and_then(Universe::example),
            Values::Bounded(bounded) => bounded.example(num_players),
        })
    }

    fn tabulated(&self, num_players: usize) -> Option<&[V]> {
        match &self.values {
            Values::Unbounded(first) => find(first, num_players)?.table.get().map(|table| &**table),
            Values::Bounded(_) => None,
        }
    }
}

impl<V: Value> fmt::Debug for MemoryStore<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("MemoryStore");
        if let Values::Bounded(bounded) = &self.values {
            out.field("limit", &bounded.limit());
        }
        out.field("entries", &self.len()).finish_non_exhaustive()
    }
}

/// The universes that there are.
#[inline]
fn universes<V>(first: &OnceLock<Box<Universe<V>>>) -> impl Iterator<Item = &Universe<V>> {
    std::iter::successors(first.get(), |universe| universe.next.get()).map(|universe| &**universe)
}

#[inline]
fn find<V>(first: &OnceLock<Box<Universe<V>>>, num_players: usize) -> Option<&Universe<V>> {
    universes(first).find(|universe| universe.num_players == num_players)
}

fn find_or_make<V: Value>(first: &OnceLock<Box<Universe<V>>>, num_players: usize) -> &Universe<V> {
    let mut here = first;
    loop {
        let universe = here.get_or_init(|| Box::new(Universe::new(num_players)));
        if universe.num_players == num_players {
            return universe;
        }
        here = &universe.next;
    }
}

impl<V: Value> Universe<V> {
    fn new(num_players: usize) -> Self {
        let values = match num_players {
            0..64 if Dense::<V>::fits(num_players) => Layout::Dense(Dense::new(num_players)),
            0..=64 => Layout::One(Sparse::new()),
            65..=128 => Layout::Two(Sparse::new()),
            _ => Layout::Many(Sparse::new()),
        };
        Self { num_players, values, entries: AtomicU64::new(0), table: OnceLock::new(), next: OnceLock::new() }
    }

    #[inline]
    fn get(&self, coalition: &Coalition) -> Option<V> {
        if let (Some(table), Some(mask)) = (self.table.get(), coalition.mask()) {
            return Some(table[mask as usize].clone());
        }
        let value = of_layout!(self, layout => layout.get(coalition.words()));
        // The table was made, and the rest emptied, since the look at it.
        value.or_else(|| Some(self.table.get()?[coalition.mask()? as usize].clone()))
    }

    fn get_many(&self, coalitions: &[Coalition], values: &mut Vec<Option<V>>) {
        let before = values.len();
        if let Some(table) = self.table.get() {
            let place = |coalition: &Coalition| coalition.mask().map_or(usize::MAX, |mask| mask as usize);
            values.extend(coalitions.iter().map(|coalition| table.get(place(coalition)).cloned()));
            return;
        }
        of_layout!(self, layout => layout.get_many(coalitions, values));
        if self.table.get().is_some() && values[before..].iter().any(Option::is_none) {
            values.truncate(before);
            self.get_many(coalitions, values);
        }
    }

    /// Any coalition with its value, unless all are in the [table](Self::table).
    fn example(&self) -> Option<(Coalition, V)> {
        let (words, value) = of_layout!(self, layout => layout.example())?;
        let members = (0..self.num_players).filter(|player| words[player / 64] >> (player % 64) & 1 == 1);
        Some((Coalition::from_players(self.num_players, members), value))
    }

    fn insert_many(&self, coalitions: &[Coalition], values: &[V]) {
        if self.table.get().is_some() {
            return; // all are there
        }
        let moved = || self.table.get().is_some();
        let new = of_layout!(self, layout => layout.insert_many(coalitions, values, moved));
        // What is counted is there: so the thread that counts the last value finds all of them.
        let entries = new + self.entries.fetch_add(new, Ordering::AcqRel);
        if new > 0 && self.num_players < 64 && entries == 1 << self.num_players {
            self.tabulate();
        }
    }

    /// Moves all values, which are there, to a table.
    fn tabulate(&self) {
        let all: Option<Box<[V]>> = match &self.values {
            Layout::Dense(dense) => dense.all(1 << self.num_players),
            Layout::One(sparse) => (0..1 << self.num_players).map(|mask| sparse.get(&[mask])).collect(),
            Layout::Two(_) | Layout::Many(_) => None,
        };
        let Some(all) = all else { return };
        if self.table.set(all).is_ok() {
            of_layout!(self, layout => layout.clear());
        }
    }
}
