//! Columns of a row as players: against linear models, trees summed by hand, and games made by hand; what the model is
//! asked.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use shapley::games::{Features, FeaturesError};
use shapley::{Coalition, Error, Exact, Permutation, TryGame, exact, from_fn};

/// Numbers in [-1, 1).
struct Numbers(ChaCha8Rng);

impl Numbers {
    fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn next(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn take(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.next()).collect()
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound as u64) as usize
    }
}

/// A tree of depth 3 over some columns: it splits at seven places and has eight leaves.
struct Tree {
    columns: [usize; 7],
    thresholds: [f64; 7],
    leaves: [f64; 8],
}

impl Tree {
    fn random(columns: usize, numbers: &mut Numbers) -> Self {
        Self {
            columns: std::array::from_fn(|_| numbers.below(columns)),
            thresholds: std::array::from_fn(|_| numbers.next()),
            leaves: std::array::from_fn(|_| numbers.next()),
        }
    }

    fn output(&self, row: &[f64]) -> f64 {
        let mut node = 0;
        while node < 7 {
            node = 2 * node + 1 + usize::from(row[self.columns[node]] > self.thresholds[node]);
        }
        self.leaves[node - 7]
    }
}

fn forest(columns: usize, numbers: &mut Numbers) -> impl Fn(&[f64], usize) -> Vec<f64> + Sync + use<> {
    let trees: Vec<Tree> = (0..10).map(|_| Tree::random(columns, numbers)).collect();
    move |rows, columns| rows.chunks(columns).map(|row| trees.iter().map(|tree| tree.output(row)).sum()).collect()
}

/// The Shapley values of a row by their definition: all subsets, all background rows, one row of the model at a time.
fn by_hand(instance: &[f64], background: &[f64], output: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let n = instance.len();
    let rows = background.len() / n;
    let factorial = |k: usize| (1..=k).map(|j| j as f64).product::<f64>();
    let value = |mask: usize| -> f64 {
        let mean = |row: usize| {
            let mixed: Vec<f64> = (0..n)
                .map(|column| if mask >> column & 1 == 1 { instance[column] } else { background[row * n + column] })
                .collect();
            output(&mixed) / rows as f64
        };
        (0..rows).map(mean).sum()
    };
    let share = |player: usize| {
        let without = (0..1 << n).filter(|mask| mask >> player & 1 == 0);
        without
            .map(|mask: usize| {
                let size = mask.count_ones() as usize;
                let weight = factorial(size) * factorial(n - size - 1) / factorial(n);
                weight * (value(mask | 1 << player) - value(mask))
            })
            .sum()
    };
    (0..n).map(share).collect()
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{found} instead of {expected}");
    }
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn of_a_linear_model_each_column_has_its_weight_times_its_distance_from_the_mean() {
    let mut numbers = Numbers::new(1);
    for columns in 1..=10 {
        for rows in [1, 2, 7, 100] {
            let (weights, instance) = (numbers.take(columns), numbers.take(columns));
            let background = numbers.take(columns * rows);
            let model = |all: &[f64], columns: usize| -> Vec<f64> {
                all.chunks(columns).map(|row| 5.0 + row.iter().zip(&weights).map(|(x, w)| x * w).sum::<f64>()).collect()
            };
            let phi = exact(&Features::new(&instance, &background, model)).unwrap();
            let mean = |column: usize| background.iter().skip(column).step_by(columns).sum::<f64>() / rows as f64;
            let expected: Vec<f64> = (0..columns).map(|c| weights[c] * (instance[c] - mean(c))).collect();
            assert_close(phi.values(), &expected, 1e-12);
            assert_eq!(phi.grand().to_bits(), model(&instance, columns)[0].to_bits());
            let of_background = model(&background, columns).iter().sum::<f64>() / rows as f64;
            assert_close(&[*phi.baseline()], &[of_background], 1e-13);
        }
    }
}

#[test]
fn of_trees_the_values_are_those_of_a_sum_by_hand() {
    let mut numbers = Numbers::new(2);
    for columns in [1, 2, 5, 7] {
        let (instance, background) = (numbers.take(columns), numbers.take(columns * 6));
        let model = forest(columns, &mut numbers);
        let expected = by_hand(&instance, &background, |row| model(row, columns)[0]);
        let phi = exact(&Features::new(instance, background, model)).unwrap();
        assert_close(phi.values(), &expected, 1e-13);
        assert!(expected.iter().any(|value| value.abs() > 0.01), "the trees say something");
    }
}

