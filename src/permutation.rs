//! Sampling permutations: its options.

mod collect;
mod order;
mod partial;
mod rules;
mod run;
mod walks;
mod window_walks;

use std::borrow::Borrow;
use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::engine::settings::Settings;
use crate::engine::stopping::Stopping;
use crate::{Error, Estimate, Progress, Semivalue, TryGame};
#[cfg(feature = "serde")]
pub(crate) use order::VERSION as ORDERS_VERSION;
pub use partial::{PermutationPartial, SampleSums};
#[cfg(feature = "mpi")]
pub(crate) use rules::Seen;
#[cfg(feature = "serde")]
pub(crate) use rules::{Rules, most_looks};

/// Shapley values by sampling permutations, for games that are too large for [`exact`](crate::exact): at most so many
/// evaluations of the game, and a standard error for every value.
///
/// This is [`Permutation::new(evaluations).estimate(game)`](Permutation::estimate), which has the details.
///
/// ```
/// // Sixty people share a bus; the k-th rides k km, and the fare is that of the longest ride.
/// let game = shapley::from_fn(60, |s| s.iter().map(|rider| rider as f64 + 1.0).fold(0.0, f64::max));
/// let fare = shapley::permutation(&game, 50_000)?;
/// assert!(fare.evaluations() <= 50_000);
/// assert!((fare.values().iter().sum::<f64>() - 60.0).abs() < 1e-9);
/// let (low, high) = fare.interval(59, 0.95);
/// let exact: f64 = (1..=60).map(|k| 1.0 / f64::from(k)).sum(); // 4.68
/// assert!(low < exact && exact < high && high - low < 2.0);
/// # Ok::<(), shapley::Error>(())
/// ```
///
/// With 2^n evaluations or more to spend, [`exact`](crate::exact) costs less and leaves no doubt: the sampler asks
/// again for coalitions that it meets again.
///
/// # Errors
///
/// Those of [`Permutation::estimate`]; above all [`BudgetTooSmall`](Error::BudgetTooSmall) below 2n evaluations. (With
/// 4n there are two samples, and standard errors.)
pub fn permutation<G: TryGame + ?Sized>(game: &G, evaluations: u64) -> Result<Estimate<G::Value>, Error<G::Error>> {
    Permutation::new(evaluations).estimate(game)
}

/// The permutation sampler with its options.
///
/// ```
/// use std::time::Duration;
/// use shapley::{Permutation, Stopped};
///
/// let game = shapley::from_fn(30, |s| (s.iter().map(|i| i as f64).sum::<f64>()).sqrt());
/// let sampler = Permutation::new(1_000_000).seed(7).precision(0.05).deadline(Duration::from_secs(60));
/// let estimate = sampler.estimate(&game)?;
/// assert_eq!(estimate.stopped(), Stopped::Precision);
/// let (low, high) = estimate.interval(29, 0.95);
/// assert!(high - low <= 0.1);
/// # Ok::<(), shapley::Error>(())
/// ```
///
/// # What it does
///
/// A player's Shapley value is its marginal contribution v(S ∪ {i}) − v(S), where S are those who came before, averaged
/// over all orders in which the players can come. A walk along a random order gives every player one such contribution,
/// for n − 1 evaluations; the mean over many walks is unbiased, and the values of each walk sum to v(N) − v(∅) (Mann &
/// Shapley 1960, "Values of large games IV", RAND RM-2651; Castro, Gómez & Tejada 2009, "Polynomial calculation of the
/// Shapley value based on sampling", *Computers & Operations Research* 36(5), 1726–1730,
/// doi:10.1016/j.cor.2008.04.004).
///
/// By default every order is also walked backwards, and the mean of the two is **one sample**: who comes early in one
/// comes late in the other, which cancels much of the noise (antithetic sampling; Mitchell, Cooper, Frank & Holmes
/// 2022, "Sampling permutations for Shapley value estimation", *JMLR* 23(43)). Standard errors are those of samples.
///
/// # Stopping
///
/// The budget of evaluations is never passed. Beside it there can be a [precision](Self::precision), a
/// [deadline](Self::deadline) and an [observer](Self::observe); whichever comes first, and
/// [`Estimate::stopped`] says which.
///
/// # Repeatable
///
/// Order i is a function of n, the seed and i alone, and samples are added up by a tree that depends on their numbers
/// alone: the same seed gives the same bits on any number of threads, with any [`batch`](Self::batch), in one run or
/// [resumed](Self::resume), on any machine. (What a deadline or an observer cuts off depends on time, so which samples
/// there are does, and that alone.)
#[derive(Clone)]
#[must_use]
pub struct Permutation<F = fn(&Progress) -> ControlFlow<()>> {
    pub(crate) evaluations: u64,
    pub(crate) seed: u64,
    pub(crate) antithetic: bool,
    pub(crate) stopping: Stopping,
    pub(crate) truncation: Option<f64>,
    /// None of the Shapley value.
    pub(crate) semivalue: Option<Semivalue>,
    /// The evaluations before which a precision ends no run.
    pub(crate) at_least: u64,
    /// Without a batch walks are the game's own.
    pub(crate) settings: Settings<F>,
}

