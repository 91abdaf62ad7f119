//! What linear functions of a game are of the model's functions, exact up to rounding.
//!
//! For a product v(S) = Π f_k(x_k), let each player but i be there with chance t, independently. The mean of v(S ∪ i) −
//! v(S) is (f_i(1) − f_i(−1)) Π_{k≠i} (t f_k(1) + (1 − t) f_k(−1)): a polynomial of t, which quadrature integrates
//! exactly. Pairs have two such factors. All terms of the kernel are such products, their imaginary parts, linear, or
//! functions of the size alone. Where only weights by size are known, products of single players are expanded by the
//! number of their factors.

use faer::Mat;

use super::constants::HARMONICS;
use super::covariance::Half;
use super::expansion::{of_all, without_each};
use super::functional::Functional;
use super::kernel::Kernel;
use super::linear::times;
use super::ridge::{Harmonics, frequency};
use super::rows::Rows;

/// The function of each S ↦ K(S, X_b), of one half of the kernel.
#[derive(Debug)]
pub(super) struct KernelValues<'a> {
    kernel: &'a Kernel,
    rows: &'a Rows,
    half: Half,
    functional: &'a Functional,
    moments: Vec<f64>,
    /// None where only weights by size are known.
    products: Option<Products>,
    /// Of sin(ω_k t·x), for all sets; no rows without a ridge.
    harmonics: Mat<f64>,
    weighted_sines: Mat<f64>,
}

/// For each node the product of all players' factors, a column; and the ratio of 2 r x to the factor of a player, for
/// members and for others: its mean plus the sign times half the difference.
#[derive(Debug)]
struct Products {
    nodes: Vec<(f64, f64)>,
    all: Mat<f64>,
    mean: Mat<f64>,
    half: Mat<f64>,
}

impl<'a> KernelValues<'a> {
    pub(super) fn new(kernel: &'a Kernel, rows: &'a Rows, half: Half, functional: &'a Functional) -> Self {
        let products = functional.nodes(half).map(|nodes| Products::new(kernel, rows, nodes));
        let has_ridge = half == Half::Odd && kernel.hyper.ridge > 0.0;
        let (harmonics, weighted_sines) = if has_ridge {
            let sines = Harmonics::new(&kernel.hyper, &kernel.harmonics, rows.signs().as_ref()).weighted_sines();
            (of_harmonics(kernel, functional), sines)
        } else {
            (Mat::new(), Mat::new())
        };
        Self { kernel, rows, half, functional, moments: functional.moments(), products, harmonics, weighted_sines }
    }

    /// Of some of the functional's sets, which begin with the one in this place: a row for each row, and the prior
    /// variance of each.
    pub(super) fn of(&self, sets: &[[usize; 2]], first: usize) -> (Mat<f64>, Vec<f64>) {
        let (mut values, mut variances) = match &self.products {
            Some(products) => (
                products.values(self.rows, sets, self.functional.order),
                products.variances(self.kernel, sets, self.functional.order),
            ),
            None => self.by_orders(sets),
        };
        self.add_simple_terms(&mut values, &mut variances);
        if self.harmonics.nrows() > 0 {
            let harmonics = Mat::from_fn(HARMONICS, sets.len(), |k, set| self.harmonics[(k, first + set)]);
            values += times(self.weighted_sines.as_ref(), harmonics.as_ref());
            for (set, variance) in variances.iter_mut().enumerate() {
                for k in 0..HARMONICS {
                    *variance += self.kernel.hyper.ridge * self.kernel.harmonics[k] * harmonics[(k, set)].powi(2);
                }
            }
        }
        if self.functional.order == 1 && self.half == Half::Odd {
            self.add_linear(&mut values, &mut variances, sets);
        }
        (values, variances)
    }

    /// The terms that are the same for all sets: of the size, the constant of the even half, and the mean of the linear
    /// term.
    fn add_simple_terms(&self, values: &mut Mat<f64>, variances: &mut [f64]) {
        let n = self.functional.players;
        let hyper = &self.kernel.hyper;
        let of_size: Vec<f64> = (0..=n).map(|size| self.functional.of_size(size)).collect();
        let sign = if self.half == Half::Odd { -1.0 } else { 1.0 };
        let of_both = |size: usize| hyper.size * (of_size[size] + sign * of_size[n - size]);
        let mut prior = (0..=n).map(|size| of_size[size] * of_both(size)).sum::<f64>();
        // E x_k, of functions of the game itself; and what is constant, of which there are no derivatives.
        let is_mean = self.functional.order == 0;
        let mean = self.moments.get(1).copied().unwrap_or_default();
        let (slope, level) = match (is_mean, self.half) {
            (false, _) => (0.0, 0.0),
            (true, Half::Odd) => (hyper.linear * mean / n as f64, 0.0),
            (true, Half::Even) => (0.0, hyper.linear * self.moments[0]),
        };
        prior += n as f64 * slope * mean + level * self.moments[0];
        for (row, &balance) in self.rows.balance.iter().enumerate() {
            let size = ((balance + n as i32) / 2) as usize;
            let value = of_both(size) + slope * f64::from(balance) + level;
            (0..values.ncols()).for_each(|set| values[(row, set)] += value);
        }
        variances.iter_mut().for_each(|variance| *variance += prior);
    }

