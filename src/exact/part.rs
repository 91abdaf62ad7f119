//! Exact solvers in parts: each a process's share of the coalitions, and a value that can be kept, moved and merged.

use std::borrow::Borrow;
use std::fmt;
use std::ops::{ControlFlow, Range};

use super::nodes::{self, Frame, Nodes};
use super::{Exact, Summary, most_order, stream};
use crate::answer::{ask, check_finite};
use crate::fingerprint::Fingerprint;
use crate::parts::{Cut, check_ends, check_same};
use crate::{Coalition, Error, Progress, TryGame, Value};

/// One of several parts of an exact answer, to be solved on its own: on another machine, in another job, later.
/// [`Exact::part`] makes it, and [`run`](Self::run) gives an [`ExactPartial`].
///
/// ```
/// use shapley::{Exact, Semivalue};
///
/// let game = shapley::from_fn(11, |s| (s.len() as f64).sqrt() + if s.contains(3) { 1.0 } else { 0.0 });
/// // Each on a machine of its own, as a rule.
/// let mut all = Exact::new().part(2, 3).run(&game)?;
/// for k in [0, 1] {
///     all.merge(Exact::new().part(k, 3).run(&game)?)?; // in any order
/// }
/// let phi = all.finish()?.values(&Semivalue::shapley())?;
/// assert_eq!(phi, shapley::exact(&game)?); // bit for bit
/// # Ok::<(), shapley::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct ExactPart<F = fn(&Progress) -> ControlFlow<()>> {
    exact: Exact<F>,
    part: u64,
    of: u64,
    order: usize,
    pub(crate) fingerprint: Option<Fingerprint>,
}

impl<F> Exact<F> {
    /// Part `k` of `of`, the first being part 0, of everything that these options can solve: Shapley values, semivalues
    /// and, with [`ExactPart::order`], interactions. The options stay those of the part; threads, batches, and observers may
    /// differ from part to part.
    ///
    /// A part is a contiguous share of the **blocks** of coalitions that a game is solved in. There is one block for up to 10
    /// players, then twice as many for each further player up to 256 for 18, and 256 or more beyond. (Where values take more
    /// than some kilobytes each there are more.) Shares differ by a block at most. With more parts than blocks, some have
    /// nothing to do, and may be run all the same.
    pub fn part(self, k: u64, of: u64) -> ExactPart<F> {
        ExactPart { exact: self, part: k, of, order: 1, fingerprint: None }
    }
}

impl<F> ExactPart<F> {
    /// The largest number of players whose interactions are wanted: 1 unless set, which is enough for values. See
    /// [`Exact::summary`].
    pub fn order(self, order: usize) -> Self {
        Self { order, ..self }
    }

    /// What tells the game from others: parts of games with different fingerprints are not merged.
    pub fn fingerprint(self, fingerprint: impl Into<Fingerprint>) -> Self {
        Self { fingerprint: Some(fingerprint.into()), ..self }
    }
}

impl<F: Fn(&Progress) -> ControlFlow<()> + Sync> ExactPart<F> {
    /// Solves the part.
    ///
    /// # Cost
    ///
    /// An evaluation for each coalition of the part; and those of v(∅) and v(N), if they are not among them, by which parts
    /// of different games are told apart: with several parts, 2 more for each, and for the first and the last 1. The
    /// partial result has O(n²) sums for each of at most 2 log₂(2^n) nodes; with an order k, O(n^(k+1)).
    ///
    /// # Errors
    ///
    /// Those of [`Exact::summary`], but for sums that overflow, which [`ExactPartial::finish`]'s result finds;
    /// [`Setting`](Error::Setting) if there is no such part, or there are none.
    ///
    /// # Panics
    ///
    /// If the game or the observer does.
    pub fn run<G: TryGame + ?Sized>(&self, game: &G) -> Result<ExactPartial<G::Value>, Error<G::Error>> {
        let frame = self.frame(game)?;
        let blocks = Cut::new(frame.blocks(), self.of)?.range(self.part)?;
        self.run_blocks(game, frame, blocks, None)
    }

    /// The partial result of any range of blocks of the game's [frame](Self::frame), even of none; `ends` are v(∅) and v(N),
    /// if they are known.
    pub(crate) fn run_blocks<G: TryGame + ?Sized>(
        &self,
        game: &G,
        frame: Frame,
        blocks: Range<u64>,
        ends: Option<[G::Value; 2]>,
    ) -> Result<ExactPartial<G::Value>, Error<G::Error>> {
        let cut = Cut::new(frame.blocks(), self.of)?;
        let (made, mut ends) = match ends {
            Some(ends) => (0, ends.map(Some)),
            None => ask_ends(game, frame, &blocks)?,
        };
        let length = (blocks.end - blocks.start) << frame.block_bits;
        let nodes = nodes::of_blocks(game, &self.exact, frame, blocks, made)?;
        for (end, here) in ends.iter_mut().zip([nodes.baseline(), nodes.grand()]) {
            *end = end.take().or_else(|| here.cloned());
        }
        let [Some(baseline), Some(grand)] = ends else { unreachable!("an end is among the blocks, or was asked for") };
        let fingerprint = self.fingerprint.clone();
        Ok(ExactPartial { cut, nodes, fingerprint, baseline, grand, evaluations: made + length })
    }

    /// How a game is cut into blocks.
    pub(crate) fn frame<G: TryGame + ?Sized>(&self, game: &G) -> Result<Frame, Error<G::Error>> {
        let players = game.num_players();
        stream::check_players(players, &self.exact)?;
        let (order, limit) = (self.order, most_order(players));
        if !(1..=limit).contains(&order) {
            return Err(Error::Order { order, players, limit });
        }
        Ok(Frame::new::<G::Value>(players, order))
    }
}

