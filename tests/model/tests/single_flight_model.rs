//! Single flight, in every order that the steps of two or three threads can come in. `loom` goes through them:
//!
//! `cargo test --release -p shapley-model`
//!
//! A model ends badly if a thread waits for ever, in any order. Where there are too many orders, those are gone through
//! in which a thread is interrupted in the middle of its work at most so many times.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;
use shapley::store::{Store, StoreError};
use shapley::{Coalition, TryGame, try_from_fn};
use shapley_model::Cached;

const N: usize = 3;

/// Goes through all orders, or those with at most so many interruptions. Prints how many that were.
fn explore(interruptions: impl Into<Option<usize>>, model: impl Fn() + Send + Sync + 'static) {
    let orders = Arc::new(AtomicU64::new(0));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = interruptions.into();
    builder.max_branches = 10_000;
    let count = orders.clone();
    builder.check(move || {
        count.fetch_add(1, Relaxed);
        model();
    });
    println!("{} orders", orders.load(Relaxed));
}

fn set(mask: u64) -> Coalition {
    Coalition::from_mask(N, mask)
}

fn worth(mask: u64) -> u64 {
    (mask as f64 + 0.5).to_bits()
}

/// A store that the model sees into: every call is a step of its own.
#[derive(Default)]
struct Modelled(Mutex<Vec<(Coalition, f64)>>);

impl Store<f64> for Modelled {
    type Error = Infallible;

    fn get(&self, coalition: &Coalition) -> Result<Option<f64>, Infallible> {
        Ok(self.0.lock().unwrap().iter().find(|(key, _)| key == coalition).map(|(_, value)| *value))
    }

    fn insert(&self, coalition: &Coalition, value: &f64) -> Result<(), Infallible> {
        self.0.lock().unwrap().push((coalition.clone(), *value));
        Ok(())
    }

    fn len(&self) -> u64 {
        self.0.lock().unwrap().len() as u64
    }
}

/// How often each coalition was evaluated. To count is a step, at which others can interrupt an evaluation.
#[derive(Default)]
struct Counts([AtomicU32; 1 << N]);

impl Counts {
    fn add(&self, coalition: &Coalition) -> u32 {
        self.0[coalition.mask().unwrap() as usize].fetch_add(1, Ordering::Relaxed)
    }

    fn of(&self, mask: u64) -> u32 {
        self.0[mask as usize].load(Ordering::Relaxed)
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Failure;

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("as the model wants")
    }
}

impl std::error::Error for Failure {}

type Answer = Result<f64, Failure>;

/// A cached game that counts, and of which `answer` says what comes of the evaluation of that number.
fn cached(
    counts: &Arc<Counts>,
    answer: impl Fn(&Coalition, u32) -> Answer + Send + Sync + 'static,
) -> Arc<Cached<impl TryGame<Value = f64, Error = Failure> + Send + 'static, Modelled>> {
    let counts = counts.clone();
    let game = try_from_fn(N, move |s| answer(s, counts.add(s)));
    Arc::new(Cached::with_store(game, Modelled::default()))
}

fn good(coalition: &Coalition) -> Answer {
    Ok(f64::from_bits(worth(coalition.mask().unwrap())))
}

fn wants<G: TryGame<Value = f64>, S: Store<f64>>(cached: &Cached<G, S>, mask: u64) -> Result<(), ()> {
    cached.try_value(&set(mask)).map(|value| assert_eq!(value.to_bits(), worth(mask))).map_err(|_| ())
}

fn wants_all<G: TryGame<Value = f64>, S: Store<f64>>(cached: &Cached<G, S>, masks: &[u64]) -> Result<(), ()> {
    let coalitions: Vec<_> = masks.iter().map(|&mask| set(mask)).collect();
    let mut values = Vec::new();
    let answer = cached.try_values(&coalitions, &mut values);
    masks.iter().zip(&values).for_each(|(&mask, value)| assert_eq!(value.to_bits(), worth(mask)));
    assert!(answer.is_err() || values.len() == masks.len());
    answer.map_err(|_| ())
}

