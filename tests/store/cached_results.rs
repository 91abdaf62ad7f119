//! Results through a cache: the bits that the game gives without one, whatever is known before; errors of games and of
//! stores; and all that can be cached, or be a store.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::common::estimates::assert_same;
use crate::common::failing::Failure;
use crate::common::masks::mask_of;
use crate::common::rough::rough;
use crate::crowd::{Counts, Crowd, at_once, must_end, worth};
use shapley::store::{CacheError, CacheStats, Store, StoreError};
use shapley::{
    Cached, Coalition, Error, Exact, Game, Index, MemoryStore, Permutation, TryGame, exact, from_fn, try_from_fn,
};

const N: usize = 8;
const THREADS: [usize; 4] = [1, 2, 3, 4];

/// A game whose values lie apart by orders of magnitude, so that nothing is the same by chance.
fn game() -> impl Game<Value = f64> {
    from_fn(N, |s| rough(5, s))
}

/// Stores in all states: new, with some values, with all; without a limit and with limits that are far too small.
fn stores() -> Vec<(&'static str, MemoryStore<f64>)> {
    let filled = |store: MemoryStore<f64>, part: u64| {
        for mask in (0..1 << N).filter(|mask| mask * 7 % 10 < part) {
            let coalition = Coalition::from_mask(N, mask);
            store.insert(&coalition, &game().value(&coalition)).unwrap();
        }
        store
    };
    vec![
        ("cold", MemoryStore::unbounded()),
        ("half warm", filled(MemoryStore::unbounded(), 5)),
        ("nearly warm", filled(MemoryStore::unbounded(), 9)),
        ("warm", filled(MemoryStore::unbounded(), 10)),
        ("ten", MemoryStore::bounded(10)),
        ("ten, full", filled(MemoryStore::bounded(10), 10)),
        ("none", MemoryStore::bounded(0)),
    ]
}

fn bits<'a>(values: impl IntoIterator<Item = &'a f64>) -> Vec<u64> {
    values.into_iter().map(|value| value.to_bits()).collect()
}

#[test]
fn exact_results_have_the_bits_of_the_game() {
    for threads in THREADS {
        for batch in [0, 1, 64] {
            let solver = || Exact::new().threads(threads).batch(batch);
            for (state, store) in stores() {
                let cached = Cached::with_store(game(), store);
                let how = format!("{state}, {threads} threads, batches of {batch}");
                for _ in 0..2 {
                    assert_eq!(
                        bits(solver().solve(&cached).unwrap().values()),
                        bits(exact(&game()).unwrap().values()),
                        "{how}"
                    );
                }
                let banzhaf = shapley::banzhaf(&game()).unwrap();
                assert_eq!(bits(shapley::banzhaf(&cached).unwrap().values()), bits(banzhaf.values()), "{how}");
                let pairs = |game: &dyn TryGame<Value = f64, Error = std::convert::Infallible>| {
                    bits(solver().interactions(game, Index::Shapley, 2).unwrap().iter().map(|(_, value)| value))
                };
                assert_eq!(pairs(&cached), pairs(&game()), "{how}");
                assert_eq!(
                    bits(solver().tabulate(&cached).unwrap().values()),
                    bits(shapley::Table::tabulate(&game()).unwrap().values())
                );
            }
        }
    }
}

#[test]
fn estimates_are_the_same_in_all_that_they_say() {
    for threads in THREADS {
        for batch in [0, 1, 20] {
            for sampler in [
                Permutation::new(3000),
                Permutation::new(3000).antithetic(false).seed(9),
                Permutation::new(3000).truncate(50.0).seed(2),
                Permutation::new(100_000).precision(60.0),
            ] {
                let sampler = sampler.threads(threads).batch(batch);
                let expected = sampler.estimate(&game()).unwrap();
                for (state, store) in stores() {
                    let cached = Cached::with_store(game(), store);
                    let estimate = sampler.estimate(&cached).unwrap();
                    assert_same(&estimate, &expected, state);
                    // What is asked for is counted, and not what is paid.
                    assert_eq!(estimate.evaluations(), expected.evaluations());
                    assert_eq!((estimate.saved(), estimate.stopped()), (expected.saved(), expected.stopped()));
                    let stats = cached.stats();
                    // A store that has values is checked by one evaluation.
                    let check = u64::from(!["cold", "ten", "none"].contains(&state));
                    assert_eq!(stats.hits + stats.misses, estimate.evaluations() + check, "{state}");
                    assert!(state != "warm" || stats.misses == 1);
                }
            }
        }
    }
}

#[test]
fn a_game_in_memory_fails_with_its_own_error() {
    let cached = Cached::new(try_from_fn(4, |s| if s.len() == 3 { Err(Failure(mask_of(s))) } else { Ok(1.0) }));
    let error: Error<Failure> = exact(&cached).unwrap_err();
    assert!(matches!(&error, Error::Game { coalition, source: Failure(7) } if mask_of(coalition) == 7));
    assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&Failure(7)));
    // A game that cannot fail has no error to handle.
    let Ok(value) = Cached::new(game()).try_value(&Coalition::grand(N));
    assert_eq!(value.to_bits(), rough(5, &Coalition::grand(N)).to_bits());
}

