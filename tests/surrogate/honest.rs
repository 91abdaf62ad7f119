//! Intervals on games that a model is easily sure of: votes, whose pairs show two or three values.

use shapley::games::WeightedVoting;
use shapley::{Estimate, Exact, KernelShap, Stopped, Surrogate, from_fn};

/// A generator that shares nothing with the crate's: SplitMix64 (Steele, Lea & Flood 2014,
/// doi:10.1145/2660193.2660195).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

/// All 34 pairs of this vote look like a function of the size, which would give each of the nine players 1/9.
#[test]
fn pairs_that_look_like_a_function_of_the_size_leave_doubt() {
    let game = WeightedVoting::new(16, [4, 3, 4, 2, 5, 2, 2, 3, 6]).unwrap();
    let exact = Exact::new().solve(&game).unwrap();
    let estimate = Surrogate::new(72).seed(205).estimate(&game).unwrap();
    for player in 0..9 {
        let (low, high) = estimate.interval(player, 0.95);
        assert!(high - low > 0.05, "player {player}: {low} to {high}");
        assert!((low..=high).contains(&exact[player]), "player {player}: {low} to {high}, exactly {}", exact[player]);
    }
}

/// Of 120 random votes, 95 % intervals cover at least 0.90 of about 1080 values. With a coverage of 0.95, and values of
/// one vote as one observation of a standard deviation of at most 0.2, the chance of less is below 10⁻²: seeds are
/// fixed. And no error is zero where the value is wrong.
#[test]
fn intervals_of_random_votes_cover() {
    let mut numbers = Numbers(20_261_128);
    let (mut covered, mut all) = (0, 0);
    for seed in 0..120 {
        let voters = 6 + numbers.below(7) as usize;
        let most = [3, 5, 10, 30, 100][numbers.below(5) as usize];
        let weights: Vec<u64> = (0..voters).map(|_| 1 + numbers.below(most)).collect();
        let total: u64 = weights.iter().sum();
        let quota = if seed % 2 == 0 { total / 2 + 1 } else { total / 2 + 1 + numbers.below(total - total / 2) };
        let game = WeightedVoting::new(quota, weights).unwrap();
        let exact = Exact::new().solve(&game).unwrap();
        let estimate = Surrogate::new(8 * voters as u64).seed(seed).estimate(&game).unwrap();
        for (player, exact) in exact.iter().enumerate() {
            let (low, high) = estimate.interval(player, 0.95);
            covered += u32::from((low - 1e-12..=high + 1e-12).contains(exact));
            all += 1;
            let is_wrong = (estimate.values()[player] - exact).abs() > 1e-9;
            assert!(!is_wrong || estimate.std_errors()[player] > 0.0, "{game:?}, player {player}");
        }
    }
    let coverage = f64::from(covered) / f64::from(all);
    assert!(coverage >= 0.90, "{coverage} of {all}");
}

/// A logistic curve of a sum: what a model's probabilities are. The curve is found, and with it the values, to a
/// hundredth; least squares on as many evaluations are ten times as far off.
#[test]
fn probabilities_are_seen_through() {
    let weight = |k: usize| [1.9, -0.8, 0.6, 0.3][k % 4] * (1.0 + k as f64 / 20.0);
    let game = from_fn(14, |s| 1.0 / (1.0 + (2.5 - s.iter().map(weight).sum::<f64>()).exp()));
    let exact = Exact::new().solve(&game).unwrap();
    let length: f64 = exact.iter().map(|value| value * value).sum();
    let distance = |estimate: &Estimate<f64>| -> f64 {
        let off = exact.iter().zip(estimate.values()).map(|(a, b)| (a - b) * (a - b));
        (off.sum::<f64>() / length).sqrt()
    };
    for seed in 0..3 {
        let model = distance(&Surrogate::new(100).seed(seed).estimate(&game).unwrap());
        let least_squares = distance(&KernelShap::new(100).seed(seed).estimate(&game).unwrap());
        assert!(model < 0.01 && 10.0 * model < least_squares, "seed {seed}: {model}, {least_squares}");
    }
}

