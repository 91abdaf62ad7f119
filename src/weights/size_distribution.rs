//! The size of the coalition that a player comes to: the chances of a semivalue's sizes, for any number of players.

use super::Semivalue;
use super::semivalue::Kind;
use crate::Error;

impl Semivalue {
    /// The chances C(n−1, s) p(s) of the sizes s = 0 to n−1; those that are too small for a float are zero. They sum to
    /// one, but to p for [`thinned`](Self::thinned).
    pub(crate) fn size_distribution<E>(&self, n: usize) -> Result<Vec<f64>, Error<E>> {
        Ok(match &self.0 {
            Kind::Shapley => vec![1.0 / n as f64; n],
            Kind::Banzhaf => successes(n - 1, 0.5),
            &Kind::Beta { alpha, beta } => normalised(n, |s| {
                (n - 1 - s) as f64 * (beta + s as f64) / ((s + 1) as f64 * (alpha + (n - 2 - s) as f64))
            }),
            &Kind::Binomial { p } => successes(n - 1, p),
            &Kind::Thinned { p } => thinned(n, p),
            Kind::BySize(weights) | Kind::BySizeDistribution(weights) if weights.len() != n => {
                return Err(Error::WeightLength { len: weights.len(), players: n });
            }
            Kind::BySize(weights) => of_weights(weights),
            Kind::BySizeDistribution(chances) => chances.clone(),
        })
    }
}

/// The chances C(n−1, s) p(s) of given weights p(s).
pub(super) fn of_weights(weights: &[f64]) -> Vec<f64> {
    let others = weights.len() - 1;
    weights.iter().enumerate().map(|(s, &weight)| times_binomial(weight, others, s)).collect()
}

/// weight · C(n, k). The products only grow, so neither a tiny weight nor a binomial beyond `f64` is met on the way.
fn times_binomial(weight: f64, n: usize, k: usize) -> f64 {
    if weight == 0.0 {
        return 0.0;
    }
    // Subnormal numbers are not rounded to 53 bits.
    let scale = if weight < f64::MIN_POSITIVE { 2.0_f64.powi(64) } else { 1.0 };
    let mut product = weight * scale;
    for j in 0..k.min(n - k) {
        product = product * (n - j) as f64 / (j + 1) as f64;
        if product.is_infinite() {
            break;
        }
    }
    product / scale
}

/// The chances of 0 to `trials` successes, each of chance p.
pub(crate) fn successes(trials: usize, p: f64) -> Vec<f64> {
    normalised(trials + 1, |s| (trials - s) as f64 * p / ((s + 1) as f64 * (1.0 - p)))
}

/// C(n−1, s) p ∫ (pt)^s (1−pt)^(n−1−s) dt over t from 0 to 1 is 1/n of the chance of more than s successes in n trials
/// (integrate by parts). Nothing is subtracted, so that small chances are as precise as large ones.
fn thinned(n: usize, p: f64) -> Vec<f64> {
    let mut chances = successes(n, p);
    chances.remove(0);
    let mut more = 0.0;
    for chance in chances.iter_mut().rev() {
        more += *chance;
        *chance = more / n as f64;
    }
    chances
}

/// Probabilities from the ratios of neighbours, `ratio(s)` = q(s+1) / q(s). From the first peak outwards, so that what
/// underflows is negligible.
fn normalised(n: usize, ratio: impl Fn(usize) -> f64) -> Vec<f64> {
    let peak = (0..n - 1).find(|&s| ratio(s) < 1.0).unwrap_or(n - 1);
    let mut q = vec![1.0; n];
    for s in peak..n - 1 {
        q[s + 1] = q[s] * ratio(s);
    }
    for s in (0..peak).rev() {
        q[s] = q[s + 1] / ratio(s);
    }
    let sum = sum_in_blocks(&q);
    q.iter().map(|q| q / sum).collect()
}

