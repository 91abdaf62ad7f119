//! Matrices of the kernel, and sums over them: what a fit spends its time on beside factors and inverses.
//!
//! The loops are compiled for the vector instructions of several generations of processors, of which those that there
//! are are taken. Each entry is a sum of its own, so that none of that changes a bit.

use faer::Mat;
use faer::traits::pulp::{Arch, Simd, WithSimd};

use super::harmonics::{Waves, log_weight};
use super::kernel::{HARMONICS, Hyper, Kernel, Rows};
use super::linear::{lower_times, times};

/// What the covariances of some rows with each other take that does not change with the hyper-parameters, and room for
/// what does: for each pair of rows, the lower triangle by columns.
#[derive(Debug)]
pub(super) struct Workspace {
    /// ±1 for each player, a row for each coalition.
    signs: Mat<f64>,
    /// Members less others, for each row.
    balance: Vec<f64>,
    /// Σ x_i y_i of a pair: a whole number.
    agreement: Vec<f32>,
    /// A − B and A + B of [`Kernel::products`].
    less: Vec<f64>,
    plus: Vec<f64>,
    /// What relevances are derived by.
    mixed: Mat<f64>,
    /// For the covariance and its factor; the inverse; and what that is made of. Pages that are new each time would
    /// cost as much as some of the arithmetic.
    pub(super) covariance: Mat<f64>,
    pub(super) inverse: Mat<f64>,
    pub(super) scratch: Mat<f64>,
}

/// Derivatives by the hyper-parameters, each in the place of its own.
pub(super) type Gradient = Hyper;

/// Of some rows: members less others, and cosh and sinh of the growth times that.
struct Extremes {
    balance: Vec<f64>,
    cosh: Vec<f64>,
    sinh: Vec<f64>,
}

impl Extremes {
    fn new(growth: f64, balance: &[f64]) -> Self {
        Self {
            balance: balance.to_vec(),
            cosh: balance.iter().map(|q| (growth * q).cosh()).collect(),
            sinh: balance.iter().map(|q| (growth * q).sinh()).collect(),
        }
    }
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
            less: vec![0.0; len * len],
            plus: vec![0.0; len * len],
            mixed: Mat::zeros(len, len),
            covariance: Mat::zeros(len, len),
            inverse: Mat::zeros(len, len),
            scratch: Mat::zeros(len, len),
        }
    }

    pub(super) fn waves(&self, kernel: &Kernel) -> Waves {
        Waves::new(&kernel.hyper, &kernel.harmonics, self.signs.as_ref())
    }
}

impl Kernel {
    /// The covariances of each row of one with each of the other, without noise.
    pub(super) fn between(&self, a: &Rows, b: &Rows) -> Mat<f64> {
        let waves = |rows: &Rows| Waves::new(&self.hyper, &self.harmonics, rows.signs().as_ref());
        let mut covariance = waves(a).covariance(&waves(b));
        let extremes = |rows: &Rows| Extremes::new(self.hyper.growth, &balance(rows));
        let (of_a, of_b) = (extremes(a), extremes(b));
        let [mut less, mut plus] = [vec![0.0; a.len()], vec![0.0; a.len()]];
        let mut agreement = vec![0.0; a.len()];
        for j in 0..b.len() {
            self.products(b.words(j), a, 0, &mut less, &mut plus);
            a.agreements(b.words(j), 0, &mut agreement);
            let known = (less.as_slice(), plus.as_slice(), agreement.as_slice());
            self.add_terms(covariance.col_as_slice_mut(j), (&of_a, 0), (&of_b, j), known);
        }
        covariance
    }

    /// The covariance of all rows with each other, without noise: the lower triangle.
    pub(super) fn within(&self, rows: &Rows) -> Mat<f64> {
        let len = rows.len();
        let waves = Waves::new(&self.hyper, &self.harmonics, rows.signs().as_ref());
        let mut covariance = Mat::zeros(len, len);
        waves.put_covariance(&mut covariance);
        let extremes = Extremes::new(self.hyper.growth, &balance(rows));
        let [mut less, mut plus] = [vec![0.0; len], vec![0.0; len]];
        let mut agreement = vec![0.0; len];
        for j in 0..len {
            rows.agreements(rows.words(j), j, &mut agreement[..len - j]);
            let known = (&mut less[..len - j], &mut plus[..len - j], &agreement[..len - j]);
            self.add_column(&mut covariance, rows, j, &extremes, known);
        }
        covariance
    }

