//! The permutation sampler against what a sampler cannot do without.
//!
//! `cargo bench -p shapley-benches --bench permutation` prints criterion's times, then a table of nanoseconds an
//! evaluation and ratios, each of two things that ran in turn on one thread:
//!
//! * a game with a **walk** of no cost, against a **bare loop** that shuffles, walks and accumulates: one order after
//!   another from one generator, no standard errors, no pairs, no streams, nothing checked;
//! * two **threads** against one, on a game that computes for 20 microseconds;
//!
//! and last the memory that a run for 100 000 players holds at most, by an allocator that counts.

mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use common::{paired, time};
use criterion::{BenchmarkId, Criterion, Throughput};
use peak_alloc::PeakAlloc;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use shapley::{Coalition, Game, Permutation, from_fn};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// A game whose walk costs nothing: the value depends on the size alone.
struct Sizes(usize);

#[inline]
fn of_size(size: usize) -> f64 {
    (size * size) as f64
}

impl Game for Sizes {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.0
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        of_size(coalition.len())
    }

    fn walk(&self, order: &[usize], values: &mut Vec<f64>) {
        values.extend((1..=order.len()).map(of_size));
    }
}

/// As many evaluations as a run of the sampler makes, in the plainest way.
fn bare_loop(players: usize, evaluations: u64) -> Vec<f64> {
    let mut generator = ChaCha8Rng::from_seed([7; 32]);
    let mut order: Vec<usize> = (0..players).collect();
    let mut phi = vec![0.0; players];
    let permutations = evaluations / players as u64;
    for _ in 0..permutations {
        for last in (1..players).rev() {
            // Lemire's bounded draw; the rejection, which is rare, is left out.
            let drawn = (u128::from(generator.next_u64()) * (last as u128 + 1)) >> 64;
            order.swap(last, drawn as usize);
        }
        let mut before = 0.0;
        for (k, &player) in order.iter().enumerate() {
            let value = black_box(of_size(k + 1));
            phi[player] += value - before;
            before = value;
        }
    }
    phi
}

fn sample(threads: usize, players: usize, evaluations: u64) -> f64 {
    let estimate = Permutation::new(evaluations).threads(threads).estimate(&Sizes(players)).expect("finite");
    estimate.std_errors()[0]
}

/// A game that computes for so long.
fn busy(players: usize, duration: Duration) -> impl Game<Value = f64> {
    from_fn(players, move |s| {
        let start = Instant::now();
        while start.elapsed() < duration {
            std::hint::spin_loop();
        }
        s.len() as f64
    })
}

/// Evaluations of a run at n players that takes some milliseconds.
fn evaluations(players: usize) -> u64 {
    2_000_000.max(20 * players as u64)
}

const PLAYERS: [usize; 4] = [16, 64, 1000, 100_000];

fn criterion_benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("permutation");
    group.sample_size(10);
    for players in PLAYERS {
        let evaluations = evaluations(players);
        group.throughput(Throughput::Elements(evaluations));
        group.bench_function(BenchmarkId::new("walk", players), |b| b.iter(|| sample(1, players, evaluations)));
        group.bench_function(BenchmarkId::new("bare loop", players), |b| b.iter(|| bare_loop(players, evaluations)));
    }
    group.finish();
}

fn ratios() {
    println!("\n| n | what | against | ns | ns | ratio |\n|--:|---|---|--:|--:|--:|");
    let row = |n: usize, evaluations: u64, what: &str, against: &str, (a, b, ratio): (Duration, Duration, f64)| {
        let each = |duration: Duration| duration.as_secs_f64() * 1e9 / evaluations as f64;
        println!("| {n} | {what} | {against} | {:.2} | {:.2} | {ratio:.2} |", each(a), each(b));
    };
    for n in PLAYERS {
        let evaluations = evaluations(n);
        let walk = || time(|| sample(1, n, evaluations));
        row(n, evaluations, "walk", "bare loop", paired(31, walk, || time(|| bare_loop(n, evaluations))));
    }
    let game = busy(16, Duration::from_micros(20));
    let threads = |threads| time(|| Permutation::new(20_000).threads(threads).estimate(&game).expect("finite"));
    row(16, 20_000, "20 µs, one thread", "two threads", paired(9, || threads(1), || threads(2)));

    let (n, evaluations) = (100_000, 10_000_000);
    println!("\n| n | evaluations | threads | most bytes held | for each player |\n|--:|--:|--:|--:|--:|");
    for threads in [1, 2, 4] {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        black_box(sample(threads, n, evaluations));
        let held = ALLOCATOR.peak_usage() - before;
        println!("| {n} | {evaluations} | {threads} | {held} | {} |", held / n);
    }
}

fn main() {
    common::run(criterion_benches, ratios);
}
