//! Pairs that lie far apart: each the one that those before it say least of.

use std::collections::HashSet;

use super::quota::Quota;
use super::random::Random;

/// So many pairs are spread; the gain beyond is small, and the time grows with the cube.
const MOST_SPREAD: usize = 500;

/// Candidates for each pair that is to be chosen: more while there are few pairs, when they gain most and cost least; and the
/// fewest of each size.
fn candidates(pairs: usize) -> u64 {
    (2500 / pairs as u64).clamp(4, 32)
}
const FEWEST_CANDIDATES: u64 = 32;

/// Variances that differ by less than this part of the largest there is are equal.
const TIE: f32 = 1e-4;

/// Chosen pairs, each as the words of one of its coalitions: the smaller, or of two of the same size the one with player 0.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    players: usize,
    pub(super) chosen: Vec<Vec<u64>>,
    seen: HashSet<Vec<u64>>,
    random: Random,
}

/// Coalitions of one size that may be chosen.
struct Pool {
    rows: Vec<Vec<u64>>,
    /// The size of each, and whether it was taken.
    sizes: Vec<usize>,
    taken: Vec<bool>,
}

impl Spread {
    /// From pairs that are chosen already, or from none.
    pub(super) fn new(players: usize, chosen: Vec<Vec<u64>>, random: Random) -> Self {
        let seen = chosen.iter().cloned().collect();
        Self { players, chosen, seen, random }
    }

    /// The numbers of chosen pairs by size.
    pub(super) fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.players / 2];
        for row in &self.chosen {
            counts[size(row) - 1] += 1;
        }
        counts
    }

    /// Chooses so many more of each size: all that are left of the sizes that are to be full, and of the others one by
    /// one, their sizes in random order. Blind to values, and no player is different from another, so that all pairs of a size
    /// have the same chance.
    pub(super) fn choose(&mut self, more: &[u64], quota: &Quota) {
        let full = |size: usize| quota.is_full(size);
        let mut order = Vec::new();
        for (place, &count) in more.iter().enumerate() {
            if full(place + 1) {
                self.take_all(place + 1);
            } else {
                order.extend(std::iter::repeat_n(place + 1, count as usize));
            }
        }
        self.random.shuffle(&mut order);
        let spread = MOST_SPREAD.saturating_sub(self.chosen.len()).min(order.len());
        let (first, rest) = order.split_at(spread);
        if !first.is_empty() {
            let pool = self.pool(first, quota);
            self.spread(first, pool);
        }
        for &size in rest {
            self.take_any(size);
        }
    }

    fn take(&mut self, row: Vec<u64>) {
        self.seen.insert(row.clone());
        self.chosen.push(row);
    }

    fn take_all(&mut self, size: usize) {
        let players = self.players;
        for_each_subset(players, size, |row| {
            let stands_for_pair = 2 * size != players || row[0] & 1 == 1;
            if stands_for_pair && !self.seen.contains(row) {
                self.take(row.to_vec());
            }
        });
    }

    /// A pair of this size that was not seen.
    fn unseen(&mut self, size: usize, also: &HashSet<Vec<u64>>) -> Vec<u64> {
        let mut row = Vec::new();
        loop {
            self.random.coalition(self.players, size, &mut row);
            if 2 * size == self.players && row[0] & 1 == 0 {
                complement(&mut row, self.players);
            }
            if !self.seen.contains(&row) && !also.contains(&row) {
                return row;
            }
        }
    }

    fn take_any(&mut self, size: usize) {
        let row = self.unseen(size, &HashSet::new());
        self.take(row);
    }

    fn pool(&mut self, wanted: &[usize], quota: &Quota) -> Pool {
        let mut counts = vec![0_u64; self.players / 2 + 1];
        wanted.iter().for_each(|&size| counts[size] += 1);
        let have = self.counts();
        let mut pool = Pool { rows: Vec::new(), sizes: Vec::new(), taken: Vec::new() };
        for size in 1..counts.len() {
            if counts[size] == 0 {
                continue;
            }
            let candidates = (candidates(wanted.len()) * counts[size]).max(FEWEST_CANDIDATES);
            let left = quota.population[size - 1] - have[size - 1] as f64;
            let mut rows = Vec::new();
            // Drawing the last of many again and again would take long: all of them, then.
            if left <= 2.0 * candidates as f64 {
                let players = self.players;
                for_each_subset(players, size, |row| {
                    if (2 * size != players || row[0] & 1 == 1) && !self.seen.contains(row) {
                        rows.push(row.to_vec());
                    }
                });
                self.random.shuffle(&mut rows);
                rows.truncate(candidates as usize);
            } else {
                let mut also = HashSet::new();
                while rows.len() < candidates as usize {
                    let row = self.unseen(size, &also);
                    also.insert(row.clone());
                    rows.push(row);
                }
            }
            pool.sizes.extend(std::iter::repeat_n(size, rows.len()));
            pool.rows.extend(rows);
        }
        pool.taken = vec![false; pool.rows.len()];
        pool
    }

    /// Takes for each size in turn the candidate of the largest variance given all that was taken before.
    fn spread(&mut self, order: &[usize], mut pool: Pool) {
        let kernel = Kernel::new(self.players);
        let mut variance = vec![kernel.at(0) * 1.001; pool.rows.len()];
        // A column for each row taken: the factor's entries for the candidates. Single precision is enough to choose by.
        let mut columns: Vec<Vec<f32>> = Vec::new();
        let condition = |columns: &mut Vec<Vec<f32>>, variance: &mut [f32], row: &[u64], entries: &[f32], left: f32| {
            let mut column: Vec<f32> = pool.rows.iter().map(|other| kernel.at(distance(row, other))).collect();
            for (earlier, &entry) in columns.iter().zip(entries) {
                column.iter_mut().zip(earlier).for_each(|(c, e)| *c -= entry * e);
            }
            let scale = left.max(1e-6 * kernel.at(0)).sqrt().recip();
            for (c, v) in column.iter_mut().zip(variance) {
                *c *= scale;
                *v -= *c * *c;
            }
            columns.push(column);
        };
        // What was taken before has no candidate's place: its entries are solved for.
        let mut before: Vec<Vec<u64>> = Vec::with_capacity(self.chosen.len() + 1);
        let mut grand = vec![u64::MAX; self.players.div_ceil(64)];
        if let (Some(last), used @ 1..) = (grand.last_mut(), self.players % 64) {
            *last = (1 << used) - 1;
        }
        before.push(grand);
        before.extend(self.chosen.iter().cloned());
        let mut factor: Vec<Vec<f32>> = Vec::new();
        for row in &before {
            let mut entries: Vec<f32> = Vec::with_capacity(factor.len());
            for (other, theirs) in before.iter().zip(&factor) {
                let known: f32 = entries.iter().zip(theirs).map(|(a, b)| a * b).sum();
                entries.push((kernel.at(distance(row, other)) - known) / theirs[entries.len()]);
            }
            let left = kernel.at(0) * 1.001 - entries.iter().map(|e| e * e).sum::<f32>();
            condition(&mut columns, &mut variance, row, &entries, left);
            entries.push(left.max(1e-6 * kernel.at(0)).sqrt());
            factor.push(entries);
        }
        for &size in order {
            let free = |&place: &usize| !pool.taken[place] && pool.sizes[place] == size;
            let most = (0..pool.rows.len()).filter(free).map(|place| variance[place]).fold(f32::NEG_INFINITY, f32::max);
            // Those that differ by rounding are equal, and the first of the shuffled pool is taken: rounding depends on the
            // players' numbers, and pairs would not have the same chance.
            let equal = most - TIE * kernel.at(0);
            let Some(best) = (0..pool.rows.len()).find(|place| free(place) && variance[*place] >= equal) else {
                continue;
            };
            pool.taken[best] = true;
            let entries: Vec<f32> = columns.iter().map(|column| column[best]).collect();
            let left = variance[best];
            condition(&mut columns, &mut variance, &pool.rows[best], &entries, left);
            self.take(pool.rows[best].clone());
        }
    }
}

