//! Exact weights: ratios of 128-bit integers, in lowest terms.

use std::ops::Rem;

use num_traits::Zero;

use crate::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ratio {
    numerator: i128,
    /// Positive.
    denominator: i128,
}

impl Ratio {
    pub(crate) const ZERO: Self = Self { numerator: 0, denominator: 1 };
    pub(crate) const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// The denominator must be positive.
    pub(crate) fn new(numerator: i128, denominator: i128) -> Self {
        debug_assert!(denominator > 0);
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs()) as i128;
        Self { numerator: numerator / divisor, denominator: denominator / divisor }
    }

    pub(crate) fn is_zero(self) -> bool {
        self.numerator == 0
    }

    pub(crate) fn is_one(self) -> bool {
        self == Self::ONE
    }

    /// The product, unless it needs more than 128 bits.
    pub(crate) fn times(self, other: Self) -> Option<Self> {
        // Across first, so that nothing is larger than it must be.
        let left = Self::new(self.numerator, other.denominator);
        let right = Self::new(other.numerator, self.denominator);
        Some(Self {
            numerator: left.numerator.checked_mul(right.numerator)?,
            denominator: left.denominator.checked_mul(right.denominator)?,
        })
    }

    /// The sum, unless it needs more than 128 bits.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        let divisor = gcd(self.denominator.unsigned_abs(), other.denominator.unsigned_abs()) as i128;
        let (mine, theirs) = (self.denominator / divisor, other.denominator / divisor);
        let numerator = self.numerator.checked_mul(theirs)?.checked_add(other.numerator.checked_mul(mine)?)?;
        Some(Self::new(numerator, mine.checked_mul(other.denominator)?))
    }

    pub(crate) fn scale<V: Value>(self, value: &mut V) {
        value.scale(self.numerator, self.denominator);
    }
}

/// The greatest common divisor, by Euclid's algorithm; of zero and a number, the number.
pub(crate) fn gcd<T: Zero + Copy + Rem<Output = T>>(a: T, b: T) -> T {
    if b.is_zero() { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic() {
        let (half, third) = (Ratio::new(2, 4), Ratio::new(-1, 3));
        assert_eq!(half.plus(third), Some(Ratio::new(1, 6)));
        assert_eq!(half.times(third), Some(Ratio::new(-1, 6)));
        assert_eq!(half.plus(Ratio::new(-1, 2)), Some(Ratio::ZERO));
        assert_eq!(Ratio::new(0, 7), Ratio::ZERO);
        assert_eq!(Ratio::new(i128::MAX, 1).times(Ratio::new(2, 1)), None);
        assert_eq!(Ratio::new(i128::MAX, 1).plus(Ratio::ONE), None);
        let mut value = 12.0_f64;
        third.scale(&mut value);
        assert_eq!(value.to_bits(), (-4.0_f64).to_bits());
    }
}
