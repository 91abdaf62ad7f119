//! The surrogate and least squares on pairs: what they promise beyond accuracy.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use shapley::games::{Counted, WeightedVoting};
use shapley::{
    Coalition, Error, Estimate, Game, KernelShap, Progress, Stopped, Surrogate, TryGame, from_fn, try_from_fn,
};

/// A game with interactions of all orders, and a player (the last) who adds nothing.
fn mixed(n: usize) -> impl Game<Value = f64> {
    from_fn(n, move |s| {
        let sum: f64 = s.iter().filter(|&k| k + 1 < n).map(|k| (k as f64 + 1.0).sqrt()).sum();
        (sum * 0.3).tanh() + if s.contains(0) && s.contains(2) && !s.contains(1) { 0.4 } else { 0.0 }
    })
}

#[derive(Clone, Copy, Debug)]
enum Which {
    Surrogate,
    KernelShap,
}

const BOTH: [Which; 2] = [Which::Surrogate, Which::KernelShap];

impl Which {
    fn solve<G: TryGame>(self, budget: u64, seed: u64, game: &G) -> Result<Estimate<G::Value>, Error<G::Error>> {
        match self {
            Self::Surrogate => Surrogate::new(budget).seed(seed).estimate(game),
            Self::KernelShap => KernelShap::new(budget).seed(seed).estimate(game),
        }
    }
}

fn bits(estimate: &Estimate<f64>) -> Vec<u64> {
    estimate.values().iter().chain(estimate.std_errors()).map(|x| x.to_bits()).collect()
}

#[test]
fn the_budget_is_kept_and_counted_and_nothing_is_asked_twice() {
    for n in [4, 5, 8, 11, 65] {
        for which in BOTH {
            for budget in [2 * n as u64 + 2, 2 * n as u64 + 3] {
                let seen = Mutex::new(HashSet::new());
                let game = from_fn(n, |s| {
                    assert!(seen.lock().unwrap().insert(s.clone()), "{s} twice");
                    s.iter().map(|k| k as f64).sum::<f64>().sqrt()
                });
                let game = Counted::new(game);
                let estimate = which.solve(budget, 3, &game).unwrap();
                assert_eq!(estimate.evaluations(), game.evaluations());
                assert!(estimate.evaluations() <= budget && estimate.evaluations() + 1 >= budget.min(1 << n.min(60)));
                let sum: f64 = estimate.values().iter().sum();
                let want = estimate.attribution().grand() - estimate.attribution().baseline();
                assert!((sum - want).abs() < 1e-12 * want.abs().max(1.0) * n as f64, "{n} {budget}: {sum} {want}");
                assert!(estimate.std_errors().iter().all(|e| e.is_finite() && *e >= 0.0));
                assert_eq!((estimate.permutations(), estimate.saved()), (0, 0));
            }
        }
    }
}

#[test]
fn too_small_budgets_name_what_is_needed() {
    for which in BOTH {
        for (n, needed) in [(1, 2), (2, 4), (3, 8), (4, 10), (100, 202)] {
            let game = Counted::new(mixed(n));
            let error = which.solve(needed - 1, 0, &game).unwrap_err();
            assert!(matches!(error, Error::BudgetTooSmall { needed: got, .. } if got == needed), "{n}: {error}");
            assert_eq!(game.evaluations(), 0);
            assert!(which.solve(needed, 0, &game).is_ok(), "{which:?} {n}");
        }
        assert!(matches!(which.solve(100, 0, &Counted::new(mixed(0))), Err(Error::NoPlayers {})));
        assert!(matches!(
            which.solve(u64::MAX, 0, &Counted::new(mixed(4001))),
            Err(Error::TooManyPlayers { players: 4001, limit: 4000 })
        ));
    }
}

#[test]
fn with_all_evaluations_it_is_exact_and_says_so() {
    for which in BOTH {
        for n in [1, 2, 3, 7, 10] {
            let game = mixed(n);
            let exact = shapley::exact(&game).unwrap();
            for budget in [1 << n, u64::MAX] {
                let estimate = which.solve(budget, 5, &game).unwrap();
                assert_eq!(estimate.stopped(), Stopped::Exact);
                assert_eq!(estimate.attribution(), &exact);
                assert_eq!(estimate.interval(0, 0.95), (exact[0], exact[0]));
            }
        }
    }
}

