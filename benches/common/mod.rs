//! How benches are run, and ratios taken.

use std::time::{Duration, Instant};

use criterion::Criterion;

/// Runs criterion's benches, and then what prints a table of ratios; the latter not when benches are compiled and tried
/// only, as `cargo test --benches` does.
pub(crate) fn run(benches: impl FnOnce(&mut Criterion), ratios: impl FnOnce()) {
    let mut criterion = Criterion::default().configure_from_args();
    benches(&mut criterion);
    criterion.final_summary();
    if !std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        ratios();
    }
}

/// How long it takes, the result kept from the optimiser.
pub(crate) fn time<R>(work: impl FnOnce() -> R) -> Duration {
    let start = Instant::now();
    std::hint::black_box(work());
    start.elapsed()
}

/// Runs two things in turn, and gives their median times and the median of the ratios, pair by pair: so that a machine
/// whose speed drifts does not favour one.
pub(crate) fn paired(
    rounds: usize,
    first: impl Fn() -> Duration,
    second: impl Fn() -> Duration,
) -> (Duration, Duration, f64) {
    let pairs: Vec<(Duration, Duration)> = (0..rounds).map(|_| (first(), second())).collect();
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let seconds = |duration: &Duration| duration.as_secs_f64();
    (
        Duration::from_secs_f64(median(pairs.iter().map(|(a, _)| seconds(a)).collect())),
        Duration::from_secs_f64(median(pairs.iter().map(|(_, b)| seconds(b)).collect())),
        median(pairs.iter().map(|(a, b)| seconds(a) / seconds(b)).collect()),
    )
}
