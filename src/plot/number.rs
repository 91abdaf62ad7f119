//! Numbers as pictures write them, and the places of ticks.

use crate::display;

/// Significant digits of the largest value.
const DIGITS: i32 = 3;

/// How a family of values is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    /// None: with an exponent.
    decimals: Option<usize>,
    /// The size of the largest.
    size: f64,
}

impl Format {
    /// For values up to this size.
    pub(crate) fn up_to(size: f64) -> Self {
        let decimals = match display::decimals(size, DIGITS) {
            None => Some(0),
            Some(decimals) => (-4..=7).contains(&decimals).then_some(decimals.max(0) as usize),
        };
        Self { decimals, size }
    }

    /// For the largest of these.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        Self::up_to(values.into_iter().fold(0.0, |most: f64, value| most.max(value.abs())))
    }

    /// With a true minus, and no sign before zero.
    pub(crate) fn plain(self, value: f64) -> String {
        let text = match self.decimals {
            Some(decimals) => format!("{:.decimals$}", value.abs()),
            None if value.abs() > 0.0 => format!("{:.2e}", value.abs()).replace("e-", "e−"),
            None => "0".to_owned(),
        };
        let zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        if value < 0.0 && !zero { format!("−{text}") } else { text }
    }

    /// With a sign, whichever it is.
    pub(crate) fn signed(self, value: f64) -> String {
        let text = self.plain(value);
        if value > 0.0 { format!("+{text}") } else { text }
    }

    /// With its standard error, if there is one, to as many digits as that justifies.
    pub(crate) fn with_error(self, value: f64, error: Option<f64>) -> String {
        match error {
            None => self.signed(value),
            Some(error) => {
                let decimals = display::decimals_of_error(&value, &error, self.size).or(self.decimals);
                let finer = Self { decimals, ..self };
                let error = if error.is_finite() { finer.plain(error) } else { "?".to_owned() };
                format!("{} ± {error}", finer.signed(value))
            }
        }
    }
}

/// Round places between two numbers, about so many.
pub(crate) fn ticks(low: f64, high: f64, about: usize) -> Vec<f64> {
    let raw = (high - low) / about.max(1) as f64;
    if !(raw.is_finite() && raw > 0.0) {
        return vec![low];
    }
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|k| k * power).into_iter().find(|step| *step >= raw).unwrap_or(raw);
    if !(step.is_normal()) {
        return vec![low];
    }
    let (first, last) = ((low / step).ceil(), (high / step + 1e-9).floor());
    let count = (last - first).clamp(0.0, 50.0) as usize;
    (0..=count).map(|k| (first + k as f64) * step).collect()
}

/// Ticks as text, with as many decimals as tell them apart.
pub(crate) fn tick_text(value: f64, step: f64) -> String {
    let decimals = display::decimals(step, 1).unwrap_or(0);
    let decimals = (-6..=6).contains(&decimals).then_some(decimals.max(0) as usize);
    Format { decimals, size: step }.plain(value)
}

/// From numbers to pixels, linearly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) left: f64,
    pub(crate) right: f64,
}

impl Scale {
    /// The place of a number; the middle if all numbers are one.
    pub(crate) fn at(&self, value: f64) -> f64 {
        // Halves first, so that the span of two huge numbers does not overflow.
        let span = self.high / 2.0 - self.low / 2.0;
        let share = if span > 0.0 { (value / 2.0 - self.low / 2.0) / span } else { 0.5 };
        self.left + (self.right - self.left) * share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let format = Format::up_to(0.61);
        assert_eq!(
            (format.signed(0.6103), format.signed(-0.25), format.signed(-0.0001)),
            ("+0.610".into(), "−0.250".into(), "0.000".into())
        );
        assert_eq!(format.with_error(0.6103, Some(0.0123)), "+0.610 ± 0.012");
        assert_eq!(format.with_error(0.6103, Some(f64::INFINITY)), "+0.610 ± ?");
        assert_eq!(Format::up_to(1e-300).signed(-1e-300), "−1.00e−300");
        assert_eq!(Format::up_to(1e300).plain(1e300), "1.00e300");
        assert_eq!(Format::up_to(0.0).signed(0.0), "0");
        assert_eq!(Format::up_to(12345.0).plain(12345.0), "12345");
    }

    #[test]
    fn ticks_are_round_and_few() {
        let near = |found: Vec<f64>, wanted: &[f64]| {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12)
        };
        assert!(near(ticks(0.0, 0.772, 5), &[0.0, 0.2, 0.4, 0.6]));
        assert!(near(ticks(-1.0, 1.0, 4), &[-1.0, -0.5, 0.0, 0.5, 1.0]));
        for (low, high) in
            [(0.0, 0.0), (5.0, 5.0), (-1e308, 1e308), (0.0, 1e-308), (0.0, f64::MIN_POSITIVE / 4.0), (1e15, 1e15 + 1.0)]
        {
            let found = ticks(low, high, 5);
            assert!(
                !found.is_empty() && found.len() <= 51 && found.iter().all(|tick| tick.is_finite()),
                "{low} {high}"
            );
        }
    }
}
