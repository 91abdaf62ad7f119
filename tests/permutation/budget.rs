//! The budget of the permutation sampler is never passed, all of it is used that buys a whole sample, and what an
//! estimate says it cost is what the game was asked.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::common::compare::close;
use crate::common::ledger::{Call, Ledger};
use crate::common::masks::{mask_of, pseudo};
use crate::common::rough::{hash_of, rough};
use crate::samples::saturating;
use shapley::{Coalition, Error, Game, Permutation, Progress, Stopped, from_fn, permutation};

const PLAYERS: [usize; 7] = [1, 2, 3, 5, 16, 70, 300];
const THREADS: [usize; 3] = [1, 2, 4];
const BATCHES: [usize; 5] = [0, 1, 7, 64, 1000];

fn walks(antithetic: bool) -> u64 {
    if antithetic { 2 } else { 1 }
}

/// What a sample costs.
fn cost(players: usize, antithetic: bool) -> u64 {
    walks(antithetic) * (players as u64 - 1)
}

/// Whether there is nothing to sample: all orders are in the first one.
fn is_exact(players: usize, antithetic: bool) -> bool {
    players as u64 <= walks(antithetic)
}

fn panicking(players: usize) -> impl Game<Value = f64> {
    from_fn(players, |s| -> f64 { panic!("{s} was asked for before the budget was looked at") })
}

/// Budgets from the least on, around where another sample can be paid for, to some thousands.
fn budgets(players: usize, antithetic: bool) -> Vec<u64> {
    let cost = cost(players, antithetic);
    let least = 2 + cost;
    let mut budgets = vec![least, least + 1, least + cost.max(1) - 1, least + cost, least + 7 * cost / 2, 3000];
    budgets.retain(|&budget| budget >= least);
    budgets.dedup();
    budgets
}

#[test]
fn an_estimate_costs_what_the_game_was_asked() {
    let mut run = 0;
    for players in PLAYERS {
        let values: [fn(&Coalition) -> f64; 2] = [|s| rough(1, s), saturating_of];
        let ledgers = values.map(|value| Ledger::new(players, value));
        for (antithetic, truncated, batch) in [true, false]
            .iter()
            .flat_map(|&a| [false, true].map(|t| (a, t)))
            .flat_map(|(a, t)| BATCHES.map(|b| (a, t, b)))
        {
            for budget in budgets(players, antithetic) {
                // Which of the three games and of the numbers of threads takes turns.
                run += 1;
                let (kind, threads) = (run % 3, THREADS[run / 3 % 3]);
                let how = format!(
                    "{players} players, {budget} evaluations, antithetic {antithetic}, truncated {truncated}, \
                     batches of {batch}, {threads} threads, game {kind}"
                );
                let ledger = &ledgers[usize::from(truncated)];
                let sampler = Permutation::new(budget).seed(5).antithetic(antithetic).batch(batch).threads(threads);
                let sampler = if truncated { sampler.truncate(0.05) } else { sampler };
                let estimate = sampler.estimate(&ledger.games()[kind]).unwrap();
                let calls = ledger.take();
                let asked: usize = calls.iter().map(Call::len).sum();
                assert_eq!(estimate.evaluations(), asked as u64, "{how}");
                assert_eq!(estimate.attribution().evaluations(), asked as u64, "{how}");
                assert!(estimate.evaluations() <= budget, "{how}: {asked}");
                let (made, inner) = (estimate.permutations(), players as u64 - 1);
                assert_eq!(estimate.evaluations(), 2 + made * inner - estimate.saved(), "{how}");
                assert_eq!(estimate.stopped(), Stopped::Evaluations, "{how}");
                let (walks, cost) = (walks(antithetic), cost(players, antithetic));
                if is_exact(players, antithetic) {
                    assert_eq!(made, walks, "{how}");
                } else {
                    assert!(budget - estimate.evaluations() < cost, "{how}: there was another sample in it");
                    if !truncated {
                        assert_eq!((made, estimate.saved()), ((budget - 2) / cost * walks, 0), "{how}");
                    }
                }
                // The prefixes of large games are many, and take long to be looked at.
                if players <= 16 {
                    let asked = calls.iter().flat_map(|call| call.coalitions(players));
                    let (empty, grand) = asked.fold((0, 0), |(empty, grand), s| {
                        (empty + u32::from(s.is_empty()), grand + u32::from(s.is_grand()))
                    });
                    assert_eq!((empty, grand), (1, 1), "{how}");
                }
            }
        }
    }
}

