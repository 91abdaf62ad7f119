//! Sums and squared deviations of numbered samples, merged in an order that depends on the samples' numbers alone.
//!
//! Samples 2k and 2k + 1 are merged, then pairs of pairs, up a binary tree: whoever made which sample, in whatever order
//! they came, in one run or in several, the same samples leave the same bits. Merging is that of Chan, Golub & LeVeque
//! (1983), "Algorithms for computing the sample variance: analysis and recommendations", *The American Statistician*
//! 37(3), 242–247, doi:10.1080/00031305.1983.10483115, whose pairwise form also has the smallest rounding errors.

use std::ops::Range;
use std::sync::Arc;

use crate::Value;
use crate::parts::joined;

/// The components of the values of both, side by side.
fn components_of_both<'a, V: Value>(a: &'a [V], b: &'a [V]) -> impl Iterator<Item = (f64, f64)> {
    a.iter().zip(b).flat_map(|(a, b)| a.components().zip(b.components()))
}

/// The square; not zero unless the number is, so that samples that differ never look alike.
fn squared(x: f64) -> f64 {
    let least = if x.abs() > 0.0 { f64::MIN_POSITIVE } else { 0.0 };
    (x * x).max(least)
}

/// What an aligned range of 2^level samples comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node<V> {
    /// The number of the first sample.
    pub(crate) start: u64,
    pub(crate) level: u32,
    /// For each player the sum of the samples.
    pub(crate) sums: Vec<V>,
    /// For each component of each player's value, player 0 first, the sum of the squared deviations from the mean; of a
    /// single sample, nothing. Floats, since squares of values may not fit the values' type.
    pub(crate) squares: Vec<f64>,
}

impl<V> Node<V> {
    pub(crate) fn samples(&self) -> Range<u64> {
        self.start..self.start + (1 << self.level)
    }
}

impl<V: Value> Node<V> {
    /// Adds the node of the next 2^level samples, whose buffers are then free.
    fn merge(&mut self, next: &Self) {
        // δ² · k k / (k + k) for the difference δ of two means of k samples is the squared difference of their sums / 2k.
        let weight = 0.5 / (1_u64 << self.level) as f64;
        let both = components_of_both(&self.sums, &next.sums);
        if self.level == 0 {
            self.squares.clear();
            self.squares.reserve(self.sums.len());
            both.for_each(|(a, b)| self.squares.push(squared(a - b) * weight));
        } else {
            let squares = self.squares.iter_mut().zip(&next.squares);
            squares.for_each(|(square, other)| *square += other);
            let mut squares = self.squares.iter_mut();
            let mut add = |square: f64| squares.next().into_iter().for_each(|sum| *sum += square);
            both.for_each(|(a, b)| add(squared(a - b) * weight));
        }
        for (sum, other) in self.sums.iter_mut().zip(&next.sums) {
            sum.add_assign(other);
        }
        self.level += 1;
    }
}

/// Any set of samples, as the nodes that could not be merged further: about two for each contiguous range and level.
#[derive(Clone, Debug)]
pub(crate) struct Moments<V> {
    /// By their first sample.
    nodes: Vec<Node<V>>,
    /// Buffers to use again, of sums and of squares.
    spare: (Vec<Vec<V>>, Vec<Vec<f64>>),
    /// Numbers, ascending: no node has samples from both sides of one.
    cuts: Arc<[u64]>,
}

impl<V: PartialEq> PartialEq for Moments<V> {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes
    }
}

impl<V: Value> Moments<V> {
    pub(crate) fn new() -> Self {
        Self::cut_at(Arc::default())
    }

    /// A set whose samples before each of the numbers can be told from those after it.
    pub(crate) fn cut_at(cuts: Arc<[u64]>) -> Self {
        Self { nodes: Vec::new(), spare: (Vec::new(), Vec::new()), cuts }
    }

    /// A set like this one, with no samples.
    pub(crate) fn emptied(&self) -> Self {
        Self::cut_at(Arc::clone(&self.cuts))
    }

    pub(crate) fn nodes(&self) -> &[Node<V>] {
        &self.nodes
    }

    /// The number of samples.
    pub(crate) fn len(&self) -> u64 {
        self.nodes.iter().map(|node| 1 << node.level).sum()
    }

