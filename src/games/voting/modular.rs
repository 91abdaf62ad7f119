//! Arithmetic modulo primes, and the way back to whole numbers.

use num_bigint::BigUint;

/// A prime p with its field, for p < 2^52.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field(pub(super) u64);

impl Field {
    pub(super) fn add(self, a: u64, b: u64) -> u64 {
        (a + b) % self.0
    }

    pub(super) fn sub(self, a: u64, b: u64) -> u64 {
        (a + self.0 - b) % self.0
    }

    pub(super) fn mul(self, a: u64, b: u64) -> u64 {
        (u128::from(a) * u128::from(b) % u128::from(self.0)) as u64
    }

    pub(super) fn pow(self, a: u64, mut exponent: u64) -> u64 {
        let (mut power, mut square) = (1, a % self.0);
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = self.mul(power, square);
            }
            square = self.mul(square, square);
            exponent >>= 1;
        }
        power
    }

    /// 1/a, for an a that is not 0.
    pub(super) fn inverse(self, a: u64) -> u64 {
        self.pow(a, self.0 - 2)
    }
}

/// Primes below `limit` from the largest on, until their product is above `bound`.
pub(super) fn primes_for(bound: &BigUint, limit: u64) -> Vec<Field> {
    let mut product = BigUint::from(1_u8);
    let mut primes = Vec::new();
    for candidate in (2..limit).rev().filter(|candidate| is_prime(*candidate)) {
        if product > *bound {
            break;
        }
        product *= candidate;
        primes.push(Field(candidate));
    }
    primes
}

/// Miller–Rabin with the bases that decide all numbers below 2^64: Sinclair (2011).
fn is_prime(n: u64) -> bool {
    if n < 4 || n.is_multiple_of(2) {
        return n == 2 || n == 3;
    }
    let field = Field(n);
    let (twos, odd) = ((n - 1).trailing_zeros(), (n - 1) >> (n - 1).trailing_zeros());
    let passes = |base: u64| {
        let base = base % n;
        let mut power = field.pow(base, odd);
        if base == 0 || power == 1 || power == n - 1 {
            return true;
        }
        (1..twos).any(|_| {
            power = field.mul(power, power);
            power == n - 1
        })
    };
    [2, 325, 9375, 28178, 450_775, 9_780_504, 1_795_265_022].into_iter().all(passes)
}

/// The number below the product of the primes that has these residues, by Garner's method.
pub(super) fn from_residues(primes: &[Field], residues: &[u64]) -> BigUint {
    // number = d₀ + p₀ (d₁ + p₁ (d₂ + …)).
    let mut digits: Vec<u64> = Vec::with_capacity(primes.len());
    for (field, residue) in primes.iter().zip(residues) {
        let (mut known, mut product) = (0, 1);
        for (digit, prime) in digits.iter().zip(primes) {
            known = field.add(known, field.mul(product, digit % field.0));
            product = field.mul(product, prime.0 % field.0);
        }
        digits.push(field.mul(field.sub(*residue, known), field.inverse(product)));
    }
    digits.iter().zip(primes).rev().fold(BigUint::ZERO, |number, (digit, prime)| number * prime.0 + *digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_those_of_trial_division() {
        let by_division = |n: u64| n > 1 && (2..n).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d));
        for n in 0..2000 {
            assert_eq!(is_prime(n), by_division(n), "{n}");
        }
        // The largest prime below 2^52 and a product of two primes.
        assert!(is_prime((1 << 52) - 47) && !is_prime(67_108_859 * 67_108_837));
    }

    #[test]
    fn a_number_comes_back_from_its_residues() {
        let number = (BigUint::from(1_u8) << 200_u32) + 12_345_u32;
        let primes = primes_for(&number, 1 << 45);
        assert_eq!(primes.len(), 5);
        let residues: Vec<u64> =
            primes.iter().map(|field| u64::try_from(&number % field.0).expect("it is below the prime")).collect();
        assert_eq!(from_residues(&primes, &residues), number);
        assert_eq!(from_residues(&primes, &[0; 5]), BigUint::ZERO);
        // As many primes as it takes to tell a number from 0, and no more.
        let product: BigUint = primes.iter().map(|field| field.0).product();
        assert_eq!(primes_for(&(&product - 1_u32), 1 << 45).len(), 5);
        assert_eq!(primes_for(&product, 1 << 45).len(), 6);
    }
}
