//! What an observer of the permutation sampler sees, and how it stops a run.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::common::compare::close;
use crate::common::estimates::assert_same;
use crate::common::ledger::Ledger;
use crate::common::masks::pseudo;
use crate::common::rough::hash_of;
use crate::samples::{saturating, within_a_minute};
use shapley::{Coalition, Estimate, Game, Permutation, Progress, Stopped, from_fn};

const THREADS: [usize; 3] = [1, 2, 4];

fn noise(players: usize) -> impl Game<Value = f64> {
    from_fn(players, |s| pseudo(1, hash_of(s)))
}

/// A run and all that its observer was shown.
fn seen(sampler: &Permutation, game: &impl Game<Value = f64>) -> (Estimate<f64>, Vec<Progress>) {
    let seen = Mutex::new(Vec::new());
    let observe = |progress: &Progress| {
        seen.lock().unwrap().push(progress.clone());
        ControlFlow::Continue(())
    };
    let estimate = sampler.clone().observe(observe).estimate(game).unwrap();
    (estimate, seen.into_inner().unwrap())
}

#[test]
fn counts_grow_to_the_end() {
    for (players, antithetic, batch, truncated) in [
        (2, false, 0, false),
        (3, true, 0, false),
        (5, true, 7, false),
        (16, true, 0, false),
        (16, false, 1, false),
        (16, true, 64, true),
        (16, false, 0, true),
        (70, true, 100, false),
    ] {
        for threads in THREADS {
            let how = format!("{players} players, antithetic {antithetic}, batches of {batch}, {threads} threads");
            let sampler = Permutation::new(3000).antithetic(antithetic).batch(batch).threads(threads);
            let sampler = if truncated { sampler.truncate(0.02) } else { sampler };
            let (estimate, seen) = match truncated {
                true => seen(&sampler, &from_fn(players, saturating)),
                false => seen(&sampler, &noise(players)),
            };
            // First v(∅) and v(N), and then more and more.
            let (first, last) = (&seen[0], &seen[seen.len() - 1]);
            assert!(first.evaluations >= 2 && seen.len() > 1, "{how}");
            let growing = |a: &Progress, b: &Progress| {
                a.evaluations < b.evaluations && a.permutations <= b.permutations && a.elapsed <= b.elapsed
            };
            assert!(seen.is_sorted_by(growing), "{how}");
            assert_eq!(
                (last.evaluations, last.permutations),
                (estimate.evaluations(), estimate.permutations()),
                "{how}"
            );
            for progress in &seen {
                assert!(progress.total >= progress.evaluations && progress.total <= 3000, "{how}: {progress:?}");
                // The two samples that came first may be of the same order, where there are few.
                assert!(progress.half_width > 0.0 || players <= 3, "{how}: {progress:?}");
                // Two samples are needed to know anything of how they differ.
                let samples = progress.permutations / if antithetic { 2 } else { 1 };
                assert_eq!(progress.half_width.is_infinite(), samples < 2, "{how}: {progress:?}");
            }
            if !truncated {
                assert!(seen.iter().all(|progress| progress.total == estimate.evaluations()), "{how}");
            }
            assert_eq!(last.total, last.evaluations, "{how}");
        }
    }
}

#[test]
fn the_half_width_is_that_of_the_intervals() {
    for (level, precision) in [(0.5, None), (0.95, None), (0.999, None), (0.95, Some(1e-6))] {
        let sampler = Permutation::new(2000).confidence(level).threads(1);
        let sampler = if let Some(precision) = precision { sampler.precision(precision) } else { sampler };
        let (estimate, seen) = seen(&sampler, &noise(6));
        let half = |player: usize| {
            let (low, high) = estimate.interval(player, level);
            (high - low) / 2.0
        };
        let largest = (0..6).map(half).fold(0.0, f64::max);
        assert!(close(seen[seen.len() - 1].half_width, largest, 1e-12), "{level}: {seen:?}");
    }
}

