//! Sums of unanimity games: closed forms against the exact solver, as fractions too; sparse forms of hundreds of
//! players.

use crate::common::every_index::INDICES;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use shapley::games::{GameError, Unanimity};
use shapley::{Coalition, Error, Exact, Game, Index, Table, banzhaf, exact, interactions};

/// Some terms of n players: of any sizes, the empty set's among them, some twice.
fn terms(n: usize, count: usize, seed: u64) -> Vec<(Vec<usize>, i64)> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut term = || {
        let mask = generator.next_u64();
        let amount = (generator.next_u64() % 41) as i64 - 20;
        ((0..n).filter(|player| mask >> player & 1 == 1).collect(), amount)
    };
    let mut terms: Vec<_> = (0..count).map(|_| term()).collect();
    terms.push((vec![], 3));
    terms.push(terms[0].clone());
    terms
}

fn game(n: usize, count: usize, seed: u64) -> Unanimity<f64> {
    Unanimity::new(n, terms(n, count, seed).into_iter().map(|(set, amount)| (set, amount as f64))).unwrap()
}

#[test]
fn values_and_interactions_are_those_of_the_exact_solver() {
    for (n, count) in [(1, 1), (2, 3), (3, 5), (5, 9), (7, 30), (8, 100)] {
        for seed in 0..2 {
            let game = game(n, count, seed);
            let pairs = [(game.shapley(), exact(&game).unwrap()), (game.banzhaf(), banzhaf(&game).unwrap())];
            for (closed, solved) in &pairs {
                assert_eq!((closed.evaluations(), closed.len()), (0, n));
                assert!((closed.grand() - solved.grand()).abs() <= 1e-10);
                assert!((closed.baseline() - solved.baseline()).abs() <= 1e-10);
                for (closed, solved) in closed.iter().zip(solved) {
                    assert!((closed - solved).abs() <= 1e-10, "{closed} and {solved}");
                }
            }
            for index in INDICES {
                for order in 1..=n {
                    let closed = game.interactions(index, order).unwrap();
                    let solved = interactions(&game, index, order).unwrap();
                    assert_eq!((closed.index(), closed.order(), closed.len()), (index, order, solved.len()));
                    for ((set, closed), (same, solved)) in closed.iter().zip(solved.iter()) {
                        assert_eq!(set, same);
                        assert!(
                            (closed - solved).abs() <= 1e-8,
                            "{index:?} of order {order}, {set}: {closed} and {solved}"
                        );
                    }
                }
            }
        }
    }
}

#[cfg(feature = "rational")]
#[test]
fn in_fractions_they_are_the_same() {
    use num_rational::BigRational;

    let whole = |amount: i64| BigRational::from_integer(amount.into());
    for (n, count) in [(1, 1), (3, 5), (6, 40)] {
        let terms = terms(n, count, 7).into_iter().map(|(set, amount)| (set, whole(amount)));
        let game = Unanimity::new(n, terms).unwrap();
        assert_eq!(game.shapley().values(), exact(&game).unwrap().values());
        assert_eq!(game.banzhaf().values(), banzhaf(&game).unwrap().values());
        for index in INDICES {
            for order in 1..=n {
                let closed = game.interactions(index, order).unwrap();
                assert_eq!(closed, interactions(&game, index, order).unwrap(), "{index:?} of order {order}");
            }
        }
    }
}

#[test]
fn every_game_is_one_of_these() {
    let mut generator = ChaCha8Rng::seed_from_u64(3);
    let table = Table::new((0..64).map(|_| (generator.next_u64() % 100) as f64).collect()).unwrap();
    let moebius = interactions(&table, Index::Moebius, 6).unwrap();
    let game = Unanimity::new(6, moebius.iter().map(|(set, amount)| (set, *amount))).unwrap();
    for mask in 0..64 {
        let coalition = Coalition::from_mask(6, mask);
        assert!((game.value(&coalition) - table.value(&coalition)).abs() <= 1e-9);
    }
    assert!(game.terms().len() <= 64);
}

#[test]
fn hundreds_of_players() {
    let n = 200;
    let sets: [&[usize]; 3] = [&[199, 0], &[7], &[1, 2, 3, 4]];
    let mut terms: Vec<(Vec<usize>, f64)> = sets.iter().map(|set| (set.to_vec(), 6.0)).collect();
    terms.push(((0..n).collect(), 200.0));
    let game = Unanimity::new(n, terms).unwrap();
    let phi = game.shapley();
    let expected = |player: usize| match player {
        0 | 199 => 4.0,
        7 => 7.0,
        1..=4 => 2.5,
        _ => 1.0,
    };
    for (player, value) in phi.iter().enumerate() {
        assert!((value - expected(player)).abs() <= 1e-13, "{player}: {value}");
    }
    let beta = game.banzhaf();
    assert!((beta[0] - 3.0).abs() <= 1e-14 && (beta[100] - 200.0 * 0.5_f64.powi(199)).abs() <= 1e-70);
    let pairs = game.interactions(Index::Shapley, 2).unwrap();
    assert!((pairs.get(&[0, 199]).unwrap() - (6.0 + 200.0 / 199.0)).abs() <= 1e-12);
    assert!((pairs.get(&[10, 11]).unwrap() - 200.0 / 199.0).abs() <= 1e-12);
    assert!((pairs.get(&[1, 2]).unwrap() - (2.0 + 200.0 / 199.0)).abs() <= 1e-12);
    for index in INDICES {
        let pairs = game.interactions(index, 2).unwrap();
        assert_eq!(pairs.len(), 1 + 200 + 200 * 199 / 2);
    }
    let mut values = Vec::new();
    game.walk(&(0..n).rev().collect::<Vec<_>>(), &mut values);
    assert_eq!((values[0], values[192], values[n - 2], values[n - 1]), (0.0, 6.0, 12.0, 218.0));
}

