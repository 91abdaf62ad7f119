//! Large universes: a hash table in parts.

use std::hash::{BuildHasher, Hash};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::Coalition;

/// Parts, each with a lock of its own.
const SHARDS: usize = 64;
/// As many coalitions are sorted by shard at once: a multiple of the shards, small enough for the stack.
const AT_ONCE: usize = 512;
/// A key's shard is looked up by so many bits of its hash.
const SLOT_BITS: u32 = 10;

/// The words of a coalition, inline where they fit. What is done with them is written out for each kind: a lookup waits
/// for memory, and the fewer its instructions, the more lookups the processor has under way at the same time.
pub(super) trait Key: Hash + Sized {
    fn of(words: &[u64]) -> Self;
    fn words(&self) -> &[u64];

    /// Whether these are the words of this key.
    fn is(&self, words: &[u64]) -> bool;

    /// The hash of the key of these words.
    #[inline]
    fn hash_of(words: &[u64]) -> u64 {
        Self::of(words).own_hash()
    }

    #[inline]
    fn own_hash(&self) -> u64 {
        FixedState::default().hash_one(self)
    }
}

impl Key for u64 {
    #[inline]
    fn of(words: &[u64]) -> Self {
        words.first().copied().unwrap_or(0) // no players, no words
    }

    fn words(&self) -> &[u64] {
        std::slice::from_ref(self)
    }

    #[inline]
    fn is(&self, words: &[u64]) -> bool {
        *self == Self::of(words)
    }
}

impl Key for [u64; 2] {
    #[inline]
    fn of(words: &[u64]) -> Self {
        [words[0], words[1]]
    }

    fn words(&self) -> &[u64] {
        self
    }

    #[inline]
    fn is(&self, words: &[u64]) -> bool {
        matches!(words, [low, high] if *low == self[0] && *high == self[1])
    }
}

impl Key for Box<[u64]> {
    fn of(words: &[u64]) -> Self {
        words.into()
    }

    fn words(&self) -> &[u64] {
        self
    }

    fn is(&self, words: &[u64]) -> bool {
        **self == *words
    }

    fn hash_of(words: &[u64]) -> u64 {
        FixedState::default().hash_one(words)
    }
}

type Shard<K, V> = RwLock<HashTable<(K, V)>>;

/// A hash table doubles when it is full to 7/8, so tables of one size that fill together are half empty together. The
/// shards have unequal shares of the keys, from one to two, and double one after the other: the whole is at any time as
/// full as on average, and never moves more than a part of it.
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

    #[inline]
    fn shard_of(&self, hash: u64) -> usize {
        // Neither the low bits, which choose the place in a table, nor the high ones, which tell apart what is there.
        usize::from(self.slots[(hash >> 40) as usize % (1 << SLOT_BITS)])
    }

    #[inline]
    fn read(&self, shard: usize) -> RwLockReadGuard<'_, HashTable<(K, V)>> {
        self.shards[shard].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, shard: usize) -> RwLockWriteGuard<'_, HashTable<(K, V)>> {
        self.shards[shard].write().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(super) fn get(&self, words: &[u64]) -> Option<V> {
        let hash = K::hash_of(words);
        let table = self.read(self.shard_of(hash));
        table.find(hash, |(key, _)| key.is(words)).map(|(_, value)| value.clone())
    }

    pub(super) fn get_many(&self, coalitions: &[Coalition], values: &mut Vec<Option<V>>) {
        if let [coalition] = coalitions {
            values.push(self.get(coalition.words()));
            return;
        }
        let before = values.len();
        values.resize(before + coalitions.len(), None);
        for (coalitions, values) in coalitions.chunks(AT_ONCE).zip(values[before..].chunks_mut(AT_ONCE)) {
            self.by_shard(coalitions, |shard, here| {
                let table = self.read(shard);
                for &(hash, number) in here {
                    let words = coalitions[number].words();
                    values[number] = table.find(hash, |(key, _)| key.is(words)).map(|(_, value)| value.clone());
                }
            });
        }
    }

    /// The words of a coalition, and its value.
    pub(super) fn example(&self) -> Option<(Box<[u64]>, V)> {
        (0..self.shards.len()).find_map(|shard| {
            let table = self.read(shard);
            table.iter().next().map(|(key, value)| (key.words().into(), value.clone()))
        })
    }

    /// Returns how many of them were not there. Nothing is inserted once all have moved elsewhere, which is looked at
    /// under each lock.
    pub(super) fn insert_many(&self, coalitions: &[Coalition], values: &[V], moved: impl Fn() -> bool) -> u64 {
        let mut new = 0;
        for (coalitions, values) in coalitions.chunks(AT_ONCE).zip(values.chunks(AT_ONCE)) {
            self.by_shard(coalitions, |shard, here| {
                let mut table = self.write(shard);
                if moved() {
                    return;
                }
                let before = table.len();
                for &(hash, number) in here {
                    let words = coalitions[number].words();
                    let entry = table.entry(hash, |(key, _)| key.is(words), |(key, _)| key.own_hash());
                    if let Entry::Vacant(vacant) = entry {
                        vacant.insert((K::of(words), values[number].clone()));
                    }
                }
                new += (table.len() - before) as u64;
            });
        }
        new
    }

    /// Shows `visit` the coalitions shard by shard, as hashes and numbers: each lock is taken once, and between locks,
    /// which the processor does not look beyond, it can wait for several places in memory at the same time.
    fn by_shard(&self, coalitions: &[Coalition], mut visit: impl FnMut(usize, &[(u64, usize)])) {
        if let [coalition] = coalitions {
            let hash = K::hash_of(coalition.words());
            return visit(self.shard_of(hash), &[(hash, 0)]);
        }
        // A counting sort: `ends` are first the counts, then where each shard begins, and in the end where it ends.
        let mut hashes = [0; AT_ONCE];
        let mut ends = [0_u16; SHARDS];
        for (hash_here, coalition) in hashes.iter_mut().zip(coalitions) {
            *hash_here = K::hash_of(coalition.words());
            ends[self.shard_of(*hash_here)] += 1;
        }
        let mut begin = 0;
        for end in &mut ends {
            begin += std::mem::replace(end, begin);
        }
        let mut sorted = [(0, 0); AT_ONCE];
        for (number, &hash) in hashes[..coalitions.len()].iter().enumerate() {
            let place = &mut ends[self.shard_of(hash)];
            sorted[usize::from(*place)] = (hash, number);
            *place += 1;
        }
        let mut begin = 0;
        for (shard, &end) in ends.iter().enumerate() {
            let here = &sorted[std::mem::replace(&mut begin, usize::from(end))..usize::from(end)];
            if !here.is_empty() {
                visit(shard, here);
            }
        }
    }

    pub(super) fn clear(&self) {
        for shard in &self.shards {
            drop(std::mem::take(&mut *shard.write().unwrap_or_else(PoisonError::into_inner)));
        }
    }
}
