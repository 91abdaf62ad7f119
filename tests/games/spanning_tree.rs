//! Minimum spanning tree games, against every spanning tree there is.

use crate::common::compare::close;
use crate::common::masks::mix;
use crate::common::naive;
use crate::common::tables::table;
use crate::walks::assert_walks_are_values;
use serde_json::Value as Json;
use shapley::games::{GameError, MinimumSpanningTree};
use shapley::{Game, Permutation};

type Edges = Vec<(usize, usize, f64)>;

/// A graph with an edge from each player to the source, some edges between players, some of them twice, and some of the
/// same weight.
fn graph(n: usize, seed: u64) -> Edges {
    let drawn = |what: u64| mix(mix(seed) ^ what);
    let mut edges: Edges = Vec::new();
    for to in 0..=n {
        for from in 0..to {
            let number = (to * 100 + from) as u64;
            if to == n || drawn(number) % 3 > 0 {
                let weight = (drawn(number + 50_000) % 10) as f64 * 0.7;
                // Either way round.
                edges.push(if drawn(number + 70_000) % 2 == 0 { (from, to, weight) } else { (to, from, weight) });
            }
            if drawn(number + 90_000) % 7 == 0 {
                edges.push((from, to, 0.35 * (drawn(number + 95_000) % 20) as f64));
            }
        }
    }
    edges.sort_by_key(|edge| drawn(edge.2.to_bits() ^ (edge.0 * 1000 + edge.1) as u64));
    edges
}

/// The cheapest set of |S| edges on S and the source that connects them, of all sets of edges.
fn cheapest(n: usize, edges: &Edges, mask: u64) -> f64 {
    let here = |node: usize| node == n || mask >> node & 1 == 1;
    let edges: Edges = edges.iter().copied().filter(|&(from, to, _)| here(from) && here(to)).collect();
    let size = mask.count_ones();
    let mut least = f64::INFINITY;
    for chosen in (0..1_u64 << edges.len()).filter(|chosen| chosen.count_ones() == size) {
        let chosen = || (0..edges.len()).filter(|edge| chosen >> edge & 1 == 1).map(|edge| edges[edge]);
        let mut reached = 1_u64 << n;
        for _ in 0..=n {
            for (from, to, _) in chosen() {
                if (reached >> from | reached >> to) & 1 == 1 {
                    reached |= 1 << from | 1 << to;
                }
            }
        }
        if reached == mask | 1 << n {
            least = least.min(chosen().map(|(_, _, weight)| weight).sum());
        }
    }
    least
}

#[test]
fn a_value_is_the_least_of_all_trees() {
    for seed in 0..25 {
        let n = 1 + seed as usize % 4;
        let edges = graph(n, seed);
        let game = MinimumSpanningTree::new(n, edges.clone()).unwrap();
        let values: Vec<f64> = (0..1 << n).map(|mask| cheapest(n, &edges, mask)).collect();
        for (mask, value) in values.iter().enumerate() {
            let got = game.value(&shapley::Coalition::from_mask(n, mask as u64));
            assert!(close(got, *value, 1e-12), "{edges:?} {mask:b}: {got} {value}");
        }
        let phi = shapley::exact(&game).unwrap();
        for (value, exact) in phi.iter().zip(naive::by_subsets(n, |mask| values[mask as usize])) {
            assert!(close(*value, exact, 1e-12));
        }
    }
}

#[test]
fn walks_have_the_bits_of_values() {
    for seed in 0..12 {
        let n = 2 + 3 * seed as usize;
        assert_walks_are_values(&MinimumSpanningTree::new(n, graph(n, seed)).unwrap(), 8);
    }
}

/// So does a sampler, which walks, find what one would find that asks.
#[test]
fn a_sampler_walks() {
    let game = MinimumSpanningTree::new(12, graph(12, 3)).unwrap();
    let asked = shapley::from_fn(12, |s| game.value(s));
    let estimate = |game: &dyn Game<Value = f64>| Permutation::new(2000).seed(1).estimate(game).unwrap();
    assert_eq!(estimate(&game).values(), estimate(&asked).values());
}

