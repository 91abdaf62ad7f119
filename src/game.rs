//! The contract between a user's value function and the solvers.

mod closures;

use std::convert::Infallible;
use std::sync::Arc;

use crate::{Coalition, Value};

/// Implements a trait for pointers to what implements it: each method, those with a default too, goes to `$target`.
macro_rules! forward {
    ($trait:path, $self:ident => $target:expr, [$(($($generics:tt)*) $pointer:ty),*], $items:tt) => {$(
        $crate::game::forward!(@one ($($generics)*) $trait, $pointer, $self => $target, $items);
    )*};
    (@one ($($generics:tt)*) $trait:path, $pointer:ty, $self:ident => $target:expr, {
        $(type $associated:ident = $type:ty;)*
        $(fn $method:ident($($argument:ident: $of:ty),*) -> $answer:ty;)*
    }) => {
        impl<$($generics)*> $trait for $pointer {
            $(type $associated = $type;)*
            $(fn $method(&$self, $($argument: $of),*) -> $answer {
                <_ as $trait>::$method(&$target, $($argument),*)
            })*
        }
    };
}
pub(crate) use forward;

pub(crate) use closures::{Batch, Single, TryBatch, TrySingle};
pub use closures::{from_batch_fn, from_fn, try_from_batch_fn, try_from_fn};

/// A value function that cannot fail: the number of players, and what a coalition of them is worth.
///
/// This is what most users implement, or get from [`from_fn`](crate::from_fn). Solvers take any [`TryGame`], which
/// every `Game` is.
///
/// # Contract
///
/// * `value` is **deterministic**: the same coalition has the same value, on any thread and in any batch. Solvers ask
///   in an order of their own: exact ones for each coalition once, a sampler again for those that it meets again.
/// * Values are **finite**. A solver that meets NaN or infinity returns [`NotFinite`](crate::Error::NotFinite).
/// * `num_players` does not change.
/// * v(∅) need not be zero: Shapley values share out v(N) − v(∅).
///
/// A panic in `value` goes through the solver to the caller; no result comes of it.
///
/// # Example
///
/// Two methods make a game. A model that is faster on batches overrides `values` too:
///
/// ```
/// use shapley::{Coalition, Game};
///
/// struct Committee { votes: Vec<u32>, quota: u32 }
///
/// impl Game for Committee {
///     type Value = f64;
///
///     fn num_players(&self) -> usize {
///         self.votes.len()
///     }
///
///     fn value(&self, coalition: &Coalition) -> f64 {
///         let votes: u32 = coalition.iter().map(|member| self.votes[member]).sum();
///         f64::from(u8::from(votes >= self.quota))
///     }
/// }
///
/// let power = shapley::exact(&Committee { votes: vec![3, 2, 1, 1], quota: 4 })?;
/// assert!((power[0] - 1.0 / 2.0).abs() < 1e-12);
/// assert!((power[3] - 1.0 / 6.0).abs() < 1e-12);
/// # Ok::<(), shapley::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Game`",
    note = "of a closure, `from_fn(players, closure)` makes a game",
    note = "a reference or box of a game that can fail is no game itself: pass `game.by_ref()`, `ByRef::new(&*game)`, or \
            `&*game` to a solver"
)]
pub trait Game: Sync {
    /// What a coalition is worth: `f64`, `[f64; 3]`, …
    type Value: Value;

    /// The number of players, n.
    fn num_players(&self) -> usize;

    /// The value of one coalition of this game's players.
    fn value(&self, coalition: &Coalition) -> Self::Value;

    /// Many coalitions at once: appends one value for each, in order.
    ///
    /// Override it for a model that is faster on batches. `values` may hold other values already: append only.
    fn values(&self, coalitions: &[Coalition], values: &mut Vec<Self::Value>) {
        values.extend(coalitions.iter().map(|coalition| self.value(coalition)));
    }

    /// Along an order of distinct players (a permutation, or a prefix of one): appends v({o₀}), v({o₀, o₁}), …
    ///
    /// Override it for a game that can add one player cheaply. Otherwise it goes through `values`, some prefixes at
    /// a time.
    ///
    /// # Panics
    ///
    /// If a player does not exist.
    fn walk(&self, order: &[usize], values: &mut Vec<Self::Value>) {
        for prefixes in prefix_batches(self.num_players(), order) {
            self.values(&prefixes, values);
        }
    }

