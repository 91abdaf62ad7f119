//! Every method on the same games, against the definition.

use super::*;
use crate::{exact, from_fn};

/// Sums of up to 2^12 probabilities, of products of up to 12: rounding is below 12 · 4 ε of any number.
const RELATIVE: f64 = 1e-13;

const METHODS: [Method; 4] =
    [Method::Halves, Method::Dense { together: true }, Method::Dense { together: false }, Method::Sparse];

/// Numbers that look random: splitmix64.
fn random(state: &mut u64, below: u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % below
}

fn close(got: f64, expected: f64) -> bool {
    (got - expected).abs() <= RELATIVE * expected.abs()
}

fn check(quota: u64, weights: &[u64]) {
    let wins = |members: u64| {
        let sum: u64 = weights.iter().enumerate().filter(|(i, _)| members >> i & 1 == 1).map(|(_, w)| w).sum();
        sum >= quota
    };
    let value = |s: &crate::Coalition| f64::from(u8::from(wins(s.iter().map(|i| 1 << i).sum())));
    let defined = from_fn(weights.len(), value);
    let (shapley, banzhaf) = (exact(&defined).unwrap(), crate::banzhaf(&defined).unwrap());
    let game = Classes::new(quota, weights);
    for (index, expected) in [(Index::ShapleyShubik, shapley), (Index::Banzhaf, banzhaf)] {
        for method in METHODS {
            let got = game.spread(&by(&game, index, method), &0.0);
            for (got, expected) in got.iter().zip(&expected) {
                assert!(close(*got, *expected), "{index:?} by {method:?}, {quota} of {weights:?}: {got}, {expected}");
            }
        }
    }
}

#[test]
fn every_method_on_random_games() {
    let mut state = 5;
    for round in 0..300 {
        let players = 1 + random(&mut state, 9) as usize;
        let most = [2, 4, 10, 1000][round % 4];
        let mut weights: Vec<u64> = (0..players).map(|_| random(&mut state, most)).collect();
        weights[0] += 1;
        let total: u64 = weights.iter().sum();
        check(1 + random(&mut state, total), &weights);
    }
}

#[test]
fn every_method_at_every_quota() {
    for quota in 1..=17 {
        check(quota, &[5, 1, 1, 3, 0, 3, 4]);
    }
    for quota in 1..=12 {
        check(quota, &[1; 12]);
    }
}

#[test]
fn methods_agree_on_more_voters_with_the_same_digits_in_small_and_large_values() {
    let mut state = 8;
    let weights: Vec<u64> = (0..24).map(|k| 1 + random(&mut state, 1 << (k / 3 + 1))).collect();
    let total: u64 = weights.iter().sum();
    for quota in [3, total / 20, total / 2, total - total / 50, total - 1] {
        let game = Classes::new(quota, &weights);
        for index in [Index::ShapleyShubik, Index::Banzhaf] {
            let all = METHODS.map(|method| by(&game, index, method));
            for (class, first) in all[0].iter().enumerate() {
                for (other, method) in all.iter().zip(METHODS) {
                    let got = other[class];
                    assert!(close(got, *first), "{index:?} by {method:?}, quota {quota}: {got}, {first}");
                }
            }
        }
    }
}

#[test]
fn the_method_follows_the_game() {
    let chosen = |quota: u64, weights: &[u64], index| choose(&Classes::new(quota, weights), index);
    let shapley = Index::ShapleyShubik;
    // Few voters of huge weights: primes times a large number.
    let huge: Vec<u64> = (0..24).map(|k| (1 << 40) + 7 * k * k * k + k).collect();
    assert_eq!(chosen(12 << 40, &huge, shapley), Ok(Method::Halves));
    // As many and more, of small ones.
    let small: Vec<u64> = (0..60).map(|k| 1 + k % 13).collect();
    assert_eq!(chosen(200, &small, shapley), Ok(Method::Dense { together: true }));
    // A quota far from the half.
    let weights: Vec<u64> = (0..100).map(|k| 500 + k * k).collect();
    let total: u64 = weights.iter().sum();
    assert_eq!(chosen(total - total / 10, &weights, shapley), Ok(Method::Dense { together: false }));
    // Huge weights, few sums.
    let few: Vec<u64> = (0..100).map(|k| (1 << 50) + k % 3).collect();
    assert_eq!(chosen(50 << 50, &few, shapley), Ok(Method::Sparse));
    // Neither few voters nor few sums nor small ones.
    let mut state = 1;
    let hopeless: Vec<u64> = (0..100).map(|_| random(&mut state, 1 << 50)).collect();
    let total: u64 = hopeless.iter().sum();
    assert!(matches!(chosen(total / 2, &hopeless, Index::Banzhaf), Err(GameError::TooLarge { .. })));
}

#[test]
fn units_come_back_in_their_order() {
    assert_eq!(in_parallel(100, |unit| unit * unit), (0..100).map(|unit| unit * unit).collect::<Vec<_>>());
}

/// The integral of t^a (1 − t)^b over [0, 1] by quadrature, over its true value a! b! / (a + b + 1)!.
fn beta(pairs: &[Pair], a: i32, b: i32) -> f64 {
    let f = |t: f64, rest: f64| t.powi(a) * rest.powi(b);
    let both = |pair: &Pair| f(pair.node, 1.0 - pair.node) + f(1.0 - pair.node, pair.node);
    let sum: f64 = pairs.iter().map(|p| p.weight * both(p) * if p.single { 0.5 } else { 1.0 }).sum();
    let binomial: f64 = (1..=a).map(|k| f64::from(b + k) / f64::from(k)).product();
    sum * binomial * f64::from(a + b + 1)
}

#[test]
fn fewer_nodes_than_exact_ones_are_enough_for_many_voters() {
    assert_eq!([1, 2, 3, 50, 51].map(nodes_needed), [1, 1, 2, 25, 26]);
    for (voters, most) in [(188, 80), (500, 140), (1000, 200)] {
        let nodes = nodes_needed(voters);
        assert!(nodes <= most, "{voters}: {nodes}");
        // The hardest polynomials that the bound is for: a single s.
        let pairs = gauss_legendre(nodes);
        let degree = i32::try_from(voters - 1).unwrap();
        for a in [0, 1, degree / 3, degree / 2] {
            let got = beta(&pairs, a, degree - a);
            assert!((got - 1.0).abs() < 1e-11, "{voters} voters, {nodes} nodes, t^{a}: {got}");
        }
    }
}
