//! The covariance of a game between coalitions: its hyper-parameters, and what follows from them.

use super::constants::HARMONICS;
use super::rows::Rows;

/// The hyper-parameters in their own units.
#[derive(Clone, Debug)]
pub(super) struct Hyper {
    /// The relevance of each player, between 0 and 1.
    pub(super) relevance: Vec<f64>,
    /// The direction of the ridge term.
    pub(super) direction: Vec<f64>,
    /// Noise, and the variances of the terms: of size, linear, of the ridge.
    pub(super) noise: f64,
    pub(super) size: f64,
    pub(super) linear: f64,
    pub(super) ridge: f64,
    /// How fast the harmonics of the ridge term fall.
    pub(super) decay: f64,
}

/// What follows from the hyper-parameters.
#[derive(Clone, Debug)]
pub(super) struct Kernel {
    pub(super) hyper: Hyper,
    /// The variances of the harmonics, which sum to one.
    pub(super) harmonics: [f64; HARMONICS],
    /// ln D, where 2D = Π(1 + r) − Π(1 − r).
    pub(super) log_scale: f64,
    /// Π(1 + r) / D and Π(1 − r) / D.
    pub(super) up: f64,
    pub(super) down: f64,
    /// By eight players, for the set of those in which two coalitions differ: Π(1 + r x y) and Π(1 − r x y) over them,
    /// over their share of D.
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

    /// Of one row with each of others from `start` on: A − B and A + B, where A = Π(1 + r x y) / D and B = Π(1 − r x y)
    /// / D.
    pub(super) fn products(&self, row: &[u64], others: &Rows, start: usize, less: &mut [f64], plus: &mut [f64]) {
        self.for_each_product(row, others, start, |place, [a, b]| {
            less[place] = a - b;
            plus[place] = a + b;
        });
    }

    /// Adds multiples of A − B and A + B of one row with each of others.
    pub(super) fn add_products(&self, row: &[u64], others: &Rows, times: [f64; 2], less: &mut [f64], plus: &mut [f64]) {
        self.for_each_product(row, others, 0, |place, [a, b]| {
            less[place] += times[0] * (a - b);
            plus[place] += times[1] * (a + b);
        });
    }

    #[inline(always)]
    fn for_each_product(&self, row: &[u64], others: &Rows, start: usize, mut put: impl FnMut(usize, [f64; 2])) {
        let words = others.words_from(start);
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
                for (place, words) in words.chunks_exact(others.words_per_row()).enumerate() {
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
}

#[inline]
fn both(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] * b[0], a[1] * b[1]]
}
