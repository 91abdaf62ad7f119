//! Standard errors and intervals of estimates: Student's t by closed forms, what they are at their borders, and that
//! true values are in them as often as they say.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::common::compare::close;
use crate::common::masks::{mask_of, pseudo};
use crate::common::rough::hash_of;
use shapley::{Estimate, Game, Permutation, exact, from_fn};

const LEVELS: [f64; 9] = [f64::MIN_POSITIVE, 1e-9, 0.01, 0.5, 0.8, 0.95, 0.999, 1.0 - 1e-9, 1.0 - f64::EPSILON / 2.0];

fn noise(players: usize) -> impl Game<Value = f64> {
    from_fn(players, |s| pseudo(1, hash_of(s)))
}

fn of_samples(players: usize, samples: u64) -> Estimate<f64> {
    Permutation::new(2 + samples * 2 * (players as u64 - 1)).seed(3).estimate(&noise(players)).unwrap()
}

/// What the panic says that an interval is.
fn refused(estimate: &Estimate<f64>, player: usize, level: f64) -> String {
    let result = catch_unwind(AssertUnwindSafe(|| estimate.interval(player, level)));
    let payload = result.expect_err("there is no such interval");
    payload.downcast::<String>().map_or_else(|_| "?".to_owned(), |text| *text)
}

#[test]
fn levels_and_players_that_do_not_exist() {
    let estimate = of_samples(5, 10);
    for level in [0.0, -0.0, 1.0, -0.5, 1.5, 95.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let text = refused(&estimate, 0, level);
        assert!(text.contains(&format!("level {level}")) && text.contains("between 0 and 1"), "{text}");
    }
    for player in [5, usize::MAX] {
        let text = refused(&estimate, player, 0.5);
        assert!(text.contains("5"), "{text}");
    }
}

#[test]
fn a_single_sample_knows_nothing() {
    for (players, antithetic) in [(2, false), (3, true), (16, true), (16, false)] {
        let budget = 2 + if antithetic { 2 } else { 1 } * (players as u64 - 1);
        let estimate = Permutation::new(budget).antithetic(antithetic).estimate(&noise(players)).unwrap();
        for (player, level) in (0..players).flat_map(|player| LEVELS.map(|level| (player, level))) {
            assert!(estimate.values()[player].is_finite());
            assert!(estimate.std_errors()[player] == f64::INFINITY);
            assert_eq!(estimate.interval(player, level), (f64::NEG_INFINITY, f64::INFINITY), "{level}");
        }
    }
}

#[test]
fn nothing_differs_where_nothing_can() {
    // One player, two with both orders, and a game in which everyone adds the same wherever it comes.
    let constant = from_fn(9, |s| s.len() as f64 * 0.5);
    let exact = [
        Permutation::new(10).estimate(&noise(1)).unwrap(),
        Permutation::new(10).estimate(&noise(2)).unwrap(),
        Permutation::new(1000).estimate(&constant).unwrap(),
        Permutation::new(1000).precision(0.1).estimate(&constant).unwrap(),
        Permutation::new(34).antithetic(false).estimate(&constant).unwrap(),
    ];
    for estimate in exact {
        for (player, level) in (0..estimate.values().len()).flat_map(|player| LEVELS.map(|level| (player, level))) {
            let value = estimate.values()[player];
            assert_eq!(estimate.std_errors()[player].to_bits(), 0);
            let (low, high) = estimate.interval(player, level);
            assert_eq!((low.to_bits(), high.to_bits()), (value.to_bits(), value.to_bits()), "{level}");
        }
    }
}

/// With one degree of freedom and with two Student's distribution has closed forms. Of samples too few to tell whether
/// contributions are rare it is taken that they are half so: the mean of all players counts 6/7 of an error, and intervals are wider by √(1 + 6/7).
#[test]
fn half_widths_of_two_samples_and_of_three() {
    // So many players that none meets the same coalition in two samples.
    let (two, three) = (of_samples(20, 2), of_samples(20, 3));
    for level in [0.01, 0.2, 0.5, 0.8, 0.95, 0.999] {
        for player in 0..6 {
            let half = |estimate: &Estimate<f64>| {
                let (low, high) = estimate.interval(player, level);
                (high - low) / 2.0 / estimate.std_errors()[player]
            };
            let wider = (1.0_f64 + 6.0 / 7.0).sqrt();
            let cauchy = (std::f64::consts::FRAC_PI_2 * level).tan() * wider;
            assert!(close(half(&two) / cauchy, 1.0, 1e-9), "{level}: {}", half(&two));
            let tail = (1.0 - level) / 2.0;
            let closed = level / (2.0 * tail * (1.0 - tail)).sqrt() * wider;
            assert!(close(half(&three) / closed, 1.0, 1e-9), "{level}: {}", half(&three));
        }
    }
}

