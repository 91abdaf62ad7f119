//! Pairs that lie far apart: each the one that those before it say least of.

use std::cmp::Ordering;
use std::collections::HashSet;

use faer::traits::pulp::{Arch, Simd, WithSimd};

use super::constants::{FEWEST_CANDIDATES, FIRST_BLOCK, MOST_SPREAD, NEXT_BLOCK, TIED_VARIANCES};
use super::devices::{Device, is_on};
use super::quota::Quota;
use crate::Coalition;
use crate::engine::Random;

/// Candidates for each pair that is to be chosen: more while there are few pairs, when they gain most and cost least;
/// and the fewest of each size.
fn candidates(pairs: usize) -> u64 {
    (2500 / pairs as u64).clamp(4, 32)
}
/// The number of rows that candidates are told of at once.
const CATCH_UP: usize = 8;

/// Chosen pairs, each as the words of one of its coalitions: the smaller, or of two of the same size the one with
/// player 0.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    players: usize,
    pub(super) chosen: Vec<Coalition>,
    seen: HashSet<Coalition>,
    pub(super) random: Random,
}

/// Coalitions of one size that may be chosen.
struct Pool {
    size: usize,
    rows: Vec<Coalition>,
    taken: Vec<bool>,
    /// Of each, given the first of the rows that were taken; and what these say of it, one after the other.
    variance: Vec<f32>,
    known: Vec<Vec<f32>>,
}

/// A row that was taken: what those before say of it, as entries of a Cholesky factor, and one over the entry on the
/// diagonal.
struct Taken {
    row: Coalition,
    entries: Vec<f32>,
    over: f32,
}

impl Spread {
    /// From pairs that are chosen already, or from none.
    pub(super) fn new(players: usize, chosen: Vec<Coalition>, random: Random) -> Self {
        let seen = chosen.iter().cloned().collect();
        Self { players, chosen, seen, random }
    }

    /// The numbers of chosen pairs by size.
    pub(super) fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.players / 2];
        for row in &self.chosen {
            counts[row.len() - 1] += 1;
        }
        counts
    }

    /// Chooses `more` pairs of each size: all that are left of the sizes that are to be full, and of the others one by
    /// one, their sizes in random order, block by block. Blind to values, and no player is different from another, so
    /// that all pairs of a size have the same chance.
    pub(super) fn choose(&mut self, more: &[u64], quota: &Quota) {
        let full = |size: usize| quota.is_full(size);
        let mut order = Vec::new();
        for (place, &count) in more.iter().enumerate() {
            if full(place + 1) {
                self.all_unseen(place + 1).into_iter().for_each(|row| self.take(row));
            } else {
                order.extend(std::iter::repeat_n(place + 1, count as usize));
            }
        }
        self.random.shuffle(&mut order);
        let mut rest = order.as_slice();
        while !rest.is_empty() && self.chosen.len() < MOST_SPREAD && is_on(Device::Spread) {
            let done = self.chosen.len();
            let is_first = done < FIRST_BLOCK;
            let (block, later) = rest.split_at(if is_first { FIRST_BLOCK - done } else { NEXT_BLOCK }.min(rest.len()));
            // Some of a size of which all are there would be those of some players.
            let known: Vec<Coalition> = match is_first {
                true => self.chosen.clone(),
                false => {
                    let open = self.chosen.iter().rev().filter(|row| !full(row.len()));
                    open.take(NEXT_BLOCK).cloned().collect()
                }
            };
            let pools = self.pools(block, quota);
            self.spread(block, pools, &known);
            rest = later;
        }
        for &size in rest {
            let row = self.unseen(size, &HashSet::new());
            self.take(row);
        }
    }

    fn take(&mut self, row: Coalition) {
        self.seen.insert(row.clone());
        self.chosen.push(row);
    }

    /// All pairs of this size that were not seen, in lexicographic order of their members.
    fn all_unseen(&self, size: usize) -> Vec<Coalition> {
        let mut members: Vec<usize> = (0..size).collect();
        let mut rows = Vec::new();
        loop {
            let row = Coalition::from_players(self.players, members.iter().copied());
            if stands_for_pair(&row) && !self.seen.contains(&row) {
                rows.push(row);
            }
            // The last member that can move up, and those after it as low as they can be.
            let can_move = |&place: &usize| members[place] + size < self.players + place;
            let Some(place) = (0..size).rev().find(can_move) else { return rows };
            members[place] += 1;
            for after in place + 1..size {
                members[after] = members[after - 1] + 1;
            }
        }
    }

    /// A pair of this size that was not seen.
    fn unseen(&mut self, size: usize, also: &HashSet<Coalition>) -> Coalition {
        loop {
            let mut row = self.random.coalition(self.players, size);
            if !stands_for_pair(&row) {
                row = row.complement();
            }
            if !self.seen.contains(&row) && !also.contains(&row) {
                return row;
            }
        }
    }

    fn pools(&mut self, wanted: &[usize], quota: &Quota) -> Vec<Pool> {
        let mut counts = vec![0_u64; self.players / 2 + 1];
        wanted.iter().for_each(|&size| counts[size] += 1);
        let have = self.counts();
        let mut pools = Vec::new();
        for size in 1..counts.len() {
            if counts[size] == 0 {
                continue;
            }
            let candidates = (candidates(wanted.len()) * counts[size]).max(FEWEST_CANDIDATES);
            let left = quota.population[size - 1] - have[size - 1] as f64;
            let mut rows;
            // Drawing the last of many again and again would take long: all of them, then.
            if left <= 2.0 * candidates as f64 {
                rows = self.all_unseen(size);
                self.random.shuffle(&mut rows);
                rows.truncate(candidates as usize);
            } else {
                rows = Vec::new();
                let mut also = HashSet::new();
                while rows.len() < candidates as usize {
                    let row = self.unseen(size, &also);
                    also.insert(row.clone());
                    rows.push(row);
                }
            }
            let (taken, variance) = (vec![false; rows.len()], vec![0.0; rows.len()]);
            pools.push(Pool { size, rows, taken, variance, known: Vec::new() });
        }
        pools
    }

    /// Takes for each size in turn the candidate of the largest variance given these rows and all that it took before.
    /// Single precision is enough to choose by.
    fn spread(&mut self, order: &[usize], mut pools: Vec<Pool>, known: &[Coalition]) {
        let kernel = Kernel::new(self.players);
        pools.iter_mut().for_each(|pool| pool.variance.fill(kernel.at(0) * 1.001));
        let mut taken: Vec<Taken> = Vec::new();
        let grand = Coalition::grand(self.players);
        // What was taken before has no candidate's place: its entries are solved for.
        for row in std::iter::once(&grand).chain(known) {
            let mut entries: Vec<f32> = Vec::with_capacity(taken.len());
            for other in &taken {
                let known: f32 = entries.iter().zip(&other.entries).map(|(a, b)| a * b).sum();
                entries.push((kernel.at(distance(row, &other.row)) - known) * other.over);
            }
            let left = kernel.at(0) * 1.001 - entries.iter().map(|e| e * e).sum::<f32>();
            taken.push(Taken { row: row.clone(), entries, over: kernel.over(left) });
        }
        for &size in order {
            let Some(pool) = pools.iter_mut().find(|pool| pool.size == size) else { continue };
            pool.catch_up(&taken, &kernel);
            let Some(best) = pool.best(TIED_VARIANCES * kernel.at(0)) else { continue };
            pool.taken[best] = true;
            let entries = pool.known.iter().map(|known| known[best]).collect();
            let over = kernel.over(pool.variance[best]);
            taken.push(Taken { row: pool.rows[best].clone(), entries, over });
            self.take(pool.rows[best].clone());
        }
    }
}

