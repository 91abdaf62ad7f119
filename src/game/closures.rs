//! Games made of closures.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;

use crate::game::prefix_batches;
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
/// Values come from the closure's coalition argument alone; see [`Game`] for the whole contract. For a closure that
/// returns a `Result` there is [`try_from_fn`], and for a model that answers many coalitions at once [`from_batch_fn`].
#[must_use]
pub fn from_fn<V: Value>(
    num_players: usize,
    value: impl Fn(&Coalition) -> V + Sync,
) -> impl Game<Value = V> + fmt::Debug {
    Function { num_players, function: value, kind: PhantomData::<Single> }
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
///
/// The error must implement [`std::error::Error`], which `String`, `Box<dyn Error>` and `anyhow::Error` do not: wrap
/// them in a struct of your own, as at [`TryGame`].
#[must_use]
pub fn try_from_fn<V: Value, E: std::error::Error + Send + Sync + 'static>(
    num_players: usize,
    value: impl Fn(&Coalition) -> Result<V, E> + Sync,
) -> impl TryGame<Value = V, Error = E> + fmt::Debug {
    Function { num_players, function: value, kind: PhantomData::<TrySingle> }
}

/// A game from a closure that values many coalitions at once: one value for each, in their order.
///
/// Exact solvers call the closure with batches of the size that [`Exact::batch`](crate::Exact::batch) sets, and
/// samplers with the prefixes of a whole order or of [several](crate::Permutation::batch). For a closure that returns a
/// `Result` there is [`try_from_batch_fn`].
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let calls = AtomicUsize::new(0);
/// let game = shapley::from_batch_fn(10, |coalitions| {
///     calls.fetch_add(1, Ordering::Relaxed); // the overhead of a call of the model
///     coalitions.iter().map(|s| (s.len() as f64).sqrt()).collect()
/// });
/// let phi = shapley::Exact::new().threads(1).batch(256).solve(&game)?;
/// assert_eq!((phi.evaluations(), calls.load(Ordering::Relaxed)), (1024, 4));
/// # Ok::<(), shapley::Error>(())
/// ```
///
/// # Errors
///
/// Solvers return [`BatchLength`](crate::Error::BatchLength) if the closure gives another number of values than it was
/// asked for.
///
/// # Panics
///
/// [`Game::value`], which can return no error, panics if the closure does not give one value for one coalition. No
/// solver calls it.
#[must_use]
pub fn from_batch_fn<V: Value>(
    num_players: usize,
    values: impl Fn(&[Coalition]) -> Vec<V> + Sync,
) -> impl Game<Value = V> + fmt::Debug {
    Function { num_players, function: values, kind: PhantomData::<Batch> }
}

/// A game from a closure that values many coalitions at once and can fail.
///
/// It is [`from_batch_fn`] with a `Result`. A batch fails as a whole: the error is reported under the first coalition
/// of the batch, whichever it was that failed, and none of the batch's values is kept. For the coalition that failed,
/// and the values before it, write a [`TryGame`] whose [`try_values`](TryGame::try_values) appends values before it
/// fails. The error must implement [`std::error::Error`], as for [`try_from_fn`].
///
/// ```
/// use shapley::{Coalition, Error, try_from_batch_fn};
///
/// let price = |s: &Coalition| if s.is_grand() { "sold out".parse() } else { Ok(s.len() as f64) };
/// let game = try_from_batch_fn(3, |coalitions| coalitions.iter().map(price).collect());
/// assert!(matches!(shapley::exact(&game), Err(Error::Game { .. })));
/// ```
///
/// # Errors
///
/// Solvers return [`Game`](crate::Error::Game) with the closure's error, and [`BatchLength`](crate::Error::BatchLength)
/// if it gives another number of values than it was asked for.
///
/// # Panics
///
/// [`TryGame::try_value`] panics if the closure does not give one value for one coalition. No solver calls it.
#[must_use]
pub fn try_from_batch_fn<V: Value, E: std::error::Error + Send + Sync + 'static>(
    num_players: usize,
    values: impl Fn(&[Coalition]) -> Result<Vec<V>, E> + Sync,
) -> impl TryGame<Value = V, Error = E> + fmt::Debug {
    Function { num_players, function: values, kind: PhantomData::<TryBatch> }
}

/// A closure as a game.
struct Function<K, F> {
    num_players: usize,
    function: F,
    kind: PhantomData<K>,
}

/// The kind of a closure that takes one question and returns a value.
#[derive(Clone, Copy, Debug)]
#[expect(unnameable_types, reason = "inferred from the constructor")]
pub enum Single {}

/// The kind of a closure that takes one question and returns a `Result`.
#[derive(Clone, Copy, Debug)]
#[expect(unnameable_types, reason = "inferred from the constructor")]
pub enum TrySingle {}

/// The kind of a closure that takes many questions and returns a value for each.
#[derive(Clone, Copy, Debug)]
#[expect(unnameable_types, reason = "inferred from the constructor")]
pub enum Batch {}

/// The kind of a closure that takes many questions and returns one `Result` of a value for each.
#[derive(Clone, Copy, Debug)]
#[expect(unnameable_types, reason = "inferred from the constructor")]
pub enum TryBatch {}

