//! Sums and squared deviations of numbered samples: what means and, by `spread.rs`, standard errors of estimates are
//! made of.
//!
//! Nodes merge as Chan, Golub & LeVeque have it (1983, "Algorithms for computing the sample variance: analysis and
//! recommendations", *The American Statistician* 37(3), 242–247, doi:10.1080/00031305.1983.10483115), whose pairwise
//! form also has the smallest rounding errors.

use std::sync::Arc;

use super::tails::Tail;
use crate::Value;
use crate::engine::tree::{Node, Tree};

/// The level of a tree's root: more samples than 2^60 are never made.
pub(crate) const HEIGHT: u32 = 60;

/// The tree of the samples of one seed.
pub(crate) type SampleTree<V> = Tree<BoxedNode<V>>;

/// A node that is moved by its pointer alone, since it moves at every merge.
pub(crate) type BoxedNode<V> = Box<SampleNode<V>>;

/// The components of the values of both, side by side.
fn components_of_both<'a, V: Value>(a: &'a [V], b: &'a [V]) -> impl Iterator<Item = (f64, f64)> {
    a.iter().zip(b).flat_map(|(a, b)| a.components().zip(b.components()))
}

/// The square; not zero unless the number is, so that samples that differ never look alike.
fn squared(x: f64) -> f64 {
    // Without a branch, which is mispredicted where samples are alike now and then. What is not zero, however small, is
    // above the least normal number after it is multiplied.
    let least = (x.abs() * 1e300).min(f64::MIN_POSITIVE);
    (x * x).max(least)
}

/// The sums over 2^level consecutive samples.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SampleNode<V> {
    pub(crate) level: u32,
    /// For each player the sum of the samples.
    pub(crate) sums: Vec<V>,
    /// For each component of each player's value, player 0 first, the sum of the squared deviations from the mean; of a
    /// single sample, nothing. Floats, since squares of values may not fit the values' type.
    pub(crate) squares: Vec<f64>,
    /// For each output what groups of four samples say of its tails; of fewer than four samples, nothing.
    pub(crate) tails: Vec<Tail>,
}

impl<V> Node for SampleNode<V> {
    fn level(&self) -> u32 {
        self.level
    }
}

impl<V> SampleNode<V> {
    fn empty() -> Self {
        Self { level: 0, sums: Vec::new(), squares: Vec::new(), tails: Vec::new() }
    }
}

