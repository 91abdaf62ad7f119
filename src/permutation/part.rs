//! Sampling in parts: each a process's share of the samples, and a value that can be kept, moved and merged.

use std::borrow::Borrow;
use std::fmt;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::Permutation;
use super::run::{self, is_look, looks};
#[cfg(feature = "mpi")]
use crate::Coalition;
use crate::estimate::{Design, Moments, Samples};
use crate::fingerprint::Fingerprint;
use crate::parts::{Cut, check_ends, check_same};
use crate::{Error, Estimate, Progress, Stopped, TryGame, Value};

/// One of several parts of an estimate, to be made on its own: on another machine, in another job, later.
/// [`Permutation::part`] makes it, and [`run`](Self::run) gives a [`PermutationPartial`].
///
/// ```
/// use shapley::Permutation;
///
/// let game = shapley::from_fn(40, |s| (s.len() as f64).sqrt() + if s.contains(3) { 1.0 } else { 0.0 });
/// let sampler = Permutation::new(10_000).seed(7);
/// // Each on a machine of its own, as a rule.
/// let mut all = sampler.clone().part(2, 3).run(&game)?;
/// for k in [0, 1] {
///     all.merge(sampler.clone().part(k, 3).run(&game)?)?; // in any order
/// }
/// assert_eq!(all.finish()?, sampler.estimate(&game)?); // bit for bit
/// # Ok::<(), shapley::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct PermutationPart<F = fn(&Progress) -> ControlFlow<()>> {
    sampler: Permutation<F>,
    part: u64,
    of: u64,
    fingerprint: Option<Fingerprint>,
    /// Whether an observer is shown the half width, which takes a pass over the samples' sums each time.
    shows_width: bool,
}

impl<F> Permutation<F> {
    /// Part `k` of `of`, the first being part 0, of the estimate that this sampler makes. The budget is that of all parts
    /// together. Threads, batches and observers may differ from part to part; all else must not.
    ///
    /// A part is a contiguous share of the numbers of the samples that the budget pays for. Shares differ by one sample at
    /// most. With more parts than samples, some have nothing to do, and may be run all the same.
    pub fn part(self, k: u64, of: u64) -> PermutationPart<F> {
        PermutationPart { sampler: self, part: k, of, fingerprint: None, shows_width: true }
    }
}

impl<F> PermutationPart<F> {
    /// What tells the game from others: parts of games with different fingerprints are not merged.
    pub fn fingerprint(self, fingerprint: impl Into<Fingerprint>) -> Self {
        Self { fingerprint: Some(fingerprint.into()), ..self }
    }

    /// For an observer that does not look at the half width.
    #[cfg(feature = "mpi")]
    pub(crate) fn without_width(self) -> Self {
        Self { shows_width: false, ..self }
    }

    /// What the samples of a game of so many players are, and how many, if the settings are those of a part.
    pub(crate) fn frame<E>(&self, players: usize) -> Result<(Design, Cut), Error<E>> {
        let design = self.sampler.design(players)?;
        if let Some(deadline) = self.sampler.deadline {
            let (name, value) = ("the deadline of a part", deadline.as_secs_f64());
            return Err(Error::Setting { name, value, allowed: "left out, since its samples must not depend on time" });
        }
        if let Some(value) = self.sampler.truncation {
            let (name, allowed) = ("the truncation of a part", "left out, since its samples must not depend on others");
            return Err(Error::Setting { name, value, allowed });
        }
        self.sampler.check_budget(design)?;
        Ok((design, Cut::new(self.sampler.payable(design), self.of)?))
    }

    /// No samples yet, but v(∅) and v(N).
    pub(crate) fn none_yet<V: Value>(
        &self,
        (design, cut): (Design, Cut),
        ends: [V; 2],
        evaluations: u64,
    ) -> PermutationPartial<V> {
        let Permutation { evaluations: budget, seed, precision, confidence, .. } = self.sampler;
        let cuts: Arc<[u64]> = match precision {
            // The samples before a look at the intervals must be told from those after.
            Some(_) => looks().take_while(|&look| look < cut.units()).collect(),
            None => Arc::default(),
        };
        let samples = self.sampler.none_yet(design, Moments::cut_at(cuts), ends, evaluations);
        let fingerprint = self.fingerprint.clone();
        PermutationPartial { cut, budget, seed, precision, confidence, fingerprint, samples }
    }
}

