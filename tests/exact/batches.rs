//! Games that answer many coalitions at once, and what happens when the answers are not what was asked for.

use crate::common::bad_batches::BadBatches;
use crate::common::failing::Failure;
use crate::common::masks::mask_of;
use crate::common::said::said;
use shapley::{Coalition, Error, Exact, Game, exact};

const THREADS: [usize; 3] = [1, 2, 4];

/// As many players as give many batches.
const MANY: usize = 14;

#[test]
fn batches_of_the_wrong_length() {
    for (answer, got) in [(0, 0), (7, 7), (9, 9), (100, 100)] {
        let game = BadBatches(3, |_: &[Coalition], values: &mut Vec<f64>| {
            values.extend(vec![0.0; answer]);
            Ok(())
        });
        match Exact::new().batch(8).solve(&game) {
            Err(Error::BatchLength { asked, got: named }) => assert_eq!((asked, named), (8, got)),
            other => panic!("{other:?}"),
        }
        let text = said(Exact::new().batch(8).solve(&game));
        assert_eq!(text, format!("a batch of 8 coalitions came back with {got} values"));
    }
}

#[test]
fn one_bad_batch_among_many_good_ones() {
    for bad in [0, 4095, 8191] {
        let game = BadBatches(MANY, |coalitions: &[Coalition], values: &mut Vec<f64>| {
            values.extend(coalitions.iter().map(|s| s.len() as f64));
            if coalitions.iter().any(|s| mask_of(s) == bad) {
                values.push(0.0);
            }
            Ok(())
        });
        for threads in THREADS {
            match Exact::new().threads(threads).batch(16).solve(&game) {
                Err(Error::BatchLength { asked: 16, got: 17 }) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_batch_that_throws_away_what_was_there() {
    // The values of earlier batches stand in the vector, and "append" is not "replace".
    let game = BadBatches(MANY, |coalitions: &[Coalition], values: &mut Vec<f64>| {
        values.clear();
        values.extend(coalitions.iter().map(|s| s.len() as f64));
        Ok(())
    });
    match Exact::new().threads(1).batch(2).solve(&game) {
        Err(Error::BatchLength { asked: 2, got: 0 }) => {}
        // Where every batch gets an empty vector there is nothing to throw away, and the answer is right.
        Ok(phi) => assert!(phi.iter().all(|value| (value - 1.0).abs() < 1e-12)),
        other => panic!("{other:?}"),
    }
    let empty = BadBatches(MANY, |_: &[Coalition], values: &mut Vec<f64>| {
        values.clear();
        Ok(())
    });
    assert!(matches!(Exact::new().batch(2).solve(&empty), Err(Error::BatchLength { asked: 2, got: 0 })));
}

#[test]
fn a_failing_batch_names_the_first_coalition_without_a_value() {
    for (answered, named) in [(0, 0), (5, 5), (7, 7)] {
        let game = BadBatches(3, |coalitions: &[Coalition], values: &mut Vec<f64>| {
            values.extend(coalitions[..answered].iter().map(|s| s.len() as f64));
            Err(Failure(99))
        });
        match Exact::new().batch(8).solve(&game) {
            Err(Error::Game { coalition, source: Failure(99) }) => assert_eq!(mask_of(&coalition), named),
            other => panic!("{other:?}"),
        }
    }
    // More answers than questions, or fewer than before, and a failure: whom it names is open, that it is one is not.
    for surplus in [true, false] {
        let game = BadBatches(MANY, |_: &[Coalition], values: &mut Vec<f64>| {
            if surplus {
                values.extend([0.0; 9])
            } else {
                values.clear()
            }
            Err(Failure(99))
        });
        assert!(matches!(Exact::new().batch(2).solve(&game), Err(Error::Game { source: Failure(99), .. })));
    }
}

#[test]
fn a_tabulated_game_of_the_wrong_length() {
    struct Short(Vec<f64>);
    impl Game for Short {
        type Value = f64;

        fn num_players(&self) -> usize {
            3
        }

        fn value(&self, coalition: &Coalition) -> f64 {
            self.0[coalition.len()]
        }

        fn tabulated(&self) -> Option<&[f64]> {
            Some(&self.0)
        }
    }
    for got in [0, 4, 7, 9, 16] {
        match exact(&Short(vec![0.0; got])) {
            Err(Error::BatchLength { asked: 8, got: named }) => assert_eq!(named, got),
            other => panic!("{other:?}"),
        }
    }
}
