//! What can be asked of `Interactions`, and the games and orders that have none.

use crate::common::every_index::INDICES;
use crate::common::masks::{mask_of, pseudo};
use crate::common::said::said;
use crate::common::sets::sets;
use crate::common::tables::table;
use shapley::{Coalition, Error, Exact, Game, Index, from_fn, interactions};

/// Four players: v(S) is the sum of the members' numbers 1 to 4, and 10 less with both 0 and 3.
fn four() -> impl Game<Value = f64> {
    from_fn(4, |s| {
        let sum: usize = s.iter().map(|player| player + 1).sum();
        sum as f64 - if s.contains(0) && s.contains(3) { 10.0 } else { 0.0 }
    })
}

#[test]
fn players_are_looked_up_in_any_order() {
    let found = interactions(&table(5, |mask| pseudo(1, mask)), Index::Shapley, 3).unwrap();
    for (set, value) in found.iter() {
        let mut members: Vec<usize> = set.iter().collect();
        assert_eq!(found.get(&members), Some(value));
        members.reverse();
        assert_eq!(found.get(&members), Some(value));
        members.rotate_left(set.len() / 2);
        assert_eq!(found.get(&members), Some(value));
    }
    assert_eq!(found.get(&[5]), None, "there is no such player");
    assert_eq!(found.get(&[0, 64]), None);
    assert_eq!(found.get(&[usize::MAX]), None);
    assert_eq!(found.get(&[0, 1, 2, 3]), None, "more than the order");
    assert_eq!(found.get(&[4, 3, 2, 1, 0]), None);
}

#[test]
fn sets_come_by_size_and_then_in_lexicographic_order() {
    let found = interactions(&four(), Index::Moebius, 3).unwrap();
    let order: Vec<String> = found.iter().map(|(set, _)| set.to_string()).collect();
    let singles = ["{}", "{0}", "{1}", "{2}", "{3}"];
    let pairs = ["{0, 1}", "{0, 2}", "{0, 3}", "{1, 2}", "{1, 3}", "{2, 3}"];
    let triples = ["{0, 1, 2}", "{0, 1, 3}", "{0, 2, 3}", "{1, 2, 3}"];
    assert_eq!(order, [singles.as_slice(), &pairs, &triples].concat());
    assert_eq!(found.len(), 15);
    // 0 to 9 and 10 have two digits: sets go by players, not by what they look like.
    let found = interactions(&from_fn(12, |s| s.len() as f64), Index::Moebius, 2).unwrap();
    let sets: Vec<Vec<usize>> = found.iter().map(|(set, _)| set.iter().collect()).collect();
    assert!(sets.is_sorted_by_key(|set| (set.len(), set.clone())));
    assert_eq!(sets.len(), 1 + 12 + 66);
}

#[test]
fn iterators_know_their_length() {
    let found = interactions(&four(), Index::Banzhaf, 2).unwrap();
    let mut iter = found.iter();
    assert_eq!(iter.len(), found.len());
    iter.next();
    assert_eq!((iter.len(), iter.size_hint()), (10, (10, Some(10))));
    assert_eq!(iter.count(), 10);
}

#[test]
fn what_it_is() {
    for index in INDICES {
        for order in 1..=4 {
            let found = interactions(&four(), index, order).unwrap();
            assert_eq!((found.index(), found.order(), found.num_players()), (index, order, 4));
            assert_eq!(found.len(), sets(4, order).count());
            assert_eq!(found, Exact::new().interactions(&four(), index, order).unwrap());
        }
    }
}

#[test]
fn the_strongest_come_first_whatever_their_sign() {
    // Möbius: {0, 1} 2, {0, 2} -5, {1, 2} 2, all three 3; the players 7 each, who are no interaction.
    let parts = [(0b001, 7.0), (0b010, 7.0), (0b100, 7.0), (0b011, 2.0), (0b101, -5.0), (0b110, 2.0), (0b111, 3.0)];
    let value = |mask: u64| parts.iter().filter(|(set, _)| set & !mask == 0).map(|(_, part)| part).sum::<f64>();
    let found = interactions(&table(3, value), Index::Moebius, 3).unwrap();
    let strongest = |count| -> Vec<(String, f64)> {
        found.strongest(count).into_iter().map(|(set, value)| (set.to_string(), *value)).collect()
    };
    let all = [("{0, 2}", -5.0), ("{0, 1, 2}", 3.0), ("{0, 1}", 2.0), ("{1, 2}", 2.0)];
    let all = all.map(|(set, value)| (set.to_owned(), value));
    assert_eq!(strongest(0), []);
    assert_eq!(strongest(1), all[..1]);
    assert_eq!(strongest(3), all[..3], "of equals the first");
    assert_eq!(strongest(4), all);
    assert_eq!(strongest(usize::MAX), all);
    // Of order 1 there are no interactions of several players.
    assert!(interactions(&four(), Index::Shapley, 1).unwrap().strongest(9).is_empty());
}

