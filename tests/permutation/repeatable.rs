//! The same seed gives the same bits: on any number of threads, in batches of any size, by any of a game's methods, and
//! in one run or in several.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::common::estimates::{assert_same, bits_of};
use crate::common::ledger::Ledger;
use crate::common::masks::mix;
use crate::common::masks::{mask_of, pseudo};
use crate::common::resumed::assert_same_samples;
use crate::common::rough::{hash_of, rough};
use crate::samples::{contributions, mean_and_error, orders_of, samples_of, saturating};
use shapley::{Coalition, Error, Estimate, Game, Permutation, Progress, Stopped, from_fn};

const THREADS: [usize; 4] = [1, 2, 3, 8];
const BATCHES: [usize; 6] = [0, 1, 2, 7, 64, 4096];

/// Kinds of samplers that depend on nothing but the seed.
const KINDS: [&str; 7] = [
    "plain",
    "single walks",
    "truncated",
    "truncated single walks",
    "precise",
    "never precise enough",
    "precise and truncated",
];

fn sampler(kind: &str, budget: u64) -> Permutation {
    let plain = Permutation::new(budget).seed(3);
    match kind {
        "single walks" => plain.antithetic(false),
        "truncated" => plain.truncate(0.03),
        "truncated single walks" => plain.antithetic(false).truncate(0.2),
        "precise" => plain.precision(0.05),
        "never precise enough" => plain.precision(1e-9).confidence(0.5),
        "precise and truncated" => plain.precision(0.02).truncate(0.03),
        _ => plain,
    }
}

/// The budget for a number of samples, if walks are not truncated.
fn budget(players: usize, samples: u64) -> u64 {
    2 + samples * 2 * (players as u64 - 1)
}

/// Of a large range of magnitudes below, and still worth truncating.
fn value(coalition: &Coalition) -> f64 {
    saturating(coalition) + 1e-4 * rough(1, coalition) * 0.5_f64.powi(coalition.len() as i32)
}

#[test]
fn threads_and_batches_change_nothing() {
    for players in [1, 2, 3, 7, 16, 40, 130] {
        let samples = (2000 / players as u64).clamp(12, 100);
        for kind in KINDS {
            let sampler = sampler(kind, budget(players, samples));
            let ledger = Ledger::new(players, value);
            let expected = sampler.clone().threads(1).estimate(&ledger.walked()).unwrap();
            for (run, batch) in BATCHES.into_iter().enumerate() {
                let threads = THREADS[(run + players) % 4];
                for (number, game) in ledger.games().into_iter().enumerate() {
                    if number != run % 3 && players > 3 {
                        continue;
                    }
                    let estimate = sampler.clone().threads(threads).batch(batch).estimate(&game).unwrap();
                    let how =
                        format!("{players} players, {kind}, {threads} threads, batches of {batch}, game {number}");
                    assert_same(&estimate, &expected, &how);
                }
            }
        }
    }
}

/// Many samples of a small game, so that threads have many turns and batches end everywhere.
#[test]
fn the_same_run_again_has_the_same_bits() {
    let game = from_fn(6, value);
    for kind in KINDS {
        let sampler = sampler(kind, budget(6, 700));
        let expected = sampler.clone().threads(1).estimate(&game).unwrap();
        for (threads, batch) in THREADS.iter().flat_map(|&threads| [0, 7, 64].map(|batch| (threads, batch))) {
            let estimate = sampler.clone().threads(threads).batch(batch).estimate(&game).unwrap();
            assert_same(&estimate, &expected, &format!("{kind}, {threads} threads, batches of {batch}"));
        }
    }
}

/// Evaluations that take different times, so that samples are finished in any order.
#[test]
fn who_is_fast_changes_nothing() {
    let slow = from_fn(9, |s| {
        if hash_of(s).is_multiple_of(64) {
            std::thread::sleep(std::time::Duration::from_micros(300));
        }
        rough(2, s)
    });
    let expected = Permutation::new(3000).estimate(&from_fn(9, |s| rough(2, s))).unwrap();
    for threads in THREADS {
        assert_same(&Permutation::new(3000).threads(threads).estimate(&slow).unwrap(), &expected, "");
    }
}

/// The games above can tell one order of summation from another, without which all of these tests could pass on games
/// where nothing is rounded: one sample after the other, the sum has other bits.
#[test]
fn another_order_of_summation_would_show() {
    let ledger = Ledger::new(16, value);
    let estimate = Permutation::new(3002).threads(1).estimate(&ledger.walked()).unwrap();
    let walks: Vec<_> = orders_of(16, &ledger.take()).iter().map(|order| contributions(order, value)).collect();
    let (means, _) = mean_and_error(&samples_of(&walks, true));
    let differ = means.iter().zip(estimate.values()).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
    assert!(differ > 8, "only {differ} of 16");
}

#[test]
fn seeds_have_samples_of_their_own() {
    let game = from_fn(8, value);
    let mut all: Vec<_> = [0, 1, 2, 1 << 32, 1 << 63, u64::MAX]
        .map(|seed| bits_of(&Permutation::new(1000).seed(seed).estimate(&game).unwrap()))
        .into();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 6);
}

