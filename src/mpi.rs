//! Solvers on many machines, by MPI (feature `mpi`).
//!
//! The same program runs on every rank, and every rank gets the same result: the bits that one process gives.
//!
//! ```no_run
//! use shapley::{Exact, mpi};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let world = mpi::World::start()?;
//!     let game = shapley::from_fn(30, |s| (s.len() as f64).sqrt()); // the same on all ranks
//!     let phi = mpi::Cluster::new(&world).exact(&game, &Exact::new())?;
//!     if world.is_first() {
//!         println!("{phi:.3}");
//!     }
//!     Ok(())
//! }
//! ```
//!
//! `mpirun -n 64 target/release/program` runs it on 64 ranks; without `mpirun` it is one rank. The `?` is safe here
//! since all ranks get the same errors from solvers. A rank that fails alone, outside of them, must not return from
//! `main`, where it would wait for the others for ever: it says [`World::abort`].
//!
//! # What is where
//!
//! * [`Cluster`]: all ranks of a job. It has a method for each solver: [`exact`](Cluster::exact),
//!   [`permutation`](Cluster::permutation) and, with the feature `surrogate`, `surrogate` and `kernel_shap`.
//!   [`summary`](Cluster::summary) gives semivalues and interactions of all kinds. A cluster can have a fingerprint of
//!   the game, and a directory in which it keeps partial results.
//! * `store` (feature `disk`): for each rank a store of values, with all that earlier runs have paid for.
//! * [`World`]: MPI itself, started and ended. [`rsmpi`] is the crate below, for those who use more of it.
//!
//! # How it works
//!
//! Rank 0 deals units of work of at most about half a second, the other ranks do them, and so does rank 0. What they
//! come to goes back to rank 0, which adds it up by the summation tree that all solvers of this crate have: bits do not
//! depend on who did what when, or on how many ranks there are. On each rank the solver runs on a thread of its own
//! with [the threads that it was given](crate::Exact::threads), while the thread that called talks to rank 0, asleep
//! most of the time. So games need no more than to be [`Sync`], as everywhere; they must not call MPI themselves.
//!
//! A rank has as many threads as the processors that `mpirun` binds it to, unless told otherwise. Where ranks share
//! processors, give the solver [`threads(1)`](crate::Exact::threads).
//!
//! # When something goes wrong
//!
//! All ranks get the same [`Error`], as soon as what the others have under way has come to the end of a batch: if a
//! game fails or panics on one rank, if its store cannot be written, if ranks were called with different settings or
//! have different games. A rank whose process dies takes the job with it, as MPI has it; with a
//! [directory](Cluster::directory) and a `store` the job goes on when it is started again, on any number of ranks.
//! `docs/cluster.md` has a table of all this, and scripts.
//!
//! # Values
//!
//! A value must be one that serde saves and loads, bit for bit: floats, arrays of up to 32 of them, and types of your
//! own that derive it.
//!
//! # Cost
//!
//! That of one process, and two evaluations (v(∅) and v(N)) on each rank, by which ranks with different games are told
//! apart.

mod checkpoint;
mod error;
mod handshake;
mod partials;
#[cfg(feature = "surrogate")]
mod questions;
mod scheduler;
#[cfg(feature = "disk")]
mod store;
mod sums;
mod transport;
mod worker;
mod world;

use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ::mpi::topology::SimpleCommunicator;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::partial::{Job, Partial};
use crate::engine::progress::Observer;
use crate::engine::settings::Settings;
use crate::engine::threads;
use crate::fingerprint::Fingerprint;
use crate::{Attribution, Estimate, Exact, Permutation, Progress, Semivalue, Summary, TryGame};
use checkpoint::Checkpoint;
pub use error::{Error, Failure};
use partials::{Make, UnitAnswers, Units, until_stopped};
use scheduler::Call;
#[cfg(feature = "disk")]
pub use store::{RankStore, store};
use sums::SharedSums;
use transport::Transport;
pub use world::World;

/// The crate that MPI is called by, in the version that this one uses.
pub use ::mpi as rsmpi;

#[cfg(feature = "surrogate")]
use crate::{
    KernelShap, Surrogate,
    results::Method,
    surrogate::{Options, check_budget, check_players, is_exact, of_exact},
};