#[test]
fn the_strongest_of_several_outputs_go_by_the_largest() {
    let parts = [(0b011, [1.0, -2.0]), (0b101, [1.5, 1.5]), (0b110, [0.0, 4.0])];
    let value = |mask: u64| {
        let inside = parts.iter().filter(|(set, _)| set & !mask == 0);
        inside.fold([0.0, 0.0], |sum, (_, part)| [sum[0] + part[0], sum[1] + part[1]])
    };
    let found = interactions(&table(3, value), Index::Moebius, 2).unwrap();
    let strongest: Vec<[f64; 2]> = found.strongest(3).into_iter().map(|(_, value)| *value).collect();
    assert_eq!(strongest, [[0.0, 4.0], [1.0, -2.0], [1.5, 1.5]]);
}

#[test]
fn shown_line_by_line() {
    let found = interactions(&four(), Index::Moebius, 2).unwrap();
    let expected = [
        "{0, 3}  -10.00",
        "{3}       4.00",
        "{2}       3.00",
        "{1}       2.00",
        "{0}       1.00",
        "{}        0.00",
        "{0, 1}    0.00",
        "{0, 2}    0.00",
        "{1, 2}    0.00",
        "{1, 3}    0.00",
        "{2, 3}    0.00",
    ];
    assert_eq!(format!("{found:.2}"), expected.join("\n"));
    assert_eq!(format!("{found}"), expected.join("\n").replace(".00", ""));
    let pairs = interactions(&from_fn(1, |s| [s.len() as f64, 0.5]), Index::Shapley, 1).unwrap();
    assert_eq!(format!("{pairs:.1}"), "{0}  [1.0, 0.0]\n{}   [0.5, 0.5]");
}

fn panicking(players: usize) -> impl Game<Value = f64> {
    from_fn(players, |s: &Coalition| -> f64 { panic!("{s} was asked for, though there is no answer") })
}

#[test]
fn orders_that_do_not_exist() {
    for index in INDICES {
        for (players, order) in [(4, 0), (4, 5), (1, 0), (1, 2), (4, usize::MAX)] {
            match interactions(&panicking(players), index, order) {
                Err(Error::Order { order: named, players: of, limit }) => {
                    assert_eq!((named, of, limit), (order, players, players));
                }
                other => panic!("{other:?}"),
            }
        }
        // There are 2^30 sets of 30 players, which do not fit in memory.
        for order in [9, 30, 31] {
            match interactions(&panicking(30), index, order) {
                Err(Error::Order { order: named, players: 30, limit }) => assert!(named == order && limit <= 8),
                other => panic!("{other:?}"),
            }
        }
    }
    let text = said(interactions(&panicking(4), Index::Shapley, 5));
    assert_eq!(text, "interactions of order 5 are out of reach for 4 players: the order must be from 1 to 4");
    let summary = Exact::new().summary(&panicking(4), 0);
    assert!(matches!(summary, Err(Error::Order { order: 0, players: 4, limit: 4 })));
    assert!(matches!(Exact::new().summary(&panicking(30), 30), Err(Error::Order { limit: 8, .. })));
}

#[test]
fn games_that_have_no_exact_answer() {
    for index in INDICES {
        for order in [0, 1, 2] {
            assert!(matches!(interactions(&panicking(0), index, order), Err(Error::NoPlayers {})));
        }
        for players in [31, 62, 63, 64, 1000, usize::MAX] {
            for order in [1, 2, players.min(62)] {
                match interactions(&panicking(players), index, order) {
                    Err(Error::TooManyPlayers { players: named, limit }) => assert_eq!((named, limit), (players, 30)),
                    other => panic!("{other:?}"),
                }
            }
        }
        let limited = Exact::new().max_players(5).interactions(&panicking(6), index, 2);
        assert!(matches!(limited, Err(Error::TooManyPlayers { players: 6, limit: 5 })));
    }
    // However many interactions were asked for.
    let limited = Exact::new().max_players(20).interactions(&panicking(24), Index::Moebius, 24);
    assert!(matches!(limited, Err(Error::TooManyPlayers { players: 24, limit: 20 })));
}

#[test]
fn values_that_are_not_finite() {
    for index in INDICES {
        for bad in [0, 5, 7] {
            let game = table(3, |mask| if mask == bad { f64::NAN } else { 1.0 });
            match interactions(&game, index, 2) {
                Err(Error::NotFinite { coalition }) => assert_eq!(mask_of(&coalition), bad),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn sums_that_do_not_fit() {
    let game = table(4, |mask| if mask.count_ones() % 2 == 0 { 0.9 * f64::MAX } else { -0.9 * f64::MAX });
    for index in INDICES {
        match interactions(&game, index, 3) {
            // Each derivative is a sum of 2^κ values of one sign.
            Err(Error::Overflow { coalition }) => assert!(coalition.len() <= 3),
            other => panic!("{index:?}: {other:?}"),
        }
    }
}
