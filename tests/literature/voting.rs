//! Voting games from the literature, by the closed forms of `WeightedVoting`: where the data come from is in
//! `tests/data/README.md`. The games of up to 15 players are solved from their definitions in `definitions.rs`.

use crate::common::compare::close;
use serde_json::Value as Json;
use shapley::games::WeightedVoting;

/// A relative error of 8 n ε is documented; of the smallest values as of the largest.
fn relative_tolerance(players: usize) -> f64 {
    8.0 * players as f64 * f64::EPSILON
}

struct Entry {
    id: String,
    game: WeightedVoting,
    json: Json,
}

fn whole(json: &Json) -> u64 {
    json.as_u64().expect("a whole number")
}

fn entries() -> Vec<Entry> {
    let files = [
        include_str!("../data/weighted_voting.json"),
        include_str!("../data/voting_large.json"),
        include_str!("../data/castro.json"),
    ];
    let mut entries = Vec::new();
    for file in files {
        let json: Json = serde_json::from_str(file).expect("the data are JSON");
        for entry in json["entries"].as_array().expect("entries") {
            let definition = &entry["definition"];
            let Some(quota) = definition["quota"].as_u64() else { continue };
            let weights: Vec<u64> = match definition["weights"].as_array() {
                Some(weights) => weights.iter().map(whole).collect(),
                None => {
                    assert_eq!(definition["weights"], "all 1");
                    vec![1; usize::try_from(whole(&entry["n"])).unwrap()]
                }
            };
            let game = WeightedVoting::new(quota, weights).expect("the games of the literature are games");
            assert_eq!(game.weights().len() as u64, whole(&entry["n"]));
            let id = entry["id"].as_str().expect("an id").to_owned();
            entries.push(Entry { id, game, json: entry.clone() });
        }
    }
    entries
}

/// Both indices of each player, as texts: fractions, and the number of swings, which Castro's games do not have.
struct Known {
    shapley: Vec<String>,
    swings: Option<Vec<String>>,
}

