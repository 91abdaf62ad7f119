//! What a cache asks its game, and what it says of it: of each batch the misses, at once and in order; of a walk each
//! prefix; nothing that is known. Results through a cache are in `cached_results.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::common::bad_batches::BadBatches;
use crate::common::failing::Failure;
use crate::common::ledger::{Call, Ledger};
use crate::common::masks::mask_of;
use crate::common::rough::prefixes;
use crate::crowd::worth;
use shapley::store::{CacheStats, Store};
use shapley::{Cached, Coalition, Error, Exact, MemoryStore, TryGame, from_fn, try_from_fn};

fn set(n: usize, mask: u64) -> Coalition {
    Coalition::from_mask(n, mask)
}

fn sets(n: usize, masks: impl IntoIterator<Item = u64>) -> Vec<Coalition> {
    masks.into_iter().map(|mask| set(n, mask)).collect()
}

/// Asks for a batch, and checks what comes.
#[track_caller]
fn ask<G: TryGame<Value = f64>, S: Store<f64>>(cached: &Cached<G, S>, masks: impl IntoIterator<Item = u64>) {
    let coalitions = sets(cached.num_players(), masks);
    let mut values = vec![-7.0];
    cached.try_values(&coalitions, &mut values).expect("a good batch");
    assert_eq!(values.remove(0).to_bits(), (-7.0_f64).to_bits(), "values are appended");
    let expected: Vec<u64> = coalitions.iter().map(|s| worth(mask_of(s)).to_bits()).collect();
    assert_eq!(values.into_iter().map(f64::to_bits).collect::<Vec<_>>(), expected);
}

/// The calls since the last time, as batches of masks; a call for one value is a number.
#[derive(Debug, PartialEq)]
enum Asked {
    One(u64),
    Many(Vec<u64>),
}

fn asked<F: Fn(&Coalition) -> f64 + Sync>(ledger: &Ledger<F>) -> Vec<Asked> {
    let read = |call| match call {
        Call::Value(s) => Asked::One(mask_of(&s)),
        Call::Values(all) => Asked::Many(all.iter().map(mask_of).collect()),
        Call::Walk(order) => panic!("the inner game's walk is not used: {order:?}"),
    };
    ledger.take().into_iter().map(read).collect()
}

/// Hits, misses, entries, evictions.
#[track_caller]
fn assert_stats(stats: CacheStats, expected: [u64; 4]) {
    assert_eq!([stats.hits, stats.misses, stats.entries, stats.evictions], expected);
}

#[test]
fn a_batch_asks_for_what_it_misses_once_in_order_and_at_once() {
    let ledger = Ledger::new(6, |s| worth(mask_of(s)));
    let cached = Cached::new(ledger.walked());
    ask(&cached, [5, 3, 60]);
    assert_eq!(asked(&ledger), [Asked::Many(vec![5, 3, 60])]);
    ask(&cached, [3, 60, 5, 3]);
    assert_eq!(asked(&ledger), [], "all are known");
    ask(&cached, [9, 3, 8, 60, 1]);
    assert_eq!(asked(&ledger), [Asked::Many(vec![9, 8, 1])]);
    ask(&cached, [1, 2, 3]);
    assert_eq!(asked(&ledger), [Asked::Many(vec![2])], "a single one is a batch too");
    ask(&cached, [7, 7, 4, 1, 4, 7]);
    assert_eq!(asked(&ledger), [Asked::Many(vec![7, 4])], "what is there twice is asked for once");
    ask(&cached, [0, 0]);
    assert_eq!(asked(&ledger), [Asked::Many(vec![0])]);
    ask(&cached, []);
    assert_eq!(asked(&ledger), [], "nothing asks nothing");
    assert_stats(cached.stats(), [4 + 2 + 2 + 4 + 1, 3 + 3 + 1 + 2 + 1, 10, 0]);
}

