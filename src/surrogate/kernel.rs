//! The covariance of the odd part of a game: its hyper-parameters, and matrices of it.

use faer::Mat;

use super::linear::times;

/// The frequencies of the index term: w_k = (k + ½) π.
pub(super) const HARMONICS: usize = 24;

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

    pub(super) fn signs(&self) -> Mat<f64> {
        Mat::from_fn(self.len(), self.players, |row, player| self.sign(row, player))
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

pub(super) fn frequency(k: usize) -> f64 {
    (k as f64 + 0.5) * std::f64::consts::PI
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

    /// sin(w_k t·x), a row for each coalition.
    pub(super) fn waves(&self, rows: &Rows) -> (Mat<f64>, Mat<f64>) {
        let angle = |row: usize| -> f64 {
            self.hyper.direction.iter().enumerate().map(|(player, t)| t * rows.sign(row, player)).sum()
        };
        let angles: Vec<f64> = (0..rows.len()).map(angle).collect();
        let mut sines = Mat::zeros(rows.len(), HARMONICS);
        let mut cosines = Mat::zeros(rows.len(), HARMONICS);
        for (row, angle) in angles.iter().enumerate() {
            // The frequencies are odd multiples of half of pi: each step turns by the whole of it.
            let (turn_sin, turn_cos) = (std::f64::consts::PI * angle).sin_cos();
            let (mut sin, mut cos) = (std::f64::consts::FRAC_PI_2 * angle).sin_cos();
            for k in 0..HARMONICS {
                sines[(row, k)] = sin;
                cosines[(row, k)] = cos;
                (sin, cos) = (sin * turn_cos + cos * turn_sin, cos * turn_cos - sin * turn_sin);
            }
        }
        (sines, cosines)
    }

    fn has_index(&self) -> bool {
        self.hyper.index > 0.0
    }

    /// sI Σ a_k sin(w_k t·x) sin(w_k t·y), or zeros.
    fn index_part(&self, a: &Rows, b: &Rows) -> Mat<f64> {
        if !self.has_index() {
            return Mat::zeros(a.len(), b.len());
        }
        let (mut left, _) = self.waves(a);
        for k in 0..HARMONICS {
            let weight = self.hyper.index * self.harmonics[k];
            left.col_as_slice_mut(k).iter_mut().for_each(|x| *x *= weight);
        }
        let (right, _) = self.waves(b);
        times(left.as_ref(), right.transpose())
    }

    /// The covariances of each row of one with each of the other, without noise.
    pub(super) fn between(&self, a: &Rows, b: &Rows) -> Mat<f64> {
        let mut covariance = self.index_part(a, b);
        let (of_a, of_b) = (self.extremes(a), self.extremes(b));
        let mut parts = [vec![0.0; a.len()], vec![0.0; a.len()]];
        for j in 0..b.len() {
            self.add_column(covariance.col_as_slice_mut(j), (a, &of_a, 0), (b, &of_b, j), &mut parts);
        }
        covariance
    }

    /// The covariance of all rows with each other, without noise: the lower triangle.
    pub(super) fn within(&self, rows: &Rows) -> Mat<f64> {
        let mut covariance = self.index_part(rows, rows);
        let of_rows = self.extremes(rows);
        let mut parts = [vec![0.0; rows.len()], vec![0.0; rows.len()]];
        for j in 0..rows.len() {
            let column = &mut covariance.col_as_slice_mut(j)[j..];
            self.add_column(column, (rows, &of_rows, j), (rows, &of_rows, j), &mut parts);
        }
        covariance
    }

    /// Adds all but the index term, for the rows of `a` from a start on, and one of `b`.
    ///
    /// cosh(c(p + q)) A − cosh(c(p − q)) B = cosh(cp) cosh(cq) (A − B) + sinh(cp) sinh(cq) (A + B).
    fn add_column(
        &self,
        column: &mut [f64],
        (a, of_a, start): (&Rows, &Extremes, usize),
        (b, of_b, j): (&Rows, &Extremes, usize),
        [less, plus]: &mut [Vec<f64>; 2],
    ) {
        self.products(b.words(j), a, start, less, plus);
        let (cosh, sinh) = (of_b.cosh[j] / 2.0, of_b.sinh[j] / 2.0);
        let of_a = of_a.cosh[start..].iter().zip(&of_a.sinh[start..]);
        for (((entry, (c, s)), less), plus) in column.iter_mut().zip(of_a).zip(less.iter()).zip(plus.iter()) {
            *entry += cosh * c * less + sinh * s * plus;
        }
        let (size, linear) = (self.hyper.size, self.hyper.linear / a.players as f64);
        for (entry, (equal, inner)) in column.iter_mut().zip(alike(a, start, b, j)) {
            *entry += size * equal + linear * inner;
        }
    }

    /// What the growth makes of each row.
    fn extremes(&self, rows: &Rows) -> Extremes {
        let at = |balance: &i32| self.hyper.growth * f64::from(*balance);
        let balances = || rows.balance.iter();
        Extremes { cosh: balances().map(|q| at(q).cosh()).collect(), sinh: balances().map(|q| at(q).sinh()).collect() }
    }

    /// What the gradient is made of: for the weights `w` of a symmetric matrix, the sums Σ w ∂K over all pairs of rows.
    pub(super) fn gradient(&self, rows: &Rows, weights: &Mat<f64>, noisy: &[f64], signs: &Mat<f64>) -> Gradient {
        let (players, len) = (rows.players, rows.len());
        let of_rows = self.extremes(rows);
        let balance: Vec<f64> = rows.balance.iter().map(|&q| f64::from(q)).collect();
        let mut mixed = Mat::<f64>::zeros(len, len);
        // Sums by row, so that the loop has no sum to wait for.
        let mut sums = vec![[0.0; 4]; len];
        let mut parts = [vec![0.0; len], vec![0.0; len]];
        for j in 0..len {
            let [less, plus] = &mut parts;
            self.products(rows.words(j), rows, j, less, plus);
            let (cosh_j, sinh_j, q_j) = (of_rows.cosh[j], of_rows.sinh[j], balance[j]);
            let column = &mut mixed.col_as_slice_mut(j)[j..];
            let weights = &weights.col_as_slice(j)[j..];
            let rest = of_rows.cosh[j..].iter().zip(&of_rows.sinh[j..]).zip(&balance[j..]);
            let parts = less.iter().zip(plus.iter()).zip(alike(rows, j, rows, j));
            let entries = column.iter_mut().zip(weights).zip(&mut sums[j..]);
            // The lower triangle stands for both.
            let mut times = 1.0;
            for (((entry, weight), sums), (((c, s), q), ((less, plus), (equal, inner)))) in entries.zip(rest.zip(parts))
            {
                let weight = times * weight;
                times = 2.0;
                let (cosh, sinh) = (c * cosh_j, s * sinh_j);
                *entry = weight * (cosh * plus + sinh * less);
                sums[0] += weight * (cosh * less + sinh * plus);
                let (sc, cs) = (s * cosh_j, c * sinh_j);
                sums[1] += weight * ((q * sc + q_j * cs) * less + (q * cs + q_j * sc) * plus);
                sums[2] += weight * equal;
                sums[3] += weight * inner;
            }
        }
        let [product, growth, size, linear] = sums.iter().fold([0.0; 4], |mut total, sums| {
            total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
            total
        });
        let moved = times(mixed.as_ref(), signs.as_ref());
        let relevance = (0..players).map(|player| {
            let r = self.hyper.relevance[player];
            let quadratic = super::linear::dot(signs.col_as_slice(player), moved.col_as_slice(player));
            let scale = r + (self.up * (1.0 - r) + self.down * (1.0 + r)) / 2.0;
            (quadratic - product * scale) / (2.0 * (1.0 - r * r))
        });
        let noise = (0..len).map(|row| weights[(row, row)] * noisy[row]).sum();
        let mut gradient = Gradient {
            relevance: relevance.collect(),
            growth: growth / 2.0,
            direction: vec![0.0; players],
            noise,
            size,
            linear: linear / players as f64,
            index: 0.0,
            decay: 0.0,
        };
        if self.has_index() {
            self.index_gradient(rows, weights, signs, &mut gradient);
        }
        gradient
    }

    fn index_gradient(&self, rows: &Rows, weights: &Mat<f64>, signs: &Mat<f64>, gradient: &mut Gradient) {
        let (sines, cosines) = self.waves(rows);
        let moved = times(weights.as_ref(), sines.as_ref());
        let log = |k: usize| -2.0 * (k as f64 + 0.5).ln();
        let mean_log: f64 = (0..HARMONICS).map(|k| self.harmonics[k] * log(k)).sum();
        let mut by_row = vec![0.0; rows.len()];
        for k in 0..HARMONICS {
            let (moved, share) = (moved.col_as_slice(k), self.harmonics[k]);
            let quadratic = super::linear::dot(sines.col_as_slice(k), moved);
            gradient.index += share * quadratic;
            gradient.decay += self.hyper.index * share * (log(k) - mean_log) * quadratic;
            let factor = 2.0 * self.hyper.index * share * frequency(k);
            let cosines = cosines.col_as_slice(k);
            by_row.iter_mut().zip(cosines).zip(moved).for_each(|((sum, cos), moved)| *sum += factor * cos * moved);
        }
        for (player, direction) in gradient.direction.iter_mut().enumerate() {
            *direction = super::linear::dot(signs.col_as_slice(player), &by_row);
        }
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

/// Of the rows of `a` from a start on with one of `b`: [|S| = |T|] − [|S| = n − |T|], and x·y.
fn alike(a: &Rows, start: usize, b: &Rows, j: usize) -> impl Iterator<Item = (f64, f64)> {
    let (row, q, players) = (b.words(j), b.balance[j], a.players as f64);
    let words = a.words[start * a.words_per_row..].chunks_exact(a.words_per_row);
    words.zip(&a.balance[start..]).map(move |(words, &p)| {
        let differ: u32 = words.iter().zip(row).map(|(a, b)| (a ^ b).count_ones()).sum();
        let equal = f64::from(u8::from(p == q)) - f64::from(u8::from(p == -q));
        (equal, players - 2.0 * f64::from(differ))
    })
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
