//! Estimates of several seeds are one estimate of all their samples, whoever is merged into whom; what does not belong
//! together is refused, and leaves the estimate as it was.

use crate::common::compare::{close, largest};
use crate::common::estimates::{assert_same, bits_of};
use crate::common::ledger::Ledger;
use crate::common::masks::{mask_of, pseudo};
use crate::common::resumed::assert_same_samples;
use crate::common::rough::rough;
use crate::samples::{contributions, mean_and_error_of_seeds, orders_of, samples_of, saturating};
use shapley::{Coalition, Error, Estimate, Permutation, Stopped, from_fn};

fn value(coalition: &Coalition) -> f64 {
    rough(1, coalition)
}

/// An estimate of a game of 7 players with 12 evaluations a sample.
fn of(seed: u64, samples: u64) -> Estimate<f64> {
    Permutation::new(2 + 12 * samples).seed(seed).estimate(&from_fn(7, value)).unwrap()
}

fn merged(parts: &[&Estimate<f64>]) -> Estimate<f64> {
    let mut all = parts[0].clone();
    parts[1..].iter().for_each(|part| all.merge(*part).unwrap());
    all
}

#[test]
fn whoever_is_merged_into_whom() {
    for (first, second) in [(1, 1), (2, 1), (30, 30), (100, 7), (64, 33), (5, 200)] {
        let (a, b) = (of(3, first), of(u64::MAX, second));
        assert_same(&merged(&[&a, &b]), &merged(&[&b, &a]), &format!("{first} and {second} samples"));
    }
}

#[test]
fn three_estimates_in_any_order() {
    let (a, b, c) = (of(1, 50), of(2, 13), of(3, 31));
    let expected = merged(&[&a, &b, &c]);
    for parts in [[&a, &c, &b], [&b, &a, &c], [&b, &c, &a], [&c, &a, &b], [&c, &b, &a]] {
        assert_same(&merged(&parts), &expected, "");
    }
    assert_same(&merged(&[&a, &merged(&[&b, &c])]), &expected, "two first");
    assert_same(&merged(&[&merged(&[&c, &b]), &a]), &expected, "two first");
    let together = [&a, &b, &c];
    assert_eq!(expected.evaluations(), together.iter().map(|part| part.evaluations()).sum::<u64>());
    assert_eq!(expected.attribution().evaluations(), expected.evaluations());
    assert_eq!(expected.permutations(), together.iter().map(|part| part.permutations()).sum::<u64>());
    let (mine, theirs) = (expected.attribution(), a.attribution());
    assert_eq!(mine.baseline().to_bits(), theirs.baseline().to_bits());
    assert_eq!(mine.grand().to_bits(), theirs.grand().to_bits());
}

#[test]
fn an_estimate_can_be_handed_over_or_lent() {
    let (a, b) = (of(1, 5), of(2, 5));
    let (mut owned, mut lent) = (a.clone(), a.clone());
    owned.merge(b.clone()).unwrap();
    lent.merge(&b).unwrap();
    assert_same(&owned, &lent, "");
}

