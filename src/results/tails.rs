//! Whether contributions are rare or heavy tailed: what groups of four samples say of it.

use smallvec::SmallVec;

use crate::Value;

/// Of one output of a game: over all players, and over groups of four consecutive samples in which the player's
/// contributions differ, the sum of ((a − b) / (a + b))², and the number of terms.
///
/// a and b are the squared deviations of the first and the last two of the four samples, so a term is between 0 and 1,
/// whatever the player's unit, and does not change if a constant is added to all of a player's contributions. The mean
/// of terms is 1/2 for normal contributions, and near 1 where all of the difference is in one of the four samples, as
/// it is where contributions are rare.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tail {
    pub(crate) sum: f64,
    pub(crate) groups: f64,
}

/// Differences below this share of the largest contributions, squared, are rounding.
const ROUNDING: f64 = 1e-20;

/// The number of sums side by side, since each addition has to wait for the one before.
const LANES: usize = 4;

impl Tail {
    /// Half of the groups are as those of normal contributions, and half as those of rare ones: what is assumed of
    /// fewer samples than four, and of samples in files of earlier versions.
    const UNKNOWN: f64 = 0.5;

    /// From 0, for contributions that are normal, to 1, for rare ones.
    pub(super) fn weight(self) -> f64 {
        if self.groups > 0.0 { (2.0 * self.sum / self.groups - 1.0).clamp(0.0, 1.0) } else { Self::UNKNOWN }
    }

    /// Of each output: for each player the sums of two samples and of the next two, and the squared deviations of both.
    pub(super) fn of_groups<V: Value>(tails: &mut Vec<Self>, sums: [&[V]; 2], squares: [&[f64]; 2]) {
        tails.clear();
        match squares[0].len() / sums[0].len().max(1) {
            0 => {}
            // A loop of its own, since its steps are known: a fifth of the time.
            1 => Self::of_steps::<LANES, V>(tails, LANES, 1, sums, squares),
            outputs => Self::of_steps::<0, V>(tails, LANES * outputs, outputs, sums, squares),
        }
    }

    /// The same, in steps of [`LANES`] players; `WIDTH` is the components of a step, if it is known.
    #[inline(always)]
    fn of_steps<const WIDTH: usize, V: Value>(
        tails: &mut Vec<Self>,
        width: usize,
        outputs: usize,
        [first, last]: [&[V]; 2],
        [first_squares, last_squares]: [&[f64]; 2],
    ) {
        let width = if WIDTH > 0 { WIDTH } else { width };
        let mut limits = SmallVec::<[f64; 2 * LANES]>::from_elem(0.0, width);
        for (first, last) in first.chunks(LANES).zip(last.chunks(LANES)) {
            let mut limits = limits.iter_mut();
            for (first, last) in first.iter().zip(last) {
                for ((a, b), limit) in first.components().zip(last.components()).zip(&mut limits) {
                    *limit += a * a + b * b;
                }
            }
        }
        for output in 0..outputs {
            let limit = ROUNDING * limits.iter().skip(output).step_by(outputs).sum::<f64>();
            limits.iter_mut().skip(output).step_by(outputs).for_each(|lane| *lane = limit);
        }
        let mut sums = SmallVec::<[f64; 2 * LANES]>::from_elem(0.0, width);
        let mut groups = SmallVec::<[f64; 2 * LANES]>::from_elem(0.0, width);
        for (first, last) in first_squares.chunks(width).zip(last_squares.chunks(width)) {
            for lane in 0..first.len().min(last.len()) {
                let (a, b) = (first[lane], last[lane]);
                let both = a + b;
                let counts = both > limits[lane] && both < f64::INFINITY;
                let ratio = if counts { (a - b) / both } else { 0.0 };
                sums[lane] += ratio * ratio;
                groups[lane] += if counts { 1.0 } else { 0.0 };
            }
        }
        tails.resize(outputs, Self::default());
        for (lane, (&sum, &groups)) in sums.iter().zip(&groups).enumerate() {
            tails[lane % outputs].add(Self { sum, groups });
        }
    }

    fn add(&mut self, other: Self) {
        self.sum += other.sum;
        self.groups += other.groups;
    }

    /// Adds what other samples say; either may say nothing, where the samples are few or from an earlier version.
    pub(super) fn add_all(tails: &mut Vec<Self>, others: &[Self]) {
        if tails.len() < others.len() {
            tails.resize(others.len(), Self::default());
        }
        tails.iter_mut().zip(others).for_each(|(tail, other)| tail.add(*other));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(squares: [&[f64]; 2], sums: [&[f64]; 2]) -> Vec<Tail> {
        let mut tails = Vec::new();
        Tail::of_groups(&mut tails, sums, squares);
        tails
    }

    #[test]
    fn groups_in_which_one_sample_differs_are_rare_contributions() {
        let sums = [0.0, 1.0, 2.0, 0.0, 0.0, 3.0];
        let one = of([&[0.0, 0.5, 0.0, 0.0, 0.0, 9.0], &[0.5, 0.0, 0.0, 0.0, 4.0, 0.0]], [&sums, &sums]);
        assert_eq!(one, [Tail { sum: 4.0, groups: 4.0 }]);
        assert!(one[0].weight() >= 1.0);
        let even = of([&[2.0; 6], &[2.0; 6]], [&sums, &sums]);
        assert_eq!(even, [Tail { sum: 0.0, groups: 6.0 }]);
        assert!(even[0].weight() <= 0.0);
        let half = of([&[3.0, 0.0], &[1.0, 0.0]], [&[1.0; 2], &[1.0; 2]]);
        assert_eq!(half, [Tail { sum: 0.25, groups: 1.0 }]);
    }

    #[test]
    fn rounding_and_overflow_say_nothing() {
        let sums = [1.0, 1e8, -3.0];
        let none = of([&[0.0, 1e-6, f64::INFINITY], &[1e-14, 0.0, 1.0]], [&sums, &sums]);
        assert_eq!(none, [Tail::default()]);
        assert_eq!(none[0].weight().to_bits(), 0.5_f64.to_bits());
    }

    #[test]
    fn each_output_has_its_own() {
        let (mut tails, sums) = (Vec::new(), [[1.0, 0.0]; 5]);
        let first = [1.0, 0.0, 1.0, 3.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0];
        Tail::of_groups(&mut tails, [&sums, &sums], [&first, &[1.0; 10]]);
        assert_eq!(tails, [Tail { sum: 0.0, groups: 5.0 }, Tail { sum: 4.25, groups: 5.0 }]);
        let mut all = Vec::new();
        Tail::add_all(&mut all, &tails);
        Tail::add_all(&mut all, &[]);
        Tail::add_all(&mut all, &tails);
        assert_eq!(all, [Tail { sum: 0.0, groups: 10.0 }, Tail { sum: 8.5, groups: 10.0 }]);
    }
}
