//! Games from the literature, with the values that it prints and the exact ones. Where the data come from, and how an
//! entry is read: `tests/data/README.md`.

use std::collections::BTreeMap;

use crate::common::compare::{close, largest};
use crate::common::entries::Entry;
use crate::common::entries::Fraction;
use crate::common::entries::tables;
use crate::common::entries::voting;
use serde_json::Value as Json;
use shapley::{Exact, Index, Interactions, Table, Value};

/// Relative to the game's largest value: the exact solver's own bound for 15 players is 66 ε = 1.5e-14, and reading a
/// fraction as an `f64` adds an ε. One wrong value among the 2^15 of the largest game shows as 1/(15·C(14, 7)) =
/// 1.9e-5.
const RELATIVE_TOLERANCE: f64 = 1e-12;

/// A number as a source prints it, and how far from it the truth may be: half a unit of the last digit of a decimal,
/// and for a fraction or a whole number no more than the solver's rounding, as a part of the game's size.
fn printed(text: &str, size: f64) -> (f64, f64) {
    let rounding = RELATIVE_TOLERANCE * size;
    match text.split_once('.') {
        Some((_, decimals)) => {
            let digits = i32::try_from(decimals.len()).expect("nobody prints that many digits");
            (text.parse().expect("a decimal"), 0.5 * 10_f64.powi(-digits) + rounding)
        }
        None => (Fraction::parse(text).to_f64(), rounding),
    }
}

impl Entry {
    fn size(&self) -> f64 {
        largest(self.values.iter().map(|value| value.to_f64()))
    }

    /// The rows that sources print of a concept.
    fn published<'a>(&'a self, concept: &'a str) -> impl Iterator<Item = &'a Json> {
        let rows = self.json["published"].as_array().expect("a list, if an empty one");
        rows.iter().filter(move |row| row["concept"] == concept)
    }
}

#[cfg(feature = "rational")]
impl Fraction {
    fn to_rational(self) -> num_rational::BigRational {
        num_rational::BigRational::new(self.numerator.into(), self.denominator.into())
    }
}

/// How much was compared, so that a reader that passes over things does not pass the test.
#[derive(Debug, PartialEq, Eq)]
struct Checked {
    games: usize,
    /// Rows that some source prints, and the numbers in them.
    rows: usize,
    numbers: usize,
}

/// Holds one number for each player, by a solver, against the exact ones and against those that sources print.
fn check(entries: &[Entry], concept: &str, solve: impl Fn(&Table<f64>) -> Vec<f64>) -> Checked {
    let mut checked = Checked { games: 0, rows: 0, numbers: 0 };
    for entry in entries {
        let (id, size) = (&entry.id, entry.size());
        let solved = solve(&entry.table(Fraction::to_f64));
        assert_eq!(solved.len(), entry.players, "{id}");
        for (player, (got, exact)) in solved.iter().zip(entry.exact(concept)).enumerate() {
            let exact = exact.to_f64();
            assert!(close(*got, exact, RELATIVE_TOLERANCE * size), "{id}, player {player}: {got} is not {exact}");
        }
        for row in entry.published(concept) {
            let source = &row["source"];
            // No misprint is known among the rows of one number for each player; one that comes in needs a name here.
            assert_eq!(row["agrees"], true, "{id}: {source}");
            let values = row["values"].as_array().expect("a number for each player, or null");
            assert_eq!(values.len(), entry.players, "{id}: {source}");
            for (player, value) in values.iter().enumerate().filter(|(_, value)| !value.is_null()) {
                let text = value.as_str().expect("a number in quotes, as printed");
                let (expected, tolerance) = printed(text, size);
                let got = solved[player];
                assert!(close(got, expected, tolerance), "{id}, player {player}: {got}, but {source} has {text}");
                checked.numbers += 1;
            }
            checked.rows += 1;
        }
        checked.games += 1;
    }
    checked
}

