//! Every error of a solver.

use std::convert::Infallible;
use std::ops::Range;

use thiserror::Error;

use crate::Coalition;
use crate::games::error::GameError;

mod listed;

use listed::Listed;

/// Why a solver, or the making of a game, gave no result.
///
/// `E` is the game's own error; a game that cannot fail has [`Infallible`] there.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error<E = Infallible> {
    /// The game has no players, so there is nobody to give credit to.
    #[error("the game has no players: its 1 evaluation, v({{}}), has nobody to be attributed to")]
    NoPlayers {},

    /// An exact answer would take too many evaluations. The limit is [`Exact::max_players`](crate::Exact::max_players).
    #[error("{players} players are over the limit of {limit}: an exact answer takes {} evaluations", power_of_two(*players))]
    TooManyPlayers {
        /// The number of players.
        players: usize,
        /// The largest number of players allowed.
        limit: usize,
    },

    /// A value is NaN or infinite.
    #[error("the value of coalition {coalition} is not finite")]
    NotFinite {
        /// The coalition that has the value.
        coalition: Coalition,
    },

    /// The values are finite, but a sum of them is not: they are too large for their type.
    #[error("the result for {coalition} exceeds the range of the value type: use a wider type, or smaller values")]
    Overflow {
        /// The player, or players, whose result overflowed.
        coalition: Coalition,
    },

    /// The game failed.
    #[error("the game failed at coalition {coalition}")]
    Game {
        /// The coalition it failed at.
        coalition: Coalition,
        /// What the game says of it.
        source: E,
    },

    /// A batch did not give one value for each coalition.
    #[error("a batch of {asked} coalitions came back with {got} values")]
    BatchLength {
        /// The number of coalitions in the batch.
        asked: usize,
        /// The number of values the game gave.
        got: usize,
    },

    /// A table's length is not a power of two that is at least two.
    #[error("a table of {len} values is not a game: the length must be a power of two, at least 2")]
    TableLength {
        /// The length.
        len: usize,
    },

    /// A parameter of a semivalue's weights is out of range.
    #[error("a weight parameter of {value} is not allowed: it must be {allowed}")]
    WeightParameter {
        /// The parameter.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },

    /// A semivalue's weights do not sum to one over all coalitions without the player.
    #[error("the weights sum to {sum} over the coalitions without a player: a semivalue's sum to 1")]
    WeightSum {
        /// Σ C(n−1, s) p(s).
        sum: f64,
    },

    /// A semivalue by size has no weights, or more than any game takes.
    #[error("{len} weights are not those of a semivalue: there must be one for each player, from 1 to {limit}")]
    WeightCount {
        /// The number of weights.
        len: usize,
        /// The largest number possible.
        limit: usize,
    },

    /// A semivalue has weights for games of another number of players.
    #[error("{len} weights do not fit a game of {players} player(s), which takes as many as players")]
    WeightLength {
        /// The number of weights.
        len: usize,
        /// The number of players.
        players: usize,
    },

    /// There are no interactions of this order, or more than can be computed.
    #[error(
        "interactions of order {order} are out of reach for {players} players: the order must be from 1 to {limit}"
    )]
    Order {
        /// The order asked for.
        order: usize,
        /// The number of players.
        players: usize,
        /// The largest order possible.
        limit: usize,
    },

    /// The budget does not pay for a first sample: v(∅), v(N), and the walk along an order of the players and back; or, of
    /// pairs of coalitions, one for each player.
    #[error("{evaluations} evaluation(s) are not enough for an estimate: the first sample takes {needed}")]
    BudgetTooSmall {
        /// The evaluations allowed.
        evaluations: u64,
        /// The evaluations that the first sample takes.
        needed: u64,
    },

    /// A setting of a sampler is out of range.
    #[error("{name} cannot be {value}: it must be {allowed}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What it was set to.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },

    /// Two estimates, two partial results, or an estimate and what is to go on with it, do not belong together.
    #[error("{what} differs: {ours} here, {theirs} in the other")]
    Mismatch {
        /// What differs.
        what: &'static str,
        /// What it is here.
        ours: String,
        /// What it is in the other.
        theirs: String,
    },

    /// Two estimates have permutations in common, which would count twice.
    #[error("both estimates have the samples {start} to {} of seed {seed}, which would count twice", end - 1)]
    Overlap {
        /// The seed.
        seed: u64,
        /// The first sample that both have.
        start: u64,
        /// The first sample after it that not both have.
        end: u64,
    },

    /// Two partial results have a part in common, which would count twice.
    #[error(
        "part {part} of {of} is in both, and would count twice: {} here, {} in the other",
        Listed(std::slice::from_ref(ours)),
        Listed(std::slice::from_ref(theirs))
    )]
    PartTwice {
        /// The first part that both have.
        part: u64,
        /// The number of parts.
        of: u64,
        /// The parts, in one stretch, that it is among here.
        ours: Range<u64>,
        /// Those that it is among in the other.
        theirs: Range<u64>,
    },

    /// A partial result is not whole.
    #[error("{} of {of} missing: run what is missing, and merge it", Listed(missing))]
    PartsMissing {
        /// The parts that are missing, in stretches.
        missing: Vec<Range<u64>>,
        /// The number of parts.
        of: u64,
    },

    /// A ready-made game cannot be made of these data.
    #[error(transparent)]
    Invalid {
        /// What is wrong with them.
        #[from]
        source: GameError,
    },

    /// The observer asked to stop, and half an exact answer is none.
    #[error("stopped by the observer after {evaluations} of {total} evaluations")]
    Stopped {
        /// The evaluations made when it asked.
        evaluations: u64,
        /// The evaluations that the answer takes.
        total: u64,
    },

    /// The system refused to start that many threads.
    #[error("could not start {threads} threads")]
    Threads {
        /// The number of threads asked for.
        threads: usize,
    },
}

