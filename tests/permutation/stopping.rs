//! What ends a run of the permutation sampler, which of several rules it was, and that nothing hangs whatever happens.
//! What an observer sees is in `permutation_observer.rs`.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::common::compare::close;
use crate::common::estimates::assert_same;
use crate::common::masks::pseudo;
use crate::common::resumed::assert_same_samples;
use crate::common::rough::hash_of;
use crate::samples::within_a_minute;
use shapley::{Coalition, Error, Estimate, Game, Permutation, Progress, Stopped, from_fn};

const THREADS: [usize; 3] = [1, 2, 4];

/// The numbers of samples at which precision is looked at.
fn looks(most: u64) -> Vec<u64> {
    std::iter::successors(Some(30), |look| Some(look + look / 2)).take_while(|&look| look <= most).collect()
}

fn noise(players: usize) -> impl Game<Value = f64> {
    from_fn(players, |s| pseudo(1, hash_of(s)))
}

fn slow(players: usize, each: Duration) -> impl Game<Value = f64> {
    from_fn(players, move |s| {
        std::thread::sleep(each);
        pseudo(1, hash_of(s))
    })
}

fn half_width(estimate: &Estimate<f64>, level: f64) -> f64 {
    let half = |player: usize| {
        let (low, high) = estimate.interval(player, level);
        (high - low) / 2.0
    };
    (0..estimate.values().len()).map(half).fold(0.0, f64::max)
}

#[test]
fn precision_is_reached_at_the_first_look_that_has_it() {
    for (players, precision, confidence) in [(5, 0.1, 0.95), (5, 0.02, 0.9), (12, 0.1, 0.99), (12, 0.05, 0.5)] {
        let game = noise(players);
        let sampler = Permutation::new(500_000).precision(precision).confidence(confidence);
        let estimate = sampler.estimate(&game).unwrap();
        assert_eq!(estimate.stopped(), Stopped::Precision);
        assert!(half_width(&estimate, confidence) <= precision * (1.0 + 1e-12), "{players} {precision}");
        let samples = estimate.permutations() / 2;
        let looks = looks(samples);
        assert_eq!(looks.last(), Some(&samples), "{players} {precision}");
        if let [.., before, _] = looks[..] {
            // The look before was not enough, by intervals that are as wide for as many looks.
            let budget = 2 + before * 2 * (players as u64 - 1);
            let short = Permutation::new(budget).estimate(&game).unwrap();
            let short = sampler.clone().observe(|_: &Progress| ControlFlow::Break(())).resume(&game, short).unwrap();
            assert!(short.permutations() < estimate.permutations());
            assert!(half_width(&short, confidence) > precision * 0.9, "{players} {precision}");
        }
        for threads in THREADS {
            let other = sampler.clone().threads(threads).batch(threads * 10).estimate(&game).unwrap();
            assert_same(&other, &estimate, &format!("{threads} threads"));
        }
    }
}

#[test]
fn precision_is_not_looked_at_before_30_samples() {
    let cost = 2 * 5;
    for (samples, stopped) in [(1, Stopped::Evaluations), (29, Stopped::Evaluations), (30, Stopped::Precision)] {
        // Nothing is known less precisely than this; and where nothing differs, nothing is known better.
        for game in [&noise(6) as &dyn Game<Value = f64>, &from_fn(6, |s| s.len() as f64)] {
            let estimate = Permutation::new(2 + samples * cost).precision(1e6).estimate(game).unwrap();
            assert_eq!((estimate.stopped(), estimate.permutations()), (stopped, 2 * samples));
        }
    }
    let estimate = Permutation::new(u64::MAX).precision(1e6).estimate(&noise(6)).unwrap();
    assert_eq!((estimate.stopped(), estimate.permutations()), (Stopped::Precision, 60));
    let single = Permutation::new(u64::MAX).antithetic(false).precision(1e6).estimate(&noise(6)).unwrap();
    assert_eq!((single.stopped(), single.permutations()), (Stopped::Precision, 30));
}

