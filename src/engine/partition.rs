//! Numbered units of work, divided into contiguous parts.

use std::ops::Range;

use crate::Error;

/// The units 0 to `units` − 1 in `of` contiguous parts, whose sizes differ by one at most. Where there are more parts
/// than units, some are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    units: u64,
    of: u64,
}

impl Partition {
    pub(crate) fn new<E>(units: u64, of: u64) -> Result<Self, Error<E>> {
        match of {
            0 => Err(Error::Setting { name: "the number of parts", value: 0.0, allowed: "at least 1" }),
            _ => Ok(Self { units, of }),
        }
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
        // The parts that begin at or before the unit are those whose number times units is below (unit + 1) times
        // parts.
        (((u128::from(unit) + 1) * u128::from(self.of) - 1) / u128::from(self.units.max(1))) as u64
    }

    /// The parts that have units of a range that is not empty.
    fn parts_with(self, units: &Range<u64>) -> Range<u64> {
        self.part_with(units.start)..self.part_with(units.end - 1) + 1
    }

    /// The parts that have a unit outside of the ranges, which ascend.
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

    /// Refuses ranges that do not cover all units.
    pub(crate) fn check_whole<E>(self, ranges: &[Range<u64>]) -> Result<(), Error<E>> {
        match self.missing(ranges) {
            missing if missing.is_empty() => Ok(()),
            missing => Err(Error::PartsMissing { missing, of: self.of }),
        }
    }

    /// Refuses ranges that have a unit in common.
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

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of one range")]
mod tests {
    use super::*;

    fn partition(units: u64, of: u64) -> Partition {
        Partition::new::<()>(units, of).expect("a number of parts")
    }

    #[test]
    fn parts_are_all_units_once() {
        for (units, of) in
            [(0, 1), (0, 3), (1, 1), (1, 5), (7, 3), (7, 7), (7, 64), (256, 7), (u64::MAX, 3), (5, u64::MAX)]
        {
            let partition = partition(units, of);
            let parts = if of < 100 { (0..of).collect() } else { vec![0, 1, of / 2, of - 2, of - 1] };
            let mut end = 0;
            for part in parts {
                let range = partition.range::<()>(part).expect("a part");
                assert!(of > 99 || range.start == end);
                end = range.end;
                for unit in [range.start, range.end.saturating_sub(1)].into_iter().filter(|unit| range.contains(unit)) {
                    assert_eq!(partition.part_with(unit), part);
                }
            }
            assert_eq!(end, units);
            assert!(partition.range::<()>(of).is_err());
        }
        assert!(Partition::new::<()>(3, 0).is_err());
    }

    #[test]
    fn what_is_missing() {
        let partition = partition(10, 5);
        assert_eq!(partition.missing(&[]), [0..5]);
        assert_eq!(partition.missing(&[0..10]), []);
        assert_eq!(partition.missing(&[2..4, 8..10]), [0..1, 2..4]);
        // A part of which something is missing is missing.
        assert_eq!(partition.missing(&[0..3, 4..10]), [1..2]);
        assert_eq!(Partition::new::<()>(0, 3).expect("parts").missing(&[]), []);
    }

    #[test]
    fn what_is_there_twice() {
        let partition = partition(10, 5);
        assert!(partition.check_disjoint::<()>(&[0..2, 6..8], &[2..6, 8..10]).is_ok());
        match partition.check_disjoint::<()>(&[0..2, 4..8], &[2..4, 6..10]) {
            Err(Error::PartTwice { part: 3, of: 5, ours, theirs }) => assert_eq!((ours, theirs), (2..4, 3..5)),
            other => panic!("{other:?}"),
        }
    }
}
