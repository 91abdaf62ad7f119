//! Linear functions of a game: a weighted sum of discrete derivatives for each player, or each pair of players.
//!
//! Semivalues and interaction indices are such functions. For a set K of κ players, with m = n − κ others,
//!
//! F_K(v) = Σ over S ⊆ N∖K of p(|S|) Δ_K v(S), W_s = C(m, s) p(s).
//!
//! Half of what a pair of coalitions tells, v(S) − v(N∖S), is odd, half, v(S) + v(N∖S), is even. With weights that are
//! symmetric, W_s = W_{m−s}, F is of the odd half alone where κ is odd, and of the even half where κ is even.

use super::covariance::Half;
use crate::weights::{Chance, successes, uniform_chances};
use crate::{Error, Index, Semivalue};

/// A function for each set of `order` players: 0, 1 or 2.
#[derive(Clone, Debug)]
pub(super) struct Functional {
    pub(super) players: usize,
    pub(super) order: usize,
    /// W_0 to W_m.
    sizes: Vec<f64>,
    /// The same as a mixture: each of the others is there with chance t, independently. Weights may be negative.
    chances: Option<Vec<Chance>>,
}

impl Functional {
    /// The values of a semivalue.
    pub(super) fn semivalue<E>(semivalue: &Semivalue, players: usize) -> Result<Self, Error<E>> {
        let sizes = semivalue.size_distribution(players)?;
        Ok(Self { players, order: 1, sizes, chances: semivalue.mixture(players) })
    }

    /// The Shapley values.
    pub(super) fn shapley(players: usize) -> Self {
        Self::index(Index::Shapley, 1, 1, players)
    }

    /// What an index of order `most`, 1 or 2, is for sets of `order` players, at most as many.
    ///
    /// With densities of t: SII has 1, BII one chance of ½, Möbius and lower orders of STII one of 0, STII of the
    /// highest order k (1−t)^(k−1), FSII of the highest order that of Beta(k, k) (Tsai, Yeh & Ravikumar 2023, theorem
    /// 19). For single players, FSII of order 2 has 4 − 6t, and k-SII, SII less half of the sum over partners, has 1
    /// with −½ at t = 1 and ½ at 0; of FBII, only weights by size are known.
    pub(super) fn index(index: Index, most: usize, order: usize, players: usize) -> Self {
        let others = players - order;
        let (m, n) = (others as f64, players as f64);
        let always = |t: f64| vec![Chance { t, rest: 1.0 - t, weight: 1.0 }];
        // One degree more than the polynomial has, for a density that is linear in t, and two for t (1 − t).
        let nodes = others / 2 + 2;
        let uniform = |density: &dyn Fn(&Chance) -> f64| -> Vec<Chance> {
            uniform_chances(nodes)
                .into_iter()
                .map(|chance| Chance { weight: chance.weight * density(&chance), ..chance })
                .collect()
        };
        let by_size = |of: &dyn Fn(f64) -> f64| -> Vec<f64> { (0..=others).map(|s| of(s as f64)).collect() };
        let only = |size: usize| by_size(&|s| f64::from(u8::from(s as usize == size)));
        // C(m, s) / 2^m.
        let halves = || successes(others, 0.5);
        let times = |sizes: Vec<f64>, of: &dyn Fn(f64) -> f64| -> Vec<f64> {
            sizes.iter().enumerate().map(|(s, size)| size * of(s as f64)).collect()
        };
        let empty = || (only(0), Some(always(0.0)));
        let shapley = || (by_size(&|_| 1.0 / (m + 1.0)), Some(uniform(&|_| 1.0)));
        let banzhaf = || (halves(), Some(always(0.5)));
        let (sizes, chances) = match (index, most, order) {
            (Index::Shapley, _, _) | (Index::KShapley | Index::FaithfulShapley | Index::ShapleyTaylor, 1, 1) => {
                shapley()
            }
            (Index::Banzhaf, _, _) => banzhaf(),
            (Index::FaithfulBanzhaf, _, order) if order == most => banzhaf(),
            // The fit's intercept, and of order 2 the coefficients of single players: BII less halves of larger sets'.
            (Index::FaithfulBanzhaf, 1, 0) => (times(halves(), &|s| 1.0 - (2.0 * s - n)), None),
            (Index::FaithfulBanzhaf, _, 0) => {
                (times(halves(), &|s| 1.0 - (2.0 * s - n) + ((2.0 * s - n).powi(2) - n) / 2.0), None)
            }
            (Index::FaithfulBanzhaf, _, _) => (times(halves(), &|s| 1.0 - (2.0 * s - m)), None),
            (Index::KShapley, _, 2) => shapley(),
            (Index::KShapley, _, 1) => {
                let ends = |s: f64| if s < 0.5 { 0.5 } else { 0.0 } - if s > m - 0.5 { 0.5 } else { 0.0 };
                let mut chances = uniform(&|_| 1.0);
                chances.push(Chance { t: 0.0, rest: 1.0, weight: 0.5 });
                chances.push(Chance { t: 1.0, rest: 0.0, weight: -0.5 });
                (by_size(&|s| 1.0 / (m + 1.0) + ends(s)), Some(chances))
            }
            (Index::ShapleyTaylor, _, 2) => {
                let sizes = by_size(&|s| 2.0 * (m - s + 1.0) / ((m + 1.0) * (m + 2.0)));
                (sizes, Some(uniform(&|chance| 2.0 * chance.rest)))
            }
            (Index::FaithfulShapley, _, 2) => {
                let sizes = by_size(&|s| 6.0 * (s + 1.0) * (m - s + 1.0) / ((m + 1.0) * (m + 2.0) * (m + 3.0)));
                (sizes, Some(uniform(&|chance| 6.0 * chance.t * chance.rest)))
            }
            (Index::FaithfulShapley, _, 1) => {
                let sizes = by_size(&|s| (4.0 - 6.0 * (s + 1.0) / (m + 2.0)) / (m + 1.0));
                (sizes, Some(uniform(&|chance| 4.0 - 6.0 * chance.t)))
            }
            _ => empty(),
        };
        Self { players, order, sizes, chances }
    }