/// The same as fractions, where "close" is "equal".
#[cfg(feature = "rational")]
fn check_exactly(
    entries: &[Entry],
    concept: &str,
    solve: impl Fn(&Table<num_rational::BigRational>) -> Vec<num_rational::BigRational>,
) -> usize {
    for entry in entries {
        let exact: Vec<_> = entry.exact(concept).into_iter().map(Fraction::to_rational).collect();
        assert_eq!(solve(&entry.table(Fraction::to_rational)), exact, "{}", entry.id);
    }
    entries.len()
}

fn shapley_values<V: Value>(game: &Table<V>) -> Vec<V> {
    shapley::exact(game).expect("the games of the literature have values").into_values()
}

#[test]
fn shapley_values_of_voting_games() {
    assert_eq!(check(&voting(), "shapley", shapley_values), Checked { games: 36, rows: 27, numbers: 148 });
}

#[test]
fn shapley_values_of_games_by_their_values() {
    assert_eq!(check(&tables(), "shapley", shapley_values), Checked { games: 28, rows: 21, numbers: 75 });
}

#[cfg(feature = "rational")]
#[test]
fn shapley_values_as_fractions() {
    assert_eq!(check_exactly(&voting(), "shapley", shapley_values), 36);
    assert_eq!(check_exactly(&tables(), "shapley", shapley_values), 28);
}

/// The absolute Banzhaf values: swings / 2^(n−1) for a voting game.
fn banzhaf_values<V: Value>(game: &Table<V>) -> Vec<V> {
    shapley::banzhaf(game).expect("the games of the literature have values").into_values()
}

/// All that a player adds, not the mean of it: for a voting game, how many coalitions it turns.
fn swings(game: &Table<f64>) -> Vec<f64> {
    let coalitions = (game.values().len() / 2) as f64;
    banzhaf_values(game).into_iter().map(|value| value * coalitions).collect()
}

/// Each player's part of all swings.
fn normalized(game: &Table<f64>) -> Vec<f64> {
    let values = banzhaf_values(game);
    let sum: f64 = values.iter().sum();
    values.into_iter().map(|value| value / sum).collect()
}

#[test]
fn banzhaf_values_of_voting_games() {
    assert_eq!(check(&voting(), "banzhaf", banzhaf_values), Checked { games: 36, rows: 13, numbers: 69 });
    assert_eq!(check(&voting(), "banzhaf_normalized", normalized), Checked { games: 36, rows: 26, numbers: 141 });
    assert_eq!(check(&voting(), "swings", swings), Checked { games: 36, rows: 14, numbers: 72 });
}

#[test]
fn banzhaf_values_of_games_by_their_values() {
    assert_eq!(check(&tables(), "banzhaf", banzhaf_values), Checked { games: 28, rows: 1, numbers: 3 });
    // CoopGame's raw values are sums, not means.
    let raw = tables().into_iter().find(|entry| entry.published("banzhaf_raw").next().is_some()).expect("one has them");
    let row = raw.published("banzhaf_raw").next().expect("one row").clone();
    for (got, text) in swings(&raw.table(Fraction::to_f64)).into_iter().zip(row["values"].as_array().unwrap()) {
        let (expected, tolerance) = printed(text.as_str().unwrap(), 4.0 * raw.size());
        assert!(close(got, expected, tolerance), "{}: {got}, but {} has {text}", raw.id, row["source"]);
    }
}

#[cfg(feature = "rational")]
#[test]
fn banzhaf_values_as_fractions() {
    assert_eq!(check_exactly(&voting(), "banzhaf", banzhaf_values), 36);
    assert_eq!(check_exactly(&tables(), "banzhaf", banzhaf_values), 28);
}

/// The interactions that the data know a game's by: `SII`, of any order, or `k-SII_order2`.
struct Concept {
    name: String,
    index: Index,
    order: usize,
    /// By players in ascending order.
    values: BTreeMap<Vec<usize>, Fraction>,
}