#[test]
fn the_tree_game_of_the_tables() {
    let file: Json = serde_json::from_str(include_str!("../data/tables.json")).unwrap();
    let entry = file["entries"].as_array().unwrap().iter().find(|entry| entry["id"] == "mst-3").unwrap();
    // Node 0 is the source there, and player i is node i + 1.
    let node = |name: &str| name.parse::<usize>().unwrap().checked_sub(1).unwrap_or(3);
    let edges = entry["definition"]["generator"]["cost"].as_object().unwrap().iter().map(|(name, cost)| {
        let (from, to) = name.split_once('-').unwrap();
        (node(from), node(to), cost.as_f64().unwrap())
    });
    let game = MinimumSpanningTree::new(3, edges).unwrap();
    let mut checked = 0;
    for (members, value) in entry["definition"]["v"].as_object().unwrap() {
        let members = members.split(',').filter(|digits| !digits.is_empty()).map(|digits| digits.parse().unwrap());
        let got = game.value(&shapley::Coalition::from_players(3, members));
        assert!(close(got, value.as_str().unwrap().parse().unwrap(), 1e-12));
        checked += 1;
    }
    assert_eq!(checked, 8);
    let phi = shapley::exact(&game).unwrap();
    for (value, exact) in phi.iter().zip([-2.0 / 3.0, 47.0 / 6.0, 83.0 / 6.0]) {
        assert!(close(*value, exact, 1e-12));
    }
}

/// Players along a road from the source, every edge as dear as it is long: a coalition pays for its farthest.
#[test]
fn a_chain_is_an_airport() {
    let n = 9;
    let dear = 1000.0;
    // Every edge to the source costs as much as the chain would from there: so S pays for its farthest.
    let chain = (0..n).flat_map(|i| (0..=i).map(move |j| (i, if j == 0 { n } else { j - 1 }, (i + 1 - j) as f64)));
    let game = MinimumSpanningTree::new(n, chain.chain([(0, 5, dear)])).unwrap();
    let farthest = table(n, |mask| f64::from(64 - mask.leading_zeros()));
    let asked = table(n, |mask| game.value(&shapley::Coalition::from_mask(n, mask)));
    assert_eq!(asked, farthest);
}

#[test]
fn bad_graphs_are_errors() {
    let new = |n: usize, edges: &[(usize, usize, f64)]| MinimumSpanningTree::new(n, edges.iter().copied());
    assert_eq!(new(0, &[]), Err(GameError::NoPlayers {}));
    assert_eq!(new(2, &[(0, 2, 1.0), (0, 1, 1.0)]), Err(GameError::NoWayToSource { player: 1 }));
    let error = GameError::NoSuchPlayer { what: "edge", index: 1, player: 3, players: 2 };
    assert_eq!(new(2, &[(0, 2, 1.0), (1, 3, 1.0)]), Err(error));
    for bad in [-1.0, f64::INFINITY] {
        let allowed = "finite, as their sum, and not negative";
        let error = GameError::Number { what: "the cost of edge", index: 0, value: bad, allowed };
        assert_eq!(new(1, &[(0, 1, bad)]), Err(error));
    }
    assert!(matches!(new(1, &[(0, 1, f64::NAN)]), Err(GameError::Number { .. })));
    assert_eq!(new(1, &[(0, 1, 1.0), (0, 0, 1.0)]), Err(GameError::Loop { index: 1, node: 0 }));
    assert!(new(1, &[(0, 1, -0.0)]).is_ok());
    assert!(matches!(new(2, &[(0, 2, f64::MAX), (1, 2, f64::MAX)]), Err(GameError::Number { index: 1, .. })));
    let text = new(1, &[(0, 0, 1.0)]).unwrap_err().to_string();
    assert_eq!(text, "edge 0 connects node 0 to itself");
    let text = new(2, &[(0, 2, 1.0)]).unwrap_err().to_string();
    assert_eq!(text, "player 1 has no edge to the source, so alone it cannot be connected");
}

#[test]
fn more_players_than_memory_holds_have_no_way_to_the_source() {
    let error = MinimumSpanningTree::new(usize::MAX, [(0, usize::MAX, 1.0), (2, usize::MAX, 1.0)]);
    assert_eq!(error, Err(GameError::NoWayToSource { player: 1 }));
}
