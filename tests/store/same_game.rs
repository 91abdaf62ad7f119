//! One store, two games: what one paid for is not taken for the other's.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::common::failing::Failure;
use crate::common::rough::rough;
use shapley::games::{Counted, Dual, Scaled};
use shapley::store::Store;
use shapley::{
    Cached, Coalition, Error, Exact, Game, MemoryStore, Permutation, TryGame, Value, exact, from_fn, try_from_fn,
};

const N: usize = 8;

fn game(seed: u64) -> impl Game<Value = f64> {
    from_fn(N, move |s| rough(seed, s))
}

/// Refused, with the value of a coalition by the game and by the store.
#[track_caller]
fn assert_refused<T: std::fmt::Debug, E: std::error::Error>(result: Result<T, Error<E>>, coalition: &Coalition) {
    match result {
        Err(Error::Mismatch { what: "the game of the store, which must have a store of its own,", ours, theirs }) => {
            let name = if coalition.is_grand() { "N".to_owned() } else { coalition.to_string() };
            let shown = |seed| format!("v({name}) = {}", rough(seed, coalition));
            assert_eq!((ours, theirs), (shown(2), shown(1)));
        }
        other => panic!("{other:?}"),
    }
}

fn assert_refused_by_every_solver<S: Store<f64, Error = Infallible>>(store: &S, coalition: &Coalition) {
    let len = store.len();
    let evaluations = AtomicU64::new(0);
    let other = from_fn(N, |s| {
        evaluations.fetch_add(1, Ordering::SeqCst);
        rough(2, s)
    });
    let cached = || Cached::with_store(&other, store);
    for threads in [1, 3] {
        assert_refused(Exact::new().threads(threads).solve(&cached()), coalition);
        assert_refused(Permutation::new(500).threads(threads).estimate(&cached()), coalition);
        assert_refused(Permutation::new(500).threads(threads).batch(7).estimate(&cached()), coalition);
        assert_refused(Permutation::new(500).truncate(0.1).estimate(&cached()), coalition);
    }
    assert_refused(shapley::banzhaf(&cached()), coalition);
    assert_refused(Exact::new().part(1, 2).run(&cached()), coalition);
    assert_refused(Permutation::new(500).part(1, 2).run(&cached()), coalition);
    assert_refused(shapley::Table::tabulate(&cached()), coalition);
    // Through games that are made of it.
    assert_refused(exact(&cached().by_ref()), coalition);
    assert_refused(exact(&Cached::new(cached())), coalition);
    assert_refused(exact(&Counted::new(Scaled::new(Dual::new(cached()), 2, 1).unwrap())), coalition);
    #[cfg(feature = "surrogate")]
    {
        assert_refused(shapley::Surrogate::new(60).estimate(&cached()), coalition);
        assert_refused(shapley::KernelShap::new(60).estimate(&cached()), coalition);
    }
    // The first call found out, and nothing else was paid for than what that call asked.
    let spent = evaluations.swap(0, Ordering::SeqCst);
    let cached = cached();
    assert_refused(Permutation::new(500).estimate(&cached), coalition);
    let paid = if coalition.is_grand() || coalition.is_empty() { 2 } else { 3 };
    assert_eq!((evaluations.load(Ordering::SeqCst), cached.stats().misses), (paid, paid), "after {spent}");
    assert_eq!(store.len(), len, "nothing is added");
}

#[test]
fn another_game_is_refused() {
    let grand = Coalition::grand(N);
    let store = MemoryStore::unbounded();
    let _ = exact(&Cached::with_store(game(1), &store)).unwrap();
    assert_refused_by_every_solver(&store, &grand);
    assert_refused_by_every_solver(&Arc::new(store), &grand);
    let store = MemoryStore::bounded(50);
    let _ = Permutation::new(100).estimate(&Cached::with_store(game(1), &store)).unwrap();
    let any = store.example(N).unwrap().expect("it has values").0;
    assert_refused_by_every_solver(&store, &any);
    // Values that a user put there.
    for players in [[0, 3], [2, 7]] {
        let store = MemoryStore::unbounded();
        let coalition = Coalition::from_players(N, players);
        store.insert(&coalition, &rough(1, &coalition)).unwrap();
        assert_refused_by_every_solver(&store, &coalition);
    }
}

#[test]
fn who_asks_the_cache_of_another_game_gets_the_values_of_the_game() {
    let store = MemoryStore::unbounded();
    let _ = exact(&Cached::with_store(game(1), &store)).unwrap();
    let cached = Cached::with_store(game(2), &store);
    let set = Coalition::from_players(N, [1, 4]);
    assert_eq!(cached.try_value(&set), Ok(rough(2, &set)));
    let (mut values, order) = (Vec::new(), [3, 0, 5]);
    cached.try_values(&[set.clone(), Coalition::grand(N)], &mut values).unwrap();
    cached.try_walk(&order, &mut values).unwrap();
    let prefix = |len: usize| rough(2, &Coalition::from_players(N, order[..len].iter().copied()));
    assert_eq!(values, [rough(2, &set), rough(2, &Coalition::grand(N)), prefix(1), prefix(2), prefix(3)]);
    // v(N) for the check, and each of the others once.
    assert_eq!((cached.stats().hits, cached.stats().misses), (2, 1 + 1 + 3));
    // The store is the first game's, as it was.
    let first = Cached::with_store(game(1), &store);
    assert_eq!(exact(&first).unwrap(), exact(&game(1)).unwrap());
}

