//! A long run that shows how far it is and can be ended at any time, with the estimate so far.
//!
//! Which words of a review make VADER's sentiment what it is? The review has too many words for an exact answer, so the
//! values are estimated until they are known to ± 0.008. An observer shows each piece of news in a progress bar, and
//! ends the run after Ctrl-C. What was estimated until then is good, only less precise.
//!
//! ```text
//! cargo run --release -p progress   # and Ctrl-C, if you like; a second one kills
//! ```
//!
//! There is no bar where standard error is no terminal.

use std::io::Write;
use std::ops::ControlFlow;
use std::process::{ExitCode, exit};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use shapley::games::Words;
use shapley::{Estimate, Permutation, Progress, Stopped};
use vader_sentiment::SentimentIntensityAnalyzer;

const REVIEW: &str = "We had high hopes for this hotel and the lobby is really beautiful, but the room was small, noisy \
    and not very clean. The staff were friendly and tried to help, yet nobody could repair the broken shower. Breakfast \
    was surprisingly good! Still, for that price I would not recommend it to anyone who wants a quiet and relaxing night.";

/// Half the width of the widest interval at which the values are precise enough. Scores lie between -1 and 1.
const PRECISION: f64 = 0.008;

/// The level of the intervals.
const LEVEL: f64 = 0.95;

/// Evaluations at the most, should the precision be farther off than it looks.
const BUDGET: u64 = 10_000_000;

/// Words shown.
const SHOWN: usize = 15;

/// Whether Ctrl-C was pressed.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("progress: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Relaxed) {
            exit(130); // as a shell reports what SIGINT has killed
        }
    })?;

    let style = "{elapsed} [{bar:30}] {human_pos} of {human_len} texts, {msg}, {eta} left";
    let bar = ProgressBar::no_length().with_style(ProgressStyle::with_template(style)?.progress_chars("=> "));
    let show = |progress: &Progress| {
        bar.set_message(format!("{} orders, ± {:.4}", HumanCount(progress.permutations), progress.half_width));
        bar.set_length(progress.total); // it changes: it is what the precision so far makes expected
        bar.set_position(progress.evaluations);
        if INTERRUPTED.load(Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };

    let model = SentimentIntensityAnalyzer::new();
    let game = Words::new(REVIEW, |text: &str| model.polarity_scores(text)["compound"]);
    let start = Instant::now();
    let estimate = Permutation::new(BUDGET).precision(PRECISION).confidence(LEVEL).observe(show).estimate(&game)?;
    let elapsed = start.elapsed();
    bar.finish_and_clear();

    let mut out = std::io::stdout().lock();
    print_words(&mut out, &estimate, game.words())?;
    writeln!(out, "{:14} {}", "texts scored", HumanCount(estimate.evaluations()))?;
    writeln!(out, "{:14} {}", "orders walked", HumanCount(estimate.permutations()))?;
    writeln!(out, "{:14} {}", "ended by", cause(estimate.stopped()))?;
    writeln!(out, "{:14} {:.1} s", "elapsed", elapsed.as_secs_f64())?;
    Ok(())
}

/// The words that matter most.
fn print_words(out: &mut impl Write, estimate: &Estimate<f64>, words: &[String]) -> std::io::Result<()> {
    let phi = estimate.attribution();
    let mut players: Vec<usize> = (0..words.len()).collect();
    players.sort_by(|&a, &b| phi[b].abs().total_cmp(&phi[a].abs()));
    writeln!(out, "  # word            value  {:.0}% interval", 100.0 * LEVEL)?;
    for &player in players.iter().take(SHOWN) {
        let half_width = estimate.half_width(player, LEVEL);
        writeln!(out, "{:3} {:12} {:+.4}  ± {half_width:.4}", player + 1, words[player], phi[player])?;
    }
    let rest: f64 = players.iter().skip(SHOWN).map(|&player| phi[player]).sum();
    writeln!(out, "    {:12} {rest:+.4}", format!("{} others", words.len().saturating_sub(SHOWN)))?;
    writeln!(out, "    {:12} {:+.4}\n", "all", phi.grand() - phi.baseline())
}

fn cause(stopped: Stopped) -> String {
    match stopped {
        Stopped::Precision => format!("precision: every interval is within ± {PRECISION}"),
        Stopped::Observer => "the observer, after Ctrl-C: these are the values so far".to_owned(),
        Stopped::Evaluations => "the budget: the evaluations were used up".to_owned(),
        other => format!("{other:?}"),
    }
}