/// Whether every value is within eight standard errors of the exact one.
/// Beyond 14 players a sample of pairs stands for all of them where a curve is summed, whose noise more evaluations do
/// not make smaller. It is in the standard errors: at least 0.85 of the values of 30 runs are covered. Values of a run
/// go together: as one observation of a standard deviation of at most 0.25, with a coverage of 0.95, they have a chance
/// of 0.014 to be less. Seeds are fixed.
#[test]
fn a_curve_of_many_players_is_as_sure_as_it_is_right() {
    let mut coverage = 0.0;
    for (players, evaluations) in [(16, 500), (16, 3000), (20, 1000)] {
        let game = from_fn(players, move |s| {
            let sum: f64 = s.iter().map(|player| (player as f64 - 4.0) / players as f64).sum();
            1.0 / (1.0 + (-sum).exp())
        });
        let exact = Exact::new().solve(&game).unwrap();
        for seed in 0..10 {
            let estimate = Surrogate::new(evaluations).seed(seed).estimate(&game).unwrap();
            let is_covered = |player: usize| {
                let (low, high) = estimate.interval(player, 0.95);
                (low..=high).contains(&exact[player])
            };
            coverage += (0..players).filter(|&player| is_covered(player)).count() as f64 / players as f64 / 30.0;
        }
    }
    assert!(coverage >= 0.85, "{coverage}");
}

fn is_near(estimate: &Estimate<f64>, exact: &[f64]) -> bool {
    let pairs = estimate.values().iter().zip(estimate.std_errors()).zip(exact);
    pairs.into_iter().all(|((value, error), exact)| (value - exact).abs() <= 8.0 * error + 1e-9)
}

/// Nine of twelve must agree, and no pair that is asked for shows it; or no pair shows what three players add together.
#[test]
fn what_no_pair_shows_is_not_sure() {
    let vetoes = from_fn(12, |s| if (0..9).all(|player| s.contains(player)) { 1.0 } else { 0.0 });
    let exact = Exact::new().solve(&vetoes).unwrap();
    let three = from_fn(9, |s| s.len() as f64 + if (0..3).all(|player| s.contains(player)) { 1.0 } else { 0.0 });
    let of_three = Exact::new().solve(&three).unwrap();
    for seed in 0..25 {
        let estimate = Surrogate::new(26).seed(seed).estimate(&vetoes).unwrap();
        assert!(is_near(&estimate, exact.values()), "seed {seed}: {estimate}");
        let estimate = Surrogate::new(76).seed(seed).precision(0.01).estimate(&three).unwrap();
        assert!(is_near(&estimate, of_three.values()), "seed {seed}: {estimate}");
    }
}

/// Where both coalitions of every pair are worth the same, those of a pair that was not asked for may still differ.
#[test]
fn pairs_that_are_all_even_leave_doubt() {
    let game = from_fn(10, |s| (s.len() * (10 - s.len())) as f64);
    for estimate in [Surrogate::new(60).estimate(&game), KernelShap::new(60).estimate(&game)].map(Result::unwrap) {
        assert!(estimate.values().iter().all(|value| value.abs() < 1e-12), "{estimate}");
        assert!(estimate.std_errors().iter().all(|error| *error > 0.1), "{estimate}");
    }
    let exact = KernelShap::new(1 << 10).estimate(&game).unwrap();
    assert!(exact.std_errors().iter().all(|error| *error == 0.0));
}

/// Standard errors scale with the game, to the ends of what a float can be.
#[test]
fn standard_errors_scale() {
    let errors = |scale: f64| {
        let won = |s: &shapley::Coalition| 2 * s.iter().map(|player| player + 1).sum::<usize>() > 45;
        let vote = from_fn(9, move |s| if won(s) { scale } else { 0.0 });
        let model = Surrogate::new(30).estimate(&vote).unwrap();
        let least_squares = KernelShap::new(30).estimate(&vote).unwrap();
        [model, least_squares].map(|estimate| estimate.std_errors()[0] / scale)
    };
    let want = errors(1.0);
    for scale in [1e-300, 1e-170, 1e200, 1e300] {
        for (got, want) in errors(scale).iter().zip(want) {
            assert!((got / want - 1.0).abs() < 1e-6, "{scale}: {got} {want}");
        }
    }
}

/// A game that looks self-dual for a while: what was paid for in one stage is not asked for in the next.
#[test]
fn stages_ask_for_nothing_twice() {
    let game = from_fn(5, |s| f64::from(u8::from(s.contains(0) && s.contains(1))));
    for seed in 0..10 {
        let estimate = Surrogate::new(45).seed(seed).precision(1e-4).estimate(&game).unwrap();
        assert!(estimate.evaluations() <= 32, "{}", estimate.evaluations());
    }
}