fn text(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

fn texts(json: &Json) -> Vec<String> {
    json.as_array().expect("a list").iter().map(text).collect()
}

impl Entry {
    fn known(&self) -> Known {
        let exact = &self.json["exact"];
        let weights = self.game.weights();
        if let Some(groups) = exact["groups"].as_array() {
            let one = |group: &Json| vec![text(&group["shapley"]); usize::try_from(whole(&group["players"])).unwrap()];
            return Known { shapley: groups.iter().flat_map(one).collect(), swings: None };
        }
        if exact["by_weight"].is_object() {
            let of = |what: &str| weights.iter().map(|w| text(&exact["by_weight"][w.to_string()][what])).collect();
            return Known { shapley: of("shapley"), swings: Some(of("swings")) };
        }
        let shapley = match exact["shapley_common_denominator"].as_str() {
            Some(lcm) => texts(&exact["shapley_numerators"]).iter().map(|number| format!("{number}/{lcm}")).collect(),
            None => texts(&exact["shapley"]),
        };
        Known { shapley, swings: Some(texts(&exact["swings"])) }
    }
}

/// A fraction of numbers of any length.
fn float(text: &str) -> f64 {
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    numerator.parse::<f64>().expect("digits") / denominator.parse::<f64>().expect("digits")
}

#[test]
fn every_voting_game_of_the_literature() {
    let mut checked = (0, 0);
    for entry in entries() {
        let (id, known, players) = (&entry.id, entry.known(), entry.game.weights().len());
        let relative = relative_tolerance(players);
        let shapley = entry.game.shapley_shubik();
        assert_eq!((shapley.len(), known.shapley.len()), (players, players), "{id}");
        for (got, expected) in shapley.iter().zip(&known.shapley) {
            let expected = float(expected);
            assert!(close(*got, expected, relative * expected), "{id}: {got} is not {expected}");
            checked.0 += 1;
        }
        assert!(close(shapley.iter().sum(), 1.0, relative), "{id}");
        let banzhaf = entry.game.banzhaf();
        for (got, swings) in banzhaf.iter().zip(known.swings.iter().flatten()) {
            let expected = float(swings) / f64::exp2(players as f64 - 1.0);
            assert!(close(*got, expected, relative * expected), "{id}: {got} is not {expected}");
            checked.1 += 1;
        }
    }
    assert_eq!(checked, (1_964, 803), "all that is there is looked at");
}

/// What is printed in tables: decimals are good to half a unit of their last digit.
#[test]
fn as_printed() {
    let (mut numbers, mut misprints) = (0, Vec::new());
    let printed = |entry: &Entry| entry.json["published"].as_array().is_some_and(|rows| !rows.is_empty());
    // Of Castro's largest game a formula is printed, and its values are tested above.
    for entry in entries().into_iter().filter(|entry| printed(entry) && entry.game.weights().len() < 1000) {
        let (shapley, banzhaf) = (entry.game.shapley_shubik(), entry.game.banzhaf());
        let swings: f64 = banzhaf.iter().sum();
        let normalized: Vec<f64> = banzhaf.iter().map(|value| value / swings).collect();
        for row in entry.json["published"].as_array().into_iter().flatten() {
            let got = match row["concept"].as_str().expect("a concept") {
                "shapley" => shapley.values(),
                "banzhaf" => banzhaf.values(),
                "banzhaf_normalized" => &normalized,
                _ => continue,
            };
            for (player, weight) in entry.game.weights().iter().enumerate() {
                let printed = match &row["values"] {
                    Json::Array(values) => values[player].as_str(),
                    Json::Object(values) => values[&weight.to_string()].as_str(),
                    _ => None,
                };
                let Some(printed) = printed else { continue };
                let half_a_unit = match printed.split_once('.') {
                    Some((_, decimals)) => 0.5 * f64::powi(0.1, i32::try_from(decimals.len()).unwrap()),
                    None => 0.0,
                };
                if !close(got[player], float(printed), half_a_unit + 1e-12) {
                    misprints.push(format!("{} for {:.7}", printed, got[player]));
                }
                numbers += 1;
            }
        }
    }
    // 3 votes of 538 in Owen's game, for all who have them; and Castro's games of equal weights print a formula.
    misprints.dedup();
    assert_eq!((numbers, misprints), (409, vec!["0.005412 for 0.0054126".to_owned()]));
}

#[cfg(feature = "rational")]
mod exactly {
    use super::*;
    use num_rational::BigRational;

    fn check(entry: &Entry, shapley: bool) -> usize {
        let (id, known, players) = (&entry.id, entry.known(), entry.game.weights().len());
        let ratio = |text: &String| text.parse::<BigRational>().expect("a fraction");
        if shapley {
            let got = entry.game.shapley_shubik_exact().expect("the games are not large");
            assert!(got.iter().eq(known.shapley.iter().map(ratio).collect::<Vec<_>>().iter()), "{id}");
        }
        let Some(swings) = known.swings else { return players };
        let coalitions: BigRational = BigRational::from_integer(num_bigint::BigInt::from(1) << (players - 1));
        let expected: Vec<BigRational> = swings.iter().map(|swings| ratio(swings) / &coalitions).collect();
        assert!(entry.game.banzhaf_exact().expect("the games are not large").iter().eq(expected.iter()), "{id}");
        players
    }

    #[test]
    fn every_game_of_up_to_60_players_and_swings_of_all() {
        let mut players = 0;
        for entry in entries().iter().filter(|entry| entry.game.weights().len() <= 150) {
            players += check(entry, entry.game.weights().len() <= 60);
        }
        assert_eq!(players, 964);
    }

    #[test]
    #[ignore = "half a minute without optimisation; in release, seconds"]
    fn games_of_100_and_150_players() {
        let large = entries().into_iter().filter(|entry| (100..=150).contains(&entry.game.weights().len()));
        assert_eq!(large.map(|entry| check(&entry, true)).sum::<usize>(), 350);
    }
}
