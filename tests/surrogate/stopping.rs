//! Runs that stop at a precision or a deadline, and what they have then.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::thread::sleep;
use std::time::Duration;

use shapley::games::Counted;
use shapley::{Coalition, Error, Estimate, Game, KernelShap, Progress, Stopped, Surrogate, from_fn};

/// A smooth game with a product of three players.
fn smooth(n: usize) -> impl Game<Value = f64> {
    from_fn(n, |s| {
        let sum: f64 = s.iter().map(|k| (k as f64 + 1.0).sqrt()).sum();
        sum.powf(0.8) + if [0, 2, 3].iter().all(|&k| s.contains(k)) { 1.0 } else { 0.0 }
    })
}

fn widest(estimate: &Estimate<f64>, level: f64) -> f64 {
    (0..estimate.values().len()).map(|player| estimate.half_width(player, level)).fold(0.0, f64::max)
}

#[test]
fn a_precision_stops_at_the_first_stage_that_reaches_it() {
    let game = smooth(12);
    let exact = shapley::exact(&game).unwrap();
    let mut evaluations = Vec::new();
    for width in [0.5, 0.05, 0.01] {
        let shown = Mutex::new(Vec::new());
        let observer = |progress: &Progress| {
            shown.lock().unwrap().push((progress.evaluations, progress.half_width));
            ControlFlow::Continue(())
        };
        let solver = Surrogate::new(3000).seed(5).precision(width).confidence(0.9);
        let estimate = solver.clone().observe(observer).estimate(&game).unwrap();
        assert_eq!(estimate.stopped(), Stopped::Precision);
        assert!(widest(&estimate, 0.9) <= width && estimate.evaluations() <= 3000);
        for player in 0..12 {
            assert!((estimate.values()[player] - exact[player]).abs() <= 2.0 * width, "{width} {player}");
        }
        // The widths of all stages before were seen, and were not narrow enough.
        let shown = shown.into_inner().unwrap();
        assert!(shown.iter().all(|(_, half_width)| *half_width > width), "{width}: {shown:?}");
        let stages = shown.windows(2).filter(|pair| pair[0].1.to_bits() != pair[1].1.to_bits()).count();
        assert_eq!(stages > 0, estimate.evaluations() > 38, "{width}: {stages} of {}", estimate.evaluations());
        // The bits depend on neither threads nor batches.
        for (threads, batch) in [(1, 1), (3, 7), (2, 100)] {
            assert_eq!(solver.clone().threads(threads).batch(batch).estimate(&game).unwrap(), estimate);
        }
        evaluations.push(estimate.evaluations());
    }
    // 3n + 2, and half as many more each time, in whole pairs.
    assert!(evaluations.is_sorted() && evaluations[0] < evaluations[2], "{evaluations:?}");
    let stages: Vec<u64> = std::iter::successors(Some(38_u64), |made| Some(made + made / 2 / 2 * 2)).take(12).collect();
    assert!(evaluations.iter().all(|made| stages.contains(made)), "{evaluations:?} of {stages:?}");
}

#[test]
fn a_precision_that_is_not_reached_spends_the_budget_and_can_be_gone_on_with() {
    let counted = Counted::new(smooth(12));
    for budget in [26, 27, 60, 150] {
        let before = counted.evaluations();
        let estimate = KernelShap::new(budget).precision(1e-9).estimate(&counted).unwrap();
        assert_eq!(estimate.stopped(), Stopped::Evaluations);
        assert_eq!(counted.evaluations() - before, estimate.evaluations());
        assert!(estimate.evaluations() <= budget && estimate.evaluations() + 1 >= budget);
    }
    let first = KernelShap::new(5000).precision(0.2).estimate(&counted).unwrap();
    assert_eq!(first.stopped(), Stopped::Precision);
    // What is precise enough comes back, and costs nothing.
    let before = counted.evaluations();
    assert_eq!(KernelShap::new(5000).precision(0.2).resume(&counted, &first).unwrap(), first);
    assert_eq!(counted.evaluations(), before);
    let next = KernelShap::new(5000).precision(0.1).resume(&counted, &first).unwrap();
    assert_eq!(next.stopped(), Stopped::Precision);
    assert!(next.evaluations() > first.evaluations() && widest(&next, 0.95) <= 0.1);
    // Whatever stopped it, it can go on by another rule.
    let last = KernelShap::new(next.evaluations() + 42).resume(&counted, &next).unwrap();
    assert_eq!((last.stopped(), last.evaluations()), (Stopped::Evaluations, next.evaluations() + 42));
}

