//! Single flight: of the threads that want one coalition at the same time, one evaluates it, and the others get what it
//! found, or try again where it failed. Games that ask their own cache are in `self_asking.rs`, and all orders of a few
//! steps in `tests/single_flight_model.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::common::failing::Failure;
use crate::common::masks::{mask_of, mix};
use crate::crowd::{Counts, Crowd, at_once, gathered, must_end, spread, worth};
use shapley::store::Store;
use shapley::{Cached, Coalition, Error, Exact, Game, MemoryStore, TryGame, from_fn, try_from_fn};

const THREADS: usize = 16;
const BITS: usize = 16;

/// A game of n players that counts what it is asked.
fn counting(n: usize, counts: &Counts) -> impl Game<Value = f64> {
    from_fn(n, |s| {
        let mask = gathered(BITS, s);
        counts.add(mask);
        worth(mask)
    })
}

/// One value, bit for bit.
#[track_caller]
fn assert_worth(value: f64, mask: u64) {
    assert_eq!(value.to_bits(), worth(mask).to_bits(), "{mask:b}");
}

#[test]
fn sixteen_threads_one_coalition_one_evaluation() {
    must_end("one coalition", || {
        for mask in 0..20 {
            let (counts, crowd) = (Counts::new(BITS), Crowd::new(THREADS));
            let cached = Cached::new(from_fn(BITS, |s| {
                crowd.gather();
                counts.add(mask_of(s));
                worth(mask_of(s))
            }));
            let coalition = Coalition::from_mask(BITS, mask);
            let values = at_once(THREADS, |_| {
                crowd.arrive();
                cached.try_value(&coalition).unwrap()
            });
            values.into_iter().for_each(|value| assert_worth(value, mask));
            let stats = cached.stats();
            assert_eq!((counts.sum(), stats.misses, stats.hits, stats.entries), (1, 1, 15, 1));
        }
    });
}

/// Asks for 10⁶ random coalitions of 2¹⁶ on 16 threads. `ask` is called with some masks and returns their values.
fn workload(requests: u64, sizes: impl Fn(u64) -> u64 + Sync, ask: impl Fn(&[u64]) -> Vec<f64> + Sync) -> Counts {
    let wanted = Counts::new(BITS);
    at_once(THREADS, |thread| {
        let (mut left, mut seed) = (requests / THREADS as u64, (thread as u64) << 32);
        while left > 0 {
            let size = sizes(mix(!seed)).min(left);
            let masks: Vec<u64> = (0..size).map(|k| mix(seed + k) % (1 << BITS)).collect();
            seed += size;
            left -= size;
            for (value, &mask) in ask(&masks).into_iter().zip(&masks) {
                assert_worth(value, mask);
                wanted.add(mask);
            }
        }
    });
    wanted
}

/// Every mask that was wanted was evaluated once, and no other; each request is a hit or a miss.
#[track_caller]
fn assert_once<S: Store<f64>, G: TryGame<Value = f64>>(counts: &Counts, wanted: &Counts, cached: &Cached<G, S>) {
    for (mask, (evaluated, wanted)) in counts.all().into_iter().zip(wanted.all()).enumerate() {
        assert_eq!(evaluated, u32::from(wanted > 0), "{mask:b}, which was wanted {wanted} times");
    }
    let stats = cached.stats();
    assert_eq!((stats.misses, stats.hits + stats.misses), (counts.sum(), wanted.sum()));
    assert_eq!((stats.entries, stats.evictions), (counts.sum(), 0));
}

#[test]
fn a_million_requests_one_by_one() {
    must_end("a million requests", || {
        let counts = Counts::new(BITS);
        let cached = Cached::new(counting(BITS, &counts));
        let wanted = workload(
            1_000_000,
            |_| 1,
            |masks| masks.iter().map(|&mask| cached.try_value(&Coalition::from_mask(BITS, mask)).unwrap()).collect(),
        );
        assert_once(&counts, &wanted, &cached);
    });
}

