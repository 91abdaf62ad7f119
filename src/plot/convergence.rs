use super::PlotError;
use super::number::Format;
use super::svg::{Anchor, Paint, SMALL, Svg, WIDTH};
use crate::Progress;

/// How an estimate grew sure of itself: the half width of its widest interval against the evaluations paid, both on
/// logarithmic scales, as an observer saw them. A dashed line has the slope of 1/√evaluations, on which a sampler
/// converges.
///
/// # Errors
///
/// [`Nothing`](PlotError::Nothing) if no progress has a half width that is finite and positive: exact solvers have
/// none, nor has a sampler before its second sample.
///
/// ```
/// use std::{ops::ControlFlow, sync::Mutex};
/// use shapley::{Permutation, Progress, plot};
///
/// let game = shapley::from_fn(12, |s| (s.len() as f64).sqrt() * s.iter().sum::<usize>() as f64);
/// let seen = Mutex::new(Vec::new());
/// let note = |progress: &Progress| {
///     seen.lock().unwrap().push(progress.clone());
///     ControlFlow::Continue(())
/// };
/// let _ = Permutation::new(20_000).observe(note).estimate(&game)?;
/// assert!(plot::convergence(&seen.into_inner()?)?.starts_with("<svg"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn convergence(progress: &[Progress]) -> Result<String, PlotError> {
    let mut seen: Vec<(f64, f64)> = progress
        .iter()
        .map(|p| (p.evaluations as f64, p.half_width))
        .filter(|(evaluations, half)| *evaluations > 0.0 && half.is_normal() && *half > 0.0)
        .collect();
    seen.sort_by(|(left, _), (right, _)| left.total_cmp(right));
    seen.dedup_by(|(later, _), (first, _)| later.total_cmp(first).is_eq());
    let (Some(&(first, _)), Some(&(last, final_half))) = (seen.first(), seen.last()) else {
        return Err(PlotError::Nothing { what: "no progress has a half width that is finite and positive" });
    };
    let halves = seen.iter().map(|(_, half)| half.log10());
    let (low, high) = halves.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), half| (l.min(half), h.max(half)));
    let (left, right, top, bottom) = (96.0, WIDTH - 32.0, 24.0, 316.0);
    let (x_low, x_high) = decades(first.log10(), last.log10());
    let (y_low, y_high) = decades(low, high);
    let x = |evaluations: f64| left + (right - left) * (evaluations.log10() - x_low) / (x_high - x_low);
    let y = |half: f64| bottom - (bottom - top) * (half.log10() - y_low) / (y_high - y_low);

    let mut svg = Svg::default();
    for (power, value) in marks(x_low, x_high) {
        svg.line([x(value), top], [x(value), bottom], if power { 1.0 } else { 0.5 }, Paint::Grid, "");
        let text = Format::up_to(value).plain(value);
        svg.text([x(value), bottom + 18.0], Anchor::Middle, SMALL, Paint::Muted, &text);
    }
    for (power, value) in marks(y_low, y_high) {
        svg.line([left, y(value)], [right, y(value)], if power { 1.0 } else { 0.5 }, Paint::Grid, "");
        let text = format!("± {}", short(value));
        svg.text([left - 8.0, y(value) + 4.0], Anchor::End, SMALL, Paint::Muted, &text);
    }
    // From the last point back, within the picture.
    let earliest = (first).max(last * (final_half / 10_f64.powf(y_high)).powi(2));
    let ideal = |evaluations: f64| final_half * (last / evaluations).sqrt();
    svg.line([x(earliest), y(ideal(earliest))], [x(last), y(final_half)], 1.5, Paint::Muted, "6 4");
    let points: Vec<[f64; 2]> = seen.iter().map(|(evaluations, half)| [x(*evaluations), y(*half)]).collect();
    svg.curve(&points, 2.5, Paint::Negative);
    let text = format!("± {} after {last} evaluations", short(final_half));
    svg.disc([x(last), y(final_half)], 5.0, Paint::Negative, &text);
    svg.text([right, top - 8.0], Anchor::End, SMALL, Paint::Ink, &text);
    svg.text([(left + right) / 2.0, bottom + 40.0], Anchor::Middle, SMALL, Paint::Muted, "evaluations");
    let key = "widest interval; dashed: 1/√evaluations";
    svg.text([left, top - 8.0], Anchor::Start, SMALL, Paint::Muted, key);
    Ok(svg.finish(WIDTH, bottom + 54.0, "Half width of the widest interval against evaluations"))
}

/// Two significant digits.
fn short(value: f64) -> String {
    if (1e-4..1e5).contains(&value) {
        let decimals = crate::display::decimals(value, 2).unwrap_or(0).max(0) as usize;
        format!("{value:.decimals$}")
    } else {
        format!("{value:.1e}").replace("e-", "e−")
    }
}

/// Logarithms, a little apart if they are one.
fn decades(low: f64, high: f64) -> (f64, f64) {
    let room = (0.05 * (high - low)).max(0.05);
    (low - room, high + room)
}

/// Round numbers between two logarithms: powers of ten, and 2 and 5 times these where there are few.
fn marks(low: f64, high: f64) -> Vec<(bool, f64)> {
    let powers = (low.floor() as i32)..=(high.ceil() as i32);
    let every = ((high - low) / 6.0).ceil().max(1.0) as i32;
    let factors: &[f64] = if high - low < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let mut marks = Vec::new();
    for power in powers.filter(|power| power.rem_euclid(every) == 0) {
        for factor in factors {
            let value = factor * 10_f64.powi(power);
            if (low..=high).contains(&value.log10()) {
                marks.push((*factor < 1.5, value));
            }
        }
    }
    marks
}
