//! Spanning trees: against Prim's algorithm on a matrix, and a game of the reference data.

mod common;

use common::sampled::prefixes;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use shapley::games::{GameError, MinimumSpanningTree};
use shapley::{Coalition, Game, Permutation, exact};

/// The cheapest tree of these players and the source, node n, by growing it from the source.
fn prim(n: usize, cost: impl Fn(usize, usize) -> f64, members: &[usize]) -> f64 {
    let mut near: Vec<(usize, f64)> = members.iter().map(|&player| (player, cost(player, n))).collect();
    let mut total = 0.0;
    while let Some(next) = (0..near.len()).min_by(|&a, &b| near[a].1.total_cmp(&near[b].1)) {
        let (node, paid) = near.swap_remove(next);
        total += paid;
        near.iter_mut().for_each(|(other, best)| *best = best.min(cost(*other, node)));
    }
    total
}

/// Whole costs of few kinds, so that there are many cheapest trees; some pairs of players have no edge, and some two.
fn graph(n: usize, seed: u64) -> Vec<(usize, usize, f64)> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |bound: u64| generator.next_u64() % bound;
    let mut edges = Vec::new();
    for (a, b) in (0..n).flat_map(|a| (a + 1..=n).map(move |b| (a, b))) {
        let count = if b == n { 1 + below(2) } else { below(3) };
        for _ in 0..count {
            let cost = below(9) as f64;
            edges.push(if below(2) == 0 { (a, b, cost) } else { (b, a, cost) });
        }
    }
    edges
}

/// The cost of the cheapest edge between two nodes.
fn cheapest(edges: &[(usize, usize, f64)], a: usize, b: usize) -> f64 {
    let between = edges.iter().filter(|edge| (edge.0, edge.1) == (a, b) || (edge.0, edge.1) == (b, a));
    between.map(|edge| edge.2).fold(f64::INFINITY, f64::min)
}

#[test]
fn costs_are_those_of_prims_algorithm_and_walks_have_their_bits() {
    for n in 1..=9 {
        for seed in 0..5 {
            let edges = graph(n, seed);
            let game = MinimumSpanningTree::new(n, edges.clone()).unwrap();
            assert_eq!(game.num_players(), n);
            for mask in 0..1_u64 << n {
                let coalition = Coalition::from_mask(n, mask);
                let members: Vec<usize> = coalition.iter().collect();
                let expected = prim(n, |a, b| cheapest(&edges, a, b), &members);
                assert_eq!(game.value(&coalition).to_bits(), expected.to_bits(), "{coalition}");
            }
        }
    }
    // Costs that are not whole: sums depend on their order, and it is the same.
    for n in [40, 130] {
        let mut generator = ChaCha8Rng::seed_from_u64(n as u64);
        let mut edges = Vec::new();
        for a in 0..n {
            edges.extend((a + 1..=n).map(|b| (a, b, (generator.next_u64() >> 11) as f64 / 1e15)));
        }
        let game = MinimumSpanningTree::new(n, edges).unwrap();
        let order: Vec<usize> = (0..n).map(|place| (place * 27 + 5) % n).collect();
        let mut values = vec![-7.0];
        game.walk(&order, &mut values);
        assert_eq!(values.len(), n + 1);
        for (value, prefix) in values[1..].iter().zip(prefixes(n, &order)) {
            assert_eq!(value.to_bits(), game.value(&prefix).to_bits());
        }
        let estimate = Permutation::new(4 * n as u64).estimate(&game).unwrap();
        assert!((estimate.values().iter().sum::<f64>() - values[n]).abs() <= 1e-9);
    }
}

#[test]
fn a_game_of_the_reference_data() {
    let file: serde_json::Value = serde_json::from_str(include_str!("data/tables.json")).unwrap();
    let entry = file["entries"].as_array().unwrap().iter().find(|entry| entry["id"] == "mst-3").unwrap();
    // Node 0 is the source there.
    let edges = [(3, 0, 10.0), (3, 1, 20.0), (3, 2, 30.0), (0, 1, 6.0), (0, 2, 8.0), (1, 2, 5.0)];
    let game = MinimumSpanningTree::new(3, edges).unwrap();
    for (players, cost) in entry["definition"]["v"].as_object().unwrap() {
        let members = players.split(',').filter_map(|player| player.parse().ok());
        let cost: f64 = cost.as_str().unwrap().parse().unwrap();
        assert_eq!(game.value(&Coalition::from_players(3, members)).to_bits(), cost.to_bits(), "{players}");
    }
    for (value, expected) in exact(&game).unwrap().iter().zip([-2.0 / 3.0, 47.0 / 6.0, 83.0 / 6.0]) {
        assert!((value - expected).abs() <= 1e-13);
    }
}

#[test]
fn graphs_that_are_none_are_errors() {
    let text = |n: usize, edges: &[(usize, usize, f64)]| {
        MinimumSpanningTree::new(n, edges.iter().copied()).unwrap_err().to_string()
    };
    assert_eq!(MinimumSpanningTree::new(0, []), Err(GameError::NoPlayers {}));
    assert_eq!(text(2, &[(0, 2, 1.0), (0, 3, 1.0)]), "edge 1 names player 3, and there are 2");
    assert_eq!(text(2, &[(1, 1, 1.0)]), "edge 0 connects node 1 to itself");
    assert_eq!(
        text(2, &[(0, 2, 1.0), (0, 1, 1.0)]),
        "player 1 has no edge to the source, so alone it cannot be connected"
    );
    for (bad, shown) in [(-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let said = text(1, &[(0, 1, bad)]);
        assert_eq!(
            said,
            format!("the cost of edge 0 cannot be {shown}: it must be finite, as their sum, and not negative")
        );
    }
    assert!(matches!(
        MinimumSpanningTree::new(2, [(0, 2, f64::MAX), (1, 2, f64::MAX)]),
        Err(GameError::Number { index: 1, .. })
    ));
    assert!(MinimumSpanningTree::new(1, [(0, 1, -0.0)]).is_ok());
}
