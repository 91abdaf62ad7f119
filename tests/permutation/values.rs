//! What a sampled estimate is, whatever was drawn: it shares out v(N) − v(∅), gives nothing to a player who adds
//! nothing, is exact where there is nothing to estimate, and is the same in every type of value.

use crate::common::compare::{close, largest};
use crate::common::integers::pseudo_integer;
use crate::common::ledger::Ledger;
use crate::common::masks::{mask_of, pseudo};
use crate::common::rough::{hash_of, rough};
use crate::samples::{contributions, mean_and_error, orders_of, samples_of, saturating};
use shapley::{Coalition, Estimate, Permutation, Value, exact, from_fn};

const PLAYERS: [usize; 7] = [1, 2, 3, 5, 16, 70, 150];

/// A sampler for some dozens of samples of a game of so many players.
fn sampler(players: usize) -> Permutation {
    Permutation::new(2 + 60 * (players as u64 - 1)).seed(2)
}

/// How far a sum over players of means over samples may be from v(N) − v(∅), for values up to `largest`: each sample's
/// contributions are off by 2 roundings of 2·largest each, sums over 60 samples by 6 more, and the sum over players by
/// one each.
fn rounding(players: usize, largest: f64) -> f64 {
    (players * (players + 10)) as f64 * f64::EPSILON * 2.0 * largest
}

fn assert_efficient(estimate: &Estimate<f64>, largest: f64, how: &str) {
    let sum: f64 = estimate.values().iter().sum();
    let shared = estimate.attribution().grand() - estimate.attribution().baseline();
    let tolerance = rounding(estimate.values().len(), largest);
    assert!(close(sum, shared, tolerance), "{how}: {sum} for {shared}");
}

#[test]
fn the_values_share_out_what_there_is() {
    for (players, antithetic) in PLAYERS.iter().flat_map(|&players| [(players, true), (players, false)]) {
        let how = format!("{players} players, antithetic {antithetic}");
        let game = from_fn(players, |s| rough(1, s) + 50.0);
        let plain = sampler(players).antithetic(antithetic);
        assert_efficient(&plain.estimate(&game).unwrap(), 1050.0, &how);
        // What truncation leaves is shared out too.
        for tolerance in [1e-9, 0.01, 0.1, 1.0, 100.0] {
            let cut = plain.clone().truncate(tolerance).estimate(&from_fn(players, saturating)).unwrap();
            assert_efficient(&cut, 2.0, &format!("{how}, truncated at {tolerance}"));
        }
        let attribution = plain.estimate(&game).unwrap().attribution().clone();
        let empty = rough(1, &Coalition::empty(players)) + 50.0;
        let grand = rough(1, &Coalition::grand(players)) + 50.0;
        assert_eq!(attribution.baseline().to_bits(), empty.to_bits());
        assert_eq!(attribution.grand().to_bits(), grand.to_bits());
        assert_eq!(attribution.len(), players);
    }
}

#[test]
fn a_player_who_adds_nothing_gets_exactly_that() {
    for players in [2, 3, 5, 16, 70] {
        // Player 1 is not there for the value, nor is the last.
        let game = from_fn(players, |s| {
            let mut others = s.clone();
            others.remove(1);
            others.remove(players - 1);
            rough(3, &others)
        });
        for (antithetic, batch) in [(true, 0), (true, 7), (false, 0), (false, 64)] {
            let estimate = sampler(players).antithetic(antithetic).batch(batch).estimate(&game).unwrap();
            for null in [1, players - 1] {
                let (value, error) = (estimate.values()[null], estimate.std_errors()[null]);
                assert_eq!(value.to_bits(), 0, "{players} players: {value}");
                // Nothing tells it from a player whose contributions are rare.
                let least = estimate.std_errors().iter().copied().fold(f64::INFINITY, f64::min);
                assert!(error >= 0.0 && error <= least, "{players} players: {error}");
                let (low, high) = estimate.interval(null, 0.99);
                assert!(low <= 0.0 && 0.0 <= high, "{players} players: {low} to {high}");
            }
        }
    }
    // A game that is worth nothing to anyone.
    let estimate = sampler(9).estimate(&from_fn(9, |_| 17.25_f64)).unwrap();
    assert!(estimate.values().iter().chain(estimate.std_errors()).all(|value| value.to_bits() == 0));
}