/// The sets that a key stands for: `0,2`, `empty`, or `single` and `pair` where all players are alike.
fn sets(key: &str, players: usize) -> Vec<Vec<usize>> {
    match key {
        "empty" => vec![vec![]],
        "single" => (0..players).map(|player| vec![player]).collect(),
        "pair" => (0..players).flat_map(|i| (i + 1..players).map(move |j| vec![i, j])).collect(),
        _ => vec![key.split(',').map(|digits| digits.parse().expect("a player")).collect()],
    }
}

impl Entry {
    fn interactions(&self) -> Vec<Concept> {
        let concepts = self.json["exact"].as_object().expect("results by concept").iter();
        concepts.filter_map(|(name, values)| self.interactions_of(name, values)).collect()
    }

    fn interactions_of(&self, name: &str, values: &Json) -> Option<Concept> {
        let mut by_set = BTreeMap::new();
        for (key, value) in values.as_object()? {
            for set in sets(key, self.players) {
                let known = by_set.insert(set, Fraction::parse(value.as_str().expect("a fraction in quotes")));
                assert!(known.is_none(), "{}: {name} of {key} is there twice", self.id);
            }
        }
        let (kind, order) = match name.split_once("_order") {
            Some((kind, order)) => (kind, order.parse().expect("an order")),
            None => (name, by_set.keys().map(Vec::len).max().expect("interactions of some players")),
        };
        let index = match kind {
            "SII" => Index::Shapley,
            "BII" => Index::Banzhaf,
            "k-SII" => Index::KShapley,
            "STII" => Index::ShapleyTaylor,
            "FSII" => Index::FaithfulShapley,
            "FBII" => Index::FaithfulBanzhaf,
            "moebius" => Index::Moebius,
            _ => panic!("{}: {name} is no index", self.id),
        };
        if index == Index::Moebius {
            // Sets that are not there have none.
            for mask in 0..self.values.len() {
                let set = (0..self.players).filter(|player| mask >> player & 1 == 1).collect();
                by_set.entry(set).or_insert(Fraction::whole(0));
            }
        }
        let order = if index == Index::Moebius { self.players } else { order };
        Some(Concept { name: name.to_owned(), index, order, values: by_set })
    }
}

fn interactions<V: Value>(game: &Table<V>, concept: &Concept) -> Interactions<V> {
    shapley::interactions(game, concept.index, concept.order).expect("the games of the literature have interactions")
}

/// How many interactions are known, by index and order.
fn known_interactions() -> BTreeMap<String, usize> {
    [
        ("BII", 7 * 3 + 11 + 55),
        ("FBII_order2", 7 * 3 + 1 + 11 + 55),
        ("FBII_order3", 8 * 3),
        ("FSII_order2", 6 * 3 + 11 + 55),
        ("FSII_order3", 7 * 3),
        ("SII", 7 * 3 + 5 + 11 + 55),
        ("STII_order2", 6 * 3 + 11 + 55),
        ("STII_order3", 7 * 3),
        ("k-SII_order2", 6 * 3 + 3 + 11 + 55),
        ("k-SII_order3", 7 * 3),
        ("moebius", 8 * 3),
    ]
    .map(|(name, count)| (name.to_owned(), count))
    .into()
}

#[test]
fn interactions_of_games_by_their_values() {
    let mut checked = BTreeMap::new();
    for entry in tables() {
        for concept in entry.interactions() {
            let found = interactions(&entry.table(Fraction::to_f64), &concept);
            for (set, exact) in &concept.values {
                let (got, exact) = (*found.get(set).expect("a set of the order"), exact.to_f64());
                let what = format!("{}, {} of {set:?}", entry.id, concept.name);
                assert!(close(got, exact, RELATIVE_TOLERANCE * entry.size()), "{what}: {got} is not {exact}");
                *checked.entry(concept.name.clone()).or_default() += 1;
            }
        }
    }
    assert_eq!(checked, known_interactions());
}