/// Runs some threads, the first of them the model's own, and returns what they say.
fn threads<T: 'static>(work: Vec<Box<dyn FnOnce() -> T + Send>>) -> Vec<T> {
    let mut work = work.into_iter();
    let first = work.next().expect("a thread");
    let others: Vec<_> = work.map(thread::spawn).collect();
    let first = first();
    std::iter::once(first).chain(others.into_iter().map(|other| other.join().unwrap())).collect()
}

/// The same work on some threads.
fn all<T: 'static, C: Send + Sync + 'static>(
    count: usize,
    shared: &Arc<C>,
    work: impl Fn(&C, usize) -> T + Clone + Send + 'static,
) -> Vec<T> {
    let one = |number| {
        let (shared, work) = (shared.clone(), work.clone());
        Box::new(move || work(&shared, number)) as Box<dyn FnOnce() -> T + Send>
    };
    threads((0..count).map(one).collect())
}

fn one_coalition(count: usize, interruptions: impl Into<Option<usize>>) {
    explore(interruptions, move || {
        let counts = Arc::default();
        let cached = cached(&counts, |s, _| good(s));
        let answers = all(count, &cached, |cached, _| wants(cached, 1));
        assert_eq!(answers, vec![Ok(()); count]);
        assert_eq!(counts.of(1), 1);
        let stats = cached.stats();
        assert_eq!((stats.misses, stats.hits, stats.entries), (1, count as u64 - 1, 1));
    });
}

/// A store that has a value from before: one of two threads evaluates it again, and the other waits.
#[test]
fn a_store_with_a_value_is_checked_once() {
    explore(None, || {
        let counts = Arc::new(Counts::default());
        let cached = cached(&counts, |s, _| good(s));
        cached.store().insert(&set(7), &f64::from_bits(worth(7))).unwrap();
        let other = {
            let cached = cached.clone();
            thread::spawn(move || wants(&cached, 7))
        };
        assert_eq!(wants(&cached, 7), Ok(()));
        assert_eq!(other.join().unwrap(), Ok(()));
        assert_eq!(counts.of(7), 1);
    });
}

#[test]
fn two_threads_want_one_coalition_which_is_evaluated_once() {
    one_coalition(2, None);
}

#[test]
fn three_threads_want_one_coalition_which_is_evaluated_once() {
    one_coalition(3, 4);
}

/// The first evaluation fails, on one thread; another tries again, and all others get what it finds.
fn first_fails(count: usize, interruptions: impl Into<Option<usize>>) {
    explore(interruptions, move || {
        let counts = Arc::default();
        let cached = cached(&counts, |s, number| if number == 0 { Err(Failure) } else { good(s) });
        let answers = all(count, &cached, |cached, _| wants(cached, 1));
        assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
        assert_eq!(counts.of(1), 2);
        let stats = cached.stats();
        assert_eq!((stats.misses, stats.hits, stats.entries), (2, count as u64 - 2, 1));
    });
}

#[test]
fn what_fails_is_tried_again_by_one_of_those_who_wait() {
    first_fails(2, None);
    first_fails(3, 3);
}

#[test]
fn what_panics_is_tried_again() {
    explore(4, || {
        let counts = Arc::default();
        let cached = cached(&counts, |s, number| {
            if number == 0 {
                resume_unwind(Box::new(()));
            }
            good(s)
        });
        let answers = all(2, &cached, |cached, _| catch_unwind(AssertUnwindSafe(|| wants(cached, 1))));
        assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
        assert_eq!(counts.of(1), 2);
        assert_eq!((cached.stats().misses, cached.stats().hits), (2, 0));
    });
}