impl Error {
    /// The same error as one of a game that can fail, where `?` meets both.
    ///
    /// ```
    /// use shapley::{Attribution, Error, Exact, Semivalue, TryGame};
    ///
    /// fn early<G: TryGame<Value = f64>>(game: &G) -> Result<Attribution<f64>, Error<G::Error>> {
    ///     let early = Semivalue::beta(4.0, 1.0).map_err(Error::widen)?;
    ///     Exact::new().semivalue(game, &early)
    /// }
    /// # assert!(early(&shapley::from_fn(2, |s| s.len() as f64)).is_ok());
    /// ```
    #[must_use]
    pub fn widen<E>(self) -> Error<E> {
        match self.without_game() {
            Ok(error) => error,
            Err((_, source)) => match source {},
        }
    }
}

impl<E> Error<E> {
    /// The same error as one of another game; or what the game said, and the coalition it failed at.
    pub(crate) fn without_game<F>(self) -> Result<Error<F>, (Coalition, E)> {
        Ok(match self {
            Self::NoPlayers {} => Error::NoPlayers {},
            Self::TooManyPlayers { players, limit } => Error::TooManyPlayers { players, limit },
            Self::NotFinite { coalition } => Error::NotFinite { coalition },
            Self::Overflow { coalition } => Error::Overflow { coalition },
            Self::Game { coalition, source } => return Err((coalition, source)),
            Self::BatchLength { asked, got } => Error::BatchLength { asked, got },
            Self::TableLength { len } => Error::TableLength { len },
            Self::WeightParameter { value, allowed } => Error::WeightParameter { value, allowed },
            Self::WeightSum { sum } => Error::WeightSum { sum },
            Self::WeightCount { len, limit } => Error::WeightCount { len, limit },
            Self::WeightLength { len, players } => Error::WeightLength { len, players },
            Self::Order { order, players, limit } => Error::Order { order, players, limit },
            Self::BudgetTooSmall { evaluations, needed } => Error::BudgetTooSmall { evaluations, needed },
            Self::Setting { name, value, allowed } => Error::Setting { name, value, allowed },
            Self::Mismatch { what, ours, theirs } => Error::Mismatch { what, ours, theirs },
            Self::Overlap { seed, start, end } => Error::Overlap { seed, start, end },
            Self::PartTwice { part, of, ours, theirs } => Error::PartTwice { part, of, ours, theirs },
            Self::PartsMissing { missing, of } => Error::PartsMissing { missing, of },
            Self::Invalid { source } => Error::Invalid { source },
            Self::Stopped { evaluations, total } => Error::Stopped { evaluations, total },
            Self::Threads { threads } => Error::Threads { threads },
        })
    }
}

/// 2^n as people write it: with its digits as long as there are not too many.
fn power_of_two(exponent: usize) -> String {
    match u32::try_from(exponent).ok().and_then(|e| 1_u64.checked_shl(e)) {
        Some(power) => format!("2^{exponent} = {power}"),
        None => format!("2^{exponent}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_are_written_out_while_they_fit() {
        assert_eq!(power_of_two(31), "2^31 = 2147483648");
        assert_eq!(power_of_two(63), "2^63 = 9223372036854775808");
        assert_eq!(power_of_two(64), "2^64");
        assert_eq!(power_of_two(usize::MAX), format!("2^{}", usize::MAX));
    }
}
