//! What each training point is worth to a k-nearest-neighbour classifier.

use std::collections::HashMap;
use std::hash::Hash;

use super::GameError;
use super::parallel::in_parallel;
use crate::{Attribution, Coalition, Game};

/// The largest coordinate is brought to this power of two: squared distances are then finite, of up to 10^50 columns.
const LARGEST: i32 = 400;

/// Parts that the test points are divided into, for threads. It does not depend on their number, so nor do sums.
const PARTS: usize = 32;

/// The training points of a k-nearest-neighbour classifier are the players: what is each worth to the classifier?
///
/// A coalition is worth the mean, over the test points, of the share of the k nearest of its training points that have
/// the test point's label, those that are not there (if it has fewer than k) counting as wrong:
///
/// v(S) = 1/m Σ over test points (x, y) of 1/k Σ for j = 1, …, min(k, |S|) of \[label of the j-th nearest to x in S =
/// y\]
///
/// which is the chance that a neighbour drawn among the k has the right label. Distances are Euclidean; of two training
/// points at the same distance, the first is nearer. For this utility the [Shapley values](Self::shapley) take n log n
/// steps for each test point instead of 2^n (Jia, Dao, Wang, Hubis, Gurel, Li, Zhang, Spanos & Song 2019, "Efficient
/// task-specific data valuation for nearest neighbor algorithms", Proc. VLDB Endow. 12(11) 1610–1623,
/// doi:10.14778/3342263.3342637, theorem 1).
///
/// ```
/// use shapley::games::KNearest;
///
/// // Four training points on a line, the last one mislabelled, and two test points.
/// let train = ([0.0, 1.0, 5.0, 5.5], ["low", "low", "high", "low"]);
/// let test = ([0.4, 5.6], ["low", "high"]);
/// let phi = KNearest::new(1, train, test)?.shapley();
/// assert!(phi[3] < 0.0 && phi[2] > 0.0);
/// # Ok::<(), shapley::games::GameError>(())
/// ```
///
/// Scale the columns first: a distance adds up what they are measured in. Coordinates that differ by less than 10^−280
/// of the largest coordinate count as the same.
#[derive(Clone, Debug, PartialEq)]
pub struct KNearest {
    k: usize,
    columns: usize,
    train: Points,
    test: Points,
}

/// Points with labels.
#[derive(Clone, Debug, PartialEq)]
struct Points {
    /// Point by point.
    coordinates: Vec<f64>,
    /// Numbers in the place of labels.
    labels: Vec<usize>,
}

/// Brings all coordinates to the same scale, by a power of two, so that squares neither overflow nor vanish.
fn scale(train: &mut [f64], test: &mut [f64]) {
    let largest = train.iter().chain(&*test).fold(0.0_f64, |most, x| most.max(x.abs()));
    // The powers of two of subnormal numbers are found after one step more.
    let exponent = |x: f64| ((x.to_bits() >> 52) & 2047) as i32 - 1023;
    let power = |e: i32| f64::from_bits(((e + 1023) as u64) << 52);
    if largest > 0.0 {
        let is_subnormal = largest < f64::MIN_POSITIVE;
        let first = if is_subnormal { 60 } else { 0 };
        let rest = LARGEST - exponent(largest * power(first));
        // In two steps, since a float has no power of two that large.
        for coordinate in train.iter_mut().chain(test) {
            *coordinate = *coordinate * power(first) * power(rest / 2) * power(rest - rest / 2);
        }
    }
}

impl KNearest {
    /// The classifier with k neighbours, its training points, and the test points that it is judged by: of each the
    /// coordinates, point by point in one slice, and a label for each point.
    ///
    /// # Errors
    ///
    /// [`Number`](GameError::Number) if k is zero, or a coordinate is not finite; [`NoPlayers`](GameError::NoPlayers)
    /// if there are no training points; [`Shape`](GameError::Shape) if there are no test points, if the coordinates do
    /// not divide into as many points as there are labels, or if test points have another number of coordinates than
    /// training points.
    pub fn new<L: Eq + Hash>(
        k: usize,
        train: (impl AsRef<[f64]>, impl AsRef<[L]>),
        test: (impl AsRef<[f64]>, impl AsRef<[L]>),
    ) -> Result<Self, GameError> {
        let (train_labels, test_labels) = (train.1.as_ref(), test.1.as_ref());
        if k == 0 {
            return Err(GameError::Number { what: "k", index: 0, value: 0.0, allowed: "at least 1" });
        }
        if train_labels.is_empty() {
            return Err(GameError::NoPlayers {});
        }
        if test_labels.is_empty() {
            return Err(GameError::Shape { what: "test points", got: 0, expected: 1 });
        }
        let columns = (train.0.as_ref().len() / train_labels.len()).max(1);
        let mut numbers = HashMap::new();
        let points = |coordinates: &[f64], labels: &[L], [whole, one]: [&'static str; 2]| {
            // Labels may take no memory, and be as many as can be counted; coordinates are fewer.
            let expected = columns.saturating_mul(labels.len());
            if coordinates.len() != expected {
                return Err(GameError::Shape { what: whole, got: coordinates.len(), expected });
            }
            if let Some(index) = coordinates.iter().position(|x| !x.is_finite()) {
                return Err(GameError::Number { what: one, index, value: coordinates[index], allowed: "finite" });
            }
            Ok(coordinates.to_vec())
        };
        let mut train_coordinates =
            points(train.0.as_ref(), train_labels, ["coordinates of training points", "training coordinate"])?;
        let mut test_coordinates =
            points(test.0.as_ref(), test_labels, ["coordinates of test points", "test coordinate"])?;
        scale(&mut train_coordinates, &mut test_coordinates);
        for label in train_labels.iter().chain(test_labels) {
            let next = numbers.len();
            numbers.entry(label).or_insert(next);
        }
        let numbered = |labels: &[L]| labels.iter().map(|label| numbers[label]).collect();
        Ok(Self {
            k,
            columns,
            train: Points { coordinates: train_coordinates, labels: numbered(train_labels) },
            test: Points { coordinates: test_coordinates, labels: numbered(test_labels) },
        })
    }