/// Budgets that a run goes through: none of them need be a whole number of samples.
const STEPS: [u64; 7] = [0, 1, 17, 101, 102, 700, 1500];

#[test]
fn resumed_in_steps_has_the_samples_of_one_longer_run() {
    for players in [1, 2, 3, 7, 16, 40] {
        let game = from_fn(players, value);
        let least = 2 * players as u64;
        for kind in KINDS {
            let with = |extra: u64| sampler(kind, least + extra);
            let mut resumed = with(0).threads(1).estimate(&game).unwrap();
            let mut resumes = 0;
            for (step, extra) in STEPS.into_iter().enumerate() {
                let sampler = with(extra).threads(THREADS[step % 4]).batch(BATCHES[(step + 1) % 6]);
                let before = resumed.evaluations();
                resumed = sampler.resume(&game, resumed).unwrap();
                assert!(resumed.evaluations() <= least + extra, "{players} players, {kind}");
                resumes += u64::from(resumed.evaluations() > before);
            }
            let expected = with(1500 - 2 * resumes).estimate(&game).unwrap();
            assert_same_samples(&resumed, &expected, resumes, &format!("{players} players, {kind}"));
            // There is nothing left to do.
            let again = with(1500).resume(&from_fn(players, |_| panic!("asked")), &resumed).unwrap();
            assert_same(&again, &resumed, &format!("{players} players, {kind}"));
        }
    }
}

#[test]
fn stopped_at_any_moment_and_resumed_has_the_samples_of_one_longer_run() {
    let mut stops = 0;
    for players in [3, 7, 16] {
        let game = from_fn(players, value);
        for kind in KINDS {
            let with = |budget| sampler(kind, budget);
            for (threads, batch) in [(1, 0), (1, 7), (2, 0), (2, 64), (8, 1)] {
                let how = format!("{players} players, {kind}, {threads} threads, batches of {batch}");
                let sampler = with(2500).threads(threads).batch(batch);
                let mut estimate: Option<Estimate<f64>> = None;
                let (mut runs, mut resumes) = (0, 0);
                while estimate.as_ref().is_none_or(|estimate| estimate.stopped() == Stopped::Observer) {
                    runs += 1;
                    let (calls, most) = (AtomicU64::new(0), mix(runs) % (3 * runs));
                    let observe = |_: &Progress| match calls.fetch_add(1, Ordering::SeqCst) >= most {
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    };
                    let before = estimate.as_ref().map_or(0, Estimate::permutations);
                    let spent = estimate.as_ref().map(Estimate::evaluations);
                    let sampler = sampler.clone().observe(observe);
                    let result = match &estimate {
                        Some(estimate) => sampler.resume(&game, estimate),
                        None => sampler.estimate(&game),
                    };
                    let now = result.unwrap();
                    assert!(now.permutations() > before || now.stopped() != Stopped::Observer, "{how}");
                    resumes += u64::from(spent.is_some_and(|spent| now.evaluations() > spent));
                    estimate = Some(now);
                }
                stops += runs - 1;
                // Where the budget ends before all samples that threads had left out are made, a larger one pays for
                // them.
                let part = estimate.unwrap();
                let whole = with(3000).resume(&game, &part).unwrap();
                resumes += u64::from(whole.evaluations() > part.evaluations());
                let expected = with(3000 - 2 * resumes).threads(1).estimate(&game).unwrap();
                assert_same_samples(&whole, &expected, resumes, &how);
            }
        }
    }
    assert!(stops > 50, "{stops}");
}

#[test]
fn both_ends_are_asked_for_again_once_and_counted() {
    let ledger = Ledger::new(5, |s: &Coalition| pseudo(4, mask_of(s)));
    let first = Permutation::new(50).estimate(&ledger.walked()).unwrap();
    let made = ledger.take().iter().map(|call| call.len() as u64).sum::<u64>();
    let more = Permutation::new(200).resume(&ledger.walked(), &first).unwrap();
    let calls = ledger.take();
    assert_eq!(calls[0].coalitions(5), [Coalition::empty(5), Coalition::grand(5)]);
    let asked = calls[1..].iter().flat_map(|call| call.coalitions(5));
    assert!(asked.into_iter().all(|s| !s.is_empty() && !s.is_grand()));
    assert_eq!(made + calls.iter().map(|call| call.len() as u64).sum::<u64>(), more.evaluations());
    // The estimate can be handed over or lent.
    assert_same(&more, &Permutation::new(200).resume(&ledger.walked(), first).unwrap(), "");
}