#[test]
fn walks_are_those_of_prefixes() {
    let game = game(7, 40, 1);
    for order in [vec![3, 1, 4, 0, 5, 2, 6], vec![6, 5], vec![]] {
        let mut values = vec![-7.0];
        game.walk(&order, &mut values);
        assert_eq!(values.len(), order.len() + 1);
        for (k, value) in values[1..].iter().enumerate() {
            let prefix = Coalition::from_players(7, order[..=k].iter().copied());
            assert!((value - game.value(&prefix)).abs() <= 1e-12);
        }
    }
}

#[test]
fn sets_come_as_anything_that_has_players() {
    let expected = Unanimity::new(4, [(vec![0, 2], 1.5)]).unwrap();
    let set = Coalition::from_players(4, [2, 0]);
    assert_eq!(Unanimity::new(4, [([2, 0], 1.5)]).unwrap(), expected);
    assert_eq!(Unanimity::new(4, [(&[2_usize, 0, 2][..], 1.5)]).unwrap(), expected);
    assert_eq!(Unanimity::new(4, [(&set, 1.5)]).unwrap(), expected);
    assert_eq!(Unanimity::new(4, vec![(set, 1.0), (Coalition::from_players(4, [0, 2]), 0.5)]).unwrap(), expected);
}

#[test]
fn what_is_no_term_is_an_error() {
    let none: [(Vec<usize>, f64); 0] = [];
    assert_eq!(Unanimity::new(3, none).unwrap_err(), GameError::NoTerms {});
    assert_eq!(Unanimity::new(0, [(Vec::<usize>::new(), 1.0)]).unwrap_err(), GameError::NoPlayers {});
    let error = Unanimity::new(3, [(vec![0], 1.0), (vec![1, 3], 1.0)]).unwrap_err();
    assert_eq!(error.to_string(), "term 1 names player 3, and there are 3");
    for bad in [f64::NAN, f64::INFINITY] {
        assert_eq!(Unanimity::new(3, [(vec![0], bad)]).unwrap_err(), GameError::Amount { index: 0 });
    }
    let huge = Unanimity::new(3, [(vec![0], f64::MAX), (vec![1], -f64::MAX)]);
    assert_eq!(huge.unwrap_err(), GameError::Amount { index: 1 });
    let game = game(5, 4, 1);
    for order in [0, 6, usize::MAX] {
        match game.interactions(Index::Shapley, order) {
            Err(Error::Order { order: told, players: 5, limit: 5 }) => assert_eq!(told, order),
            other => panic!("{other:?}"),
        }
    }
    let large = Unanimity::new(10_000, [(0..10_000, 1.0)]).unwrap();
    // The pairs of so many players would take 63 GB.
    assert!(matches!(large.interactions(Index::Banzhaf, 2), Err(Error::Order { order: 2, limit: 1, .. })));
    assert!(matches!(large.interactions(Index::Banzhaf, 3), Err(Error::Order { order: 3, limit: 1, .. })));
    let same = Exact::new().max_players(5).solve(&game).unwrap();
    assert_eq!(same.len(), 5);
}

#[test]
fn amounts_that_do_not_fit_their_type_together_are_refused() {
    let twice = |sets: [Vec<usize>; 2]| Unanimity::new(2, sets.map(|set| (set, 3e38_f32)));
    assert_eq!(twice([vec![0], vec![0]]), Err(GameError::Amount { index: 1 }));
    assert_eq!(twice([vec![0], vec![1]]), Err(GameError::Amount { index: 1 }));
    let one = Unanimity::new(2, [(vec![0, 1], 3e38_f32)]).unwrap();
    assert_eq!(one.shapley().values(), [1.5e38; 2]);
}

#[cfg(feature = "rational")]
#[test]
fn fractions_are_as_large_as_their_integers() {
    use num_bigint::BigInt;
    use num_rational::Ratio;
    let large = Ratio::from_integer(BigInt::from(10).pow(400));
    let game = Unanimity::new(2, [(vec![0, 1], large.clone())]).unwrap();
    assert_eq!(game.shapley().values(), exact(&game).unwrap().values());
    assert_eq!(game.shapley()[0], large / BigInt::from(2));

    // 2^-69 is no fraction of 64-bit integers: that is said, not returned.
    let small = Unanimity::new(70, [((0..70).collect::<Vec<_>>(), Ratio::from_integer(1_i64))]).unwrap();
    assert_eq!(small.shapley()[0], Ratio::new(1, 70));
    assert!(std::panic::catch_unwind(|| small.banzhaf()).is_err());
}