    fn add_linear(&self, values: &mut Mat<f64>, variances: &mut [f64], sets: &[[usize; 2]]) {
        let slope = 2.0 * self.moments[0] * self.kernel.hyper.linear / self.functional.players as f64;
        for (place, &[player, _]) in sets.iter().enumerate() {
            let column = values.col_as_slice_mut(place);
            column.iter_mut().enumerate().for_each(|(row, value)| *value += slope * self.rows.sign(row, player));
        }
        variances.iter_mut().for_each(|variance| *variance += 2.0 * self.moments[0] * slope);
    }

    /// The product term of single players, or of none, by the number of factors: (Π(1 + r x y) ∓ Π(1 − r x y)) / 2 has
    /// those of odd or of even order, and Π over T of x is the moment of |T|.
    fn by_orders(&self, sets: &[[usize; 2]]) -> (Mat<f64>, Vec<f64>) {
        let order = self.functional.order;
        let relevance = &self.kernel.hyper.relevance;
        // The set's own factor is one of them.
        let wanted = |factors: usize| (factors + order) % 2 == usize::from(self.half == Half::Odd);
        let keep = |(factors, moment): (usize, &f64)| if wanted(factors) { *moment } else { 0.0 };
        let mut moments: Vec<f64> = self.moments.iter().enumerate().map(keep).collect();
        let over = (-self.kernel.log_scale).exp();
        let ones = vec![1.0; relevance.len()];
        let expand = |factors: &[f64], moments: &[f64]| match order {
            0 => vec![of_all(&ones, factors, moments)],
            _ => without_each(&ones, factors, moments),
        };
        let mut values = Mat::<f64>::zeros(self.rows.len(), sets.len());
        for row in 0..self.rows.len() {
            let factors: Vec<f64> = relevance.iter().enumerate().map(|(k, r)| r * self.rows.sign(row, k)).collect();
            let others = expand(&factors, &moments);
            for (place, &[player, _]) in sets.iter().enumerate() {
                values[(row, place)] =
                    over * if order == 0 { others[0] } else { 2.0 * factors[player] * others[player] };
            }
        }
        moments.iter_mut().for_each(|moment| *moment *= *moment);
        let others = expand(relevance, &moments);
        let variance = |&[player, _]: &[usize; 2]| match order {
            0 => over * others[0],
            _ => over * 4.0 * relevance[player] * others[player],
        };
        (values, sets.iter().map(variance).collect())
    }
}

impl Products {
    fn new(kernel: &Kernel, rows: &Rows, nodes: Vec<(f64, f64)>) -> Self {
        let players = rows.players;
        let mut all = Mat::<f64>::zeros(rows.len(), nodes.len());
        let mut mean = Mat::<f64>::zeros(nodes.len(), players);
        let mut half = Mat::<f64>::zeros(nodes.len(), players);
        for (column, &(u, weight)) in nodes.iter().enumerate() {
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
            for (b, product) in all.col_as_slice_mut(column).iter_mut().enumerate() {
                let bytes = rows.words(b).iter().flat_map(|word| word.to_le_bytes());
                let log: f64 = logs.iter().zip(bytes).map(|(table, byte)| table[byte as usize]).sum();
                *product = weight * (log - kernel.log_scale).exp();
            }
        }
        Self { nodes, all, mean, half }
    }

    /// The product of all factors but the set's own, times the differences of these.
    fn values(&self, rows: &Rows, sets: &[[usize; 2]], order: usize) -> Mat<f64> {
        // By the signs that a part is multiplied by: none, the first player's, the second's, both.
        let part = |of: &dyn Fn(usize, usize, usize) -> f64| {
            let factors = Mat::from_fn(self.nodes.len(), sets.len(), |node, set| of(node, sets[set][0], sets[set][1]));
            times(self.all.as_ref(), factors.as_ref())
        };
        let (mean, half) = (&self.mean, &self.half);
        let mut values = part(&|node, i, j| match order {
            0 => 1.0,
            1 => mean[(node, i)],
            _ => mean[(node, i)] * mean[(node, j)],
        });
        if order == 0 {
            return values;
        }
        let of_first = part(&|node, i, j| if order == 1 { half[(node, i)] } else { half[(node, i)] * mean[(node, j)] });
        for (place, &[i, _]) in sets.iter().enumerate() {
            let column = values.col_as_slice_mut(place).iter_mut().zip(of_first.col_as_slice(place));
            column.enumerate().for_each(|(row, (value, of_first))| *value += rows.sign(row, i) * of_first);
        }
        if order == 2 {
            let of_second = part(&|node, i, j| mean[(node, i)] * half[(node, j)]);
            let of_both = part(&|node, i, j| half[(node, i)] * half[(node, j)]);
            for (place, &[i, j]) in sets.iter().enumerate() {
                let parts = of_second.col_as_slice(place).iter().zip(of_both.col_as_slice(place));
                let column = values.col_as_slice_mut(place).iter_mut().zip(parts);
                for (row, (value, (of_second, of_both))) in column.enumerate() {
                    let (x, y) = (rows.sign(row, i), rows.sign(row, j));
                    *value += y * (of_second + x * of_both);
                }
            }
        }
        values
    }