#[test]
fn intervals_are_around_the_value_and_wider_the_surer() {
    for samples in [2, 3, 10, 100, 1100] {
        let estimate = of_samples(5, samples);
        for player in 0..5 {
            let value = estimate.values()[player];
            let mut last = 0.0;
            for level in LEVELS {
                let (low, high) = estimate.interval(player, level);
                assert!(low.is_finite() && high.is_finite() && low <= value && value <= high, "{samples} {level}");
                let half = (high - low) / 2.0;
                // At the surest, of two samples, the bounds are a quadrillion times as large as the value.
                assert!(close(high - value, value - low, 1e-9 * (1.0 + half)), "{samples} {level}: {low} {high}");
                assert!(half >= last, "{samples} {level}: {half} after {last}");
                last = half;
            }
            let (low, high) = estimate.interval(player, f64::MIN_POSITIVE);
            assert!(high - low < 1e-12, "{samples}: {low} {high}");
        }
    }
}

#[test]
fn many_samples_have_normal_intervals() {
    let estimate = of_samples(4, 3000);
    for (level, z) in [(0.5, 0.674_490), (0.95, 1.959_964), (0.99, 2.575_829)] {
        let (low, high) = estimate.interval(2, level);
        let half = (high - low) / 2.0 / estimate.std_errors()[2];
        assert!(close(half / z, 1.0, 2e-3), "{level}: {half}");
    }
}

#[test]
fn errors_shrink_with_the_root_of_the_samples() {
    let (few, many) = (of_samples(6, 100), of_samples(6, 1600));
    for player in 0..6 {
        let ratio = few.std_errors()[player] / many.std_errors()[player];
        // A standard deviation from 100 samples is off by 7 of 100, as a rule.
        assert!((2.8..5.6).contains(&ratio), "{player}: {ratio}");
    }
}

/// Of the intervals of many seeds, as many have the true value as the level says.
#[test]
fn true_values_are_inside_as_often_as_promised() {
    let game = from_fn(6, |s| pseudo(5, mask_of(s)));
    let expected = exact(&game).unwrap();
    for (antithetic, level) in [(true, 0.8), (false, 0.8), (true, 0.95), (false, 0.5)] {
        let mut inside = 0;
        for seed in 0..400 {
            let sampler = Permutation::new(2 + 20 * if antithetic { 10 } else { 5 }).seed(seed).antithetic(antithetic);
            let estimate = sampler.estimate(&game).unwrap();
            inside += (0..6)
                .filter(|&player| {
                    let (low, high) = estimate.interval(player, level);
                    low <= expected[player] && expected[player] <= high
                })
                .count();
        }
        let share = inside as f64 / 2400.0;
        // Players of a run depend on one another: as if there were 400 to 2400 draws.
        assert!((share - level).abs() < 0.06, "antithetic {antithetic}: {share} instead of {level}");
    }
}

/// A run that stops when its intervals are narrow stops at a good moment, and is right as often as promised all the
/// same.
#[test]
fn a_precision_is_right_as_often_as_promised() {
    let game = from_fn(6, |s| pseudo(6, mask_of(s)));
    let expected = exact(&game).unwrap();
    let precision = 0.12;
    for confidence in [0.5, 0.9] {
        let mut wrong = [0; 6];
        for seed in 0..200 {
            let sampler = Permutation::new(20_000).seed(seed).precision(precision).confidence(confidence);
            let estimate = sampler.estimate(&game).unwrap();
            assert_eq!(estimate.stopped(), shapley::Stopped::Precision);
            for (player, wrong) in wrong.iter_mut().enumerate() {
                *wrong += u32::from((estimate.values()[player] - expected[player]).abs() > precision);
            }
        }
        let most = 200.0 * (1.0 - confidence);
        assert!(wrong.iter().all(|&wrong| f64::from(wrong) <= most), "{confidence}: {wrong:?} of 200");
    }
}

/// Zero times infinity is neither: an error of zero leaves no doubt, an infinite one all doubt, at any level.
#[test]
fn levels_at_the_ends_are_no_riddle() {
    let one = Permutation::new(2 + 8).estimate(&from_fn(5, |s| (s.len() as f64).sqrt())).unwrap();
    assert!(one.std_errors()[0].is_infinite());
    let sure = Permutation::new(500).estimate(&from_fn(5, |s| s.len() as f64)).unwrap();
    for level in [5e-324, 1e-300, 1e-17, 0.5, 1.0 - f64::EPSILON / 2.0] {
        assert_eq!(one.interval(0, level), (f64::NEG_INFINITY, f64::INFINITY), "{level}");
        assert_eq!(sure.interval(0, level), (1.0, 1.0), "{level}");
        // What the observer sees, and what stops a run.
        let observe = |progress: &shapley::Progress| {
            assert!(!progress.half_width.is_nan(), "{level}");
            std::ops::ControlFlow::Continue(())
        };
        let run = Permutation::new(500).confidence(level).observe(observe);
        assert!(run.estimate(&from_fn(5, |s| (s.len() as f64).sqrt())).is_ok());
    }
}
