//! Exact solvers against what they cannot beat and what they should beat.
//!
//! `cargo bench -p shapley-benches --bench exact` prints criterion's times, then a table of ratios, each of two things
//! that ran in turn:
//!
//! * the **floor**: a vectorised sum of the same table, what it costs to read the values once;
//! * the **plain loop** over all n 2^(n−1) marginal contributions, what a definition written down costs;
//! * a game of no cost asked coalition by coalition, against its closure in a **bare loop** over the same coalitions;
//! * all **pairs** against the Shapley values of the same table.

mod common;

use common::{paired, time};
use criterion::{BenchmarkId, Criterion, Throughput};
use shapley::{Coalition, Exact, Index, Table, from_fn};

/// A table of random-looking values of n players.
fn table(players: usize) -> Table<f64> {
    let value = |mask: u64| (mask as f64 * 0.618_033_988_749).fract();
    Table::new((0..1_u64 << players).map(value).collect()).expect("a power of two")
}

/// The sum of a table in 32 accumulators, which the compiler keeps in vector registers.
fn floor(values: &[f64]) -> f64 {
    let mut sums = [0.0; 32];
    for chunk in values.as_chunks::<32>().0 {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value;
        }
    }
    sums.iter().sum()
}

/// Every marginal contribution, weighted by its coalition's size.
fn plain_loop(values: &[f64]) -> Vec<f64> {
    let n = values.len().ilog2() as usize;
    let mut weights = vec![1.0 / n as f64; n];
    for s in 1..n {
        weights[s] = weights[s - 1] * s as f64 / (n - s) as f64;
    }
    let mut phi = vec![0.0; n];
    for (player, phi) in phi.iter_mut().enumerate() {
        let bit = 1 << player;
        for mask in (0..values.len()).filter(|mask| mask & bit == 0) {
            *phi += weights[mask.count_ones() as usize] * (values[mask | bit] - values[mask]);
        }
    }
    phi
}

fn solve(threads: usize, table: &Table<f64>) -> Vec<f64> {
    Exact::new().threads(threads).solve(table).expect("finite").into_values()
}

fn pairs(threads: usize, table: &Table<f64>) -> f64 {
    let pairs = Exact::new().threads(threads).interactions(table, Index::Shapley, 2).expect("finite");
    *pairs.get(&[0, 1]).expect("two players")
}

fn criterion_benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("exact");
    group.sample_size(20);
    for players in [16, 20, 24] {
        let table = table(players);
        group.throughput(Throughput::Elements(1 << players));
        group.bench_with_input(BenchmarkId::new("floor", players), &table, |b, t| b.iter(|| floor(t.values())));
        for (name, threads) in [("one thread", 1), ("all threads", 0)] {
            group.bench_with_input(BenchmarkId::new(name, players), &table, |b, t| b.iter(|| solve(threads, t)));
        }
        if players <= 20 {
            group.bench_with_input(BenchmarkId::new("pairs", players), &table, |b, t| b.iter(|| pairs(1, t)));
        }
    }
    group.finish();
}

fn ratios() {
    println!("\n| n | what | against | ms | ms | ratio |\n|--:|---|---|--:|--:|--:|");
    let row = |n: usize, what: &str, against: &str, (a, b, ratio): (_, _, f64)| {
        let ms = |duration: std::time::Duration| duration.as_secs_f64() * 1e3;
        println!("| {n} | {what} | {against} | {:.3} | {:.3} | {ratio:.2} |", ms(a), ms(b));
    };
    for n in [20, 24, 26] {
        let table = table(n);
        let (exact, loops) = (solve(1, &table), plain_loop(table.values()));
        assert!(exact.iter().zip(&loops).all(|(a, b)| (a - b).abs() < 1e-9));
        let rounds = if n == 20 { 101 } else { 21 };
        let read = || time(|| floor(table.values()));
        row(n, "values, one thread", "floor", paired(rounds, || time(|| solve(1, &table)), read));
        row(n, "values, all threads", "floor on one", paired(rounds, || time(|| solve(0, &table)), read));
        let rounds = if n == 20 { 11 } else { 3 };
        let plain = || time(|| plain_loop(table.values()));
        row(n, "plain loop", "values, one thread", paired(rounds, plain, || time(|| solve(1, &table))));
    }
    for n in [16, 20] {
        let table = table(n);
        row(n, "pairs, one thread", "values", paired(31, || time(|| pairs(1, &table)), || time(|| solve(1, &table))));
    }
    for n in [20, 22] {
        let size = |s: &Coalition| s.len() as f64;
        let game = from_fn(n, size);
        let coalitions: Vec<Coalition> = (0..1_u64 << n)
            .map(|mask| Coalition::from_players(n, (0..n).filter(|player| mask >> player & 1 == 1)))
            .collect();
        let stream = || time(|| Exact::new().threads(1).solve(&game).expect("finite"));
        let bare = || time(|| coalitions.iter().map(size).sum::<f64>());
        row(n, "streamed game", "bare loop", paired(31, stream, bare));
    }
}

fn main() {
    common::run(criterion_benches, ratios);
}
