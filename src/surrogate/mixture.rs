//! The models of one half of a game and their weights: a Gaussian process of this half, plain or with a ridge, and one
//! of both halves under a saturation curve.

use super::bfgs::Descent;
use super::constants::{
    EARLY_EVALUATIONS, FIRST_EVALUATIONS, FIRST_ROWS, FIT_ROWS, NEXT_EVALUATIONS, RIDGE_GAIN, ROWS_PER_PARAMETER,
    SECOND_ROWS, TIED_EVALUATIONS, TIED_PARAMETERS, ridge_evaluations,
};
use super::covariance::{Half, Workspace};
use super::cross_validation;
use super::data::Data;
use super::devices::{Device, is_on};
use super::functional::Functional;
use super::functional_values::{self, OfPosterior};
use super::hyperparameters::Space;
use super::linear::dot;
use super::posterior::{Model, Posterior};
use super::rows::Rows;
use super::saturation;
use crate::engine::Random;

/// Fitted models of one half of a game with their weights. Residuals are of this half of each pair, in the units of the
/// data.
#[derive(Debug)]
pub(super) struct Mixture {
    /// What is left of each pair that is predicted from all others; and what the models take for its noise.
    pub(super) left_out: Vec<f64>,
    pub(super) noise: Vec<f64>,
    /// Whether hyper-parameters were fitted to a pair; and how many times larger than the squared residuals of such
    /// pairs squared errors elsewhere are.
    pub(super) fitted: Vec<bool>,
    pub(super) inflation: f64,
    /// The model of both halves under a curve, if there is one.
    pub(super) saturated: Option<Model>,
    parts: Vec<(f64, Candidate)>,
}

/// A linear function of the models' means.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) values: Vec<f64>,
    /// Variances given the hyper-parameters; and the same with what fitting these adds, and what lies between models.
    pub(super) posterior_variances: Vec<f64>,
    pub(super) variances: Vec<f64>,
    /// Of how the values are computed: rounding, and a sample of pairs that stands for all of them.
    pub(super) numerical: Vec<f64>,
}

/// A posterior, the penalty for its parameters, how many times larger squared errors are elsewhere than those of pairs
/// left out, and by what its variance is multiplied.
#[derive(Debug)]
struct Candidate {
    posterior: Posterior,
    penalty: f64,
    elsewhere: f64,
    inflation: f64,
}

impl Candidate {
    fn new(posterior: Posterior, penalty: f64) -> Self {
        Self { posterior, penalty, elsewhere: penalty, inflation: penalty }
    }
}

impl Mixture {
    /// Fits the models of the odd half to data whose row 0 is (N, ∅). None if no covariance can be factored.
    pub(super) fn of_odd(data: &Data, shapley: Asked<'_>, random: &mut Random) -> Option<Self> {
        let levels = levels(data.len(), random);
        let few = data.select(&levels[0]);
        let mut room = Workspace::new(&few.rows);
        let space = Space::plain(data.rows.players, Half::Odd);
        let start = fit_tied(&space, &few, random);
        let (early, plain) = fit_plain(&space, &few, start, &mut room);
        let mut candidates = vec![fit_odd(data, &few, &levels, (&early, &plain), shapley, &mut room, random)?];
        let mut saturated = None;
        if is_on(Device::Saturation)
            && let Some(model) = saturation::fit(data, &few, &plain.point, &mut room, random)
            && let Some(posterior) = Posterior::grow(&model, data, &levels)
        {
            let penalty = prediction_error(few.len() - 1, saturation::parameters(data.rows.players));
            candidates.push(Candidate::new(posterior, penalty));
            saturated = Some(model);
        }
        Some(Self::of(candidates, data, &levels[0], saturated))
    }

    /// The same of the even half: a model of its own, and the even half of the one under a curve.
    pub(super) fn of_even(data: &Data, saturated: Option<&Model>, random: &mut Random) -> Option<Self> {
        let levels = levels(data.len(), random);
        let few = data.select(&levels[0]);
        let mut room = Workspace::new(&few.rows);
        let space = Space::plain(data.rows.players, Half::Even);
        let start = fit_tied(&space, &few, random);
        let (_, plain) = fit_plain(&space, &few, start.clone(), &mut room);
        // The constant's coordinate is fixed.
        let of_plain = (plain.point, prediction_error(few.len() - 1, space.len() - 1));
        let of_tied = (start.point, prediction_error(few.len() - 1, TIED_PARAMETERS));
        let (model, penalty) = better(&space, &few, of_plain, of_tied)?;
        let mut candidates = vec![Candidate::new(Posterior::grow(&model, data, &levels)?, penalty)];
        if let Some(Model::Saturated(kernels, curve, _)) = saturated {
            let model = Model::Saturated(kernels.clone(), *curve, Half::Even);
            if let Some(posterior) = Posterior::grow(&model, data, &levels) {
                let penalty = prediction_error(few.len() - 1, saturation::parameters(data.rows.players));
                candidates.push(Candidate::new(posterior, penalty));
            }
        }
        Some(Self::of(candidates, data, &levels[0], None))
    }

    /// No model, where there is none: everything is left.
    pub(super) fn of_nothing(data: &Data) -> Self {
        let (left_out, noise) = (data.y[1..].to_vec(), data.y[1..].to_vec());
        let fitted = vec![false; left_out.len()];
        Self { left_out, noise, fitted, inflation: 1.0, saturated: None, parts: Vec::new() }
    }