impl Permutation {
    /// At most so many evaluations of the game; seed 0, antithetic, all threads, and nothing else that ends it.
    pub fn new(evaluations: u64) -> Self {
        Self {
            evaluations,
            seed: 0,
            antithetic: true,
            stopping: Stopping::never(),
            truncation: None,
            semivalue: None,
            at_least: 0,
            settings: Settings::new(),
        }
    }
}

impl<F> Permutation<F> {
    /// Which orders are drawn. Estimates of different seeds are independent.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Whether every order is walked backwards too, as it is by default. Without it a sample is a single walk. Pairs
    /// are rarely worse than two single walks, and often much better. They are worse, by up to twice the variance, in
    /// votes where S wins when N∖S loses: an order and its reverse then have the same pivot, and say the same.
    pub fn antithetic(self, antithetic: bool) -> Self {
        Self { antithetic, ..self }
    }

    /// Stops once every player's interval, at the [confidence](Self::confidence) asked for, is no wider than ±
    /// `half_width`, in units of v (of a game with several outputs, in every output). The promise is that, for each
    /// player, the true value is then within `half_width` of the estimate with at least that confidence, as far as the
    /// samples know of rare contributions: see [`Estimate::interval`]. Where all players' contributions are so rare
    /// that hardly any was seen, say [how many evaluations](Self::at_least) to make at least.
    ///
    /// The intervals are looked at after 30 samples, and then whenever there are half as many more. Looking often and
    /// stopping at a good moment would make the promise false, so each of the K looks that the budget allows is made at
    /// level 1 − (1 − confidence)/K: by Bonferroni's inequality the chance that any of them misleads is then at most 1
    /// − confidence (the scheme of growing looks with divided levels is that of Mnih, Szepesvári & Audibert 2008,
    /// "Empirical Bernstein stopping", *ICML*, 672–679, doi:10.1145/1390156.1390241, with Student's t for their bound).
    /// A budget of a million evaluations for 16 players allows 18 looks, which makes intervals 1.5 times as wide; a
    /// budget without need of 2^64 allows 93, and makes them 1.8 times as wide. What [`Estimate::interval`] returns is
    /// corrected likewise, whatever ended the run.
    ///
    /// Must be positive.
    pub fn precision(mut self, half_width: f64) -> Self {
        self.stopping.precision = Some(half_width);
        self
    }

    /// The level of the intervals that [`precision`](Self::precision) is about and that the observer is shown: 0.95
    /// unless set. Between 0 and 1.
    pub fn confidence(mut self, level: f64) -> Self {
        self.stopping.confidence = level;
        self
    }

    /// No [precision](Self::precision) ends the run before it has made this many evaluations (those that
    /// [truncation](Self::truncate) spared included): for games whose contributions are rare.
    ///
    /// No rule finds what no sample has shown. A contribution that is there in a share p of the samples is in none of m
    /// samples with a chance of (1 − p)^m: to have seen it with probability 1 − α takes **ln(1/α) / p samples**, 3/p
    /// for 95 %, of 2(n − 1) evaluations each. Where some of n equal players decides alone, as in a vote, p is 2/n for
    /// a pair of walks, and n²·3 evaluations are enough for most of the players to have been seen. With p = 1/1000:
    ///
    /// ```
    /// use shapley::{Error, Permutation};
    ///
    /// // Ten players, all of whom must come before number 10 adds anything: p is 1/11 in a walk, and 2/11 in a pair.
    /// let game = shapley::from_fn(11, |s| if s.len() == 11 { 1.0 } else { 0.0 });
    /// let samples = (20.0_f64.ln() / (2.0 / 11.0)).ceil() as u64; // 17
    /// let sampler = Permutation::new(100_000).precision(0.1).at_least(2 + 20 * samples);
    /// assert!(sampler.estimate(&game)?.evaluations() >= 2 + 20 * samples);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// The run stops at the first look at the intervals from there on; looks before are not made, so intervals are
    /// corrected for fewer of them. Of estimates that were merged or resumed all samples count, whichever run made
    /// them. Without a precision this changes nothing. More than the budget is an error, since no precision could then
    /// end the run.
    pub fn at_least(self, evaluations: u64) -> Self {
        Self { at_least: evaluations, ..self }
    }