/// A store that fails at one of its calls: a look for one value, for many, or to keep.
struct Failing {
    values: MemoryStore<f64>,
    at: &'static str,
    left: AtomicU32,
}

impl Failing {
    fn new(at: &'static str, left: u32) -> Self {
        Self { values: MemoryStore::unbounded(), at, left: AtomicU32::new(left) }
    }

    fn call(&self, at: &str) -> Result<&MemoryStore<f64>, io::Error> {
        let fails = at == self.at && self.left.fetch_sub(1, Ordering::Relaxed) == 0;
        if fails { Err(io::Error::new(io::ErrorKind::StorageFull, format!("{at}: no room"))) } else { Ok(&self.values) }
    }
}

impl Store<f64> for Failing {
    type Error = StoreError<io::Error>;

    fn get(&self, coalition: &Coalition) -> Result<Option<f64>, Self::Error> {
        self.call("get")?.get(coalition).map_err(|never| match never {})
    }

    fn insert(&self, coalition: &Coalition, value: &f64) -> Result<(), Self::Error> {
        self.call("insert")?.insert(coalition, value).map_err(|never| match never {})
    }

    fn get_many(&self, coalitions: &[Coalition], values: &mut Vec<Option<f64>>) -> Result<(), Self::Error> {
        let store = self.call("get_many")?;
        values.push(None); // what is appended before a failure is not looked at
        self.call("then")?;
        values.pop();
        store.get_many(coalitions, values).map_err(|never| match never {})
    }

    fn insert_many(&self, coalitions: &[Coalition], values: &[f64]) -> Result<(), Self::Error> {
        self.call("insert_many")?.insert_many(coalitions, values).map_err(|never| match never {})
    }

    fn len(&self) -> u64 {
        self.values.len()
    }
}

#[test]
fn a_failing_store_says_so_with_its_reasons() {
    for (at, left) in [("get_many", 0), ("get_many", 3), ("then", 2), ("insert_many", 0), ("insert_many", 3)] {
        for threads in THREADS {
            let cached = Cached::with_store(game(), Failing::new(at, left));
            let error: Error<CacheError<std::convert::Infallible, io::Error>> =
                Exact::new().threads(threads).batch(16).solve(&cached).unwrap_err();
            assert!(error.to_string().starts_with("the game failed at coalition {"), "{error}");
            let Error::Game { source, .. } = &error else { panic!("{error:?}") };
            assert_eq!(source.to_string(), "the store of its values failed");
            assert!(matches!(source, CacheError::Store(reason) if reason.kind() == io::ErrorKind::StorageFull));
            let reason = error.source().and_then(StdError::source).expect("a reason");
            assert!(reason.downcast_ref::<io::Error>().is_some() && reason.source().is_none(), "{reason:?}");
            assert_eq!(reason.to_string(), format!("{at}: no room"));
            // It failed once. What was kept before it is there, and the answer can be had.
            let phi = Exact::new().threads(threads).batch(16).solve(&cached).unwrap();
            assert_eq!(bits(phi.values()), bits(exact(&game()).unwrap().values()));
        }
    }
    let cached = Cached::with_store(game(), Failing::new("get", 0));
    let answer = cached.try_value(&Coalition::grand(N));
    assert!(matches!(answer, Err(CacheError::Store(reason)) if reason.to_string() == "get: no room"));
    assert_eq!((cached.stats().hits, cached.stats().misses), (0, 0));
}

#[test]
fn a_failing_game_over_a_store_that_can_fail_is_the_games_failure() {
    let fails = try_from_fn(4, |s| if s.len() == 3 { Err(Failure(mask_of(s))) } else { Ok(1.0) });
    let cached = Cached::with_store(fails, Failing::new("never", 0));
    let error = exact(&cached).unwrap_err();
    assert!(matches!(&error, Error::Game { source: CacheError::Game(Failure(7)), .. }));
    // It speaks for the game, and adds no link to the chain of its own.
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("no connection for 7"));
    assert!(error.source().is_some_and(|source| source.source().is_none()));
}

#[test]
fn a_value_that_the_store_cannot_keep_is_paid_and_goes_to_those_who_wait() {
    must_end("waiting for a store that fails", || {
        let (counts, crowd) = (Counts::new(N), Crowd::new(8));
        let paid = from_fn(N, |s| {
            crowd.gather();
            counts.add(mask_of(s));
            worth(mask_of(s))
        });
        let cached = Cached::with_store(paid, Failing::new("insert_many", 0));
        let answers = at_once(8, |_| {
            crowd.arrive();
            cached.try_value(&Coalition::grand(N))
        });
        let failed = answers.iter().filter(|answer| answer.is_err()).count();
        assert_eq!(failed, 1, "who paid is told");
        assert!(answers.into_iter().flatten().all(|value| value.to_bits() == worth((1 << N) - 1).to_bits()));
        // Whoever comes after it was lost pays again.
        assert!(counts.sum() <= 2);
    });
}