    /// All 2^n values, for a game that has them in memory: indexed by the coalition's bit mask, player i being bit i.
    ///
    /// Exact solvers read them where they lie instead of asking for copies. [`Table`](crate::Table) overrides it;
    /// other games need not.
    fn tabulated(&self) -> Option<&[Self::Value]> {
        None
    }
}

/// A value function that can fail: a model behind a network, a programme without a solution.
///
/// `TryGame` is to [`Game`] what `TryFrom` is to `From`: every `Game` is a `TryGame` with [`Infallible`] as its error,
/// and every solver takes a `TryGame`. The contract is that of `Game`; a failure ends the solver with
/// [`Error::Game`](crate::Error::Game), which has the coalition and this error in it.
///
/// ```
/// use shapley::{Coalition, Error, TryGame};
///
/// #[derive(Debug, thiserror::Error)]
/// #[error("no price for {0} items")]
/// struct NoPrice(usize);
///
/// struct Prices(Vec<f64>);
///
/// impl TryGame for Prices {
///     type Value = f64;
///     type Error = NoPrice;
///
///     fn num_players(&self) -> usize {
///         3
///     }
///
///     fn try_value(&self, coalition: &Coalition) -> Result<f64, NoPrice> {
///         self.0.get(coalition.len()).copied().ok_or(NoPrice(coalition.len()))
///     }
/// }
///
/// assert_eq!(shapley::exact(&Prices(vec![0.0, 5.0, 8.0, 9.0]))?.values(), [3.0, 3.0, 3.0]);
///
/// match shapley::exact(&Prices(vec![0.0, 5.0, 8.0])) {
///     Err(Error::Game { coalition, source: NoPrice(3) }) => assert!(coalition.is_grand()),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors of any kind
///
/// The error must implement [`std::error::Error`], which `String`, `Box<dyn Error>` and `anyhow::Error` do not: wrap
/// them in a struct of your own, as above.
///
/// # Games behind pointers
///
/// `&G`, `Box<G>` and `Arc<G>` of a [`Game`] are games, trait objects included: `Box<dyn Game<Value = f64>>`, `Arc<dyn
/// Game<Value = f64> + Send>`. (`Arc` is shared between threads only if what it holds may be sent.) A pointer to a
/// fallible game is followed by hand, `exact(&*boxed)`, or wrapped by [`ByRef::new`], where a game is wanted by value.
pub trait TryGame: Sync {
    /// What a coalition is worth: `f64`, `[f64; 3]`, …
    type Value: Value;

    /// Why a coalition has no value.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The number of players, n.
    fn num_players(&self) -> usize;

    /// The value of one coalition of this game's players.
    ///
    /// # Errors
    ///
    /// The game's own.
    fn try_value(&self, coalition: &Coalition) -> Result<Self::Value, Self::Error>;

    /// Many coalitions at once: appends one value for each, in order.
    ///
    /// # Errors
    ///
    /// The game's own. It is taken to be that of the first coalition that got no value; a batch that fails as a whole
    /// and appends nothing is reported under its first coalition.
    fn try_values(&self, coalitions: &[Coalition], values: &mut Vec<Self::Value>) -> Result<(), Self::Error> {
        for coalition in coalitions {
            values.push(self.try_value(coalition)?);
        }
        Ok(())
    }

    /// Along an order of distinct players (a permutation, or a prefix of one): appends v({o₀}), v({o₀, o₁}), …
    ///
    /// # Errors
    ///
    /// The game's own, taken to be that of the first prefix that got no value.
    ///
    /// # Panics
    ///
    /// If a player does not exist.
    fn try_walk(&self, order: &[usize], values: &mut Vec<Self::Value>) -> Result<(), Self::Error> {
        for prefixes in prefix_batches(self.num_players(), order) {
            self.try_values(&prefixes, values)?;
        }
        Ok(())
    }

    /// All 2^n values, for a game that has them in memory: see [`Game::tabulated`].
    fn tabulated(&self) -> Option<&[Self::Value]> {
        None
    }

    /// For [`Cached`](crate::Cached): how the game and its store differ on a coalition, if they do. Solvers then stop.
    #[doc(hidden)]
    fn other_game(&self) -> Option<&[String; 2]> {
        None
    }

