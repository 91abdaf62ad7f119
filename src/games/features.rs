//! A row of data whose columns are the players.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;

use thiserror::Error;

use crate::engine::Random;
use crate::{Coalition, TryGame, Value};

/// Rows of a call of the model, unless said otherwise.
const ROWS_PER_CALL: usize = 4096;

/// The domain of random numbers.
const DOMAIN: &[u8; 24] = b"shapley background, v1.\0";

/// The columns of a row, and what a model says of it when only some of them are known.
///
/// The row to explain is the **instance** x. Absent columns are filled in from each row b of a **background** in turn,
/// and the model's outputs are averaged:
///
/// v(S) = mean over b of f(x on S, b elsewhere)
///
/// so v(N) = f(x), and v(∅) is the mean output over the background. This is the marginal, or *interventional*, value
/// function (Lundberg & Lee 2017, "A unified approach to interpreting model predictions", NeurIPS 30, arXiv:1705.07874;
/// Janzing, Minorics & Blöbaum 2020, "Feature relevance quantification in explainable AI: a causal problem", AISTATS,
/// PMLR 108, arXiv:1910.13413).
///
/// ```
/// use shapley::games::Features;
///
/// // A model of two columns: matrices come row by row, as one slice.
/// let model = |rows: &[f64], columns: usize| rows.chunks(columns).map(|row| 3.0 * row[0] - row[1]).collect::<Vec<_>>();
/// let background = [0.0, 0.0, 2.0, 4.0]; // two rows: (0, 0) and (2, 4)
/// let game = Features::new([5.0, 1.0], background, model);
/// let phi = shapley::exact(&game)?;
/// // Of a linear model, a column's value is its weight times its distance from the background's mean.
/// assert_eq!(phi.values(), [3.0 * (5.0 - 1.0), -(1.0 - 2.0)]);
/// assert_eq!((*phi.baseline(), *phi.grand()), (1.0, 14.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What it means, and what not
///
/// The values say what the *model* makes of each column, relative to the background: a column that the model does not
/// read gets zero, up to the rounding of means, however much it tells about the outcome. They do not say what would
/// happen in the world if a column changed. Columns are replaced independently of each other, so the model is asked
/// about rows that may not exist (a pregnant man); what it says of those counts. The answer depends on the background,
/// so choose it as the population that the row is to be compared with, and say so.
///
/// # The model
///
/// It is given many rows at once, row by row in one slice, and the number of columns, and returns a value for each row:
/// a number, or an array such as `[f64; 3]` if it has several outputs. One that can fail returns a `Result` of these;
/// its error comes back as [`FeaturesError::Model`]. A row's output must not depend on the rows beside it: how rows are
/// spread over calls depends on the solver's batches and threads.
///
/// # Cost
///
/// Each coalition takes as many rows of the model as the background has, the grand coalition one: an exact answer for n
/// players and m background rows takes (2^n − 1) m + 1. A call has at most 4096 rows, or
/// [as many as you say](Self::rows_per_call), and takes 8 bytes a number in memory.
///
/// # Errors
///
/// `new` takes everything. What is wrong with the shapes is an error of [`check`](Self::check), and of the first
/// evaluation. A solver then returns [`Error::Game`](crate::Error::Game), and `{:#}` prints what is wrong:
///
/// ```
/// use shapley::games::Features;
///
/// let model = |rows: &[f64], columns: usize| rows.chunks(columns).map(|row| row[0]).collect::<Vec<f64>>();
/// let game = Features::new([5.0, 1.0], [0.0, 0.0, 2.0], model);
/// assert!(game.check().is_err());
/// let error = format!("{:#}", shapley::exact(&game).unwrap_err());
/// assert!(error.ends_with("a background of 3 numbers does not consist of rows of 2 columns, as the instance has"));
/// ```
#[derive(Clone)]
pub struct Features<F> {
    instance: Vec<f64>,
    /// Row by row.
    background: Vec<f64>,
    model: F,
    /// The columns of each player.
    players: Vec<Vec<usize>>,
    rows_per_call: usize,
}

/// Why [`Features`] have no value. `E` is the model's own error.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeaturesError<E = Infallible> {
    /// The instance has no columns, so there are no players.
    #[error("the instance has no columns")]
    NoColumns {},

    /// There are no background rows to take absent columns from.
    #[error("the background has no rows, so that absent columns have no values")]
    NoBackground {},

    /// The background does not consist of rows as long as the instance.
    #[error("a background of {values} numbers does not consist of rows of {columns} columns, as the instance has")]
    Background {
        /// The numbers in the background.
        values: usize,
        /// The columns of the instance.
        columns: usize,
    },

    /// A group has no columns.
    #[error("group {group} has no columns")]
    EmptyGroup {
        /// The group, from 0.
        group: usize,
    },

    /// A group names a column that the instance does not have.
    #[error("group {group} names column {column}, and the instance has {columns}")]
    NoSuchColumn {
        /// The group, from 0.
        group: usize,
        /// The column.
        column: usize,
        /// The columns of the instance.
        columns: usize,
    },

    /// A column is named twice.
    #[error("column {column} is in group {first} and again in group {second}")]
    ColumnTwice {
        /// The column.
        column: usize,
        /// The group that names it first.
        first: usize,
        /// The group that names it again.
        second: usize,
    },

    /// The model did not give one output for each row.
    #[error("the model was given {rows} rows and returned {got} outputs")]
    Outputs {
        /// The rows it was given.
        rows: usize,
        /// The outputs it returned.
        got: usize,
    },

    /// The model failed.
    #[error("the model failed")]
    Model {
        /// What it says.
        source: E,
    },
}

