//! A voting game as power indices see it: without those who have no vote, in the largest unit that divides all weights.

use crate::weights::gcd;

/// The voters of one weight. They have the same power, so it is computed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) weight: u64,
    pub(super) voters: u64,
}

impl Class {
    pub(super) fn total(&self) -> u64 {
        self.weight * self.voters
    }
}

/// The voters by weight, the class with the largest total first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Classes {
    pub(super) quota: u64,
    pub(super) total: u64,
    pub(super) classes: Vec<Class>,
    /// The class of each player; none for those without a vote.
    of: Vec<Option<usize>>,
}

impl Classes {
    /// The quota must be from 1 to the sum of the weights.
    pub(super) fn new(quota: u64, weights: &[u64]) -> Self {
        let unit = weights.iter().copied().fold(0, gcd).max(1);
        let mut sorted: Vec<u64> = weights.iter().map(|weight| weight / unit).filter(|weight| *weight > 0).collect();
        sorted.sort_unstable();
        let class = |equal: &[u64]| Class { weight: equal[0], voters: equal.len() as u64 };
        let mut classes: Vec<Class> = sorted.chunk_by(|a, b| a == b).map(class).collect();
        classes.sort_unstable_by_key(|class| (std::cmp::Reverse(class.total()), class.weight));
        let mut by_weight: Vec<(u64, usize)> = classes.iter().zip(0..).map(|(class, k)| (class.weight, k)).collect();
        by_weight.sort_unstable();
        let place = |weight: &u64| by_weight.binary_search_by_key(&(weight / unit), |(weight, _)| *weight).ok();
        Self {
            // Weights are multiples of the unit, so what reaches the quota reaches the next multiple.
            quota: quota.div_ceil(unit),
            total: sorted.iter().sum(),
            of: weights.iter().map(|weight| place(weight).map(|at| by_weight[at].1)).collect(),
            classes,
        }
    }

    /// The number of voters, without those who have no vote.
    pub(super) fn voters(&self) -> u64 {
        self.classes.iter().map(|class| class.voters).sum()
    }

    /// The quota of the dual game: what it takes to block. A voter has as much power in it.
    pub(super) fn blocking_quota(&self) -> u64 {
        self.total - self.quota + 1
    }

    /// One value for each player, by those of the classes.
    pub(super) fn spread<V: Clone>(&self, of_classes: &[V], of_nobody: &V) -> Vec<V> {
        self.of.iter().map(|class| class.map_or(of_nobody, |class| &of_classes[class]).clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_divided_and_the_quota_is_rounded_up() {
        let game = Classes::new(31, &[30, 0, 10, 10, 20]);
        assert_eq!((game.quota, game.total, game.voters(), game.blocking_quota()), (4, 7, 4, 4));
        let class = |weight, voters| Class { weight, voters };
        assert_eq!(game.classes, [class(3, 1), class(1, 2), class(2, 1)]);
        assert_eq!(game.spread(&['a', 'b', 'c'], &'-'), ['a', '-', 'b', 'b', 'c']);
    }
}
