//! The store in memory: what it remembers, how much of it, and that it says so rightly, alone and among threads.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::common::masks::mix;
use crate::crowd::{at_once, must_end};
use proptest::prelude::*;
use shapley::store::{Store, check_store};
use shapley::{Coalition, MemoryStore, Value};

/// Any bits at all, and the same for the same coalition: a NaN of any payload too.
fn bits_for(coalition: &Coalition) -> u64 {
    let hash = coalition.iter().fold(mix(coalition.num_players() as u64), |hash, player| hash ^ mix(!(player as u64)));
    if hash.is_multiple_of(5) { 0x7ff0_0000_0000_0000 | hash } else { hash }
}

fn value_for(coalition: &Coalition) -> f64 {
    f64::from_bits(bits_for(coalition))
}

/// What a store has of a coalition, as bits.
fn got<S: Store<f64>>(store: &S, coalition: &Coalition) -> Option<u64> {
    store.get(coalition).unwrap().map(f64::to_bits)
}

fn got_many<S: Store<f64>>(store: &S, coalitions: &[Coalition]) -> Vec<Option<u64>> {
    let mut values = Vec::new();
    store.get_many(coalitions, &mut values).unwrap();
    values.into_iter().map(|value| value.map(f64::to_bits)).collect()
}

#[test]
fn it_keeps_the_contract_whatever_its_limit() {
    check_store(|_| MemoryStore::unbounded());
    for limit in [0, 1, 7, 100, 5000] {
        check_store(|_| MemoryStore::bounded(limit));
    }
}

#[test]
fn pointers_to_it_keep_the_contract() {
    check_store(|_| Box::new(MemoryStore::unbounded()));
    check_store(|_| Arc::new(MemoryStore::unbounded()));
    check_store(|_| Arc::new(MemoryStore::bounded(100)));
    check_store(|_| -> &MemoryStore<f64> { Box::leak(Box::new(MemoryStore::unbounded())) });
    check_store(|_| -> Box<dyn Store<f64, Error = std::convert::Infallible>> { Box::new(MemoryStore::bounded(7)) });
    check_store(|_| -> Arc<dyn Store<f64, Error = std::convert::Infallible> + Send> {
        Arc::new(MemoryStore::unbounded())
    });
}

const LIMITS: [usize; 11] = [0, 1, 2, 3, 10, 127, 128, 129, 1000, 1023, 10_000];

/// The coalition of a number, different for different numbers.
fn numbered(n: usize, number: u64) -> Coalition {
    // Multiplication by an odd number, modulo a power of two, mixes no two.
    Coalition::from_mask(n, number.wrapping_mul(0x9e37_79b9_7f4a_7c15) & ((1 << n) - 1))
}

#[test]
fn a_limit_is_never_exceeded_and_nearly_used() {
    for limit in LIMITS {
        for threads in [1, 4] {
            let store = MemoryStore::bounded(limit);
            let each = (limit as u64 * 8).max(500) / threads as u64;
            at_once(threads, |thread| {
                for number in 0..each {
                    let coalition = numbered(40, number * threads as u64 + thread as u64);
                    store.insert(&coalition, &value_for(&coalition)).unwrap();
                    assert!(store.len() <= limit as u64, "{} of {limit}", store.len());
                    // Some are asked for often, so that they are worth keeping.
                    let asked = numbered(40, mix(number) % 50);
                    assert!(got(&store, &asked).is_none_or(|bits| bits == bits_for(&asked)));
                }
            });
            let inserted = each * threads as u64;
            // What was never remembered is not forgotten.
            let remembered = if limit == 0 { 0 } else { inserted };
            assert_eq!(store.len() + store.evictions(), remembered, "what is not there was forgotten, of {limit}");
            let there = (0..inserted).filter(|&number| got(&store, &numbered(40, number)).is_some()).count() as u64;
            assert_eq!(there, store.len(), "as many are there as it says");
            if limit >= 100 {
                assert!(store.len() * 100 >= limit as u64 * 99, "{} of {limit}", store.len());
            }
        }
    }
}

