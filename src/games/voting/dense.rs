//! A distribution with a cell for every sum.

use std::ops::Range;

use super::without_one::{Chance, Distribution};

#[derive(Clone, Debug)]
pub(super) struct Dense {
    /// The sum that the first cell is for.
    first: u64,
    /// Cells before this one are not needed any more.
    start: usize,
    cells: Vec<f64>,
    /// Chances below it are dropped at both ends.
    floor: f64,
}

impl Dense {
    /// Nobody: their weight is 0.
    pub(super) fn nobody(floor: f64) -> Self {
        Self { first: 0, start: 0, cells: vec![1.0], floor }
    }

    /// The chance of a sum in `sums`.
    pub(super) fn chance_of(&self, sums: Range<u64>) -> f64 {
        let last = self.cells.len() as u64;
        let cell = |sum: u64| sum.saturating_sub(self.first).clamp(self.start as u64, last) as usize;
        sum(&self.cells[cell(sums.start)..cell(sums.end).max(cell(sums.start))])
    }

    fn trim(&mut self) {
        while self.cells.len() > self.start && self.cells[self.cells.len() - 1] < self.floor {
            self.cells.pop();
        }
        while self.start < self.cells.len() && self.cells[self.start] < self.floor {
            self.start += 1;
        }
    }
}

impl Distribution for Dense {
    fn copy_from(&mut self, other: &Self) {
        self.first = other.first + other.start as u64;
        self.start = 0;
        self.cells.clear();
        self.cells.extend_from_slice(&other.cells[other.start..]);
    }

    fn add(&mut self, weight: u64, chance: Chance, needed: Range<u64>) {
        let reached = self.first + self.cells.len() as u64;
        let end = reached.saturating_add(weight).min(needed.end);
        if self.start == self.cells.len() || end <= needed.start {
            self.start = 0;
            self.cells.clear();
            return;
        }
        let old = self.start;
        if reached <= needed.start {
            // Only coalitions with this voter matter any more. Their sums may be far from those without.
            self.first += weight;
            let cell = |sum: u64| sum.saturating_sub(self.first) as usize;
            let (start, end) = (cell(needed.start).max(old), cell(end));
            self.cells.truncate(end);
            self.start = start.min(end);
            self.cells[self.start..].iter_mut().for_each(|cell| *cell *= chance.within);
            self.trim();
            return;
        }
        // No more cells than the old and the new range together: wide ranges are refused before.
        self.cells.resize((end - self.first) as usize, 0.0);
        self.start = old.max(needed.start.saturating_sub(self.first) as usize);
        let weight = usize::try_from(weight).unwrap_or(usize::MAX);
        let from = old.saturating_add(weight).clamp(self.start, self.cells.len());
        shifted(&mut self.cells, from, weight, |with, without| chance.out * with + chance.within * without);
        for cell in &mut self.cells[self.start..from] {
            *cell *= chance.out;
        }
        self.trim();
    }
}

/// Makes each cell c[k] from `from` on into f(c[k], c[k − weight]), with what they were before.
pub(super) fn shifted(cells: &mut [f64], from: usize, weight: usize, f: impl Fn(f64, f64) -> f64) {
    // From the top, in blocks that do not overlap with what they are made of.
    let mut end = cells.len();
    while end > from {
        let begin = from.max(end.saturating_sub(weight));
        let (sources, block) = cells[..end].split_at_mut(begin);
        for (cell, source) in block.iter_mut().zip(&sources[begin - weight..]) {
            *cell = f(*cell, *source);
        }
        end = begin;
    }
}

/// The sum by halves, so that its rounding does not grow with the number of cells.
fn sum(cells: &[f64]) -> f64 {
    if cells.len() > 128 {
        let (left, right) = cells.split_at(cells.len() / 2);
        return sum(left) + sum(right);
    }
    cells.iter().sum()
}