    /// How many neighbours are asked.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// The Shapley values of the training points.
    ///
    /// For n training points of d coordinates and m test points it takes m n (d + log n) steps, on all threads there
    /// are, and room for 32 n values and, for each thread, n distances. The bits do not depend on the number of
    /// threads.
    pub fn shapley(&self) -> Attribution<f64> {
        let (n, m) = (self.train.labels.len(), self.test.labels.len());
        let part = m.div_ceil(PARTS);
        let sums = in_parallel(m.div_ceil(part), |which| {
            let mut sum = vec![0.0; n];
            let mut neighbours = Vec::with_capacity(n);
            for test in which * part..m.min((which + 1) * part) {
                neighbours.clear();
                neighbours.extend((0..n).map(|train| (self.distance(train, test), train)));
                neighbours.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                self.add_values(&neighbours, test, &mut sum);
            }
            sum
        });
        let mut values = vec![0.0; n];
        for sum in sums {
            values.iter_mut().zip(sum).for_each(|(value, part)| *value += part);
        }
        values.iter_mut().for_each(|value| *value /= m as f64);
        Attribution::new(values, 0.0, self.value(&Coalition::grand(n)), 0)
    }

    /// Adds what each training point is worth to one test point, from the farthest, who makes a difference only if all
    /// others are not among the k, to the nearest.
    fn add_values(&self, neighbours: &[(f64, usize)], test: usize, sum: &mut [f64]) {
        let (n, k) = (neighbours.len(), self.k as f64);
        let is_right = |place: usize| f64::from(u8::from(self.is_right(neighbours[place].1, test)));
        let mut value = is_right(n - 1) * self.k.min(n) as f64 / (n as f64 * k);
        sum[neighbours[n - 1].1] += value;
        for place in (0..n - 1).rev() {
            let rank = place + 1;
            value += (is_right(place) - is_right(place + 1)) / k * self.k.min(rank) as f64 / rank as f64;
            sum[neighbours[place].1] += value;
        }
    }

    /// From the number of right neighbours, over all test points.
    fn utility(&self, right: usize) -> f64 {
        right as f64 / (self.k as f64 * self.test.labels.len() as f64)
    }

    fn is_right(&self, train: usize, test: usize) -> bool {
        self.train.labels[train] == self.test.labels[test]
    }

    /// The square of the distance of a training point and a test point.
    fn distance(&self, train: usize, test: usize) -> f64 {
        let train = &self.train.coordinates[train * self.columns..][..self.columns];
        let test = &self.test.coordinates[test * self.columns..][..self.columns];
        train.iter().zip(test).map(|(a, b)| (a - b) * (a - b)).sum()
    }
}

/// The k nearest of those who have come so far, nearest first, and how many of them are right.
#[derive(Clone, Debug, Default)]
struct Nearest {
    points: Vec<(f64, usize)>,
    right: usize,
}

impl Nearest {
    fn add(&mut self, game: &KNearest, train: usize, test: usize) {
        let distance = game.distance(train, test);
        let place = self.points.partition_point(|&(other, point)| (other, point) < (distance, train));
        if place == game.k {
            return;
        }
        if self.points.len() == game.k
            && let Some((_, dropped)) = self.points.pop()
        {
            self.right -= usize::from(game.is_right(dropped, test));
        }
        self.points.insert(place, (distance, train));
        self.right += usize::from(game.is_right(train, test));
    }
}

impl Game for KNearest {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.train.labels.len()
    }

    /// Takes a distance for each member and test point.
    fn value(&self, coalition: &Coalition) -> f64 {
        let right = (0..self.test.labels.len()).map(|test| {
            let mut nearest = Nearest::default();
            coalition.iter().for_each(|train| nearest.add(self, train, test));
            nearest.right
        });
        self.utility(right.sum())
    }

    /// Takes a distance for each player and test point, as one evaluation of all these players does.
    fn walk(&self, order: &[usize], values: &mut Vec<f64>) {
        let mut nearest = vec![Nearest::default(); self.test.labels.len()];
        values.extend(order.iter().map(|&train| {
            nearest.iter_mut().enumerate().for_each(|(test, nearest)| nearest.add(self, train, test));
            self.utility(nearest.iter().map(|nearest| nearest.right).sum())
        }));
    }
}