/// One evaluation, by one thread; of a new store none, and none where the values are of games of another size.
#[test]
fn the_check_costs_one_evaluation() {
    let slow = from_fn(N, |s| {
        std::thread::sleep(Duration::from_millis(1));
        rough(1, s)
    });
    for threads in [1, 2, 8] {
        let store = MemoryStore::unbounded();
        let first = Cached::with_store(&slow, &store);
        let expected = Exact::new().threads(threads).batch(1).solve(&first).unwrap();
        assert_eq!((first.stats().hits, first.stats().misses), (0, 1 << N));
        let second = Cached::with_store(&slow, &store);
        assert_eq!(Exact::new().threads(threads).batch(1).solve(&second).unwrap(), expected);
        let sampled = Permutation::new(800).threads(threads).estimate(&second).unwrap();
        assert_eq!(sampled, Permutation::new(800).estimate(&game(1)).unwrap());
        assert_eq!(second.stats().misses, 1, "{threads} threads");

        let smaller = from_fn(N - 1, |s| rough(3, s));
        let third = Cached::with_store(&smaller, &store);
        assert_eq!(exact(&third).unwrap(), exact(&smaller).unwrap());
        assert_eq!(third.stats().misses, 1 << (N - 1));
    }
}

/// In every kind of place that a store in memory has for a value.
#[test]
fn any_value_tells() {
    for n in [1, 3, 20, 25, 40, 64, 65, 128, 129, 1000] {
        for coalition in
            [Coalition::empty(n), Coalition::from_players(n, [n / 2]), Coalition::from_players(n, n / 2..n)]
        {
            for store in [MemoryStore::unbounded(), MemoryStore::bounded(10)] {
                assert_eq!(store.example(n), Ok(None));
                store.insert(&coalition, &0.5).unwrap();
                assert_eq!(store.example(n), Ok(Some((coalition.clone(), 0.5))));
                assert_eq!(store.example(n + 1), Ok(None));
                let asked = Cached::with_store(from_fn(n, |_| 0.25), &store);
                assert!(matches!(Permutation::new(4 * n as u64).estimate(&asked), Err(Error::Mismatch { .. })), "{n}");
            }
        }
    }
}

/// A store that knows its game: it is believed.
struct Known(MemoryStore<f64>);

impl Store<f64> for Known {
    type Error = Infallible;

    fn get(&self, coalition: &Coalition) -> Result<Option<f64>, Infallible> {
        self.0.get(coalition)
    }

    fn insert(&self, coalition: &Coalition, value: &f64) -> Result<(), Infallible> {
        self.0.insert(coalition, value)
    }

    fn len(&self) -> u64 {
        self.0.len()
    }

    fn fingerprint(&self) -> Option<&str> {
        Some("game 1")
    }
}

#[test]
fn a_store_with_a_fingerprint_is_believed() {
    let store = Known(MemoryStore::unbounded());
    let _ = exact(&Cached::with_store(game(1), &store)).unwrap();
    let panicking = from_fn(N, |_| -> f64 { panic!("asked") });
    assert_eq!(exact(&Cached::with_store(&panicking, &store)).unwrap(), exact(&game(1)).unwrap());
}

/// A game that fails when it is asked for the check fails as it would anywhere, and the check comes again.
#[test]
fn a_check_that_fails_is_made_again() {
    let store = MemoryStore::unbounded();
    let _ = Permutation::new(100).estimate(&Cached::with_store(game(1), &store)).unwrap();
    let known = store.len();
    let is_down = AtomicBool::new(true);
    let unsteady = try_from_fn(N, |s| match is_down.swap(false, Ordering::SeqCst) {
        true => Err(Failure(7)),
        false => Ok(rough(1, s)),
    });
    let cached = Cached::with_store(unsteady.by_ref(), &store);
    assert!(matches!(exact(&cached), Err(Error::Game { source: Failure(7), .. })));
    assert_eq!(exact(&cached).unwrap().values(), exact(&game(1)).unwrap().values());
    // The check twice, and what the store did not have.
    assert_eq!(cached.stats().misses, 2 + (1 << N) - known);
}

#[test]
fn values_of_every_type_are_compared() {
    fn differ<V: Value>(one: V, other: V) {
        let store = MemoryStore::unbounded();
        let _ = exact(&Cached::with_store(from_fn(2, |_| one.clone()), &store)).unwrap();
        assert!(exact(&Cached::with_store(from_fn(2, |_| one.clone()), &store)).is_ok());
        let result = exact(&Cached::with_store(from_fn(2, |_| other.clone()), &store));
        assert!(matches!(result, Err(Error::Mismatch { .. })), "{result:?}");
    }
    differ(1.0, 1.0 + f64::EPSILON);
    differ(1.0_f32, 2.0);
    differ([1.0, 2.0], [1.0, 3.0]);
    #[cfg(feature = "rational")]
    differ(num_rational::Ratio::new(1_i64, 3), num_rational::Ratio::new(1, 4));
}
