//! What an estimator returns: values, their standard errors and intervals, and what it takes to go on.

use std::borrow::Borrow;
use std::fmt;

use super::moments::Moments;
#[cfg(feature = "surrogate")]
use super::pairs::Pairs;
use super::samples::Samples;
use super::spread::Reach;
use super::student::scaled;
#[cfg(feature = "surrogate")]
use super::student::width;
use crate::display::{self, Column, NameOf, Named, Printed};
use crate::engine::partial::{check_ends, check_evaluations};
use crate::{Attribution, Error, Value};

/// Why a sampler stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Stopped {
    /// What is left of the budget does not pay for another sample; or none would tell more, as with a single player.
    Evaluations,
    /// Every player's interval is as narrow as was asked for.
    Precision,
    /// The time was up.
    Deadline,
    /// The observer wanted it.
    Observer,
    /// The budget paid for every coalition: the values are exact.
    Exact,
}

/// Estimated values of all players, each with a standard error, and the reason why the sampler stopped.
///
/// [`permutation`](crate::permutation) returns Shapley values, and so do `Surrogate` and `KernelShap` (feature
/// `surrogate`), which say themselves what their errors mean. Those of permutations: each estimate is unbiased, and
/// together they sum to v(N) − v(∅), up to rounding. (Not unbiased if walks were
/// [truncated](crate::Permutation::truncate); and a little off if the run stopped at a
/// [precision](crate::Permutation::precision), since runs that look sure too early stop early. To unite such runs,
/// [merge](Self::merge) them, which weights by samples, rather than averaging their values.)
///
/// `Display` is a table, the largest value first: a line a player, with its number, its value and its standard error,
/// to two digits of the error (or, where that is mere rounding, to six of the largest value). `{:.3}` has three
/// decimals instead, `{:+}` a sign; `{:#}` has titles, intervals at 95 %, and what the estimate rests on below.
///
/// ```
/// let game = shapley::from_fn(16, |s| if s.len() > 10 { s.iter().sum::<usize>() as f64 } else { 0.0 });
/// let estimate = shapley::permutation(&game, 4_000)?;
/// let (low, high) = estimate.interval(15, 0.95);
/// assert!(low < estimate.values()[15] && estimate.values()[15] < high);
/// assert!(estimate.evaluations() <= 4_000);
/// # Ok::<(), shapley::Error>(())
/// ```
///
/// # Going on, elsewhere and later
///
/// An estimate holds what is needed to go on: [`Permutation::resume`](crate::Permutation::resume) adds samples, with
/// the bits of one longer run, and [`merge`](Self::merge) unites estimates of several seeds. With the feature `serde`
/// it can be saved in between (in JSON with `serde_json`'s feature `float_roundtrip`, without which last bits change).
/// It takes memory for about 2 log₂(samples) numbers for each player and seed.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Estimate<V> {
    attribution: Attribution<V>,
    std_errors: Vec<V>,
    stopped: Stopped,
    origin: Origin<V>,
}

/// More seeds of merged estimates are not listed.
const MOST_SEEDS: usize = 5;

/// What an estimate is made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Origin<V> {
    /// Walks along orders, and how far intervals of each output reach.
    Walks(Samples<V>, Vec<Reach>),
    /// Pairs of coalitions.
    #[cfg(feature = "surrogate")]
    Pairs(Pairs<V>),
}

impl<V> Estimate<V> {
    pub(crate) fn new(attribution: Attribution<V>, std_errors: Vec<V>, stopped: Stopped, origin: Origin<V>) -> Self {
        Self { attribution, std_errors, stopped, origin }
    }

    /// The players' values, player 0 first.
    #[must_use]
    pub fn values(&self) -> &[V] {
        self.attribution.values()
    }

    /// The values with v(∅), v(N), and what they cost: what exact solvers return.
    pub fn attribution(&self) -> &Attribution<V> {
        &self.attribution
    }

