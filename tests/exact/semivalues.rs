//! Semivalues: every kind of weights against the formula, and what a summary tells from one pass. Weights that are
//! refused are in `refused_weights.rs`, Banzhaf values of games from the literature in `tests/literature`.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::compare::{close, largest};
use crate::common::masks::{mask_of, pseudo};
use crate::naive::by_weights;
use proptest::prelude::*;
use shapley::{Attribution, Exact, Game, Index, Semivalue, Table, Value, banzhaf, exact, from_fn};

/// Relative to the largest value, for games of at most 10 players: the formula adds 2^9 terms of weights that sum to
/// one, so it is off by 2^9·ε = 1.1e-13 at the worst.
const RELATIVE_TOLERANCE: f64 = 1e-12;

const MOST_PLAYERS: usize = 8;

fn solved<G: Game + ?Sized>(semivalue: &Semivalue, game: &G) -> Attribution<G::Value> {
    Exact::new().semivalue(game, semivalue).expect("finite values have a semivalue")
}

fn table<V: Value>(players: usize, value: impl Fn(u64) -> V) -> Table<V> {
    Table::new((0..1 << players).map(value).collect()).expect("2^n values are a table")
}

/// Of many magnitudes and signs, and v(∅) is no more zero than the others.
fn value(mask: u64) -> f64 {
    1e3 * pseudo(1, mask) + pseudo(2, mask)
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|factor| factor as f64).product()
}

fn choose(n: usize, k: usize) -> f64 {
    factorial(n) / (factorial(k) * factorial(n - k))
}

/// x (x+1) ⋯ (x+k−1).
fn rising(x: f64, k: usize) -> f64 {
    (0..k).map(|j| x + j as f64).product()
}

/// B(α+m, β+s) / B(α, β) with m = n−1−s, by Γ(x+k) / Γ(x) = x (x+1) ⋯ (x+k−1).
fn beta_weight(alpha: f64, beta: f64, n: usize, s: usize) -> f64 {
    rising(alpha, n - 1 - s) * rising(beta, s) / rising(alpha + beta, n - 1)
}

/// Compares a semivalue with the formula, for every number of players that the formula takes.
fn assert_weights(semivalue: &Semivalue, weight: impl Fn(usize, usize) -> f64) {
    for n in 1..=MOST_PLAYERS {
        let total: f64 = (0..n).map(|s| choose(n - 1, s) * weight(n, s)).sum();
        assert!(close(total, 1.0, 1e-12), "the test's own weights sum to {total}");
        let game = table(n, value);
        let tolerance = RELATIVE_TOLERANCE * largest(game.values().iter().copied());
        let expected = by_weights(n, |s| weight(n, s), value);
        let found = solved(semivalue, &game);
        assert_eq!((found.len(), found.evaluations()), (n, 1 << n));
        assert_eq!((found.baseline(), found.grand()), (&game.values()[0], &game.values()[(1 << n) - 1]));
        for (player, (got, expected)) in found.iter().zip(expected).enumerate() {
            assert!(close(*got, expected, tolerance), "{semivalue:?}, {player} of {n}: {got} is not {expected}");
        }
        // A game that is asked gives the same bits as its table.
        assert_eq!(bits(&found), bits(&solved(semivalue, &from_fn(n, |s| value(mask_of(s))))));
    }
}

fn bits(found: &Attribution<f64>) -> Vec<u64> {
    found.iter().chain([found.baseline(), found.grand()]).map(|value| value.to_bits()).collect()
}

#[test]
fn shapley_weights() {
    assert_weights(&Semivalue::shapley(), |n, s| factorial(s) * factorial(n - 1 - s) / factorial(n));
}

#[test]
fn banzhaf_weights() {
    assert_weights(&Semivalue::banzhaf(), |n, _| 0.5_f64.powi(n as i32 - 1));
}

#[test]
fn beta_weights() {
    for (alpha, beta) in [(1.0, 1.0), (16.0, 1.0), (4.0, 1.0), (1.0, 16.0), (0.5, 0.5), (2.5, 0.125), (1e-3, 7.0)] {
        let semivalue = Semivalue::beta(alpha, beta).unwrap();
        assert_weights(&semivalue, |n, s| beta_weight(alpha, beta, n, s));
    }
}

