//! Shapley values of the model's functions, exact up to rounding.
//!
//! For a product v(S) = Π f_i(x_i) the Shapley value of player i is ∫₀¹ (f_i(1) − f_i(−1)) Π_{j≠i} (u f_j(1) + (1 − u)
//! f_j(−1)) du: let each player arrive at a uniform time, and let u be that of i. The integrand is a polynomial of
//! degree n − 1, so that Gauss–Legendre quadrature with n/2 nodes is exact. All terms of the kernel are such products,
//! their real or imaginary parts, or linear, or functions of the size alone.

use faer::Mat;

use super::constants::HARMONICS;
use super::kernel::Kernel;
use super::linear::times;
use super::ridge::{Harmonics, frequency};
use super::rows::Rows;
use crate::weights::nodes_on_unit_interval;

/// Shapley values of each function S ↦ K(S, X_b), a row for each b; and their prior variances.
#[derive(Debug)]
pub(super) struct KernelValues {
    pub(super) values: Mat<f64>,
    pub(super) variances: Vec<f64>,
}

impl KernelValues {
    pub(super) fn new(kernel: &Kernel, rows: &Rows) -> Self {
        let nodes = nodes_on_unit_interval((rows.players as u64 + 3) / 2);
        let mut values =
            Self { values: product_values(kernel, rows, &nodes), variances: product_variances(kernel, &nodes) };
        values.add_simple_terms(kernel, rows);
        if kernel.hyper.ridge > 0.0 {
            values.add_ridge(kernel, rows);
        }
        values
    }

    fn add_simple_terms(&mut self, kernel: &Kernel, rows: &Rows) {
        let n = rows.players as f64;
        let hyper = &kernel.hyper;
        for (b, &balance) in rows.balance.iter().enumerate() {
            let extreme = f64::from(u8::from(balance == rows.players as i32))
                - f64::from(u8::from(-balance == rows.players as i32));
            for player in 0..rows.players {
                self.values[(b, player)] += 2.0 / n * (hyper.size * extreme + hyper.linear * rows.sign(b, player));
            }
        }
        for variance in &mut self.variances {
            *variance += 4.0 * hyper.size / (n * n) + 4.0 * hyper.linear / n;
        }
    }

    fn add_ridge(&mut self, kernel: &Kernel, rows: &Rows) {
        let players = rows.players;
        // Values of S ↦ sin(w t·x): twice the imaginary part of i sin(w t_i) ∫ Π_{j≠i} (cos(w t_j) + i s sin(w t_j))
        // ds/2 over [−1, 1].
        let nodes = nodes_on_unit_interval(2 * (players as u64 / 4) + 2);
        let mut harmonics = Mat::<f64>::zeros(HARMONICS, players);
        for k in 0..HARMONICS {
            let angles: Vec<(f64, f64)> =
                (kernel.hyper.direction.iter()).map(|t| (frequency(k) * t).sin_cos()).collect();
            // The real part is even in s: half of the nodes, which are never at zero, are enough.
            for (node, weight) in
                nodes.iter().map(|&(t, weight)| (2.0 * t - 1.0, 2.0 * weight)).filter(|node| node.0 > 0.0)
            {
                let (mut re, mut im) = (1.0_f64, 0.0_f64);
                for (sin, cos) in &angles {
                    (re, im) = (re * cos - im * node * sin, re * node * sin + im * cos);
                }
                for (player, (sin, cos)) in angles.iter().enumerate() {
                    // The real part of the product without this player: that of all, divided.
                    let (c, s) = (*cos, node * sin);
                    let without = (re * c + im * s) / (c * c + s * s);
                    harmonics[(k, player)] += 2.0 * sin * weight * without;
                }
            }
        }
        for k in 0..HARMONICS {
            let weight = kernel.hyper.ridge * kernel.harmonics[k];
            for (player, variance) in self.variances.iter_mut().enumerate() {
                *variance += weight * harmonics[(k, player)].powi(2);
            }
        }
        let sines = Harmonics::new(&kernel.hyper, &kernel.harmonics, rows.signs().as_ref()).weighted_sines();
        let moved = times(sines.as_ref(), harmonics.as_ref());
        self.values += moved;
    }
}

