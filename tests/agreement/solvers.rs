//! The list of solvers.

use shapley::store::Encode;
use shapley::{Attribution, Cached, Estimate, Exact, Game, Permutation, Semivalue, Table, Value, exact};
#[cfg(feature = "surrogate")]
use shapley::{KernelShap, Surrogate};

/// Values that can be looked at, component by component.
pub(crate) trait Output: Value + Encode + PartialEq {
    fn outputs(&self) -> Vec<f64> {
        self.components().collect()
    }
}

impl Output for f64 {}
impl Output for [f64; 2] {}

/// What a solver promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The values up to rounding, and exactly zero for a null player.
    Exact,
    /// A mean over random orders with standard errors, and exactly zero for a null player.
    Orders,
    /// A fit to random coalitions, with standard errors.
    Coalitions,
}

impl Kind {
    /// The evaluations that a solver may make.
    pub(crate) fn budget(self, players: usize) -> u64 {
        match self {
            Self::Exact => 1 << players,
            Self::Orders => ORDERS_BUDGET,
            Self::Coalitions => coalitions_budget(players),
        }
    }
}

/// Settings that must not change a bit. Zeros are the defaults.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) threads: usize,
    pub(crate) batch: usize,
}

pub(crate) enum Answer<V> {
    Exact(Attribution<V>),
    Estimate(Estimate<V>),
}

impl<V> From<Attribution<V>> for Answer<V> {
    fn from(attribution: Attribution<V>) -> Self {
        Self::Exact(attribution)
    }
}

impl<V> From<Estimate<V>> for Answer<V> {
    fn from(estimate: Estimate<V>) -> Self {
        Self::Estimate(estimate)
    }
}

impl<V> Answer<V> {
    pub(crate) fn attribution(&self) -> &Attribution<V> {
        match self {
            Self::Exact(attribution) => attribution,
            Self::Estimate(estimate) => estimate.attribution(),
        }
    }
}

pub(crate) struct Solver<V> {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Solvers of one group give the same bits.
    pub(crate) group: &'static str,
    pub(crate) solve: fn(&dyn Game<Value = V>, Settings) -> Answer<V>,
}

/// All solvers: a new one is an entry here.
pub(crate) fn solvers<V: Output>() -> Vec<Solver<V>> {
    let exact_bits = |name, solve| Solver { name, kind: Kind::Exact, group: "exact", solve };
    let exact_alone = |name, solve| Solver { name, kind: Kind::Exact, group: name, solve };
    let same_orders = |name, solve| Solver { name, kind: Kind::Orders, group: "orders", solve };
    let orders_alone = |name, solve| Solver { name, kind: Kind::Orders, group: name, solve };
    #[cfg(feature = "surrogate")]
    let coalitions = |name, solve| Solver { name, kind: Kind::Coalitions, group: name, solve };
    vec![
        exact_bits("exact", |game, _| exact(game).unwrap().into()),
        exact_bits("Exact", |game, how| solver(how).solve(game).unwrap().into()),
        exact_bits("summary of order 1", |game, how| summary(game, how, 1)),
        // These add up in another order.
        exact_alone("summary of order 2", |game, how| summary(game, how, 2)),
        exact_alone("summary of order 3", |game, how| summary(game, how, 3)),
        exact_bits("a table", |game, how| solver(how).solve(&Table::tabulate(game).unwrap()).unwrap().into()),
        exact_bits("a cache", cached),
        #[cfg(feature = "disk")]
        exact_bits("a store on disk", on_disk),
        exact_bits("parts", parts),
        #[cfg(feature = "surrogate")]
        exact_bits("surrogate of all coalitions", |game, how| surrogate(how, 1 << game.num_players(), game)),
        #[cfg(feature = "surrogate")]
        exact_bits("least squares of all coalitions", |game, how| least_squares(how, 1 << game.num_players(), game)),
        same_orders("permutation", |game, how| sampler(how).estimate(game).unwrap().into()),
        same_orders("permutation, resumed", resumed),
        same_orders("permutation, parts", sampled_parts),
        orders_alone("permutation, two seeds", two_seeds),
        orders_alone("permutation, single walks", |game, how| {
            sampler(how).antithetic(false).estimate(game).unwrap().into()
        }),
        #[cfg(feature = "surrogate")]
        coalitions("surrogate", |game, how| surrogate(how, coalitions_budget(game.num_players()), game)),
        #[cfg(feature = "surrogate")]
        coalitions("least squares", |game, how| least_squares(how, coalitions_budget(game.num_players()), game)),
    ]
}

