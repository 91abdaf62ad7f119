//! Weights by coalition size.

use super::size_distribution::{of_weights, sum_in_blocks};
use super::{Ratio, binomial};
use crate::{Coalition, Error, Value};

/// A semivalue: how much a coalition's size counts when marginal contributions are averaged.
///
/// ψᵢ = Σ over S ⊆ N∖{i} of p(|S|) · [v(S ∪ {i}) − v(S)], with p(s) ≥ 0 and Σ over s of C(n−1, s) p(s) = 1
///
/// The second condition says that C(n−1, s) p(s) are probabilities: of the size of the coalition that a player comes
/// to. Only [`thinned`](Self::thinned) differs: its weights sum to a probability. [`Shapley`](Self::shapley) is the
/// semivalue in which every size is equally likely, and the only one whose values always sum to v(N) − v(∅). All of
/// them give nothing to a player who never changes the value, and treat like players alike (Dubey, Neyman & Weber 1981,
/// "Value theory without efficiency", *Mathematics of Operations Research* 6, 122–128, doi:10.1287/moor.6.1.122).
///
/// Solved by [`Exact::semivalue`](crate::Exact::semivalue); estimated by
/// [`Permutation::semivalue`](crate::Permutation::semivalue) and `Surrogate::semivalue` (feature `surrogate`).
///
/// ```
/// use shapley::{Exact, Semivalue};
///
/// let game = shapley::from_fn(3, |s| if s.len() >= 2 { 1.0 } else { 0.0 });
/// let loo = Semivalue::by_size(vec![0.0, 0.0, 1.0])?; // leave one out: only the largest coalitions count
/// assert_eq!(Exact::new().semivalue(&game, &loo)?.values(), [0.0, 0.0, 0.0]);
/// assert_eq!(Exact::new().semivalue(&game, &Semivalue::banzhaf())?.values(), [0.5, 0.5, 0.5]);
/// # Ok::<(), shapley::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Semivalue(pub(crate) Kind);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Shapley,
    Banzhaf,
    Beta {
        alpha: f64,
        beta: f64,
    },
    Binomial {
        p: f64,
    },
    /// Below 1: of 1 it is `Shapley`.
    Thinned {
        p: f64,
    },
    /// p(s).
    BySize(Vec<f64>),
    /// C(n−1, s) p(s).
    BySizeDistribution(Vec<f64>),
}

/// How far given weights may be from a sum of one: the rounding of many products.
const SUM_TOLERANCE: f64 = 1e-9;

impl Semivalue {
    /// The Shapley value: every size is equally likely, p(s) = s! (n−s−1)! / n!.
    pub fn shapley() -> Self {
        Self(Kind::Shapley)
    }

    /// The Banzhaf value: every coalition is equally likely, p(s) = 1/2^(n−1) (Banzhaf 1965, *Rutgers Law Review* 19,
    /// 317–343; Owen 1975, doi:10.1002/nav.3800220408).
    pub fn banzhaf() -> Self {
        Self(Kind::Banzhaf)
    }

    /// Beta(α, β)-Shapley values, p(s) = B(s+β, n−1−s+α) / B(α, β): Beta(1, 1) is Shapley; α above β puts the weight on
    /// small coalitions, where a training point's value is least noisy (Kwon & Zou 2022, "Beta Shapley: a unified and
    /// noise-reduced data valuation framework for machine learning", AISTATS 151, 8780–8802). For whole numbers the
    /// weights are exact fractions, as far as these fit 128 bits.
    ///
    /// # Errors
    ///
    /// [`WeightParameter`](Error::WeightParameter) unless both are from 10⁻¹⁰⁰ to 10¹⁰⁰.
    pub fn beta(alpha: f64, beta: f64) -> Result<Self, Error> {
        for value in [alpha, beta] {
            if !(1e-100..=1e100).contains(&value) {
                return Err(Error::WeightParameter { value, allowed: "from 1e-100 to 1e100" });
            }
        }
        Ok(Self(Kind::Beta { alpha, beta }))
    }

    /// The p-binomial semivalue, p(s) = p^s (1−p)^(n−1−s): every other player is there with probability p. Half is
    /// Banzhaf, exactly; 0 is what a player is worth alone, 1 what the others lose without it.
    ///
    /// # Errors
    ///
    /// [`WeightParameter`](Error::WeightParameter) unless p is from 0 to 1.
    pub fn binomial(p: f64) -> Result<Self, Error> {
        check_chance(p)?;
        // The float nearest to a half is a half.
        Ok(if p.to_bits() == 0.5_f64.to_bits() { Self::banzhaf() } else { Self(Kind::Binomial { p }) })
    }

