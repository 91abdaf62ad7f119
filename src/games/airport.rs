//! A runway whose cost is that of the largest aircraft.

#[cfg(feature = "rational")]
use num_rational::BigRational;

use super::GameError;
use crate::{Attribution, Coalition, Game};

/// A cost game: a coalition costs as much as its most expensive member, as a runway must be as long as the largest aircraft
/// needs.
///
/// The cost of a runway is made of stretches, one from each cost to the next higher one. A stretch is paid in equal parts by
/// all who need it; this is the Shapley value (Littlechild & Owen 1973, "A simple expression for the Shapley value in a
/// special case", Manag. Sci. 20(3) 370–372, doi:10.1287/mnsc.20.3.370).
///
/// ```
/// use shapley::games::Airport;
///
/// // Three flatmates share a taxi: the fare is that of the longest ride.
/// let fares = Airport::new([6.0, 12.0, 42.0])?.shapley();
/// assert_eq!(fares.values(), [2.0, 5.0, 35.0]);
/// # Ok::<(), shapley::games::GameError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Airport {
    costs: Vec<f64>,
}

impl Airport {
    /// The cost of each player alone.
    ///
    /// # Errors
    ///
    /// [`NoPlayers`](GameError::NoPlayers); [`Number`](GameError::Number) if a cost is negative or not finite.
    pub fn new(costs: impl AsRef<[f64]>) -> Result<Self, GameError> {
        // No minus zeros.
        let costs: Vec<f64> = costs.as_ref().iter().map(|cost| cost + 0.0).collect();
        if costs.is_empty() {
            return Err(GameError::NoPlayers {});
        }
        match costs.iter().position(|cost| !(cost.is_finite() && *cost >= 0.0)) {
            None => Ok(Self { costs }),
            Some(index) => {
                Err(GameError::Number { what: "cost", index, value: costs[index], allowed: "finite, and not negative" })
            }
        }
    }

    /// The cost of each player alone.
    #[must_use]
    pub fn costs(&self) -> &[f64] {
        &self.costs
    }

    /// The Shapley values: who pays how much. Takes the time to sort n numbers, and asks the game nothing.
    ///
    /// Players of the same cost have the same value, to the bit, and one who costs nothing has exactly zero. Sums are
    /// compensated: the relative error does not grow with the number of players.
    pub fn shapley(&self) -> Attribution<f64> {
        let order = self.cheapest_first();
        let mut values = vec![0.0; order.len()];
        // Neumaier's sum of terms that are all positive: `lost` is what the additions so far have rounded away.
        let (mut reached, mut share, mut lost) = (0.0, 0.0_f64, 0.0);
        for (below, &player) in order.iter().enumerate() {
            let cost = self.costs[player];
            let step = (cost - reached) / (order.len() - below) as f64;
            let total = share + step;
            lost += if share >= step { (share - total) + step } else { (step - total) + share };
            (reached, share) = (cost, total);
            values[player] = share + lost;
        }
        Attribution::new(values, 0.0, reached, 0)
    }

    fn cheapest_first(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.costs.len()).collect();
        order.sort_by(|&a, &b| self.costs[a].total_cmp(&self.costs[b]));
        order
    }
}

#[cfg(feature = "rational")]
impl Airport {
    /// The Shapley values as fractions, of the costs as they are: a float is a whole number times a power of two.
    pub fn shapley_exact(&self) -> Attribution<BigRational> {
        let exactly = |cost: f64| BigRational::from_float(cost).expect("costs are finite");
        let order = self.cheapest_first();
        let zero = exactly(0.0);
        let mut values = vec![zero.clone(); self.costs.len()];
        let (mut reached, mut share) = (zero.clone(), zero.clone());
        for (below, &player) in order.iter().enumerate() {
            let cost = exactly(self.costs[player]);
            share += (&cost - &reached) / BigRational::from_integer((order.len() - below).into());
            reached = cost;
            values[player] = share.clone();
        }
        Attribution::new(values, zero, reached, 0)
    }
}

impl Game for Airport {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.costs.len()
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        coalition.iter().map(|player| self.costs[player]).fold(0.0, f64::max)
    }

    fn walk(&self, order: &[usize], values: &mut Vec<f64>) {
        let mut highest = 0.0_f64;
        values.extend(order.iter().map(|&player| {
            highest = highest.max(self.costs[player]);
            highest
        }));
    }
}
