//! How far to trust a ridge model, which has two parameters for each player.

use super::bfgs::Descent;
use super::constants::{FOLD_EVALUATIONS, FOLD_ROWS, FOLDS, MOST_INFLATION};
use super::covariance::{Half, Workspace};
use super::data::Data;
use super::devices::{Device, is_on};
use super::hyperparameters::Space;
use super::linear::dot;
use super::mixture::Asked;
use super::posterior::Model;
use crate::engine::Random;

/// By what to multiply the squared leave-one-out residuals of a ridge model, κ, and the variance of its values, √(κ j);
/// both are at least 1.
///
/// A third of the rows each is predicted by a ridge model that is fitted to some of the rest, from the start: the fit
/// to all rows has seen what is held out. κ is the ratio of its squared errors to the leave-one-out residuals of the
/// fit to all, at least 1; j is the ratio of the variance that the jackknife with these groups finds for the values
/// (Quenouille 1956, "Notes on bias in estimation", doi:10.1093/biomet/43.3-4.353) to that of the model. κ runs to
/// millions where residuals are next to nothing, and says nothing where they are all noise; j is about two thirds of
/// the rows.
pub(super) fn inflation(
    data: &Data,
    shapley: Asked<'_>,
    (plain, ridge): (&Model, &Model),
    start: &[f64],
    random: &mut Random,
) -> Option<(f64, f64)> {
    if !is_on(Device::CrossValidation) {
        return Some((1.0, 1.0));
    }
    let players = data.rows.players;
    let mut folds: Vec<usize> = (0..data.len() - 1).map(|row| row % FOLDS).collect();
    random.shuffle(&mut folds);
    let mut errors = 0.0;
    let mut values = Vec::new();
    for fold in 0..FOLDS {
        let (held, rest): (Vec<usize>, Vec<usize>) =
            (0..data.len()).partition(|&row| row > 0 && folds[row - 1] == fold);
        let (held, rest) = (data.select(&held), data.select(&rest));
        let few = rest.some(FOLD_ROWS, random);
        let direction = shapley.of(&plain.posterior(&few)?, random).values;
        let space = Space::ridge(players, &direction);
        let mut descent = Descent::new(start.to_vec());
        space.descend(&mut descent, &few, &mut Workspace::new(&few.rows), FOLD_EVALUATIONS);
        let posterior = Model::Plain(Box::new(space.kernel(&descent.point)), Half::Odd).posterior(&rest)?;
        let said = posterior.predict(&held.rows);
        errors += held.y.iter().zip(said).map(|(y, said)| (y - said).powi(2)).sum::<f64>();
        values.push(shapley.of(&posterior, random).values);
    }
    let groups = FOLDS as f64;
    let of_player = |player: usize| {
        let mean = values.iter().map(|values| values[player]).sum::<f64>() / groups;
        values.iter().map(|values| (values[player] - mean).powi(2)).sum::<f64>()
    };
    let spread = (groups - 1.0) / groups * (0..players).map(of_player).sum::<f64>();
    let whole = ridge.posterior(data)?;
    let variance: f64 = shapley.of(&whole, random).variances.iter().sum();
    let kappa = (errors / dot(&whole.left_out, &whole.left_out).max(1e-300)).clamp(1.0, MOST_INFLATION);
    Some((kappa, (kappa * spread / variance.max(1e-300)).sqrt().max(1.0)))
}