/// What a model returns for a matrix: a `Vec` with a value for each row, or a `Result` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what a model of `Features` returns",
    note = "a model returns a `Vec` with a value for each row: f64, f32, or `[f64; N]` for N outputs",
    note = "a model that can fail returns one `Result<Vec<_>, E>` for all rows: `.collect::<Result<Vec<_>, E>>()` \
            makes it of one `Result` for each row; E must implement `std::error::Error`"
)]
pub trait Outputs {
    /// What the model says of a row.
    type Value: Value;
    /// Why it fails.
    type Error: StdError + Send + Sync + 'static;

    /// The values, or the error.
    ///
    /// # Errors
    ///
    /// The model's own.
    fn into_result(self) -> Result<Vec<Self::Value>, Self::Error>;
}

impl<V: Value> Outputs for Vec<V> {
    type Value = V;
    type Error = Infallible;

    fn into_result(self) -> Result<Vec<V>, Infallible> {
        Ok(self)
    }
}

impl<V: Value, E: StdError + Send + Sync + 'static> Outputs for Result<Vec<V>, E> {
    type Value = V;
    type Error = E;

    fn into_result(self) -> Self {
        self
    }
}

impl<F, O: Outputs> Features<F>
where
    F: Fn(&[f64], usize) -> O + Sync,
{
    /// The columns of `instance`, with a background of rows of as many columns, one row after the other.
    ///
    /// The model is given rows, and their number of columns.
    #[must_use]
    pub fn new(instance: impl AsRef<[f64]>, background: impl AsRef<[f64]>, model: F) -> Self {
        let instance = instance.as_ref().to_vec();
        let players = (0..instance.len()).map(|column| vec![column]).collect();
        let background = background.as_ref().to_vec();
        Self { instance, background, model, players, rows_per_call: ROWS_PER_CALL }
    }
}

impl<F> Features<F> {
    /// Makes one player of several columns: those of a category in one-hot code, say, which only come together.
    ///
    /// Called again, it replaces the groups before. Group k becomes player k. Columns that no group names follow, as
    /// players of their own, in their order.
    ///
    /// ```
    /// use shapley::games::Features;
    ///
    /// let model = |rows: &[f64], columns: usize| rows.chunks(columns).map(|row| row.iter().sum()).collect::<Vec<f64>>();
    /// let game = Features::new([1.0, 0.0, 7.0, 5.0], [0.0; 4], model).groups([[2, 3]]);
    /// assert_eq!(game.players(), [vec![2, 3], vec![0], vec![1]]);
    /// assert_eq!(shapley::exact(&game)?.values(), [12.0, 1.0, 0.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn groups<G: AsRef<[usize]>>(mut self, groups: impl IntoIterator<Item = G>) -> Self {
        self.players = groups.into_iter().map(|group| group.as_ref().to_vec()).collect();
        let mut is_named = vec![false; self.instance.len()];
        for &column in self.players.iter().flatten() {
            if let Some(is_named) = is_named.get_mut(column) {
                *is_named = true;
            }
        }
        self.players.extend((0..is_named.len()).filter(|&column| !is_named[column]).map(|column| vec![column]));
        self
    }

    /// Keeps so many rows of the background, drawn without replacement, in their order; all, if there are no more.
    ///
    /// The same seed draws the same rows of a background of as many rows, on every machine. The values are then those
    /// of this smaller background, and nothing says how far they are from those of the whole: compare seeds.
    #[must_use]
    pub fn background_sample(mut self, rows: usize, seed: u64) -> Self {
        let columns = self.instance.len().max(1);
        let all = self.background.len() / columns;
        // What is no whole number of rows stays as it is, to be refused.
        if rows >= all || !self.background.len().is_multiple_of(columns) {
            return self;
        }
        let drawn = Random::new(DOMAIN, seed, 0).choose(rows, all);
        self.background = drawn.iter().flat_map(|row| &self.background[row * columns..][..columns]).copied().collect();
        self
    }

    /// The most rows that the model is given at once, at least one.
    #[must_use]
    pub fn rows_per_call(self, rows: usize) -> Self {
        Self { rows_per_call: rows.max(1), ..self }
    }

    /// The row that is explained.
    #[must_use]
    pub fn instance(&self) -> &[f64] {
        &self.instance
    }

    /// The background, row by row.
    #[must_use]
    pub fn background(&self) -> &[f64] {
        &self.background
    }

    /// The columns of each player.
    #[must_use]
    pub fn players(&self) -> &[Vec<usize>] {
        &self.players
    }

    /// Whether all shapes fit, without asking the model.
    ///
    /// # Errors
    ///
    /// All of [`FeaturesError`] but those of the model.
    pub fn check(&self) -> Result<(), FeaturesError> {
        self.check_shapes()
    }

    fn check_shapes<E>(&self) -> Result<(), FeaturesError<E>> {
        let columns = self.instance.len();
        if columns == 0 {
            return Err(FeaturesError::NoColumns {});
        }
        if self.background.is_empty() {
            return Err(FeaturesError::NoBackground {});
        }
        if !self.background.len().is_multiple_of(columns) {
            return Err(FeaturesError::Background { values: self.background.len(), columns });
        }
        let mut named = vec![None; columns];
        for (group, columns_of_group) in self.players.iter().enumerate() {
            if columns_of_group.is_empty() {
                return Err(FeaturesError::EmptyGroup { group });
            }
            for &column in columns_of_group {
                let named = named.get_mut(column).ok_or(FeaturesError::NoSuchColumn { group, column, columns })?;
                if let Some(first) = named.replace(group) {
                    return Err(FeaturesError::ColumnTwice { column, first, second: group });
                }
            }
        }
        Ok(())
    }
}

