//! Which estimator is best in total time: by the number of players, and by the time that an evaluation takes.
//!
//! `cargo bench -p shapley-benches --bench advice` prints two tables; `-- --players 10,30` measures only these numbers
//! of players, and `-- --quick` is a rough look.
//!
//! The first table has the error and the own time of each estimator at a ladder of budgets, on one thread. An
//! estimator's own time is what an estimate takes when the game takes none: the estimate is made again, and the game
//! reads the same answers from a list. (Above half a second, the time that the game took is taken off instead.) The
//! second table says what reaches the error of `Surrogate` after 3n, 10n and 60n evaluations in the least total time,
//! which is evaluations × time of one + own time. As errors fall with time, what has the least time for an error has the
//! least error in that time too.

mod games;
#[path = "../common/random_games.rs"]
mod random_games;

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Parser;
use games::{Problem, problems};
use shapley::{Coalition, Exact, Game, KernelShap, Permutation, Surrogate};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Which estimator is best in total time.
#[derive(Parser)]
struct Options {
    /// Numbers of players.
    #[arg(long, value_delimiter = ',', default_value = "10,30,100,300,1000")]
    players: Vec<usize>,
    /// How many times each estimate is made, with other seeds; half as many above 5000 evaluations.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// At most 2000 evaluations (or 3n), with two seeds.
    #[arg(long)]
    quick: bool,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Squared errors are relative to the squared length of the exact values, and counted from here on: below, it is
/// rounding.
const LEAST_ERROR: f64 = 1e-20;
/// Evaluations for each player.
const LADDER: [u64; 12] = [3, 6, 10, 20, 60, 100, 200, 600, 2000, 6000, 20_000, 60_000];
/// Of `Surrogate`, in the second table; 20 000 evaluations at most.
const TARGETS: [u64; 3] = [3, 10, 60];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Solver {
    Surrogate,
    KernelShap,
    Permutation,
    Exact,
}

impl fmt::Display for Solver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Solver {
    const ALL: [Self; 4] = [Self::Surrogate, Self::KernelShap, Self::Permutation, Self::Exact];

    fn solve(self, game: &dyn Game<Value = f64>, evaluations: u64, seed: u64) -> Result<Vec<f64>> {
        Ok(match self {
            Self::Surrogate => Surrogate::new(evaluations).seed(seed).threads(1).estimate(game)?.values().to_vec(),
            Self::KernelShap => KernelShap::new(evaluations).seed(seed).threads(1).estimate(game)?.values().to_vec(),
            Self::Permutation => Permutation::new(evaluations).seed(seed).threads(1).estimate(game)?.values().to_vec(),
            Self::Exact => Exact::new().threads(1).solve(game)?.into_values(),
        })
    }

    /// Budgets, ascending: at most 20 000 evaluations of the two that solve equations, and of all fewer than 2^n.
    fn budgets(self, players: usize, quick: bool) -> Vec<u64> {
        let n = players as u64;
        let all = all(players);
        if self == Self::Exact {
            return if n <= 16 { vec![all] } else { Vec::new() };
        }
        let most = match self {
            _ if quick => 2000.max(3 * n),
            Self::Permutation => 200_000,
            _ => 20_000,
        };
        // After 3n, `Permutation` has made two permutations, as after 2n + 2.
        let ladder = LADDER.iter().filter(|factor| self != Self::Permutation || **factor > 3);
        let mut budgets: Vec<u64> = [2 * n + 2].into_iter().chain(ladder.map(|factor| factor * n)).collect();
        budgets.retain(|budget| *budget <= most && *budget < all);
        budgets
    }
}

/// 2^n.
fn all(players: usize) -> u64 {
    1_u64.checked_shl(players as u32).unwrap_or(u64::MAX)
}

/// A game that keeps its answers in the order in which they were asked for, and the time that they took.
struct Recorded<'a> {
    game: &'a dyn Game<Value = f64>,
    answers: Mutex<(Vec<f64>, Duration)>,
}

