//! Glove games: the closed form against data from the literature, the definition, and exact sums for large games.

use crate::common::compare::close;
use crate::common::naive;
use crate::common::rounding::rounding;
use crate::walks::assert_walks_are_values;
use shapley::Game;
use shapley::games::Glove;

#[test]
fn every_small_game_is_solved() {
    for (left, right) in (0..=8).flat_map(|left| (0..=8).map(move |right| (left, right))) {
        let n = left + right;
        if n == 0 || n > 12 {
            continue;
        }
        let game = Glove::new(left, right);
        assert_eq!((game.left(), game.right()), (left, right));
        let phi = game.shapley();
        let exact = shapley::exact(&game).unwrap();
        let pairs = |mask: u64| {
            let lefts = (mask & ((1 << left) - 1)).count_ones();
            f64::from(lefts.min(mask.count_ones() - lefts))
        };
        let by_definition = naive::by_subsets(n, pairs);
        for player in 0..n {
            let most = left.min(right) as f64;
            assert!(close(phi[player], exact[player], rounding(n, most)), "{left} {right}");
            assert!(close(phi[player], by_definition[player], naive::by_subsets_tolerance(n, most)), "{left} {right}");
        }
        assert_eq!(phi.grand().to_bits(), exact.grand().to_bits());
        assert_eq!(phi.baseline().to_bits(), exact.baseline().to_bits());
        assert_eq!(phi.evaluations(), 0);
        assert_walks_are_values(&game, 6);
    }
}

/// CoopGame's and Wiese's, Castro's shoes, and one glove against many, where 1/(r (r+1)) is known.
#[test]
fn games_of_the_literature() {
    for (left, right, of_left, of_right) in [
        (1, 2, 2.0 / 3.0, 1.0 / 6.0),
        (2, 1, 1.0 / 6.0, 2.0 / 3.0),
        (4, 1, 0.05, 0.8),
        (1, 9, 0.9, 1.0 / 90.0),
        (50, 50, 0.5, 0.5),
        (1, 1_000_000, 1e6 / 1_000_001.0, 1.0 / (1e6 * 1_000_001.0)),
    ] {
        let phi = Glove::new(left, right).shapley();
        assert!(close(phi[0], of_left, 4.0 * f64::EPSILON * of_left), "{left} {right}: {}", phi[0]);
        let last = phi[left + right - 1];
        assert!(close(last, of_right, 4.0 * f64::EPSILON * of_right), "{left} {right}: {last}");
    }
}

/// The chance to complete a pair, by another way: who comes as the s-th finds a hypergeometric number of each side
/// there. By products of ratios, in which nothing cancels, so that small values are known to as many digits as large
/// ones.
fn of_each(own: usize, other: usize) -> f64 {
    // Σ over a < b of C(own−1, a) C(other, b) / (n C(n−1, a+b)), by logarithms of factorials.
    let n = own + other;
    let mut ln = vec![0.0_f64; n + 1];
    for k in 1..=n {
        ln[k] = ln[k - 1] + (k as f64).ln();
    }
    let choose = |n: usize, k: usize| ln[n] - ln[k] - ln[n - k];
    let mut sum = 0.0;
    for a in 0..own {
        for b in a + 1..=other {
            sum += (choose(own - 1, a) + choose(other, b) - choose(n - 1, a + b)).exp() / n as f64;
        }
    }
    sum
}

#[test]
fn large_games_by_hypergeometric_chances() {
    for (left, right) in [(300, 320), (40, 900), (900, 40), (700, 701), (3, 1000)] {
        let phi = Glove::new(left, right).shapley();
        let (of_left, of_right) = (of_each(left, right), of_each(right, left));
        // Logarithms of factorials near 10⁴ are good to 10⁻¹² or so, which is relative error after `exp`.
        assert!(close(phi[0], of_left, 2e-11 * of_left), "{left} {right}: {} {of_left}", phi[0]);
        assert!(close(phi[left], of_right, 2e-11 * of_right), "{left} {right}: {} {of_right}", phi[left]);
    }
}

/// All pairs are shared out, whatever the sizes, and to all digits where sides are nearly equal too.
#[test]
fn values_sum_to_the_pairs() {
    for (left, right) in [(100_000, 100_001), (5000, 7000), (1_000_000, 1_000_002), (123_456, 1)] {
        let phi = Glove::new(left, right).shapley();
        let total = left as f64 * phi[0] + right as f64 * phi[left];
        assert!(close(total, left.min(right) as f64, 1e-12 * total), "{left} {right}: {total}");
    }
}

#[test]
#[should_panic(expected = "no players")]
fn nobody_has_no_values() {
    let _ = Glove::new(0, 0).shapley();
}

#[test]
fn more_players_than_can_be_counted_are_as_many_as_can() {
    for market in [Glove::new(usize::MAX, 1), Glove::new(1, usize::MAX), Glove::new(usize::MAX, usize::MAX)] {
        assert_eq!(market.num_players(), usize::MAX);
    }
}

#[test]
#[should_panic(expected = "18446744073709551615 players are over the limit of 16777216")]
fn a_market_for_no_solver_has_no_closed_form() {
    let _ = Glove::new(usize::MAX, 0).shapley();
}
