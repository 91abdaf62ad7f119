//! Matrices of the kernel, and sums over them: what a fit spends its time on beside factors and inverses.
//!
//! The loops are compiled for the vector instructions of several generations of processors, of which those that there
//! are are taken. Each entry is a sum of its own, so that none of that changes a bit.

use faer::Mat;
use faer::traits::pulp::{Arch, Simd, WithSimd};

use super::constants::HARMONICS;
use super::kernel::{Hyper, Kernel};
use super::linear::{lower_times, times};
use super::ridge::{Harmonics, log_weight};
use super::rows::Rows;

/// What the covariances of some rows with each other take that does not change with the hyper-parameters, and room for
/// what does: for each pair of rows, the lower triangle by columns.
#[derive(Debug)]
pub(super) struct Workspace {
    /// ±1 for each player, a row for each coalition.
    signs: Mat<f64>,
    /// Members less others, for each row.
    balance: Vec<f64>,
    /// Σ x_i y_i of a pair: a whole number; and n for each, in its place, for the even half.
    agreement: Vec<f32>,
    constant: Vec<f32>,
    /// A − B and A + B of [`Kernel::products`].
    less: Vec<f64>,
    plus: Vec<f64>,
    /// What relevances are derived by.
    mixed: Mat<f64>,
    /// For the covariance and its factor; the inverse; and what that is made of. Pages that are new each time would
    /// cost as much as some of the arithmetic.
    pub(super) covariance: Mat<f64>,
    pub(super) even_covariance: Mat<f64>,
    pub(super) inverse: Mat<f64>,
    pub(super) scratch: Mat<f64>,
}

/// Derivatives by the hyper-parameters, each in the place of its own.
pub(super) type Gradient = Hyper;

/// Which half of the game a covariance is of: d(S) = (v(S) − v(N∖S)) / 2, or (v(S) + v(N∖S)) / 2.
///
/// The even half has the product term with A − B and A + B exchanged, functions of the distance of the size from n/2,
/// and a constant in place of the linear term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Odd,
    Even,
}

fn balance(rows: &Rows) -> Vec<f64> {
    rows.balance.iter().map(|&q| f64::from(q)).collect()
}

impl Workspace {
    pub(super) fn new(rows: &Rows) -> Self {
        let len = rows.len();
        let mut agreement = vec![0.0; len * len];
        for (j, column) in agreement.chunks_exact_mut(len.max(1)).enumerate() {
            rows.agreements(rows.words(j), j, &mut column[j..]);
        }
        Self {
            signs: rows.signs(),
            balance: balance(rows),
            agreement,
            constant: vec![rows.players as f32; len],
            less: vec![0.0; len * len],
            plus: vec![0.0; len * len],
            mixed: Mat::zeros(len, len),
            covariance: Mat::zeros(len, len),
            even_covariance: Mat::new(),
            inverse: Mat::zeros(len, len),
            scratch: Mat::zeros(len, len),
        }
    }

    pub(super) fn harmonics(&self, kernel: &Kernel) -> Harmonics {
        Harmonics::new(&kernel.hyper, &kernel.harmonics, self.signs.as_ref())
    }
}

impl Kernel {
    /// The covariances of each row of one with each of the other, without noise.
    pub(super) fn between(&self, a: &Rows, b: &Rows, half: Half) -> Mat<f64> {
        let harmonics = |rows: &Rows| Harmonics::new(&self.hyper, &self.harmonics, rows.signs().as_ref());
        let mut covariance = harmonics(a).covariance(&harmonics(b));
        let (of_a, of_b) = (balance(a), balance(b));
        let [mut less, mut plus] = [vec![0.0; a.len()], vec![0.0; a.len()]];
        let mut agreement = vec![0.0; a.len()];
        for (j, &balance) in of_b.iter().enumerate() {
            self.products(b.words(j), a, 0, &mut less, &mut plus);
            match half {
                Half::Odd => a.agreements(b.words(j), 0, &mut agreement),
                Half::Even => agreement.fill(a.players as f32),
            }
            let known = (less.as_slice(), plus.as_slice(), agreement.as_slice());
            self.add_terms(covariance.col_as_slice_mut(j), &of_a, balance, known, half);
        }
        covariance
    }

