//! How the weight of all voters but one is distributed, for each of them, with additions alone.
//!
//! The usual way is to count with all voters and to take one out again. That subtracts numbers that may be much larger than
//! what is left, and a voter of little power comes out as noise. Here nobody is ever taken out: the voters are halved, one
//! half is added, and the other half is done in the same way, to the last. Every number is a sum of products of
//! probabilities, so it has as many correct digits however small it is.
//!
//! That would be log₂(n) times the work, but for what is not needed: with voters of total weight R still to come, a sum
//! below quota − R cannot be decisive any more, nor can one of the quota or more. Halves have half the weight, so the range
//! that is needed halves where the number of pieces doubles, and all levels together cost at most about twice the first.

use std::ops::Range;

use super::classes::Class;

/// The chances to be in, t, and to be out, 1 − t.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance {
    pub(super) within: f64,
    pub(super) out: f64,
}

/// The chances of the total weights of voters, where they are needed.
pub(super) trait Distribution {
    /// Becomes a copy of `other`.
    fn copy_from(&mut self, other: &Self);

    /// Adds a voter. What lies outside `needed` may be forgotten.
    fn add(&mut self, weight: u64, chance: Chance, needed: Range<u64>);
}

/// The order in which halves are in one piece: of classes from the largest total to the smallest, every other one.
pub(super) fn arrange(classes: &[Class]) -> Vec<usize> {
    fn halves(indices: Vec<usize>) -> Vec<usize> {
        if indices.len() <= 2 {
            return indices;
        }
        let every_other = |from: usize| halves(indices.iter().copied().skip(from).step_by(2).collect());
        [every_other(0), every_other(1)].concat()
    }
    halves((0..classes.len()).collect())
}

/// Adds the voters to `nobody`, all but one of a class, for every class. `visit` gets the number of the class, and the
/// distribution from min(quotas) − weight to max(quotas) − 1. Returns what the distributions of all depths ended as.
pub(super) fn without_one<D: Distribution + Clone>(
    classes: &[Class],
    order: &[usize],
    chance: Chance,
    quotas: Range<u64>,
    nobody: D,
    mut visit: impl FnMut(usize, &D),
) -> Vec<D> {
    let depth = order.len().next_power_of_two().ilog2() as usize + 2;
    let mut levels = vec![nobody; depth];
    let total = order.iter().map(|class| classes[*class].total()).sum();
    Halving { classes, chance, quotas }.halve(order, total, &mut levels, &mut visit);
    levels
}

struct Halving<'a> {
    classes: &'a [Class],
    chance: Chance,
    /// From the smaller to the larger, exclusive: with one quota q, the range is q..q.
    quotas: Range<u64>,
}

impl Halving<'_> {
    /// The first of `levels` has all voters but those in `order`, whose total weight is `rest`.
    fn halve<D: Distribution>(&self, order: &[usize], rest: u64, levels: &mut [D], visit: &mut impl FnMut(usize, &D)) {
        let (level, deeper) = levels.split_first_mut().expect("a level for every halving");
        let next = &mut deeper[0];
        if let [class] = *order {
            let Class { weight, voters } = self.classes[class];
            next.copy_from(level);
            self.add(next, weight, voters - 1, rest);
            visit(class, next);
            return;
        }
        let (left, right) = order.split_at(order.len().div_ceil(2));
        for (added, kept) in [(right, left), (left, right)] {
            let next = &mut deeper[0];
            next.copy_from(level);
            let mut rest = rest;
            // The lightest first: sums that can be reached are few as long as voters are light.
            for class in added.iter().rev() {
                let Class { weight, voters } = self.classes[*class];
                rest = self.add(next, weight, voters, rest);
            }
            self.halve(kept, rest, deeper, visit);
        }
    }

    /// Adds so many voters of a weight; returns the total weight of those who are still to come.
    fn add<D: Distribution>(&self, to: &mut D, weight: u64, voters: u64, mut rest: u64) -> u64 {
        for _ in 0..voters {
            rest -= weight;
            to.add(weight, self.chance, self.quotas.start.saturating_sub(rest)..self.quotas.end);
        }
        rest
    }
}

/// What a dense distribution would take: the cells that it would compute, and its widest range.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    sums: Range<u64>,
    pub(super) cells: f64,
    pub(super) widest: u64,
}

impl Distribution for Extent {
    fn copy_from(&mut self, other: &Self) {
        // The counts go on.
        self.sums = other.sums.clone();
        self.cells += (other.sums.end - other.sums.start) as f64;
    }

    fn add(&mut self, weight: u64, _: Chance, needed: Range<u64>) {
        let end = self.sums.end.saturating_add(weight).min(needed.end);
        self.sums = self.sums.start.max(needed.start).min(end)..end;
        self.widest = self.widest.max(end - self.sums.start);
        self.cells += (end - self.sums.start) as f64;
    }
}

/// The cells that dense distributions would take for one t, and the widest range of them.
pub(super) fn extent(classes: &[Class], order: &[usize], quotas: Range<u64>) -> (f64, u64) {
    let nobody = Extent { sums: 0..1, cells: 0.0, widest: 1 };
    let chance = Chance { within: 0.5, out: 0.5 };
    let levels = without_one(classes, order, chance, quotas, nobody, |_, _| {});
    (levels.iter().map(|level| level.cells).sum(), levels.iter().map(|level| level.widest).max().unwrap_or(1))
}
