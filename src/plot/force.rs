use super::explanation::Output;
use super::label::{fitted, width};
use super::number::Scale;
use super::rows::{Row, axis, rows_of};
use super::svg::{Anchor, Paint, SMALL, Svg, WIDTH};
use super::{Explanation, PlotError};
use crate::display::isolated;

/// Pixels of a lane's height.
const LANE: f64 = 28.0;

/// Parts of a lane: more of them are too narrow to be seen, and are one.
const MOST_PARTS: usize = 30;

/// Pixels of a part that has a whisker: on narrower ones they would lie on each other.
const NARROWEST_WITH_WHISKER: f64 = 12.0;

/// Pixels of a name beside a lane.
const NAME: f64 = 120.0;

/// Where all that is drawn begins and ends, at the sides.
const MARGIN: f64 = 24.0;

/// Two forces: what adds carries the base value up, in the upper lane; what takes away carries it down to the output,
/// in the lower one. The largest come first. Names stand in their parts where there is room, and beside the lane where
/// not; those of the smallest are seen by pointing at them. Of more than 30 in a lane, the smallest are one part. Ends
/// of wide parts have whiskers of one standard error if the result has them.
///
/// # Errors
///
/// [`PlotError`], if there are not as many labels as players, the result has several outputs, or is not finite.
pub fn force(labels: &[impl AsRef<str>], explanation: impl Into<Explanation>) -> Result<String, PlotError> {
    let explanation = explanation.into();
    let output = explanation.only(labels.len())?;
    let (ups, peak) = lane(labels, output, output.baseline, |value| value > 0.0);
    let (downs, end) = lane(labels, output, peak, |value| value < 0.0);
    let (low, high) = (output.baseline.min(end).min(output.grand), peak.max(output.grand));
    let scale = Scale { low, high, left: MARGIN, right: WIDTH - MARGIN };

    let mut svg = Svg::default();
    let (upper, lower) = (84.0, 84.0 + LANE + 8.0);
    axis(&mut svg, scale, upper - 10.0, lower + LANE + 62.0, "from the base value to the output");
    let format = output.ends_format();
    let base = format!("base value {}", format.plain(output.baseline));
    let result = format!("output {}", format.plain(output.grand));
    mark(&mut svg, scale.at(output.baseline), [upper - 52.0, upper + LANE + 4.0], 20.0, &base);
    mark(&mut svg, scale.at(output.grand), [lower - 4.0, lower + LANE + 44.0], lower + LANE + 58.0, &result);
    let names: Vec<&str> = ups.iter().chain(&downs).map(|(row, _)| row.label.as_str()).collect();
    let short = fitted(&names, &vec![NAME; names.len()], SMALL);
    let (short_ups, short_downs) = short.split_at(ups.len());
    for (segments, short, top, up) in [(&ups, short_ups, upper, true), (&downs, short_downs, lower, false)] {
        put_lane(&mut svg, scale, segments, short, top, up);
    }
    Ok(svg.finish(WIDTH, lower + LANE + 108.0, &format!("Forces of {} players upon the output", labels.len())))
}

/// A place with a name, and a line through the lanes.
fn mark(svg: &mut Svg, x: f64, [top, bottom]: [f64; 2], text_at: f64, text: &str) {
    svg.line([x, top], [x, bottom], 1.5, Paint::Ink, "");
    let half = width(text, SMALL) / 2.0;
    let x = x.clamp(half + 6.0, WIDTH - half - 6.0);
    svg.text([x, text_at], Anchor::Middle, SMALL, Paint::Ink, text);
}

/// The parts of the players whose values are of one kind, one after the other, and where they end.
fn lane(labels: &[impl AsRef<str>], output: &Output, start: f64, kind: fn(f64) -> bool) -> (Vec<(Row, f64)>, f64) {
    let players: Vec<usize> = output.order().into_iter().filter(|&player| kind(output.values[player])).collect();
    let mut at = start;
    let segment = |row: Row| {
        let from = at;
        at += row.value;
        (row, from)
    };
    let segments = rows_of(labels, output, &players, MOST_PARTS, "").into_iter().map(segment).collect();
    (segments, at)
}

fn put_lane(svg: &mut Svg, scale: Scale, segments: &[(Row, f64)], short: &[String], top: f64, up: bool) {
    let paint = if up { Paint::Positive } else { Paint::Negative };
    let mut outside = Vec::new();
    for ((row, start), short) in segments.iter().zip(short) {
        let (from, to) = (scale.at(*start), scale.at(start + row.value));
        let label = isolated(&row.label);
        let title = format!("{label}: {}", row.number);
        svg.arrow(from, to, top, LANE, paint, &title);
        let middle = (from + to) / 2.0 + if up { -3.0 } else { 3.0 };
        let room = (to - from).abs() - 16.0;
        let whole = format!("{label} {}", row.number);
        let inside = [&whole, &label].into_iter().find(|text| width(text, SMALL) <= room);
        if let Some(text) = inside {
            svg.short_text([middle, top + LANE / 2.0 + 4.0], Anchor::Middle, SMALL, paint.upon(), text, &whole);
        } else {
            outside.push((middle, isolated(short), whole));
        }
    }
    // Whiskers come last, upon the parts beside.
    for (row, start) in segments {
        let end = start + row.value;
        let wide = (scale.at(end) - scale.at(*start)).abs() >= NARROWEST_WITH_WHISKER;
        if let Some(error) = row.error.filter(|_| wide) {
            let bound = |x: f64| scale.at(x).clamp(2.0, WIDTH - 2.0);
            svg.whisker(bound(end - error), bound(end + error), top + if up { LANE - 4.0 } else { 4.0 });
        }
    }
    put_outside(svg, &outside, top, up);
}

/// Names beside a lane: as many of the largest as there is room for, none upon another, each with a line to its part.
fn put_outside(svg: &mut Svg, outside: &[(f64, String, String)], top: f64, up: bool) {
    const GAP: f64 = 10.0;
    let mut room = WIDTH - 2.0 * MARGIN;
    let fits = |(_, text, _): &&(f64, String, String)| {
        room -= width(text, SMALL) + GAP;
        room >= 0.0
    };
    let mut placed: Vec<_> = outside.iter().take_while(fits).collect();
    placed.sort_by(|(left, ..), (right, ..)| left.total_cmp(right));
    // Each as near to its part as those before it let it, then all pushed back from the right edge.
    let mut starts = Vec::with_capacity(placed.len());
    let mut free = MARGIN;
    for (middle, text, _) in &placed {
        let start = (middle - width(text, SMALL) / 2.0).max(free);
        starts.push(start);
        free = start + width(text, SMALL) + GAP;
    }
    let mut edge = WIDTH - MARGIN;
    for (start, (_, text, _)) in starts.iter_mut().zip(&placed).rev() {
        *start = start.min(edge - width(text, SMALL));
        edge = *start - GAP;
    }
    for (start, (middle, text, whole)) in starts.iter().zip(&placed) {
        let (near, far, base) =
            if up { (top, top - 16.0, top - 20.0) } else { (top + LANE, top + LANE + 16.0, top + LANE + 28.0) };
        let center = start + width(text, SMALL) / 2.0;
        svg.line([*middle, near], [center, far], 1.0, Paint::Muted, "");
        svg.text_on_lines([center, base], SMALL, text, whole);
    }
}