    /// The same, and what it takes for [`gradient`](Self::gradient) stays in the workspace.
    pub(super) fn within_workspace(&self, rows: &Rows, waves: &Waves, room: &mut Workspace) -> Mat<f64> {
        let len = rows.len();
        let mut covariance = std::mem::replace(&mut room.covariance, Mat::new());
        if covariance.nrows() != len {
            covariance = Mat::zeros(len, len);
        }
        waves.put_covariance(&mut covariance);
        let extremes = Extremes::new(self.hyper.growth, &room.balance);
        for j in 0..len {
            let place = j * len + j..(j + 1) * len;
            let known = (&mut room.less[place.clone()], &mut room.plus[place.clone()], &room.agreement[place]);
            self.add_column(&mut covariance, rows, j, &extremes, known);
        }
        covariance
    }

    fn add_column(
        &self,
        covariance: &mut Mat<f64>,
        rows: &Rows,
        j: usize,
        extremes: &Extremes,
        (less, plus, agreement): (&mut [f64], &mut [f64], &[f32]),
    ) {
        self.products(rows.words(j), rows, j, less, plus);
        let column = &mut covariance.col_as_slice_mut(j)[j..];
        self.add_terms(column, (extremes, j), (extremes, j), (less, plus, agreement));
    }

    /// All terms but the index, of rows from a start on and one other: cosh(c(p + q)) A − cosh(c(p − q)) B = cosh(cp)
    /// cosh(cq) (A − B) + sinh(cp) sinh(cq) (A + B), halved; of the sizes; linear.
    fn add_terms(
        &self,
        column: &mut [f64],
        (of_a, start): (&Extremes, usize),
        (of_b, j): (&Extremes, usize),
        (less, plus, agreement): (&[f64], &[f64], &[f32]),
    ) {
        Arch::new().dispatch(AddTerms {
            less,
            plus,
            agreement,
            cosh: &of_a.cosh[start..],
            sinh: &of_a.sinh[start..],
            balance: &of_a.balance[start..],
            one: [of_b.cosh[j] / 2.0, of_b.sinh[j] / 2.0, of_b.balance[j]],
            size: self.hyper.size,
            linear: self.hyper.linear / self.hyper.relevance.len() as f64,
            column,
        });
    }

    /// What the gradient is made of: the sums Σ w ∂K over all pairs of rows, where w = α α′ / `scale` − K⁻¹. The
    /// workspace has the inverse, and all else as [`within_workspace`](Self::within_workspace) left it.
    pub(super) fn gradient(
        &self,
        waves: &Waves,
        room: &mut Workspace,
        (alpha, scale): (&[f64], f64),
        noisy: &[f64],
    ) -> Gradient {
        let (players, len) = (room.signs.ncols(), alpha.len());
        let extremes = Extremes::new(self.hyper.growth, &room.balance);
        // For the product term, the growth, the size and linear terms: one sum for each row, so that no addition waits
        // for the one before.
        let mut sums = [(); 4].map(|()| vec![0.0; len]);
        let mut noise = 0.0;
        for j in 0..len {
            let place = j * len + j..(j + 1) * len;
            let weights = &mut room.inverse.col_as_slice_mut(j)[j..];
            Arch::new().dispatch(AddPairs {
                less: &room.less[place.clone()],
                plus: &room.plus[place.clone()],
                agreement: &room.agreement[place],
                alpha: &alpha[j..],
                scale,
                cosh: &extremes.cosh[j..],
                sinh: &extremes.sinh[j..],
                balance: &extremes.balance[j..],
                weights,
                mixed: &mut room.mixed.col_as_slice_mut(j)[j..],
                sums: sums.each_mut().map(|sums| &mut sums[j..]),
            });
            noise += room.inverse[(j, j)] * noisy[j];
        }
        let [product, growth, size, linear] = sums.map(|sums| sums.iter().sum::<f64>());
        let moved = lower_times(room.mixed.as_ref(), room.signs.as_ref());
        let relevance = (0..players).map(|player| {
            let r = self.hyper.relevance[player];
            let signs = room.signs.col_as_slice(player).iter().zip(moved.col_as_slice(player));
            let signs: f64 = signs.map(|(sign, moved)| sign * moved).sum();
            let scale = r + (self.up * (1.0 - r) + self.down * (1.0 + r)) / 2.0;
            (signs - product * scale) / (2.0 * (1.0 - r * r))
        });
        let relevance = relevance.collect();
        let (of_index, by_angle) = waves.gradient(room.inverse.as_ref());
        let by_angle = Mat::from_fn(1, len, |_, row| 2.0 * by_angle[row]);
        let direction = times(by_angle.as_ref(), room.signs.as_ref());
        let mean_log: f64 = (0..HARMONICS).map(|k| self.harmonics[k] * log_weight(k)).sum();
        let share = |k: usize| self.harmonics[k] * of_index[k];
        Gradient {
            relevance,
            growth: growth / 2.0,
            direction: (0..players).map(|player| direction[(0, player)]).collect(),
            noise,
            size,
            linear: linear / players as f64,
            index: (0..of_index.len()).map(share).sum(),
            decay: (0..of_index.len()).map(|k| self.hyper.index * share(k) * (log_weight(k) - mean_log)).sum(),
        }
    }
}

