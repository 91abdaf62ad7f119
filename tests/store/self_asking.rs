//! Games that ask the cache that they are in, and games that work in parallel: no thread waits for what waits for it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier, OnceLock, Weak};

use crate::common::estimates::bits_of;
use crate::common::masks::mask_of;
use crate::crowd::{Counts, at_once, must_end, worth};
use rayon::prelude::*;
use shapley::store::Store;
use shapley::{Cached, Coalition, Exact, Game, MemoryStore, Permutation, TryGame};

type InMemory<G> = Cached<G, MemoryStore<f64>>;
type InShared<G> = Cached<G, Arc<MemoryStore<f64>>>;

/// A game that is worth the mean of what its coalitions are without one member, and something of its own. It asks the
/// cache that it is in for them: one by one, or as one batch.
struct Recursive {
    n: usize,
    by_batch: bool,
    counts: Counts,
    cache: OnceLock<Weak<InShared<Recursive>>>,
}

impl Recursive {
    fn cached(n: usize, by_batch: bool, store: MemoryStore<f64>) -> Arc<InShared<Self>> {
        Self::cached_in(n, by_batch, Arc::new(store))
    }

    fn cached_in(n: usize, by_batch: bool, store: Arc<MemoryStore<f64>>) -> Arc<InShared<Self>> {
        let game = Self { n, by_batch, counts: Counts::new(n), cache: OnceLock::new() };
        let cached = Arc::new(Cached::with_store(game, store));
        cached.game().cache.set(Arc::downgrade(&cached)).expect("set once");
        cached
    }
}

impl Game for Recursive {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.n
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        self.counts.add(mask_of(coalition));
        let cache = self.cache.get().and_then(Weak::upgrade).expect("the cache is there while it asks");
        let mut smaller = Vec::new();
        if self.by_batch {
            cache.try_values(&without_one(coalition), &mut smaller).unwrap();
        } else {
            smaller.extend(without_one(coalition).iter().map(|s| cache.try_value(s).unwrap()));
        }
        joined(mask_of(coalition), &smaller)
    }
}

fn without_one(coalition: &Coalition) -> Vec<Coalition> {
    let without = |player| {
        let mut smaller = coalition.clone();
        smaller.remove(player);
        smaller
    };
    coalition.iter().map(without).collect()
}

fn joined(mask: u64, smaller: &[f64]) -> f64 {
    worth(mask) + smaller.iter().sum::<f64>() / smaller.len().max(1) as f64
}

/// The same game without a cache, small coalitions first.
fn table(n: usize) -> shapley::Table<f64> {
    let mut values: Vec<f64> = Vec::new();
    for mask in 0..1_u64 << n {
        let smaller: Vec<f64> =
            (0..n).filter(|k| mask >> k & 1 == 1).map(|k| values[(mask ^ 1 << k) as usize]).collect();
        values.push(joined(mask, &smaller));
    }
    shapley::Table::new(values).unwrap()
}

const N: usize = 9;

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// While it is checked, a game gets none of the store's values, and puts none into it.
#[test]
fn a_game_that_asks_its_own_cache_is_not_checked_by_values_of_another() {
    let expected = table(N);
    for by_batch in [false, true] {
        for seed in 0..5 {
            // v(N) and a fifth of the others are another game's, which differs by what one player adds.
            let store = Arc::new(MemoryStore::unbounded());
            let other = |mask: u64| expected.values()[mask as usize] + if mask & 2 == 2 { 5.0 } else { 0.0 };
            for mask in (0..1_u64 << N).filter(|mask| mask % 5 == seed || mask + 1 == 1 << N) {
                store.insert(&Coalition::from_mask(N, mask), &other(mask)).unwrap();
            }
            let len = store.len();
            let cached = Recursive::cached_in(N, by_batch, Arc::clone(&store));
            let run = || Exact::new().threads(2).batch(1).solve(&*cached).map(drop).unwrap_err().to_string();
            let said = must_end("the check", run);
            assert!(said.contains("v(N) = "), "{said}");
            assert_eq!(store.len(), len);
            assert!(cached.stats().misses <= (1 << N) + 2, "each is evaluated once: {:?}", cached.stats());
        }
    }
}

/// The check of a store with values is an evaluation, in which the game asks its cache.
#[test]
fn a_store_with_values_is_checked_by_a_game_that_asks_its_own_cache() {
    let expected = table(N);
    for by_batch in [false, true] {
        for threads in [1, 2, 4] {
            let store = MemoryStore::unbounded();
            for mask in 100..1_u64 << N {
                store.insert(&Coalition::from_mask(N, mask), &expected.values()[mask as usize]).unwrap();
            }
            let cached = Recursive::cached(N, by_batch, store);
            let run = || Exact::new().threads(threads).batch(1).solve(&*cached).unwrap();
            let solved = must_end("the check", run);
            assert_eq!(bits(solved.values()), bits(shapley::exact(&expected).unwrap().values()));
            // The check gets nothing from the store, so all that it asks for is evaluated, once.
            assert!(cached.stats().misses <= 1 << N, "{:?}", cached.stats());
        }
    }
}

