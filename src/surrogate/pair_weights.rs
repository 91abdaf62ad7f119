//! What the pairs of a design count in a linear function of one half, and what those that were not asked for may add.

use super::covariance::Half;
use super::design::PairedDesign;
use super::functional::Functional;

/// π of each pair.
pub(super) fn inclusions(design: &PairedDesign) -> Vec<f64> {
    (0..design.len()).map(|pair| design.inclusion(design.size(pair))).collect()
}

/// A: what one half of a pair counts, over its chance to be there, by the size of the chosen coalition and by how many
/// of the set's players are members (Horvitz & Thompson 1952).
pub(super) fn weights(design: &PairedDesign, functional: &Functional, half: Half) -> Vec<[f64; 3]> {
    let of_size = |size: usize| {
        let share = if 2 * size == design.players { 0.5 } else { 1.0 };
        let expected = size.checked_sub(1).map_or(1.0, |place| design.expected()[place]);
        functional.coefficients(size, half).map(|coefficient| coefficient * share / expected)
    };
    (0..=design.players / 2).map(of_size).collect()
}

/// For each size of the chosen coalition: how many of the set's players are members, with the share of the coalitions
/// of which it is true; what a pair counts then; and one over the number of pairs, C(n, size) or half of that.
fn by_size(players: usize, functional: &Functional, half: Half, mut add: impl FnMut(usize, f64, f64, f64)) {
    let n = players as f64;
    let mut one_over = 1.0;
    for size in 1..=players / 2 {
        one_over *= size as f64 / (n - size as f64 + 1.0);
        let c = size as f64;
        let shares = match functional.order {
            0 => [1.0, 0.0, 0.0],
            1 => [(n - c) / n, c / n, 0.0],
            _ => [
                (n - c) * (n - c - 1.0) / (n * (n - 1.0)),
                2.0 * c * (n - c) / (n * (n - 1.0)),
                c * (c - 1.0) / (n * (n - 1.0)),
            ],
        };
        let pairs = if 2 * size == players { 0.5 } else { 1.0 };
        for (share, coefficient) in shares.into_iter().zip(functional.coefficients(size, half)) {
            add(size, pairs * share, coefficient, one_over);
        }
    }
}

/// What independent noise on the pairs that were not asked for adds to the variance, per unit of noise.
pub(super) fn unseen_noise(design: &PairedDesign, functional: &Functional, half: Half) -> f64 {
    let mut sum = 0.0;
    by_size(design.players, functional, half, |size, share, coefficient, one_over| {
        sum += (1.0 - design.inclusion(size)) * share * coefficient * coefficient * one_over;
    });
    sum
}

