//! Bodies with many members and votes in the millions, and rules of more than one quota.

use crate::common::compare::close;
use crate::common::masks::mix;
use serde_json::Value as Json;
use shapley::games::WeightedVoting;
use shapley::{Attribution, Semivalue};

/// 188 members with 2.5 million votes: the largest has nearly a quarter, most have one or two thousand.
fn fund() -> Vec<u64> {
    let votes = |member: u64| {
        let uniform = (mix(member) >> 11) as f64 / (1_u64 << 53) as f64;
        // A quantile of a heavy tail, and the basic votes of everyone.
        1_480 + (90.0 * (1.0 - uniform).powf(-1.6)).min(60_000.0) as u64
    };
    let mut members: Vec<u64> = (0..178).map(votes).collect();
    members.extend([831_407, 309_205, 306_108, 268_139, 203_546, 203_546, 152_671, 132_609, 130_520, 120_483]);
    members.iter().map(|votes| votes * 5 / 7).collect()
}

/// The same, with no small number anywhere.
fn even() -> Vec<u64> {
    (0..188).map(|member| 5_000 + mix(member ^ 99) % 17_000).collect()
}

fn game(weights: &[u64], percent: u64) -> WeightedVoting {
    let total: u64 = weights.iter().sum();
    assert!((2_300_000..2_900_000).contains(&total), "{total}");
    WeightedVoting::new(total * percent / 100 + 1, weights).unwrap()
}

/// What holds for every body.
fn check_shape(game: &WeightedVoting, phi: &Attribution<f64>) {
    assert!(close(phi.iter().sum(), 1.0, 1e-12), "{}", phi.iter().sum::<f64>());
    let mut members: Vec<usize> = (0..phi.len()).collect();
    members.sort_by_key(|member| game.weights()[*member]);
    assert!(members.windows(2).all(|pair| phi[pair[0]] <= phi[pair[1]] * (1.0 + 1e-12)), "more votes, more power");
}

#[test]
#[ignore = "minutes without optimisation; in release, seconds"]
fn a_body_of_188_members_and_millions_of_votes() {
    for (weights, percent) in [(fund(), 50), (fund(), 70), (fund(), 85), (even(), 50)] {
        let game = game(&weights, percent);
        let start = std::time::Instant::now();
        let phi = game.shapley_shubik();
        let elapsed = start.elapsed();
        println!("{} of {}: {elapsed:.1?}", game.quota(), weights.iter().sum::<u64>());
        check_shape(&game, &phi);
        assert!(elapsed.as_secs() < 60, "{elapsed:?}");
    }
}

/// Against fractions found in another way: modulo primes, by taking voters out of a count.
#[cfg(feature = "rational")]
#[test]
#[ignore = "an hour without optimisation; in release, minutes"]
fn a_body_of_188_members_exactly() {
    use num_traits::ToPrimitive;
    for (weights, percent) in [(fund(), 50), (fund(), 85), (even(), 50)] {
        let game = game(&weights, percent);
        let start = std::time::Instant::now();
        let exact = game.shapley_shubik_exact().unwrap();
        println!("{} as fractions: {:.1?}", game.quota(), start.elapsed());
        assert_eq!(exact.iter().sum::<num_rational::BigRational>().to_string(), "1");
        let worst = |phi: &Attribution<f64>, exact: &Attribution<num_rational::BigRational>| {
            let off = |(got, exact): (&f64, &num_rational::BigRational)| {
                let exact = exact.to_f64().expect("a number from 0 to 1");
                (got - exact).abs() / exact
            };
            phi.iter().zip(exact).map(off).fold(0.0, f64::max)
        };
        let shapley = worst(&game.shapley_shubik(), &exact);
        let banzhaf = worst(&game.banzhaf(), &game.banzhaf_exact().unwrap());
        println!("worst relative error: {shapley:.1e}, Banzhaf {banzhaf:.1e}");
        assert!(shapley.max(banzhaf) < 8.0 * 188.0 * f64::EPSILON);
    }
}

/// The same game with a hundredth of the votes is small enough for every day.
#[test]
fn a_body_of_188_members_and_some_thousand_votes() {
    let weights: Vec<u64> = fund().iter().map(|votes| votes / 500).collect();
    for percent in [50, 85] {
        let quota = weights.iter().sum::<u64>() * percent / 100 + 1;
        let game = WeightedVoting::new(quota, &weights[..]).unwrap();
        check_shape(&game, &game.shapley_shubik());
    }
}

/// The Councils of the treaties of Nice and Lisbon take two or three majorities at once, so they are no votes by one
/// weight, and the solver goes through all 2^27 and 2^28 coalitions.
#[test]
#[ignore = "half an hour without optimisation; in release, half a minute"]
fn councils_with_several_majorities() {
    let json: Json = serde_json::from_str(include_str!("../data/voting_large.json")).unwrap();
    let numbers = |json: &Json| -> Vec<u64> { json.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect() };
    let mut checked = 0;
    for entry in json["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "multi_criterion_voting") {
        let (rule, exact) = (&entry["definition"], &entry["exact"]);
        let quota = |name: &str| rule[name].as_u64();
        let population =
            numbers(if rule["population"].is_array() { &rule["population"] } else { &rule["population_thousands"] });
        let people = quota("population_quota").or(quota("population_quota_thousands")).unwrap();
        let votes = rule["votes"].as_array().map_or(vec![0; population.len()], |_| numbers(&rule["votes"]));
        let (least, vote_quota) = (quota("min_members").unwrap(), quota("vote_quota").unwrap_or(0));
        let always = quota("always_win_members").unwrap_or(u64::MAX);
        let game = shapley::from_fn(population.len(), |s| {
            let (mut of_people, mut of_votes) = (0, 0);
            for member in s {
                of_people += population[member];
                of_votes += votes[member];
            }
            let members = s.len() as u64;
            let majorities = of_people >= people && of_votes >= vote_quota && members >= least;
            f64::from(u8::from(majorities || members >= always))
        });
        let summary = shapley::Exact::new().summary(&game, 1).unwrap();
        let phi = summary.values(&Semivalue::shapley()).unwrap();
        let banzhaf = summary.values(&Semivalue::banzhaf()).unwrap();
        for member in 0..population.len() {
            let (numerator, denominator) = exact["shapley"][member].as_str().unwrap().split_once('/').unwrap();
            let expected = numerator.parse::<f64>().unwrap() / denominator.parse::<f64>().unwrap();
            assert!(close(phi[member], expected, 1e-12), "{}: {member}", entry["id"]);
            let swings = exact["swings"][member].as_f64().unwrap() / f64::exp2(population.len() as f64 - 1.0);
            assert!(close(banzhaf[member], swings, 1e-12), "{}: {member}", entry["id"]);
            checked += 1;
        }
    }
    assert_eq!(checked, 27 + 28 + 28);
}
