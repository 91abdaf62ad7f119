//! Runways and gloves: published values, the exact solver on small games, and sizes that it does not reach.

mod common;

use common::sampled::prefixes;
use proptest::prelude::*;
use shapley::games::{Airport, GameError, Glove};
use shapley::{Coalition, Error, Game, exact};

/// Reads a fraction such as `421/2145`.
fn fraction(text: &serde_json::Value) -> f64 {
    let text = text.as_str().expect("a fraction");
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    numerator.parse::<f64>().unwrap() / denominator.parse::<f64>().unwrap()
}

#[track_caller]
fn assert_close(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected.abs(), "{found} instead of {expected}");
}

#[track_caller]
fn assert_walks(game: &impl Game<Value = f64>, order: &[usize]) {
    let mut values = vec![-7.0];
    game.walk(order, &mut values);
    assert_eq!(values.remove(0).to_bits(), (-7.0_f64).to_bits());
    assert_eq!(values.len(), order.len());
    for (value, prefix) in values.iter().zip(prefixes(game.num_players(), order)) {
        assert_eq!(value.to_bits(), game.value(&prefix).to_bits());
    }
}

fn entries(text: &str) -> Vec<serde_json::Value> {
    let file: serde_json::Value = serde_json::from_str(text).unwrap();
    file["entries"].as_array().unwrap().clone()
}

#[test]
fn airports_of_the_literature() {
    for entry in entries(include_str!("data/airport.json")) {
        let costs: Vec<f64> =
            entry["definition"]["costs"].as_array().unwrap().iter().map(|c| c.as_f64().unwrap()).collect();
        let airport = Airport::new(costs).unwrap();
        let expected = entry["exact"]["shapley"].as_array().unwrap();
        assert_eq!(airport.shapley().len(), expected.len());
        for (value, expected) in airport.shapley().iter().zip(expected) {
            assert_close(*value, fraction(expected), 1e-14);
        }
        #[cfg(feature = "rational")]
        for (value, expected) in airport.shapley_exact().iter().zip(expected) {
            assert_eq!(value.to_string(), expected.as_str().unwrap());
        }
    }
    let castro = entries(include_str!("data/castro.json"));
    let hundred = castro.iter().find(|entry| entry["id"] == "castro-airport-100").unwrap();
    let groups = hundred["exact"]["groups"].as_array().unwrap();
    let count = |group: &serde_json::Value| group["players"].as_u64().unwrap() as usize;
    let costs: Vec<f64> =
        groups.iter().flat_map(|group| std::iter::repeat_n(group["cost"].as_f64().unwrap(), count(group))).collect();
    let phi = Airport::new(costs).unwrap().shapley();
    assert_eq!(phi.len(), 100);
    let mut player = 0;
    for (group, printed) in groups.iter().zip(hundred["published"][0]["values"].as_array().unwrap()) {
        for _ in 0..count(group) {
            assert_close(phi[player], fraction(&group["shapley"]), 1e-14);
            assert!((phi[player] - printed.as_str().unwrap().parse::<f64>().unwrap()).abs() <= 0.5e-9);
            player += 1;
        }
    }
}

/// Birmingham Airport, 1968–69: costs, movements, and the fee of each that Littlechild & Thompson (1977, Bell J. Econ. 8(1),
/// 186–204) print.
#[test]
fn all_movements_of_birmingham_at_once() {
    let types: [(f64, usize, f64); 11] = [
        (65_899.0, 42, 4.86),
        (76_725.0, 9_555, 5.66),
        (95_200.0, 288, 10.30),
        (97_200.0, 303, 10.85),
        (97_436.0, 151, 10.92),
        (98_142.0, 1_315, 11.13),
        (102_496.0, 505, 13.40),
        (104_849.0, 1_128, 15.07),
        (113_322.0, 151, 44.80),
        (115_440.0, 112, 60.61),
        (117_676.0, 22, 162.24),
    ];
    // In no order.
    let mut players: Vec<(f64, f64)> =
        types.iter().flat_map(|&(cost, count, fee)| std::iter::repeat_n((cost, fee), count)).collect();
    let n = players.len();
    assert_eq!(n, 13_572);
    players = (0..n).map(|k| players[k * 7919 % n]).collect();
    let airport = Airport::new(players.iter().map(|&(cost, _)| cost).collect::<Vec<_>>()).unwrap();
    let phi = airport.shapley();
    for (value, (_, fee)) in phi.iter().zip(&players) {
        assert!((value - fee).abs() <= 0.005, "{value} instead of {fee}");
    }
    assert_close(phi.iter().sum(), 117_676.0, 1e-12);
    assert_walks(&airport, &[5, 3, 13_571, 0, 77]);
}