    /// The standard error of each player's value, player 0 first: the standard deviation that the value would have over
    /// seeds, estimated from how much the samples differ.
    ///
    /// For [`Permutation`](crate::Permutation), as far as contributions are rare or heavy tailed, players share what
    /// they know of each other's spread: a player whose samples happened to be alike is not certain if those of others
    /// differ. (So a player who never adds anything has exactly the value zero, and a small standard error unless
    /// nobody's samples differ.) Where contributions are plain noise the errors are those of the textbook. The rule is
    /// in `docs/permutation.md`.
    ///
    /// Infinite if there is only one sample, which tells nothing about differences; zero if all samples must be the
    /// same, since there is one player, or a pair of walks has both orders of two.
    #[must_use]
    pub fn std_errors(&self) -> &[V] {
        &self.std_errors
    }

    /// The evaluations of the game that were made, v(∅) and v(N) included.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.attribution.evaluations()
    }

    /// The evaluations that [truncation](crate::Permutation::truncate) spared.
    #[must_use]
    pub fn saved(&self) -> u64 {
        self.walks().map_or(0, |samples| samples.saved)
    }

    /// Why the sampler stopped.
    #[must_use]
    pub fn stopped(&self) -> Stopped {
        self.stopped
    }

    /// v(∅) and v(N).
    #[cfg(feature = "surrogate")]
    pub(crate) fn ends(&self) -> [V; 2]
    where
        V: Clone,
    {
        [self.attribution.baseline().clone(), self.attribution.grand().clone()]
    }

    #[cfg(feature = "surrogate")]
    pub(crate) fn origin(&self) -> &Origin<V> {
        &self.origin
    }

    /// The pairs that it is made of, if it is of pairs.
    #[cfg(feature = "surrogate")]
    pub(crate) fn into_pairs(self) -> Option<Pairs<V>> {
        match self.origin {
            Origin::Walks(..) => None,
            Origin::Pairs(pairs) => Some(pairs),
        }
    }

    /// The same, stopped for another reason.
    #[cfg(feature = "surrogate")]
    pub(crate) fn stopped_by(self, stopped: Stopped) -> Self {
        Self { stopped, ..self }
    }

    /// The samples that it is made of, if it is of walks.
    pub(crate) fn walks(&self) -> Option<&Samples<V>> {
        match &self.origin {
            Origin::Walks(samples, _) => Some(samples),
            #[cfg(feature = "surrogate")]
            Origin::Pairs(_) => None,
        }
    }

    /// What has made it.
    pub(crate) fn solver(&self) -> &'static str {
        match &self.origin {
            Origin::Walks(..) => "Permutation",
            #[cfg(feature = "surrogate")]
            Origin::Pairs(pairs) => pairs.method.name(),
        }
    }
}

impl<V> Estimate<V> {
    /// The seed that it was made with; of estimates that were merged, the smallest few.
    fn seeds(&self) -> String {
        match &self.origin {
            Origin::Walks(samples, _) => {
                let mut seeds: Vec<String> = samples.streams.keys().take(MOST_SEEDS).map(u64::to_string).collect();
                if samples.streams.len() > MOST_SEEDS {
                    seeds.push(format!("… ({} seeds)", samples.streams.len()));
                }
                seeds.join(", ")
            }
            #[cfg(feature = "surrogate")]
            Origin::Pairs(pairs) => pairs.seed.to_string(),
        }
    }
}

impl<V: Value> Estimate<V> {
    /// The permutations walked: two for each sample with antithetic sampling, an order and its reverse. None for a
    /// solver that walks none.
    #[must_use]
    pub fn permutations(&self) -> u64 {
        self.walks().map_or(0, |samples| samples.len().saturating_mul(samples.design.walks()))
    }

