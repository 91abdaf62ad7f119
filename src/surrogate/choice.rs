//! Which model: with an index term or without, or both.

use super::fit::{Data, Space};
use super::kernel::Rows;
use super::linear::dot;
use super::posterior::Posterior;
use super::random::Random;

/// Hyper-parameters are fitted to at most so many rows.
const FIT_ROWS: usize = 400;

const FOLDS: usize = 3;

const FOLD_EVALUATIONS: usize = 25;

const MOST_INFLATION: f64 = 100.0;

/// A fitted model, or a mixture of two.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) values: Vec<f64>,
    /// Posterior variances, and the same with what cross-validation adds.
    pub(super) posterior_variances: Vec<f64>,
    pub(super) variances: Vec<f64>,
    pub(super) left_out: Vec<f64>,
    pub(super) own: Vec<f64>,
    /// How much larger errors are than the model takes them to be, by cross-validation: 1 or more.
    pub(super) inflation: f64,
    parts: Vec<(f64, Posterior)>,
}

impl Model {
    /// Fits both kinds to data whose row 0 is (N, ∅).
    pub(super) fn fit(data: &Data, unseen: f64, random: &mut Random) -> Option<Self> {
        let n = data.rows.players;
        let fit: Vec<usize> = if data.len() <= FIT_ROWS {
            (0..data.len()).collect()
        } else {
            std::iter::once(0)
                .chain(random.choose(FIT_ROWS - 1, data.len() - 1).into_iter().map(|row| row + 1))
                .collect()
        };
        let few = data.select(&fit);
        let plain_space = Space::plain(n);
        let log = (2.0 / n as f64).ln();
        let tied = [log, log + 2.0].map(|log| plain_space.climb(&plain_space.tied(log), &few, 14, true));
        let [a, b] = tied;
        let start = if a.0 <= b.0 { a.1 } else { b.1 };
        let (plain_value, plain_point) = plain_space.climb(&start, &few, 50, false);
        let plain = Posterior::new(plain_space.kernel(&plain_point), data, unseen)?;

        let space = Space::index(n, &plain.values);
        let need = 0.5 * (n + 2) as f64 * (few.len() as f64).ln();
        let starts = [space.warm(&plain_point), space.cold(&plain_point)];
        let best = |starts: &[Vec<f64>; 2], space: &Space, data: &Data, evaluations| {
            let [a, b] = [&starts[0], &starts[1]].map(|start| space.climb(start, data, evaluations, false));
            if a.0 <= b.0 { a } else { b }
        };
        let (mut value, mut point) = best(&starts, &space, &few, 18);
        if plain_value - value > 0.5 * need - 10.0 {
            (value, point) = space.climb(&point, &few, 50, false);
        }
        let gate = 1.0 / (1.0 + ((need - (plain_value - value)) / 2.0).clamp(-30.0, 30.0).exp());
        if gate <= 1e-3 {
            return Some(Self::mix(vec![(1.0, 1.0, plain)]));
        }
        let index = Posterior::new(space.kernel(&point), data, unseen)?;

        // Which of the two predicts what it has not seen?
        let mut folds: Vec<usize> = (0..few.len() - 1).map(|row| row % FOLDS).collect();
        random.shuffle(&mut folds);
        let mut errors = [vec![0.0; few.len()], vec![0.0; few.len()]];
        for fold in 0..FOLDS {
            let (held, rest): (Vec<usize>, Vec<usize>) =
                (0..few.len()).partition(|&row| row > 0 && folds[row - 1] == fold);
            let (held_data, rest_data) = (few.select(&held), few.select(&rest));
            let plain = Posterior::new(plain_space.kernel(&plain_point), &rest_data, unseen)?;
            // From the start again: the fit to all rows has seen what is held out.
            let space = Space::index(n, &plain.values);
            let (_, point) = best(&starts, &space, &rest_data, 14);
            let (_, point) = space.climb(&point, &rest_data, FOLD_EVALUATIONS, false);
            let index = Posterior::new(space.kernel(&point), &rest_data, unseen)?;
            for (errors, model) in errors.iter_mut().zip([&plain, &index]) {
                for (&row, (seen, said)) in held.iter().zip(held_data.y.iter().zip(model.predict(&held_data.rows))) {
                    errors[row] = seen - said;
                }
            }
        }
        let difference: Vec<f64> = errors[0].iter().zip(&errors[1]).map(|(a, b)| a - b).collect();
        let best = dot(&errors[0], &difference) / dot(&difference, &difference).max(1e-300);
        let share = gate * best.clamp(0.0, 1.0);
        let inflation = |errors: &[f64], model: &Posterior| {
            let left_out: f64 = fit[1..].iter().map(|&row| model.left_out[row - 1].powi(2)).sum();
            (dot(errors, errors) / left_out.max(1e-300)).clamp(1.0, MOST_INFLATION)
        };
        let inflations = (inflation(&errors[0], &plain), inflation(&errors[1], &index));
        Some(Self::mix(vec![(1.0 - share, inflations.0, plain), (share, inflations.1, index)]))
    }

    fn mix(parts: Vec<(f64, f64, Posterior)>) -> Self {
        let sum = |of: &dyn Fn(f64, &Posterior) -> Vec<f64>| {
            let mut sum: Vec<f64> = Vec::new();
            for (share, inflation, part) in &parts {
                let numbers = of(*inflation, part);
                sum.resize(numbers.len(), 0.0);
                sum.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += share * number);
            }
            sum
        };
        Self {
            values: sum(&|_, part| part.values.clone()),
            posterior_variances: sum(&|_, part| part.variances.clone()),
            variances: sum(&|inflation, part| part.variances.iter().map(|v| inflation * v).collect()),
            left_out: sum(&|_, part| part.left_out.clone()),
            own: sum(&|_, part| part.own.clone()),
            inflation: parts.iter().map(|(share, inflation, _)| share * inflation).sum(),
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