/// The odd part of the product term: for a row b, and u = 2t − 1, the value of player i is (1/D) ∫₀¹ 2 r_i x_i
/// Π_{j≠i} (1 + r_j x_j u) dt, since B's integral is A's with −u.
fn product_values(kernel: &Kernel, rows: &Rows, nodes: &[(f64, f64)]) -> Mat<f64> {
    let players = rows.players;
    // For each node the weighted product of all, a column; the ratio of 2 r x to the factor for members and for others,
    // of which the value is the mean plus the sign times half the difference.
    let mut products = Mat::<f64>::zeros(rows.len(), nodes.len());
    let mut mean = Mat::<f64>::zeros(nodes.len(), players);
    let mut half = Mat::<f64>::zeros(nodes.len(), players);
    for (column, &(t, weight)) in nodes.iter().enumerate() {
        let u = 2.0 * t - 1.0;
        let mut logs = vec![[0.0; 256]; players.div_ceil(8)];
        for (player, &r) in kernel.hyper.relevance.iter().enumerate() {
            let f = |x: f64| ((r * x * u).ln_1p(), 2.0 * r * x / (1.0 + r * x * u));
            let (member, other) = (f(1.0), f(-1.0));
            mean[(column, player)] = (member.1 + other.1) / 2.0;
            half[(column, player)] = (member.1 - other.1) / 2.0;
            for (set, log) in logs[player / 8].iter_mut().enumerate() {
                *log += if set >> (player % 8) & 1 == 1 { member.0 } else { other.0 };
            }
        }
        let column = products.col_as_slice_mut(column);
        for (b, product) in column.iter_mut().enumerate() {
            let bytes = rows.words(b).iter().flat_map(|word| word.to_le_bytes());
            let log: f64 = logs.iter().zip(bytes).map(|(table, byte)| table[byte as usize]).sum();
            *product = weight * (log - kernel.log_scale).exp();
        }
    }
    let mut values = times(products.as_ref(), half.as_ref());
    for player in 0..players {
        values.col_as_slice_mut(player).iter_mut().enumerate().for_each(|(b, x)| *x *= rows.sign(b, player));
    }
    values += times(products.as_ref(), mean.as_ref());
    values
}

/// The prior variance of each player's value under the product term: the double integral of its covariance.
fn product_variances(kernel: &Kernel, nodes: &[(f64, f64)]) -> Vec<f64> {
    let mut variances = vec![0.0; kernel.hyper.relevance.len()];
    for (j, &(t, weight_t)) in nodes.iter().enumerate() {
        // Symmetric in both.
        for (k, &(u, weight_u)) in nodes.iter().enumerate().skip(j) {
            let both = (if j == k { 1.0 } else { 2.0 }) * weight_t * weight_u;
            let f = |r: f64| 1.0 + r * (2.0 * t - 1.0) * (2.0 * u - 1.0);
            let log: f64 = kernel.hyper.relevance.iter().map(|&r| f(r).ln()).sum();
            let product = both * (log - kernel.log_scale).exp();
            for (variance, &r) in variances.iter_mut().zip(&kernel.hyper.relevance) {
                *variance += product / f(r) * 4.0 * r;
            }
        }
    }
    variances
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::generator;
    use crate::surrogate::kernel::Hyper;
    use crate::{Exact, from_fn};

    fn kernel(n: usize, seed: u64, terms: [f64; 3]) -> Kernel {
        let mut random = generator(seed, 9);
        let [size, linear, ridge] = terms;
        Kernel::new(Hyper {
            relevance: (0..n).map(|_| 0.97 * random.unit()).collect(),
            direction: (0..n).map(|_| 0.6 * random.unit() - 0.2).collect(),
            noise: 0.1,
            size,
            linear,
            ridge,
            decay: 0.6 + random.unit(),
        })
    }

    fn all_rows(n: usize) -> Vec<Vec<u64>> {
        (0..1_u64 << n).map(|mask| vec![mask]).collect()
    }

    /// Of each function S ↦ K(S, X) the values are those of the exact solver; and the variances are those of the values
    /// of a random function with this covariance, by the exact solver once more.
    #[test]
    fn values_and_variances_are_those_of_the_exact_solver() {
        for (n, terms) in [
            (2, [1.0; 3]),
            (3, [0.0, 0.0, 2.0]),
            (5, [0.0; 3]),
            (6, [0.3, 0.0, 1.0]),
            (7, [2.0, 0.7, 3.0]),
            (9, [1.0, 0.5, 2.0]),
        ] {
            let kernel = kernel(n, n as u64, terms);
            let all = all_rows(n);
            let rows = Rows::new(n, all.iter().map(Vec::as_slice));
            let got = KernelValues::new(&kernel, &rows);
            let covariance = kernel.between(&rows, &rows, crate::surrogate::covariance::Half::Odd);
            for b in 0..rows.len() {
                let game = from_fn(n, |s| covariance[(s.mask().unwrap() as usize, b)]);
                let exact = Exact::new().threads(1).solve(&game).unwrap();
                for player in 0..n {
                    let (got, want) = (got.values[(b, player)], exact[player]);
                    assert!(
                        (got - want).abs() < 1e-12 * (1.0 + want.abs()),
                        "n {n}, row {b}, player {player}: {got} {want}"
                    );
                }
            }
            for player in 0..n {
                // Values are linear: the variance is that function of the row's number.
                let game = from_fn(n, |s| got.values[(s.mask().unwrap() as usize, player)]);
                let (got, want) = (got.variances[player], Exact::new().threads(1).solve(&game).unwrap()[player]);
                assert!((got - want).abs() < 1e-12 * (1.0 + want.abs()), "n {n}, player {player}: {got} {want}");
            }
        }
    }
}
