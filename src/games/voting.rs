//! Who has how much power in a vote by weights.

#[cfg(feature = "rational")]
use num_bigint::BigInt;
#[cfg(feature = "rational")]
use num_rational::Ratio;

use crate::{Attribution, Coalition, Game};

use super::GameError;

mod classes;
mod dense;
#[cfg(feature = "rational")]
mod exact;
mod meet_in_the_middle;
#[cfg(feature = "rational")]
mod modular;
mod power;
mod sparse;
mod without_one;

use classes::Classes;
use power::Index;

/// A vote by weights: a coalition is worth 1 if its weights sum to the quota or more, and 0 otherwise.
///
/// Weights are whole numbers: votes, shares, seats. What has decimals is multiplied by a power of ten, quota and all.
///
/// Two measures say how much **power** a voter has, which is not how many votes: who can turn no coalition has none.
///
/// * [`shapley_shubik`](Self::shapley_shubik): the share of all orders in which the voter is the one who makes a losing
///   coalition win, if the voters join one by one. It is the Shapley value of this game, and sums to 1. Shapley & Shubik
///   (1954), "A method for evaluating the distribution of power in a committee system", Am. Pol. Sci. Rev. 48(3) 787–792,
///   doi:10.2307/1951053.
/// * [`banzhaf`](Self::banzhaf): the share of all coalitions of the others that win with the voter only. Penrose (1946), "The
///   elementary statistics of majority voting", J. R. Stat. Soc. 109(1) 53–57, doi:10.2307/2981392; Banzhaf (1965),
///   "Weighted voting doesn't work", Rutgers Law Review 19, 317–343.
///
/// Both agree with [`exact`](crate::exact) and [`banzhaf`](crate::banzhaf) of this game, for numbers of voters that 2^n never
/// reaches:
///
/// | voters | sum of the weights | Shapley–Shubik index, two threads |
/// |--:|--:|--:|
/// | 51 | 538 (the US Electoral College) | 1 ms |
/// | 150 | 50 000 | 0.1 s |
/// | 188 | 2 500 000 | 5 to 12 s |
/// | 1000 | 1 000 000 | 14 s |
///
/// ```
/// use shapley::games::WeightedVoting;
///
/// // The Council of the European Economic Community in 1958: three large members, two middle ones, and Luxembourg.
/// let council = WeightedVoting::new(12, [4, 4, 4, 2, 2, 1])?;
/// assert_eq!(format!("{:.3}", council.shapley_shubik()).lines().last(), Some("5  0.000"));
/// # Ok::<(), shapley::games::GameError>(())
/// ```
///
/// # How
///
/// The Shapley–Shubik index of voter i is ∫₀¹ fᵢ(t) dt, where fᵢ(t) is the probability that i is decisive when each of the
/// others joins with the probability t; the Banzhaf value is fᵢ(1/2). (Owen 1972, "Multilinear extensions of games",
/// Manag. Sci. 18(5) P64–P79, doi:10.1287/mnsc.18.5.64; 1975, "Multilinear extensions and the Banzhaf value", Nav. Res.
/// Logist. Q. 22(4) 741–750, doi:10.1002/nav.3800220409.) fᵢ is a polynomial of degree n − 1, so Gauss–Legendre quadrature is
/// exact up to rounding. It takes ⌈n/2⌉ nodes, or fewer where an error of 10⁻³⁰ is proved for fewer: 77 for 188 voters. At each node
/// the weight of the others has a distribution, found by dynamic programming over its sums: counting by weight as Mann &
/// Shapley did (1962, RAND RM-3158-PR), without the dimension of the sizes.
///
/// All numbers on the way are probabilities, and none is subtracted from another: voters are never taken out of a count. So
/// a small value has as many correct digits as a large one: a relative error of at most about 8 n ε, ε = 2⁻⁵² (and an
/// absolute one of 10⁻³⁰). Voters of one weight are computed once; who has no power has exactly 0.
///
/// What it takes grows with n² times the sum of the weights (after division by their greatest common divisor). Up to 40
/// voters may have weights of any size, since swings are counted from the coalitions of two halves of them, and more if few
/// sums can be reached. What takes more than 10¹² steps (a quarter of an hour or so) or a gigabyte for a distribution is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightedVoting {
    quota: u64,
    weights: Vec<u64>,
}

impl WeightedVoting {
    /// A vote of so many players, by their weights: `[3, 2, 1]`, a `Vec<u64>`, or a slice of one.
    ///
    /// # Errors
    ///
    /// [`NoPlayers`](GameError::NoPlayers); [`WeightOverflow`](GameError::WeightOverflow) if the sum of the weights does not
    /// fit a `u64`; [`NoWeight`](GameError::NoWeight) if all are zero; [`Quota`](GameError::Quota) if the quota is zero, so
    /// that all coalitions win, or above the sum, so that none does.
    ///
    /// ```
    /// use shapley::games::{GameError, WeightedVoting};
    ///
    /// assert_eq!(WeightedVoting::new(7, [3, 2, 1]), Err(GameError::Quota { quota: 7, total: 6 }));
    /// ```
    pub fn new(quota: u64, weights: impl AsRef<[u64]>) -> Result<Self, GameError> {
        let weights = weights.as_ref().to_vec();
        if weights.is_empty() {
            return Err(GameError::NoPlayers {});
        }
        let mut total = 0_u64;
        for (player, weight) in weights.iter().enumerate() {
            total = total.checked_add(*weight).ok_or(GameError::WeightOverflow { player })?;
        }
        if total == 0 {
            return Err(GameError::NoWeight { players: weights.len() });
        }
        if quota == 0 || quota > total {
            return Err(GameError::Quota { quota, total });
        }
        Ok(Self { quota, weights })
    }