/// Some rows and one other: what is known of each pair, and the covariances that it is added to.
struct AddTerms<'a> {
    less: &'a [f64],
    plus: &'a [f64],
    agreement: &'a [f32],
    cosh: &'a [f64],
    sinh: &'a [f64],
    balance: &'a [f64],
    /// Half of cosh and sinh, and the balance, of the other.
    one: [f64; 3],
    size: f64,
    linear: f64,
    column: &'a mut [f64],
}

impl WithSimd for AddTerms<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { less, plus, agreement, cosh, sinh, balance: q, one, size, linear, column } = self;
        let len = column.len();
        let (cosh, sinh, q) = (&cosh[..len], &sinh[..len], &q[..len]);
        let (less, plus, agreement) = (&less[..len], &plus[..len], &agreement[..len]);
        let [cosh_j, sinh_j, q_j] = one;
        for i in 0..len {
            let product = cosh_j * cosh[i] * less[i] + sinh_j * sinh[i] * plus[i];
            let same = if (q[i] - q_j).abs() < 1.0 { size } else { 0.0 };
            let opposite = if (q[i] + q_j).abs() < 1.0 { size } else { 0.0 };
            column[i] += product + (same - opposite) + linear * f64::from(agreement[i]);
        }
    }
}

/// The pairs of a row with itself and those after it: what is known of them, and what they are added to. Each stands
/// for two, but that with itself.
struct AddPairs<'a> {
    less: &'a [f64],
    plus: &'a [f64],
    agreement: &'a [f32],
    alpha: &'a [f64],
    scale: f64,
    cosh: &'a [f64],
    sinh: &'a [f64],
    balance: &'a [f64],
    /// The inverse's entries, which become weights.
    weights: &'a mut [f64],
    mixed: &'a mut [f64],
    sums: [&'a mut [f64]; 4],
}

impl WithSimd for AddPairs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { less, plus, agreement, alpha, scale, cosh, sinh, balance: q, weights, mixed, sums } = self;
        let len = weights.len();
        let [product, growth, size, linear] = sums.map(|sums| &mut sums[..len]);
        let (less, plus, agreement, alpha) = (&less[..len], &plus[..len], &agreement[..len], &alpha[..len]);
        let (cosh, sinh, q, mixed) = (&cosh[..len], &sinh[..len], &q[..len], &mut mixed[..len]);
        let (alpha_j, cosh_j, sinh_j, q_j) = (alpha[0] / scale, cosh[0], sinh[0], q[0]);
        for i in 0..len {
            weights[i] = alpha_j * alpha[i] - weights[i];
        }
        let own = weights[0];
        weights[0] = own / 2.0;
        // Loops of one or two sums each: with more, the compiler does not find that they are independent.
        for i in 0..len {
            let (cosh, sinh) = (cosh[i] * cosh_j, sinh[i] * sinh_j);
            mixed[i] = 2.0 * weights[i] * (cosh * plus[i] + sinh * less[i]);
            product[i] += 2.0 * weights[i] * (cosh * less[i] + sinh * plus[i]);
        }
        for i in 0..len {
            let (sc, cs) = (sinh[i] * cosh_j, cosh[i] * sinh_j);
            let by_growth = (q[i] * sc + q_j * cs) * less[i] + (q[i] * cs + q_j * sc) * plus[i];
            growth[i] += 2.0 * weights[i] * by_growth;
        }
        for i in 0..len {
            let same = if (q[i] - q_j).abs() < 1.0 { 2.0 * weights[i] } else { 0.0 };
            let opposite = if (q[i] + q_j).abs() < 1.0 { 2.0 * weights[i] } else { 0.0 };
            size[i] += same - opposite;
            linear[i] += 2.0 * weights[i] * f64::from(agreement[i]);
        }
        weights[0] = own;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::fit::{Space, random_data};

    #[test]
    fn all_ways_to_a_covariance_agree() {
        for n in [5, 9, 17, 70] {
            let data = random_data(n, 30, n as u64);
            let values: Vec<f64> = (0..n).map(|k| 0.1 + k as f64).collect();
            for space in [Space::plain(n), Space::index(n, &values)] {
                let kernel = space.kernel(&space.tied(-1.5));
                let mut room = Workspace::new(&data.rows);
                let waves = room.waves(&kernel);
                let between = kernel.between(&data.rows, &data.rows);
                let within = kernel.within(&data.rows);
                let kept = kernel.within_workspace(&data.rows, &waves, &mut room);
                for (i, j) in (0..data.len()).flat_map(|j| (j..data.len()).map(move |i| (i, j))) {
                    assert_eq!(within[(i, j)].to_bits(), kept[(i, j)].to_bits());
                    assert!((within[(i, j)] - between[(i, j)]).abs() < 1e-12, "n {n}: ({i}, {j})");
                }
            }
        }
    }
}
