//! Fair credit: how much did each player add to what all of them achieved together?
//!
//! A **game** is a set N of n players and a value function v that says what each coalition S ⊆ N of them is worth. The
//! **Shapley value** of player i is what i adds to the coalition of those who came before, averaged over all orders in
//! which the players can come:
//!
//! φᵢ = Σ over S ⊆ N∖{i} of |S|! (n−|S|−1)! / n! · [v(S ∪ {i}) − v(S)]
//!
//! where |S|! (n−|S|−1)! / n! is the share of orders in which exactly the players S come before i, and v(S ∪ {i}) −
//! v(S) is what i adds to them. It is the only way to share out v(N) − v(∅) that is symmetric, adds up over sums of
//! games, and gives nothing to a player who adds nothing (Shapley 1953).
//!
//! The items that matter:
//!
//! * [`Game`]: what you implement, or get from [`from_fn`] or [`from_batch_fn`]; [`TryGame`], if it can fail;
//!   [`Table`], if you have all values.
//! * [`exact`]: the Shapley values of a game, as an [`Attribution`]; [`Exact`], the same with options.
//! * [`permutation`]: an [`Estimate`] of them, with standard errors, for games that are too large; [`Permutation`], the
//!   same with options.
//! * `Surrogate` and `KernelShap` (feature `surrogate`): estimates from pairs of coalitions, the most accurate for
//!   games whose evaluations are dear.
//! * [`banzhaf`], [`Exact::semivalue`], [`interactions`]: other ways to give credit, to players and to sets of them;
//!   estimated, `Surrogate::summary` (feature `surrogate`).
//! * [`Cached`]: a game that remembers, in memory or, with the feature `disk`, in a file; [`store`]: what remembers,
//!   and stores of your own.
//! * [`Coalition`]: what your value function is asked about.
//! * [`Error`]: why there is no result.
//! * [`games`]: ready-made games: words of a text, features of a model, voters, runways, neighbours.
//! * `plot`: pictures of results, as SVG and HTML.
//! * `mpi`: all of this on many machines.
//!
//! # Example
//!
//! Four states elect a president. They have 3, 2, 1 and 1 votes, and 4 votes win. How much power has each?
//!
//! ```
//! let votes = [3, 2, 1, 1];
//! let game = shapley::from_fn(4, |coalition| {
//!     let sum: u32 = coalition.iter().map(|state| votes[state]).sum();
//!     if sum >= 4 { 1.0 } else { 0.0 }
//! });
//! let power = shapley::exact(&game)?;
//! assert_eq!(format!("{power:.4}"), "0  0.5000\n1  0.1667\n2  0.1667\n3  0.1667");
//! # Ok::<(), shapley::Error>(())
//! ```
//!
//! The values sum to v(N) − v(∅) = 1. The first state is decisive in half of all orders. The second has twice the votes
//! of the third and no more power: there is no coalition that two votes turn and one does not.
//!
//! # Which solver do I want?
//!
//! | players | one evaluation | solver | evaluations | memory |
//! |---|---|---|---|---|
//! | up to 10 | a minute | [`exact`] | 1024 | the values |
//! | up to 20 | a millisecond | [`exact`] | 10⁶ | a block a thread |
//! | up to 30 | a microsecond | [`Exact`] with [`observe`](Exact::observe) | 10⁹ | a block a thread |
//! | up to 30 | known | [`Table`], then [`exact`] | none | the table, 2^n values |
//! | up to 100 (1000) | 2 microseconds (half a millisecond) or more | `Surrogate` (feature `surrogate`) | 2n + 2 at least; 10n go far | matrices of 2000 × 2000 |
//! | more than you can pay 2^n for, 100 000 too | any | [`permutation`] | as many as you say, from 4n on | some values for each player and thread |
//!
//! An exact answer always takes 2^n evaluations, so each further player doubles the time. A block is
//! up to 4 MiB of values. For what else can be made of the same evaluations, see [`Exact::summary`].
//!
//! # Games that fail, cost, or have several outputs
//!
//! A [`TryGame`], such as one from [`try_from_fn`], may fail; the solver stops and returns its error with the
//! coalition. A game that is faster on batches overrides [`Game::values`], or comes from [`from_batch_fn`];
//! [`Exact::batch`] sets the size of batches. [`games::Words`] is made of a score of any of these kinds.
//! [`Exact::observe`] shows progress and can stop a run. A game with several outputs has an array as its [`Value`], and
//! is explained in one pass.
//!
//! # Never pay twice
//!
//! [`Cached`] makes of a game one that remembers its values: for several solvers, for the samples of a sampler, for
//! threads that want the same coalition at the same moment. With a `DiskStore` (feature `disk`) a run that was killed
//! goes on where it was.
//!
//! # More than one machine
//!
//! [`Exact::part`] and [`Permutation::part`] give a process its share of the work. Each process saves its partial
//! result (feature
//! `serde`), and one merges them all, in any order, with the bits of a single run: see [`parts`]. Where there is MPI,
//! the module `mpi` (feature `mpi`) does so: one call on all ranks.
//!
//! # Repeatable
//!
//! The same game gives the same bits on any number of threads, in batches of any size, and with any features of this
//! crate. A player who never changes the value gets exactly zero (unless walks are truncated, or values are those of a
//! `Surrogate` or a `KernelShap`, which also promise the same bits on one machine only).
//!
//! # What is tested and what is not
//!
//! Exact results are tested against published values of real games (voting bodies, cost games, textbook examples), as
//! exact fractions too; against independent oracles in fractions (all n! orders for n ≤ 7, interactions by their
//! definitions); and for the axioms, on random games. Estimates are tested statistically, with fixed seeds and the rate
//! of false alarms written beside: orders are uniform and independent, five real games show no bias and intervals that
//! cover as often as they say, and games of up to 1000 players have the variances that are known for them. That threads
//! pay once for a coalition is tested in every order of the steps of two or three threads (by loom), and on sixteen;
//! that a store on disk loses nothing that it said was safe, by killing processes, and that it never gives a wrong
//! value, by damaging hundreds of files; that several ranks give the bits of one process, and that what fails on one is
//! heard of on all, by jobs of up to five ranks, some of which are killed. Limits, failures and repeatability are
//! tested as described. Closed forms of ready-made games are tested against the exact solver and published values, up
//! to 13 572 players. Exact results of games of more than 18 players are tested on demand only (three of 27 and 28).
//! Not tested: targets that are 32-bit or big-endian, and Rust versions below the current one (clippy checks that
//! nothing newer than the minimum is used).
//!
//! # Crate features
//!
//! * `parallel` (default): solvers use threads, by rayon. Without it they run on the calling thread, with the same
//!   bits.
//! * `rational`: [`Value`] for `num_rational::Ratio`, so that results are exact fractions. Costs num-rational and
//!   num-bigint.
//! * `disk`: `DiskStore`, a store in a file, so that values outlive the process. Costs redb.
//! * `plot` (default): pictures of results, in the module `plot`. Costs no dependency.
//! * `surrogate`: the estimators `Surrogate` and `KernelShap`. Costs faer.
//! * `serde`: results and coalitions can be saved and loaded; an [`Estimate`] goes on from a file. Costs serde.
//! * `mpi`: solvers on many machines, in the module `mpi`. Costs mpi, which needs an MPI library and libclang to build,
//!   postcard and serde.
//!
//! # WebAssembly
//!
//! The crate builds and runs on `wasm32-unknown-unknown`, which has no clock and no threads: solvers run on the calling
//! thread, [`Progress::elapsed`] is zero, and a [deadline](Permutation::deadline) is refused, as are two or more
//! threads with the feature
//! `parallel`. The features `disk` and `mpi` are of no use there.
//!
//! # Minimum supported Rust version
//!
//! 1.90. It rises only in a minor release, and the changelog says so first.

