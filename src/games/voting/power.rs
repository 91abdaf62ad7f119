//! Power indices as floats: the ways to compute them, and which one a game gets.

use std::ops::Range;

use super::GameError;
use super::classes::Classes;
use super::dense::Dense;
use super::meet_in_the_middle;
use super::sparse::Sparse;
use super::without_one::{Chance, Distribution, arrange, extent, without_one};
use crate::games::parallel::in_parallel;
use crate::weights::{Pair, gauss_legendre};

/// The most steps that are taken: about a quarter of an hour on one thread.
pub(super) const MOST_STEPS: f64 = 1e12;

/// The most cells of a distribution: a gigabyte. All that a thread has together are about twice as many.
const MOST_CELLS: u64 = 1 << 27;

/// A game that takes fewer steps is not looked at for a way that takes less: the look takes as long as so many.
const FEW_STEPS: f64 = 2e8;

/// The most sums that a sparse distribution looks at in the attempt to find whether it is one.
const ATTEMPT: u64 = 1 << 22;

/// Steps that an entry of a sparse distribution takes, of those of a cell.
const STEPS_AN_ENTRY: f64 = 6.0;

/// Chances below it are dropped at the ends of a distribution. All of them together are far below the quadrature's
/// error.
const SHAPLEY_FLOOR: f64 = 1e-50;

/// With up to 960 voters there is no chance so small; with more, they would become subnormal, and slow.
const BANZHAF_FLOOR: f64 = 1e-290;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Index {
    ShapleyShubik,
    Banzhaf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Swings counted by size, in two halves.
    Halves,
    /// Distributions with a cell for every sum. Nodes t and 1 − t come from one distribution, or from two that are
    /// narrower.
    Dense { together: bool },
    /// Distributions with an entry for every sum that is reached.
    Sparse,
}

/// The index of each class.
pub(super) fn power(game: &Classes, index: Index) -> Result<Vec<f64>, GameError> {
    Ok(by(game, index, choose(game, index)?))
}

/// The way that takes the fewest steps.
pub(super) fn choose(game: &Classes, index: Index) -> Result<Method, GameError> {
    let order = arrange(&game.classes);
    let pairs = pairs(game, index).len() as f64;
    let (high, low) = (game.quota.max(game.blocking_quota()), game.quota.min(game.blocking_quota()));
    let mut ways: Vec<(f64, Method)> = Vec::new();
    if game.voters() <= meet_in_the_middle::MOST_VOTERS {
        ways.push((meet_in_the_middle::steps(game), Method::Halves));
    }
    // Nodes t and 1 − t apart take two distributions of about the same extent: blocking is the mirror image of winning.
    // What is refused, for the message.
    let (mut too_wide, mut fewest) = (None::<u64>, f64::INFINITY);
    for (together, quotas, times) in [(true, low..high, 1.0), (false, game.quota..game.quota, 2.0)] {
        let (cells, widest) = extent(&game.classes, &order, quotas);
        if widest <= MOST_CELLS {
            ways.push((cells * pairs * times, Method::Dense { together }));
        } else if cells * pairs * times <= MOST_STEPS {
            too_wide = Some(too_wide.map_or(widest, |other| other.min(widest)));
        }
        fewest = fewest.min(cells * pairs * times);
    }
    let least = |ways: &[(f64, Method)]| ways.iter().copied().min_by(|a, b| a.0.total_cmp(&b.0));
    if least(&ways).is_none_or(|(steps, _)| steps > FEW_STEPS) {
        // An attempt with one node says how many entries there are.
        let half = Chance { within: 0.5, out: 0.5 };
        let levels = without_one(&game.classes, &order, half, low..high, Sparse::nobody(ATTEMPT), |_, _| {});
        if levels.iter().all(|level| level.made <= ATTEMPT) {
            let made: u64 = levels.iter().map(|level| level.made).sum();
            ways.push((made as f64 * STEPS_AN_ENTRY * pairs, Method::Sparse));
        }
    }
    let what = "the power index of this voting game";
    match (least(&ways), too_wide) {
        (Some((steps, method)), _) if steps <= MOST_STEPS => Ok(method),
        (_, Some(cells)) => {
            let (needed, limit) = (cells as f64, MOST_CELLS as f64);
            Err(GameError::TooLarge { what, needed, limit, unit: "sums at once" })
        }
        (other, None) => {
            let needed = other.map_or(fewest, |(steps, _)| steps);
            Err(GameError::TooLarge { what, needed, limit: MOST_STEPS, unit: "steps" })
        }
    }
}

fn pairs(game: &Classes, index: Index) -> Vec<Pair> {
    match index {
        Index::ShapleyShubik => gauss_legendre(nodes_needed(game.voters())),
        Index::Banzhaf => vec![Pair { node: 0.5, weight: 1.0, single: true }],
    }
}

