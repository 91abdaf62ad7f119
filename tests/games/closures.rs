//! Games of closures that value many coalitions at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::common::masks::{mask_of, pseudo};
use shapley::games::{Counted, Dual, Restricted, Scaled, Sum};
use shapley::{
    Cached, Coalition, Error, Exact, Game, Permutation, TryGame, exact, from_batch_fn, from_fn, try_from_batch_fn,
    try_from_fn,
};

fn value(coalition: &Coalition) -> f64 {
    pseudo(6, mask_of(coalition))
}

fn values(coalitions: &[Coalition]) -> Vec<f64> {
    coalitions.iter().map(value).collect()
}

#[derive(Debug, thiserror::Error)]
#[error("no model")]
struct NoModel;

/// The same bits as coalition by coalition, from exact solvers and samplers, cached too.
#[test]
fn batches_change_no_result() -> Result<(), Box<dyn std::error::Error>> {
    let single = from_fn(9, value);
    let batch = from_batch_fn(9, values);
    let can_fail = try_from_batch_fn(9, |coalitions| Ok::<_, NoModel>(values(coalitions)));
    let phi = exact(&single)?;
    assert_eq!(exact(&batch)?, phi);
    assert_eq!(exact(&can_fail)?, phi);
    assert_eq!(exact(&Cached::new(&batch))?, phi);
    for sampler in [Permutation::new(500), Permutation::new(500).truncate(0.1), Permutation::new(500).batch(20)] {
        let estimate = sampler.estimate(&single)?;
        assert_eq!(sampler.estimate(&batch)?, estimate);
        assert_eq!(sampler.estimate(&can_fail)?, estimate);
        assert_eq!(sampler.estimate(&Cached::new(&batch))?, estimate);
        assert_eq!(sampler.estimate(&Cached::new(can_fail.by_ref()))?, estimate);
    }
    #[cfg(feature = "surrogate")]
    {
        let solver = shapley::Surrogate::new(100);
        assert_eq!(solver.estimate(&batch)?, solver.estimate(&single)?);
    }
    Ok(())
}

#[test]
fn single_values_and_walks() {
    let batch = from_batch_fn(9, values);
    let can_fail = try_from_batch_fn(9, |coalitions| Ok::<_, NoModel>(values(coalitions)));
    let order = [4, 8, 0, 1];
    let mut wanted = vec![7.0];
    from_fn(9, value).walk(&order, &mut wanted);
    let (mut walked, mut tried) = (vec![7.0], vec![7.0]);
    batch.walk(&order, &mut walked);
    can_fail.try_walk(&order, &mut tried).expect("a model");
    assert_eq!((&walked, &tried), (&wanted, &wanted));

    let coalition = Coalition::from_players(9, [2, 3]);
    assert_eq!(batch.value(&coalition).to_bits(), value(&coalition).to_bits());
    assert_eq!(can_fail.try_value(&coalition).expect("a model").to_bits(), value(&coalition).to_bits());
}

/// The closure is called once for a batch of the exact solver, and for a walk of a sampler.
#[test]
fn calls_are_few() -> Result<(), Error> {
    let calls = Mutex::new(Vec::new());
    let game = from_batch_fn(10, |coalitions| {
        calls.lock().expect("no panic").push(coalitions.len());
        values(coalitions)
    });
    let taken = || std::mem::take(&mut *calls.lock().expect("no panic"));
    let _ = Exact::new().threads(1).batch(128).solve(&game)?;
    assert_eq!(taken(), [128; 8]);
    let estimate = Permutation::new(200).threads(1).estimate(&game)?;
    let asked = taken();
    assert!(asked.len() as u64 <= estimate.permutations() + 2, "{asked:?}");
    assert_eq!(asked.iter().sum::<usize>() as u64, estimate.evaluations());
    let _ = Permutation::new(200).threads(1).batch(90).estimate(&game)?;
    assert!(taken().len() <= 2 + 200 / 90 + 1);
    Ok(())
}

