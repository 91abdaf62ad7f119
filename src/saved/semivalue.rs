//! Semivalues, as the saved forms of estimates name them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::results::Weighted;
use crate::weights::SemivalueKind as Kind;
use crate::{Error, Semivalue};

/// A semivalue other than the Shapley value.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename = "Semivalue")]
pub(super) enum SavedSemivalue {
    Banzhaf,
    Beta { alpha: f64, beta: f64 },
    Binomial { p: f64 },
    Thinned { p: f64 },
    BySize(Vec<f64>),
    BySizeDistribution(Vec<f64>),
}

impl SavedSemivalue {
    pub(super) fn of(weighted: Option<&Arc<Weighted>>) -> Option<Self> {
        match &weighted?.semivalue.0 {
            Kind::Shapley => None,
            Kind::Banzhaf => Some(Self::Banzhaf),
            &Kind::Beta { alpha, beta } => Some(Self::Beta { alpha, beta }),
            &Kind::Binomial { p } => Some(Self::Binomial { p }),
            &Kind::Thinned { p } => Some(Self::Thinned { p }),
            Kind::BySize(weights) => Some(Self::BySize(weights.clone())),
            Kind::BySizeDistribution(chances) => Some(Self::BySizeDistribution(chances.clone())),
        }
    }

    /// Through the constructors, which know what is in range.
    pub(super) fn load(self) -> Result<Semivalue, Refusal> {
        let semivalue = match self {
            Self::Banzhaf => Ok(Semivalue::banzhaf()),
            Self::Beta { alpha, beta } => Semivalue::beta(alpha, beta),
            Self::Binomial { p } => Semivalue::binomial(p),
            Self::Thinned { p } => Semivalue::thinned(p),
            Self::BySize(weights) => Semivalue::by_size(weights),
            Self::BySizeDistribution(chances) => Semivalue::by_size_distribution(chances),
        };
        let semivalue = semivalue.map_err(|error: Error| format!("the semivalue: {error}"))?;
        if semivalue == Semivalue::shapley() {
            return Err("the semivalue is the Shapley value, which has no name here".to_owned());
        }
        Ok(semivalue)
    }

    /// What a checksum counts.
    pub(super) fn numbers(&self) -> Vec<u64> {
        let (kind, numbers): (u64, &[f64]) = match self {
            Self::Banzhaf => (1, &[]),
            Self::Beta { alpha, beta } => return vec![2, alpha.to_bits(), beta.to_bits()],
            Self::Binomial { p } => return vec![3, p.to_bits()],
            Self::Thinned { p } => return vec![4, p.to_bits()],
            Self::BySize(weights) => (5, weights),
            Self::BySizeDistribution(chances) => (6, chances),
        };
        std::iter::once(kind).chain(numbers.iter().map(|number| number.to_bits())).collect()
    }
}
