//! The tree from blocks up to the whole game, as far as its nodes are there.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::{Mutex, PoisonError};

use super::rows::{Rows, Shape};
use super::sums::Sums;
use super::{Exact, fold, stream};
use crate::parts::joined;
#[cfg(feature = "serde")]
use crate::weights::binomial;
use crate::{Error, Progress, TryGame, Value};

/// The tree of a game: which blocks there are, and how their sums lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) players: usize,
    pub(crate) order: usize,
    pub(crate) block_bits: usize,
}

impl Frame {
    pub(crate) fn new<V>(players: usize, order: usize) -> Self {
        Self { players, order, block_bits: fold::block_bits::<V>(players, order) }
    }

    /// The number of blocks.
    pub(crate) fn blocks(self) -> u64 {
        1 << (self.players - self.block_bits)
    }

    fn shape(self) -> Shape {
        Shape::new(self.players, self.order)
    }

    /// The blocks of a node that begins at one.
    fn range<V>(self, start: u64, rows: &Rows<V>) -> Range<u64> {
        start..start + (1 << (rows.players - self.block_bits))
    }
}

/// The sums of any set of blocks, as the nodes that could not be merged further: about two for each contiguous range and
/// level.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Nodes<V> {
    pub(crate) frame: Frame,
    /// By their first block.
    nodes: BTreeMap<u64, Rows<V>>,
}

impl<V: Value> Nodes<V> {
    pub(crate) fn new(frame: Frame) -> Self {
        Self { frame, nodes: BTreeMap::new() }
    }

    /// The nodes, each with its first block.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &Rows<V>)> {
        self.nodes.iter().map(|(&start, rows)| (start, rows))
    }

    /// The contiguous ranges of blocks, in ascending order.
    pub(crate) fn ranges(&self) -> Vec<Range<u64>> {
        joined(self.iter().map(|(start, rows)| self.frame.range(start, rows)))
    }

    /// v(∅), if the first block is here.
    pub(crate) fn baseline(&self) -> Option<&V> {
        self.nodes.get(&0)?.entries.first()
    }

    /// v(N), if the last block is here.
    pub(crate) fn grand(&self) -> Option<&V> {
        let (&start, rows) = self.nodes.last_key_value()?;
        let is_last = self.frame.range(start, rows).end == self.frame.blocks();
        // The row of no players is the first: values by size.
        rows.entries.get(rows.players).filter(|_| is_last)
    }

    /// Adds a node from a file behind the last one, or says why it cannot be one.
    #[cfg(feature = "serde")]
    pub(crate) fn push(&mut self, start: u64, rows: Rows<V>) -> Result<(), String> {
        let (Frame { order, .. }, free) = (self.frame, rows.players);
        let size = 1 << (free - self.frame.block_bits);
        if !start.is_multiple_of(size) {
            return Err("nodes start at multiples of their size".to_owned());
        }
        if start >= self.frame.blocks() {
            return Err(format!("there are {} blocks", self.frame.blocks()));
        }
        if let Some((&last, other)) = self.nodes.last_key_value() {
            if start < self.frame.range(last, other).end {
                return Err("nodes ascend, and no two have a block in common".to_owned());
            }
            if start == last ^ size && other.players == free {
                return Err("the one before is its other half, and is not merged with it".to_owned());
            }
        }
        let wanted: i128 = (0..=order.min(free)).map(|k| binomial(free, k) * (free - k + 1) as i128).sum();
        if rows.entries.len() as i128 != wanted {
            return Err(format!("{} sums, not {wanted}", rows.entries.len()));
        }
        self.nodes.insert(start, rows);
        Ok(())
    }

    /// All nodes of both, which have no block in common.
    pub(super) fn merge(&mut self, others: Self) {
        if self.nodes.is_empty() {
            *self = others;
        } else if !others.nodes.is_empty() {
            let shape = self.frame.shape();
            let mine = std::mem::replace(self, Self::new(self.frame));
            let tree = Tree { shape: &shape, nodes: Mutex::new(mine) };
            others.nodes.into_iter().for_each(|(start, rows)| tree.insert(start, rows));
            *self = tree.into_nodes();
        }
    }

    /// The sums of the whole game, if all blocks are here.
    pub(super) fn into_sums(mut self) -> Option<Sums<V>> {
        let root = self.nodes.remove(&0).filter(|rows| rows.players == self.frame.players)?;
        Some(Sums::new(self.frame.shape(), root))
    }
}

/// The sums of a range of a game's blocks: the one way from values to results.
///
/// Costs an evaluation and a few additions a value, and memory for O(n^order) sums a thread and level of the tree. `made`
/// evaluations were made before, which an observer is to see.
pub(super) fn of_blocks<G, F>(
    game: &G,
    options: &Exact<F>,
    frame: Frame,
    blocks: Range<u64>,
    made: u64,
) -> Result<Nodes<G::Value>, Error<G::Error>>
where
    G: TryGame + ?Sized,
    F: Fn(&Progress) -> ControlFlow<()> + Sync,
{
    let Frame { players, order, block_bits } = frame;
    let shape = frame.shape();
    let tree = Tree { shape: &shape, nodes: Mutex::new(Nodes::new(frame)) };
    stream::stream(game, options, players, block_bits, blocks, made, |first, block| {
        let rows = fold::fold(block, order);
        // A sum of values is finite only if all of them are.
        let totals = &rows.entries[..=rows.players];
        if !totals.iter().all(Value::is_finite) {
            stream::check_block(players, first, block)?;
        }
        tree.insert(first >> block_bits, rows);
        Ok(())
    })?;
    Ok(tree.into_nodes())
}

/// Nodes that several threads add to. Blocks come in nearly their order, so there are few: some a thread at the blocks'
/// level, and about one at each level above.
struct Tree<'a, V> {
    shape: &'a Shape,
    nodes: Mutex<Nodes<V>>,
}

impl<V: Value> Tree<'_, V> {
    /// Takes a node, and merges upwards as far as the other halves are there. Nothing of the value type runs while the lock
    /// is held.
    fn insert(&self, mut start: u64, mut rows: Rows<V>) {
        loop {
            let (half, other) = {
                let mut guard = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
                let Nodes { frame, nodes } = &mut *guard;
                let half = 1 << (rows.players - frame.block_bits);
                let beside = start ^ half;
                let is_other = |other: &Rows<V>| other.players == rows.players && rows.players < frame.players;
                match if nodes.get(&beside).is_some_and(is_other) { nodes.remove(&beside) } else { None } {
                    Some(other) => (half, other),
                    None => {
                        nodes.insert(start, rows);
                        return;
                    }
                }
            };
            let (lower, upper) = if start & half == 0 { (&rows, &other) } else { (&other, &rows) };
            let entries = self.shape.merge(rows.players, &lower.entries, &upper.entries, 1);
            rows = Rows { players: rows.players + 1, entries };
            start &= !half;
        }
    }

    fn into_nodes(self) -> Nodes<V> {
        self.nodes.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
