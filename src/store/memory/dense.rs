//! Small universes: each coalition has a place.

use std::sync::{PoisonError, RwLock};

use crate::Coalition;

/// Values of neighbouring coalitions share a lock and an allocation: the exact solver asks for them together, and a
/// word says which are there.
const CHUNK_BITS: usize = u64::BITS.ilog2() as usize;
const CHUNK: usize = 1 << CHUNK_BITS;

/// All values together take no more than this. Beyond it, some values of a large universe would take more room than
/// they do in a hash table.
const LARGEST: usize = 1 << 27;

pub(super) struct Dense<V> {
    chunks: Box<[RwLock<Chunk<V>>]>,
}

struct Chunk<V> {
    /// Bit k says that value k is there.
    there: u64,
    /// Empty, or as long as a chunk, with copies of some value in the empty places.
    values: Box<[V]>,
}

impl<V: Clone> Dense<V> {
    /// Whether all values of so many players are little enough. Values that own memory are not: copies of them are
    /// not free.
    pub(super) fn fits(num_players: usize) -> bool {
        if std::mem::needs_drop::<V>() {
            return false;
        }
        num_players < usize::BITS as usize && LARGEST >> num_players >= size_of::<V>().max(1)
    }

    pub(super) fn new(num_players: usize) -> Self {
        let chunk = |_| RwLock::new(Chunk { there: 0, values: Box::default() });
        Self { chunks: (0..1 << num_players.saturating_sub(CHUNK_BITS)).map(chunk).collect() }
    }

    pub(super) fn get(&self, words: &[u64]) -> Option<V> {
        let (chunk, place) = place(words);
        self.chunks[chunk].read().unwrap_or_else(PoisonError::into_inner).get(place)
    }

    pub(super) fn get_many(&self, coalitions: &[Coalition], values: &mut Vec<Option<V>>) {
        for neighbours in coalitions.chunk_by(same_chunk) {
            let chunk = self.chunks[place(neighbours[0].words()).0].read().unwrap_or_else(PoisonError::into_inner);
            values.extend(neighbours.iter().map(|coalition| chunk.get(place(coalition.words()).1)));
        }
    }

    /// Returns how many of them were not there. Nothing is inserted once all have moved elsewhere, which is looked at
    /// under each lock.
    pub(super) fn insert_many(&self, coalitions: &[Coalition], values: &[V], moved: impl Fn() -> bool) -> u64 {
        let mut values = values.iter();
        let mut new = 0;
        for neighbours in coalitions.chunk_by(same_chunk) {
            let mut chunk = self.chunks[place(neighbours[0].words()).0].write().unwrap_or_else(PoisonError::into_inner);
            if moved() {
                break;
            }
            let before = chunk.there.count_ones();
            for (coalition, value) in neighbours.iter().zip(&mut values) {
                chunk.insert(place(coalition.words()).1, value);
            }
            new += u64::from(chunk.there.count_ones() - before);
        }
        new
    }

    /// The words of a coalition, and its value.
    pub(super) fn example(&self) -> Option<(Box<[u64]>, V)> {
        self.chunks.iter().enumerate().find_map(|(number, chunk)| {
            let chunk = chunk.read().unwrap_or_else(PoisonError::into_inner);
            let place = chunk.there.trailing_zeros() as usize;
            let mask = (number << CHUNK_BITS | place) as u64;
            Some(([mask].into(), chunk.get(place)?))
        })
    }

    /// All `len` values, if they are there.
    pub(super) fn all(&self, len: usize) -> Option<Box<[V]>> {
        let mut all = Vec::with_capacity(len);
        for chunk in &self.chunks {
            let chunk = chunk.read().unwrap_or_else(PoisonError::into_inner);
            let wanted = CHUNK.min(len - all.len());
            if chunk.there.count_ones() as usize != wanted {
                return None;
            }
            all.extend_from_slice(&chunk.values[..wanted]);
        }
        Some(all.into())
    }

    pub(super) fn clear(&self) {
        for chunk in &self.chunks {
            *chunk.write().unwrap_or_else(PoisonError::into_inner) = Chunk { there: 0, values: Box::default() };
        }
    }
}

impl<V: Clone> Chunk<V> {
    fn get(&self, place: usize) -> Option<V> {
        (place < CHUNK && self.there >> place & 1 == 1).then(|| self.values[place].clone())
    }

    fn insert(&mut self, place: usize, value: &V) {
        if self.there >> place & 1 == 1 {
            return;
        }
        if self.values.is_empty() {
            self.values = vec![value.clone(); CHUNK].into();
        } else {
            self.values[place] = value.clone();
        }
        self.there |= 1 << place;
    }
}

fn place(words: &[u64]) -> (usize, usize) {
    let mask = words.first().map_or(0, |&word| word as usize);
    (mask >> CHUNK_BITS, mask % CHUNK)
}

fn same_chunk(a: &Coalition, b: &Coalition) -> bool {
    place(a.words()).0 == place(b.words()).0
}
