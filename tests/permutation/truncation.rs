//! Truncated walks: where they end, what is left and who gets it, and that they end there whatever the batches.

use crate::common::compare::close;
use crate::common::estimates::{assert_same, bits_of};
use crate::common::ledger::{Call, Ledger};
use crate::common::masks::{mask_of, mix, pseudo};
use crate::common::rough::{hash_of, rough};
use crate::samples::{mean_and_error, samples_of, saturating};
use shapley::{Coalition, Permutation, exact, from_fn};

/// A truncated walk, by the documentation: the values of the prefixes that were asked for.
fn walked(order: &[usize], tolerance: f64, value: &impl Fn(&Coalition) -> f64) -> Vec<f64> {
    let players = order.len();
    let grand = value(&Coalition::grand(players));
    let mut values = Vec::new();
    for len in 1..players {
        values.push(value(&Coalition::from_players(players, order[..len].iter().copied())));
        let near = |value: &f64| (grand - value).abs() < tolerance;
        if values.len() >= 3 && values[values.len() - 3..].iter().all(near) {
            break;
        }
    }
    values
}

/// What each player gets of a truncated walk: those who came what they added, the others equal parts of what is left.
fn shares(order: &[usize], tolerance: f64, value: &impl Fn(&Coalition) -> f64) -> Vec<f64> {
    let players = order.len();
    let values = walked(order, tolerance, value);
    let mut sample = vec![0.0; players];
    let mut before = value(&Coalition::empty(players));
    for (&player, value) in order.iter().zip(&values) {
        sample[player] = value - before;
        before = *value;
    }
    let rest = value(&Coalition::grand(players)) - before;
    for &player in &order[values.len()..] {
        sample[player] = rest / (players - values.len()) as f64;
    }
    sample
}

/// The first orders of a seed, as a game that is not truncated sees them.
fn orders(players: usize, seed: u64, antithetic: bool, walks: u64) -> Vec<Vec<usize>> {
    let ledger = Ledger::new(players, |s: &Coalition| s.len() as f64);
    let sampler = Permutation::new(2 + walks * (players as u64 - 1)).seed(seed).antithetic(antithetic).threads(1);
    let _ = sampler.estimate(&ledger.walked()).unwrap();
    crate::samples::orders_of(players, &ledger.take())
}

/// A game that goes up and down on its way, and may be near v(N) by chance.
fn up_and_down(coalition: &Coalition) -> f64 {
    match mix(hash_of(coalition)) % 3 {
        0 if !coalition.is_grand() => saturating(coalition) - 0.5,
        _ => saturating(coalition),
    }
}

#[test]
fn a_walk_ends_after_the_third_prefix_in_a_row_that_is_near() {
    for (players, tolerance, antithetic) in [5, 9, 20, 40]
        .into_iter()
        .flat_map(|players| [1e-3, 0.02, 0.3, 0.8].map(|tolerance| (players, tolerance)))
        .flat_map(|(players, tolerance)| [true, false].map(|antithetic| (players, tolerance, antithetic)))
    {
        for value in [saturating as fn(&Coalition) -> f64, up_and_down, |s| rough(1, s)] {
            let how = format!("{players} players, tolerance {tolerance}, antithetic {antithetic}");
            let ledger = Ledger::new(players, value);
            let sampler = Permutation::new(700).seed(4).antithetic(antithetic).truncate(tolerance).threads(1);
            let estimate = sampler.estimate(&ledger.walked()).unwrap();
            let mut asked: Vec<Coalition> = ledger.take().iter().flat_map(|call| call.coalitions(players)).collect();
            let walks = orders(players, 4, antithetic, estimate.permutations());
            let ends = [Coalition::empty(players), Coalition::grand(players)];
            let mut expected: Vec<Coalition> = ends.into();
            for order in &walks {
                let made = walked(order, tolerance, &value).len();
                expected.extend(crate::common::rough::prefixes(players, &order[..made]));
            }
            let saved = 2 + walks.len() * (players - 1) - expected.len();
            assert_eq!((estimate.evaluations(), estimate.saved()), (expected.len() as u64, saved as u64), "{how}");
            asked.sort_unstable();
            expected.sort_unstable();
            assert_eq!(asked, expected, "{how}");
            let samples: Vec<_> = walks.iter().map(|order| shares(order, tolerance, &value)).collect();
            let (means, errors) = mean_and_error(&samples_of(&samples, antithetic));
            for player in 0..players {
                assert!(close(estimate.values()[player], means[player], 1e-10), "{how}");
                assert!(close(estimate.std_errors()[player], errors[player], 1e-10), "{how}");
            }
        }
    }
}

#[test]
fn prefixes_are_asked_for_one_by_one() {
    for antithetic in [true, false] {
        let ledger = Ledger::new(12, saturating);
        let sampler = Permutation::new(300).antithetic(antithetic).truncate(0.01).threads(1);
        let _ = sampler.estimate(&ledger.walked()).unwrap();
        for call in &ledger.take()[1..] {
            // A pair of walks goes in step.
            assert!(matches!(call, Call::Values(prefixes) if prefixes.len() <= 2), "{call:?}");
        }
    }
}

