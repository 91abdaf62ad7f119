//! Estimates from pairs of coalitions: by a model of the game, and by least squares.

mod bfgs;
mod constants;
mod correction;
mod covariance;
mod cross_validation;
mod data;
mod design;
mod devices;
mod expansion;
mod far_apart;
mod fit;
mod functional;
mod functional_values;
mod hyperparameters;
mod kernel;
mod kernel_shap;
mod kernel_values;
mod least_squares;
mod linear;
mod mixture;
mod pair_regression;
mod pair_weights;
mod posterior;
mod quadratic;
mod questions;
mod quota;
mod ridge;
mod rows;
mod run;
mod saturation;
mod set_sums;
mod solve;
mod stages;
mod summary;

use std::borrow::Borrow;
use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::engine::Random;
use crate::engine::settings::Settings;
use crate::engine::stopping::Stopping;
use crate::results::Method;
#[cfg(feature = "serde")]
pub(crate) use run::MOST_PLAYERS;
#[cfg(feature = "mpi")]
pub(crate) use run::{check_budget, check_players, is_exact, of_exact, pairs};
pub use summary::SampleSummary;

use crate::{Error, Estimate, Progress, TryGame};

/// The number of pairs by the size of the smaller coalition, from 1 to n/2.
pub(crate) fn population(players: usize) -> Vec<f64> {
    quota::population(players)
}

/// A stream of the random numbers of a design: one for each seed and purpose.
fn generator(seed: u64, purpose: u64) -> Random {
    Random::new(b"shapley pairs, version 1", seed, purpose)
}

/// What both solvers can be told.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) evaluations: u64,
    pub(crate) seed: u64,
    pub(crate) stopping: Stopping,
}

/// Shapley values by a model of the game: the most accurate estimate for a number of evaluations that is known, for
/// games whose evaluations are dear.
///
/// ```
/// use shapley::Surrogate;
///
/// // Twelve people, a product that takes three of them, and what everybody adds alone.
/// let game = shapley::from_fn(12, |s| {
///     let together = if [1, 4, 7].iter().all(|&k| s.contains(k)) { 6.0 } else { 0.0 };
///     together + s.iter().map(|k| k as f64).sum::<f64>().sqrt()
/// });
/// let estimate = Surrogate::new(300).seed(7).estimate(&game)?;
/// let exact = shapley::exact(&game)?; // 4096 evaluations
/// for player in 0..12 {
///     assert!((estimate.values()[player] - exact[player]).abs() < 0.02);
/// }
/// # Ok::<(), shapley::Error>(())
/// ```
///
/// # What it does
///
/// It asks for v(∅) and v(N), and for complementary pairs of coalitions, chosen without regard to values: all single
/// players from 3n + 2 evaluations on, and others that lie far apart, each with a chance that is known. Only half the
/// difference of a pair carries Shapley values. A Gaussian process is fitted to these differences, with a relevance for
/// each player, a term for the coalition's size, and one for a weighted sum of its members, as thresholds have. A
/// second one sees both values of each pair through a logistic curve, whose bounds are fitted too: probabilities,
/// accuracies and scores flatten near theirs. The two are weighted by how well they predict pairs that they were not
/// shown. What they leave of the differences corrects the values, as far as it exceeds its own noise. The values sum to
/// v(N) − v(∅), up to rounding.
///
/// If the game looks self-dual, v(S) + v(N∖S) being the same for all S as in many votes, one coalition of each pair is
/// asked for; a few complements, to the end, test whether that is right, and if not, the pairs are completed as far as
/// the budget goes. (Where few pairs are otherwise, as votes with ties are, what stays missing is taken to be as they
/// are on average.)
///
/// # How sure it is
///
/// Standard errors are of the models, widened by what the number of fitted parameters and cross-validation say of them,
/// and of the correction. 95 % intervals covered 0.95 of the values of ten kinds of published games, and 0.96 of a
/// thousand random votes; fewest, 0.86, of a sentence of 14 words. They are no confidence of a theorem: they hold as
/// far as the pairs that were not asked for are like those that were. Games that are the same almost everywhere and
/// different in a corner that was never asked about are not seen through, by this or any method. Unlike
/// [`Permutation`](crate::Permutation) it is not unbiased.
///
/// # When to use it
///
/// Where evaluations are dear. With some 10 for each player it is the best choice from 2 microseconds an evaluation on,
/// for up to a hundred players; from 10 for 200, 0.1 milliseconds for 300, and half a millisecond for a thousand. With
/// only 3 for each player these times are ten times as long. Below them, ask [`Permutation`](crate::Permutation) for
/// many times as many in the same time. Beyond 10 for each of 200 players or more, the model gains little from more.
/// `docs/benchmarks.md` has the measurements, which depend on the game by a factor of some, and where it lost.
///
/// Its own time is some 5 milliseconds for a hundred evaluations, 35 for 500 and 150 for 2000, on one thread; for a
/// hundred players 0.2 to 0.8 seconds, for a thousand ten.
///
/// # Repeatable
///
/// The same seed gives the same bits on any number of threads, in batches of any size, on one machine. Another machine
/// may add up in another order, and the fit may then end at another optimum.
#[derive(Clone)]
#[must_use]
pub struct Surrogate<F = fn(&Progress) -> ControlFlow<()>> {
    pub(crate) options: Options,
    pub(crate) settings: Settings<F>,
}

