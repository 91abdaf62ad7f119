//! Interaction indices: against their definitions in exact fractions, against the published interactions of a real
//! game, for their axioms, and as what users hold in their hands. Games of the literature are in `tests/literature`.

use std::collections::BTreeMap;

use crate::common::compare::{close, largest};
use crate::common::every_index::INDICES;
use crate::common::integers::pseudo_integer;
use crate::common::masks::{mask_of, pseudo};
use crate::common::sets::sets;
use crate::common::tables::table;
use crate::indices as oracle;
use crate::indices::BySet;
use crate::symmetry::{exchanged, size_of};
use proptest::prelude::*;
use shapley::{Exact, Index, Interactions, Table, Value, exact, from_fn, interactions};

/// Those that share out v(N) at any order.
const EFFICIENT: [Index; 3] = [Index::KShapley, Index::ShapleyTaylor, Index::FaithfulShapley];

/// Relative to the largest value. An interaction of κ players has 2^κ values in every derivative, and sharing out
/// between the orders adds as much again: for the 8 players of the largest game here that is 2^9 roundings of ε/2 at
/// the worst, 6e-14.
const RELATIVE_TOLERANCE: f64 = 1e-12;

fn solved<V: Value>(game: &Table<V>, index: Index, order: usize) -> Interactions<V> {
    interactions(game, index, order).expect("finite values have interactions")
}

/// What the definition says.
fn defined(index: Index, players: usize, order: usize, value: impl Fn(u64) -> i64) -> BySet {
    match index {
        Index::Moebius => oracle::moebius(players, order, value),
        Index::Shapley => oracle::shapley(players, order, value),
        Index::Banzhaf => oracle::banzhaf(players, order, value),
        Index::KShapley => oracle::k_shapley(players, order, value),
        Index::ShapleyTaylor => oracle::shapley_taylor(players, order, value),
        Index::FaithfulShapley => oracle::faithful_shapley(players, order, value),
        Index::FaithfulBanzhaf => oracle::faithful_banzhaf(players, order, value),
        _ => panic!("{index:?} has no definition here"),
    }
}

/// Goes through every order of the games of some numbers of players, and counts what is compared.
fn against_the_definition(index: Index, seeds: u64) -> usize {
    let mut checked = 0;
    for n in 1..=6 {
        for seed in 0..seeds {
            // v(∅) is no more zero than the others.
            let value = |mask: u64| pseudo_integer(seed << 8 | n as u64, mask, 1000);
            let floats = table(n, |mask| value(mask) as f64);
            let size = largest(floats.values().iter().copied());
            #[cfg(feature = "rational")]
            let fractions = table(n, |mask| num_rational::BigRational::from_integer(value(mask).into()));
            for order in 1..=n {
                let expected = defined(index, n, order, value);
                let found = solved(&floats, index, order);
                assert_eq!(found.len(), expected.len());
                for (set, got) in found.iter() {
                    let expected = expected[&mask_of(&set)].to_f64();
                    let what = format!("{index:?} of order {order}, {n} players, {set}");
                    assert!(close(*got, expected, RELATIVE_TOLERANCE * size), "{what}: {got} is not {expected}");
                    checked += 1;
                }
                #[cfg(feature = "rational")]
                for (set, got) in solved(&fractions, index, order).iter() {
                    let expected = expected[&mask_of(&set)].to_rational();
                    assert_eq!(*got, expected, "{index:?} of order {order}, {n} players, {set}");
                }
            }
        }
    }
    checked
}

/// The number of sets of at most k of n players, over all 1 ≤ k ≤ n ≤ 6.
const SETS: usize = 441;

#[test]
fn moebius_by_inclusion_and_exclusion() {
    assert_eq!(against_the_definition(Index::Moebius, 3), 3 * SETS);
}

#[test]
fn shapley_interactions_by_their_sum_over_coalitions() {
    assert_eq!(against_the_definition(Index::Shapley, 3), 3 * SETS);
}