impl<V: Value> SampleNode<V> {
    /// Adds the node of the next 2^level samples.
    pub(crate) fn merge(&mut self, next: &Self) {
        // δ² · k k / (k + k) for the difference δ of two means of k samples is the squared difference of their sums /
        // 2k.
        let weight = 0.5 / (1_u64 << self.level) as f64;
        let both = components_of_both(&self.sums, &next.sums);
        if self.level == 0 {
            self.squares.clear();
            self.squares.reserve(self.sums.len());
            both.for_each(|(a, b)| self.squares.push(squared(a - b) * weight));
        } else {
            if self.level == 1 {
                Tail::of_groups(&mut self.tails, [&self.sums, &next.sums], [&self.squares, &next.squares]);
            } else {
                Tail::add_all(&mut self.tails, &next.tails);
            }
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

/// Samples of one thread on their way to a tree, with buffers to use again.
#[derive(Debug)]
pub(crate) struct Moments<V> {
    tree: SampleTree<V>,
    spare: Vec<BoxedNode<V>>,
}

impl<V: Value> Moments<V> {
    /// More buffers than this are not kept.
    const MOST_SPARE: usize = 16;

    pub(crate) fn of(tree: SampleTree<V>) -> Self {
        Self { tree, spare: Vec::new() }
    }

    /// A node to put a sample into; there may be other values in it.
    pub(crate) fn buffer(&mut self) -> BoxedNode<V> {
        self.spare.pop().unwrap_or_else(|| Box::new(SampleNode::empty()))
    }

    /// Adds one sample.
    pub(crate) fn add(&mut self, number: u64, mut sample: BoxedNode<V>) {
        sample.level = 0;
        sample.squares.clear();
        sample.tails.clear();
        insert(&mut self.tree, number, sample, &mut self.spare);
    }

    /// Moves all samples to a tree that has none of them.
    pub(crate) fn move_to(&mut self, tree: &mut SampleTree<V>) {
        for (start, node) in self.tree.drain() {
            insert(tree, start, node, &mut self.spare);
        }
    }

    /// Takes all samples out.
    pub(crate) fn take(&mut self) -> Self {
        let empty = self.tree.emptied();
        Self::of(std::mem::replace(&mut self.tree, empty))
    }
}

/// Adds a node to a tree, and keeps the buffers of merged nodes for later samples.
fn insert<V: Value>(tree: &mut SampleTree<V>, start: u64, node: BoxedNode<V>, spare: &mut Vec<BoxedNode<V>>) {
    tree.insert(start, node, |lower, upper| {
        lower.merge(&upper);
        if spare.len() < Moments::<V>::MOST_SPARE {
            spare.push(upper);
        }
    });
}

/// An empty tree that keeps the samples before each cut apart from those after it.
pub(crate) fn sample_tree<V: Value>(cuts: Arc<[u64]>) -> SampleTree<V> {
    Tree::cut_at(HEIGHT, cuts)
}

/// Sums and squared deviations of all samples of several sets.
#[derive(Debug)]
pub(crate) struct Total<V> {
    pub(crate) samples: u64,
    sums: Vec<V>,
    pub(super) squares: Vec<f64>,
    pub(super) tails: Vec<Tail>,
}

impl<V: Value> Total<V> {
    /// Merges what is in `sets`, small ones first and in an order that depends on what samples there are; `None` if
    /// there are none.
    pub(crate) fn of<'a>(sets: impl DoubleEndedIterator<Item = &'a SampleTree<V>>) -> Option<Self>
    where
        V: 'a,
    {
        let mut nodes = sets.rev().flat_map(|set| set.iter().rev().map(|(_, node)| node));
        let first = nodes.next()?;
        let mut squares = first.squares.clone();
        if first.level == 0 {
            squares = vec![0.0; first.sums.iter().flat_map(V::components).count()];
        }
        let (sums, tails) = (first.sums.clone(), first.tails.clone());
        let mut total = Self { samples: 1 << first.level, sums, squares, tails };
        nodes.for_each(|node| total.add(node));
        Some(total)
    }

    fn add(&mut self, node: &SampleNode<V>) {
        let (mine, theirs) = (self.samples as f64, (1_u64 << node.level) as f64);
        // δ² · k l / (k + l) for the difference δ of a mean of k and a mean of l samples.
        let weight = mine * theirs / (mine + theirs);
        let mut squares = self.squares.iter_mut();
        let mut add = |square: f64| squares.next().into_iter().for_each(|sum| *sum += square);
        components_of_both(&self.sums, &node.sums).for_each(|(a, b)| add(squared(a / mine - b / theirs) * weight));
        self.sums.iter_mut().zip(&node.sums).for_each(|(sum, other)| sum.add_assign(other));
        // Of a single sample there are none.
        self.squares.iter_mut().zip(&node.squares).for_each(|(square, other)| *square += other);
        Tail::add_all(&mut self.tails, &node.tails);
        self.samples = self.samples.saturating_add(1 << node.level);
    }

    /// The components of a value.
    pub(super) fn outputs(&self) -> usize {
        self.squares.len() / self.sums.len().max(1)
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

    /// Numbers for the components of all players, as values.
    pub(super) fn values_of(&self, numbers: &[f64]) -> Vec<V> {
        let mut numbers = numbers.iter();
        let mut next = || numbers.next().copied().unwrap_or(f64::INFINITY);
        self.sums.iter().map(|sum| sum.zip_with(sum, |_, _| next())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_zero_of_zero_alone() {
        for zero in [0.0, -0.0] {
            assert_eq!(squared(zero).to_bits(), 0);
        }
        for (x, square) in [
            (5e-324, f64::MIN_POSITIVE),
            (-1e-308, f64::MIN_POSITIVE),
            (1e-160, f64::MIN_POSITIVE),
            (-1e-153, 1e-153 * 1e-153),
            (0.1, 0.1 * 0.1),
            (-1e160, f64::INFINITY),
            (f64::MAX, f64::INFINITY),
        ] {
            assert_eq!(squared(x).to_bits(), square.to_bits(), "{x}");
        }
    }

    fn sample(number: u64) -> Vec<f64> {
        (0..3).map(|player| ((number * 7 + player * 5) as f64).sin() * 10.0 + 3.0).collect()
    }

    fn of(numbers: impl IntoIterator<Item = u64>) -> SampleTree<f64> {
        let mut tree = sample_tree(Arc::default());
        let mut moments = Moments::of(tree.emptied());
        for number in numbers {
            let mut node = moments.buffer();
            node.sums = sample(number);
            moments.add(number, node);
        }
        moments.move_to(&mut tree);
        tree
    }

    fn joined(mut tree: SampleTree<f64>, other: SampleTree<f64>) -> SampleTree<f64> {
        Moments::of(other).move_to(&mut tree);
        tree
    }

    #[test]
    fn any_order_leaves_the_same_bits() {
        for count in [1, 2, 3, 7, 8, 13, 64, 100] {
            let ascending = of(0..count);
            assert_eq!(ascending.iter().count(), count.count_ones() as usize);
            assert_eq!(of((0..count).rev()), ascending);
            let shuffled: Vec<u64> = (0..count).map(|k| (k * 61 + 17) % 101).filter(|&k| k < count).collect();
            let rest = (0..count).filter(|k| !shuffled.contains(k));
            assert_eq!(of(shuffled.iter().copied().chain(rest)), ascending);
            for cut in 0..=count {
                assert_eq!(joined(of(cut..count), of(0..cut)), ascending);
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
                assert!((total.squares[player] / (count - 1) as f64 / variance - 1.0).abs() < 1e-12);
            }
        }
    }
}
