//! What a fitted model says: predictions, and residuals of rows as if each had not been asked for.

use faer::Mat;

use super::constants::JITTER;
use super::covariance::Half;
use super::data::Data;
use super::devices::{Device, is_on};
use super::kernel::Kernel;
use super::linear::{Factor, dot, times};
use super::rows::Rows;
use super::saturation::{Curve, Halves};

/// A model of one half of a game, with its hyper-parameters: of that half alone, or of both halves under a curve.
#[derive(Clone, Debug)]
pub(super) enum Model {
    Plain(Box<Kernel>, Half),
    Saturated(Box<[Kernel; 2]>, Curve, Half),
}

impl Model {
    /// The posterior given some data; none if a covariance cannot be factored.
    pub(super) fn posterior(&self, data: &Data) -> Option<Posterior> {
        match self {
            Self::Plain(kernel, half) => Posterior::plain(kernel, *half, data),
            Self::Saturated(kernels, curve, half) => Posterior::saturated(kernels, *curve, *half, data),
        }
    }
}

/// One half of a game given its values at some rows.
#[derive(Clone, Debug)]
pub(super) struct Conditioned {
    pub(super) kernel: Kernel,
    pub(super) factor: Factor,
    half: Half,
    /// The inverse of the covariance times the values.
    pub(super) alpha: Vec<f64>,
    /// The scale of all covariances.
    pub(super) scale: f64,
    /// Of each row, what the others say of it, and what the model says of it that has seen it.
    without: Vec<f64>,
    pub(super) smooth: Vec<f64>,
}

/// The scale of all covariances: what the likelihood says, or the leave-one-out residuals if that is more. (Of a vote,
/// whose pairs a ridge explains, the latter is next to nothing.) Each row counts as the part of its size that was not
/// asked for: of sizes that are all known, nothing is to be said.
fn scale(alpha: &[f64], left_out: &[f64], y: &[f64], unseen: &[f64]) -> f64 {
    let total: f64 = unseen.iter().sum();
    let weight = |row: usize| if total > 1e-9 { unseen[row] / total } else { 1.0 / alpha.len() as f64 };
    let mean = |of: &[f64]| (0..alpha.len()).map(|row| weight(row) * alpha[row] * of[row]).sum::<f64>();
    let likely = alpha.iter().zip(y).map(|(a, y)| a * y).sum::<f64>() / alpha.len() as f64;
    mean(left_out).max(mean(y).min(likely))
}

impl Conditioned {
    /// None if the covariance cannot be factored.
    fn new(kernel: &Kernel, data: &Data, y: &[f64], half: Half) -> Option<Self> {
        // Where many rows say the same and nothing is noise, rounding may need more than the usual.
        let jitters = std::iter::successors(Some(JITTER), |jitter| Some(100.0 * jitter)).take(4);
        let mut factor = |jitter| data.factor(kernel, kernel.within(&data.rows, half), jitter);
        let factor = jitters.filter_map(&mut factor).next()?;
        let alpha = factor.solve(y);
        let left_out: Vec<f64> =
            alpha.iter().zip(factor.inverse_diagonal()).map(|(alpha, precision)| alpha / precision).collect();
        let without = y.iter().zip(&left_out).map(|(y, left)| y - left).collect();
        // What the likelihood says, or the leave-one-out residuals if that is more.
        let scale = scale(&alpha, &left_out, y, &data.unseen);
        let mut conditioned = Self { kernel: kernel.clone(), factor, half, alpha, scale, without, smooth: Vec::new() };
        // Not by the noise times α, which rounding puts off: pairs that were asked for are met.
        conditioned.smooth = conditioned.mean(&data.rows, &data.rows);
        Some(conditioned)
    }

    /// The mean at other rows; `of` are those that it was conditioned on.
    pub(super) fn mean(&self, rows: &Rows, of: &Rows) -> Vec<f64> {
        self.combination(&self.alpha, rows, of)
    }

    /// The sum of the covariances with the rows that it was conditioned on, each times its factor, at other rows.
    pub(super) fn combination(&self, factors: &[f64], rows: &Rows, of: &Rows) -> Vec<f64> {
        let mut kernel = self.kernel.clone();
        // The large constant of the even half would leave few digits to the rest.
        let constant = match self.half {
            Half::Odd => 0.0,
            Half::Even => std::mem::take(&mut kernel.hyper.linear) * factors.iter().sum::<f64>(),
        };
        let covariance = kernel.between(rows, of, self.half);
        let factors = Mat::from_fn(factors.len(), 1, |row, _| factors[row]);
        let sums = times(covariance.as_ref(), factors.as_ref());
        sums.col_as_slice(0).iter().map(|sum| constant + sum).collect()
    }
}