#[test]
fn binomial_weights() {
    // As powers: 0^0 is 1.
    for p in [0.0, 1e-9, 0.1, 0.25, 0.5, 0.75, 0.999, 1.0] {
        let semivalue = Semivalue::binomial(p).unwrap();
        assert_weights(&semivalue, |n, s| f64::powi(p, s as i32) * f64::powi(1.0 - p, (n - 1 - s) as i32));
    }
}

/// The Shapley values of w(S) = E v(S ∩ A), where A has each player with chance p: by all A, and by the formula.
#[test]
fn thinned_is_the_shapley_value_of_the_expected_game() {
    for n in [1, 2, 5, MOST_PLAYERS] {
        let game = table(n, value);
        let tolerance = RELATIVE_TOLERANCE * largest(game.values().iter().copied());
        for p in [0.0_f64, 1e-6, 0.1, 0.5, 0.98, 1.0 - 1e-9, 1.0] {
            let chance = |a: u64| p.powi(a.count_ones() as i32) * (1.0 - p).powi((n as u32 - a.count_ones()) as i32);
            let expected_value = |s: u64| (0..1_u64 << n).map(|a| chance(a) * value(s & a)).sum::<f64>();
            let expected_values: Vec<f64> = (0..1 << n).map(expected_value).collect();
            let shapley = |s: usize| factorial(s) * factorial(n - 1 - s) / factorial(n);
            let found = solved(&Semivalue::thinned(p).unwrap(), &game);
            for (got, expected) in found.iter().zip(by_weights(n, shapley, |s| expected_values[s as usize])) {
                assert!(close(*got, expected, tolerance), "{n} players, p = {p}: {got} is not {expected}");
            }
            let sum = expected_values[(1 << n) - 1] - value(0);
            assert!(close(found.iter().sum::<f64>(), sum, n as f64 * tolerance), "{n} players, p = {p}");
        }
    }
}

#[test]
fn thinned_by_nothing_is_shapley() {
    assert_eq!(Semivalue::thinned(1.0).unwrap(), Semivalue::shapley());
    let nothing = solved(&Semivalue::thinned(0.0).unwrap(), &table(5, value));
    assert_eq!(nothing.values(), [0.0; 5]);
}

#[test]
fn weights_of_ones_own() {
    for n in 1..=MOST_PLAYERS {
        let drawn: Vec<f64> = (0..n as u64).map(|s| 1.0 + pseudo(n as u64, s)).collect();
        let total: f64 = drawn.iter().enumerate().map(|(s, weight)| choose(n - 1, s) * weight).sum();
        let weights: Vec<f64> = drawn.iter().map(|weight| weight / total).collect();
        let game = table(n, value);
        let tolerance = RELATIVE_TOLERANCE * largest(game.values().iter().copied());
        let chances = weights.iter().enumerate().map(|(s, weight)| choose(n - 1, s) * weight).collect();
        let by_size = Semivalue::by_size(weights.clone()).unwrap();
        for semivalue in [by_size, Semivalue::by_size_distribution(chances).unwrap()] {
            for (got, expected) in solved(&semivalue, &game).iter().zip(by_weights(n, |s| weights[s], value)) {
                assert!(close(*got, expected, tolerance), "{semivalue:?}, {n} players: {got} is not {expected}");
            }
        }
    }
}

/// Two names for one thing.
#[test]
fn special_cases() {
    for n in 1..=10 {
        let game = table(n, value);
        let tolerance = RELATIVE_TOLERANCE * largest(game.values().iter().copied());
        let (phi, psi) = (exact(&game).unwrap(), banzhaf(&game).unwrap());
        let grand = (1 << n) - 1;
        let alone: Vec<f64> = (0..n).map(|player| value(1 << player) - value(0)).collect();
        let last: Vec<f64> = (0..n).map(|player| value(grand) - value(grand ^ 1 << player)).collect();
        let by_size = |weight: &dyn Fn(usize) -> f64| Semivalue::by_size((0..n).map(weight).collect()).unwrap();
        let only = |size: usize| by_size(&move |s| f64::from(u8::from(s == size)));
        for (semivalue, expected) in [
            (Semivalue::beta(1.0, 1.0).unwrap(), phi.values()),
            (by_size(&|s| 1.0 / (n as f64 * choose(n - 1, s))), phi.values()),
            (Semivalue::binomial(0.5).unwrap(), psi.values()),
            (by_size(&|_| 0.5_f64.powi(n as i32 - 1)), psi.values()),
            // All the weight on one end of Beta(α, β).
            (Semivalue::beta(1e100, 1e-100).unwrap(), &alone),
            (Semivalue::beta(1e-100, 1e100).unwrap(), &last),
            (Semivalue::binomial(0.0).unwrap(), &alone),
            (Semivalue::binomial(1.0).unwrap(), &last),
            (only(0), &alone),
            (only(n - 1), &last),
            (Semivalue::by_size_distribution(vec![1.0 / n as f64; n]).unwrap(), phi.values()),
            (Semivalue::thinned(1.0).unwrap(), phi.values()),
        ] {
            for (got, expected) in solved(&semivalue, &game).iter().zip(expected) {
                assert!(close(*got, *expected, tolerance), "{semivalue:?}, {n} players: {got} is not {expected}");
            }
        }
        assert_eq!(bits(&solved(&Semivalue::shapley(), &game)), bits(&phi));
        assert_eq!(bits(&solved(&Semivalue::banzhaf(), &game)), bits(&psi));
    }
}

