//! The summation tree: aligned nodes over numbered units, merged in an order that depends on their numbers alone.
//!
//! A unit is what a solver adds up: a block of coalitions, or a sample. Units 2k and 2k + 1 merge, then pairs of pairs,
//! up a binary tree. Who computed which unit, in what order units came in, and in how many processes makes no
//! difference: the same units leave the same bits. Changing where nodes merge changes the last bits of every result.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// What the tree holds at a node: the sums over 2^level consecutive units.
pub(crate) trait Node {
    /// The base-two logarithm of the number of units.
    fn level(&self) -> u32;
}

impl<N: Node> Node for Box<N> {
    fn level(&self) -> u32 {
        (**self).level()
    }
}

/// Any set of units, as the nodes that could not be merged further: about two for each contiguous range and level.
#[derive(Clone, Debug)]
pub(crate) struct Tree<N> {
    /// By their first unit.
    nodes: Vec<(u64, N)>,
    /// The level of the root, above which nothing merges.
    height: u32,
    /// Ascending unit numbers: no node has units from both sides of one.
    cuts: Arc<[u64]>,
}

/// Trees are equal if they hold the same nodes.
impl<N: PartialEq> PartialEq for Tree<N> {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes
    }
}

impl<N: Node> Tree<N> {
    /// An empty tree whose root covers 2^`height` units.
    pub(crate) fn new(height: u32) -> Self {
        Self { nodes: Vec::new(), height, cuts: Arc::default() }
    }

    /// An empty tree that keeps the units before each cut apart from those after it.
    pub(crate) fn cut_at(height: u32, cuts: Arc<[u64]>) -> Self {
        Self { nodes: Vec::new(), height, cuts }
    }

    /// An empty tree with the same height and cuts.
    pub(crate) fn emptied(&self) -> Self {
        Self::cut_at(self.height, Arc::clone(&self.cuts))
    }

    /// The nodes, each with its first unit, in ascending order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &N)> {
        self.nodes.iter().map(|(start, node)| (*start, node))
    }

    /// Removes all nodes and returns them, each with its first unit.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (u64, N)> {
        self.nodes.drain(..)
    }

    /// The number of units.
    pub(crate) fn len(&self) -> u64 {
        self.nodes.iter().map(|(_, node)| 1 << node.level()).sum()
    }

    /// The contiguous ranges of units, in ascending order.
    pub(crate) fn ranges(&self) -> Vec<Range<u64>> {
        let mut all: Vec<Range<u64>> = Vec::new();
        for units in self.iter().map(units) {
            match all.last_mut() {
                Some(last) if last.end == units.start => last.end = units.end,
                _ => all.push(units),
            }
        }
        all
    }

    /// The first range of units that are missing; it ends at `u64::MAX` unless later units are here.
    pub(crate) fn missing(&self) -> Range<u64> {
        let ranges = self.ranges();
        match &ranges[..] {
            [first, second, ..] if first.start == 0 => first.end..second.start,
            [first] if first.start == 0 => first.end..u64::MAX,
            [first, ..] => 0..first.start,
            [] => 0..u64::MAX,
        }
    }

    /// The node that starts at a unit.
    pub(crate) fn node_at(&self, start: u64) -> Option<&N> {
        let at = self.nodes.binary_search_by_key(&start, |(start, _)| *start).ok()?;
        Some(&self.nodes[at].1)
    }

    /// The root, once all its units are here.
    pub(crate) fn into_root(mut self) -> Option<N> {
        self.nodes.pop().map(|(_, node)| node).filter(|node| node.level() == self.height)
    }

    /// Adds units that are not here yet, and merges upwards as far as the other halves are here: `merge` adds an upper
    /// half to the lower one.
    pub(crate) fn insert(&mut self, start: u64, node: N, mut merge: impl FnMut(&mut N, N)) {
        let mut at = self.put(start, node);
        while let Some(lower) = self.halves(at) {
            let (_, upper) = self.nodes.remove(lower + 1);
            merge(&mut self.nodes[lower].1, upper);
            at = lower;
        }
    }

    /// Puts a node in its place, which is returned.
    fn put(&mut self, start: u64, node: N) -> usize {
        let at = match self.nodes.last() {
            Some((last, _)) if *last > start => self.nodes.partition_point(|(other, _)| *other < start),
            _ => self.nodes.len(),
        };
        self.nodes.insert(at, (start, node));
        at
    }

    /// The place of the first of two neighbours that are the halves of one node, one of them being at `at`.
    fn halves(&self, at: usize) -> Option<usize> {
        let (start, node) = self.nodes.get(at)?;
        let (level, size) = (node.level(), 1 << node.level());
        let lower = if start & size == 0 { at } else { at.checked_sub(1)? };
        let [(first, a), (second, b)] = self.nodes.get(lower..lower + 2)? else { return None };
        let are_halves = *second == first + size && a.level() == level && b.level() == level;
        (are_halves && level < self.height && !self.is_cut(&(*first..first + 2 * size))).then_some(lower)
    }

    /// Whether a cut separates some of the units from others.
    fn is_cut(&self, units: &Range<u64>) -> bool {
        let first = self.cuts.partition_point(|&cut| cut <= units.start);
        self.cuts.get(first).is_some_and(|&cut| cut < units.end)
    }

    /// Refuses a place that no node behind the last one can have, which a file may say. `limit` is the number
    /// of units that there can be, and `beyond` the error's text for more.
    #[cfg(feature = "serde")]
    pub(crate) fn check_place(&self, start: u64, level: u32, limit: u64, beyond: &str) -> Result<(), String> {
        let size = 1_u64.checked_shl(level).ok_or("a level is at most 63")?;
        let last = self.nodes.last();
        if !start.is_multiple_of(size) || last.is_some_and(|(last, other)| start < units((*last, other)).end) {
            return Err("nodes ascend, start at multiples of their size, and have no unit in common".to_owned());
        }
        if start.checked_add(size).is_none_or(|end| end > limit) {
            return Err(beyond.to_owned());
        }
        if self.is_cut(&(start..start + size)) {
            return Err("it has units from both sides of a look at the intervals".to_owned());
        }
        let parent = start & !size;
        if last.is_some_and(|(last, other)| *last == start ^ size && other.level() == level)
            && !self.is_cut(&(parent..parent + 2 * size))
        {
            return Err("the one before is its other half, and is not merged with it".to_owned());
        }
        Ok(())
    }

    /// Adds a node in a [place](Self::check_place) behind the last one.
    #[cfg(feature = "serde")]
    pub(crate) fn push(&mut self, start: u64, node: N) {
        self.nodes.push((start, node));
    }
}