    /// All sets of `order` players, in lexicographic order.
    pub(super) fn sets(&self) -> Vec<[usize; 2]> {
        let n = self.players;
        match self.order {
            0 => vec![[0, 0]],
            1 => (0..n).map(|player| [player, player]).collect(),
            _ => (0..n).flat_map(|i| (i + 1..n).map(move |j| [i, j])).collect(),
        }
    }

    /// Whether it is the Shapley value, of which no size decides alone.
    pub(super) fn is_of_all_sizes(&self) -> bool {
        let mean = self.mass() / self.sizes.len() as f64;
        self.order == 1 && self.sizes.iter().all(|w| (w - mean).abs() <= 1e-12 * mean.abs())
    }

    /// What it counts in all: Σ W_s.
    pub(super) fn mass(&self) -> f64 {
        self.sizes.iter().sum()
    }

    fn others(&self) -> usize {
        self.players - self.order
    }

    fn size(&self, s: isize) -> f64 {
        usize::try_from(s).ok().and_then(|s| self.sizes.get(s)).copied().unwrap_or(0.0)
    }

    /// What it is of the game that is one where a coalition has `size` players, and else nothing.
    pub(super) fn of_size(&self, size: usize) -> f64 {
        let w = |less: isize| self.size(size as isize - less);
        match self.order {
            0 => w(0),
            1 => w(1) - w(0),
            _ => w(2) - 2.0 * w(1) + w(0),
        }
    }

    /// What the value of a coalition of `size` players counts, of whom so many are of the set, times the number of such
    /// coalitions of all players, C(n, size): where nothing is out of range.
    fn coefficient(&self, size: usize, members: usize) -> f64 {
        let (n, c) = (self.players as f64, size as f64);
        let w = self.size(size as isize - members as isize);
        // No coalition of one player has two members.
        let over = |part: f64, down: f64| if down > 0.0 { part / down } else { 0.0 };
        match (self.order, members) {
            (0, _) => w,
            (1, 0) => -over(w * n, n - c),
            (1, _) => over(w * n, c),
            (_, 0) => over(w * n * (n - 1.0), (n - c) * (n - c - 1.0)),
            (_, 1) => -over(w * n * (n - 1.0), c * (n - c)),
            _ => over(w * n * (n - 1.0), c * (c - 1.0)),
        }
    }

