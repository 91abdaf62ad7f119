use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::color::{Rgb, sequential};
use super::explanation::Output;
use super::number::Scale;
use super::rows::{Labels, MOST_ROWS, axis};
use super::svg::{Anchor, Paint, SMALL, Svg, WIDTH};
use super::{Explanation, PlotError};
use crate::display::label;

/// Pixels from one row to the next.
const ROW: f64 = 38.0;

/// Pixels of a dot.
const RADIUS: f64 = 2.6;

/// Pixels from one dot to the next on a level.
const BESIDE: f64 = 1.7 * RADIUS;

/// Pixels from one level of a row to the next, where there is room.
const LEVEL: f64 = 1.5 * RADIUS;

/// Pixels from the middle of a row to its last level.
const REACH: f64 = ROW / 2.0 - RADIUS - 1.0;

/// The colour of a dot whose feature has no value.
const MISSING: Rgb = [0xff, 0xff, 0xff];

/// Many explanations in one picture: a row a player, by mean size of its values; a dot an explanation, where its value
/// is. Dots that would lie on each other stand above and below each other, so that a row is as high as there are dots
/// near one place. Where that is more than it has room for, all its levels move together until the highest fits, and a
/// line below says how many dots the highest stacks have. Of more than 15 players the others are left out, and counted
/// below.
///
/// `features` colours the dots: a row of feature values for each explanation, one after the other, a column for each
/// player, or nothing. Colours go by rank within a column, from dark for its smallest value to bright for its largest;
/// the scale ascends in lightness, so it survives grey print. NaN is a missing value, and white. Dots of estimates have
/// lines of one standard error.
///
/// # Errors
///
/// [`PlotError`], if there are no explanations, they are not of the same players, they have several outputs, or there
/// are not as many labels or feature values as there must be.
pub fn beeswarm<E: Into<Explanation>>(
    labels: &[impl AsRef<str>],
    explanations: impl IntoIterator<Item = E>,
    features: &[f64],
) -> Result<String, PlotError> {
    let explanations: Vec<Explanation> = explanations.into_iter().map(Into::into).collect();
    for (k, explanation) in explanations.iter().enumerate() {
        let (players, expected) = (explanation.players(), explanations[0].players());
        if players != expected {
            return Err(PlotError::Players { what: format!("explanation {k}"), players, expected });
        }
        explanation.check(labels.len())?;
    }
    let outputs =
        explanations.iter().map(|explanation| explanation.only(labels.len())).collect::<Result<Vec<&Output>, _>>()?;
    let (rows, columns) = (outputs.len(), labels.len());
    if rows == 0 {
        return Err(PlotError::Nothing { what: "no explanations" });
    }
    if !features.is_empty() && features.len() != rows * columns {
        return Err(PlotError::FeatureValues { values: features.len(), rows, columns });
    }

    let sizes: Vec<f64> =
        (0..columns).map(|player| outputs.iter().map(|o| o.values[player].abs() / rows as f64).sum()).collect();
    let order = crate::display::largest_first(sizes.iter());
    let shown = &order[..columns.min(MOST_ROWS)];
    let labels: Vec<String> = shown.iter().map(|&player| label(labels[player].as_ref())).collect();
    let beside = Labels::new(labels.iter().map(String::as_str));
    let all = || shown.iter().flat_map(|&player| outputs.iter().map(move |o| o.values[player]));
    let (low, high) = all().fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    let scale = Scale { low, high, left: beside.column + 40.0, right: WIDTH - 24.0 };
    let (top, bottom) = (12.0, 16.0 + ROW * shown.len() as f64);

    let mut svg = Svg::default();
    axis(&mut svg, scale, top, bottom, &format!("values in {rows} explanations"));
    svg.line([scale.at(0.0), top], [scale.at(0.0), bottom], 1.5, Paint::Muted, "");
    let (mut missing, mut full) = (false, Vec::new());
    for (k, &player) in shown.iter().enumerate() {
        let middle = top + ROW * (k as f64 + 0.5);
        beside.put(&mut svg, k, middle, Paint::Ink);
        let ranks = (!features.is_empty()).then(|| ranks(features, player, columns));
        let (swarm, levels) = swarm(&outputs, player, scale, ranks.as_deref());
        let step = LEVEL.min(REACH / (levels / 2).max(1) as f64);
        if step < LEVEL {
            full.push(levels);
        }
        let (mut whiskers, mut dots) = (Vec::new(), Vec::new());
        for Dot { explanation, x, level } in swarm {
            let offset = level * step;
            let output = outputs[explanation];
            if let Some(error) = output.whisker(player) {
                let bound = |value: f64| scale.at(value).clamp(scale.left - 20.0, WIDTH - 4.0);
                let (from, to) = (bound(output.values[player] - error), bound(output.values[player] + error));
                whiskers.push(([from, middle + offset], to));
            }
            let color = match ranks.as_ref().map(|ranks| ranks[explanation]) {
                Some(Some(rank)) => sequential(rank),
                Some(None) => MISSING,
                None => sequential(0.3),
            };
            missing |= color == MISSING;
            dots.push(([x, middle + offset], color));
        }
        svg.strokes(&whiskers);
        svg.dots(&dots, RADIUS);
    }
    let mut foot = bottom + 46.0;
    if !features.is_empty() {
        legend(&mut svg, scale, foot, missing);
        foot += 24.0;
    }
    if let (Some(least), Some(most)) = (full.iter().min(), full.iter().max()) {
        let range = if least == most { format!("{most}") } else { format!("{least} to {most}") };
        let text = format!("each row is scaled to its highest stack, of {range} dots");
        svg.text([12.0, foot + 8.0], Anchor::Start, SMALL, Paint::Muted, &text);
        foot += 20.0;
    }
    if shown.len() < columns {
        let text = format!("the other {} players are smaller and not shown", columns - shown.len());
        svg.text([12.0, foot + 8.0], Anchor::Start, SMALL, Paint::Muted, &text);
        foot += 20.0;
    }
    Ok(svg.finish(WIDTH, foot, &format!("Values of {columns} players in {rows} explanations")))
}

