//! How often the intervals of `Permutation` have the true value, how wide they are, and how far off runs are that stop by
//! a precision: on games whose values are known.
//!
//! `cargo bench -p shapley-benches --bench intervals`; `--games vote` measures only games with this in their names.
//! `docs/benchmarks.md` has what it showed.

mod games;
#[path = "../common/random_games.rs"]
mod random_games;

use std::error::Error;

use clap::Parser;
use rayon::prelude::*;
use shapley::{Estimate, Permutation, Stopped};

use games::Known;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Numbers of samples, which are pairs of walks.
const SAMPLES: [u64; 4] = [5, 20, 100, 1000];

/// Coverage and width of intervals.
#[derive(Parser)]
struct Options {
    /// Only games whose names have one of these texts in them.
    #[arg(long, value_delimiter = ',')]
    games: Vec<String>,
    /// How many estimates are made of each kind.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The part of `cases` that are so.
fn share(cases: impl Iterator<Item = bool>) -> f64 {
    let (count, so) = cases.fold((0_u64, 0_u64), |(count, so), case| (count + 1, so + u64::from(case)));
    so as f64 / count as f64
}

impl Known {
    fn cost(&self) -> u64 {
        2 * (self.shapley.len() as u64 - 1)
    }

    /// How far off a player's value is.
    fn error(&self, estimate: &Estimate<f64>, player: usize) -> f64 {
        (estimate.values()[player] - self.shapley[player]).abs()
    }

    /// Rounding: values that are nearer count as equal.
    fn rounding(&self) -> f64 {
        1e-9 * self.shapley.iter().fold(0.0, |most: f64, value| most.max(value.abs()))
    }

    fn estimates(&self, sampler: &Permutation, seeds: u64) -> Result<Vec<Estimate<f64>>> {
        let sampler = sampler.clone().threads(1);
        let estimate = |seed| sampler.clone().seed(seed).estimate(&self.game).map_err(|error| error.to_string());
        Ok((0..seeds).into_par_iter().map(estimate).collect::<std::result::Result<_, String>>()?)
    }

    /// Coverage over all players, in the worst fifth of them by |φ|, and for the largest.
    fn coverage(&self, estimates: &[Estimate<f64>]) -> [f64; 3] {
        let players = self.shapley.len();
        let mut order: Vec<usize> = (0..players).collect();
        order.sort_by(|&a, &b| self.shapley[a].abs().total_cmp(&self.shapley[b].abs()));
        let rounding = self.rounding();
        let of = |players: &[usize]| {
            let cases = estimates.iter().flat_map(|estimate| players.iter().map(move |&player| (estimate, player)));
            share(cases.map(|(e, player)| self.error(e, player) <= e.half_width(player, 0.95) + rounding))
        };
        let fifth = |k: usize| &order[k * players / 5..(k + 1) * players / 5];
        let worst = (0..5).map(fifth).filter(|fifth| !fifth.is_empty()).map(of).fold(1.0, f64::min);
        [of(&order), worst, of(&order[players - 1..])]
    }

    /// For each player the standard deviation of a sample, from how far all estimates are off.
    fn spreads(&self, all: &[(u64, Vec<Estimate<f64>>)]) -> Vec<f64> {
        let spread = |player| {
            let squares = all.iter().flat_map(|(samples, estimates)| {
                estimates.iter().map(move |estimate| *samples as f64 * self.error(estimate, player).powi(2))
            });
            let count: usize = all.iter().map(|(_, estimates)| estimates.len()).sum();
            (squares.sum::<f64>() / count as f64).sqrt()
        };
        (0..self.shapley.len()).map(spread).collect()
    }

    /// Half widths over those that would cover 0.95, if the errors were known and normal: the median.
    fn width(&self, samples: u64, estimates: &[Estimate<f64>], spreads: &[f64]) -> f64 {
        let uncertain = spreads.iter().enumerate().filter(|(_, spread)| **spread > self.rounding());
        let ratio = |(player, spread): (usize, &f64)| {
            let known = 1.96 * spread / (samples as f64).sqrt();
            estimates.iter().map(move |estimate| estimate.half_width(player, 0.95) / known).collect::<Vec<_>>()
        };
        median(uncertain.flat_map(ratio).collect())
    }

    fn row(&self, seeds: u64) -> Result<()> {
        let mut all = Vec::new();
        for samples in SAMPLES {
            all.push((samples, self.estimates(&Permutation::new(2 + samples * self.cost()), seeds)?));
        }
        let spreads = self.spreads(&all);
        let cells = all.iter().map(|(samples, estimates)| {
            let [of_all, fifth, largest] = self.coverage(estimates);
            let width = self.width(*samples, estimates, &spreads);
            format!("{of_all:.3} {fifth:.2} {largest:.2} × {width:.2}")
        });
        let name = if self.is_tuned_on { format!("{} *", self.name) } else { self.name.clone() };
        println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
        Ok(())
    }

    /// Runs that stop by a precision: where contributions are rare, with as many evaluations at least as show most of
    /// them.
    fn stopped_row(&self, part: f64, seeds: u64) -> Result<()> {
        let largest = self.shapley.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        let precision = part * largest;
        let at_least = self.chance.map_or(0, |chance| 2 + (20_f64.ln() / chance).ceil() as u64 * self.cost());
        let budget = 2 + 20_000 * self.cost();
        let sampler = Permutation::new(budget).precision(precision).at_least(at_least);
        let mut estimates = self.estimates(&sampler, seeds)?;
        let all = estimates.len();
        estimates.retain(|estimate| estimate.stopped() == Stopped::Precision);
        if estimates.is_empty() {
            return Ok(());
        }
        let players = 0..self.shapley.len();
        let is_off = |estimate: &Estimate<f64>, player| self.error(estimate, player) > precision + self.rounding();
        let runs = share(estimates.iter().map(|estimate| players.clone().any(|player| is_off(estimate, player))));
        let single = share(
            estimates.iter().flat_map(|e| players.clone().map(move |player| (e, player))).map(|(e, p)| is_off(e, p)),
        );
        let samples = median(estimates.iter().map(|e| ((e.evaluations() - 2) / self.cost()) as f64).collect());
        println!(
            "| {} | {part} | {} | {samples} | {} of {all} | {single:.4} | {runs:.3} |",
            self.name,
            (at_least.saturating_sub(2)) / self.cost(),
            estimates.len()
        );
        Ok(())
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let mut games = games::all()?;
    games.retain(|known| options.games.is_empty() || options.games.iter().any(|part| known.name.contains(part)));
    println!("Coverage over all players, in the worst fifth by |φ|, and for the largest; × the median width\n");
    println!("| game | 5 pairs | 20 | 100 | 1000 |\n|---|---|---|---|---|");
    games.iter().try_for_each(|known| known.row(options.seeds))?;
    println!("\nRuns that stop by a precision, in parts of the largest value\n");
    println!("| game | precision | at least, samples | samples | stopped | values off | runs off |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for known in &games {
        for part in [1.0, 0.5, 0.2] {
            known.stopped_row(part, options.seeds)?;
        }
    }
    Ok(())
}