#[test]
fn asked_one_by_one_each_coalition_is_evaluated_once() {
    must_end("one by one", || {
        let expected = shapley::exact(&table(N)).unwrap();
        for by_batch in [false, true] {
            for threads in [1, 2, 4, 8] {
                let cached = Recursive::cached(N, by_batch, MemoryStore::unbounded());
                let phi = Exact::new().threads(threads).batch(1).solve(&*cached).unwrap();
                assert_eq!(bits(phi.values()), bits(expected.values()), "{threads} threads");
                assert_eq!(cached.game().counts.all(), [1; 1 << N], "{threads} threads, by batch: {by_batch}");
                let stats = cached.stats();
                // Every coalition is asked for by the solver, and by each that has one member more.
                assert_eq!((stats.misses, stats.hits), (1 << N, (N << (N - 1)) as u64), "{threads} threads");
            }
        }
    });
}

#[test]
fn asked_in_batches_none_waits_for_ever() {
    must_end("in batches", || {
        let expected = shapley::exact(&table(N)).unwrap();
        for by_batch in [false, true] {
            for threads in [1, 2, 4, 8] {
                for batch in [0, 2, 16, 512] {
                    let cached = Recursive::cached(N, by_batch, MemoryStore::unbounded());
                    let phi = Exact::new().threads(threads).batch(batch).solve(&*cached).unwrap();
                    assert_eq!(bits(phi.values()), bits(expected.values()), "{threads} threads, batches of {batch}");
                    let (counts, stats) = (&cached.game().counts, cached.stats());
                    assert!(counts.all().into_iter().all(|count| count >= 1));
                    assert_eq!((stats.misses, stats.entries), (counts.sum(), 1 << N));
                    // Whoever is evaluated asks once more for each of its members.
                    let asked: u64 =
                        counts.all().iter().zip(0_u64..).map(|(&k, mask)| u64::from(k * mask.count_ones())).sum();
                    assert_eq!(stats.hits + stats.misses, asked + (1 << N));
                }
            }
        }
    });
}

#[test]
fn a_store_that_forgets_costs_time_and_no_more() {
    must_end("forgets", || {
        let expected = shapley::exact(&table(6)).unwrap();
        for limit in [0, 1, 7, 40] {
            for threads in [1, 4] {
                for batch in [0, 1] {
                    let cached = Recursive::cached(6, batch == 0, MemoryStore::bounded(limit));
                    let phi = Exact::new().threads(threads).batch(batch).solve(&*cached).unwrap();
                    assert_eq!(bits(phi.values()), bits(expected.values()), "{limit} values, {threads} threads");
                    assert!(cached.stats().entries <= limit as u64);
                }
            }
        }
    });
}

#[test]
fn samplers_walk_through_a_game_that_asks_its_own_cache() {
    must_end("walks", || {
        for batch in [0, 1, 50] {
            for threads in [1, 4] {
                let sampler = Permutation::new(2000).threads(threads).batch(batch);
                let cached = Recursive::cached(N, false, MemoryStore::unbounded());
                let estimate = sampler.estimate(&*cached).unwrap();
                assert_eq!(bits_of(&estimate), bits_of(&sampler.estimate(&table(N)).unwrap()));
                if batch < 2 {
                    // v(∅) and v(N) are one batch, and N comes to ask for ∅.
                    let counts = cached.game().counts.all();
                    assert!(counts[0] <= 2 && counts[1..].iter().all(|&count| count <= 1), "one by one, each once");
                }
            }
        }
    });
}

/// A game whose coalition {k} asks the cache for {k + 1}, round in a circle, when it is evaluated first. All are in the
/// air before one of them asks.
struct Ring {
    len: usize,
    counts: Counts,
    all_in_the_air: Barrier,
    cache: OnceLock<Weak<InMemory<Ring>>>,
}

impl Game for Ring {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.len
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        let mask = mask_of(coalition);
        if self.counts.add(mask) == 0 {
            self.all_in_the_air.wait();
            let cache = self.cache.get().and_then(Weak::upgrade).expect("the cache is there while it asks");
            let next = Coalition::from_players(self.len, [(mask.ilog2() as usize + 1) % self.len]);
            assert_eq!(cache.try_value(&next).unwrap().to_bits(), worth(mask_of(&next)).to_bits());
        }
        worth(mask)
    }
}

#[test]
fn threads_that_ask_each_other_in_a_circle_go_on() {
    must_end("ring", || {
        for len in [1, 2, 3, 5, 8] {
            for _ in 0..50 {
                let (counts, all_in_the_air) = (Counts::new(len), Barrier::new(len));
                let ring = Cached::new(Ring { len, counts, all_in_the_air, cache: OnceLock::new() });
                let cached = Arc::new(ring);
                cached.game().cache.set(Arc::downgrade(&cached)).expect("set once");
                let values = at_once(len, |k| cached.try_value(&Coalition::from_players(len, [k])).unwrap());
                for (k, value) in values.into_iter().enumerate() {
                    assert_eq!(value.to_bits(), worth(1 << k).to_bits());
                }
                // Whoever closes the circle evaluates what it wants once more; all others wait.
                assert_eq!(cached.game().counts.sum(), len as u64 + 1, "a ring of {len}");
                let stats = cached.stats();
                assert_eq!((stats.misses, stats.hits, stats.entries), (len as u64 + 1, len as u64 - 1, len as u64));
            }
        }
    });
}

