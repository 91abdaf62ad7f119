//! Games that remember.

use std::borrow::Cow;
use std::fmt;

use super::flights::{Flights, Landed, OwnFlight};
use super::same_game::{Answerer, SameGame};
use super::sync::{AtomicU64, Ordering};
use super::{Store, StoreFailure};
use crate::game::prefix_batches;
use crate::{Coalition, MemoryStore, TryGame, Value};

/// A game whose values are remembered: as long as the store keeps its value, no coalition is evaluated twice, by any
/// solver, on any thread.
///
/// It is itself a [`TryGame`], so that every solver takes it. Its error is the game's own if the store cannot fail, as
/// [`MemoryStore`] cannot, and a [`CacheError`](crate::store::CacheError) otherwise.
///
/// ```
/// use shapley::{Cached, Index, from_fn};
///
/// let game = Cached::new(from_fn(10, |s| (s.len() as f64).sqrt())); // a minute each
/// let phi = shapley::exact(&game)?;
/// let pairs = shapley::interactions(&game, Index::Shapley, 2)?;
/// assert_eq!(game.stats().misses, 1024); // the second answer cost nothing
/// # Ok::<(), shapley::Error>(())
/// ```
///
/// # What is asked when
///
/// A batch is looked up in the store as a whole; what the store does not have is evaluated in one batch of the inner
/// game, and stored when that returns. If the batch fails half way, the values that it gave before are stored; if it
/// panics, none. What comes of it:
///
/// * **Single flight.** Of several threads that want one coalition at the same time, one evaluates it, and the others
///   wait for it. If that fails or panics, nothing is remembered of it, and one of those who wait tries again. Threads
///   share one `Cached` for this: two over one store share its values, and not what is being evaluated.
/// * **A walk goes prefix by prefix**: each prefix that is not in the store is evaluated in a batch of its own, by the
///   inner game's [`try_values`](TryGame::try_values), and stored at once. A coalition has one value, whatever way led
///   to it, so that results do not depend on what was in the store; the price is that the inner game's own
///   [`try_walk`](TryGame::try_walk) is not used.
/// * A value that is not finite is handed on, and not remembered: it is an error of every solver.
///
/// With slow games and a store that outlives the process, mind the batch: what is in a batch that has not returned is
/// lost with the process. [`Exact::batch(1)`](crate::Exact::batch) hands every value to the store as it comes; samplers
/// walk, and do so by themselves.
///
/// The budget of a sampler counts what it asks for, here as everywhere; [`stats`](Self::stats) says what was paid.
///
/// # Is it the same game?
///
/// A coalition is numbers of players, and two games can be of the same size. So a store that has values already, and no
/// fingerprint of its game, is checked once: before the first look into it, the game is asked again for one coalition
/// that the store has, v(N) if it is there. (A store of your own gives one by [`Store::example`]; unless that is
/// overridden, v(N) or v(∅), and a store without both is believed.) If the values differ, nothing of the store is used,
/// and nothing is added to it: the solver returns [`Error::Mismatch`](crate::Error::Mismatch) with both values, and who
/// asks the cache itself gets the game's own values, which are remembered apart. Games that agree on that coalition are
/// not told apart, nor are two that fill one store at the same time. A game that asks its own cache gets nothing from
/// the store while it is checked: all that v(N) needs is evaluated.
///
/// # Games that ask their own cache
///
/// A game may ask the cache that it is in for other coalitions while it is evaluated, in the same thread. No lock is
/// held meanwhile, and no thread waits for what waits for it: where it would, it evaluates the coalition once more.
/// That can happen to coalitions of one batch, so such a game is best asked one by one (`batch(1)`).
///
/// Threads that a game starts itself must not ask its cache for coalitions of the batch under evaluation: they would
/// wait for the game, and the game for them. For the same reason a game that works in parallel by rayon must have a
/// thread pool of its own (`pool.install`), or be solved with [`threads(1)`](crate::Exact::threads) on a thread that is
/// not of rayon's: rayon can hand a thread that waits for a part of one evaluation another part of the solver's work,
/// and all wait for ever.
///
/// # Panics
///
/// Where a panic of the game or the store passes through; and if a store's `get_many` answers with another number than
/// it was asked for.
///
/// # Cost
///
/// For each coalition a look into the store, and for each miss an entry in the table of what is in flight:
/// `docs/benchmarks.md` has figures.
pub struct Cached<G: TryGame, S> {
    pub(super) game: G,
    pub(super) store: S,
    pub(super) flights: Flights<G::Value>,
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) same_game: SameGame<G::Value>,
}