#[test]
fn one_value_is_asked_for_as_one() {
    let ledger = Ledger::new(6, |s| worth(mask_of(s)));
    let cached = Cached::new(ledger.walked());
    for round in 0..2 {
        for mask in [0, 63, 5] {
            assert_eq!(cached.try_value(&set(6, mask)).unwrap().to_bits(), worth(mask).to_bits());
            assert_eq!(asked(&ledger), if round == 0 { vec![Asked::One(mask)] } else { vec![] });
        }
    }
    assert_stats(cached.stats(), [3, 3, 3, 0]);
}

#[test]
fn what_is_asked_of_the_inner_game_itself_is_not_remembered() {
    let ledger = Ledger::new(6, |s| worth(mask_of(s)));
    let cached = Cached::new(ledger.walked());
    cached.game().try_value(&set(6, 3)).unwrap();
    assert_stats(cached.stats(), [0, 0, 0, 0]);
    cached.store().insert(&set(6, 3), &worth(3)).unwrap();
    ledger.take();
    ask(&cached, [3]);
    // What was put into the store is known, once the game has said the same.
    assert_eq!(asked(&ledger), [Asked::Many(vec![3])]);
    ask(&cached, [3]);
    assert_eq!(asked(&ledger), []);
    let (_, store) = cached.into_parts();
    assert_eq!(store.len(), 1);
    let warm = Cached::with_store(ledger.walked(), store);
    ask(&warm, [3, 4]);
    assert_eq!(asked(&ledger), [Asked::Many(vec![3]), Asked::Many(vec![4])]);
    assert_stats(warm.stats(), [1, 2, 2, 0]);
}

#[test]
fn a_walk_asks_for_each_prefix_that_is_missing() {
    for n in [1, 2, 70, 200] {
        let size = |s: &Coalition| (s.len() as f64).sqrt();
        let ledger = Ledger::new(n, size);
        let cached = Cached::new(ledger.walked());
        let order: Vec<usize> = (0..n).map(|k| (k * 37 + 11) % n).collect();
        let known = |k: usize| k % 3 == 1;
        let all = prefixes(n, &order);
        for (k, prefix) in all.iter().enumerate().filter(|(k, _)| known(*k)) {
            cached.store().insert(prefix, &size(prefix)).unwrap();
            assert_eq!(cached.store().get(prefix).unwrap().map(f64::to_bits), Some(((k + 1) as f64).sqrt().to_bits()));
        }
        for round in 0..2 {
            let mut values = vec![-7.0];
            cached.try_walk(&order, &mut values).unwrap();
            let expected: Vec<u64> = (1..=n).map(|k| (k as f64).sqrt().to_bits()).collect();
            assert_eq!(values[1..].iter().map(|value| value.to_bits()).collect::<Vec<_>>(), expected);
            let mut calls = ledger.take();
            if round == 0 && n > 1 {
                // One of the values that are there, to see whether they are this game's.
                assert!(matches!(&calls.remove(0), Call::Values(all) if prefixes(n, &order).contains(&all[0])));
            }
            let missing: Vec<&Coalition> =
                all.iter().enumerate().filter(|(k, _)| round == 0 && !known(*k)).map(|(_, prefix)| prefix).collect();
            assert_eq!(calls.len(), missing.len());
            for (call, prefix) in calls.iter().zip(missing) {
                assert!(matches!(call, Call::Values(all) if *all == [prefix.clone()]), "{call:?}");
            }
        }
        let known = (0..n).filter(|&k| known(k)).count() as u64;
        let check = u64::from(n > 1);
        assert_stats(cached.stats(), [known + n as u64, n as u64 - known + check, n as u64, 0]);
    }
}

#[test]
fn a_walk_keeps_each_value_at_once() {
    let store = MemoryStore::unbounded();
    let fails_at = 5;
    // When a prefix is evaluated, those before it are in the store: a process that dies here has lost nothing.
    let game = try_from_fn(8, |s| {
        assert_eq!(store.len(), s.len() as u64 - 1);
        if s.len() == fails_at { Err(Failure(mask_of(s))) } else { Ok(s.len() as f64) }
    });
    let cached = Cached::with_store(game, &store);
    let mut values = Vec::new();
    let answer = cached.try_walk(&[0, 1, 2, 3, 4, 5, 6, 7], &mut values);
    assert_eq!((answer, values.len()), (Err(Failure(0b11111)), 4));
    assert_stats(cached.stats(), [0, 5, 4, 0]);
    let mut again = Vec::new();
    assert_eq!(cached.try_walk(&[0, 1, 2, 3], &mut again), Ok(()));
    assert_eq!(again, values);
    assert_eq!(cached.try_walk(&[], &mut again), Ok(()));
}

