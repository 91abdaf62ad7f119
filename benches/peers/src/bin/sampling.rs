//! Sampling permutations: coopgame against this crate, both on one thread, on a game of no cost.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml --bin sampling
//! ```
//!
//! It takes some seconds and prints a Markdown table of nanoseconds an evaluation, each line from runs in turn. The game
//! asks its coalition for its size. coopgame walks one order after another from one SplitMix64 generator and keeps
//! means and squares; ours walks each order and its reverse, draws it from a stream of its own, and merges the samples
//! by a tree. Both estimates are checked against the exact values, n each.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use coopgame::values::shapley_sampling;
use coopgame::{PlayerSet, SetFunction};
use shapley::{Coalition, Permutation, from_fn};

const ROUNDS: usize = 21;
const EVALUATIONS: u64 = 1_000_000;

/// A coalition is worth the square of its size.
struct Squares(usize);

impl SetFunction for Squares {
    fn players(&self) -> usize {
        self.0
    }

    fn value(&self, coalition: &PlayerSet) -> f64 {
        coalition.len() as f64 * coalition.len() as f64
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("| n | coopgame 0.3.1, ns | ours, ns | ratio |\n|--:|--:|--:|--:|");
    for n in [16, 64, 1000] {
        let game = from_fn(n, |s: &Coalition| s.len() as f64 * s.len() as f64);
        let sampler = Permutation::new(EVALUATIONS).threads(1);
        let permutations = usize::try_from(EVALUATIONS)? / n;
        let theirs = || shapley_sampling(&Squares(n), permutations, 7);
        let (peer, mine) = (theirs(), sampler.estimate(&game)?);
        for (values, errors) in [(peer.values(), peer.standard_errors()), (mine.values(), mine.std_errors())] {
            let far = |(value, error): (&f64, &f64)| (value - n as f64).abs() > 6.0 * error + 1e-6;
            if values.iter().zip(errors).any(far) {
                return Err(format!("one is wrong: {values:?}").into());
            }
        }
        let mut ratios = Vec::new();
        let (mut most, mut least) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            let start = Instant::now();
            black_box(theirs());
            let peer = start.elapsed();
            let start = Instant::now();
            let _ = black_box(sampler.estimate(&game)?);
            let ours = start.elapsed();
            ratios.push(peer.as_secs_f64() / ours.as_secs_f64());
            (most, least) = (most.min(peer), least.min(ours));
        }
        ratios.sort_by(f64::total_cmp);
        let each = |time: Duration| time.as_secs_f64() * 1e9 / EVALUATIONS as f64;
        println!("| {n} | {:.1} | {:.1} | {:.2} |", each(most), each(least), ratios[ROUNDS / 2]);
    }
    Ok(())
}