#[cfg(feature = "rational")]
#[test]
fn interactions_as_fractions() {
    let mut checked = BTreeMap::new();
    for entry in tables() {
        for concept in entry.interactions() {
            let found = interactions(&entry.table(Fraction::to_rational), &concept);
            for (set, exact) in &concept.values {
                let what = format!("{}, {} of {set:?}", entry.id, concept.name);
                assert_eq!(found.get(set), Some(&exact.to_rational()), "{what}");
                *checked.entry(concept.name.clone()).or_default() += 1;
            }
        }
    }
    assert_eq!(checked, known_interactions());
}

/// What sources print of interactions. One number is a misprint: 0.1442 for 1/7, in two tests of shapiq whose tolerance
/// hides it.
#[test]
fn interactions_as_printed() {
    let (mut numbers, mut misprints) = (0, Vec::new());
    for entry in tables() {
        let concepts = entry.interactions();
        for row in entry.json["published"].as_array().unwrap().iter().filter(|row| row["values"].is_object()) {
            let name = row["concept"].as_str().unwrap().split(' ').next().unwrap();
            let concept = concepts.iter().find(|concept| concept.name == name).expect("what is printed is known");
            let found = interactions(&entry.table(Fraction::to_f64), concept);
            for (key, text) in row["values"].as_object().unwrap() {
                // A number that was cut, not rounded, comes with the tolerance of its source.
                let text = text.as_str().unwrap();
                let (expected, tolerance) =
                    match text.strip_suffix(')').and_then(|text| text.split_once(" (tolerance ")) {
                        Some((text, tolerance)) => (text.parse().unwrap(), tolerance.parse().unwrap()),
                        None => printed(text, entry.size()),
                    };
                for set in sets(key, entry.players) {
                    let got = *found.get(&set).expect("a set of the order");
                    if !close(got, expected, tolerance) {
                        misprints.push(format!("{} of {set:?}: {text} for {got:.6}", entry.id));
                    }
                }
                numbers += 1;
            }
        }
    }
    assert_eq!((numbers, misprints), (10, vec!["shapiq-dummy-7 of [0]: 0.1442 for 0.142857".to_owned()]));
}

/// A rule written as a closure is the same game as its table, on more threads than one.
#[test]
fn the_security_council_from_a_closure() {
    // 1965: five permanent members with a veto have 7 votes, ten others 1; 39 pass. A permanent member has 421/2145,
    // an elected one 4/2145: Taylor & Pacelli, Mathematics and Politics.
    let council = shapley::from_fn(15, |s| {
        let votes: u32 = s.iter().map(|member| if member < 5 { 7 } else { 1 }).sum();
        f64::from(u8::from(votes >= 39))
    });
    let power = Exact::new().threads(2).solve(&council).unwrap();
    for (member, power) in power.iter().enumerate() {
        let exact = if member < 5 { 421.0 } else { 4.0 } / 2145.0;
        assert!(close(*power, exact, RELATIVE_TOLERANCE), "member {member}: {power}");
    }
}

#[test]
fn printed_numbers_are_read_as_they_were_printed() {
    let half_a_thousandth = 0.0005 + RELATIVE_TOLERANCE;
    for (text, expected, tolerance) in [
        ("0.150", 0.150, half_a_thousandth),
        ("4/2145", 4.0 / 2145.0, RELATIVE_TOLERANCE),
        ("-2/3", -2.0 / 3.0, RELATIVE_TOLERANCE),
        ("0", 0.0, RELATIVE_TOLERANCE),
    ] {
        let (got, within) = printed(text, 1.0);
        assert_eq!((got.to_bits(), within.to_bits()), (f64::to_bits(expected), f64::to_bits(tolerance)), "{text}");
    }
}