#[test]
fn an_additive_game_is_exact() {
    for (players, antithetic) in PLAYERS.iter().flat_map(|&players| [(players, true), (players, false)]) {
        let sampler = sampler(players).antithetic(antithetic);
        // Of whole numbers every sum is exact, and every sample the same.
        let whole = |player: usize| pseudo_integer(4, player as u64, 1000) as f64;
        let estimate = sampler.estimate(&from_fn(players, |s| 7.0 + s.iter().map(whole).sum::<f64>())).unwrap();
        for (player, (value, error)) in estimate.values().iter().zip(estimate.std_errors()).enumerate() {
            assert!(close(*value, whole(player), 0.0) && error.to_bits() == 0, "{player}: {value} {error}");
        }
        let any = |player: usize| pseudo(5, player as u64);
        let estimate = sampler.estimate(&from_fn(players, |s| s.iter().map(any).sum::<f64>())).unwrap();
        let tolerance = rounding(players, players as f64);
        for (player, (value, error)) in estimate.values().iter().zip(estimate.std_errors()).enumerate() {
            assert!(close(*value, any(player), tolerance) && *error <= tolerance, "{player}: {value} {error}");
        }
    }
}

#[test]
fn an_order_and_its_reverse_cancel_a_quadratic() {
    // Σ over pairs of w_ij: whoever of two comes second gets w, and in the pair of walks each gets it once.
    let weight = |i: usize, j: usize| pseudo_integer(6, (i.min(j) << 10 | i.max(j)) as u64, 50) as f64;
    for players in [3, 5, 16, 40] {
        let game = from_fn(players, |s| {
            let members: Vec<usize> = s.iter().collect();
            let pairs = members.iter().enumerate().flat_map(|(k, &i)| members[..k].iter().map(move |&j| (i, j)));
            pairs.map(|(i, j)| weight(i, j)).sum::<f64>()
        });
        let estimate = sampler(players).estimate(&game).unwrap();
        for player in 0..players {
            let expected = (0..players).filter(|&j| j != player).map(|j| weight(player, j) / 2.0).sum::<f64>();
            assert!(close(estimate.values()[player], expected, 0.0), "{player}");
            assert_eq!(estimate.std_errors()[player].to_bits(), 0, "{player}");
        }
        let single = sampler(players).antithetic(false).estimate(&game).unwrap();
        assert!(single.std_errors().iter().any(|&error| error > 0.0));
    }
}

#[test]
fn values_and_errors_are_those_of_the_orders_walked() {
    for (players, antithetic) in [3, 5, 16, 40].iter().flat_map(|&players| [(players, true), (players, false)]) {
        let value = |s: &Coalition| rough(7, s);
        let ledger = Ledger::new(players, value);
        let sampler = sampler(players).antithetic(antithetic).threads(1);
        let estimate = sampler.estimate(&ledger.walked()).unwrap();
        let orders = orders_of(players, &ledger.take());
        let walks: Vec<_> = orders.iter().map(|order| contributions(order, value)).collect();
        let (means, errors) = mean_and_error(&samples_of(&walks, antithetic));
        let tolerance = 1e-13 * largest(means.iter().chain(&errors).copied()).max(1000.0);
        for player in 0..players {
            assert!(close(estimate.values()[player], means[player], tolerance), "{player} of {players}");
            assert!(close(estimate.std_errors()[player], errors[player], tolerance), "{player} of {players}");
        }
    }
}

#[test]
fn estimates_are_about_the_exact_values() {
    for (players, antithetic) in [3, 6, 9].iter().flat_map(|&players| [(players, true), (players, false)]) {
        let games: [fn(&Coalition) -> f64; 3] = [
            |s| pseudo(8, hash_of(s)),
            // Symmetric: all players are worth the same.
            |s| if 2 * s.len() > s.num_players() { 1.0 } else { 0.0 },
            // A dictator's veto: the others need player 0 and one more.
            |s| if s.contains(0) && s.len() > 1 { s.len() as f64 } else { 0.0 },
        ];
        for (number, game) in games.into_iter().enumerate() {
            let game = from_fn(players, game);
            let expected = exact(&game).unwrap();
            let estimate = Permutation::new(8000).antithetic(antithetic).seed(1).estimate(&game).unwrap();
            for (player, exactly) in expected.iter().enumerate() {
                let (value, error) = (estimate.values()[player], estimate.std_errors()[player]);
                // With more than 60 intervals, 5 standard errors are passed by one of them in less than 1 of 20 000
                // seeds.
                assert!(close(value, *exactly, 5.0 * error + 1e-12), "game {number}, player {player}: {value} {error}");
                assert!(error < 0.1, "game {number}, player {player}: {error}");
            }
        }
    }
}