#[test]
fn every_request_is_a_hit_or_a_miss() {
    let cached = Cached::new(from_fn(10, |s| worth(mask_of(s))));
    ask(&cached, 0..1024);
    assert_stats(cached.stats(), [0, 1024, 1024, 0]);
    // All are there, and are read where they lie: each is a hit.
    _ = shapley::exact(&cached).unwrap();
    assert_stats(cached.stats(), [1024, 1024, 1024, 0]);
    ask(&cached, [1, 2, 3]);
    cached.try_value(&set(10, 1)).unwrap();
    cached.try_walk(&[1, 2, 3], &mut Vec::new()).unwrap();
    assert_stats(cached.stats(), [1031, 1024, 1024, 0]);
    assert_stats(CacheStats::default(), [0; 4]);
    assert_eq!(format!("{:?}", cached.stats()), "CacheStats { hits: 1031, misses: 1024, entries: 1024, evictions: 0 }");
    assert!(format!("{cached:?}").contains("num_players: 10"), "{cached:?}");
}

#[test]
fn what_fails_is_counted_up_to_the_failure() {
    let cached = Cached::new(try_from_fn(4, |s| if mask_of(s) == 9 { Err(Failure(9)) } else { Ok(worth(mask_of(s))) }));
    for attempt in 1..=3 {
        assert_eq!(cached.try_value(&set(4, 9)), Err(Failure(9)));
        assert_stats(cached.stats(), [0, attempt, 0, 0]);
    }
    let mut values = vec![-7.0];
    assert_eq!(cached.try_values(&sets(4, [1, 2, 9, 4, 5]), &mut values), Err(Failure(9)));
    assert_eq!(values, [-7.0, worth(1), worth(2)]);
    assert_stats(cached.stats(), [0, 6, 2, 0]);
    // Known values on both sides of the failure, and the failing one twice.
    ask(&cached, [4]);
    let mut values = Vec::new();
    assert_eq!(cached.try_values(&sets(4, [4, 1, 3, 9, 2, 9, 4]), &mut values), Err(Failure(9)));
    assert_eq!(values, [4, 1, 3].map(worth));
    assert_eq!(cached.store().len(), 4);
}

#[test]
fn of_a_batch_that_panics_all_are_counted_and_nothing_is_kept() {
    let cached = Cached::new(from_fn(4, |s| {
        if s.is_grand() {
            resume_unwind(Box::new(()));
        }
        worth(mask_of(s))
    }));
    assert!(catch_unwind(AssertUnwindSafe(|| cached.try_values(&sets(4, [1, 2, 15, 3]), &mut Vec::new()))).is_err());
    assert_stats(cached.stats(), [0, 4, 0, 0]);
    assert!(catch_unwind(AssertUnwindSafe(|| cached.try_value(&set(4, 15)))).is_err());
    assert_stats(cached.stats(), [0, 5, 0, 0]);
    ask(&cached, [1, 2, 3]);
    assert_stats(cached.stats(), [0, 8, 3, 0]);
}

#[test]
fn a_batch_that_fails_as_a_whole_names_the_first_that_is_missing() {
    let game = BadBatches(3, |_: &[Coalition], _: &mut Vec<f64>| Err(Failure(99)));
    let cached = Cached::new(game);
    for mask in 0..3 {
        cached.try_value(&set(3, mask)).unwrap();
    }
    match Exact::new().threads(1).batch(8).solve(&cached) {
        Err(Error::Game { coalition, source: Failure(99) }) => assert_eq!(mask_of(&coalition), 3),
        other => panic!("{other:?}"),
    }
    assert_stats(cached.stats(), [3, 4, 3, 0]);
    // Values for all, and a failure: none of them is believed.
    let surplus = BadBatches(3, |all: &[Coalition], values: &mut Vec<f64>| {
        values.extend(all.iter().map(|s| s.len() as f64));
        Err(Failure(98))
    });
    let cached = Cached::new(surplus);
    assert!(matches!(Exact::new().batch(8).solve(&cached), Err(Error::Game { coalition, .. }) if coalition.is_empty()));
    assert_eq!(cached.store().len(), 0);
}

