//! Exact solvers by units of blocks: one way from values to results, for one process and for parts of many.

use std::marker::PhantomData;
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Mutex, PoisonError};

use super::rows::{Rows, Shape};
use super::{Exact, Summary, fold};
use crate::engine::ask::ends;
use crate::engine::blocks::{self, check_players};
use crate::engine::partial::{Job, Part, Partial, Summation, Sums};
use crate::engine::tree::{Tree, insert_shared};
use crate::weights::most_order;
use crate::{Error, Progress, TryGame, Value};

/// The sums of discrete derivatives over blocks of coalitions: what parts of an exact solver add up.
#[derive(Clone, Debug, PartialEq)]
pub struct CoalitionSums<V> {
    pub(crate) players: usize,
    pub(crate) order: usize,
    /// A block has 2^`block_bits` coalitions.
    pub(crate) block_bits: usize,
    shape: Arc<Shape>,
    value: PhantomData<V>,
}

/// A part of an exact answer, or several merged.
pub type ExactPartial<V> = Partial<CoalitionSums<V>>;

impl<V: Value> CoalitionSums<V> {
    /// The sums of a game of `players`, or why there are none: no players, more than `most_players`, or no such order.
    pub(crate) fn new<E>(players: usize, order: usize, most_players: usize) -> Result<Self, Error<E>> {
        check_players(players, most_players)?;
        let limit = most_order(players);
        if !(1..=limit).contains(&order) {
            return Err(Error::Order { order, players, limit });
        }
        let block_bits = fold::block_bits::<V>(players, order);
        Ok(Self { players, order, block_bits, shape: Arc::new(Shape::new(players, order)), value: PhantomData })
    }

    /// The level of the root: the game has 2^`height` blocks.
    pub(crate) fn height(&self) -> u32 {
        (self.players - self.block_bits) as u32
    }

    /// The sums of a block.
    pub(crate) fn fold(&self, block: &[V]) -> Rows<V> {
        fold::fold(block, self.order)
    }

    /// v(∅) and v(N), as far as the first and the last block are in a tree.
    pub(crate) fn ends<'t>(&self, tree: &'t Tree<Rows<V>>) -> [Option<&'t V>; 2] {
        let first = tree.node_at(0).and_then(|rows| rows.entries.first());
        let last = tree.iter().next_back().filter(|(start, rows)| start + (1 << rows.level) == self.units());
        // The row of no players is the first: values by size.
        [first, last.and_then(|(_, rows)| rows.entries.get(rows.players))]
    }

    /// The rows that a file has for a node of a level, if they are as many as such a node has.
    #[cfg(feature = "serde")]
    pub(crate) fn rows(&self, level: u32, entries: Vec<V>) -> Result<Rows<V>, String> {
        let players = self.block_bits + level as usize;
        match self.shape.len(players) {
            wanted if wanted == entries.len() => Ok(Rows { players, level, entries }),
            wanted => Err(format!("{} sums, not {wanted}", entries.len())),
        }
    }
}

impl<V: Value> Sums for CoalitionSums<V> {
    type Value = V;
    type Output = Summary<V>;

    fn finish(partial: Partial<Self>) -> Result<Summary<V>, Error> {
        partial.into_summary()
    }
}

impl<V: Value> Summation for CoalitionSums<V> {
    type V = V;
    type Node = Rows<V>;

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![("the number of players", self.players.to_string()), ("the order", self.order.to_string())]
    }

    fn units(&self) -> u64 {
        1 << self.height()
    }

    fn tree(&self) -> Tree<Rows<V>> {
        Tree::new(self.height())
    }

    fn merge(&self, lower: &mut Rows<V>, upper: Rows<V>) {
        lower.entries = self.shape.merge(lower.players, &lower.entries, &upper.entries, 1);
        lower.players += 1;
        lower.level += 1;
    }
}

impl<V: Value> ExactPartial<V> {
    /// The sums of the whole game.
    pub(super) fn into_summary<E>(self) -> Result<Summary<V>, Error<E>> {
        self.job.partition.check_whole(&self.tree.ranges())?;
        let root = self.tree.into_root().expect("nodes of all blocks merge to the root");
        Ok(Summary::new(Arc::unwrap_or_clone(self.job.sums.shape), root))
    }
}

