//! Errors of interactions and semivalues, and the coverage of their intervals.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Instant;

use clap::ValueEnum;
use rayon::prelude::*;
use serde::Serialize;
use shapley::games::Unanimity;
use shapley::{Exact, Game, Index, SampleSummary, Semivalue, Surrogate, Table};

use crate::report::{geometric_mean, number};
use crate::score::median;
use crate::{Result, published, random_games, unseen};

/// A set of games whose interactions are estimated.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Games {
    /// The twenty games that shapiq's estimators were measured on.
    Peers,
    /// Six other instances of each published kind, and thirteen games that nobody tuned on.
    Others,
    /// Sums of unanimity games of 60 and 100 players: pairs alone.
    Large,
}

impl fmt::Display for Games {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

/// What is estimated: pairs of an index, or values.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
enum What {
    Sii,
    Bii,
    Stii,
    Fsii,
    Banzhaf,
    Beta16,
    Beta4,
}

const ALL: [What; 7] = [What::Sii, What::Bii, What::Stii, What::Fsii, What::Banzhaf, What::Beta16, What::Beta4];

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sii => "SII",
            Self::Bii => "BII",
            Self::Stii => "STII",
            Self::Fsii => "FSII",
            Self::Banzhaf => "Banzhaf",
            Self::Beta16 => "Beta(16, 1)",
            Self::Beta4 => "Beta(4, 1)",
        })
    }
}

impl What {
    fn index(self) -> Option<Index> {
        match self {
            Self::Sii => Some(Index::Shapley),
            Self::Bii => Some(Index::Banzhaf),
            Self::Stii => Some(Index::ShapleyTaylor),
            Self::Fsii => Some(Index::FaithfulShapley),
            Self::Banzhaf | Self::Beta16 | Self::Beta4 => None,
        }
    }

    fn semivalue(self) -> Result<Semivalue> {
        Ok(match self {
            Self::Beta16 => Semivalue::beta(16.0, 1.0)?,
            Self::Beta4 => Semivalue::beta(4.0, 1.0)?,
            _ => Semivalue::banzhaf(),
        })
    }

    /// The name in the file of others' errors.
    fn published(self) -> Option<&'static str> {
        match self {
            Self::Sii => Some("SII"),
            Self::Bii => Some("BII"),
            Self::Banzhaf => Some("BV"),
            _ => None,
        }
    }

    /// Exact values, from a summary of the whole game.
    fn exact(self, summary: &shapley::Summary<f64>) -> Result<Vec<f64>> {
        Ok(match self.index() {
            Some(index) => pairs_of(&summary.interactions(index)?),
            None => summary.values(&self.semivalue()?)?.into_values(),
        })
    }

    /// Estimates and their standard errors.
    fn estimate(self, summary: &SampleSummary<f64>) -> Result<[Vec<f64>; 2]> {
        Ok(match self.index() {
            Some(index) => {
                let estimate = summary.interactions(index)?;
                let error = |(set, _): (shapley::Coalition, &f64)| -> f64 {
                    let players: Vec<usize> = set.iter().collect();
                    estimate.std_error(&players).copied().unwrap_or(f64::NAN)
                };
                let of_pairs = estimate.values().iter().filter(|(set, _)| set.len() == 2);
                [pairs_of(estimate.values()), of_pairs.map(error).collect()]
            }
            None => {
                let estimate = summary.values(&self.semivalue()?)?;
                [estimate.values().to_vec(), estimate.std_errors().to_vec()]
            }
        })
    }
}

fn pairs_of(interactions: &shapley::Interactions<f64>) -> Vec<f64> {
    interactions.iter().filter(|(set, _)| set.len() == 2).map(|(_, value)| *value).collect()
}

/// What is reached on a game at a budget, over all seeds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Cell {
    game: String,
    kind: String,
    players: usize,
    evaluations: u64,
    what: What,
    /// Squared distance to the exact values over their squared length, as a mean over seeds.
    error: f64,
    coverage: f64,
    /// The median of half an interval over 1.96 root mean squared errors over seeds.
    width: Option<f64>,
    /// The best of others, and its error.
    best: Option<(String, f64)>,
    /// How many of the ten strongest are among the ten strongest estimated, as a mean over seeds.
    top_ten: f64,
    /// Of the estimate of Shapley values, of the summary, and of its values.
    milliseconds: [f64; 3],
}

/// Others' errors, by index, game, estimator and evaluations.
type Others = BTreeMap<String, BTreeMap<String, BTreeMap<String, BTreeMap<String, f64>>>>;

fn others() -> Result<Others> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/published/interactions.json");
    Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
}

