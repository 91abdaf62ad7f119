//! Which word made the model say so?
//!
//! Explains VADER's sentiment of a sentence, exactly: the model's score of every text that some of the words make, and
//! from them how much each word contributed.
//!
//! ```text
//! cargo run --release --example sentence
//! cargo run --release --example sentence -- what a lovely film, but far too long
//! echo "not bad at all" | cargo run --release --example sentence -- -
//! cargo run --release --example sentence -- --json not bad at all
//! cargo run --release --example sentence -- --html out.html
//! ```
//!
//! The model is the crate `vader_sentiment`, a port of VADER (Hutto & Gilbert 2014) that carries its lexicon. It
//! differs from the Python package in places, so its scores are its own.

use std::error::Error;
use std::ffi::OsString;
use std::io::{IsTerminal, Read, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;

use serde_json::json;
use shapley::games::Words;
use shapley::plot::Text;
use shapley::{Attribution, Exact, Index, Progress, Semivalue, Summary};
use unicode_width::UnicodeWidthStr;
use vader_sentiment::SentimentIntensityAnalyzer;

const SENTENCE: &str = "The acting was not very good but the soundtrack is absolutely wonderful";

const USAGE: &str = "usage: sentence [--json] [--html FILE] [WORDS... | -]
  explains how much each word of a sentence contributes to its sentiment
  -            read the sentence from standard input
  --json       print JSON instead of a table
  --html FILE  write a page that shows it too, for any browser
  --           what follows are words
value: what the word adds to the score, averaged over all orders in which the words can come
share: the value's size, as a share of the sizes of all";

/// Cells of the longest word that is shown whole.
const WIDEST: usize = 24;

/// Cells on either side of a bar's zero.
const BAR: usize = 12;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sentence: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let Some(Asked { sentence, as_json, html }) = arguments(std::env::args_os().skip(1))? else {
        println!("{USAGE}");
        return Ok(());
    };

    let model = SentimentIntensityAnalyzer::new();
    // A model that takes texts in batches and can fail, as a transformer on a server does, takes one other line; all
    // the rest stays: `Words::try_batched(&sentence, |texts: &[String]| model.scores(texts)).mask("[MASK]")`.
    let game = Words::new(&sentence, |text: &str| model.polarity_scores(text)["compound"]);
    // One pass over all texts gives the words' values and those of pairs.
    let summary = Exact::new().observe(show_progress).summary(&game, 2).map_err(advice)?;
    let phi = summary.values(&Semivalue::shapley())?;

    let mut out = std::io::stdout().lock();
    if as_json { print_json(&mut out, game.words(), &phi) } else { print_table(&mut out, game.words(), &phi) }?;
    if let Some(file) = html {
        write_page(&file, game.words(), &summary).map_err(|error| format!("{file}: {error}"))?;
        eprintln!("\nopen {file} in a browser");
    }
    Ok(())
}

fn write_page(file: &str, words: &[String], summary: &Summary<f64>) -> Result<(), Box<dyn Error>> {
    let (phi, pairs) = (summary.values(&Semivalue::shapley())?, summary.interactions(Index::Shapley)?);
    let page = Text::new(words, &phi).interactions(&pairs).title("Which word made the model say so?").html()?;
    Ok(std::fs::write(file, page)?)
}

/// What was asked for on the command line.
struct Asked {
    sentence: String,
    as_json: bool,
    html: Option<String>,
}

/// What was asked for; nothing if that was help.
fn arguments(rest: impl Iterator<Item = OsString>) -> Result<Option<Asked>, Box<dyn Error>> {
    let utf8 = |argument: OsString| argument.into_string().map_err(|bad| format!("{bad:?} is not UTF-8"));
    let mut rest = rest.map(utf8).collect::<Result<Vec<_>, _>>()?.into_iter();
    let (mut words, mut as_json, mut html, mut from_stdin) = (Vec::new(), false, None, false);
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "-h" | "--help" => return Ok(None),
            "--json" => as_json = true,
            "--html" => html = Some(rest.next().ok_or(format!("--html wants the name of a file\n{USAGE}"))?),
            "-" => from_stdin = true,
            "--" => words.extend(rest.by_ref()),
            flag if flag.starts_with("--") => return Err(format!("unknown option {flag}\n{USAGE}").into()),
            _ => words.push(argument),
        }
    }
    let sentence = match (from_stdin, words.is_empty()) {
        (true, false) => return Err(format!("give words or -, not both\n{USAGE}").into()),
        (true, true) => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            text
        }
        (false, false) => words.join(" "),
        (false, true) => SENTENCE.to_owned(),
    };
    Ok(Some(Asked { sentence, as_json, html }))
}

