//! The covariance of the odd part of a game: its hyper-parameters, and matrices of it.

use faer::Mat;

use super::features::{Features, Fixed, HARMONICS};
use super::linear::times;

/// The largest relevance of a player; one would make the kernel singular.
pub(super) const LARGEST_RELEVANCE: f64 = 0.98;

/// What every diagonal has more, for the sake of the arithmetic, in units of the mean square of the values.
pub(super) const JITTER: f64 = 1e-10;

/// Coalitions as rows of ±1.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub(super) players: usize,
    /// 64 players a word, `words_per_row` words a row.
    words: Vec<u64>,
    words_per_row: usize,
    /// Members less others, for each row.
    pub(super) balance: Vec<i32>,
}

impl Rows {
    pub(super) fn new<'a>(players: usize, rows: impl IntoIterator<Item = &'a [u64]>) -> Self {
        let words_per_row = players.div_ceil(64);
        let mut words = Vec::new();
        let mut balance = Vec::new();
        for row in rows {
            words.extend_from_slice(row);
            let members: u32 = row.iter().map(|word| word.count_ones()).sum();
            balance.push(2 * members as i32 - players as i32);
        }
        Self { players, words, words_per_row, balance }
    }

    pub(super) fn len(&self) -> usize {
        self.balance.len()
    }

    pub(super) fn words(&self, row: usize) -> &[u64] {
        &self.words[row * self.words_per_row..][..self.words_per_row]
    }

    pub(super) fn select(&self, rows: &[usize]) -> Self {
        Self::new(self.players, rows.iter().map(|&row| self.words(row)))
    }

    /// 1 for a member, −1 for another.
    pub(super) fn sign(&self, row: usize, player: usize) -> f64 {
        if self.words[row * self.words_per_row + player / 64] >> (player % 64) & 1 == 1 { 1.0 } else { -1.0 }
    }
}

/// The hyper-parameters in their own units.
#[derive(Clone, Debug)]
pub(super) struct Hyper {
    /// The relevance of each player, between 0 and 1.
    pub(super) relevance: Vec<f64>,
    /// How the variance grows with |members − others|: as a hyperbolic cosine of this times their sum.
    pub(super) growth: f64,
    /// The direction of the index term.
    pub(super) direction: Vec<f64>,
    /// Noise, and the variances of the terms: of size, linear, of the index.
    pub(super) noise: f64,
    pub(super) size: f64,
    pub(super) linear: f64,
    pub(super) index: f64,
    /// How fast the harmonics of the index term fall.
    pub(super) decay: f64,
}

/// What follows from the hyper-parameters.
#[derive(Clone, Debug)]
pub(super) struct Kernel {
    pub(super) hyper: Hyper,
    /// The variances of the harmonics, which sum to one; their frequencies.
    pub(super) harmonics: [f64; HARMONICS],
    /// ln D, where 2D = Π(1 + r) − Π(1 − r).
    pub(super) log_scale: f64,
    /// Π(1 + r) / D and Π(1 − r) / D.
    pub(super) up: f64,
    pub(super) down: f64,
    /// By eight players, for the set of those in which two coalitions differ: Π(1 + r x y) and Π(1 − r x y) over them, over their
    /// share of D.
    tables: Vec<[[f64; 2]; 256]>,
}

impl Kernel {
    pub(super) fn new(hyper: Hyper) -> Self {
        let mut harmonics = [0.0; HARMONICS];
        for (k, weight) in harmonics.iter_mut().enumerate() {
            *weight = (k as f64 + 0.5).powf(-2.0 * hyper.decay);
        }
        let sum: f64 = harmonics.iter().sum();
        harmonics.iter_mut().for_each(|weight| *weight /= sum);
        let log_up: f64 = hyper.relevance.iter().map(|r| r.ln_1p()).sum();
        let log_down: f64 = hyper.relevance.iter().map(|r| (-r).ln_1p()).sum();
        let log_scale = log_up + (-(log_down - log_up).exp_m1() / 2.0).ln();
        // Every player bears a share of D, so that no product of some of them is out of range.
        let share = ((log_up - log_scale) / hyper.relevance.len() as f64).exp();
        let tables = hyper.relevance.chunks(8).map(|players| {
            let mut table = [[1.0; 2]; 256];
            for (set, products) in table.iter_mut().enumerate() {
                for (place, r) in players.iter().enumerate() {
                    let (more, less) = (share, share * (1.0 - r) / (1.0 + r));
                    let factors = if set >> place & 1 == 0 { [more, less] } else { [less, more] };
                    products.iter_mut().zip(factors).for_each(|(product, factor)| *product *= factor);
                }
            }
            table
        });
        let tables = tables.collect();
        let (up, down) = ((log_up - log_scale).exp(), (log_down - log_scale).exp());
        Self { hyper, harmonics, log_scale, up, down, tables }
    }

