//! The axioms that define the Shapley value, and the value itself by its definitions: for plain numbers, for games with
//! several outputs, and exactly, as fractions.

use crate::common::compare::close;
use crate::common::masks::{mask_of, pseudo};
use crate::common::naive::{by_subsets, by_subsets_tolerance};
use crate::common::rounding::rounding;
use crate::naive::{MOST_PLAYERS_BY_ORDERS, by_orders, by_orders_tolerance};
use crate::symmetry::{exchanged, size_of};
use proptest::prelude::*;
use shapley::{Table, from_fn};

/// Values of all magnitudes that a model may have, in one game too; v(∅) is any number, as for real models.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![-1.0..1.0, -1e6..1e6, (-100..100_i32).prop_map(f64::from), Just(0.0)]
}

/// The tables of K games of the same number of players.
fn tables<const K: usize>(most_players: usize) -> impl Strategy<Value = (usize, [Vec<f64>; K])> {
    (1..=most_players)
        .prop_flat_map(|n| (Just(n), std::array::from_fn::<_, K, _>(|_| proptest::collection::vec(value(), 1 << n))))
}

/// A number of players and one of them.
fn player(most_players: usize) -> impl Strategy<Value = (usize, usize)> {
    (1..=most_players).prop_flat_map(|n| (Just(n), 0..n))
}

fn shapley_of(values: &[f64]) -> Vec<f64> {
    let table = Table::new(values.to_vec()).expect("2^n values are a table");
    shapley::exact(&table).expect("finite values have Shapley values").into_values()
}

proptest! {
    /// Efficiency: the players share out v(N) − v(∅), no more and no less.
    #[test]
    fn efficiency((n, [values]) in tables(10)) {
        let phi = shapley::exact(&Table::new(values.clone()).unwrap()).unwrap();
        let (baseline, grand) = (values[0], values[values.len() - 1]);
        prop_assert_eq!(phi.baseline().to_bits(), baseline.to_bits(), "v(∅) as it is, not computed");
        prop_assert_eq!(phi.grand().to_bits(), grand.to_bits());
        // Every player's own error, and n additions here of at most n values of magnitude 2·size.
        let size = size_of(&values);
        let tolerance = n as f64 * (rounding(n, size) + 2.0 * n as f64 * f64::EPSILON * size);
        prop_assert!(close(phi.iter().sum(), grand - baseline, tolerance));
        prop_assert_eq!((phi.len(), phi.evaluations()), (n, 1 << n));
    }

    /// Symmetry: who adds the same to every coalition gets the same.
    #[test]
    fn symmetry(((n, i), draw, seed) in (player(10), any::<prop::sample::Index>(), any::<u64>())) {
        let j = draw.index(n);
        let game = from_fn(n, |s| {
            let mask = mask_of(s);
            pseudo(seed, mask.min(exchanged(mask, i, j)))
        });
        let phi = shapley::exact(&game).unwrap();
        // The two are at different places of the order of summation, so they may round differently.
        prop_assert!(close(phi[i], phi[j], 2.0 * rounding(n, 1.0)));
    }

    /// Anonymity, which symmetry follows from: other names for the players, the same values.
    #[test]
    fn renaming_the_players_renames_the_values((n, [values]) in tables(8), i in 0..8_usize, j in 0..8_usize) {
        let (i, j) = (i % n, j % n);
        let renamed: Vec<f64> = (0..1 << n).map(|mask| values[exchanged(mask, i, j) as usize]).collect();
        let (mut phi, psi) = (shapley_of(&values), shapley_of(&renamed));
        phi.swap(i, j);
        for (a, b) in phi.into_iter().zip(psi) {
            prop_assert!(close(a, b, 2.0 * rounding(n, size_of(&values))));
        }
    }

    /// Null player: who never changes the value gets zero, and to the last bit where the values agree to the last bit.
    #[test]
    fn null_player((n, [values]) in tables(10), draw in any::<prop::sample::Index>()) {
        let null = draw.index(n);
        let without: Vec<f64> = (0..1 << n).map(|mask: usize| values[mask & !(1 << null)]).collect();
        prop_assert_eq!(shapley_of(&without)[null].to_bits(), 0.0_f64.to_bits());
    }

    /// Dummy player: who adds the same alone and to every coalition gets just that.
    #[test]
    fn dummy_player((n, [values]) in tables(10), draw in any::<prop::sample::Index>(), worth in -100.0..100.0_f64) {
        let dummy = draw.index(n);
        let with = |mask: usize| values[mask & !(1 << dummy)] + if mask >> dummy & 1 == 1 { worth } else { 0.0 };
        let values: Vec<f64> = (0..1 << n).map(with).collect();
        // The sums in the game itself are off by ε/2 of their magnitude, and their mean difference by no more than ε.
        let size = size_of(&values);
        prop_assert!(close(shapley_of(&values)[dummy], worth, rounding(n, size) + f64::EPSILON * size));
    }

    /// Additivity, and with it linearity: the values of a·v + b·w are a times those of v and b times those of w.
    #[test]
    fn additivity((n, [v, w]) in tables(10), a in -10.0..10.0_f64, b in -10.0..10.0_f64) {
        let sum: Vec<f64> = v.iter().zip(&w).map(|(v, w)| a * v + b * w).collect();
        let (phi, psi, both) = (shapley_of(&v), shapley_of(&w), shapley_of(&sum));
        // The result is off twice over, as a whole and in parts; the three roundings that make each value of the sum,
        // and the three of the right-hand side here, are ε/2 each of values of magnitude 2·size at the most.
        let size = a.abs() * size_of(&v) + b.abs() * size_of(&w);
        let tolerance = 2.0 * rounding(n, size) + 6.0 * f64::EPSILON * size;
        for i in 0..n {
            prop_assert!(close(both[i], a * phi[i] + b * psi[i], tolerance), "player {}", i);
        }
    }

    /// A game with several outputs is several games: the same operations in each, so the same bits.
    #[test]
    fn each_output_is_a_game_of_its_own((n, [v, w]) in tables(5)) {
        let pairs = v.iter().zip(&w).map(|(&v, &w)| [v, w]).collect();
        let both = shapley::exact(&Table::new(pairs).unwrap()).unwrap();
        for (output, values) in [&v, &w].into_iter().enumerate() {
            let alone = shapley_of(values);
            let orders = by_orders(n, |mask| values[mask as usize]);
            let tolerance = rounding(n, size_of(values)) + by_orders_tolerance(size_of(values));
            for i in 0..n {
                prop_assert_eq!(both[i][output].to_bits(), alone[i].to_bits());
                prop_assert!(close(both[i][output], orders[i], tolerance));
            }
        }
    }
}