#[test]
fn nothing_to_estimate_is_known_at_once() {
    for (players, antithetic) in [(1, true), (1, false), (2, true)] {
        let sampler = Permutation::new(1000).antithetic(antithetic);
        let (estimate, seen) = seen(&sampler, &noise(players));
        let last = &seen[seen.len() - 1];
        assert_eq!((last.evaluations, last.total), (estimate.evaluations(), estimate.evaluations()));
        assert!(seen.iter().all(|progress| progress.total == estimate.evaluations()), "{seen:?}");
    }
}

/// The last report has the sample in it, although one player's takes no further evaluation.
#[test]
fn the_last_report_of_one_player_has_its_permutations() {
    for antithetic in [true, false] {
        let (estimate, seen) = seen(&Permutation::new(1000).antithetic(antithetic), &noise(1));
        assert_eq!(seen[seen.len() - 1].permutations, estimate.permutations());
    }
}

#[test]
fn what_precision_will_take_is_foreseen() {
    let sampler = Permutation::new(1_000_000).precision(0.03).threads(1);
    let (estimate, seen) = seen(&sampler, &noise(6));
    assert_eq!(estimate.stopped(), Stopped::Precision);
    assert!(seen.iter().all(|progress| progress.evaluations <= progress.total && progress.total <= 1_000_000));
    assert!(seen.iter().take_while(|progress| progress.permutations < 4).all(|progress| progress.total > 999_000));
    let last = &seen[seen.len() - 1];
    assert_eq!((last.evaluations, last.total), (estimate.evaluations(), estimate.evaluations()));
    // With many samples the guess is a look or so from the truth.
    for progress in seen.iter().filter(|progress| progress.permutations > 200) {
        let ratio = progress.total as f64 / estimate.evaluations() as f64;
        assert!((0.4..2.5).contains(&ratio), "{progress:?}");
    }
}

#[test]
fn breaking_at_once_leaves_one_sample() {
    for (players, antithetic, batch) in [(3, true, 0), (8, true, 0), (8, false, 3), (70, true, 64), (8, true, 4096)] {
        for threads in THREADS {
            let calls = AtomicU64::new(0);
            let observe = |_: &Progress| {
                calls.fetch_add(1, Ordering::SeqCst);
                ControlFlow::Break(())
            };
            let sampler = Permutation::new(10_000).antithetic(antithetic).batch(batch).threads(threads);
            let estimate = sampler.observe(observe).estimate(&noise(players)).unwrap();
            assert_eq!((estimate.stopped(), calls.into_inner()), (Stopped::Observer, 1));
            let walks = if antithetic { 2 } else { 1 };
            assert_eq!(estimate.permutations(), walks, "{players} players, {threads} threads");
            assert!(estimate.std_errors().iter().all(|error| error.is_infinite()));
        }
    }
}

