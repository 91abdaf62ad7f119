//! Exact solvers: their options, and what they return.

mod stream;
mod sums;

use std::fmt;
use std::ops::ControlFlow;

use crate::{Attribution, Error, Progress, TryGame, Value};
use sums::Sums;

pub(crate) use stream::tabulate;

/// The largest game that can be asked for: its coalitions are numbered by a 64-bit word, and the weights by an i128.
const MOST_PLAYERS: usize = 62;

/// Shapley values by the definition: each player's marginal contribution, averaged over all orders of the players.
///
/// φᵢ = Σ over S ⊆ N∖{i} of |S|! (n−|S|−1)! / n! · [v(S ∪ {i}) − v(S)]
///
/// This is [`Exact::new().solve(game)`](Exact::solve), which has the details.
///
/// # Cost
///
/// 2^n evaluations, each coalition once.
///
/// # Errors
///
/// Those of [`Exact::solve`]; above all [`TooManyPlayers`](Error::TooManyPlayers) beyond 30 players.
///
/// # Example
///
/// ```
/// // Two singers and a pianist: nobody pays for less than a duo with piano, which earns 10; all three earn 12.
/// let game = shapley::from_fn(3, |band| match (band.contains(2), band.len()) {
///     (true, 2) => 10.0,
///     (true, 3) => 12.0,
///     _ => 0.0,
/// });
/// let phi = shapley::exact(&game)?;
/// assert_eq!(phi.values(), [7.0 / 3.0, 7.0 / 3.0, 22.0 / 3.0]);
/// # Ok::<(), shapley::Error>(())
/// ```
pub fn exact<G: TryGame + ?Sized>(game: &G) -> Result<Attribution<G::Value>, Error<G::Error>> {
    Exact::new().solve(game)
}

/// The exact solver with its options.
///
/// ```
/// use shapley::{Error, Exact};
///
/// let game = shapley::from_fn(4, |s| s.len() as f64);
/// let phi = Exact::new().threads(2).solve(&game)?;
/// assert_eq!(phi.values(), [1.0; 4]);
///
/// let error = Exact::new().max_players(3).solve(&game).unwrap_err();
/// assert_eq!(error.to_string(), "4 players are over the limit of 3: an exact answer takes 2^4 = 16 evaluations");
/// # Ok::<(), Error>(())
/// ```
///
/// The result has the same bits whatever the number of threads and the size of batches.
#[derive(Clone)]
#[must_use]
pub struct Exact<F = fn(&Progress) -> ControlFlow<()>> {
    max_players: usize,
    /// 0: as many as rayon's current pool has.
    threads: usize,
    /// 0: chosen from the numbers of players and threads.
    batch: usize,
    observer: Option<F>,
}

impl Exact {
    /// The defaults: at most 30 players, all threads, no observer.
    pub fn new() -> Self {
        Self { max_players: 30, threads: 0, batch: 0, observer: None }
    }
}

impl Default for Exact {
    fn default() -> Self {
        Self::new()
    }
}

impl<F> Exact<F> {
    /// Raises or lowers the limit on players, 30 unless set. It is there because every further player doubles the
    /// evaluations: 30 are 10⁹. Beyond 62 players the limit cannot go.
    pub fn max_players(self, max_players: usize) -> Self {
        Self { max_players, ..self }
    }

    /// The number of threads to ask the game on; 0, the default, for as many as rayon's current pool has. Without the
    /// feature `parallel` there is one, whatever is asked for.
    pub fn threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// The most coalitions that one call of the game's [`try_values`](TryGame::try_values) gets; it is rounded down
    /// to a power of two, and at most 4096.
    ///
    /// By default, or with 0, a batch is a 32nd of each thread's work, and at most 4096: small enough to keep
    /// all threads busy and an observer informed. A model that runs best on larger or smaller batches wants to set it.
    pub fn batch(self, coalitions: usize) -> Self {
        Self { batch: coalitions, ..self }
    }

    /// Shows the progress after every batch, and stops the run when `observer` breaks.
    ///
    /// The observer is called by the thread that finished the batch, one call at a time, with counts that only grow;
    /// the last call has all evaluations.
    pub fn observe<O: Fn(&Progress) -> ControlFlow<()> + Sync>(self, observer: O) -> Exact<O> {
        Exact { max_players: self.max_players, threads: self.threads, batch: self.batch, observer: Some(observer) }
    }
}

