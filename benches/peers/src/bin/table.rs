//! What `peers.py` asks for our side: Shapley values and interactions of a game in a file, on one thread.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml --bin table -- FILE
//! ```
//!
//! The file has 2^n little-endian `f64`, indexed by bit mask. The answer is one JSON object: for `SV`, `SII` and `STII`
//! (both of order 2) the seconds that the solver took, the least of several runs without reading the file, and the
//! values, by the number of players in a set and then in lexicographic order; `SV` has those of single players only.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use shapley::{Exact, Index, Table};

/// A time is the least of at least this many runs, which take this many seconds in all.
const LEAST_RUNS: usize = 5;
const LEAST_SECONDS: f64 = 0.2;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("the argument is missing: a file of 2^n little-endian f64")?;
    let bytes = std::fs::read(path)?;
    let (numbers, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err("the file's length is not a multiple of 8".into());
    }
    let table = Table::new(numbers.iter().map(|&number| f64::from_le_bytes(number)).collect())?;
    let solver = Exact::new().threads(1);

    let (seconds, attribution) = least(|| solver.solve(&table))?;
    let mut parts = vec![part("SV", seconds, attribution.values())];
    for (name, index) in [("SII", Index::Shapley), ("STII", Index::ShapleyTaylor)] {
        let (seconds, interactions) = least(|| solver.interactions(&table, index, 2))?;
        let values: Vec<f64> = interactions.iter().map(|(_, &value)| value).collect();
        parts.push(part(name, seconds, &values));
    }
    println!("{{{}}}", parts.join(","));
    Ok(())
}

/// The least time of several runs, and the result.
fn least<T, E>(run: impl Fn() -> Result<T, E>) -> Result<(f64, T), E> {
    let begun = Instant::now();
    let mut result = run()?;
    let mut least = f64::INFINITY;
    let mut runs = 0;
    while runs < LEAST_RUNS || begun.elapsed().as_secs_f64() < LEAST_SECONDS {
        let start = Instant::now();
        result = black_box(run()?);
        least = least.min(start.elapsed().as_secs_f64());
        runs += 1;
    }
    Ok((least, result))
}

/// One member of the JSON object. All numbers are finite, and `{:?}` writes every digit of a finite `f64`.
fn part(name: &str, seconds: f64, values: &[f64]) -> String {
    format!("\"{name}\":{{\"seconds\":{seconds:?},\"values\":{values:?}}}")
}