/// What a cache was asked and what it paid: see [`Cached::stats`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Values that were there already, or that another thread was evaluating.
    pub hits: u64,
    /// Evaluations of the inner game. Of a batch that panics, all count; of one that fails, those that gave a value,
    /// and one: a game that evaluates a batch as a whole may have done more.
    pub misses: u64,
    /// Values that the store remembers now, from earlier runs too.
    pub entries: u64,
    /// Values that the store forgot to make room for others.
    pub evictions: u64,
}

/// What [`Cached`] and its inner game fail with.
pub(super) type ErrorOf<G, S> =
    <<S as Store<<G as TryGame>::Value>>::Error as StoreFailure>::With<<G as TryGame>::Error>;

impl<G: TryGame> Cached<G, MemoryStore<G::Value>> {
    /// Remembers in memory, without a limit.
    ///
    /// Takes the game, or a reference to one that cannot fail. For a reference to one that can there is
    /// [`TryGame::by_ref`]: `Cached::new(game.by_ref())`; for a trait object,
    /// [`ByRef::new`](crate::games::ByRef::new).
    #[must_use]
    pub fn new(game: G) -> Self {
        Self::with_store(game, MemoryStore::unbounded())
    }
}

impl<G: TryGame, S: Store<G::Value>> Cached<G, S> {
    /// Remembers in a store, which may hold values of this game already. One that is needed elsewhere too can be given
    /// as a reference or an `Arc`.
    ///
    /// A store that has values is [checked](Self#is-it-the-same-game) before the first of them is used, at the cost of
    /// one evaluation. A new one costs nothing, nor does one that knows its game by a fingerprint, as `DiskStore` does.
    #[must_use]
    pub fn with_store(game: G, store: S) -> Self {
        let (hits, misses) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { game, store, flights: Flights::new(), hits, misses, same_game: SameGame::unknown() }
    }

    /// Remembers in a store with values that are known to be this game's.
    #[cfg(feature = "surrogate")]
    pub(crate) fn with_own_values(game: G, store: S) -> Self {
        let cached = Self::with_store(game, store);
        cached.same_game.believe();
        cached
    }