/// Asks in batches of 1 to 100 coalitions, of which some are there twice, next to each other and apart.
fn in_batches<S: Store<f64, Error = std::convert::Infallible>>(requests: u64, n: usize, store: S) {
    let counts = Counts::new(BITS);
    let cached = Cached::with_store(counting(n, &counts), store);
    let sizes = |random: u64| if random.is_multiple_of(3) { 1 } else { random % 97 + 4 };
    let wanted = workload(requests, sizes, |masks| {
        let mut twice: Vec<u64> = masks.to_vec();
        twice.extend(masks.iter().step_by(3));
        twice.extend(masks.last());
        let coalitions: Vec<Coalition> = twice.iter().map(|&mask| spread(n, BITS, mask)).collect();
        let mut values = vec![-7.0];
        cached.try_values(&coalitions, &mut values).unwrap();
        let values = values.split_off(1);
        assert_eq!(values.len(), twice.len());
        values.iter().zip(&twice).for_each(|(&value, &mask)| assert_worth(value, mask));
        values
    });
    for (mask, (evaluated, wanted)) in counts.all().into_iter().zip(wanted.all()).enumerate() {
        assert_eq!(evaluated, u32::from(wanted > 0), "{mask:b} of {n} players");
    }
    assert_eq!((cached.stats().misses, cached.stats().evictions), (counts.sum(), 0));
}

#[test]
fn a_million_requests_in_batches() {
    must_end("batches", || in_batches(1_000_000, BITS, MemoryStore::unbounded()));
}

#[test]
fn each_layout_of_the_store_keeps_what_is_evaluated() {
    must_end("layouts", || {
        for n in [23, 64, 65, 128, 200] {
            in_batches(100_000, n, MemoryStore::unbounded());
        }
    });
}

#[test]
fn a_bounded_store_with_room_for_all_evaluates_once() {
    // Its parts fill unevenly, so that what is never full must be larger than what is in it.
    must_end("bounded", || {
        for n in [16, 100, 200] {
            in_batches(100_000, n, MemoryStore::bounded(1 << (BITS + 1)));
        }
    });
}

#[test]
fn each_failure_goes_to_one_who_asked_and_another_tries_again() {
    must_end("failures", || {
        for failures in [1, 2, 5, 15, 16] {
            let (counts, crowd) = (Counts::new(1), Crowd::new(THREADS));
            let cached = Cached::new(try_from_fn(1, |s| {
                crowd.gather();
                let number = counts.add(mask_of(s));
                if number < failures { Err(Failure(number.into())) } else { Ok(worth(1)) }
            }));
            let mut answers = at_once(THREADS, |_| {
                crowd.arrive();
                cached.try_value(&Coalition::grand(1))
            });
            answers.sort_by_key(|answer| answer.as_ref().map_or_else(|failure| failure.0, |_| u64::MAX));
            let mut answers = answers.into_iter();
            for number in 0..failures {
                assert_eq!(answers.next(), Some(Err(Failure(number.into()))));
            }
            answers.for_each(|answer| assert_worth(answer.unwrap(), 1));
            let paid = u64::from(failures + 1).min(THREADS as u64);
            let stats = cached.stats();
            assert_eq!((counts.sum(), stats.misses, stats.hits), (paid, paid, THREADS as u64 - paid));
            assert_eq!(stats.entries, u64::from(failures < THREADS as u32));
        }
    });
}

#[test]
fn each_panic_goes_to_one_who_asked_and_another_tries_again() {
    must_end("panics", || {
        for panics in [1, 2, 5, 15, 16] {
            let (counts, crowd) = (Counts::new(1), Crowd::new(THREADS));
            let cached = Cached::new(from_fn(1, |s| {
                crowd.gather();
                let number = counts.add(mask_of(s));
                if number < panics {
                    resume_unwind(Box::new(number)); // a panic that prints nothing
                }
                worth(1)
            }));
            let answers = at_once(THREADS, |_| {
                crowd.arrive();
                catch_unwind(AssertUnwindSafe(|| cached.try_value(&Coalition::grand(1)).unwrap()))
            });
            let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
            let mut numbers: Vec<u32> = bad.into_iter().map(|bad| *bad.unwrap_err().downcast().unwrap()).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (0..panics).collect::<Vec<_>>());
            good.into_iter().for_each(|value| assert_worth(value.unwrap(), 1));
            let paid = u64::from(panics + 1).min(THREADS as u64);
            let stats = cached.stats();
            assert_eq!((counts.sum(), stats.misses, stats.hits), (paid, paid, THREADS as u64 - paid));
        }
    });
}

