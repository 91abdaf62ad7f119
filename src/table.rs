//! A game whose values are all in memory.

mod file;

use std::cmp::Reverse;
use std::ops::ControlFlow;

use crate::engine::blocks;
use crate::engine::progress::{Observer, Progress};
use crate::engine::settings::Settings;
use crate::{Coalition, Error, Game, TryGame, Value};

pub use file::TableError;

/// The limit on players where none is set: every further player doubles the evaluations, and 30 players take 10⁹.
pub(crate) const MOST_PLAYERS: usize = 30;

/// All 2^n values of a game, indexed by the coalition's bit mask: player i is bit i, so `values[0b101]` is v({0, 2}).
///
/// Exact solvers read the values without a copy. A table takes 2^n values of memory: 8 MiB of `f64` for 20 players, 8
/// GiB for 30.
///
/// ```
/// use shapley::{Coalition, Game, Table};
///
/// let table = Table::new(vec![0.0, 100.0, 200.0, 700.0])?;
/// assert_eq!(table.value(&Coalition::from_players(2, [1])), 200.0);
/// assert_eq!(shapley::exact(&table)?.values(), [300.0, 400.0]);
/// # Ok::<(), shapley::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table<V> {
    /// 2^num_players of them.
    pub(super) values: Vec<V>,
    pub(super) num_players: usize,
}

impl<V: Value> Table<V> {
    /// A game from its values.
    ///
    /// # Errors
    ///
    /// [`TableLength`](Error::TableLength) if the length is not a power of two that is at least 2. Values that are not
    /// finite are found by the solvers, which name the coalition.
    pub fn new(values: Vec<V>) -> Result<Self, Error> {
        let len = values.len();
        if len < 2 || !len.is_power_of_two() {
            return Err(Error::TableLength { len });
        }
        Ok(Self::from_tabulated(values))
    }

    /// A game from its values as textbooks list them: by size, and coalitions of one size by their members. For three
    /// players the order is {}, {0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}: that of
    /// [`Interactions`](crate::Interactions).
    ///
    /// ```
    /// use shapley::Table;
    ///
    /// // Three flatmates share a taxi, whose fare is that of the longest ride.
    /// let taxi = Table::by_size(vec![
    ///     0.0, //
    ///     6.0, 12.0, 42.0, // {0}, {1}, {2}
    ///     12.0, 42.0, 42.0, // {0, 1}, {0, 2}, {1, 2}
    ///     42.0,
    /// ])?;
    /// assert_eq!(shapley::exact(&taxi)?.to_string(), "2  35\n1   5\n0   2");
    /// # Ok::<(), shapley::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new), and [`TooManyPlayers`](Error::TooManyPlayers) beyond 30 players.
    pub fn by_size(values: Vec<V>) -> Result<Self, Error> {
        let Self { values, num_players: players } = Self::new(values)?;
        // Values may take no memory, and be more than numbers can.
        if players > MOST_PLAYERS {
            return Err(Error::TooManyPlayers { players, limit: MOST_PLAYERS });
        }
        let mut masks: Vec<usize> = (0..values.len()).collect();
        // Of two sets of one size, the one with the lower first player is the larger number once bits are reversed.
        masks.sort_unstable_by_key(|mask| (mask.count_ones(), Reverse(mask.reverse_bits())));
        let mut placed: Vec<(usize, V)> = masks.into_iter().zip(values).collect();
        placed.sort_unstable_by_key(|(mask, _)| *mask);
        Self::new(placed.into_iter().map(|(_, value)| value).collect())
    }

    /// Asks a game for all its values, once each, in batches and on all threads. Costs 2^n evaluations.
    ///
    /// # Errors
    ///
    /// Those of [`exact`](crate::exact), with its limit of 30 players; [`Exact::tabulate`](crate::Exact::tabulate) is
    /// the same with options.
    pub fn tabulate<G: TryGame<Value = V> + ?Sized>(game: &G) -> Result<Self, Error<G::Error>> {
        Self::ask(game, MOST_PLAYERS, &Settings::<fn(&Progress) -> ControlFlow<()>>::new())
    }

    /// The table of all 2^n values of a game.
    fn from_tabulated(values: Vec<V>) -> Self {
        Self { num_players: values.len().ilog2() as usize, values }
    }

    /// Asks a game of at most `most_players` for all its values.
    pub(crate) fn ask<G: TryGame<Value = V> + ?Sized, F: Observer>(
        game: &G,
        most_players: usize,
        settings: &Settings<F>,
    ) -> Result<Self, Error<G::Error>> {
        let num_players = game.num_players();
        blocks::check_players(num_players, most_players)?;
        // Memory that is not there would end the process, and evaluations made by then were lost.
        let fits = |players: usize| {
            usize::try_from(1_u64 << players).is_ok_and(|len| Vec::<V>::new().try_reserve_exact(len).is_ok())
        };
        if !fits(num_players) {
            let limit = (0..num_players).rfind(|&players| fits(players)).unwrap_or(0);
            return Err(Error::TooManyPlayers { players: num_players, limit });
        }
        blocks::values(game, settings, num_players, 0..1 << num_players).map(Self::from_tabulated)
    }

    /// The values, indexed by bit mask.
    #[must_use]
    pub fn values(&self) -> &[V] {
        &self.values
    }

    /// The values, indexed by bit mask, without a copy.
    #[must_use]
    pub fn into_values(self) -> Vec<V> {
        self.values
    }
}

/// # Panics
///
/// `value` and `values` panic on a coalition of another number of players.
impl<V: Value> Game for Table<V> {
    type Value = V;

    fn num_players(&self) -> usize {
        self.num_players
    }

    fn value(&self, coalition: &Coalition) -> V {
        let (have, got) = (self.num_players, coalition.num_players());
        assert!(have == got, "a coalition of {got} players has no value in a table of {have}");
        let index = coalition.mask().and_then(|mask| usize::try_from(mask).ok());
        self.values[index.expect("masks of a table in memory fit a usize")].clone()
    }

    fn walk(&self, order: &[usize], values: &mut Vec<V>) {
        let mut mask = 0;
        values.extend(order.iter().map(|&player| {
            assert!(player < self.num_players, "player {player} does not exist: there are {}", self.num_players);
            mask |= 1 << player;
            self.values[mask].clone()
        }));
    }

    fn tabulated(&self) -> Option<&[V]> {
        Some(&self.values)
    }
}
