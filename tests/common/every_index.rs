//! The indices of interactions.

use shapley::Index;

/// Every index of interactions.
pub(crate) const INDICES: [Index; 7] = [
    Index::Moebius,
    Index::Shapley,
    Index::Banzhaf,
    Index::KShapley,
    Index::ShapleyTaylor,
    Index::FaithfulShapley,
    Index::FaithfulBanzhaf,
];
