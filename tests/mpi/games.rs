//! The games and solvers that ranks and one process alike have, and results as text that shows every bit.

use std::time::Duration;

use shapley::{
    Attribution, Coalition, Estimate, Exact, Game, Interactions, KernelShap, Permutation, Surrogate, from_fn,
};

use crate::common::masks::{mask_of, pseudo};

/// Values without any order in them.
pub(crate) fn noise(players: usize) -> impl Game<Value = f64> {
    from_fn(players, |s: &Coalition| pseudo(11, mask_of(s)) - 0.3)
}

/// A game of which an evaluation takes some time, so that units are small.
pub(crate) fn slow(players: usize, time: Duration) -> impl Game<Value = f64> {
    from_fn(players, move |s: &Coalition| {
        std::thread::sleep(time);
        pseudo(12, mask_of(s))
    })
}

/// Something that an estimator can learn.
pub(crate) fn smooth(players: usize) -> impl Game<Value = f64> {
    from_fn(players, |s: &Coalition| {
        let sum: f64 = s.iter().map(|i| (i + 1) as f64).sum();
        sum.sqrt() + 0.01 * pseudo(5, mask_of(s))
    })
}

pub(crate) fn samplers() -> Vec<(&'static str, Permutation)> {
    let sampler = Permutation::new(3_000).seed(7).threads(1);
    vec![
        ("antithetic", sampler.clone()),
        ("plain", sampler.clone().antithetic(false)),
        ("precision never reached", sampler.clone().precision(1e-9)),
        ("precision", sampler.clone().precision(0.1).confidence(0.9)),
        ("plain precision", sampler.clone().antithetic(false).precision(0.15).confidence(0.8)),
        ("precision at once", sampler.clone().precision(10.0)),
        ("in batches", sampler.clone().batch(64).threads(2)),
    ]
}

pub(crate) fn surrogate() -> Surrogate {
    Surrogate::new(120).seed(3).threads(1)
}

pub(crate) fn kernel_shap() -> KernelShap {
    KernelShap::new(120).seed(3).threads(1)
}

pub(crate) fn exact() -> Exact {
    Exact::new().threads(1)
}

fn bits(values: &[f64]) -> String {
    values.iter().map(|value| format!("{:016x} ", value.to_bits())).collect()
}

pub(crate) fn of_attribution(phi: &Attribution<f64>) -> String {
    let ends = bits(&[*phi.baseline(), *phi.grand()]);
    format!("{} {ends} {}", phi.evaluations(), bits(phi.values()))
}

pub(crate) fn of_interactions(all: &Interactions<f64>) -> String {
    all.iter().map(|(set, value)| format!("{set} {:016x} ", value.to_bits())).collect()
}

/// All that an estimate has, its samples too.
pub(crate) fn of_estimate(estimate: &Estimate<f64>) -> String {
    format!(
        "{:?} {} {} {}",
        estimate.stopped(),
        of_attribution(estimate.attribution()),
        bits(estimate.std_errors()),
        serde_json::to_string(estimate).expect("estimates can be saved")
    )
}
