//! Binomial coefficients, and the sizes of games for which the weights made of them fit 128 bits.

/// The largest game that can be asked for: its coalitions are numbered by a 64-bit word, and the weights by an i128.
pub(crate) const MOST_PLAYERS: usize = 62;

/// The largest order whose sums are at most 2^28: 2 GiB of `f64`, and a few times that while halves merge.
pub(crate) fn most_order(players: usize) -> usize {
    let mut sums = 0;
    let fits = |size: &usize| {
        sums += binomial(players, *size) * (players - size + 1) as i128;
        sums <= 1 << 28
    };
    (0..=players).take_while(fits).last().unwrap_or(0)
}

/// n choose k.
///
/// # Panics
///
/// If it does not fit 128 bits, which it does for n up to 120.
pub(crate) fn binomial(n: usize, k: usize) -> i128 {
    checked_binomial(n, k).expect("callers choose from at most 120")
}

/// n choose k, unless a product on the way needs more than 128 bits.
pub(crate) fn checked_binomial(n: usize, k: usize) -> Option<i128> {
    if k > n {
        return Some(0);
    }
    (0..k.min(n - k)).try_fold(1_i128, |product, j| Some(product.checked_mul((n - j) as i128)? / (j + 1) as i128))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_that_fit() {
        assert_eq!([1, 2, 20, 24].map(most_order), [1, 2, 20, 24]);
        assert_eq!([30, 40, 62].map(most_order), [8, 6, 4]);
    }

    #[test]
    fn binomials() {
        assert_eq!(binomial(0, 0), 1);
        assert_eq!(binomial(61, 30), 232_714_176_627_630_544);
        for n in 1..62 {
            assert_eq!((0..=n).map(|k| binomial(n, k)).sum::<i128>(), 1 << n);
        }
    }
}