#[test]
fn nearly_all_evaluations_are_nearly_exact() {
    for which in BOTH {
        for n in [4, 6, 8] {
            let game = mixed(n);
            let exact = shapley::exact(&game).unwrap();
            let estimate = which.solve((1 << n) - 1, 5, &game).unwrap();
            for player in 0..n {
                let (error, said) = (estimate.values()[player] - exact[player], estimate.std_errors()[player]);
                assert!(error.abs() < 0.01 + 3.0 * said && said < 0.05, "{n} {player}: {error} {said}");
            }
        }
    }
}

#[test]
fn threads_and_batches_change_no_bit_and_seeds_do() {
    let game = mixed(12);
    let first = Surrogate::new(110).seed(9).threads(1).batch(1).estimate(&game).unwrap();
    for (threads, batch) in [(1, 0), (2, 0), (3, 7), (4, 1000)] {
        let again = Surrogate::new(110).seed(9).threads(threads).batch(batch).estimate(&game).unwrap();
        assert_eq!(bits(&first), bits(&again), "{threads} {batch}");
        assert_eq!(first, again);
    }
    assert_ne!(bits(&first), bits(&Surrogate::new(110).seed(10).estimate(&game).unwrap()));
}

#[test]
fn outputs_are_what_they_would_be_alone() {
    let (one, other) = (mixed(10), from_fn(10, |s| (s.len() as f64).powf(1.3) - if s.contains(4) { 2.0 } else { 0.0 }));
    let both = from_fn(10, |s| [one.value(s), other.value(s)]);
    let pair = Surrogate::new(150).estimate(&both).unwrap();
    let alone = [Surrogate::new(150).estimate(&one).unwrap(), Surrogate::new(150).estimate(&other).unwrap()];
    for player in 0..10 {
        for (k, alone) in alone.iter().enumerate() {
            assert_eq!(pair.values()[player][k].to_bits(), alone.values()[player].to_bits());
            assert_eq!(pair.std_errors()[player][k].to_bits(), alone.std_errors()[player].to_bits());
        }
    }
}

#[test]
fn values_of_any_size_are_scaled() {
    let game = mixed(9);
    let plain = Surrogate::new(100).estimate(&game).unwrap();
    for scale in [1e-300, 1e-160, 1e160, 1e300] {
        let scaled = Surrogate::new(100).estimate(&from_fn(9, |s| scale * game.value(s))).unwrap();
        for player in 0..9 {
            let (got, want) = (scaled.values()[player] / scale, plain.values()[player]);
            assert!((got - want).abs() < 1e-3 * want.abs().max(0.1), "{scale}, {player}: {got} {want}");
        }
    }
    let constant = Surrogate::new(100).estimate(&from_fn(9, |_| 5.0_f64)).unwrap();
    assert!(constant.values().iter().chain(constant.std_errors()).all(|x| x.abs() <= 0.0));
    let wide = from_fn(9, |s| if s.contains(0) { f64::MAX } else { -f64::MAX });
    assert!(matches!(Surrogate::new(100).estimate(&wide), Err(Error::Overflow { .. })));
}

#[test]
fn linear_and_size_games_are_found() {
    let linear = from_fn(40, |s| s.iter().map(|k| (k as f64 - 11.5) / 7.0).sum::<f64>() + 3.0);
    // The model takes everything for a little noisy: by 10⁻⁶ of the variance.
    for (which, tolerance) in [(Which::Surrogate, 1e-5), (Which::KernelShap, 1e-9)] {
        let estimate = which.solve(200, 1, &linear).unwrap();
        for player in 0..40 {
            let off = estimate.values()[player] - (player as f64 - 11.5) / 7.0;
            assert!(off.abs() < tolerance, "{which:?}: {off}");
        }
    }
}

#[test]
fn self_dual_games_get_twice_the_pairs_and_a_broken_promise_is_noticed() {
    let vote = WeightedVoting::new(30, [1, 2, 3, 5, 7, 8, 9, 11, 13]).unwrap();
    let calls = Mutex::new(HashSet::new());
    let counted = from_fn(9, |s| {
        calls.lock().unwrap().insert(s.clone());
        f64::from(u8::from(vote.value(s) > 0.5))
    });
    let estimate = Surrogate::new(140).estimate(&counted).unwrap();
    assert!(estimate.evaluations() <= 140 && estimate.evaluations() > 130);
    let asked = calls.lock().unwrap();
    let pairs: HashSet<Coalition> = asked.iter().map(|s| s.clone().min(s.complement())).collect();
    assert!(pairs.len() > 105, "{}", pairs.len());

    // Self-dual but where players 0, 1 and 2 meet: one coalition in eight. Sooner or later that is noticed.
    let broken = from_fn(12, |s| {
        let linear: f64 = s.iter().map(|k| 1.0 + k as f64).sum();
        linear + if (0..3).all(|k| s.contains(k)) { 30.0 } else { 0.0 }
    });
    let exact = shapley::exact(&broken).unwrap();
    for seed in 0..5 {
        let counted = Counted::new(&broken);
        let estimate = Surrogate::new(140).seed(seed).estimate(&counted).unwrap();
        assert_eq!(counted.evaluations(), estimate.evaluations());
        assert!(estimate.evaluations() <= 140);
        for player in 0..12 {
            let error = (estimate.values()[player] - exact[player]).abs();
            assert!(error < 1.0, "seed {seed}, player {player}: {error}");
        }
    }
}

