//! Which model: with an index term or without, or both.

use super::covariance::Workspace;
use super::descent::Descent;
use super::fit::{Data, Space};
use super::kernel::{Kernel, Rows};
use super::linear::dot;
use super::posterior::Posterior;
use crate::engine::Random;

/// Hyper-parameters are fitted to at most so many rows.
const FIT_ROWS: usize = 400;

/// A posterior is of these rows, of so many, or of all that the model gets.
const SECOND_ROWS: usize = 1000;

/// The first descents are on few of these: with one relevance for all players, from each of two starts; and then the
/// plain model's. Its last is on all, if these are more.
const FIRST_ROWS: usize = 128;
const TIED_EVALUATIONS: usize = 10;
const EARLY_EVALUATIONS: usize = 6;
const FIRST_EVALUATIONS: usize = 20;
const NEXT_EVALUATIONS: usize = 6;

/// And for the index model: the more rows, the more there is to find.
fn index_evaluations(rows: usize) -> usize {
    10 + rows / 50
}

/// After so many of them a descent that starts from the plain model's fit ends, unless it has gained a quarter of what
/// it must.
const TRIAL_EVALUATIONS: usize = 10;

/// A third each is held out for cross-validation, and the index model fitted to some of the rest.
const FOLDS: usize = 3;
const FOLD_ROWS: usize = 100;
const FOLD_EVALUATIONS: usize = 9;

/// A model with less of a share is left out.
const LEAST_SHARE: f64 = 1e-3;

/// A model that interpolates leaves nothing of its own rows; whatever it predicts is then infinitely worse.
const MOST_INFLATION: f64 = 1e6;

/// So many rows that hyper-parameters were not fitted to tell what errors are better than cross-validation does.
const ENOUGH_OTHERS: usize = 100;

/// Where the descent of the index model starts. A plain model that has come down explains with its relevances and its
/// noise what an index would, and leaves little slope towards one: so from before that; but where there is no index to
/// be found, or the fit that comes of it is not to be trusted, from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Early,
    Late,
}

/// A fitted model, or a mixture of two.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) values: Vec<f64>,
    /// Posterior variances; and the same with what cross-validation adds, and what lies between the two models.
    pub(super) posterior_variances: Vec<f64>,
    pub(super) variances: Vec<f64>,
    pub(super) left_out: Vec<f64>,
    pub(super) own: Vec<f64>,
    /// How many times larger the squared errors of rows that were held out are than their leave-one-out residuals: 1 or
    /// more; and whether a row is one of those that hyper-parameters were fitted to, which alone this is about.
    pub(super) inflation: f64,
    pub(super) fitted: Vec<bool>,
    parts: Vec<(f64, Posterior)>,
}

impl Model {
    /// Fits both kinds to data whose row 0 is (N, ∅).
    pub(super) fn fit(data: &Data, unseen: f64, start: Start, random: &mut Random) -> Option<Self> {
        let n = data.rows.players;
        let levels = levels(data.len(), random);
        let fit = &levels[0];
        let few = data.select(fit);
        let mut fitted = vec![false; data.len() - 1];
        fit[1..].iter().for_each(|row| fitted[row - 1] = true);

        let mut room = Workspace::new(&few.rows);
        let plain = Plain::fit(&few, unseen, &mut room, random)?;
        let space = Space::index(n, &plain.values);
        let mut first = match start {
            Start::Early => space.warm(&plain.early),
            Start::Late => space.warm(&plain.descent.point),
        };
        let mut descent = Descent::new(first.clone());
        space.climb(&mut descent, &few, &mut room, index_evaluations(few.len()));
        // What its parameters must gain to be worth their number.
        let need = 0.5 * (n + 2) as f64 * (few.len() as f64).ln();
        let gain = |descent: &Descent| plain.descent.value - descent.value;
        if start == Start::Early && gain(&descent) < need {
            let mut late = Descent::new(space.warm(&plain.descent.point));
            space.climb(&mut late, &few, &mut room, TRIAL_EVALUATIONS);
            if gain(&late) > need / 4.0 {
                space.climb(&mut late, &few, &mut room, index_evaluations(few.len()) - TRIAL_EVALUATIONS);
            }
            if late.value < descent.value {
                (descent, first) = (late, space.warm(&plain.descent.point));
            }
        }
        // Nothing is gained where neither has a value.
        let lacks = if descent.value.is_finite() { need - gain(&descent) } else { f64::INFINITY };
        let gate = 1.0 / (1.0 + (lacks / 2.0).clamp(-30.0, 30.0).exp());
        let kinds = kinds(gate, &plain.kernel, space.kernel(&descent.point));
        if kinds.iter().all(|(_, kernel)| kernel.hyper.index <= 0.0) {
            let alone = Posterior::new(plain.kernel, &few, unseen)?;
            let whole = alone.grow(data, &levels, unseen)?;
            return Some(Self::mix(1.0, fitted, vec![(1.0, 1.0, whole)]));
        }
        let held = Held::out(&few, unseen, &kinds, (&plain.kernel, &first), random)?;
        let mut parts = Vec::new();
        for (k, (share, kernel)) in kinds.iter().enumerate() {
            let alone = Posterior::new(kernel.clone(), &few, unseen)?;
            let (ratio, variance) = (held.ratio(k, &alone), alone.variances.iter().sum::<f64>());
            // The mean of two factors, on the scale of logarithms. That of errors runs to millions where residuals are
            // next to nothing, and says nothing where they are all noise; that of values is about two thirds of the
            // rows.
            let inflation = (ratio.max(1.0) * held.spreads[k] / variance.max(1e-300)).sqrt().max(1.0);
            parts.push((*share, inflation, alone.grow(data, &levels, unseen)?));
        }
        let held_ratio = held.mixed_ratio(&parts, fit);
        let mut model = Self::mix(held_ratio, fitted, parts);
        if let Some(ratio) = model.ratio_of_others() {
            model.inflation = ratio;
        }
        Some(model)
    }

