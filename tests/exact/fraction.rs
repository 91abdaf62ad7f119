//! Fractions of 128-bit integers, for oracles that do not round.

use std::ops::{Add, Div, Mul, Sub};

use crate::common::naive::Number;

/// A fraction in lowest terms, with a positive denominator. What does not fit panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fraction {
    numerator: i128,
    denominator: i128,
}

impl Fraction {
    pub(crate) fn new(numerator: i128, denominator: i128) -> Self {
        let divisor = divisor(numerator, denominator) * denominator.signum();
        assert!(divisor != 0, "{numerator}/0");
        Self { numerator: numerator / divisor, denominator: denominator / divisor }
    }

    pub(crate) fn whole(number: i64) -> Self {
        Self { numerator: number.into(), denominator: 1 }
    }

    /// The nearest `f64`, or its neighbour: numerator and denominator are rounded, and the quotient of both.
    pub(crate) fn to_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    #[cfg(feature = "rational")]
    pub(crate) fn to_rational(self) -> num_rational::BigRational {
        num_rational::BigRational::new(self.numerator.into(), self.denominator.into())
    }
}

/// The greatest common divisor, which is not negative.
fn divisor(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.abs(), b.abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn fits(number: Option<i128>) -> i128 {
    number.expect("fractions of the tests' games fit 128 bits")
}

impl Add for Fraction {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let common = divisor(self.denominator, other.denominator);
        let (mine, theirs) = (self.denominator / common, other.denominator / common);
        let left = fits(self.numerator.checked_mul(theirs));
        let right = fits(other.numerator.checked_mul(mine));
        Self::new(fits(left.checked_add(right)), fits(mine.checked_mul(other.denominator)))
    }
}

impl Sub for Fraction {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + Self { numerator: -other.numerator, ..other }
    }
}

impl Mul for Fraction {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        // Across first, so that nothing is larger than it must be.
        let left = Self::new(self.numerator, other.denominator);
        let right = Self::new(other.numerator, self.denominator);
        Self {
            numerator: fits(left.numerator.checked_mul(right.numerator)),
            denominator: fits(left.denominator.checked_mul(right.denominator)),
        }
    }
}

impl Div for Fraction {
    type Output = Self;

    #[expect(clippy::suspicious_arithmetic_impl, reason = "to divide is to multiply by the inverse")]
    fn div(self, other: Self) -> Self {
        self * Self::new(other.denominator, other.numerator)
    }
}

impl Number for Fraction {
    fn of(count: u64) -> Self {
        Self { numerator: count.into(), denominator: 1 }
    }
}
