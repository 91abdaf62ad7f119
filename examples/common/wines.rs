//! Red wines, and a random forest that predicts their ratings.

use std::collections::HashSet;

use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::error::Failed;
use smartcore::linalg::basic::matrix::DenseMatrix;

/// The model.
pub(crate) type Forest = RandomForestRegressor<f64, f64, DenseMatrix<f64>, Vec<f64>>;

/// Wines that the model is tested on and explained for.
pub(crate) const UNSEEN: usize = 200;

/// Measurements and ratings of wines: those to learn from, and those to test on.
pub(crate) struct Wines {
    /// Of the measurements.
    pub(crate) names: Vec<String>,
    /// A row of measurements for each wine to learn from, one after the other.
    pub(crate) seen: Vec<f64>,
    /// Their ratings.
    pub(crate) known: Vec<f64>,
    /// The rows of the others.
    pub(crate) unseen: Vec<f64>,
    /// Their ratings.
    pub(crate) hidden: Vec<f64>,
}

impl Wines {
    /// Each wine once: some stand in the data several times, and what is learnt from must not be what is tested on.
    pub(crate) fn load() -> Self {
        let wines = linfa_datasets::winequality();
        let names = wines.feature_names().to_vec();
        let mut met = HashSet::new();
        let bits = |row: &[f64]| row.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        let (mut rows, mut ratings) = (Vec::new(), Vec::new());
        for (row, &rating) in wines.records().rows().into_iter().map(|row| row.to_vec()).zip(wines.targets()) {
            if met.insert(bits(&row)) {
                rows.extend(row);
                ratings.push(rating as f64);
            }
        }
        let hidden = ratings.split_off(ratings.len() - UNSEEN);
        let unseen = rows.split_off(ratings.len() * names.len());
        Self { names, seen: rows, known: ratings, unseen, hidden }
    }
}

/// A forest that has learnt from these.
pub(crate) fn forest(seen: &[f64], known: &[f64]) -> Result<Forest, Failed> {
    let parameters = RandomForestRegressorParameters::default().with_n_trees(50).with_max_depth(10).with_seed(7);
    RandomForestRegressor::fit(&matrix(seen, seen.len() / known.len())?, &known.to_vec(), parameters)
}

/// Rows as the model wants them.
pub(crate) fn matrix(rows: &[f64], columns: usize) -> Result<DenseMatrix<f64>, Failed> {
    DenseMatrix::new(rows.len() / columns, columns, rows.to_vec(), false)
}