    /// Of parts with their shares and what to multiply their variances by.
    fn mix(inflation: f64, fitted: Vec<bool>, parts: Vec<(f64, f64, Posterior)>) -> Self {
        let sum = |of: &dyn Fn(f64, &Posterior) -> Vec<f64>| {
            let mut sum: Vec<f64> = Vec::new();
            for (share, inflation, part) in &parts {
                let numbers = of(*inflation, part);
                sum.resize(numbers.len(), 0.0);
                sum.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += share * number);
            }
            sum
        };
        let values = sum(&|_, part| part.values.clone());
        // The variance of a mixture: that of its parts, and between them.
        let variances = sum(&|inflation, part| {
            let both = part.variances.iter().zip(part.values.iter().zip(&values));
            both.map(|(variance, (value, mean))| inflation * variance + (value - mean).powi(2)).collect()
        });
        Self {
            posterior_variances: sum(&|_, part| part.variances.clone()),
            variances,
            left_out: sum(&|_, part| part.left_out.clone()),
            own: sum(&|_, part| part.own.clone()),
            inflation,
            fitted,
            values,
            parts: parts.into_iter().map(|(share, _, part)| (share, part)).collect(),
        }
    }

    /// How many times larger the squared residuals of rows are that hyper-parameters were not fitted to, if there are
    /// enough of them to say so: 1 or more.
    fn ratio_of_others(&self) -> Option<f64> {
        let mean = |fitted: bool| {
            let residuals = self.left_out.iter().zip(&self.fitted).filter(|(_, is)| **is == fitted);
            let (sum, count) = residuals.fold((0.0, 0), |(sum, count), (left, _)| (sum + left * left, count + 1));
            (count >= ENOUGH_OTHERS).then_some(sum / count as f64)
        };
        Some((mean(false)? / mean(true)?.max(1e-300)).clamp(1.0, MOST_INFLATION))
    }

    /// What the model says of other rows.
    pub(super) fn predict(&self, rows: &Rows) -> Vec<f64> {
        let mut sum = vec![0.0; rows.len()];
        for (share, part) in self.parts.iter().filter(|(share, _)| *share > 0.0) {
            sum.iter_mut().zip(part.predict(rows)).for_each(|(sum, number)| *sum += share * number);
        }
        sum
    }
}

/// The model without an index, fitted to rows.
struct Plain {
    /// Where it was a few evaluations after all relevances were the same.
    early: Vec<f64>,
    descent: Descent,
    kernel: Kernel,
    values: Vec<f64>,
}

impl Plain {
    fn fit(data: &Data, unseen: f64, room: &mut Workspace, random: &mut Random) -> Option<Self> {
        let fewer = data.some(FIRST_ROWS, random);
        let space = Space::plain(data.rows.players);
        let log = (2.0 / data.rows.players as f64).ln();
        let [a, b] = [log, log + 2.0].map(|log| space.climb_tied(log, &fewer, TIED_EVALUATIONS));
        let mut descent = Descent::new(if a.0 <= b.0 { a.1 } else { b.1 });
        let mut small = Workspace::new(&fewer.rows);
        space.climb(&mut descent, &fewer, &mut small, EARLY_EVALUATIONS);
        let early = descent.point.clone();
        space.climb(&mut descent, &fewer, &mut small, FIRST_EVALUATIONS);
        if fewer.len() < data.len() {
            descent.rescale(data.len() as f64 / fewer.len() as f64);
            space.climb(&mut descent, data, room, NEXT_EVALUATIONS);
        }
        let kernel = space.kernel(&descent.point);
        let values = Posterior::new(kernel.clone(), data, unseen)?.values;
        Some(Self { early, descent, kernel, values })
    }
}