/// The most that a function of one half is of a game that is nowhere more than one there.
pub(super) fn reach(players: usize, functional: &Functional, half: Half) -> f64 {
    let mut sum = 0.0;
    by_size(players, functional, half, |_, share, coefficient, _| sum += share * coefficient.abs());
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Coalition;
    use crate::surrogate::generator;
    use crate::surrogate::rows::Rows;
    use crate::surrogate::set_sums::sums_over_rows;
    use crate::{Exact, Index, Semivalue, from_fn};

    /// Numbers of no meaning on pairs, as one half of a game.
    fn table(n: usize, half: Half) -> Vec<f64> {
        let mut random = generator(n as u64, 6);
        let all = (1_usize << n) - 1;
        let mut table = vec![0.0; all + 1];
        for mask in 1..=all / 2 {
            table[mask] = random.unit() - 0.5;
            table[all ^ mask] = if half == Half::Odd { -table[mask] } else { table[mask] };
        }
        table
    }

    /// Over 1000 designs the mean of the sums is within five standard errors of the values and of the pairs, which has
    /// a chance below 10⁻⁴ to fail for any of some hundred; seeds are fixed. And the squared errors are what the squares
    /// say, within 15 % in all: pairs are spread and counts rounded together, so that they are not independent. (Of
    /// 4000 designs the ratios were 0.90 to 1.09.)
    #[test]
    fn sums_of_samples_have_no_bias_and_the_variance_that_is_said() {
        for (n, pairs, half, functional) in [
            (7, 20, Half::Odd, Functional::index(Index::Shapley, 1, 1, 7)),
            (8, 60, Half::Odd, Functional::index(Index::Shapley, 1, 1, 8)),
            (7, 40, Half::Even, Functional::index(Index::Shapley, 2, 2, 7)),
            (8, 60, Half::Even, Functional::index(Index::Banzhaf, 2, 2, 8)),
            (7, 40, Half::Odd, Functional::index(Index::ShapleyTaylor, 2, 2, 7)),
            (
                8,
                60,
                Half::Even,
                Functional::semivalue::<std::convert::Infallible>(&Semivalue::beta(4.0, 1.0).unwrap(), 8).unwrap(),
            ),
        ] {
            let table = table(n, half);
            let game = from_fn(n, |s| table[s.mask().unwrap() as usize]);
            let summary = Exact::new().threads(1).summary(&game, 2).unwrap();
            let exact: Vec<f64> = match functional.order {
                1 if half == Half::Even => summary.values(&Semivalue::beta(4.0, 1.0).unwrap()).unwrap().into_values(),
                1 => summary.values(&Semivalue::shapley()).unwrap().into_values(),
                _ => {
                    let index = match (n, half) {
                        (7, Half::Even) => Index::Shapley,
                        (7, Half::Odd) => Index::ShapleyTaylor,
                        _ => Index::Banzhaf,
                    };
                    let all = summary.interactions(index).unwrap();
                    all.iter().filter(|(set, _)| set.len() == 2).map(|(_, value)| *value).collect()
                }
            };
            let seeds = 1000;
            let (mut means, mut squares, mut said) = (vec![0.0; exact.len()], vec![0.0; exact.len()], 0.0);
            for seed in 0..seeds {
                let design = PairedDesign::new(n, pairs, seed);
                let rows = Rows::new(n, design.rows.iter().map(Coalition::words));
                let weights = weights(&design, &functional, half);
                let inclusion = inclusions(&design);
                let [sums, variances] = sums_over_rows(&rows, functional.order, |pair| {
                    let number = table[design.rows[pair].words()[0] as usize];
                    let weights = weights[design.size(pair)];
                    let unseen = (1.0 - inclusion[pair]) * number * number;
                    [weights.map(|weight| weight * number), weights.map(|weight| weight * weight * unseen)]
                });
                said += variances.iter().sum::<f64>() / seeds as f64;
                for (set, exact) in exact.iter().enumerate() {
                    let off = sums[set] - exact;
                    means[set] += off / seeds as f64;
                    squares[set] += off * off / seeds as f64;
                }
            }
            for (mean, square) in means.iter().zip(&squares) {
                let error = (square / seeds as f64).sqrt();
                assert!(mean.abs() < 5.0 * error, "n {n}, {half:?}: {mean} {error}");
            }
            let error: f64 = squares.iter().sum();
            assert!((said / error - 1.0).abs() < 0.15, "n {n}, {half:?}, {functional:?}: {said} {error}");
        }
    }

    /// What noise on pairs that were not asked for adds is the sum of its squares; and no game of ones has a larger
    /// value than the reach.
    #[test]
    fn noise_and_reach_are_sums_over_pairs() {
        for n in [2, 5, 6] {
            let design = PairedDesign::new(n, 1 << (n - 2), 1);
            for (order, half) in [(1, Half::Odd), (2, Half::Even), (1, Half::Even)] {
                let functional = Functional::index(Index::FaithfulShapley, 2, order, n);
                let (mut noise, mut most) = (0.0, 0.0);
                for mask in 1..(1_u64 << n) - 1 {
                    let coalition = Coalition::from_mask(n, mask);
                    if !super::super::far_apart::stands_for_pair(&coalition) {
                        continue;
                    }
                    let size = coalition.len();
                    let members =
                        if order == 1 { usize::from(mask & 1 == 1) } else { (mask & 3).count_ones() as usize };
                    let of_pair = functional.coefficients(size, half)[members] / design.population(size);
                    noise += (1.0 - design.inclusion(size)) * of_pair * of_pair;
                    most += of_pair.abs();
                }
                let got = (unseen_noise(&design, &functional, half), reach(n, &functional, half));
                assert!((got.0 - noise).abs() < 1e-12 && (got.1 - most).abs() < 1e-12, "n {n}: {got:?} {noise} {most}");
            }
        }
    }
}
