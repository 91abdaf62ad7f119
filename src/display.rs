//! How results are printed: aligned tables, largest first, with as many digits as mean something.

use std::cmp::Ordering;
use std::fmt;

use crate::value::Shown;
use crate::{Coalition, Value};

mod visible;

pub(crate) use visible::Visible;
use visible::count;
// For names in pictures too.
pub(crate) use visible::{isolated, label};

/// What is written for a player: its name, or its number if it has none.
pub(crate) type NameOf<'a> = &'a dyn Fn(usize) -> String;

/// What can be printed with the names of players, or with their numbers.
pub(crate) trait Printed {
    fn print(&self, f: &mut fmt::Formatter<'_>, name: Option<NameOf<'_>>) -> fmt::Result;
}

/// Prints with names. A player without one has its number; names without a player are not used.
pub(crate) struct Named<'a, T, N> {
    pub(crate) of: &'a T,
    pub(crate) names: &'a [N],
}

impl<T: Printed, N: AsRef<str>> fmt::Display for Named<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |player: usize| match self.names.get(player) {
            Some(name) => isolated(&label(name.as_ref())),
            None => player.to_string(),
        };
        self.of.print(f, Some(&name))
    }
}

/// The members of a coalition, as `Display` writes them, with names.
pub(crate) fn members(coalition: &Coalition, name: NameOf<'_>) -> String {
    format!("{{{}}}", coalition.iter().map(name).collect::<Vec<_>>().join(", "))
}

/// The players in this order: numbers to the right, names to the left.
pub(crate) fn players(order: &[usize], name: Option<NameOf<'_>>) -> Column {
    match name {
        None => Column::Right(order.iter().map(ToString::to_string).collect()),
        Some(name) => Column::Left(order.iter().map(|&player| name(player)).collect()),
    }
}

/// Significant digits of the largest value of an exact result, where nobody asked for a precision.
const DIGITS: i32 = 6;

/// Significant digits of a standard error: its own relative error is that of tens of samples at best.
const DIGITS_OF_ERROR: i32 = 2;

/// More decimals than this are read as an exponent.
const MOST_DECIMALS: i32 = 12;

/// The decimals at which `size` has so many significant digits; none where it is zero or no number.
pub(crate) fn decimals(size: f64, digits: i32) -> Option<i32> {
    (size.is_finite() && size > 0.0).then(|| digits - 1 - size.log10().floor() as i32)
}

/// The decimals for values without an error: six digits of the largest, less the zeros that would end all of them.
pub(crate) fn decimals_of<'a, V: Value + 'a>(values: impl Iterator<Item = &'a V>) -> Option<usize> {
    let all: Vec<f64> = values.flat_map(V::components).collect();
    let largest = all.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    let Some(decimals) = decimals(largest, DIGITS) else { return (largest <= 0.0).then_some(0) };
    if !(DIGITS - 16..=MOST_DECIMALS).contains(&decimals) {
        return None;
    }
    let decimals = decimals.max(0) as usize;
    let zeros = |value: &f64| {
        let text = format!("{value:.decimals$}");
        text.len() - text.trim_end_matches('0').len()
    };
    Some(decimals - all.iter().map(zeros).min().unwrap_or(0).min(decimals))
}

/// An error of less than this part of the largest value is one of rounding: no number of samples makes it so small.
const ROUNDING: f64 = 1e-9;

/// The decimals that a standard error justifies, beside values up to `largest`: two digits of the smallest of its
/// components. None where the error is zero, unknown or rounding.
pub(crate) fn decimals_of_error<V: Value>(value: &V, error: &V, largest: f64) -> Option<usize> {
    let counts = |error: &f64| error.is_finite() && *error > ROUNDING * largest;
    let finest = error.components().filter(counts).fold(f64::INFINITY, f64::min);
    // A float has no more than 17 digits to show, whatever the error says.
    let most = decimals(value.magnitude(), 17).unwrap_or(MOST_DECIMALS).min(MOST_DECIMALS);
    decimals(finest, DIGITS_OF_ERROR).map(|decimals| decimals.min(most).max(0) as usize)
}

/// A value with the formatter's sign, and its precision or another.
pub(crate) fn text<V: Value>(value: &V, decimals: Option<usize>, f: &fmt::Formatter<'_>) -> String {
    let value = Shown(value);
    let text = match (f.precision().or(decimals), f.sign_plus()) {
        (Some(digits), true) => format!("{value:+.digits$}"),
        (Some(digits), false) => format!("{value:.digits$}"),
        (None, true) => format!("{value:+}"),
        (None, false) => format!("{value}"),
    };
    positive_zero(text, f.sign_plus())
}

/// Nobody wants to read "-0.000".
fn positive_zero(text: String, sign: bool) -> String {
    match text.strip_prefix('-') {
        Some(rest) if !rest.is_empty() && rest.bytes().all(|byte| matches!(byte, b'0' | b'.')) => {
            format!("{}{rest}", if sign { "+" } else { "" })
        }
        _ => text,
    }
}

/// The numbers of the values, the largest first; those of one size in their order.
pub(crate) fn largest_first<'a, V: Value + 'a>(values: impl Iterator<Item = &'a V>) -> Vec<usize> {
    let sizes: Vec<f64> = values.map(Value::magnitude).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&i, &j| sizes[j].partial_cmp(&sizes[i]).unwrap_or(Ordering::Equal));
    order
}

/// A column of texts, one under the other.
pub(crate) enum Column {
    Left(Vec<String>),
    Right(Vec<String>),
    /// Decimal points under each other.
    Point(Vec<String>),
}

impl Column {
    /// The cells, all of one width, beneath a title.
    fn cells(self, title: Option<&str>) -> Vec<String> {
        let (left, mut texts) = match self {
            Self::Left(texts) => (true, texts),
            Self::Right(texts) => (false, texts),
            Self::Point(mut texts) => {
                let tail = |text: &str| text.rfind('.').map_or(0, |point| count(&text[point..]));
                let most = texts.iter().map(|text| tail(text)).max().unwrap_or(0);
                texts.iter_mut().for_each(|text| text.push_str(&" ".repeat(most - tail(text))));
                (false, texts)
            }
        };
        if let Some(title) = title {
            texts.insert(0, title.to_owned());
        }
        let width = texts.iter().map(|text| count(text)).max().unwrap_or(0);
        for text in &mut texts {
            let space = " ".repeat(width - count(text));
            *text = if left { format!("{text}{space}") } else { format!("{space}{text}") };
        }
        texts
    }
}

/// Writes a table; with `{:#}` its titles and its foot too.
pub(crate) fn write(f: &mut fmt::Formatter<'_>, columns: Vec<(&str, Column)>, foot: &[(&str, String)]) -> fmt::Result {
    let whole = f.alternate();
    let columns: Vec<Vec<String>> =
        columns.into_iter().map(|(title, column)| column.cells(whole.then_some(title))).collect();
    let rows = columns.first().map_or(0, Vec::len);
    for row in 0..rows {
        if row > 0 {
            writeln!(f)?;
        }
        let cells: Vec<&str> = columns.iter().map(|column| column[row].as_str()).collect();
        f.write_str(cells.join("  ").trim_end())?;
    }
    if whole {
        let width = foot.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        writeln!(f)?;
        for (name, text) in foot {
            write!(f, "\n{name}{}  {text}", " ".repeat(width - name.chars().count()))?;
        }
    }
    Ok(())
}