/// Rows of so many data, row 0 with them: those that hyper-parameters are fitted to, and those of larger posteriors.
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

/// The models and their shares, that with an index last, but for those that have next to none.
fn kinds(gate: f64, plain: &Kernel, index: Kernel) -> Vec<(f64, Kernel)> {
    match gate {
        gate if gate <= LEAST_SHARE => vec![(1.0, plain.clone())],
        gate if gate >= 1.0 - LEAST_SHARE => vec![(1.0, index)],
        gate => vec![(1.0 - gate, plain.clone()), (gate, index)],
    }
}

/// What cross-validation finds, of each model.
struct Held {
    /// The errors of all rows but the first, each predicted without its fold.
    errors: Vec<Vec<f64>>,
    /// The variance of all values together, by how those without a fold differ (the jackknife with groups; Quenouille
    /// 1956, "Notes on bias in estimation", doi:10.1093/biomet/43.3-4.353). It knows of parameters that were fitted.
    spreads: Vec<f64>,
}

impl Held {
    fn out(
        data: &Data,
        unseen: f64,
        kinds: &[(f64, Kernel)],
        (plain, start): (&Kernel, &[f64]),
        random: &mut Random,
    ) -> Option<Self> {
        let n = data.rows.players;
        let mut folds: Vec<usize> = (0..data.len() - 1).map(|row| row % FOLDS).collect();
        random.shuffle(&mut folds);
        let mut errors = vec![vec![0.0; data.len() - 1]; kinds.len()];
        let mut values = vec![Vec::new(); kinds.len()];
        for fold in 0..FOLDS {
            let (held, rest): (Vec<usize>, Vec<usize>) =
                (0..data.len()).partition(|&row| row > 0 && folds[row - 1] == fold);
            let (held_data, rest) = (data.select(&held), data.select(&rest));
            for (k, (_, kernel)) in kinds.iter().enumerate() {
                let model = if kernel.hyper.index > 0.0 {
                    // From the start again: the fit to all rows has seen what is held out.
                    let few = rest.some(FOLD_ROWS, random);
                    let plain_values = Posterior::new(plain.clone(), &few, unseen)?.values;
                    let space = Space::index(n, &plain_values);
                    let mut descent = Descent::new(start.to_vec());
                    space.climb(&mut descent, &few, &mut Workspace::new(&few.rows), FOLD_EVALUATIONS);
                    Posterior::new(space.kernel(&descent.point), &rest, unseen)?
                } else {
                    Posterior::new(kernel.clone(), &rest, unseen)?
                };
                let said = model.predict(&held_data.rows);
                for (&row, (seen, said)) in held.iter().zip(held_data.y.iter().zip(said)) {
                    errors[k][row - 1] = seen - said;
                }
                values[k].push(model.values);
            }
        }
        let groups = FOLDS as f64;
        let spread = |values: &Vec<Vec<f64>>| {
            let of_player = |player: usize| {
                let mean = values.iter().map(|values| values[player]).sum::<f64>() / groups;
                values.iter().map(|values| (values[player] - mean).powi(2)).sum::<f64>()
            };
            (groups - 1.0) / groups * (0..n).map(of_player).sum::<f64>()
        };
        Some(Self { errors, spreads: values.iter().map(spread).collect() })
    }

    /// How many times larger the squared errors of one of the models are than the leave-one-out residuals of its fit to
    /// all.
    fn ratio(&self, kind: usize, fit: &Posterior) -> f64 {
        dot(&self.errors[kind], &self.errors[kind]) / dot(&fit.left_out, &fit.left_out).max(1e-300)
    }

    /// The same of the mixture, whose residuals are of all data: 1 or more.
    fn mixed_ratio(&self, parts: &[(f64, f64, Posterior)], fit: &[usize]) -> f64 {
        let mixed = |of: &dyn Fn(usize, usize) -> f64| -> f64 {
            let row = |row: usize| parts.iter().enumerate().map(|(k, (share, ..))| share * of(k, row)).sum::<f64>();
            (0..fit.len() - 1).map(|place| row(place).powi(2)).sum()
        };
        let held = mixed(&|k, place| self.errors[k][place]);
        let own = mixed(&|k, place| parts[k].2.left_out[fit[place + 1] - 1]);
        (held / own.max(1e-300)).clamp(1.0, MOST_INFLATION)
    }
}