impl<V: Value, F: Fn(&Coalition) -> V + Sync> Game for Function<Single, F> {
    type Value = V;

    fn num_players(&self) -> usize {
        self.num_players
    }

    fn value(&self, coalition: &Coalition) -> V {
        (self.function)(coalition)
    }

    // One coalition that grows, where the provided method would make one for each prefix.
    fn walk(&self, order: &[usize], values: &mut Vec<V>) {
        values.reserve(order.len());
        let _ = Coalition::grow::<()>(self.num_players, order, |prefix| {
            values.push((self.function)(prefix));
            ControlFlow::Continue(())
        });
    }
}

impl<V: Value, E: std::error::Error + Send + Sync + 'static, F: Fn(&Coalition) -> Result<V, E> + Sync> TryGame
    for Function<TrySingle, F>
{
    type Value = V;
    type Error = E;

    fn num_players(&self) -> usize {
        self.num_players
    }

    fn try_value(&self, coalition: &Coalition) -> Result<V, E> {
        (self.function)(coalition)
    }

    fn try_walk(&self, order: &[usize], values: &mut Vec<V>) -> Result<(), E> {
        let walked = Coalition::grow(self.num_players, order, |prefix| match (self.function)(prefix) {
            Ok(value) => {
                values.push(value);
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        });
        walked.break_value().map_or(Ok(()), Err)
    }
}

impl<V: Value, F: Fn(&[Coalition]) -> Vec<V> + Sync> Game for Function<Batch, F> {
    type Value = V;

    fn num_players(&self) -> usize {
        self.num_players
    }

    fn value(&self, coalition: &Coalition) -> V {
        only((self.function)(std::slice::from_ref(coalition)))
    }

    fn values(&self, coalitions: &[Coalition], values: &mut Vec<V>) {
        values.extend((self.function)(coalitions));
    }

    fn walk(&self, order: &[usize], values: &mut Vec<V>) {
        let Ok(()) =
            walk_in_batches(self.num_players, order, values, |prefixes| Ok::<_, Infallible>((self.function)(prefixes)));
    }
}

impl<V: Value, E: std::error::Error + Send + Sync + 'static, F: Fn(&[Coalition]) -> Result<Vec<V>, E> + Sync> TryGame
    for Function<TryBatch, F>
{
    type Value = V;
    type Error = E;

    fn num_players(&self) -> usize {
        self.num_players
    }

    fn try_value(&self, coalition: &Coalition) -> Result<V, E> {
        (self.function)(std::slice::from_ref(coalition)).map(only)
    }

    fn try_values(&self, coalitions: &[Coalition], values: &mut Vec<V>) -> Result<(), E> {
        values.extend((self.function)(coalitions)?);
        Ok(())
    }

    fn try_walk(&self, order: &[usize], values: &mut Vec<V>) -> Result<(), E> {
        walk_in_batches(self.num_players, order, values, &self.function)
    }
}

/// The value of a single coalition.
///
/// # Panics
///
/// If there is another number of values.
fn only<V: fmt::Debug>(values: Vec<V>) -> V {
    match <[V; 1]>::try_from(values) {
        Ok([value]) => value,
        Err(values) => panic!("a batch of 1 coalition came back with {} values", values.len()),
    }
}

/// Appends the values of an order's prefixes. A batch of the wrong length ends the walk, with a wrong number of values
/// in all, so that the solver refuses it.
fn walk_in_batches<V, E>(
    num_players: usize,
    order: &[usize],
    values: &mut Vec<V>,
    batch: impl Fn(&[Coalition]) -> Result<Vec<V>, E>,
) -> Result<(), E> {
    let end = values.len() + order.len();
    for prefixes in prefix_batches(num_players, order) {
        let got = batch(&prefixes)?;
        let is_odd = got.len() != prefixes.len();
        values.extend(got);
        if is_odd {
            if values.len() == end {
                values.pop();
            }
            break;
        }
    }
    Ok(())
}

impl<K, F> fmt::Debug for Function<K, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("num_players", &self.num_players).finish_non_exhaustive()
    }
}

/// The compiler names the constructor that takes a closure that can fail: see `diagnostic::on_unimplemented` of
/// [`Value`].
///
/// ```compile_fail,E0277
/// let _ = shapley::from_fn(1, |_| "1".parse::<f64>());
/// ```
///
/// ```compile_fail,E0277
/// let _ = shapley::from_batch_fn(1, |coalitions| coalitions.iter().map(|_| "1".parse::<f64>()).collect());
/// ```
///
/// ```compile_fail,E0277
/// let _ = shapley::games::Words::new("one", |text: &str| text.parse::<f64>());
/// ```
///
/// ```compile_fail,E0277
/// let _ = shapley::games::Words::from_parts(["one"], |text: &str| text.parse::<f64>());
/// ```
///
/// ```compile_fail,E0277
/// let _ = shapley::games::Words::batched("one", |texts: &[String]| texts.iter().map(|text| text.parse::<f64>()).collect());
/// ```
///
/// ```compile_fail,E0277
/// let model = |rows: &[f64], _: usize| rows.iter().map(|_| "1".parse::<f64>()).collect::<Vec<_>>();
/// let _ = shapley::games::Features::new([1.0], [0.0], model);
/// ```
#[cfg(doctest)]
struct ClosuresThatFail;
