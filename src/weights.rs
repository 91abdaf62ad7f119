//! Weights by coalition size, and the numbers that they are made of.

mod binomial;
mod interaction_index;
#[cfg(feature = "surrogate")]
mod jacobi;
#[cfg(feature = "surrogate")]
mod mixture;
mod quadrature;
mod ratio;
mod semivalue;
mod size_distribution;
mod windows;

pub(crate) use binomial::{MOST_PLAYERS, binomial, checked_binomial, most_order};
pub use interaction_index::Index;
pub(crate) use interaction_index::{bernoulli, check_order, index_weights};
pub(crate) use quadrature::{Pair, gauss_legendre};
pub(crate) use ratio::{Ratio, gcd};
#[cfg(feature = "serde")]
pub(crate) use semivalue::Kind as SemivalueKind;
pub use semivalue::Semivalue;
pub(crate) use semivalue::scale_by_float;
pub(crate) use windows::{Window, Windows};
#[cfg(feature = "surrogate")]
pub(crate) use {jacobi::Chance, mixture::uniform_chances, size_distribution::successes};

use crate::Value;

/// The sum of values, each times its weight; `None` if there is no pair of both. Values past the weights do not count.
pub(crate) fn weighted_sum<V: Value, W>(values: &[V], weights: &[W], scale: impl Fn(&W, &mut V)) -> Option<V> {
    let term = |(value, weight): (&V, &W)| {
        let mut term = value.clone();
        scale(weight, &mut term);
        term
    };
    values.iter().zip(weights).map(term).reduce(|mut total, term| {
        total.add_assign(&term);
        total
    })
}
