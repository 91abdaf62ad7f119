//! Games made of games: against tables made by hand; batches, walks and failures go through them.

use crate::common::failing::Failure;
use crate::common::masks::mask_of;
use crate::common::rough::rough;
use shapley::games::{Airport, Counted, Dual, GameError, Restricted, Scaled, Sum, WeightedVoting};
use shapley::{Coalition, Error, Exact, Permutation, Table, TryGame, banzhaf, exact, from_fn, try_from_fn};

fn set(n: usize, mask: u64) -> Coalition {
    Coalition::from_mask(n, mask)
}

fn game(seed: u64) -> Table<f64> {
    let values = (0..64).map(|mask| rough(seed, &set(6, mask))).collect();
    Table::new(values).unwrap()
}

/// A game's values one by one, in a batch and along a walk are those of a table, to the bit.
#[track_caller]
fn assert_is<G: TryGame<Value = f64>>(game: &G, value: impl Fn(u64) -> f64) {
    let n = game.num_players();
    let all: Vec<Coalition> = (0..1 << n).map(|mask| set(n, mask)).collect();
    let mut batch = vec![-7.0];
    game.try_values(&all, &mut batch).unwrap();
    assert_eq!(batch.len(), 1 + all.len());
    for (mask, found) in (0..).zip(&batch[1..]) {
        let expected = value(mask).to_bits();
        assert_eq!((found.to_bits(), game.try_value(&set(n, mask)).unwrap().to_bits()), (expected, expected));
    }
    let order: Vec<usize> = (0..n).rev().collect();
    let mut walk = vec![-7.0];
    game.try_walk(&order, &mut walk).unwrap();
    let mut mask = 0;
    for (player, found) in order.iter().zip(&walk[1..]) {
        mask |= 1 << player;
        assert_eq!(found.to_bits(), value(mask).to_bits());
    }
    game.try_values(&[], &mut batch).unwrap();
    game.try_walk(&[], &mut walk).unwrap();
    assert_eq!((batch.len(), walk.len()), (1 + all.len(), 1 + n));
}

#[test]
fn each_is_what_its_formula_says() {
    let (v, w) = (|mask| rough(1, &set(6, mask)), |mask| rough(2, &set(6, mask)));
    assert_is(&Sum::new(game(1), game(2)).unwrap(), |mask| v(mask) + w(mask));
    assert_is(&Dual::new(game(1)), |mask| v(63) - v(63 & !mask));
    assert_is(&Scaled::new(game(1), -3, 4).unwrap(), |mask| v(mask) * -3.0 / 4.0);
    assert_is(&Counted::new(game(1)), v);
    let there = |mask: u64| [4, 0, 5].iter().enumerate().filter(|(k, _)| mask >> k & 1 == 1).map(|(_, p)| 1 << p).sum();
    assert_is(&Restricted::new(game(1), [4, 0, 5]).unwrap(), |mask| v(there(mask)));
    assert_eq!(Restricted::new(game(1), [4, 0, 5]).unwrap().players(), [4, 0, 5]);
}

#[test]
fn values_follow_the_laws() {
    let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-9 * a.abs().max(1.0));
    let (phi, psi) = (exact(&game(1)).unwrap(), exact(&game(2)).unwrap());
    let sum: Vec<f64> = phi.iter().zip(&psi).map(|(a, b)| a + b).collect();
    assert!(close(exact(&Sum::new(game(1), game(2)).unwrap()).unwrap().values(), &sum));
    assert!(close(exact(&Dual::new(game(1))).unwrap().values(), phi.values()));
    assert!(close(banzhaf(&Dual::new(game(1))).unwrap().values(), banzhaf(&game(1)).unwrap().values()));
    let vote = WeightedVoting::new(5, [4, 2, 1, 1]).unwrap();
    assert!(close(exact(&Dual::new(vote.clone())).unwrap().values(), vote.shapley_shubik().values()));
    // Who stays shares a runway as if the others had never been there.
    let runway = Airport::new([5.0, 1.0, 9.0, 2.0]).unwrap();
    let rest = Airport::new([2.0, 5.0]).unwrap().shapley();
    assert!(close(exact(&Restricted::new(runway, vec![3, 0]).unwrap()).unwrap().values(), rest.values()));
}