/// Shapley values by least squares on pairs of coalitions: cheap, and good where players hardly interact.
///
/// ```
/// use shapley::KernelShap;
///
/// let game = shapley::from_fn(16, |s| s.iter().map(|k| k as f64).sum::<f64>().powf(1.1));
/// let estimate = KernelShap::new(500).seed(7).estimate(&game)?;
/// let exact = shapley::exact(&game)?; // 65 536 evaluations
/// for player in 0..16 {
///     assert!((estimate.values()[player] - exact[player]).abs() < 0.1); // of values from 0 to 24
/// }
/// # Ok::<(), shapley::Error>(())
/// ```
///
/// The Shapley values are the coefficients of the linear function that fits all values of the game best, with weights
/// (s − 1)! (n − s − 1)! for coalitions of s players and v(∅) and v(N) met (Charnes, Golany, Keane & Rousseau 1988;
/// Lundberg & Lee 2017, "A unified approach to interpreting model predictions", *NeurIPS* 30). Here it is fitted to
/// pairs S, N∖S, drawn without replacement, the same number of each size, over their chance to be drawn (Covert & Lee
/// 2021, "Improving KernelSHAP", *AISTATS*, PMLR 130; Musco & Witter 2025, "Provably accurate Shapley value estimation
/// via leverage score sampling", *ICLR*). With all pairs it is exact.
///
/// It is the best choice between the times of an evaluation for which [`Permutation`](crate::Permutation) and
/// [`Surrogate`] are, with few evaluations for each player: of 30 players with 3 for each, from 5 to 70 microseconds.
///
/// It has Shapley values alone. [`Surrogate::summary_of`] makes other semivalues and interactions of its estimate, by
/// models: least squares would need a pair of coalitions for each pair of players.
///
/// Pairs, their checks, batches and repeatability are those of [`Surrogate`]. Standard errors are those of a sample
/// without replacement, from each pair's residual as if it had not been asked for. They know nothing of how the pairs
/// are spread, and are too large where that helps.
#[derive(Clone)]
#[must_use]
pub struct KernelShap<F = fn(&Progress) -> ControlFlow<()>> {
    pub(crate) options: Options,
    pub(crate) settings: Settings<F>,
}