/// A budget that pays for everything is no reason to ask for everything, and if it comes to that the answer is exact.
#[test]
fn a_precision_may_end_in_an_exact_answer() {
    let game = Counted::new(smooth(8));
    let exact = shapley::exact(&smooth(8)).unwrap();
    let coarse = Surrogate::new(u64::MAX).precision(0.3).estimate(&game).unwrap();
    assert_eq!(coarse.stopped(), Stopped::Precision);
    assert!(coarse.evaluations() < 100);
    let none =
        from_fn(8, |s: &shapley::Coalition| (s.iter().map(|k| k * k).sum::<usize>() * 2_654_435_761 % 1009) as f64);
    for budget in [256, 300, u64::MAX] {
        let before = game.evaluations();
        let fine = KernelShap::new(budget).precision(1e-300).estimate(&game).unwrap();
        assert_eq!((fine.stopped(), fine.evaluations()), (Stopped::Exact, 256));
        assert_eq!(game.evaluations() - before, 256);
        assert!(fine.values().iter().zip(exact.values()).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!(fine.std_errors().iter().all(|error| *error <= 0.0));
        let noise = Surrogate::new(budget).precision(1e-300).estimate(&none).unwrap();
        let exact = shapley::exact(&none).unwrap();
        assert!(noise.values().iter().zip(exact.values()).all(|(a, b)| (a - b).abs() < 1e-9));
    }
    // From an estimate on, which has asked for v(∅) and v(N) before.
    let fine = Surrogate::new(u64::MAX).precision(1e-300).resume(&game, &coarse).unwrap();
    assert_eq!((fine.stopped(), fine.evaluations()), (Stopped::Exact, 258));
    assert_eq!(Surrogate::new(u64::MAX).precision(1e-300).resume(&game, &fine).unwrap(), fine);
}

#[test]
fn a_deadline_leaves_at_least_a_pair_for_each_player() {
    let n = 12;
    let slow = from_fn(n, |s| {
        sleep(Duration::from_millis(2));
        smooth(n).value(s)
    });
    for batch in [1, 10] {
        let at_once = Surrogate::new(3000).deadline(Duration::ZERO).threads(1).batch(batch).estimate(&slow).unwrap();
        assert_eq!(at_once.stopped(), Stopped::Deadline);
        assert!((26..60).contains(&at_once.evaluations()), "{}", at_once.evaluations());
        let precise =
            KernelShap::new(3000).precision(1e-9).deadline(Duration::ZERO).threads(1).batch(batch).estimate(&slow);
        assert_eq!(precise.unwrap().stopped(), Stopped::Deadline);
    }
    let later = Surrogate::new(3000).deadline(Duration::from_millis(300)).threads(1).estimate(&slow).unwrap();
    assert_eq!(later.stopped(), Stopped::Deadline);
    assert!((26..250).contains(&later.evaluations()), "{}", later.evaluations());
    let more = Surrogate::new(later.evaluations() + 20).resume(&smooth(n), &later).unwrap();
    assert_eq!((more.stopped(), more.evaluations()), (Stopped::Evaluations, later.evaluations() + 20));
    let never = Surrogate::new(60).deadline(Duration::MAX).estimate(&smooth(n)).unwrap();
    assert_eq!(never.stopped(), Stopped::Evaluations);
    // It may be up when everything is asked for.
    let small = KernelShap::new(u64::MAX).deadline(Duration::from_secs(3600)).estimate(&smooth(6)).unwrap();
    assert_eq!((small.stopped(), small.evaluations()), (Stopped::Exact, 64));
}

/// A deadline makes a design in stages, so that none is made that cannot be paid for; nothing is asked for twice, and
/// the budget is spent if there is time.
#[test]
fn a_deadline_is_kept_by_any_budget() {
    let counted = Counted::new(smooth(30));
    let late = Surrogate::new(1 << 24).deadline(Duration::from_nanos(1)).estimate(&counted).unwrap();
    assert_eq!((late.stopped(), late.evaluations()), (Stopped::Deadline, counted.evaluations()));
    let game = Counted::new(smooth(14));
    let in_time = KernelShap::new(5000).deadline(Duration::from_secs(3600)).estimate(&game).unwrap();
    assert_eq!((in_time.stopped(), in_time.evaluations()), (Stopped::Evaluations, 5000));
    assert_eq!(game.evaluations(), 5000);
}

#[test]
fn an_observer_stops_a_run_in_stages() {
    let stop = |progress: &Progress| match progress.evaluations >= 100 {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let estimate = Surrogate::new(3000).precision(1e-9).batch(10).observe(stop).estimate(&smooth(12)).unwrap();
    assert_eq!(estimate.stopped(), Stopped::Observer);
    assert!((100..200).contains(&estimate.evaluations()), "{}", estimate.evaluations());
}

/// Wherever a run is stopped, also between the two coalitions of a pair, whoever goes on asks for none of them again.
#[test]
fn a_stop_between_the_two_of_a_pair_loses_neither() {
    let inner = smooth(8);
    for at in [20, 21, 35, 47] {
        for batch in [1, 3] {
            let asked = Mutex::new(HashMap::<Coalition, u64>::new());
            let game = from_fn(8, |s: &Coalition| {
                *asked.lock().unwrap().entry(s.clone()).or_default() += 1;
                inner.value(s)
            });
            let stop = |progress: &Progress| match progress.evaluations >= at {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            };
            let solver = Surrogate::new(150).threads(1).batch(batch);
            let first = solver.clone().observe(stop).estimate(&game).unwrap();
            assert_eq!((first.stopped(), first.evaluations() % 2), (Stopped::Observer, 0));
            let all = solver.resume(&game, &first).unwrap();
            let mut asked = asked.lock().unwrap();
            assert_eq!(asked.values().sum::<u64>(), all.evaluations());
            let ends = [Coalition::empty(8), Coalition::grand(8)].map(|end| asked.remove(&end));
            assert_eq!(ends, [Some(2); 2]);
            assert!(asked.values().all(|count| *count == 1), "stopped at {at}, batches of {batch}");
        }
    }
}

#[test]
fn settings_out_of_range_are_refused_before_anything_is_asked_for() {
    let game = from_fn(8, |_| -> f64 { panic!("asked") });
    for width in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = Surrogate::new(100).precision(width).estimate(&game).unwrap_err();
        assert!(matches!(error, Error::Setting { name: "precision", .. }), "{error}");
    }
    for level in [0.0, 1.0, -0.5, f64::NAN] {
        let error = KernelShap::new(100).precision(0.1).confidence(level).estimate(&game).unwrap_err();
        assert!(matches!(error, Error::Setting { name: "confidence", .. }), "{error}");
    }
    // More than is kept, and no exact answer at once.
    let large = from_fn(30, |_| -> f64 { panic!("asked") });
    let error = Surrogate::new(u64::MAX).precision(0.1).estimate(&large).unwrap_err();
    assert!(matches!(error, Error::BudgetTooLarge { evaluations: u64::MAX, .. }), "{error}");
}

#[cfg(feature = "serde")]
#[test]
fn estimates_that_stopped_so_are_saved_and_loaded() {
    let game = smooth(10);
    let precise = Surrogate::new(900).precision(0.2).estimate(&game).unwrap();
    let late = KernelShap::new(900).deadline(Duration::ZERO).estimate(&game).unwrap();
    assert_eq!((precise.stopped(), late.stopped()), (Stopped::Precision, Stopped::Deadline));
    for estimate in [precise, late] {
        let text = serde_json::to_string(&estimate).unwrap();
        assert_eq!(serde_json::from_str::<Estimate<f64>>(&text).unwrap(), estimate);
    }
}