    fn of(candidates: Vec<Candidate>, data: &Data, few: &[usize], saturated: Option<Model>) -> Self {
        // Each pair counts as the part of its size that was not asked for, for which it stands.
        let scaled = |candidate: &Candidate| -> Vec<f64> {
            let rows = candidate.posterior.left_out.iter().zip(&data.unseen[1..]);
            rows.map(|(left, unseen)| left * (candidate.penalty * unseen).sqrt()).collect()
        };
        let weights = weights(&candidates.iter().map(scaled).collect::<Vec<_>>());
        let parts: Vec<(f64, Candidate)> =
            weights.into_iter().zip(candidates).filter(|(weight, _)| *weight > 0.0).collect();
        let pairs = data.len() - 1;
        let mut fitted = vec![false; pairs];
        few[1..].iter().for_each(|row| fitted[row - 1] = true);
        Self {
            left_out: mean(pairs, &parts, |part| &part.posterior.left_out),
            noise: mean(pairs, &parts, |part| &part.posterior.noise),
            inflation: parts.iter().map(|(weight, part)| weight * part.elsewhere).sum(),
            fitted,
            saturated,
            parts,
        }
    }

    /// What a linear function is of the models.
    pub(super) fn says(&self, asked: Asked<'_>, random: &mut Random) -> Said {
        let of_part = |(weight, part): &(f64, Candidate)| (*weight, asked.of(&part.posterior, random));
        let solved: Vec<_> = self.parts.iter().map(of_part).collect();
        let sets = asked.functional.sets().len();
        let values = mean(sets, &solved, |of| &of.values);
        let posterior_variances = mean(sets, &solved, |of| &of.variances);
        // The variance of a mixture: that of its parts, and between them.
        let [mut variances, mut numerical] = [(); 2].map(|()| vec![0.0; values.len()]);
        for ((weight, of), (_, part)) in solved.iter().zip(&self.parts) {
            for set in 0..values.len() {
                variances[set] +=
                    weight * (part.inflation * of.variances[set] + (of.values[set] - values[set]).powi(2));
                numerical[set] += weight * weight * of.numerical[set];
            }
        }
        Said { values, posterior_variances, variances, numerical }
    }

    /// The half at other rows.
    pub(super) fn predict(&self, rows: &Rows) -> Vec<f64> {
        let said: Vec<(f64, Vec<f64>)> =
            self.parts.iter().map(|(weight, part)| (*weight, part.posterior.predict(rows))).collect();
        mean(rows.len(), &said, |said| said)
    }
}

/// A linear function; what noise on the pairs that were not asked for adds to its variance, per unit of noise; and
/// pairs of sizes of which all were asked for, as far as they are few.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) functional: &'a Functional,
    pub(super) unseen: f64,
    pub(super) known: &'a Rows,
}

impl Asked<'_> {
    pub(super) fn of(&self, posterior: &Posterior, random: &mut Random) -> OfPosterior {
        functional_values::of_posterior(posterior, self.functional, self.unseen, self.known, random)
    }
}

/// The sum of lists of this length, each times its weight.
fn mean<T>(len: usize, parts: &[(f64, T)], list: impl Fn(&T) -> &Vec<f64>) -> Vec<f64> {
    let mut sum = vec![0.0; len];
    for (weight, part) in parts {
        sum.iter_mut().zip(list(part)).for_each(|(sum, number)| *sum += weight * number);
    }
    sum
}

/// Some of the rows, and the plain model with one relevance for all players that is fitted to them.
#[derive(Clone)]
struct Tied {
    fewer: Data,
    point: Vec<f64>,
}

fn fit_tied(space: &Space, data: &Data, random: &mut Random) -> Tied {
    let fewer = data.some(FIRST_ROWS, random);
    let log = (2.0 / data.rows.players as f64).ln();
    let [a, b] = [log, log + 2.0].map(|log| space.descend_tied(log, &fewer, TIED_EVALUATIONS));
    Tied { fewer, point: if a.0 <= b.0 { a.1 } else { b.1 } }
}

/// The model at one of two points, each with the penalty for its parameters, whose predictions of rows left out are
/// better; and its penalty.
fn better(space: &Space, data: &Data, a: (Vec<f64>, f64), b: (Vec<f64>, f64)) -> Option<(Model, f64)> {
    let of = |(point, penalty): (Vec<f64>, f64)| {
        let model = Model::Plain(Box::new(space.kernel(&point)), space.half);
        let left = model.posterior(data)?.left_out;
        let rows = left.iter().zip(&data.unseen[1..]);
        Some((rows.map(|(left, unseen)| left * left * unseen * penalty).sum::<f64>(), model, penalty))
    };
    let (a, b) = (of(a)?, if is_on(Device::Tied) { of(b) } else { None });
    let (_, model, penalty) = match b {
        Some(b) if b.0 < a.0 => b,
        _ => a,
    };
    Some((model, penalty))
}

/// The point a few evaluations after all relevances were the same, and the whole descent of the plain model.
fn fit_plain(space: &Space, data: &Data, tied: Tied, room: &mut Workspace) -> (Vec<f64>, Descent) {
    let Tied { fewer, point } = tied;
    let mut descent = Descent::new(point);
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
    shapley: Asked<'_>,
    room: &mut Workspace,
    random: &mut Random,
) -> Option<Candidate> {
    let players = data.rows.players;
    let space = Space::plain(players, Half::Odd);
    let model = Model::Plain(Box::new(space.kernel(&plain.point)), Half::Odd);
    let posterior = Posterior::grow(&model, data, levels)?;
    let penalty = prediction_error(few.len() - 1, space.len());
    let candidate = Candidate::new(posterior, penalty);
    if !is_on(Device::Ridge) {
        return Some(candidate);
    }
    let values = shapley.of(&candidate.posterior, random).values;
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
    let ridge = Model::Plain(Box::new(space.kernel(&descent.point)), Half::Odd);
    let (elsewhere, inflation) = cross_validation::inflation(few, shapley, (&model, &ridge), &start, random)?;
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