    /// What one half of a pair counts, whose chosen coalition has `size` players, of whom 0 to `order` are of the set;
    /// times C(n, size).
    pub(super) fn coefficients(&self, size: usize, half: Half) -> [f64; 3] {
        let mut of_members = [0.0; 3];
        for (members, of) in of_members.iter_mut().enumerate().take(self.order + 1) {
            let own = self.coefficient(size, members);
            let other = self.coefficient(self.players - size, self.order - members);
            *of = match half {
                Half::Odd => own - other,
                Half::Even => own + other,
            };
        }
        of_members
    }

    /// Whether it is nothing of this half, up to rounding.
    pub(super) fn is_nil(&self, half: Half) -> bool {
        let largest = self.sizes.iter().fold(0.0_f64, |most, w| most.max(w.abs()));
        let others = self.others();
        // W symmetric or antisymmetric: the sign with which a derivative meets that of the complement.
        let sign = if (half == Half::Odd) == (self.order % 2 == 1) { 1.0 } else { -1.0 };
        (0..=others).all(|s| (self.sizes[s] + sign * self.sizes[others - s]).abs() <= 1e-13 * largest)
    }

    /// What it is of Π_{k ∈ T} x_k for sets T of 0 to m others, and x = ±1: E Π x_k, without the players' own factor.
    pub(super) fn moments(&self) -> Vec<f64> {
        let m = self.others();
        let mut moments = vec![0.0; m + 1];
        match &self.chances {
            Some(chances) => {
                for chance in chances {
                    let mut power = chance.weight;
                    for moment in &mut moments {
                        *moment += power;
                        power *= chance.t - chance.rest;
                    }
                }
            }
            None => {
                for (s, w) in self.sizes.iter().enumerate().filter(|(_, w)| **w != 0.0) {
                    let means = krawtchouk(s, m);
                    moments.iter_mut().zip(means).for_each(|(moment, mean)| *moment += w * mean);
                }
            }
        }
        moments
    }

    /// Nodes u = 2t − 1 and weights for products Π (1 + r x y), of which one half is (the product with r ± that with
    /// −r) / 2: Σ weight · (the product with each x in the place of its mean u), or its derivative. None where only
    /// weights by size are known.
    pub(super) fn nodes(&self, half: Half) -> Option<Vec<(f64, f64)>> {
        let sign = if (half == Half::Odd) == (self.order % 2 == 1) { 0.5 } else { -0.5 };
        let both = self.chances.as_ref()?.iter().flat_map(|chance| {
            let u = chance.t - chance.rest;
            [(u, chance.weight / 2.0), (-u, sign * chance.weight)]
        });
        let mut all: Vec<(f64, f64)> = both.collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let largest = all.iter().fold(0.0_f64, |most, (_, w)| most.max(w.abs()));
        let mut nodes: Vec<(f64, f64)> = Vec::new();
        for (u, weight) in all {
            match nodes.last_mut() {
                Some(last) if (last.0 - u).abs() < 1e-13 => last.1 += weight,
                _ => nodes.push((u, weight)),
            }
        }
        nodes.retain(|(_, weight)| weight.abs() > 1e-15 * largest);
        Some(nodes)
    }
}

