//! Which games are measured, and after how many evaluations.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use shapley::games::{Airport, Unanimity, WeightedVoting};
use shapley::{Game, Table};

use crate::chain::Chain;
use crate::score::Solver;
use crate::{Result, generators, published, random_games, unseen};

/// A set of games.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Set {
    /// Ten kinds of game that the literature measures on, ten instances of most.
    Published,
    /// The five games that the estimators were made with.
    Five,
    /// Thirteen games that nobody tuned on.
    Unseen,
    /// A thousand random votes of 6 to 12 voters.
    Votes,
    /// Games of 50 and 100 players.
    Large,
    /// Games of 30 players with effects of single players and pairs, just above 2n + 2 evaluations.
    Pairs,
}

impl Set {
    /// How many times each estimate is made for docs/benchmarks.md: the fewer games, the more.
    pub(crate) fn seeds(self) -> u64 {
        match self {
            Self::Five => 10,
            Self::Votes => 1,
            Self::Large => 2,
            Self::Published | Self::Unseen | Self::Pairs => 3,
        }
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

/// A number of evaluations.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    /// As the tables name it: a number of evaluations, or a multiple of the players, such as `3n`.
    pub(crate) name: String,
    pub(crate) evaluations: u64,
}

/// A game to be estimated.
pub(crate) struct Problem {
    pub(crate) set: Set,
    /// What kind of game it is: kinds have a row each in the tables.
    pub(crate) kind: String,
    pub(crate) game_name: String,
    pub(crate) game: Box<dyn Game<Value = f64> + Send>,
    /// The Shapley values.
    pub(crate) exact: Vec<f64>,
    pub(crate) budgets: Vec<Budget>,
    /// Of all estimates of this game, so that no two games of a kind are asked about the same coalitions.
    pub(crate) first_seed: u64,
}

/// What is asked of every game: small budgets, which depend on the number of players, and larger ones.
const SMALL: [&str; 4] = ["2n+2", "3n", "4n", "6n"];
const LARGE: [&str; 5] = ["100", "250", "500", "1000", "2000"];

/// A budget by its name: a number, `kn` or `kn+c`.
fn budget(name: &str, players: usize) -> Result<Budget> {
    let evaluations = match name.split_once('n') {
        Some((factor, rest)) => {
            factor.parse::<u64>()? * players as u64 + rest.trim_start_matches('+').parse().unwrap_or(0)
        }
        None => name.parse()?,
    };
    Ok(Budget { name: name.to_owned(), evaluations })
}

/// Those budgets that can be estimated with and are below 2^n, ascending, each number once.
fn budgets(names: &[&str], players: usize) -> Result<Vec<Budget>> {
    let mut budgets = names.iter().map(|name| budget(name, players)).collect::<Result<Vec<_>>>()?;
    let all = 1_u64.checked_shl(players as u32).unwrap_or(u64::MAX);
    budgets.retain(|budget| budget.evaluations >= 2 * players as u64 + 2 && budget.evaluations < all);
    budgets.sort_by_key(|budget| budget.evaluations);
    budgets.dedup_by_key(|budget| budget.evaluations);
    Ok(budgets)
}

/// The problems of a set, numbered.
struct Builder {
    set: Set,
    problems: Vec<Problem>,
}

impl Builder {
    fn add<G: Game<Value = f64> + Send + 'static>(
        &mut self,
        [kind, game_name]: [&str; 2],
        game: G,
        exact: Vec<f64>,
        names: &[&str],
    ) -> Result<()> {
        let before = self.problems.iter().filter(|problem| problem.kind == kind).count();
        self.problems.push(Problem {
            set: self.set,
            kind: kind.to_owned(),
            game_name: game_name.to_owned(),
            budgets: budgets(names, exact.len())?,
            game: Box::new(game),
            exact,
            first_seed: 1000 * before as u64,
        });
        Ok(())
    }

    fn add_table(&mut self, names: [&str; 2], table: Table<f64>, budgets: &[&str]) -> Result<()> {
        let exact = shapley::exact(&table)?.into_values();
        self.add(names, table, exact, budgets)
    }

    fn add_vote(&mut self, names: [&str; 2], vote: WeightedVoting, budgets: &[&str]) -> Result<()> {
        let exact = vote.try_shapley_shubik()?.into_values();
        self.add(names, vote, exact, budgets)
    }
}

impl Set {
    /// The estimators that are measured: those that are wanted, and those that belong to the set.
    pub(crate) fn solvers(self, wanted: &[Solver]) -> Vec<Solver> {
        let mut solvers = wanted.to_vec();
        if self == Self::Pairs && !solvers.contains(&Solver::Permutation) {
            // At 2n + 2 evaluations it is one pair of walks.
            solvers.push(Solver::Permutation);
        }
        solvers
    }

    /// All games, in an order that is always the same.
    pub(crate) fn problems(self) -> Result<Vec<Problem>> {
        let mut builder = Builder { set: self, problems: Vec::new() };
        let usual = [&SMALL[..], &LARGE].concat();
        match self {
            Self::Published => {
                let errors = published::errors(self)?;
                for (kind, instance, table) in published::games()? {
                    // Where something is published, the same numbers of evaluations.
                    let theirs: Vec<&str> =
                        errors.get(&kind).into_iter().flatten().map(|(name, _)| &name[..]).collect();
                    let names = if theirs.is_empty() { &usual } else { &theirs };
                    builder.add_table([&kind, &format!("{kind}__{instance}")], table, names)?;
                }
            }
            Self::Five => {
                for (name, table) in published::five()? {
                    builder.add_table([name, name], table, &usual)?;
                }
            }
            Self::Unseen => {
                for (name, table) in unseen::all()? {
                    builder.add_table([name, name], table, &usual)?;
                }
            }
            Self::Votes => {
                for (number, vote) in generators::votes(1000)?.into_iter().enumerate() {
                    let kind = format!("votes{:02}", vote.weights().len());
                    builder.add_vote([&kind, &format!("{kind}__{number}")], vote, &["8n", "100", "200"])?;
                }
            }
            Self::Large => large(&mut builder)?,
            Self::Pairs => {
                for (kind, instance, game) in generators::chains(10) {
                    let exact = Chain::shapley(&game);
                    builder.add([kind, &format!("{kind}__{instance}")], game, exact, &["62", "80", "120"])?;
                }
            }
        }
        Ok(builder.problems)
    }
}

fn large(builder: &mut Builder) -> Result<()> {
    let budgets = ["1000", "4000", "20000"];
    for players in [50, 100] {
        let kind = format!("votes{players}");
        for (number, vote) in random_games::large_votes(players, 3)?.into_iter().enumerate() {
            builder.add_vote([&kind, &format!("{kind}__{number}")], vote, &budgets)?;
        }
        let kind = format!("airport{players}");
        let airport = Airport::new((1..=players).map(|cost| cost as f64).collect::<Vec<_>>())?;
        let exact = airport.shapley().into_values();
        builder.add([&kind, &kind], airport, exact, &budgets)?;
        let kind = format!("unanimity{players}");
        for (number, game) in random_games::unanimity(players, 3)?.into_iter().enumerate() {
            let exact = Unanimity::shapley(&game).into_values();
            builder.add([&kind, &format!("{kind}__{number}")], game, exact, &budgets)?;
        }
    }
    Ok(())
}
