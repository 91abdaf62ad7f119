//! Games that fail, answer wrongly, or answer with numbers that are none or too large: what the permutation sampler
//! says of them, the same on any number of threads.

use std::error::Error as StdError;
use std::time::Duration;

use crate::asked::BadWalks;
use crate::common::bad_batches::BadBatches;
use crate::common::failing::Failure;
use crate::common::ledger::Ledger;
use crate::common::masks::{mask_of, mix, pseudo};
use crate::common::rough::{hash_of, prefixes};
use crate::common::said::said;
use crate::samples::orders_of;
use shapley::{Coalition, Error, Game, Permutation, TryGame, from_fn, permutation, try_from_fn};

const THREADS: [usize; 3] = [1, 2, 4];
const BATCHES: [usize; 5] = [0, 1, 7, 64, 4096];

/// The coalitions that samples of a seed ask for, sample by sample, forwards and then backwards.
fn asked(players: usize, seed: u64, samples: u64) -> Vec<Coalition> {
    let ledger = Ledger::new(players, |s: &Coalition| s.len() as f64);
    let sampler = Permutation::new(2 + samples * 2 * (players as u64 - 1)).seed(seed).threads(1);
    let _ = sampler.estimate(&ledger.walked()).unwrap();
    let ends = [Coalition::empty(players), Coalition::grand(players)];
    let orders = orders_of(players, &ledger.take());
    ends.into_iter().chain(orders.iter().flat_map(|order| prefixes(players, &order[..players - 1]))).collect()
}

/// A game that fails at some coalitions, and takes long to say so where it is the first of them.
fn failing<'a>(
    players: usize,
    first: &'a Coalition,
    fails: impl Fn(&Coalition) -> bool + Sync + 'a,
) -> impl TryGame<Value = f64, Error = Failure> + 'a {
    try_from_fn(players, move |s| {
        if s == first {
            std::thread::sleep(Duration::from_millis(2));
        }
        if fails(s) { Err(Failure(mask_of(s))) } else { Ok(pseudo(1, mask_of(s))) }
    })
}

#[test]
fn a_failing_game_names_the_coalition() {
    for mask in [0, 1, 2, 21, 32, 62, 63] {
        let bad = Coalition::from_mask(6, mask);
        let game = failing(6, &bad, |s| *s == bad);
        for (threads, batch) in THREADS.iter().flat_map(|&threads| BATCHES.map(|batch| (threads, batch))) {
            for sampler in [Permutation::new(5000), Permutation::new(5000).truncate(1e-9)] {
                let error = sampler.threads(threads).batch(batch).estimate(&game).unwrap_err();
                assert_eq!(error.to_string(), format!("the game failed at coalition {bad}"));
                assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&Failure(mask)));
                assert!(matches!(error, Error::Game { coalition, .. } if coalition == bad), "{threads} {batch}");
            }
        }
    }
    // Who is not asked does not fail.
    let bad = Coalition::from_mask(6, 0b111);
    let lucky = (0..100).find(|&seed| !asked(6, seed, 1).contains(&bad)).unwrap();
    assert!(Permutation::new(12).seed(lucky).estimate(&failing(6, &bad, |s| *s == bad)).is_ok());
}