#[test]
fn breaking_after_some_calls_keeps_what_was_finished() {
    for (after, batch) in [2, 3, 10, 50].into_iter().flat_map(|after| [(after, 0), (after, 5)]) {
        for threads in THREADS {
            let (calls, shown) = (AtomicU64::new(0), AtomicU64::new(0));
            let observe = |progress: &Progress| {
                shown.store(progress.evaluations, Ordering::SeqCst);
                match calls.fetch_add(1, Ordering::SeqCst) + 1 >= after {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            };
            let ledger = Ledger::new(8, |s: &Coalition| {
                // Slow enough that it is not over before the observer has broken.
                std::thread::sleep(Duration::from_micros(20));
                pseudo(1, hash_of(s))
            });
            let sampler = Permutation::new(1_000_000).batch(batch).threads(threads);
            let estimate = sampler.observe(observe).estimate(&ledger.walked()).unwrap();
            let how = format!("{after} calls, batches of {batch}, {threads} threads");
            assert_eq!((estimate.stopped(), calls.into_inner()), (Stopped::Observer, after), "{how}");
            assert!(estimate.evaluations() >= shown.into_inner(), "{how}");
            let asked: usize = ledger.take().iter().map(|call| call.len()).sum();
            assert_eq!(estimate.evaluations(), asked as u64, "{how}: all that was made is in it");
            let same = Permutation::new(estimate.evaluations()).estimate(&noise(8)).unwrap();
            assert_eq!((same.values(), same.std_errors()), (estimate.values(), estimate.std_errors()), "{how}");
        }
    }
}

#[test]
fn a_break_at_the_very_end_changes_nothing() {
    for threads in THREADS {
        let plain = Permutation::new(702).estimate(&noise(8)).unwrap();
        assert_eq!(plain.evaluations(), 702);
        let observe = |progress: &Progress| match progress.evaluations == progress.total {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let estimate = Permutation::new(702).threads(threads).observe(observe).estimate(&noise(8)).unwrap();
        assert_same(&estimate, &plain, &format!("{threads} threads"));
        // A budget that is not a whole number of samples ends at the last that fits.
        let estimate = Permutation::new(710).threads(threads).observe(observe).estimate(&noise(8)).unwrap();
        assert_same(&estimate, &plain, &format!("{threads} threads"));
    }
}

#[test]
fn observing_changes_nothing() {
    for (threads, batch) in [(1, 0), (2, 7), (4, 0)] {
        let sampler = Permutation::new(5000).threads(threads).batch(batch);
        assert_same(&seen(&sampler, &noise(9)).0, &sampler.estimate(&noise(9)).unwrap(), "");
    }
}

/// One call at a time, however slow it is: the samplers do not wait for it.
#[test]
fn an_observer_is_alone() {
    for (threads, batch) in [(2, 0), (4, 0), (4, 5)] {
        let (busy, met, last) = (AtomicBool::new(false), AtomicBool::new(false), AtomicU64::new(0));
        let observe = |progress: &Progress| {
            met.fetch_or(busy.swap(true, Ordering::SeqCst), Ordering::SeqCst);
            std::thread::sleep(Duration::from_micros(200));
            last.store(progress.evaluations, Ordering::SeqCst);
            busy.store(false, Ordering::SeqCst);
            ControlFlow::Continue(())
        };
        let sampler = Permutation::new(20_000).threads(threads).batch(batch).observe(observe);
        let estimate = sampler.estimate(&noise(8)).unwrap();
        assert!(!met.into_inner(), "{threads} threads");
        assert_eq!(last.into_inner(), estimate.evaluations());
    }
}

#[test]
fn a_resumed_run_counts_from_where_it_was() {
    let first = Permutation::new(500).estimate(&noise(8)).unwrap();
    let seen = Mutex::new(Vec::new());
    let observe = |progress: &Progress| {
        seen.lock().unwrap().push(progress.clone());
        ControlFlow::Continue(())
    };
    let more = Permutation::new(2002).observe(observe).resume(&noise(8), &first).unwrap();
    let seen = seen.into_inner().unwrap();
    for progress in &seen {
        assert!(progress.evaluations > first.evaluations() && progress.permutations >= first.permutations());
        assert!(progress.half_width.is_finite() && progress.total == more.evaluations(), "{progress:?}");
    }
    assert_eq!(more.evaluations(), 4 + 142 * 14);
    let last = seen.last().map(|last| (last.evaluations, last.permutations));
    assert_eq!(last, Some((more.evaluations(), more.permutations())));
}

/// An observer may look at another estimate, by the same threads.
#[test]
fn an_observer_may_sample_itself() {
    let run = || {
        let observe = |_: &Progress| match Permutation::new(50).threads(2).estimate(&noise(5)) {
            Ok(_) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        Permutation::new(3000).threads(2).observe(observe).estimate(&noise(8)).unwrap().stopped()
    };
    assert_eq!(within_a_minute(run), Ok(Stopped::Evaluations));
}
