//! Runs that end early, because the observer wants so or because something is wrong: nothing hangs, nothing that was
//! finished is lost, and nobody is asked for more.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use crate::common::bad_batches::BadBatches;
use crate::common::failing::Failure;
use crate::common::masks::mask_of;
use shapley::{Attribution, Coalition, Error, Exact, Game, Progress, Table, exact, from_fn};

const THREADS: [usize; 3] = [1, 2, 4];

/// As many players as give many batches: 2^14 coalitions in batches of 512 at the most.
const MANY: usize = 14;

fn ones(players: usize) -> impl Game<Value = f64> {
    from_fn(players, |s| s.len() as f64)
}

#[test]
fn an_observer_sees_counts_that_grow_to_the_end() {
    for n in [1, 6, MANY] {
        let table = Table::tabulate(&ones(n)).unwrap();
        let games: [Box<dyn Game<Value = f64>>; 2] = [Box::new(ones(n)), Box::new(table)];
        for (game, threads) in games.iter().flat_map(|game| THREADS.map(|threads| (game, threads))) {
            let seen = Mutex::new(Vec::new());
            let observe = |progress: &Progress| {
                assert_eq!(progress.total, 1 << n);
                seen.lock().unwrap().push((progress.evaluations, progress.elapsed));
                ControlFlow::Continue(())
            };
            let phi = Exact::new().threads(threads).observe(observe).solve(game).unwrap();
            assert_eq!(phi.evaluations(), 1 << n);
            let seen = seen.lock().unwrap();
            assert!(seen.is_sorted_by(|(a, s), (b, t)| a < b && s <= t), "{seen:?}");
            assert!(seen.first().is_some_and(|&(count, _)| count > 0));
            assert_eq!(seen.last().map(|&(count, _)| count), Some(1 << n));
        }
    }
}

#[test]
fn an_observer_can_stop() {
    for threads in THREADS {
        for after in [1, 2000, (1 << MANY) - 1] {
            // On several threads the rest may be done by the time the observer has broken, which then loses nothing:
            // so what it leaves must take long, and it must not be the last.
            let slow = threads > 1;
            if slow && after > 2000 {
                continue;
            }
            let game = from_fn(MANY, |_| {
                if slow {
                    std::thread::sleep(Duration::from_micros(20));
                }
                1.0
            });
            let broke_at = Mutex::new(Vec::new());
            let observe = |progress: &Progress| match progress.evaluations {
                made if made < after => ControlFlow::Continue(()),
                made => {
                    broke_at.lock().unwrap().push(made);
                    ControlFlow::Break(())
                }
            };
            // In batches of one, every count is seen on one thread.
            let result = Exact::new().threads(threads).batch(1).observe(observe).solve(&game);
            let broke_at = broke_at.lock().unwrap();
            let error = result.expect_err("it broke");
            let Error::Stopped { evaluations, total } = error else { panic!("{error:?}") };
            assert_eq!(*broke_at, [evaluations], "it is not asked again");
            assert_eq!(total, 1 << MANY);
            assert_eq!(error.to_string(), format!("stopped by the observer after {evaluations} of 16384 evaluations"));
        }
    }
}

#[test]
fn a_break_at_the_very_end_loses_nothing() {
    for threads in THREADS {
        let at_the_end = |progress: &Progress| match progress.evaluations == progress.total {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let bits = |phi: Attribution<f64>| phi.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let phi = Exact::new().threads(threads).observe(at_the_end).solve(&ones(MANY)).unwrap();
        assert_eq!(bits(phi), bits(exact(&ones(MANY)).unwrap()));
    }
    // A game of one batch is at its end with the first report.
    assert!(Exact::new().batch(4096).observe(|_: &Progress| ControlFlow::Break(())).solve(&ones(3)).is_ok());
}

/// What the panic says that comes out of `run`, which has a minute to end.
fn panic_of<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let payload = catch_unwind(AssertUnwindSafe(run)).err();
        let text = payload.map(|payload| payload.downcast::<String>().map_or_else(|_| "?".to_owned(), |text| *text));
        // Nobody listens any more if the minute is over.
        _ = sender.send(text);
    });
    receiver.recv_timeout(Duration::from_secs(60)).expect("a panic must not make the solver wait forever")
}