#[test]
fn evaluations_are_counted_however_they_are_asked() {
    let counted = Counted::new(from_fn(6, |s| s.len() as f64));
    counted.try_value(&set(6, 1)).unwrap();
    counted.try_values(&[set(6, 1), set(6, 2)], &mut Vec::new()).unwrap();
    counted.try_walk(&[1, 2, 3], &mut Vec::new()).unwrap();
    assert_eq!(counted.evaluations(), 6);
    counted.game().try_value(&set(6, 1)).unwrap();
    assert_eq!(counted.evaluations(), 6);
    let phi = Exact::new().threads(4).solve(&counted).unwrap();
    assert_eq!((counted.evaluations(), phi.evaluations()), (6 + 64, 64));
    // Of a table too.
    let table = Counted::new(game(1));
    let _ = exact(&table).unwrap();
    assert_eq!(table.evaluations(), 64);
    let sampled = Counted::new(game(1));
    let estimate = Permutation::new(500).threads(2).estimate(&sampled).unwrap();
    assert_eq!(sampled.evaluations(), estimate.evaluations());
    // The dual asks for one more.
    let dual = Dual::new(Counted::new(game(1)));
    let _ = Exact::new().threads(1).batch(8).solve(&dual).unwrap();
    let inner = Counted::new(game(1));
    let dual = Dual::new(inner.by_ref());
    let _ = Exact::new().threads(1).batch(8).solve(&dual).unwrap();
    assert_eq!(inner.evaluations(), 65);
}

#[test]
fn failures_come_through_with_the_coalition_and_the_values_before() {
    let fails_at =
        |bad: u64| try_from_fn(4, move |s| if mask_of(s) == bad { Err(Failure(bad)) } else { Ok(mask_of(s) as f64) });
    let all: Vec<Coalition> = (0..16).map(|mask| set(4, mask)).collect();
    #[track_caller]
    fn assert_fails(
        game: &impl TryGame<Value = f64, Error = Failure>,
        all: &[Coalition],
        failure: u64,
        before: &[f64],
    ) {
        let mut values = vec![-7.0];
        assert_eq!(game.try_values(all, &mut values), Err(Failure(failure)));
        assert_eq!(values[1..], *before);
    }
    assert_fails(&Counted::new(fails_at(2)), &all, 2, &[0.0, 1.0]);
    assert_fails(&Scaled::new(fails_at(2), 1, 2).unwrap(), &all, 2, &[0.0, 0.5]);
    assert_fails(&Dual::new(fails_at(13)), &all, 13, &[0.0, 1.0]);
    assert_fails(&Sum::new(fails_at(2), fails_at(5)).unwrap(), &all, 2, &[0.0, 2.0]);
    assert_fails(&Sum::new(fails_at(5), fails_at(2)).unwrap(), &all, 2, &[0.0, 2.0]);
    assert_fails(&Sum::new(fails_at(99), fails_at(2)).unwrap(), &all, 2, &[0.0, 2.0]);
    assert_fails(&Sum::new(fails_at(2), fails_at(99)).unwrap(), &all, 2, &[0.0, 2.0]);
    assert_fails(&Dual::new(fails_at(15)), &all, 15, &[]);
    let restricted = Restricted::new(fails_at(8), [3, 1]).unwrap();
    match exact(&restricted) {
        Err(Error::Game { coalition, source: Failure(8) }) => assert_eq!(mask_of(&coalition), 1),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    assert_eq!(Restricted::new(game(1), []).unwrap_err(), GameError::NoPlayers {});
    assert_eq!(Restricted::new(game(1), [1, 1]).unwrap_err().to_string(), "player 1 is named twice");
    assert_eq!(Restricted::new(game(1), [1, 6]).unwrap_err().to_string(), "place 1 names player 6, and there are 6");
    let other = from_fn(5, |s| s.len() as f64);
    assert_eq!(Sum::new(game(1), other).unwrap_err().to_string(), "players of the second game: 5 instead of 6");
    for denominator in [0, -2] {
        let error = Scaled::new(game(1), 1, denominator).unwrap_err();
        assert_eq!(error.to_string(), format!("denominator 0 cannot be {denominator}: it must be positive"));
    }
}
