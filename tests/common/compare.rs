//! Numbers that are nearly the same.

/// Whether two numbers are within `tol`; never if one is NaN.
pub(crate) fn close(a: f64, b: f64, tol: f64) -> bool {
    (a - b).abs() <= tol
}

/// The largest magnitude of some values.
pub(crate) fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |max, value| max.max(value.abs()))
}
