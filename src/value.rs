//! What a coalition can be worth.

mod encode;
#[cfg(feature = "rational")]
mod rational;

use std::fmt;

use num_traits::{AsPrimitive, Float};
use smallvec::SmallVec;

pub use encode::Encode;

/// What a coalition can be worth: an element of a vector space over the rationals.
///
/// A Shapley value is a sum of differences of values with rational weights, so this is all that a solver needs: to add,
/// to subtract, to scale by a ratio of integers, and to know whether the result is a number at all. Standard errors
/// need one thing more: the value's components, one by one, as floats. Implemented for `f64`, `f32`, arrays of values
/// (a game with `N` outputs is explained in one pass) and, with the feature `rational`, `num_rational::Ratio` (exact
/// results).
///
/// # Contract
///
/// * Addition and scaling follow the laws of a vector space, up to rounding.
/// * **Not finite is for ever**: once [`is_finite`](Value::is_finite) is false for one of two values, it is false
///   for their sum and difference. NaN and infinity of floats behave so. The solvers look at sums, not at every
///   value, and rely on it to refuse bad values.
/// * What does not fit the type becomes not finite; it never wraps around.
///
/// # Example
///
/// A value of one's own takes a dozen lines, and so does one whose number of outputs is known only at run time (a
/// struct with a `Vec<f64>`, the same length for all coalitions). Here it is the mean and the cost of something,
/// explained together.
///
/// ```
/// use shapley::{Value, from_fn};
///
/// #[derive(Clone, Debug)]
/// struct Measured { mean: f64, cost: f64 }
///
/// impl Value for Measured {
///     fn add_assign(&mut self, other: &Self) {
///         self.mean += other.mean;
///         self.cost += other.cost;
///     }
///     fn sub_assign(&mut self, other: &Self) {
///         self.mean -= other.mean;
///         self.cost -= other.cost;
///     }
///     fn scale(&mut self, numerator: i128, denominator: i128) {
///         self.mean.scale(numerator, denominator);
///         self.cost.scale(numerator, denominator);
///     }
///     fn is_finite(&self) -> bool {
///         self.mean.is_finite() && self.cost.is_finite()
///     }
///     fn zip_with(&self, other: &Self, mut f: impl FnMut(f64, f64) -> f64) -> Self {
///         Measured { mean: f(self.mean, other.mean), cost: f(self.cost, other.cost) }
///     }
/// }
///
/// let game = from_fn(3, |s| Measured { mean: s.len() as f64, cost: if s.is_empty() { 0.0 } else { 6.0 } });
/// let phi = shapley::exact(&game)?;
/// assert!((phi[0].mean - 1.0).abs() < 1e-12 && (phi[0].cost - 2.0).abs() < 1e-12);
/// # Ok::<(), shapley::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a value of a game",
    note = "a value is f64, f32 or an array of them: write `x as f64` for a whole number, `[f64; N]` for N outputs",
    note = "for a closure that returns a `Result`, use `try_from_fn` instead of `from_fn`, `try_from_batch_fn` instead \
            of `from_batch_fn`, `Words::try_new` instead of `Words::new` or `Words::from_parts`, and \
            `Words::try_batched` instead of `Words::batched`: a batch has one `Result` for all its values, as \
            `.collect::<Result<Vec<_>, _>>()` makes it"
)]
pub trait Value: Clone + fmt::Debug + Send + Sync {
    /// Adds `other` to this value.
    fn add_assign(&mut self, other: &Self);

    /// Takes `other` from this value.
    fn sub_assign(&mut self, other: &Self);

    /// Multiplies this value by `numerator / denominator`. The denominator is positive.
    fn scale(&mut self, numerator: i128, denominator: i128);

    /// Whether this is a number: neither NaN nor infinite, in any of its components.
    #[must_use]
    fn is_finite(&self) -> bool;

    /// Combines two values component by component, as floats: what squares, roots and intervals are made by.
    ///
    /// `f` is called once for each component, with this value's and the other's. What it returns may be infinite; a
    /// type that cannot hold that holds what is not finite.
    #[must_use]
    fn zip_with(&self, other: &Self, f: impl FnMut(f64, f64) -> f64) -> Self;

    /// The components, as floats, in the order in which [`zip_with`](Self::zip_with) meets them.
    ///
    /// Made of `zip_with` unless overridden; up to eight components it needs no heap.
    #[must_use]
    fn components(&self) -> impl Iterator<Item = f64> {
        let mut components = SmallVec::<[f64; 8]>::new();
        let _ = self.zip_with(self, |component, _| {
            components.push(component);
            component
        });
        components.into_iter()
    }

    /// How large this is: the largest absolute value of its components, as a float; NaN if one of them is. For orders
    /// ("the strongest interactions") and for deciding when to stop, not for results.
    #[must_use]
    fn magnitude(&self) -> f64 {
        let larger = |largest: f64, component: f64| {
            if largest.is_nan() || component.is_nan() { f64::NAN } else { largest.max(component.abs()) }
        };
        self.components().fold(0.0, larger)
    }

    /// Writes this value for people, with the formatter's precision and sign; what the `Display` of results uses.
    /// As its `Debug` says unless overridden.
    ///
    /// # Errors
    ///
    /// Those of the formatter.
    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// a − b.
#[inline(always)]
pub(crate) fn difference<V: Value>(a: &V, b: &V) -> V {
    let mut difference = a.clone();
    difference.sub_assign(b);
    difference
}

/// Shows a value the way its type wants to be read.
pub(crate) struct Shown<'a, V>(pub(crate) &'a V);

impl<V: Value> fmt::Display for Shown<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display(f)
    }
}

