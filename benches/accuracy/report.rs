//! Tables of what was measured.

use std::collections::BTreeMap;

use crate::Result;
use crate::published::{self, Best};
use crate::score::{Cell, Solver, median};
use crate::sets::Set;

/// Errors of nothing count as this in geometric means.
const LEAST: f64 = 1e-30;

/// Some cells, summed up.
pub(crate) struct Summary {
    pub(crate) games: usize,
    pub(crate) used: f64,
    pub(crate) mse: f64,
    /// The geometric mean.
    pub(crate) error: f64,
    pub(crate) worst: (f64, String),
    /// The error of the equal split, as a geometric mean.
    pub(crate) equal_split: f64,
    /// How many cells have a larger error than the equal split: a geometric mean hides those that are far off.
    pub(crate) worse_than_equal: usize,
    pub(crate) coverage: f64,
    pub(crate) top_coverage: f64,
    pub(crate) width: Option<f64>,
    pub(crate) spread: Option<f64>,
    pub(crate) wrong_zeros: u64,
    pub(crate) equal_splits: u64,
    pub(crate) milliseconds: f64,
}

pub(crate) fn geometric_mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = numbers.len() as f64;
    (numbers.map(|x| x.max(LEAST).ln()).sum::<f64>() / count).exp()
}

impl Summary {
    pub(crate) fn new(cells: &[&Cell]) -> Self {
        let mean = |of: fn(&Cell) -> f64| cells.iter().map(|cell| of(cell)).sum::<f64>() / cells.len() as f64;
        // Each player counts the same, also in games of few.
        let players: f64 = cells.iter().map(|cell| cell.players as f64).sum();
        let worst = cells.iter().max_by(|a, b| a.error.total_cmp(&b.error));
        let medians = |of: fn(&Cell) -> Option<f64>| median(cells.iter().filter_map(|cell| of(cell)).collect());
        Self {
            games: cells.len(),
            used: mean(|cell| cell.used),
            mse: mean(|cell| cell.mse),
            error: geometric_mean(cells.iter().map(|cell| cell.error)),
            worst: worst.map(|cell| (cell.error, cell.game.clone())).unwrap_or_default(),
            equal_split: geometric_mean(cells.iter().map(|cell| cell.equal_split)),
            worse_than_equal: cells.iter().filter(|cell| cell.error > (1.0 + 1e-9) * cell.equal_split + LEAST).count(),
            coverage: cells.iter().map(|cell| cell.coverage * cell.players as f64).sum::<f64>() / players,
            top_coverage: mean(|cell| cell.top_coverage),
            width: medians(Cell::calibrated_width),
            spread: medians(|cell| cell.spread),
            wrong_zeros: cells.iter().map(|cell| cell.wrong_zeros).sum(),
            equal_splits: cells.iter().map(|cell| cell.equal_splits).sum(),
            milliseconds: mean(|cell| cell.milliseconds),
        }
    }
}

/// A number that may be absent, or too large to be of interest.
pub(crate) fn number(x: Option<f64>) -> String {
    x.map_or("–".to_owned(), |x| if x < 1000.0 { format!("{x:.2}") } else { format!("{x:.0e}") })
}

/// Groups cells by a key, in the order of the keys.
pub(crate) fn group<K: Ord>(cells: &[Cell], key: impl Fn(&Cell) -> K) -> BTreeMap<K, Vec<&Cell>> {
    let mut groups: BTreeMap<K, Vec<&Cell>> = BTreeMap::new();
    for cell in cells {
        groups.entry(key(cell)).or_default().push(cell);
    }
    groups
}

/// What sorts budgets: those that depend on n first, by their factor, then numbers.
pub(crate) fn budget_order(name: &str) -> (bool, u64, String) {
    let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
    (!name.contains('n'), digits.parse().unwrap_or(0), name.to_owned())
}

/// What errors are compared with: the best of others, by kind and budget.
type Others = BTreeMap<String, BTreeMap<String, Best>>;

