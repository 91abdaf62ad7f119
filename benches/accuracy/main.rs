//! The errors of estimators at given budgets, and the coverage of their intervals, on games whose exact values are
//! known.
//!
//! `cargo bench -p shapley-benches --bench accuracy -- --set published --seeds 2` measures one set of games; `--help`
//! lists the sets and options. `--json FILE` saves what was measured, and `--compare BEFORE AFTER` compares two such
//! files. `docs/benchmarks.md` has what the bench showed.
//!
//! The parts: `sets` (which games, at which budgets), `published` (games and errors from files), `unseen`, `generators`
//! and `random_games` (games that are made here), `score` (what is measured of an estimator), `report` (tables),
//! `compare`; and `interactions`.

mod chain;
mod compare;
mod generators;
mod interactions;
mod published;
#[path = "../common/random_games.rs"]
mod random_games;
mod report;
mod score;
mod sets;
mod unseen;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use score::{Cell, Solver};
use sets::{Problem, Set};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Errors and coverage of estimators on games whose exact values are known.
#[derive(Parser)]
struct Options {
    /// The sets of games.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "five")]
    set: Vec<Set>,
    /// Measures interactions and semivalues of `Surrogate::summary` on these games, and no Shapley values.
    #[arg(long, value_enum)]
    interactions: Option<interactions::Games>,
    /// The estimators.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "surrogate")]
    solver: Vec<Solver>,
    /// How many times each estimate is made, with other seeds: unless given, as many as in docs/benchmarks.md, which
    /// are 10 of `five`, 1 of `votes`, 2 of `large`, and 3 of the others.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: Option<u64>,
    /// Only these budgets: numbers, or names as in the tables, such as `2n+2`.
    #[arg(long, value_delimiter = ',')]
    budgets: Vec<String>,
    /// Only games whose names have one of these texts in them.
    #[arg(long, value_delimiter = ',')]
    games: Vec<String>,
    /// Measures on one thread, so that milliseconds are those of an estimate that has the machine to itself.
    #[arg(long)]
    time: bool,
    /// Saves every figure of every game, budget and estimator. (Cargo runs benches in their own folder: a relative path
    /// begins in `benches`.)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Compares two files that `--json` wrote, and measures nothing.
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"])]
    compare: Option<Vec<PathBuf>>,
    /// Writes the tables of `unseen` into a folder, and measures nothing: all values by bit mask, as 64-bit floats, the
    /// least significant byte first, and `games.json` with the number of players of each.
    #[arg(long, value_name = "FOLDER")]
    tables: Option<PathBuf>,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    fn wants_game(&self, name: &str) -> bool {
        self.games.is_empty() || self.games.iter().any(|part| name.contains(part))
    }

    fn wants_budget(&self, budget: &sets::Budget) -> bool {
        let number = budget.evaluations.to_string();
        self.budgets.is_empty() || self.budgets.iter().any(|wish| *wish == budget.name || *wish == number)
    }
}

/// All cells of a game, and what estimators refused to do.
fn measure(problem: &Problem, solvers: &[Solver], options: &Options, seeds: u64) -> (Vec<Cell>, Vec<String>) {
    let (mut cells, mut refusals) = (Vec::new(), Vec::new());
    for budget in problem.budgets.iter().filter(|budget| options.wants_budget(budget)) {
        for solver in solvers {
            match score::measure(problem, budget, *solver, seeds) {
                Ok(cell) => cells.push(cell),
                Err(error) => refusals.push(format!("{}, {}, {solver}: {error}", problem.game_name, budget.name)),
            }
        }
    }
    (cells, refusals)
}

fn write_tables(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut players = serde_json::Map::new();
    for (name, table) in unseen::all()? {
        let bytes: Vec<u8> = table.values().iter().flat_map(|value| value.to_le_bytes()).collect();
        fs::write(folder.join(format!("{name}.f64")), bytes)?;
        players.insert(name.to_owned(), table.values().len().ilog2().into());
    }
    Ok(fs::write(folder.join("games.json"), serde_json::to_string_pretty(&players)?)?)
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(files) = &options.compare {
        let [before, after] =
            [0, 1].map(|which| -> Result<Vec<Cell>> { Ok(serde_json::from_str(&fs::read_to_string(&files[which])?)?) });
        compare::print(&before?, &after?);
        return Ok(());
    }
    if let Some(folder) = &options.tables {
        return write_tables(folder);
    }
    if let Some(games) = options.interactions {
        let cells = interactions::run(games, options.seeds.unwrap_or(3))?;
        if let Some(file) = &options.json {
            fs::write(file, serde_json::to_string_pretty(&cells)?)?;
        }
        return Ok(());
    }
    let pool = ThreadPoolBuilder::new().num_threads(usize::from(options.time)).build()?;
    let mut all = Vec::new();
    for set in &options.set {
        let start = Instant::now();
        let problems = set.problems()?;
        let solvers = set.solvers(&options.solver);
        let seeds = options.seeds.unwrap_or_else(|| set.seeds());
        let wanted: Vec<&Problem> = problems.iter().filter(|problem| options.wants_game(&problem.game_name)).collect();
        // Games one at a time: their costs differ by a hundred.
        let work =
            || wanted.par_iter().with_max_len(1).map(|problem| measure(problem, &solvers, &options, seeds)).collect();
        let measured: Vec<(Vec<Cell>, Vec<String>)> = pool.install(work);
        let (cells, refusals): (Vec<_>, Vec<_>) = measured.into_iter().unzip();
        let cells = cells.concat();
        report::print(*set, seeds, &cells, &refusals.concat())?;
        println!("\nMeasured in {:.0} s.\n", start.elapsed().as_secs_f64());
        all.extend(cells);
    }
    if let Some(file) = &options.json {
        fs::write(file, serde_json::to_string_pretty(&all)?)?;
    }
    Ok(())
}
