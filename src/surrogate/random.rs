//! The random numbers of a design, the same on every machine.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// The rest of the generator's key, after the seed: other users of the same seed have other keys.
const DOMAIN: [u8; 24] = *b"shapley pairs, version 1";

/// A stream of numbers: one for each seed and purpose.
#[derive(Clone, Debug)]
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        let mut key = [0; 32];
        let (low, rest) = key.split_at_mut(8);
        low.copy_from_slice(&seed.to_le_bytes());
        rest.copy_from_slice(&DOMAIN);
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(purpose);
        Self(generator)
    }

    /// Below a bound that is positive, by multiplication with rejection (Lemire 2019, "Fast random integer generation in an
    /// interval", doi:10.1145/3230636).
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        loop {
            let wide = u128::from(self.0.next_u64()) * u128::from(bound);
            if wide as u64 >= bound.wrapping_neg() % bound {
                return (wide >> 64) as u64;
            }
        }
    }

    /// In [0, 1), a multiple of 2⁻⁵³.
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// `some` of the numbers below `all`, ascending.
    pub(super) fn choose(&mut self, some: usize, all: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..all).collect();
        for place in 0..some.min(all) {
            let from = place + self.below((all - place) as u64) as usize;
            numbers.swap(place, from);
        }
        numbers.truncate(some);
        numbers.sort_unstable();
        numbers
    }

    /// A uniformly random set of so many of `players`, as words (Floyd's algorithm).
    pub(super) fn coalition(&mut self, players: usize, size: usize, words: &mut Vec<u64>) {
        words.clear();
        words.resize(players.div_ceil(64), 0);
        for last in players - size..players {
            let player = self.below(last as u64 + 1) as usize;
            let taken = words[player / 64] >> (player % 64) & 1 == 1;
            let player = if taken { last } else { player };
            words[player / 64] |= 1 << (player % 64);
        }
    }
}
