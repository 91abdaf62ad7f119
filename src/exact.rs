//! Exact solvers: their options, and what they return.

mod fold;
mod partial;
mod rows;
mod summary;

use std::fmt;
use std::ops::ControlFlow;

use crate::engine::blocks::check_players;
use crate::engine::partial::{Job, Summation as _};
use crate::engine::settings::Settings;
use crate::table::MOST_PLAYERS;
use crate::weights::check_order;
use crate::{Attribution, Error, Index, Interactions, Progress, Semivalue, Table, TryGame};
pub use partial::{CoalitionSums, ExactPartial};
pub use summary::Summary;

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
/// let says = "4 players are over the limit of 3: an exact answer takes 2^4 = 16 evaluations. ";
/// assert!(error.to_string().starts_with(says));
/// # Ok::<(), Error>(())
/// ```
///
/// The result has the same bits whatever the number of threads and the size of batches.
#[derive(Clone)]
#[must_use]
pub struct Exact<F = fn(&Progress) -> ControlFlow<()>> {
    pub(crate) max_players: usize,
    /// The largest number of players whose interactions a part is for.
    pub(crate) order: usize,
    pub(crate) settings: Settings<F>,
}

impl Exact {
    /// The defaults: at most 30 players, all threads, no observer.
    pub fn new() -> Self {
        Self { max_players: MOST_PLAYERS, order: 1, settings: Settings::new() }
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

    /// The number of threads to ask the game on; more than 1024 are taken for 1024, and 0, the default, for as many as
    /// rayon's current pool has. Without the feature `parallel` there is one, whatever is asked for.
    pub fn threads(mut self, threads: usize) -> Self {
        self.settings.threads = threads;
        self
    }

    /// The most coalitions that one call of the game's [`try_values`](TryGame::try_values) gets; it is rounded down
    /// to a power of two, and at most 4096 (fewer for values of more than a kilobyte).
    ///
    /// By default, or with 0, a batch is a 32nd of each thread's work, and at most 512: small enough to keep all
    /// threads busy and an observer informed. A model that runs best on larger or smaller batches wants to set it.
    pub fn batch(mut self, coalitions: usize) -> Self {
        self.settings.batch = coalitions;
        self
    }

    /// Shows the progress after every batch, and stops the run when `observer` breaks.
    ///
    /// The observer is called by a thread that finished a batch, one call at a time, with counts that only grow;
    /// batches that are finished while it runs are shown together, and the last call has all evaluations. What it
    /// changes it must hold in an atomic or a `Mutex`, since it is called from several threads.
    pub fn observe<O: Fn(&Progress) -> ControlFlow<()> + Sync>(self, observer: O) -> Exact<O> {
        self.with_settings(self.settings.with_observer(Some(observer)))
    }

    pub(crate) fn with_settings<O>(&self, settings: Settings<O>) -> Exact<O> {
        Exact { max_players: self.max_players, order: self.order, settings }
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
    /// 2^n evaluations, each coalition once, in batches of at most 4096. Beside them a few additions for each value.
    ///
    /// Memory for up to 3 blocks of values on each thread, and for n² sums for each doubling of the number of blocks. A
    /// block has 2^10 values for up to 18 players and 2^(n − 8) for more, but at most 4 MiB, counted by the size of the
    /// value type. What a value owns, as one with a `Vec` does, comes on top: 14 players whose values own 16 kB take 48
    /// MB on a thread.
    ///
    /// # Errors
    ///
    /// * [`NoPlayers`](Error::NoPlayers), [`TooManyPlayers`](Error::TooManyPlayers): before any evaluation;
    /// * [`NotFinite`](Error::NotFinite), [`Game`](Error::Game), [`BatchLength`](Error::BatchLength): at the first
    ///   batch that has one; batches begun by other threads are finished, no further one is asked for, and of several
    ///   bad batches the first is reported;
    /// * [`Overflow`](Error::Overflow) if sums of 2^n values do not fit the value type;
    /// * [`Stopped`](Error::Stopped) if the observer broke before all was done;
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
        self.summary(game, 1)?.attribution(&Semivalue::shapley())
    }

    /// The values of a semivalue: Banzhaf, Beta-Shapley, or weights of one's own.
    ///
    /// Cost, errors and panics are those of [`solve`](Self::solve), and
    /// [`WeightLength`](Error::WeightLength) if the weights are for another number of players.
    ///
    /// ```
    /// use shapley::{Exact, Semivalue};
    ///
    /// let game = shapley::from_fn(3, |s| (s.len() * s.len()) as f64);
    /// let noise_reduced = Exact::new().semivalue(&game, &Semivalue::beta(16.0, 1.0)?)?;
    /// assert!(noise_reduced[0] < shapley::exact(&game)?[0]); // small coalitions count more, and gain less
    /// # Ok::<(), shapley::Error>(())
    /// ```
    pub fn semivalue<G: TryGame + ?Sized>(
        &self,
        game: &G,
        semivalue: &Semivalue,
    ) -> Result<Attribution<G::Value>, Error<G::Error>> {
        // Before the game is asked for anything.
        check_players(game.num_players(), self.max_players)?;
        semivalue.weights(game.num_players())?;
        self.summary(game, 1)?.attribution(semivalue)
    }

    /// The interactions of up to `order` players.
    ///
    /// # Cost
    ///
    /// 2^n evaluations, each coalition once. Beside them, for a fixed order, a number of additions a value that does
    /// not grow with n. Memory for n/2 sums for each set of at most `order` players, a few times.
    ///
    /// # Errors
    ///
    /// Those of [`solve`](Self::solve), and [`Order`](Error::Order) unless the order is from 1 to n, the sums are at
    /// most 2^28 (all orders up to n = 24; order 8 at n = 30), and the index's weights fit 128 bits.
    pub fn interactions<G: TryGame + ?Sized>(
        &self,
        game: &G,
        index: Index,
        order: usize,
    ) -> Result<Interactions<G::Value>, Error<G::Error>> {
        // Before the game is asked for anything.
        check_players(game.num_players(), self.max_players)?;
        check_order(index, game.num_players(), order)?;
        self.summary(game, order)?.weighted(index)
    }

    /// All values of a game, as a [`Table`]: with progress, a batch size and a limit of one's own, which
    /// [`Table::tabulate`] does not have.
    ///
    /// Cost, errors and panics are those of [`solve`](Self::solve), and memory is 2^n values; where there is no room
    /// for them, [`TooManyPlayers`](Error::TooManyPlayers) names the most players that there is room for.
    pub fn tabulate<G: TryGame + ?Sized>(&self, game: &G) -> Result<Table<G::Value>, Error<G::Error>> {
        Table::ask(game, self.max_players, &self.settings)
    }

    /// Everything that a pass over all coalitions can tell, for those who want more than one thing: Shapley *and*
    /// Banzhaf values, or several indices, for 2^n evaluations once.
    ///
    /// An `order` of 1 is enough for values; interactions of up to k players take order k, and cost and errors are
    /// those of [`interactions`](Self::interactions). Values from a summary of order 1 are those of
    /// [`solve`](Self::solve) bit for bit; those from a higher order may differ in their last bits, since the sums are
    /// taken in another order.
    ///
    /// ```
    /// use shapley::{Exact, Index, Semivalue};
    ///
    /// let game = shapley::from_fn(3, |s| if s.len() >= 2 { 1.0 } else { 0.0 });
    /// let summary = Exact::new().summary(&game, 2)?;
    /// let power = summary.values(&Semivalue::shapley())?;
    /// let swings = summary.values(&Semivalue::banzhaf())?;
    /// let pairs = summary.interactions(Index::Shapley)?;
    /// assert_eq!((power[0], swings[0], pairs.get(&[0, 1])), (1.0 / 3.0, 0.5, Some(&0.0)));
    /// # Ok::<(), shapley::Error>(())
    /// ```
    pub fn summary<G: TryGame + ?Sized>(&self, game: &G, order: usize) -> Result<Summary<G::Value>, Error<G::Error>> {
        let job = Job::new(self.sums(game.num_players(), order)?, 1, None)?;
        let blocks = 0..job.sums.units();
        self.add_blocks(game, job, blocks, None)?.into_summary()
    }
}

/// The Banzhaf values: each player's marginal contribution, averaged over all coalitions of the others.
///
/// ψᵢ = Σ over S ⊆ N∖{i} of 1/2^(n−1) · [v(S ∪ {i}) − v(S)]
///
/// They do not sum to v(N) − v(∅), and are not rescaled to. Cost and errors are those of [`Exact::solve`]; the source
/// is at [`Semivalue::banzhaf`].
///
/// ```
/// // The Security Council of 1958 to 1965: 5 vetoes, 6 others, 7 votes.
/// let game = shapley::from_fn(11, |s| {
///     let vetoes = s.iter().filter(|&i| i < 5).count();
///     f64::from(u8::from(vetoes == 5 && s.len() >= 7))
/// });
/// let power = shapley::banzhaf(&game)?;
/// assert_eq!((power[0], power[10]), (57.0 / 1024.0, 5.0 / 1024.0));
/// # Ok::<(), shapley::Error>(())
/// ```
pub fn banzhaf<G: TryGame + ?Sized>(game: &G) -> Result<Attribution<G::Value>, Error<G::Error>> {
    Exact::new().semivalue(game, &Semivalue::banzhaf())
}

/// The interactions of up to `order` players: [`Exact::new().interactions(game, index, order)`](Exact::interactions).
///
/// ```
/// use shapley::Index;
///
/// // A left and a right glove are worth something together, two right gloves are not.
/// let game = shapley::from_fn(3, |s| f64::from(u8::from(s.contains(0) && s.len() > 1)));
/// let pairs = shapley::interactions(&game, Index::Shapley, 2)?;
/// assert_eq!(pairs.get(&[0, 1]), Some(&0.5)); // they help each other
/// assert_eq!(pairs.get(&[1, 2]), Some(&-0.5)); // they replace each other
/// # Ok::<(), shapley::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`Exact::interactions`].
pub fn interactions<G: TryGame + ?Sized>(
    game: &G,
    index: Index,
    order: usize,
) -> Result<Interactions<G::Value>, Error<G::Error>> {
    Exact::new().interactions(game, index, order)
}

impl<F> fmt::Debug for Exact<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exact")
            .field("max_players", &self.max_players)
            .field("threads", &self.settings.threads)
            .field("batch", &self.settings.batch)
            .field("observed", &self.settings.observer.is_some())
            .finish()
    }
}
