//! The terms of the kernel that are sums of products, a function of one coalition times the same of the other: of the
//! index, of single players, and of the size.

use faer::{Mat, MatRef};

use super::kernel::{Hyper, Rows};
use super::linear::{dot, times};

/// The number of harmonics of the index term, whose frequencies are w_k = (k + ½) π.
pub(super) const HARMONICS: usize = 24;

pub(super) fn frequency(k: usize) -> f64 {
    (k as f64 + 0.5) * std::f64::consts::PI
}

/// What does not change with the hyper-parameters: for each coalition, ±1 for each player; and for each
/// |members − others| the sign of the difference, if it is that, or zero.
#[derive(Clone, Debug)]
pub(super) struct Fixed(Mat<f64>);

impl Fixed {
    pub(super) fn new(rows: &Rows) -> Self {
        let players = rows.players;
        let mut columns = Mat::zeros(rows.len(), players + players / 2 + 1);
        for (row, &balance) in rows.balance.iter().enumerate() {
            for player in 0..players {
                columns[(row, player)] = rows.sign(row, player);
            }
            columns[(row, players + balance.unsigned_abs() as usize / 2)] = f64::from(balance.signum());
        }
        Self(columns)
    }

    /// ±1 for each player.
    pub(super) fn signs(&self, players: usize) -> MatRef<'_, f64> {
        self.0.subcols(0, players)
    }
}

/// The functions, a row for each coalition: sines of the index, if there is one, and what is fixed.
#[derive(Clone, Debug)]
pub(super) struct Features {
    values: Mat<f64>,
    /// Of the angles of the sines.
    cosines: Mat<f64>,
    /// The variance of each.
    variances: Vec<f64>,
    harmonics: usize,
}

impl Features {
    pub(super) fn new(hyper: &Hyper, harmonics: &[f64; HARMONICS], rows: &Rows, fixed: &Fixed) -> Self {
        let count = if hyper.index > 0.0 { HARMONICS } else { 0 };
        let columns = count + fixed.0.ncols();
        let mut values = Mat::zeros(rows.len(), columns);
        let mut cosines = Mat::zeros(rows.len(), count);
        if count > 0 {
            let direction = Mat::from_fn(rows.players, 1, |player, _| hyper.direction[player]);
            let angles = times(fixed.signs(rows.players), direction.as_ref());
            waves(angles.col_as_slice(0), &mut values, &mut cosines);
        }
        for column in 0..fixed.0.ncols() {
            values.col_as_slice_mut(count + column).copy_from_slice(fixed.0.col_as_slice(column));
        }
        let players = rows.players;
        let variance = |column: usize| match column.checked_sub(count) {
            None => hyper.index * harmonics[column],
            Some(player) if player < players => hyper.linear / players as f64,
            Some(_) => hyper.size,
        };
        Self { values, cosines, variances: (0..columns).map(variance).collect(), harmonics: count }
    }

    /// Their covariances with those of other coalitions.
    pub(super) fn covariance(&self, others: &Self) -> Mat<f64> {
        let mut scaled = self.values.clone();
        for (column, variance) in self.variances.iter().enumerate() {
            scaled.col_as_slice_mut(column).iter_mut().for_each(|x| *x *= variance);
        }
        times(scaled.as_ref(), others.values.transpose())
    }

    /// For the weights of a symmetric matrix: each feature's quadratic form; and for each coalition the derivative by its angle,
    /// half of it.
    pub(super) fn gradient(&self, weights: MatRef<'_, f64>) -> (Vec<f64>, Vec<f64>) {
        let moved = times(weights, self.values.as_ref());
        let forms = (0..self.values.ncols()).map(|k| dot(self.values.col_as_slice(k), moved.col_as_slice(k))).collect();
        let mut by_angle = vec![0.0; self.values.nrows()];
        for k in 0..self.harmonics {
            let factor = self.variances[k] * frequency(k);
            let both = self.cosines.col_as_slice(k).iter().zip(moved.col_as_slice(k));
            by_angle.iter_mut().zip(both).for_each(|(sum, (cos, moved))| *sum += factor * cos * moved);
        }
        (forms, by_angle)
    }

    /// The sines of the index, times their variances.
    pub(super) fn weighted_sines(&self) -> Mat<f64> {
        Mat::from_fn(self.values.nrows(), self.harmonics, |row, k| self.variances[k] * self.values[(row, k)])
    }
}

/// sin and cos of w_k times each angle, a column for each k.
fn waves(angles: &[f64], sines: &mut Mat<f64>, cosines: &mut Mat<f64>) {
    // The frequencies are odd multiples of half of pi: each step turns by the whole of it.
    let turns: Vec<(f64, f64)> = angles.iter().map(|angle| (std::f64::consts::PI * angle).sin_cos()).collect();
    let mut now: Vec<(f64, f64)> = angles.iter().map(|angle| (std::f64::consts::FRAC_PI_2 * angle).sin_cos()).collect();
    for k in 0..HARMONICS {
        let (sines, cosines) = (sines.col_as_slice_mut(k), cosines.col_as_slice_mut(k));
        let places = sines.iter_mut().zip(cosines).zip(now.iter_mut().zip(&turns));
        for ((to_sin, to_cos), ((sin, cos), (turn_sin, turn_cos))) in places {
            (*to_sin, *to_cos) = (*sin, *cos);
            (*sin, *cos) = (*sin * turn_cos + *cos * turn_sin, *cos * turn_cos - *sin * turn_sin);
        }
    }
}