#[test]
fn grouped_columns_are_a_game_made_by_hand() {
    let mut numbers = Numbers::new(3);
    let (instance, background) = (numbers.take(7), numbers.take(7 * 5));
    let model = forest(7, &mut numbers);
    let groups: [&[usize]; 2] = [&[6, 1, 3], &[0]];
    let players: [&[usize]; 5] = [&[6, 1, 3], &[0], &[2], &[4], &[5]];
    let by_hand = from_fn(5, |s| {
        let present: Vec<usize> = s.iter().flat_map(|player| players[player]).copied().collect();
        let mixed = |row: &[f64]| -> Vec<f64> {
            (0..7).map(|c| if present.contains(&c) { instance[c] } else { row[c] }).collect()
        };
        background.chunks(7).map(|row| model(&mixed(row), 7)[0]).sum::<f64>() / 5.0
    });
    let game = Features::new(&instance, &background, &model).groups(groups);
    assert_eq!(game.players(), players);
    assert_close(exact(&game).unwrap().values(), exact(&by_hand).unwrap().values(), 1e-14);
    // All columns one by one, in another order.
    let reversed = Features::new(&instance, &background, &model).groups((0..7).rev().map(|column| [column]));
    let plain = exact(&Features::new(&instance, &background, &model)).unwrap();
    let turned: Vec<f64> = exact(&reversed).unwrap().iter().rev().copied().collect();
    assert_close(&turned, plain.values(), 1e-14);
    // All columns together.
    let one = exact(&Features::new(&instance, &background, &model).groups([[0, 1, 2, 3, 4, 5, 6]])).unwrap();
    assert_close(one.values(), &[plain.grand() - plain.baseline()], 1e-14);
}

#[test]
fn several_outputs_are_explained_in_one_pass() {
    let mut numbers = Numbers::new(4);
    let (instance, background) = (numbers.take(5), numbers.take(5 * 8));
    let models = [forest(5, &mut numbers), forest(5, &mut numbers), forest(5, &mut numbers)];
    let all = |rows: &[f64], columns: usize| -> Vec<[f64; 3]> {
        let [a, b, c] = models.each_ref().map(|model| model(rows, columns));
        a.into_iter().zip(b).zip(c).map(|((a, b), c)| [a, b, c]).collect()
    };
    let together = exact(&Features::new(&instance, &background, all)).unwrap();
    for (k, model) in models.iter().enumerate() {
        let alone = exact(&Features::new(&instance, &background, model)).unwrap();
        let of_all: Vec<f64> = together.iter().map(|value| value[k]).collect();
        assert_eq!(bits(&of_all), bits(alone.values()));
    }
}

#[test]
fn batches_threads_and_calls_change_no_bit() {
    let mut numbers = Numbers::new(5);
    let (instance, background) = (numbers.take(9), numbers.take(9 * 11));
    let model = forest(9, &mut numbers);
    let reference = exact(&Features::new(&instance, &background, &model)).unwrap();
    for rows_per_call in [0, 1, 2, 10, 11, 12, 100, 10_000, usize::MAX] {
        let game = Features::new(&instance, &background, &model).rows_per_call(rows_per_call);
        for (threads, batch) in [(1, 1), (2, 7), (3, 512), (4, 4096)] {
            let phi = Exact::new().threads(threads).batch(batch).solve(&game).unwrap();
            assert_eq!(bits(phi.values()), bits(reference.values()));
        }
    }
    let game = Features::new(&instance, &background, &model);
    for s in [0, 1, 5, 256, 511] {
        let coalition = Coalition::from_mask(9, s);
        let mut batch = Vec::new();
        game.try_values(&vec![coalition.clone(); 3], &mut batch).unwrap();
        assert_eq!(bits(&batch), [game.try_value(&coalition).unwrap().to_bits(); 3]);
    }
    let order = [3, 1, 4, 0, 5, 8, 2, 6, 7];
    let mut walk = Vec::new();
    game.try_walk(&order, &mut walk).unwrap();
    for (k, value) in walk.iter().enumerate() {
        let prefix = Coalition::from_players(9, order[..=k].iter().copied());
        assert_eq!(value.to_bits(), game.try_value(&prefix).unwrap().to_bits());
    }
    let estimates = [1, 4].map(|threads| Permutation::new(200).threads(threads).estimate(&game).unwrap());
    assert_eq!(bits(estimates[0].values()), bits(estimates[1].values()));
}

