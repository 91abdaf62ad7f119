//! The models and their weights: a Gaussian process of the odd half, plain or with a ridge, and one of both halves
//! under a saturation curve.

use super::bfgs::Descent;
use super::constants::{
    EARLY_EVALUATIONS, FIRST_EVALUATIONS, FIRST_ROWS, FIT_ROWS, NEXT_EVALUATIONS, RIDGE_GAIN, ROWS_PER_PARAMETER,
    SECOND_ROWS, TIED_EVALUATIONS, ridge_evaluations,
};
use super::covariance::Workspace;
use super::cross_validation;
use super::data::Data;
use super::devices::{Device, is_on};
use super::hyperparameters::Space;
use super::linear::dot;
use super::posterior::{Model, Posterior};
use super::rows::Rows;
use super::saturation;
use super::shapley_values;
use crate::engine::Random;

/// Fitted models with their weights. Residuals are of the odd half of each pair, in the units of the data.
#[derive(Debug)]
pub(super) struct Mixture {
    pub(super) values: Vec<f64>,
    /// Variances of the values given the hyper-parameters; and the same with what fitting these adds, and what lies
    /// between the models.
    pub(super) posterior_variances: Vec<f64>,
    pub(super) variances: Vec<f64>,
    /// What is left of each pair that is predicted from all others; and what the models take for its noise.
    pub(super) left_out: Vec<f64>,
    pub(super) noise: Vec<f64>,
    /// Whether hyper-parameters were fitted to a pair; and how many times larger than the squared residuals of such
    /// pairs squared errors elsewhere are.
    pub(super) fitted: Vec<bool>,
    pub(super) inflation: f64,
    parts: Vec<(f64, Posterior)>,
}

/// A posterior, the penalty for its parameters, how many times larger squared errors are elsewhere than those of pairs
/// left out, and by what its variance is multiplied.
struct Candidate {
    posterior: Posterior,
    penalty: f64,
    elsewhere: f64,
    inflation: f64,
}

impl Mixture {
    /// Fits the models to data whose row 0 is (N, ∅). None if no covariance can be factored.
    pub(super) fn fit(data: &Data, unseen: f64, random: &mut Random) -> Option<Self> {
        let levels = levels(data.len(), random);
        let few = data.select(&levels[0]);
        let mut room = Workspace::new(&few.rows);
        let (early, plain) = fit_plain(&few, &mut room, random);
        let mut candidates = vec![fit_odd(data, &few, &levels, (&early, &plain), unseen, &mut room, random)?];
        if is_on(Device::Saturation)
            && let Some(model) = saturation::fit(data, &few, &plain.point, &mut room, random)
            && let Some(posterior) = Posterior::grow(&model, data, &levels)
        {
            let penalty = prediction_error(few.len() - 1, saturation::parameters(data.rows.players));
            candidates.push(Candidate { posterior, penalty, elsewhere: penalty, inflation: penalty });
        }
        // Each pair counts as the part of its size that was not asked for, for which it stands.
        let scaled = |candidate: &Candidate| -> Vec<f64> {
            let rows = candidate.posterior.left_out.iter().zip(&data.unseen[1..]);
            rows.map(|(left, unseen)| left * (candidate.penalty * unseen).sqrt()).collect()
        };
        let weights = weights(&candidates.iter().map(scaled).collect::<Vec<_>>());
        let parts = weights.into_iter().zip(candidates).filter(|(weight, _)| *weight > 0.0).collect();
        let mut fitted = vec![false; data.len() - 1];
        levels[0][1..].iter().for_each(|row| fitted[row - 1] = true);
        Some(Self::of(parts, fitted, unseen, random))
    }

    fn of(parts: Vec<(f64, Candidate)>, fitted: Vec<bool>, unseen: f64, random: &mut Random) -> Self {
        let solved: Vec<(Vec<f64>, Vec<f64>)> =
            parts.iter().map(|(_, part)| shapley_values::of_posterior(&part.posterior, unseen, random)).collect();
        let sum = |of: &dyn Fn(usize) -> Vec<f64>| {
            let mut sum: Vec<f64> = Vec::new();
            for (place, (weight, _)) in parts.iter().enumerate() {
                let numbers = of(place);
                sum.resize(numbers.len(), 0.0);
                sum.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += weight * number);
            }
            sum
        };
        let values = sum(&|place| solved[place].0.clone());
        // The variance of a mixture: that of its parts, and between them.
        let variances = sum(&|place| {
            let (of_part, variances) = &solved[place];
            let between = of_part.iter().zip(&values).map(|(value, mean)| (value - mean).powi(2));
            variances.iter().zip(between).map(|(v, between)| parts[place].1.inflation * v + between).collect()
        });
        Self {
            posterior_variances: sum(&|place| solved[place].1.clone()),
            variances,
            left_out: sum(&|place| parts[place].1.posterior.left_out.clone()),
            noise: sum(&|place| parts[place].1.posterior.noise.clone()),
            inflation: parts.iter().map(|(weight, part)| weight * part.elsewhere).sum(),
            fitted,
            values,
            parts: parts.into_iter().map(|(weight, part)| (weight, part.posterior)).collect(),
        }
    }

    /// The odd half at other rows.
    pub(super) fn predict(&self, rows: &Rows) -> Vec<f64> {
        let mut sum = vec![0.0; rows.len()];
        for (weight, part) in &self.parts {
            sum.iter_mut().zip(part.predict(rows)).for_each(|(sum, number)| *sum += weight * number);
        }
        sum
    }
}