/// All ranks of a job, and what they keep. Every method must be called by all of them, with the same settings (threads,
/// batches and observers may differ) and the same game.
///
/// ```no_run
/// use shapley::{Exact, Index, Semivalue, mpi};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let world = mpi::World::start()?;
///     let game = shapley::from_fn(24, |s| (s.len() as f64).sqrt());
///     // Killed, and started again on any number of ranks, it goes on.
///     let cluster = mpi::Cluster::new(&world).fingerprint("roots, version 1").directory("roots");
///     let summary = cluster.summary(&game, &Exact::new(), 2)?;
///     let (power, pairs) = (summary.values(&Semivalue::banzhaf())?, summary.interactions(Index::Shapley)?);
/// #   let _ = (power, pairs);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Cluster<'w> {
    world: &'w SimpleCommunicator,
    fingerprint: Option<Fingerprint>,
    directory: Option<PathBuf>,
    every: Duration,
}

impl<'w> Cluster<'w> {
    /// The ranks of a communicator: of a [`World`], or of a part of one that was split by means of [`rsmpi`].
    pub fn new(world: &'w SimpleCommunicator) -> Self {
        Self { world, fingerprint: None, directory: None, every: Duration::from_secs(30) }
    }

    /// What tells the game from others: ranks with different ones are refused, and so is what a job with another one
    /// has saved.
    pub fn fingerprint(self, fingerprint: impl Into<Fingerprint>) -> Self {
        Self { fingerprint: Some(fingerprint.into()), ..self }
    }

    /// Keeps what is done in this directory, which is made if it is not there: rank 0 saves what all ranks have come
    /// to, every 30 seconds unless [said otherwise](Self::save_every) and at the end. A job that is started again in
    /// it, on any number of ranks, goes on from there, and one that is done gives the result at once. Only rank 0 must
    /// see the directory.
    ///
    /// It holds sums, some kilobytes to megabytes. What is lost is what was done since the last time it was saved;
    /// blocks and samples count when they are whole, and a solver that asks for pairs of coalitions saves nothing.
    /// Where evaluations are dear, give the game a `store` too (feature `disk`), which keeps every value. It may be in
    /// the same directory.
    pub fn directory(self, directory: impl Into<PathBuf>) -> Self {
        Self { directory: Some(directory.into()), ..self }
    }

    /// How often rank 0 saves, if it has a [directory](Self::directory).
    pub fn save_every(self, every: Duration) -> Self {
        Self { every, ..self }
    }

    /// Exact Shapley values, those of [`Exact::solve`] bit for bit: of a [summary](Self::summary) of order 1.
    ///
    /// # Errors
    ///
    /// Those of [`summary`](Self::summary).
    pub fn exact<G, F>(&self, game: &G, exact: &Exact<F>) -> Result<Attribution<G::Value>, Error>
    where
        G: TryGame<Value: Serialize + DeserializeOwned> + ?Sized,
        F: Fn(&Progress) -> ControlFlow<()> + Sync,
    {
        let summary = self.summary(game, exact, 1)?;
        summary.values(&Semivalue::shapley()).map_err(|error| Error::solve(0, error))
    }

    /// Everything that a pass over all coalitions can tell, as [`Exact::summary`]: semivalues, and interactions of up
    /// to `order` players.
    ///
    /// # Cost
    ///
    /// 2^n evaluations, shared by all ranks, and two on each rank. While blocks are short, rank 0 gets and merges a
    /// partial result for each unit of half a second; where they take long, it gets the values themselves, 8 bytes each
    /// for floats. `docs/cluster.md` says how many ranks that is good for.
    ///
    /// # Errors
    ///
    /// * [`Error::Mismatch`] if the ranks were called with different numbers of players, orders, limits or
    ///   fingerprints, or their games differ in v(∅) or v(N);
    /// * [`Error::Solve`] with the errors of [`Exact::summary`]; sums that overflow are found for the grand coalition;
    /// * [`Error::Panicked`] if the game or the observer did;
    /// * [`Error::Saved`] if the directory has what another job or another game has saved, or a file that is damaged;
    /// * [`Error::File`] if the directory is in use or cannot be written.
    ///
    /// Of several failures at about the same time that of the first coalitions is returned. The observer is called on
    /// rank 0 only, and sees what all ranks have done.
    pub fn summary<G, F>(&self, game: &G, exact: &Exact<F>, order: usize) -> Result<Summary<G::Value>, Error>
    where
        G: TryGame<Value: Serialize + DeserializeOwned> + ?Sized,
        F: Fn(&Progress) -> ControlFlow<()> + Sync,
    {
        let sums = exact.sums(game.num_players(), order);
        let named = vec![("the order", order.to_string()), ("the limit on players", exact.max_players.to_string())];
        let make = |job, blocks, ends, stop: &AtomicBool| {
            exact.with_settings(exact.settings.quiet(until_stopped(stop))).add_blocks(game, job, blocks, ends)
        };
        self.units("exact", game, sums, &make, &exact.settings, (named, None))
    }

