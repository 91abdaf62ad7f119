//! Training points of a k-nearest-neighbour classifier: the closed form against the exact solver, the value function
//! against one written from the definition, and errors.

use crate::common::rough::prefixes;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use shapley::games::{GameError, KNearest};
use shapley::{Coalition, Game, exact};

/// Points of few whole coordinates, so that many distances are the same, and labels of few kinds.
fn points(count: usize, columns: usize, seed: u64) -> (Vec<f64>, Vec<u8>) {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |bound: u64| generator.next_u64() % bound;
    let coordinates = (0..count * columns).map(|_| below(4) as f64).collect();
    (coordinates, (0..count).map(|_| below(3) as u8).collect())
}

/// The definition: all members sorted by distance, the first k looked at.
fn utility(k: usize, columns: usize, train: &(Vec<f64>, Vec<u8>), test: &(Vec<f64>, Vec<u8>), s: &Coalition) -> f64 {
    let mut right = 0;
    for (x, y) in test.0.chunks(columns).zip(&test.1) {
        let distance = |i: usize| -> f64 {
            train.0[i * columns..(i + 1) * columns].iter().zip(x).map(|(a, b)| (a - b).powi(2)).sum()
        };
        let mut members: Vec<usize> = s.iter().collect();
        members.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)));
        right += members.iter().take(k).filter(|&&i| train.1[i] == *y).count();
    }
    right as f64 / (k * test.1.len()) as f64
}

#[test]
fn values_are_those_of_the_exact_solver_and_of_the_definition() {
    for (n, m, columns) in [(1, 1, 1), (2, 3, 1), (5, 4, 2), (8, 40, 2), (10, 3, 5)] {
        for k in [1, 2, 3, 5, 8, 11, 1000] {
            let (train, test) = (points(n, columns, k as u64), points(m, columns, 100 + k as u64));
            let game = KNearest::new(k, (&train.0, &train.1), (&test.0, &test.1)).unwrap();
            assert_eq!((game.k(), game.num_players()), (k, n));
            let (closed, solved) = (game.shapley(), exact(&game).unwrap());
            assert_eq!((closed.len(), closed.evaluations()), (n, 0));
            assert_eq!(closed.grand().to_bits(), solved.grand().to_bits());
            for (closed, solved) in closed.iter().zip(&solved) {
                assert!((closed - solved).abs() <= 1e-14, "{closed} and {solved}: {n} points, {k} neighbours");
            }
            for mask in 0..1_u64 << n {
                let coalition = Coalition::from_mask(n, mask);
                let expected = utility(k, columns, &train, &test, &coalition);
                assert!((game.value(&coalition) - expected).abs() <= 1e-15);
            }
            let order: Vec<usize> = (0..n).map(|place| (place * 7 + 3) % n).collect();
            if n % 7 != 0 {
                let mut values = vec![-7.0];
                game.walk(&order, &mut values);
                assert_eq!(values.len(), n + 1);
                for (value, prefix) in values[1..].iter().zip(prefixes(n, &order)) {
                    assert_eq!(value.to_bits(), game.value(&prefix).to_bits());
                }
            }
        }
    }
}

/// A nearest neighbour that is right gets most; the first wrong one behind it takes from all who come after.
#[test]
fn the_recursion_by_hand() {
    // In order of distance: right, wrong, right. k = 1: the last gets 1/3, the second 1/3 - 1/2, the first that + 1.
    let game = KNearest::new(1, (&[1.0, 2.0, 3.0], &['a', 'b', 'a']), (&[0.0], &['a'])).unwrap();
    for (value, expected) in game.shapley().iter().zip([5.0 / 6.0, -1.0 / 6.0, 1.0 / 3.0]) {
        assert!((value - expected).abs() <= 1e-15);
    }
}

#[test]
fn many_points_share_out_the_utility_of_all_whatever_the_threads() {
    let (train, test) = (points(2_000, 3, 1), points(70, 3, 2));
    let game = KNearest::new(7, (train.0, train.1), (test.0, test.1)).unwrap();
    let phi = game.shapley();
    assert!((phi.iter().sum::<f64>() - phi.grand()).abs() <= 1e-13);
    assert_eq!(phi, game.shapley());
    #[cfg(feature = "parallel")]
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(pool.install(|| game.shapley()).values()), bits(phi.values()));
    }
}

#[test]
fn labels_are_anything_that_can_be_compared() {
    let text = KNearest::new(1, ([0.0, 1.0], ["x", "y"]), ([0.0], ["x"])).unwrap();
    let number = KNearest::new(1, (vec![0.0, 1.0], vec![7, -1]), (vec![0.0], vec![7])).unwrap();
    assert_eq!(text, number);
    // A label that no training point has.
    let unknown = KNearest::new(1, ([0.0, 1.0], ["x", "y"]), ([0.0], ["z"])).unwrap();
    assert_eq!(unknown.shapley().values(), [0.0, 0.0]);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let train: (&[f64], &[u8]) = (&[0.0, 1.0, 2.0, 3.0], &[1, 2]);
    let test: (&[f64], &[u8]) = (&[0.0, 1.0], &[1]);
    let none: (&[f64], &[u8]) = (&[], &[]);
    let text = |result: Result<KNearest, GameError>| result.unwrap_err().to_string();
    assert_eq!(text(KNearest::new(0, train, test)), "k 0 cannot be 0: it must be at least 1");
    assert_eq!(KNearest::new(1, none, test), Err(GameError::NoPlayers {}));
    assert_eq!(text(KNearest::new(1, train, none)), "test points: 0 instead of 1");
    let odd: (&[f64], &[u8]) = (&[0.0, 1.0, 2.0], &[1, 2]);
    assert_eq!(text(KNearest::new(1, odd, test)), "coordinates of training points: 3 instead of 2");
    let empty: (&[f64], &[u8]) = (&[], &[1, 2]);
    assert_eq!(text(KNearest::new(1, empty, test)), "coordinates of training points: 0 instead of 2");
    let wide: (&[f64], &[u8]) = (&[0.0, 1.0, 2.0], &[1]);
    assert_eq!(text(KNearest::new(1, train, wide)), "coordinates of test points: 3 instead of 2");
    for (bad, shown) in [(f64::NAN, "NaN"), (f64::NEG_INFINITY, "-inf")] {
        let numbers = [0.0, 1.0, bad, 3.0];
        let error = text(KNearest::new(1, (numbers, [1, 2]), test_of(&[0.0, 1.0])));
        assert_eq!(error, format!("training coordinate 2 cannot be {shown}: it must be finite"));
        let error = text(KNearest::new(1, ([0.0, 0.0], [1]), ([0.0, bad], [1])));
        assert!(error.starts_with("test coordinate 1 cannot be"), "{error}");
    }
}

/// Squares of such distances overflow, or are zero.
#[test]
fn distances_of_any_size_are_told_apart() {
    for size in [f64::MAX, 1e200, 1e126, 1.0, 1e-163, 1e-200, f64::MIN_POSITIVE, 1e-310] {
        let far = KNearest::new(1, ([size, 0.0], [1, 2]), ([0.0], [2])).unwrap();
        assert_eq!(far.shapley().values(), [0.0, 1.0], "{size}");
        let near = KNearest::new(1, ([size, -size], [1, 2]), ([size], [1])).unwrap();
        assert_eq!(near.shapley().values(), [1.0, 0.0], "{size}");
        assert_eq!(shapley::exact(&far).unwrap().values(), [0.0, 1.0]);
    }
}

fn test_of(numbers: &[f64]) -> (&[f64], [i32; 1]) {
    (numbers, [1])
}
