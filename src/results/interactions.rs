//! The result of an interaction index: one value for each small set of players.

use std::cmp::Ordering;
use std::fmt;

use crate::display::{self, Column, NameOf, Named, Printed, members};
use crate::weights::{Ratio, bernoulli, check_order, index_weights, weighted_sum};
use crate::{Coalition, Error, Index, Value};

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
        Self { index, order, num_players, entries }.checked()
    }

    fn checked<E>(self) -> Result<Self, Error<E>> {
        match self.entries.iter().find(|(_, value)| !value.is_finite()) {
            Some((set, _)) => Err(Error::Overflow { coalition: set.clone() }),
            None => Ok(self),
        }
    }

    /// The interaction of these players, given in any order, twice being once; `None` if there are more of them than
    /// the order, or one does not exist.
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
        check_order(index, num_players, order)?;
        let weights = index_weights(index, num_players, order).unwrap_or_default();
        let weighted = |(set, row): (Coalition, &[V])| {
            let value = weighted_sum(row, &weights[set.len()], |weight, term| weight.scale(term));
            (set, value.expect("every row has an entry for s = 0, and every index a weight"))
        };
        let mut entries: Vec<_> = sums.map(weighted).collect();
        entries.sort_by(|(left, _), (right, _)| by_size(left, right));
        let mut interactions = Self { index, order, num_players, entries };
        match index {
            Index::KShapley => {
                interactions.share_out(&bernoulli(order).unwrap_or_default(), 1);
            }
            Index::FaithfulBanzhaf => {
                let halves: Vec<_> = (0..=order as u32).map(|j| Ratio::new((-1_i128).pow(j), 1 << j)).collect();
                interactions.share_out(&halves, 0);
            }
            _ => {}
        }
        interactions.checked()
    }

    /// Adds to every set K of at least `smallest` players `shares[|L| − |K|]` times the value of every larger set L.
    ///
    /// For each set, its values and those of its supersets are first summed by how much larger these are, player by
    /// player: a set takes over what the set with one player more has, one size up. So it takes sets × players × order
    /// additions, and not all pairs of sets.
    fn share_out(&mut self, shares: &[Ratio], smallest: usize) {
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
    /// A table, the largest value first: a line a set. Without a precision there are six significant digits of the
    /// largest value, less zeros that end all of them; `{:.3}` has three decimals and `{:+}` a sign; `{:#}` has titles,
    /// and the index and its order below.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, None)
    }
}

impl<V: Value> Printed for Interactions<V> {
    fn print(&self, f: &mut fmt::Formatter<'_>, name: Option<NameOf<'_>>) -> fmt::Result {
        let values = || self.entries.iter().map(|(_, value)| value);
        let decimals = display::decimals_of(values());
        let (mut sets, mut texts) = (Vec::new(), Vec::new());
        for entry in display::largest_first(values()) {
            let (set, value) = &self.entries[entry];
            sets.push(name.map_or_else(|| set.to_string(), |name| members(set, name)));
            texts.push(display::text(value, decimals, f));
        }
        let foot = [("index", format!("{:?}", self.index)), ("order", self.order.to_string())];
        display::write(f, vec![("players", Column::Left(sets)), ("value", Column::Point(texts))], &foot)
    }
}
