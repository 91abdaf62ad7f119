//! What a model is fitted to.

use faer::Mat;

use super::kernel::Kernel;
use super::linear::Factor;
use super::rows::Rows;
use crate::engine::Random;

/// Rows of ±1, the first of which is (N, ∅), with the odd half of each coalition's value in units of the root mean
/// square, whether it is noisy (1) or known to be free of noise (0), and the values of both coalitions where they are
/// known.
#[derive(Clone, Debug)]
pub(super) struct Data {
    pub(super) rows: Rows,
    pub(super) y: Vec<f64>,
    pub(super) noisy: Vec<f64>,
    /// The part of the pairs of a row's size that was not asked for, for which the row's residual stands.
    pub(super) unseen: Vec<f64>,
    pub(super) both: Option<Both>,
}

/// The values of S and N∖S of each row, less the mean of v(∅) and v(N).
#[derive(Clone, Debug)]
pub(super) struct Both {
    pub(super) of: Vec<f64>,
    pub(super) complement: Vec<f64>,
}

impl Both {
    fn select(&self, rows: &[usize]) -> Self {
        let some = |values: &[f64]| rows.iter().map(|&row| values[row]).collect();
        Self { of: some(&self.of), complement: some(&self.complement) }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = f64> + Clone + '_ {
        self.of.iter().chain(&self.complement).copied()
    }
}

impl Data {
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        let some = |values: &[f64]| rows.iter().map(|&row| values[row]).collect();
        Self {
            rows: self.rows.select(rows),
            y: some(&self.y),
            noisy: some(&self.noisy),
            unseen: some(&self.unseen),
            both: self.both.as_ref().map(|both| both.select(rows)),
        }
    }

    /// Row 0 and others at random: `rows` in all, or all if there are no more.
    pub(super) fn some(&self, rows: usize, random: &mut Random) -> Self {
        if rows >= self.len() {
            return self.clone();
        }
        let others = random.choose(rows - 1, self.len() - 1).into_iter().map(|row| row + 1);
        self.select(&std::iter::once(0).chain(others).collect::<Vec<_>>())
    }

    pub(super) fn len(&self) -> usize {
        self.y.len()
    }

    /// The factor of a covariance, with noise and so much of `jitter` on the diagonal.
    pub(super) fn factor(&self, kernel: &Kernel, mut covariance: Mat<f64>, jitter: f64) -> Option<Factor> {
        for (row, noisy) in self.noisy.iter().enumerate() {
            covariance[(row, row)] += kernel.hyper.noise * noisy + jitter;
        }
        Factor::new(covariance)
    }
}

/// Random rows of different coalitions, with numbers that mean nothing.
#[cfg(test)]
pub(super) fn random_data(players: usize, rows: usize, seed: u64) -> Data {
    let mut random = super::generator(seed, 8);
    let coalition = |_| {
        let size = 1 + random.below(players as u64 - 1) as usize;
        random.coalition(players, size)
    };
    let coalitions: Vec<_> = (0..rows).map(coalition).collect();
    let y: Vec<f64> = (0..rows).map(|_| 2.0 * random.unit() - 1.0).collect();
    let mut noisy = vec![1.0; rows];
    noisy[0] = 0.0;
    let even: Vec<f64> = (0..rows).map(|row| if row == 0 { 0.0 } else { 2.0 * random.unit() - 1.0 }).collect();
    let with = |sign: f64| y.iter().zip(&even).map(|(y, even)| even + sign * y).collect();
    let both = Some(Both { of: with(1.0), complement: with(-1.0) });
    let unseen = noisy.clone();
    Data { rows: Rows::new(players, coalitions.iter().map(crate::Coalition::words)), y, noisy, unseen, both }
}
