//! Interaction indices: what players add together, beyond what they add each.

use std::cmp::Ordering;
use std::fmt;

use crate::exact::{binomial, most_order};
use crate::fraction::Fraction;
use crate::listing::{self, Column, NameOf, Named, Printed, members};
use crate::{Coalition, Error, Value};

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

/// One value for each set of at most `order` players.
///
/// Sets come by size, then in lexicographic order: ∅, {0}, {1}, …, {0, 1}, {0, 2}, …
///
/// ```
/// use shapley::Index;
///
/// // Nothing good comes of players 0 and 1 unless they come together.
/// let game = shapley::from_fn(3, |s| f64::from(u8::from(s.contains(0) && s.contains(1))));
/// let pairs = shapley::interactions(&game, Index::ShapleyTaylor, 2)?;
/// assert_eq!(pairs.get(&[1, 0]), Some(&1.0));
/// assert_eq!(pairs.get(&[0, 2]), Some(&0.0));
/// assert_eq!(pairs.strongest(1)[0].0.to_string(), "{0, 1}");
/// assert_eq!(pairs.to_string().lines().count(), 1 + 3 + 3);
/// # Ok::<(), shapley::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Interactions<V> {
    index: Index,
    order: usize,
    num_players: usize,
    /// By size, then lexicographic.
    entries: Vec<(Coalition, V)>,
}

/// By size, then by the smallest members that differ.
fn by_size(left: &Coalition, right: &Coalition) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.iter().cmp(right))
}

impl<V: Value> Interactions<V> {
    /// From its entries, if they ascend.
    #[cfg(feature = "serde")]
    pub(crate) fn from_entries(
        index: Index,
        order: usize,
        num_players: usize,
        entries: Vec<(Coalition, V)>,
    ) -> Option<Self> {
        let ascending = entries.is_sorted_by(|(left, _), (right, _)| by_size(left, right).is_lt());
        ascending.then_some(Self { index, order, num_players, entries })
    }

    /// From the value of every set of at most `order` players, in any order.
    pub(crate) fn from_values<E>(
        index: Index,
        order: usize,
        num_players: usize,
        mut entries: Vec<(Coalition, V)>,
    ) -> Result<Self, Error<E>> {
        entries.sort_by(|(left, _), (right, _)| by_size(left, right));
        match entries.iter().find(|(_, value)| !value.is_finite()) {
            Some((set, _)) => Err(Error::Overflow { coalition: set.clone() }),
            None => Ok(Self { index, order, num_players, entries }),
        }
    }

    /// The interaction of these players, given in any order, twice being once; `None` if there are more of them than the
    /// order, or one does not exist.
    #[must_use]
    pub fn get(&self, players: &[usize]) -> Option<&V> {
        if players.iter().any(|&player| player >= self.num_players) {
            return None;
        }
        let set = Coalition::from_players(self.num_players, players.iter().copied());
        let place = self.entries.binary_search_by(|(other, _)| by_size(other, &set)).ok()?;
        Some(&self.entries[place].1)
    }

