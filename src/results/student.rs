//! Quantiles of Student's t distribution.

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::beta::beta_reg;

/// From this many degrees of freedom on the expansion below is as good as the distribution's own function.
const MANY: f64 = 1000.0;

/// How many standard errors on either side of a mean make an interval that has the true one with probability `level`,
/// by Student's t with these degrees of `freedom`, a number that need not be whole. Infinite for none.
pub(crate) fn width(level: f64, freedom: f64) -> f64 {
    // A level so near to 1 that the difference is lost in it has the smallest tail that could have been meant.
    let tail = ((1.0 - level) / 2.0).max(f64::EPSILON / 4.0);
    match freedom {
        freedom if freedom <= 0.0 => f64::INFINITY,
        freedom if freedom < MANY => by_bisection(tail, freedom),
        freedom => by_expansion(tail, freedom),
    }
}

/// Half the width of an interval. An error of zero leaves no doubt at any width, and an infinite one all doubt: zero
/// times infinity is neither.
pub(crate) fn scaled(width: f64, error: f64) -> f64 {
    if error > 0.0 && error.is_finite() { width * error } else { error }
}

/// The t whose upper tail is `tail`, by halving an interval: the crate's own inverse loses digits in far tails and,
/// with many degrees of freedom, does not end.
fn by_bisection(tail: f64, freedom: f64) -> f64 {
    let tail_of = |t: f64| 0.5 * beta_reg(0.5 * freedom, 0.5, freedom / (freedom + t * t));
    let (mut low, mut high) = (0.0, 1.0);
    while tail_of(high) > tail {
        (low, high) = (high, 2.0 * high);
    }
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        *(if tail_of(middle) > tail { &mut low } else { &mut high }) = middle;
    }
}

/// The expansion about the normal distribution (Abramowitz & Stegun 1964, *Handbook of Mathematical Functions*,
/// 26.7.5).
fn by_expansion(tail: f64, freedom: f64) -> f64 {
    let z = -Normal::standard().inverse_cdf(tail);
    let (s, f) = (z * z, freedom);
    let terms = [
        (s + 1.0) / 4.0,
        ((5.0 * s + 16.0) * s + 3.0) / 96.0,
        (((3.0 * s + 19.0) * s + 17.0) * s - 15.0) / 384.0,
        ((((79.0 * s + 776.0) * s + 1482.0) * s - 1920.0) * s - 945.0) / 92160.0,
    ];
    z + z * terms.iter().rev().fold(0.0, |sum, term| (sum + term) / f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Abramowitz & Stegun 1964, table 26.10, and the closed forms for one and two degrees of freedom.
    #[test]
    fn widths_are_those_of_the_tables() {
        let close = |level, freedom, t: f64, tolerance| {
            let found = width(level, freedom);
            assert!((found / t - 1.0).abs() < tolerance, "{level} {freedom}: {found} for {t}");
        };
        close(0.95, 29.0, 2.045, 3e-4);
        close(0.99, 5.0, 4.032, 2e-4);
        close(0.8, 10.0, 1.372, 3e-4);
        close(0.999, 120.0, 3.373, 2e-4);
        for level in [1e-3, 0.5, 0.95, 0.999_999, 1.0 - 1e-9] {
            close(level, 1.0, (std::f64::consts::FRAC_PI_2 * level).tan(), 1e-6);
            let tail = (1.0 - level) / 2.0;
            close(level, 2.0, level / (2.0 * tail * (1.0 - tail)).sqrt(), 1e-9);
        }
        close(0.95, f64::INFINITY, 1.959_963_984_540_054, 1e-12);
        assert!(width(0.95, 0.0).is_infinite());
    }

    #[test]
    fn the_expansion_meets_the_bisection() {
        for tail in [0.4, 0.1, 0.025, 1e-3, 1e-6, 1e-9] {
            let ratio = by_bisection(tail, MANY) / by_expansion(tail, MANY);
            assert!((ratio - 1.0).abs() < 1e-9, "{tail}: {ratio}");
        }
    }

    #[test]
    fn extreme_levels_have_finite_widths() {
        for freedom in [1.0, 2.0, 4.5, 9.0, 999.0, 1000.0, f64::INFINITY] {
            assert!(width(1.0 - f64::EPSILON / 2.0, freedom).is_finite());
            assert!(width(f64::MIN_POSITIVE, freedom) < 1e-6);
        }
    }
}