fn semivalue() -> impl Strategy<Value = Semivalue> {
    prop_oneof![
        Just(Semivalue::shapley()),
        Just(Semivalue::banzhaf()),
        (0.01..100.0, 0.01..100.0).prop_map(|(alpha, beta)| Semivalue::beta(alpha, beta).unwrap()),
        (0.0..=1.0).prop_map(|p| Semivalue::binomial(p).unwrap()),
    ]
}

proptest! {
    /// The axioms that define semivalues (Dubey, Neyman & Weber 1981), but efficiency, which is Shapley's alone.
    #[test]
    fn axioms(semivalue in semivalue(), n in 2..=8_usize, seed: u64, worth in -100.0..100.0_f64, i in 0..8_usize) {
        let (dummy, like, alike) = (i % n, (i + 1) % n, (i + 2) % n);
        let base = |mask: u64| pseudo(seed, mask & !(1 << dummy));
        let tolerance = RELATIVE_TOLERANCE * (1.0 + worth.abs());
        // Who never changes the value gets nothing, to the last bit.
        let null = solved(&semivalue, &table(n, base));
        prop_assert_eq!(null[dummy].to_bits(), 0.0_f64.to_bits());
        // Who always adds the same gets just that.
        let constant = |mask: u64| base(mask) + if mask >> dummy & 1 == 1 { worth } else { 0.0 };
        prop_assert!(close(solved(&semivalue, &table(n, constant))[dummy], worth, tolerance));
        // Who adds the same as another gets the same.
        let exchanged = |mask: u64| {
            let differ = (mask >> like ^ mask >> alike) & 1;
            mask ^ (differ << like | differ << alike)
        };
        let both = solved(&semivalue, &table(n, |mask| pseudo(seed, mask.min(exchanged(mask)))));
        prop_assert!(close(both[like], both[alike], tolerance));
        // Who never takes away never loses.
        let grows = solved(&semivalue, &table(n, |mask: u64| f64::from(mask.count_ones()) + pseudo(seed, mask) / 2.0));
        prop_assert!(grows.iter().all(|value| *value >= 0.0));
    }
}

/// A game that counts what it is asked.
struct Counted(usize, AtomicUsize);

impl Game for Counted {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.0
    }

    fn value(&self, coalition: &shapley::Coalition) -> f64 {
        self.1.fetch_add(1, Ordering::Relaxed);
        value(mask_of(coalition))
    }
}

