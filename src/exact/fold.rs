//! The rows of one block: where the time of an exact solver goes, beside the game's own.
//!
//! For single players the block is a matrix of rows of 2^8 values, and each value is added twice, in passes that the
//! compiler turns into vector instructions: once into an accumulator of whole rows, one for each number of players
//! above the row's, which serves the players inside a row; and once into its row's own sums by size, which serve the
//! players above. Both end in small tables, which are folded likewise. `docs/numerics.md` has the measurements.

use super::sums::Rows;
use crate::Value;

/// A row has 2^8 values: 2 KiB of `f64`, so that a row and the accumulators it goes to stay in the first-level cache.
const ROW_BITS: usize = 8;
const ROW: usize = 1 << ROW_BITS;

/// The rows of a block of 2^b values.
pub(super) fn fold<V: Value>(block: &[V], order: usize) -> Rows<V> {
    let players = block.len().ilog2() as usize;
    let mut entries = Vec::with_capacity((players + 1) * (players + 1));
    let table = Strata { values: block, strata: 1 };
    if order == 1 && players > ROW_BITS {
        singles(block, &mut entries)
    } else {
        table.peel(order, &mut entries)
    }
    Rows { players, entries }
}

/// Appends the rows of order 1 of a block of more than one row.
fn singles<V: Value>(block: &[V], entries: &mut Vec<V>) {
    let rows = block.len() / ROW;
    let above_bits = rows.ilog2() as usize;
    // By size over the players above a row, whole rows; and by size over those inside it, one number for each row.
    let mut columns: Vec<V> = Vec::with_capacity((above_bits + 1) * ROW);
    let mut sides = vec![block[0].clone(); (ROW_BITS + 1) * rows];
    let mut scratch = std::array::from_fn(|_| std::array::from_fn(|j| block[j].clone()));
    for (above, row) in block.as_chunks::<ROW>().0.iter().enumerate() {
        let size = above.count_ones() as usize;
        match columns.as_chunks_mut::<ROW>().0.get_mut(size) {
            Some(column) => add(column, row),
            None => columns.extend_from_slice(row),
        }
        for (inside, total) in row_totals(row, &mut scratch).into_iter().enumerate() {
            sides[inside * rows + above] = total;
        }
    }
    Strata { values: &columns, strata: above_bits + 1 }.peel(1, entries);
    // The totals are those of the columns, and not needed twice.
    let first = entries.len();
    Strata { values: &sides, strata: ROW_BITS + 1 }.peel(1, entries);
    entries.drain(first..first + ROW_BITS + 1 + above_bits);
}

/// A table whose coalitions are summed by size over the players that are done with: `strata` sizes one after the
/// other, each over all sets of the players that are left.
struct Strata<'a, V> {
    values: &'a [V],
    strata: usize,
}

impl<'a, V: Value> Strata<'a, V> {
    fn len(&self) -> usize {
        self.values.len() / self.strata
    }

    fn each(&self) -> std::slice::ChunksExact<'a, V> {
        self.values.chunks_exact(self.len())
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

fn add<V: Value>(sums: &mut [V], values: &[V]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        sum.add_assign(value);
    }
}

/// A sixteenth of a row.
type Part<V> = [V; ROW / 16];

/// The sums of a row's values by size.
fn row_totals<V: Value>(row: &[V; ROW], scratch: &mut [Part<V>; 5]) -> [V; ROW_BITS + 1] {
    fold_parts(row, scratch);
    let [a, b, c, d, e] = scratch;
    let [a0, a1, a2, a3, a4] = part_totals(a);
    let [b0, b1, b2, b3, b4] = part_totals(b);
    let [c0, c1, c2, c3, c4] = part_totals(c);
    let [d0, d1, d2, d3, d4] = part_totals(d);
    let [e0, e1, e2, e3, e4] = part_totals(e);
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

/// The sums by size of sixteen parts of a row, place by place: over the upper four players of the row.
#[inline(never)]
fn fold_parts<V: Value>(row: &[V; ROW], sums: &mut [Part<V>; 5]) {
    let (x, _) = row.as_chunks::<{ ROW / 16 }>();
    for j in 0..ROW / 16 {
        let at: [&V; 16] = std::array::from_fn(|k| &x[k][j]);
        let by_size = sixteen_totals(at);
        for (sum, total) in sums.iter_mut().zip(by_size) {
            sum[j] = total;
        }
    }
}

/// The sums by size of a part: over the lower four players of the row.
fn part_totals<V: Value>(part: &Part<V>) -> [V; 5] {
    sixteen_totals(part.each_ref())
}

/// The sums by size of the sixteen sets of four players.
#[inline(always)]
fn sixteen_totals<V: Value>(x: [&V; 16]) -> [V; 5] {
    [
        x[0].clone(),
        plus([x[1], x[2], x[4], x[8]]),
        plus([x[3], x[5], x[6], x[9], x[10], x[12]]),
        plus([x[7], x[11], x[13], x[14]]),
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
