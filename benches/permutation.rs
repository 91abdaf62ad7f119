//! The permutation sampler against what a sampler cannot do without.
//!
//! `cargo bench -p shapley-benches --bench permutation` prints criterion's times, then a table of nanoseconds an
//! evaluation and ratios, each of two things that ran in turn on one thread:
//!
//! * a game that is the square root of the size, by a **walk** of its own, against a **bare loop**: the same square roots
//!   along orders from one xorshift generator, and for each player the sums of contributions and of their squares; no
//!   pairs, no streams, nothing checked;
//! * the same game as a **closure** that asks each coalition for its size, against a bare loop that does so too;
//! * two **threads** against one, on a game that computes for 20 microseconds;
//!
//! and last the memory that a run for 100 000 players holds at most, by an allocator that counts.

mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use common::{paired, time};
use criterion::{BenchmarkId, Criterion, Throughput};
use peak_alloc::PeakAlloc;
use shapley::{Coalition, Game, Permutation, from_fn};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// A game whose walk costs nothing: the value depends on the size alone.
struct Sizes(usize);

#[inline]
fn of_size(size: usize) -> f64 {
    (size as f64).sqrt()
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

/// As many evaluations as a run of the sampler makes, in the plainest way: means and standard errors are made of what
/// it returns. `walk` begins a walk, and what it returns is the value when one more player has come.
fn bare_loop<W: FnMut(usize) -> f64>(players: usize, evaluations: u64, walk: impl Fn() -> W) -> [Vec<f64>; 2] {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut order: Vec<usize> = (0..players).collect();
    let (mut sums, mut squares) = (vec![0.0; players], vec![0.0; players]);
    for _ in 0..evaluations / players as u64 {
        for last in (1..players).rev() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // By multiplication, which is faster than a remainder, and without rejection.
            let drawn = (u128::from(state) * (last as u128 + 1)) >> 64;
            order.swap(last, drawn as usize);
        }
        let (mut value_with, mut before) = (walk(), 0.0);
        for &player in &order {
            let value = value_with(player);
            let contribution = value - before;
            sums[player] += contribution;
            squares[player] += contribution * contribution;
            before = value;
        }
    }
    [sums, squares]
}

/// The square root of the size.
fn bare_sizes(players: usize, evaluations: u64) -> [Vec<f64>; 2] {
    bare_loop(players, evaluations, || {
        let mut size = 0;
        move |_| {
            size += 1;
            of_size(size)
        }
    })
}

/// The same, of a coalition that grows.
fn bare_coalitions(players: usize, evaluations: u64) -> [Vec<f64>; 2] {
    bare_loop(players, evaluations, || {
        let mut prefix = Coalition::empty(players);
        move |player| {
            prefix.insert(player);
            of_size(prefix.len())
        }
    })
}

fn sample<G: Game<Value = f64>>(threads: usize, game: &G, evaluations: u64) -> f64 {
    let estimate = Permutation::new(evaluations).threads(threads).estimate(game).expect("finite");
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

/// With more, counting the members is all there is.
const COUNTED: [usize; 3] = [16, 64, 1000];

fn criterion_benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("permutation");
    group.sample_size(10);
    for players in PLAYERS {
        let evaluations = evaluations(players);
        group.throughput(Throughput::Elements(evaluations));
        group.bench_function(BenchmarkId::new("walk", players), |b| b.iter(|| sample(1, &Sizes(players), evaluations)));
        group.bench_function(BenchmarkId::new("bare loop", players), |b| b.iter(|| bare_sizes(players, evaluations)));
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
        let walk = || time(|| sample(1, &Sizes(n), evaluations));
        row(n, evaluations, "walk", "bare loop", paired(31, walk, || time(|| bare_sizes(n, evaluations))));
    }
    for n in COUNTED {
        let (evaluations, game) = (evaluations(n), from_fn(n, |s| of_size(s.len())));
        let walk = || time(|| sample(1, &game, evaluations));
        row(n, evaluations, "closure", "bare loop", paired(31, walk, || time(|| bare_coalitions(n, evaluations))));
    }
    let game = busy(16, Duration::from_micros(20));
    let threads = |threads| time(|| Permutation::new(20_000).threads(threads).estimate(&game).expect("finite"));
    row(16, 20_000, "20 µs, one thread", "two threads", paired(9, || threads(1), || threads(2)));

    let (n, evaluations) = (100_000, 10_000_000);
    println!("\n| n | evaluations | threads | most bytes held | for each player |\n|--:|--:|--:|--:|--:|");
    for threads in [1, 2, 4] {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        black_box(sample(threads, &Sizes(n), evaluations));
        let held = ALLOCATOR.peak_usage() - before;
        println!("| {n} | {evaluations} | {threads} | {held} | {} |", held / n);
    }
}

fn main() {
    common::run(criterion_benches, ratios);
}