/// The point a few evaluations after all relevances were the same, and the whole descent of the plain model.
fn fit_plain(data: &Data, room: &mut Workspace, random: &mut Random) -> (Vec<f64>, Descent) {
    let fewer = data.some(FIRST_ROWS, random);
    let space = Space::plain(data.rows.players);
    let log = (2.0 / data.rows.players as f64).ln();
    let [a, b] = [log, log + 2.0].map(|log| space.descend_tied(log, &fewer, TIED_EVALUATIONS));
    let mut descent = Descent::new(if a.0 <= b.0 { a.1 } else { b.1 });
    let mut small = Workspace::new(&fewer.rows);
    space.descend(&mut descent, &fewer, &mut small, EARLY_EVALUATIONS);
    let early = descent.point.clone();
    space.descend(&mut descent, &fewer, &mut small, FIRST_EVALUATIONS);
    if fewer.len() < data.len() {
        descent.rescale(data.len() as f64 / fewer.len() as f64);
        space.descend(&mut descent, data, room, NEXT_EVALUATIONS);
    }
    (early, descent)
}

/// The model of the odd half: with a ridge if its likelihood gains enough, and else without.
fn fit_odd(
    data: &Data,
    few: &Data,
    levels: &[Vec<usize>],
    (early, plain): (&[f64], &Descent),
    unseen: f64,
    room: &mut Workspace,
    random: &mut Random,
) -> Option<Candidate> {
    let players = data.rows.players;
    let space = Space::plain(players);
    let model = Model::Odd(Box::new(space.kernel(&plain.point)));
    let posterior = Posterior::grow(&model, data, levels)?;
    let penalty = prediction_error(few.len() - 1, space.len());
    let candidate = Candidate { posterior, penalty, elsewhere: penalty, inflation: penalty };
    if !is_on(Device::Ridge) {
        return Some(candidate);
    }
    let (values, _) = shapley_values::of_posterior(&candidate.posterior, unseen, random);
    let space = Space::ridge(players, &values);
    let start = space.start_from(early);
    let mut descent = Descent::new(start.clone());
    space.descend(&mut descent, few, room, ridge_evaluations(few.len()));
    let needed = RIDGE_GAIN * 0.5 * (players + 2) as f64 * (few.len() as f64).ln();
    // Nothing is gained where neither has a value.
    let gains = plain.value - descent.value > needed;
    if !gains {
        return Some(candidate);
    }
    let ridge = Model::Odd(Box::new(space.kernel(&descent.point)));
    let (elsewhere, inflation) = cross_validation::inflation(few, unseen, (&model, &ridge), &start, random)?;
    let posterior = Posterior::grow(&ridge, data, levels)?;
    let penalty = prediction_error(few.len() - 1, space.len());
    Some(Candidate { posterior, penalty, elsewhere: elsewhere.max(penalty), inflation: inflation.max(penalty) })
}

/// How many times larger squared errors of new rows are than those of rows that parameters were fitted to: the final
/// prediction error of Akaike 1969, "Fitting autoregressive models for prediction", doi:10.1007/BF02532251.
fn prediction_error(rows: usize, parameters: usize) -> f64 {
    if !is_on(Device::Parameters) {
        return 1.0;
    }
    let (rows, worth) = (rows as f64, ROWS_PER_PARAMETER * parameters as f64);
    // There are at least as many pairs as players, so that the denominator is positive.
    (rows + worth) / (rows - worth).max(0.1 * rows)
}

/// Rows of this number of data, row 0 with them: those that hyper-parameters are fitted to, and those of larger
/// posteriors.
fn levels(data: usize, random: &mut Random) -> Vec<Vec<usize>> {
    let mut levels = vec![(0..data).collect::<Vec<_>>()];
    for most in [SECOND_ROWS, FIT_ROWS] {
        let last = &levels[levels.len() - 1];
        if last.len() > most {
            let some = random.choose(most - 1, last.len() - 1).into_iter().map(|place| last[place + 1]);
            levels.push(std::iter::once(0).chain(some).collect());
        }
    }
    levels.reverse();
    levels
}

/// The weights, none negative and of sum one, of the combination of residuals that is shortest (Breiman 1996, "Stacked
/// regressions", doi:10.1007/BF00117832). With two models the minimum is that of a parabola.
fn weights(residuals: &[Vec<f64>]) -> Vec<f64> {
    let [a, b] = residuals else { return vec![1.0; residuals.len()] };
    let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let length = dot(&difference, &difference);
    // Two models that leave the same, or nothing but rounding, are as good as one.
    let share = if length > 1e-24 { (dot(a, &difference) / length).clamp(0.0, 1.0) } else { 0.0 };
    vec![1.0 - share, share]
}