/// Whole numbers, of which every sum of the tests is exact in any type.
fn whole(output: u64, coalition: &Coalition) -> i64 {
    pseudo_integer(20 + output, hash_of(coalition), 100)
}

#[test]
fn several_outputs_are_as_each_alone() {
    for (players, antithetic, truncated) in
        PLAYERS.iter().flat_map(|&n| [(n, true, false), (n, false, false), (n, true, true)])
    {
        // Truncation looks at all outputs, so that alone they are cut as together only if they are near together.
        let output = |k: u64, s: &Coalition| match truncated {
            false => rough(k, s),
            true => saturating(s) * (k + 1) as f64,
        };
        let plain = sampler(players).antithetic(antithetic);
        let with = |tolerance: f64| if truncated { plain.clone().truncate(tolerance) } else { plain.clone() };
        let together = with(0.03).estimate(&from_fn(players, |s| [0, 1, 2].map(|k| output(k, s)))).unwrap();
        for k in 0..3 {
            // The third decides: of the others a third or two thirds of its difference is left.
            let tolerance = 0.03 * (k + 1) as f64 / 3.0;
            let alone = with(tolerance).estimate(&from_fn(players, |s| output(k, s))).unwrap();
            assert_eq!((alone.evaluations(), alone.saved()), (together.evaluations(), together.saved()));
            let k = k as usize;
            for player in 0..players {
                assert_eq!(together.values()[player][k].to_bits(), alone.values()[player].to_bits());
                assert_eq!(together.std_errors()[player][k].to_bits(), alone.std_errors()[player].to_bits());
                let ((low, high), (bottom, top)) = (together.interval(player, 0.9), alone.interval(player, 0.9));
                assert_eq!((low[k].to_bits(), high[k].to_bits()), (bottom.to_bits(), top.to_bits()));
            }
        }
    }
}

#[test]
fn narrow_floats_are_as_wide_ones() {
    for players in PLAYERS {
        let wide = sampler(players).estimate(&from_fn(players, |s| whole(0, s) as f64)).unwrap();
        let narrow = sampler(players).estimate(&from_fn(players, |s| whole(0, s) as f32)).unwrap();
        for player in 0..players {
            let near = |a: f32, b: f64| (f64::from(a) - b).abs() <= 4e-6 * b.abs();
            assert!(near(narrow.values()[player], wide.values()[player]), "{player} of {players}");
            assert!(near(narrow.std_errors()[player], wide.std_errors()[player]), "{player} of {players}");
        }
    }
}

/// Errors of contributions near the least and the largest that a type can hold: right, or infinite where their squares
/// do not fit; too large where they are too small for an `f64`; and never zero, which would mean that all samples were
/// the same.
#[test]
fn errors_of_tiny_and_of_huge_values_do_not_vanish() {
    let wide = |scale: f64| {
        let game = from_fn(6, |s| whole(0, s) as f64 * scale);
        sampler(6).estimate(&game).unwrap().std_errors()[0] / scale
    };
    let expected = wide(1.0);
    for scale in [1e-30, 1e-20, 1e20, 1e30] {
        let game = from_fn(6, |s| (whole(0, s) as f64 * scale) as f32);
        let error = f64::from(sampler(6).estimate(&game).unwrap().std_errors()[0]) / scale;
        assert!(error.is_infinite() || close(error, expected, 1e-3), "f32 in units of {scale}: {error} for {expected}");
    }
    for scale in [1e-150, 1e150, 1e200] {
        let error = wide(scale);
        assert!(error.is_infinite() || close(error, expected, 1e-3), "f64 in units of {scale}: {error} for {expected}");
    }
    for scale in [1e-170, 1e-200, 1e-300] {
        let error = wide(scale);
        assert!(error > expected && error * scale < 1e-153, "f64 in units of {scale}: {error} for {expected}");
    }
}

/// As many outputs as are known only at run time.
#[derive(Clone, Debug, PartialEq)]
struct Outputs(Vec<f64>);