    /// This game by reference, as a game: for what takes a game by value. A reference to a [`Game`] is one anyway.
    ///
    /// ```
    /// use shapley::{Cached, TryGame, try_from_fn};
    ///
    /// let game = try_from_fn(3, |s| if s.len() < 4 { Ok(s.len() as f64) } else { Err(std::fmt::Error) });
    /// let cached = Cached::new(game.by_ref());
    /// assert_eq!(shapley::exact(&cached)?.values(), [1.0; 3]);
    /// assert_eq!(game.num_players(), 3); // still here
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    fn by_ref(&self) -> ByRef<'_, Self>
    where
        Self: Sized,
    {
        ByRef(self)
    }
}

/// A game by reference: what [`TryGame::by_ref`] returns. Every method goes to the game, overrides included.
///
/// It makes a game of a reference to a trait object too, for what takes a game by value:
///
/// ```
/// use shapley::{Cached, TryGame, games::ByRef, try_from_fn};
///
/// type Model = dyn TryGame<Value = f64, Error = std::num::ParseFloatError>;
///
/// let model: Box<Model> = Box::new(try_from_fn(3, |s| s.len().to_string().parse()));
/// let cached = Cached::new(ByRef::new(&*model));
/// assert_eq!(shapley::exact(&cached)?.values(), [1.0; 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ByRef<'a, G: ?Sized>(&'a G);

impl<'a, G: TryGame + ?Sized> ByRef<'a, G> {
    /// The game behind a reference.
    #[must_use]
    pub fn new(game: &'a G) -> Self {
        Self(game)
    }
}

impl<G: ?Sized> Clone for ByRef<'_, G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G: ?Sized> Copy for ByRef<'_, G> {}

/// The non-empty prefixes of an order, in batches that stay below a megabyte or so however many players there are.
pub(crate) fn prefix_batches(num_players: usize, order: &[usize]) -> impl Iterator<Item = Vec<Coalition>> {
    const WORDS: usize = 1 << 16;
    let batch = (WORDS / num_players.div_ceil(64).max(1)).clamp(1, 4096);
    let mut prefix = Coalition::empty(num_players);
    order.chunks(batch).map(move |players| {
        let grow = |&player: &usize| {
            prefix.insert(player);
            prefix.clone()
        };
        players.iter().map(grow).collect()
    })
}

impl<G: Game + ?Sized> TryGame for G {
    type Value = G::Value;
    type Error = Infallible;

    fn num_players(&self) -> usize {
        Game::num_players(self)
    }

    fn try_value(&self, coalition: &Coalition) -> Result<Self::Value, Infallible> {
        Ok(self.value(coalition))
    }

    fn try_values(&self, coalitions: &[Coalition], values: &mut Vec<Self::Value>) -> Result<(), Infallible> {
        self.values(coalitions, values);
        Ok(())
    }

    fn try_walk(&self, order: &[usize], values: &mut Vec<Self::Value>) -> Result<(), Infallible> {
        self.walk(order, values);
        Ok(())
    }

    fn tabulated(&self) -> Option<&[Self::Value]> {
        Game::tabulated(self)
    }
}

forward!(Game, self => **self, [(G: Game + ?Sized) &G, (G: Game + ?Sized) Box<G>, (G: Game + Send + ?Sized) Arc<G>], {
    type Value = G::Value;
    fn num_players() -> usize;
    fn value(coalition: &Coalition) -> G::Value;
    fn values(coalitions: &[Coalition], values: &mut Vec<G::Value>) -> ();
    fn walk(order: &[usize], values: &mut Vec<G::Value>) -> ();
    fn tabulated() -> Option<&[G::Value]>;
});

forward!(TryGame, self => *self.0, [('a, G: TryGame + ?Sized) ByRef<'a, G>], {
    type Value = G::Value;
    type Error = G::Error;
    fn num_players() -> usize;
    fn try_value(coalition: &Coalition) -> Result<G::Value, G::Error>;
    fn try_values(coalitions: &[Coalition], values: &mut Vec<G::Value>) -> Result<(), G::Error>;
    fn try_walk(order: &[usize], values: &mut Vec<G::Value>) -> Result<(), G::Error>;
    fn tabulated() -> Option<&[G::Value]>;
    fn other_game() -> Option<&[String; 2]>;
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_batches_stay_small_and_miss_nothing() {
        let n = 100_000;
        let order: Vec<usize> = (0..200).rev().collect();
        let batches: Vec<_> = prefix_batches(n, &order).collect();
        assert!(batches.iter().all(|batch| batch.len() * n.div_ceil(64) <= 1 << 16));
        let sizes: Vec<usize> = batches.iter().flatten().map(Coalition::len).collect();
        assert_eq!(sizes, (1..=200).collect::<Vec<_>>());
    }
}
