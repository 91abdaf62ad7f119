//! From a stream of value blocks to sums of differences by coalition size: what everything exact is made of.
//!
//! For players K and a coalition S without them, the discrete derivative Δ_K v(S) is what K add together on top of S:
//! v(S) for no players, v(S ∪ i) − v(S) for one, v(S ∪ ij) − v(S ∪ i) − v(S ∪ j) + v(S) for two. A [`Sums`] of order k
//! holds, for every K of at most k players and every size s, the sum of Δ_K v(S) over the coalitions S of size s.
//! Weights that depend on sizes alone, which are all that Shapley values, semivalues and interaction indices have, are
//! applied to these at the end.
//!
//! The sums of a cube of 2^b coalitions come from those of its halves, without and with player b:
//!
//! * K without b: the sums of both halves, those of the upper half one size up;
//! * K with b: the differences, upper minus lower, of the halves' sums for K without b.
//!
//! So it goes from blocks up to the whole game, by a tree that depends on n alone (`nodes.rs`): the same bits on any number
//! of threads and processes, rounding errors that grow with the tree's depth n and not with 2^n, and additions only, whatever the type.
//! A player who never changes the value has halves whose sums are equal to the last bit, so it gets an exact zero.

use super::rows::{Rows, Shape};
use crate::weights::weighted_sum;
use crate::{Attribution, Coalition, Error, Index, Interactions, Semivalue, Value};

/// The sums of a whole game.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sums<V> {
    shape: Shape,
    rows: Rows<V>,
}

impl<V: Value> Sums<V> {
    pub(super) fn new(shape: Shape, rows: Rows<V>) -> Self {
        Self { shape, rows }
    }

    /// Each player's sums, weighted.
    pub(super) fn attribution<E>(&self, semivalue: &Semivalue) -> Result<Attribution<V>, Error<E>> {
        let n = self.rows.players;
        let weights = semivalue.weights(n)?;
        let common = semivalue.common(n);
        let mut values = Vec::with_capacity(n);
        for (coalition, row) in self.rows().filter(|(set, _)| set.len() == 1) {
            let mut value = weighted_sum(row, &weights, |weight, term| weight.apply(term))
                .expect("a player comes to coalitions of at least one size");
            common.scale(&mut value);
            if !value.is_finite() {
                return Err(Error::Overflow { coalition });
            }
            values.push(value);
        }
        let totals = &self.rows.entries;
        Ok(Attribution::new(values, totals[0].clone(), totals[n].clone(), 1 << n))
    }

    pub(super) fn interactions<E>(&self, index: Index) -> Result<Interactions<V>, Error<E>> {
        Interactions::from_sums(index, self.shape.order, self.rows.players, self.rows())
    }

    pub(super) fn num_players(&self) -> usize {
        self.rows.players
    }

    pub(super) fn order(&self) -> usize {
        self.shape.order
    }

    /// From all its rows, in the order of [`rows`](Self::rows), if there are as many of each length as there must be.
    #[cfg(feature = "serde")]
    pub(super) fn from_rows(players: usize, order: usize, rows: Vec<Vec<V>>) -> Option<Self> {
        let sets: i128 = (0..=order).map(|size| crate::weights::binomial(players, size)).sum();
        if rows.len() as i128 != sets {
            return None;
        }
        let shape = Shape::new(players, order);
        let fits = |(set, row): (&u64, &Vec<V>)| row.len() == players - set.count_ones() as usize + 1;
        let whole = shape.sets.iter().zip(&rows).all(fits);
        whole.then(|| Self { shape, rows: Rows { players, entries: rows.into_iter().flatten().collect() } })
    }

    /// All sums: a row for each K, sizes 0 to n − |K|. The sets come in the order of their masks.
    pub(super) fn rows(&self) -> impl Iterator<Item = (Coalition, &[V])> {
        let mut coalition = Coalition::empty(self.rows.players);
        self.shape.rows(self.rows.players, &self.rows.entries, 1).map(move |(set, row)| {
            coalition.set_mask(set);
            (coalition.clone(), row)
        })
    }
}