fn best(others: &Others, what: What, game: &str, evaluations: u64) -> Option<(String, f64)> {
    let estimators = others.get(what.published()?)?.get(game)?;
    let errors = estimators.iter().filter_map(|(name, errors)| Some((name, errors.get(&evaluations.to_string())?)));
    errors.min_by(|a, b| a.1.total_cmp(b.1)).map(|(name, error)| (name.clone(), *error))
}

/// The ten largest, whatever the sign.
fn strongest(values: &[f64]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    places.sort_by(|&a, &b| values[b].abs().total_cmp(&values[a].abs()));
    places.truncate(10);
    places
}

fn measure<G: Game<Value = f64> + ?Sized>(
    (kind, name): (&str, &str),
    game: &G,
    exact: &[(What, Vec<f64>)],
    evaluations: u64,
    seeds: u64,
    others: &Others,
) -> Result<Vec<Cell>> {
    let mut milliseconds = [0.0; 3];
    let mut cells: Vec<(Cell, Vec<f64>, Vec<f64>)> = Vec::new();
    for &(what, ref exact) in exact {
        let cell = Cell {
            game: name.to_owned(),
            kind: kind.to_owned(),
            players: game.num_players(),
            evaluations,
            what,
            error: 0.0,
            coverage: 0.0,
            width: None,
            best: best(others, what, name, evaluations),
            top_ten: 0.0,
            milliseconds,
        };
        cells.push((cell, vec![0.0; exact.len()], vec![0.0; exact.len()]));
    }
    let mut timed = |place: usize, start: Instant| {
        milliseconds[place] += start.elapsed().as_secs_f64() * 1e3 / seeds as f64;
    };
    for seed in 0..seeds {
        let solver = Surrogate::new(evaluations).seed(seed).threads(1);
        let start = Instant::now();
        let _ = solver.estimate(game)?;
        timed(0, start);
        let start = Instant::now();
        let summary = solver.summary(game, 2)?;
        timed(1, start);
        for ((cell, squares, widths), (what, exact)) in cells.iter_mut().zip(exact) {
            let start = Instant::now();
            let [values, errors] = what.estimate(&summary)?;
            timed(2, start);
            let slack = 1e-12 * exact.iter().map(|x| x.abs()).sum::<f64>();
            for (place, exact) in exact.iter().enumerate() {
                let off = (values[place] - exact).abs();
                let half = 1.96 * errors[place];
                squares[place] += off * off;
                widths[place] += half;
                cell.coverage += f64::from(u8::from(off <= half + slack));
            }
            let (top, found) = (strongest(exact), strongest(&values));
            cell.top_ten += top.iter().filter(|place| found.contains(place)).count() as f64 / seeds as f64;
        }
    }
    let runs = seeds as f64;
    let mut done = Vec::new();
    for ((mut cell, squares, widths), (_, exact)) in cells.into_iter().zip(exact) {
        let length: f64 = exact.iter().map(|x| x * x).sum();
        cell.error = squares.iter().sum::<f64>() / (runs * length);
        cell.coverage /= runs * exact.len() as f64;
        let ratios = squares.iter().zip(&widths).filter(|(square, _)| **square > 0.0);
        // As it would be with many seeds, if errors are normal: see `score::Cell::calibrated_width`.
        let few = (1.0 - 2.0 / (9.0 * runs)).powf(1.5);
        let ratios = ratios.map(|(square, width)| few * width / runs / (1.96 * (square / runs).sqrt()));
        cell.width = median(ratios.collect());
        cell.milliseconds = milliseconds;
        done.push(cell);
    }
    Ok(done)
}

/// Tables with the kinds and names of their games.
fn tables(games: Games) -> Result<Vec<(String, String, Table<f64>)>> {
    let mut all = Vec::new();
    for (kind, instance, table) in published::games()? {
        let is_peers = instance <= 2 && kind != "network12" && kind != "dv10_gb_cali";
        if is_peers == (games == Games::Peers) && (is_peers || instance <= 8) {
            all.push((kind.clone(), format!("{kind}__{instance}"), table));
        }
    }
    let rest = if games == Games::Peers { published::five()? } else { unseen::all()? };
    // Of the vote of sixteen nothing is published.
    let rest = rest.into_iter().filter(|(name, _)| *name != "voting16");
    all.extend(rest.map(|(name, table)| (name.to_owned(), name.to_owned(), table)));
    Ok(all)
}

