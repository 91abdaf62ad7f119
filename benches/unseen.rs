//! The error of estimators after so many evaluations, on games that none of them was tuned on.
//!
//! `cargo bench -p shapley-benches --bench unseen -- 10` runs 10 seeds; `--tables DIR` writes all values of each
//! game instead, as 64-bit floats, the least significant byte first, by bit mask, and `games.json` with the number
//! of players of each.
//!
//! What errors and coverage are is in `benches/accuracy.rs`.

#[path = "unseen/games.rs"]
mod games;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use shapley::{Estimate, KernelShap, Permutation, Surrogate, Table, TryGame};

const BUDGETS: [u64; 5] = [100, 250, 500, 1000, 2000];
const SOLVERS: [&str; 3] = ["Surrogate", "KernelShap", "Permutation"];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What an estimator reaches.
#[derive(Clone, Copy)]
struct Reached {
    error: f64,
    coverage: f64,
    milliseconds: f64,
}

fn measure(exact: &[f64], seeds: u64, estimate: impl Fn(u64) -> Result<Estimate<f64>>) -> Result<Reached> {
    let length: f64 = exact.iter().map(|x| x * x).sum();
    let slack = 1e-12 * length.sqrt(); // up to rounding
    let (mut error, mut covered) = (0.0, 0);
    let start = Instant::now();
    for seed in 0..seeds {
        let estimate = estimate(seed)?;
        for (player, exact) in exact.iter().enumerate() {
            error += (estimate.values()[player] - exact).powi(2) / length;
            let (low, high) = estimate.interval(player, 0.95);
            covered += u32::from((low - slack..=high + slack).contains(exact));
        }
    }
    let runs = seeds as f64;
    let coverage = f64::from(covered) / (runs * exact.len() as f64);
    Ok(Reached { error: error / runs, coverage, milliseconds: start.elapsed().as_secs_f64() * 1e3 / runs })
}

/// All three, in the order of their names.
fn reached<G: TryGame<Value = f64>>(game: &G, exact: &[f64], seeds: u64, budget: u64) -> Result<[Reached; 3]>
where
    G::Error: Error + 'static,
{
    Ok([
        measure(exact, seeds, |seed| Ok(Surrogate::new(budget).seed(seed).threads(1).estimate(game)?))?,
        measure(exact, seeds, |seed| Ok(KernelShap::new(budget).seed(seed).threads(1).estimate(game)?))?,
        measure(exact, seeds, |seed| Ok(Permutation::new(budget).seed(seed).threads(1).estimate(game)?))?,
    ])
}

fn write_tables(folder: &Path, games: &[(&str, Table<f64>)]) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut players = BTreeMap::new();
    for (name, table) in games {
        let bytes: Vec<u8> = table.values().iter().flat_map(|value| value.to_le_bytes()).collect();
        fs::write(folder.join(format!("{name}.f64")), bytes)?;
        players.insert(*name, table.values().len().ilog2());
    }
    Ok(fs::write(folder.join("games.json"), serde_json::to_string_pretty(&players)?)?)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let games = games::all()?;
    if let Some(place) = arguments.iter().position(|argument| argument == "--tables") {
        return write_tables(Path::new(arguments.get(place + 1).ok_or("--tables wants a folder")?), &games);
    }
    let seeds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(10);
    println!("| game | n | evaluations |{}", SOLVERS.map(|name| format!(" {name} | coverage | ms |")).concat());
    println!("|---|--:|--:|{}", "--:|".repeat(3 * SOLVERS.len()));
    let mut all: BTreeMap<u64, Vec<[Reached; 3]>> = BTreeMap::new();
    for (name, game) in &games {
        let exact = shapley::exact(game)?.into_values();
        for budget in BUDGETS.into_iter().filter(|budget| *budget < 1 << exact.len()) {
            let reached = reached(game, &exact, seeds, budget)?;
            let cells = reached.map(|r| format!(" {:.2e} | {:.3} | {:.1} |", r.error, r.coverage, r.milliseconds));
            println!("| {name} | {} | {budget} |{}", exact.len(), cells.concat());
            all.entry(budget).or_default().push(reached);
        }
    }
    println!("\nGeometric means over games, against Permutation; errors of nothing count as 1e-30:\n");
    println!("| evaluations | games | Surrogate | KernelShap |\n|--:|--:|--:|--:|");
    for (budget, rows) in &all {
        let ratio = |solver: usize| {
            let logs = rows.iter().map(|row| (row[solver].error.max(1e-30) / row[2].error.max(1e-30)).ln());
            (logs.sum::<f64>() / rows.len() as f64).exp()
        };
        println!("| {budget} | {} | {:.2e} | {:.2e} |", rows.len(), ratio(0), ratio(1));
    }
    println!("\n| coverage of 95 % intervals | smallest | mean | largest |\n|---|--:|--:|--:|");
    for (solver, name) in SOLVERS.into_iter().enumerate() {
        let coverages = || all.values().flatten().map(|row| row[solver].coverage);
        let mean = coverages().sum::<f64>() / coverages().count() as f64;
        let (low, high) = (coverages().fold(1.0, f64::min), coverages().fold(0.0, f64::max));
        println!("| {name} | {low:.3} | {mean:.3} | {high:.3} |");
    }
    Ok(())
}