impl<F> Exact<F> {
    /// Part `k` of `of`, the first being part 0, of everything that these options can solve: Shapley values, semivalues
    /// and, with [`Part::order`], interactions. Threads, batches, and observers may differ from part to part.
    ///
    /// A part is a contiguous share of the **blocks** of coalitions that a game is solved in. There is one block for up
    /// to 10 players, then twice as many for each further player up to 256 for 18, and 256 or more beyond. (Where
    /// values take more than some kilobytes each there are more.) Shares differ by a block at most. With more parts
    /// than blocks, some have nothing to do, and may be run all the same.
    pub fn part(self, k: u64, of: u64) -> Part<Self> {
        Part::new(self, k, of)
    }
}

impl<F> Part<Exact<F>> {
    /// The largest number of players whose interactions are wanted: 1 unless set, which is enough for values. See
    /// [`Exact::summary`].
    pub fn order(mut self, order: usize) -> Self {
        self.solver.order = order;
        self
    }
}

impl<F: Fn(&Progress) -> ControlFlow<()> + Sync> Part<Exact<F>> {
    /// Solves the part.
    ///
    /// # Cost
    ///
    /// An evaluation for each coalition of the part; and those of v(∅) and v(N), if they are not among them, by which
    /// parts of different games are told apart: with several parts, 2 more for each, and for the first and the last 1.
    /// The partial result has O(n²) sums for each of at most 2 log₂(2^n) nodes; with an order k, O(n^(k+1)).
    ///
    /// # Errors
    ///
    /// Those of [`Exact::summary`], but for sums that overflow, which the result of [`Partial::finish`] finds;
    /// [`Setting`](Error::Setting) if there is no such part, or there are none.
    ///
    /// # Panics
    ///
    /// If the game or the observer does.
    pub fn run<G: TryGame + ?Sized>(&self, game: &G) -> Result<ExactPartial<G::Value>, Error<G::Error>> {
        let (job, blocks) = self.share(self.solver.sums(game.num_players(), self.solver.order)?)?;
        self.solver.add_blocks(game, job, blocks, None)
    }
}

impl<F> Exact<F> {
    /// What this solver adds up, if the game is within its limits.
    pub(crate) fn sums<V: Value, E>(&self, players: usize, order: usize) -> Result<CoalitionSums<V>, Error<E>> {
        CoalitionSums::new(players, order, self.max_players)
    }
}

impl<F: Fn(&Progress) -> ControlFlow<()> + Sync> Exact<F> {
    /// The partial result of a range of blocks, which may be empty; `known` are v(∅) and v(N), if they are known.
    ///
    /// Costs an evaluation and a few additions a value, and memory for O(n^order) sums a thread and level of the tree.
    pub(crate) fn add_blocks<G: TryGame + ?Sized>(
        &self,
        game: &G,
        job: Job<CoalitionSums<G::Value>>,
        units: Range<u64>,
        known: Option<[G::Value; 2]>,
    ) -> Result<ExactPartial<G::Value>, Error<G::Error>> {
        let sums = &job.sums;
        let (players, bits) = (sums.players, sums.block_bits);
        let asked = match &known {
            Some(_) => [false, false],
            None => [0, sums.units() - 1].map(|block| !units.contains(&block)),
        };
        let made = asked.into_iter().filter(|&asked| asked).count() as u64;
        let mut ends = match known {
            Some(ends) => ends.map(Some),
            None => ends(game, players, asked)?,
        };
        let tree = Mutex::new(sums.tree());
        blocks::stream(game, &self.settings, players, bits, units.clone(), made, |first, block| {
            let rows = sums.fold(block);
            // A sum of values is finite only if all of them are.
            if !rows.entries[..=rows.players].iter().all(Value::is_finite) {
                blocks::check_block(players, first, block)?;
            }
            insert_shared(&tree, first >> bits, rows, |lower, upper| sums.merge(lower, upper));
            Ok(())
        })?;
        let tree = tree.into_inner().unwrap_or_else(PoisonError::into_inner);
        let evaluations = made + ((units.end - units.start) << bits);
        for (end, here) in ends.iter_mut().zip(sums.ends(&tree)) {
            *end = end.take().or_else(|| here.cloned());
        }
        let [Some(baseline), Some(grand)] = ends else { unreachable!("an end is among the blocks, or was asked for") };
        Ok(Partial { job, ends: [baseline, grand], evaluations, tree })
    }
}
