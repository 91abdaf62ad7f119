//! The games of `tests/data` that have a table or a vote of their own, and their exact results. How an entry is read:
//! `tests/data/README.md`.

use serde_json::Value as Json;
use shapley::{Table, Value};

/// All games have so few players that they are solved in milliseconds; the largest is the Security Council.
const MOST_PLAYERS: usize = 15;

/// A game with everything that is known of it.
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) players: usize,
    /// By bit mask.
    pub(crate) values: Vec<Fraction>,
    pub(crate) json: Json,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Fraction {
    pub(crate) numerator: i64,
    pub(crate) denominator: i64,
}

impl Fraction {
    pub(crate) fn whole(numerator: i64) -> Self {
        Self { numerator, denominator: 1 }
    }

    pub(crate) fn parse(text: &str) -> Self {
        let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
        let whole = |digits: &str| digits.parse().unwrap_or_else(|_| panic!("{text} is not a fraction"));
        Self { numerator: whole(numerator), denominator: whole(denominator) }
    }

    pub(crate) fn to_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

impl Entry {
    fn new(json: &Json) -> Self {
        let players = usize::try_from(json["n"].as_u64().expect("a number of players")).unwrap();
        let id = json["id"].as_str().expect("an id").to_owned();
        assert!(players <= MOST_PLAYERS, "{id} has {players} players");
        let value = rule(&id, &json["definition"]);
        Self { values: (0..1 << players).map(value).collect(), id, players, json: json.clone() }
    }

    pub(crate) fn table<V: Value>(&self, number: impl Fn(Fraction) -> V) -> Table<V> {
        Table::new(self.values.iter().copied().map(number).collect()).expect("2^n values are a table")
    }

    /// One exact result for each player, for concepts that are that.
    pub(crate) fn exact(&self, concept: &str) -> Vec<Fraction> {
        let fractions = self.json["exact"][concept].as_array().unwrap_or_else(|| panic!("{}: no {concept}", self.id));
        assert_eq!(fractions.len(), self.players, "{}: {concept}", self.id);
        // Counts are whole numbers, without quotes.
        let text = |number: &Json| number.as_str().map_or_else(|| number.to_string(), str::to_owned);
        fractions.iter().map(|number| Fraction::parse(&text(number))).collect()
    }
}

/// The value of a mask, by the definition: quota and weights, all values, or a rule that is known by the entry's name.
fn rule(id: &str, definition: &Json) -> Box<dyn Fn(u64) -> Fraction> {
    if let Some(quota) = definition["quota"].as_i64() {
        let weights = whole_numbers(&definition["weights"]);
        return Box::new(move |mask| {
            let members = (0..weights.len()).filter(|player| mask >> player & 1 == 1);
            let weight: i64 = members.map(|player| weights[player]).sum();
            Fraction::whole(i64::from(weight >= quota))
        });
    }
    if let Some(values) = definition["v"].as_object() {
        let mut by_mask = vec![None; values.len()];
        for (members, value) in values {
            let players = members.split(',').filter(|digits| !digits.is_empty());
            let mask: usize = players.map(|digits| 1 << digits.parse::<usize>().expect("a player")).sum();
            let known = by_mask[mask].replace(Fraction::parse(value.as_str().expect("a fraction in quotes")));
            assert!(known.is_none(), "{id}: {{{members}}} is there twice");
        }
        return Box::new(move |mask| by_mask[usize::try_from(mask).unwrap()].expect("all coalitions have a value"));
    }
    let has = |mask: u64, player: u64| i64::from(mask >> player & 1 == 1);
    let size = |mask: u64| i64::from(mask.count_ones());
    match id {
        "glove-1L-9R" => {
            let hand = |side: &str| whole_numbers(&definition[side]).iter().map(|player| 1 << player).sum::<u64>();
            let (left, right) = (hand("left"), hand("right"));
            Box::new(move |mask| Fraction::whole(size(mask & left).min(size(mask & right))))
        }
        "shapiq-dummy-7" => {
            Box::new(move |mask| Fraction { numerator: size(mask) + 7 * has(mask, 1) * has(mask, 2), denominator: 7 })
        }
        "faithshap-11" => Box::new(move |mask| match size(mask) {
            0 | 1 => Fraction::whole(0),
            s => Fraction { numerator: 20 * s - s * (s - 1), denominator: 20 },
        }),
        _ => panic!("{id} is defined by a rule that is not here"),
    }
}

pub(crate) fn whole_numbers(json: &Json) -> Vec<i64> {
    json.as_array().expect("a list").iter().map(|number| number.as_i64().expect("a whole number")).collect()
}

fn entries(file: &str) -> Vec<Entry> {
    let json: Json = serde_json::from_str(file).expect("the data are JSON");
    json["entries"].as_array().expect("entries").iter().map(Entry::new).collect()
}

pub(crate) fn voting() -> Vec<Entry> {
    entries(include_str!("../data/weighted_voting.json"))
}

pub(crate) fn tables() -> Vec<Entry> {
    entries(include_str!("../data/tables.json"))
}
