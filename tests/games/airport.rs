//! Airport games: the closed form against data from the literature, and against the definition on random games.

use crate::common::compare::{close, largest};
use crate::common::masks::mix;
use crate::common::naive;
use crate::common::rounding::rounding;
use crate::walks::assert_walks_are_values;
use serde_json::Value as Json;
use shapley::games::{Airport, GameError};

fn entries(json: &str) -> Vec<Json> {
    let file: Json = serde_json::from_str(json).unwrap();
    file["entries"].as_array().unwrap().clone()
}

fn fraction(json: &Json) -> f64 {
    let number = |text: &str| text.parse::<f64>().unwrap();
    match json.as_str().unwrap().split_once('/') {
        Some((numerator, denominator)) => number(numerator) / number(denominator),
        None => number(json.as_str().unwrap()),
    }
}

fn numbers(json: &Json) -> Vec<f64> {
    json.as_array().expect("a list").iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The games given by costs, with the number of players of each and what each of these has. Returns how many there
/// were.
fn check_groups(json: &str, printed_within: f64) -> usize {
    let mut checked = 0;
    for entry in entries(json) {
        let (costs, counts) = (&entry["definition"]["costs"], &entry["definition"]["counts"]);
        if costs.is_null() || counts.is_null() {
            continue;
        }
        let groups: Vec<(f64, usize)> =
            numbers(costs).into_iter().zip(numbers(counts)).map(|(cost, count)| (cost, count as usize)).collect();
        let game =
            Airport::new(groups.iter().flat_map(|&(cost, count)| std::iter::repeat_n(cost, count)).collect::<Vec<_>>())
                .unwrap();
        let phi = game.shapley();
        assert_eq!(phi.len() as u64, entry["n"].as_u64().unwrap());
        assert_eq!(phi.evaluations(), 0);
        let mut first = 0;
        let printed = entry["published"][0]["values"].as_array().unwrap();
        for ((group, (_, count)), printed) in
            entry["exact"]["groups"].as_array().unwrap().iter().zip(&groups).zip(printed)
        {
            let exact = fraction(&group["shapley"]);
            for player in first..first + count {
                assert!(close(phi[player], exact, 4.0 * f64::EPSILON * exact), "{player}: {} {exact}", phi[player]);
                assert!(close(phi[player], fraction(printed), printed_within), "{player}: {} {printed}", phi[player]);
            }
            first += count;
        }
        assert_eq!(first, phi.len());
        let total: f64 = phi.iter().sum();
        assert!(close(total, *phi.grand(), 1e-12 * total));
        checked += 1;
    }
    checked
}

/// 13 572 movements of eleven types of aircraft: to the last bits, and to the pence that Littlechild & Owen print.
#[test]
fn birmingham_airport() {
    assert_eq!(check_groups(include_str!("../data/airport.json"), 0.005 + 1e-12), 1);
}

/// A hundred players of ten costs, printed to nine digits.
#[test]
fn castros_airport() {
    assert_eq!(check_groups(include_str!("../data/castro.json"), 0.5e-9 + 1e-15), 1);
}

#[test]
fn small_games_of_the_literature() {
    let mut checked = 0;
    let files = [include_str!("../data/airport.json"), include_str!("../data/tables.json")];
    for entry in files.into_iter().flat_map(entries).filter(|entry| entry["kind"] == "airport") {
        let definition = &entry["definition"];
        let costs =
            if definition["generator"].is_null() { &definition["costs"] } else { &definition["generator"]["costs"] };
        let Some(exact) = entry["exact"]["shapley"].as_array() else { continue };
        let phi = Airport::new(numbers(costs)).unwrap().shapley();
        assert_eq!(phi.len(), exact.len());
        for (value, exact) in phi.iter().zip(exact.iter().map(fraction)) {
            assert!(close(*value, exact, 4.0 * f64::EPSILON * exact), "{}: {value} {exact}", entry["id"]);
        }
        #[cfg(feature = "rational")]
        for (value, exact) in Airport::new(numbers(costs)).unwrap().shapley_exact().iter().zip(exact) {
            assert_eq!(value.to_string(), exact.as_str().unwrap());
        }
        checked += 1;
    }
    assert_eq!(checked, 4);
}

fn random_costs(seed: u64) -> Vec<f64> {
    let n = 1 + mix(seed) as usize % 9;
    // Some are equal, some zero.
    (0..n as u64).map(|player| (mix(mix(seed) ^ player) % 7) as f64 * 1.37).collect()
}

#[test]
fn the_closed_form_is_the_definition() {
    for seed in 0..300 {
        let costs = random_costs(seed);
        let game = Airport::new(costs.clone()).unwrap();
        let phi = game.shapley();
        let exact = shapley::exact(&game).unwrap();
        let value = |mask: u64| (0..costs.len()).filter(|i| mask >> i & 1 == 1).map(|i| costs[i]).fold(0.0, f64::max);
        let by_definition = naive::by_subsets(costs.len(), value);
        let most = largest(costs.iter().copied());
        for player in 0..costs.len() {
            assert!(close(phi[player], exact[player], rounding(costs.len(), most)), "{costs:?}");
            let tolerance = naive::by_subsets_tolerance(costs.len(), most);
            assert!(close(phi[player], by_definition[player], tolerance), "{costs:?}");
            assert!(costs[player] > 0.0 || phi[player].to_bits() == 0, "{costs:?}: not exactly zero");
        }
        assert_eq!(phi.grand().to_bits(), exact.grand().to_bits());
        assert_eq!(phi.baseline().to_bits(), exact.baseline().to_bits());
        assert_walks_are_values(&game, 6);
    }
}

/// Costs that differ by little come after many that add up: what plain addition would have lost by then is there.
#[test]
fn many_steps_do_not_add_up_their_roundings() {
    // c_i = i + 1 for i < n: φ of the last is the harmonic number H_n, which is known.
    let n = 1_000_000;
    let phi = Airport::new((1..=n).map(f64::from).collect::<Vec<_>>()).unwrap().shapley();
    let harmonic = f64::from(n).ln() + 0.577_215_664_901_532_9 + 0.5e-6 - 1.0 / 12.0 * 1e-12;
    assert!(close(phi[n as usize - 1], harmonic, 2.0 * f64::EPSILON * harmonic), "{} {harmonic}", phi[n as usize - 1]);
}

#[test]
fn bad_costs_are_errors() {
    assert_eq!(Airport::new([]), Err(GameError::NoPlayers {}));
    for bad in [-1.0, f64::INFINITY, f64::NEG_INFINITY] {
        let error = GameError::Number { what: "cost", index: 1, value: bad, allowed: "finite, and not negative" };
        assert_eq!(Airport::new([2.0, bad, 3.0]), Err(error));
    }
    // As an error of a solver.
    let error = Airport::new([2.0, -1.0]).unwrap_err();
    assert_eq!(error.to_string(), "cost 1 cannot be -1: it must be finite, and not negative");
    assert_eq!(shapley::Error::<std::io::Error>::from(error.clone()).to_string(), error.to_string());
    assert!(matches!(Airport::new([f64::NAN]), Err(GameError::Number { index: 0, .. })));
    // The largest costs there are do not overflow.
    let phi = Airport::new([f64::MAX; 3]).unwrap().shapley();
    assert!(phi.iter().all(|value| close(*value, f64::MAX / 3.0, 1e293)));
}
