//! Estimated interactions: a value and a standard error for each small set of players.

use std::fmt;

use super::student::{scaled, width};
use crate::display::{self, Column, NameOf, Named, Printed, members};
use crate::{Coalition, Interactions, Stopped, Value};

/// Estimated interactions of an index, with standard errors: of every set of at most as many players as the order.
///
/// ```
/// use shapley::{Index, Surrogate};
///
/// // Twelve people; two of them are worth more together, two others less.
/// let game = shapley::from_fn(12, |s| {
///     let both = |i, j| f64::from(u8::from(s.contains(i) && s.contains(j)));
///     s.len() as f64 + 3.0 * both(0, 1) - 2.0 * both(4, 7)
/// });
/// let pairs = Surrogate::new(200).interactions(&game, Index::Shapley, 2)?;
/// let (low, high) = pairs.interval(&[0, 1], 0.95).expect("a pair of players");
/// assert!((low - 1e-9..=high + 1e-9).contains(&3.0));
/// assert_eq!(pairs.strongest(2)[1].0.to_string(), "{4, 7}");
/// # Ok::<(), shapley::Error>(())
/// ```
///
/// `Display` is a table, the largest value first: the players of a set, its value and its standard error, with the
/// digits that the error justifies; `{:#}` has titles, intervals at 95 %, the index and its order, and what the
/// estimate cost, below.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct InteractionEstimate<V> {
    values: Interactions<V>,
    /// In the order of the values.
    std_errors: Interactions<V>,
    evaluations: u64,
    stopped: Stopped,
}

impl<V: Value> InteractionEstimate<V> {
    /// Both have the same sets.
    pub(crate) fn new(
        values: Interactions<V>,
        std_errors: Interactions<V>,
        evaluations: u64,
        stopped: Stopped,
    ) -> Self {
        Self { values, std_errors, evaluations, stopped }
    }

    /// The values, without their errors.
    pub fn values(&self) -> &Interactions<V> {
        &self.values
    }

    /// The interaction of these players, given in any order, twice being once; `None` if there are more of them than
    /// the order, or one does not exist.
    #[must_use]
    pub fn get(&self, players: &[usize]) -> Option<&V> {
        self.values.get(players)
    }

    /// Its standard error: zero only where the value is exact.
    #[must_use]
    pub fn std_error(&self, players: &[usize]) -> Option<&V> {
        self.std_errors.get(players)
    }

    /// An interval that is meant to have the true value with probability `level`, 0.95 for instance: the value ± as
    /// many standard errors as a normal distribution has, 1.96 for 0.95. It is for a set that was chosen beforehand:
    /// sets that were chosen because they look strong are covered less often. `None` where [`get`](Self::get) has none.
    ///
    /// # Panics
    ///
    /// If `level` is not between 0 and 1.
    #[must_use]
    pub fn interval(&self, players: &[usize], level: f64) -> Option<(V, V)> {
        assert!(level > 0.0 && level < 1.0, "an interval cannot have level {level}: it must be between 0 and 1");
        let (value, error) = (self.get(players)?, self.std_error(players)?);
        let width = width(level, f64::INFINITY);
        let half = error.zip_with(error, |error, _| scaled(width, error));
        Some((value.zip_with(&half, |v, h| v - h), value.zip_with(&half, |v, h| v + h)))
    }

    /// The standard errors, in the order of the values.
    #[cfg(feature = "serde")]
    pub(crate) fn std_errors(&self) -> &Interactions<V> {
        &self.std_errors
    }

    /// The `count` sets of two or more players with the largest values, whatever the sign, each with its value and
    /// standard error.
    #[must_use]
    pub fn strongest(&self, count: usize) -> Vec<(Coalition, &V, &V)> {
        let strongest = self.values.strongest(count).into_iter();
        let with_error = |(set, value): (Coalition, _)| {
            let error = self.std_error(&set.iter().collect::<Vec<_>>())?;
            Some((set, value, error))
        };
        strongest.filter_map(with_error).collect()
    }

    /// The evaluations of the game that were made, v(∅) and v(N) included.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// Why the solver stopped; [`Exact`](Stopped::Exact) if all coalitions were asked for.
    #[must_use]
    pub fn stopped(&self) -> Stopped {
        self.stopped
    }

    /// This table with the names of players, for people to read, as [`Interactions::named`] has it.
    pub fn named<'a>(&'a self, names: &'a [impl AsRef<str>]) -> impl fmt::Display + 'a {
        Named { of: self, names }
    }
}

impl<V: Value> fmt::Display for InteractionEstimate<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, None)
    }
}

impl<V: Value> Printed for InteractionEstimate<V> {
    fn print(&self, f: &mut fmt::Formatter<'_>, name: Option<NameOf<'_>>) -> fmt::Result {
        let entries: Vec<_> = self.values.iter().zip(self.std_errors.iter().map(|(_, error)| error)).collect();
        let values = || entries.iter().map(|((_, value), _)| *value);
        let plain = display::decimals_of(values());
        let largest = values().map(V::magnitude).fold(0.0, f64::max);
        let (mut sets, mut texts, mut errors, mut intervals) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for place in display::largest_first(values()) {
            let ((set, value), error) = &entries[place];
            let decimals = display::decimals_of_error(*value, *error, largest).or(plain);
            sets.push(name.map_or_else(|| set.to_string(), |name| members(set, name)));
            texts.push(display::text(*value, decimals, f));
            // An error has no sign, whatever was asked for.
            errors.push(format!("± {}", display::text(*error, decimals, f).trim_start_matches('+')));
            if f.alternate() {
                let (low, high) = self.interval(&set.iter().collect::<Vec<_>>(), 0.95).expect("a set that is there");
                let [low, high] = [low, high].map(|bound| display::text(&bound, decimals, f));
                intervals.push(format!("{low} to {high}"));
            }
        }
        let mut columns = vec![
            ("players", Column::Left(sets)),
            ("value", Column::Point(texts)),
            ("± std. error", Column::Point(errors)),
        ];
        if f.alternate() {
            columns.push(("95% interval", Column::Left(intervals)));
        }
        let foot = [
            ("index", format!("{:?}", self.values.index())),
            ("order", self.values.order().to_string()),
            ("evaluations", self.evaluations.to_string()),
            ("stopped by", format!("{:?}", self.stopped)),
        ];
        display::write(f, columns, &foot)
    }
}
