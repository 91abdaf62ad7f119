//! The sums of discrete derivatives of one block: where the time of an exact solver goes, beside the game's own.
//!
//! A block is a matrix of rows of 2^8 values: the players inside a row are the first eight, those above it the others.
//!
//! **Single players** (order 1). Each value is added twice, in loops that the compiler turns into vector instructions.
//! Once into a column, a sum of whole rows: there is one for each number of players above, and they serve the players
//! inside a row. Once into its row's own sums by size, nine numbers that serve the players above. Columns and rows'
//! sums are small tables, which are folded likewise. `docs/numerics.md` has the measurements, and what did not help.
//!
//! **Larger sets** (order 2 and up). The same, but with derivatives of whole rows in place of the columns.

use super::rows::{Rows, Shape};
use crate::Value;
use crate::value::difference;

/// A row has 2^8 values: 2 KiB of `f64`, so that rows and columns stay in the first-level cache.
const ROW_BITS: usize = 8;
const ROW: usize = 1 << ROW_BITS;

/// Larger values than this many bytes are not put on the stack, a hundred at a time.
const SMALL: usize = 256;

/// A game of enough players has 2^8 blocks or more, so that it can be dealt to as many machines.
const MANY_BITS: usize = 8;

/// Blocks of this size or smaller are not made smaller for that: a block costs 2 µs or so whatever its size.
const LEAST_BITS: usize = 10;

/// The blocks of a game: 2^8 or more, of at most 4 MiB (without what values own) for single players, 512 KiB for larger
/// sets. Larger ones share the small tables' cost among more values; smaller ones keep what they go through in the
/// second-level cache, and can be dealt to more machines. Measured: see `docs/numerics.md`.
pub(super) fn block_bits<V>(players: usize, order: usize) -> usize {
    let bytes_bits: usize = if order == 1 { 22 } else { 19 };
    let value_bits = size_of::<V>().max(8).next_power_of_two().ilog2() as usize;
    let most = bytes_bits.saturating_sub(value_bits).max(2);
    players.saturating_sub(MANY_BITS).max(LEAST_BITS).min(most).min(players)
}

/// The rows of a block of 2^b values.
pub(super) fn fold<V: Value>(block: &[V], order: usize) -> Rows<V> {
    let players = block.len().ilog2() as usize;
    let mut entries = Vec::with_capacity((players + 1) * (players + 1));
    let table = Strata { values: block, strata: 1 };
    match order {
        _ if size_of::<V>() > SMALL => table.peel(order, &mut entries),
        1 => table.singles(Part::All, &mut entries),
        _ if players > ROW_BITS => sets_of_rows(block, order, &mut entries),
        _ => table.peel(order, &mut entries),
    }
    Rows { players, level: 0, entries }
}

/// Appends the rows of any order of a block of more than one row: those of each set of players above a row with the
/// sets of players inside it.
fn sets_of_rows<V: Value>(block: &[V], order: usize, entries: &mut Vec<V>) {
    let rows = block.len() / ROW;
    let above = rows.ilog2() as usize;
    // Derivatives by up to order − 1 players above leave something to players inside, so they are of whole rows.
    let few = Shape::new(above, order - 1);
    let of_rows = few.merge_all(block, ROW);
    // Those by `order` players leave nothing, so they are of the rows' sums by size, still apart for each row.
    let all = Shape::new(above, order);
    let mut scratch = Scratch::new(&block[0]);
    let totals: Vec<V> = block.as_chunks::<ROW>().0.iter().flat_map(|row| row_totals(row, &mut scratch)).collect();
    let of_totals = all.merge_all(&totals, ROW_BITS + 1);

    let mut of_rows = few.rows(above, &of_rows, ROW);
    for (set, sums) in all.rows(above, &of_totals, ROW_BITS + 1) {
        let size = set.count_ones() as usize;
        if size < order {
            let (_, values) = of_rows.next().expect("both shapes have this set");
            Strata { values, strata: above - size + 1 }.peel(order - size, entries);
        } else {
            // By size above and by size inside: one diagonal after the other.
            let first = entries.len();
            for (size_above, sums) in sums.chunks_exact(ROW_BITS + 1).enumerate() {
                let place = first + size_above;
                let there = entries.len() - place;
                add(&mut entries[place..], &sums[..there]);
                entries.extend_from_slice(&sums[there..]);
            }
        }
    }
}