/// How many nodes integrate the power of one of `voters` voters over t, with an error below 10^−30 and below rounding.
///
/// The power at t is f(t) = Σ c(s) t^s (1 − t)^(n−1−s), with 0 ≤ c(s) ≤ C(n−1, s). ⌈n/2⌉ nodes are exact, and many
/// games need fewer. On the ellipse around [0, 1] whose half axes sum to ρ (twice, as that of [−1, 1]) |t| + |1 − t| is
/// (ρ + 1/ρ)/2, the sum of the distances to the foci. So |f| ≤ M = ((ρ + 1/ρ)/2)^(n−1) there, and m nodes have an error
/// of at most 32/15 · M ρ^(−2(m−1)) / (1 − ρ^−2): Trefethen (2013), *Approximation Theory and Approximation Practice*,
/// theorem 19.3. It holds for every ρ > 1; the one with tanh(ln ρ) = 2(m − 1)/(n − 1) is the best but for the last
/// factor.
fn nodes_needed(voters: u64) -> u64 {
    let exact = voters.div_ceil(2).max(1);
    let degree = (voters.max(1) - 1) as f64;
    let log_error = |nodes: u64| {
        let twice = 2.0 * (nodes - 1) as f64;
        let log_rho = (twice / degree).atanh();
        (32.0_f64 / 15.0).ln() + degree * log_rho.cosh().ln() - twice * log_rho - (-(-2.0 * log_rho).exp()).ln_1p()
    };
    (2..exact).find(|nodes| log_error(*nodes) < -30.0 * std::f64::consts::LN_10).unwrap_or(exact)
}

/// The index of each class, by a method that may be as slow as it is.
pub(super) fn by(game: &Classes, index: Index, method: Method) -> Vec<f64> {
    let floor = match index {
        Index::ShapleyShubik => SHAPLEY_FLOOR,
        Index::Banzhaf => BANZHAF_FLOOR,
    };
    match method {
        Method::Halves => in_parallel(game.classes.len(), |class| {
            let swings = meet_in_the_middle::swings_by_size(game, class);
            weighted(&swings, index)
        }),
        Method::Dense { together } => integrate(game, index, together, &Dense::nobody(floor), Dense::chance_of),
        Method::Sparse => integrate(game, index, true, &Sparse::nobody(u64::MAX), Sparse::chance_of),
    }
}

/// A class's index, by how many coalitions of each size of the others it swings.
fn weighted(swings: &[u64], index: Index) -> f64 {
    let others = swings.len() - 1;
    match index {
        Index::Banzhaf => swings.iter().sum::<u64>() as f64 / (others as f64).exp2(),
        Index::ShapleyShubik => {
            // C(n−1, s) is exact here: there are at most 40 voters.
            let mut coalitions = 1_u64;
            let mut share = 0.0;
            for (s, swings) in swings.iter().enumerate() {
                share += *swings as f64 / coalitions as f64;
                coalitions = coalitions * (others - s) as u64 / (s as u64 + 1);
            }
            share / swings.len() as f64
        }
    }
}

/// The integral over t of each class's chance to be decisive when everyone is in with the chance t, or the chance at
/// 1/2.
fn integrate<D: Distribution + Clone + Sync>(
    game: &Classes,
    index: Index,
    together: bool,
    nobody: &D,
    chance_of: impl Fn(&D, Range<u64>) -> f64 + Sync,
) -> Vec<f64> {
    let order = arrange(&game.classes);
    let (quota, blocking) = (game.quota, game.blocking_quota());
    let decisive = |class: usize, quota: u64, others: &D| {
        chance_of(others, quota.saturating_sub(game.classes[class].weight)..quota)
    };
    let at = |pair: &Pair| {
        let chance = Chance { within: pair.node, out: 1.0 - pair.node };
        let mut chances = vec![0.0; game.classes.len()];
        // Whoever blocks with the chance t is decisive with the chance 1 − t: the same voters seen from the other side.
        let passes: &[&[u64]] = match (pair.single, together) {
            (true, _) => &[&[quota]],
            (false, true) => &[&[quota.min(blocking), quota.max(blocking)]],
            (false, false) => &[&[quota], &[blocking]],
        };
        for quotas in passes {
            let range = quotas[0]..quotas[quotas.len() - 1];
            without_one(&game.classes, &order, chance, range, nobody.clone(), |class, others| {
                chances[class] += quotas.iter().map(|&quota| decisive(class, quota, others)).sum::<f64>();
            });
        }
        chances
    };
    let pairs = pairs(game, index);
    let chances = in_parallel(pairs.len(), |pair| at(&pairs[pair]));
    let mut integrals = vec![0.0; game.classes.len()];
    // In the order of the nodes, whoever computed them when.
    for (pair, chances) in pairs.iter().zip(chances) {
        for (integral, chance) in integrals.iter_mut().zip(chances) {
            *integral += pair.weight * chance;
        }
    }
    integrals
}

#[cfg(test)]
mod tests;