impl Game for Recorded<'_> {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.game.num_players()
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        let start = Instant::now();
        let value = self.game.value(coalition);
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.0.push(value);
        answers.1 += start.elapsed();
        value
    }
}

/// A game that reads its answers from a list, in the order in which they were recorded. One thread asks.
struct Replayed {
    players: usize,
    answers: Vec<f64>,
    next: AtomicUsize,
}

impl Game for Replayed {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.players
    }

    fn value(&self, _: &Coalition) -> f64 {
        let next = self.next.load(Ordering::Relaxed);
        self.next.store(next + 1, Ordering::Relaxed);
        self.answers[next]
    }
}

/// An estimator's error and own time at one budget.
#[derive(Clone, Copy)]
struct Point {
    /// Those that were made, and not the budget: `Permutation` takes whole permutations.
    evaluations: f64,
    error: f64,
    /// In seconds.
    own: f64,
}

/// One estimate of a game: the evaluations, the error, and the least own time of some repetitions.
fn estimate(problem: &Problem, solver: Solver, budget: u64, seed: u64) -> Result<Point> {
    let recorded = Recorded { game: &*problem.game, answers: Mutex::default() };
    let start = Instant::now();
    let values = solver.solve(&recorded, budget, seed)?;
    let took = start.elapsed();
    let (answers, of_game) = recorded.answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut replayed = Replayed { players: values.len(), answers, next: AtomicUsize::new(0) };
    // Where an estimate takes long, the game's time, which has that of the clock in it, is small beside it.
    let rest = took.saturating_sub(of_game);
    let is_slow = rest > Duration::from_millis(500);
    let (mut own, mut spent) = if is_slow { (rest, rest) } else { (Duration::MAX, Duration::ZERO) };
    while spent < Duration::from_millis(5) {
        *replayed.next.get_mut() = 0;
        let start = Instant::now();
        let again = solver.solve(&replayed, budget, seed)?;
        let took = start.elapsed();
        if again.iter().zip(&values).any(|(again, first)| again.to_bits() != first.to_bits()) {
            return Err(format!("{solver} gave other values for the same answers").into());
        }
        (own, spent) = (own.min(took), spent + took);
    }
    let squares: f64 = values.iter().zip(&problem.exact).map(|(value, exact)| (value - exact).powi(2)).sum();
    let length: f64 = problem.exact.iter().map(|exact| exact * exact).sum();
    Ok(Point { evaluations: replayed.answers.len() as f64, error: squares / length, own: own.as_secs_f64() })
}

fn geometric_mean(numbers: &[f64]) -> f64 {
    (numbers.iter().map(|x| x.ln()).sum::<f64>() / numbers.len() as f64).exp()
}

/// Of each game the mean error and the least time over seeds; of these the geometric means over games.
fn measure(problems: &[Problem], solver: Solver, budget: u64, seeds: u64) -> Result<Point> {
    let (mut errors, mut owns, mut evaluations) = (Vec::new(), Vec::new(), Vec::new());
    for problem in problems {
        let points = (0..seeds).map(|seed| estimate(problem, solver, budget, seed)).collect::<Result<Vec<_>>>()?;
        let mean = |of: fn(&Point) -> f64| points.iter().map(of).sum::<f64>() / seeds as f64;
        errors.push(mean(|point| point.error).max(LEAST_ERROR));
        evaluations.push(mean(|point| point.evaluations));
        owns.push(points.iter().map(|point| point.own).fold(f64::INFINITY, f64::min));
    }
    Ok(Point { evaluations: geometric_mean(&evaluations), error: geometric_mean(&errors), own: geometric_mean(&owns) })
}

/// The points of an estimator, by evaluations.
struct Curve {
    solver: Solver,
    players: usize,
    points: Vec<Point>,
}