/// The error over the best of others, in the measure that theirs is published in.
fn against(set: Set, summary: &Summary, kind: &str, evaluations: u64, others: &Others) -> Option<(f64, Best)> {
    let best = others.get(kind)?.get(&evaluations.to_string())?;
    let ours = if set == Set::Published { summary.mse } else { summary.error };
    Some((ours / best.error, best.clone()))
}

fn table_by_kind(set: Set, cells: &[Cell], others: &Others) -> Vec<Ratio> {
    println!(
        "| kind | games | evaluations | solver | mse | error | of the equal split | worst game | best published | of it | coverage | top | width | spread | wrong zeros | equal splits | ms |"
    );
    println!("|---|--:|--:|---|--:|--:|--:|---|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut ratios = Vec::new();
    let key = |cell: &Cell| (cell.kind.clone(), cell.evaluations, cell.budget.clone(), cell.solver);
    for ((kind, evaluations, budget, solver), cells) in group(cells, key) {
        let s = Summary::new(&cells);
        let ratio = against(set, &s, &kind, evaluations, others);
        let theirs = ratio.as_ref().map_or([String::new(), String::new()], |(ratio, best)| {
            [format!("{} {:.2e}", best.estimator, best.error), format!("{ratio:.2}")]
        });
        let name = if budget.contains('n') { format!("{budget} = {evaluations}") } else { budget.clone() };
        println!(
            "| {kind} | {} | {name} | {solver} | {:.2e} | {:.2e} | {:.2e} | {} {:.2e} | {} | {} | {:.3} | {:.3} | {} | {} | {} | {} | {:.1} |",
            s.games,
            s.mse,
            s.error,
            s.error / s.equal_split,
            s.worst.1,
            s.worst.0,
            theirs[0],
            theirs[1],
            s.coverage,
            s.top_coverage,
            number(s.width),
            number(s.spread),
            s.wrong_zeros,
            s.equal_splits,
            s.milliseconds
        );
        ratios.extend(ratio.map(|(ratio, _)| Ratio { ratio, kind, solver, evaluations }));
    }
    ratios
}

fn table_by_budget(set: Set, cells: &[Cell], others: &Others) -> Result<()> {
    let prototype = if set == Set::Five { published::prototype()? } else { BTreeMap::new() };
    println!("\nAll kinds; errors, ratios to the best published and to the equal split are geometric means:\n");
    println!(
        "| evaluations | games | solver | used | error | of the equal split | games worse than it | of the best of each kind | best single published | of it | of the prototype | coverage | top | width | wrong zeros |"
    );
    println!("|--:|--:|---|--:|--:|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|");
    for ((budget, solver), cells) in group(cells, |cell| (budget_order(&cell.budget), cell.solver)) {
        let s = Summary::new(&cells);
        let mut kinds: BTreeMap<&str, Vec<&Cell>> = BTreeMap::new();
        for &cell in &cells {
            kinds.entry(&cell.kind).or_default().push(cell);
        }
        let of_kinds = kinds.iter().filter_map(|(kind, cells)| {
            let ratio = against(set, &Summary::new(cells), kind, cells[0].evaluations, others);
            ratio.map(|(ratio, _)| ratio)
        });
        let ratios: Vec<f64> = of_kinds.collect();
        let of_best =
            if ratios.is_empty() { String::new() } else { format!("{:.3}", geometric_mean(ratios.into_iter())) };
        // Errors of one budget in the set `published` are of kinds that have no estimator in common.
        let names: Vec<&str> = kinds.keys().copied().collect();
        let single = if set == Set::Five { published::best_single(set, &names, &budget.2)? } else { None };
        let of_single = single.map_or([String::new(), String::new()], |best| {
            [format!("{} {:.2e}", best.estimator, best.error), format!("{:.3}", s.error / best.error)]
        });
        let before: Vec<f64> =
            cells.iter().filter_map(|cell| Some(cell.error / prototype.get(&cell.kind)?.get(&budget.2)?)).collect();
        let of_prototype =
            if before.is_empty() { String::new() } else { format!("{:.2}", geometric_mean(before.into_iter())) };
        println!(
            "| {} | {} | {solver} | {:.0} | {:.2e} | {:.2e} | {} | {of_best} | {} | {} | {of_prototype} | {:.3} | {:.3} | {} | {} |",
            budget.2,
            s.games,
            s.used,
            s.error,
            s.error / s.equal_split,
            s.worse_than_equal,
            of_single[0],
            of_single[1],
            s.coverage,
            s.top_coverage,
            number(s.width),
            s.wrong_zeros
        );
    }
    Ok(())
}

fn table_of_coverage(cells: &[Cell]) {
    println!(
        "\n| coverage of 95 % intervals | solver | all players | least at a budget | most important player | width | wrong zeros |"
    );
    println!("|---|---|--:|---|--:|--:|--:|");
    let row = |kind: &str, solver: Solver, cells: &[&Cell]| {
        let s = Summary::new(cells);
        let mut parts: BTreeMap<(&str, &str), Vec<&Cell>> = BTreeMap::new();
        for &cell in cells {
            parts.entry((&cell.kind, &cell.budget)).or_default().push(cell);
        }
        let coverages = parts.iter().map(|(place, cells)| (Summary::new(cells).coverage, place));
        let Some((least, (of, budget))) = coverages.min_by(|a, b| a.0.total_cmp(&b.0)) else { return };
        let width = number(s.width);
        println!(
            "| {kind} | {solver} | {:.3} | {least:.3} {of} at {budget} | {:.3} | {width} | {} |",
            s.coverage, s.top_coverage, s.wrong_zeros
        );
    };
    for ((kind, solver), cells) in group(cells, |cell| (cell.kind.clone(), cell.solver)) {
        row(&kind, solver, &cells);
    }
    for (solver, cells) in group(cells, |cell| cell.solver) {
        row("**all**", solver, &cells);
    }
}

/// The error over the best of others, of a kind at a budget.
struct Ratio {
    ratio: f64,
    kind: String,
    solver: Solver,
    evaluations: u64,
}

fn table_of_ratios(ratios: &[Ratio]) {
    if ratios.is_empty() {
        return;
    }
    println!(
        "\n| error over the best published | solver | budgets | geometric mean | up to 2000 evaluations | largest |"
    );
    println!("|---|---|--:|--:|--:|---|");
    let row = |kind: &str, solver: Solver, ratios: &[&Ratio]| {
        let few = ratios.iter().filter(|ratio| ratio.evaluations <= 2000).map(|ratio| ratio.ratio);
        let few: Vec<f64> = few.collect();
        let Some(worst) = ratios.iter().max_by(|a, b| a.ratio.total_cmp(&b.ratio)) else { return };
        println!(
            "| {kind} | {solver} | {} | {:.3} | {} | {:.2} {} at {} |",
            ratios.len(),
            geometric_mean(ratios.iter().map(|ratio| ratio.ratio)),
            if few.is_empty() { "–".to_owned() } else { format!("{:.3}", geometric_mean(few.into_iter())) },
            worst.ratio,
            worst.kind,
            worst.evaluations
        );
    };
    let mut of_kind: BTreeMap<(&str, Solver), Vec<&Ratio>> = BTreeMap::new();
    let mut of_all: BTreeMap<Solver, Vec<&Ratio>> = BTreeMap::new();
    for ratio in ratios {
        of_kind.entry((&ratio.kind, ratio.solver)).or_default().push(ratio);
        of_all.entry(ratio.solver).or_default().push(ratio);
    }
    of_kind.iter().for_each(|((kind, solver), ratios)| row(kind, *solver, ratios));
    of_all.iter().for_each(|(solver, ratios)| row("**all**", *solver, ratios));
}

/// All tables of a set.
pub(crate) fn print(set: Set, seeds: u64, cells: &[Cell], refusals: &[String]) -> Result<()> {
    let others = published::errors(set)?;
    println!("## {set}, seeds for each game: {seeds}\n");
    let ratios = table_by_kind(set, cells, &others);
    table_by_budget(set, cells, &others)?;
    table_of_coverage(cells);
    table_of_ratios(&ratios);
    for refusal in refusals {
        println!("\nNo estimate: {refusal}.");
    }
    Ok(())
}