#[test]
fn a_panic_comes_through() {
    // `resume_unwind` is a panic without the message on standard error.
    for threads in THREADS {
        for bad in [0, 5000, (1 << MANY) - 1] {
            let game = from_fn(MANY, move |s| match mask_of(s) {
                mask if mask == bad => resume_unwind(Box::new(format!("bang at {mask}"))),
                _ => s.len() as f64,
            });
            let run = move || Exact::new().threads(threads).solve(&game).is_ok();
            assert_eq!(panic_of(run), Some(format!("bang at {bad}")), "{threads} threads");
        }
        let observe = |progress: &Progress| match progress.evaluations > 3000 {
            true => resume_unwind(Box::new("seen enough".to_owned())),
            false => ControlFlow::Continue(()),
        };
        let run = move || Exact::new().threads(threads).observe(observe).solve(&ones(MANY)).is_ok();
        assert_eq!(panic_of(run), Some("seen enough".to_owned()), "{threads} threads");
    }
    // The threads are fit for work after that.
    assert!(exact(&ones(MANY)).is_ok());
}

/// What goes wrong, at one mask.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Fails,
    NotFinite,
    BatchLength,
}

const WRONGS: [Wrong; 3] = [Wrong::Fails, Wrong::NotFinite, Wrong::BatchLength];

/// The number of batches asked for from the moment that the one with the bad mask is answered.
fn batches_after(wrong: Wrong, bad: u64, threads: usize, batch: usize) -> u64 {
    /// Longer than the solver takes to see what is wrong, on any machine that is not at a standstill.
    const SLOW: Duration = Duration::from_millis(10);
    let (going_wrong, answered) = (AtomicBool::new(false), AtomicBool::new(false));
    let after = AtomicU64::new(0);
    let game = BadBatches(MANY, |coalitions: &[Coalition], values: &mut Vec<f64>| {
        let first = values.len();
        values.extend(coalitions.iter().map(|s| s.len() as f64));
        if answered.load(Ordering::SeqCst) {
            after.fetch_add(1, Ordering::SeqCst);
        }
        let Some(place) = coalitions.iter().position(|s| mask_of(s) == bad) else {
            // So that the other threads are not through with everything before it has gone wrong.
            if going_wrong.load(Ordering::SeqCst) {
                std::thread::sleep(SLOW);
            }
            return Ok(());
        };
        going_wrong.store(true, Ordering::SeqCst);
        std::thread::sleep(2 * SLOW);
        answered.store(true, Ordering::SeqCst);
        match wrong {
            Wrong::Fails => return Err(Failure(bad)),
            Wrong::NotFinite => values[first + place] = f64::NAN,
            Wrong::BatchLength => values.push(0.0),
        }
        Ok(())
    });
    let error = Exact::new().threads(threads).batch(batch).solve(&game).expect_err("something is wrong");
    match (wrong, error) {
        (Wrong::Fails, Error::Game { .. })
        | (Wrong::NotFinite, Error::NotFinite { .. })
        | (Wrong::BatchLength, Error::BatchLength { .. }) => {}
        (wrong, error) => panic!("{wrong:?} was reported as {error}"),
    }
    after.load(Ordering::SeqCst)
}

/// All that goes on for longer than a number of threads may: on each other thread one batch can have been begun in the
/// moment before the solver knew.
fn going_on_for_too_long(threads: usize, batches: &[usize]) -> Vec<String> {
    let mut too_long = Vec::new();
    for wrong in WRONGS {
        for bad in [0, 77, 5000] {
            for &batch in batches {
                let after = batches_after(wrong, bad, threads, batch);
                if after >= threads as u64 {
                    too_long.push(format!("{wrong:?} at {bad}, batches of {batch}, {threads} threads: {after} more"));
                }
            }
        }
    }
    too_long
}

#[test]
fn after_an_error_no_batch_is_begun() {
    for threads in THREADS {
        assert_eq!(going_on_for_too_long(threads, &[0, 64, 4096]), Vec::<String>::new());
    }
}

#[test]
fn after_an_error_no_small_batch_is_begun_on_one_thread() {
    assert_eq!(going_on_for_too_long(1, &[1, 8]), Vec::<String>::new());
}

#[test]
fn after_an_error_no_small_batch_is_begun_on_many_threads() {
    assert_eq!(going_on_for_too_long(2, &[1, 8]), Vec::<String>::new());
    assert_eq!(going_on_for_too_long(4, &[1, 8]), Vec::<String>::new());
}