#[test]
fn a_game_with_another_number_of_values_is_found_out() {
    for answer in [0, 1, 3, 5, 7, 9, 100] {
        let game = BadBatches(3, move |_: &[Coalition], values: &mut Vec<f64>| {
            values.extend(vec![0.5; answer]);
            Ok(())
        });
        // Nothing known; half of it; all but two.
        for known in [0, 4, 6] {
            let cached = Cached::new(game.by_ref());
            for mask in 0..known as u64 {
                cached.store().insert(&set(3, mask), &0.5).unwrap();
            }
            for threads in [1, 2, 4] {
                match Exact::new().threads(threads).batch(8).solve(&cached) {
                    Err(Error::BatchLength { asked: 8, got }) => {
                        // Values that the game has not confirmed are not used.
                        let believed = if answer == 1 { known } else { 0 };
                        assert_eq!(got, believed + answer, "{answer} values for {} coalitions", 8 - known);
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(cached.store().len(), known as u64, "nothing of it is kept");
        }
    }
}

#[test]
fn what_is_not_finite_is_handed_on_and_not_remembered() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let ledger = Ledger::new(4, |s| if mask_of(s) == 6 { bad } else { worth(mask_of(s)) });
        let cached = Cached::new(ledger.walked());
        for _ in 0..2 {
            let mut values = Vec::new();
            cached.try_values(&sets(4, [1, 6, 2, 6]), &mut values).unwrap();
            assert_eq!(values.map_bits(), [worth(1), bad, worth(2), bad].map(f64::to_bits));
        }
        assert_eq!(asked(&ledger), [Asked::Many(vec![1, 6, 2]), Asked::Many(vec![6])]);
        assert_eq!(cached.try_value(&set(4, 6)).unwrap().to_bits(), bad.to_bits());
        assert_stats(cached.stats(), [1 + 3, 5, 2, 0]);
        for _ in 0..2 {
            match shapley::exact(&cached) {
                Err(Error::NotFinite { coalition }) => assert_eq!(mask_of(&coalition), 6),
                other => panic!("{other:?}"),
            }
        }
        let mut values = Vec::new();
        cached.try_walk(&[1, 2, 0], &mut values).unwrap();
        assert_eq!(values.map_bits(), [worth(2), bad, worth(7)].map(f64::to_bits));
    }
}

/// Bits, which NaN can be compared by.
trait MapBits {
    fn map_bits(&self) -> Vec<u64>;
}

impl MapBits for Vec<f64> {
    fn map_bits(&self) -> Vec<u64> {
        self.iter().map(|value| value.to_bits()).collect()
    }
}

#[test]
fn evictions_are_paid_again_and_counted() {
    let ledger = Ledger::new(8, |s| worth(mask_of(s)));
    let cached = Cached::with_store(ledger.walked(), MemoryStore::bounded(10));
    ask(&cached, 0..256);
    let stats = cached.stats();
    assert_eq!((stats.hits, stats.misses, stats.entries + stats.evictions), (0, 256, 256));
    assert!(stats.entries <= 10);
    ask(&cached, 0..256);
    let again = cached.stats();
    assert_eq!(again.hits + again.misses, 512);
    assert!(again.hits <= 10 && again.entries <= 10);
    // With a limit of zero, nothing is known ever.
    let none = Cached::with_store(ledger.walked(), MemoryStore::bounded(0));
    ask(&none, [1, 2, 3, 1]);
    ask(&none, [1, 2, 3]);
    assert_stats(none.stats(), [1, 6, 0, 0]);
}