#[test]
fn the_model_is_asked_for_what_the_docs_say() {
    let calls = Mutex::new(Vec::new());
    let model = |rows: &[f64], columns: usize| -> Vec<f64> {
        assert_eq!(columns, 3);
        calls.lock().unwrap().push(rows.to_vec());
        rows.chunks(columns).map(|row| row[0] + 10.0 * row[1] + 100.0 * row[2]).collect()
    };
    let game = Features::new([1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0, 8.0, 9.0], model);
    let value = game.try_value(&Coalition::grand(3)).unwrap();
    assert_eq!(value.to_bits(), 321.0_f64.to_bits());
    assert_eq!(calls.lock().unwrap().drain(..).collect::<Vec<_>>(), [[1.0, 2.0, 3.0]], "one row");
    let value = game.try_value(&Coalition::empty(3)).unwrap();
    assert_eq!(value.to_bits(), ((654.0 + 987.0) / 2.0_f64).to_bits());
    assert_eq!(calls.lock().unwrap().drain(..).collect::<Vec<_>>(), [[4.0, 5.0, 6.0, 7.0, 8.0, 9.0]]);
    game.try_value(&Coalition::from_players(3, [1])).unwrap();
    assert_eq!(calls.lock().unwrap().drain(..).collect::<Vec<_>>(), [[4.0, 2.0, 6.0, 7.0, 2.0, 9.0]]);
    // (2^3 - 1) * 2 + 1 rows in all, in one call.
    let _ = Exact::new().threads(1).batch(8).solve(&game).unwrap();
    assert_eq!(calls.lock().unwrap().drain(..).map(|rows| rows.len() / 3).collect::<Vec<_>>(), [15]);
    let game = game.rows_per_call(4);
    let _ = Exact::new().threads(1).batch(8).solve(&game).unwrap();
    assert_eq!(calls.lock().unwrap().drain(..).map(|rows| rows.len() / 3).collect::<Vec<_>>(), [4, 4, 4, 3]);
    game.try_values(&[], &mut Vec::new()).unwrap();
    assert!(calls.lock().unwrap().is_empty(), "nothing asks nothing");
}

#[test]
fn samples_of_the_background_are_some_of_its_rows_in_their_order_and_all_alike() {
    let rows: Vec<f64> = (0..50).flat_map(|row| [f64::from(row), -f64::from(row)]).collect();
    let model = |rows: &[f64], columns: usize| rows.chunks(columns).map(|row| row[0]).collect::<Vec<_>>();
    let sampled = |count: usize, seed: u64| -> Vec<usize> {
        let game = Features::new([0.0, 0.0], &rows, model).background_sample(count, seed);
        game.background()
            .chunks(2)
            .map(|row| {
                assert_eq!(row[1].to_bits(), (-row[0]).to_bits(), "rows stay together");
                row[0] as usize
            })
            .collect()
    };
    let mut times = [0_u32; 50];
    for seed in 0..2000 {
        let drawn = sampled(5, seed);
        assert!(drawn.len() == 5 && drawn.windows(2).all(|pair| pair[0] < pair[1]), "{drawn:?}");
        drawn.into_iter().for_each(|row| times[row] += 1);
    }
    // Each row is drawn 200 times in the mean, with a standard deviation of 13.4: five of these are passed by one of 50
    // rows in 35,000 such tests.
    assert!(times.iter().all(|&count| (133..=267).contains(&count)), "{times:?}");
    assert_eq!(sampled(5, 7), sampled(5, 7));
    assert_eq!(sampled(5, 7), [16, 37, 39, 44, 49], "frozen");
    assert_eq!(sampled(50, 1), (0..50).collect::<Vec<_>>());
    assert_eq!(sampled(51, 1), sampled(usize::MAX, 2));
    assert_eq!(sampled(0, 1), [0_usize; 0]);
}

