//! Games made of games.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::GameError;
use crate::game::prefix_batches;
use crate::{Coalition, TryGame, Value};

/// What a game is asked for: the value of one coalition, of many, or of the prefixes of an order.
#[derive(Clone, Copy)]
enum Question<'a> {
    One(&'a Coalition),
    Many(&'a [Coalition]),
    Walk(&'a [usize]),
}

impl Question<'_> {
    /// The number of values.
    fn len(self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(coalitions) => coalitions.len(),
            Self::Walk(order) => order.len(),
        }
    }

    /// Appends the values of a game.
    fn ask<G: TryGame>(self, game: &G, values: &mut Vec<G::Value>) -> Result<(), G::Error> {
        match self {
            Self::One(coalition) => game.try_value(coalition).map(|value| values.push(value)),
            Self::Many(coalitions) => game.try_values(coalitions, values),
            Self::Walk(order) => game.try_walk(order, values),
        }
    }
}

/// Makes a game of an adaptor of a game `G`, which answers every [`Question`] by its method `answer`.
macro_rules! adaptor {
    (($($generics:tt)*) $adaptor:ty, $self:ident => $num_players:expr, $other_game:expr) => {
        impl<$($generics)*> TryGame for $adaptor {
            type Value = G::Value;
            type Error = G::Error;

            fn num_players(&$self) -> usize {
                $num_players
            }

            fn other_game(&$self) -> Option<&[String; 2]> {
                $other_game
            }

            fn try_value(&self, coalition: &Coalition) -> Result<G::Value, G::Error> {
                let mut values = Vec::with_capacity(1);
                self.answer(Question::One(coalition), &mut values)?;
                Ok(values.pop().expect("one coalition has one value, or an error"))
            }

            fn try_values(&self, coalitions: &[Coalition], values: &mut Vec<G::Value>) -> Result<(), G::Error> {
                self.answer(Question::Many(coalitions), values)
            }

            fn try_walk(&self, order: &[usize], values: &mut Vec<G::Value>) -> Result<(), G::Error> {
                self.answer(Question::Walk(order), values)
            }
        }
    };
}

adaptor!((G: TryGame) Restricted<G>, self => self.players.len(), self.game.other_game());
adaptor!((G: TryGame) Dual<G>, self => self.game.num_players(), self.game.other_game());
adaptor!((G: TryGame, H: TryGame<Value = G::Value, Error = G::Error>) Sum<G, H>, self => self.first.num_players(), self.first.other_game().or(self.second.other_game()));
adaptor!((G: TryGame) Scaled<G>, self => self.game.num_players(), self.game.other_game());
adaptor!((G: TryGame) Counted<G>, self => self.game.num_players(), self.game.other_game());

/// The game among some of the players, the others being away: v′(S) = v(S), for S among those who stay.
///
/// ```
/// use shapley::{exact, games::{Airport, Restricted}};
///
/// // What would the others pay, had the largest aircraft never come?
/// let runway = Airport::new([6.0, 42.0, 12.0])?;
/// let without_largest = Restricted::new(runway, [0, 2])?;
/// assert_eq!(exact(&without_largest)?.values(), [3.0, 9.0]);
/// # Ok::<(), shapley::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Restricted<G> {
    game: G,
    players: Vec<usize>,
}

impl<G: TryGame> Restricted<G> {
    /// The game among these players: the k-th of them is player k.
    ///
    /// # Errors
    ///
    /// [`NoPlayers`](GameError::NoPlayers) if there are none; [`TooManyPlayers`](GameError::TooManyPlayers) if the game
    /// has more than [`Coalition::MAX_PLAYERS`]; [`NoSuchPlayer`](GameError::NoSuchPlayer) if one does not
    /// exist; [`Twice`](GameError::Twice) if one is named twice.
    pub fn new(game: G, players: impl AsRef<[usize]>) -> Result<Self, GameError> {
        let (players, all) = (players.as_ref().to_vec(), game.num_players());
        if players.is_empty() {
            return Err(GameError::NoPlayers {});
        }
        GameError::check_players(all)?;
        let mut named = Coalition::empty(all);
        for (index, &player) in players.iter().enumerate() {
            if player >= all {
                return Err(GameError::NoSuchPlayer { what: "place", index, player, players: all });
            }
            if !named.insert(player) {
                return Err(GameError::Twice { player });
            }
        }
        Ok(Self { game, players })
    }