fn solver(how: Settings) -> Exact {
    Exact::new().threads(how.threads).batch(how.batch)
}

fn summary<V: Output>(game: &dyn Game<Value = V>, how: Settings, order: usize) -> Answer<V> {
    let summary = solver(how).summary(game, order.min(game.num_players())).unwrap();
    summary.values(&Semivalue::shapley()).unwrap().into()
}

/// Asked twice, so that the second time all comes from the cache.
fn cached<V: Output>(game: &dyn Game<Value = V>, how: Settings) -> Answer<V> {
    let cached = Cached::new(game);
    let cold = solver(how).solve(&cached).unwrap();
    let warm = solver(how).solve(&cached).unwrap();
    assert_eq!(cold, warm);
    assert_eq!(cached.stats().misses, 1 << game.num_players());
    warm.into()
}

/// Written, closed, and read; in memory where the system has a directory for that, since nothing here has to survive.
#[cfg(feature = "disk")]
fn on_disk<V: Output>(game: &dyn Game<Value = V>, how: Settings) -> Answer<V> {
    let memory = std::path::Path::new("/dev/shm");
    let directory = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let cached = || {
        let store = shapley::DiskStore::open(directory.path().join("store"), "agreement").unwrap();
        Cached::with_store(game, store)
    };
    let written = solver(how).solve(&cached()).unwrap();
    let warm = cached();
    let read = solver(how).solve(&warm).unwrap();
    assert_eq!((&written, warm.stats().misses), (&read, 0));
    read.into()
}

/// Merged in another order than theirs.
fn parts<V: Output>(game: &dyn Game<Value = V>, how: Settings) -> Answer<V> {
    let part = |k| solver(how).part(k, 5).run(game).unwrap();
    let mut all = part(3);
    for k in [0, 4, 2, 1] {
        all.merge(part(k)).unwrap();
    }
    all.finish().unwrap().values(&Semivalue::shapley()).unwrap().into()
}

/// The evaluations of the sampler: 357 samples of 15 players, more of fewer.
const ORDERS_BUDGET: u64 = 10_000;

fn sampler(how: Settings) -> Permutation {
    Permutation::new(ORDERS_BUDGET).seed(7).threads(how.threads).batch(how.batch)
}

fn resumed<V: Output>(game: &dyn Game<Value = V>, how: Settings) -> Answer<V> {
    let first = Permutation::new(ORDERS_BUDGET / 3).seed(7).estimate(game).unwrap();
    sampler(how).resume(game, first).unwrap().into()
}

fn sampled_parts<V: Output>(game: &dyn Game<Value = V>, how: Settings) -> Answer<V> {
    let part = |k| sampler(how).part(k, 4).run(game).unwrap();
    let mut all = part(2);
    for k in [0, 3, 1] {
        all.merge(part(k)).unwrap();
    }
    all.finish().unwrap().into()
}

fn two_seeds<V: Output>(game: &dyn Game<Value = V>, how: Settings) -> Answer<V> {
    let half = Permutation::new(ORDERS_BUDGET / 2).threads(how.threads).batch(how.batch);
    let mut all = half.clone().seed(8).estimate(game).unwrap();
    all.merge(half.seed(9).estimate(game).unwrap()).unwrap();
    all.into()
}

#[cfg(feature = "surrogate")]
fn surrogate<V: Output>(how: Settings, budget: u64, game: &dyn Game<Value = V>) -> Answer<V> {
    Surrogate::new(budget).seed(7).threads(how.threads).batch(how.batch).estimate(game).unwrap().into()
}

#[cfg(feature = "surrogate")]
fn least_squares<V: Output>(how: Settings, budget: u64, game: &dyn Game<Value = V>) -> Answer<V> {
    KernelShap::new(budget).seed(7).threads(how.threads).batch(how.batch).estimate(game).unwrap().into()
}

/// Half of the coalitions, but at most 80 and at least 2n + 2, which the solvers need. For up to three players that is
/// all of them.
fn coalitions_budget(players: usize) -> u64 {
    let all = 1 << players;
    (all / 2).min(80).max(2 * players as u64 + 2).min(all)
}
