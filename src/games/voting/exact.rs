//! Power indices as fractions: swings by size, counted modulo primes.
//!
//! Σ c(s) x^s, where c(s) is how many coalitions of s others a voter swings, is found for n values of x, each by one
//! pass over the sums. What is asked for is linear in the c(s), so it is a sum of these n numbers with weights that
//! depend on n alone: quadrature in a finite field. The index times lcm(1, …, n) is a whole number below that, and
//! comes back from its residues.

use num_bigint::{BigInt, BigUint};
use num_rational::Ratio;

use super::GameError;
use super::classes::Classes;
use super::dense::shifted;
use super::meet_in_the_middle;
use super::modular::{Field, from_residues, primes_for};
use super::power::{Index, MOST_STEPS};
use crate::games::parallel::in_parallel;
use crate::weights::gcd;

/// Adding it to a float and taking it away rounds to the nearest whole number.
const ROUNDER: f64 = 3.0 * (1_u64 << 51) as f64;

/// The most sums of a pass: a thread has 16 bytes for each, a gigabyte.
const MOST_SUMS: u64 = 1 << 26;

/// The index of each class.
pub(super) fn power(game: &Classes, index: Index) -> Result<Vec<Ratio<BigInt>>, GameError> {
    let whole = || unit(game.voters(), index);
    let fraction = |numerator: BigUint, denominator: &BigUint| Ratio::new(numerator.into(), denominator.clone().into());
    let (n, values) = (game.voters() as f64, values(game, index) as f64);
    // lcm(1, …, n) is near e^n.
    let bits = if index == Index::Banzhaf { n } else { 1.5 * n };
    let primes = (bits / (52.0 - (1.0 + values).log2())).ceil();
    let steps = n * values * primes * game.total as f64;
    if game.voters() <= meet_in_the_middle::MOST_VOTERS && meet_in_the_middle::steps(game) <= steps {
        let whole = whole();
        let count = |class| by_size(&meet_in_the_middle::swings_by_size(game, class), &whole, index);
        return Ok(in_parallel(game.classes.len(), count).into_iter().map(|count| fraction(count, &whole)).collect());
    }
    let what = "the exact power index of this voting game";
    if steps > MOST_STEPS {
        return Err(GameError::TooLarge { what, needed: steps, limit: MOST_STEPS, unit: "steps" });
    }
    if game.total > MOST_SUMS {
        let (needed, limit) = (game.total as f64, MOST_SUMS as f64);
        return Err(GameError::TooLarge { what, needed, limit, unit: "sums at once" });
    }
    let whole = whole();
    Ok(modulo_primes(game, index, &whole).into_iter().map(|count| fraction(count, &whole)).collect())
}

/// The common denominator: lcm(1, …, n), or the number of coalitions of the others.
fn unit(voters: u64, index: Index) -> BigUint {
    let one = BigUint::from(1_u8);
    match index {
        Index::Banzhaf => one << (voters - 1),
        Index::ShapleyShubik => (2..=voters).fold(one, |lcm, k| {
            // All of k but what the multiple of those before it has.
            let rest = u64::try_from(&lcm % k).unwrap_or(0);
            lcm * (k / gcd(k, rest))
        }),
    }
}

/// How many x > 0 there are, when 1/x comes with x.
fn values(game: &Classes, index: Index) -> u64 {
    if index == Index::Banzhaf { 1 } else { game.voters() / 2 + 1 }
}

/// The index of a class in units of `1/whole`, by how many coalitions of each size it swings.
fn by_size(swings: &[u64], whole: &BigUint, index: Index) -> BigUint {
    let (players, others) = (swings.len(), swings.len() - 1);
    let mut coalitions = BigUint::from(1_u8);
    let mut sum = BigUint::ZERO;
    for (s, swings) in swings.iter().enumerate() {
        match index {
            Index::Banzhaf => sum += *swings,
            // n C(n−1, s) divides lcm(1, …, n).
            Index::ShapleyShubik => sum += whole / (&coalitions * players) * *swings,
        }
        coalitions = coalitions * (others - s) / (s + 1);
    }
    sum
}

fn modulo_primes(game: &Classes, index: Index, whole: &BigUint) -> Vec<BigUint> {
    let values = values(game, index);
    // Floats hold whole numbers up to 2^53; (1 + x) p is at most half of it.
    let primes = primes_for(whole, (1 << 52) / (1 + values));
    let weights: Vec<Vec<u64>> = primes.iter().map(|field| functional(*field, game.voters(), index, whole)).collect();

    let units = primes.len() * values as usize;
    let parts = in_parallel(units, |unit| {
        let (prime, x) = (unit / values as usize, (unit % values as usize) as u64 + 1);
        let (field, weights) = (primes[prime], &weights[prime]);
        // x comes before 1/x, and 1 is alone.
        let weight = |place: u64| weights.get(place as usize).copied().unwrap_or(0);
        let (own, mirror) = if x == 1 { (weight(0), 0) } else { (weight(2 * x - 3), weight(2 * x - 2)) };
        let both = swings_at(game, field, x);
        let part = |(swings, mirrored): &(u64, u64)| field.add(field.mul(own, *swings), field.mul(mirror, *mirrored));
        both.iter().map(part).collect::<Vec<u64>>()
    });

    let of_class = |class: usize| {
        let residue =
            |(parts, field): (&[Vec<u64>], &Field)| parts.iter().fold(0, |sum, part| field.add(sum, part[class]));
        let residues: Vec<u64> = parts.chunks(values as usize).zip(&primes).map(residue).collect();
        from_residues(&primes, &residues)
    };
    (0..game.classes.len()).map(of_class).collect()
}

