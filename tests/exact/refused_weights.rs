//! Semivalues that are refused, and games that have none.

use crate::common::compare::close;
use crate::common::said::said;
use shapley::{Coalition, Error, Exact, Semivalue, banzhaf, from_fn};

#[test]
fn parameters_out_of_range() {
    let beta = |alpha, beta| (Semivalue::beta(alpha, beta), "from 1e-100 to 1e100");
    let binomial = |p| (Semivalue::binomial(p), "from 0 to 1");
    let thinned = |p| (Semivalue::thinned(p), "from 0 to 1");
    let by_size = |weights: &[f64]| (Semivalue::by_size(weights.to_vec()), "non-negative and finite");
    let by_chance = |chances: &[f64]| (Semivalue::by_size_distribution(chances.to_vec()), "non-negative and finite");
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for ((result, allowed), value) in [
        (beta(nan, 1.0), nan),
        (beta(1.0, nan), nan),
        (beta(0.0, 1.0), 0.0),
        (beta(1.0, -0.5), -0.5),
        (beta(inf, 1.0), inf),
        (beta(1.0, -inf), -inf),
        (beta(1e101, 1.0), 1e101),
        (beta(1.0, 1e-101), 1e-101),
        (binomial(nan), nan),
        (binomial(-0.1), -0.1),
        (binomial(1.1), 1.1),
        (binomial(inf), inf),
        (thinned(nan), nan),
        (thinned(-1e-300), -1e-300),
        (thinned(1.0 + f64::EPSILON), 1.0 + f64::EPSILON),
        (by_size(&[0.5, -0.25]), -0.25),
        (by_size(&[nan, 0.5]), nan),
        (by_size(&[0.5, inf]), inf),
        // The first of several.
        (by_size(&[-1.0, -2.0]), -1.0),
        (by_chance(&[0.5, -0.25]), -0.25),
        (by_chance(&[nan, 0.5]), nan),
        (by_chance(&[0.5, inf]), inf),
        (by_chance(&[-1.0, -2.0]), -1.0),
    ] {
        match &result {
            Err(Error::WeightParameter { value: named, allowed: range }) => {
                assert_eq!((named.to_bits(), *range), (value.to_bits(), allowed));
            }
            other => panic!("{other:?} for {value}"),
        }
        assert_eq!(said(result), format!("a weight parameter of {value} is not allowed: it must be {allowed}"));
    }
}

#[test]
fn weights_that_do_not_sum_to_one() {
    // C(2, s) is 1, 2, 1.
    for (weights, total) in
        [(vec![1.0, 1.0, 1.0], 4.0), (vec![0.0; 3], 0.0), (vec![0.25, 0.25, 0.25 + 2e-9], 1.0 + 2e-9), (vec![0.9], 0.9)]
    {
        let result = Semivalue::by_size(weights);
        match &result {
            Err(Error::WeightSum { sum }) => assert!(close(*sum, total, 1e-15), "{sum}"),
            other => panic!("{other:?}"),
        }
        assert!(said(result).starts_with(&format!("the weights sum to {total} ")));
    }
    // Rounding is no error.
    assert!(Semivalue::by_size(vec![0.25, 0.25, 0.25 + 5e-10]).is_ok());
    for (chances, total) in [(vec![0.5, 0.25, 0.5], 1.25), (vec![0.0; 100], 0.0), (vec![0.9], 0.9)] {
        let result = Semivalue::by_size_distribution(chances);
        assert!(matches!(result, Err(Error::WeightSum { sum }) if close(sum, total, 1e-15)), "{result:?}");
    }
    // The sum of finite weights need not be finite.
    let result = Semivalue::by_size(vec![f64::MAX; 3]);
    assert!(matches!(result, Err(Error::WeightSum { sum }) if sum.is_infinite()));
    assert!(said(result).contains("sum to inf"));
}