    /// An interval that has the player's true value with probability `level`, 0.95 for instance: the value ± t standard
    /// errors. For `Surrogate` and `KernelShap`, whose errors are not those of a mean, t is the normal distribution's:
    /// 1.96 standard errors for 0.95. For [`Permutation`](crate::Permutation) it is Student's. Where
    /// contributions are plain noise, it has one degree of freedom less than there are samples. Where they are rare, it
    /// has fewer, and intervals are wider by a factor (`docs/permutation.md`).
    ///
    /// No rule finds a contribution that none of the samples of any player has shown. Where contributions are rare, make
    /// [at least](crate::Permutation::at_least) as many evaluations as it takes to see most of them: an interval of width
    /// zero says that all samples of all players were the same, no more.
    ///
    /// If the run had a [`precision`](crate::Permutation::precision) to reach, the interval is wider, by the correction
    /// that is described there: it holds although the run may have stopped at a good moment. Of estimates that were
    /// merged, the strongest correction counts.
    ///
    /// Where all samples are nearly the same, as those of pairs are in games of single and pairwise effects, the
    /// standard error is that of rounding, and an interval may miss by as much.
    ///
    /// # Panics
    ///
    /// If the player does not exist, or `level` is not between 0 and 1.
    #[must_use]
    pub fn interval(&self, player: usize, level: f64) -> (V, V) {
        let (value, half) = (&self.values()[player], self.half_width(player, level));
        (value.zip_with(&half, |v, h| v - h), value.zip_with(&half, |v, h| v + h))
    }

    /// Half the width of a player's [interval](Self::interval): the ± of it.
    ///
    /// # Panics
    ///
    /// If the player does not exist, or `level` is not between 0 and 1.
    #[must_use]
    pub fn half_width(&self, player: usize, level: f64) -> V {
        assert!(level > 0.0 && level < 1.0, "an interval cannot have level {level}: it must be between 0 and 1");
        let error = &self.std_errors[player];
        match &self.origin {
            Origin::Walks(samples, reach) => {
                let mut widths = reach.iter().map(|reach| reach.width(samples.corrected(level)));
                error.zip_with(error, |error, _| scaled(widths.next().unwrap_or(f64::INFINITY), error))
            }
            // Errors that are no means of samples have no degrees of freedom that are known: those of a normal
            // distribution.
            #[cfg(feature = "surrogate")]
            Origin::Pairs(_) => error.zip_with(error, |error, _| scaled(width(level, f64::INFINITY), error)),
        }
    }