fn saturating_of(coalition: &Coalition) -> f64 {
    saturating(coalition) + 0.001 * pseudo(2, hash_of(coalition))
}

#[test]
fn truncation_spends_what_it_saves() {
    let ledger = Ledger::new(70, saturating_of);
    let plain = Permutation::new(3000).estimate(&ledger.walked()).unwrap();
    let cut = Permutation::new(3000).truncate(0.05).estimate(&ledger.walked()).unwrap();
    assert!(cut.saved() > 0 && cut.permutations() > 5 * plain.permutations(), "{cut:?}");
}

#[test]
fn both_ends_are_asked_for_first_and_in_one_call() {
    for players in PLAYERS {
        let ledger = Ledger::new(players, |s: &Coalition| s.len() as f64);
        let budget = 2 + 3 * cost(players, true);
        for (batch, threads) in BATCHES.iter().flat_map(|&batch| THREADS.map(|threads| (batch, threads))) {
            let _ = Permutation::new(budget).batch(batch).threads(threads).estimate(&ledger.walked()).unwrap();
            let calls = ledger.take();
            let Call::Values(ends) = &calls[0] else { panic!("{:?}", calls[0]) };
            assert_eq!(*ends, [Coalition::empty(players), Coalition::grand(players)]);
            // The rest goes by walks of the game's own, or by batches as large as was asked for and no larger.
            let largest = calls[1..].iter().map(Call::len).max().unwrap_or(0);
            let by_walks = calls[1..].iter().all(|call| matches!(call, Call::Walk(_)));
            match batch {
                0 => assert!(by_walks && largest <= players, "{players} players: {calls:?}"),
                _ => {
                    assert!(calls[1..].iter().all(|call| matches!(call, Call::Values(_))), "{calls:?}");
                    assert!(largest <= batch, "{players} players: a batch of {largest} instead of {batch}");
                }
            }
        }
    }
}

#[test]
fn batches_are_full_where_samples_are_many() {
    // 20 players, so 38 evaluations a sample: 5 samples go into calls of 200, and one takes a few calls of 7.
    for (batch, calls, largest) in [(200, 20, 190), (7, 100 * 6, 7), (1, 3800, 1), (100_000, 1, 3800)] {
        let ledger = Ledger::new(20, |s: &Coalition| s.len() as f64);
        let _ = Permutation::new(2 + 100 * 38).batch(batch).threads(1).estimate(&ledger.walked()).unwrap();
        let made = ledger.take();
        assert_eq!(made.len() - 1, calls, "batches of {batch}");
        assert_eq!(made.iter().map(Call::len).max(), Some(largest.max(2)), "batches of {batch}");
    }
}

fn largest_truncated_call(antithetic: bool, batch: usize) -> usize {
    let ledger = Ledger::new(16, saturating_of);
    let sampler = Permutation::new(2000).antithetic(antithetic).truncate(0.05).batch(batch);
    let _ = sampler.estimate(&ledger.walked()).unwrap();
    // The first has both ends.
    ledger.take()[1..].iter().map(Call::len).max().unwrap()
}

/// Batches of a truncated run hold a prefix of each of many walks.
#[test]
fn truncated_batches_are_as_large_as_asked_for() {
    for (antithetic, batch) in [(true, 2), (true, 64), (false, 1), (false, 2), (false, 7), (false, 64)] {
        assert_eq!(largest_truncated_call(antithetic, batch), batch, "antithetic {antithetic}");
    }
    assert_eq!(largest_truncated_call(true, 7), 6, "of a pair both are in it");
}

#[test]
fn truncated_batches_of_one_are_of_one() {
    assert_eq!(largest_truncated_call(true, 1), 1);
}

#[test]
fn a_budget_for_no_sample_is_refused_before_anything_is_asked() {
    for players in PLAYERS.into_iter().chain([1000, 1_000_000, Coalition::MAX_PLAYERS]) {
        for antithetic in [true, false] {
            let needed = if antithetic { 2 * players as u64 } else { players as u64 + 1 };
            for budget in [0, 1, needed - 1] {
                match Permutation::new(budget).antithetic(antithetic).estimate(&panicking(players)) {
                    Err(Error::BudgetTooSmall { evaluations, needed: named }) => {
                        assert_eq!((evaluations, named), (budget, needed), "{players} players");
                    }
                    other => panic!("{other:?}"),
                }
            }
            if players <= 1000 {
                let sampler = Permutation::new(needed).antithetic(antithetic);
                let estimate = sampler.estimate(&from_fn(players, |s| s.len() as f64)).unwrap();
                assert_eq!((estimate.evaluations(), estimate.permutations()), (needed, walks(antithetic)));
            }
        }
    }
    let error = permutation(&panicking(40), 79).unwrap_err();
    assert_eq!(error.to_string(), "79 evaluation(s) are not enough for an estimate: it takes at least 80");
}

