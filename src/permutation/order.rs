//! Orders of players: order i is a function of their number, the seed and i alone.

use crate::engine::Random;

/// The version of the orders: samples of different versions are not averaged, since they may be of the same orders.
pub(crate) const VERSION: u32 = 2;

/// The domain of random numbers, which names the version.
const DOMAIN: &[u8; 24] = b"shapley permutations, v2";

/// Groups of draws share a word as long as the product of their bounds is at most this. The smaller it is, the more
/// words are used; the larger, the more often one is drawn again: at most once in 256 times.
const LARGEST_PRODUCT: u64 = 1 << 56;

/// Uniformly random orders of n players, by number.
///
/// The shuffle is that of Fisher & Yates, from the last place down. Its bounded draws share 64-bit words: the word
/// times the bounds, high halves being the draws and low halves what is left, with rejection where a draw would not be
/// uniform (Brackett-Rozinsky & Lemire 2024, "Batched ranged random integer generation", *Software: Practice and
/// Experience* 55(1), doi:10.1002/spe.3369).
///
/// The generator is ChaCha8. Every order takes the same number of words, w, from its stream 0: order i has the words
/// from i w on, so that consecutive orders share the generator's blocks, and any order can be gone to. A word that is
/// rejected is replaced from stream i + 1, which is the order's own.
///
/// All of it is integer arithmetic of 64 and 128 bits, the same on every machine, and it is frozen: another order for
/// the same seed and number would be a value-breaking change, with another [`VERSION`].
pub(super) struct Orders {
    seed: u64,
    generator: Random,
    /// The order whose words the generator is at.
    next: u64,
    /// How many draws share each word, and the product of their bounds.
    groups: Vec<(u32, u64)>,
}

impl Orders {
    pub(super) fn new(players: usize, seed: u64) -> Self {
        Self { seed, generator: Random::new(DOMAIN, seed, 0), next: 0, groups: groups(players as u64) }
    }

    /// Makes `order` the order of a number. It has as many places as there are players.
    pub(super) fn draw(&mut self, number: u64, order: &mut Vec<usize>, players: usize) {
        if number != self.next {
            self.generator.go_to(u128::from(number) * self.groups.len() as u128);
        }
        self.next = number.wrapping_add(1);
        order.clear();
        order.extend(0..players);
        let mut left = players;
        let mut replacements = None;
        for &(draws, product) in &self.groups {
            let mut word = self.generator.word();
            // The lowest 2^64 mod product of the words' remainders would be drawn once too often.
            if word.wrapping_mul(product) < product {
                let surplus = product.wrapping_neg() % product;
                while word.wrapping_mul(product) < surplus {
                    let own = || Random::new(DOMAIN, self.seed, number.wrapping_add(1));
                    word = replacements.get_or_insert_with(own).word();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever was drawn before, with words that were replaced or without.
    #[test]
    fn an_order_depends_on_its_number_alone() {
        for players in [1, 2, 5, 16, 20, 64, 300] {
            let count = if players == 20 { 4000 } else { 100 };
            let mut orders = Orders::new(players, 7);
            let mut draw = |number| {
                let mut order = Vec::new();
                orders.draw(number, &mut order, players);
                order
            };
            let ascending: Vec<Vec<usize>> = (0..count).map(&mut draw).collect();
            for number in (0..count).rev().step_by(3) {
                let two = [number, number + 1].map(|number| ascending.get(number as usize));
                assert_eq!(two[0], Some(&draw(number)), "{players} players, order {number}");
                assert!(two[1].is_none_or(|next| *next == draw(number + 1)), "{players} players, after {number}");
            }
        }
    }
}