    /// What was asked and paid so far. While other threads are at work the numbers may be of slightly different
    /// moments.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            entries: self.store.len(),
            evictions: self.store.evictions(),
        }
    }

    /// The inner game. What is asked of it directly is not remembered.
    #[must_use]
    pub fn game(&self) -> &G {
        &self.game
    }

    /// The store, for what only it can do: to flush a file, say.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The game and the store.
    #[must_use]
    pub fn into_parts(self) -> (G, S) {
        (self.game, self.store)
    }

    /// Appends the values of `coalitions`.
    fn resolve(&self, coalitions: &[Coalition], values: &mut Vec<G::Value>, how: Asked) -> Result<(), ErrorOf<G, S>> {
        let landed = self.flights.landed();
        let mut found = Vec::with_capacity(coalitions.len());
        self.look_up(coalitions, &mut found)?;
        let missing = nowhere_in(&found);
        let mut request = Request { coalitions, how, found, landed, end: None };
        let batch = if how == Asked::Together { usize::MAX } else { 1 };
        for at_once in missing.chunks(batch) {
            self.settle(&mut request, at_once.to_vec())?;
            if request.end.is_some() {
                break;
            }
        }
        let found = request.found;
        match request.end {
            None => values.extend(found.into_iter().flatten()),
            Some(End::Failed(number, error)) => {
                values.extend(found.into_iter().take(number).flatten());
                return Err(S::Error::of_game(error));
            }
            Some(End::Odd { asked, got }) => odd_answer(coalitions.len() - asked, &got, &found, values),
        }
        Ok(())
    }

    /// Finds the values of the coalitions with these numbers, evaluated here or elsewhere.
    fn settle(&self, request: &mut Request<'_, G>, mut missing: Vec<usize>) -> Result<(), ErrorOf<G, S>> {
        while !missing.is_empty() {
            let claim = self.flights.claim(request.coalitions, &missing);
            if let Some(own) = claim.own {
                self.fly(own, request)?;
            }
            for (number, wait) in claim.others {
                if !request.wants(number) {
                    continue;
                }
                match wait.wait() {
                    Landed::Failed => {} // it is still missing, so it is tried again
                    Landed::Value(value) => {
                        self.hits.fetch_add(1, Ordering::Relaxed);
                        request.found[number] = Some(value);
                    }
                    Landed::Circle => {
                        let Answer { mut values, failed, kept } =
                            self.evaluate(&request.coalitions[number..=number], request.how);
                        kept.map_err(StoreFailure::of_store)?;
                        if failed.is_none() && values.len() != 1 {
                            request.end = Some(End::Odd { asked: 1, got: values });
                            break;
                        }
                        request.found[number] = values.pop();
                        request.end = failed.map(|error| End::Failed(number, error)).or(request.end.take());
                    }
                }
            }
            missing.retain(|&number| request.wants(number) && request.found[number].is_none());
        }
        Ok(())
    }

    /// Appends what the store has, and counts it.
    fn look_up(&self, coalitions: &[Coalition], found: &mut Vec<Option<G::Value>>) -> Result<(), ErrorOf<G, S>> {
        self.store.get_many(coalitions, found).map_err(StoreFailure::of_store)?;
        assert_eq!(found.len(), coalitions.len(), "a store's get_many answers for each coalition");
        let hits = found.iter().flatten().count();
        self.hits.fetch_add(hits as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Evaluates what this thread has claimed, unless the store has it by now; keeps the values, and lands.
    fn fly(&self, own: OwnFlight<'_, G::Value>, request: &mut Request<'_, G>) -> Result<(), ErrorOf<G, S>> {
        let claimed = only(request.coalitions, &own.numbers);
        let mut values = Vec::with_capacity(claimed.len());
        if self.flights.landed() == request.landed {
            values.resize(claimed.len(), None);
        } else {
            self.look_up(&claimed, &mut values)?;
        }
        let missing = nowhere_in(&values);
        let mut kept = Ok(());
        if !missing.is_empty() {
            let answer = self.evaluate(&only(&claimed, &missing), request.how);
            if answer.failed.is_none() && answer.values.len() != missing.len() {
                request.end = Some(End::Odd { asked: missing.len(), got: answer.values });
                return Ok(());
            }
            let failed = answer.failed.map(|error| End::Failed(own.numbers[missing[answer.values.len()]], error));
            request.end = failed.or(request.end.take());
            kept = answer.kept;
            for (&index, value) in missing.iter().zip(answer.values) {
                values[index] = Some(value);
            }
        }
        let numbers = own.numbers.clone();
        own.land(&values);
        request.landed = request.landed.wrapping_add(1);
        for (number, value) in numbers.into_iter().zip(values) {
            request.found[number] = value;
        }
        kept.map_err(StoreFailure::of_store)
    }

    /// Evaluates coalitions and keeps their values. If the game failed, there are values for those before the one that
    /// failed.
    fn evaluate(&self, coalitions: &[Coalition], how: Asked) -> Answer<G, S::Error> {
        // Counted before, so that a panic is.
        self.misses.fetch_add(coalitions.len() as u64, Ordering::Relaxed);
        let mut values = Vec::with_capacity(coalitions.len());
        // What is asked for in a batch is so of the game, even if one coalition is left: a solver can then refuse a
        // wrong answer.
        let answer = match coalitions {
            [coalition] if how == Asked::Alone => self.game.try_value(coalition).map(|value| values.push(value)),
            _ => self.game.try_values(coalitions, &mut values),
        };
        let failed = answer.err();
        if failed.is_some() {
            if values.len() >= coalitions.len() {
                values.clear(); // values for all and an error: which of them are good?
            }
            self.misses.fetch_sub((coalitions.len() - values.len() - 1) as u64, Ordering::Relaxed);
        } else if values.len() != coalitions.len() {
            return Answer { values, failed, kept: Ok(()) };
        }
        let coalitions = &coalitions[..values.len()];
        let kept = if values.iter().all(Value::is_finite) {
            self.store.insert_many(coalitions, &values)
        } else {
            let finite = coalitions.iter().zip(&values).filter(|(_, value)| value.is_finite());
            let (coalitions, values): (Vec<_>, Vec<_>) = finite.map(|(s, value)| (s.clone(), value.clone())).unzip();
            self.store.insert_many(&coalitions, &values)
        };
        Answer { values, failed, kept }
    }
}

/// By which method of [`TryGame`] the cache was asked: it asks its game by the same, but for walks.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    /// By `try_value`.
    Alone,
    /// By `try_values`.
    Together,
    /// By `try_walk`: each coalition in a batch of its own.
    OneByOne,
}