#[test]
fn banzhaf_interactions_by_their_sum_over_coalitions() {
    assert_eq!(against_the_definition(Index::Banzhaf, 3), 3 * SETS);
}

#[test]
fn k_shapley_by_its_recursion() {
    assert_eq!(against_the_definition(Index::KShapley, 3), 3 * SETS);
}

#[test]
fn shapley_taylor_as_the_mean_over_all_orders() {
    assert_eq!(against_the_definition(Index::ShapleyTaylor, 2), 2 * SETS);
}

#[test]
fn faithful_shapley_as_a_best_fit() {
    assert_eq!(against_the_definition(Index::FaithfulShapley, 2), 2 * SETS);
}

#[test]
fn faithful_banzhaf_as_a_best_fit() {
    assert_eq!(against_the_definition(Index::FaithfulBanzhaf, 2), 2 * SETS);
}

/// Seven players, as far as the definitions can go in a second.
#[test]
fn seven_players() {
    let value = |mask: u64| pseudo_integer(7, mask, 1_000_000);
    let game = table(7, |mask| value(mask) as f64);
    for index in INDICES {
        for order in [1, 2, 3, 7] {
            // All 5040 orders, and 128 equations, take too long without optimisation.
            let long = matches!(index, Index::ShapleyTaylor | Index::FaithfulShapley | Index::FaithfulBanzhaf);
            if long && order == 7 {
                continue;
            }
            let expected = defined(index, 7, order, value);
            for (set, got) in solved(&game, index, order).iter() {
                let expected = expected[&mask_of(&set)].to_f64();
                assert!(close(*got, expected, RELATIVE_TOLERANCE * 1e6), "{index:?} of order {order}, {set}: {got}");
            }
        }
    }
}

/// The oracle's own check is a game for pen and paper: three players, of whom any two win. The pairs are worth 1, and
/// all three take 2 of these 3 away again; a player turns two of the four coalitions of the others. The best fits of
/// order 2 are those of v = (s ≥ 2): with v(∅) = 0 and v(N) = 1 exact, a(i) = 1/3 and a(ij) = 0; with none exact, and
/// the errors ±1/4 alternating with the size, −1/4, 1/2 and 0.
#[test]
fn the_oracle_agrees_with_pen_and_paper() {
    let majority = |mask: u64| i64::from(mask.count_ones() >= 2);
    // By size of the set, in twelfths.
    for (index, order, twelfths) in [
        (Index::Moebius, 3, vec![0, 0, 12, -24]),
        (Index::Shapley, 3, vec![6, 4, 0, -24]),
        (Index::Banzhaf, 3, vec![6, 6, 0, -24]),
        (Index::KShapley, 2, vec![0, 4, 0]),
        (Index::KShapley, 3, vec![0, 0, 12, -24]),
        (Index::ShapleyTaylor, 2, vec![0, 0, 4]),
        (Index::FaithfulShapley, 2, vec![0, 4, 0]),
        (Index::FaithfulBanzhaf, 2, vec![-3, 6, 0]),
    ] {
        let expected = defined(index, 3, order, majority);
        assert_eq!(expected.len(), sets(3, order).count());
        for (set, value) in expected {
            let size = set.count_ones() as usize;
            assert_eq!(
                value,
                crate::fraction::Fraction::new(twelfths[size], 12),
                "{index:?} of order {order}, {set:b}"
            );
        }
    }
}

/// A prediction of a random forest, with the interactions that another program computed of it.
mod california {
    use super::*;

    const TOLERANCE: f64 = 1e-9;

    fn data() -> serde_json::Value {
        serde_json::from_str(include_str!("../data/interactions_california.json")).expect("the data are JSON")
    }

    fn game() -> Table<f64> {
        let values = data()["v"].as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect();
        Table::new(values).expect("8 players")
    }

