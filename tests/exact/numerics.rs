//! How far results may be from the truth: exact solvers in floating point, against sums of whole numbers that do not
//! round. The errors of every test here are relative to the largest value of the game.

use crate::common::compare::largest;
use crate::common::masks::pseudo;
use shapley::{Exact, Index, Semivalue, Summary, Table, Value};

/// For `f64`. The promise is 1e-13; the worst that is found here is 1.3e-16, and a sum that grows its errors with the
/// number of coalitions, or loses digits anywhere, should show long before it breaks the promise.
const F64_ERROR: f64 = 1e-15;

/// For `f32`. The promise is 1e-5, the worst 2.1e-8.
const F32_ERROR: f64 = 1e-6;

const PLAYERS: usize = 16;

/// Values are multiples of 2^−60, so that they are whole numbers here: below 2^27 · 2^60 = 2^87, and sums of 2^16 of
/// them times the common denominator of the weights below 2^124.
const SCALE: f64 = (1_u64 << 60) as f64;

fn whole(value: f64) -> i128 {
    let scaled = value * SCALE;
    assert!(scaled.fract() == 0.0 && scaled.abs() < (1_u128 << 88) as f64, "{value} is no such number");
    scaled as i128
}

/// The nearest number that is a multiple of 2^−60.
fn dyadic(value: f64) -> f64 {
    (value * SCALE).round() / SCALE
}

fn choose(n: usize, k: usize) -> i128 {
    (0..k).fold(1, |product, j| product * (n - j) as i128 / (j + 1) as i128)
}

/// The least common multiple of 1 to n, which n C(n−1, s) divides for all s.
fn common_denominator(n: usize) -> i128 {
    let divisor = |mut a: i128, mut b: i128| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    (1..=n as i128).fold(1, |multiple, k| multiple / divisor(multiple, k) * k)
}

/// What one or two players add together to the others, summed by the size of the others' coalition.
struct Sums {
    players: usize,
    /// Of one player: n of them. Of two: n−1.
    by_size: Vec<i128>,
}

impl Sums {
    fn new(players: usize, set: u64, values: &[i128]) -> Self {
        let low = set & set.wrapping_neg();
        let high = set ^ low;
        let mut by_size = vec![0; players + 1 - set.count_ones() as usize];
        for on in (0..1_u64 << players).filter(|on| on & set == 0) {
            let value = |mask: u64| values[mask as usize];
            let mut difference = value(on | low) - value(on);
            if high != 0 {
                difference = value(on | set) - value(on | high) - difference;
            }
            by_size[on.count_ones() as usize] += difference;
        }
        Self { players, by_size }
    }

    /// How far a number is from the sums' weighted total, of which each weight is a numerator over the denominator.
    /// Rounding the number to a multiple of 2^−60 adds no more than 2^−61.
    fn error(&self, got: f64, denominator: i128, numerator: impl Fn(usize) -> i128) -> f64 {
        let terms = self.by_size.iter().enumerate().map(|(s, sum)| sum * numerator(s));
        let difference = whole(dyadic(got)) * denominator - terms.sum::<i128>();
        difference as f64 / denominator as f64 / SCALE
    }

    /// From the mean over all sizes of the mean of a size: the Shapley value, and interaction.
    fn shapley_error(&self, got: f64) -> f64 {
        let sizes = self.by_size.len();
        let denominator = common_denominator(sizes);
        self.error(got, denominator, |s| denominator / (sizes as i128 * choose(sizes - 1, s)))
    }

    /// From the mean over all coalitions: the Banzhaf value, and interaction.
    fn banzhaf_error(&self, got: f64) -> f64 {
        self.error(got, 1 << (self.by_size.len() - 1), |_| 1)
    }

    /// From the Shapley-Taylor interaction of order 2.
    fn taylor_error(&self, got: f64) -> f64 {
        let denominator = common_denominator(self.players);
        self.error(got, denominator, |s| 2 * denominator / (self.players as i128 * choose(self.players - 1, s)))
    }
}