impl Pool {
    /// Of those that were not taken the one with the largest variance. Those that differ by rounding are equal, and the
    /// first of the shuffled pool is taken: rounding depends on the players' numbers, and pairs would not have the same
    /// chance.
    fn best(&self, equal: f32) -> Option<usize> {
        let free = || (0..self.rows.len()).filter(|&place| !self.taken[place]);
        let most = free().map(|place| self.variance[place]).fold(f32::NEG_INFINITY, f32::max);
        free().find(|&place| self.variance[place] >= most - equal)
    }

    /// Lets the candidates know of what was taken since their size had its last turn: of several rows at once, since
    /// what was known before is read from memory for each time.
    fn catch_up(&mut self, taken: &[Taken], kernel: &Kernel) {
        let start = self.known.len();
        for news in taken[start..].chunks(CATCH_UP) {
            let before = self.known.len();
            self.known.extend(news.iter().map(|_| vec![0.0; self.rows.len()]));
            let (rows, known, variance) = (&self.rows, &mut self.known, &mut self.variance);
            Arch::new().dispatch(CatchUp { news, rows, kernel, before, known, variance });
        }
    }
}

/// Some rows and the candidates: the entries of the factor, which are to stand in `known` from `before` on.
struct CatchUp<'a> {
    news: &'a [Taken],
    rows: &'a [Coalition],
    kernel: &'a Kernel,
    before: usize,
    known: &'a mut [Vec<f32>],
    variance: &'a mut [f32],
}

impl WithSimd for CatchUp<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (old, new) = self.known.split_at_mut(self.before);
        for (column, news) in new.iter_mut().zip(self.news) {
            column.iter_mut().zip(self.rows).for_each(|(c, row)| *c = self.kernel.at(distance(&news.row, row)));
        }
        for (four, earlier) in old.chunks(4).enumerate() {
            for (column, news) in new.iter_mut().zip(self.news) {
                let entries = &news.entries[4 * four..];
                match earlier {
                    [a, b, c, d] => subtract_four(column, entries, [a, b, c, d]),
                    rest => rest.iter().zip(entries).for_each(|(earlier, &entry)| subtract(column, entry, earlier)),
                }
            }
        }
        for (place, news) in self.news.iter().enumerate() {
            let (old, new) = new.split_at_mut(place);
            let column = &mut new[0];
            for (earlier, &entry) in old.iter().zip(&news.entries[self.before..]) {
                subtract(column, entry, earlier);
            }
            for (c, v) in column.iter_mut().zip(&mut *self.variance) {
                *c *= news.over;
                *v -= *c * *c;
            }
        }
    }
}