/// A vote with ties: one pair in 18 is not dual, which most runs notice when few evaluations are left. The complements
/// that stay missing are taken to be as others on average: that has a bias, which must be small beside the error.
#[test]
fn nearly_self_dual_games_keep_all_that_was_asked() {
    let game = WeightedVoting::new(19, (1..=8).collect::<Vec<u64>>()).unwrap();
    let exact = shapley::exact(&game).unwrap();
    let (seeds, mut noticed) = (200, 0);
    let mut sums = [(0.0, 0.0); 8];
    for seed in 0..seeds {
        let estimate = KernelShap::new(120).seed(seed).threads(1).estimate(&game).unwrap();
        // What is left over pays for complements once one was found that is not dual.
        noticed += u64::from(estimate.evaluations() == 120);
        for (player, (sum, squares)) in sums.iter_mut().enumerate() {
            let off = estimate.values()[player] - exact[player];
            *sum += off / seeds as f64;
            *squares += off * off / seeds as f64;
        }
    }
    assert!(noticed > seeds / 2, "{noticed}");
    let bias: f64 = sums.iter().map(|(mean, _)| mean * mean).sum();
    let error: f64 = sums.iter().map(|(_, square)| square).sum();
    assert!(bias < 0.25 * error, "{bias} of {error}");
    // A fit to half as many pairs has twice the error: that of what both coalitions were asked of, and no more.
    assert!(error < 0.02, "{error}");
}

/// What cannot be kept in memory is refused before anything is asked for; what is exact has no such limit.
#[test]
fn budgets_beyond_memory_are_refused() {
    let asked = from_fn(100, |_| -> f64 { panic!("asked") });
    for evaluations in [(1 << 24) + 1, 10_000_000_000, u64::MAX] {
        match Surrogate::new(evaluations).estimate(&asked) {
            Err(Error::BudgetTooLarge { evaluations: named, limit }) => {
                assert_eq!((named, limit), (evaluations, 1 << 24));
            }
            other => panic!("{other:?}"),
        }
    }
    let small = from_fn(5, |s| s.len() as f64);
    assert_eq!(KernelShap::new(u64::MAX).estimate(&small).unwrap().stopped(), Stopped::Exact);
    // As `Exact` has it, whose limit is the number of players.
    let large = from_fn(63, |_| -> f64 { panic!("asked") });
    let error = KernelShap::new(u64::MAX).estimate(&large).unwrap_err();
    assert!(matches!(error, Error::BudgetTooLarge { evaluations: u64::MAX, .. }), "{error}");
}