/// None, one less, one more, or twice the number; always, or only for batches that have one coalition.
#[test]
fn another_number_of_values_is_an_error() {
    let odd: [fn(usize) -> usize; 4] = [|_| 0, |asked| asked - 1, |asked| asked + 1, |asked| 2 * asked];
    for odd in odd {
        let answer = move |coalitions: &[Coalition]| vec![1.0; odd(coalitions.len())];
        let bad = from_batch_fn(5, answer);
        let can_fail = try_from_batch_fn(5, move |coalitions| Ok::<_, NoModel>(answer(coalitions)));
        match Exact::new().batch(8).solve(&bad) {
            Err(Error::BatchLength { asked: 8, got }) => assert_eq!(got, odd(8)),
            other => panic!("{other:?}"),
        }
        fn refused<T: std::fmt::Debug, E: std::fmt::Debug>(result: Result<T, Error<E>>) {
            assert!(matches!(result, Err(Error::BatchLength { .. })), "{result:?}");
        }
        refused(exact(&can_fail));
        refused(exact(&Cached::new(&bad)));
        refused(exact(&Dual::new(&bad)));
        refused(exact(&Restricted::new(&bad, [0, 1, 2]).expect("players")));
        refused(exact(&Scaled::new(&bad, 1, 2).expect("a ratio")));
        refused(exact(&Counted::new(&bad)));
        refused(exact(&Sum::new(&bad, &bad).expect("as many players")));
        for sampler in [Permutation::new(200), Permutation::new(200).truncate(0.1), Permutation::new(200).batch(7)] {
            refused(sampler.estimate(&bad));
            refused(sampler.estimate(&can_fail));
            refused(sampler.estimate(&Cached::new(&bad)));
        }
        #[cfg(feature = "surrogate")]
        {
            refused(shapley::Surrogate::new(30).estimate(&bad));
            refused(shapley::KernelShap::new(30).estimate(&can_fail));
        }
    }
}

/// v(∅) and v(N) are right, and what comes of walks is not.
#[test]
fn a_walk_of_the_wrong_length_is_an_error() {
    for odd in [0, 1, 3, 5, 9] {
        let bad = from_batch_fn(5, move |coalitions| match coalitions {
            [end] if end.is_empty() || end.is_grand() => vec![1.0],
            [_, _] if coalitions[1].is_grand() => vec![1.0; 2],
            _ => vec![1.0; odd],
        });
        match Permutation::new(200).threads(1).estimate(&bad) {
            Err(Error::BatchLength { asked: 4, got }) => assert_eq!(got, odd),
            other => panic!("{other:?}"),
        }
    }
    // An order of 5000 players is two batches: the number of values of both together is right, and nothing comes of it.
    let many = from_batch_fn(5000, |coalitions| match coalitions.len() {
        asked @ ..=2 => vec![0.0; asked],
        _ => vec![0.0; if coalitions[0].len() == 1 { 4999 } else { 0 }],
    });
    assert!(matches!(Permutation::new(20_000).threads(1).estimate(&many), Err(Error::BatchLength { .. })));
}

#[test]
fn a_batch_fails_as_a_whole() {
    let calls = AtomicUsize::new(0);
    let game = try_from_batch_fn(4, |coalitions| {
        calls.fetch_add(1, Relaxed);
        if coalitions.iter().any(|s| mask_of(s) == 6) { Err(NoModel) } else { Ok(values(coalitions)) }
    });
    match Exact::new().threads(1).batch(4).solve(&game) {
        Err(Error::Game { coalition, source: NoModel }) => assert_eq!(mask_of(&coalition), 4),
        other => panic!("{other:?}"),
    }
    assert_eq!(calls.load(Relaxed), 2);
    assert!(matches!(Permutation::new(100).estimate(&game), Err(Error::Game { .. })));
    assert!(matches!(exact(&Cached::new(game.by_ref())), Err(Error::Game { .. })));
}

/// `value` has no other way to say so.
#[test]
#[should_panic(expected = "a batch of 1 coalition came back with 0 values")]
fn a_single_value_that_is_missing_is_a_panic_for_who_asks_for_it() {
    let _ = from_batch_fn::<f64>(3, |_| Vec::new()).value(&Coalition::empty(3));
}

#[test]
fn closures_are_shown_by_their_players() {
    for text in [
        format!("{:?}", from_fn(3, value)),
        format!("{:?}", try_from_fn(3, |s| Ok::<_, NoModel>(value(s)))),
        format!("{:?}", from_batch_fn(3, values)),
        format!("{:?}", try_from_batch_fn(3, |s| Ok::<_, NoModel>(values(s)))),
    ] {
        assert!(text.ends_with("Function { num_players: 3, .. }"), "{text}");
    }
}