impl<F: Fn(&Progress) -> ControlFlow<()> + Sync> PermutationPart<F> {
    /// Makes the part.
    ///
    /// # Cost
    ///
    /// The evaluations of the part's samples, and for each part those of v(∅) and v(N), by which parts of different games are
    /// told apart: all parts together make 2 more evaluations for each part beyond the first than the budget says.
    ///
    /// With a [precision](Permutation::precision) a part makes **all its samples**, since none knows when the others have
    /// come so far. [`finish`](PermutationPartial::finish) stops where one process would have, and what was made beyond is
    /// spent for nothing: a budget for parts had better be no larger than it must be. The partial result then has some
    /// hundreds of numbers for each player; without, at most 4 log₂(samples).
    ///
    /// # Errors
    ///
    /// Those of [`Permutation::estimate`], but for `Overflow`, which `finish` finds; [`Setting`](Error::Setting) if there is
    /// no such part, or there are none, or with a [deadline](Permutation::deadline) or
    /// [truncation](Permutation::truncate), with which the samples that there are depend on time, or on those before;
    /// [`Stopped`](Error::Stopped) if the observer broke before all was done.
    ///
    /// # Panics
    ///
    /// If the game or the observer does.
    pub fn run<G: TryGame + ?Sized>(&self, game: &G) -> Result<PermutationPartial<G::Value>, Error<G::Error>> {
        let (design, cut) = self.frame(game.num_players())?;
        match self.run_samples(game, (design, cut), cut.range(self.part)?, None)? {
            (_, Some([evaluations, total])) => Err(Error::Stopped { evaluations, total }),
            (partial, None) => Ok(partial),
        }
    }

    /// The partial result of any range of samples, even of none; `ends` are v(∅) and v(N), if they are known. If the observer
    /// breaks, samples are missing, and it is said at how many evaluations of how many.
    #[expect(clippy::type_complexity, reason = "a partial result, and where the observer broke")]
    pub(crate) fn run_samples<G: TryGame + ?Sized>(
        &self,
        game: &G,
        frame: (Design, Cut),
        numbers: Range<u64>,
        ends: Option<[G::Value; 2]>,
    ) -> Result<(PermutationPartial<G::Value>, Option<[u64; 2]>), Error<G::Error>> {
        let made = if ends.is_some() { 0 } else { 2 };
        let ends = ends.map_or_else(|| run::ends(game, frame.0.players), Ok)?;
        let mut partial = self.none_yet(frame, ends, made);
        let (samples, broke) = run::add(game, &self.sampler, partial.samples, numbers, self.shows_width)?;
        partial.samples = samples;
        Ok((partial, broke))
    }
}

/// A part of an estimate, or several merged: some of its samples, added up. All parts [merged](Self::merge), in any order,
/// [give](Self::finish) the bits of one process.
///
/// With the feature `serde` it can be saved and loaded, in the shape that
/// [`docs/results.md`](https://docs.rs/crate/shapley/latest/source/docs/results.md) describes. In JSON that takes `serde_json`'s
/// feature `float_roundtrip`, without which last bits change.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct PermutationPartial<V> {
    pub(crate) cut: Cut,
    /// The evaluations that one process may make.
    pub(crate) budget: u64,
    pub(crate) seed: u64,
    pub(crate) precision: Option<f64>,
    pub(crate) confidence: f64,
    pub(crate) fingerprint: Option<Fingerprint>,
    /// Of one seed. The evaluations are all that were made.
    pub(crate) samples: Samples<V>,
}

impl<V: Value> PermutationPartial<V> {
    /// Adds parts that are not here yet.
    ///
    /// # Errors
    ///
    /// [`Mismatch`](Error::Mismatch) if the games differ in the number of players, in the fingerprint, or by a single bit in
    /// v(∅) or v(N), or the samplers in the seed, the budget, antithetic sampling, the precision or its confidence, or the
    /// number of parts; [`PartTwice`](Error::PartTwice) if both have the same part. This one is then as it was. In a function
    /// that returns the errors of a fallible game, [`Error::map`] makes these such ones.
    pub fn merge(&mut self, other: impl Borrow<Self>) -> Result<(), Error> {
        let other = other.borrow();
        self.check_job(other)?;
        check_ends(self.ends(), other.ends())?;
        self.cut.check_disjoint(&self.ranges(), &other.ranges())?;
        for (&seed, theirs) in &other.samples.streams {
            self.samples.streams.entry(seed).or_insert_with(|| theirs.emptied()).absorb(&mut theirs.clone());
        }
        self.samples.evaluations = self.samples.evaluations.saturating_add(other.samples.evaluations);
        Ok(())
    }