    /// Stops after so much time. Samples that are begun are finished, and the first is always made: it may be over by
    /// as long as a sample takes, 2(n − 1) evaluations of the game, or as long as the samples take that share a
    /// [`batch`](Self::batch).
    pub fn deadline(mut self, after: Duration) -> Self {
        self.stopping.deadline = Some(after);
        self
    }

    /// Ends a walk early, once |v(N) − v(S)| stays below `tolerance`: for data valuation, where the last of many
    /// training points hardly matter. (Ghorbani & Zou 2019, "Data Shapley: equitable valuation of data for machine
    /// learning", *ICML*, PMLR 97, 2242–2251.)
    ///
    /// It ends after the third prefix in a row whose difference is below, in all outputs, and what is left of
    /// v(N) − v(S) is shared equally by the players who did not come (the source gives them nothing; shared, the
    /// values still sum to v(N) − v(∅)). [`Estimate::saved`] says how many evaluations it spared; they pay for more
    /// samples.
    ///
    /// **The estimates are then biased**, and the intervals know nothing of it. If v only grows, or stays near v(N)
    /// once it is there, the bias is at most about the tolerance, and players who add nothing get a share of that.
    /// Otherwise it has no bound: a walk also ends where v(S) happens to be near v(N) while players still to come would
    /// change it up and down.
    ///
    /// A walk that may end at any prefix is asked for prefix by prefix, not by the game's [`walk`](crate::Game::walk):
    /// the two of a sample in step, so that a call has two coalitions; or, with a [`batch`](Self::batch), as many walks
    /// in step as fill it. Of several failures in one such batch of samples, that of the shortest prefix is returned.
    ///
    /// Must be positive. Off by default.
    pub fn truncate(self, tolerance: f64) -> Self {
        Self { truncation: Some(tolerance), ..self }
    }

    /// The number of threads to ask the game on; more than 1024 are taken for 1024, and 0, the default, for as many as
    /// rayon's current pool has. Without the feature `parallel` there is one, whatever is asked for.
    pub fn threads(mut self, threads: usize) -> Self {
        self.settings.threads = threads;
        self
    }

    /// Asks for prefixes by [`try_values`](TryGame::try_values), up to this many at once, several walks sharing a call:
    /// for a model that is fastest on batches of a certain size. By default, or with 0, every walk is one call of the
    /// game's own [`try_walk`](TryGame::try_walk), which for most games goes on to `try_values` with the n − 1 prefixes
    /// of that walk.
    ///
    /// A call has the prefixes of as many whole samples as fit, 2(n − 1) each. A batch that is smaller than that cuts
    /// each sample, the last call having what is left. A batch's coalitions and values are in memory, on each thread;
    /// more than 65 536 are taken for that. (A game whose `walk` does not give the very bits of its `values` gives the
    /// bits of whichever is asked.)
    pub fn batch(mut self, coalitions: usize) -> Self {
        self.settings.batch = coalitions;
        self
    }

    /// Estimates this semivalue in place of the Shapley value, by windows of walks around the sizes that count.
    ///
    /// A sample is an order that is cut into windows. The walk along each starts from a random coalition, whose size is
    /// drawn as the semivalue counts sizes. A sample takes at most n evaluations, and one more for each window: for the
    /// Banzhaf values of 1000 players 1028. If contributions to all sizes have one mean square, a player's variance is
    /// then 1.05 times that of a contribution to a coalition of the wanted size. (Along a whole walk with weights, it
    /// is 18 times that.) [`Antithetic`](Self::antithetic) samples have the complements of all coalitions, too, where
    /// sizes s and n − 1 − s count alike, and take twice the evaluations. For other semivalues a sample is of one
    /// order, whatever is set. Of a game whose contributions are all alike, the estimates have the noise of these
    /// weights.
    ///
    /// All else is as of Shapley values: standard errors, intervals, precision, resuming, merging, parts. A call has
    /// the coalitions of a sample, up to a megabyte of them, or a [`batch`](Self::batch); the game's own walks are not
    /// used. The values do not sum to v(N) − v(∅). [`truncate`](Self::truncate) is an error.
    ///
    /// ```
    /// use shapley::{Permutation, Semivalue};
    ///
    /// let game = shapley::from_fn(40, |s| (s.len() as f64).sqrt());
    /// let sampler = Permutation::new(5_000).weighted(Semivalue::banzhaf());
    /// let half = sampler.clone().part(0, 2).run(&game)?; // also resume, Cluster::permutation
    /// # let _ = half;
    /// assert_eq!(sampler.estimate(&game)?, Permutation::new(5_000).semivalue(&game, &Semivalue::banzhaf())?);
    /// # Ok::<(), shapley::Error>(())
    /// ```
    pub fn weighted(self, semivalue: Semivalue) -> Self {
        Self { semivalue: Some(semivalue).filter(|semivalue| *semivalue != Semivalue::shapley()), ..self }
    }

