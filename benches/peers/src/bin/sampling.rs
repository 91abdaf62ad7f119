//! Sampling permutations: coopgame against this crate, both on one thread, on a game of no cost.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml --bin sampling
//! ```
//!
//! It takes some seconds and prints a Markdown table of nanoseconds an evaluation, each line from runs in turn. One game
//! asks its coalition for two members, the other for its size. coopgame walks one order after another from one SplitMix64 generator and keeps
//! means and squares; ours walks each order and its reverse, draws it by its number, and merges the samples by a
//! tree. Both are checked to estimate the same.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use coopgame::values::shapley_sampling;
use coopgame::{PlayerSet, SetFunction};
use shapley::{Coalition, Game, Permutation, from_fn};

const ROUNDS: usize = 21;
const EVALUATIONS: u64 = 1_000_000;

/// What a coalition is worth by coopgame's set.
struct Theirs<F>(usize, F);

impl<F: Fn(&PlayerSet) -> f64> SetFunction for Theirs<F> {
    fn players(&self) -> usize {
        self.0
    }

    fn value(&self, coalition: &PlayerSet) -> f64 {
        (self.1)(coalition)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("| n | game | coopgame 0.3.1, ns | ours, ns | ratio |\n|--:|---|--:|--:|--:|");
    for n in [16, 64, 1000] {
        let gloves = |s: &PlayerSet| f64::from(u8::from(s.contains(0) && s.contains(1)));
        let mine = |s: &Coalition| f64::from(u8::from(s.contains(0) && s.contains(1)));
        compare(n, "a pair of gloves", &Theirs(n, gloves), &from_fn(n, mine))?;
        let squares = |s: &PlayerSet| s.len() as f64 * s.len() as f64;
        let mine = |s: &Coalition| s.len() as f64 * s.len() as f64;
        compare(n, "the size, squared", &Theirs(n, squares), &from_fn(n, mine))?;
    }
    Ok(())
}

/// Checks that both estimate the same, times them in turn, and prints the line.
fn compare(
    n: usize,
    name: &str,
    theirs: &impl SetFunction,
    ours: &impl Game<Value = f64>,
) -> Result<(), Box<dyn Error>> {
    let sampler = Permutation::new(EVALUATIONS).threads(1);
    let theirs = || shapley_sampling(theirs, EVALUATIONS as usize / n, 7);
    let (peer, mine) = (theirs(), sampler.estimate(ours)?);
    for player in 0..n {
        let (left, right) = (peer.values()[player], mine.values()[player]);
        let error = peer.standard_errors()[player] + mine.std_errors()[player];
        if (left - right).abs() > 6.0 * error + 1e-6 {
            return Err(format!("{name}, n = {n}, player {player}: {left} and {right}").into());
        }
    }
    let mut ratios = Vec::new();
    let (mut peer_time, mut our_time) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(theirs());
        let peer = start.elapsed();
        let start = Instant::now();
        let _ = black_box(sampler.estimate(ours)?);
        let ours = start.elapsed();
        ratios.push(peer.as_secs_f64() / ours.as_secs_f64());
        (peer_time, our_time) = (peer_time.min(peer), our_time.min(ours));
    }
    ratios.sort_by(f64::total_cmp);
    let each = |time: Duration| time.as_secs_f64() * 1e9 / EVALUATIONS as f64;
    println!("| {n} | {name} | {:.1} | {:.1} | {:.2} |", each(peer_time), each(our_time), ratios[ROUNDS / 2]);
    Ok(())
}