#[test]
fn nobody_is_too_few_whatever_the_budget() {
    for budget in [0, 1, 2, u64::MAX] {
        assert!(matches!(permutation(&panicking(0), budget), Err(Error::NoPlayers {})));
    }
}

#[test]
fn one_player_or_two_are_exact_after_one_sample() {
    for budget in [4, 5, 1000, u64::MAX] {
        let game = from_fn(1, |s| if s.is_empty() { 10.0 } else { 13.5 });
        for antithetic in [true, false] {
            let one = Permutation::new(budget).antithetic(antithetic).estimate(&game).unwrap();
            assert_eq!((one.evaluations(), one.permutations()), (2, walks(antithetic)));
            assert!(close(one.values()[0], 3.5, 0.0) && close(one.std_errors()[0], 0.0, 0.0));
            assert_eq!(one.interval(0, 0.99), (3.5, 3.5));
        }
        let two = permutation(&from_fn(2, |s| [1.0, 4.0, 2.0, 9.0][mask_of(s) as usize]), budget).unwrap();
        assert_eq!((two.evaluations(), two.permutations(), two.stopped()), (4, 2, Stopped::Evaluations));
        // (3 + 7) / 2 and (1 + 5) / 2.
        assert!(close(two.values()[0], 5.0, 0.0) && close(two.values()[1], 3.0, 0.0));
        assert!(two.std_errors().iter().all(|&error| close(error, 0.0, 0.0)));
        assert_eq!(two.interval(1, 0.5), (3.0, 3.0));
    }
    // Without the way back there is chance in two players.
    let game = from_fn(2, |s| if s.is_grand() { 1.0 } else { 0.0 });
    let two = Permutation::new(1000).antithetic(false).estimate(&game).unwrap();
    assert_eq!((two.evaluations(), two.permutations()), (1000, 998));
    assert!(two.std_errors().iter().all(|&error| error > 0.0));
}

#[test]
fn a_budget_without_limit_is_ended_by_other_rules() {
    let game = from_fn(12, |s| pseudo(3, hash_of(s)));
    for threads in THREADS {
        let precise = Permutation::new(u64::MAX).precision(0.5).threads(threads).estimate(&game).unwrap();
        assert_eq!(precise.stopped(), Stopped::Precision);
        let calls = AtomicU64::new(0);
        let observe = |progress: &Progress| {
            assert!(progress.total > u64::MAX - 100, "{}", progress.total);
            match calls.fetch_add(1, Ordering::SeqCst) {
                20.. => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        };
        let observed = Permutation::new(u64::MAX).threads(threads).observe(observe).estimate(&game).unwrap();
        assert_eq!((observed.stopped(), calls.into_inner()), (Stopped::Observer, 21));
        assert_eq!(observed.evaluations(), 2 + 11 * observed.permutations());
        // It goes on from there, and stops again.
        let more = Permutation::new(u64::MAX).precision(0.2).resume(&game, &observed).unwrap();
        assert_eq!(more.stopped(), Stopped::Precision);
    }
}

#[test]
fn a_game_of_very_many_players() {
    /// Seats, added one by one.
    struct Seats(usize);
    impl Game for Seats {
        type Value = f64;

        fn num_players(&self) -> usize {
            self.0
        }

        fn value(&self, coalition: &Coalition) -> f64 {
            coalition.iter().map(|player| (player % 5) as f64).sum()
        }

        fn walk(&self, order: &[usize], values: &mut Vec<f64>) {
            let mut seats = 0.0;
            values.extend(order.iter().map(|&player| {
                seats += (player % 5) as f64;
                seats
            }));
        }
    }
    let players = 20_000;
    let estimate = permutation(&Seats(players), 2 * players as u64).unwrap();
    assert_eq!((estimate.evaluations(), estimate.permutations()), (40_000, 2));
    assert!((0..players).all(|player| close(estimate.values()[player], (player % 5) as f64, 0.0)));
}