    /// The contiguous ranges of samples, in ascending order.
    pub(crate) fn ranges(&self) -> Vec<Range<u64>> {
        joined(self.nodes.iter().map(Node::samples))
    }

    /// The first range of numbers that no sample has, which is all from the last one on unless a run was ended in the
    /// middle.
    pub(crate) fn missing(&self) -> Range<u64> {
        let mut end = 0;
        for samples in self.ranges() {
            if samples.start > end {
                return end..samples.start;
            }
            end = samples.end;
        }
        end..u64::MAX
    }

    /// A buffer to put a sample into; it may have other things in it.
    pub(crate) fn buffer(&mut self) -> Vec<V> {
        self.spare.0.pop().unwrap_or_default()
    }

    /// Gives back the memory of buffers, once no more samples come.
    pub(crate) fn free_buffers(&mut self) {
        self.spare = (Vec::new(), Vec::new());
    }

    /// Adds one sample.
    pub(crate) fn add(&mut self, number: u64, sample: Vec<V>) {
        let mut squares = self.spare.1.pop().unwrap_or_default();
        squares.clear();
        self.insert(Node { start: number, level: 0, sums: sample, squares });
    }

    /// Adds all samples of another set, which has none in common with this one.
    pub(crate) fn absorb(&mut self, other: &mut Self) {
        for node in other.nodes.drain(..) {
            self.insert(node);
        }
        // Buffers go back to where samples are made: they would pile up here, and be missed there. A few are enough.
        other.spare.0.extend(self.spare.0.drain(self.spare.0.len().saturating_sub(4)..));
        other.spare.1.extend(self.spare.1.drain(self.spare.1.len().saturating_sub(4)..));
    }

    /// Adds a node whose samples are not there yet.
    pub(crate) fn insert(&mut self, node: Node<V>) {
        let mut at = match self.nodes.last() {
            Some(last) if last.start > node.start => self.nodes.partition_point(|other| other.start < node.start),
            _ => self.nodes.len(),
        };
        self.nodes.insert(at, node);
        while let Some(left) = self.halves(at) {
            let right = self.nodes.remove(left + 1);
            self.nodes[left].merge(&right);
            self.spare.0.push(right.sums);
            self.spare.1.push(right.squares);
            at = left;
        }
    }

    /// Where the first of two neighbours is that are the halves of one node of the tree, one of them being at `at`.
    fn halves(&self, at: usize) -> Option<usize> {
        let node = self.nodes.get(at)?;
        let sibling = (node.start ^ (1 << node.level), node.level);
        let beside = if sibling.0 > node.start { at + 1 } else { at.checked_sub(1)? };
        let other = self.nodes.get(beside)?;
        let start = node.start.min(other.start);
        let is_one = (other.start, other.level) == sibling && !self.is_cut(&(start..start + (2 << node.level)));
        is_one.then_some(at.min(beside))
    }

    /// Whether samples of a range must be told from others of it.
    pub(crate) fn is_cut(&self, samples: &Range<u64>) -> bool {
        let first = self.cuts.partition_point(|&cut| cut <= samples.start);
        self.cuts.get(first).is_some_and(|&cut| cut < samples.end)
    }
}

/// Sums and squared deviations of all samples of several sets.
#[derive(Debug)]
pub(crate) struct Total<V> {
    pub(crate) samples: u64,
    sums: Vec<V>,
    squares: Vec<f64>,
}

