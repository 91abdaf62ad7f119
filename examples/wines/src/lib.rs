//! Red wines, and a random forest that predicts their ratings.

use std::collections::HashSet;

use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::error::Failed;
use smartcore::linalg::basic::matrix::DenseMatrix;

/// The table: README.md says where it comes from.
const TABLE: &str = include_str!("../winequality-red.csv");

/// Measurements of a wine.
pub const COLUMNS: usize = 11;

/// The model.
pub type Forest = RandomForestRegressor<f64, f64, DenseMatrix<f64>, Vec<f64>>;

/// Wines that the model is tested on and explained for.
pub const UNSEEN: usize = 200;

/// Measurements and ratings of wines: those to learn from, and those to test on.
#[derive(Clone, Debug)]
pub struct Wines {
    /// Of the measurements.
    pub names: Vec<String>,
    /// A row of measurements for each wine to learn from, one after the other.
    pub seen: Vec<f64>,
    /// Their ratings.
    pub known: Vec<f64>,
    /// The rows of the others.
    pub unseen: Vec<f64>,
    /// Their ratings.
    pub hidden: Vec<f64>,
}

/// The names of the columns, less the rating.
fn names() -> impl Iterator<Item = &'static str> {
    let header = TABLE.lines().next().expect("a header");
    header.split(',').map(|name| name.trim_matches('"')).take(COLUMNS)
}

/// The measurements and the rating of each wine once, in the order of the table.
///
/// # Panics
///
/// If the table within this crate is damaged.
pub fn distinct() -> impl Iterator<Item = ([f64; COLUMNS], u8)> {
    let mut met = HashSet::new();
    TABLE.lines().skip(1).filter_map(move |line| {
        let mut fields = line.split(',');
        let row = [(); COLUMNS].map(|()| fields.next().and_then(|field| field.parse().ok()).expect("a measurement"));
        let rating = fields.next().and_then(|field| field.parse().ok()).expect("a rating");
        met.insert(row.map(f64::to_bits)).then_some((row, rating))
    })
}

impl Wines {
    /// Each wine once: some stand in the data several times, and what is learnt from must not be what is tested on.
    #[must_use]
    pub fn load() -> Self {
        let names: Vec<String> = names().map(str::to_owned).collect();
        let (mut rows, mut ratings) = (Vec::new(), Vec::new());
        for (row, rating) in distinct() {
            rows.extend(row);
            ratings.push(f64::from(rating));
        }
        let hidden = ratings.split_off(ratings.len() - UNSEEN);
        let unseen = rows.split_off(ratings.len() * names.len());
        Self { names, seen: rows, known: ratings, unseen, hidden }
    }
}

/// A forest that has learnt from these.
pub fn forest(seen: &[f64], known: &[f64]) -> Result<Forest, Failed> {
    let parameters = RandomForestRegressorParameters::default().with_n_trees(50).with_max_depth(10).with_seed(7);
    RandomForestRegressor::fit(&matrix(seen, seen.len() / known.len())?, &known.to_vec(), parameters)
}

/// Rows as the model wants them.
pub fn matrix(rows: &[f64], columns: usize) -> Result<DenseMatrix<f64>, Failed> {
    DenseMatrix::new(rows.len() / columns, columns, rows.to_vec(), false)
}
