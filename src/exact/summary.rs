//! The sums of a whole game: what all semivalues and interactions are made of.

use super::rows::{Rows, Shape};
use crate::weights::weighted_sum;
use crate::{Attribution, Coalition, Error, Index, Interactions, Semivalue, Value};

/// The sums of discrete derivatives by coalition size, from which every semivalue and interaction index follows without
/// asking the game again. [`Exact::summary`](crate::Exact::summary) makes it.
///
/// For players K and a coalition S without them, the discrete derivative Δ_K v(S) is what K add together on top of S:
/// v(S) for no players, v(S ∪ i) − v(S) for one, v(S ∪ ij) − v(S ∪ i) − v(S ∪ j) + v(S) for two. A summary of order k
/// holds, for every K of at most k players and every size s, the sum of Δ_K v(S) over the coalitions S of size s.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Summary<V> {
    players: usize,
    shape: Shape,
    /// The rows of all sets, one after the other.
    entries: Vec<V>,
}

impl<V: Value> Summary<V> {
    pub(super) fn new(shape: Shape, root: Rows<V>) -> Self {
        Self { players: root.players, shape, entries: root.entries }
    }

    /// The number of players of the game.
    #[must_use]
    pub fn num_players(&self) -> usize {
        self.players
    }

    /// The largest number of players whose interactions are in it.
    #[must_use]
    pub fn order(&self) -> usize {
        self.shape.order
    }

    /// The values of a semivalue: [`Semivalue::shapley`] for Shapley values.
    ///
    /// # Errors
    ///
    /// [`Overflow`](Error::Overflow), and [`WeightLength`](Error::WeightLength) if the weights are for another number
    /// of players.
    pub fn values(&self, semivalue: &Semivalue) -> Result<Attribution<V>, Error> {
        self.attribution(semivalue)
    }

    /// The interactions of up to as many players as the summary's order.
    ///
    /// # Errors
    ///
    /// [`Overflow`](Error::Overflow), and [`Order`](Error::Order) if the index's weights do not fit 128 bits.
    pub fn interactions(&self, index: Index) -> Result<Interactions<V>, Error> {
        self.weighted(index)
    }

    pub(super) fn attribution<E>(&self, semivalue: &Semivalue) -> Result<Attribution<V>, Error<E>> {
        let n = self.players;
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
        Ok(Attribution::new(values, self.entries[0].clone(), self.entries[n].clone(), 1 << n))
    }

    pub(super) fn weighted<E>(&self, index: Index) -> Result<Interactions<V>, Error<E>> {
        Interactions::from_sums(index, self.shape.order, self.players, self.rows())
    }

    /// A row for each set K of at most as many players as the order, in the order of their masks: its sums for sizes 0
    /// to n − |K|.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Coalition, &[V])> {
        let mut coalition = Coalition::empty(self.players);
        self.shape.rows(self.players, &self.entries, 1).map(move |(set, row)| {
            coalition.set_mask(set);
            (coalition.clone(), row)
        })
    }

    /// A summary of rows from a file, if they are those of such a game.
    #[cfg(feature = "serde")]
    pub(crate) fn from_rows(players: usize, order: usize, rows: Vec<Vec<V>>) -> Option<Self> {
        let shape = Shape::new(players, order);
        let fits = |(set, row): (&u64, &Vec<V>)| row.len() == players - set.count_ones() as usize + 1;
        let is_whole = rows.len() == shape.sets.len() && shape.sets.iter().zip(&rows).all(fits);
        is_whole.then(|| Self { players, shape, entries: rows.into_iter().flatten().collect() })
    }

    /// Whether all sums fit their type.
    #[cfg(feature = "mpi")]
    pub(crate) fn is_finite(&self) -> bool {
        self.entries.iter().all(Value::is_finite)
    }
}