impl Value for Outputs {
    fn add_assign(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine += theirs);
    }

    fn sub_assign(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine -= theirs);
    }

    fn scale(&mut self, numerator: i128, denominator: i128) {
        self.0.iter_mut().for_each(|mine| mine.scale(numerator, denominator));
    }

    fn is_finite(&self) -> bool {
        self.0.iter().all(|mine| mine.is_finite())
    }

    fn zip_with(&self, other: &Self, mut f: impl FnMut(f64, f64) -> f64) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(mine, theirs)| f(*mine, *theirs)).collect())
    }
}

#[test]
fn a_value_of_ones_own_is_as_an_array() {
    for (players, threads, batch) in [(1, 1, 0), (2, 2, 7), (5, 1, 64), (16, 4, 0), (70, 2, 100)] {
        let sampler = sampler(players).threads(threads).batch(batch);
        let array = sampler.estimate(&from_fn(players, |s| [rough(1, s), rough(2, s)])).unwrap();
        let own = sampler.estimate(&from_fn(players, |s| Outputs(vec![rough(1, s), rough(2, s)]))).unwrap();
        assert!(own.values().iter().zip(array.values()).all(|(own, array)| own.0 == array));
        assert!(own.std_errors().iter().zip(array.std_errors()).all(|(own, array)| own.0 == array));
        let ((low, high), (bottom, top)) = (own.interval(0, 0.8), array.interval(0, 0.8));
        assert!(low.0 == bottom && high.0 == top);
        // Stopping by precision goes by the largest component.
        let game = from_fn(players, |s| Outputs(vec![0.0, pseudo(1, hash_of(s))]));
        let precise = Permutation::new(400_000).precision(0.5).batch(batch).estimate(&game).unwrap();
        let array = from_fn(players, |s| [0.0, pseudo(1, hash_of(s))]);
        let other = Permutation::new(400_000).precision(0.5).batch(batch).estimate(&array).unwrap();
        assert_eq!((precise.permutations(), precise.stopped()), (other.permutations(), other.stopped()));
    }
}

#[test]
fn displays_are_a_line_a_player_the_largest_first() {
    let estimate = sampler(3).estimate(&from_fn(3, |s| mask_of(s) as f64)).unwrap();
    let text = format!("{estimate:.2}");
    assert_eq!(text, "2  4.00  ± 0.00\n1  2.00  ± 0.00\n0  1.00  ± 0.00");
}

#[cfg(feature = "rational")]
mod rational {
    use std::ops::ControlFlow;
    use std::sync::Mutex;

    use num_rational::{BigRational, Ratio};
    use num_traits::ToPrimitive;
    use shapley::{Error, Game, Progress, Stopped};

    use super::*;

    /// Sums of what players add along the orders walked, in whole numbers, with the number of walks.
    fn sums(players: usize, antithetic: bool) -> (Vec<i64>, i64) {
        let ledger = Ledger::new(players, |s: &Coalition| whole(0, s) as f64);
        let _ = sampler(players).antithetic(antithetic).threads(1).estimate(&ledger.walked()).unwrap();
        let orders = orders_of(players, &ledger.take());
        let mut sums = vec![0; players];
        for order in &orders {
            let mut here = Coalition::empty(players);
            for &player in order {
                let before = whole(0, &here);
                here.insert(player);
                sums[player] += whole(0, &here) - before;
            }
        }
        (sums, orders.len() as i64)
    }

    #[test]
    fn fractions_are_the_exact_means() {
        for (players, antithetic) in [2, 3, 5, 16, 40].iter().flat_map(|&n| [(n, true), (n, false)]) {
            let (sums, walks) = sums(players, antithetic);
            let sampler = sampler(players).antithetic(antithetic);
            let narrow = sampler.estimate(&from_fn(players, |s| Ratio::from_integer(whole(0, s)))).unwrap();
            let wide = from_fn(players, |s| BigRational::from_integer(whole(0, s).into()));
            let wide = sampler.estimate(&wide).unwrap();
            let float = sampler.estimate(&from_fn(players, |s| whole(0, s) as f64)).unwrap();
            for (player, &sum) in sums.iter().enumerate() {
                assert_eq!(narrow.values()[player], Ratio::new(sum, walks), "{player} of {players}");
                assert_eq!(wide.values()[player], BigRational::new(sum.into(), walks.into()));
                assert!(close(float.values()[player], sum as f64 / walks as f64, 1e-12));
                let error = wide.std_errors()[player].to_f64().unwrap();
                assert!(close(error, float.std_errors()[player], 1e-12), "{player} of {players}: {error}");
                let (low, high) = wide.interval(player, 0.9);
                let (bottom, top) = float.interval(player, 0.9);
                assert!(close(low.to_f64().unwrap(), bottom, 1e-11) && close(high.to_f64().unwrap(), top, 1e-11));
            }
            let shared = whole(0, &Coalition::grand(players)) - whole(0, &Coalition::empty(players));
            assert_eq!(narrow.values().iter().sum::<Ratio<i64>>(), Ratio::from_integer(shared));
            assert_eq!(wide.values().iter().sum::<BigRational>(), BigRational::from_integer(shared.into()));
        }
    }

