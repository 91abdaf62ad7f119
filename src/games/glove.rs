//! Left gloves and right gloves.

use std::cmp::Ordering;
use std::iter::repeat_n;

use super::GameError;
use crate::{Attribution, Coalition, Game};

/// A market: each player has a left or a right glove, and a coalition is worth the number of pairs it can make.
///
/// Players 0 to `left` − 1 have left gloves, the others right ones. Whoever has the scarcer kind gets more, and by far
/// more than in proportion: with 9 left gloves and 10 right ones, who has a left one gets 0.60, and who has a right one
/// 0.36 (Shapley & Shubik 1969, "Pure competition, coalitional power, and fair division", Int. Econ. Rev. 10(3)
/// 337–362, doi:10.2307/2525647).
///
/// ```
/// use shapley::games::Glove;
///
/// let market = Glove::new(1, 2);
/// let phi = market.shapley();
/// assert!((phi[0] - 2.0 / 3.0).abs() < 1e-15 && (phi[1] - 1.0 / 6.0).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glove {
    left: usize,
    right: usize,
}

impl Glove {
    /// So many players with a left glove, and so many with a right one.
    ///
    /// Any numbers make a game. Solvers refuse one of more than [`Coalition::MAX_PLAYERS`] players
    /// ([`TooManyPlayers`](crate::Error::TooManyPlayers)); more than [`usize::MAX`] count as that.
    #[must_use]
    pub fn new(left: usize, right: usize) -> Self {
        Self { left, right }
    }

    /// How many players have a left glove.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left
    }

    /// How many players have a right glove.
    #[must_use]
    pub fn right(&self) -> usize {
        self.right
    }

    /// The Shapley values. Takes time in proportion to the number of players, and asks the game nothing.
    ///
    /// Let a players have the scarcer kind, and b ≥ a the other. One of the latter makes a pair if those who come
    /// before have more of the scarcer kind. The excess of these, from player to player, is a random walk with a steps
    /// up and b − 1 down, and the mean time that it is above zero has all positive terms (by reflection at each level):
    /// the value is
    ///
    /// 1/(a+b) · Σ for j = 1, …, a of (2j − 1) C(a+b−1, b−1+j) / C(a+b−1, a).
    ///
    /// The others share the rest. The relative error is at most about n ε, ε = 2⁻⁵².
    ///
    /// # Panics
    ///
    /// If there are no players, or more than [`Coalition::MAX_PLAYERS`], as solvers take.
    pub fn shapley(&self) -> Attribution<f64> {
        let (left, right) = (self.left, self.right);
        if let Err(error) = GameError::check_players(self.num_players()) {
            panic!("{error}");
        }
        let (scarce, abundant) = (left.min(right), left.max(right));
        let of_abundant = abundant_share(scarce, abundant);
        let of_scarce = 1.0 - abundant as f64 / scarce as f64 * of_abundant; // not a number if there is nobody to have it
        let (of_left, of_right) = match left.cmp(&right) {
            Ordering::Less => (of_scarce, of_abundant),
            Ordering::Equal => (0.5, 0.5),
            Ordering::Greater => (of_abundant, of_scarce),
        };
        let values = repeat_n(of_left, left).chain(repeat_n(of_right, right)).collect();
        Attribution::new(values, 0.0, scarce as f64, 0)
    }
}

/// The value of a holder of the abundant kind of glove.
fn abundant_share(scarce: usize, abundant: usize) -> f64 {
    let (a, b) = (scarce as f64, abundant as f64);
    let mut ratio = a / b;
    let mut sum = 0.0;
    for j in 1..=scarce {
        let j = j as f64;
        sum += (2.0 * j - 1.0) * ratio;
        ratio *= (a - j) / (b + j);
        if ratio < f64::MIN_POSITIVE {
            break; // the rest is less than the last bit
        }
    }
    sum / (a + b)
}

impl Game for Glove {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.left.saturating_add(self.right)
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        let left = coalition.iter().take_while(|&player| player < self.left).count();
        left.min(coalition.len() - left) as f64
    }

    fn walk(&self, order: &[usize], values: &mut Vec<f64>) {
        let (mut left, mut right) = (0_usize, 0_usize);
        values.extend(order.iter().map(|&player| {
            *if player < self.left { &mut left } else { &mut right } += 1;
            left.min(right) as f64
        }));
    }
}