    /// All sets with their values, by size, then in lexicographic order, the empty set first.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Coalition, &V)> {
        self.entries.iter().map(|(set, value)| (set.clone(), value))
    }

    /// The `count` sets of two or more players with the largest values, whatever the sign; of several outputs, the
    /// largest counts. Equal ones come in the order of [`iter`](Self::iter).
    #[must_use]
    pub fn strongest(&self, count: usize) -> Vec<(Coalition, &V)> {
        let mut sets: Vec<_> = self.entries.iter().filter(|(set, _)| set.len() >= 2).collect();
        sets.sort_by(|(_, left), (_, right)| right.magnitude().total_cmp(&left.magnitude()));
        sets.into_iter().take(count).map(|(set, value)| (set.clone(), value)).collect()
    }

    /// The largest number of players in a set.
    #[must_use]
    pub fn order(&self) -> usize {
        self.order
    }

    /// Which interactions these are.
    #[must_use]
    pub fn index(&self) -> Index {
        self.index
    }

    /// The number of players of the game.
    #[must_use]
    pub fn num_players(&self) -> usize {
        self.num_players
    }

    /// The number of sets that have a value, the empty one included.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "the empty set always has a value")]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// From the sums of derivatives by size, in any order of the sets.
    pub(crate) fn from_sums<'a, E>(
        index: Index,
        order: usize,
        num_players: usize,
        sums: impl Iterator<Item = (Coalition, &'a [V])>,
    ) -> Result<Self, Error<E>>
    where
        V: 'a,
    {
        check(index, num_players, order)?;
        let weights = weights(index, num_players, order).unwrap_or_default();
        let mut entries = Vec::new();
        for (set, row) in sums {
            let value = weighted(row, &weights[set.len()]);
            entries.push((set, value));
        }
        entries.sort_by(|(left, _), (right, _)| by_size(left, right));
        let mut interactions = Self { index, order, num_players, entries };
        match index {
            Index::KShapley => {
                interactions.share_out(&bernoulli(order).unwrap_or_default(), 1);
            }
            Index::FaithfulBanzhaf => {
                let halves: Vec<_> = (0..=order as u32).map(|j| Fraction::new((-1_i128).pow(j), 1 << j)).collect();
                interactions.share_out(&halves, 0);
            }
            _ => {}
        }
        match interactions.entries.iter().find(|(_, value)| !value.is_finite()) {
            Some((set, _)) => Err(Error::Overflow { coalition: set.clone() }),
            None => Ok(interactions),
        }
    }

    /// Adds to every set K of at least `smallest` players `shares[|L| − |K|]` times the value of every larger set L.
    ///
    /// For each set, its values and those of its supersets are first summed by how much larger these are, player by player:
    /// a set takes over what the set with one player more has, one size up. So it takes sets × players × order additions,
    /// and not all pairs of sets.
    fn share_out(&mut self, shares: &[Fraction], smallest: usize) {
        let place = |entries: &[(Coalition, V)], set: &Coalition| {
            entries.binary_search_by(|(other, _)| by_size(other, set)).ok()
        };
        let mut larger: Vec<Vec<V>> = self.entries.iter().map(|(_, value)| vec![value.clone()]).collect();
        for player in 0..self.num_players {
            for (k, (set, _)) in self.entries.iter().enumerate() {
                if set.len() == self.order || set.contains(player) {
                    continue;
                }
                let mut with = set.clone();
                with.insert(player);
                let Some(with) = place(&self.entries, &with) else { continue };
                // One player more comes later in the order.
                let (here, there) = larger.split_at_mut(with);
                let here = &mut here[k];
                for (size, sum) in (1..).zip(&there[0]) {
                    match here.get_mut(size) {
                        Some(mine) => mine.add_assign(sum),
                        None => here.push(sum.clone()),
                    }
                }
            }
        }
        for ((set, value), larger) in self.entries.iter_mut().zip(&larger) {
            if set.len() < smallest {
                continue;
            }
            for (sum, share) in larger.iter().zip(shares).skip(1).filter(|(_, share)| !share.is_zero()) {
                let mut term = sum.clone();
                share.scale(&mut term);
                value.add_assign(&term);
            }
        }
    }
}

/// Refuses an order that the game does not have, or for which the index's weights do not fit 128 bits.
pub(crate) fn check<E>(index: Index, players: usize, order: usize) -> Result<(), Error<E>> {
    let fits = |order: usize| match index {
        Index::KShapley => bernoulli(order).is_some(),
        _ => weights(index, players, order).is_some(),
    };
    let possible = 1..=most_order(players);
    if possible.contains(&order) && fits(order) {
        return Ok(());
    }
    let limit = possible.rev().find(|&order| fits(order)).unwrap_or(0);
    Err(Error::Order { order, players, limit })
}

/// The sum of a row's entries, each times its weight. Entries past the weights have none.
fn weighted<V: Value>(row: &[V], weights: &[Fraction]) -> V {
    let mut terms = row.iter().zip(weights).map(|(sum, weight)| {
        let mut term = sum.clone();
        weight.scale(&mut term);
        term
    });
    let first = terms.next().expect("every row has an entry for s = 0, and every index a weight");
    terms.fold(first, |mut total, term| {
        total.add_assign(&term);
        total
    })
}

/// The weights of Δ_K v(S) by |K| = 0 to k and then by |S|; `None` if they do not fit 128 bits.
fn weights(index: Index, n: usize, k: usize) -> Option<Vec<Vec<Fraction>>> {
    let at_empty = || Some(vec![Fraction::ONE]);
    let by_others = |weight: &dyn Fn(usize) -> Option<Fraction>, size: usize| (0..=n - size).map(weight).collect();
    (0..=k)
        .map(|size| match index {
            Index::Moebius => at_empty(),
            Index::ShapleyTaylor if size < k => at_empty(),
            Index::ShapleyTaylor => {
                by_others(&|s| Some(Fraction::new(k as i128, n as i128 * binomial(n - 1, s))), size)
            }
            Index::KShapley | Index::FaithfulShapley if size == 0 => at_empty(),
            Index::Shapley | Index::KShapley => {
                by_others(&|s| Some(Fraction::new(1, (n - size + 1) as i128 * binomial(n - size, s))), size)
            }
            Index::Banzhaf | Index::FaithfulBanzhaf => by_others(&|_| Some(Fraction::new(1, 1 << (n - size))), size),
            Index::FaithfulShapley => by_others(&|s| faithful(n, k, size, s), size),
        })
        .collect()
}

