//! Parts of the estimator that can be switched off, to measure what each gains.
//!
//! Compiled with `--cfg shapley_ablation`, the crate leaves out the parts that the environment variable
//! `SHAPLEY_WITHOUT` names, separated by commas. Any other build has them all. `docs/surrogate.md` has the table.

/// A part that can be switched off.
#[derive(Clone, Copy, Debug)]
pub(super) enum Device {
    /// The curve that both halves are seen through.
    Saturation,
    /// The ridge model.
    Ridge,
    /// The inflation of the ridge model's variance by cross-validation.
    CrossValidation,
    /// One relevance for all players in the even half, where that predicts better.
    Tied,
    /// The terms of the size and of single players.
    Size,
    Linear,
    /// The penalty for fitted hyper-parameters.
    Parameters,
    /// Posteriors of more rows than hyper-parameters are fitted to.
    MoreRows,
    /// The regression on pairs of players of what the models do not know.
    Regression,
    /// The correction by residuals, and its shrinkage.
    Correction,
    Shrinkage,
    /// The bound of the variance by that of the correction that is not shrunk.
    Bound,
    /// The factor of variances for how residuals of both halves go together.
    Together,
    /// Pairs that lie far apart.
    Spread,
}

/// Whether a part is in use.
#[cfg(not(shapley_ablation))]
pub(super) const fn is_on(_: Device) -> bool {
    true
}

#[cfg(shapley_ablation)]
pub(super) fn is_on(device: Device) -> bool {
    use std::sync::OnceLock;
    static WITHOUT: OnceLock<String> = OnceLock::new();
    let without = WITHOUT.get_or_init(|| std::env::var("SHAPLEY_WITHOUT").unwrap_or_default());
    !without.split(',').any(|name| name == format!("{device:?}"))
}