    /// Whom the players are in the game.
    #[must_use]
    pub fn players(&self) -> &[usize] {
        &self.players
    }

    fn answer(&self, question: Question<'_>, values: &mut Vec<G::Value>) -> Result<(), G::Error> {
        let all = self.game.num_players();
        let there =
            |coalition: &Coalition| Coalition::from_players(all, coalition.iter().map(|player| self.players[player]));
        match question {
            Question::One(coalition) => Question::One(&there(coalition)).ask(&self.game, values),
            Question::Many(coalitions) => {
                self.game.try_values(&coalitions.iter().map(there).collect::<Vec<_>>(), values)
            }
            Question::Walk(order) => {
                self.game.try_walk(&order.iter().map(|&player| self.players[player]).collect::<Vec<_>>(), values)
            }
        }
    }
}

/// The dual game, v*(S) = v(N) − v(N∖S): what a coalition can keep the others from having.
///
/// It has the same Shapley values, and the same Banzhaf values. Of a vote, it is the vote on blocking.
///
/// ```
/// use shapley::{TryGame, Coalition, games::{Dual, WeightedVoting}};
///
/// let vote = WeightedVoting::new(4, [2, 2, 1])?; // both large ones must agree
/// let blocking = Dual::new(vote);
/// let first = Coalition::from_players(3, [0]);
/// assert_eq!(blocking.try_value(&first)?, 1.0); // so one of them can block
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dual<G: TryGame> {
    game: G,
    /// v(N), once it was asked for.
    grand: OnceLock<G::Value>,
}

impl<G: TryGame> Dual<G> {
    /// The dual of a game, which is asked for v(N) once more than for the coalitions. A walk through it asks for each
    /// prefix's complement: the game's own [`walk`](crate::Game::walk) goes the other way.
    #[must_use]
    pub fn new(game: G) -> Self {
        Self { game, grand: OnceLock::new() }
    }

    fn grand(&self) -> Result<&G::Value, G::Error> {
        if let Some(grand) = self.grand.get() {
            return Ok(grand);
        }
        // Threads that come here at the same time each ask; a lock is not held while a game runs.
        let grand = self.game.try_value(&Coalition::grand(self.game.num_players()))?;
        Ok(self.grand.get_or_init(|| grand))
    }

    fn answer(&self, question: Question<'_>, values: &mut Vec<G::Value>) -> Result<(), G::Error> {
        let (start, asked) = (values.len(), question.len());
        if asked == 0 {
            return Ok(());
        }
        let result = match question {
            Question::One(coalition) => Question::One(&coalition.complement()).ask(&self.game, values),
            Question::Many(coalitions) => {
                self.game.try_values(&coalitions.iter().map(Coalition::complement).collect::<Vec<_>>(), values)
            }
            Question::Walk(order) => {
                return prefix_batches(self.game.num_players(), order)
                    .try_for_each(|prefixes| self.answer(Question::Many(&prefixes), values));
            }
        };
        if result.is_ok() && values.len() != start + asked {
            return result; // the solver refuses it, without another question
        }
        let grand = match self.grand() {
            Ok(grand) => grand,
            Err(error) => {
                values.truncate(start);
                return Err(error);
            }
        };
        for value in values.iter_mut().skip(start) {
            let rest = std::mem::replace(value, grand.clone());
            value.sub_assign(&rest);
        }
        result
    }
}

/// The sum of two games of the same players: v(S) + w(S). Shapley values add up.
///
/// ```
/// use shapley::{exact, games::{Airport, Scaled, Sum}};
///
/// // Two runways for the same three aircraft; the second is shared with another airport, which pays half.
/// let both = Sum::new(Airport::new([6.0, 12.0, 42.0])?, Scaled::new(Airport::new([12.0, 6.0, 6.0])?, 1, 2)?)?;
/// assert_eq!(exact(&both)?.values(), [2.0 + 4.0, 5.0 + 1.0, 35.0 + 1.0]);
/// # Ok::<(), shapley::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sum<G, H> {
    first: G,
    second: H,
}