#[test]
fn what_is_inserted_again_is_not_forgotten() {
    for limit in [1, 10, 1000] {
        let store = MemoryStore::bounded(limit);
        let coalition = numbered(20, 3);
        for _ in 0..5 {
            store.insert(&coalition, &value_for(&coalition)).unwrap();
            assert_eq!((store.len(), got(&store, &coalition)), (1, Some(bits_for(&coalition))));
        }
        assert_eq!(store.evictions(), 0, "nothing made room for anything");
    }
}

#[test]
fn limits_beyond_all_reason_are_no_limits() {
    for limit in [1 << 40, usize::MAX / 2, usize::MAX] {
        let store = MemoryStore::bounded(limit);
        for number in 0..1000 {
            store.insert(&numbered(40, number), &value_for(&numbered(40, number))).unwrap();
        }
        assert_eq!((store.len(), store.evictions()), (1000, 0));
    }
}

#[test]
fn a_bounded_store_keeps_what_is_asked_for() {
    // A thousand that are asked for again and again, among a hundred thousand that are not.
    let store = MemoryStore::bounded(4000);
    let mut found = 0;
    for number in 0..100_000 {
        let often = numbered(40, number % 1000);
        match got(&store, &often) {
            Some(bits) => found += u64::from(bits == bits_for(&often)),
            None => store.insert(&often, &value_for(&often)).unwrap(),
        }
        let once = numbered(40, 1 << 30 | number);
        store.insert(&once, &value_for(&once)).unwrap();
    }
    assert!(found > 90_000, "{found}");
}

/// The sizes of games that the property test mixes in one store.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![4 => 0..=6_usize, 2 => 7..=26_usize, 1 => 60..=70_usize, 1 => 120..=140_usize, 1 => Just(300_usize)];
    prop::collection::vec(size, 1..4)
}

#[derive(Clone, Debug)]
enum Op {
    Insert(u64),
    InsertMany(Vec<u64>),
    GetMany(Vec<u64>),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let many = || prop::collection::vec(any::<u64>(), 0..60);
    let op =
        prop_oneof![any::<u64>().prop_map(Op::Insert), many().prop_map(Op::InsertMany), many().prop_map(Op::GetMany)];
    prop::collection::vec(op, 0..40)
}

/// A random coalition of one of some sizes. Few are different, so that many are met again.
fn drawn(sizes: &[usize], random: u64) -> Coalition {
    let n = sizes[(random >> 32) as usize % sizes.len()];
    let seed = mix(random % 300);
    Coalition::from_players(n, (0..n).filter(|&player| mix(seed ^ player as u64).is_multiple_of(2)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, rng_seed: prop::test_runner::RngSeed::Fixed(6), ..ProptestConfig::default() })]

    #[test]
    fn it_remembers_what_a_map_remembers(sizes in sizes(), ops in ops()) {
        let store = MemoryStore::unbounded();
        let mut map: HashMap<Coalition, u64> = HashMap::new();
        for op in ops {
            let (Op::InsertMany(numbers) | Op::GetMany(numbers)) = &op else {
                let Op::Insert(number) = op else { unreachable!() };
                let coalition = drawn(&sizes, number);
                store.insert(&coalition, &value_for(&coalition)).unwrap();
                map.insert(coalition.clone(), bits_for(&coalition));
                continue;
            };
            let coalitions: Vec<Coalition> = numbers.iter().map(|&number| drawn(&sizes, number)).collect();
            if matches!(op, Op::GetMany(_)) {
                let expected: Vec<Option<u64>> = coalitions.iter().map(|coalition| map.get(coalition).copied()).collect();
                prop_assert_eq!(got_many(&store, &coalitions), expected);
            } else {
                let values: Vec<f64> = coalitions.iter().map(value_for).collect();
                store.insert_many(&coalitions, &values).unwrap();
                map.extend(coalitions.iter().map(|coalition| (coalition.clone(), bits_for(coalition))));
            }
            prop_assert_eq!(store.len(), map.len() as u64);
        }
        for (coalition, &bits) in &map {
            prop_assert_eq!(got(&store, coalition), Some(bits));
        }
        for n in 0..=64 {
            let of_this_size = map.keys().filter(|coalition| coalition.num_players() == n).count();
            let complete = n < 20 && of_this_size == 1 << n;
            let all = store.tabulated(n);
            prop_assert_eq!(all.is_some(), complete, "{} of {} players", of_this_size, n);
            for (value, mask) in all.into_iter().flatten().zip(0..) {
                prop_assert_eq!(value.to_bits(), bits_for(&Coalition::from_mask(n, mask)));
            }
        }
    }
}