    /// The covariance of all rows with each other, without noise: the lower triangle.
    pub(super) fn within(&self, rows: &Rows, half: Half) -> Mat<f64> {
        let len = rows.len();
        let harmonics = Harmonics::new(&self.hyper, &self.harmonics, rows.signs().as_ref());
        let mut covariance = Mat::zeros(len, len);
        harmonics.put_covariance(&mut covariance);
        let balance = balance(rows);
        let [mut less, mut plus] = [vec![0.0; len], vec![0.0; len]];
        let mut agreement = vec![0.0; len];
        for j in 0..len {
            match half {
                Half::Odd => rows.agreements(rows.words(j), j, &mut agreement[..len - j]),
                Half::Even => agreement.fill(rows.players as f32),
            }
            let known = (&mut less[..len - j], &mut plus[..len - j], &agreement[..len - j]);
            self.add_column(&mut covariance, rows, j, &balance, known, half);
        }
        covariance
    }

    /// The same, and what it takes for [`gradient`](Self::gradient) stays in the workspace.
    pub(super) fn within_workspace(&self, rows: &Rows, harmonics: &Harmonics, room: &mut Workspace) -> Mat<f64> {
        let len = rows.len();
        let mut covariance = std::mem::replace(&mut room.covariance, Mat::new());
        if covariance.nrows() != len {
            covariance = Mat::zeros(len, len);
        }
        harmonics.put_covariance(&mut covariance);
        for j in 0..len {
            let place = j * len + j..(j + 1) * len;
            let known = (&mut room.less[place.clone()], &mut room.plus[place.clone()], &room.agreement[place]);
            self.add_column(&mut covariance, rows, j, &room.balance, known, Half::Odd);
        }
        covariance
    }

    /// The even half, of rows whose odd half the workspace has.
    pub(super) fn even_of_workspace(&self, room: &mut Workspace) -> Mat<f64> {
        let len = room.balance.len();
        let mut covariance = std::mem::replace(&mut room.even_covariance, Mat::new());
        if covariance.nrows() != len {
            covariance = Mat::zeros(len, len);
        }
        covariance.fill(0.0);
        for j in 0..len {
            let place = j * len + j..(j + 1) * len;
            let known = (&room.less[place.clone()], &room.plus[place], &room.constant[j..]);
            let column = &mut covariance.col_as_slice_mut(j)[j..];
            self.add_terms(column, &room.balance[j..], room.balance[j], known, Half::Even);
        }
        covariance
    }

    fn add_column(
        &self,
        covariance: &mut Mat<f64>,
        rows: &Rows,
        j: usize,
        balance: &[f64],
        (less, plus, agreement): (&mut [f64], &mut [f64], &[f32]),
        half: Half,
    ) {
        self.products(rows.words(j), rows, j, less, plus);
        let column = &mut covariance.col_as_slice_mut(j)[j..];
        self.add_terms(column, &balance[j..], balance[j], (less, plus, agreement), half);
    }

    /// All terms but the ridge, of some rows and one other: the product term, of which A − B and A + B are given; of
    /// the size; and the linear term, or the constant of the even half.
    fn add_terms(
        &self,
        column: &mut [f64],
        balance: &[f64],
        other: f64,
        (less, plus, agreement): (&[f64], &[f64], &[f32]),
        half: Half,
    ) {
        let (product, opposite) = match half {
            Half::Odd => (less, -self.hyper.size),
            Half::Even => (plus, self.hyper.size),
        };
        let linear = self.hyper.linear / self.hyper.relevance.len() as f64;
        Arch::new().dispatch(AddTerms {
            product,
            agreement,
            balance,
            other,
            size: [self.hyper.size, opposite],
            linear,
            column,
        });
    }