#[test]
fn weights_for_another_number_of_players() {
    let panicking = |players| from_fn(players, |s| -> f64 { panic!("{s} was asked for before the weights were") });
    let two = [Semivalue::by_size(vec![0.5, 0.5]).unwrap(), Semivalue::by_size_distribution(vec![0.5, 0.5]).unwrap()];
    for two in &two {
        for players in [1, 3, 30] {
            let result = Exact::new().semivalue(&panicking(players), two);
            match &result {
                Err(Error::WeightLength { len, players: named }) => assert_eq!((*len, *named), (2, players)),
                other => panic!("{other:?}"),
            }
            let text = said(result);
            assert_eq!(
                text,
                format!("2 weights do not fit a game of {players} player(s), which takes as many as players")
            );
        }
        let summary = Exact::new().summary(&from_fn(3, |s| s.len() as f64), 2).unwrap();
        assert!(matches!(summary.values(two), Err(Error::WeightLength { len: 2, players: 3 })));
        assert!(matches!(Exact::new().semivalue(&panicking(0), two), Err(Error::NoPlayers {})));
    }
}

/// As many weights as a game may have players, and no more.
#[test]
fn numbers_of_weights() {
    const MOST: usize = Coalition::MAX_PLAYERS;
    let alone = |len: usize| (0..len).map(|s| f64::from(u8::from(s == 0))).collect::<Vec<f64>>();
    let spread = |len: usize| vec![1.0 / len as f64; len];
    for len in [1, 62, 63, 1000, 1 << 20, MOST] {
        assert!(Semivalue::by_size(alone(len)).is_ok(), "{len}");
        assert!(Semivalue::by_size_distribution(alone(len)).is_ok(), "{len}");
        assert!(Semivalue::by_size_distribution(spread(len)).is_ok(), "{len}");
    }
    // 1/2^999 is a float, and C(999, 499) is one; C(1999, 999) is none.
    assert!(Semivalue::by_size(vec![0.5_f64.powi(999); 1000]).is_ok());
    assert!(matches!(Semivalue::by_size(vec![1e-9; 2000]), Err(Error::WeightSum { sum }) if sum.is_infinite()));
    for len in [0, MOST + 1] {
        for result in [Semivalue::by_size(vec![0.0; len]), Semivalue::by_size_distribution(vec![0.0; len])] {
            match &result {
                Err(Error::WeightCount { len: named, limit }) => assert_eq!((*named, *limit), (len, MOST)),
                other => panic!("{other:?}"),
            }
            assert!(said(result).starts_with(&format!("{len} weights ")));
        }
    }
    // The exact solver has its own limit.
    let many = Semivalue::by_size_distribution(spread(63)).unwrap();
    let result = Exact::new().max_players(usize::MAX).semivalue(&from_fn(63, |_| 0.0), &many);
    assert!(matches!(result, Err(Error::TooManyPlayers { players: 63, limit: 62 })), "{result:?}");
}

#[test]
fn games_that_have_no_answer() {
    let semivalue = Semivalue::banzhaf();
    let game = |players, value: f64| from_fn(players, move |s| if s.len() == 2 { value } else { 0.0 });
    for (players, limit) in [(31, 30), (63, 30), (1000, 30)] {
        match banzhaf(&game(players, 0.0)) {
            Err(Error::TooManyPlayers { players: named, limit: over }) => assert_eq!((named, over), (players, limit)),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(banzhaf(&game(0, 0.0)), Err(Error::NoPlayers {})));
    match Exact::new().semivalue(&game(3, f64::NAN), &semivalue) {
        Err(Error::NotFinite { coalition }) => assert_eq!(coalition.to_string(), "{0, 1}"),
        other => panic!("{other:?}"),
    }
    match banzhaf(&game(3, f64::MAX)) {
        Err(Error::Overflow { coalition }) => assert_eq!(coalition.len(), 1),
        other => panic!("{other:?}"),
    }
}
