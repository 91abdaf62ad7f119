//! Exact Shapley values of a random game whose 2^n values are known: other Rust crates against this one, all on one thread, and
//! ours on all threads besides.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml
//! ```
//!
//! It takes half a minute and prints a Markdown table. Every line is from runs in turn of the peer, of ours, of ours
//! again, and of ours on all threads, after a check that both give the same values to 1e-9. Ours is run twice because it reads the table once:
//! after the peer it finds little of it in the caches, and the second time what they hold. A peer that goes over the
//! table n times hardly notices. What each one does within the time that is taken:
//!
//! * `coopgame`: `values::shapley` of an `ExplicitGame`, which has the table in memory. It goes through the n 2^(n-1)
//!   marginal contributions, and is the fastest exact way that the crate has for a game in a table.
//! * `shap-rs`: `ExactExplainer`, which takes a model and no table: it builds 2^n masked rows, asks the model for them,
//!   keeps the answers, and goes through the marginal contributions. The model here reads a row as a mask and looks it
//!   up in the table.
//! * `shapley 0.1`: `Shapley::shapley_value` of that version of the crate, for each player. It keeps the values in a
//!   hash map from sets of players, built before the time is taken, and looks up every marginal contribution.
//! * ours: `Exact::new().threads(1).solve(&table)`.

use std::collections::HashMap;
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use coopgame::{ExplicitGame, values};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use shap_rs::explainers::ExactExplainer;
use shap_rs::{EvaluationConfig, Explainer, FixedMasker, FnModel};
use shapley::{Exact, Table};

/// A line ends after this long, or after [`MOST_RUNS`], but not before [`LEAST_RUNS`].
const TIME_PER_LINE: Duration = Duration::from_secs(8);
const LEAST_RUNS: usize = 3;
const MOST_RUNS: usize = 51;

fn main() -> Result<(), Box<dyn Error>> {
    println!("Each cell: minimum / median.\n");
    println!("| peer | n | runs | peer, ms | ours, ms | ratio | ours again, ms | ratio | all threads, ms | ratio |");
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for n in [16, 20, 24] {
        let table = random_table(n)?;
        let game = ExplicitGame::from_binary(&table.values()[1..])?;
        compare("coopgame 0.3.1", &table, || Ok(values::shapley(&game)))?;
    }
    for n in [10, 16, 20] {
        let table = random_table(n)?;
        let explainer = model_explainer(table.values())?;
        let row = Array2::ones((1, n));
        compare("shap-rs 0.1.0", &table, || Ok(explainer.explain(row.view())?.values().iter().copied().collect()))?;
    }
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    for n in [10, 16] {
        let table = random_table(n)?;
        let game = hashed_game(table.values());
        let solve = || (0..n as u64).map(|player| game.shapley_value(player)).collect::<Result<_, _>>();
        compare("shapley 0.1.1", &table, || Ok(one_thread.install(solve)?))?;
    }
    Ok(())
}

/// 2^n values between 0 and 1, that of the empty coalition being 0: coopgame knows no other games.
fn random_table(n: usize) -> Result<Table<f64>, shapley::Error> {
    let mut state = n as u64;
    let mut values: Vec<f64> = (0..1_usize << n)
        .map(|_| {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = state;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        })
        .collect();
    values[0] = 0.0;
    Table::new(values)
}

/// shap-rs for a model that looks up the row's ones in the table; absent columns are zero.
fn model_explainer(values: &[f64]) -> Result<impl Explainer, shap_rs::ShapError> {
    let n = values.len().ilog2() as usize;
    let model = FnModel::new(move |rows: ArrayView2<'_, f64>| {
        let value = |row: ndarray::ArrayView1<'_, f64>| {
            let mask = row.iter().enumerate().fold(0, |mask, (bit, &x)| mask | usize::from(x > 0.5) << bit);
            values[mask]
        };
        Ok(rows.map_axis(Axis(1), value).insert_axis(Axis(1)))
    });
    let evaluation =
        EvaluationConfig { coalition_batch_size: 64, cache_capacity: values.len().max(64), max_model_rows: None };
    Ok(ExactExplainer::from_masker(model, FixedMasker::new(Array1::zeros(n))?).with_evaluation_config(evaluation))
}

/// The game as shapley 0.1 takes it.
fn hashed_game(values: &[f64]) -> shapley_0_1::Shapley {
    let n = u64::from(values.len().ilog2());
    let members = |mask: usize| (0..n).filter(|player| mask >> player & 1 == 1).collect();
    let worth: HashMap<_, _> =
        values.iter().enumerate().map(|(mask, &value)| (shapley_0_1::Coalition::new(members(mask)), value)).collect();
    shapley_0_1::Shapley::new((0..n).collect(), worth)
}

/// Checks that a peer agrees with ours, times them in turn, and prints the line.
fn compare(
    name: &str,
    table: &Table<f64>,
    peer: impl Fn() -> Result<Vec<f64>, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let ours = Exact::new().threads(1);
    let (theirs, expected) = (peer()?, ours.solve(table)?);
    let agree = |(left, right): (&f64, &f64)| (left - right).abs() <= 1e-9;
    let n = theirs.len();
    if n != expected.len() || !theirs.iter().zip(expected.values()).all(agree) {
        return Err(format!("{name} differs at n = {n}: {theirs:?} against {:?}", expected.values()).into());
    }

    let all = Exact::new();
    let (mut peer_ms, mut ours_ms, mut again_ms, mut all_ms) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    while ours_ms.len() < LEAST_RUNS || (ours_ms.len() < MOST_RUNS && start.elapsed() < TIME_PER_LINE) {
        peer_ms.push(milliseconds(&peer)?);
        ours_ms.push(milliseconds(|| Ok(ours.solve(black_box(table))?))?);
        again_ms.push(milliseconds(|| Ok(ours.solve(black_box(table))?))?);
        all_ms.push(milliseconds(|| Ok(all.solve(black_box(table))?))?);
    }
    let runs = ours_ms.len();
    let [peer, ours, again, all] = [peer_ms, ours_ms, again_ms, all_ms].map(summary);
    print!("| {name} | {n} | {runs} | {:.2} / {:.2} ", peer[0], peer[1]);
    for time in [ours, again, all] {
        print!("| {:.3} / {:.3} | {:.0} / {:.0} ", time[0], time[1], peer[0] / time[0], peer[1] / time[1]);
    }
    println!("|");
    Ok(())
}

/// How long a run takes, without the freeing of its result.
fn milliseconds<T>(run: impl Fn() -> Result<T, Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    let result = black_box(run()?);
    let time = start.elapsed();
    drop(result);
    Ok(time.as_secs_f64() * 1e3)
}

/// Minimum and median, the upper one if their number is even.
fn summary(mut times: Vec<f64>) -> [f64; 2] {
    times.sort_by(f64::total_cmp);
    [times[0], times[times.len() / 2]]
}