    /// Adds the samples of another estimate of the same game: from another seed, as a rule. The result is that of all
    /// samples together, bit for bit whichever is merged into which; evaluations add up, and why it stopped stays.
    ///
    /// # Errors
    ///
    /// [`Mismatch`](Error::Mismatch) if one of the two is not of [`Permutation`](crate::Permutation) (others go on by
    /// `resume`, and are not merged), the games differ in the number of players, or by a single bit in v(∅) or v(N),
    /// or the samplers in antithetic sampling, truncation or the version of their orders (of estimates from files);
    /// [`Overlap`](Error::Overlap) if both have samples of the
    /// same seed and number; [`Overflow`](Error::Overflow); [`Setting`](Error::Setting) for more than 2^60 evaluations,
    /// which only a file can claim. The estimate is then as it was. In a function that returns
    /// the errors of a fallible game, [`Error::map`] makes these such ones.
    ///
    /// ```
    /// use shapley::{Error, Permutation};
    ///
    /// let game = shapley::from_fn(10, |s| (s.len() as f64).sqrt() + if s.contains(3) { 1.0 } else { 0.0 });
    /// let mut estimate = Permutation::new(1_000).seed(1).estimate(&game)?;
    /// estimate.merge(Permutation::new(1_000).seed(2).estimate(&game)?)?;
    /// assert_eq!(estimate.permutations(), 2 * 110);
    ///
    /// let again = Permutation::new(500).seed(2).estimate(&game)?;
    /// assert!(matches!(estimate.merge(&again), Err(Error::Overlap { seed: 2, start: 0, .. })));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn merge(&mut self, other: impl Borrow<Self>) -> Result<(), Error> {
        let other = other.borrow();
        let (Some(mine), Some(other)) = (self.walks(), other.walks()) else {
            let (ours, theirs) = (self.solver().to_owned(), other.solver().to_owned());
            return Err(Error::Mismatch { what: "the solver (only `Permutation` merges)", ours, theirs });
        };
        mine.design.check(&other.design)?;
        check_ends(&mine.ends, &other.ends)?;
        check_evaluations([mine.evaluations, mine.saved, other.evaluations, other.saved])?;
        let mut all = mine.clone();
        for (&seed, theirs) in &other.streams {
            let ours = all.streams.entry(seed).or_insert_with(|| theirs.emptied());
            for (a, b) in ours.ranges().iter().flat_map(|a| theirs.ranges().into_iter().map(move |b| (a.clone(), b))) {
                let (start, end) = (a.start.max(b.start), a.end.min(b.end));
                if start < end {
                    return Err(Error::Overlap { seed, start, end });
                }
            }
            Moments::of(theirs.clone()).move_to(ours);
        }
        all.looks = all.looks.max(other.looks);
        all.evaluations += other.evaluations;
        all.saved += other.saved;
        *self = all.estimate(self.stopped)?;
        Ok(())
    }

    /// This table with the names of players, for people to read. A player without a name has its number, and names
    /// beyond the number of players are not used. The formats are those of `Display`.
    ///
    /// ```
    /// let game = shapley::from_fn(2, |s| if s.contains(1) { 12.0 } else { 0.0 });
    /// let estimate = shapley::permutation(&game, 100)?;
    /// assert_eq!(estimate.named(&["Ann", "Bob"]).to_string(), "Bob  12  ± 0\nAnn   0  ± 0");
    /// # Ok::<(), shapley::Error>(())
    /// ```
    pub fn named<'a>(&'a self, names: &'a [impl AsRef<str>]) -> impl fmt::Display + 'a {
        Named { of: self, names }
    }
}

impl<V: Value> fmt::Display for Estimate<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, None)
    }
}

impl<V: Value> Printed for Estimate<V> {
    fn print(&self, f: &mut fmt::Formatter<'_>, name: Option<NameOf<'_>>) -> fmt::Result {
        let order = display::largest_first(self.values().iter());
        let plain = display::decimals_of(self.values().iter());
        let largest = self.values().iter().map(V::magnitude).fold(0.0, f64::max);
        let decimals = |player: usize| {
            display::decimals_of_error(&self.values()[player], &self.std_errors[player], largest).or(plain)
        };
        let texts = |text: &dyn Fn(usize) -> String| order.iter().map(|&player| text(player)).collect::<Vec<_>>();
        // An error has no sign, whatever was asked for.
        let error = |player: usize| {
            let text = display::text(&self.std_errors[player], decimals(player), f);
            format!("± {}", text.trim_start_matches('+'))
        };
        let interval = |player: usize| {
            let (low, high) = self.interval(player, 0.95);
            let [low, high] = [low, high].map(|bound| display::text(&bound, decimals(player), f));
            format!("{low} to {high}")
        };
        let mut columns = vec![
            ("player", display::players(&order, name)),
            ("value", Column::Point(texts(&|player| display::text(&self.values()[player], decimals(player), f)))),
            ("± std. error", Column::Point(texts(&error))),
        ];
        if f.alternate() {
            columns.push(("95% interval", Column::Left(texts(&interval))));
        }
        let ends = display::decimals_of([self.attribution.baseline(), self.attribution.grand()].into_iter());
        let mut foot = vec![
            ("v(∅)", display::text(self.attribution.baseline(), ends, f)),
            ("v(N)", display::text(self.attribution.grand(), ends, f)),
            ("evaluations", self.evaluations().to_string()),
        ];
        if self.walks().is_some() {
            foot.push(("permutations", self.permutations().to_string()));
        }
        foot.push(("stopped by", format!("{:?}", self.stopped)));
        foot.push(("solver", self.solver().to_owned()));
        foot.push(("seed", self.seeds()));
        display::write(f, columns, &foot)
    }
}