    /// Of one row with each of others from `start` on: A − B and A + B, where A = Π(1 + r x y) / D and B = Π(1 − r x y) / D.
    fn products(&self, row: &[u64], others: &Rows, start: usize, less: &mut [f64], plus: &mut [f64]) {
        let words = &others.words[start * others.words_per_row..];
        let mut put = |place: usize, [a, b]: [f64; 2]| {
            less[place] = a - b;
            plus[place] = a + b;
        };
        // The many games of few players are worth a loop of their own.
        match (row, self.tables.as_slice()) {
            ([row], [table]) => {
                words.iter().enumerate().for_each(|(place, word)| put(place, table[((row ^ word) & 255) as usize]));
            }
            ([row], [low, high]) => {
                for (place, word) in words.iter().enumerate() {
                    let differ = row ^ word;
                    put(place, both(low[(differ & 255) as usize], high[(differ >> 8 & 255) as usize]));
                }
            }
            _ => {
                for (place, words) in words.chunks_exact(others.words_per_row).enumerate() {
                    let mut product = [1.0; 2];
                    let mut tables = self.tables.iter();
                    for (a, b) in row.iter().zip(words) {
                        let differ = (a ^ b).to_le_bytes();
                        // Bytes first: the other order would lose a table with each word.
                        for (byte, table) in differ.into_iter().zip(tables.by_ref()) {
                            product = both(product, table[byte as usize]);
                        }
                    }
                    put(place, product);
                }
            }
        }
    }

    pub(super) fn features(&self, rows: &Rows, fixed: &Fixed) -> Features {
        Features::new(&self.hyper, &self.harmonics, rows, fixed)
    }

    /// The covariances of each row of one with each of the other, without noise.
    pub(super) fn between(&self, a: &Rows, b: &Rows) -> Mat<f64> {
        let features = |rows: &Rows| self.features(rows, &Fixed::new(rows));
        let mut covariance = features(a).covariance(&features(b));
        let (of_a, of_b) = (self.extremes(a), self.extremes(b));
        let mut parts = [vec![0.0; a.len()], vec![0.0; a.len()]];
        for j in 0..b.len() {
            let [less, plus] = &mut parts;
            self.products(b.words(j), a, 0, less, plus);
            add_products(covariance.col_as_slice_mut(j), (&of_a, 0), (&of_b, j), less, plus);
        }
        covariance
    }

    /// The covariance of all rows with each other, without noise: the lower triangle.
    pub(super) fn within(&self, rows: &Rows, features: &Features, products: &mut Products) -> Mat<f64> {
        let mut covariance = features.covariance(features);
        let of_rows = self.extremes(rows);
        products.prepare(rows.len());
        for j in 0..rows.len() {
            let column = &mut covariance.col_as_slice_mut(j)[j..];
            let (less, plus) = products.column(j);
            self.products(rows.words(j), rows, j, less, plus);
            add_products(column, (&of_rows, j), (&of_rows, j), less, plus);
        }
        covariance
    }

    /// What the growth makes of each row.
    fn extremes(&self, rows: &Rows) -> Extremes {
        let at = |balance: &i32| self.hyper.growth * f64::from(*balance);
        let balances = || rows.balance.iter();
        Extremes { cosh: balances().map(|q| at(q).cosh()).collect(), sinh: balances().map(|q| at(q).sinh()).collect() }
    }