/// What the colours mean.
fn legend(svg: &mut Svg, scale: Scale, y: f64, missing: bool) {
    const STEPS: usize = 48;
    let middle = (scale.left + scale.right) / 2.0 - if missing { 36.0 } else { 0.0 };
    for k in 0..STEPS {
        svg.block([middle - 72.0 + 3.0 * k as f64, y], [3.2, 10.0], sequential(k as f64 / (STEPS - 1) as f64));
    }
    svg.text([middle - 80.0, y + 9.0], Anchor::End, SMALL, Paint::Muted, "smallest value of the feature");
    svg.text([middle + 80.0, y + 9.0], Anchor::Start, SMALL, Paint::Muted, "largest");
    if missing {
        svg.dots(&[([middle + 145.0, y + 5.0], MISSING)], RADIUS);
        svg.text([middle + 153.0, y + 9.0], Anchor::Start, SMALL, Paint::Muted, "missing");
    }
}

/// Where each explanation's feature stands among all, from 0 for the smallest to 1 for the largest; none for what is
/// missing. Equal values stand in the middle of their places.
fn ranks(features: &[f64], player: usize, columns: usize) -> Vec<Option<f64>> {
    let column: Vec<f64> = features.iter().skip(player).step_by(columns).copied().collect();
    let mut sorted: Vec<f64> = column.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let place = |value: f64| {
        (sorted.partition_point(|other| *other < value) + sorted.partition_point(|other| *other <= value)) as f64
    };
    let first = sorted.first().map_or(0.0, |&value| place(value));
    let span = sorted.last().map_or(0.0, |&value| place(value)) - first;
    let rank = |value: f64| if span > 0.0 { (place(value) - first) / span } else { 0.5 };
    column.iter().map(|&value| (!value.is_nan()).then(|| rank(value))).collect()
}

/// A dot of a row.
struct Dot {
    explanation: usize,
    x: f64,
    /// How far above or below the middle.
    level: f64,
}

impl Dot {
    /// The number of the stretch that it is in, each as wide as a dot takes.
    fn stretch(&self) -> f64 {
        (self.x / BESIDE).floor()
    }
}

/// The dots of a row on their levels, and how many levels there are.
fn swarm(outputs: &[&Output], player: usize, scale: Scale, ranks: Option<&[Option<f64>]>) -> (Vec<Dot>, usize) {
    // Missing ones come last, so that nothing covers them.
    let rank = |dot: &Dot| ranks.map_or(0.0, |ranks| ranks[dot.explanation].unwrap_or(2.0));
    let mut dots: Vec<Dot> = outputs
        .iter()
        .enumerate()
        .map(|(explanation, output)| Dot { explanation, x: scale.at(output.values[player]), level: 0.0 })
        .collect();
    let by_rank = |a: &Dot, b: &Dot| rank(a).total_cmp(&rank(b));
    dots.sort_by(|a, b| a.x.total_cmp(&b.x).then_with(|| by_rank(a, b)));
    let levels = side_by_side(&mut dots);
    if (levels / 2) as f64 * LEVEL <= REACH {
        return (dots, levels);
    }
    dots.sort_by(|a, b| a.stretch().total_cmp(&b.stretch()).then_with(|| by_rank(a, b)));
    let levels = stacked(&mut dots);
    (dots, levels)
}

/// Puts dots, as they come from the left, on the level nearest to the middle where none is in the way.
fn side_by_side(dots: &mut [Dot]) -> usize {
    // Levels that were taken and are free again, and those that are taken, the first to be free in front.
    let (mut free, mut taken) = (BinaryHeap::new(), VecDeque::<(f64, usize)>::new());
    let mut levels = 0;
    for dot in dots {
        while taken.front().is_some_and(|(end, _)| *end <= dot.x) {
            free.extend(taken.pop_front().map(|(_, level)| Reverse(level)));
        }
        let level = free.pop().map_or(levels, |Reverse(level)| level);
        levels = levels.max(level + 1);
        taken.push_back((dot.x + BESIDE, level));
        dot.level = away(level);
    }
    levels
}

/// Where dots cover each other anyhow: those of a stretch stand upon each other, so that many at one place do not push
/// their neighbours aside. The smallest features are in the middle, missing ones outermost.
fn stacked(dots: &mut [Dot]) -> usize {
    let stacks = dots.chunk_by_mut(|a, b| a.stretch().total_cmp(&b.stretch()).is_eq());
    let mut levels = 0;
    for stack in stacks {
        levels = levels.max(stack.len());
        stack.iter_mut().enumerate().for_each(|(level, dot)| dot.level = away(level));
    }
    levels
}

/// How far a level is from the middle: 0, 1, −1, 2, …
fn away(level: usize) -> f64 {
    level.div_ceil(2) as f64 * if level % 2 == 1 { 1.0 } else { -1.0 }
}