    /// What the gradient is made of: the sums Σ w ∂K over all pairs of rows, where w = α α′ / `scale` − K⁻¹. The
    /// workspace has the inverse, and all else as [`within_workspace`](Self::within_workspace) left it.
    pub(super) fn gradient(
        &self,
        harmonics: &Harmonics,
        room: &mut Workspace,
        (alpha, scale): (&[f64], f64),
        noisy: &[f64],
        half: Half,
    ) -> Gradient {
        let (players, len) = (room.signs.ncols(), alpha.len());
        // For the product, size and linear terms: one sum for each row, so that no addition waits for the one before.
        let mut sums = [(); 3].map(|()| vec![0.0; len]);
        let mut noise = 0.0;
        for j in 0..len {
            let place = j * len + j..(j + 1) * len;
            let weights = &mut room.inverse.col_as_slice_mut(j)[j..];
            let (less, plus) = (&room.less[place.clone()], &room.plus[place.clone()]);
            let (product, other_half, agreement, opposite) = match half {
                Half::Odd => (less, plus, &room.agreement[place], -1.0),
                Half::Even => (plus, less, &room.constant[j..], 1.0),
            };
            Arch::new().dispatch(AddPairs {
                product,
                other_half,
                agreement,
                opposite,
                alpha: &alpha[j..],
                scale,
                balance: &room.balance[j..],
                weights,
                mixed: &mut room.mixed.col_as_slice_mut(j)[j..],
                sums: sums.each_mut().map(|sums| &mut sums[j..]),
            });
            noise += room.inverse[(j, j)] * noisy[j];
        }
        let [product, size, linear] = sums.map(|sums| sums.iter().sum::<f64>());
        let moved = lower_times(room.mixed.as_ref(), room.signs.as_ref());
        let relevance = (0..players).map(|player| {
            let r = self.hyper.relevance[player];
            let signs = room.signs.col_as_slice(player).iter().zip(moved.col_as_slice(player));
            let signs: f64 = signs.map(|(sign, moved)| sign * moved).sum();
            let scale = r + (self.up * (1.0 - r) + self.down * (1.0 + r)) / 2.0;
            (signs - product * scale) / (2.0 * (1.0 - r * r))
        });
        let relevance = relevance.collect();
        let (of_ridge, by_angle) = harmonics.gradient(room.inverse.as_ref());
        let by_angle = Mat::from_fn(1, len, |_, row| 2.0 * by_angle[row]);
        let direction = times(by_angle.as_ref(), room.signs.as_ref());
        let mean_log: f64 = (0..HARMONICS).map(|k| self.harmonics[k] * log_weight(k)).sum();
        let share = |k: usize| self.harmonics[k] * of_ridge[k];
        Gradient {
            relevance,
            direction: (0..players).map(|player| direction[(0, player)]).collect(),
            noise,
            size,
            linear: linear / players as f64,
            ridge: (0..of_ridge.len()).map(share).sum(),
            decay: (0..of_ridge.len()).map(|k| self.hyper.ridge * share(k) * (log_weight(k) - mean_log)).sum(),
        }
    }
}

/// Some rows and one other: what is known of each pair, and the covariances that it is added to.
struct AddTerms<'a> {
    product: &'a [f64],
    agreement: &'a [f32],
    balance: &'a [f64],
    other: f64,
    /// What equal sizes add, and what s and n − s do.
    size: [f64; 2],
    linear: f64,
    column: &'a mut [f64],
}

impl WithSimd for AddTerms<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { product, agreement, balance: q, other, size, linear, column } = self;
        let len = column.len();
        let (product, agreement, q) = (&product[..len], &agreement[..len], &q[..len]);
        for i in 0..len {
            let same = if (q[i] - other).abs() < 1.0 { size[0] } else { 0.0 };
            let opposite = if (q[i] + other).abs() < 1.0 { size[1] } else { 0.0 };
            column[i] += product[i] / 2.0 + (same + opposite) + linear * f64::from(agreement[i]);
        }
    }
}