#[test]
fn a_precision_that_is_not_reached_changes_no_value() {
    let plain = Permutation::new(5000).estimate(&noise(8)).unwrap();
    let precise = Permutation::new(5000).precision(1e-6).estimate(&noise(8)).unwrap();
    assert_eq!((precise.stopped(), precise.evaluations()), (Stopped::Evaluations, plain.evaluations()));
    assert_eq!((precise.values(), precise.std_errors()), (plain.values(), plain.std_errors()));
    // With K looks in the budget, each interval is that of a level nearer to 1 by as much.
    for budget in [500, 5000, 50_000] {
        let count = looks((budget - 2) / 14).len() as f64;
        let plain = Permutation::new(budget).estimate(&noise(8)).unwrap();
        let precise = Permutation::new(budget).precision(1e-6).estimate(&noise(8)).unwrap();
        for level in [0.5, 0.9, 0.999] {
            let (low, high) = precise.interval(3, level);
            let (bottom, top) = plain.interval(3, 1.0 - (1.0 - level) / count);
            assert!(close(low, bottom, 1e-9) && close(high, top, 1e-9), "{budget}, {level}: {low} for {bottom}");
        }
    }
}

#[test]
fn a_deadline_of_nothing_leaves_one_sample() {
    for (players, antithetic) in [(1, true), (2, true), (2, false), (3, true), (10, false), (70, true)] {
        for threads in THREADS {
            for deadline in [Duration::ZERO, Duration::from_nanos(1)] {
                let sampler = Permutation::new(10_000).antithetic(antithetic).threads(threads).deadline(deadline);
                let estimate = sampler.estimate(&noise(players)).unwrap();
                let walks = if antithetic { 2 } else { 1 };
                assert_eq!(estimate.permutations(), walks, "{players} players, {threads} threads");
                let exact = players as u64 <= walks;
                let stopped = if exact { Stopped::Evaluations } else { Stopped::Deadline };
                assert_eq!(estimate.stopped(), stopped, "{players} players, {threads} threads");
                assert!(exact || estimate.std_errors().iter().all(|error| error.is_infinite()));
                // Going on, v(∅) and v(N) are paid for again, and so a sample is made.
                let more = sampler.resume(&noise(players), &estimate).unwrap();
                let walks = if exact { walks } else { 2 * walks };
                assert_eq!((more.stopped(), more.permutations()), (stopped, walks), "{players} players");
            }
        }
    }
}

#[test]
fn a_deadline_ends_a_run_in_its_time() {
    for threads in THREADS {
        let game = slow(6, Duration::from_micros(100));
        let begun = Instant::now();
        let sampler = Permutation::new(u64::MAX).threads(threads).deadline(Duration::from_millis(60));
        let estimate = sampler.estimate(&game).unwrap();
        let took = begun.elapsed();
        assert_eq!(estimate.stopped(), Stopped::Deadline);
        assert!(took >= Duration::from_millis(60) && took < Duration::from_secs(10), "{took:?}");
        // As many samples as there are, they are those of a run with a budget for them.
        let same = Permutation::new(estimate.evaluations()).estimate(&noise(6)).unwrap();
        assert_eq!((same.values(), same.std_errors()), (estimate.values(), estimate.std_errors()));
        let longer = Permutation::new(estimate.evaluations() + 500).resume(&noise(6), &estimate).unwrap();
        let whole = Permutation::new(longer.evaluations() - 2).estimate(&noise(6)).unwrap();
        assert_same_samples(&longer, &whole, 1, "resumed");
    }
}

#[test]
fn a_deadline_that_is_far_away_ends_nothing() {
    let plain = Permutation::new(500).estimate(&noise(6)).unwrap();
    for deadline in [Duration::from_secs(3600), Duration::MAX] {
        assert_same(&Permutation::new(500).deadline(deadline).estimate(&noise(6)).unwrap(), &plain, "");
    }
}