    pub(crate) fn with_settings<O>(&self, settings: Settings<O>) -> Permutation<O> {
        let Self { evaluations, seed, antithetic, stopping, truncation, at_least, .. } = *self;
        let semivalue = self.semivalue.clone();
        Permutation { evaluations, seed, antithetic, stopping, truncation, at_least, semivalue, settings }
    }

    /// Shows the progress after every walk or batch, or every millisecond or so if they are faster, and stops the run
    /// when `observer` breaks: with an estimate from the samples so far. Samples that are begun are finished, and the
    /// first is always made.
    ///
    /// The observer is called by a thread that finished a walk, one call at a time, with counts that only grow. What it
    /// changes it must hold in an atomic or a `Mutex`, since it is called from several threads. A closure that is not
    /// written in place must name its argument's type:
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use shapley::{Permutation, Progress, Stopped};
    ///
    /// let game = shapley::from_fn(20, |s| (s.len() as f64).sqrt());
    /// let enough = |progress: &Progress| {
    ///     eprintln!("{} of {}, ± {:.3}", progress.evaluations, progress.total, progress.half_width);
    ///     if progress.permutations >= 40 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    /// };
    /// let estimate = Permutation::new(100_000_000).observe(enough).estimate(&game)?;
    /// assert_eq!(estimate.stopped(), Stopped::Observer);
    /// # Ok::<(), shapley::Error>(())
    /// ```
    pub fn observe<O: Fn(&Progress) -> ControlFlow<()> + Sync>(self, observer: O) -> Permutation<O> {
        self.with_settings(self.settings.with_observer(Some(observer)))
    }
}

impl<F: Fn(&Progress) -> ControlFlow<()> + Sync> Permutation<F> {
    /// The estimated Shapley values.
    ///
    /// # Cost
    ///
    /// v(∅) and v(N) once, in one call, and then n − 1 evaluations a walk, two walks a sample, for as many whole
    /// samples as the budget pays for. Of games with a fast [`walk`](crate::Game::walk) or none to speak of, its own
    /// share is a few nanoseconds an evaluation. Memory for about 20 values for each player and thread, and 2
    /// log₂(samples) values for each player; and for a batch on each thread.
    ///
    /// If all samples are the same (one player; two, with antithetic sampling), one is made and the result is exact.
    ///
    /// A failure ends the run and its samples are lost. A game that may fail had better try again by itself; and a long
    /// run may go in steps, each resumed from the last and kept, with the bits of one run. A step takes 2 evaluations
    /// more:
    ///
    /// ```
    /// use shapley::Permutation;
    ///
    /// let game = shapley::from_fn(12, |s| (s.len() as f64).sqrt());
    /// let mut estimate = Permutation::new(1_000).estimate(&game)?;
    /// for step in 2..=10 {
    ///     // Save it here (feature `serde`). `estimate` is only borrowed, and is still there if the step fails.
    ///     estimate = Permutation::new(1_002 * step).resume(&game, &estimate)?;
    /// }
    /// let whole = shapley::permutation(&game, 10_000)?;
    /// assert_eq!((estimate.values(), estimate.std_errors()), (whole.values(), whole.std_errors()));
    /// # Ok::<(), shapley::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// * [`NoPlayers`](Error::NoPlayers); [`TooManyPlayers`](Error::TooManyPlayers) beyond
    ///   [`Coalition::MAX_PLAYERS`](crate::Coalition::MAX_PLAYERS); [`BudgetTooSmall`](Error::BudgetTooSmall) below 2 +
    ///   2(n − 1) evaluations, or n + 1 without antithetic sampling; [`Setting`](Error::Setting) for a precision,
    ///   confidence or tolerance that is out of range, and more evaluations [at least](Self::at_least) than at most:
    ///   before any evaluation;
    /// * [`NotFinite`](Error::NotFinite), [`Game`](Error::Game), [`BatchLength`](Error::BatchLength): of several, the
    ///   one of the first sample. Samples begun by other threads are finished, and no further one is begun;
    /// * [`Overflow`](Error::Overflow) if sums of contributions do not fit the value type;
    /// * [`Threads`](Error::Threads) if the threads could not be started.
    ///
    /// # Panics
    ///
    /// If the game or the observer does.
    pub fn estimate<G: TryGame + ?Sized>(&self, game: &G) -> Result<Estimate<G::Value>, Error<G::Error>> {
        run::run(game, self, None)
    }

