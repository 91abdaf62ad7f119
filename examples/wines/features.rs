//! Which measurement made a model call this wine good?
//!
//! ```text
//! cargo run --release -p wines --bin features        # the best wine that the model has not seen
//! cargo run --release -p wines --bin features -- 17  # another of them
//! ```
//!
//! The model is a random forest of the crate `smartcore`, trained on 1159 red wines of 11 measurements each, with
//! ratings from 3 to 8 (Cortez et al. 2009, "Modeling wine preferences by data mining from physicochemical properties",
//! Decision Support Systems 47(4), 547–553). It has not seen the other 200.
//!
//! First one wine: how far each measurement moves the predicted rating from that of the average wine, exactly. Then
//! all: how much each measurement moves the rating of a wine in the mean, over 100 wines.

use std::error::Error;
use std::time::Instant;

use shapley::games::{Features, FeaturesError};
use shapley::{Attribution, Estimate, Permutation};
use smartcore::error::Failed;
use wines::{Forest, UNSEEN, Wines, matrix};

/// Wines that stand for all: one explanation takes 2047 times as many rows of the model, and one.
const BACKGROUND: usize = 100;

/// Wines that the mean is taken over.
const WINES: usize = 100;

/// Cells on either side of a bar's zero.
const BAR: f64 = 12.0;

fn main() -> Result<(), Box<dyn Error>> {
    let Wines { names, seen, known, unseen, hidden } = Wines::load();
    let columns = names.len();
    let forest = wines::forest(&seen, &known)?;
    let predicted = forest.predict(&matrix(&unseen, columns)?)?;
    let error = predicted.iter().zip(&hidden).map(|(p, r)| (p - r).abs()).sum::<f64>() / UNSEEN as f64;
    let mean_rating = known.iter().sum::<f64>() / known.len() as f64;
    let naive = hidden.iter().map(|r| (mean_rating - r).abs()).sum::<f64>() / UNSEEN as f64;
    println!(
        "A forest from {} wines is off by {error:.2} on {UNSEEN} unseen wines; the mean rating would be by {naive:.2}.\n",
        known.len()
    );

    let wine = match std::env::args().nth(1) {
        None => (0..UNSEEN).max_by(|&a, &b| predicted[a].total_cmp(&predicted[b])).expect("there are some"),
        Some(number) => number.parse().ok().filter(|&wine| wine < UNSEEN).ok_or("the wines are 0 to 199")?,
    };
    let instance = &unseen[wine * columns..][..columns];
    // A model that can fail: its error comes back as it was.
    let model = |rows: &[f64], columns: usize| forest.predict(&matrix(rows, columns)?);
    let game = Features::new(instance, &seen[..], model).background_sample(BACKGROUND, 1);
    let start = Instant::now();
    let phi = shapley::exact(&game)?;
    println!(
        "Wine {wine}: predicted {:.2}, rated {}; the average wine {:.2}.",
        phi.grand(),
        hidden[wine],
        phi.baseline()
    );
    print_wine(&names, instance, game.background(), &phi);
    let asked = 2047 * BACKGROUND + 1;
    println!("{asked} rows of the model in {:.1?}\n", start.elapsed());

    let start = Instant::now();
    let mut importance = vec![0.0; columns];
    let mut largest_error = 0.0_f64;
    for instance in unseen.chunks(columns).take(WINES) {
        let phi = sampled(&forest, instance, &seen)?;
        phi.values().iter().zip(&mut importance).for_each(|(value, sum)| *sum += value.abs() / WINES as f64);
        largest_error = phi.std_errors().iter().copied().fold(largest_error, f64::max);
    }
    println!("Over {WINES} wines, a measurement moves the rating by (mean |value|):");
    let mut order: Vec<usize> = (0..columns).collect();
    order.sort_by(|&a, &b| importance[b].total_cmp(&importance[a]));
    for column in order {
        println!(
            "{:22} {:.3}  {}",
            names[column],
            importance[column],
            "█".repeat(cells(importance[column], &importance))
        );
    }
    println!(
        "{WINES} wines in {:.1?}; the largest standard error of a wine's value is {largest_error:.3}",
        start.elapsed()
    );
    Ok(())
}

/// One wine of many is explained by sampling, with a smaller background: what is lost is small beside what wines differ
/// by.
fn sampled(
    forest: &Forest,
    instance: &[f64],
    seen: &[f64],
) -> Result<Estimate<f64>, shapley::Error<FeaturesError<Failed>>> {
    let model = |rows: &[f64], columns: usize| forest.predict(&matrix(rows, columns)?);
    let game = Features::new(instance, seen, model).background_sample(20, 1);
    Permutation::new(250).estimate(&game)
}

fn print_wine(names: &[String], instance: &[f64], background: &[f64], phi: &Attribution<f64>) {
    let columns = instance.len();
    let mean = |column: usize| {
        background.iter().skip(column).step_by(columns).sum::<f64>() / (background.len() / columns) as f64
    };
    let mut order: Vec<usize> = (0..columns).collect();
    order.sort_by(|&a, &b| phi[b].abs().total_cmp(&phi[a].abs()));
    println!("{:22} {:>9} {:>9} {:>8}", "measurement", "this wine", "mean", "value");
    for column in order {
        let bar = "█".repeat(cells(phi[column], phi.values()));
        let (minus, plus) = if phi[column] < 0.0 { (bar.as_str(), "") } else { ("", bar.as_str()) };
        println!(
            "{:22} {:>9.3} {:>9.3} {:>+8.3}  {minus:>12}|{plus}",
            names[column],
            instance[column],
            mean(column),
            phi[column]
        );
    }
    println!("{:22} {:>9} {:>9} {:>+8.3}", "sum", "", "", phi.iter().sum::<f64>());
}

/// How long a bar is, in cells.
fn cells(value: f64, all: &[f64]) -> usize {
    let largest = all.iter().map(|value| value.abs()).fold(f64::MIN_POSITIVE, f64::max);
    (value.abs() / largest * BAR).round() as usize
}