/// Refuses a partial result of another game, order or cut, as far as can be told before the game is asked.
pub(crate) fn check_job<V: Value>(
    (frame, cut, fingerprint): (Frame, Cut, &Option<Fingerprint>),
    other: &ExactPartial<V>,
) -> Result<(), Error> {
    let theirs = other.nodes.frame;
    check_same([
        ("the number of players", frame.players.to_string(), theirs.players.to_string()),
        ("the order", frame.order.to_string(), theirs.order.to_string()),
        ("the number of parts", cut.of().to_string(), other.cut.of().to_string()),
        ("the fingerprint", Fingerprint::shown(fingerprint), Fingerprint::shown(&other.fingerprint)),
    ])
}

/// v(∅) and v(N), if they are not among the blocks, and how many of them had to be asked for.
#[expect(clippy::type_complexity, reason = "a number and two values")]
fn ask_ends<G: TryGame + ?Sized>(
    game: &G,
    frame: Frame,
    blocks: &Range<u64>,
) -> Result<(u64, [Option<G::Value>; 2]), Error<G::Error>> {
    let wanted = [0, frame.blocks() - 1].map(|block| !blocks.contains(&block));
    let coalitions = [Coalition::empty(frame.players), Coalition::grand(frame.players)];
    let coalitions: Vec<_> =
        coalitions.into_iter().zip(wanted).filter_map(|(end, wanted)| wanted.then_some(end)).collect();
    if coalitions.is_empty() {
        return Ok((0, [None, None]));
    }
    let mut values = Vec::with_capacity(2);
    match stream::table(game, frame.players)? {
        Some(table) => {
            let ends = [&table[0], &table[table.len() - 1]].into_iter().zip(wanted);
            values.extend(ends.filter(|(_, wanted)| *wanted).map(|(value, _)| value.clone()));
            check_finite(&values, |index| coalitions[index].clone())?;
        }
        None => ask(game, &coalitions, &mut values)?,
    }
    let mut values = values.into_iter();
    Ok((coalitions.len() as u64, wanted.map(|wanted| if wanted { values.next() } else { None })))
}

/// A part of an exact answer, or several merged: sums of derivatives over some of the coalitions. All parts
/// [merged](Self::merge), in any order, [give](Self::finish) the bits of one process.
///
/// With the feature `serde` it can be saved and loaded, in the shape that
/// [`docs/results.md`](https://docs.rs/crate/shapley/latest/source/docs/results.md) describes. In JSON that takes `serde_json`'s
/// feature `float_roundtrip`, without which last bits change.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ExactPartial<V> {
    pub(crate) cut: Cut,
    pub(crate) nodes: Nodes<V>,
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) baseline: V,
    pub(crate) grand: V,
    pub(crate) evaluations: u64,
}

impl<V: Value> ExactPartial<V> {
    /// Adds parts that are not here yet.
    ///
    /// # Errors
    ///
    /// [`Mismatch`](Error::Mismatch) if the games differ in the number of players, in the fingerprint, or by a single bit in
    /// v(∅) or v(N), or the partial results in the order or the number of parts; [`PartTwice`](Error::PartTwice) if both
    /// have the same part. This one is then as it was. In a function that returns the errors of a fallible game,
    /// [`Error::map`] makes these such ones.
    pub fn merge(&mut self, other: impl Borrow<Self>) -> Result<(), Error> {
        let other = other.borrow();
        check_job((self.nodes.frame, self.cut, &self.fingerprint), other)?;
        check_ends(self.ends(), other.ends())?;
        self.cut.check_disjoint(&self.nodes.ranges(), &other.nodes.ranges())?;
        self.nodes.merge(other.nodes.clone());
        self.evaluations = self.evaluations.saturating_add(other.evaluations);
        Ok(())
    }

    /// The parts that are not here, in stretches: `[2..3, 5..8]` are the parts 2, 5, 6 and 7. Where there are more parts than
    /// blocks, stretches can include parts that have nothing to do.
    #[must_use]
    pub fn missing(&self) -> Vec<Range<u64>> {
        self.cut.missing(&self.nodes.ranges())
    }

    /// Whether no part is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing().is_empty()
    }

    /// The evaluations of the game that were made, for all parts that are here together.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// The answer, once all parts are here: what [`Exact::summary`] of one process gives, bit for bit. Values and interactions
    /// are made of it. (Their [`evaluations`](crate::Attribution::evaluations) are the 2^n of one process.)
    ///
    /// # Errors
    ///
    /// [`PartsMissing`](Error::PartsMissing).
    pub fn finish(&self) -> Result<Summary<V>, Error> {
        self.clone().into_summary()
    }

    pub(super) fn into_summary<E>(self) -> Result<Summary<V>, Error<E>> {
        self.cut.check_whole(&self.nodes.ranges())?;
        let sums = self.nodes.into_sums().expect("nodes of all blocks merge to the root");
        Ok(Summary { sums })
    }

    /// v(∅) and v(N).
    pub(crate) fn ends(&self) -> [&V; 2] {
        [&self.baseline, &self.grand]
    }

    /// The contiguous ranges of blocks that are here.
    #[cfg(feature = "mpi")]
    pub(crate) fn ranges(&self) -> Vec<Range<u64>> {
        self.nodes.ranges()
    }

    /// Whether all sums fit their type.
    #[cfg(feature = "mpi")]
    pub(crate) fn is_finite(&self) -> bool {
        self.nodes.iter().all(|(_, rows)| rows.entries.iter().all(Value::is_finite))
    }
}

impl<F> fmt::Debug for ExactPart<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExactPart")
            .field("exact", &self.exact)
            .field("part", &self.part)
            .field("of", &self.of)
            .field("order", &self.order)
            .field("fingerprint", &self.fingerprint)
            .finish()
    }
}