/// The means of both halves of g at other rows, in one pass over the products that they share; there is no ridge.
pub(super) fn means_of_halves([odd, even]: &[Conditioned; 2], rows: &Rows, known: &Rows) -> [Vec<f64>; 2] {
    let players = rows.players;
    // Terms of the size, and the constant, by members less others plus n; and the linear term by players.
    let [mut odd_sizes, mut even_sizes] = [(); 2].map(|()| vec![0.0; 2 * players + 1]);
    let mut slopes = vec![0.0; players];
    let constant = even.kernel.hyper.linear * even.alpha.iter().sum::<f64>();
    let linear = odd.kernel.hyper.linear / players as f64;
    for (row, (of_odd, of_even)) in odd.alpha.iter().zip(&even.alpha).enumerate() {
        let (same, opposite) = (players as i32 + known.balance[row], players as i32 - known.balance[row]);
        odd_sizes[same as usize] += odd.kernel.hyper.size * of_odd;
        odd_sizes[opposite as usize] -= odd.kernel.hyper.size * of_odd;
        even_sizes[same as usize] += even.kernel.hyper.size * of_even;
        even_sizes[opposite as usize] += even.kernel.hyper.size * of_even;
        slopes.iter_mut().enumerate().for_each(|(player, slope)| *slope += linear * of_odd * known.sign(row, player));
    }
    let size = |row: usize| (players as i32 + rows.balance[row]) as usize;
    let linear = |row: usize| (0..players).map(|player| slopes[player] * rows.sign(row, player)).sum::<f64>();
    let mut odds: Vec<f64> = (0..rows.len()).map(|row| odd_sizes[size(row)] + linear(row)).collect();
    let mut evens: Vec<f64> = (0..rows.len()).map(|row| even_sizes[size(row)] + constant).collect();
    for (row, (of_odd, of_even)) in odd.alpha.iter().zip(&even.alpha).enumerate() {
        odd.kernel.add_products(known.words(row), rows, [of_odd / 2.0, of_even / 2.0], &mut odds, &mut evens);
    }
    [odds, evens]
}

/// A model of one half of a game given its values at some rows, the first of which is (N, ∅). Residuals are in the
/// units of the data, of the rows after the first.
#[derive(Clone, Debug)]
pub(super) struct Posterior {
    pub(super) rows: Rows,
    pub(super) half: Half,
    pub(super) seen: Seen,
    /// Of each pair: what is left when it is predicted from all others.
    pub(super) left_out: Vec<f64>,
    /// Of each pair: what the model takes for noise.
    pub(super) noise: Vec<f64>,
}

/// How a half is seen: itself, or both halves of g through a curve.
#[derive(Clone, Debug)]
pub(super) enum Seen {
    Plainly(Box<Conditioned>),
    Through(Curve, Box<[Conditioned; 2]>),
}

impl Posterior {
    fn plain(kernel: &Kernel, half: Half, data: &Data) -> Option<Self> {
        let own = Conditioned::new(kernel, data, &data.y, half)?;
        let less = |said: &[f64]| data.y[1..].iter().zip(&said[1..]).map(|(y, said)| y - said).collect();
        let (left_out, noise) = (less(&own.without), less(&own.smooth));
        Some(Self { rows: data.rows.clone(), half, seen: Seen::Plainly(Box::new(own)), left_out, noise })
    }

    fn saturated(kernels: &[Kernel; 2], curve: Curve, half: Half, data: &Data) -> Option<Self> {
        let halves = Halves::new(&curve, data.both.as_ref()?);
        let odd = Conditioned::new(&kernels[0], data, &halves.odd, Half::Odd)?;
        let even = Conditioned::new(&kernels[1], data, &halves.even, Half::Even)?;
        let less = |odd: &[f64], even: &[f64]| {
            let said = odd.iter().zip(even).map(|(odd, even)| curve.half(half, *odd, *even));
            data.y[1..].iter().zip(said.skip(1)).map(|(y, said)| y - said).collect()
        };
        let (left_out, noise) = (less(&odd.without, &even.without), less(&odd.smooth, &even.smooth));
        let seen = Seen::Through(curve, Box::new([odd, even]));
        Some(Self { rows: data.rows.clone(), half, seen, left_out, noise })
    }