    /// An estimate by sampling permutations, that of [`Permutation::estimate`] bit for bit.
    ///
    /// A [precision](Permutation::precision) is looked at after the numbers of samples at which one process looks. A
    /// [deadline](Permutation::deadline) is rank 0's, from when all ranks are there: what is under way is broken off
    /// then, and what was made counts.
    ///
    /// # Cost
    ///
    /// The evaluations of one process, shared by all ranks, and two on each rank. With a precision up to one round
    /// more: while the last samples before a look are made, other ranks go on. Rank 0 gets and merges a partial result
    /// for each unit of half a second, of 2 numbers for each player and node of the summation tree.
    ///
    /// # Errors
    ///
    /// Those of [`summary`](Self::summary), with the errors of `Permutation::estimate`; and
    /// [`Setting`](crate::Error::Setting) with [truncation](Permutation::truncate), with which the samples that there
    /// are depend on those before.
    pub fn permutation<G, F>(&self, game: &G, sampler: &Permutation<F>) -> Result<Estimate<G::Value>, Error>
    where
        G: TryGame<Value: Serialize + DeserializeOwned> + ?Sized,
        F: Fn(&Progress) -> ControlFlow<()> + Sync,
    {
        let sums = sampler.sums(game.num_players());
        let make = |job, numbers, ends, stop: &AtomicBool| {
            let sampler = sampler.with_settings(sampler.settings.quiet(until_stopped(stop)));
            sampler.add_samples(game, job, numbers, ends).map(|(partial, _)| partial)
        };
        let named = sampler.unchecked_rules(game.num_players()).settings();
        self.units("permutation", game, sums, &make, &sampler.settings, (named, sampler.stopping.deadline))
    }