#[test]
fn it_is_the_estimate_of_all_samples() {
    for (antithetic, truncated) in [(true, false), (false, false), (true, true)] {
        let value: fn(&Coalition) -> f64 = if truncated { saturating } else { value };
        let mut seeds = Vec::new();
        let mut estimates = Vec::new();
        for (seed, budget) in [(1, 500), (2, 150), (7, 1111)] {
            let ledger = Ledger::new(7, value);
            // A tolerance that cuts nothing lets the walks be asked for prefix by prefix.
            let sampler = Permutation::new(budget).seed(seed).antithetic(antithetic).threads(1);
            estimates.push(sampler.clone().estimate(&ledger.walked()).unwrap());
            let walks = orders_of(7, &ledger.take());
            let walks: Vec<_> = walks.iter().map(|order| contributions(order, value)).collect();
            seeds.push(samples_of(&walks, antithetic));
            if truncated {
                let sampler = sampler.truncate(1e-12);
                let cut = sampler.estimate(&ledger.walked()).unwrap();
                assert_eq!(bits_of(&cut), bits_of(estimates.last().unwrap()));
                *estimates.last_mut().unwrap() = cut;
            }
        }
        let all = merged(&estimates.iter().collect::<Vec<_>>());
        let (means, errors) = mean_and_error_of_seeds(&seeds.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let tolerance = 1e-13 * largest(means.iter().copied()).max(1000.0);
        for player in 0..7 {
            assert!(close(all.values()[player], means[player], tolerance), "{player}");
            assert!(close(all.std_errors()[player], errors[player], tolerance), "{player}");
        }
    }
}

#[test]
fn two_single_samples_are_two_samples() {
    let (a, b) = (of(1, 1), of(2, 1));
    assert!(a.std_errors().iter().all(|error| error.is_infinite()));
    let both = merged(&[&a, &b]);
    let (means, errors) = mean_and_error_of_seeds(&[&[a.values().to_vec()], &[b.values().to_vec()]]);
    for player in 0..7 {
        assert!(close(both.values()[player], means[player], 1e-12));
        assert!(close(both.std_errors()[player], errors[player], 1e-12));
    }
}

#[test]
fn why_it_stopped_stays() {
    let game = from_fn(7, value);
    let mut precise = Permutation::new(100_000).precision(1e6).seed(1).estimate(&game).unwrap();
    assert_eq!(precise.stopped(), Stopped::Precision);
    let mut plain = of(2, 10);
    let copy = plain.clone();
    plain.merge(&precise).unwrap();
    precise.merge(&copy).unwrap();
    assert_eq!((plain.stopped(), precise.stopped()), (Stopped::Evaluations, Stopped::Precision));
    assert_eq!(bits_of(&plain), bits_of(&precise));
    // An interval that was looked at stays as wide as that makes it.
    assert_eq!(plain.interval(0, 0.9), precise.interval(0, 0.9));
}

/// What `merge` refuses, with the estimate unchanged.
#[track_caller]
fn refused(mine: &Estimate<f64>, theirs: &Estimate<f64>) -> Error {
    let mut tried = mine.clone();
    let error = tried.merge(theirs).expect_err("they do not belong together");
    assert_same(&tried, mine, "a refused merge");
    error
}

#[test]
fn samples_do_not_count_twice() {
    let (short, long) = (of(5, 10), of(5, 40));
    for (mine, theirs, common) in [(&short, &long, 10), (&long, &short, 10), (&long, &long, 40)] {
        match refused(mine, theirs) {
            Error::Overlap { seed, start, end } => assert_eq!((seed, start, end), (5, 0, common)),
            other => panic!("{other:?}"),
        }
    }
    // One of several seeds is enough, whichever side it is on.
    let several = merged(&[&of(1, 3), &short, &of(9, 3)]);
    assert!(matches!(refused(&several, &long), Error::Overlap { seed: 5, start: 0, end: 10 }));
    assert!(matches!(refused(&long, &several), Error::Overlap { seed: 5, start: 0, end: 10 }));
    let text = refused(&long, &several).to_string();
    assert_eq!(text, "both estimates have the samples 0 to 9 of seed 5, which would count twice");
}

#[test]
fn estimates_of_other_games_are_refused() {
    let game = |low: f64, high: f64| {
        from_fn(7, move |s| {
            if s.is_empty() {
                low
            } else if s.is_grand() {
                high
            } else {
                pseudo(1, mask_of(s))
            }
        })
    };
    let sampler = Permutation::new(100);
    let mine = sampler.clone().seed(1).estimate(&game(0.5, 2.0)).unwrap();
    let mismatch = |theirs: &Estimate<f64>| match refused(&mine, theirs) {
        Error::Mismatch { what, ours, theirs } => (what, ours, theirs),
        other => panic!("{other:?}"),
    };
    let texts = |what: &'static str, ours: &str, theirs: &str| (what, ours.to_owned(), theirs.to_owned());
    let seed = sampler.clone().seed(2);
    let other = seed.estimate(&from_fn(6, |s| s.len() as f64)).unwrap();
    assert_eq!(mismatch(&other), texts("the number of players", "7", "6"));
    assert_eq!(mismatch(&seed.estimate(&game(0.25, 2.0)).unwrap()), texts("v(empty)", "0.5", "0.25"));
    assert_eq!(mismatch(&seed.estimate(&game(0.5, 3.5)).unwrap()), texts("v(N)", "2", "3.5"));
    let single = seed.clone().antithetic(false).estimate(&game(0.5, 2.0)).unwrap();
    assert_eq!(mismatch(&single), texts("the setting `antithetic`", "true", "false"));
    let cut = seed.clone().truncate(0.125).estimate(&game(0.5, 2.0)).unwrap();
    assert_eq!(mismatch(&cut), texts("the tolerance of truncation", "none", "0.125"));
    let error = refused(&cut, &mine).to_string();
    assert_eq!(error, "the tolerance of truncation differs: 0.125 here, none in the other");
    // The last bit is enough.
    let near = seed.estimate(&game(0.5, 2.0_f64.next_up())).unwrap();
    assert_eq!(mismatch(&near).0, "v(N)");
    // The same seed of another game is another game first.
    let same = sampler.seed(1).estimate(&game(0.25, 2.0)).unwrap();
    assert_eq!(mismatch(&same).0, "v(empty)");
}

#[test]
fn what_grows_too_large_is_refused() {
    let game = from_fn(1, |s| if s.is_empty() { 0.0 } else { 1.2e308 });
    let sampler = Permutation::new(2).antithetic(false);
    let [one, two] = [1, 2].map(|seed| sampler.clone().seed(seed).estimate(&game).unwrap());
    assert!(matches!(refused(&one, &two), Error::Overflow { coalition } if coalition.is_grand()));
}

#[test]
fn merged_estimates_can_be_resumed() {
    let game = from_fn(7, value);
    let both = merged(&[&of(1, 20), &of(2, 30)]);
    // The same as if the second had been longer from the start: 2 + 12·20 and 2 + 12·80 evaluations.
    let expected = merged(&[&of(1, 20), &of(2, 80)]);
    let sampler = Permutation::new(expected.evaluations() + 7).seed(2);
    for threads in [1, 2, 4] {
        let more = sampler.clone().threads(threads).resume(&game, &both).unwrap();
        assert_same_samples(&more, &expected, 1, &format!("{threads} threads"));
    }
    // Either seed goes on where it was.
    let first = Permutation::new(both.evaluations() + 122).seed(1).resume(&game, &both).unwrap();
    assert_same_samples(&first, &merged(&[&of(1, 30), &of(2, 30)]), 1, "");
    match Permutation::new(10_000).seed(3).resume(&game, &both) {
        Err(Error::Mismatch { what, ours, theirs }) => {
            assert_eq!((what, ours.as_str(), theirs.as_str()), ("the seed", "3", "1 and 2"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn exact_estimates_stay_exact() {
    let game = from_fn(2, |s| mask_of(s) as f64);
    let [mut one, two] = [1, 2].map(|seed| Permutation::new(10).seed(seed).estimate(&game).unwrap());
    one.merge(&two).unwrap();
    assert_eq!((one.evaluations(), one.permutations()), (8, 4));
    assert_eq!((one.interval(0, 0.9), one.interval(1, 0.9)), ((1.0, 1.0), (2.0, 2.0)));
}

#[cfg(feature = "rational")]
mod rational {
    use num_bigint::BigInt;
    use num_rational::{BigRational, Ratio};

    use super::*;

    #[test]
    fn fractions_merge_exactly() {
        let game = from_fn(5, |s| Ratio::new(crate::common::integers::pseudo_integer(1, mask_of(s), 30), 7));
        let [mut one, two] = [1, 2].map(|seed| Permutation::new(100).seed(seed).estimate(&game).unwrap());
        let expected: Vec<_> = one.values().iter().zip(two.values()).map(|(a, b)| (a + b) / 2).collect();
        one.merge(&two).unwrap();
        assert_eq!(one.values(), expected);
    }

    /// Values far above the largest f64, which are the same although no float tells.
    #[test]
    fn huge_fractions_can_be_merged() {
        let huge = BigInt::from(10).pow(400);
        let game = from_fn(4, |s| BigRational::from_integer(huge.clone() * s.len()));
        let [mut one, two] = [1, 2].map(|seed| Permutation::new(100).seed(seed).estimate(&game).unwrap());
        one.merge(&two).unwrap();
        assert_eq!(one.values()[3], BigRational::from_integer(huge.clone()));
    }

    /// Values that differ by less than an f64 can tell are not the same.
    #[test]
    fn fractions_that_differ_a_little_are_another_game() {
        let large = 1_i64 << 60;
        let [mut one, two] = [(1, 0), (2, 1)].map(|(seed, more)| {
            let game = from_fn(4, move |s| Ratio::from_integer(if s.is_grand() { large + more } else { 0 }));
            Permutation::new(8).seed(seed).estimate(&game).unwrap()
        });
        let result = one.merge(&two);
        assert!(matches!(result, Err(Error::Mismatch { what: "v(N)", .. })), "{result:?}");
    }
}