    /// The prior variance of each: the function of both arguments of the product term.
    fn variances(&self, kernel: &Kernel, sets: &[[usize; 2]], order: usize) -> Vec<f64> {
        let mut variances = vec![0.0; sets.len()];
        let mut ratios = vec![0.0; kernel.hyper.relevance.len()];
        for (place, &(u, weight_u)) in self.nodes.iter().enumerate() {
            // Symmetric in both.
            for (other, &(v, weight_v)) in self.nodes.iter().enumerate().skip(place) {
                let both = (if place == other { 1.0 } else { 2.0 }) * weight_u * weight_v;
                let mut log = -kernel.log_scale;
                for (ratio, &r) in ratios.iter_mut().zip(&kernel.hyper.relevance) {
                    log += (r * u * v).ln_1p();
                    *ratio = 4.0 * r / (1.0 + r * u * v);
                }
                let product = both * log.exp();
                for (variance, &[i, j]) in variances.iter_mut().zip(sets) {
                    *variance += match order {
                        0 => product,
                        1 => product * ratios[i],
                        _ => product * ratios[i] * ratios[j],
                    };
                }
            }
        }
        variances
    }
}

/// The functions of S ↦ sin(ω_k t·x), the imaginary part of Π (cos + i x sin): a row for each harmonic.
fn of_harmonics(kernel: &Kernel, functional: &Functional) -> Mat<f64> {
    let sets = functional.sets();
    let mut values = Mat::<f64>::zeros(HARMONICS, sets.len());
    let nodes = functional.nodes(Half::Odd);
    // The real part of a product has an even number of sines, the imaginary part an odd one; each two are −1.
    let of_order = |factors: usize, moment: f64| match (functional.order, factors % 4) {
        (1, 0) | (0, 1) => moment,
        (1, 2) | (0, 3) => -moment,
        _ => 0.0,
    };
    let moments: Vec<f64> =
        functional.moments().into_iter().enumerate().map(|(factors, moment)| of_order(factors, moment)).collect();
    for k in 0..HARMONICS {
        let (sines, cosines): (Vec<f64>, Vec<f64>) =
            kernel.hyper.direction.iter().map(|t| (frequency(k) * t).sin_cos()).unzip();
        match (&nodes, functional.order) {
            (Some(nodes), 2) => pairs_of_harmonic(nodes, &sines, &cosines, |set, value| values[(k, set)] += value),
            (_, 1) => {
                let others = without_each(&cosines, &sines, &moments);
                (0..sets.len()).for_each(|player| values[(k, player)] = 2.0 * sines[player] * others[player]);
            }
            _ => values[(k, 0)] = of_all(&cosines, &sines, &moments),
        }
    }
    values
}

