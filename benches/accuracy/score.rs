//! The error, coverage and time of an estimator on one game with one budget.

use std::fmt;
use std::time::Instant;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use shapley::{Estimate, Game, KernelShap, Permutation, Surrogate};

use crate::Result;
use crate::sets::{Budget, Problem, Set};

/// The level of the intervals, and the quantile of the normal distribution that belongs to it.
const LEVEL: f64 = 0.95;
pub(crate) const QUANTILE: f64 = 1.96;

/// An estimator.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Solver {
    Surrogate,
    #[value(name = "kernelshap")]
    KernelShap,
    Permutation,
}

impl fmt::Display for Solver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Surrogate => "Surrogate",
            Self::KernelShap => "KernelShap",
            Self::Permutation => "Permutation",
        })
    }
}

impl Solver {
    fn estimate(self, game: &dyn Game<Value = f64>, evaluations: u64, seed: u64) -> Result<Estimate<f64>> {
        Ok(match self {
            Self::Surrogate => Surrogate::new(evaluations).seed(seed).threads(1).estimate(game)?,
            Self::KernelShap => KernelShap::new(evaluations).seed(seed).threads(1).estimate(game)?,
            Self::Permutation => Permutation::new(evaluations).seed(seed).threads(1).estimate(game)?,
        })
    }
}

/// What an estimator reaches on a game at a budget, over all seeds. A figure that no player has is absent.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Cell {
    pub(crate) set: Set,
    pub(crate) kind: String,
    pub(crate) game: String,
    pub(crate) players: usize,
    /// The name of the budget, such as `3n`, and its evaluations.
    pub(crate) budget: String,
    pub(crate) evaluations: u64,
    pub(crate) solver: Solver,
    pub(crate) seeds: u64,
    /// Evaluations that were made, as a mean over seeds.
    pub(crate) used: f64,
    /// Squared distance to the exact values over their squared length, as a mean over seeds.
    pub(crate) error: f64,
    /// The error of the equal split of v(N) − v(∅).
    pub(crate) equal_split: f64,
    /// Mean squared error of a value, over players and seeds.
    pub(crate) mse: f64,
    /// The share of values, over players and seeds, that lie in their 95 % interval.
    pub(crate) coverage: f64,
    /// That of the player whose exact value is the largest in size.
    pub(crate) top_coverage: f64,
    /// The median over players of half the width of the interval, as a mean over seeds, over 1.96 root mean squared
    /// errors of the value over seeds. With few seeds this is too large: see [`Cell::calibrated_width`].
    pub(crate) width: Option<f64>,
    /// The standard deviation over players of the logarithms of standard errors that are neither 0 nor infinite, as a
    /// mean over seeds.
    pub(crate) spread: Option<f64>,
    /// How many standard errors are 0, over players and seeds, while the value is wrong by more than rounding.
    pub(crate) wrong_zeros: u64,
    /// How many estimates are the equal split of a game that is not.
    pub(crate) equal_splits: u64,
    /// Of one estimate.
    pub(crate) milliseconds: f64,
}

impl Cell {
    /// `width`, as it would be with many seeds if errors are normal: the median of a root mean square of K of them is
    /// √((1 − 2/(9K))³) standard deviations (Wilson & Hilferty 1931), 0.69 for one and 0.97 for ten.
    pub(crate) fn calibrated_width(&self) -> Option<f64> {
        self.width.map(|width| width * (1.0 - 2.0 / (9.0 * self.seeds as f64)).powf(1.5))
    }
}

fn mean(numbers: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) = numbers.into_iter().fold((0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// The middle number, or the mean of the middle two.
pub(crate) fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let lower = numbers.len().checked_sub(1)? / 2;
    Some((numbers[lower] + numbers[middle]) / 2.0)
}

/// The standard deviation of the logarithms of positive, finite numbers; none of fewer than two.
fn spread(numbers: &[f64]) -> Option<f64> {
    let logs: Vec<f64> = numbers.iter().filter(|x| **x > 0.0 && x.is_finite()).map(|x| x.ln()).collect();
    let middle = mean(logs.iter().copied()).filter(|_| logs.len() > 1)?;
    mean(logs.iter().map(|log| (log - middle).powi(2))).map(f64::sqrt)
}

pub(crate) fn measure(problem: &Problem, budget: &Budget, solver: Solver, seeds: u64) -> Result<Cell> {
    let Problem { game, exact, .. } = problem;
    let players = exact.len();
    let mut estimates = Vec::new();
    let start = Instant::now();
    for seed in problem.first_seed..problem.first_seed + seeds {
        estimates.push(solver.estimate(&**game, budget.evaluations, seed)?);
    }
    let milliseconds = start.elapsed().as_secs_f64() * 1e3 / seeds as f64;

    let length: f64 = exact.iter().map(|x| x * x).sum();
    let share = exact.iter().sum::<f64>() / players as f64;
    // Rounding: a value is a difference of numbers as large as all of them together.
    let slack = 1e-12 * exact.iter().map(|x| x.abs()).sum::<f64>().max(length.sqrt());
    let largest = |a: &usize, b: &usize| exact[*a].abs().total_cmp(&exact[*b].abs());
    let top = (0..players).max_by(largest).unwrap_or(0);

    let (mut covered, mut top_covered, mut wrong_zeros, mut equal_splits) = (0_u64, 0_u64, 0, 0);
    let (mut squares, mut widths) = (vec![0.0; players], vec![0.0; players]);
    for estimate in &estimates {
        for (player, exact) in exact.iter().enumerate() {
            let off = estimate.values()[player] - exact;
            let half_width = estimate.half_width(player, LEVEL);
            squares[player] += off * off;
            widths[player] += half_width;
            let is_covered = off.abs() <= half_width + slack;
            covered += u64::from(is_covered);
            top_covered += u64::from(is_covered && player == top);
            wrong_zeros += u64::from(estimate.std_errors()[player] <= 0.0 && off.abs() > slack);
        }
        let is_equal = |numbers: &[f64]| numbers.iter().all(|x| (x - share).abs() <= slack);
        equal_splits += u64::from(is_equal(estimate.values()) && !is_equal(exact));
    }
    let runs = seeds as f64;
    let total: f64 = squares.iter().sum();
    let ratios = squares.iter().zip(&widths).filter(|(square, _)| **square > runs * slack * slack);
    Ok(Cell {
        set: problem.set,
        kind: problem.kind.clone(),
        game: problem.game_name.clone(),
        players,
        budget: budget.name.clone(),
        evaluations: budget.evaluations,
        solver,
        seeds,
        used: estimates.iter().map(|estimate| estimate.evaluations() as f64).sum::<f64>() / runs,
        error: total / (runs * length),
        equal_split: exact.iter().map(|x| (x - share).powi(2)).sum::<f64>() / length,
        mse: total / (runs * players as f64),
        coverage: covered as f64 / (runs * players as f64),
        top_coverage: top_covered as f64 / runs,
        width: median(ratios.map(|(square, width)| width / runs / (QUANTILE * (square / runs).sqrt())).collect()),
        spread: mean(estimates.iter().filter_map(|estimate| spread(estimate.std_errors()))),
        wrong_zeros,
        equal_splits,
        milliseconds,
    })
}