#[test]
fn going_on_reuses_what_was_paid_for() {
    let (seen, again) = (Mutex::new(HashSet::new()), AtomicU64::new(0));
    let game = from_fn(10, |s| {
        if !seen.lock().unwrap().insert(s.clone()) {
            // To tell one game from another.
            assert!(s.is_empty() || s.is_grand(), "{s} twice");
            again.fetch_add(1, Ordering::SeqCst);
        }
        mixed(10).value(s)
    });
    let first = Surrogate::new(60).seed(4).estimate(&game).unwrap();
    let mut estimate = first.clone();
    // Twice a budget that does not pay for v(∅), v(N) and a pair; then one short of all coalitions, and all.
    let resumes = [
        (110, 110),
        (111, 110),
        (113, 110),
        (114, 114),
        (180, 180),
        ((1 << 10) + 7, (1 << 10) + 6),
        ((1 << 10) + 10, 1034),
    ];
    for (budget, spent) in resumes {
        estimate = Surrogate::new(budget).seed(4).resume(&game, &estimate).unwrap();
        assert_eq!(estimate.evaluations(), seen.lock().unwrap().len() as u64 + again.load(Ordering::SeqCst));
        assert_eq!(estimate.evaluations(), spent);
    }
    assert_eq!(estimate.stopped(), Stopped::Exact);
    let exact = shapley::exact(&mixed(10)).unwrap();
    assert_eq!(estimate.values(), exact.values());
    assert_eq!(Surrogate::new(1 << 12).seed(4).resume(&game, &estimate).unwrap(), estimate);

    let other = KernelShap::new(200).seed(4).resume(&game, &estimate).unwrap_err();
    assert!(matches!(other, Error::Mismatch { what: "the solver", .. }), "{other}");
    let other = Surrogate::new(200).seed(5).resume(&game, &estimate).unwrap_err();
    assert!(matches!(other, Error::Mismatch { what: "the seed", .. }));
    let other = Surrogate::new(200).seed(4).resume(&mixed(11), &estimate).unwrap_err();
    assert!(matches!(other, Error::Mismatch { what: "the number of players", .. }));
    let other = shapley::Permutation::new(5000).resume(&mixed(10), &estimate).unwrap_err();
    assert!(matches!(other, Error::Mismatch { what: "the solver", .. }));
    for (what, end) in [("v(empty)", Coalition::empty(10)), ("v(N)", Coalition::grand(10))] {
        let another = from_fn(10, |s| mixed(10).value(s) + if *s == end { 1.0 } else { 0.0 });
        let asked = |budget| Surrogate::new(budget).seed(4).resume(&another, &first);
        assert!(matches!(asked(1 << 8), Err(Error::Mismatch { what: differs, .. }) if differs == what));
        assert!(matches!(asked(1 << 12), Err(Error::Mismatch { what: differs, .. }) if differs == what));
        // Nothing is asked for, and nothing is mixed.
        assert_eq!(asked(first.evaluations() + 3).unwrap(), first);
    }
    let mut walks = shapley::permutation(&mixed(10), 100).unwrap();
    assert!(matches!(walks.merge(&estimate), Err(Error::Mismatch { .. })));
}