/// Σ c(s) x^s of each class modulo a prime, and x^(n−1) Σ c(s) x^−s, which is that of the game of blocking.
fn swings_at(game: &Classes, field: Field, x: u64) -> Vec<(u64, u64)> {
    let (quota, blocking) = (game.quota, game.blocking_quota());
    let below = below(game, field, x, quota.max(blocking));
    let at = |weight: u64, quota: u64| {
        // What all make up to k is what the others make up to k, and x times what they make up to k − weight.
        let mut others = 0;
        let mut k = (quota - 1) % weight + 1;
        loop {
            let last = others;
            others = field.sub(below[k as usize], field.mul(x, last));
            if k == quota {
                return field.sub(others, last);
            }
            k += weight;
        }
    };
    game.classes.iter().map(|class| (at(class.weight, quota), at(class.weight, blocking))).collect()
}

/// Σ x^|S| over the coalitions S whose weight is below k, modulo a prime, for k from 0 to `most`, which some reach.
fn below(game: &Classes, field: Field, x: u64, most: u64) -> Vec<u64> {
    // In floats, which are fast in blocks, from −p/2 to p/2 or a little beyond: every number on the way is whole and
    // below 2^53, so nothing is rounded but the quotient, which need not be right to the last.
    let (p, one_over_p, factor) = (field.0 as f64, 1.0 / field.0 as f64, x as f64);
    let step = |with: f64, without: f64| {
        let sum = with + factor * without;
        let quotient = (sum * one_over_p + ROUNDER) - ROUNDER;
        sum - quotient * p
    };
    let mut cells = vec![1.0];
    let mut classes = game.classes.clone();
    // The lightest first: sums that can be reached are few as long as voters are light.
    classes.sort_unstable_by_key(|class| class.weight);
    for class in classes {
        for _ in 0..class.voters {
            let len = (cells.len() as u64).saturating_add(class.weight).min(most);
            cells.resize(len as usize, 0.0);
            if class.weight < len {
                shifted(&mut cells, class.weight as usize, class.weight as usize, step);
            }
        }
    }
    let mut below = vec![0];
    let mut sum = 0;
    for cell in cells {
        let whole = if cell < 0.0 { cell + p } else { cell };
        sum = field.add(sum, whole as u64 % field.0);
        below.push(sum);
    }
    below
}

/// The weights of Σ c(s) x^s at x = 1, 2, 1/2, 3, 1/3, … whose sum is the index in units of `1/whole`, modulo a prime.
/// Those of 1/x are for the sums times x^(n−1).
fn functional(field: Field, voters: u64, index: Index, whole: &BigUint) -> Vec<u64> {
    if index == Index::Banzhaf {
        return vec![1];
    }
    let n = voters as usize;
    let xs: Vec<u64> = (0..voters)
        .map(|k| match k {
            0 => 1,
            k if k % 2 == 1 => k.div_ceil(2) + 1,
            k => field.inverse(k / 2 + 1),
        })
        .collect();
    // What c(s) counts for: 1/(n C(n−1, s)) of the whole.
    let whole = u64::try_from(whole % field.0).unwrap_or(0);
    let mut counts = vec![field.mul(whole, field.inverse(voters))];
    for s in 1..voters {
        let last = counts[s as usize - 1];
        counts.push(field.mul(last, field.mul(s, field.inverse(voters - s))));
    }
    // The polynomial that is 0 at all x.
    let mut zero_at_all = vec![1];
    for x in &xs {
        zero_at_all.push(0);
        for k in (0..zero_at_all.len()).rev() {
            let lower = if k > 0 { zero_at_all[k - 1] } else { 0 };
            zero_at_all[k] = field.sub(lower, field.mul(*x, zero_at_all[k]));
        }
    }
    let weight = |k: usize| {
        // Divided by one of its factors, it is 0 at all other x: Lagrange's polynomial, once it is 1 at this one.
        let x = xs[k];
        let (mut coefficient, mut there, mut sum) = (0, 0, 0);
        for s in (0..n).rev() {
            coefficient = field.add(zero_at_all[s + 1], field.mul(x, coefficient));
            there = field.add(field.mul(there, x), coefficient);
            sum = field.add(sum, field.mul(coefficient, counts[s]));
        }
        let weight = field.mul(sum, field.inverse(there));
        // x is 1/x of what was multiplied.
        if k.is_multiple_of(2) { field.mul(weight, field.pow(x, voters - 1)) } else { weight }
    };
    (0..n).map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways to count, on games that either can do.
    #[test]
    fn swings_modulo_primes_are_those_counted_by_halves() {
        let weights: Vec<u64> = (0..17).map(|k| (k * k * 7 + 3) % 23 + k / 9).collect();
        let total: u64 = weights.iter().sum();
        for quota in 1..=total {
            let game = Classes::new(quota, &weights);
            for index in [Index::ShapleyShubik, Index::Banzhaf] {
                let whole = unit(game.voters(), index);
                for (class, got) in modulo_primes(&game, index, &whole).into_iter().enumerate() {
                    assert_eq!(
                        got,
                        by_size(&meet_in_the_middle::swings_by_size(&game, class), &whole, index),
                        "{index:?} {quota}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_whole_is_a_common_denominator() {
        assert_eq!(unit(10, Index::ShapleyShubik), BigUint::from(2520_u32));
        assert_eq!(unit(10, Index::Banzhaf), BigUint::from(512_u32));
        assert_eq!([1, 2].map(|n| unit(n, Index::ShapleyShubik)), [1_u8, 2].map(BigUint::from));
    }
}