    #[test]
    fn truncated_fractions_share_out_all_there_is() {
        let game = from_fn(12, |s| Ratio::new(s.len().min(5) as i64 * 7, 3));
        let estimate = Permutation::new(500).truncate(0.1).estimate(&game).unwrap();
        assert!(estimate.saved() > 0);
        assert_eq!(estimate.values().iter().sum::<Ratio<i64>>(), Ratio::new(35, 3));
    }

    #[test]
    fn fractions_that_do_not_fit_are_an_overflow() {
        let game = from_fn(5, |s| Ratio::new(1, 2 + 2 * mask_of(s) as i64 * mask_of(s) as i64 * 1_000_003));
        let result = Permutation::new(500).estimate(&game);
        assert!(matches!(result, Err(Error::Overflow { .. })), "{result:?}");
    }

    /// The last half width that an observer is shown.
    fn last_half_width<V: Value>(game: &impl Game<Value = V>, samples: u64) -> f64 {
        let last = Mutex::new(0.0);
        let observe = |progress: &Progress| {
            *last.lock().unwrap() = progress.half_width;
            ControlFlow::Continue(())
        };
        let _ = Permutation::new(2 + 8 * samples).observe(observe).estimate(game).unwrap();
        last.into_inner().unwrap()
    }

    #[test]
    fn the_half_width_of_fractions_is_that_of_floats() {
        for samples in [2, 3, 20] {
            let float = last_half_width(&from_fn(5, |s| whole(0, s) as f64), samples);
            let wide = last_half_width(&from_fn(5, |s| BigRational::from_integer(whole(0, s).into())), samples);
            assert!(close(float, wide, 1e-9), "after {samples} samples {wide} instead of {float}");
        }
    }

    /// Whatever the type can hold.
    #[test]
    fn the_half_width_of_fractions_is_infinite_before_the_second_sample() {
        let width = last_half_width(&from_fn(5, |s| BigRational::from_integer(whole(0, s).into())), 1);
        assert!(width.is_infinite(), "{width}");
        let width = last_half_width(&from_fn(5, |s| Ratio::from_integer(whole(0, s))), 1);
        assert!(width.is_infinite(), "{width}");
    }

    /// An error that cannot be told is no error of zero.
    #[test]
    fn narrow_fractions_do_not_stop_at_a_precision_they_do_not_have() {
        let narrow = from_fn(5, |s| Ratio::from_integer(whole(0, s)));
        let float = from_fn(5, |s| whole(0, s) as f64);
        let sampler = Permutation::new(2000).precision(1e-3);
        assert_eq!(sampler.estimate(&float).unwrap().stopped(), Stopped::Evaluations);
        assert_eq!(sampler.estimate(&narrow).unwrap().stopped(), Stopped::Evaluations);
    }

    /// Errors that an f64 can tell to many digits fit a fraction of 64 bits, or one near to them does.
    #[test]
    fn narrow_fractions_have_errors() {
        let narrow = sampler(5).estimate(&from_fn(5, |s| Ratio::from_integer(whole(0, s)))).unwrap();
        let float = sampler(5).estimate(&from_fn(5, |s| whole(0, s) as f64)).unwrap();
        for (narrow, float) in narrow.std_errors().iter().zip(float.std_errors()) {
            assert!(Value::is_finite(narrow), "{narrow} instead of {float}");
            assert!(close(narrow.to_f64().unwrap(), *float, 1e-6), "{narrow} instead of {float}");
        }
    }
}
