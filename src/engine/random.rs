//! Random numbers that are the same on every machine.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

#[cfg(feature = "surrogate")]
use crate::Coalition;

/// A generator (ChaCha8) with one independent stream for each domain, seed and number.
///
/// Results depend on every bit of it: another number for the same stream would be a value-breaking change.
#[derive(Clone, Debug)]
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    /// The generator's key is the seed and then the domain: two users of one seed have different domains.
    pub(crate) fn new(domain: &[u8; 24], seed: u64, stream: u64) -> Self {
        let mut key = [0; 32];
        let (low, high) = key.split_at_mut(8);
        low.copy_from_slice(&seed.to_le_bytes());
        high.copy_from_slice(domain);
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(stream);
        Self(generator)
    }

    /// Goes to a word of the stream, by number.
    pub(crate) fn go_to(&mut self, word: u128) {
        // The generator counts words of 32 bits.
        self.0.set_word_pos(2 * word);
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, which is positive, by multiplication with rejection (Lemire 2019, "Fast random integer
    /// generation in an interval", doi:10.1145/3230636).
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        loop {
            let wide = u128::from(self.word()) * u128::from(bound);
            if wide as u64 >= bound.wrapping_neg() % bound {
                return (wide >> 64) as u64;
            }
        }
    }

    /// A number in [0, 1), a multiple of 2⁻⁵³.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `count` of the numbers below `all`, ascending; all of them if there are no more.
    pub(crate) fn choose(&mut self, count: usize, all: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..all).collect();
        for place in 0..count.min(all) {
            let from = place + self.below((all - place) as u64) as usize;
            numbers.swap(place, from);
        }
        numbers.truncate(count);
        numbers.sort_unstable();
        numbers
    }
}

#[cfg(feature = "surrogate")]
impl Random {
    /// The shuffle of Fisher & Yates, from the last place down.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// A uniformly random coalition of `size` players (Floyd's algorithm).
    pub(crate) fn coalition(&mut self, players: usize, size: usize) -> Coalition {
        let mut coalition = Coalition::empty(players);
        for last in players - size..players {
            let player = self.below(last as u64 + 1) as usize;
            if !coalition.insert(player) {
                coalition.insert(last);
            }
        }
        coalition
    }
}