    /// The estimated values of a semivalue: [`weighted`](Self::weighted), and then [`estimate`](Self::estimate).
    ///
    /// # Errors
    ///
    /// Those of [`estimate`](Self::estimate); [`WeightLength`](Error::WeightLength) if the semivalue is of another
    /// number of players; [`Setting`](Error::Setting) with a [truncation](Self::truncate).
    pub fn semivalue<G: TryGame + ?Sized>(
        &self,
        game: &G,
        semivalue: &Semivalue,
    ) -> Result<Estimate<G::Value>, Error<G::Error>> {
        let settings = self.settings.with_observer(self.settings.observer.as_ref());
        self.with_settings(settings).weighted(semivalue.clone()).estimate(game)
    }

    /// Goes on where an estimate stopped, for whatever reason, until this sampler's own rules say stop. The samples are
    /// those of one run with this sampler from the start, bit for bit (one that was stopped by the same rules; a
    /// deadline counts from now). The estimate may be given or borrowed. Where several threads were stopped by time or
    /// an observer, numbers before the last sample may be missing; they are made first, and the bits are those of one
    /// run once the budget has paid for all of them.
    ///
    /// **The game must be the one that the estimate is of.** v(∅) and v(N) are asked for again, in one call, and must
    /// be what the estimate has: two games mostly differ in v(N).
    ///
    /// **The budget is the total, and is never passed**: it counts what the estimate has cost, and the 2 evaluations of
    /// v(∅) and v(N). At least one sample is made, whatever the deadline or the observer say. Where the budget does not
    /// pay for these 2 and a sample, or the estimate is as precise as was asked for, nothing is asked for, and the
    /// estimate comes back with the same samples, stopped by that rule; with a precision, its intervals are corrected
    /// for looks.
    ///
    /// If only one of the two runs had a [precision](Self::precision) to reach, its intervals are corrected for the
    /// looks of that one alone. A merged estimate goes on with any one of its seeds.
    ///
    /// # Errors
    ///
    /// Those of [`estimate`](Self::estimate) but `BudgetTooSmall`, and [`Mismatch`](Error::Mismatch) if the game has
    /// another number of players, or another v(∅) or v(N), or the estimate is from a sampler with another seed,
    /// truncation or antithetic setting, or from a file whose samples are of an older version of the orders.
    ///
    /// ```
    /// use shapley::Permutation;
    ///
    /// let game = shapley::from_fn(12, |s| (s.len() as f64).powi(2) + f64::from(u8::from(s.contains(5))));
    /// let first = Permutation::new(500).seed(3).estimate(&game)?;
    /// let more = Permutation::new(5_002).seed(3).resume(&game, &first)?;
    /// let whole = Permutation::new(5_000).seed(3).estimate(&game)?;
    /// assert_eq!((more.values(), more.std_errors()), (whole.values(), whole.std_errors()));
    /// # Ok::<(), shapley::Error>(())
    /// ```
    pub fn resume<G: TryGame + ?Sized>(
        &self,
        game: &G,
        estimate: impl Borrow<Estimate<G::Value>>,
    ) -> Result<Estimate<G::Value>, Error<G::Error>> {
        run::run(game, self, Some(estimate.borrow()))
    }
}

impl<F> fmt::Debug for Permutation<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permutation")
            .field("evaluations", &self.evaluations)
            .field("seed", &self.seed)
            .field("antithetic", &self.antithetic)
            .field("precision", &self.stopping.precision)
            .field("confidence", &self.stopping.confidence)
            .field("at_least", &self.at_least)
            .field("deadline", &self.stopping.deadline)
            .field("truncation", &self.truncation)
            .field("semivalue", &self.semivalue)
            .field("threads", &self.settings.threads)
            .field("batch", &self.settings.batch)
            .field("observed", &self.settings.observer.is_some())
            .finish()
    }
}
