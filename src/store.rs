//! Stores, which remember the values of coalitions, and what belongs to them.
//!
//! [`Cached`](crate::Cached) makes of a game one that remembers its values, in a [`MemoryStore`](crate::MemoryStore)
//! or, with the feature
//! `disk`, in a `DiskStore`. Here is what only some users of these need: their errors and statistics, the
//! [`Fingerprint`] of a game, the trait [`Store`] for stores of your own, with [`check_store`] to test them, and
//! [`Encode`] for types of values that are kept in files.

use std::sync::Arc;

use crate::Coalition;
use crate::game::forward;

pub(crate) mod cached;
mod check;
#[cfg(feature = "disk")]
pub(crate) mod disk;
mod failure;
mod flights;
pub(crate) mod memory;
mod same_game;
mod sync;

pub use crate::fingerprint::Fingerprint;
pub use crate::table::TableError;
pub use crate::value::Encode;
pub use cached::CacheStats;
pub use check::check_store;
#[cfg(feature = "disk")]
pub use disk::{DiskError, Merged, Verified};
pub use failure::{CacheError, StoreError, StoreFailure};

/// Remembers values of coalitions: in memory, in a file, on a server. [`Cached`](crate::Cached) makes a game of a game
/// and a store.
///
/// [`MemoryStore`](crate::MemoryStore) and, with the feature `disk`, `DiskStore` are stores; here is how to write
/// another. A store belongs to one game: a coalition is its members and their number, and nothing in it says what game
/// they play.
///
/// # What a store owes
///
/// 1. **A value once acknowledged comes back bit for bit, or not at all.** `insert` that returned `Ok` is followed by
///    `get` with the same bits, or with `None`: a store may forget (a value that it forgot is paid for again, and no
///    more), and never changes a value or gives one coalition's to another. What it cannot read for sure is an error or
///    `None`.
/// 2. Coalitions are the same if they are equal: games of different sizes never share a key. A store for one size may
///    return an error for others.
/// 3. A value that was never inserted is `None`.
/// 4. A game has one value for a coalition. Should a store be given another, either may come back.
/// 5. The answer of `get_many` is that of `get` for each, in order: as many as coalitions, appended. If it fails, what
///    it appended is not looked at.
/// 6. All methods can be called from several threads at once.
/// 7. What `example` gives is in the store, with the value that `get` gives.
/// 8. `len` counts a coalition once, and none that was never inserted; it is not less than the number of values that
///    come back.
///
/// [`check_store`] tests it: call it from your own tests.
///
/// # Example
///
/// ```
/// use std::collections::HashMap;
/// use std::io;
/// use std::sync::RwLock;
/// use shapley::Coalition;
/// use shapley::store::{Store, StoreError};
///
/// /// A store on a server: here it is a map, which hides behind a call that can fail.
/// #[derive(Default)]
/// struct Remote { values: RwLock<HashMap<Vec<u8>, f64>> }
///
/// impl Remote {
///     fn map(&self) -> io::Result<&RwLock<HashMap<Vec<u8>, f64>>> {
///         Ok(&self.values)
///     }
/// }
///
/// /// The number of players, and the members.
/// fn key(coalition: &Coalition) -> Vec<u8> {
///     coalition.num_players().to_le_bytes().into_iter().chain(coalition.bytes()).collect()
/// }
///
/// impl Store<f64> for Remote {
///     type Error = StoreError<io::Error>; // `Infallible` for a store that cannot fail
///
///     fn get(&self, coalition: &Coalition) -> Result<Option<f64>, Self::Error> {
///         Ok(self.map()?.read().unwrap().get(&key(coalition)).copied())
///     }
///
///     fn insert(&self, coalition: &Coalition, value: &f64) -> Result<(), Self::Error> {
///         self.map()?.write().unwrap().insert(key(coalition), *value);
///         Ok(())
///     }
///
///     fn len(&self) -> u64 {
///         self.values.read().unwrap().len() as u64
///     }
/// }
///
/// shapley::store::check_store(|_num_players| Remote::default());
///
/// let game = shapley::Cached::with_store(shapley::from_fn(4, |s| s.len() as f64), Remote::default());
/// shapley::exact(&game)?;
/// shapley::banzhaf(&game)?;
/// assert_eq!((game.stats().misses, game.stats().hits), (16, 16));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Store<V>: Sync {
    /// Why the store failed: [`Infallible`](std::convert::Infallible), or [`StoreError`] of any error.
    type Error: StoreFailure;

    /// The value of a coalition, if it is remembered.
    ///
    /// # Errors
    ///
    /// The store's own.
    fn get(&self, coalition: &Coalition) -> Result<Option<V>, Self::Error>;

    /// Remembers a value.
    ///
    /// # Errors
    ///
    /// The store's own.
    fn insert(&self, coalition: &Coalition, value: &V) -> Result<(), Self::Error>;

    /// The values of many coalitions: appends one answer for each, in order. Override it where one round trip is
    /// cheaper than many.
    ///
    /// # Errors
    ///
    /// The store's own.
    fn get_many(&self, coalitions: &[Coalition], values: &mut Vec<Option<V>>) -> Result<(), Self::Error> {
        for coalition in coalitions {
            values.push(self.get(coalition)?);
        }
        Ok(())
    }

    /// Remembers the values of many coalitions: `values[k]` is that of `coalitions[k]`.
    ///
    /// # Errors
    ///
    /// The store's own. Some of the values may be remembered, or none: as many as possible, since each was paid for.
    ///
    /// # Panics
    ///
    /// May panic if there are not as many values as coalitions.
    fn insert_many(&self, coalitions: &[Coalition], values: &[V]) -> Result<(), Self::Error> {
        assert_eq!(coalitions.len(), values.len(), "as many values as coalitions");
        // Each was paid for, so one that cannot be kept is no reason not to keep the others.
        let results = coalitions.iter().zip(values).map(|(coalition, value)| self.insert(coalition, value));
        results.fold(Ok(()), Result::and)
    }

    /// How many values are remembered. For people: no result depends on it.
    #[must_use]
    fn len(&self) -> u64;

    /// Whether nothing is remembered.
    #[must_use]
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values were forgotten to make room for others.
    #[must_use]
    fn evictions(&self) -> u64 {
        0
    }

    /// The fingerprint of the game whose values these are, for a store that keeps one and has compared it with that of
    /// the game at hand. [`Cached`](crate::Cached) then believes its values; those of other stores it checks by one
    /// evaluation.
    #[must_use]
    fn fingerprint(&self) -> Option<&str> {
        None
    }

    /// One coalition of this number of players with its value, if any is remembered: what
    /// [`Cached`](crate::Cached#is-it-the-same-game) tells games apart by. Unless overridden it is the coalition of all
    /// players or of none, which every solver asks for first.
    ///
    /// # Errors
    ///
    /// The store's own.
    fn example(&self, num_players: usize) -> Result<Option<(Coalition, V)>, Self::Error> {
        for end in [Coalition::grand(num_players), Coalition::empty(num_players)] {
            if let Some(value) = self.get(&end)? {
                return Ok(Some((end, value)));
            }
        }
        Ok(None)
    }

    /// All 2^n values of the coalitions of n players, for a store that has every one of them in memory: in the order of
    /// [`Table`](crate::Table). Others need not override it.
    #[must_use]
    fn tabulated(&self, num_players: usize) -> Option<&[V]> {
        let _ = num_players;
        None
    }
}

forward!(Store<V>, self => **self, [
    (V, S: Store<V> + ?Sized) &S,
    (V, S: Store<V> + ?Sized) Box<S>,
    (V, S: Store<V> + Send + ?Sized) Arc<S>
], {
    type Error = S::Error;
    fn get(coalition: &Coalition) -> Result<Option<V>, S::Error>;
    fn insert(coalition: &Coalition, value: &V) -> Result<(), S::Error>;
    fn get_many(coalitions: &[Coalition], values: &mut Vec<Option<V>>) -> Result<(), S::Error>;
    fn insert_many(coalitions: &[Coalition], values: &[V]) -> Result<(), S::Error>;
    fn len() -> u64;
    fn is_empty() -> bool;
    fn evictions() -> u64;
    fn fingerprint() -> Option<&str>;
    fn example(num_players: usize) -> Result<Option<(Coalition, V)>, S::Error>;
    fn tabulated(num_players: usize) -> Option<&[V]>;
});