impl<F: Fn(&Progress) -> ControlFlow<()> + Sync> Exact<F> {
    /// The exact Shapley values.
    ///
    /// φᵢ = Σ over S ⊆ N∖{i} of |S|! (n−|S|−1)! / n! · [v(S ∪ {i}) − v(S)]
    ///
    /// The weight depends on the coalition's size alone. So the differences are first summed by size, by a pairwise
    /// tree over the coalitions that is the same on any number of threads, and the n sums for each player are
    /// weighted at the end. A player who never changes the value gets exactly zero, however large the values are.
    ///
    /// # Cost
    ///
    /// 2^n evaluations, each coalition once, in batches of at most 4096. Beside them a few additions for each
    /// value, and memory for a few batches on each thread, whatever n is.
    ///
    /// # Errors
    ///
    /// * [`NoPlayers`](Error::NoPlayers), [`TooManyPlayers`](Error::TooManyPlayers): before any evaluation;
    /// * [`NotFinite`](Error::NotFinite), [`Game`](Error::Game), [`BatchLength`](Error::BatchLength): at the first
    ///   batch that has one; batches begun by other threads are finished, no further one is asked for, and of several
    ///   bad batches the first is reported;
    /// * [`Overflow`](Error::Overflow) if sums of 2^n values do not fit the value type;
    /// * [`Stopped`](Error::Stopped) if the observer broke before the last batch;
    /// * [`Threads`](Error::Threads) if the threads could not be started.
    ///
    /// # Panics
    ///
    /// If the game or the observer does.
    ///
    /// # Reference
    ///
    /// Shapley (1953), "A value for n-person games", in *Contributions to the Theory of Games II*, 307–317,
    /// doi:10.1515/9781400881970-018.
    pub fn solve<G: TryGame + ?Sized>(&self, game: &G) -> Result<Attribution<G::Value>, Error<G::Error>> {
        let sums = sums::sums(game, 1, self)?;
        // |S|! (n−|S|−1)! / n! is the mean over the C(n−1, |S|) coalitions of a size, averaged over the n sizes.
        attribution(&sums, |n, size| (1, binomial(n - 1, size)), |n| (1, n as i128))
    }
}

/// Weights each player's sums: `by_size(n, s)` is the weight of a coalition of s others, as a numerator and a
/// denominator, and `common(n)` a factor that all have. The common factor comes last, so that a mean of whole numbers
/// is rounded once.
fn attribution<V: Value, E>(
    sums: &Sums<V>,
    by_size: impl Fn(usize, usize) -> (i128, i128),
    common: impl Fn(usize) -> (i128, i128),
) -> Result<Attribution<V>, Error<E>> {
    let n = sums.num_players();
    let by_size: Vec<_> = (0..n).map(|size| by_size(n, size)).collect();
    let (numerator, denominator) = common(n);
    let totals = sums.totals();
    let mut values = Vec::with_capacity(n);
    for (coalition, row) in sums.derivatives() {
        let mut value = weighted(row, &by_size);
        value.scale(numerator, denominator);
        if !value.is_finite() {
            return Err(Error::Overflow { coalition });
        }
        values.push(value);
    }
    Ok(Attribution::new(values, totals[0].clone(), totals[n].clone(), 1 << n))
}

/// The sum of the row's entries, each times its weight.
fn weighted<V: Value>(row: &[V], weights: &[(i128, i128)]) -> V {
    let mut terms = row.iter().zip(weights).map(|(entry, &(numerator, denominator))| {
        let mut term = entry.clone();
        term.scale(numerator, denominator);
        term
    });
    let first = terms.next().expect("a row has an entry for each size, and sizes begin at 0");
    terms.fold(first, |mut sum, term| {
        sum.add_assign(&term);
        sum
    })
}

/// n choose k, for n up to about 120.
fn binomial(n: usize, k: usize) -> i128 {
    (0..k.min(n - k)).fold(1, |product, j| product * (n - j) as i128 / (j + 1) as i128)
}

impl<F> fmt::Debug for Exact<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exact")
            .field("max_players", &self.max_players)
            .field("threads", &self.threads)
            .field("batch", &self.batch)
            .field("observed", &self.observer.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binomials() {
        assert_eq!(binomial(0, 0), 1);
        assert_eq!(binomial(61, 30), 232_714_176_627_630_544);
        for n in 1..62 {
            assert_eq!((0..=n).map(|k| binomial(n, k)).sum::<i128>(), 1 << n);
        }
    }
}
