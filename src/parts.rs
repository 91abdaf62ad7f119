//! A solver's work cut into parts for several processes, and the partial results of these parts.
//!
//! [`Exact::part`](crate::Exact::part) and [`Permutation::part`](crate::Permutation::part) return a part. Its `run`
//! gives a partial result, which can be saved (feature `serde`). Merge all of them in any order: `finish` gives the
//! bits of a single run.

use std::ops::Range;

pub use crate::exact::{ExactPart, ExactPartial};
use crate::listing::Shown;
pub use crate::permutation::{PermutationPart, PermutationPartial};
use crate::{Error, Value};

/// The units 0 to `units` − 1, cut into `of` contiguous parts whose sizes differ by one at most. Where there are more parts
/// than units, some have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    units: u64,
    of: u64,
}

impl Cut {
    pub(crate) fn new<E>(units: u64, of: u64) -> Result<Self, Error<E>> {
        match of {
            0 => Err(Error::Setting { name: "the number of parts", value: 0.0, allowed: "at least 1" }),
            _ => Ok(Self { units, of }),
        }
    }

    pub(crate) fn units(self) -> u64 {
        self.units
    }

    pub(crate) fn of(self) -> u64 {
        self.of
    }

    /// The units of a part.
    pub(crate) fn range<E>(self, part: u64) -> Result<Range<u64>, Error<E>> {
        if part >= self.of {
            let allowed = "less than the number of parts, the first being 0";
            return Err(Error::Setting { name: "the part", value: part as f64, allowed });
        }
        // At most the number of units, so it fits.
        let start = |part: u64| (u128::from(part) * u128::from(self.units) / u128::from(self.of)) as u64;
        Ok(start(part)..if part + 1 == self.of { self.units } else { start(part + 1) })
    }

    /// The part that has a unit.
    fn part_with(self, unit: u64) -> u64 {
        // The parts that begin at or before the unit are those whose number times units is below (unit + 1) times parts.
        (((u128::from(unit) + 1) * u128::from(self.of) - 1) / u128::from(self.units.max(1))) as u64
    }

    /// The parts that have units of a range that is not empty.
    fn parts_with(self, units: &Range<u64>) -> Range<u64> {
        self.part_with(units.start)..self.part_with(units.end - 1) + 1
    }

    /// The parts that have units outside of the ranges, which ascend.
    pub(crate) fn missing(self, ranges: &[Range<u64>]) -> Vec<Range<u64>> {
        let mut missing: Vec<Range<u64>> = Vec::new();
        let mut end = 0;
        for range in ranges.iter().chain([&(self.units..self.units)]) {
            if range.start > end {
                let parts = self.parts_with(&(end..range.start));
                match missing.last_mut() {
                    Some(last) if last.end >= parts.start => last.end = parts.end,
                    _ => missing.push(parts),
                }
            }
            end = range.end;
        }
        missing
    }

    /// Refuses what is not whole.
    pub(crate) fn check_whole<E>(self, ranges: &[Range<u64>]) -> Result<(), Error<E>> {
        match self.missing(ranges) {
            missing if missing.is_empty() => Ok(()),
            missing => Err(Error::PartsMissing { missing, of: self.of }),
        }
    }

    /// Refuses ranges that meet.
    pub(crate) fn check_disjoint<E>(self, ours: &[Range<u64>], theirs: &[Range<u64>]) -> Result<(), Error<E>> {
        let (mut a, mut b) = (ours.iter().peekable(), theirs.iter().peekable());
        while let (Some(ours), Some(theirs)) = (a.peek(), b.peek()) {
            let both = ours.start.max(theirs.start);
            if both < ours.end.min(theirs.end) {
                let (ours, theirs) = (self.parts_with(ours), self.parts_with(theirs));
                return Err(Error::PartTwice { part: self.part_with(both), of: self.of, ours, theirs });
            }
            if ours.end <= theirs.end {
                a.next()
            } else {
                b.next()
            };
        }
        Ok(())
    }
}

/// Refuses to unite things of which something differs: what, and how it is here and there.
pub(crate) fn check_same<E>(named: impl IntoIterator<Item = (&'static str, String, String)>) -> Result<(), Error<E>> {
    match named.into_iter().find(|(_, ours, theirs)| ours != theirs) {
        Some((what, ours, theirs)) => Err(Error::Mismatch { what, ours, theirs }),
        None => Ok(()),
    }
}

/// Refuses to unite what is of games that differ in v(∅) or v(N), by a single bit.
pub(crate) fn check_ends<V: Value, E>(ours: [&V; 2], theirs: [&V; 2]) -> Result<(), Error<E>> {
    for (what, (ours, theirs)) in ["v(empty)", "v(N)"].into_iter().zip(ours.into_iter().zip(theirs)) {
        if !is_same(ours, theirs) {
            let (ours, theirs) = (Shown(ours).to_string(), Shown(theirs).to_string());
            return Err(Error::Mismatch { what, ours, theirs });
        }
    }
    Ok(())
}

/// Whether two values are equal. Their difference is exact where they are, whatever the type.
pub(crate) fn is_same<V: Value>(a: &V, b: &V) -> bool {
    let mut difference = a.clone();
    difference.sub_assign(b);
    difference.magnitude() <= 0.0
}

/// Contiguous ranges, from ranges that ascend.
pub(crate) fn joined(ranges: impl IntoIterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut all: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match all.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => all.push(range),
        }
    }
    all
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of one range")]
mod tests {
    use super::*;

    fn cut(units: u64, of: u64) -> Cut {
        Cut::new::<()>(units, of).expect("a number of parts")
    }

    #[test]
    fn parts_are_all_units_once() {
        for (units, of) in
            [(0, 1), (0, 3), (1, 1), (1, 5), (7, 3), (7, 7), (7, 64), (256, 7), (u64::MAX, 3), (5, u64::MAX)]
        {
            let cut = cut(units, of);
            let parts = if of < 100 { (0..of).collect() } else { vec![0, 1, of / 2, of - 2, of - 1] };
            let mut end = 0;
            for part in parts {
                let range = cut.range::<()>(part).expect("a part");
                assert!(of > 99 || range.start == end);
                end = range.end;
                for unit in [range.start, range.end.saturating_sub(1)].into_iter().filter(|unit| range.contains(unit)) {
                    assert_eq!(cut.part_with(unit), part);
                }
            }
            assert_eq!(end, units);
            assert!(cut.range::<()>(of).is_err());
        }
        assert!(Cut::new::<()>(3, 0).is_err());
    }

    #[test]
    fn what_is_missing() {
        let cut = cut(10, 5);
        assert_eq!(cut.missing(&[]), [0..5]);
        assert_eq!(cut.missing(&[0..10]), []);
        assert_eq!(cut.missing(&[2..4, 8..10]), [0..1, 2..4]);
        // A part of which something is missing is missing.
        assert_eq!(cut.missing(&[0..3, 4..10]), [1..2]);
        assert_eq!(super::Cut::new::<()>(0, 3).expect("parts").missing(&[]), []);
    }

    #[test]
    fn what_is_there_twice() {
        let cut = cut(10, 5);
        assert!(cut.check_disjoint::<()>(&[0..2, 6..8], &[2..6, 8..10]).is_ok());
        match cut.check_disjoint::<()>(&[0..2, 4..8], &[2..4, 6..10]) {
            Err(Error::PartTwice { part: 3, of: 5, ours, theirs }) => assert_eq!((ours, theirs), (2..4, 3..5)),
            other => panic!("{other:?}"),
        }
    }
}