/// A number that a coalition has by no rule.
fn scrambled(s: &shapley::Coalition) -> u64 {
    let mixed = s.iter().fold(7_u64, |a, k| {
        (a.rotate_left(9) ^ (k as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xBF58_476D_1CE4_E5B9)
    });
    mixed ^ (mixed >> 29)
}

/// Of a game that turns out not to be dual at the end of a stage, what was paid for is kept.
#[test]
fn games_that_are_hardly_dual_are_asked_for_nothing_twice() {
    let game = from_fn(7, |s| {
        let is_odd = !s.is_empty() && s.len() < 7 && scrambled(s).is_multiple_of(5);
        f64::from(u8::from(2 * s.len() > 7)) + if is_odd { 0.7 } else { 0.0 }
    });
    for seed in 0..10 {
        let estimate = Surrogate::new(178).seed(seed).precision(1e-12).estimate(&game).unwrap();
        assert!(estimate.evaluations() <= 128, "seed {seed}: {}", estimate.evaluations());
    }
}

/// Each resume that can pay for a pair, beside v(∅) and v(N), gets one.
#[test]
fn every_resume_gains_what_it_pays_for() {
    let game = from_fn(6, |s| s.iter().map(|k| (k as f64 + 1.0).sqrt()).sum::<f64>().powf(0.8));
    for seed in 0..20 {
        let mut estimate = KernelShap::new(14).seed(seed).estimate(&game).unwrap();
        while estimate.stopped() != Stopped::Exact {
            let budget = estimate.evaluations() + 4;
            estimate = KernelShap::new(budget).seed(seed).resume(&game, &estimate).unwrap();
            assert_eq!(estimate.evaluations(), budget, "seed {seed}");
        }
    }
}

/// Where all pairs are there, and few of them were checked, what the others' complements are is in doubt.
#[test]
fn few_checks_of_few_players_are_not_sure() {
    let mut sure = 0;
    for game in 0..200 {
        let worth =
            |s: &shapley::Coalition| if s.is_empty() { 0.0 } else { (scrambled(s).rotate_left(game) % 4) as f64 };
        let odd = from_fn(4, |s| {
            let dual = if s.len() < 2 { 0.0 } else { s.len() as f64 - 2.0 };
            dual + if worth(s) == 0.0 { 0.25 } else { 0.0 }
        });
        let exact = shapley::exact(&odd).unwrap();
        for seed in 0..5 {
            let estimate = Surrogate::new(11).seed(seed).estimate(&odd).unwrap();
            for player in 0..4 {
                let is_wrong = (estimate.values()[player] - exact[player]).abs() > 1e-9;
                assert!(!(is_wrong && estimate.std_errors()[player] == 0.0), "game {game}, seed {seed}: {estimate}");
                sure += u32::from(estimate.std_errors()[player] == 0.0);
            }
        }
    }
    assert_eq!(sure, 0, "not all values were asked for");
}

/// Least squares of hardly more pairs than players may leave differences of values open, and meet all pairs.
#[test]
fn what_least_squares_cannot_tell_is_in_doubt() {
    for n in [4, 5, 6, 8] {
        let game = from_fn(n, |s| {
            let alone: f64 = s.iter().map(|k| (k as f64 + 1.0).sqrt()).sum();
            alone
                + 0.66 * f64::from(u8::from(s.contains(0) ^ s.contains(1)))
                + 0.31 * f64::from(u8::from(s.contains(0) && s.contains(2)))
        });
        let exact = shapley::exact(&game).unwrap();
        for evaluations in 2 * n as u64 + 2..=3 * n as u64 + 2 {
            for seed in 0..8 {
                for estimate in [
                    KernelShap::new(evaluations).seed(seed).estimate(&game).unwrap(),
                    Surrogate::new(evaluations).seed(seed).estimate(&game).unwrap(),
                ] {
                    for player in 0..n {
                        let off = (estimate.values()[player] - exact[player]).abs();
                        let error = estimate.std_errors()[player];
                        assert!(off < 1e-9 || error > 1e-6, "{n} players, {evaluations}, seed {seed}: {off} {error}");
                    }
                }
            }
        }
    }
}