    /// The half at other rows.
    pub(super) fn predict(&self, rows: &Rows) -> Vec<f64> {
        match &self.seen {
            Seen::Plainly(own) => own.mean(rows, &self.rows),
            Seen::Through(curve, halves) => {
                let [odd, even] = means_of_halves(halves, rows, &self.rows);
                odd.iter().zip(even).map(|(odd, even)| curve.half(self.half, *odd, even)).collect()
            }
        }
    }

    /// The posterior of the first of several levels, or of the next as long as more rows predict better: those that it
    /// has more, from all others, than they are predicted from the level before. (Of a vote, many rows may contradict
    /// what a few seemed to say.) Levels are ascending numbers of rows, each with all of those before. Residuals are
    /// then of all data.
    pub(super) fn grow(model: &Model, data: &Data, levels: &[Vec<usize>]) -> Option<Self> {
        let (mut known, more) = levels.split_first()?;
        let mut posterior = model.posterior(&data.select(known))?;
        for level in more.iter().filter(|_| is_on(Device::MoreRows)) {
            let Some(next) = model.posterior(&data.select(level)) else { break };
            let is_new: Vec<bool> = level[1..].iter().map(|row| known.binary_search(row).is_err()).collect();
            let new = level[1..].iter().zip(&is_new).filter(|(_, is_new)| **is_new).map(|(&row, _)| row);
            let left = posterior.leaves(data, &new.collect::<Vec<_>>());
            let of_next = next.left_out.iter().zip(&is_new).filter(|(_, is_new)| **is_new);
            if of_next.map(|(left, _)| left * left).sum::<f64>() > dot(&left, &left) {
                break;
            }
            (posterior, known) = (next, level);
        }
        let others: Vec<usize> = (1..data.len()).filter(|row| known.binary_search(row).is_err()).collect();
        let left = posterior.leaves(data, &others);
        let (mut left_out, mut noise) = (vec![0.0; data.len() - 1], vec![0.0; data.len() - 1]);
        for (place, &row) in known[1..].iter().enumerate() {
            (left_out[row - 1], noise[row - 1]) = (posterior.left_out[place], posterior.noise[place]);
        }
        for (&row, left) in others.iter().zip(left) {
            (left_out[row - 1], noise[row - 1]) = (left, left);
        }
        (posterior.left_out, posterior.noise) = (left_out, noise);
        Some(posterior)
    }

    /// What is left of rows that it does not know when it has predicted them.
    fn leaves(&self, data: &Data, rows: &[usize]) -> Vec<f64> {
        let data = data.select(rows);
        data.y.iter().zip(self.predict(&data.rows)).map(|(y, said)| y - said).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::data::random_data;
    use crate::surrogate::hyperparameters::Space;

    fn of(data: &Data) -> Posterior {
        let space = Space::plain(data.rows.players, Half::Odd);
        Model::Plain(Box::new(space.kernel(&space.tied(-1.5))), Half::Odd).posterior(data).unwrap()
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
            let space = Space::plain(8, Half::Odd);
            let model = Model::Plain(Box::new(space.kernel(&space.tied(-1.5))), Half::Odd);
            let [all, alone] = [&data, &few].map(|data| model.posterior(data).unwrap());
            let levels = [fit.clone(), (0..60).collect()];
            let chosen = Posterior::grow(&model, &data, &levels).unwrap();
            let rest_data = data.select(&(30..60).collect::<Vec<_>>());
            let said = alone.predict(&rest_data.rows);
            let errors: Vec<f64> = rest_data.y.iter().zip(&said).map(|(y, said)| y - said).collect();
            let of_all = dot(&all.left_out[29..], &all.left_out[29..]);
            let is_few = dot(&errors, &errors) < of_all;
            taken[usize::from(is_few)] = true;
            assert_eq!(chosen.rows.len(), if is_few { 30 } else { 60 });
            assert_eq!(&chosen.left_out[29..], if is_few { &errors[..] } else { &all.left_out[29..] });
            assert_eq!(&chosen.noise[29..], if is_few { &errors[..] } else { &all.noise[29..] });
        }
        assert_eq!(taken, [true; 2], "both happen");
    }
}
