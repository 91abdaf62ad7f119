//! Semivalues as mixtures: of coalitions that every other player is in with the same chance, independently.

use super::jacobi::{Chance, gauss_jacobi};
use super::semivalue::Kind;
use super::{Semivalue, gauss_legendre};

impl Semivalue {
    /// The mixture for games of n players: each other player is in the coalition with chance t, independently, and the
    /// weights are those of the chances t. So p(s) = Σ weight · t^s rest^(n−1−s), for every s from 0 to n − 1. None if
    /// weights are given by size, or if there is no mixture in floats: then the sizes have
    /// [chances](Self::size_distribution).
    pub(crate) fn mixture(&self, n: usize) -> Option<Vec<Chance>> {
        let nodes = n.div_ceil(2);
        let always = |t: f64| vec![Chance { t, rest: 1.0 - t, weight: 1.0 }];
        match self.0 {
            Kind::Shapley => Some(uniform_chances(nodes)),
            Kind::Banzhaf => Some(always(0.5)),
            Kind::Beta { alpha, beta } => gauss_jacobi(nodes, alpha, beta),
            Kind::Binomial { p } => Some(always(p)),
            Kind::Thinned { p } => {
                let thin =
                    |Chance { t, rest, weight }| Chance { t: p * t, rest: (1.0 - p) + p * rest, weight: p * weight };
                Some(uniform_chances(nodes).into_iter().map(thin).collect())
            }
            Kind::BySize(_) | Kind::BySizeDistribution(_) => None,
        }
    }
}