proptest! {
    // The oracle takes 35 280 steps for 7! orders and 22 528 for the subsets of 11 players: 256 cases would take a
    // minute.
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// More players than all orders allow, by the formula alone; from a closure, not a table.
    #[test]
    fn the_formula_over_subsets(n in 8..=11_usize, seed in any::<u64>()) {
        let phi = shapley::exact(&from_fn(n, |s| pseudo(seed, mask_of(s)))).unwrap();
        let expected = by_subsets(n, |mask| pseudo(seed, mask));
        for (a, b) in phi.iter().zip(expected) {
            prop_assert!(close(*a, b, rounding(n, 1.0) + by_subsets_tolerance(n, 1.0)));
        }
    }

    /// The definition over all n! orders, and the formula over all subsets.
    #[test]
    fn the_mean_over_all_orders((n, [values]) in tables(MOST_PLAYERS_BY_ORDERS)) {
        let phi = shapley_of(&values);
        let (size, value) = (size_of(&values), |mask: u64| values[mask as usize]);
        let (orders, subsets) = (by_orders(n, value), by_subsets(n, value));
        for i in 0..n {
            let tolerance = rounding(n, size) + by_orders_tolerance(size);
            prop_assert!(close(phi[i], orders[i], tolerance), "{} and {} by orders", phi[i], orders[i]);
            let tolerance = rounding(n, size) + by_subsets_tolerance(n, size);
            prop_assert!(close(phi[i], subsets[i], tolerance), "{} and {} by subsets", phi[i], subsets[i]);
        }
    }
}

/// What an offset leaves of the values, wherever the null player stands: models give scores far from zero, and a word
/// that does nothing must not seem to do something because of that.
#[test]
fn a_null_player_gets_nothing_however_far_the_values_are_from_zero() {
    /// Below the distance of 1e6 to the next f64, 1.2e-10: even one bit lost in one mean would be more than this.
    const NOTHING: f64 = 1e-10;
    const OFFSET: f64 = 1e6;
    for n in 1..=14 {
        for null in 0..n {
            let value = |mask: u64| OFFSET + pseudo(null as u64, mask & !(1 << null));
            let table = Table::new((0..1 << n).map(value).collect()).unwrap();
            for phi in [shapley::exact(&table).unwrap(), shapley::exact(&from_fn(n, |s| value(mask_of(s)))).unwrap()] {
                assert!(phi[null].abs() < NOTHING, "player {null} of {n}: {}", phi[null]);
                assert_eq!(phi[null].to_bits(), 0.0_f64.to_bits(), "player {null} of {n}: {}", phi[null]);
            }
        }
    }
}