    /// Shapley values where each player is there with probability p, independently of the others: those of the game
    /// w(S) = E v(S ∩ A) for the random set A of those who are there. In a network whose operators are up 98 % of the
    /// time, they are what each adds to the expected value.
    ///
    /// p(s) = p ∫ (pt)^s (1−pt)^(n−1−s) dt over t from 0 to 1. These sum to p instead of one, Σ C(n−1, s) p(s) = p, and
    /// the exact values to E v(A) − v(∅). One is Shapley, exactly; of zero all values are zero.
    ///
    /// ```
    /// use shapley::{Exact, Semivalue};
    ///
    /// // Two operators: either alone keeps the network up.
    /// let network = shapley::from_fn(2, |s| if s.is_empty() { 0.0 } else { 1.0 });
    /// let phi = Exact::new().semivalue(&network, &Semivalue::thinned(0.5)?)?;
    /// assert_eq!(phi.values(), [0.375, 0.375]); // they sum to the chance that one of both is up
    /// # Ok::<(), shapley::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`WeightParameter`](Error::WeightParameter) unless p is from 0 to 1.
    pub fn thinned(p: f64) -> Result<Self, Error> {
        check_chance(p)?;
        Ok(if p.to_bits() == 1.0_f64.to_bits() { Self::shapley() } else { Self(Kind::Thinned { p }) })
    }

    /// The weights p(0), …, p(n−1) of a coalition of 0, …, n−1 others, for games of n players. From about a thousand
    /// players on, most weights are below the smallest float: [`by_size_distribution`](Self::by_size_distribution)
    /// takes the chances of the sizes instead.
    ///
    /// # Errors
    ///
    /// [`WeightParameter`](Error::WeightParameter) if a weight is negative or not finite;
    /// [`WeightSum`](Error::WeightSum) if Σ C(n−1, s) p(s) is not one, to within 10⁻⁹;
    /// [`WeightCount`](Error::WeightCount) if there is none, or more than [`Coalition::MAX_PLAYERS`].
    pub fn by_size(weights: Vec<f64>) -> Result<Self, Error> {
        check_weights(&weights)?;
        check_sum(&of_weights(&weights))?;
        Ok(Self(Kind::BySize(weights)))
    }

    /// The chances that a player comes to a coalition of 0, …, n−1 others, for games of n players: C(n−1, s) p(s). All
    /// coalitions of a size are equally likely.
    ///
    /// ```
    /// use shapley::{Exact, Semivalue};
    ///
    /// let game = shapley::from_fn(3, |s| if s.len() >= 2 { 1.0 } else { 0.0 });
    /// // As often alone as last, and half of the time second.
    /// let middle = Semivalue::by_size_distribution(vec![0.25, 0.5, 0.25])?;
    /// assert_eq!(Exact::new().semivalue(&game, &middle)?.values(), [0.5, 0.5, 0.5]);
    /// # Ok::<(), shapley::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`WeightParameter`](Error::WeightParameter) if a chance is negative or not finite;
    /// [`WeightSum`](Error::WeightSum) if the chances do not sum to one, to within 10⁻⁹;
    /// [`WeightCount`](Error::WeightCount) if there is none, or more than [`Coalition::MAX_PLAYERS`].
    pub fn by_size_distribution(probabilities: Vec<f64>) -> Result<Self, Error> {
        check_weights(&probabilities)?;
        check_sum(&probabilities)?;
        Ok(Self(Kind::BySizeDistribution(probabilities)))
    }

    /// What the sum of the contributions to all coalitions of s others counts, s = 0 to n−1; n is at most 62.
    pub(crate) fn weights<E>(&self, n: usize) -> Result<Vec<Weight>, Error<E>> {
        let sizes = 0..n;
        Ok(match &self.0 {
            Kind::Shapley => sizes.map(|s| Weight::Exact(Ratio::new(1, binomial(n - 1, s)))).collect(),
            Kind::Banzhaf => sizes.map(|_| Weight::Exact(Ratio::new(1, 1 << (n - 1)))).collect(),
            &Kind::Beta { alpha, beta } if let Some(weights) = whole_beta(n, alpha, beta) => weights,
            // What the floats are, instead of chances that are rounded again.
            Kind::BySize(weights) if weights.len() == n => weights.iter().map(|&p| Weight::Mean(p, 1)).collect(),
            _ => {
                let chances = self.size_distribution(n)?;
                sizes.zip(chances).map(|(s, chance)| Weight::Mean(chance, binomial(n - 1, s))).collect()
            }
        })
    }