    /// Refuses samples of another sampler, cut or fingerprint.
    pub(crate) fn check_job(&self, other: &Self) -> Result<(), Error> {
        self.samples.design.check(other.samples.design)?;
        let precision = |partial: &Self| partial.precision.map_or("none".to_owned(), |p| p.to_string());
        check_same([
            ("the seed", self.seed.to_string(), other.seed.to_string()),
            ("the budget", self.budget.to_string(), other.budget.to_string()),
            ("the precision", precision(self), precision(other)),
            ("the confidence", self.confidence.to_string(), other.confidence.to_string()),
            ("the number of parts", self.cut.of().to_string(), other.cut.of().to_string()),
            ("the fingerprint", Fingerprint::shown(&self.fingerprint), Fingerprint::shown(&other.fingerprint)),
        ])
    }

    /// The parts that are not here, in stretches: `[2..3, 5..8]` are the parts 2, 5, 6 and 7. Where there are more parts than
    /// samples, stretches can include parts that have nothing to do.
    #[must_use]
    pub fn missing(&self) -> Vec<Range<u64>> {
        self.cut.missing(&self.ranges())
    }

    /// Whether no part is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing().is_empty()
    }

    /// The evaluations of the game that were made, for all parts that are here together.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.samples.evaluations
    }

    /// The estimate, once all parts are here: what [`Permutation::estimate`] of one process gives, bit for bit, with all that
    /// it takes to go on. Its [`evaluations`](Estimate::evaluations) are those that one process would have made: fewer than
    /// [were made](Self::evaluations).
    ///
    /// # Errors
    ///
    /// [`PartsMissing`](Error::PartsMissing); [`Overflow`](Error::Overflow) if sums of contributions do not fit the value type.
    pub fn finish(&self) -> Result<Estimate<V>, Error> {
        self.cut.check_whole(&self.ranges())?;
        let (samples, is_precise) = self.until_precise();
        samples.estimate(if is_precise { Stopped::Precision } else { Stopped::Evaluations })
    }

    /// The samples up to the look at which one process would have stopped, if those before it are all here; or all that are
    /// here. And which of the two it is. The evaluations are those that one process would have made for them.
    pub(crate) fn until_precise(&self) -> (Samples<V>, bool) {
        let nodes = self.samples.streams.get(&self.seed).map_or(&[][..], Moments::nodes);
        let mut samples = Samples { streams: [(self.seed, Moments::new())].into(), ..self.without_samples() };
        let mut is_precise = false;
        for node in nodes {
            samples.streams.entry(self.seed).or_insert_with(Moments::new).insert(node.clone());
            // As many as the last one's number says: none before it is missing.
            let end = node.samples().end;
            if samples.len() == end && self.is_precise(&samples, end) {
                is_precise = true;
                break;
            }
        }
        samples.evaluations = 2 + samples.len() * samples.design.cost();
        (samples, is_precise)
    }

    /// Whether one process would have stopped after these samples, which are the first so many.
    fn is_precise(&self, samples: &Samples<V>, made: u64) -> bool {
        let Some(precision) = self.precision.filter(|_| !samples.design.is_constant()) else { return false };
        is_look(made) && samples.half_width(self.confidence) <= precision
    }

    fn without_samples(&self) -> Samples<V> {
        let Samples { design, looks, ref baseline, ref grand, .. } = self.samples;
        let (baseline, grand) = (baseline.clone(), grand.clone());
        Samples { design, looks, evaluations: 0, saved: 0, baseline, grand, streams: [].into() }
    }

    pub(crate) fn ranges(&self) -> Vec<Range<u64>> {
        self.samples.streams.get(&self.seed).map_or_else(Vec::new, Moments::ranges)
    }

    /// That sums of contributions do not fit their type, if some do not.
    #[cfg(feature = "mpi")]
    pub(crate) fn overflow(&self) -> Option<Error> {
        let nodes = self.samples.streams.values().flat_map(Moments::nodes);
        let player = nodes.filter_map(|node| node.sums.iter().position(|sum| !sum.is_finite())).min()?;
        Some(Error::Overflow { coalition: Coalition::from_players(self.samples.design.players, [player]) })
    }

    /// v(∅) and v(N).
    pub(crate) fn ends(&self) -> [&V; 2] {
        [&self.samples.baseline, &self.samples.grand]
    }
}

impl<F> fmt::Debug for PermutationPart<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermutationPart")
            .field("sampler", &self.sampler)
            .field("part", &self.part)
            .field("of", &self.of)
            .field("fingerprint", &self.fingerprint)
            .finish()
    }
}