/// What to do about an error, beside what it is.
fn advice(error: shapley::Error) -> String {
    match error {
        shapley::Error::NoPlayers {} => "there are no words to explain".to_owned(),
        shapley::Error::TooManyPlayers { players, limit } => format!(
            "{error}\nThe limit is {limit} words, and every further word doubles the work. Of these {players} words, \
             explain one clause or sentence at a time."
        ),
        other => other.to_string(),
    }
}

/// A line that keeps itself up to date, for sentences that take longer than a moment.
fn show_progress(progress: &Progress) -> ControlFlow<()> {
    let (done, total, seconds) = (progress.evaluations, progress.total, progress.elapsed.as_secs_f64());
    let news = done == total || done % (1 << 16) == 0;
    if seconds >= 1.0 && news && std::io::stderr().is_terminal() {
        let left = seconds * (total - done) as f64 / done as f64;
        let end = if done == total { "\n" } else { "" };
        eprint!("\r{done} of {total} texts scored, {left:.0} s left   {end}");
    }
    ControlFlow::Continue(())
}

fn print_table(out: &mut impl Write, words: &[String], phi: &Attribution<f64>) -> std::io::Result<()> {
    let words: Vec<String> = words.iter().map(|word| printable(word)).collect();
    let width = words.iter().map(|word| word.width()).max().unwrap_or(0).max("word".len());
    let largest = phi.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    writeln!(out, "{:width$}    value  {:^bar$}   share", "word", "- | +", bar = 2 * BAR + 1)?;
    for ((word, value), share) in words.iter().zip(phi).zip(shares(phi)) {
        let space = " ".repeat(width - word.width());
        writeln!(out, "{word}{space}  {:+.4}  {}  {:5.1}%", shown(*value), bar(value / largest), 100.0 * share)?;
    }
    writeln!(out)?;
    let totals = [
        ("no words, v(empty)", *phi.baseline()),
        ("all words, v(N)", *phi.grand()),
        ("v(N) - v(empty)", phi.grand() - phi.baseline()),
        ("sum of the values", phi.iter().sum()),
    ];
    for (name, value) in totals {
        writeln!(out, "{name:18}  {:+.4}", shown(value))?;
    }
    writeln!(out, "{:18}  {}", "texts scored", phi.evaluations())
}

/// A word as it can stand in a table: without control characters, and cut where it is too long.
fn printable(word: &str) -> String {
    let mut kept = String::new();
    for character in word.chars().filter(|character| !character.is_control()) {
        if kept.width() >= WIDEST {
            kept.push('…');
            break;
        }
        kept.push(character);
    }
    kept
}

/// What is shown of a value: nobody wants to read "-0.0000".
fn shown(value: f64) -> f64 {
    if value.abs() < 0.00005 { 0.0 } else { value }
}

/// A bar from the middle to the left or to the right, full at -1 and 1.
fn bar(fraction: f64) -> String {
    let cells = (fraction.abs() * BAR as f64).round() as usize;
    let (left, right) = if fraction < 0.0 { (cells, 0) } else { (0, cells) };
    let (blocks, space) = (|n| "█".repeat(n), |n| " ".repeat(n));
    format!("{}{}|{}{}", space(BAR - left), blocks(left), blocks(right), space(BAR - right))
}

/// Each value's share of all that was given and taken.
fn shares(phi: &Attribution<f64>) -> Vec<f64> {
    let all: f64 = phi.iter().map(|value| value.abs()).sum();
    phi.iter().map(|value| if all > 0.0 { value.abs() / all } else { 0.0 }).collect()
}

fn print_json(out: &mut impl Write, words: &[String], phi: &Attribution<f64>) -> std::io::Result<()> {
    let word = |((word, value), share)| json!({ "word": word, "value": value, "share": share });
    let explained = json!({
        "words": words.iter().zip(phi).zip(shares(phi)).map(word).collect::<Vec<_>>(),
        "baseline": phi.baseline(),
        "grand": phi.grand(),
        "difference": phi.grand() - phi.baseline(),
        "sum": phi.iter().sum::<f64>(),
        "evaluations": phi.evaluations(),
    });
    serde_json::to_writer_pretty(&mut *out, &explained)?;
    writeln!(out)
}
