use super::label::width;
use super::rows::{BAR, Labels, ROW, Row, axis, put_bar_beside, rows, scale_beside};
use super::svg::{Anchor, Paint, SIZE, Svg, WIDTH};
use super::{Explanation, PlotError};

/// How the values carry the base value, v(∅), to the output, v(N): a bar for each that begins where the last one ended,
/// the largest first, with whiskers of one standard error if the result has them. Of more than 15 players, the 14
/// largest are shown, and the others together.
///
/// Values that do not sum to v(N) − v(∅), such as Banzhaf values, leave a gap, which is drawn and named.
///
/// # Errors
///
/// [`PlotError`], if there are not as many labels as players, the result has several outputs, or is not finite.
pub fn waterfall(labels: &[impl AsRef<str>], explanation: impl Into<Explanation>) -> Result<String, PlotError> {
    let explanation = explanation.into();
    let output = explanation.only(labels.len())?;
    let mut rows = rows(labels, output);
    let largest = rows.iter().map(|row| row.value.abs()).fold(0.0, f64::max);
    let gap = output.grand - output.baseline - output.values.iter().sum::<f64>();
    // Less than a tenth of a pixel is rounding.
    if gap.abs() > 1e-4 * largest.max((output.grand - output.baseline).abs()) {
        let number = output.format().signed(gap);
        rows.push(Row { label: "not in the values".to_owned(), value: gap, error: None, number });
    }

    let mut at = output.baseline;
    let (mut low, mut high) = (output.baseline.min(output.grand), output.baseline.max(output.grand));
    let mut starts = Vec::with_capacity(rows.len());
    for row in &rows {
        starts.push(at);
        at += row.value;
        let error = row.error.unwrap_or(0.0);
        (low, high) = (low.min(at - error), high.max(at + error));
    }
    let of_rows = rows.iter().map(|row| row.label.as_str());
    let beside = Labels::new(["base value, v(∅)"].into_iter().chain(of_rows).chain(["output, v(N)"]));
    let scale = scale_beside(&rows, &starts, low, high, beside.column);
    let (top, bottom) = (12.0, 16.0 + ROW * (rows.len() + 2) as f64);

    let mut svg = Svg::default();
    axis(&mut svg, scale, top, bottom, "from the base value to the output");
    let middle = |row: usize| top + ROW * (row as f64 + 0.5);
    for (k, (row, start)) in rows.iter().zip(&starts).enumerate() {
        // What one bar hands to the next.
        let x = scale.at(*start);
        let above = middle(k) + if k == 0 { 0.0 } else { BAR / 2.0 };
        svg.line([x, above], [x, middle(k + 1) - BAR / 2.0], 1.0, Paint::Muted, "2 3");
        beside.put(&mut svg, k + 1, middle(k + 1), Paint::Ink);
        put_bar_beside(&mut svg, scale, row, *start, middle(k + 1));
    }
    let last = rows.len();
    let x = scale.at(at);
    svg.line([x, middle(last) + BAR / 2.0], [x, middle(last + 1)], 1.0, Paint::Muted, "2 3");
    for (row, value) in [(0, output.baseline), (last + 1, output.grand)] {
        let (x, y) = (scale.at(value), middle(row));
        beside.put(&mut svg, row, y, Paint::Muted);
        svg.line([x, y - BAR / 2.0], [x, y + BAR / 2.0], 3.0, Paint::Ink, "");
        let number = output.ends_format().plain(value);
        let fits = x + 8.0 + width(&number, SIZE) < WIDTH - 8.0;
        let (x, anchor) = if fits { (x + 8.0, Anchor::Start) } else { (x - 8.0, Anchor::End) };
        svg.text([x, y + SIZE * 0.35], anchor, SIZE, Paint::Ink, &number);
    }
    Ok(svg.finish(WIDTH, bottom + 46.0, &format!("How {} players carry the base value to the output", labels.len())))
}
