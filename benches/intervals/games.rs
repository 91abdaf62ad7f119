//! The games of the bench, with their exact values.

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use shapley::games::{Airport, KNearest, Unanimity};
use shapley::{Game, Table};

use crate::Result;
use crate::random_games::{self, Random};

pub(crate) struct Known {
    pub(crate) name: String,
    /// Whether the rule was found on it: the others had the last look.
    pub(crate) is_tuned_on: bool,
    pub(crate) game: Box<dyn Game<Value = f64> + Send>,
    pub(crate) shapley: Vec<f64>,
    /// The chance that a player contributes to a sample, where that is rare.
    pub(crate) chance: Option<f64>,
}

struct Builder(Vec<Known>);

impl Builder {
    fn add(&mut self, name: &str, is_tuned_on: bool, game: impl Game<Value = f64> + Send + 'static, shapley: Vec<f64>) {
        let (name, game) = (name.to_owned(), Box::new(game));
        self.0.push(Known { name, is_tuned_on, game, shapley, chance: None });
    }

    /// Of the last game: some player or other contributes to a walk, and each to two of n.
    fn is_rare(&mut self) {
        if let Some(known) = self.0.last_mut() {
            known.chance = Some(2.0 / known.shapley.len() as f64);
        }
    }

    fn table(&mut self, name: &str, is_tuned_on: bool, values: Vec<f64>) -> Result<()> {
        let table = Table::new(values)?;
        let shapley = shapley::exact(&table)?.into_values();
        self.add(name, is_tuned_on, table, shapley);
        Ok(())
    }
}

fn numbers(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
}

/// Values of all coalitions that have nothing to do with one another.
fn noise(players: usize, seed: u8) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..1 << players).map(|_| random.signed() + random.signed() + random.signed()).collect()
}

/// Sums of a product for each three players. The spread of players falls from 1 to 1/500.
fn scales(players: usize, seed: u8) -> Vec<f64> {
    let mut random = Random::new(seed);
    let mut values = vec![0.0; 1 << players];
    let size = |player: usize| 10_f64.powf(-(player as f64) / 4.0);
    for a in 0..players {
        for b in 0..a {
            for c in 0..b {
                let amount = size(a) * size(b) * size(c) * random.signed();
                let members = 1 << a | 1 << b | 1 << c;
                values
                    .iter_mut()
                    .enumerate()
                    .filter(|(set, _)| set & members == members)
                    .for_each(|(_, v)| *v += amount);
            }
        }
    }
    values
}

/// Training points on a line in two classes, a tenth of them with the wrong label, and test points.
fn nearest(points: usize, tests: usize, seed: u8) -> Result<KNearest> {
    let mut random = Random::new(seed);
    let mut draw = |count: usize, wrong: f64| {
        let point = |_| {
            let x = random.signed();
            (x, (x > 0.0) != (random.signed() < 2.0 * wrong - 1.0))
        };
        (0..count).map(point).unzip::<f64, bool, Vec<f64>, Vec<bool>>()
    };
    let (train, test) = (draw(points, 0.1), draw(tests, 0.0));
    Ok(KNearest::new(1, train, test)?)
}

/// All games, in an order that is always the same.
pub(crate) fn all() -> Result<Vec<Known>> {
    let mut games = Builder(Vec::new());
    for (players, is_tuned_on) in [(100, true), (1000, false)] {
        let airport = Airport::new((1..=players).map(f64::from).collect::<Vec<_>>())?;
        let shapley = airport.shapley().into_values();
        games.add(&format!("airport, {players}"), is_tuned_on, airport, shapley);
        games.is_rare();
    }
    for players in [16, 51, 100] {
        for (k, vote) in random_games::large_votes(players, 2)?.into_iter().enumerate() {
            let shapley = vote.try_shapley_shubik()?.into_values();
            games.add(&format!("vote of {players}, {}", k + 1), false, vote, shapley);
            games.is_rare();
        }
    }
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for (name, is_tuned_on) in
        [("sent14", true), ("diabetes_r2", true), ("bike_rf", false), ("forest_digits", false), ("voting16", false)]
    {
        let bytes = fs::read(root.join(format!("../tests/data/accuracy/{name}.f64")))?;
        games.table(name, is_tuned_on, numbers(&bytes))?;
    }
    for (name, is_tuned_on) in [("distilbert14__1", true), ("distilbert14__2", false), ("dv10_gb_cali__2", false)] {
        let mut bytes = Vec::new();
        GzDecoder::new(File::open(root.join(format!("data/published/{name}.f64.gz")))?).read_to_end(&mut bytes)?;
        games.table(name, is_tuned_on, numbers(&bytes))?;
    }
    for (players, seed) in [(6, 11), (10, 12)] {
        games.table(&format!("noise, {players}"), false, noise(players, seed))?;
    }
    games.table("scales, 12", false, scales(12, 13))?;
    for (k, game) in random_games::unanimity(50, 1)?.into_iter().enumerate() {
        let shapley = Unanimity::shapley(&game).into_values();
        games.add(&format!("unanimity, {}", 50 + k), false, game, shapley);
    }
    let game = nearest(100, 10, 14)?;
    let shapley = game.shapley().into_values();
    games.add("nearest, 100", false, game, shapley);
    games.is_rare();
    Ok(games.0)
}