    /// A factor of all the weights, which is taken last: so that a mean of whole numbers is rounded once.
    pub(crate) fn common(&self, n: usize) -> Ratio {
        match self.0 {
            Kind::Shapley => Ratio::new(1, n as i128),
            _ => Ratio::ONE,
        }
    }
}

fn check_chance(p: f64) -> Result<(), Error> {
    if (0.0..=1.0).contains(&p) { Ok(()) } else { Err(Error::WeightParameter { value: p, allowed: "from 0 to 1" }) }
}

fn check_weights(weights: &[f64]) -> Result<(), Error> {
    const LIMIT: usize = Coalition::MAX_PLAYERS;
    if !(1..=LIMIT).contains(&weights.len()) {
        return Err(Error::WeightCount { len: weights.len(), limit: LIMIT });
    }
    match weights.iter().find(|&&weight| !(weight >= 0.0 && weight.is_finite())) {
        Some(&value) => Err(Error::WeightParameter { value, allowed: "non-negative and finite" }),
        None => Ok(()),
    }
}

fn check_sum(chances: &[f64]) -> Result<(), Error> {
    let sum = sum_in_blocks(chances);
    // Not a number counts as wrong.
    if (-SUM_TOLERANCE..=SUM_TOLERANCE).contains(&(sum - 1.0)) { Ok(()) } else { Err(Error::WeightSum { sum }) }
}

/// The weights of Beta-Shapley for whole numbers: p(s) = β…(β+s−1) α…(α+n−2−s) / ((α+β)…(α+β+n−2)).
fn whole_beta(n: usize, alpha: f64, beta: f64) -> Option<Vec<Weight>> {
    let whole = |x: f64| (x.fract().abs() < f64::MIN_POSITIVE && x < 1e6).then_some(x as i128);
    let (alpha, beta) = (whole(alpha)?, whole(beta)?);
    let weight = |s: usize| {
        let rising = |from: i128, count: usize| (0..count as i128).map(move |k| from + k);
        let up = rising(beta, s).chain(rising(alpha, n - 1 - s));
        let mut factors = up.zip(rising(alpha + beta, n - 1)).map(|(up, down)| Ratio::new(up, down));
        factors.try_fold(Ratio::ONE, Ratio::times).map(Weight::Exact)
    };
    (0..n).map(weight).collect()
}

/// What a sum is multiplied by.
pub(crate) enum Weight {
    Exact(Ratio),
    /// A float, divided by a count.
    Mean(f64, i128),
}

impl Weight {
    pub(crate) fn apply<V: Value>(&self, value: &mut V) {
        match *self {
            Self::Exact(fraction) => fraction.scale(value),
            Self::Mean(weight, count) => {
                value.scale(1, count);
                scale_by_float(value, weight);
            }
        }
    }
}

/// Multiplies by the absolute value of a float: by exactly what it is, a whole number over a power of two in lowest
/// terms, so that values of fixed width have room for simple ones.
pub(crate) fn scale_by_float<V: Value>(value: &mut V, factor: f64) {
    const MANTISSA_BITS: u64 = 52;
    let bits = factor.abs().to_bits();
    let (exponent, mantissa) = (bits >> MANTISSA_BITS, bits & ((1 << MANTISSA_BITS) - 1));
    let mantissa = if exponent == 0 { mantissa } else { mantissa | 1 << MANTISSA_BITS };
    if mantissa == 0 {
        return value.scale(0, 1);
    }
    // factor = mantissa / 2^halvings, and far below 2^52.
    let halvings = 1075 - exponent.max(1);
    let common = u64::from(mantissa.trailing_zeros()).min(halvings);
    let (mantissa, mut halvings) = (mantissa >> common, halvings - common);
    let first = halvings.min(126);
    value.scale(i128::from(mantissa), 1 << first);
    while halvings > 126 {
        halvings -= 126;
        value.scale(1, 1 << halvings.min(126));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_scale_as_floats_do() {
        for factor in [0.0, -0.0, 1.0, 0.1, 2.0_f64.powi(-40), 1e-30, 0.999_999, 1e-300, 5e-324] {
            for x in [3.7_f64, 1e-300, f64::MIN_POSITIVE, 1e300] {
                let mut value = x;
                scale_by_float(&mut value, factor);
                let off = (value - x * factor.abs()).abs();
                assert!(off <= x * factor.abs() * f64::EPSILON + f64::from_bits(2), "{x} {factor}: {value}");
            }
        }
        let mut small = 1e-30_f32;
        scale_by_float(&mut small, 0.3);
        assert!((small / 3e-31 - 1.0).abs() < 1e-6);
    }
}