    /// What the gradient is made of: for the weights `w` of a symmetric matrix, the sums Σ w ∂K over all pairs of rows.
    /// `products` are those that [`within`](Self::within) found.
    pub(super) fn gradient(
        &self,
        rows: &Rows,
        (fixed, features): (&Fixed, &Features),
        products: &mut Products,
        weights: &Mat<f64>,
        noisy: &[f64],
    ) -> Gradient {
        let (players, len) = (rows.players, rows.len());
        let of_rows = self.extremes(rows);
        let balance: Vec<f64> = rows.balance.iter().map(|&q| f64::from(q)).collect();
        let mut mixed = Mat::<f64>::zeros(len, len);
        // Sums by row, so that the loop has no sum to wait for.
        let mut sums = vec![[0.0; 2]; len];
        for j in 0..len {
            let (less, plus) = products.column(j);
            let (cosh_j, sinh_j, q_j) = (of_rows.cosh[j], of_rows.sinh[j], balance[j]);
            let column = &mut mixed.col_as_slice_mut(j)[j..];
            let weights = &weights.col_as_slice(j)[j..];
            let rest = of_rows.cosh[j..].iter().zip(&of_rows.sinh[j..]).zip(&balance[j..]);
            let entries = column.iter_mut().zip(weights).zip(&mut sums[j..]);
            // The lower triangle stands for both.
            let mut times = 1.0;
            for (((entry, weight), sums), (((c, s), q), (less, plus))) in
                entries.zip(rest.zip(less.iter().zip(plus.iter())))
            {
                let weight = times * weight;
                times = 2.0;
                let (cosh, sinh) = (c * cosh_j, s * sinh_j);
                *entry = weight * (cosh * plus + sinh * less);
                sums[0] += weight * (cosh * less + sinh * plus);
                let (sc, cs) = (s * cosh_j, c * sinh_j);
                sums[1] += weight * ((q * sc + q_j * cs) * less + (q * cs + q_j * sc) * plus);
            }
        }
        let [product, growth] = sums.iter().fold([0.0; 2], |[a, b], sums| [a + sums[0], b + sums[1]]);
        let signs = fixed.signs(players);
        let moved = times(mixed.as_ref(), signs);
        let (forms, by_angle) = features.gradient(weights.as_ref());
        let (of_index, rest) = forms.split_at(if self.hyper.index > 0.0 { HARMONICS } else { 0 });
        let (linear, size) = rest.split_at(players);
        let relevance = (0..players).map(|player| {
            let r = self.hyper.relevance[player];
            let signs: f64 = (0..len).map(|row| signs[(row, player)] * moved[(row, player)]).sum();
            let scale = r + (self.up * (1.0 - r) + self.down * (1.0 + r)) / 2.0;
            (signs - product * scale) / (2.0 * (1.0 - r * r))
        });
        let noise = (0..len).map(|row| weights[(row, row)] * noisy[row]).sum();
        let direction = (0..players).map(|player| {
            let sum: f64 = by_angle.iter().enumerate().map(|(row, by)| signs[(row, player)] * by).sum();
            2.0 * sum
        });
        let log = |k: usize| -2.0 * (k as f64 + 0.5).ln();
        let mean_log: f64 = (0..HARMONICS).map(|k| self.harmonics[k] * log(k)).sum();
        let share = |k: usize| self.harmonics[k] * of_index[k];
        Gradient {
            relevance: relevance.collect(),
            growth: growth / 2.0,
            direction: direction.collect(),
            noise,
            size: size.iter().sum(),
            linear: linear.iter().sum::<f64>() / players as f64,
            index: (0..of_index.len()).map(share).sum(),
            decay: (0..of_index.len()).map(|k| self.hyper.index * share(k) * (log(k) - mean_log)).sum(),
        }
    }
}

/// Products of a kernel's factors for pairs of rows, the lower triangle: A − B and A + B.
#[derive(Debug, Default)]
pub(super) struct Products {
    len: usize,
    both: Vec<f64>,
}

impl Products {
    fn prepare(&mut self, len: usize) {
        self.len = len;
        self.both.resize(2 * len * len, 0.0);
    }

    /// Those of the rows from j on with row j.
    fn column(&mut self, j: usize) -> (&mut [f64], &mut [f64]) {
        let len = self.len;
        let (less, plus) = self.both[2 * j * len..][..2 * len].split_at_mut(len);
        (&mut less[j..], &mut plus[j..])
    }
}

/// cosh(c(p + q)) A − cosh(c(p − q)) B = cosh(cp) cosh(cq) (A − B) + sinh(cp) sinh(cq) (A + B), halved: of rows from a start on, and
/// one other.
fn add_products(
    column: &mut [f64],
    (of_a, start): (&Extremes, usize),
    (of_b, j): (&Extremes, usize),
    less: &[f64],
    plus: &[f64],
) {
    let (cosh, sinh) = (of_b.cosh[j] / 2.0, of_b.sinh[j] / 2.0);
    let of_a = of_a.cosh[start..].iter().zip(&of_a.sinh[start..]);
    for (((entry, (c, s)), less), plus) in column.iter_mut().zip(of_a).zip(less).zip(plus) {
        *entry += cosh * c * less + sinh * s * plus;
    }
}

/// cosh and sinh of the growth times members less others, for each row.
struct Extremes {
    cosh: Vec<f64>,
    sinh: Vec<f64>,
}

#[inline]
fn both(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] * b[0], a[1] * b[1]]
}

/// Derivatives by the hyper-parameters.
#[derive(Clone, Debug)]
pub(super) struct Gradient {
    pub(super) relevance: Vec<f64>,
    pub(super) growth: f64,
    pub(super) direction: Vec<f64>,
    pub(super) noise: f64,
    pub(super) size: f64,
    pub(super) linear: f64,
    pub(super) index: f64,
    pub(super) decay: f64,
}