/// Fills a store with all coalitions of n players, in a random order, one by one and in batches, and looks at it before
/// the last and after.
fn filled<V: Value>(n: usize, value: impl Fn(&Coalition) -> V, same: impl Fn(&V, &V) -> bool) {
    let store = MemoryStore::unbounded();
    let all: Vec<Coalition> = (0..1_u64 << n).map(|mask| Coalition::from_mask(n, mask)).collect();
    let order: Vec<Coalition> = (0..1_u64 << n).map(|k| numbered(n, k.wrapping_add(77))).collect();
    let (last, others) = order.split_last().unwrap();
    for batch in others.chunks(100) {
        match batch {
            [first, .., _] if first.len() % 2 == 0 => {
                store.insert_many(batch, &batch.iter().map(&value).collect::<Vec<_>>()).unwrap();
            }
            _ => batch.iter().for_each(|coalition| store.insert(coalition, &value(coalition)).unwrap()),
        }
    }
    assert!(store.tabulated(n).is_none() && store.get(last).unwrap().is_none());
    assert_eq!(store.len(), others.len() as u64);
    store.insert(last, &value(last)).unwrap();
    for again in [false, true] {
        let table = store.tabulated(n).expect("all are there");
        assert_eq!((store.len(), table.len()), (1 << n, 1 << n));
        let mut values = Vec::new();
        store.get_many(&all, &mut values).unwrap();
        for ((coalition, found), there) in all.iter().zip(values).zip(table) {
            let value = value(coalition);
            assert!(same(&value, there) && same(&value, &found.unwrap()), "{coalition} {again}");
            assert!(same(&value, &store.get(coalition).unwrap().unwrap()));
        }
        // What is there already changes nothing.
        store
            .insert_many(&all[..all.len().min(10)], &all[..all.len().min(10)].iter().map(&value).collect::<Vec<_>>())
            .unwrap();
    }
    // Games of other sizes have nothing of it.
    assert!(store.tabulated(n + 1).is_none() && store.get(&Coalition::grand(n + 1)).unwrap().is_none());
}

#[test]
fn once_all_are_there_they_are_a_table() {
    for n in (0..=14).chain([20]) {
        filled(n, value_for, |a, b| a.to_bits() == b.to_bits());
    }
    for n in [0, 1, 5, 6, 7, 12] {
        filled(n, |s| [value_for(s), 1.0, 2.0], |a, b| a.map(f64::to_bits) == b.map(f64::to_bits));
    }
    // Values so large that few players are many.
    filled(12, |s| [value_for(s); 2048], |a, b| a.map(f64::to_bits) == b.map(f64::to_bits));
}