#[test]
fn gloves_of_the_literature() {
    let gloves = entries(include_str!("data/tables.json"));
    let mut games = 0;
    // The third has its right glove in the middle, so values are compared by size.
    for (id, left, right) in
        [("glove-1L-2R", 1, 2), ("glove-2L-1R", 2, 1), ("glove-4L-1R", 4, 1), ("glove-1L-9R", 1, 9)]
    {
        let entry = gloves.iter().find(|entry| entry["id"] == id).unwrap();
        let mut expected: Vec<f64> = entry["exact"]["shapley"].as_array().unwrap().iter().map(fraction).collect();
        let mut values = Glove::new(left, right).shapley().into_values();
        assert_eq!(values.len(), expected.len());
        values.sort_by(f64::total_cmp);
        expected.sort_by(f64::total_cmp);
        for (value, expected) in values.into_iter().zip(expected) {
            assert_close(value, expected, 1e-15);
            games += 1;
        }
    }
    assert_eq!(games, 3 + 3 + 5 + 10);
    let shoes = Glove::new(50, 50).shapley();
    assert!(shoes.len() == 100 && shoes.iter().all(|value| value.to_bits() == 0.5_f64.to_bits()));
}

#[test]
fn gloves_of_all_small_markets_are_those_of_the_exact_solver() {
    for left in 0..=7 {
        for right in 0..=7 {
            if left + right == 0 {
                continue;
            }
            let game = Glove::new(left, right);
            assert_eq!((game.left(), game.right()), (left, right));
            let (closed, solved) = (game.shapley(), exact(&game).unwrap());
            assert_eq!((closed.len(), closed.evaluations()), (left + right, 0));
            for (closed, solved) in closed.iter().zip(&solved) {
                assert!((closed - solved).abs() <= 1e-14, "{closed} and {solved} of {left} and {right}");
            }
            assert_eq!(closed.grand().to_bits(), solved.grand().to_bits());
            assert_walks(&game, &(0..left + right).rev().collect::<Vec<_>>());
        }
    }
    assert!(matches!(exact(&Glove::new(0, 0)), Err(Error::NoPlayers {})));
}

/// Of one left glove and b right ones, who has a right one makes the pair if the left one comes before and no right one does: at
/// places two to b + 1 of b + 1, with ever fewer chances; the value is 1/(b(b+1)).
#[test]
fn small_values_have_all_their_digits() {
    for b in [10_usize, 1000, 100_000] {
        let phi = Glove::new(1, b).shapley();
        assert_close(phi[1], 1.0 / (b as f64 * (b + 1) as f64), 1e-14);
        assert_close(phi[0], b as f64 / (b + 1) as f64, 1e-14);
        assert_eq!(Glove::new(b, 1).shapley()[0].to_bits(), phi[1].to_bits());
    }
    // Thousands on both sides, by the sum.
    let phi = Glove::new(4_000, 5_000).shapley();
    assert_close(phi.iter().sum(), 4_000.0, 1e-12);
    assert!(phi[0] > 0.99 && phi[8_999] > 0.0 && phi[8_999] < 0.01);
}

#[test]
#[should_panic(expected = "nobody to give credit to")]
fn a_market_without_players_has_no_values() {
    let _ = Glove::new(0, 0).shapley();
}

#[test]
fn costs_that_are_none_are_errors() {
    assert_eq!(Airport::new([]), Err(GameError::NoPlayers {}));
    for (bad, text) in [(-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let error = Airport::new([1.0, bad, 2.0]).unwrap_err();
        assert_eq!(error.to_string(), format!("cost 1 cannot be {text}: it must be finite, and not negative"));
        // As an error of a solver.
        assert_eq!(Error::<std::io::Error>::from(error.clone()).to_string(), error.to_string());
    }
    assert_eq!(Airport::new([-0.0, 0.0]).unwrap().shapley().values(), [0.0, 0.0]);
    assert!((Airport::new([f64::MAX]).unwrap().shapley()[0] - f64::MAX).abs() < f64::EPSILON);
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::with_cases(200) })]

    #[test]
    fn airports_are_those_of_the_exact_solver(costs in prop::collection::vec((0_u8..12).prop_map(|c| f64::from(c) / 3.0), 1..9)) {
        let game = Airport::new(costs.clone()).unwrap();
        prop_assert_eq!(game.costs(), costs.as_slice());
        let (closed, solved) = (game.shapley(), exact(&game).unwrap());
        for (player, (closed, solved)) in closed.iter().zip(&solved).enumerate() {
            prop_assert!((closed - solved).abs() <= 1e-14, "{closed} and {solved}");
            let alike = costs.iter().position(|cost| cost.to_bits() == costs[player].to_bits()).unwrap();
            prop_assert_eq!(closed.to_bits(), game.shapley()[alike].to_bits());
        }
        prop_assert_eq!(closed.grand().to_bits(), game.value(&Coalition::grand(costs.len())).to_bits());
        let order: Vec<usize> = (0..costs.len()).rev().collect();
        assert_walks(&game, &order);
        assert_walks(&game, &order[..costs.len() / 2]);
    }
}
