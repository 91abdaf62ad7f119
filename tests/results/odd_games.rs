//! Games and settings at the edges: values too large for a stack, counts beyond all reason, games that change their
//! mind.

use std::sync::atomic::{AtomicUsize, Ordering};

use shapley::{Coalition, Error, Exact, Game, Index, Semivalue, Table, exact, from_fn, interactions};

/// A classifier with thousands of classes: more than a worker's stack has room for, a few dozen at a time.
#[test]
fn values_of_many_outputs() {
    const CLASSES: usize = 4096;
    for n in [1, 5, 9, 11] {
        let game = from_fn(n, |s| std::array::from_fn::<f64, CLASSES, _>(|class| (s.len() * class) as f64));
        for threads in [1, 2] {
            let phi = Exact::new().threads(threads).solve(&game).unwrap();
            assert!(phi.iter().flat_map(|values| values.iter().enumerate()).all(|(class, value)| {
                // Whole numbers, so each sum is exact, and the mean is rounded once.
                (value - class as f64).abs() <= class as f64 * f64::EPSILON
            }));
        }
    }
    let game = from_fn(9, |s| [s.len() as f64; CLASSES]);
    let pairs = interactions(&game, Index::Shapley, 2).unwrap();
    assert!(pairs.get(&[3, 8]).unwrap().iter().all(|value| value.abs() < f64::EPSILON));
}

#[test]
fn counts_beyond_all_reason() {
    let game = from_fn(8, |s| s.len() as f64);
    let phi = exact(&game).unwrap();
    assert_eq!(Exact::new().batch(usize::MAX).max_players(usize::MAX).solve(&game).unwrap(), phi);
    // As many threads as there are batches, however many are asked for.
    assert_eq!(Exact::new().threads(usize::MAX).solve(&from_fn(3, |s| s.len() as f64)).unwrap().values(), [1.0; 3]);
    let huge = Exact::new().max_players(usize::MAX).solve(&from_fn(63, |_| -> f64 { panic!("asked") }));
    assert!(matches!(huge, Err(Error::TooManyPlayers { players: 63, limit: 62 })));
}

/// Says 3 players the first time it is asked, and 5 from then on.
struct ChangesItsMind(AtomicUsize);

impl Game for ChangesItsMind {
    type Value = f64;

    fn num_players(&self) -> usize {
        if self.0.fetch_add(1, Ordering::Relaxed) == 0 { 3 } else { 5 }
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        coalition.len() as f64
    }
}

#[test]
fn a_game_that_changes_its_mind_is_taken_at_its_first_word() {
    let game = || ChangesItsMind(AtomicUsize::new(0));
    assert_eq!(exact(&game()).unwrap().values(), [1.0; 3]);
    let table = Table::tabulate(&game()).unwrap();
    assert_eq!((table.num_players(), table.values().len()), (3, 8));
}

/// A minus sign before a zero weight is no weight, and hangs nothing.
#[test]
fn negative_zeros_are_zeros() {
    let game = from_fn(2, |s| [0.0, 1.0, 3.0][s.len()]);
    for (semivalue, expected) in [
        (Semivalue::binomial(-0.0).unwrap(), 1.0),
        (Semivalue::by_size(vec![1.0, -0.0]).unwrap(), 1.0),
        (Semivalue::by_size(vec![-0.0, 1.0]).unwrap(), 2.0),
    ] {
        assert_eq!(Exact::new().semivalue(&game, &semivalue).unwrap().values(), [expected; 2]);
    }
}

/// Weights that are floats do not lose values that are near the smallest of their type.
#[test]
fn small_values_keep_their_digits() {
    let weights = [Semivalue::binomial(0.3).unwrap(), Semivalue::beta(1.5, 2.5).unwrap()];
    for semivalue in &weights {
        // Of an additive game, every semivalue gives each player its own.
        let tiny = from_fn(4, |s| s.len() as f64 * 1e-300);
        let phi = Exact::new().semivalue(&tiny, semivalue).unwrap();
        assert!(phi.iter().all(|value| (value / 1e-300 - 1.0).abs() < 1e-14), "{phi}");
        let tiny = from_fn(4, |s| s.len() as f32 * 1e-30);
        let phi = Exact::new().semivalue(&tiny, semivalue).unwrap();
        assert!(phi.iter().all(|value| (value / 1e-30 - 1.0).abs() < 1e-6), "{phi}");
    }
}

#[cfg(feature = "rational")]
mod rational {
    use num_bigint::BigInt;
    use num_rational::{BigRational, Ratio};

    use super::*;

    #[test]
    fn whole_parameters_give_exact_weights() {
        let whole = |n: usize| BigRational::from_integer(BigInt::from(n));
        let game = from_fn(3, |s| whole(s.len()));
        for semivalue in [Semivalue::beta(1.0, 1.0), Semivalue::beta(4.0, 1.0), Semivalue::binomial(0.5)] {
            let phi = Exact::new().semivalue(&game, &semivalue.unwrap()).unwrap();
            assert!(phi.iter().all(|value| *value == whole(1)), "{phi}");
        }
        let votes = [3, 2, 1, 1];
        let game = from_fn(4, |s| whole(usize::from(s.iter().map(|i| votes[i]).sum::<i32>() >= 4)));
        let phi = Exact::new().semivalue(&game, &Semivalue::beta(4.0, 1.0).unwrap()).unwrap();
        let by_hand = |numerator: i64, denominator: i64| BigRational::new(numerator.into(), denominator.into());
        // p(s) = B(s+1, 7−s) / B(4, 1) = 4 s! (6−s)! / 7!. Player 3 swings {0} and {1, 2}: p(1) + p(2).
        assert_eq!(phi[3], by_hand(2, 21) + by_hand(4, 105));
    }

    #[test]
    fn simple_weights_fit_narrow_integers() {
        let game = from_fn(3, |s| Ratio::from_integer(s.len() as i32));
        for semivalue in [Semivalue::by_size(vec![0.0, 0.0, 1.0]), Semivalue::binomial(1.0)] {
            let phi = Exact::new().semivalue(&game, &semivalue.unwrap()).unwrap();
            assert!(phi.iter().all(|value| *value == Ratio::from_integer(1)), "{phi}");
        }
    }
}

#[cfg(feature = "parallel")]
mod parallel {
    use std::ops::ControlFlow;

    use rayon::prelude::*;
    use shapley::Progress;

    use super::*;

    /// An observer that waits for rayon, which may have the waiting thread do more of the solver's work.
    #[test]
    fn observers_may_wait_for_rayon() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(8).build().unwrap();
        let game = from_fn(10, |s| s.len() as f64);
        for _ in 0..30 {
            let last = AtomicUsize::new(0);
            let wait = |progress: &Progress| {
                let _: usize = (0..200_usize).into_par_iter().sum();
                last.store(progress.evaluations as usize, Ordering::Relaxed);
                ControlFlow::Continue(())
            };
            let phi = pool.install(|| Exact::new().batch(1).observe(wait).solve(&game)).unwrap();
            assert_eq!(last.load(Ordering::Relaxed), 1 << 10);
            assert_eq!(phi.values(), [1.0; 10]);
        }
    }
}