macro_rules! solver {
    ($solver:ident, $method:expr) => {
        impl $solver {
            /// At most so many evaluations of the game; seed 0, all threads, and nothing else that ends it.
            pub fn new(evaluations: u64) -> Self {
                let options = Options { evaluations, seed: 0, stopping: Stopping::never() };
                Self { options, settings: Settings::new() }
            }
        }

        impl<F> $solver<F> {
            /// Which pairs are drawn. Estimates of different seeds have different pairs, but for sizes of which all are
            /// asked for.
            pub fn seed(mut self, seed: u64) -> Self {
                self.options.seed = seed;
                self
            }

            /// Stops once every player's interval, at the [confidence](Self::confidence) asked for, is no wider than ±
            /// `half_width`, in units of v (of a game with several outputs, in every output).
            ///
            /// The pairs then come in stages: 3n + 2 evaluations, and after each stage half as many more as there were,
            /// or n if that is more, as far as the budget goes. After each an estimate is made, and its intervals are
            /// looked at. All estimates together take about twice the time of the last. The pairs of all stages are not
            /// those of one run, but as good: each has the same chance.
            ///
            /// **What a stop assumes**: that standard errors say how wrong the values are, which they do as far as the
            /// pairs that were not asked for are like those that were. They are estimates, and a run stops where they
            /// look small. The intervals are not widened for the number of looks, as those of
            /// [`Permutation`](crate::Permutation::precision) are: most of the error that one stage has is gone in the
            /// next. docs/surrogate.md has how often such intervals covered.
            ///
            /// A budget that pays for all 2^n coalitions is no exact answer from the start then: it becomes one if no
            /// stage before is precise enough. Of 24 players or more it may still be no more than 2^24 evaluations.
            ///
            /// Must be positive.
            pub fn precision(mut self, half_width: f64) -> Self {
                self.options.stopping.precision = Some(half_width);
                self
            }

            /// The level of the intervals that [`precision`](Self::precision) is about and that the observer is shown:
            /// 0.95 unless set. Between 0 and 1.
            pub fn confidence(mut self, level: f64) -> Self {
                self.options.stopping.confidence = level;
                self
            }

            /// Stops asking after so much time: with an estimate from the pairs so far, at least one for each player.
            ///
            /// Batches that are begun are finished, at most 512 coalitions on each thread unless a smaller
            /// [`batch`](Self::batch) is set; so are pairs of a game that looked self-dual and is not, lest half of each
            /// be paid for in vain. The fit comes after: of `Surrogate`, it takes 10 to 20 seconds for a million
            /// evaluations. Pairs come in stages, of 1024 evaluations or
            /// 3n + 2, and then as many as there were. As with a precision, a budget that pays for all coalitions is
            /// then no exact answer from the start.
            pub fn deadline(mut self, after: Duration) -> Self {
                self.options.stopping.deadline = Some(after);
                self
            }

            /// The number of threads to ask the game on; 0, the default, for as many as rayon's current pool has.
            /// Without the feature `parallel` there is one, whatever is asked for. The rest of the work is done on one
            /// thread.
            pub fn threads(mut self, threads: usize) -> Self {
                self.settings.threads = threads;
                self
            }

            /// The most coalitions that one call of the game's [`try_values`](TryGame::try_values) gets. By default, or
            /// with 0, a 32nd of each thread's work, and at most 512.
            pub fn batch(mut self, coalitions: usize) -> Self {
                self.settings.batch = coalitions;
                self
            }

            /// Shows the progress after every batch, and stops asking when `observer` breaks: with an estimate from the
            /// pairs so far, at least one for each player; an evaluation more is made where half a pair would be lost.
            /// Half widths are those of the last stage, if there is a
            /// [precision](Self::precision) to reach; before the first, or without, they are shown as infinite. If the
            /// budget pays for all coalitions, the solver is [`Exact`](crate::Exact), and half an exact answer is none:
            /// [`Stopped`](Error::Stopped). What the observer changes it must hold in an atomic or a `Mutex`, since it
            /// is called from several threads; a closure that is not written in place must name its argument's type.
            pub fn observe<O: Fn(&Progress) -> ControlFlow<()> + Sync>(self, observer: O) -> $solver<O> {
                $solver { options: self.options, settings: self.settings.with_observer(Some(observer)) }
            }
        }

        impl<F: Fn(&Progress) -> ControlFlow<()> + Sync> $solver<F> {
            /// The estimated Shapley values.
            ///
            /// With a budget of 2^n or more, of up to 62 players, they are exact, with errors of zero, and
            /// [`stopped`](Estimate::stopped) says [`Exact`](crate::Stopped::Exact). Then all 2^n coalitions are asked
            /// for, and half of them give no estimate: mind budgets that are meant as no limit.
            ///
            /// # Errors
            ///
            /// * [`NoPlayers`](Error::NoPlayers); [`BudgetTooSmall`](Error::BudgetTooSmall) below 2n + 2 evaluations,
            ///   or 2^n if that is less; [`BudgetTooLarge`](Error::BudgetTooLarge) above 2^24, unless the answer is exact;
            ///   [`TooManyPlayers`](Error::TooManyPlayers) for more than 4000; [`Setting`](Error::Setting) for a
            ///   precision or a confidence that is out of range: before any evaluation;
            /// * [`NotFinite`](Error::NotFinite), [`Game`](Error::Game), [`BatchLength`](Error::BatchLength): of
            ///   several in batches under way at the same time, that of the first;
            /// * [`Overflow`](Error::Overflow) if a result does not fit the value type;
            /// * [`Threads`](Error::Threads) if the threads could not be started.
            ///
            /// # Panics
            ///
            /// If the game or the observer does.
            pub fn estimate<G: TryGame + ?Sized>(&self, game: &G) -> Result<Estimate<G::Value>, Error<G::Error>> {
                run::run(game, $method, &self.options, &self.settings, None)
            }

            /// Adds evaluations to an estimate of the same solver and seed, whatever stopped it, and keeps all that it
            /// paid for. The pairs are then not those of one run with the larger budget, but as good. A deadline counts
            /// from now. An estimate that is as precise as is asked for comes back, stopped by that, and nothing is
            /// asked for.
            ///
            /// **The game must be the one that the estimate is of.** v(∅) and v(N) are asked for again, in one call,
            /// and must be what the estimate has: two games mostly differ in v(N).
            ///
            /// **The budget is the total, and is never passed**: it counts what the estimate has cost, and the 2
            /// evaluations of v(∅) and v(N). Where it does not pay for these 2 and a pair, or the estimate is exact,
            /// nothing is asked for, and the estimate comes back as it was. At least one more coalition is asked for,
            /// whatever the observer says. Once the budget pays for these 2 and all coalitions that the estimate does
            /// not know, the answer is exact.
            ///
            /// # Errors
            ///
            /// Those of [`estimate`](Self::estimate), and [`Mismatch`](Error::Mismatch) if the estimate is from another
            /// solver or seed, or of another number of players, v(∅) or v(N).
            pub fn resume<G: TryGame + ?Sized>(
                &self,
                game: &G,
                estimate: impl Borrow<Estimate<G::Value>>,
            ) -> Result<Estimate<G::Value>, Error<G::Error>> {
                run::run(game, $method, &self.options, &self.settings, Some(estimate.borrow()))
            }
        }

        impl<F> fmt::Debug for $solver<F> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($solver))
                    .field("evaluations", &self.options.evaluations)
                    .field("seed", &self.options.seed)
                    .field("precision", &self.options.stopping.precision)
                    .field("confidence", &self.options.stopping.confidence)
                    .field("deadline", &self.options.stopping.deadline)
                    .field("threads", &self.settings.threads)
                    .field("batch", &self.settings.batch)
                    .field("observed", &self.settings.observer.is_some())
                    .finish()
            }
        }
    };
}

solver!(Surrogate, Method::Surrogate);
solver!(KernelShap, Method::KernelShap);
