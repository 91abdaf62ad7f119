//! What an estimate from pairs of coalitions is made of: enough to go on.

use crate::Coalition;

/// Which solver asked for the pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Surrogate,
    KernelShap,
    /// Another semivalue than the Shapley value, from pairs that `Surrogate` asked for.
    Semivalue,
}

impl Method {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Surrogate => "Surrogate",
            Self::KernelShap => "KernelShap",
            Self::Semivalue => "Surrogate::semivalue",
        }
    }

    /// The method with a name that a file may have. Version 0.2 called `KernelShap` "Regression".
    #[cfg(feature = "serde")]
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "Surrogate" => Some(Self::Surrogate),
            "KernelShap" | "Regression" => Some(Self::KernelShap),
            "Surrogate::semivalue" => Some(Self::Semivalue),
            _ => None,
        }
    }
}

/// A coalition with its value and, if it was asked for, that of its complement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pair<V> {
    pub(crate) coalition: Coalition,
    pub(crate) value: V,
    pub(crate) complement: Option<V>,
}

/// The pairs that were asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pairs<V> {
    pub(crate) method: Method,
    pub(crate) seed: u64,
    /// The expected number of pairs by the size of the smaller coalition, from 1 on: what makes inclusion
    /// probabilities.
    pub(crate) expected: Vec<f64>,
    pub(crate) asked: Vec<Pair<V>>,
}

impl<V> Pairs<V> {
    /// The number of coalitions whose values are known, the empty and the grand one included.
    pub(crate) fn coalitions(&self) -> u64 {
        coalitions(&self.asked)
    }
}

/// The number of coalitions whose values are known from these pairs, and from v(∅) and v(N).
pub(crate) fn coalitions<V>(asked: &[Pair<V>]) -> u64 {
    asked.iter().map(|pair| 1 + u64::from(pair.complement.is_some())).sum::<u64>() + 2
}