#[test]
fn of_several_failures_the_first_samples_is_reported() {
    for (seed, rare) in (0..6).flat_map(|seed| [5, 40, 200].map(|rare| (seed, rare))) {
        let fails = |s: &Coalition| !s.is_empty() && !s.is_grand() && mix(seed ^ hash_of(s)).is_multiple_of(rare);
        let Some(first) = asked(10, seed, 200).into_iter().find(fails) else { panic!("seed {seed} finds nothing") };
        let game = failing(10, &first, fails);
        for (threads, batch) in THREADS.iter().flat_map(|&threads| BATCHES.map(|batch| (threads, batch))) {
            let sampler = Permutation::new(2 + 200 * 18).seed(seed).threads(threads).batch(batch);
            match sampler.estimate(&game) {
                Err(Error::Game { coalition, source }) => {
                    assert_eq!(coalition, first, "seed {seed}, {threads} threads, batches of {batch}");
                    assert_eq!(source, Failure(mask_of(&first)));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Walks in step meet failures of later samples before those of the first. Which walks are in step depends on the
/// batch, and on nothing else; the shortest prefix that fails is told.
#[test]
fn of_several_failures_of_truncated_walks_the_shortest_in_a_batch_is_reported() {
    for seed in 0..6 {
        let fails = |s: &Coalition| !s.is_empty() && !s.is_grand() && mix(seed ^ hash_of(s)).is_multiple_of(40);
        let walks = asked(10, seed, 200);
        for batch in BATCHES {
            // Two walks a sample.
            let samples = (batch / 2).max(1);
            let group = walks[2..].chunks(18 * samples).find(|group| group.iter().any(fails)).unwrap();
            let failures: Vec<&Coalition> = group.iter().filter(|s| fails(s)).collect();
            let shortest = failures.iter().map(|s| s.len()).min().unwrap();
            let game = failing(10, failures[0], fails);
            for threads in THREADS {
                let sampler = Permutation::new(2 + 200 * 18).seed(seed).truncate(1e-12).threads(threads).batch(batch);
                match sampler.estimate(&game) {
                    Err(Error::Game { coalition, .. }) => {
                        let how = format!("seed {seed}, {threads} threads, batches of {batch}");
                        assert!(failures.contains(&&coalition), "{how}: {coalition}, not one of {failures:?}");
                        assert_eq!(coalition.len(), shortest, "{how}: {coalition}");
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

#[test]
fn values_that_are_not_finite() {
    for mask in [0, 1, 21, 62, 63] {
        let bad = Coalition::from_mask(6, mask);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let game = from_fn(6, |s| if *s == bad { value } else { pseudo(1, mask_of(s)) });
            let outputs = from_fn(6, |s| [0.0, if *s == bad { value } else { pseudo(1, mask_of(s)) }]);
            for (threads, batch) in THREADS.iter().flat_map(|&threads| BATCHES.map(|batch| (threads, batch))) {
                for sampler in [Permutation::new(3000), Permutation::new(3000).truncate(1e-9)] {
                    let sampler = sampler.threads(threads).batch(batch);
                    for result in [sampler.estimate(&game).map(|_| ()), sampler.estimate(&outputs).map(|_| ())] {
                        match result {
                            Err(Error::NotFinite { coalition }) => assert_eq!(coalition, bad),
                            other => panic!("{other:?} for {bad}"),
                        }
                    }
                }
            }
            assert_eq!(said(permutation(&game, 3000)), format!("the value of coalition {bad} is not finite"));
        }
    }
}

#[test]
fn walks_of_the_wrong_length() {
    for (answer, threads) in [0, 1, 6, 8, 100].iter().flat_map(|&answer| THREADS.map(|threads| (answer, threads))) {
        let game = BadWalks(8, |order: &[usize], values: &mut Vec<f64>| {
            assert_eq!(order.len(), 7, "the last player is not asked for");
            values.extend(vec![1.0; answer]);
            Ok(())
        });
        match Permutation::new(1000).threads(threads).estimate(&game) {
            Err(Error::BatchLength { asked, got }) => assert_eq!((asked, got), (7, answer)),
            other => panic!("{other:?}"),
        }
        // With batches, and for truncated walks, nothing goes by walks.
        assert!(Permutation::new(1000).batch(10).estimate(&game).is_ok());
        assert!(Permutation::new(1000).truncate(0.1).estimate(&game).is_ok());
    }
}

#[test]
fn walks_that_throw_away_what_was_there() {
    // "Append" is not "replace": v(empty) stands in front, and is missed.
    for answer in [0, 3, 7] {
        let game = BadWalks(8, |_: &[usize], values: &mut Vec<f64>| {
            values.clear();
            values.extend(vec![1.0; answer]);
            Ok(())
        });
        let result = permutation(&game, 1000);
        let got = answer.max(1) - 1;
        assert!(matches!(result, Err(Error::BatchLength { asked: 7, got: named }) if named == got), "{result:?}");
    }
    let failing = BadWalks(8, |order: &[usize], values: &mut Vec<f64>| {
        values.clear();
        Err(Failure(order[0] as u64))
    });
    match permutation(&failing, 1000) {
        Err(Error::Game { coalition, source: Failure(first) }) => {
            assert_eq!(coalition, Coalition::from_players(8, [first as usize]));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_failing_walk_names_the_first_prefix_without_a_value() {
    for answered in [0, 1, 4, 6, 7, 9] {
        let first = orders_of(8, &{
            let ledger = Ledger::new(8, |s: &Coalition| s.len() as f64);
            let _ = Permutation::new(16).threads(1).estimate(&ledger.walked()).unwrap();
            ledger.take()
        });
        let game = BadWalks(8, |_: &[usize], values: &mut Vec<f64>| {
            values.extend(vec![1.0; answered]);
            Err(Failure(7))
        });
        // One that has values for all of them, or more, is reported under the last.
        let named = prefixes(8, &first[0][..7])[answered.min(6)].clone();
        for threads in THREADS {
            match Permutation::new(1000).threads(threads).estimate(&game) {
                Err(Error::Game { coalition, source: Failure(7) }) => assert_eq!(coalition, named),
                other => panic!("{other:?}"),
            }
        }
    }
    // A bad value before the failure comes first.
    let game = BadWalks(8, |_: &[usize], values: &mut Vec<f64>| {
        values.extend([1.0, f64::NAN, 1.0]);
        Err(Failure(7))
    });
    assert!(matches!(permutation(&game, 1000), Err(Error::NotFinite { coalition }) if coalition.len() == 2));
}

#[test]
fn batches_of_the_wrong_length() {
    let answering = |change: fn(usize) -> usize| {
        BadBatches(8, move |coalitions: &[Coalition], values: &mut Vec<f64>| {
            values.extend(vec![1.0; change(coalitions.len())]);
            Ok(())
        })
    };
    for change in [(|_| 0) as fn(usize) -> usize, |asked| asked - 1, |asked| asked + 1, |asked| 10 * asked] {
        for (threads, batch) in THREADS.iter().flat_map(|&threads| BATCHES.map(|batch| (threads, batch))) {
            match Permutation::new(1000).threads(threads).batch(batch).estimate(&answering(change)) {
                // The very first call, of both ends.
                Err(Error::BatchLength { asked: 2, got }) => assert_eq!(got, change(2)),
                other => panic!("{other:?}"),
            }
        }
    }
    // Right for the ends, and wrong later: 7 prefixes of a walk; or 5 batches of 20 for 7 samples of 14; or one of each
    // of two truncated walks.
    let later = |asked: usize| if asked == 2 { 2 } else { asked + 1 };
    assert!(matches!(permutation(&answering(later), 1000), Err(Error::BatchLength { asked: 7, got: 8 })));
    for threads in THREADS {
        let result = Permutation::new(1000).threads(threads).batch(42).estimate(&answering(later));
        assert!(matches!(result, Err(Error::BatchLength { asked: 42, got: 43 })), "{result:?}");
        let result = Permutation::new(1000).threads(threads).batch(42).truncate(0.1).estimate(&answering(later));
        assert!(matches!(result, Err(Error::BatchLength { asked: 42, got: 43 })), "{result:?}");
    }
    let text = said(permutation(&answering(later), 1000));
    assert_eq!(text, "a batch of 7 coalitions came back with 8 values");
}

#[test]
fn batches_that_throw_away_what_was_there() {
    let game = BadBatches(8, |coalitions: &[Coalition], values: &mut Vec<f64>| {
        values.clear();
        values.extend(coalitions.iter().map(|s| s.len() as f64));
        Ok(())
    });
    // The second call of a sample finds values there.
    let result = Permutation::new(1000).threads(1).batch(10).estimate(&game);
    assert!(matches!(result, Err(Error::BatchLength { asked: 4, got: 0 })), "{result:?}");
    let result = Permutation::new(1000).estimate(&game);
    assert!(matches!(result, Err(Error::BatchLength { asked: 7, got: 6 })), "{result:?}");
}

#[test]
fn a_failing_batch_names_the_first_coalition_without_a_value() {
    let expected = asked(8, 0, 3);
    for answered in [0, 1, 13, 41] {
        let game = BadBatches(8, |coalitions: &[Coalition], values: &mut Vec<f64>| {
            let whole = coalitions.len() == 2;
            values.extend(coalitions[..if whole { 2 } else { answered }].iter().map(|s| s.len() as f64));
            if whole { Ok(()) } else { Err(Failure(1)) }
        });
        match Permutation::new(1000).batch(42).threads(1).estimate(&game) {
            Err(Error::Game { coalition, .. }) => assert_eq!(coalition, expected[2 + answered], "{answered}"),
            other => panic!("{other:?}"),
        }
    }
    let ends = BadBatches(8, |coalitions: &[Coalition], values: &mut Vec<f64>| {
        values.extend(coalitions[1..].iter().map(|s| s.len() as f64));
        Err(Failure(1))
    });
    assert!(matches!(permutation(&ends, 1000), Err(Error::Game { coalition, .. }) if coalition.is_grand()));
}

/// Values near the largest: an estimate of finite numbers, or an error that says so.
#[test]
fn sums_that_overflow() {
    let mut overflows = 0;
    for (players, magnitude) in [1, 2, 3, 8, 20].iter().flat_map(|&n| [1e300, 1e306, 1e308, f64::MAX].map(|m| (n, m))) {
        let game = from_fn(players, |s| if hash_of(s).is_multiple_of(2) { magnitude } else { -magnitude });
        for (antithetic, truncated) in [(true, false), (false, false), (true, true)] {
            let sampler = Permutation::new(1000).antithetic(antithetic);
            let sampler = if truncated { sampler.truncate(1.0) } else { sampler };
            let results = THREADS.map(|threads| sampler.clone().threads(threads).estimate(&game));
            for result in results {
                match result {
                    Ok(estimate) => {
                        assert!(magnitude < 1e307, "{players} {magnitude}: {estimate:?}");
                        assert!(estimate.values().iter().all(|value| value.is_finite()), "{estimate:?}");
                        assert!(estimate.std_errors().iter().all(|error| !error.is_nan()), "{estimate:?}");
                        let (low, high) = estimate.interval(0, 0.9);
                        assert!(low <= high, "{low} to {high}");
                    }
                    Err(Error::Overflow { coalition }) => {
                        overflows += 1;
                        assert!(magnitude > 1e304 && coalition.len() == 1, "{players} {magnitude}: {coalition}");
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
    }
    assert!(overflows > 20, "{overflows}");
    let text = said(permutation(&from_fn(3, |s| if s.contains(1) { f64::MAX } else { -f64::MAX }), 1000));
    assert!(text.contains("the result for {1}") && text.contains("range"), "{text}");
    let narrow = from_fn(3, |s| if s.contains(1) { f32::MAX } else { -f32::MAX });
    assert!(matches!(permutation(&narrow, 1000), Err(Error::Overflow { .. })));
}

/// Contributions that cancel leave infinite sums all the same, and are no numbers.
#[test]
fn infinite_sums_do_not_cancel() {
    for players in [4, 9] {
        let game = from_fn(players, |s| if s.len() % 2 == 0 { f64::MAX } else { -f64::MAX });
        for (antithetic, precision) in [(true, 1.0), (false, 1.0), (true, f64::MAX), (false, f64::MAX)] {
            let result = Permutation::new(1000).antithetic(antithetic).precision(precision).estimate(&game);
            assert!(matches!(result, Err(Error::Overflow { .. })), "{result:?}");
        }
    }
}

#[test]
fn errors_that_cannot_be_told_do_not_count_as_small() {
    // Squares of 1e200 are infinite: so is the error, and a precision is not reached by it.
    let game = from_fn(5, |s| 1e200 * pseudo(1, mask_of(s)));
    let estimate = Permutation::new(2000).precision(1.0).estimate(&game).unwrap();
    assert_eq!(estimate.stopped(), shapley::Stopped::Evaluations);
    assert!(estimate.std_errors().iter().all(|error| error.is_infinite()));
}

#[test]
fn refused_threads_or_none_at_all_are_no_hindrance() {
    let game = from_fn(5, |s| pseudo(1, mask_of(s)));
    let expected = permutation(&game, 100).unwrap();
    // More threads than samples.
    assert!(Permutation::new(100).threads(40).estimate(&game).unwrap() == expected);
    let boxed: Box<dyn Game<Value = f64> + Send + '_> = Box::new(&game);
    assert!(Permutation::new(100).threads(3).estimate(&boxed).unwrap() == expected);
}