    /// The numbers of a concept, by players in ascending order.
    fn numbers(concept: &str) -> BTreeMap<Vec<usize>, f64> {
        let data = data();
        let numbers = data["values"][concept].as_object().unwrap_or_else(|| panic!("no {concept}"));
        let players =
            |key: &str| key.split(',').filter(|key| !key.is_empty()).map(|key| key.parse().unwrap()).collect();
        numbers.iter().map(|(key, number)| (players(key), number.as_f64().expect("a number"))).collect()
    }

    /// Compares all numbers of a concept, and gives how many there are.
    fn check(concept: &str, index: Index, order: usize) -> usize {
        let found = solved(&game(), index, order);
        let expected = numbers(concept);
        for (set, expected) in &expected {
            let got = *found.get(set).expect("a set of the order");
            assert!(close(got, *expected, TOLERANCE), "{concept} of {set:?}: {got} is not {expected}");
        }
        // The source leaves the empty set out, where it is not part of a fit.
        assert!(found.len() - expected.len() <= 1);
        expected.len()
    }

    #[test]
    fn every_index_of_orders_1_to_3() {
        for (name, index, empty) in [
            ("SII", Index::Shapley, 0),
            ("BII", Index::Banzhaf, 0),
            ("k-SII", Index::KShapley, 0),
            ("STII", Index::ShapleyTaylor, 0),
            ("FSII", Index::FaithfulShapley, 0),
            ("FBII", Index::FaithfulBanzhaf, 1),
        ] {
            for (order, count) in [(1, 8), (2, 8 + 28), (3, 8 + 28 + 56)] {
                assert_eq!(check(&format!("{name}_order{order}"), index, order), count + empty);
            }
        }
        assert_eq!(check("moebius", Index::Moebius, 8), 256);
    }

    #[test]
    fn values() {
        for (concept, found) in [("SV", exact(&game())), ("BV", shapley::banzhaf(&game()))] {
            let (found, expected) = (found.unwrap(), numbers(concept));
            assert_eq!((found.len(), expected.len()), (8, 8));
            for (player, expected) in found.iter().zip(expected.into_values()) {
                assert!(close(*player, expected, TOLERANCE), "{concept}: {player} is not {expected}");
            }
        }
    }

    /// The data's own check: the faithful index of order 1 is the Shapley value. The source's numbers, from a numerical
    /// regression, are 3e-10 off here; those in the data are recomputed.
    #[test]
    fn the_faithful_index_of_order_1_is_the_shapley_value() {
        for ((_, faithful), (_, value)) in numbers("FSII_order1").into_iter().zip(numbers("SV")) {
            assert!(close(faithful, value, 1e-13), "{faithful} and {value}");
        }
    }
}

