//! The result of an exact solver, and of closed forms.

use std::fmt;
use std::ops::Index;

use crate::Value;
use crate::display::{self, Column, NameOf, Named, Printed};

/// One value for each player, with what they share out and what it cost.
///
/// [`exact`](crate::exact) returns Shapley values: they sum to [`grand`](Self::grand) − [`baseline`](Self::baseline),
/// up to rounding. Other values that come in this type need not: their solvers say so.
///
/// `Display` is a table, the largest value first: a line a player, with its number and its value. Without a precision
/// there are six significant digits of the largest value, less zeros that end all of them. `{:.3}` has three decimals
/// and `{:+}` a sign; `{:#}` has titles, and v(∅), v(N) and the evaluations below.
///
/// ```
/// let phi = shapley::exact(&shapley::from_fn(2, |s| [100.0, 200.0, 400.0][s.len()]))?;
/// assert_eq!(phi.values(), [150.0, 150.0]);
/// assert_eq!((*phi.baseline(), *phi.grand(), phi.evaluations()), (100.0, 400.0, 4));
/// assert_eq!(phi.to_string(), "0  150\n1  150");
/// assert_eq!(format!("{phi:+.1}"), "0  +150.0\n1  +150.0");
/// # Ok::<(), shapley::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Attribution<V> {
    values: Vec<V>,
    baseline: V,
    grand: V,
    evaluations: u64,
}

impl<V> Attribution<V> {
    pub(crate) fn new(values: Vec<V>, baseline: V, grand: V, evaluations: u64) -> Self {
        Self { values, baseline, grand, evaluations }
    }

    /// The players' values, player 0 first.
    #[must_use]
    pub fn values(&self) -> &[V] {
        &self.values
    }

    /// The players' values, player 0 first, without a copy.
    #[must_use]
    pub fn into_values(self) -> Vec<V> {
        self.values
    }

    /// The value of the empty coalition, v(∅).
    #[must_use]
    pub fn baseline(&self) -> &V {
        &self.baseline
    }

    /// The value of the grand coalition, v(N).
    #[must_use]
    pub fn grand(&self) -> &V {
        &self.grand
    }

    /// How many values of the game were asked for.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// The number of players, which is at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a game without players is an error, so no result is empty")]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The players' values, player 0 first.
    pub fn iter(&self) -> std::slice::Iter<'_, V> {
        self.values.iter()
    }
}

/// The value of a player.
///
/// # Panics
///
/// If the player does not exist.
impl<V> Index<usize> for Attribution<V> {
    type Output = V;

    fn index(&self, player: usize) -> &V {
        &self.values[player]
    }
}

impl<'a, V> IntoIterator for &'a Attribution<V> {
    type Item = &'a V;
    type IntoIter = std::slice::Iter<'a, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<V> AsRef<[V]> for Attribution<V> {
    fn as_ref(&self) -> &[V] {
        &self.values
    }
}

impl<V: Value> Attribution<V> {
    /// This table with the names of players, for people to read. A player without a name has its number, and names
    /// beyond the number of players are not used. The formats are those of `Display`.
    ///
    /// ```
    /// let phi = shapley::exact(&shapley::from_fn(2, |s| if s.contains(1) { 12.0 } else { 0.0 }))?;
    /// assert_eq!(phi.named(&["Ann", "Bob"]).to_string(), "Bob  12\nAnn   0");
    /// assert_eq!(format!("{:+.1}", phi.named(&["Ann"])), "1    +12.0\nAnn   +0.0");
    /// # Ok::<(), shapley::Error>(())
    /// ```
    pub fn named<'a>(&'a self, names: &'a [impl AsRef<str>]) -> impl fmt::Display + 'a {
        Named { of: self, names }
    }
}

impl<V: Value> fmt::Display for Attribution<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, None)
    }
}

impl<V: Value> Printed for Attribution<V> {
    fn print(&self, f: &mut fmt::Formatter<'_>, name: Option<NameOf<'_>>) -> fmt::Result {
        let order = display::largest_first(self.iter());
        let decimals = display::decimals_of(self.iter());
        let shown = |value: &V| display::text(value, decimals, f);
        let values = order.iter().map(|&player| shown(&self[player])).collect();
        let foot = [
            ("v(∅)", shown(&self.baseline)),
            ("v(N)", shown(&self.grand)),
            ("evaluations", self.evaluations.to_string()),
        ];
        display::write(f, vec![("player", display::players(&order, name)), ("value", Column::Point(values))], &foot)
    }
}