    /// A result whose units of work all ranks share.
    fn units<G, S, F>(
        &self,
        call: &'static str,
        game: &G,
        sums: Result<S, crate::Error<G::Error>>,
        make: &Make<'_, S, G::Error>,
        settings: &Settings<F>,
        (more, deadline): (Vec<(&'static str, String)>, Option<Duration>),
    ) -> Result<S::Output, Error>
    where
        G: TryGame<Value: Serialize + DeserializeOwned> + ?Sized,
        S: SharedSums<Value = G::Value, Output: Serialize + DeserializeOwned>,
        Partial<S>: Serialize + DeserializeOwned,
        F: Observer,
    {
        let mut transport = Transport::new(self.world);
        let mut named = self.settings::<G>(call, game);
        named.extend(more);
        let (job, wrong) = found(sums.and_then(|sums| Job::new(sums, 1, self.fingerprint.clone())));
        let threads = threads::available(settings.threads);
        let (rank, players, ends) = (transport.rank(), game.num_players(), OnceLock::new());
        let answers = UnitAnswers { rank, game, players, settings, make, job: job.clone(), ends };
        scheduler::run(&mut transport, Call { settings: named, threads, wrong }, &answers, || {
            let Some(job) = job else { return Err(nothing_wrong()) };
            Units::new(settings.observer.as_ref(), deadline, job, self.checkpoint::<G>(call)?)
        })
    }

    /// An estimate by a model of the game, that of [`Surrogate::estimate`] bit for bit on machines of one kind. All
    /// ranks are asked for the design's coalitions; rank 0 fits.
    ///
    /// # Cost
    ///
    /// The evaluations of one process, shared by all ranks, and two on each rank. The fit takes as long as on one
    /// process, and the other ranks wait for it. The [directory](Cluster::directory) is not used: give the game a
    /// `store`.
    ///
    /// # Errors
    ///
    /// Those of [`summary`](Self::summary), with the errors of `Surrogate::estimate`.
    #[cfg(feature = "surrogate")]
    pub fn surrogate<G, F>(&self, game: &G, solver: &Surrogate<F>) -> Result<Estimate<G::Value>, Error>
    where
        G: TryGame<Value: Serialize + DeserializeOwned> + ?Sized,
        F: Fn(&Progress) -> ControlFlow<()> + Sync,
    {
        self.pairs(game, Method::Surrogate, &solver.options, &solver.settings)
    }

    /// An estimate by least squares: as [`surrogate`](Self::surrogate), with [`KernelShap`] in its place.
    ///
    /// # Errors
    ///
    /// Those of [`surrogate`](Self::surrogate).
    #[cfg(feature = "surrogate")]
    pub fn kernel_shap<G, F>(&self, game: &G, solver: &KernelShap<F>) -> Result<Estimate<G::Value>, Error>
    where
        G: TryGame<Value: Serialize + DeserializeOwned> + ?Sized,
        F: Fn(&Progress) -> ControlFlow<()> + Sync,
    {
        self.pairs(game, Method::KernelShap, &solver.options, &solver.settings)
    }

    #[cfg(feature = "surrogate")]
    fn pairs<G, F>(
        &self,
        game: &G,
        method: Method,
        options: &Options,
        settings: &Settings<F>,
    ) -> Result<Estimate<G::Value>, Error>
    where
        G: TryGame<Value: Serialize + DeserializeOwned> + ?Sized,
        F: Observer,
    {
        let players = game.num_players();
        let checked = check_players::<G::Error>(players).and_then(|()| options.stopping.check());
        if checked.is_ok() && is_exact(options, players) {
            let settings = settings.with_observer(settings.observer.as_ref());
            let exact = Exact::new().max_players(players).with_settings(settings);
            return Ok(of_exact(self.exact(game, &exact)?, method, options.seed));
        }
        let mut transport = Transport::new(self.world);
        let mut named = self.settings::<G>(method.name(), game);
        named.push(("the budget", options.evaluations.to_string()));
        named.push(("the seed", options.seed.to_string()));
        named.push(("the precision", options.stopping.precision.map_or("none".to_owned(), |width| width.to_string())));
        named.push(("the confidence", options.stopping.confidence.to_string()));
        let (_, wrong) = found(checked.and_then(|()| check_budget(options, players)));
        let call = Call { settings: named, threads: threads::available(settings.threads), wrong };
        let answers = questions::ValueAnswers { rank: transport.rank(), game, settings };
        scheduler::run(&mut transport, call, &answers, || {
            Ok(questions::Asked::new(players, method, options, settings.observer.as_ref()))
        })
    }

    fn settings<G: TryGame + ?Sized>(&self, call: &str, game: &G) -> Vec<(&'static str, String)> {
        vec![
            ("the call", call.to_owned()),
            ("the version", env!("CARGO_PKG_VERSION").to_owned()),
            ("the type of values", std::any::type_name::<G::Value>().to_owned()),
            ("the number of players", game.num_players().to_string()),
            ("the fingerprint", Fingerprint::shown(&self.fingerprint)),
        ]
    }

    fn checkpoint<G: TryGame + ?Sized>(&self, solver: &str) -> Result<Option<Checkpoint>, Error> {
        let checkpoint = |directory| Checkpoint::new::<G::Value>(directory, self.every, solver);
        self.directory.as_deref().map(checkpoint).transpose()
    }
}

/// What a check of settings has found, or what is wrong with them.
fn found<T, E: std::error::Error + Send + Sync + 'static>(
    result: Result<T, crate::Error<E>>,
) -> (Option<T>, Option<Error>) {
    match result {
        Ok(found) => (Some(found), None),
        Err(error) => (None, Some(Error::solve(0, error))),
    }
}

/// Rank 0 begins only if nothing is wrong with the settings.
fn nothing_wrong() -> Error {
    Error::Message { rank: 0, what: "settings that are wrong were begun with".to_owned() }
}

impl fmt::Debug for Cluster<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("fingerprint", &self.fingerprint)
            .field("directory", &self.directory)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}
