//! Orders of players: order i is a function of their number, the seed and i alone.

use crate::engine::Random;

/// The domain of random numbers.
const DOMAIN: &[u8; 24] = b"shapley permutations, v1";

/// Groups of draws share a word as long as the product of their bounds is at most this. The smaller it is, the more
/// words are used; the larger, the more often one is drawn again: at most once in 256 times.
const LARGEST_PRODUCT: u64 = 1 << 56;

/// Uniformly random orders of n players, by number.
///
/// The generator is ChaCha8 with the order's number as its stream, so that order i needs no other. The shuffle is that
/// of Fisher & Yates, from the last place down. Its bounded draws share 64-bit words: the word times the bounds, high
/// halves being the draws and low halves what is left, with rejection where a draw would not be uniform
/// (Brackett-Rozinsky & Lemire 2024, "Batched ranged random integer generation", *Software: Practice and Experience*
/// 55(1), doi:10.1002/spe.3369).
///
/// All of it is integer arithmetic of 64 and 128 bits, the same on every machine, and it is frozen: another order for
/// the same seed and number would be a value-breaking change.
pub(super) struct Orders {
    generator: Random,
    /// How many draws share each word, and the product of their bounds.
    groups: Vec<(u32, u64)>,
}

impl Orders {
    pub(super) fn new(players: usize, seed: u64) -> Self {
        Self { generator: Random::new(DOMAIN, seed, 0), groups: groups(players as u64) }
    }

    /// Makes `order` the order of a number. It has as many places as there are players.
    pub(super) fn draw(&mut self, number: u64, order: &mut Vec<usize>, players: usize) {
        self.generator.restart(number);
        order.clear();
        order.extend(0..players);
        let mut left = players;
        for &(draws, product) in &self.groups {
            let mut word = self.generator.word();
            // The lowest 2^64 mod product of the words' remainders would be drawn once too often.
            if word.wrapping_mul(product) < product {
                let surplus = product.wrapping_neg() % product;
                while word.wrapping_mul(product) < surplus {
                    word = self.generator.word();
                }
            }
            for _ in 0..draws {
                let wide = u128::from(word) * left as u128;
                // Below `left`, so it fits.
                let drawn = (wide >> 64) as usize;
                word = wide as u64;
                left -= 1;
                order.swap(left, drawn);
            }
        }
    }
}

/// Draws below n, n − 1, …, 2, in groups.
fn groups(players: u64) -> Vec<(u32, u64)> {
    let mut groups = Vec::new();
    let mut bound = players;
    while bound > 1 {
        let mut group = (1, bound);
        bound -= 1;
        while let Some(product) = group.1.checked_mul(bound).filter(|&product| bound > 1 && product <= LARGEST_PRODUCT)
        {
            group = (group.0 + 1, product);
            bound -= 1;
        }
        groups.push(group);
    }
    groups
}