    /// What a coalition's weights must sum to, at least, for it to win.
    #[must_use]
    pub fn quota(&self) -> u64 {
        self.quota
    }

    /// The weights, player 0 first.
    #[must_use]
    pub fn weights(&self) -> &[u64] {
        &self.weights
    }

    /// The Shapley–Shubik index of each player: its Shapley value. They sum to 1.
    ///
    /// # Panics
    ///
    /// If the game is out of reach; then [`try_shapley_shubik`](Self::try_shapley_shubik) returns an error. A thousand
    /// players whose weights sum to a million are within reach.
    ///
    /// ```
    /// use shapley::games::WeightedVoting;
    ///
    /// // Shares of 50, 49 and 1 per cent: the smallest shareholder is as powerful as the second.
    /// let power = WeightedVoting::new(51, [50, 49, 1])?.shapley_shubik();
    /// assert!((power[0] - 4.0 / 6.0).abs() < 1e-15);
    /// assert!((power[1] - 1.0 / 6.0).abs() < 1e-15 && (power[2] - 1.0 / 6.0).abs() < 1e-15);
    /// # Ok::<(), shapley::games::GameError>(())
    /// ```
    pub fn shapley_shubik(&self) -> Attribution<f64> {
        self.try_shapley_shubik().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The [Shapley–Shubik index](Self::shapley_shubik), for games that may be out of reach.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](GameError::TooLarge), with the steps that it would take.
    pub fn try_shapley_shubik(&self) -> Result<Attribution<f64>, GameError> {
        self.index(Index::ShapleyShubik)
    }

    /// The Banzhaf value of each player: the share of the 2^(n−1) coalitions of the others that the player turns from losing
    /// to winning. This is the absolute measure, also known as the Penrose measure, and sums to anything.
    ///
    /// The Banzhaf *index* of many tables is normalised: divide by the sum.
    ///
    /// With more than 950 players a value may be too small for a float; what is below 10⁻²⁸⁰ may come out as 0.
    ///
    /// # Panics
    ///
    /// If the game is out of reach; then [`try_banzhaf`](Self::try_banzhaf) returns an error. This takes a single node, where
    /// the Shapley–Shubik index takes up to n/2.
    ///
    /// ```
    /// use shapley::games::WeightedVoting;
    ///
    /// let swings = WeightedVoting::new(51, [50, 49, 1])?.banzhaf();
    /// assert_eq!(swings.values(), [0.75, 0.25, 0.25]); // 3, 1 and 1 of 4
    /// let sum: f64 = swings.iter().sum();
    /// let index: Vec<f64> = swings.iter().map(|value| value / sum).collect();
    /// assert_eq!(index, [0.6, 0.2, 0.2]);
    /// # Ok::<(), shapley::games::GameError>(())
    /// ```
    pub fn banzhaf(&self) -> Attribution<f64> {
        self.try_banzhaf().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The [Banzhaf value](Self::banzhaf), for games that may be out of reach.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](GameError::TooLarge), with the steps that it would take.
    pub fn try_banzhaf(&self) -> Result<Attribution<f64>, GameError> {
        self.index(Index::Banzhaf)
    }

    /// The [Shapley–Shubik index](Self::shapley_shubik) as fractions.
    ///
    /// 150 players whose weights sum to 75 000 take about a second on two threads, 188 with a sum of 2.5 millions a quarter of a
    /// minute. The numerators are found modulo as many primes as they have digits for, at n points each: the work grows with
    /// n³ times the sum of the weights.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](GameError::TooLarge), with the steps that it would take.
    ///
    /// ```
    /// use shapley::games::WeightedVoting;
    ///
    /// let power = WeightedVoting::new(51, [50, 49, 1])?.shapley_shubik_exact()?;
    /// assert_eq!(power.values().iter().map(ToString::to_string).collect::<Vec<_>>(), ["2/3", "1/6", "1/6"]);
    /// # Ok::<(), shapley::games::GameError>(())
    /// ```
    #[cfg(feature = "rational")]
    pub fn shapley_shubik_exact(&self) -> Result<Attribution<Ratio<BigInt>>, GameError> {
        self.exact(Index::ShapleyShubik)
    }

    /// The [Banzhaf value](Self::banzhaf) as fractions. Times 2^(n−1), with n players, it is the number of swings.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](GameError::TooLarge), with the steps that it would take.
    #[cfg(feature = "rational")]
    pub fn banzhaf_exact(&self) -> Result<Attribution<Ratio<BigInt>>, GameError> {
        self.exact(Index::Banzhaf)
    }

    #[cfg(feature = "rational")]
    fn exact(&self, index: Index) -> Result<Attribution<Ratio<BigInt>>, GameError> {
        let whole = |number: u8| Ratio::from_integer(BigInt::from(number));
        let classes = Classes::new(self.quota, &self.weights);
        let power = exact::power(&classes, index)?;
        Ok(Attribution::new(classes.spread(&power, &whole(0)), whole(0), whole(1), 0))
    }

    fn index(&self, index: Index) -> Result<Attribution<f64>, GameError> {
        let classes = Classes::new(self.quota, &self.weights);
        let power = power::power(&classes, index)?;
        Ok(Attribution::new(classes.spread(&power, &0.0), 0.0, 1.0, 0))
    }

    fn wins(&self, sum: u64) -> f64 {
        f64::from(u8::from(sum >= self.quota))
    }
}

impl Game for WeightedVoting {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.weights.len()
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        self.wins(coalition.iter().map(|player| self.weights[player]).sum())
    }

    fn walk(&self, order: &[usize], values: &mut Vec<f64>) {
        let mut sum = 0;
        values.extend(order.iter().map(|player| {
            sum += self.weights[*player];
            self.wins(sum)
        }));
    }
}