#[test]
fn a_table_is_made_under_the_eyes_of_those_who_read() {
    must_end("readers", || {
        for round in 0..60 {
            let n = [3, 6, 8, 10][round % 4];
            let store = MemoryStore::unbounded();
            let all: Vec<Coalition> = (0..1 << n).map(|mask| Coalition::from_mask(n, mask)).collect();
            let last = all.len() - 1 - round % 3;
            for (number, coalition) in all.iter().enumerate().filter(|(number, _)| *number != last) {
                store.insert(coalition, &value_for(coalition)).unwrap_or_else(|never| match never {});
                assert_eq!(store.len(), number as u64 + u64::from(number < last));
            }
            let done = AtomicBool::new(false);
            at_once(4, |thread| {
                if thread == 0 {
                    thread::yield_now();
                    store.insert(&all[last], &value_for(&all[last])).unwrap();
                    done.store(true, Ordering::Release);
                }
                let mut rounds_after = 0;
                while rounds_after < 2 {
                    let over = done.load(Ordering::Acquire);
                    rounds_after += usize::from(over);
                    for (number, (coalition, many)) in all.iter().zip(got_many(&store, &all)).enumerate() {
                        let one = got(&store, coalition);
                        if number == last && !over {
                            assert!([many, one].iter().flatten().all(|&bits| bits == bits_for(coalition)));
                        } else {
                            assert_eq!([many, one], [Some(bits_for(coalition)); 2], "{coalition}");
                        }
                    }
                }
            });
            assert_eq!((store.len(), store.tabulated(n).map(<[f64]>::len)), (1 << n, Some(1 << n)));
        }
    });
}

#[test]
fn threads_that_insert_the_same_make_one_entry_of_it() {
    must_end("the same", || {
        for round in 0..100 {
            let n = 10;
            let store = MemoryStore::unbounded();
            at_once(4, |thread| {
                let turned = |k: u64| Coalition::from_mask(n, (k + 256 * thread as u64 + round) % (1 << n));
                let all: Vec<Coalition> = (0..1 << n).map(turned).collect();
                let values: Vec<f64> = all.iter().map(value_for).collect();
                store.insert_many(&all, &values).unwrap();
            });
            assert_eq!(store.len(), 1 << n, "round {round}");
        }
    });
}

/// Several outputs, as many as there are; those who have copies are counted.
#[derive(Clone, Debug)]
struct Outputs(Arc<()>, Vec<f64>);

impl Value for Outputs {
    fn add_assign(&mut self, other: &Self) {
        self.1.iter_mut().zip(&other.1).for_each(|(mine, theirs)| *mine += theirs);
    }

    fn sub_assign(&mut self, other: &Self) {
        self.1.iter_mut().zip(&other.1).for_each(|(mine, theirs)| *mine -= theirs);
    }

    fn scale(&mut self, numerator: i128, denominator: i128) {
        self.1.iter_mut().for_each(|mine| mine.scale(numerator, denominator));
    }

    fn is_finite(&self) -> bool {
        self.1.iter().all(|mine| mine.is_finite())
    }

    fn zip_with(&self, other: &Self, mut f: impl FnMut(f64, f64) -> f64) -> Self {
        Self(self.0.clone(), self.1.iter().zip(&other.1).map(|(mine, theirs)| f(*mine, *theirs)).collect())
    }
}

#[test]
fn values_with_a_vector_in_them_come_back() {
    let outputs = |s: &Coalition| Outputs(Arc::default(), vec![value_for(s); s.len()]);
    let same = |a: &Outputs, b: &Outputs| a.1.iter().map(|x| x.to_bits()).eq(b.1.iter().map(|x| x.to_bits()));
    for n in [0, 3, 8, 12] {
        filled(n, outputs, same);
    }
}

/// A value may hold much more than its type's size: a kept value must not be many copies of it.
#[test]
fn a_value_is_kept_once() {
    for n in [12, 40, 100, 200] {
        for store in [MemoryStore::unbounded(), MemoryStore::bounded(100)] {
            let copies = Arc::new(());
            let kept: Vec<Coalition> = (0..5).map(|k| Coalition::from_players(n, [2 * k + 1])).collect();
            for coalition in &kept {
                store.insert(coalition, &Outputs(copies.clone(), vec![1.0; 1000])).unwrap();
            }
            // The store's, and the one here.
            assert_eq!(Arc::strong_count(&copies), kept.len() + 1, "{n} players, {store:?}");
        }
    }
}