/// A batch of ten goes wrong at the sixth, while ten other threads wait for one of it each. Returns what the batch
/// gave, what the others got, and how often each was evaluated.
#[expect(clippy::type_complexity, reason = "it is looked at at once")]
fn half_way(
    wrong: impl Fn(u32) -> Result<f64, Failure> + Sync,
) -> (Option<(Vec<f64>, Result<(), Failure>)>, Vec<Option<Result<f64, Failure>>>, Vec<u32>) {
    let (counts, crowd) = (Counts::new(4), Crowd::new(10));
    let cached = Cached::new(try_from_fn(4, |s| {
        let mask = mask_of(s);
        let number = counts.add(mask);
        if mask == 0 {
            crowd.gather();
        }
        if mask == SIXTH { wrong(number) } else { Ok(worth(mask)) }
    }));
    let batch: Vec<Coalition> = (0..10).map(|mask| Coalition::from_mask(4, mask)).collect();
    let (batch, cached, counted) = (&batch, &cached, &counts);
    let answers = std::thread::scope(|scope| {
        let whole = scope.spawn(move || {
            let mut values = Vec::new();
            catch_unwind(AssertUnwindSafe(|| cached.try_values(batch, &mut values))).ok().map(|answer| (values, answer))
        });
        // All of the batch is in the air once the first of it is evaluated.
        while counted.of(0) == 0 {
            std::thread::yield_now();
        }
        let others = at_once(10, |number| {
            crowd.arrive();
            catch_unwind(AssertUnwindSafe(|| cached.try_value(&batch[number]))).ok()
        });
        (whole.join().unwrap(), others)
    });
    // What was found is there: nothing is evaluated again.
    let paid = counts.all();
    for number in (0..10).filter(|&number| matches!(answers.1[number], Some(Ok(_)))) {
        assert_worth(cached.try_value(&batch[number]).unwrap(), number as u64);
    }
    assert_eq!(counts.all(), paid);
    (answers.0, answers.1, paid)
}

const SIXTH: u64 = 5;

