//! Every error of a solver.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::ops::Range;

use crate::Coalition;
use crate::display::{NameOf, Named, Printed, Visible, members};
use crate::games::error::GameError;

mod listed;

use listed::Listed;

/// Declares [`Error`]: each variant once, with its text. The variant `Game`, which alone holds the game's own error, is
/// declared here.
macro_rules! errors {
    ($($(#[$doc:meta])* $variant:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
    } => $text:literal $(, $argument:expr)*;)*) => {
        /// Why a solver, or the making of a game, gave no result.
        ///
        /// `E` is the game's own error; a game that cannot fail has [`Infallible`] there.
        ///
        /// `{}` writes what happened, and `{:#}` also why: the game's own error and its sources, each after a colon.
        ///
        /// ```
        /// let game = shapley::try_from_fn(2, |s| if s.is_grand() { "x".parse::<f64>() } else { Ok(0.0) });
        /// let error = shapley::exact(&game).unwrap_err();
        /// assert_eq!(error.to_string(), "the game failed at coalition {0, 1}");
        /// assert_eq!(format!("{error:#}"), "the game failed at coalition {0, 1}: invalid float literal");
        /// ```
        #[derive(Debug)]
        #[non_exhaustive]
        pub enum Error<E = Infallible> {
            $($(#[$doc])* $variant {
                $($(#[$field_doc])* $field: $type,)*
            },)*

            /// The game failed.
            Game {
                /// The coalition it failed at.
                coalition: Coalition,
                /// What the game says of it.
                source: E,
            },
        }

        impl<E> Error<E> {
            /// The same error, with the game's own error changed by `f`.
            ///
            /// An [`Error`] without a game's error becomes one of any game by `error.map(|never| match never {})`. A
            /// function that is generic over its game needs it, where it calls what has no game:
            ///
            /// ```
            /// use shapley::{Attribution, Error, Exact, Semivalue, TryGame};
            ///
            /// fn early<G: TryGame<Value = f64>>(game: &G) -> Result<Attribution<f64>, Error<G::Error>> {
            ///     let early = Semivalue::beta(4.0, 1.0).map_err(|error| error.map(|never| match never {}))?;
            ///     Exact::new().semivalue(game, &early)
            /// }
            /// # assert!(early(&shapley::from_fn(2, |s| s.len() as f64)).is_ok());
            /// ```
            pub fn map<F>(self, f: impl FnOnce(E) -> F) -> Error<F> {
                match self {
                    Self::Game { coalition, source } => Error::Game { coalition, source: f(source) },
                    $(Self::$variant { $($field),* } => Error::$variant { $($field),* },)*
                }
            }

            /// Writes what happened, without the causes.
            fn write(&self, f: &mut impl fmt::Write) -> fmt::Result {
                match self {
                    Self::Game { coalition, .. } => write!(f, "the game failed at coalition {coalition}"),
                    $(Self::$variant { $($field),* } => write!(f, $text $(, $argument)*),)*
                }
            }
        }
    };
}

errors! {
    /// The game has no players, so there is nobody to give credit to.
    NoPlayers {} => "the game has no players: its 1 evaluation, v({{}}), has nobody to be attributed to";

    /// The game has more players than the solver takes. The limit of exact solvers is
    /// [`Exact::max_players`](crate::Exact::max_players), that of `Surrogate` and `KernelShap` (feature `surrogate`)
    /// 4000, and that of all solvers [`Coalition::MAX_PLAYERS`].
    TooManyPlayers {
        /// The number of players.
        players: usize,
        /// The largest number of players allowed.
        limit: usize,
    } => "{players} players are over the limit of {limit}: {}", beyond(*players, *limit);

    /// A value is NaN or infinite.
    NotFinite {
        /// The coalition that has the value.
        coalition: Coalition,
    } => "the value of coalition {coalition} is not finite";

    /// The values are finite, but a sum of them is not: they are too large for their type.
    Overflow {
        /// The player, or players, whose result overflowed.
        coalition: Coalition,
    } => "the result for {coalition} exceeds the range of the value type: use a wider type, or smaller values";

    /// A batch did not give one value for each coalition.
    BatchLength {
        /// The number of coalitions in the batch.
        asked: usize,
        /// The number of values the game gave.
        got: usize,
    } => "a batch of {asked} coalitions came back with {got} values";

    /// A table's length is not a power of two that is at least two.
    TableLength {
        /// The length.
        len: usize,
    } => "a table of {len} values is not a game: the length must be a power of two, at least 2";

    /// A parameter of a semivalue's weights is out of range.
    WeightParameter {
        /// The parameter.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    } => "a weight parameter of {value} is not allowed: it must be {allowed}";

    /// A semivalue's weights do not sum to one over all coalitions without the player.
    WeightSum {
        /// Σ C(n−1, s) p(s).
        sum: f64,
    } => "the weights sum to {sum} over the coalitions without a player: a semivalue's sum to 1";

    /// A semivalue by size has no weights, or more than a game may have players.
    WeightCount {
        /// The number of weights.
        len: usize,
        /// The largest number possible.
        limit: usize,
    } => "{len} weights are not those of a semivalue: there must be one for each player, from 1 to {limit}";

    /// A semivalue has weights for games of another number of players.
    WeightLength {
        /// The number of weights.
        len: usize,
        /// The number of players.
        players: usize,
    } => "{len} weights do not fit a game of {players} player(s), which takes as many as players";

    /// There are no interactions of this order, or more than can be computed.
    Order {
        /// The order asked for.
        order: usize,
        /// The number of players.
        players: usize,
        /// The largest order possible.
        limit: usize,
    } => "interactions of order {order} are out of reach for {players} players: the order must be from 1 to {limit}";

    /// The budget does not pay for a first sample: v(∅), v(N), and the walk along an order of the players and back; or,
    /// of pairs of coalitions, one for each player.
    BudgetTooSmall {
        /// The evaluations allowed.
        evaluations: u64,
        /// The least evaluations that an estimate takes.
        needed: u64,
    } => "{evaluations} evaluation(s) are not enough for an estimate: it takes at least {needed}";

    /// The budget is larger than what is kept in memory of pairs of coalitions, and does not pay for an exact answer; or
    /// it does, and a precision or a deadline could end the run before.
    BudgetTooLarge {
        /// The evaluations allowed.
        evaluations: u64,
        /// The most evaluations of pairs.
        limit: u64,
    } => "{evaluations} evaluations of pairs of coalitions are too many to keep: at most {limit}, unless nothing else may \
        stop the run and they pay for all 2^n coalitions of up to 62 players (and, to go on, for v(∅) and v(N) again)";

    /// A setting of a sampler is out of range.
    Setting {
        /// The setting.
        name: &'static str,
        /// What it was set to.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    } => "{name} cannot be {value}: it must be {allowed}";

    /// Two estimates, two partial results, or an estimate and what is to go on with it, do not belong together.
    Mismatch {
        /// What differs.
        what: &'static str,
        /// What it is here.
        ours: String,
        /// What it is in the other.
        theirs: String,
    } => "{what} differs: {} here, {} in the other", Visible(ours), Visible(theirs);

    /// Two estimates have permutations in common, which would count twice.
    Overlap {
        /// The seed.
        seed: u64,
        /// The first sample that both have.
        start: u64,
        /// The first sample after it that not both have.
        end: u64,
    } => "both estimates have the samples {start} to {} of seed {seed}, which would count twice", end - 1;

    /// Two partial results have a part in common, which would count twice.
    PartTwice {
        /// The first part that both have.
        part: u64,
        /// The number of parts.
        of: u64,
        /// The parts, in one stretch, that it is among here.
        ours: Range<u64>,
        /// Those that it is among in the other.
        theirs: Range<u64>,
    } => "part {part} of {of} is in both, and would count twice: {} here, {} in the other",
        Listed(std::slice::from_ref(ours)), Listed(std::slice::from_ref(theirs));

    /// A partial result is not whole.
    PartsMissing {
        /// The parts that are missing, in stretches.
        missing: Vec<Range<u64>>,
        /// The number of parts.
        of: u64,
    } => "{} of {of} missing: run what is missing, and merge it", Listed(missing);

    /// A ready-made game cannot be made of these data.
    Invalid {
        /// What is wrong with them.
        source: GameError,
    } => "{source}";

    /// The observer asked to stop, and half an exact answer is none.
    Stopped {
        /// The evaluations made when it asked.
        evaluations: u64,
        /// The evaluations that the answer takes.
        total: u64,
    } => "stopped by the observer after {evaluations} of {total} evaluations";

    /// The system refused to start that many threads.
    Threads {
        /// The number of threads asked for.
        threads: usize,
    } => "could not start {threads} threads";
}

impl<E> Error<E> {
    /// The coalition that the text names.
    fn coalition(&self) -> Option<&Coalition> {
        match self {
            Self::NotFinite { coalition } | Self::Overflow { coalition } | Self::Game { coalition, .. } => {
                Some(coalition)
            }
            _ => None,
        }
    }
}

impl<E: StdError> Error<E> {
    /// This error with the names of players in its coalition, for people to read. A player without a name has its
    /// number, and names beyond the number of players are not used. `{:#}` has the causes too.
    ///
    /// ```
    /// let game = shapley::from_fn(3, |s| if s.len() == 2 { f64::NAN } else { 0.0 });
    /// let error = shapley::exact(&game).unwrap_err();
    /// assert_eq!(error.named(&["Ann", "Bob", "Cleo"]).to_string(), "the value of coalition {Ann, Bob} is not finite");
    /// ```
    pub fn named<'a>(&'a self, names: &'a [impl AsRef<str>]) -> impl fmt::Display + 'a {
        Named { of: self, names }
    }
}

impl<E: StdError> Printed for Error<E> {
    fn print(&self, f: &mut fmt::Formatter<'_>, name: Option<NameOf<'_>>) -> fmt::Result {
        match (self.coalition(), name) {
            (Some(coalition), Some(name)) => {
                let mut text = String::new();
                self.write(&mut text)?;
                // The text has its coalition once, as numbers.
                f.write_str(&text.replacen(&coalition.to_string(), &members(coalition, name), 1))?;
            }
            _ => self.write(f)?,
        }
        match self {
            Self::Game { source, .. } => write_causes(f, source),
            _ => Ok(()),
        }
    }
}

impl<E: StdError> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, None)
    }
}

impl<E: StdError + 'static> StdError for Error<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Game { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl<E> From<GameError> for Error<E> {
    fn from(source: GameError) -> Self {
        Self::Invalid { source }
    }
}

/// With `{:#}`, writes an error and its sources, each after a colon.
pub(crate) fn write_causes<E: StdError>(f: &mut fmt::Formatter<'_>, error: &E) -> fmt::Result {
    if !f.alternate() {
        return Ok(());
    }
    write!(f, ": {error}")?;
    let mut next = error.source();
    while let Some(cause) = next {
        write!(f, ": {cause}")?;
        next = cause.source();
    }
    Ok(())
}

/// What there is for games of more players than a solver's limit.
fn beyond(players: usize, limit: usize) -> String {
    const MOST: usize = Coalition::MAX_PLAYERS;
    match (players, limit) {
        (..=MOST, ..64) => format!(
            "an exact answer takes {} evaluations. `Permutation`, or `Surrogate` with the feature `surrogate`, estimates \
             Shapley values from fewer",
            power_of_two(players)
        ),
        (..=MOST, _) => "`Permutation` estimates Shapley values of larger games".to_owned(),
        _ => format!("no solver takes more than {MOST}"),
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