/// The sum, block by block: one after the other, 2^24 equal numbers would be off by as much as weights may be.
pub(super) fn sum_in_blocks(numbers: &[f64]) -> f64 {
    numbers.chunks(1 << 12).map(|block| block.iter().sum::<f64>()).sum()
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use num_traits::{One, Pow, Signed, Zero};

    use super::*;

    fn distribution(semivalue: &Semivalue, n: usize) -> Vec<f64> {
        semivalue.size_distribution::<std::convert::Infallible>(n).unwrap()
    }

    fn choose(n: usize, k: usize) -> BigInt {
        (0..k.min(n - k)).fold(BigInt::one(), |product, j| product * (n - j) / (j + 1))
    }

    /// A float as a whole number over a power of two.
    fn fraction(x: f64) -> (BigInt, BigInt) {
        let (mantissa, exponent, _) = num_traits::Float::integer_decode(x);
        assert!(exponent <= 0);
        (BigInt::from(mantissa), BigInt::one() << usize::from(exponent.unsigned_abs()))
    }

    /// Compares all chances with ratios of whole numbers, relative to each, in integers; below 1e-290 floats have fewer
    /// digits.
    fn assert_chances(name: &str, got: &[f64], tolerance: f64, expected: impl Fn(usize) -> (BigInt, BigInt)) {
        let per_unit = BigInt::from((1.0 / tolerance) as u64);
        for (s, &got) in got.iter().enumerate() {
            let ((p, q), (a, b)) = (fraction(got), expected(s));
            if &a * BigInt::from(10).pow(290_u32) < b {
                assert!(got < 1.1e-290, "{name}, size {s}: {got}");
                continue;
            }
            let off = (&p * &b - &a * &q).abs();
            assert!(off * &per_unit <= a * q, "{name}, size {s}: {got}");
        }
    }

    const SIZES: [(usize, f64); 5] = [(1, 1e-14), (2, 1e-14), (5, 1e-14), (62, 1e-13), (1000, 1e-12)];

    #[test]
    fn chances_in_closed_form() {
        let beta = |alpha, beta| Semivalue::beta(alpha, beta).unwrap();
        let whole = |x: usize| BigInt::from(x);
        for (n, tolerance) in SIZES {
            let check = |name: &str, semivalue: &Semivalue, expected: &dyn Fn(usize) -> (BigInt, BigInt)| {
                assert_chances(&format!("{name}, {n}"), &distribution(semivalue, n), tolerance, expected);
            };
            let power = |base: usize| whole(base).pow(n - 1);
            check("Shapley", &Semivalue::shapley(), &|_| (whole(1), whole(n)));
            check("Banzhaf", &Semivalue::banzhaf(), &|s| (choose(n - 1, s), power(2)));
            check("a quarter", &Semivalue::binomial(0.25).unwrap(), &|s| {
                (choose(n - 1, s) * whole(3).pow(n - 1 - s), power(4))
            });
            check("Beta(1, 1)", &beta(1.0, 1.0), &|_| (whole(1), whole(n)));
            check("Beta(1, 2)", &beta(1.0, 2.0), &|s| (whole(2 * (s + 1)), whole(n * (n + 1))));
            check("Beta(2, 1)", &beta(2.0, 1.0), &|s| (whole(2 * (n - s)), whole(n * (n + 1))));
            check("Beta(2, 2)", &beta(2.0, 2.0), &|s| (whole(6 * (s + 1) * (n - s)), whole(n * (n + 1) * (n + 2))));
            check("Beta(½, ½)", &beta(0.5, 0.5), &|s| {
                let others = n - 1 - s;
                (choose(2 * s, s) * choose(2 * others, others), power(4))
            });
            let weights = vec![0.5_f64.powi(n as i32 - 1); n];
            check("by size", &Semivalue::by_size(weights).unwrap(), &|s| (choose(n - 1, s), power(2)));
            let chances = (0..n).map(|s| 2.0 * (s + 1) as f64 / (n * (n + 1)) as f64).collect();
            let given = Semivalue::by_size_distribution(chances).unwrap();
            check("given", &given, &|s| (whole(2 * (s + 1)), whole(n * (n + 1))));
        }
    }

    /// Σ over k > s of C(n, k) p^k (1−p)^(n−k), over n.
    #[test]
    fn thinned_chances_are_precise_for_their_size() {
        for (n, tolerance) in SIZES {
            // 1000 players in whole numbers take simple chances.
            let hard: &[f64] = if n > 62 { &[] } else { &[1e-6, 0.1, 0.3, 0.9, 0.98, 1.0 - 1e-6, 1.0 - f64::EPSILON] };
            for &p in [0.25, 0.5, 0.75].iter().chain(hard) {
                let (success, all) = fraction(p);
                let failure = &all - &success;
                let one = |k: usize| choose(n, k) * success.clone().pow(k) * failure.clone().pow(n - k);
                let mut more = vec![BigInt::zero(); n + 1];
                for s in (0..n).rev() {
                    more[s] = &more[s + 1] + one(s + 1);
                }
                let whole = all.clone().pow(n) * BigInt::from(n);
                let chances = distribution(&Semivalue::thinned(p).unwrap(), n);
                assert_chances(&format!("{p}, {n}"), &chances, tolerance, |s| (more[s].clone(), whole.clone()));
            }
        }
    }

    #[test]
    fn a_million_players() {
        let n = 1 << 20;
        for (semivalue, total) in [
            (Semivalue::shapley(), 1.0),
            (Semivalue::banzhaf(), 1.0),
            (Semivalue::binomial(1e-5).unwrap(), 1.0),
            (Semivalue::thinned(0.98).unwrap(), 0.98),
            (Semivalue::beta(16.0, 1.0).unwrap(), 1.0),
            (Semivalue::beta(0.5, 0.5).unwrap(), 1.0),
            (Semivalue::beta(1e-100, 1e-100).unwrap(), 1.0),
            (Semivalue::beta(1e100, 1e100).unwrap(), 1.0),
        ] {
            let chances = distribution(&semivalue, n);
            assert!((sum_in_blocks(&chances) / total - 1.0).abs() < 1e-11, "{semivalue:?}");
        }
        let chances = distribution(&Semivalue::beta(2.0, 2.0).unwrap(), n);
        let x = n as f64;
        for s in [0, 1, n / 10, n / 2, n - 2, n - 1] {
            let expected = 6.0 * (s + 1) as f64 * (n - s) as f64 / (x * (x + 1.0) * (x + 2.0));
            assert!((chances[s] / expected - 1.0).abs() < 1e-10, "{s}: {} is not {expected}", chances[s]);
        }
        // At half of all others it is 1/√(π m), 1 − 1/(4m) times, with 2m others.
        let m = (n / 2) as f64;
        let middle = distribution(&Semivalue::banzhaf(), n + 1)[n / 2];
        assert!((middle * (std::f64::consts::PI * m).sqrt() - 1.0 + 0.125 / m).abs() < 1e-10, "{middle}");
    }

    #[test]
    fn weights_and_binomials_beyond_floats() {
        // 5e-324 C(1080, 540) is a chance that neither the binomial nor its inverse could make.
        let (p, q) = fraction(times_binomial(5e-324, 1080, 540));
        let expected = choose(1080, 540);
        let off = (&p * (BigInt::one() << 1074_usize) - &expected * &q).abs();
        assert!(off * BigInt::from(1_000_000_000_000_u64) < expected * q);
        assert!(times_binomial(5e-324, 1 << 20, 1 << 19).is_infinite());
    }

    #[test]
    fn extreme_parameters() {
        for (alpha, beta) in [(1e-100, 1e100), (1e100, 1e-100), (1e-100, 1e-100), (1e100, 1.0), (0.5, 0.5)] {
            let q = distribution(&Semivalue::beta(alpha, beta).unwrap(), 30);
            assert!((q.iter().sum::<f64>() - 1.0).abs() < 1e-14, "{alpha} {beta}");
            assert!(q.iter().all(|q| (0.0..=1.0).contains(q)));
        }
    }

    #[test]
    fn sure_things() {
        for (p, sure) in [(0.0, 0), (1.0, 4)] {
            let q = distribution(&Semivalue::binomial(p).unwrap(), 5);
            assert!(q.iter().enumerate().all(|(s, q)| (q - f64::from(u8::from(s == sure))).abs() < 1e-300), "{q:?}");
        }
        assert_eq!(distribution(&Semivalue::thinned(0.0).unwrap(), 3), [0.0; 3]);
    }
}
