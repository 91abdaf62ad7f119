//! The error of estimators after so many evaluations, on real games whose exact values are known.
//!
//! `cargo bench -p shapley-benches --bench accuracy -- 30` runs 30 seeds. The tables of the games and the errors of
//! other libraries' estimators are in `tests/data/accuracy`; `tests/data/README.md` says where they are from.
//!
//! An error is the squared distance to the exact values over their squared length, as a mean over seeds; coverage is
//! the share of values that lie in their 95 % interval.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use shapley::{Estimate, KernelShap, Permutation, Surrogate, Table, TryGame};

const GAMES: [&str; 5] = ["diabetes_r2", "bike_rf", "forest_digits", "sent14", "voting16"];
const BUDGETS: [u64; 5] = [100, 250, 500, 1000, 2000];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/accuracy")
}

/// A table of all 2^n values.
fn read_table(name: &str) -> Result<Table<f64>> {
    let bytes = fs::read(folder().join(format!("{name}.f64")))?;
    let (numbers, _) = bytes.as_chunks::<8>();
    Ok(Table::new(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect::<Vec<f64>>())?)
}

/// What an estimator reaches.
#[derive(Clone, Copy)]
struct Reached {
    error: f64,
    coverage: f64,
    milliseconds: f64,
}

fn measure<G: TryGame<Value = f64>>(
    exact: &[f64],
    seeds: u64,
    game: &G,
    estimate: impl Fn(u64, &G) -> Option<Estimate<f64>>,
) -> Option<Reached> {
    let length: f64 = exact.iter().map(|x| x * x).sum();
    let (mut error, mut covered) = (0.0, 0);
    let start = Instant::now();
    for seed in 0..seeds {
        let estimate = estimate(seed, game)?;
        for (player, exact) in exact.iter().enumerate() {
            error += (estimate.values()[player] - exact).powi(2) / length;
            let (low, high) = estimate.interval(player, 0.95);
            // Up to rounding.
            let slack = 1e-12 * length.sqrt();
            covered += u32::from((low - slack..=high + slack).contains(exact));
        }
    }
    let runs = seeds as f64;
    let coverage = f64::from(covered) / (runs * exact.len() as f64);
    Some(Reached { error: error / runs, coverage, milliseconds: start.elapsed().as_secs_f64() * 1e3 / runs })
}

type Solve<'a> = dyn Fn(u64, &Table<f64>) -> Option<Estimate<f64>> + 'a;

type Errors = BTreeMap<String, BTreeMap<String, f64>>;

fn main() -> Result<()> {
    // Cargo adds `--bench`.
    let wishes: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let seeds = wishes.first().map_or(Ok(10), |seeds| seeds.parse())?;
    let wanted =
        |name: &str| wishes.get(1).is_none_or(|names| names.split(',').any(|wish| wish == name || wish == "all"));
    let affordable =
        |budget: u64| wishes.get(2).is_none_or(|budgets| budgets.split(',').any(|wish| wish == budget.to_string()));
    let peers: BTreeMap<String, Errors> = serde_json::from_str(&fs::read_to_string(folder().join("peers.json"))?)?;
    let prototype: Errors = serde_json::from_str(&fs::read_to_string(folder().join("prototype.json"))?)?;
    println!(
        "| game | evaluations | Surrogate | coverage | ms | KernelShap | coverage | Permutation | coverage | best published | of it | prototype |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut by_budget: BTreeMap<u64, Vec<[f64; 3]>> = BTreeMap::new();
    let mut by_peer: BTreeMap<u64, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    let mut coverages = Vec::new();
    for name in GAMES.into_iter().filter(|name| wanted(name)) {
        let game = read_table(name)?;
        let exact = shapley::exact(&game)?.into_values();
        for budget in BUDGETS.into_iter().filter(|budget| affordable(*budget)) {
            if budget >= 1 << exact.len() {
                continue;
            }
            let none = Reached { error: f64::NAN, coverage: f64::NAN, milliseconds: f64::NAN };
            let run = |solve: &Solve<'_>| measure(&exact, seeds, &game, solve).unwrap_or(none);
            let surrogate = run(&|seed, game| Surrogate::new(budget).seed(seed).threads(1).estimate(game).ok());
            let regression = run(&|seed, game| KernelShap::new(budget).seed(seed).threads(1).estimate(game).ok());
            let walks = run(&|seed, game| Permutation::new(budget).seed(seed).threads(1).estimate(game).ok());
            let at = |errors: &BTreeMap<String, f64>| errors.get(&budget.to_string()).copied();
            let theirs = peers[name].iter().filter_map(|(peer, errors)| Some((peer, at(errors)?)));
            let (peer, best) = theirs.min_by(|a, b| a.1.total_cmp(&b.1)).ok_or("no peer")?;
            let before = at(&prototype[name]).unwrap_or(f64::NAN);
            println!(
                "| {name} | {budget} | {:.2e} | {:.3} | {:.0} | {:.2e} | {:.3} | {:.2e} | {:.3} | {peer} {best:.2e} | {:.2} | {before:.2e} |",
                surrogate.error,
                surrogate.coverage,
                surrogate.milliseconds,
                regression.error,
                regression.coverage,
                walks.error,
                walks.coverage,
                surrogate.error / best
            );
            let relative = |error: f64| error / walks.error;
            by_budget.entry(budget).or_default().push([surrogate.error, regression.error, before].map(relative));
            for (peer, errors) in &peers[name] {
                if let Some(error) = at(errors) {
                    by_peer.entry(budget).or_default().entry(peer.clone()).or_default().push(relative(error));
                }
            }
            coverages.push(surrogate.coverage);
        }
    }
    let mean = |numbers: &mut dyn Iterator<Item = f64>| {
        let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), x| (sum + x.ln(), count + 1.0));
        f64::exp(sum / count)
    };
    println!("\nGeometric means over games, against Permutation:\n");
    println!("| evaluations | Surrogate | KernelShap | prototype | best single published | of it |");
    println!("|--:|--:|--:|--:|--:|--:|");
    for (budget, ratios) in &by_budget {
        let [ours, regression, before] = [0, 1, 2].map(|k| mean(&mut ratios.iter().map(|ratios| ratios[k])));
        let whole = by_peer[budget].iter().filter(|(_, errors)| errors.len() == ratios.len());
        let theirs = whole.map(|(peer, errors)| (peer, mean(&mut errors.iter().copied())));
        let (peer, best) = theirs.min_by(|a, b| a.1.total_cmp(&b.1)).ok_or("no peer")?;
        println!("| {budget} | {ours:.4} | {regression:.3} | {before:.4} | {peer} {best:.3} | {:.3} |", ours / best);
    }
    println!("\nCoverage of the surrogate's intervals: {:.3}", coverages.iter().sum::<f64>() / coverages.len() as f64);
    Ok(())
}