/// A table whose coalitions are summed by size over the players that are done with: `strata` sizes one after the
/// other, each over all sets of the players that are left.
struct Strata<'a, V> {
    values: &'a [V],
    strata: usize,
}

/// Which rows to append: those of the players, with or without the totals before them.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    All,
    Players,
}

impl<'a, V: Value> Strata<'a, V> {
    fn len(&self) -> usize {
        self.values.len() / self.strata
    }

    fn each(&self) -> std::slice::ChunksExact<'a, V> {
        self.values.chunks_exact(self.len())
    }

    /// Appends the rows of order 1: those of the players inside a row, then those of the players above.
    fn singles(&self, part: Part, entries: &mut Vec<V>) {
        let bits = self.len().ilog2() as usize;
        match bits {
            0..=4 => self.few(part, entries),
            5..=ROW_BITS => {
                let (columns, sides) = self.split(|row: &[V; 16]| sixteen_totals(row));
                Strata { values: &columns, strata: self.strata + bits - 4 }.singles(part, entries);
                Strata { values: &sides, strata: self.strata + 4 }.singles(Part::Players, entries);
            }
            _ => {
                let mut scratch = Scratch::new(&self.values[0]);
                let (columns, sides) = self.split(|row: &[V; ROW]| row_totals(row, &mut scratch));
                Strata { values: &columns, strata: self.strata + bits - ROW_BITS }.singles(part, entries);
                Strata { values: &sides, strata: self.strata + ROW_BITS }.singles(Part::Players, entries);
            }
        }
    }

    /// Sums whole rows of N values by size over the players above them, and each row's values by size over the players
    /// inside it, which `totals` does.
    fn split<const N: usize, const T: usize>(&self, mut totals: impl FnMut(&[V; N]) -> [V; T]) -> (Vec<V>, Vec<V>) {
        let rows = self.len() / N;
        let mut columns: Vec<V> = Vec::with_capacity((self.strata + rows.ilog2() as usize) * N);
        let mut sides = vec![self.values[0].clone(); (self.strata + T - 1) * rows];
        for (stratum, values) in self.each().enumerate() {
            for (above, row) in values.as_chunks::<N>().0.iter().enumerate() {
                match columns.as_chunks_mut::<N>().0.get_mut(stratum + above.count_ones() as usize) {
                    Some(column) => add(column, row),
                    None => columns.extend_from_slice(row),
                }
                for (inside, total) in totals(row).into_iter().enumerate() {
                    let side = &mut sides[(stratum + inside) * rows + above];
                    if stratum == 0 || inside == T - 1 { *side = total } else { side.add_assign(&total) }
                }
            }
        }
        (columns, sides)
    }

    /// Appends the rows of order 1 of a small table, as [`peel`](Self::peel) does, but with two allocations: this is
    /// what a block costs whatever its size.
    fn few(&self, part: Part, entries: &mut Vec<V>) {
        let players = self.len().ilog2() as usize;
        let mut values = self.values.to_vec();
        let mut differences = Vec::with_capacity(values.len() / 2);
        let row = self.strata + players - 1;
        let totals = if part == Part::All { row + 1 } else { 0 };
        let first = entries.len();
        // Every place is written below.
        entries.resize(first + totals + players * row, values[0].clone());
        for player in (0..players).rev() {
            let half = 1 << player;
            differences.clear();
            for (low, high) in values.chunks_exact(2 * half).map(|values| values.split_at(half)) {
                differences.extend(high.iter().zip(low).map(|(high, low)| difference(high, low)));
            }
            (0..player).rev().for_each(|player| fold_last(&mut differences, 1 << player));
            entries[first + totals + player * row..][..row].clone_from_slice(&differences);
            fold_last(&mut values, half);
        }
        if part == Part::All {
            entries[first..first + totals].clone_from_slice(&values);
        }
    }

    /// Appends the rows of any order, one player at a time: the last one first, summed and, for the rows that have it,
    /// subtracted.
    fn peel(&self, order: usize, entries: &mut Vec<V>) {
        if self.len() == 1 {
            entries.extend_from_slice(self.values);
            return;
        }
        let half = self.len() / 2;
        let halves = || self.each().map(|values| values.split_at(half));
        let mut sums = Vec::with_capacity((self.strata + 1) * half);
        halves().for_each(|(low, _)| sums.extend_from_slice(low));
        sums.extend_from_slice(&self.values[self.values.len() - half..]);
        for ((_, high), sums) in halves().zip(sums[half..].chunks_exact_mut(half)).take(self.strata - 1) {
            add(sums, high);
        }
        Strata { values: &sums, strata: self.strata + 1 }.peel(order, entries);
        if order > 0 {
            let mut differences = sums;
            differences.clear();
            for (low, high) in halves() {
                let first = differences.len();
                differences.extend_from_slice(high);
                for (difference, low) in differences[first..].iter_mut().zip(low) {
                    difference.sub_assign(low);
                }
            }
            Strata { values: &differences, strata: self.strata }.peel(order - 1, entries);
        }
    }
}