/// The values of K games of the same number of players, and an order.
fn games<const K: usize>(most_players: usize) -> impl Strategy<Value = (usize, usize, [Vec<f64>; K])> {
    let value = || prop_oneof![-1.0..1.0, -1e6..1e6, (-100..100_i32).prop_map(f64::from), Just(0.0)];
    (1..=most_players).prop_flat_map(move |n| {
        (Just(n), 1..=n, std::array::from_fn::<_, K, _>(|_| proptest::collection::vec(value(), 1 << n)))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// All interactions together, the empty set's too, share out v(N).
    #[test]
    fn efficiency((n, order, [values]) in games(7)) {
        let game = Table::new(values.clone()).unwrap();
        let tolerance = RELATIVE_TOLERANCE * size_of(&values) * (1 << n) as f64;
        let grand = values[values.len() - 1];
        for index in EFFICIENT {
            let found = solved(&game, index, order);
            prop_assert!(close(found.iter().map(|(_, value)| *value).sum(), grand, tolerance), "{:?}", index);
            prop_assert_eq!(found.get(&[]).map(|value| value.to_bits()), Some(values[0].to_bits()));
        }
        let all = solved(&game, Index::Moebius, n);
        prop_assert!(close(all.iter().map(|(_, value)| *value).sum(), grand, tolerance));
    }

    /// Every coalition's value is the sum of the interactions inside it, where they are of all orders: for the Möbius
    /// transform, and for all those that it is the limit of.
    #[test]
    fn of_full_order((n, _, [values]) in games(7)) {
        let game = Table::new(values.clone()).unwrap();
        let tolerance = RELATIVE_TOLERANCE * size_of(&values) * (1 << n) as f64;
        for index in INDICES {
            if matches!(index, Index::Shapley | Index::Banzhaf) {
                continue;
            }
            let found = solved(&game, index, n);
            for (mask, value) in values.iter().enumerate() {
                let inside = found.iter().filter(|(set, _)| mask_of(set) & !(mask as u64) == 0);
                prop_assert!(close(inside.map(|(_, value)| *value).sum(), *value, tolerance), "{:?}", index);
            }
        }
    }

    /// Nobody interacts with a player who never changes the value: not in the last bit, where the values agree to it.
    #[test]
    fn null_player((n, order, [values]) in games(7), draw in any::<prop::sample::Index>()) {
        let null = draw.index(n);
        let game = table(n, |mask| values[mask as usize & !(1 << null)]);
        for index in INDICES {
            for (set, value) in solved(&game, index, order).iter().filter(|(set, _)| set.contains(null)) {
                prop_assert_eq!(value.abs().to_bits(), 0.0_f64.to_bits(), "{:?} of {}", index, set);
            }
        }
    }

    /// Of order 1 they are the players' values.
    #[test]
    fn of_order_1((n, _, [values]) in games(8)) {
        let game = Table::new(values.clone()).unwrap();
        let (phi, psi) = (exact(&game).unwrap(), shapley::banzhaf(&game).unwrap());
        for index in INDICES {
            let expected = match index {
                Index::Moebius => (0..n).map(|player| values[1 << player] - values[0]).collect(),
                Index::Banzhaf | Index::FaithfulBanzhaf => psi.values().to_vec(),
                _ => phi.values().to_vec(),
            };
            let found = solved(&game, index, 1);
            prop_assert_eq!(found.len(), n + 1);
            for (player, expected) in expected.into_iter().enumerate() {
                let got = *found.get(&[player]).unwrap();
                prop_assert!(close(got, expected, RELATIVE_TOLERANCE * size_of(&values)), "{:?}", index);
            }
        }
    }

    /// Players who add the same to every coalition interact alike with all others.
    #[test]
    fn symmetry((n, order, [values]) in games(7), i in 0..7_usize, j in 0..7_usize) {
        let (i, j) = (i % n, j % n);
        let game = table(n, |mask| values[mask.min(exchanged(mask, i, j)) as usize]);
        for index in INDICES {
            let found = solved(&game, index, order);
            for (set, value) in found.iter() {
                let other: Vec<usize> =
                    set.iter().map(|player| if player == i { j } else if player == j { i } else { player }).collect();
                let other = *found.get(&other).unwrap();
                prop_assert!(close(*value, other, RELATIVE_TOLERANCE * size_of(&values)), "{:?} of {}", index, set);
            }
        }
    }

    #[test]
    fn linearity((n, order, [v, w]) in games(6), a in -10.0..10.0_f64, b in -10.0..10.0_f64) {
        let sum = table(n, |mask| a * v[mask as usize] + b * w[mask as usize]);
        let (v, w) = (Table::new(v).unwrap(), Table::new(w).unwrap());
        let tolerance = RELATIVE_TOLERANCE * (a.abs() * size_of(v.values()) + b.abs() * size_of(w.values()));
        for index in INDICES {
            let (of_v, of_w) = (solved(&v, index, order), solved(&w, index, order));
            for ((set, both), ((_, v), (_, w))) in solved(&sum, index, order).iter().zip(of_v.iter().zip(of_w.iter())) {
                prop_assert!(close(*both, a * v + b * w, tolerance), "{:?} of {}", index, set);
            }
        }
    }

    /// The lower orders of these are the same whatever the order asked for; they come by other ways through the blocks.
    #[test]
    fn orders_below((n, order, [values]) in games(7)) {
        let game = Table::new(values.clone()).unwrap();
        for index in [Index::Moebius, Index::Shapley, Index::Banzhaf] {
            let all = solved(&game, index, n);
            for (set, value) in solved(&game, index, order).iter() {
                let members: Vec<usize> = set.iter().collect();
                let same = *all.get(&members).unwrap();
                prop_assert!(close(*value, same, RELATIVE_TOLERANCE * size_of(&values)), "{:?} of {}", index, set);
            }
        }
    }
}

/// More players than the definitions allow, by a closed form: in a game that is a sum of interactions of at most k
/// players, each index of order k but the means SII and BII finds just these.
#[test]
fn a_sum_of_interactions_of_few_players_is_found() {
    for (n, order) in [(9, 1), (9, 4), (12, 2), (12, 3), (15, 2)] {
        let parts: Vec<(u64, f64)> = sets(n, order).map(|set| (set, pseudo(order as u64, set))).collect();
        let value = |mask: u64| parts.iter().filter(|(set, _)| set & !mask == 0).map(|(_, part)| part).sum::<f64>();
        let game = table(n, value);
        let tolerance = RELATIVE_TOLERANCE * largest(game.values().iter().copied());
        for index in INDICES.into_iter().filter(|index| !matches!(index, Index::Shapley | Index::Banzhaf)) {
            let found = solved(&game, index, order);
            assert_eq!(found.len(), parts.len());
            for (set, part) in &parts {
                let members: Vec<usize> = (0..n).filter(|player| set >> player & 1 == 1).collect();
                let got = *found.get(&members).unwrap();
                assert!(close(got, *part, tolerance), "{index:?}, {n} players, {members:?}: {got} is not {part}");
            }
        }
    }
}

/// The bits of all numbers.
fn bits(found: &Interactions<f64>) -> Vec<u64> {
    found.iter().map(|(_, value)| value.to_bits()).collect()
}

#[test]
fn the_same_bits_on_any_number_of_threads_and_in_any_batches() {
    // Values of many magnitudes, so that no two orders of summation round alike.
    let rough = |mask: u64| pseudo(2, mask) * 10_f64.powf(6.0 * pseudo(3, mask));
    for (n, order) in [(1, 1), (5, 3), (10, 2), (12, 3), (14, 2)] {
        let (game, closure) = (table(n, rough), from_fn(n, |s| rough(mask_of(s))));
        for index in [Index::Shapley, Index::KShapley, Index::FaithfulShapley] {
            let expected = bits(&solved(&game, index, order));
            for threads in [1, 2, 4] {
                for batch in [0, 7, 64] {
                    let solver = Exact::new().threads(threads).batch(batch);
                    let how = format!("{index:?}, {n} players, {threads} threads, batches of {batch}");
                    assert!(bits(&solver.interactions(&closure, index, order).unwrap()) == expected, "{how}: closure");
                    assert!(bits(&solver.interactions(&game, index, order).unwrap()) == expected, "{how}: table");
                }
            }
        }
    }
}

#[test]
fn each_output_is_a_game_of_its_own() {
    for (n, order) in [(1, 1), (6, 3), (10, 2)] {
        let outputs = [table(n, |mask| pseudo(4, mask)), table(n, |mask| 1e6 * pseudo(5, mask))];
        let both = table(n, |mask| [pseudo(4, mask), 1e6 * pseudo(5, mask)]);
        for index in INDICES {
            let both = solved(&both, index, order);
            for (output, alone) in outputs.iter().enumerate() {
                for ((_, value), (set, alone)) in both.iter().zip(solved(alone, index, order).iter()) {
                    assert_eq!(value[output].to_bits(), alone.to_bits(), "{index:?} of {set}");
                }
            }
        }
    }
}
