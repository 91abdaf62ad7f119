use super::color::sequential;
use super::explanation::Output;
use super::label::clean;
use super::number::Scale;
use super::rows::{MOST_ROWS, axis, label_width, put_label};
use super::svg::{Anchor, Paint, SMALL, Svg, WIDTH};
use super::{Explanation, PlotError};

/// Pixels from one row to the next.
const ROW: f64 = 38.0;

/// Pixels of a dot.
const RADIUS: f64 = 2.6;

/// Many explanations in one picture: a row a player, by mean size of its values; a dot an explanation, where its value
/// is. Dots that would lie on each other stand beside each other. Of more than 15 players the others are left out, and
/// counted below.
///
/// `features` colours the dots: a row of feature values for each explanation, one after the other, a column for each
/// player, or nothing. Colours go by rank within a column, from dark for its smallest value to bright for its largest;
/// the scale ascends in lightness, so it survives grey print. A value that is not finite has no colour. Dots of
/// estimates have lines of one standard error.
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
    let labels: Vec<String> = labels.iter().map(|label| clean(label.as_ref())).collect();
    let column = label_width(shown.iter().map(|&player| labels[player].as_str()));
    let all = || shown.iter().flat_map(|&player| outputs.iter().map(move |o| o.values[player]));
    let (low, high) = all().fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    let scale = Scale { low, high, left: column + 40.0, right: WIDTH - 24.0 };
    let (top, bottom) = (12.0, 16.0 + ROW * shown.len() as f64);

    let mut svg = Svg::default();
    axis(&mut svg, scale, top, bottom, "value");
    svg.line([scale.at(0.0), top], [scale.at(0.0), bottom], 1.5, Paint::Muted, "");
    for (k, &player) in shown.iter().enumerate() {
        let middle = top + ROW * (k as f64 + 0.5);
        put_label(&mut svg, &labels[player], column, middle, Paint::Ink);
        let ranks = ranks(features, player, columns);
        let (mut whiskers, mut dots) = (Vec::new(), Vec::new());
        for (explanation, x, offset) in swarm(&outputs, player, scale) {
            let output = outputs[explanation];
            if let Some(error) = output.whisker(player) {
                let bound = |value: f64| scale.at(value).clamp(scale.left - 20.0, WIDTH - 4.0);
                let (from, to) = (bound(output.values[player] - error), bound(output.values[player] + error));
                whiskers.push(([from, middle + offset], to));
            }
            let color = match ranks.as_ref().map(|ranks| ranks[explanation]) {
                Some(Some(rank)) => sequential(rank),
                Some(None) => [0xff, 0xff, 0xff],
                None => sequential(0.3),
            };
            dots.push(([x, middle + offset], color));
        }
        svg.strokes(&whiskers);
        svg.dots(&dots, RADIUS);
    }
    let mut foot = bottom + 46.0;
    if !features.is_empty() {
        legend(&mut svg, scale, foot);
        foot += 24.0;
    }
    if shown.len() < columns {
        let text = format!("the other {} players are smaller and not shown", columns - shown.len());
        svg.text([12.0, foot + 8.0], Anchor::Start, SMALL, Paint::Muted, &text);
        foot += 20.0;
    }
    Ok(svg.finish(WIDTH, foot, &format!("Values of {columns} players in {rows} explanations")))
}

/// What the colours mean.
fn legend(svg: &mut Svg, scale: Scale, y: f64) {
    const STEPS: usize = 48;
    let middle = (scale.left + scale.right) / 2.0;
    for k in 0..STEPS {
        svg.block([middle - 72.0 + 3.0 * k as f64, y], [3.2, 10.0], sequential(k as f64 / (STEPS - 1) as f64));
    }
    svg.text([middle - 80.0, y + 9.0], Anchor::End, SMALL, Paint::Muted, "smallest value of the feature");
    svg.text([middle + 80.0, y + 9.0], Anchor::Start, SMALL, Paint::Muted, "largest");
}

/// Where each explanation's feature stands among all, from 0 to 1; none for what is no number.
fn ranks(features: &[f64], player: usize, columns: usize) -> Option<Vec<Option<f64>>> {
    if features.is_empty() {
        return None;
    }
    let column: Vec<f64> = features.iter().skip(player).step_by(columns).copied().collect();
    let mut sorted: Vec<f64> = column.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let rank = |value: &f64| {
        // Equal values have one colour: that of the middle of their places.
        let below = sorted.partition_point(|other| other < value);
        let upto = sorted.partition_point(|other| other <= value);
        if sorted.len() < 2 { 0.5 } else { ((below + upto - 1) as f64 / 2.0) / (sorted.len() - 1) as f64 }
    };
    Some(column.iter().map(|value| value.is_finite().then(|| rank(value))).collect())
}

/// Dots side by side: each explanation, its place, and how far it stands from the middle of the row.
fn swarm(outputs: &[&Output], player: usize, scale: Scale) -> Vec<(usize, f64, f64)> {
    let mut dots: Vec<(usize, f64)> =
        outputs.iter().enumerate().map(|(k, o)| (k, scale.at(o.values[player]))).collect();
    dots.sort_by(|(_, left), (_, right)| left.total_cmp(right));
    let step = 2.0 * RADIUS;
    let levels = (ROW / 2.0 - RADIUS - 1.0) / (step * 0.75);
    // The last place taken on each level: 0, +1, −1, +2, ... times three quarters of a dot.
    let mut ends = vec![f64::NEG_INFINITY; 2 * levels as usize + 1];
    dots.into_iter()
        .map(|(explanation, x)| {
            let free = (0..ends.len()).find(|&level| ends[level] + step * 0.85 <= x);
            // Where all levels are taken, the one that was taken first is taken twice.
            let level =
                free.unwrap_or_else(|| (0..ends.len()).min_by(|&a, &b| ends[a].total_cmp(&ends[b])).unwrap_or(0));
            ends[level] = x;
            let away = level.div_ceil(2) as f64 * if level % 2 == 1 { 1.0 } else { -1.0 };
            (explanation, x, away * step * 0.75)
        })
        .collect()
}