/// The odd kernel Π(1 + r x y) − Π(1 − r x y) with one relevance r for all, by the number of places that differ, as a part of
/// (1 + r)ⁿ.
struct Kernel(Vec<f32>);

impl Kernel {
    fn new(players: usize) -> Self {
        let n = players as f64;
        let r = 0.25_f64.min(3.5 / n);
        let (up, down) = (r.ln_1p(), (-r).ln_1p());
        let half = |differ: f64| (differ * (down - up)).exp();
        let at = |differ: usize| (half(differ as f64) - half(n - differ as f64)) as f32;
        Self((0..=players).map(at).collect())
    }

    fn at(&self, differ: usize) -> f32 {
        self.0[differ]
    }
}

fn size(row: &[u64]) -> usize {
    row.iter().map(|word| word.count_ones() as usize).sum()
}

fn distance(a: &[u64], b: &[u64]) -> usize {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones() as usize).sum()
}

fn complement(row: &mut [u64], players: usize) {
    row.iter_mut().for_each(|word| *word = !*word);
    if let (Some(last), used @ 1..) = (row.last_mut(), players % 64) {
        *last &= (1 << used) - 1;
    }
}

/// All sets of `size` players, in lexicographic order of their members.
fn for_each_subset(players: usize, size: usize, mut visit: impl FnMut(&Vec<u64>)) {
    let mut members: Vec<usize> = (0..size).collect();
    let mut row = vec![0_u64; players.div_ceil(64)];
    loop {
        row.fill(0);
        members.iter().for_each(|&player| row[player / 64] |= 1 << (player % 64));
        visit(&row);
        // The last member that can move up, and those after it as low as they can be.
        let Some(place) = (0..size).rev().find(|&place| members[place] + size < players + place) else { return };
        members[place] += 1;
        for after in place + 1..size {
            members[after] = members[after - 1] + 1;
        }
    }
}