#[test]
fn what_does_not_fit_is_said_before_the_model_is_asked() {
    let asked = AtomicUsize::new(0);
    let model = |rows: &[f64], columns: usize| {
        asked.fetch_add(1, Ordering::Relaxed);
        rows.chunks(columns).map(|row| row[0]).collect::<Vec<f64>>()
    };
    let two = |background: &[f64]| Features::new([1.0, 2.0], background, model);
    let wrong = [
        (two(&[]), "the background has no rows, so that absent columns have no values"),
        (two(&[0.0; 5]), "a background of 5 numbers does not consist of rows of 2 columns, as the instance has"),
        (two(&[0.0; 4]).background_sample(0, 1), "the background has no rows, so that absent columns have no values"),
        (two(&[0.0; 4]).groups([vec![0], vec![]]), "group 1 has no columns"),
        (two(&[0.0; 4]).groups([[0, 2]]), "group 0 names column 2, and the instance has 2"),
        (two(&[0.0; 4]).groups([[0, 1], [1, 0]]), "column 1 is in group 0 and again in group 1"),
        (two(&[0.0; 4]).groups([[1, 1]]), "column 1 is in group 0 and again in group 0"),
    ];
    for (game, text) in wrong {
        let checked = game.check().unwrap_err();
        assert_eq!(checked.to_string(), text);
        match exact(&game) {
            Err(Error::Game { source, .. }) => assert_eq!(source, checked),
            other => panic!("{other:?}"),
        }
        assert!(game.try_value(&Coalition::empty(game.num_players())).is_err());
    }
    let none = Features::new([], [1.0], model);
    assert_eq!(none.check(), Err(FeaturesError::NoColumns {}));
    assert_eq!(none.try_value(&Coalition::empty(0)), Err(FeaturesError::NoColumns {}));
    assert!(matches!(exact(&none), Err(Error::NoPlayers {})));
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert!(format!("{:?}", two(&[0.0; 4])).contains("background_rows: 2"));
}

#[test]
fn a_model_with_too_few_or_too_many_outputs_is_found_out() {
    for got in [0, 1, 14, 16, 100] {
        let game = Features::new([1.0, 2.0, 3.0], [0.0; 6], move |_: &[f64], _| vec![0.5; got]);
        match Exact::new().threads(1).batch(8).solve(&game) {
            Err(Error::Game { source: FeaturesError::Outputs { rows: 15, got: told }, .. }) => assert_eq!(told, got),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_error_of_the_model_comes_back_with_the_first_coalition_that_it_left_without_a_value() {
    let rows_so_far = AtomicUsize::new(0);
    let model = |rows: &[f64], columns: usize| -> Result<Vec<f64>, io::Error> {
        if rows_so_far.fetch_add(rows.len() / columns, Ordering::Relaxed) >= 6 {
            return Err(io::Error::other("the server is away"));
        }
        Ok(vec![1.0; rows.len() / columns])
    };
    // Two background rows and two rows a call: the fourth call, which fails, is the fourth coalition's.
    let game = Features::new([1.0, 2.0], [0.0; 4], model).rows_per_call(2);
    let game = game.groups([[0], [1]]);
    let mut values = Vec::new();
    let all: Vec<Coalition> = [0, 1, 2, 1].map(|mask| Coalition::from_mask(2, mask)).into();
    let error = game.try_values(&all, &mut values).unwrap_err();
    assert_eq!((error.to_string(), values.len()), ("the model failed".to_owned(), 3));
    let source = std::error::Error::source(&error).expect("the model's error");
    assert_eq!(source.to_string(), "the server is away");
    match exact(&game) {
        Err(Error::Game { coalition, source: FeaturesError::Model { .. } }) => assert!(coalition.is_empty()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sample_of_a_background_that_does_not_fit_is_no_background_that_fits() {
    let game = Features::new([1.0, 2.0], [1.0, 2.0, 3.0, 4.0, 5.0], |rows: &[f64], columns: usize| {
        vec![0.0; rows.len() / columns]
    });
    let error = game.background_sample(1, 0).check();
    assert_eq!(error, Err(FeaturesError::Background { values: 5, columns: 2 }));
}