mod coalition;
mod display;
mod engine;
mod error;
mod exact;
mod fingerprint;
mod game;
pub mod games;
#[cfg(feature = "mpi")]
pub mod mpi;
pub mod parts;
mod permutation;
#[cfg(feature = "plot")]
pub mod plot;
mod results;
#[cfg(feature = "serde")]
mod saved;
pub mod store;
#[cfg(feature = "surrogate")]
mod surrogate;
mod table;
mod value;
mod weights;

pub use coalition::Coalition;
pub use engine::progress::Progress;
pub use error::Error;
pub use exact::{Exact, Summary, banzhaf, exact, interactions};
pub use game::{Game, TryGame, from_batch_fn, from_fn, try_from_batch_fn, try_from_fn};
pub use permutation::{Permutation, permutation};
#[cfg(feature = "surrogate")]
pub use results::InteractionEstimate;
pub use results::{Attribution, Estimate, Interactions, Stopped};
#[cfg(feature = "disk")]
pub use store::disk::DiskStore;
pub use store::{cached::Cached, memory::MemoryStore};
#[cfg(feature = "surrogate")]
pub use surrogate::{KernelShap, SampleSummary, Surrogate};
pub use table::Table;
pub use value::Value;
pub use weights::{Index, Semivalue};

/// The README's code, compiled and run with the other examples, with the features that it takes for granted.
#[cfg(all(doctest, feature = "plot", feature = "surrogate"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests {
    use super::*;

    /// What `?` takes into a boxed error.
    #[cfg(feature = "mpi")]
    fn assert_send_sync<T: Send + Sync + 'static>() {}

    /// What a user puts into a thread, a static or an error type can go there.
    #[test]
    fn auto_traits() {
        fn all<T: Send + Sync + std::panic::UnwindSafe + Unpin>() {}
        all::<Attribution<f64>>();
        all::<store::CacheStats>();
        all::<Cached<Table<f64>, MemoryStore<f64>>>();
        all::<Coalition>();
        #[cfg(feature = "disk")]
        all::<DiskStore<f64>>();
        all::<Error<store::CacheError<std::num::ParseFloatError, std::fmt::Error>>>();
        all::<Error<std::num::ParseFloatError>>();
        all::<Estimate<[f64; 2]>>();
        all::<Exact>();
        all::<parts::Part<Exact>>();
        all::<parts::ExactPartial<f64>>();
        #[cfg(feature = "mpi")]
        assert_send_sync::<mpi::Error>();
        all::<MemoryStore<[f64; 2]>>();
        all::<Permutation>();
        all::<parts::Part<Permutation>>();
        all::<parts::PermutationPartial<f64>>();
        all::<<&'static Coalition as IntoIterator>::IntoIter>();
        all::<Progress>();
        all::<Table<[f64; 3]>>();
        all::<games::Sentence>();
        all::<games::Words<fn(&str) -> f64>>();
    }
}