#[test]
fn an_observer_sees_every_evaluation_and_can_stop() {
    for solver in [Surrogate::new(140), Surrogate::new(140).threads(2)] {
        let shown = AtomicU64::new(0);
        let estimate = (solver.clone())
            .observe(|progress: &Progress| {
                assert!(progress.evaluations > shown.swap(progress.evaluations, Ordering::SeqCst));
                assert_eq!(progress.total, 140);
                ControlFlow::Continue(())
            })
            .estimate(&mixed(12))
            .unwrap();
        assert_eq!(shown.into_inner(), estimate.evaluations());
        let stop = |progress: &Progress| {
            if progress.evaluations >= 60 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let part = solver.clone().batch(10).observe(stop).estimate(&mixed(12)).unwrap();
        assert_eq!(part.stopped(), Stopped::Observer);
        assert!((60..=100).contains(&part.evaluations()), "{}", part.evaluations());
        let exact = shapley::exact(&mixed(12)).unwrap();
        assert!(part.values().iter().zip(exact.values()).all(|(a, b)| (a - b).abs() < 0.2));
        // At least a pair for each player.
        let at_once = solver.batch(1).observe(|_: &Progress| ControlFlow::Break(())).estimate(&mixed(12)).unwrap();
        assert!(at_once.evaluations() >= 26);
    }
}

/// An exact answer from an estimate: the count goes on from what was paid, and ends at what the answer says.
#[test]
fn an_observer_of_an_exact_answer_sees_what_is_paid() {
    let game = from_fn(6, |s| (s.len() as f64).sqrt());
    let first = Surrogate::new(16).estimate(&game).unwrap();
    for threads in [1, 3] {
        let seen = Mutex::new(Vec::new());
        let observe = |progress: &Progress| {
            seen.lock().unwrap().push((progress.evaluations, progress.total));
            ControlFlow::Continue(())
        };
        let exact = Surrogate::new(200).threads(threads).batch(3).observe(observe).resume(&game, &first).unwrap();
        let seen = seen.into_inner().unwrap();
        assert_eq!((exact.stopped(), exact.evaluations()), (Stopped::Exact, 64 + 2));
        assert!(seen[0].0 > first.evaluations() && seen.windows(2).all(|pair| pair[0].0 < pair[1].0), "{seen:?}");
        assert!(seen.iter().all(|(_, total)| *total == 66) && seen.last().unwrap().0 == 66, "{seen:?}");
    }
}

/// Stopped, gone on with for less than it was begun with, and stopped again: no budget is passed, and estimates stay
/// good.
#[test]
fn stopped_estimates_go_on_within_any_budget() {
    let exact = shapley::exact(&mixed(12)).unwrap();
    let vote = WeightedVoting::new(26, [1, 2, 3, 4, 4, 5, 6, 7, 8, 11]).unwrap();
    let votes = shapley::exact(&vote).unwrap();
    for seed in 0..4 {
        let stop = |at: u64| {
            move |progress: &Progress| {
                if progress.evaluations >= at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
        };
        // Least squares ask for the same pairs, and take less time over them.
        let solver = |budget| KernelShap::new(budget).seed(seed).batch(4).threads(1);
        let mut estimate = solver(2_000).observe(stop(200)).estimate(&mixed(12)).unwrap();
        let mut of_vote = solver(800).observe(stop(60)).estimate(&vote).unwrap();
        for more in [8, 9, 40, 300] {
            let budget = estimate.evaluations() + more;
            estimate = solver(budget).resume(&mixed(12), &estimate).unwrap();
            assert!(estimate.evaluations() <= budget, "{} of {budget}", estimate.evaluations());
            let budget = of_vote.evaluations() + more;
            of_vote = solver(budget).resume(&vote, &of_vote).unwrap();
            assert!(of_vote.evaluations() <= budget);
            // And one that is stopped at once.
            estimate = solver(2_000).observe(stop(0)).resume(&mixed(12), &estimate).unwrap();
        }
        let worst = |estimate: &Estimate<f64>, exact: &[f64]| {
            estimate.values().iter().zip(exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        };
        let [first, second] = [worst(&estimate, exact.values()), worst(&of_vote, votes.values())];
        // Values are up to 0.8 and 0.2; designs that forget what they knew are off by several times as much as this.
        assert!(first < 0.05 && second < 0.05, "{first} {second}");
    }
    // A pair for each player also of a game that is self-dual.
    let many = from_fn(100, |s| {
        if 2 * s.len() > 100 {
            1.0
        } else if 2 * s.len() == 100 {
            0.5
        } else {
            0.0
        }
    });
    let at_once =
        KernelShap::new(202).threads(1).observe(|_: &Progress| ControlFlow::Break(())).estimate(&many).unwrap();
    assert!(at_once.evaluations() >= 102, "{}", at_once.evaluations());
}

#[test]
fn failures_come_through() {
    let fails = try_from_fn(20, |s| if s.len() == 7 { Err(std::fmt::Error) } else { Ok(s.len() as f64) });
    let error = Surrogate::new(300).estimate(&fails).unwrap_err();
    assert!(matches!(error, Error::Game { ref coalition, .. } if coalition.len() == 7));
    let bad = from_fn(20, |s| if s.len() == 7 { f64::NAN } else { 0.0 });
    assert!(matches!(KernelShap::new(300).estimate(&bad), Err(Error::NotFinite { .. })));
}

/// Other value types get the same numbers, in their own precision.
#[test]
fn single_precision_is_rounded() {
    let game = mixed(10);
    let wide = Surrogate::new(100).estimate(&from_fn(10, |s| f64::from(game.value(s) as f32))).unwrap();
    let narrow = Surrogate::new(100).estimate(&from_fn(10, |s| game.value(s) as f32)).unwrap();
    for player in 0..10 {
        assert!((f64::from(narrow.values()[player]) - wide.values()[player]).abs() < 1e-6);
    }
}

#[cfg(feature = "serde")]
#[test]
fn an_estimate_is_saved_loaded_and_goes_on() {
    let game = mixed(10);
    for budget in [100, 1 << 10] {
        let estimate = Surrogate::new(budget).seed(2).estimate(&game).unwrap();
        let text = serde_json::to_string(&estimate).unwrap();
        let back: Estimate<f64> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, estimate);
        let more = |from: &Estimate<f64>| Surrogate::new(150).seed(2).resume(&game, from).unwrap();
        assert_eq!(more(&back), more(&estimate));
        for (from, to) in
            [("Surrogate", "Other"), ("\"members\":[", "\"members\":[99,"), ("\"evaluations\":1", "\"evaluations\":0")]
        {
            let bad = text.replacen(from, to, 1);
            if budget == 100 {
                assert!(serde_json::from_str::<Estimate<f64>>(&bad).is_err(), "{to}");
            }
        }
    }
}