pub(crate) fn run(games: Games, seeds: u64) -> Result<Vec<Cell>> {
    let others = others()?;
    let cells: Vec<Cell> = if games == Games::Large {
        let mut cells = Vec::new();
        for players in [60, 100] {
            for (number, game) in random_games::unanimity(players, 3)?.into_iter().enumerate() {
                let exact = [(What::Sii, pairs_of(&Unanimity::interactions(&game, Index::Shapley, 2)?))];
                let (kind, name) = (format!("unanimity{players}"), format!("unanimity{players}__{number}"));
                for evaluations in [2000, 20_000] {
                    cells.extend(measure((&kind, &name), &game, &exact, evaluations, seeds, &others)?);
                }
            }
        }
        cells
    } else {
        let of_table = |(kind, name, table): &(String, String, Table<f64>)| -> Vec<Cell> {
            let work = || -> Result<Vec<Cell>> {
                let summary = Exact::new().threads(1).summary(table, 2)?;
                let exact =
                    ALL.into_iter().map(|what| Ok((what, what.exact(&summary)?))).collect::<Result<Vec<_>>>()?;
                let mut cells = Vec::new();
                for evaluations in [250, 500, 1000, 2000].into_iter().filter(|&e| e < table.values().len() as u64) {
                    cells.extend(measure((kind, name), table, &exact, evaluations, seeds, &others)?);
                }
                Ok(cells)
            };
            work().unwrap_or_else(|error| {
                eprintln!("{name}: {error}");
                Vec::new()
            })
        };
        tables(games)?.par_iter().with_max_len(1).map(of_table).collect::<Vec<_>>().concat()
    };
    print(games, seeds, &cells);
    Ok(cells)
}

fn print(games: Games, seeds: u64, cells: &[Cell]) {
    let mean = |cells: &[&Cell], of: fn(&Cell) -> f64| cells.iter().map(|c| of(c)).sum::<f64>() / cells.len() as f64;
    let width = |cells: &[&Cell]| number(median(cells.iter().filter_map(|cell| cell.width).collect()));
    println!("## interactions, {games}, seeds for each game: {seeds}\n");
    println!(
        "| what | evaluations | games | error | of the best of each game | worst of it | coverage | width | top ten | ms: estimate, summary, values |"
    );
    println!("|---|--:|--:|--:|--:|---|--:|--:|--:|---|");
    let mut groups: BTreeMap<(What, u64, usize), Vec<&Cell>> = BTreeMap::new();
    for cell in cells {
        let size = if games == Games::Large { cell.players } else { 0 };
        groups.entry((cell.what, cell.evaluations, size)).or_default().push(cell);
    }
    for ((what, evaluations, _), cells) in &groups {
        let ratios: Vec<(f64, &str)> =
            cells.iter().filter_map(|c| Some((c.error / c.best.as_ref()?.1, c.game.as_str()))).collect();
        let of_best = (!ratios.is_empty()).then(|| geometric_mean(ratios.iter().map(|ratio| ratio.0)));
        let worst = ratios.iter().max_by(|a, b| a.0.total_cmp(&b.0)).map(|(r, game)| format!("{r:.2} {game}"));
        let name = if games == Games::Large { format!("{what}, {}", cells[0].kind) } else { what.to_string() };
        println!(
            "| {name} | {evaluations} | {} | {:.2e} | {} | {} | {:.3} | {} | {:.1} | {:.0}, {:.0}, {:.0} |",
            cells.len(),
            geometric_mean(cells.iter().map(|cell| cell.error)),
            number(of_best),
            worst.unwrap_or_default(),
            mean(cells, |cell| cell.coverage),
            width(cells),
            mean(cells, |cell| cell.top_ten),
            mean(cells, |cell| cell.milliseconds[0]),
            mean(cells, |cell| cell.milliseconds[1]),
            mean(cells, |cell| cell.milliseconds[2]),
        );
    }
    let behind = cells.iter().filter_map(|cell| Some((cell, cell.best.as_ref()?))).filter(|(cell, b)| cell.error > b.1);
    println!("\n| others are better at | evaluations | what | error | best | its error | ratio |");
    println!("|---|--:|---|--:|---|--:|--:|");
    for (cell, (name, error)) in behind {
        let ratio = cell.error / error;
        println!(
            "| {} | {} | {} | {:.2e} | {name} | {error:.2e} | {ratio:.2} |",
            cell.game, cell.evaluations, cell.what, cell.error
        );
    }
    println!("\n| kind | what | cells | coverage | width |");
    println!("|---|---|--:|--:|--:|");
    let mut kinds: BTreeMap<(&str, bool), Vec<&Cell>> = BTreeMap::new();
    for cell in cells {
        kinds.entry((&cell.kind, cell.what.index().is_some())).or_default().push(cell);
    }
    for ((kind, is_pairs), cells) in &kinds {
        let what = if *is_pairs { "pairs" } else { "values" };
        println!("| {kind} | {what} | {} | {:.3} | {} |", cells.len(), mean(cells, |cell| cell.coverage), width(cells));
    }
    println!();
}
