//! Estimates that were resumed.

use shapley::Estimate;

/// An estimate that was resumed this number of times has all of the whole one, but for v(∅) and v(N), which were asked
/// for again each time.
#[track_caller]
pub(crate) fn assert_same_samples(resumed: &Estimate<f64>, whole: &Estimate<f64>, resumes: u64, how: &str) {
    assert_eq!(resumed.evaluations(), whole.evaluations() + 2 * resumes, "{how}");
    // The text has all digits of all numbers.
    let text = |estimate: &Estimate<f64>| {
        format!("{estimate:?}").replace(&format!("evaluations: {}", estimate.evaluations()), "evaluations")
    };
    assert_eq!(text(resumed), text(whole), "{how}");
}
