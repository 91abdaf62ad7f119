use super::label::width;
use super::number::Scale;
use super::rows::{Labels, ROW, axis, put_bar, rows};
use super::svg::{Anchor, Paint, SIZE, Svg, WIDTH};
use super::{Explanation, PlotError};

/// Values as bars, the largest first, with whiskers of one standard error if the result has them. Of more than 15
/// players, the 14 largest are shown, and the sum of the others.
///
/// # Errors
///
/// [`PlotError`], if there are not as many labels as players, the result has several outputs, or is not finite.
///
/// ```
/// let phi = shapley::exact(&shapley::from_fn(3, |s| s.len() as f64))?;
/// let svg = shapley::plot::bar(&["a", "b", "c"], &phi)?;
/// assert!(svg.starts_with("<svg"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn bar(labels: &[impl AsRef<str>], explanation: impl Into<Explanation>) -> Result<String, PlotError> {
    let explanation = explanation.into();
    let output = explanation.only(labels.len())?;
    let rows = rows(labels, output);

    let ends = rows.iter().flat_map(|row| [row.value - row.error.unwrap_or(0.0), row.value + row.error.unwrap_or(0.0)]);
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
    let beside = Labels::new(rows.iter().map(|row| row.label.as_str()));
    let numbers = rows.iter().map(|row| width(&row.number, SIZE)).fold(0.0, f64::max);
    let scale = Scale { low, high, left: beside.column + 32.0, right: WIDTH - 28.0 - (numbers + 10.0) };
    let (top, bottom) = (12.0, 16.0 + ROW * rows.len() as f64);

    let mut svg = Svg::default();
    axis(&mut svg, scale, top, bottom, "value");
    svg.line([scale.at(0.0), top], [scale.at(0.0), bottom], 1.5, Paint::Muted, "");
    for (k, row) in rows.iter().enumerate() {
        let middle = top + ROW * (k as f64 + 0.5);
        beside.put(&mut svg, k, middle, Paint::Ink);
        put_bar(&mut svg, scale, row, 0.0, middle);
        let place = [WIDTH - 16.0, middle + SIZE * 0.35];
        svg.text(place, Anchor::End, SIZE, Paint::Ink, &row.number);
    }
    Ok(svg.finish(WIDTH, bottom + 46.0, &format!("Values of {} players as bars", labels.len())))
}
