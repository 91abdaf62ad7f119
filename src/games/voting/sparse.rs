//! A distribution with an entry for every sum that can be reached.

use std::mem;
use std::ops::Range;

use super::without_one::{Chance, Distribution};

#[derive(Clone, Debug)]
pub(super) struct Sparse {
    /// By sum, ascending, without repeats.
    entries: Vec<(u64, f64)>,
    spare: Vec<(u64, f64)>,
    /// How many entries may still be made by this one; nothing is computed beyond.
    budget: u64,
    pub(super) made: u64,
}

impl Sparse {
    /// Nobody: their weight is 0.
    pub(super) fn nobody(budget: u64) -> Self {
        Self { entries: vec![(0, 1.0)], spare: Vec::new(), budget, made: 0 }
    }

    /// The chance of a sum in `sums`.
    pub(super) fn chance_of(&self, sums: Range<u64>) -> f64 {
        let from = self.entries.partition_point(|(sum, _)| *sum < sums.start);
        self.entries[from..].iter().take_while(|(sum, _)| *sum < sums.end).map(|(_, chance)| chance).sum()
    }
}

impl Distribution for Sparse {
    fn copy_from(&mut self, other: &Self) {
        self.entries.clone_from(&other.entries);
    }

    fn add(&mut self, weight: u64, chance: Chance, needed: Range<u64>) {
        if self.made > self.budget {
            self.entries.clear();
            return;
        }
        self.spare.clear();
        let within = |sum: u64| sum >= needed.start && sum < needed.end;
        let mut without = self.entries.iter().map(|(sum, p)| (*sum, p * chance.out)).peekable();
        let mut with = self.entries.iter().map(|(sum, p)| (sum + weight, p * chance.within)).peekable();
        loop {
            let next = match (without.peek(), with.peek()) {
                (None, None) => break,
                (Some(a), Some(b)) if a.0 == b.0 => {
                    let both = (a.0, a.1 + b.1);
                    without.next();
                    with.next();
                    both
                }
                (Some(a), Some(b)) if a.0 > b.0 => take(&mut with),
                (Some(_), _) => take(&mut without),
                (None, Some(_)) => take(&mut with),
            };
            if within(next.0) {
                self.spare.push(next);
            }
        }
        mem::swap(&mut self.entries, &mut self.spare);
        self.made += self.entries.len() as u64;
    }
}

fn take(entries: &mut impl Iterator<Item = (u64, f64)>) -> (u64, f64) {
    entries.next().expect("an entry that was seen")
}