impl Curve {
    /// Where the error is first as small as that: between points on a straight line of logarithms. Beyond the last one
    /// the error of `Permutation` falls as 1 / evaluations; of the others nothing is known.
    fn reach(&self, error: f64) -> Option<Point> {
        let Some(first) = self.points.iter().position(|point| point.error <= error) else {
            let last = self.points.last().filter(|_| self.solver == Solver::Permutation)?;
            let factor = last.error / error;
            let evaluations = last.evaluations * factor;
            return (evaluations < all(self.players) as f64).then_some(Point {
                evaluations,
                error,
                own: last.own * factor,
            });
        };
        let after = self.points[first];
        let Some(before) = first.checked_sub(1).map(|k| self.points[k]) else { return Some(after) };
        let share = (before.error / error).ln() / (before.error / after.error).ln();
        let between = |from: f64, to: f64| from * (to / from).powf(share);
        Some(Point {
            evaluations: between(before.evaluations, after.evaluations),
            error,
            own: between(before.own, after.own),
        })
    }
}

/// Two digits, and a unit of time.
fn seconds(time: f64) -> String {
    let (size, unit) = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")]
        .into_iter()
        .find(|(size, _)| time >= 0.995 * size)
        .unwrap_or((1e-9, "ns"));
    let number = time / size;
    let places = if number < 9.95 { 1 } else { 0 };
    format!("{number:.places$} {unit}")
}

/// What is best from which evaluation time on, from 10 ns to 100 s.
fn best(reached: &[(Solver, Point)]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut before = None;
    for step in -400..=100 {
        let cost = 10_f64.powf(f64::from(step) / 50.0);
        let total = |point: &Point| point.evaluations * cost + point.own;
        let least = reached.iter().min_by(|(_, a), (_, b)| total(a).total_cmp(&total(b))).map(|(solver, _)| *solver);
        if let Some(solver) = least.filter(|_| least != before) {
            let from = if before.is_none() { String::new() } else { format!(" from {}", seconds(cost)) };
            parts.push(format!("{solver}{from}"));
            before = least;
        }
    }
    parts.join("; ")
}

fn main() -> Result<()> {
    let options = Options::parse();
    let seeds = if options.quick { 2 } else { options.seeds };
    let mut advice = Vec::new();
    println!("| n | estimator | evaluations | error | own time |");
    println!("|--:|---|--:|--:|--:|");
    for &players in &options.players {
        let problems = problems(players)?;
        let mut curves = Vec::new();
        for solver in Solver::ALL {
            let mut points = Vec::new();
            for budget in solver.budgets(players, options.quick) {
                let runs = if budget > 5000 { seeds.div_ceil(2) } else { seeds };
                let point = measure(&problems, solver, budget, runs)?;
                let Point { evaluations, error, own } = point;
                println!("| {players} | {solver} | {evaluations:.0} | {error:.1e} | {} |", seconds(own));
                points.push(point);
            }
            curves.push(Curve { solver, players, points });
        }
        for factor in TARGETS {
            // The first curve is that of `Surrogate`.
            let budget = (factor * players as u64).min(20_000);
            let Some(place) = Solver::Surrogate.budgets(players, options.quick).iter().position(|b| *b == budget)
            else {
                continue;
            };
            let error = curves[0].points[place].error;
            let reached: Vec<(Solver, Point)> =
                curves.iter().filter_map(|curve| Some((curve.solver, curve.reach(error)?))).collect();
            let needs = |solver| {
                let point = reached.iter().find(|(which, _)| *which == solver);
                point.map_or("-".to_owned(), |(_, point)| format!("{:.0}", point.evaluations))
            };
            // `Surrogate` may have had that error earlier.
            let needed = [Solver::Surrogate, Solver::KernelShap, Solver::Permutation].map(needs).join(" | ");
            advice.push(format!(
                "| {players} | {}n = {budget} | {error:.1e} | {needed} | {} |",
                budget / players as u64,
                best(&reached)
            ));
        }
    }
    println!(
        "\n| n | Surrogate after | error | Surrogate needs | KernelShap | Permutation | best by evaluation time |"
    );
    println!("|--:|---|--:|--:|--:|--:|---|");
    advice.iter().for_each(|row| println!("{row}"));
    Ok(())
}
