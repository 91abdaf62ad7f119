//! How the failures of a store and those of a game become one error.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;

use crate::error::write_causes;

/// What a [`Store`](crate::store::Store) can fail with: [`Infallible`], or [`StoreError`] of any error. Only these two.
///
/// It decides what a [`Cached`](crate::Cached) game fails with: the game's own error if the store cannot fail, and
/// [`CacheError`] otherwise.
pub trait StoreFailure: Error + Send + Sync + sealed::Sealed + 'static {
    /// What a game that fails with `E` fails with, once it is cached.
    type With<E: Error + Send + Sync + 'static>: Error + Send + Sync + 'static;

    #[doc(hidden)]
    fn of_game<E: Error + Send + Sync + 'static>(error: E) -> Self::With<E>;

    #[doc(hidden)]
    fn of_store<E: Error + Send + Sync + 'static>(self) -> Self::With<E>;
}

mod sealed {
    #[expect(unnameable_types, reason = "what seals the trait must not be named")]
    pub trait Sealed {}
}

/// A store's failure: the error of a [`Store`](crate::store::Store) that can fail. `?` makes it of an `E`.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StoreError<E>(#[from] pub E);

/// Why a [`Cached`](crate::Cached) game has no value, if its store can fail. `{:#}` writes the causes too.
#[derive(Debug)]
#[non_exhaustive]
pub enum CacheError<G, S> {
    /// The game failed. This error has the game's text and source.
    Game(G),

    /// The store failed: to look values up, or to keep them.
    Store(S),
}

impl<G: fmt::Display, S: Error> fmt::Display for CacheError<G, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Game(game) => game.fmt(f),
            Self::Store(store) => {
                f.write_str("the store of its values failed")?;
                write_causes(f, store)
            }
        }
    }
}

impl<G: Error, S: Error + 'static> Error for CacheError<G, S> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Game(game) => game.source(),
            Self::Store(store) => Some(store),
        }
    }
}

impl sealed::Sealed for Infallible {}

impl StoreFailure for Infallible {
    type With<E: Error + Send + Sync + 'static> = E;

    fn of_game<E: Error + Send + Sync + 'static>(error: E) -> E {
        error
    }

    fn of_store<E: Error + Send + Sync + 'static>(self) -> E {
        match self {}
    }
}

impl<S> sealed::Sealed for StoreError<S> {}

impl<S: Error + Send + Sync + 'static> StoreFailure for StoreError<S> {
    type With<E: Error + Send + Sync + 'static> = CacheError<E, S>;

    fn of_game<E: Error + Send + Sync + 'static>(error: E) -> CacheError<E, S> {
        CacheError::Game(error)
    }

    fn of_store<E: Error + Send + Sync + 'static>(self) -> CacheError<E, S> {
        CacheError::Store(self.0)
    }
}