#[test]
fn overlapping_batches_are_evaluated_once_in_whatever_order() {
    for batches in [[&[1, 2][..], &[2, 1]], [&[1, 2], &[2, 3]], [&[1, 1], &[1]]] {
        explore(4, move || {
            let counts = Arc::default();
            let cached = cached(&counts, |s, _| good(s));
            let answers = all(2, &cached, move |cached, number| wants_all(cached, batches[number]));
            assert_eq!(answers, [Ok(()); 2]);
            let wanted = |mask| batches.iter().any(|batch| batch.contains(&mask));
            (0..1 << N).for_each(|mask| assert_eq!(counts.of(mask), u32::from(wanted(mask)), "{mask}"));
            let stats = cached.stats();
            assert_eq!(stats.hits + stats.misses, batches.iter().map(|batch| batch.len() as u64).sum::<u64>());
        });
    }
}

#[test]
fn three_batches_in_a_ring_do_not_wait_for_each_other() {
    explore(2, || {
        let counts = Arc::default();
        let cached = cached(&counts, |s, _| good(s));
        let batches = [[1, 2], [2, 3], [3, 1]];
        assert_eq!(all(3, &cached, move |cached, number| wants_all(cached, &batches[number])), [Ok(()); 3]);
        assert_eq!([1, 2, 3].map(|mask| counts.of(mask)), [1; 3]);
    });
}

#[test]
fn a_batch_that_fails_half_way_leaves_to_others_what_it_did_not_find() {
    explore(4, || {
        let counts = Arc::default();
        let cached = cached(&counts, |s, number| match s.mask() {
            Some(2) if number == 0 => Err(Failure),
            _ => good(s),
        });
        let batches = [&[1, 2, 3][..], &[3, 2]];
        let answers = all(2, &cached, move |cached, number| wants_all(cached, batches[number]));
        assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
        // What is beyond a failure is wanted no more, or is found by the other.
        assert_eq!(counts.of(2), 2);
        assert!([1, 3].into_iter().all(|mask| counts.of(mask) <= 1));
    });
}

#[test]
fn who_looks_while_another_lands_does_not_evaluate_again() {
    // One by one and in a batch, so that what is missed is looked up again, as a whole and in part.
    explore(4, || {
        let counts = Arc::default();
        let cached = cached(&counts, |s, _| good(s));
        let answers = all(2, &cached, |cached, number| match number {
            0 => wants(cached, 1).and_then(|()| wants(cached, 2)),
            _ => wants_all(cached, &[1, 2]),
        });
        assert_eq!(answers, [Ok(()); 2]);
        assert_eq!([1, 2].map(|mask| counts.of(mask)), [1; 2]);
        assert_eq!((cached.stats().misses, cached.stats().hits), (2, 2));
    });
}

#[test]
fn a_walk_meets_a_batch() {
    explore(4, || {
        let counts = Arc::default();
        let cached = cached(&counts, |s, _| good(s));
        let answers = all(2, &cached, |cached, number| match number {
            0 => cached.try_walk(&[0, 1], &mut Vec::new()).map_err(|_| ()),
            _ => wants_all(cached, &[3, 1]),
        });
        assert_eq!(answers, [Ok(()); 2]);
        assert_eq!([1, 3].map(|mask| counts.of(mask)), [1; 2]);
    });
}

/// A store whose second look fails: the claim is given up without a landing, as by a panic.
#[test]
fn a_claim_that_is_given_up_can_be_claimed_by_those_who_wait() {
    struct Failing(Modelled, AtomicU32, u32);

    impl Store<f64> for Failing {
        type Error = StoreError<Failure>;

        fn get(&self, coalition: &Coalition) -> Result<Option<f64>, Self::Error> {
            if self.1.fetch_add(1, Ordering::Relaxed) == self.2 {
                return Err(Failure.into());
            }
            Ok(self.0.get(coalition).unwrap_or_else(|never| match never {}))
        }

        fn insert(&self, coalition: &Coalition, value: &f64) -> Result<(), Self::Error> {
            self.0.insert(coalition, value).unwrap_or_else(|never| match never {});
            Ok(())
        }

        fn len(&self) -> u64 {
            self.0.len()
        }
    }

    for look in 0..8 {
        explore(4, move || {
            let counts: Arc<Counts> = Arc::default();
            let counted = counts.clone();
            let game = try_from_fn(N, move |s| {
                counted.add(s);
                good(s)
            });
            let cached = Arc::new(Cached::with_store(game, Failing(Modelled::default(), AtomicU32::new(0), look)));
            let answers = all(2, &cached, |cached, number| match number {
                0 => wants(cached, 1),
                _ => wants_all(cached, &[1, 2]),
            });
            assert!(answers.iter().filter(|answer| answer.is_err()).count() <= 1);
            assert!([1, 2].into_iter().all(|mask| counts.of(mask) <= 1));
        });
    }
}