impl<G: TryGame, H: TryGame<Value = G::Value, Error = G::Error>> Sum<G, H> {
    /// The sum of two games.
    ///
    /// # Errors
    ///
    /// [`Shape`](GameError::Shape) if they are not of as many players.
    pub fn new(first: G, second: H) -> Result<Self, GameError> {
        let (expected, got) = (first.num_players(), second.num_players());
        if got != expected {
            return Err(GameError::Shape { what: "players of the second game", got, expected });
        }
        Ok(Self { first, second })
    }

    /// Adds the second game's values to those of the first. Of a failure of either, as many are left as both gave.
    fn answer(&self, question: Question<'_>, values: &mut Vec<G::Value>) -> Result<(), G::Error> {
        let start = values.len();
        let result = question.ask(&self.first, values);
        let mut others = Vec::with_capacity(values.len() - start);
        let other_result = question.ask(&self.second, &mut others);
        let firsts = values.len() - start;
        values[start..].iter_mut().zip(&others).for_each(|(value, other)| value.add_assign(other));
        match (result, other_result) {
            // What is too many or too few of either is too many or too few of the sum.
            (Ok(()), Ok(())) => {
                values.extend(others.into_iter().skip(firsts));
                Ok(())
            }
            // The error of the one that came less far.
            (Err(error), Ok(())) => Err(error),
            (Ok(()), Err(error)) => {
                values.truncate(start + others.len());
                Err(error)
            }
            (Err(error), Err(other)) => {
                values.truncate(start + others.len());
                Err(if others.len() < firsts { other } else { error })
            }
        }
    }
}

/// A game times a fraction: another currency, or the same per head. Shapley values are multiplied with it. The example
/// is at [`Sum`].
#[derive(Clone, Debug)]
pub struct Scaled<G> {
    game: G,
    numerator: i128,
    denominator: i128,
}

impl<G: TryGame> Scaled<G> {
    /// The game times numerator / denominator, which may be negative: of costs that makes savings.
    ///
    /// # Errors
    ///
    /// [`Number`](GameError::Number) if the denominator is not positive.
    pub fn new(game: G, numerator: i128, denominator: i128) -> Result<Self, GameError> {
        if denominator <= 0 {
            let value = denominator as f64;
            return Err(GameError::Number { what: "denominator", index: 0, value, allowed: "positive" });
        }
        Ok(Self { game, numerator, denominator })
    }

    fn answer(&self, question: Question<'_>, values: &mut Vec<G::Value>) -> Result<(), G::Error> {
        let start = values.len();
        let result = question.ask(&self.game, values);
        let new = values.get_mut(start..).unwrap_or_default();
        new.iter_mut().for_each(|value| value.scale(self.numerator, self.denominator));
        result
    }
}

/// A game that counts how often it is asked: for tests, and for budgets. Counts from all threads.
///
/// ```
/// use shapley::{Cached, TryGame, exact, from_fn, games::Counted};
///
/// let game = Counted::new(from_fn(10, |s| s.len() as f64));
/// let cached = Cached::new(game.by_ref());
/// let _ = (exact(&cached)?, shapley::banzhaf(&cached)?);
/// assert_eq!(game.evaluations(), 1024);
/// # Ok::<(), shapley::Error>(())
/// ```
#[derive(Debug)]
pub struct Counted<G> {
    game: G,
    evaluations: AtomicU64,
}

impl<G: TryGame> Counted<G> {
    /// The game, which has not been asked yet.
    #[must_use]
    pub fn new(game: G) -> Self {
        Self { game, evaluations: AtomicU64::new(0) }
    }

    /// For how many coalitions it was asked so far, those at which it failed included: in batches and walks each one
    /// counts.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.evaluations.load(Ordering::Relaxed)
    }

    /// The game itself, for what is not to be counted.
    #[must_use]
    pub fn game(&self) -> &G {
        &self.game
    }

    fn answer(&self, question: Question<'_>, values: &mut Vec<G::Value>) -> Result<(), G::Error> {
        self.evaluations.fetch_add(question.len() as u64, Ordering::Relaxed);
        question.ask(&self.game, values)
    }
}