/// The units of a node.
pub(crate) fn units<N: Node>((start, node): (u64, &N)) -> Range<u64> {
    start..start + (1 << node.level())
}

/// Adds units to a tree that threads share. Nothing of the value type runs while the lock is held: a value may use
/// rayon, which could have this very thread add units of its own.
pub(crate) fn insert_shared<N: Node>(tree: &Mutex<Tree<N>>, start: u64, node: N, merge: impl Fn(&mut N, N)) {
    // The two halves of a node, taken out, if the one that is put in completes it.
    let put = |start, node| {
        let mut tree = tree.lock().unwrap_or_else(PoisonError::into_inner);
        let at = tree.put(start, node);
        let lower = tree.halves(at)?;
        let (_, upper) = tree.nodes.remove(lower + 1);
        Some((tree.nodes.remove(lower), upper))
    };
    let mut next = (start, node);
    while let Some((mut lower, upper)) = put(next.0, next.1) {
        merge(&mut lower.1, upper);
        next = lower;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of how its units were merged.
    #[derive(Clone, Debug, PartialEq)]
    struct Text(u32, String);

    impl Node for Text {
        fn level(&self) -> u32 {
            self.0
        }
    }

    fn merge(lower: &mut Text, upper: Text) {
        *lower = Text(lower.0 + 1, format!("({}{})", lower.1, upper.1));
    }

    fn of(mut tree: Tree<Text>, numbers: impl IntoIterator<Item = u64>) -> Tree<Text> {
        numbers.into_iter().for_each(|number| tree.insert(number, Text(0, number.to_string()), merge));
        tree
    }

    fn texts(tree: &Tree<Text>) -> Vec<&str> {
        tree.iter().map(|(_, node)| node.1.as_str()).collect()
    }

    #[test]
    fn any_order_merges_alike() {
        for count in [1, 2, 3, 7, 8, 13] {
            let ascending = of(Tree::new(40), 0..count);
            assert_eq!(ascending.iter().count(), count.count_ones() as usize);
            assert_eq!(of(Tree::new(40), (0..count).rev()), ascending);
            let shared = Mutex::new(Tree::new(40));
            (0..count).rev().for_each(|k| insert_shared(&shared, k, Text(0, k.to_string()), merge));
            assert_eq!(shared.into_inner().expect("a tree"), ascending);
        }
        assert_eq!(texts(&of(Tree::new(40), 0..7)), ["((01)(23))", "(45)", "6"]);
    }

    #[test]
    fn nothing_merges_above_the_root_or_across_a_cut() {
        assert_eq!(texts(&of(Tree::new(1), 0..4)), ["(01)", "(23)"]);
        assert_eq!(of(Tree::new(2), 0..4).into_root(), Some(Text(2, "((01)(23))".to_owned())));
        assert_eq!(of(Tree::new(2), 1..4).into_root(), None);
        assert_eq!(texts(&of(Tree::cut_at(40, [3, 4].into()), 0..8)), ["(01)", "2", "3", "((45)(67))"]);
    }

    #[test]
    fn ranges_and_what_is_missing() {
        assert!(of(Tree::new(40), []).ranges().is_empty());
        let some = of(Tree::new(40), [5, 0, 1, 2, 6, 9]);
        assert_eq!((some.ranges(), some.len()), (vec![0..3, 5..7, 9..10], 6));
        let missing = [vec![], vec![0, 1, 2], vec![1], vec![0, 2, 4]].map(|units| of(Tree::new(40), units).missing());
        assert_eq!(missing, [0..u64::MAX, 3..u64::MAX, 0..1, 1..2]);
    }
}
