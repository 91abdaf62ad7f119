//! The posterior of a fitted model: Shapley values, their variances, and residuals.

use super::fit::Data;
use super::kernel::{JITTER, Kernel, Rows};
use super::linear::{dot, times};
use super::shapley_values::Credit;

/// What a model says, in units of the data. Row 0 of the data is (N, ∅); residuals are those of the pairs after it.
#[derive(Clone, Debug)]
pub(super) struct Posterior {
    pub(super) values: Vec<f64>,
    pub(super) variances: Vec<f64>,
    /// Of each pair: what is left when it is predicted from all others.
    pub(super) left_out: Vec<f64>,
    /// Of each pair: what the model takes for noise.
    pub(super) own: Vec<f64>,
    kernel: Kernel,
    rows: Rows,
    alpha: Vec<f64>,
}

impl Posterior {
    /// None if the covariance cannot be factored. `unseen` is what noise on the pairs that were not seen adds to the
    /// variance of a value, per unit of noise.
    pub(super) fn new(kernel: Kernel, data: &Data, unseen: f64) -> Option<Self> {
        // Where many rows say the same and nothing is noise, rounding may need more than the usual.
        let jitters = std::iter::successors(Some(JITTER), |jitter| Some(100.0 * jitter)).take(4);
        let mut factor = |jitter| Some((jitter, data.factor(&kernel, kernel.within(&data.rows), jitter)?));
        let (jitter, factor) = jitters.filter_map(&mut factor).next()?;
        let Credit { values: mut credit, variances } = Credit::new(&kernel, &data.rows);
        let alpha = factor.solve(&data.y);
        let precisions = factor.inverse_diagonal();
        let values = (0..data.rows.players).map(|player| dot(credit.col_as_slice(player), &alpha)).collect();
        factor.half_solve(&mut credit);
        let left_out: Vec<f64> = (0..data.len()).map(|row| alpha[row] / precisions[row]).collect();
        let own = (0..data.len()).map(|row| (kernel.hyper.noise * data.noisy[row] + jitter) * alpha[row]);
        // The scale of all variances, or what the leave-one-out residuals say of it if that is more.
        let size = data.len() as f64;
        let scale = (dot(&alpha, &left_out) / size).max(dot(&data.y, &alpha) / size);
        let variances = variances.iter().enumerate().map(|(player, prior)| {
            let known = dot(credit.col_as_slice(player), credit.col_as_slice(player));
            scale * ((prior - known).max(0.0) + kernel.hyper.noise * unseen)
        });
        let variances = variances.collect();
        let own = own.skip(1).collect();
        Some(Self { values, variances, left_out: left_out[1..].to_vec(), own, kernel, rows: data.rows.clone(), alpha })
    }

    /// This one, which is of the first of several levels, or that of the next as long as more rows predict better: those that
    /// it has more, from all others, than they are predicted from the level before. (Of a vote, many rows may contradict what
    /// a few seemed to say.) Levels are ascending numbers of rows, each with all of those before. Residuals are of all data.
    pub(super) fn grow(mut self, data: &Data, levels: &[Vec<usize>], unseen: f64) -> Option<Self> {
        let Some((mut known, more)) = levels.split_first() else { return Some(self) };
        for level in more {
            let next = Self::new(self.kernel.clone(), &data.select(level), unseen)?;
            let is_new: Vec<bool> = level[1..].iter().map(|row| known.binary_search(row).is_err()).collect();
            let new = level[1..].iter().zip(&is_new).filter(|(_, is_new)| **is_new).map(|(&row, _)| row);
            let left = self.leaves(data, &new.collect::<Vec<_>>());
            let of_next = next.left_out.iter().zip(&is_new).filter(|(_, is_new)| **is_new);
            if of_next.map(|(left, _)| left * left).sum::<f64>() > dot(&left, &left) {
                break;
            }
            (self, known) = (next, level);
        }
        let others: Vec<usize> = (1..data.len()).filter(|row| known.binary_search(row).is_err()).collect();
        let left = self.leaves(data, &others);
        let (mut left_out, mut own) = (vec![0.0; data.len() - 1], vec![0.0; data.len() - 1]);
        for (place, &row) in known[1..].iter().enumerate() {
            (left_out[row - 1], own[row - 1]) = (self.left_out[place], self.own[place]);
        }
        for (&row, left) in others.iter().zip(left) {
            (left_out[row - 1], own[row - 1]) = (left, left);
        }
        (self.left_out, self.own) = (left_out, own);
        Some(self)
    }

