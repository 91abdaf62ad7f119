//! Games made of closures.

use std::fmt;
use std::ops::ControlFlow;

use crate::{Coalition, Game, TryGame, Value};

/// A game from a closure.
///
/// ```
/// // Three flatmates share a taxi: the fare is the longest ride's.
/// let fares = [6.0, 12.0, 42.0];
/// let game = shapley::from_fn(3, |s| s.iter().map(|i| fares[i]).fold(0.0, f64::max));
/// let phi = shapley::exact(&game)?;
/// for (share, fair) in phi.iter().zip([2.0, 5.0, 35.0]) {
///     assert!((share - fair).abs() < 1e-12);
/// }
/// # Ok::<(), shapley::Error>(())
/// ```
///
/// Values come from the closure's coalition argument alone; see [`Game`] for the whole contract.
#[must_use]
pub fn from_fn<V: Value>(
    num_players: usize,
    value: impl Fn(&Coalition) -> V + Sync,
) -> impl Game<Value = V> + fmt::Debug {
    Function { num_players, value }
}

/// A game from a closure that can fail.
///
/// ```
/// use shapley::{Error, try_from_fn};
///
/// let game = try_from_fn(3, |s| match s.len() {
///     2 => "not a number".parse::<f64>(),
///     size => Ok(size as f64),
/// });
/// let error = shapley::exact(&game).unwrap_err();
/// assert!(matches!(&error, Error::Game { coalition, .. } if coalition.len() == 2));
/// ```
#[must_use]
pub fn try_from_fn<V: Value, E: std::error::Error + Send + Sync + 'static>(
    num_players: usize,
    value: impl Fn(&Coalition) -> Result<V, E> + Sync,
) -> impl TryGame<Value = V, Error = E> + fmt::Debug {
    TryFunction { num_players, value }
}

struct Function<F> {
    num_players: usize,
    value: F,
}

impl<V: Value, F: Fn(&Coalition) -> V + Sync> Game for Function<F> {
    type Value = V;

    fn num_players(&self) -> usize {
        self.num_players
    }

    fn value(&self, coalition: &Coalition) -> V {
        (self.value)(coalition)
    }

    // One coalition that grows, where the provided method would make one for each prefix.
    fn walk(&self, order: &[usize], values: &mut Vec<V>) {
        values.reserve(order.len());
        let _ = Coalition::grow::<()>(self.num_players, order, |prefix| {
            values.push((self.value)(prefix));
            ControlFlow::Continue(())
        });
    }
}

struct TryFunction<F> {
    num_players: usize,
    value: F,
}

impl<V: Value, E: std::error::Error + Send + Sync + 'static, F: Fn(&Coalition) -> Result<V, E> + Sync> TryGame
    for TryFunction<F>
{
    type Value = V;
    type Error = E;

    fn num_players(&self) -> usize {
        self.num_players
    }

    fn try_value(&self, coalition: &Coalition) -> Result<V, E> {
        (self.value)(coalition)
    }

    fn try_walk(&self, order: &[usize], values: &mut Vec<V>) -> Result<(), E> {
        let walked = Coalition::grow(self.num_players, order, |prefix| match (self.value)(prefix) {
            Ok(value) => {
                values.push(value);
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        });
        walked.break_value().map_or(Ok(()), Err)
    }
}

impl<F> fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("num_players", &self.num_players).finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for TryFunction<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryFunction").field("num_players", &self.num_players).finish_non_exhaustive()
    }
}