#[test]
fn threads_and_batches_change_nothing() {
    for (players, value) in [(6, saturating as fn(&Coalition) -> f64), (20, saturating), (20, up_and_down)] {
        for (antithetic, tolerance) in [(true, 0.02), (false, 0.02), (true, 0.4)] {
            let sampler = Permutation::new(3000).antithetic(antithetic).truncate(tolerance);
            let game = from_fn(players, value);
            let expected = sampler.clone().threads(1).estimate(&game).unwrap();
            for (threads, batch) in [1, 2, 4].iter().flat_map(|&threads| [0, 1, 2, 7, 64, 4096].map(|b| (threads, b))) {
                let ledger = Ledger::new(players, value);
                let estimate = sampler.clone().threads(threads).batch(batch).estimate(&ledger.walked()).unwrap();
                let how = format!("{players} players, {threads} threads, batches of {batch}");
                assert_same(&estimate, &expected, &how);
                let asked: usize = ledger.take().iter().map(Call::len).sum();
                assert_eq!((estimate.evaluations(), estimate.saved()), (asked as u64, expected.saved()), "{how}");
            }
        }
    }
}

#[test]
fn the_bias_is_within_the_tolerance() {
    for tolerance in [0.01, 0.1, 0.5] {
        let game = from_fn(12, saturating);
        let expected = exact(&game).unwrap();
        let estimate = Permutation::new(20_000).truncate(tolerance).estimate(&game).unwrap();
        assert!(estimate.saved() > estimate.evaluations() / 4, "{}", estimate.saved());
        for player in 0..12 {
            let bias = (estimate.values()[player] - expected[player]).abs();
            assert!(bias < tolerance + 5.0 * estimate.std_errors()[player], "{player}: {bias}");
        }
    }
}

#[test]
fn one_prefix_or_two_that_are_near_by_chance_cut_nothing() {
    // Near v(N) = 1 wherever the size is not a multiple of three, so twice in a row at the most.
    let by_chance =
        |s: &Coalition| if s.len().is_multiple_of(3) && !s.is_grand() { pseudo(1, hash_of(s)) - 2.0 } else { 1.0 };
    for players in [7, 13, 20] {
        let game = from_fn(players, by_chance);
        for antithetic in [true, false] {
            let plain = Permutation::new(1500).antithetic(antithetic);
            let cut = plain.clone().truncate(0.1).estimate(&game).unwrap();
            let plain = plain.estimate(&game).unwrap();
            assert_eq!((cut.saved(), cut.evaluations()), (0, plain.evaluations()));
            assert_eq!(bits_of(&cut), bits_of(&plain));
        }
    }
}

#[test]
fn a_tolerance_without_bounds_leaves_three_prefixes() {
    for (players, antithetic) in [3, 4, 5, 16, 70].iter().flat_map(|&players| [(players, true), (players, false)]) {
        let game = from_fn(players, |s| rough(2, s));
        let sampler = Permutation::new(1000).antithetic(antithetic).truncate(f64::MAX);
        let estimate = sampler.estimate(&game).unwrap();
        let inner = 3.min(players as u64 - 1);
        assert_eq!(estimate.evaluations(), 2 + estimate.permutations() * inner, "{players} players");
        assert_eq!(estimate.saved(), estimate.permutations() * (players as u64 - 1 - inner));
    }
}

#[test]
fn a_tiny_tolerance_cuts_nothing() {
    for (players, tolerance) in [(3, 1e-12), (12, f64::MIN_POSITIVE), (12, 5e-324), (40, 1e-9)] {
        let game = from_fn(players, |s| rough(3, s));
        for (antithetic, batch) in [(true, 0), (true, 64), (false, 0), (false, 7)] {
            let plain = Permutation::new(2000).antithetic(antithetic).batch(batch);
            let cut = plain.clone().truncate(tolerance).estimate(&game).unwrap();
            let plain = plain.estimate(&game).unwrap();
            assert_eq!(bits_of(&cut), bits_of(&plain));
            assert_eq!((cut.saved(), cut.evaluations()), (0, plain.evaluations()));
        }
    }
}

/// Below the tolerance, not at it.
#[test]
fn the_tolerance_itself_is_not_near() {
    let game = from_fn(10, |s| if s.is_grand() { 1.0 } else { 0.5 });
    assert_eq!(Permutation::new(500).truncate(0.5).estimate(&game).unwrap().saved(), 0);
    assert!(Permutation::new(500).truncate(0.5_f64.next_up()).estimate(&game).unwrap().saved() > 0);
}

#[test]
fn all_outputs_must_be_near() {
    let game =
        |far: f64| from_fn(12, move |s| [saturating(s), far * (s.len() as f64), f64::from(mask_of(s) as u32 & 1)]);
    // The second is far from v(N) up to the end; the third is not near until player 0 has come.
    assert_eq!(Permutation::new(500).truncate(0.9).estimate(&game(1.0)).unwrap().saved(), 0);
    let near = Permutation::new(500).truncate(0.9).estimate(&game(0.0)).unwrap();
    assert!(near.saved() > 0);
    assert!((0..12).all(|player| close(near.values()[player][2], if player == 0 { 1.0 } else { 0.0 }, 1e-15)));
}