#[test]
fn whatever_is_a_game_can_be_cached() {
    let expected = exact(&game()).unwrap();
    let by_value = Cached::new(game());
    let plain = game();
    let by_reference = Cached::new(&plain);
    let boxed: Box<dyn Game<Value = f64>> = Box::new(game());
    let boxed = Cached::new(boxed);
    let shared: Arc<dyn Game<Value = f64> + Send> = Arc::new(game());
    let shared = Cached::new(shared);
    let twice = Cached::new(Cached::with_store(game(), MemoryStore::bounded(20)));
    let fallible: Box<dyn TryGame<Value = f64, Error = Failure>> = Box::new(try_from_fn(N, |s| Ok(rough(5, s))));
    let through = Cached::new(shapley::games::ByRef::new(&*fallible));
    for phi in [
        exact(&by_value),
        exact(&by_reference),
        exact(&boxed),
        exact(&shared),
        exact(&twice),
        exact(&by_value.by_ref()),
    ] {
        assert_eq!(bits(phi.unwrap().values()), bits(expected.values()));
    }
    assert_eq!(bits(exact(&through).unwrap().values()), bits(expected.values()));
    let dynamic: &dyn TryGame<Value = f64, Error = std::convert::Infallible> = &by_value;
    assert_eq!(bits(exact(dynamic).unwrap().values()), bits(expected.values()));
    assert_eq!((twice.stats().misses, twice.game().stats().misses), (1 << N, 1 << N));
}

#[test]
fn a_store_can_be_shared_by_caches_of_one_game() {
    let evaluations = AtomicU64::new(0);
    let game = from_fn(N, |s| {
        evaluations.fetch_add(1, Ordering::Relaxed);
        rough(5, s)
    });
    let shared = Arc::new(MemoryStore::unbounded());
    let (first, second) = (Cached::with_store(&game, shared.clone()), Cached::with_store(&game, shared.clone()));
    let third = Cached::with_store(&game, &*shared);
    let dynamic: &dyn Store<f64, Error = std::convert::Infallible> = &*shared;
    let fourth = Cached::with_store(&game, dynamic);
    let expected = exact(&first).unwrap();
    for phi in [exact(&second), exact(&third), exact(&fourth)] {
        assert_eq!(bits(phi.unwrap().values()), bits(expected.values()));
    }
    // Each but the first checks by one evaluation whether the values are its game's.
    assert_eq!((evaluations.load(Ordering::Relaxed), second.stats().hits, second.stats().misses), (259, 1 << N, 1));
    assert_eq!([first.stats(), second.stats(), third.stats(), fourth.stats()].map(|stats| stats.entries), [1 << N; 4]);
}

#[test]
fn values_of_several_outputs_are_cached_whole() {
    let game = from_fn(N, |s| [rough(1, s), rough(2, s), rough(3, s)]);
    let cached = Cached::new(&game);
    for _ in 0..2 {
        let phi = exact(&cached).unwrap();
        assert!(
            phi.iter().flatten().map(|x| x.to_bits()).eq(exact(&game).unwrap().iter().flatten().map(|x| x.to_bits()))
        );
    }
    let sampler = Permutation::new(500);
    assert_eq!(sampler.estimate(&cached).unwrap(), sampler.estimate(&game).unwrap());
    assert_eq!(cached.stats().misses, 1 << N);
}

#[cfg(feature = "rational")]
#[test]
fn exact_fractions_are_cached_too() {
    use num_rational::BigRational;
    let game = from_fn(6, |s| BigRational::new(((mask_of(s) * 7 % 13) as i64).into(), 3.into()));
    let cached = Cached::with_store(&game, MemoryStore::bounded(20));
    let unbounded = Cached::new(&game);
    for _ in 0..2 {
        assert_eq!(exact(&cached).unwrap(), exact(&game).unwrap());
        assert_eq!(exact(&unbounded).unwrap(), exact(&game).unwrap());
    }
    assert_eq!((unbounded.stats().hits, unbounded.stats().misses), (64, 64));
}

#[test]
fn caches_and_stores_go_where_threads_go() {
    fn all<T: Send + Sync + Unpin + fmt::Debug + 'static>() {}
    all::<Cached<shapley::Table<f64>, MemoryStore<f64>>>();
    all::<Cached<shapley::Table<[f64; 3]>, Arc<MemoryStore<[f64; 3]>>>>();
    all::<MemoryStore<f64>>();
    all::<CacheStats>();
    all::<CacheError<Failure, io::Error>>();
    all::<StoreError<io::Error>>();
}

#[test]
fn caches_and_stores_can_be_used_after_a_panic() {
    fn all<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    all::<Cached<shapley::Table<f64>, MemoryStore<f64>>>();
    all::<MemoryStore<f64>>();
    all::<CacheStats>();
}
