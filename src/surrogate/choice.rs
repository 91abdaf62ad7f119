//! Which model: with an index term or without, or both.

use super::climb::Descent;
use super::fit::{Data, Space};
use super::kernel::{Kernel, Rows};
use super::linear::dot;
use super::posterior::Posterior;
use super::random::Random;

/// Hyper-parameters are fitted to at most so many rows.
const FIT_ROWS: usize = 400;

/// Evaluations of the likelihood: of the plain model; of the index model from each of two starts, from the better one, and if
/// it has a chance then.
const PLAIN_EVALUATIONS: usize = 50;
const START_EVALUATIONS: usize = 18;
const NEXT_EVALUATIONS: usize = 10;
const LAST_EVALUATIONS: usize = 40;

/// A third each is held out for cross-validation, and the index model fitted to the rest with so many evaluations.
const FOLDS: usize = 3;
const FOLD_EVALUATIONS: usize = 38;

/// A model that interpolates leaves nothing of its own rows; whatever it predicts is then infinitely worse.
const MOST_INFLATION: f64 = 1e6;

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
    pub(super) fn fit(data: &Data, unseen: f64, random: &mut Random) -> Option<Self> {
        let n = data.rows.players;
        let fit: Vec<usize> = if data.len() <= FIT_ROWS {
            (0..data.len()).collect()
        } else {
            let rest = random.choose(FIT_ROWS - 1, data.len() - 1).into_iter().map(|row| row + 1);
            std::iter::once(0).chain(rest).collect()
        };
        let few = data.select(&fit);
        let mut fitted = vec![false; data.len() - 1];
        fit[1..].iter().for_each(|row| fitted[row - 1] = true);
        let space = Space::plain(n);
        let log = (2.0 / n as f64).ln();
        let [a, b] = [log, log + 2.0].map(|log| space.climb_tied(log, &few, 14));
        let mut plain_descent = Descent::new(if a.0 <= b.0 { a.1 } else { b.1 });
        space.climb(&mut plain_descent, &few, PLAIN_EVALUATIONS);
        let plain_kernel = space.kernel(&plain_descent.point);
        let plain = Posterior::of_all_or_few(plain_kernel.clone(), data, &few, &fit, unseen)?;

        let space = Space::index(n, &plain.values);
        let starts = [space.warm(&plain_descent.point), space.cold(&plain_descent.point)];
        let [a, b] = starts.each_ref().map(|start| {
            let mut descent = Descent::new(start.clone());
            space.climb(&mut descent, &few, START_EVALUATIONS);
            descent
        });
        let (start, mut descent) = if a.value <= b.value { (&starts[0], a) } else { (&starts[1], b) };
        space.climb(&mut descent, &few, NEXT_EVALUATIONS);
        // What its parameters must gain to be worth their number.
        let need = 0.5 * (n + 2) as f64 * (few.len() as f64).ln();
        if plain_descent.value - descent.value > 0.5 * need - 10.0 {
            space.climb(&mut descent, &few, LAST_EVALUATIONS);
        }
        let gain = plain_descent.value - descent.value;
        let gate = 1.0 / (1.0 + ((need - gain) / 2.0).clamp(-30.0, 30.0).exp());
        if gate <= 1e-3 {
            return Some(Self::mix(1.0, fitted, vec![(1.0, 1.0, plain)]));
        }
        let index = Posterior::of_all_or_few(space.kernel(&descent.point), data, &few, &fit, unseen)?;

        let Held { errors, spreads } = Held::out(&few, unseen, &plain_kernel, start, random)?;
        let difference: Vec<f64> = errors[0].iter().zip(&errors[1]).map(|(a, b)| a - b).collect();
        let best = dot(&errors[0], &difference) / dot(&difference, &difference).max(1e-300);
        let share = gate * best.clamp(0.0, 1.0);
        let own = [&plain, &index].map(|model| fit[1..].iter().map(|&row| model.left_out[row - 1]).collect::<Vec<_>>());
        // No more than the spread of the values that come of the folds: where residuals are next to nothing their ratio is
        // next to infinite.
        let inflation = |k: usize, model: &Posterior| {
            let ratio = dot(&errors[k], &errors[k]) / dot(&own[k], &own[k]).max(1e-300);
            ratio.min(spreads[k] / model.variances.iter().sum::<f64>().max(1e-300)).max(1.0)
        };
        let inflations = [inflation(0, &plain), inflation(1, &index)];
        let mixed = |of: &[Vec<f64>; 2]| -> f64 {
            of[0].iter().zip(&of[1]).map(|(a, b)| ((1.0 - share) * a + share * b).powi(2)).sum()
        };
        let inflation = (mixed(&errors) / mixed(&own).max(1e-300)).clamp(1.0, MOST_INFLATION);
        Some(Self::mix(inflation, fitted, vec![(1.0 - share, inflations[0], plain), (share, inflations[1], index)]))
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

    /// What the model says of other rows.
    pub(super) fn predict(&self, rows: &Rows) -> Vec<f64> {
        let mut sum = vec![0.0; rows.len()];
        for (share, part) in self.parts.iter().filter(|(share, _)| *share > 0.0) {
            sum.iter_mut().zip(part.predict(rows)).for_each(|(sum, number)| *sum += share * number);
        }
        sum
    }
}

/// What cross-validation finds, of the plain model and of that with an index.
struct Held {
    /// The errors of all rows but the first, each predicted without its fold.
    errors: [Vec<f64>; 2],
    /// The variance of all values together, by how those without a fold differ (the jackknife with groups; Quenouille
    /// 1956, "Notes on bias in estimation", doi:10.1093/biomet/43.3-4.353). It knows of parameters that were fitted.
    spreads: [f64; 2],
}

impl Held {
    fn out(data: &Data, unseen: f64, plain: &Kernel, start: &[f64], random: &mut Random) -> Option<Self> {
        let n = data.rows.players;
        let mut folds: Vec<usize> = (0..data.len() - 1).map(|row| row % FOLDS).collect();
        random.shuffle(&mut folds);
        let mut errors = [const { Vec::new() }; 2];
        errors.iter_mut().for_each(|errors| errors.resize(data.len() - 1, 0.0));
        let mut values = [const { Vec::new() }; 2];
        for fold in 0..FOLDS {
            let (held, rest): (Vec<usize>, Vec<usize>) =
                (0..data.len()).partition(|&row| row > 0 && folds[row - 1] == fold);
            let (held_data, rest) = (data.select(&held), data.select(&rest));
            let plain = Posterior::new(plain.clone(), &rest, unseen)?;
            // From the start again: the fit to all rows has seen what is held out.
            let space = Space::index(n, &plain.values);
            let mut descent = Descent::new(start.to_vec());
            space.climb(&mut descent, &rest, FOLD_EVALUATIONS);
            let index = Posterior::new(space.kernel(&descent.point), &rest, unseen)?;
            for (k, model) in [plain, index].into_iter().enumerate() {
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
        Some(Self { errors, spreads: values.each_ref().map(spread) })
    }
}