/// The pairs of a row with itself and those after it: what is known of them, and what they are added to. Each stands
/// for two, but that with itself.
struct AddPairs<'a> {
    product: &'a [f64],
    other_half: &'a [f64],
    agreement: &'a [f32],
    /// The sign of what sizes s and n − s add.
    opposite: f64,
    alpha: &'a [f64],
    scale: f64,
    balance: &'a [f64],
    /// The inverse's entries, which become weights.
    weights: &'a mut [f64],
    mixed: &'a mut [f64],
    sums: [&'a mut [f64]; 3],
}

impl WithSimd for AddPairs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { product, other_half, agreement, opposite: sign, alpha, scale, balance: q, weights, mixed, sums } =
            self;
        let len = weights.len();
        let [by_product, size, linear] = sums.map(|sums| &mut sums[..len]);
        let (product, other_half, agreement) = (&product[..len], &other_half[..len], &agreement[..len]);
        let (alpha, q, mixed) = (&alpha[..len], &q[..len], &mut mixed[..len]);
        let (alpha_j, q_j) = (alpha[0] / scale, q[0]);
        for i in 0..len {
            weights[i] = alpha_j * alpha[i] - weights[i];
        }
        let own = weights[0];
        weights[0] = own / 2.0;
        // Loops of one or two sums each: with more, the compiler does not find that they are independent.
        for i in 0..len {
            mixed[i] = 2.0 * weights[i] * other_half[i];
            by_product[i] += 2.0 * weights[i] * product[i];
        }
        for i in 0..len {
            let same = if (q[i] - q_j).abs() < 1.0 { 2.0 * weights[i] } else { 0.0 };
            let opposite = if (q[i] + q_j).abs() < 1.0 { 2.0 * weights[i] } else { 0.0 };
            size[i] += same + sign * opposite;
            linear[i] += 2.0 * weights[i] * f64::from(agreement[i]);
        }
        weights[0] = own;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::data::random_data;
    use crate::surrogate::hyperparameters::Space;

    #[test]
    fn all_ways_to_a_covariance_agree() {
        for n in [5, 9, 17, 70] {
            let data = random_data(n, 30, n as u64);
            let values: Vec<f64> = (0..n).map(|k| 0.1 + k as f64).collect();
            for space in [Space::plain(n, Half::Odd), Space::ridge(n, &values)] {
                let kernel = space.kernel(&space.tied(-1.5));
                let mut room = Workspace::new(&data.rows);
                let harmonics = room.harmonics(&kernel);
                let between = kernel.between(&data.rows, &data.rows, Half::Odd);
                let within = kernel.within(&data.rows, Half::Odd);
                let kept = kernel.within_workspace(&data.rows, &harmonics, &mut room);
                let even = kernel.even_of_workspace(&mut room);
                let plain = Kernel::new(Hyper { ridge: 0.0, ..kernel.hyper.clone() });
                let even_between = plain.between(&data.rows, &data.rows, Half::Even);
                let even_within = plain.within(&data.rows, Half::Even);
                for (i, j) in (0..data.len()).flat_map(|j| (j..data.len()).map(move |i| (i, j))) {
                    assert_eq!(even_within[(i, j)].to_bits(), even[(i, j)].to_bits());
                    assert!((even_within[(i, j)] - even_between[(i, j)]).abs() < 1e-12, "n {n}: ({i}, {j})");
                }
                for (i, j) in (0..data.len()).flat_map(|j| (j..data.len()).map(move |i| (i, j))) {
                    assert_eq!(within[(i, j)].to_bits(), kept[(i, j)].to_bits());
                    assert!((within[(i, j)] - between[(i, j)]).abs() < 1e-12, "n {n}: ({i}, {j})");
                }
            }
        }
    }
}
