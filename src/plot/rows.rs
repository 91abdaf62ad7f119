//! What bar and waterfall pictures share: a row a player, the largest first, the rest folded into one.

use super::explanation::Output;
use super::label::{fitted, width};
use super::number::{Scale, tick_text, ticks};
use super::svg::{Anchor, Paint, SIZE, SMALL, Svg, WIDTH};
use crate::display::{isolated, label};

/// Rows of a picture that are read at a glance.
pub(crate) const MOST_ROWS: usize = 15;

/// Pixels from one row to the next.
pub(crate) const ROW: f64 = 30.0;

/// Pixels that bars have at the least, from the lowest number to the highest.
const LEAST_WIDTH: f64 = 40.0;

/// Pixels of a bar's height.
pub(crate) const BAR: f64 = 20.0;

/// A player, or several that were folded.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) value: f64,
    /// What a whisker is drawn of.
    pub(crate) error: Option<f64>,
    pub(crate) number: String,
}

/// The largest players, and the others together.
pub(crate) fn rows(labels: &[impl AsRef<str>], output: &Output) -> Vec<Row> {
    rows_of(labels, output, &output.order(), MOST_ROWS, ", together")
}

/// At most `most` rows of the players in `order`: the last is all the others, named with `ending`, if there are more.
pub(crate) fn rows_of(
    labels: &[impl AsRef<str>],
    output: &Output,
    order: &[usize],
    most: usize,
    ending: &str,
) -> Vec<Row> {
    let shown = if order.len() > most { most - 1 } else { order.len() };
    let mut rows: Vec<Row> = order[..shown]
        .iter()
        .map(|&player| Row {
            label: label(labels[player].as_ref()),
            value: output.values[player],
            error: output.whisker(player),
            number: output.number(player),
        })
        .collect();
    if shown < order.len() {
        let value: f64 = order[shown..].iter().map(|&player| output.values[player]).sum();
        let label = format!("the other {}{ending}", order.len() - shown);
        // Their errors depend on each other, in a way that a result does not tell.
        rows.push(Row { label, value, error: None, number: output.format().signed(value) });
    }
    rows
}

/// The labels at the left of the rows, one for each.
pub(crate) struct Labels<'a> {
    whole: Vec<&'a str>,
    /// As they fit into the column.
    shown: Vec<String>,
    /// How wide the column is.
    pub(crate) column: f64,
}

impl<'a> Labels<'a> {
    pub(crate) fn new(labels: impl Iterator<Item = &'a str>) -> Self {
        let whole: Vec<&str> = labels.collect();
        let column = whole.iter().map(|label| width(label, SIZE)).fold(60.0, f64::max).min(230.0);
        let shown = fitted(&whole, &vec![column; whole.len()], SIZE);
        Self { whole, shown, column }
    }

    /// The label of a row, whose middle is here.
    pub(crate) fn put(&self, svg: &mut Svg, row: usize, middle: f64, paint: Paint) {
        let place = [12.0 + self.column, middle + SIZE * 0.35];
        let [shown, whole] = [self.shown[row].as_str(), self.whole[row]].map(isolated);
        svg.short_text(place, Anchor::End, SIZE, paint, &shown, &whole);
    }
}

/// An axis at the bottom, with lines up to the top.
pub(crate) fn axis(svg: &mut Svg, scale: Scale, top: f64, bottom: f64, caption: &str) {
    let places = ticks(scale.low, scale.high, 5);
    let step = match places.as_slice() {
        [first, second, ..] => second - first,
        _ => places[0].abs(),
    };
    for place in places {
        let x = scale.at(place);
        svg.line([x, top], [x, bottom], 1.0, Paint::Grid, "");
        let text = tick_text(place, step);
        svg.text([x, bottom + 16.0], Anchor::Middle, SMALL, Paint::Muted, &text);
    }
    svg.text([(scale.left + scale.right) / 2.0, bottom + 36.0], Anchor::Middle, SMALL, Paint::Muted, caption);
}

/// A scale for bars from one number to another each, with their numbers beyond them: as wide as labels and numbers let
/// it be.
pub(crate) fn scale_beside(rows: &[Row], starts: &[f64], low: f64, high: f64, column: f64) -> Scale {
    let (least, most) = (column + 28.0, WIDTH - 16.0);
    let mut scale = Scale { low, high, left: least, right: most };
    // Each round makes room for the numbers that stick out; bars shrink by less from round to round.
    for _ in 0..8 {
        let (mut left, mut right) = (0.0_f64, 0.0_f64);
        for (row, start) in rows.iter().zip(starts) {
            let (from, to) = beside(scale, row, *start);
            left = left.max(least - from);
            right = right.max(to - most);
        }
        // Bars of no width say nothing, whatever their numbers are.
        if scale.right - right < scale.left + left + LEAST_WIDTH {
            break;
        }
        (scale.left, scale.right) = (scale.left + left, scale.right - right);
    }
    scale
}

/// What a bar with its number beyond it covers.
fn beside(scale: Scale, row: &Row, start: f64) -> (f64, f64) {
    let (least, most) = reach(scale, row, start);
    let number = width(&row.number, SIZE) + 6.0;
    if row.value < 0.0 { (least - number, most) } else { (least, most + number) }
}

/// What a bar covers, with its whisker.
fn reach(scale: Scale, row: &Row, start: f64) -> (f64, f64) {
    let (end, error) = (start + row.value, row.error.unwrap_or(0.0));
    let ends = [start, end, end - error, end + error].map(|value| scale.at(value));
    ends.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
}

/// A bar and its whisker.
pub(crate) fn put_bar(svg: &mut Svg, scale: Scale, row: &Row, start: f64, middle: f64) {
    let end = start + row.value;
    let title = format!("{}: {}", isolated(&row.label), row.number);
    svg.arrow(scale.at(start), scale.at(end), middle - BAR / 2.0, BAR, Paint::of(row.value), &title);
    if let Some(error) = row.error {
        svg.whisker(scale.at(end - error), scale.at(end + error), middle);
    }
}

/// A bar with its number beyond it.
pub(crate) fn put_bar_beside(svg: &mut Svg, scale: Scale, row: &Row, start: f64, middle: f64) {
    put_bar(svg, scale, row, start, middle);
    let (least, most) = reach(scale, row, start);
    let (x, anchor) = if row.value < 0.0 { (least - 6.0, Anchor::End) } else { (most + 6.0, Anchor::Start) };
    svg.text([x, middle + SIZE * 0.35], anchor, SIZE, Paint::Ink, &row.number);
}
