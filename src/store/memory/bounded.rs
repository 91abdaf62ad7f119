//! At most so many values.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::FixedState;
use quick_cache::sync::Cache;
use quick_cache::{Lifecycle, OptionsBuilder, UnitWeighter};

use crate::Coalition;

/// The cache rounds the capacity of its parts up, so parts get what divides evenly, and no more parts than keep what is
/// lost by it below a hundredth.
const MOST_SHARDS: usize = 64;
const SMALLEST_SHARD: usize = 128;

pub(super) struct Bounded<V> {
    /// None for a limit of zero, which the cache does not know.
    cache: Option<Cache<Coalition, V, UnitWeighter, FixedState, CountEvictions>>,
    limit: usize,
    evictions: CountEvictions,
}

#[derive(Clone, Default)]
struct CountEvictions(Arc<AtomicU64>);

impl<V> Lifecycle<Coalition, V> for CountEvictions {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: Coalition, _: V) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl<V: Clone> Bounded<V> {
    pub(super) fn new(limit: usize) -> Self {
        let evictions = CountEvictions::default();
        let shards = 1 << (limit / SMALLEST_SHARD).clamp(1, MOST_SHARDS).ilog2();
        let capacity = limit / shards * shards;
        let options = OptionsBuilder::new()
            .shards(shards)
            .estimated_items_capacity(capacity)
            .weight_capacity(capacity as u64)
            .build()
            .ok()
            .filter(|_| limit > 0);
        let cache =
            options.map(|options| Cache::with_options(options, UnitWeighter, FixedState::default(), evictions.clone()));
        Self { cache, limit, evictions }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn get(&self, coalition: &Coalition) -> Option<V> {
        self.cache.as_ref()?.get(coalition)
    }

    pub(super) fn insert(&self, coalition: &Coalition, value: &V) {
        if let Some(cache) = &self.cache {
            // `insert` would count a value that is replaced as forgotten.
            let Ok(_) = cache.get_or_insert_with(coalition, || Ok::<_, Infallible>(value.clone()));
        }
    }

    pub(super) fn example(&self, num_players: usize) -> Option<(Coalition, V)> {
        self.cache.as_ref()?.iter().find(|(coalition, _)| coalition.num_players() == num_players)
    }

    pub(super) fn len(&self) -> u64 {
        self.cache.as_ref().map_or(0, |cache| cache.len() as u64)
    }

    pub(super) fn evictions(&self) -> u64 {
        self.evictions.0.load(Ordering::Relaxed)
    }
}
