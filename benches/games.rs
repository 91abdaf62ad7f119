//! What closed forms and fast walks of ready-made games take, and how it grows.
//!
//! `cargo bench -p shapley-benches --bench games` prints criterion's times of small ones, and then tables: time against
//! size for each polynomial method, with the factor by which it grows from row to row; and ratios to the exact solver,
//! and to values one by one.

mod common;

use std::time::Duration;

use common::{paired, time};
use criterion::Criterion;
use shapley::games::{Airport, Glove, KNearest, MinimumSpanningTree, Unanimity, WeightedVoting};
use shapley::{Game, exact, from_fn};

/// A stream of numbers in [0, 1) that look random (SplitMix64).
fn number(which: usize) -> f64 {
    let mut z = (which as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A body of so many members whose weights sum to about `total`, a few of them large.
fn body(members: usize, total: u64) -> WeightedVoting {
    let raw: Vec<f64> = (0..members).map(|member| number(member).powi(4) + 0.01).collect();
    let scale = total as f64 / raw.iter().sum::<f64>();
    let weights: Vec<u64> = raw.iter().map(|weight| (weight * scale) as u64 + 1).collect();
    let total: u64 = weights.iter().sum();
    WeightedVoting::new(total / 2 + 1, weights).expect("a quota within the total")
}

fn points(count: usize, columns: usize, first: usize) -> (Vec<f64>, Vec<u8>) {
    let coordinates = (0..count * columns).map(|k| number(first + k)).collect();
    (coordinates, (0..count).map(|k| u8::from(number(first + 7 * k) > 0.5)).collect())
}

fn tree(players: usize) -> MinimumSpanningTree {
    let pairs = (0..players).flat_map(|a| (a + 1..=players).map(move |b| (a, b)));
    MinimumSpanningTree::new(players, pairs.enumerate().map(|(k, (a, b))| (a, b, number(k)))).expect("a whole graph")
}

/// Prints a row for each size: the best time of some rounds, and how much longer it is than that of the row before.
fn rows<R>(
    what: &str,
    sizes: &[usize],
    rounds: usize,
    growth: &str,
    mut work: impl FnMut(usize) -> Box<dyn Fn() -> R>,
) {
    let mut before: Option<Duration> = None;
    for &size in sizes {
        let work = work(size);
        let best = (0..rounds).map(|_| time(&work)).min().expect("some rounds");
        let factor = before.map_or(String::new(), |before| format!("{:.1}", best.as_secs_f64() / before.as_secs_f64()));
        println!("| {what} | {size} | {best:.2?} | {factor} | {growth} |");
        before = Some(best);
    }
}

fn table() {
    println!("\n| what | n | time | times the row before | should grow as |\n|---|--:|--:|--:|---|");
    rows("`Airport::shapley`", &[10_000, 100_000, 1_000_000], 5, "n log n", |n| {
        let game = Airport::new((0..n).map(number).collect::<Vec<_>>()).expect("costs");
        Box::new(move || game.shapley())
    });
    rows("`Glove::shapley`, n left and n + 1 right", &[10_000, 100_000, 1_000_000], 5, "n", |n| {
        Box::new(move || Glove::new(n, n + 1).shapley())
    });
    rows("`Unanimity::shapley`, n terms of 10 of 1000 players", &[1_000, 10_000, 100_000], 5, "n", |n| {
        let term = |k: usize| ((0..10).map(move |j| (number(10 * k + j) * 1000.0) as usize), number(k));
        let game = Unanimity::new(1000, (0..n).map(term)).expect("terms");
        Box::new(move || game.shapley())
    });
    rows("`MinimumSpanningTree::walk` of all n, whole graph", &[50, 100, 200, 400], 5, "n² log n", |n| {
        let (game, order) = (tree(n), (0..n).collect::<Vec<_>>());
        Box::new(move || {
            let mut values = Vec::new();
            game.walk(&order, &mut values);
            values
        })
    });
    rows("the same by `value`, one after the other", &[50, 100, 200, 400], 2, "n² to n³", |n| {
        let game = tree(n);
        Box::new(move || {
            let mut prefix = shapley::Coalition::empty(n);
            (0..n)
                .map(|player| {
                    prefix.insert(player);
                    game.value(&prefix)
                })
                .collect::<Vec<f64>>()
        })
    });
    rows("`KNearest::shapley`, k = 5, 20 columns, 100 test points", &[1_000, 10_000, 100_000], 3, "n log n", |n| {
        let (train, test) = (points(n, 20, 0), points(100, 20, 1 << 40));
        let game = KNearest::new(5, train, test).expect("points");
        Box::new(move || game.shapley())
    });
    rows("`WeightedVoting::shapley_shubik`, total 50 000", &[50, 100, 150, 200], 3, "n² total", |n| {
        let game = body(n, 50_000);
        Box::new(move || game.shapley_shubik())
    });
    rows("the same, of 100 members, total n", &[10_000, 100_000, 1_000_000], 1, "n", |total| {
        let game = body(100, total as u64);
        Box::new(move || game.shapley_shubik())
    });
    rows("`WeightedVoting::banzhaf`, total 50 000", &[50, 100, 150, 200], 3, "n total", |n| {
        let game = body(n, 50_000);
        Box::new(move || game.banzhaf())
    });
}

/// Against what a user had without them, in the same run.
fn ratios() {
    println!("\n| what | against | ms | ms | ratio |\n|---|---|--:|--:|--:|");
    let row = |what: &str, against: &str, (a, b, ratio): (Duration, Duration, f64)| {
        println!("| {what} | {against} | {:.4} | {:.4} | {ratio:.0} |", b.as_secs_f64() * 1e3, a.as_secs_f64() * 1e3);
    };
    let vote = body(20, 500);
    let solved = || time(|| exact(&vote));
    row("`shapley_shubik`, 20 voters", "`exact`", paired(7, solved, || time(|| vote.shapley_shubik())));
    let (train, test) = (points(16, 5, 0), points(20, 5, 1 << 40));
    let near = KNearest::new(3, train, test).expect("points");
    row("`KNearest::shapley`, 16 points", "`exact`", paired(3, || time(|| exact(&near)), || time(|| near.shapley())));
    let (game, order) = (tree(200), (0..200).collect::<Vec<_>>());
    let by_value = || {
        let mut values = Vec::new();
        from_fn(200, |s| game.value(s)).walk(&order, &mut values);
        values
    };
    let by_walk = || {
        let mut values = Vec::new();
        game.walk(&order, &mut values);
        values
    };
    row("spanning tree, a walk of 200", "`value` of each", paired(31, || time(by_value), || time(by_walk)));
}

fn tables() {
    table();
    ratios();
}

fn criterion_benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("games");
    group.sample_size(20);
    let airport = Airport::new((0..13_572).map(number).collect::<Vec<_>>()).expect("costs");
    group.bench_function("airport, 13 572 movements", |b| b.iter(|| airport.shapley()));
    let college = body(51, 538);
    group.bench_function("voting, 51 members, 538 votes", |b| b.iter(|| college.shapley_shubik()));
    group.finish();
}

fn main() {
    common::run(criterion_benches, tables);
}
