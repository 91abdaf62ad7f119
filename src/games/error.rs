//! What is wrong with the data of a ready-made game.

use thiserror::Error;

use crate::Coalition;

/// Why a ready-made game cannot be made, or its closed form not computed.
///
/// `?` makes a [`shapley::Error`](crate::Error) of it.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum GameError {
    /// There is nobody to play.
    #[error("the game has no players")]
    NoPlayers {},

    /// There are more players than solvers take.
    #[error("{players} players are over the limit of {limit}")]
    TooManyPlayers {
        /// The number of players.
        players: usize,
        /// The limit: [`Coalition::MAX_PLAYERS`].
        limit: usize,
    },

    /// There are no terms, so it is not known what nothing is worth: give the empty set an amount of zero.
    #[error("the game has no terms: a game that is worth nothing has the empty set's amount of zero")]
    NoTerms {},

    /// No coalition can win, or every one does.
    #[error("a quota of {quota} decides nothing: it must be from 1 to {total}, the sum of the weights")]
    Quota {
        /// The quota.
        quota: u64,
        /// The sum of the weights.
        total: u64,
    },

    /// Nobody has a vote.
    #[error("the weights of all {players} player(s) are zero: nobody can win")]
    NoWeight {
        /// The number of players.
        players: usize,
    },

    /// The sum of the weights does not fit.
    #[error("the sum of the weights exceeds {} at player {player}", u64::MAX)]
    WeightOverflow {
        /// The first player at whom it does not.
        player: usize,
    },

    /// A number is out of range.
    #[error("{what} {index} cannot be {value}: it must be {allowed}")]
    Number {
        /// What it is a number of.
        what: &'static str,
        /// Which it is, from 0.
        index: usize,
        /// The number.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },

    /// An amount is not finite, or amounts are too large to be added up.
    #[error("the amount of term {index} is not finite, or the amounts up to it are too large for their sum")]
    Amount {
        /// Which it is, from 0.
        index: usize,
    },

    /// A player, or a node of a graph, does not exist.
    #[error("{what} {index} names player {player}, and there are {players}")]
    NoSuchPlayer {
        /// What names it.
        what: &'static str,
        /// Which of these it is, from 0.
        index: usize,
        /// The player named.
        player: usize,
        /// The number of players.
        players: usize,
    },

    /// A player is named twice.
    #[error("player {player} is named twice")]
    Twice {
        /// The player.
        player: usize,
    },

    /// An edge of a graph connects a node to itself.
    #[error("edge {index} connects node {node} to itself")]
    Loop {
        /// The edge, from 0.
        index: usize,
        /// The node.
        node: usize,
    },

    /// A player alone cannot be connected to the source.
    #[error("player {player} has no edge to the source, so alone it cannot be connected")]
    NoWayToSource {
        /// The first such player.
        player: usize,
    },

    /// Data are not as many as they should be.
    #[error("{what}: {got} instead of {expected}")]
    Shape {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there should be.
        expected: usize,
    },

    /// The closed form takes more than can be counted on.
    #[error("{what} would take {needed:.1e} {unit}, and the limit is {limit:.1e}")]
    TooLarge {
        /// What is asked for.
        what: &'static str,
        /// How many it takes.
        needed: f64,
        /// The most that is allowed.
        limit: f64,
        /// Of what.
        unit: &'static str,
    },
}

impl GameError {
    /// Refuses a game without players, and one of more players than solvers take.
    pub(super) fn check_players(players: usize) -> Result<(), Self> {
        match players {
            0 => Err(Self::NoPlayers {}),
            1..=Coalition::MAX_PLAYERS => Ok(()),
            _ => Err(Self::TooManyPlayers { players, limit: Coalition::MAX_PLAYERS }),
        }
    }
}
