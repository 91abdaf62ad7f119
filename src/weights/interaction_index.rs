//! Interaction indices and the weights of discrete derivatives that define them.

use super::{Ratio, binomial, most_order};
use crate::Error;

/// Which interactions.
///
/// For players K and a coalition S without them, Δ_K v(S) = Σ over L ⊆ K of (−1)^(|K|−|L|) v(S ∪ L) is what K add
/// together on top of S. Each index is, for each K of at most k players (the order), a weighted sum of these over all
/// S ⊆ N∖K; with κ = |K| and s = |S|:
///
/// | index | weight of Δ_K v(S) | the interactions sum to |
/// |---|---|---|
/// | `Moebius` | 1 for S = ∅ | v(N) for k = n |
/// | `Shapley` (SII) | (n−κ−s)! s! / (n−κ+1)! | |
/// | `Banzhaf` (BII) | 1 / 2^(n−κ) | |
/// | `KShapley` (k-SII) | SII, shared out between the orders by Bernoulli numbers | v(N) |
/// | `ShapleyTaylor` (STII) | for κ < k as Möbius, for κ = k: k / (n C(n−1, s)) | v(N) |
/// | `FaithfulShapley` (FSII) | see below | v(N) |
/// | `FaithfulBanzhaf` (FBII) | BII, shared out between the orders by powers of −1/2 | |
///
/// The empty set has an entry too: v(∅), except that for `Shapley` and `Banzhaf` it is the formula's, a mean of all
/// values, and for `FaithfulBanzhaf` the intercept of the fit.
///
/// None goes through the Möbius transform, which cancels badly for large n. SII, BII, STII and FSII are sums of
/// derivatives with weights of their own. For FSII, summing its closed form (Tsai et al. 2023, theorem 19) over the
/// supersets of K gives the weight
///
/// (−1)^(k−κ) κ/(k+κ) C(k, κ) · Σ over j < k of c_j B(s+κ+j, n−κ−s+1), where
/// c_j = (k+κ)!/k! · (−1)^(k−κ+j) (j+k)! / ((j+κ)! j! (k−1−j)!)
///
/// with all orders' own Möbius terms included; it is computed in exact fractions. k-SII and FBII are sums of SII and
/// BII over the supersets of at most k players.
///
/// References: Grabisch & Roubens (1999), *Int. J. Game Theory* 28, 547–565, doi:10.1007/s001820050125 (SII, BII);
/// Bordt & von Luxburg (2023), AISTATS 206, 709–745 (k-SII); Sundararajan, Dhamdhere & Agarwal (2020), ICML 119,
/// 9259–9268 (STII); Tsai, Yeh & Ravikumar (2023), *JMLR* 24(94) (FSII, FBII); Hammer & Holzman (1992), *ZOR* 36, 3–21,
/// doi:10.1007/BF01541028 (FBII).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Index {
    /// The Möbius transform, also known as Harsanyi dividends: what K add that no smaller set does.
    Moebius,
    /// The Shapley interaction index, SII.
    Shapley,
    /// The Banzhaf interaction index, BII.
    Banzhaf,
    /// k-Shapley values, k-SII: the SII made to sum to v(N).
    KShapley,
    /// The Shapley-Taylor index, STII.
    ShapleyTaylor,
    /// The faithful Shapley index, FSII: the best fit of order k under the Shapley kernel.
    FaithfulShapley,
    /// The faithful Banzhaf index, FBII: the best fit of order k with all coalitions weighted alike.
    FaithfulBanzhaf,
}

/// Refuses an order that the game does not have, or for which the index's weights do not fit 128 bits.
pub(crate) fn check_order<E>(index: Index, players: usize, order: usize) -> Result<(), Error<E>> {
    let fits = |order: usize| match index {
        Index::KShapley => bernoulli(order).is_some(),
        _ => index_weights(index, players, order).is_some(),
    };
    let possible = 1..=most_order(players);
    if possible.contains(&order) && fits(order) {
        return Ok(());
    }
    let limit = possible.rev().find(|&order| fits(order)).unwrap_or(0);
    Err(Error::Order { order, players, limit })
}

