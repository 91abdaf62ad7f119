//! Semivalues by windows of walks.

use shapley::games::{Counted, Unanimity};
use shapley::{Error, Estimate, Exact, Game, Permutation, Semivalue, from_fn};

use crate::common::masks::mask_of;

fn all(n: usize) -> Vec<Semivalue> {
    let sizes: Vec<f64> = (0..n).map(|s| 2.0 * (s + 1) as f64 / (n * (n + 1)) as f64).collect();
    let leave_one_out = (0..n).map(|s| if s + 1 == n { 1.0 } else { 0.0 }).collect();
    vec![
        Semivalue::banzhaf(),
        Semivalue::beta(16.0, 1.0).unwrap(),
        Semivalue::beta(1.0, 4.0).unwrap(),
        Semivalue::beta(0.5, 0.5).unwrap(),
        Semivalue::binomial(0.9).unwrap(),
        Semivalue::binomial(0.0).unwrap(),
        Semivalue::thinned(0.7).unwrap(),
        Semivalue::thinned(0.0).unwrap(),
        Semivalue::by_size_distribution(sizes).unwrap(),
        Semivalue::by_size(leave_one_out).unwrap(),
    ]
}

/// Numbers of no meaning.
fn rough(n: usize) -> impl Game<Value = f64> {
    from_fn(n, |s| {
        let hash = (mask_of(s) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / 1e6
    })
}

/// Means of some ten thousand samples are within five standard errors of the exact values (of 880 values; the chance of
/// any failure is below 10⁻³; seeds are fixed), and the mean square of deviations over standard errors is 1 to within a
/// half, of at least 40 values for each number of players but one.
#[test]
fn values_are_those_of_the_exact_solver() {
    for n in [1, 2, 3, 5, 8, 13] {
        let game = rough(n);
        let (mut squares, mut count, mut seed) = (0.0, 0.0, 0);
        for semivalue in all(n) {
            let exact = Exact::new().semivalue(&game, &semivalue).unwrap();
            for antithetic in [true, false] {
                seed += 1;
                let sampler = Permutation::new(60_000).seed(seed).antithetic(antithetic);
                let estimate = sampler.semivalue(&game, &semivalue).unwrap();
                for ((value, error), exact) in estimate.values().iter().zip(estimate.std_errors()).zip(&exact) {
                    let off = (value - exact).abs();
                    assert!(off <= 5.0 * error + 1e-12, "{n} players, {semivalue:?}: {value} ± {error}, {exact}");
                    if *error > 1e-9 {
                        squares += (off / error).powi(2);
                        count += 1.0;
                    }
                }
            }
        }
        assert!(count < 40.0 || (squares / count - 1.0_f64).abs() < 0.5, "{n} players: {squares} of {count}");
    }
}

/// Of a thousand players, against the closed form: a tenth of what whole walks with weights would leave.
#[test]
fn banzhaf_values_of_a_thousand_players() {
    let n = 1000;
    let terms: Vec<(Vec<usize>, f64)> = (0..n).map(|k| (vec![k, (k * 7 + 3) % n], 1.0 + (k % 5) as f64)).collect();
    let game = Unanimity::new(n, terms.into_iter().filter(|(set, _)| set[0] != set[1])).unwrap();
    let exact = game.banzhaf();
    let estimate = Permutation::new(20_000).semivalue(&game, &Semivalue::banzhaf()).unwrap();
    let pairs = estimate.values().iter().zip(&exact);
    let error: f64 = pairs.map(|(value, exact)| (value - exact).powi(2)).sum::<f64>() / n as f64;
    let said: f64 = estimate.std_errors().iter().map(|error| error * error).sum::<f64>() / n as f64;
    assert!((error / said - 1.0).abs() < 0.3, "{error} {said}");
    // Contributions are off by 2 to 4 around their means: with nine samples of two, this much is left at most.
    assert!(error < 1.0, "{error}");
}

fn bits(estimate: &Estimate<f64>) -> Vec<u64> {
    estimate.values().iter().chain(estimate.std_errors()).map(|value| value.to_bits()).collect()
}

#[test]
fn all_ways_to_an_estimate_give_the_same_bits() {
    let n = 11;
    let game = rough(n);
    for semivalue in all(n) {
        let sampler = Permutation::new(3_000).seed(9).weighted(semivalue.clone());
        let one = sampler.clone().threads(1).estimate(&game).unwrap();
        assert_eq!(one, Permutation::new(3_000).seed(9).semivalue(&game, &semivalue).unwrap());
        for batch in [1, 7, 40, 1000] {
            assert_eq!(one, sampler.clone().threads(3).batch(batch).estimate(&game).unwrap());
        }
        let first = Permutation::new(700).seed(9).weighted(semivalue.clone()).estimate(&game).unwrap();
        let resumed = Permutation::new(3_002).seed(9).weighted(semivalue.clone()).resume(&game, &first).unwrap();
        assert_eq!(bits(&resumed), bits(&one), "{semivalue:?}");
        let mut parts = sampler.clone().part(2, 3).run(&game).unwrap();
        for k in [0, 1] {
            parts.merge(sampler.clone().part(k, 3).run(&game).unwrap()).unwrap();
        }
        assert_eq!(parts.finish().unwrap(), one, "{semivalue:?}");
        let mut merged = Permutation::new(3_000).seed(10).weighted(semivalue.clone()).estimate(&game).unwrap();
        merged.merge(&one).unwrap();
        assert_eq!(merged.evaluations(), 2 * one.evaluations());
    }
}

#[test]
fn evaluations_are_those_that_are_made() {
    for n in [1, 2, 7, 20] {
        for semivalue in all(n) {
            let game = Counted::new(rough(n));
            let estimate = Permutation::new(500).semivalue(&game, &semivalue).unwrap();
            assert_eq!(estimate.evaluations(), game.evaluations(), "{n} players, {semivalue:?}");
            assert!(estimate.evaluations() <= 500 && (n == 1 || estimate.evaluations() > 400));
        }
    }
}

#[test]
fn a_precision_ends_a_run() {
    let game = rough(12);
    let semivalue = Semivalue::beta(4.0, 1.0).unwrap();
    let estimate = Permutation::new(1_000_000).precision(0.5).weighted(semivalue.clone()).estimate(&game).unwrap();
    assert_eq!(estimate.stopped(), shapley::Stopped::Precision);
    let exact = Exact::new().semivalue(&game, &semivalue).unwrap();
    for (value, exact) in estimate.values().iter().zip(&exact) {
        assert!((value - exact).abs() < 0.5, "{value} {exact}");
    }
}

#[test]
fn refusals_name_what_is_wrong() {
    let game = rough(6);
    let of_five = Semivalue::by_size_distribution(vec![0.2; 5]).unwrap();
    assert!(matches!(
        Permutation::new(1000).semivalue(&game, &of_five),
        Err(Error::WeightLength { len: 5, players: 6, .. })
    ));
    let banzhaf = Semivalue::banzhaf();
    assert!(matches!(
        Permutation::new(1000).truncate(0.1).semivalue(&game, &banzhaf),
        Err(Error::Setting { name: "the tolerance of truncation", .. })
    ));
    let shapley = Permutation::new(1000).estimate(&game).unwrap();
    let mut estimate = Permutation::new(1000).seed(1).semivalue(&game, &banzhaf).unwrap();
    for result in [
        Permutation::new(2000).weighted(banzhaf).resume(&game, &shapley).map(drop),
        Permutation::new(2000).seed(1).resume(&game, &estimate).map(drop),
        estimate.merge(&shapley),
    ] {
        assert!(matches!(result, Err(Error::Mismatch { what: "the semivalue", .. })), "{result:?}");
    }
    let needed = match Permutation::new(3).semivalue(&game, &Semivalue::banzhaf()) {
        Err(Error::BudgetTooSmall { evaluations: 3, needed }) => needed,
        other => panic!("{other:?}"),
    };
    assert!(Permutation::new(needed).semivalue(&game, &Semivalue::banzhaf()).is_ok());
}

/// The Shapley value is that of whole walks.
#[test]
fn the_shapley_value_is_no_other() {
    let game = rough(7);
    let plain = Permutation::new(1000).estimate(&game).unwrap();
    assert_eq!(Permutation::new(1000).semivalue(&game, &Semivalue::shapley()).unwrap(), plain);
    assert_eq!(Permutation::new(1000).semivalue(&game, &Semivalue::thinned(1.0).unwrap()).unwrap(), plain);
}