#[test]
fn of_several_rules_the_one_that_says_most_is_named() {
    let breaking = |_: &Progress| ControlFlow::Break(());
    for threads in THREADS {
        let sampler = Permutation::new(1000).threads(threads);
        let stopped = |sampler: &Permutation<_>| sampler.estimate(&noise(6)).unwrap().stopped();
        // What the observer wants comes before the deadline.
        let both = sampler.clone().deadline(Duration::ZERO).observe(breaking);
        assert_eq!(stopped(&both), Stopped::Observer, "{threads} threads");
        // A budget that is used up is used up, whatever else.
        let least = Permutation::new(12).threads(threads).deadline(Duration::ZERO).observe(breaking);
        assert_eq!(stopped(&least), Stopped::Evaluations, "{threads} threads");
        // A precision that is reached is reached, with the budget used up, late, and the observer gone.
        let budget = 2 + 30 * 10;
        let at_the_end = |progress: &Progress| match progress.evaluations == budget {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let precise = Permutation::new(budget).threads(threads).precision(1e6).observe(at_the_end);
        assert_eq!(precise.estimate(&noise(6)).unwrap().stopped(), Stopped::Precision, "{threads} threads");
        let thirty = Permutation::new(budget).estimate(&noise(6)).unwrap();
        let late = Permutation::new(1000).precision(1e6).deadline(Duration::ZERO).resume(&noise(6), thirty).unwrap();
        assert_eq!((late.stopped(), late.permutations()), (Stopped::Precision, 60));
    }
}

#[test]
fn settings_out_of_range_are_named_before_anything_is_asked() {
    let panicking =
        from_fn(5, |s: &Coalition| -> f64 { panic!("{s} was asked for before the settings were looked at") });
    let plain = || Permutation::new(1000);
    let positive = "positive and finite";
    let inside = "between 0 and 1, both excluded";
    let mut tried = Vec::new();
    for value in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        tried.push((plain().precision(value), "precision", value, positive));
        tried.push((plain().truncate(value), "the tolerance of truncation", value, positive));
        tried.push((plain().confidence(value), "confidence", value, inside));
    }
    for value in [1.0, 1.5, 95.0] {
        tried.push((plain().confidence(value).precision(0.1), "confidence", value, inside));
    }
    for (sampler, expected, number, range) in tried {
        match sampler.estimate(&panicking) {
            Err(Error::Setting { name, value, allowed }) => {
                assert_eq!((name, allowed), (expected, range));
                assert!(value.to_bits() == number.to_bits(), "{value} for {number}");
            }
            other => panic!("{expected} {number}: {other:?}"),
        }
        let text = sampler.estimate(&panicking).unwrap_err().to_string();
        assert_eq!(text, format!("{expected} cannot be {number}: it must be {range}"));
        // Settings are looked at before the budget.
        assert!(sampler.resume(&panicking, Permutation::new(100).estimate(&noise(5)).unwrap()).is_err());
    }
    for level in [f64::MIN_POSITIVE, 1e-9, 0.5, 1.0 - f64::EPSILON / 2.0] {
        let estimate = plain().confidence(level).precision(f64::MIN_POSITIVE).truncate(f64::MIN_POSITIVE);
        assert_eq!(estimate.estimate(&noise(5)).unwrap().stopped(), Stopped::Evaluations, "{level}");
    }
}

#[test]
fn a_panic_comes_through() {
    // `resume_unwind` is a panic without the message on standard error.
    for threads in THREADS {
        for (batch, bad) in [(0, 0), (0, 1), (0, 500), (0, 3000), (64, 1), (64, 900), (1, 700)] {
            let asked = AtomicU64::new(0);
            let game = from_fn(8, move |s| match asked.fetch_add(1, Ordering::SeqCst) {
                count if count == bad => resume_unwind(Box::new(format!("bang at {bad}"))),
                _ => pseudo(1, hash_of(s)),
            });
            let run = move || Permutation::new(20_000).threads(threads).batch(batch).estimate(&game).is_ok();
            assert_eq!(within_a_minute(run), Err(format!("bang at {bad}")), "{threads} threads");
        }
        for at in [2, 100, 5000] {
            let observe = move |progress: &Progress| match progress.evaluations >= at {
                true => resume_unwind(Box::new("seen enough".to_owned())),
                false => ControlFlow::Continue(()),
            };
            let run = move || Permutation::new(20_000).threads(threads).observe(observe).estimate(&noise(8)).is_ok();
            assert_eq!(within_a_minute(run), Err("seen enough".to_owned()), "{threads} threads");
        }
    }
    // The threads are fit for work after that.
    assert!(Permutation::new(1000).estimate(&noise(8)).is_ok());
}

/// After a failure no other sample is begun: one on each thread can be under way.
#[test]
fn after_an_error_little_more_is_asked() {
    for threads in THREADS {
        let (asked, after) = (AtomicU64::new(0), AtomicU64::new(0));
        let game = shapley::try_from_fn(8, |s| {
            std::thread::sleep(Duration::from_micros(500));
            let count = asked.fetch_add(1, Ordering::SeqCst);
            after.fetch_add(u64::from(count > 100), Ordering::SeqCst);
            if count == 100 { Err(crate::common::failing::Failure(100)) } else { Ok(s.len() as f64) }
        });
        let result = Permutation::new(u64::MAX).threads(threads).estimate(&game);
        assert!(matches!(result, Err(Error::Game { .. })), "{result:?}");
        // A sample is 14 evaluations; a thread takes one at a time of a game as slow as this.
        assert!(after.load(Ordering::SeqCst) <= 2 * 14 * (threads as u64 - 1), "{threads} threads");
    }
}
