//! `num_rational::Ratio` as a value: exact results.

use std::fmt;

use num_rational::Ratio;
use num_traits::{CheckedAdd, CheckedMul, CheckedSub, FromPrimitive, Signed, ToPrimitive, Zero};

use crate::Value;

/// Exact results, in lowest terms. With `BigInt` every result is exact (of a semivalue whose weights are floats, exact
/// for what the floats are). With integers of a fixed width, what does not fit becomes 0/0, which is not finite, and
/// the solvers return it as [`Overflow`](crate::Error::Overflow): a fraction never wraps around.
///
/// Standard errors are floats, and become the fraction that is nearest or near to them.
impl<T> Value for Ratio<T>
where
    T: Signed + FromPrimitive + Clone + fmt::Debug + Send + Sync,
    Ratio<T>: CheckedAdd + CheckedSub + CheckedMul + FromPrimitive + ToPrimitive + fmt::Display,
{
    fn add_assign(&mut self, other: &Self) {
        *self = checked(self, other, Self::checked_add);
    }

    fn sub_assign(&mut self, other: &Self) {
        *self = checked(self, other, Self::checked_sub);
    }

    fn scale(&mut self, numerator: i128, denominator: i128) {
        *self = match (T::from_i128(numerator), T::from_i128(denominator)) {
            // `new_raw`, since the product is reduced in any case.
            (Some(n), Some(d)) => checked(self, &Self::new_raw(n, d), Self::checked_mul),
            _ => not_finite(),
        };
    }

    fn is_finite(&self) -> bool {
        !self.denom().is_zero()
    }

    fn zip_with(&self, other: &Self, mut f: impl FnMut(f64, f64) -> f64) -> Self {
        // Num-rational divides by zero on 0/0.
        let float = |ratio: &Self| ratio.is_finite().then(|| ratio.to_f64()).flatten().unwrap_or(f64::NAN);
        Self::from_f64(f(float(self), float(other))).unwrap_or_else(not_finite)
    }

    fn magnitude(&self) -> f64 {
        self.is_finite().then(|| self.to_f64()).flatten().map_or(f64::NAN, f64::abs)
    }

    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn not_finite<T: Zero>() -> Ratio<T> {
    Ratio::new_raw(T::zero(), T::zero())
}

/// Num-rational's own operations divide by zero on 0/0, so that has to be seen before.
fn checked<T: Zero>(
    left: &Ratio<T>,
    right: &Ratio<T>,
    operation: impl Fn(&Ratio<T>, &Ratio<T>) -> Option<Ratio<T>>,
) -> Ratio<T> {
    if left.denom().is_zero() || right.denom().is_zero() {
        return not_finite();
    }
    operation(left, right).unwrap_or_else(not_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overflow_is_not_finite_and_stays_so() {
        let mut x = Ratio::new(i64::MAX, 3);
        x.add_assign(&Ratio::new(1, 7));
        assert!(!x.is_finite());
        x.sub_assign(&Ratio::new(1, 7));
        x.scale(1, 2);
        assert!(!x.is_finite());
        let mut one = Ratio::new(1_i64, 1);
        one.add_assign(&x);
        assert!(!one.is_finite());
    }

    #[test]
    fn what_fits_is_exact_up_to_the_border() {
        let mut low = Ratio::from_integer(i32::MIN);
        low.add_assign(&Ratio::from_integer(i32::MAX));
        assert_eq!(low, Ratio::from_integer(-1));
        let mut low = Ratio::from_integer(i32::MIN);
        low.scale(1, 2);
        assert_eq!(low, Ratio::from_integer(i32::MIN / 2));
        let mut third = Ratio::from_integer(2_i32);
        third.scale(-1, 6);
        assert_eq!(third, Ratio::new(-1, 3));
        third.scale(1, 1 << 40);
        assert!(!third.is_finite());
    }
}