/// Shapley values do not see a constant added to all values, except for what the addition itself rounds.
#[test]
fn an_offset_changes_no_value() {
    for n in 1..=14 {
        let plain = shapley::exact(&from_fn(n, |s| pseudo(1, mask_of(s)))).unwrap();
        for offset in [1e3, 1e6, -1e9] {
            let shifted = shapley::exact(&from_fn(n, |s| offset + pseudo(1, mask_of(s)))).unwrap();
            let size = offset.abs() + 1.0;
            for i in 0..n {
                assert!(close(shifted[i], plain[i], rounding(n, size) + rounding(n, 1.0) + f64::EPSILON * size));
            }
        }
    }
}

/// The oracle's own check is a game for pen and paper. Two singers and a pianist: nobody pays for less than a duo with
/// piano, which earns 10; all three earn 12. Of the six orders the pianist, player 2, comes second in two (and adds 10)
/// and last in two (and adds 12): 44/6. The singers share the rest alike, 14/6 each.
#[test]
fn the_oracle_agrees_with_pen_and_paper() {
    let value = |mask: u64| match mask {
        0b101 | 0b110 => 10.0,
        0b111 => 12.0,
        _ => 0.0,
    };
    let both = [
        (by_orders(3, value), by_orders_tolerance(12.0)),
        (by_subsets(3, value), by_subsets_tolerance(3, 12.0)),
        (shapley_of(&(0..8).map(value).collect::<Vec<_>>()), rounding(3, 12.0)),
    ];
    for (phi, tolerance) in both {
        for (phi, sixths) in phi.iter().zip([14.0, 14.0, 44.0]) {
            assert!(close(*phi, sixths / 6.0, tolerance), "{phi}");
        }
    }
}

/// With fractions there is nothing to round, so every law holds to the letter.
#[cfg(feature = "rational")]
mod exactly {
    use num_bigint::BigInt;
    use num_rational::BigRational;

    use super::*;

    fn fraction((numerator, denominator): (i64, i64)) -> BigRational {
        BigRational::new(numerator.into(), denominator.into())
    }

    fn games<const K: usize>(most_players: usize) -> impl Strategy<Value = (usize, [Vec<BigRational>; K])> {
        // Whole numbers come up as often as fractions, and denominators with many primes.
        let value = || (any::<i64>(), prop_oneof![Just(1), 1..1000_i64]).prop_map(fraction);
        (1..=most_players).prop_flat_map(move |n| {
            (Just(n), std::array::from_fn::<_, K, _>(|_| proptest::collection::vec(value(), 1 << n)))
        })
    }

    fn shapley_of(values: Vec<BigRational>) -> Vec<BigRational> {
        shapley::exact(&Table::new(values).unwrap()).unwrap().into_values()
    }

    proptest! {
        #[test]
        fn the_mean_over_all_orders((n, [values]) in games(4)) {
            let phi = shapley_of(values.clone());
            prop_assert_eq!(&phi, &by_orders(n, |mask| values[mask as usize].clone()));
            prop_assert_eq!(&phi, &by_subsets(n, |mask| values[mask as usize].clone()));
            let game = from_fn(n, |s| values[mask_of(s) as usize].clone());
            prop_assert_eq!(phi, shapley::exact(&game).unwrap().into_values());
        }

        #[test]
        fn efficiency_and_null_player((n, [values]) in games(7), draw in any::<prop::sample::Index>()) {
            let null = draw.index(n);
            let values: Vec<_> = (0..1 << n).map(|mask: usize| values[mask & !(1 << null)].clone()).collect();
            let phi = shapley_of(values.clone());
            prop_assert_eq!(phi.iter().sum::<BigRational>(), &values[values.len() - 1] - &values[0]);
            prop_assert_eq!(&phi[null], &BigRational::from(BigInt::from(0)));
        }

        #[test]
        fn symmetry((n, [values]) in games(7), i in 0..7_usize, j in 0..7_usize) {
            let (i, j) = (i % n, j % n);
            let alike = |mask: u64| values[mask.min(exchanged(mask, i, j)) as usize].clone();
            let phi = shapley_of((0..1 << n).map(alike).collect());
            prop_assert_eq!(&phi[i], &phi[j]);
        }

        #[test]
        fn additivity((n, [v, w]) in games(7), a in (-99..99_i64, 1..99_i64).prop_map(fraction)) {
            let sum = v.iter().zip(&w).map(|(v, w)| &a * v + w).collect();
            let (phi, psi, both) = (shapley_of(v), shapley_of(w), shapley_of(sum));
            for i in 0..n {
                prop_assert_eq!(&both[i], &(&a * &phi[i] + &psi[i]));
            }
        }
    }

    /// Once with all the orders that the oracle can go through: 7! of them.
    #[test]
    fn seven_players() {
        let value =
            |mask: u64| fraction((crate::common::integers::pseudo_integer(7, mask, 1_000_000), 1 + mask as i64));
        let phi = shapley_of((0..1 << MOST_PLAYERS_BY_ORDERS).map(value).collect());
        assert_eq!(phi, by_orders(MOST_PLAYERS_BY_ORDERS, value));
    }
}