/// Of pairs, −4 sin sin times the imaginary part of the product of all others, Π (cos + i u sin).
fn pairs_of_harmonic(nodes: &[(f64, f64)], sines: &[f64], cosines: &[f64], mut add: impl FnMut(usize, f64)) {
    let n = sines.len();
    let turn = |a: (f64, f64), b: (f64, f64)| (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0);
    for &(u, weight) in nodes {
        let factor = |player: usize| (cosines[player], u * sines[player]);
        let mut after = vec![(1.0, 0.0); n + 1];
        (0..n).rev().for_each(|player| after[player] = turn(after[player + 1], factor(player)));
        let (mut before, mut set) = ((1.0, 0.0), 0);
        for i in 0..n {
            let mut without = before;
            for j in i + 1..n {
                add(set, -4.0 * sines[i] * sines[j] * weight * turn(without, after[j + 1]).1);
                without = turn(without, factor(j));
                set += 1;
            }
            before = turn(before, factor(i));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::surrogate::generator;
    use crate::surrogate::kernel::Hyper;
    use crate::{Exact, Index, Semivalue, from_fn};

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

    /// Functions of a few kinds, with what the exact solver says of each.
    type Exactly = Box<dyn Fn(&dyn Fn(usize) -> f64) -> Vec<f64>>;

    fn functionals(n: usize) -> Vec<(String, Functional, Exactly)> {
        let solve = move |of: &dyn Fn(usize) -> f64| {
            let table: Vec<f64> = (0..1 << n).map(of).collect();
            let game = from_fn(n, move |s| table[s.mask().unwrap() as usize]);
            Exact::new().threads(1).summary(&game, n.min(2)).unwrap()
        };
        let mut all: Vec<(String, Functional, Exactly)> = Vec::new();
        let sizes: Vec<f64> = (0..n).map(|s| 2.0 * (s + 1) as f64 / (n * (n + 1)) as f64).collect();
        for semivalue in [
            Semivalue::shapley(),
            Semivalue::banzhaf(),
            Semivalue::beta(4.0, 1.0).unwrap(),
            Semivalue::by_size_distribution(sizes).unwrap(),
        ] {
            let functional = Functional::semivalue::<Infallible>(&semivalue, n).unwrap();
            let name = format!("{semivalue:?}");
            all.push((name, functional, Box::new(move |of| solve(of).values(&semivalue).unwrap().into_values())));
        }
        for index in
            [Index::Shapley, Index::Banzhaf, Index::ShapleyTaylor, Index::FaithfulShapley, Index::FaithfulBanzhaf]
        {
            for order in 0..=n.min(2) {
                let functional = Functional::index(index, n.min(2), order, n);
                let exactly = move |of: &dyn Fn(usize) -> f64| {
                    let all = solve(of).interactions(index).unwrap();
                    all.iter().filter(|(set, _)| set.len() == order).map(|(_, value)| *value).collect()
                };
                all.push((format!("{index:?} {order}"), functional, Box::new(exactly)));
            }
        }
        all
    }

    /// Of each function S ↦ K(S, X) the values are those of the exact solver; and the variances are those of the values
    /// of a random function with this covariance, by the exact solver once more.
    #[test]
    fn values_and_variances_are_those_of_the_exact_solver() {
        for (n, terms) in [(2, [1.0; 3]), (3, [0.0, 0.0, 2.0]), (5, [0.0; 3]), (6, [0.3, 0.7, 1.0])] {
            let masks: Vec<[u64; 1]> = (0..1_u64 << n).map(|mask| [mask]).collect();
            let rows = Rows::new(n, masks.iter().map(|mask| &mask[..]));
            for half in [Half::Odd, Half::Even] {
                let [size, linear, ridge] = terms;
                let kernel = kernel(n, n as u64, [size, linear, if half == Half::Odd { ridge } else { 0.0 }]);
                let covariance = kernel.between(&rows, &rows, half);
                for (name, functional, exactly) in functionals(n) {
                    let name = format!("{name} of {n}, {half:?}");
                    let of_kernel = KernelValues::new(&kernel, &rows, half, &functional);
                    let (values, variances) = of_kernel.of(&functional.sets(), 0);
                    let near = |got: f64, want: f64| {
                        assert!((got - want).abs() < 1e-11 * (1.0 + want.abs()), "{name}: {got} {want}");
                    };
                    for b in 0..rows.len() {
                        let want = exactly(&|mask| covariance[(mask, b)]);
                        assert_eq!(want.len(), values.ncols());
                        want.iter().enumerate().for_each(|(set, want)| near(values[(b, set)], *want));
                    }
                    // Values are linear: the variance is that function of the row's number.
                    for (set, variance) in variances.iter().enumerate() {
                        near(*variance, exactly(&|mask| values[(mask, set)])[set]);
                    }
                }
            }
        }
    }

    /// Blocks of sets are parts of the whole; weights by size and chances say the same.
    #[test]
    fn blocks_are_parts_of_the_whole() {
        let n = 9;
        let kernel = kernel(n, 3, [0.3, 0.2, 1.0]);
        let coalitions: Vec<[u64; 1]> = (1..40_u64).map(|k| [k * 13 % 511]).collect();
        let rows = Rows::new(n, coalitions.iter().map(|mask| &mask[..]));
        let functional = Functional::index(Index::ShapleyTaylor, 2, 2, n);
        let of_kernel = KernelValues::new(&kernel, &rows, Half::Odd, &functional);
        let sets = functional.sets();
        let (all, _) = of_kernel.of(&sets, 0);
        for (block, sets) in sets.chunks(7).enumerate() {
            let (some, _) = of_kernel.of(sets, 7 * block);
            for (row, set) in (0..rows.len()).flat_map(|row| (0..sets.len()).map(move |set| (row, set))) {
                assert_eq!(some[(row, set)].to_bits(), all[(row, 7 * block + set)].to_bits());
            }
        }
    }
}