impl<F, O: Outputs> TryGame for Features<F>
where
    F: Fn(&[f64], usize) -> O + Sync,
{
    type Value = O::Value;
    type Error = FeaturesError<O::Error>;

    fn num_players(&self) -> usize {
        self.players.len()
    }

    fn try_value(&self, coalition: &Coalition) -> Result<O::Value, Self::Error> {
        let mut values = Vec::with_capacity(1);
        self.try_values(std::slice::from_ref(coalition), &mut values)?;
        Ok(values.pop().expect("a mean for each coalition"))
    }

    fn try_values(&self, coalitions: &[Coalition], values: &mut Vec<O::Value>) -> Result<(), Self::Error> {
        self.check_shapes()?;
        let columns = self.instance.len();
        let background_rows = self.background.len() / columns;
        let mut call = Call { game: self, rows: Vec::new(), values, expected: VecDeque::new(), sum: None, taken: 0 };
        let mut present = vec![false; columns];
        for coalition in coalitions {
            if coalition.is_grand() {
                // Whatever the background: it does not show.
                call.expected.push_back(1);
                call.row(self.instance.iter().copied())?;
                continue;
            }
            present.fill(false);
            coalition.iter().flat_map(|player| &self.players[player]).for_each(|&column| present[column] = true);
            call.expected.push_back(background_rows);
            for other in self.background.chunks_exact(columns) {
                let either = self.instance.iter().zip(other).zip(&present);
                call.row(either.map(|((&own, &other), &is_present)| if is_present { own } else { other }))?;
            }
        }
        call.send()
    }
}

/// Rows that wait for the model, and the means of its outputs, which come in order. Sums are made in the order of the
/// background, so that they have the same bits however the rows are spread over calls.
struct Call<'a, F, V> {
    game: &'a Features<F>,
    rows: Vec<f64>,
    values: &'a mut Vec<V>,
    /// How many outputs each of the next values is a mean of.
    expected: VecDeque<usize>,
    sum: Option<V>,
    taken: usize,
}

impl<F, O: Outputs> Call<'_, F, O::Value>
where
    F: Fn(&[f64], usize) -> O + Sync,
{
    fn row(&mut self, row: impl Iterator<Item = f64>) -> Result<(), FeaturesError<O::Error>> {
        self.rows.extend(row);
        if self.rows.len() >= self.game.rows_per_call.saturating_mul(self.game.instance.len()) {
            self.send()
        } else {
            Ok(())
        }
    }

    /// Has the model look at the rows that wait.
    fn send(&mut self) -> Result<(), FeaturesError<O::Error>> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let columns = self.game.instance.len();
        let outputs = (self.game.model)(&self.rows, columns).into_result();
        let outputs = outputs.map_err(|source| FeaturesError::Model { source })?;
        let rows = self.rows.len() / columns;
        if outputs.len() != rows {
            return Err(FeaturesError::Outputs { rows, got: outputs.len() });
        }
        self.rows.clear();
        outputs.into_iter().for_each(|output| self.take(output));
        Ok(())
    }

    fn take(&mut self, output: O::Value) {
        match &mut self.sum {
            None => self.sum = Some(output),
            Some(sum) => sum.add_assign(&output),
        }
        self.taken += 1;
        if self.expected.front() == Some(&self.taken)
            && let Some(mut sum) = self.sum.take()
        {
            sum.scale(1, self.taken as i128);
            self.values.push(sum);
            self.expected.pop_front();
            self.taken = 0;
        }
    }
}

impl<F> fmt::Debug for Features<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Features")
            .field("instance", &self.instance)
            .field("background_rows", &(self.background.len() / self.instance.len().max(1)))
            .field("players", &self.players)
            .finish_non_exhaustive()
    }
}