    /// What is left of rows that it does not know when it has predicted them.
    fn leaves(&self, data: &Data, rows: &[usize]) -> Vec<f64> {
        let data = data.select(rows);
        data.y.iter().zip(self.predict(&data.rows)).map(|(y, said)| y - said).collect()
    }

    /// The posterior mean of other rows.
    pub(super) fn predict(&self, rows: &Rows) -> Vec<f64> {
        let covariance = self.kernel.between(rows, &self.rows);
        let alpha = faer::Mat::from_fn(self.alpha.len(), 1, |row, _| self.alpha[row]);
        times(covariance.as_ref(), alpha.as_ref()).col_as_slice(0).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::fit::{Space, random_data};

    fn of(data: &Data) -> Posterior {
        let space = Space::plain(data.rows.players);
        Posterior::new(space.kernel(&space.tied(-1.5)), data, 0.0).unwrap()
    }

    #[test]
    fn what_is_left_out_is_what_a_fit_without_it_leaves() {
        for (n, rows) in [(3, 4), (6, 20), (9, 40), (20, 30)] {
            let data = random_data(n, rows, n as u64);
            let all = of(&data);
            for row in 1..data.len() {
                let rest: Vec<usize> = (0..data.len()).filter(|&other| other != row).collect();
                let without = of(&data.select(&rest));
                let one = data.select(&[row]);
                let want = one.y[0] - without.predict(&one.rows)[0];
                let got = all.left_out[row - 1];
                assert!((got - want).abs() < 1e-7 * (1.0 + want.abs()), "n {n}, row {row}: {got} {want}");
            }
        }
    }

    #[test]
    fn the_better_of_all_rows_and_few_is_taken() {
        let mut taken = [false; 2];
        for seed in 0..8 {
            let mut data = random_data(8, 60, seed);
            let fit: Vec<usize> = (0..30).collect();
            // What is like nothing is best predicted by nothing, which rows of zeros say; what is linear, by all rows.
            for row in 0..60 {
                data.y[row] = match (seed < 4, row < 30) {
                    (true, true) => 0.0,
                    (true, false) => data.y[row],
                    (false, _) => f64::from(data.rows.balance[row]),
                };
            }
            let few = data.select(&fit);
            let space = Space::plain(8);
            let kernel = space.kernel(&space.tied(-1.5));
            let [all, alone] = [&data, &few].map(|data| Posterior::new(kernel.clone(), data, 0.0).unwrap());
            let levels = [fit.clone(), (0..60).collect()];
            let chosen = alone.clone().grow(&data, &levels, 0.0).unwrap();
            let rest_data = data.select(&(30..60).collect::<Vec<_>>());
            let said = alone.predict(&rest_data.rows);
            let errors: Vec<f64> = rest_data.y.iter().zip(&said).map(|(y, said)| y - said).collect();
            let of_all = dot(&all.left_out[29..], &all.left_out[29..]);
            let is_few = dot(&errors, &errors) < of_all;
            taken[usize::from(is_few)] = true;
            assert_eq!(chosen.values, if is_few { &alone } else { &all }.values);
            assert_eq!(&chosen.left_out[29..], if is_few { &errors[..] } else { &all.left_out[29..] });
            assert_eq!(&chosen.own[29..], if is_few { &errors[..] } else { &all.own[29..] });
        }
        assert_eq!(taken, [true; 2], "both happen");
    }
}
