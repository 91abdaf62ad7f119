//! Partial results: the sums over some of the units of a solver's work, made by one process and merged with those of
//! others.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::ops::Range;

use super::partition::Partition;
use super::tree::{Node, Tree};
use crate::value::{Shown, difference};
use crate::{Error, Value, fingerprint::Fingerprint};

/// One of several parts of a solver's work, to be run on its own: on another machine, in another job, later.
///
/// [`Exact::part`](crate::Exact::part) and [`Permutation::part`](crate::Permutation::part) make it, and `run` gives a
/// [`Partial`].
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
#[derive(Clone, Debug)]
#[must_use]
pub struct Part<S> {
    pub(crate) solver: S,
    part: u64,
    of: u64,
    fingerprint: Option<Fingerprint>,
}

impl<S> Part<S> {
    pub(crate) fn new(solver: S, part: u64, of: u64) -> Self {
        Self { solver, part, of, fingerprint: None }
    }

    /// Tells the game from others: parts of games with different fingerprints do not merge.
    pub fn fingerprint(self, fingerprint: impl Into<Fingerprint>) -> Self {
        Self { fingerprint: Some(fingerprint.into()), ..self }
    }

    /// What to make: the units of this part.
    pub(crate) fn share<T: Summation, E>(&self, sums: T) -> Result<(Job<T>, Range<u64>), Error<E>> {
        let job = Job::new(sums, self.of, self.fingerprint.clone())?;
        let units = job.partition.range(self.part)?;
        Ok((job, units))
    }
}

/// What a partial result adds up. Sealed: it is [`CoalitionSums`](crate::parts::CoalitionSums) or
/// [`SampleSums`](crate::parts::SampleSums).
#[expect(private_bounds, reason = "the private trait seals this one")]
pub trait Sums: Summation<V = Self::Value> {
    /// What a coalition is worth.
    type Value: Value;

    /// The result of all parts together.
    type Output;

    #[doc(hidden)]
    fn finish(partial: Partial<Self>) -> Result<Self::Output, Error>;
}

/// How a solver adds up the units of its work.
pub(crate) trait Summation: Clone + Debug + Send + Sync {
    type V: Value;
    type Node: Node + Clone + Debug;

    /// The settings that partial results must share, by name.
    fn settings(&self) -> Vec<(&'static str, String)>;

    /// The number of units.
    fn units(&self) -> u64;

    /// A tree for the units.
    fn tree(&self) -> Tree<Self::Node>;

    /// Adds the upper half of a node to the lower one.
    fn merge(&self, lower: &mut Self::Node, upper: Self::Node);
}

/// What all parts of one job have in common.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Job<S> {
    pub(crate) sums: S,
    pub(crate) partition: Partition,
    pub(crate) fingerprint: Option<Fingerprint>,
}

impl<S: Summation> Job<S> {
    pub(crate) fn new<E>(sums: S, of: u64, fingerprint: Option<Fingerprint>) -> Result<Self, Error<E>> {
        let partition = Partition::new(sums.units(), of)?;
        Ok(Self { sums, partition, fingerprint })
    }

    /// Refuses another job, as far as its settings tell.
    pub(crate) fn check<E>(&self, other: &Self) -> Result<(), Error<E>> {
        let settings = |job: &Self| {
            let mut settings = job.sums.settings();
            settings.push(("the number of parts", job.partition.of().to_string()));
            settings.push(("the fingerprint", Fingerprint::shown(&job.fingerprint)));
            settings
        };
        check_same(settings(self), settings(other))
    }
}

/// A part of a result, or several merged: the sums over some of the coalitions, or some of the samples. All parts
/// [merged](Self::merge), in any order, [give](Self::finish) the bits of one process.
///
/// With the feature `serde` it can be saved and loaded, in the shape that
/// [`docs/results.md`](https://docs.rs/crate/shapley/latest/source/docs/results.md) describes. In JSON that takes
/// `serde_json`'s feature `float_roundtrip`, without which last bits change.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Partial<S: Sums> {
    pub(crate) job: Job<S>,
    /// v(∅) and v(N).
    pub(crate) ends: [S::Value; 2],
    pub(crate) evaluations: u64,
    pub(crate) tree: Tree<S::Node>,
}

impl<S: Sums> Partial<S> {
    /// No units yet, but v(∅) and v(N), which took `evaluations`.
    pub(crate) fn new(job: Job<S>, ends: [S::Value; 2], evaluations: u64) -> Self {
        let tree = job.sums.tree();
        Self { job, ends, evaluations, tree }
    }

