//! An expensive game that is stopped and goes on where it was.
//!
//! ```sh
//! cargo run --release --features disk --example resume
//! ```
//!
//! Twelve players, 4096 coalitions, and each takes a millisecond: a stand-in for a training run of a minute. Every
//! value goes into a file. Kill it as you like (Ctrl-C, `kill -9`, the power switch) and start it again: what was said
//! to be safe is not paid for again, and the answer has the bits of a run that nobody disturbed.
//!
//! `-- FILE` names the file (`resume.store` in the directory for temporary files, if not given); `--trace LOG` appends
//! to LOG what is evaluated and what is safe, by which a test knows that this is true.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use shapley::store::Store;
use shapley::{Cached, Coalition, DiskStore, Exact, from_fn};

/// What each player brings; a coalition is worth the root of the sum.
const WEIGHTS: [f64; 12] = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0, 8.0];

/// Changes whenever the game does, so that an old file is an error and not another game's answer.
const FINGERPRINT: &str = "root of the sum of 12 weights, first version";

const COALITIONS: u64 = 1 << WEIGHTS.len();

fn main() -> Result<(), Box<dyn Error>> {
    let (path, trace) = arguments()?;
    let game = from_fn(WEIGHTS.len(), |coalition| {
        std::thread::sleep(Duration::from_millis(1));
        trace.line(|| format!("evaluated {}", mask(coalition)));
        coalition.iter().map(|player| WEIGHTS[player]).sum::<f64>().sqrt()
    });

    let store = DiskStore::open(&path, FINGERPRINT)?;
    println!("{}: {} of {COALITIONS} values are there", path.display(), store.len());
    let cached = Cached::with_store(game, &store);

    let last = Mutex::new(Instant::now());
    let phi = Exact::new()
        .threads(4)
        .batch(8) // a batch that has not returned is lost with the process
        .observe(|progress| {
            let Ok(mut last) = last.try_lock() else { return ControlFlow::Continue(()) };
            if last.elapsed() >= Duration::from_millis(50) {
                let there = trace.is_on().then(|| values_there(&store));
                // Counted before: other threads put values in meanwhile.
                let safe = store.len();
                // A file that cannot be written is an error of the next evaluation, which wants its value kept.
                if store.flush().is_ok() {
                    eprint!("\r{} of {COALITIONS}, {} safe", progress.evaluations, safe);
                    trace.line(|| format!("safe {}", there.unwrap_or_default()));
                }
                *last = Instant::now();
            }
            ControlFlow::Continue(())
        })
        .solve(&cached)?;
    store.flush()?;

    eprintln!();
    for (player, value) in phi.iter().enumerate() {
        println!("player {player:2}  weight {}  {value:.4}  bits {:016x}", WEIGHTS[player], value.to_bits());
    }
    let stats = cached.stats();
    println!("{} values were remembered, {} were evaluated", stats.hits, stats.misses);
    Ok(())
}

fn mask(coalition: &Coalition) -> u64 {
    coalition.mask().expect("12 players")
}

/// The masks of the coalitions that the store has.
fn values_there(store: &DiskStore<f64>) -> String {
    let all = (0..COALITIONS).map(|mask| Coalition::from_mask(WEIGHTS.len(), mask));
    let there = all.filter(|coalition| matches!(store.get(coalition), Ok(Some(_))));
    there.map(|coalition| format!("{} ", mask(&coalition))).collect()
}

/// The log of `--trace`.
struct Trace(Option<Mutex<File>>);

impl Trace {
    fn is_on(&self) -> bool {
        self.0.is_some()
    }

    fn line(&self, line: impl FnOnce() -> String) {
        if let Some(log) = &self.0 {
            let line = line() + "\n";
            log.lock().expect("nobody panics with the log").write_all(line.as_bytes()).expect("the log can be written");
        }
    }
}

fn arguments() -> Result<(PathBuf, Trace), Box<dyn Error>> {
    let mut path = std::env::temp_dir().join("resume.store");
    let mut trace = Trace(None);
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--trace" {
            let log = arguments.next().ok_or("--trace needs the name of a file")?;
            trace = Trace(Some(Mutex::new(OpenOptions::new().create(true).append(true).open(log)?)));
        } else {
            path = argument.into();
        }
    }
    Ok((path, trace))
}