/// The rule for chances that are uniform on [0, 1].
pub(crate) fn uniform_chances(nodes: usize) -> Vec<Chance> {
    let pairs = gauss_legendre(nodes as u64);
    let low = pairs.iter().map(|pair| Chance { t: pair.node, rest: 1.0 - pair.node, weight: pair.weight });
    let high = pairs.iter().rev().filter(|pair| !pair.single);
    low.chain(high.map(|pair| Chance { t: 1.0 - pair.node, rest: pair.node, weight: pair.weight })).collect()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Chances of presence, or of sizes.
    enum Mixture {
        Chances(Vec<Chance>),
        Sizes(Vec<f64>),
    }

    fn mixture(semivalue: &Semivalue, n: usize) -> Mixture {
        let by_size = || Mixture::Sizes(semivalue.size_distribution::<Infallible>(n).unwrap());
        semivalue.mixture(n).map_or_else(by_size, Mixture::Chances)
    }

    /// Σ over S ⊆ N∖{i} of p(|S|) Π over S of `present` · Π over the others of `absent`: what a product game asks for.
    fn product(mixture: &Mixture, present: &[f64], absent: &[f64]) -> f64 {
        let both = || present.iter().zip(absent);
        match mixture {
            Mixture::Chances(chances) => {
                let at = |x: &Chance| x.weight * both().map(|(a, b)| x.t * a + x.rest * b).product::<f64>();
                chances.iter().map(at).sum()
            }
            Mixture::Sizes(sizes) => {
                // The mean over the coalitions of each size, player by player.
                let mut means = vec![1.0];
                for (known, (a, b)) in both().enumerate() {
                    let total = (known + 1) as f64;
                    let with = |s: usize| if s == 0 { 0.0 } else { s as f64 / total * a * means[s - 1] };
                    let without = |s: usize| if s > known { 0.0 } else { (total - s as f64) / total * b * means[s] };
                    means = (0..=known + 1).map(|s| with(s) + without(s)).collect();
                }
                sizes.iter().zip(means).map(|(chance, mean)| chance * mean).sum()
            }
        }
    }

    fn semivalues() -> Vec<Semivalue> {
        let beta = [(1.0, 1.0), (16.0, 1.0), (0.5, 0.5), (0.05, 4.0), (1000.0, 1.0), (1e-100, 1e-100), (1e100, 1e-100)];
        let binomial = [0.0, 1e-9, 0.3, 0.5, 1.0];
        let thinned = [0.0, 1e-6, 0.5, 0.98, 1.0 - 1e-12, 1.0];
        [Semivalue::shapley(), Semivalue::banzhaf()]
            .into_iter()
            .chain(beta.map(|(alpha, beta)| Semivalue::beta(alpha, beta).unwrap()))
            .chain(binomial.map(|p| Semivalue::binomial(p).unwrap()))
            .chain(thinned.map(|p| Semivalue::thinned(p).unwrap()))
            .collect()
    }

    #[test]
    fn chances_and_sizes_agree_on_product_games() {
        for n in [1, 2, 3, 8, 62, 201] {
            // Of all magnitudes, but not so that a product is out of range.
            let present: Vec<f64> = (1..n).map(|j| 1.0 + (j as f64).sin() / 2.0).collect();
            let absent: Vec<f64> = (1..n).map(|j| 1.0 + (2 * j) as f64).map(|x| 1.0 + x.cos() / 2.0).collect();
            for semivalue in semivalues() {
                let sizes = Mixture::Sizes(semivalue.size_distribution::<Infallible>(n).unwrap());
                for (present, absent) in [(&present, &absent), (&present, &present), (&absent, &present)] {
                    let mixture = mixture(&semivalue, n);
                    assert!(matches!(mixture, Mixture::Chances(_)), "{semivalue:?}");
                    let (got, expected) = (product(&mixture, present, absent), product(&sizes, present, absent));
                    let tolerance = 1e-14 * (n + 10) as f64 * expected.abs();
                    assert!((got - expected).abs() <= tolerance, "{semivalue:?}, {n}: {got} is not {expected}");
                }
            }
        }
    }

    /// p(s) of each size on its own: of a size that is one of 2^61, too.
    #[test]
    fn weights_of_each_size() {
        for n in [1, 2, 5, 62] {
            for semivalue in semivalues() {
                let Mixture::Chances(chances) = mixture(&semivalue, n) else { panic!("{semivalue:?} has sizes") };
                for (s, chance) in semivalue.size_distribution::<Infallible>(n).unwrap().into_iter().enumerate() {
                    let expected = chance / super::super::binomial(n - 1, s) as f64;
                    let power = |x: &Chance| x.weight * x.t.powi(s as i32) * x.rest.powi((n - 1 - s) as i32);
                    let got: f64 = chances.iter().map(power).sum();
                    let tolerance = 1e-13 * expected + 1e-300;
                    assert!((got - expected).abs() <= tolerance, "{semivalue:?}, {s} of {n}: {got} is not {expected}");
                }
            }
        }
    }

    #[test]
    fn numbers_of_nodes() {
        let nodes = |semivalue: &Semivalue, n| match mixture(semivalue, n) {
            Mixture::Chances(chances) => chances.len(),
            Mixture::Sizes(sizes) => panic!("sizes {sizes:?}"),
        };
        for (n, half) in [(1, 1), (2, 1), (3, 2), (62, 31), (101, 51)] {
            assert_eq!(nodes(&Semivalue::shapley(), n), half);
            assert_eq!(nodes(&Semivalue::thinned(0.9).unwrap(), n), half);
            assert_eq!(nodes(&Semivalue::beta(4.0, 1.0).unwrap(), n), half);
            assert_eq!(nodes(&Semivalue::banzhaf(), n), 1);
            assert_eq!(nodes(&Semivalue::binomial(0.1).unwrap(), n), 1);
        }
    }

    #[test]
    fn sizes_where_there_are_no_nodes() {
        let given = Semivalue::by_size_distribution(vec![0.25, 0.5, 0.25]).unwrap();
        assert!(matches!(mixture(&given, 3), Mixture::Sizes(sizes) if sizes == [0.25, 0.5, 0.25]));
        let given = Semivalue::by_size(vec![0.25, 0.25, 0.25]).unwrap();
        assert!(matches!(mixture(&given, 3), Mixture::Sizes(sizes) if sizes == [0.25, 0.5, 0.25]));
        let refused = given.size_distribution::<Infallible>(4);
        assert!(matches!(refused, Err(crate::Error::WeightLength { len: 3, players: 4 })));
        let narrow = Semivalue::beta(1e12, 1e12).unwrap();
        assert!(matches!(mixture(&narrow, 200), Mixture::Sizes(sizes) if sizes.len() == 200));
    }
}