/// Two caches, each of which holds a game that asks the other: the circle goes through both.
struct Other {
    counts: Counts,
    other: OnceLock<Weak<InMemory<Other>>>,
}

impl Game for Other {
    type Value = f64;

    fn num_players(&self) -> usize {
        N
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        self.counts.add(mask_of(coalition));
        let other = self.other.get().and_then(Weak::upgrade).expect("the other is there");
        let smaller: Vec<f64> = without_one(coalition).iter().map(|s| other.try_value(s).unwrap()).collect();
        joined(mask_of(coalition), &smaller)
    }
}

#[test]
fn two_caches_that_ask_each_other_do_not_wait_for_ever() {
    must_end("each other", || {
        for (threads, batch) in [(1, 0), (1, 1), (3, 0), (3, 1), (3, 16)] {
            let make = || Arc::new(Cached::new(Other { counts: Counts::new(N), other: OnceLock::new() }));
            let both: [Arc<InMemory<Other>>; 2] = [make(), make()];
            both[0].game().other.set(Arc::downgrade(&both[1])).unwrap_or_else(|_| panic!("set once"));
            both[1].game().other.set(Arc::downgrade(&both[0])).unwrap_or_else(|_| panic!("set once"));
            let solver = Exact::new().threads(threads).batch(batch);
            let expected = shapley::exact(&table(N)).unwrap();
            for phi in at_once(2, |which| solver.solve(&*both[which]).unwrap()) {
                assert_eq!(bits(phi.values()), bits(expected.values()));
            }
            if batch == 1 {
                assert!(both.iter().all(|cached| cached.game().counts.all() == [1; 1 << N]));
            }
        }
    });
}

#[test]
fn a_cache_behind_a_cache_is_asked_by_a_game_behind_both() {
    /// Asks the outer of two caches.
    struct Deep {
        counts: Counts,
        outer: OnceLock<Weak<Outer>>,
    }
    type Outer = InMemory<InMemory<Deep>>;

    impl Game for Deep {
        type Value = f64;

        fn num_players(&self) -> usize {
            N
        }

        fn value(&self, coalition: &Coalition) -> f64 {
            self.counts.add(mask_of(coalition));
            let outer = self.outer.get().and_then(Weak::upgrade).expect("the cache is there while it asks");
            let smaller: Vec<f64> = without_one(coalition).iter().map(|s| outer.try_value(s).unwrap()).collect();
            joined(mask_of(coalition), &smaller)
        }
    }

    must_end("behind both", || {
        for (threads, batch) in [(1, 0), (1, 1), (4, 0), (4, 1), (4, 16)] {
            let deep = Deep { counts: Counts::new(N), outer: OnceLock::new() };
            let outer: Arc<Outer> = Arc::new(Cached::new(Cached::new(deep)));
            let game = outer.game().game();
            game.outer.set(Arc::downgrade(&outer)).expect("set once");
            let phi = Exact::new().threads(threads).batch(batch).solve(&*outer).unwrap();
            assert_eq!(bits(phi.values()), bits(shapley::exact(&table(N)).unwrap().values()));
            if batch == 1 {
                assert_eq!(game.counts.all(), [1; 1 << N]);
            }
        }
    });
}

/// A game that evaluates a batch by rayon.
struct Parallel(AtomicU32);

impl Game for Parallel {
    type Value = f64;

    fn num_players(&self) -> usize {
        12
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        self.0.fetch_add(1, Ordering::Relaxed);
        // Some work, which rayon divides too.
        (0..64_u64).into_par_iter().map(|k| worth(mask_of(coalition)) * (k % 2) as f64).sum::<f64>()
    }

    fn values(&self, coalitions: &[Coalition], values: &mut Vec<f64>) {
        values.par_extend(coalitions.par_iter().map(|coalition| self.value(coalition)));
    }
}

#[test]
fn a_game_that_is_parallel_itself_is_solved_by_one_thread() {
    must_end("parallel game", || {
        let cached = Cached::new(Parallel(AtomicU32::new(0)));
        let solve = || {
            for batch in [0, 1, 100] {
                _ = Permutation::new(3000).threads(1).batch(batch).estimate(&cached).unwrap();
                _ = Exact::new().threads(1).batch(batch).solve(&cached).unwrap();
            }
        };
        solve();
        assert_eq!(cached.game().0.load(Ordering::Relaxed), 1 << 12);
        // From a thread of rayon's own, too.
        let cold = Cached::new(Parallel(AtomicU32::new(0)));
        rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap().install(|| {
            _ = Permutation::new(3000).threads(1).estimate(&cold).unwrap();
            _ = Exact::new().threads(1).solve(&cold).unwrap();
        });
        assert_eq!((cold.game().0.load(Ordering::Relaxed), cold.store().len()), (1 << 12, 1 << 12));
    });
}
