//! The table of games: each with its Shapley values, by a closed form or as published.

use std::collections::BTreeMap;

use shapley::games::{Airport, Glove, MinimumSpanningTree, Unanimity, WeightedVoting};
use shapley::{Attribution, Coalition, Game, Table, from_fn};

use crate::common::entries;

/// A game and its Shapley values, each correct to a few ε of the game's largest value.
pub(crate) struct Known<V> {
    pub(crate) name: String,
    pub(crate) game: Box<dyn Game<Value = V>>,
    pub(crate) shapley: Vec<V>,
}

fn known<V>(name: &str, game: impl Game<Value = V> + 'static, shapley: impl Into<Vec<V>>) -> Known<V> {
    Known { name: name.to_owned(), game: Box::new(game), shapley: shapley.into() }
}

/// A game that has its own closed form.
fn closed<G: Game<Value = f64> + 'static>(name: &str, game: G, form: impl Fn(&G) -> Attribution<f64>) -> Known<f64> {
    let shapley = form(&game).into_values();
    known(name, game, shapley)
}

/// One or zero.
fn unit(condition: bool) -> f64 {
    f64::from(u8::from(condition))
}

/// All games of one output.
pub(crate) fn games() -> Vec<Known<f64>> {
    written().into_iter().chain(published()).collect()
}

/// Games that are defined here: a new one is an entry of this list.
fn written() -> Vec<Known<f64>> {
    let amounts = [3.5, -1.0, 0.0, 2.25, 10.0, -0.5];
    let sum = move |s: &Coalition| s.iter().map(|player| amounts[player]).sum::<f64>();
    let square = |s: &Coalition| (s.len() * s.len()) as f64;
    let airport = Airport::new([12.0, 3.0, 7.5, 7.5, 1.0, 0.0, 20.0]).unwrap();
    let tree = MinimumSpanningTree::new(4, (0..4).map(|player| (4, player, player as f64 + 1.0))).unwrap();
    let dividends: [(&[usize], f64); 6] = [
        (&[], 2.5),
        (&[0], 1.0),
        (&[1, 4], -3.0),
        (&[0, 2, 5], 6.0),
        (&[2, 3, 4, 5], 0.5),
        (&[0, 1, 2, 3, 4, 5, 6], -7.0),
    ];
    vec![
        known("one player", from_fn(1, |s| 2.0 + 3.0 * s.len() as f64), [3.0]),
        known("one player who adds nothing", from_fn(1, |_| 0.0), [0.0]),
        known("two players", Table::new(vec![1.0, 4.0, 2.0, 9.0]).unwrap(), [5.0, 3.0]),
        known("nobody adds anything", from_fn(5, |_| -4.0), [0.0; 5]),
        known("additive", from_fn(6, sum), amounts),
        known("additive, far from zero", from_fn(6, move |s| 1e9 + sum(s)), amounts),
        known("additive, tiny", from_fn(6, move |s| 1e-100 * sum(s)), amounts.map(|amount| 1e-100 * amount)),
        known("additive, huge", from_fn(6, move |s| 1e100 * sum(s)), amounts.map(|amount| 1e100 * amount)),
        known("squares of sizes", from_fn(9, square), [9.0; 9]),
        known(
            "squares of sizes and a null player",
            from_fn(6, |s| {
                let others = s.len() - usize::from(s.contains(2));
                (others * others) as f64
            }),
            [5.0, 5.0, 0.0, 5.0, 5.0, 5.0],
        ),
        known("majority", from_fn(7, |s| unit(s.len() >= 4)), [1.0 / 7.0; 7]),
        known("a dictator", from_fn(4, |s| unit(s.contains(1))), [0.0, 1.0, 0.0, 0.0]),
        known("unanimity of three", from_fn(8, |s| unit([1, 3, 6].iter().all(|&k| s.contains(k)))), {
            [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0].map(|member| member / 3.0)
        }),
        closed("a vote by weight", WeightedVoting::new(9, [5, 4, 3, 2, 1, 1, 0]).unwrap(), |game| {
            game.shapley_shubik()
        }),
        closed("a vote with vetoes", WeightedVoting::new(39, [7, 7, 7, 7, 7, 1, 1, 1, 1, 1]).unwrap(), |game| {
            game.shapley_shubik()
        }),
        closed("airport", airport, Airport::shapley),
        closed("gloves", Glove::new(3, 6), Glove::shapley),
        closed("gloves for everybody", Glove::new(4, 4), Glove::shapley),
        closed("sum of unanimity games", Unanimity::new(7, dividends).unwrap(), Unanimity::shapley),
        known("everybody has an edge to the root", tree, [1.0, 2.0, 3.0, 4.0]),
    ]
}

/// Games of `tests/data`.
fn published() -> impl Iterator<Item = Known<f64>> {
    entries::voting().into_iter().chain(entries::tables()).map(|entry| {
        let shapley: Vec<f64> = entry.exact("shapley").into_iter().map(|value| value.to_f64()).collect();
        known(&entry.id, entry.table(|value| value.to_f64()), shapley)
    })
}

/// Two games with the same number of players, as one game with two outputs.
struct Both([Box<dyn Game<Value = f64>>; 2]);

impl Game for Both {
    type Value = [f64; 2];

    fn num_players(&self) -> usize {
        self.0[0].num_players()
    }

    fn value(&self, coalition: &Coalition) -> [f64; 2] {
        [self.0[0].value(coalition), self.0[1].value(coalition)]
    }
}

/// The first two games of each number of players, as one game of two outputs.
pub(crate) fn in_pairs() -> Vec<Known<[f64; 2]>> {
    let mut by_players: BTreeMap<usize, Vec<Known<f64>>> = BTreeMap::new();
    for known in games() {
        by_players.entry(known.game.num_players()).or_default().push(known);
    }
    let pair = |games: Vec<Known<f64>>| {
        let [first, second] = <[_; 2]>::try_from(games.into_iter().take(2).collect::<Vec<_>>()).ok()?;
        let shapley: Vec<_> = first.shapley.into_iter().zip(second.shapley).map(|(a, b)| [a, b]).collect();
        Some(known(&format!("{} and {}", first.name, second.name), Both([first.game, second.game]), shapley))
    };
    by_players.into_values().filter_map(pair).collect()
}
