//! Large universes: a hash table in parts.

use std::hash::{BuildHasher, Hasher};
use std::sync::{PoisonError, RwLock};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::Coalition;

/// Parts, each with a lock of its own.
const SHARDS: usize = 64;
/// A key's shard is looked up by so many bits of its hash.
const SLOT_BITS: u32 = 10;

/// The words of a coalition, inline where they fit.
pub(super) trait Key: Eq + Sized {
    fn of(words: &[u64]) -> Self;
    fn words(&self) -> &[u64];
    /// Whether these are the words of this key.
    fn is(&self, words: &[u64]) -> bool {
        self.words() == words
    }
}

impl Key for u64 {
    fn of(words: &[u64]) -> Self {
        words.first().copied().unwrap_or(0)
    }

    fn words(&self) -> &[u64] {
        std::slice::from_ref(self)
    }
}

impl Key for [u64; 2] {
    fn of(words: &[u64]) -> Self {
        [words[0], words[1]]
    }

    fn words(&self) -> &[u64] {
        self
    }
}

impl Key for Box<[u64]> {
    fn of(words: &[u64]) -> Self {
        words.into()
    }

    fn words(&self) -> &[u64] {
        self
    }
}

type Shard<K, V> = RwLock<HashTable<(K, V)>>;

/// A hash table doubles when it is full to 7/8, so tables of one size that fill together are half empty together. The
/// shards have unequal shares of the keys, from one to two, and double one after the other: the whole is at any time as full
/// as on average, and never moves more than a part of it.
pub(super) struct Sparse<K, V> {
    shards: Box<[Shard<K, V>]>,
    /// The shard of each slot.
    slots: Box<[u8]>,
}

impl<K: Key, V: Clone> Sparse<K, V> {
    pub(super) fn new() -> Self {
        let slots = 1 << SLOT_BITS;
        let shard = |slot: u32| (f64::from(slot) / f64::from(slots)).ln_1p() / std::f64::consts::LN_2 * SHARDS as f64;
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            slots: (0..slots).map(|slot| shard(slot) as u8).collect(),
        }
    }

    fn shard(&self, hash: u64) -> &Shard<K, V> {
        // Neither the low bits, which choose the place in a table, nor the high ones, which tell apart what is there.
        let slot = (hash >> 40) as usize % (1 << SLOT_BITS);
        &self.shards[usize::from(self.slots[slot])]
    }

    pub(super) fn get(&self, coalition: &Coalition) -> Option<V> {
        let words = coalition.words();
        let hash = hash(words);
        let table = self.shard(hash).read().unwrap_or_else(PoisonError::into_inner);
        table.find(hash, |(key, _)| key.is(words)).map(|(_, value)| value.clone())
    }

    pub(super) fn get_key(&self, key: &K) -> Option<V> {
        let hash = hash(key.words());
        let table = self.shard(hash).read().unwrap_or_else(PoisonError::into_inner);
        table.find(hash, |(other, _)| other == key).map(|(_, value)| value.clone())
    }

    pub(super) fn get_many(&self, coalitions: &[Coalition], values: &mut Vec<Option<V>>) {
        values.extend(coalitions.iter().map(|coalition| self.get(coalition)));
    }

    /// Returns how many of them were not there.
    pub(super) fn insert_many(&self, coalitions: &[Coalition], values: &[V]) -> u64 {
        let mut new = 0;
        for (coalition, value) in coalitions.iter().zip(values) {
            let words = coalition.words();
            let hash_of_words = hash(words);
            let mut table = self.shard(hash_of_words).write().unwrap_or_else(PoisonError::into_inner);
            let entry = table.entry(hash_of_words, |(key, _)| key.is(words), |(key, _)| hash(key.words()));
            if let Entry::Vacant(vacant) = entry {
                vacant.insert((K::of(words), value.clone()));
                new += 1;
            }
        }
        new
    }

    pub(super) fn clear(&self) {
        for shard in &self.shards {
            *shard.write().unwrap_or_else(PoisonError::into_inner) = HashTable::new();
        }
    }
}

fn hash(words: &[u64]) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    words.iter().for_each(|&word| hasher.write_u64(word));
    hasher.finish()
}