/// A game that asks its own cache: {0} for {1}, and {1} for {0}, each at its first evaluation, if `both`.
struct Asking {
    both: bool,
    counts: Counts,
    cache: OnceLock<Weak<Cached<Asking, Modelled>>>,
}

impl TryGame for Asking {
    type Value = f64;
    type Error = Failure;

    fn num_players(&self) -> usize {
        N
    }

    fn try_value(&self, coalition: &Coalition) -> Answer {
        let first = self.counts.add(coalition) == 0;
        let cache = self.cache.get().and_then(Weak::upgrade).expect("the cache is there while it asks");
        match coalition.mask() {
            Some(1) if first => wants(&cache, 2).map_err(|()| Failure)?,
            Some(2) if first && self.both => wants(&cache, 1).map_err(|()| Failure)?,
            _ => {}
        }
        good(coalition)
    }
}

fn asking(both: bool) -> Arc<Cached<Asking, Modelled>> {
    let game = Asking { both, counts: Counts::default(), cache: OnceLock::new() };
    let cached = Arc::new(Cached::with_store(game, Modelled::default()));
    cached.game().cache.set(Arc::downgrade(&cached)).unwrap_or_else(|_| panic!("set once"));
    cached
}

#[test]
fn a_game_that_asks_its_own_cache_meets_who_wants_the_same() {
    explore(4, || {
        let cached = asking(false);
        let answers = all(2, &cached, |cached, number| match number {
            0 => wants(cached, 1),
            _ => wants(cached, 2).and_then(|()| wants(cached, 1)),
        });
        assert_eq!(answers, [Ok(()); 2]);
        assert_eq!([1, 2].map(|mask| cached.game().counts.of(mask)), [1; 2]);
    });
}

#[test]
fn threads_that_ask_each_other_do_not_wait_in_a_circle() {
    explore(4, || {
        let cached = asking(true);
        assert_eq!(all(2, &cached, |cached, number| wants(cached, 1 + number as u64)), [Ok(()); 2]);
        // Whoever would close the circle evaluates once more, and nobody else.
        assert_eq!([1, 2].map(|mask| cached.game().counts.of(mask)).iter().sum::<u32>(), 3);
    });
}

#[test]
fn threads_that_have_waited_before_do_not_wait_in_a_circle() {
    explore(3, || {
        let cached = asking(true);
        let answers =
            all(2, &cached, |cached, number| wants(cached, 3).and_then(|()| wants(cached, 1 + number as u64)));
        assert_eq!(answers, [Ok(()); 2]);
        assert_eq!(cached.game().counts.of(3), 1);
        assert_eq!([1, 2].map(|mask| cached.game().counts.of(mask)).iter().sum::<u32>(), 3);
    });
}

#[test]
fn batches_that_ask_within_themselves_do_not_wait_for_each_other() {
    explore(4, || {
        let cached = asking(false);
        let batches = [[2, 1], [1, 2]];
        assert_eq!(all(2, &cached, move |cached, number| wants_all(cached, &batches[number])), [Ok(()); 2]);
        // Of a coalition in one's own batch a second evaluation is allowed.
        assert!(cached.game().counts.of(1) == 1 && cached.game().counts.of(2) <= 2);
    });
}