/// A batch of coalitions, and what is known of it.
struct Request<'a, G: TryGame> {
    coalitions: &'a [Coalition],
    how: Asked,
    found: Vec<Option<G::Value>>,
    /// The number of flights that had landed when the store was asked, and of this request's own since.
    landed: u64,
    end: Option<End<G>>,
}

/// Why a batch has no whole answer.
enum End<G: TryGame> {
    /// The game failed at the coalition of this number. Those before it are wanted still.
    Failed(usize, G::Error),
    /// The game gave another number of values than it was asked for.
    Odd { asked: usize, got: Vec<G::Value> },
}

impl<G: TryGame> Request<'_, G> {
    fn wants(&self, number: usize) -> bool {
        match self.end {
            None => true,
            Some(End::Failed(failed, _)) => number < failed,
            Some(End::Odd { .. }) => false,
        }
    }
}

/// What the inner game answered, and whether the store kept it.
struct Answer<G: TryGame, S> {
    values: Vec<G::Value>,
    failed: Option<G::Error>,
    kept: Result<(), S>,
}

/// The coalitions with these ascending numbers.
fn only<'a>(coalitions: &'a [Coalition], numbers: &[usize]) -> Cow<'a, [Coalition]> {
    match numbers {
        _ if numbers.len() == coalitions.len() => Cow::Borrowed(coalitions),
        &[number] => Cow::Borrowed(&coalitions[number..=number]),
        _ => numbers.iter().map(|&number| coalitions[number].clone()).collect(),
    }
}

/// The numbers of those that are not there.
fn nowhere_in<V>(found: &[Option<V>]) -> Vec<usize> {
    (0..found.len()).filter(|&number| found[number].is_none()).collect()
}

/// Where the inner game gave a wrong number of values, nobody knows which is whose. As many are appended as make the
/// whole answer wrong by the same number, so that the solver sees it.
fn odd_answer<V: Value>(others: usize, got: &[V], found: &[Option<V>], values: &mut Vec<V>) {
    let len = others + got.len();
    values.extend(got.iter().chain(found.iter().flatten()).cycle().take(len).cloned());
}

impl<G: TryGame, S: Store<G::Value>> TryGame for Cached<G, S> {
    type Value = G::Value;
    type Error = ErrorOf<G, S>;

    fn num_players(&self) -> usize {
        self.game.num_players()
    }

    fn try_value(&self, coalition: &Coalition) -> Result<G::Value, Self::Error> {
        let (mut values, coalitions) = (Vec::with_capacity(1), std::slice::from_ref(coalition));
        match self.answerer()? {
            Answerer::Store => {
                if let Some(value) = self.store.get(coalition).map_err(StoreFailure::of_store)? {
                    self.hits.fetch_add(1, Ordering::Relaxed);
                    return Ok(value);
                }
                self.resolve(coalitions, &mut values, Asked::Alone)?;
            }
            other => self.without_store(other, coalitions, &mut values)?,
        }
        Ok(values.pop().expect("one coalition has one value, or an error"))
    }

    fn try_values(&self, coalitions: &[Coalition], values: &mut Vec<G::Value>) -> Result<(), Self::Error> {
        match self.answerer()? {
            Answerer::Store => self.resolve(coalitions, values, Asked::Together),
            other => self.without_store(other, coalitions, values),
        }
    }

    fn try_walk(&self, order: &[usize], values: &mut Vec<G::Value>) -> Result<(), Self::Error> {
        let answerer = self.answerer()?;
        prefix_batches(self.num_players(), order).try_for_each(|prefixes| match answerer {
            Answerer::Store => self.resolve(&prefixes, values, Asked::OneByOne),
            other => self.without_store(other, &prefixes, values),
        })
    }

    /// All values, once the store in memory has every one of them: each counts as a hit.
    fn tabulated(&self) -> Option<&[G::Value]> {
        // A failure comes again when coalitions are asked for.
        let all =
            self.store.tabulated(self.num_players()).filter(|_| matches!(self.answerer(), Ok(Answerer::Store)))?;
        self.hits.fetch_add(all.len() as u64, Ordering::Relaxed);
        Some(all)
    }

    fn other_game(&self) -> Option<&[String; 2]> {
        self.same_game.differ().or_else(|| self.game.other_game())
    }
}

impl<G: TryGame, S: Store<G::Value>> fmt::Debug for Cached<G, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let players = self.num_players();
        f.debug_struct("Cached").field("num_players", &players).field("stats", &self.stats()).finish_non_exhaustive()
    }
}