/// The values of three games: any numbers; the same far from zero; and of magnitudes from 1e-8 to 1e8.
fn games(players: usize) -> [(&'static str, Vec<f64>); 3] {
    let table = |value: &dyn Fn(u64) -> f64| (0..1 << players).map(|mask| dyadic(value(mask))).collect();
    [
        ("random", table(&|mask| pseudo(1, mask))),
        ("offset", table(&|mask| 1e6 + pseudo(2, mask))),
        ("spanning", table(&|mask| pseudo(3, mask).signum() * 10_f64.powf(8.0 * pseudo(4, mask)))),
    ]
}

/// One of the components of a value, as a float.
fn component(value: &impl Value, output: usize) -> f64 {
    value.components().nth(output).expect("a component for each output")
}

fn summary<V: Value>(values: Vec<V>, order: usize) -> Summary<V> {
    let table = Table::new(values).expect("2^n values are a table");
    Exact::new().summary(&table, order).expect("the values are finite")
}

/// The worst error of the players' values, as a part of the largest value, in any output.
fn worst_of_players<V: Value>(summary: &Summary<V>, players: usize, outputs: &[Vec<f64>]) -> f64 {
    let shapley = summary.values(&Semivalue::shapley()).expect("values that fit");
    let banzhaf = summary.values(&Semivalue::banzhaf()).expect("values that fit");
    let errors = outputs.iter().enumerate().flat_map(|(output, values)| {
        let size = largest(values.iter().copied());
        let values: Vec<i128> = values.iter().map(|value| whole(*value)).collect();
        let of_player = |player: usize| {
            let sums = Sums::new(players, 1 << player, &values);
            let (phi, psi) = (component(&shapley[player], output), component(&banzhaf[player], output));
            [sums.shapley_error(phi) / size, sums.banzhaf_error(psi) / size]
        };
        (0..players).flat_map(of_player).collect::<Vec<_>>()
    });
    largest(errors)
}

/// The worst error of the interactions of some pairs, in three indices.
fn worst_of_pairs<V: Value>(
    summary: &Summary<V>,
    players: usize,
    outputs: &[Vec<f64>],
    pairs: &[(usize, usize)],
) -> f64 {
    let found = [Index::Shapley, Index::Banzhaf, Index::ShapleyTaylor]
        .map(|index| summary.interactions(index).expect("values that fit"));
    let errors = outputs.iter().enumerate().flat_map(|(output, values)| {
        let size = largest(values.iter().copied());
        let values: Vec<i128> = values.iter().map(|value| whole(*value)).collect();
        let of_pair = |&(i, j): &(usize, usize)| {
            let sums = Sums::new(players, 1 << i | 1 << j, &values);
            let [shapley, banzhaf, taylor] =
                found.each_ref().map(|found| component(found.get(&[i, j]).expect("a pair"), output));
            [sums.shapley_error(shapley), sums.banzhaf_error(banzhaf), sums.taylor_error(taylor)].map(|e| e / size)
        };
        pairs.iter().flat_map(of_pair).collect::<Vec<_>>()
    });
    largest(errors)
}

fn pairs(among: &[usize]) -> Vec<(usize, usize)> {
    among.iter().flat_map(|&i| among.iter().filter(move |&&j| i < j).map(move |&j| (i, j))).collect()
}

#[test]
fn values_of_16_players() {
    for (name, values) in games(PLAYERS) {
        let error = worst_of_players(&summary(values.clone(), 1), PLAYERS, &[values]);
        assert!(error < F64_ERROR, "{name}: {error:e}");
    }
}

#[test]
fn interactions_of_16_players() {
    for (name, values) in games(PLAYERS) {
        let all = pairs(&std::array::from_fn::<_, PLAYERS, _>(|player| player));
        let summary = summary(values.clone(), 2);
        let error = worst_of_pairs(&summary, PLAYERS, std::slice::from_ref(&values), &all);
        assert!(error < F64_ERROR, "{name}: {error:e}");
        let error = worst_of_players(&summary, PLAYERS, &[values]);
        assert!(error < F64_ERROR, "{name}, the players of order 2: {error:e}");
    }
}

#[test]
fn values_of_16_players_in_f32() {
    for (name, values) in games(PLAYERS) {
        // The game is what is left in an `f32`.
        let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
        let exact = values.iter().map(|value| f64::from(*value)).collect();
        let error = worst_of_players(&summary(values, 1), PLAYERS, &[exact]);
        assert!(error < F32_ERROR, "{name}: {error:e}");
    }
}

/// Every way through the blocks: of no more than one row, of a few and of many; of one block, and of several.
#[test]
fn values_of_games_of_any_shape() {
    for n in [1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14, 17, 18] {
        let outputs: [Vec<f64>; 3] = games(n).map(|(_, values)| values);
        let rows = (0..1 << n).map(|mask: usize| outputs.each_ref().map(|values| values[mask])).collect();
        let error = worst_of_players(&summary(rows, 1), n, &outputs);
        assert!(error < F64_ERROR, "{n} players, three outputs: {error:e}");
        for values in outputs {
            let error = worst_of_players(&summary(values.clone(), 1), n, &[values]);
            assert!(error < F64_ERROR, "{n} players: {error:e}");
        }
    }
}

#[test]
fn interactions_of_games_of_any_shape() {
    for n in [2, 3, 8, 9, 10, 13, 17, 18] {
        let among: Vec<usize> = [0, 3, 7, 8, 9, 12, 16, 17].into_iter().filter(|player| *player < n).collect();
        let outputs: [Vec<f64>; 3] = games(n).map(|(_, values)| values);
        let rows = (0..1 << n).map(|mask: usize| outputs.each_ref().map(|values| values[mask])).collect();
        let error = worst_of_pairs(&summary(rows, 2), n, &outputs, &pairs(&among));
        assert!(error < F64_ERROR, "{n} players, three outputs: {error:e}");
        let [values, ..] = outputs;
        let error = worst_of_pairs(&summary(values.clone(), 2), n, &[values], &pairs(&among));
        assert!(error < F64_ERROR, "{n} players: {error:e}");
    }
}