#[test]
fn a_summary_is_one_pass() {
    for (n, order) in [(1, 1), (5, 1), (7, 3), (9, 2), (10, 1), (10, 2)] {
        let game = Counted(n, AtomicUsize::new(0));
        let summary = Exact::new().threads(2).summary(&game, order).unwrap();
        let semivalues = [
            Semivalue::shapley(),
            Semivalue::banzhaf(),
            Semivalue::beta(16.0, 1.0).unwrap(),
            Semivalue::binomial(0.3).unwrap(),
            Semivalue::thinned(0.9).unwrap(),
            Semivalue::by_size((0..n).map(|s| 1.0 / (n as f64 * choose(n - 1, s))).collect()).unwrap(),
        ];
        let values = semivalues.each_ref().map(|semivalue| summary.values(semivalue).unwrap());
        let indices = [Index::Moebius, Index::Shapley, Index::KShapley, Index::ShapleyTaylor, Index::FaithfulBanzhaf];
        let interactions = indices.map(|index| summary.interactions(index).unwrap());
        assert_eq!(game.1.load(Ordering::Relaxed), 1 << n, "{n} players, order {order}");
        for (semivalue, values) in semivalues.iter().zip(&values) {
            let alone = solved(semivalue, &table(n, value));
            // With pairs, players' sums come by another way through the blocks.
            let size = largest(alone.iter().copied());
            let near = |(a, b): (&f64, &f64)| close(*a, *b, RELATIVE_TOLERANCE * size);
            assert!(values.iter().zip(&alone).all(near), "{semivalue:?}, {n} players, order {order}");
            if order == 1 {
                assert_eq!(bits(values), bits(&alone), "{semivalue:?}, {n} players");
            }
            assert_eq!((values.evaluations(), values.len()), (1 << n, n));
        }
        for (index, found) in indices.into_iter().zip(&interactions) {
            assert_eq!(*found, shapley::interactions(&table(n, value), index, order).unwrap());
        }
    }
}

#[test]
fn several_outputs() {
    let both = table(9, |mask| [value(mask), pseudo(3, mask)]);
    for semivalue in [Semivalue::banzhaf(), Semivalue::beta(3.0, 2.0).unwrap(), Semivalue::binomial(0.1).unwrap()] {
        let both = solved(&semivalue, &both);
        let alone = [solved(&semivalue, &table(9, value)), solved(&semivalue, &table(9, |mask| pseudo(3, mask)))];
        for (player, values) in both.iter().enumerate() {
            assert_eq!(values.map(f64::to_bits), [alone[0][player].to_bits(), alone[1][player].to_bits()]);
        }
    }
}

/// Weights are floats; those that are fractions of powers of two are exact, and so are results as fractions.
#[cfg(feature = "rational")]
mod exactly {
    use num_rational::BigRational;

    use super::*;

    fn fraction(numerator: i64, denominator: i64) -> BigRational {
        BigRational::new(numerator.into(), denominator.into())
    }

    fn value(mask: u64) -> BigRational {
        fraction(crate::common::integers::pseudo_integer(4, mask, 1_000_000), 1 + mask as i64)
    }

    /// 3 to 6 players, by size: Σ C(n−1, s) p(s) = 1.
    fn weights() -> Vec<Vec<i64>> {
        // In sixteenths.
        vec![vec![4, 3, 6], vec![4, 2, 1, 3], vec![1, 1, 1, 1, 1], vec![6, 0, 1, 0, 0, 0]]
    }

    #[test]
    fn weights_of_ones_own() {
        for sixteenths in weights() {
            let n = sixteenths.len();
            let weights = sixteenths.iter().map(|weight| *weight as f64 / 16.0).collect();
            let expected = by_weights(n, |s| fraction(sixteenths[s], 16), value);
            let found = solved(&Semivalue::by_size(weights).unwrap(), &table(n, value));
            assert_eq!(found.into_values(), expected, "{n} players");
            let chance = |(s, sixteenths): (usize, &i64)| choose(n - 1, s) * *sixteenths as f64 / 16.0;
            let chances = sixteenths.iter().enumerate().map(chance).collect();
            let found = solved(&Semivalue::by_size_distribution(chances).unwrap(), &table(n, value));
            assert_eq!(found.into_values(), expected, "{n} players");
        }
    }

    #[test]
    fn constructors() {
        for n in 1..=7_usize {
            let (game, grand) = (table(n, value), (1 << n) - 1);
            let factorial = |n: usize| fraction((1..=n as i64).product(), 1);
            let shapley = |s: usize| factorial(s) * factorial(n - 1 - s) / factorial(n);
            assert_eq!(exact(&game).unwrap().into_values(), by_weights(n, shapley, value));
            let coalitions = 1 << (n - 1);
            assert_eq!(banzhaf(&game).unwrap().into_values(), by_weights(n, |_| fraction(1, coalitions), value));
            let alone: Vec<_> = (0..n).map(|player| value(1 << player) - value(0)).collect();
            assert_eq!(solved(&Semivalue::binomial(0.0).unwrap(), &game).into_values(), alone);
            let last: Vec<_> = (0..n).map(|player| value(grand) - value(grand ^ 1 << player)).collect();
            assert_eq!(solved(&Semivalue::binomial(1.0).unwrap(), &game).into_values(), last);
        }
    }
}