/// One after the other, but in one pass: reading and writing the column takes longer than the arithmetic.
#[inline(always)]
fn subtract_four(column: &mut [f32], times: &[f32], [a, b, c, d]: [&[f32]; 4]) {
    let len = column.len();
    let (a, b, c, d) = (&a[..len], &b[..len], &c[..len], &d[..len]);
    let [t, u, v, w] = [times[0], times[1], times[2], times[3]];
    for i in 0..len {
        column[i] = column[i] - t * a[i] - u * b[i] - v * c[i] - w * d[i];
    }
}

#[inline(always)]
fn subtract(column: &mut [f32], times: f32, other: &[f32]) {
    column.iter_mut().zip(other).for_each(|(c, o)| *c -= times * o);
}

/// The odd kernel Π(1 + r x y) − Π(1 − r x y) with one relevance r for all, by the number of places that differ, as a
/// part of (1 + r)ⁿ.
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

    #[inline(always)]
    fn at(&self, differ: usize) -> f32 {
        self.0[differ]
    }

    /// One over the root of what is left of a variance, if anything is.
    fn over(&self, left: f32) -> f32 {
        left.max(1e-6 * self.at(0)).sqrt().recip()
    }
}

/// Whether this coalition stands for its pair: the smaller one does, and of two of one size that with player 0.
pub(super) fn stands_for_pair(row: &Coalition) -> bool {
    match (2 * row.len()).cmp(&row.num_players()) {
        Ordering::Less => true,
        Ordering::Equal => row.contains(0),
        Ordering::Greater => false,
    }
}

#[inline(always)]
fn distance(a: &Coalition, b: &Coalition) -> usize {
    a.words().iter().zip(b.words()).map(|(a, b)| (a ^ b).count_ones() as usize).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::generator;
    use crate::surrogate::quota::Form;

    /// What is left of each candidate's variance when rows before it are known, by elimination in double precision.
    fn left(candidates: &[Coalition], known: &[Coalition], kernel: &Kernel) -> Vec<f64> {
        let at = |a: &Coalition, b: &Coalition| {
            f64::from(kernel.at(distance(a, b))) + if a == b { 1e-3 * f64::from(kernel.at(0)) } else { 0.0 }
        };
        let left = |candidate: &Coalition| {
            let rows: Vec<&Coalition> = known.iter().chain([candidate]).collect();
            let mut matrix: Vec<Vec<f64>> = rows.iter().map(|a| rows.iter().map(|b| at(a, b)).collect()).collect();
            for k in 0..known.len() {
                for i in k + 1..rows.len() {
                    let factor = matrix[i][k] / matrix[k][k];
                    let (above, below) = matrix.split_at_mut(i);
                    below[0].iter_mut().zip(&above[k]).for_each(|(x, y)| *x -= factor * y);
                }
            }
            matrix[known.len()][known.len()]
        };
        candidates.iter().map(left).collect()
    }

    /// Each row that is taken is the best of its size, up to rounding, however many rows its size was told of at once.
    #[test]
    fn candidates_know_what_was_taken() {
        for players in [9, 70] {
            let kernel = Kernel::new(players);
            let quota = Quota::new(players, Form::Equal, 40);
            let mut spread = Spread::new(players, Vec::new(), generator(3, 0));
            let order: Vec<usize> = (0..40).map(|k| 2 + k * k % 3).collect();
            let pools = spread.pools(&order, &quota);
            let offered: Vec<(usize, Vec<Coalition>)> =
                pools.iter().map(|pool| (pool.size, pool.rows.clone())).collect();
            spread.spread(&order, pools, &[]);
            let mut known = vec![Coalition::grand(players)];
            for (step, row) in spread.chosen.iter().enumerate() {
                let (_, rows) = offered.iter().find(|(of, _)| *of == row.len()).expect("a size that was asked for");
                let free: Vec<Coalition> = rows.iter().filter(|row| !known.contains(row)).cloned().collect();
                let most = left(&free, &known, &kernel).into_iter().fold(0.0, f64::max);
                let got = left(std::slice::from_ref(row), &known, &kernel)[0];
                let tie = f64::from(2.0 * TIED_VARIANCES * kernel.at(0));
                assert!(got >= most - tie, "{players} players, step {step}: {got} of {most}");
                known.push(row.clone());
            }
            assert_eq!(known.len(), 41);
        }
    }
}
