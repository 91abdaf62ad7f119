//! A job of many ranks, second by second: who has which unit, and when rank 0 comes to do what.
//!
//! The rule by which units are dealt is that of `src/mpi/scheduler.rs`. Rank 0 does one thing at a time; the ranks work
//! on their own; a unit is on its way for as long as a message takes and until the rank looks for it. No chance is in
//! it, but for what the time of an evaluation differs by, which is drawn from a fixed seed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What was measured, in seconds.
struct Costs {
    /// Rank 0 receives, reads and merges an answer.
    answer: f64,
    /// Of each value that an answer has, if it is of values.
    value: f64,
    /// Rank 0 sends a unit.
    unit: f64,
    /// A message is on its way.
    latency: f64,
    /// On average, until a rank that sleeps looks for messages.
    sleep: f64,
    /// The result is sent to a rank.
    end: f64,
}

/// What is to be done.
struct Work {
    name: &'static str,
    grains: u64,
    /// Seconds a grain.
    grain: f64,
    /// The smallest unit: a block, if blocks are not cut.
    least: u64,
    /// Whether answers are of values.
    values: bool,
    answer: f64,
}

const UNIT: f64 = 0.5;

/// Where a rank is.
#[derive(Clone, Default)]
struct Rank {
    has: Vec<u64>,
    rate: Option<f64>,
    last: u64,
    free: f64,
}

impl Rank {
    fn in_time(&self) -> u64 {
        self.rate.map_or(0, |rate| (rate * UNIT) as u64)
    }
}

/// Between a half and one and a half.
fn spread(seed: u64) -> f64 {
    let x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    0.5 + ((x ^ (x >> 27)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The time that a job takes, how much of it rank 0 is busy, and the answers.
fn simulate(ranks: usize, work: &Work, costs: &Costs) -> (f64, f64, u64) {
    let mut all = vec![Rank { last: 1, ..Rank::default() }; ranks];
    let mut left = work.grains;
    let (mut now, mut busy, mut answers, mut drawn) = (0.0_f64, 0.0_f64, 0_u64, 0_u64);
    // When an answer is at rank 0, whose, and how long the unit took; in nanoseconds, which have an order.
    let mut on_the_way: BinaryHeap<Reverse<(u64, usize, u64, u64)>> = BinaryHeap::new();
    let nanos = |seconds: f64| (seconds * 1e9) as u64;
    // v(empty) and v(N), on every rank at the same time.
    let ends = 2.0 * work.grain.min(60.0);
    for (rank, one) in all.iter_mut().enumerate() {
        one.has.push(0);
        on_the_way.push(Reverse((nanos(ends + costs.latency + costs.sleep), rank, 0, nanos(ends))));
    }
    while let Some(Reverse((at, rank, size, took))) = on_the_way.pop() {
        now = now.max(at as f64 / 1e9);
        let cost = costs.unit + work.answer + costs.answer + if work.values { costs.value * size as f64 } else { 0.0 };
        now += cost;
        busy += cost;
        answers += 1;
        let one = &mut all[rank];
        one.has.remove(0);
        // What v(empty) and v(N) took says nothing of the others.
        if size > 0 {
            let rate = size as f64 / (took as f64 / 1e9).max(1e-9);
            one.rate = Some(one.rate.map_or(rate, |before| before.recip().midpoint(rate.recip()).recip()));
        }
        // Up to two units, the second if the first is short.
        while left > 0 && (one.has.is_empty() || (one.has.len() == 1 && one.has[0] / 2 < one.in_time())) {
            let share = (left / (4 * ranks as u64)).min(one.in_time()).min(one.last.saturating_mul(16));
            let size = share.max(work.least).min(left);
            left -= size;
            one.last = size;
            one.has.push(size);
            drawn += 1;
            // Evaluations differ; the mean of many differs less.
            let time = size as f64 * work.grain * (1.0 + (spread(drawn) - 1.0) / (size as f64).sqrt());
            let begins = one.free.max(now + costs.latency + costs.sleep);
            one.free = begins + time;
            on_the_way.push(Reverse((nanos(one.free + costs.latency + costs.sleep / 2.0), rank, size, nanos(time))));
        }
    }
    (now + costs.end * ranks as f64, busy, answers)
}

pub(crate) fn run() {
    let costs = Costs { answer: 10e-6, value: 20e-9, unit: 5e-6, latency: 20e-6, sleep: 500e-6, end: 50e-6 };
    let hours = 3600.0;
    let block = 1 << 19;
    let works = [
        Work {
            name: "exact, 36 players, 1 us",
            grains: 1 << 36,
            grain: 1e-6,
            least: block,
            values: false,
            answer: 60e-6,
        },
        Work {
            name: "exact, 30 players, 1 us",
            grains: 1 << 30,
            grain: 1e-6,
            least: block,
            values: false,
            answer: 60e-6,
        },
        Work {
            name: "exact, 30 players, 5 ns",
            grains: 1 << 30,
            grain: 5e-9,
            least: block,
            values: false,
            answer: 60e-6,
        },
        Work { name: "exact, 24 players, 1 ms", grains: 1 << 24, grain: 1e-3, least: 1, values: true, answer: 0.0 },
        Work { name: "exact, 14 players, 60 s", grains: 1 << 14, grain: 60.0, least: 1, values: true, answer: 0.0 },
        Work {
            name: "10^6 samples, 100 players, 20 ms each",
            grains: 1_000_000,
            grain: 0.02,
            least: 1,
            values: false,
            answer: 30e-6,
        },
        Work {
            name: "10^5 samples, 1000 players, 2 s each",
            grains: 100_000,
            grain: 2.0,
            least: 1,
            values: false,
            answer: 150e-6,
        },
    ];
    println!(
        "| job | core hours | 10 ranks | 100 ranks | 1000 ranks | rank 0 busy at 1000 |\n|---|---|---|---|---|---|"
    );
    for work in &works {
        let total = work.grains as f64 * work.grain;
        let cells = [10, 100, 1000].map(|ranks| {
            let (time, busy, _) = simulate(ranks, work, &costs);
            (format!("{} ({:.0} %)", shown(time), 100.0 * total / (time * ranks as f64)), 100.0 * busy / time)
        });
        println!(
            "| {} | {:.3} | {} | {} | {} | {:.1} % |",
            work.name,
            total / hours,
            cells[0].0,
            cells[1].0,
            cells[2].0,
            cells[2].1
        );
    }
}

fn shown(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 120.0 => format!("{seconds:.2} s"),
        seconds if seconds < 7200.0 => format!("{:.1} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3600.0),
    }
}