/// Sums the strata of a table over its last player, in place: what is written was read before.
fn fold_last<V: Value>(values: &mut Vec<V>, half: usize) {
    let strata = values.len() / (2 * half);
    for stratum in 1..strata {
        for k in 0..half {
            let mut sum = values[(2 * stratum) * half + k].clone();
            sum.add_assign(&values[(2 * stratum - 1) * half + k]);
            values[stratum * half + k] = sum;
        }
    }
    for k in 0..half {
        values[strata * half + k] = values[(2 * strata - 1) * half + k].clone();
    }
    values.truncate((strata + 1) * half);
}

fn add<V: Value>(sums: &mut [V], values: &[V]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        sum.add_assign(value);
    }
}

/// Sums by size over the upper four players of a row, place by place of a sixteenth.
struct Scratch<V>([[V; 16]; 5]);

impl<V: Value> Scratch<V> {
    fn new(any: &V) -> Self {
        Self(std::array::from_fn(|_| std::array::from_fn(|_| any.clone())))
    }
}

/// The sums of a row's values by size.
fn row_totals<V: Value>(row: &[V; ROW], scratch: &mut Scratch<V>) -> [V; ROW_BITS + 1] {
    fold_parts(row, &mut scratch.0);
    let [a0, a1, a2, a3, a4] = sixteen_totals(&scratch.0[0]);
    let [b0, b1, b2, b3, b4] = sixteen_totals(&scratch.0[1]);
    let [c0, c1, c2, c3, c4] = sixteen_totals(&scratch.0[2]);
    let [d0, d1, d2, d3, d4] = sixteen_totals(&scratch.0[3]);
    let [e0, e1, e2, e3, e4] = sixteen_totals(&scratch.0[4]);
    [
        a0,
        plus([&a1, &b0]),
        plus([&a2, &b1, &c0]),
        plus([&a3, &b2, &c1, &d0]),
        plus([&a4, &b3, &c2, &d1, &e0]),
        plus([&b4, &c3, &d2, &e1]),
        plus([&c4, &d3, &e2]),
        plus([&d4, &e3]),
        e4,
    ]
}

/// Folds the upper four players of a row, place by place of a sixteenth. On its own, the compiler makes vector
/// instructions of it; inlined, it does not.
#[inline(never)]
fn fold_parts<V: Value>(row: &[V; ROW], sums: &mut [[V; 16]; 5]) {
    let (x, _) = row.as_chunks::<16>();
    for j in 0..16 {
        sums[0][j] = x[0][j].clone();
        sums[1][j] = plus([&x[1][j], &x[2][j], &x[4][j], &x[8][j]]);
        sums[2][j] = plus([&x[3][j], &x[5][j], &x[6][j], &x[9][j], &x[10][j], &x[12][j]]);
        sums[3][j] = plus([&x[7][j], &x[11][j], &x[13][j], &x[14][j]]);
        sums[4][j] = x[15][j].clone();
    }
}

/// The sums by size of the sixteen sets of four players.
#[inline(always)]
fn sixteen_totals<V: Value>(x: &[V; 16]) -> [V; 5] {
    [
        x[0].clone(),
        plus([&x[1], &x[2], &x[4], &x[8]]),
        plus([&x[3], &x[5], &x[6], &x[9], &x[10], &x[12]]),
        plus([&x[7], &x[11], &x[13], &x[14]]),
        x[15].clone(),
    ]
}

#[inline(always)]
fn plus<V: Value, const N: usize>(terms: [&V; N]) -> V {
    let mut sum = terms[0].clone();
    for term in &terms[1..] {
        sum.add_assign(term);
    }
    sum
}
