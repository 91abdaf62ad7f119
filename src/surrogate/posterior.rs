//! The posterior of a fitted model: Shapley values, their variances, and residuals.

use super::credit::Credit;
use super::features::Fixed;
use super::fit::Data;
use super::kernel::{JITTER, Kernel, Products, Rows};
use super::linear::{dot, times};

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
        let features = kernel.features(&data.rows, &Fixed::new(&data.rows));
        let mut products = Products::default();
        let mut factor = |jitter| Some((jitter, data.factor(&kernel, &features, &mut products, jitter)?));
        let (jitter, factor) = jitters.filter_map(&mut factor).next()?;
        let Credit { values: mut credit, variances } = Credit::new(&kernel, &data.rows);
        let alpha = factor.solve(&data.y);
        let inverse = factor.inverse();
        let values = (0..data.rows.players).map(|player| dot(credit.col_as_slice(player), &alpha)).collect();
        factor.half_solve(&mut credit);
        let left_out: Vec<f64> = (0..data.len()).map(|row| alpha[row] / inverse[(row, row)]).collect();
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

    /// Of all data; or of some of it alone, which the hyper-parameters were fitted to, if that predicts the rest better than
    /// the rest is from all others. (Of a vote, many rows may contradict what a few seemed to say.) Residuals are of all data.
    pub(super) fn of_all_or_few(kernel: Kernel, data: &Data, few: &Data, fit: &[usize], unseen: f64) -> Option<Self> {
        let all = Self::new(kernel.clone(), data, unseen)?;
        if few.len() == data.len() {
            return Some(all);
        }
        let mut alone = Self::new(kernel, few, unseen)?;
        let mut is_fit = vec![false; data.len()];
        fit.iter().for_each(|&row| is_fit[row] = true);
        let rest: Vec<usize> = (1..data.len()).filter(|&row| !is_fit[row]).collect();
        let rest_data = data.select(&rest);
        let left: Vec<f64> = rest_data.y.iter().zip(alone.predict(&rest_data.rows)).map(|(y, said)| y - said).collect();
        let of_all: f64 = rest.iter().map(|&row| all.left_out[row - 1].powi(2)).sum();
        if of_all <= dot(&left, &left) {
            return Some(all);
        }
        let mut left_out = vec![0.0; data.len() - 1];
        let mut own = left_out.clone();
        for (place, &row) in fit.iter().enumerate().skip(1) {
            (left_out[row - 1], own[row - 1]) = (alone.left_out[place - 1], alone.own[place - 1]);
        }
        for (&row, left) in rest.iter().zip(left) {
            (left_out[row - 1], own[row - 1]) = (left, left);
        }
        (alone.left_out, alone.own) = (left_out, own);
        Some(alone)
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
            let chosen = Posterior::of_all_or_few(kernel.clone(), &data, &few, &fit, 0.0).unwrap();
            let [all, alone] = [&data, &few].map(|data| Posterior::new(kernel.clone(), data, 0.0).unwrap());
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
