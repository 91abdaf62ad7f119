//! Estimates, bit for bit.

use shapley::Estimate;

/// The bits of values and of errors, which tell more than `==` does: 0 is not −0.
pub(crate) fn bits_of(estimate: &Estimate<f64>) -> Vec<u64> {
    estimate.values().iter().chain(estimate.std_errors()).map(|value| value.to_bits()).collect()
}

/// Two estimates are the same, in all that can be seen and all that cannot.
#[track_caller]
pub(crate) fn assert_same(a: &Estimate<f64>, b: &Estimate<f64>, how: &str) {
    assert_eq!(bits_of(a), bits_of(b), "{how}");
    assert_eq!(a, b, "{how}");
}