    /// Adds parts that are not here yet.
    ///
    /// # Errors
    ///
    /// [`Mismatch`](Error::Mismatch) if the games differ in the number of players, in the fingerprint, or by a single
    /// bit in v(∅) or v(N), or the parts in a setting of their solver or in their number;
    /// [`PartTwice`](Error::PartTwice) if both have the same part; [`Setting`](Error::Setting) for more than 2^60
    /// evaluations, which only a file can claim. This one is then as it was.
    ///
    /// # Panics
    ///
    /// If the value type does while it is added. This partial result then has no parts.
    pub fn merge(&mut self, other: impl Borrow<Self>) -> Result<(), Error> {
        let other = other.borrow();
        self.job.check(&other.job)?;
        check_ends(&self.ends, &other.ends)?;
        self.job.partition.check_disjoint(&self.tree.ranges(), &other.tree.ranges())?;
        check_evaluations([self.evaluations, other.evaluations])?;
        // A value that panics while it is added leaves no units here, rather than half a sum.
        let mut tree = std::mem::replace(&mut self.tree, self.job.sums.tree());
        let sums = &self.job.sums;
        for (start, node) in other.tree.iter() {
            tree.insert(start, node.clone(), |lower, upper| sums.merge(lower, upper));
        }
        self.tree = tree;
        self.evaluations += other.evaluations;
        Ok(())
    }

    /// Adds units that are not here yet.
    #[cfg(feature = "mpi")]
    pub(crate) fn insert(&mut self, start: u64, node: S::Node) {
        let sums = &self.job.sums;
        self.tree.insert(start, node, |lower, upper| sums.merge(lower, upper));
    }

    /// The parts that are not here, as ranges: `[2..3, 5..8]` are the parts 2, 5, 6 and 7. Where there are more parts
    /// than blocks of coalitions or samples, ranges can include parts that have nothing to do.
    #[must_use]
    pub fn missing(&self) -> Vec<Range<u64>> {
        self.job.partition.missing(&self.tree.ranges())
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

    /// The result, once all parts are here, with the bits of one process: of an exact solver what
    /// [`Exact::summary`](crate::Exact::summary) gives; of a sampler what
    /// [`Permutation::estimate`](crate::Permutation::estimate) gives, with all that it takes to go on. The evaluations
    /// of the result are those that one process would have made, fewer than [were made](Self::evaluations).
    ///
    /// # Errors
    ///
    /// [`PartsMissing`](Error::PartsMissing); of a sampler [`Overflow`](Error::Overflow) if sums of contributions do
    /// not fit the value type.
    pub fn finish(&self) -> Result<S::Output, Error> {
        self.job.partition.check_whole(&self.tree.ranges())?;
        S::finish(self.clone())
    }
}

/// More evaluations than this have never been made.
pub(crate) const MOST_EVALUATIONS: u64 = 1 << 60;

/// Refuses evaluations that are more than have ever been made.
pub(crate) fn check_evaluations<E>(evaluations: impl IntoIterator<Item = u64>) -> Result<(), Error<E>> {
    match evaluations.into_iter().fold(0, u64::saturating_add) {
        ..=MOST_EVALUATIONS => Ok(()),
        sum => Err(Error::Setting { name: "the number of evaluations", value: sum as f64, allowed: "at most 2^60" }),
    }
}

/// Refuses two things of which a setting differs, by its name.
pub(crate) fn check_same<E>(
    ours: impl IntoIterator<Item = (&'static str, String)>,
    theirs: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<(), Error<E>> {
    match ours.into_iter().zip(theirs).find(|((_, ours), (_, theirs))| ours != theirs) {
        Some(((what, ours), (_, theirs))) => Err(Error::Mismatch { what, ours, theirs }),
        None => Ok(()),
    }
}

/// Refuses games that differ in v(∅) or v(N), by a single bit.
pub(crate) fn check_ends<V: Value, E>(ours: &[V; 2], theirs: &[V; 2]) -> Result<(), Error<E>> {
    match ends_differ(ours, theirs) {
        Some((what, ours, theirs)) => Err(Error::Mismatch { what, ours, theirs }),
        None => Ok(()),
    }
}

/// The first of v(∅) and v(N) that differs: its name, ours and theirs.
pub(crate) fn ends_differ<V: Value>(ours: &[V; 2], theirs: &[V; 2]) -> Option<(&'static str, String, String)> {
    let both = ["v(empty)", "v(N)"].into_iter().zip(ours.iter().zip(theirs));
    let (what, (ours, theirs)) = both.into_iter().find(|(_, (ours, theirs))| !is_same(*ours, *theirs))?;
    Some((what, Shown(ours).to_string(), Shown(theirs).to_string()))
}

/// Whether two values are equal. Their difference is exact where they are, whatever the type.
pub(crate) fn is_same<V: Value>(a: &V, b: &V) -> bool {
    difference(a, b).magnitude() <= 0.0
}