#[test]
fn those_who_wait_for_a_batch_that_fails_half_way_get_theirs() {
    must_end("half way", || {
        for fails_again in [false, true] {
            let wrong =
                |number: u32| if number == 0 || fails_again { Err(Failure(number.into())) } else { Ok(worth(SIXTH)) };
            let (batch, others, counts) = half_way(wrong);
            let (values, answer) = batch.unwrap();
            assert_eq!(answer, Err(Failure(0)));
            values.iter().zip(0..).for_each(|(&value, mask)| assert_worth(value, mask));
            assert_eq!(values.len(), 5);
            for (got, mask) in others.into_iter().zip(0..) {
                match got.unwrap() {
                    Err(failure) => assert!(mask == SIXTH && fails_again && failure == Failure(1)),
                    Ok(value) => assert_worth(value, mask),
                }
            }
            // Those before the failure got the batch's values, and those after it evaluated on their own.
            assert_eq!(counts, [1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
        }
    });
}

#[test]
fn those_who_wait_for_a_batch_that_panics_half_way_evaluate_on_their_own() {
    must_end("half way, panicking", || {
        for panics_again in [false, true] {
            let wrong = |number: u32| {
                if number == 0 || panics_again {
                    resume_unwind(Box::new(()));
                }
                Ok(worth(SIXTH))
            };
            let (batch, others, counts) = half_way(wrong);
            assert!(batch.is_none());
            for (got, mask) in others.into_iter().zip(0..) {
                match got {
                    None => assert!(mask == SIXTH && panics_again),
                    Some(value) => assert_worth(value.unwrap(), mask),
                }
            }
            // What the batch had found before was lost with it.
            assert_eq!(counts, [2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
        }
    });
}

#[test]
fn a_failure_half_way_in_a_solvers_batch_names_its_coalition_and_keeps_what_was_before() {
    for bad in [0, 1, 37, 63] {
        let counts = Counts::new(6);
        let cached = Cached::new(try_from_fn(6, |s| {
            counts.add(mask_of(s));
            if mask_of(s) == bad { Err(Failure(bad)) } else { Ok(worth(mask_of(s))) }
        }));
        for attempt in 1..=3 {
            match Exact::new().threads(1).batch(64).solve(&cached) {
                Err(Error::Game { coalition, source }) => {
                    assert_eq!((mask_of(&coalition), source), (bad, Failure(bad)))
                }
                other => panic!("{other:?}"),
            }
            // The failing one is paid again, and no other.
            let expected: Vec<u32> =
                (0..64).map(|mask| if mask == bad { attempt } else { u32::from(mask < bad) }).collect();
            assert_eq!(counts.all(), expected);
            let stats = cached.stats();
            assert_eq!((stats.misses, stats.entries), (bad + u64::from(attempt), bad));
            assert_eq!(stats.hits, bad * u64::from(attempt - 1));
        }
    }
}

#[test]
fn batches_that_overlap_in_opposite_orders_do_not_wait_for_each_other() {
    must_end("opposite orders", || {
        for round in 0..200 {
            let counts = Counts::new(6);
            let cached = Cached::new(from_fn(6, |s| {
                if counts.add(mask_of(s)).is_multiple_of(5) {
                    std::thread::yield_now();
                }
                worth(mask_of(s))
            }));
            // Up, down, and from the middle, each in batches of a size of its own.
            at_once(4, |thread| {
                let order = |k: u64| match thread {
                    0 => k,
                    1 => 63 - k,
                    2 => (k + 32) % 64,
                    _ => (k * 37 + round) % 64,
                };
                let coalitions: Vec<Coalition> = (0..64).map(|k| Coalition::from_mask(6, order(k))).collect();
                for batch in coalitions.chunks([64, 64, 7, 20][thread]) {
                    let mut values = Vec::new();
                    cached.try_values(batch, &mut values).unwrap();
                    batch.iter().zip(values).for_each(|(s, value)| assert_worth(value, mask_of(s)));
                }
            });
            assert_eq!(counts.all(), [1; 64]);
            assert_eq!((cached.stats().misses, cached.stats().hits), (64, 192));
        }
    });
}

#[test]
fn of_two_caches_behind_each_other_each_evaluates_once() {
    must_end("two caches", || {
        let counts = Counts::new(BITS);
        let inner = Cached::new(counting(BITS, &counts));
        let outer = Cached::new(inner.by_ref());
        let behind = Cached::with_store(inner.by_ref(), MemoryStore::bounded(1000));
        let wanted = workload(
            200_000,
            |random| random % 20 + 1,
            |masks| {
                let batch: Vec<Coalition> = masks.iter().map(|&mask| Coalition::from_mask(BITS, mask)).collect();
                let mut values = Vec::new();
                match masks[0] % 3 {
                    0 => inner.try_values(&batch, &mut values).unwrap(),
                    1 => outer.try_values(&batch, &mut values).unwrap(),
                    _ => behind.try_values(&batch, &mut values).unwrap(),
                }
                values
            },
        );
        for (mask, (evaluated, wanted)) in counts.all().into_iter().zip(wanted.all()).enumerate() {
            assert_eq!(evaluated, u32::from(wanted > 0), "{mask:b}");
        }
        let (inner, outer, behind) = (inner.stats(), outer.stats(), behind.stats());
        assert_eq!(inner.misses, counts.sum());
        let answered: u64 = [inner, outer, behind].iter().map(|stats| stats.hits + stats.misses).sum();
        assert_eq!(answered, wanted.sum() + outer.misses + behind.misses, "what the outer caches miss is asked twice");
        assert!(behind.entries <= 1000);
    });
}