#[test]
fn a_budget_that_is_used_up_buys_no_more() {
    let game = from_fn(6, value);
    let panicking = from_fn(6, |_| -> f64 { panic!("asked") });
    let estimate = Permutation::new(1000).estimate(&game).unwrap();
    for budget in [0, 12, 500, 1000, estimate.evaluations() + 11] {
        let same = Permutation::new(budget).resume(&panicking, &estimate).unwrap();
        assert_same(&same, &estimate, &format!("{budget} evaluations"));
    }
    let more = Permutation::new(estimate.evaluations() + 12).resume(&game, &estimate).unwrap();
    assert_eq!((more.permutations(), more.evaluations()), (estimate.permutations() + 2, estimate.evaluations() + 12));
    // A precision that it has already needs a look, which comes at 100 samples.
    let precise = Permutation::new(100_000).precision(100.0).resume(&game, &estimate).unwrap();
    assert_eq!((precise.stopped(), precise.permutations()), (Stopped::Precision, 200));
}

/// Two games of one size: what one paid for does not become part of the other's answer.
#[test]
fn another_game_is_not_resumed() {
    let game = from_fn(6, value);
    let estimate = Permutation::new(100).estimate(&game).unwrap();
    for (what, end) in [("v(empty)", Coalition::empty(6)), ("v(N)", Coalition::grand(6))] {
        let asked = AtomicU64::new(0);
        let other = from_fn(6, |s| {
            asked.fetch_add(1, Ordering::SeqCst);
            if *s == end { value(s) + f64::EPSILON } else { value(s) }
        });
        let (ours, theirs) = (value(&end) + f64::EPSILON, value(&end));
        assert!(ours.to_bits() != theirs.to_bits());
        match Permutation::new(1000).resume(&other, &estimate) {
            Err(Error::Mismatch { what: differs, ours: here, theirs: there }) => {
                assert_eq!((differs, here, there), (what, ours.to_string(), theirs.to_string()));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }
}

/// v(∅) and v(N) are paid for, so that a sample is made whatever the time and the observer say.
#[test]
fn a_resumed_run_makes_a_sample() {
    let game = from_fn(6, value);
    let mut estimate = Permutation::new(100).estimate(&game).unwrap();
    for stop in [Stopped::Deadline, Stopped::Observer] {
        let (samples, spent) = (estimate.permutations() / 2, estimate.evaluations());
        let sampler = Permutation::new(10_000).threads(2);
        estimate = match stop {
            Stopped::Deadline => sampler.deadline(std::time::Duration::ZERO).resume(&game, &estimate),
            _ => sampler.observe(|_: &Progress| ControlFlow::Break(())).resume(&game, &estimate),
        }
        .unwrap();
        assert_eq!(estimate.stopped(), stop);
        assert!(estimate.permutations() / 2 > samples && estimate.evaluations() > spent + 2);
    }
}

#[test]
fn what_does_not_belong_together_is_not_resumed() {
    let game = from_fn(6, value);
    let panicking = |players: usize| from_fn(players, |_| -> f64 { panic!("asked") });
    let estimate = Permutation::new(100).seed(3).truncate(0.5).estimate(&game).unwrap();
    let sampler = Permutation::new(1000).seed(3).truncate(0.5);
    let refused = |sampler: Permutation, players: usize| match sampler.resume(&panicking(players), &estimate) {
        Err(Error::Mismatch { what, ours, theirs }) => (what, ours, theirs),
        other => panic!("{other:?}"),
    };
    let texts = |what: &'static str, ours: &str, theirs: &str| (what, ours.to_owned(), theirs.to_owned());
    assert_eq!(refused(sampler.clone(), 7), texts("the number of players", "7", "6"));
    assert_eq!(refused(sampler.clone().seed(4), 6), texts("the seed", "4", "3"));
    assert_eq!(refused(sampler.clone().antithetic(false), 6), texts("the setting `antithetic`", "false", "true"));
    assert_eq!(refused(sampler.clone().truncate(0.25), 6), texts("the tolerance of truncation", "0.25", "0.5"));
    assert_eq!(refused(Permutation::new(1000).seed(3), 6), texts("the tolerance of truncation", "none", "0.5"));
    let error = sampler.clone().seed(4).resume(&game, &estimate).unwrap_err();
    assert_eq!(error.to_string(), "the seed differs: 4 here, 3 in the other");
    // Nobody, and settings that make no sense, are refused as in a first run.
    assert!(matches!(sampler.resume(&panicking(0), &estimate), Err(Error::NoPlayers {})));
    let result = sampler.clone().confidence(1.0).resume(&panicking(6), &estimate);
    assert!(matches!(result, Err(Error::Setting { name: "confidence", .. })), "{result:?}");
    // How it is asked and when it stops may differ.
    let other = sampler.threads(2).batch(5).confidence(0.5).precision(1e-9);
    assert!(other.resume(&game, &estimate).is_ok());
}

#[test]
fn a_game_behind_a_pointer_is_the_same_game() {
    let game = from_fn(7, value);
    let expected = Permutation::new(500).estimate(&game).unwrap();
    let boxed: Box<dyn Game<Value = f64> + '_> = Box::new(&game);
    assert_same(&Permutation::new(500).estimate(&*boxed).unwrap(), &expected, "");
    assert_same(&Permutation::new(500).estimate(&boxed).unwrap(), &expected, "");
    assert_same(&shapley::permutation(&boxed, 500).unwrap(), &expected, "");
}