/// The weights of Δ_K v(S) by |K| = 0 to k and then by |S|; `None` if they do not fit 128 bits.
pub(crate) fn index_weights(index: Index, n: usize, k: usize) -> Option<Vec<Vec<Ratio>>> {
    let at_empty = || Some(vec![Ratio::ONE]);
    let by_others = |weight: &dyn Fn(usize) -> Option<Ratio>, size: usize| (0..=n - size).map(weight).collect();
    (0..=k)
        .map(|size| match index {
            Index::Moebius => at_empty(),
            Index::ShapleyTaylor if size < k => at_empty(),
            Index::ShapleyTaylor => by_others(&|s| Some(Ratio::new(k as i128, n as i128 * binomial(n - 1, s))), size),
            Index::KShapley | Index::FaithfulShapley if size == 0 => at_empty(),
            Index::Shapley | Index::KShapley => {
                by_others(&|s| Some(Ratio::new(1, (n - size + 1) as i128 * binomial(n - size, s))), size)
            }
            Index::Banzhaf | Index::FaithfulBanzhaf => by_others(&|_| Some(Ratio::new(1, 1 << (n - size))), size),
            Index::FaithfulShapley => by_others(&|s| faithful(n, k, size, s), size),
        })
        .collect()
}

/// The weight of FSII: see [`Index`].
fn faithful(n: usize, k: usize, size: usize, s: usize) -> Option<Ratio> {
    // (k+κ)!/k! (j+k)!/(j+κ)! / (j! (k−1−j)!), as a product of small fractions.
    let coefficient = |j: usize| {
        let up = (k + 1..=k + size).chain(j + size + 1..=j + k);
        let down = (1..=j).chain(1..=k - 1 - j);
        let up = up.map(|factor| Ratio::new(factor as i128, 1));
        up.chain(down.map(|factor| Ratio::new(1, factor as i128))).try_fold(Ratio::ONE, Ratio::times)
    };
    let mut sum = Ratio::ZERO;
    for j in 0..k {
        // B(s+κ+j, n−κ−s+1) = 1 / ((n+j) C(n+j−1, s+κ+j−1)); the sign of c_j meets that of the factor before the sum.
        let beta = Ratio::new(if j % 2 == 0 { 1 } else { -1 }, (n + j) as i128 * binomial(n + j - 1, s + size + j - 1));
        sum = sum.plus(coefficient(j)?.times(beta)?)?;
    }
    sum.times(Ratio::new(size as i128 * binomial(k, size), (k + size) as i128))
}

/// The Bernoulli numbers B_0 to B_k, with B_1 = −1/2; `None` if they do not fit 128 bits.
pub(crate) fn bernoulli(k: usize) -> Option<Vec<Ratio>> {
    let mut numbers = vec![Ratio::ONE];
    for m in 1..=k {
        // Σ over j ≤ m of C(m+1, j) B_j = 0
        let mut sum = Ratio::ZERO;
        for (j, &number) in numbers.iter().enumerate() {
            sum = sum.plus(number.times(Ratio::new(binomial(m + 1, j), 1))?)?;
        }
        numbers.push(sum.times(Ratio::new(-1, m as i128 + 1))?);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bernoulli_numbers() {
        let numbers = bernoulli(12).unwrap();
        let known = [(1, 1), (-1, 2), (1, 6), (0, 1), (-1, 30), (0, 1), (1, 42), (0, 1), (-1, 30), (0, 1), (5, 66)];
        for (number, (numerator, denominator)) in numbers.iter().zip(known) {
            assert_eq!(*number, Ratio::new(numerator, denominator));
        }
        assert_eq!(numbers[12], Ratio::new(-691, 2730));
    }

    /// Of order n all interactions are there, and the faithful index is the Möbius transform: weight one on S = ∅ only.
    #[test]
    fn faithful_weights_of_full_order_are_moebius() {
        for n in 1..=12 {
            for size in 1..=n {
                for s in 0..=n - size {
                    let expected = if s == 0 { Ratio::ONE } else { Ratio::ZERO };
                    assert_eq!(faithful(n, n, size, s), Some(expected), "n {n}, size {size}, s {s}");
                }
            }
        }
    }

    #[test]
    fn weights_fit_as_far_as_anyone_can_go() {
        for index in [Index::FaithfulShapley, Index::ShapleyTaylor, Index::Shapley] {
            for (n, k) in [(20, 20), (24, 12), (30, 8), (40, 4), (62, 2)] {
                assert!(index_weights(index, n, k).is_some(), "{index:?} {n} {k}");
            }
        }
        assert!(bernoulli(30).is_some());
    }
}