/// With a numerator of one, as every Shapley weight has, the division is the only rounding. Otherwise the ratio comes
/// first: `x * numerator` could overflow, and `x / denominator` underflow, where the result does neither.
fn scale_float<F: Float + 'static>(x: F, numerator: i128, denominator: i128) -> F
where
    i128: AsPrimitive<F>,
{
    if numerator == 1 { x / denominator.as_() } else { x * (numerator.as_() / denominator.as_()) }
}

macro_rules! float_values {
    ($($float:ty),*) => {$(
        impl Value for $float {
            #[inline]
            fn add_assign(&mut self, other: &Self) {
                *self += *other;
            }

            #[inline]
            fn sub_assign(&mut self, other: &Self) {
                *self -= *other;
            }

            #[inline]
            fn scale(&mut self, numerator: i128, denominator: i128) {
                *self = scale_float(*self, numerator, denominator);
            }

            #[inline]
            fn is_finite(&self) -> bool {
                Float::is_finite(*self)
            }

            #[inline]
            fn zip_with(&self, other: &Self, mut f: impl FnMut(f64, f64) -> f64) -> Self {
                // An f32's squares may not fit one: `as` makes them infinite, which the contract wants.
                f(f64::from(*self), f64::from(*other)) as $float
            }

            #[inline]
            fn components(&self) -> impl Iterator<Item = f64> {
                std::iter::once(f64::from(*self))
            }

            #[inline]
            fn magnitude(&self) -> f64 {
                f64::from(self.abs())
            }

            fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // `Display` writes hundreds of zeros where `Debug` has an exponent.
                let ordinary = *self == 0.0 || (1e-5..1e16).contains(&f64::from(self.abs()));
                if ordinary || f.precision().is_some() { fmt::Display::fmt(self, f) } else { fmt::Debug::fmt(self, f) }
            }
        }
    )*};
}

float_values!(f32, f64);

impl<V: Value, const N: usize> Value for [V; N] {
    #[inline]
    fn add_assign(&mut self, other: &Self) {
        for (mine, theirs) in self.iter_mut().zip(other) {
            mine.add_assign(theirs);
        }
    }

    #[inline]
    fn sub_assign(&mut self, other: &Self) {
        for (mine, theirs) in self.iter_mut().zip(other) {
            mine.sub_assign(theirs);
        }
    }

    #[inline]
    fn scale(&mut self, numerator: i128, denominator: i128) {
        for mine in self {
            mine.scale(numerator, denominator);
        }
    }

    #[inline]
    fn is_finite(&self) -> bool {
        self.iter().all(Value::is_finite)
    }

    #[inline]
    fn zip_with(&self, other: &Self, mut f: impl FnMut(f64, f64) -> f64) -> Self {
        std::array::from_fn(|k| self[k].zip_with(&other[k], &mut f))
    }

    #[inline]
    fn components(&self) -> impl Iterator<Item = f64> {
        self.iter().flat_map(Value::components)
    }

    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (k, value) in self.iter().enumerate() {
            if k > 0 {
                f.write_str(", ")?;
            }
            value.display(f)?;
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_neither_overflows_nor_underflows_on_its_way() {
        let mut large = f64::MAX;
        large.scale(3, 4);
        assert_eq!(large.to_bits(), (f64::MAX * 0.75).to_bits());
        let mut small = 1e-300;
        small.scale(1 << 60, (1 << 60) + 1);
        assert!((small / 1e-300 - 1.0).abs() < 1e-15);
        let mut third = 1.0_f32;
        third.scale(1, 3);
        assert_eq!(third.to_bits(), (1.0_f32 / 3.0).to_bits());
        let mut pair = [1.0, -2.0];
        pair.scale(-1, 2);
        assert_eq!(pair.map(f64::to_bits), [-0.5, 1.0].map(f64::to_bits));
    }

    /// A value that overrides nothing that is provided.
    #[derive(Clone, Debug)]
    struct Plain([[f32; 3]; 4]);

    impl Value for Plain {
        fn add_assign(&mut self, other: &Self) {
            self.0.add_assign(&other.0);
        }

        fn sub_assign(&mut self, other: &Self) {
            self.0.sub_assign(&other.0);
        }

        fn scale(&mut self, numerator: i128, denominator: i128) {
            self.0.scale(numerator, denominator);
        }

        fn is_finite(&self) -> bool {
            self.0.is_finite()
        }

        fn zip_with(&self, other: &Self, f: impl FnMut(f64, f64) -> f64) -> Self {
            Self(self.0.zip_with(&other.0, f))
        }
    }

    #[test]
    fn provided_methods_read_the_components_in_order() {
        let mut plain = Plain(std::array::from_fn(|j| std::array::from_fn(|k| (10 * j + k) as f32 - 31.0)));
        let expected = [-31.0, -30.0, -29.0, -21.0, -20.0, -19.0, -11.0, -10.0, -9.0, -1.0, 0.0, 1.0];
        assert!(plain.components().eq(expected) && plain.0.components().eq(expected));
        assert_eq!([plain.magnitude(), plain.0.magnitude()].map(f64::to_bits), [31.0_f64; 2].map(f64::to_bits));
        plain.0[1][1] = f32::NAN;
        assert!(plain.magnitude().is_nan() && plain.0.magnitude().is_nan());
    }

    #[test]
    fn one_bad_component_is_enough() {
        assert!([[0.0; 2]; 3].is_finite());
        assert!(![[0.0, f64::NAN], [0.0, 0.0]].is_finite());
        assert!(![1.0, f32::INFINITY].is_finite());
    }
}
