//! Sums of derivatives over a cube of coalitions: which there are, where they lie, and how two halves merge.

use crate::Value;
use crate::engine::tree::Node;
use crate::value::difference;

/// Which sets of players have a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    pub(super) order: usize,
    /// The sets of at most `order` players, as masks, ascending. Those of the first b players are a prefix.
    pub(super) sets: Vec<u64>,
    /// How many of them are sets of the first b players, for b = 0 to n.
    counts: Vec<usize>,
}

/// The sums of a cube: of the coalitions whose members among the first `players` players are free and whose other
/// members are fixed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rows<V> {
    pub(crate) players: usize,
    /// The base-two logarithm of the number of blocks that the cube has.
    pub(crate) level: u32,
    /// Row after row in the order of [`Shape::sets`]; that of a set K has sizes 0 to `players` − |K|.
    pub(crate) entries: Vec<V>,
}

impl<V> Node for Rows<V> {
    fn level(&self) -> u32 {
        self.level
    }
}

impl Shape {
    pub(super) fn new(players: usize, order: usize) -> Self {
        let (mut sets, mut counts) = (vec![0_u64], vec![1]);
        for player in 0..players {
            for k in 0..sets.len() {
                if (sets[k].count_ones() as usize) < order {
                    sets.push(sets[k] | 1 << player);
                }
            }
            counts.push(sets.len());
        }
        Self { order, sets, counts }
    }

    /// The number of entries of a cube of `players` players.
    #[cfg(feature = "serde")]
    pub(super) fn len(&self, players: usize) -> usize {
        self.sets[..self.counts[players]].iter().map(|set| players - set.count_ones() as usize + 1).sum()
    }

    /// The sets that a cube of `players` players has rows for, each with its row. Each entry of a row is `lanes`
    /// values wide.
    pub(super) fn rows<'a, V>(
        &'a self,
        players: usize,
        entries: &'a [V],
        lanes: usize,
    ) -> impl Iterator<Item = (u64, &'a [V])> {
        let mut rest = entries;
        self.sets[..self.counts[players]].iter().map(move |&set| {
            let (row, others) = rest.split_at((players - set.count_ones() as usize + 1) * lanes);
            rest = others;
            (set, row)
        })
    }

    /// The entries of a cube of `players` + 1 from those of its halves, without and with the last player.
    ///
    /// For a set without that player: the sums of both, those of the upper half one size up. For a set with it: the
    /// differences.
    pub(super) fn merge<V: Value>(&self, players: usize, lower: &[V], upper: &[V], lanes: usize) -> Vec<V> {
        let halves = || {
            let upper = self.rows(players, upper, lanes);
            self.rows(players, lower, lanes).zip(upper).map(|((set, low), (_, high))| (set, low, high))
        };
        let mut entries = Vec::with_capacity(2 * lower.len() + self.counts[players + 1] * lanes);
        for (_, low, high) in halves() {
            let (only_low, low) = low.split_at(lanes);
            let (high, only_high) = high.split_at(high.len() - lanes);
            entries.extend_from_slice(only_low);
            entries.extend(low.iter().zip(high).map(|(low, high)| {
                let mut sum = low.clone();
                sum.add_assign(high);
                sum
            }));
            entries.extend_from_slice(only_high);
        }
        for (_, low, high) in halves().filter(|(set, ..)| (set.count_ones() as usize) < self.order) {
            entries.extend(high.iter().zip(low).map(|(high, low)| difference(high, low)));
        }
        entries
    }

    /// The entries of a whole cube from its 2^b leaves, which are `lanes` values each, one after the other.
    pub(super) fn merge_all<V: Value>(&self, leaves: &[V], lanes: usize) -> Vec<V> {
        let players = (leaves.len() / lanes).ilog2() as usize;
        let (lower, upper) = leaves.split_at(leaves.len() / 2);
        match players {
            0 => leaves.to_vec(),
            1 => self.merge(0, lower, upper, lanes),
            _ => self.merge(players - 1, &self.merge_all(lower, lanes), &self.merge_all(upper, lanes), lanes),
        }
    }
}