/// The weight of FSII: see [`Index`].
fn faithful(n: usize, k: usize, size: usize, s: usize) -> Option<Fraction> {
    // (k+κ)!/k! (j+k)!/(j+κ)! / (j! (k−1−j)!), as a product of small fractions.
    let coefficient = |j: usize| {
        let up = (k + 1..=k + size).chain(j + size + 1..=j + k);
        let down = (1..=j).chain(1..=k - 1 - j);
        let up = up.map(|factor| Fraction::new(factor as i128, 1));
        up.chain(down.map(|factor| Fraction::new(1, factor as i128))).try_fold(Fraction::ONE, Fraction::times)
    };
    let mut sum = Fraction::ZERO;
    for j in 0..k {
        // B(s+κ+j, n−κ−s+1) = 1 / ((n+j) C(n+j−1, s+κ+j−1)); the sign of c_j meets that of the factor before the sum.
        let beta =
            Fraction::new(if j % 2 == 0 { 1 } else { -1 }, (n + j) as i128 * binomial(n + j - 1, s + size + j - 1));
        sum = sum.plus(coefficient(j)?.times(beta)?)?;
    }
    sum.times(Fraction::new(size as i128 * binomial(k, size), (k + size) as i128))
}

/// The Bernoulli numbers B_0 to B_k, with B_1 = −1/2; `None` if they do not fit 128 bits.
pub(crate) fn bernoulli(k: usize) -> Option<Vec<Fraction>> {
    let mut numbers = vec![Fraction::ONE];
    for m in 1..=k {
        // Σ over j ≤ m of C(m+1, j) B_j = 0
        let mut sum = Fraction::ZERO;
        for (j, &number) in numbers.iter().enumerate() {
            sum = sum.plus(number.times(Fraction::new(binomial(m + 1, j), 1))?)?;
        }
        numbers.push(sum.times(Fraction::new(-1, m as i128 + 1))?);
    }
    Some(numbers)
}

impl<V: Value> Interactions<V> {
    /// This table with the names of players, for people to read. A player without a name has its number, and names
    /// beyond the number of players are not used. The formats are those of `Display`.
    ///
    /// ```
    /// use shapley::Index;
    ///
    /// let game = shapley::from_fn(2, |s| if s.is_grand() { 1.0 } else { 0.0 });
    /// let pairs = shapley::interactions(&game, Index::Moebius, 2)?;
    /// let text = pairs.named(&["Ann", "Bob"]).to_string();
    /// assert_eq!(text, "{Ann, Bob}  1\n{}          0\n{Ann}       0\n{Bob}       0");
    /// # Ok::<(), shapley::Error>(())
    /// ```
    pub fn named<'a>(&'a self, names: &'a [impl AsRef<str>]) -> impl fmt::Display + 'a {
        Named { of: self, names }
    }
}

impl<V: Value> fmt::Display for Interactions<V> {
    /// A table, the largest value first: a line a set. Without a precision there are six significant digits of the largest
    /// value, less zeros that end all of them; `{:.3}` has three decimals and `{:+}` a sign; `{:#}` has titles, and the
    /// index and its order below.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, None)
    }
}

impl<V: Value> Printed for Interactions<V> {
    fn print(&self, f: &mut fmt::Formatter<'_>, name: Option<NameOf<'_>>) -> fmt::Result {
        let values = || self.entries.iter().map(|(_, value)| value);
        let decimals = listing::decimals_of(values());
        let (mut sets, mut texts) = (Vec::new(), Vec::new());
        for entry in listing::largest_first(values()) {
            let (set, value) = &self.entries[entry];
            sets.push(name.map_or_else(|| set.to_string(), |name| members(set, name)));
            texts.push(listing::text(value, decimals, f));
        }
        let foot = [("index", format!("{:?}", self.index)), ("order", self.order.to_string())];
        listing::write(f, vec![("players", Column::Left(sets)), ("value", Column::Point(texts))], &foot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bernoulli_numbers() {
        let numbers = bernoulli(12).unwrap();
        let known = [(1, 1), (-1, 2), (1, 6), (0, 1), (-1, 30), (0, 1), (1, 42), (0, 1), (-1, 30), (0, 1), (5, 66)];
        for (number, (numerator, denominator)) in numbers.iter().zip(known) {
            assert_eq!(*number, Fraction::new(numerator, denominator));
        }
        assert_eq!(numbers[12], Fraction::new(-691, 2730));
    }

    /// Of order n all interactions are there, and the faithful index is the Möbius transform: weight one on S = ∅ only.
    #[test]
    fn faithful_weights_of_full_order_are_moebius() {
        for n in 1..=12 {
            for size in 1..=n {
                for s in 0..=n - size {
                    let expected = if s == 0 { Fraction::ONE } else { Fraction::ZERO };
                    assert_eq!(faithful(n, n, size, s), Some(expected), "n {n}, size {size}, s {s}");
                }
            }
        }
    }

    #[test]
    fn weights_fit_as_far_as_anyone_can_go() {
        for index in [Index::FaithfulShapley, Index::ShapleyTaylor, Index::Shapley] {
            for (n, k) in [(20, 20), (24, 12), (30, 8), (40, 4), (62, 2)] {
                assert!(weights(index, n, k).is_some(), "{index:?} {n} {k}");
            }
        }
        assert!(bernoulli(30).is_some());
    }
}