/// The mean of Π_{k ∈ T} x_k over all coalitions of s of m players, for sets T of 0 to m: Krawtchouk polynomials, divided
/// by their values at 0. By recurrence up to the middle, beyond which it loses digits, and by symmetry from there.
fn krawtchouk(s: usize, m: usize) -> Vec<f64> {
    let mut means = vec![1.0; m + 1];
    let x = 2.0 * s as f64 - m as f64;
    let (mut before, mut now) = (0.0, 1.0);
    for order in 0..m / 2 {
        (before, now) = (now, (x * now - order as f64 * before) / (m - order) as f64);
        means[order + 1] = now;
    }
    // The product over all players is known.
    let of_all = if (m - s).is_multiple_of(2) { 1.0 } else { -1.0 };
    for order in m / 2 + 1..=m {
        means[order] = of_all * means[m - order];
    }
    means
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::surrogate::generator;
    use crate::{Exact, from_fn};

    fn semivalues(n: usize) -> Vec<Semivalue> {
        let mut chances: Vec<f64> = (0..n).map(|s| (s * s + 1) as f64).collect();
        let sum: f64 = chances.iter().sum();
        chances.iter_mut().for_each(|chance| *chance /= sum);
        vec![
            Semivalue::shapley(),
            Semivalue::banzhaf(),
            Semivalue::beta(16.0, 1.0).unwrap(),
            Semivalue::beta(0.5, 0.7).unwrap(),
            Semivalue::binomial(0.3).unwrap(),
            Semivalue::thinned(0.9).unwrap(),
            Semivalue::by_size_distribution(chances).unwrap(),
        ]
    }

    pub(super) const INDICES: [Index; 7] = [
        Index::Moebius,
        Index::Shapley,
        Index::Banzhaf,
        Index::KShapley,
        Index::ShapleyTaylor,
        Index::FaithfulShapley,
        Index::FaithfulBanzhaf,
    ];

    /// The sum of each coalition's value times what it counts.
    fn apply(functional: &Functional, table: &[f64]) -> Vec<f64> {
        let n = functional.players;
        let mut count = vec![0.0; n + 1];
        (0..table.len()).for_each(|mask| count[mask.count_ones() as usize] += 1.0);
        let of_set = |[i, j]: [usize; 2]| {
            (0..table.len())
                .map(|mask| {
                    let members = match functional.order {
                        0 => 0,
                        1 => mask >> i & 1,
                        _ => (mask >> i & 1) + (mask >> j & 1),
                    };
                    let size = mask.count_ones() as usize;
                    functional.coefficient(size, members) / count[size] * table[mask]
                })
                .sum()
        };
        functional.sets().into_iter().map(of_set).collect()
    }

    fn random_table(n: usize) -> Vec<f64> {
        let mut random = generator(n as u64, 3);
        (0..1 << n).map(|_| random.unit()).collect()
    }

    fn near(name: &str, got: &[f64], want: impl Iterator<Item = f64>) {
        for (place, (got, want)) in got.iter().zip(want).enumerate() {
            assert!((got - want).abs() < 1e-12 * (1.0 + want.abs()), "{name}, {place}: {got} {want}");
        }
    }

    #[test]
    fn they_are_what_the_exact_solver_makes_of_a_game() {
        for n in [1, 2, 3, 6, 7] {
            let table = random_table(n);
            let game = from_fn(n, |s| table[s.mask().unwrap() as usize]);
            let summary = Exact::new().threads(1).summary(&game, n.min(2)).unwrap();
            for semivalue in semivalues(n) {
                let functional = Functional::semivalue::<Infallible>(&semivalue, n).unwrap();
                let want = summary.values(&semivalue).unwrap().into_values();
                near(&format!("{semivalue:?}"), &apply(&functional, &table), want.into_iter());
            }
            for (index, most) in INDICES.into_iter().flat_map(|index| (1..=n.min(2)).map(move |most| (index, most))) {
                let exact = Exact::new().threads(1).interactions(&game, index, most).unwrap();
                for order in 0..=most {
                    let functional = Functional::index(index, most, order, n);
                    let want = exact.iter().filter(|(set, _)| set.len() == order).map(|(_, value)| *value);
                    near(&format!("{index:?} {most} {order} of {n}"), &apply(&functional, &table), want);
                }
            }
        }
    }

    /// Chances and weights by size have the same moments; and a function is nil of a half where it counts nothing there.
    #[test]
    fn both_forms_say_the_same() {
        for n in [2, 3, 8, 31, 150] {
            let of_index = |index: Index| (0..=2).map(move |order| Functional::index(index, 2, order, n));
            let of_semivalue = |s: &Semivalue| Functional::semivalue::<Infallible>(s, n).unwrap();
            let all: Vec<Functional> =
                INDICES.into_iter().flat_map(of_index).chain(semivalues(n).iter().map(of_semivalue)).collect();
            for functional in all {
                let by_size = Functional { chances: None, ..functional.clone() };
                for (a, b) in functional.moments().iter().zip(by_size.moments()) {
                    assert!((a - b).abs() < 1e-11, "{functional:?}: {a} {b}");
                }
                for half in [Half::Odd, Half::Even] {
                    let counts = |size| functional.coefficients(size, half).iter().any(|c| c.abs() > 1e-9);
                    assert_eq!(functional.is_nil(half), !(1..n).any(counts) && !counts(n), "{functional:?} {half:?}");
                    if let Some(nodes) = functional.nodes(half).filter(|_| n > 2) {
                        let nil = nodes.iter().all(|(_, w)| w.abs() < 1e-12);
                        assert_eq!(nil, functional.is_nil(half), "{half:?} {functional:?} {nodes:?}");
                    }
                }
            }
        }
    }
}
