//! Two measurements side by side.

use std::collections::BTreeMap;

use crate::report::{budget_order, geometric_mean, number};
use crate::score::{Cell, median};

/// What the same cell was before and is after.
type Pair<'a> = (&'a Cell, &'a Cell);

fn heading(title: &str) {
    println!(
        "| {title} | solver | cells | error, after / before | largest ratio | coverage | top | width | wrong zeros |"
    );
    println!("|---|---|--:|--:|---|--:|--:|--:|--:|");
}

fn row(name: &str, pairs: &[Pair<'_>]) {
    let ratio = |(before, after): &Pair<'_>| after.error.max(1e-30) / before.error.max(1e-30);
    let Some(worst) = pairs.iter().max_by(|a, b| ratio(a).total_cmp(&ratio(b))) else { return };
    let mean = |of: &dyn Fn(&Cell) -> f64, weight: &dyn Fn(&Cell) -> f64| {
        let total: f64 = pairs.iter().map(|(before, _)| weight(before)).sum();
        let sum = |which: &dyn Fn(&Pair<'_>) -> f64| pairs.iter().map(which).sum::<f64>() / total;
        format!("{:.3} → {:.3}", sum(&|pair| of(pair.0) * weight(pair.0)), sum(&|pair| of(pair.1) * weight(pair.1)))
    };
    let widths = |which: &dyn Fn(&Pair<'_>) -> Option<f64>| number(median(pairs.iter().filter_map(which).collect()));
    let zeros = |which: &dyn Fn(&Pair<'_>) -> u64| pairs.iter().map(which).sum::<u64>();
    println!(
        "| {name} | {} | {} | {:.3} | {:.2} {} at {} | {} | {} | {} → {} | {} → {} |",
        worst.0.solver,
        pairs.len(),
        geometric_mean(pairs.iter().map(ratio)),
        ratio(worst),
        worst.0.game,
        worst.0.budget,
        mean(&|cell| cell.coverage, &|cell| cell.players as f64),
        mean(&|cell| cell.top_coverage, &|_| 1.0),
        widths(&|pair| pair.0.calibrated_width()),
        widths(&|pair| pair.1.calibrated_width()),
        zeros(&|pair| pair.0.wrong_zeros),
        zeros(&|pair| pair.1.wrong_zeros),
    );
}

/// Geometric means of ratios of errors, and changes of coverage, of the cells that both have.
pub(crate) fn print(before: &[Cell], after: &[Cell]) {
    let key = |cell: &Cell| (cell.set, cell.game.clone(), cell.evaluations, cell.solver);
    let known: BTreeMap<_, &Cell> = before.iter().map(|cell| (key(cell), cell)).collect();
    let pairs: Vec<Pair<'_>> = after.iter().filter_map(|cell| Some((*known.get(&key(cell))?, cell))).collect();
    println!("{} cells before, {} after, {} in both.\n", before.len(), after.len(), pairs.len());
    fn tables<K: Ord>(title: &str, pairs: &[Pair<'_>], key: impl Fn(&Cell) -> K, name: impl Fn(&Cell) -> String) {
        let mut groups: BTreeMap<K, Vec<Pair<'_>>> = BTreeMap::new();
        for pair in pairs {
            groups.entry(key(pair.1)).or_default().push(*pair);
        }
        heading(title);
        groups.values().for_each(|pairs| row(&name(pairs[0].1), pairs));
        println!();
    }
    tables(
        "kind, evaluations",
        &pairs,
        |cell| (cell.set, cell.kind.clone(), cell.evaluations, cell.solver),
        |cell| format!("{}, {}", cell.kind, cell.budget),
    );
    tables("kind", &pairs, |cell| (cell.set, cell.kind.clone(), cell.solver), |cell| cell.kind.clone());
    tables(
        "evaluations",
        &pairs,
        |cell| (cell.set, budget_order(&cell.budget), cell.solver),
        |cell| format!("{}, {}", cell.set, cell.budget),
    );
    tables("set", &pairs, |cell| (cell.set, cell.solver), |cell| cell.set.to_string());
}