impl<V: Value> Total<V> {
    /// Merges what is in `sets`, small ones first and in an order that depends on what samples there are; `None` if there
    /// are none.
    pub(crate) fn of<'a>(sets: impl DoubleEndedIterator<Item = &'a Moments<V>>) -> Option<Self>
    where
        V: 'a,
    {
        let mut nodes = sets.rev().flat_map(|set| set.nodes.iter().rev());
        let first = nodes.next()?;
        let mut squares = first.squares.clone();
        if first.level == 0 {
            squares = vec![0.0; first.sums.iter().flat_map(V::components).count()];
        }
        let mut total = Self { samples: 1 << first.level, sums: first.sums.clone(), squares };
        nodes.for_each(|node| total.add(node));
        Some(total)
    }

    fn add(&mut self, node: &Node<V>) {
        let (mine, theirs) = (self.samples as f64, (1_u64 << node.level) as f64);
        // δ² · k l / (k + l) for the difference δ of a mean of k and a mean of l samples.
        let weight = mine * theirs / (mine + theirs);
        let mut squares = self.squares.iter_mut();
        let mut add = |square: f64| squares.next().into_iter().for_each(|sum| *sum += square);
        components_of_both(&self.sums, &node.sums).for_each(|(a, b)| add(squared(a / mine - b / theirs) * weight));
        self.sums.iter_mut().zip(&node.sums).for_each(|(sum, other)| sum.add_assign(other));
        // Of a single sample there are none.
        self.squares.iter_mut().zip(&node.squares).for_each(|(square, other)| *square += other);
        self.samples = self.samples.saturating_add(1 << node.level);
    }

    /// The means of the samples.
    pub(crate) fn means(&self) -> Vec<V> {
        let mean = |sum: &V| {
            let mut mean = sum.clone();
            mean.scale(1, i128::from(self.samples));
            mean
        };
        self.sums.iter().map(mean).collect()
    }

    /// The standard errors of the means; infinite for a single sample.
    pub(crate) fn std_errors(&self) -> Vec<V> {
        let mut squares = self.squares.iter();
        let mut error = || squares.next().map_or(f64::INFINITY, |&square| self.std_error(square));
        self.sums.iter().map(|sum| sum.zip_with(sum, |_, _| error())).collect()
    }

    /// The largest standard error of all players and components.
    pub(crate) fn largest_std_error(&self) -> f64 {
        let largest = self.squares.iter().fold(0.0, |most: f64, &square| if square > most { square } else { most });
        // What is not a number is not known to be small.
        if self.squares.iter().any(|square| square.is_nan()) { f64::INFINITY } else { self.std_error(largest) }
    }

    fn std_error(&self, square: f64) -> f64 {
        let samples = self.samples as f64;
        if self.samples > 1 { (square / (samples - 1.0) / samples).sqrt() } else { f64::INFINITY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(number: u64) -> Vec<f64> {
        (0..3).map(|player| ((number * 7 + player * 5) as f64).sin() * 10.0 + 3.0).collect()
    }

    fn of(numbers: impl IntoIterator<Item = u64>) -> Moments<f64> {
        let mut moments = Moments::new();
        numbers.into_iter().for_each(|number| moments.add(number, sample(number)));
        moments
    }

    #[test]
    fn any_order_leaves_the_same_bits() {
        for count in [1, 2, 3, 7, 8, 13, 64, 100] {
            let ascending = of(0..count);
            assert_eq!(ascending.nodes.len(), count.count_ones() as usize);
            assert_eq!(of((0..count).rev()), ascending);
            let shuffled: Vec<u64> = (0..count).map(|k| (k * 61 + 17) % 101).filter(|&k| k < count).collect();
            let rest = (0..count).filter(|k| !shuffled.contains(k));
            assert_eq!(of(shuffled.iter().copied().chain(rest)), ascending);
            for cut in 0..=count {
                let mut joined = of(cut..count);
                joined.absorb(&mut of(0..cut));
                assert_eq!(joined, ascending);
            }
        }
    }

    #[test]
    fn ranges_are_what_was_added() {
        assert!(of([]).ranges().is_empty());
        assert_eq!(of([5, 0, 1, 2, 6, 9]).ranges(), [0..3, 5..7, 9..10]);
        assert_eq!(of([5, 0, 1, 2, 6, 9]).len(), 6);
        assert_eq!(
            [of([]), of([0, 1, 2]), of([1]), of([0, 2, 4])].map(|set| set.missing()),
            [0..u64::MAX, 3..u64::MAX, 0..1, 1..2]
        );
    }

    #[test]
    fn means_and_errors_are_those_of_the_textbook() {
        for count in [2_u64, 3, 5, 31, 100] {
            let total = Total::of([&of(0..count / 3), &of(count / 3..count)].into_iter()).expect("samples");
            assert_eq!(total.samples, count);
            for player in 0..3 {
                let samples: Vec<f64> = (0..count).map(|number| sample(number)[player]).collect();
                let mean = samples.iter().sum::<f64>() / count as f64;
                let variance = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1) as f64;
                assert!((total.means()[player] - mean).abs() < 1e-13);
                let error = total.std_errors()[player];
                assert!((error - (variance / count as f64).sqrt()).abs() < 1e-13);
            }
        }
    }
}
