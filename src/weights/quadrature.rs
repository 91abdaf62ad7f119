//! Gauss–Legendre quadrature of polynomials on [0, 1].

/// Two nodes, t and 1 − t, with the weight that both have; or one, at 1/2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    /// At most 1/2.
    pub(crate) node: f64,
    pub(crate) weight: f64,
    pub(crate) single: bool,
}

/// The rule of `nodes` nodes, the smallest first. It is exact for polynomials of degree 2·nodes − 1.
///
/// Newton's method on the Legendre polynomial in t = (1 − x)/2 itself, and by differences of polynomials of
/// neighbouring degrees, so that nodes near 0 are as precise for their size as the others: a power of t depends on it.
pub(crate) fn gauss_legendre(nodes: u64) -> Vec<Pair> {
    let degree = nodes as f64;
    let pair = |k: u64| {
        let single = 2 * k + 1 == nodes;
        let angle = std::f64::consts::PI * (k as f64 + 0.75) / (degree + 0.5);
        let mut t = if single { 0.5 } else { (angle / 2.0).sin().powi(2) };
        let mut slope = 0.0;
        // Quadratic convergence from four digits on: the third step changes nothing, and the last only gets the slope.
        for step in 0..5 {
            // P and its difference from the polynomial of one degree less.
            let (mut p, mut difference) = (1.0, 0.0);
            for j in 0..nodes {
                let j = j as f64;
                difference = (j * difference - (2.0 * j + 1.0) * 2.0 * t * p) / (j + 1.0);
                p += difference;
            }
            slope = degree * (2.0 * t * p - difference) / (4.0 * t * (1.0 - t));
            if !single && step < 4 {
                t += p / (2.0 * slope);
            }
        }
        Pair { node: t, weight: 1.0 / (4.0 * t * (1.0 - t) * slope * slope), single }
    };
    (0..nodes.div_ceil(2)).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The integral of t^a (1 − t)^b over [0, 1] by quadrature, over its true value a! b! / (a + b + 1)!.
    fn beta(pairs: &[Pair], a: i32, b: i32) -> f64 {
        let f = |t: f64, rest: f64| t.powi(a) * rest.powi(b);
        let both = |pair: &Pair| f(pair.node, 1.0 - pair.node) + f(1.0 - pair.node, pair.node);
        let sum: f64 = pairs.iter().map(|p| p.weight * both(p) * if p.single { 0.5 } else { 1.0 }).sum();
        let binomial: f64 = (1..=a).map(|k| f64::from(b + k) / f64::from(k)).product();
        sum * binomial * f64::from(a + b + 1)
    }

    #[test]
    fn polynomials_are_integrated_up_to_rounding_and_relative_to_their_integral() {
        for nodes in [1, 2, 3, 4, 7, 26, 75, 94, 500] {
            let pairs = gauss_legendre(nodes);
            assert!(pairs.is_sorted_by(|a, b| a.node < b.node), "{nodes}");
            let degree = i32::try_from(2 * nodes - 1).unwrap();
            for a in [0, 1, 2, degree / 3, degree / 2, degree - 1, degree] {
                let a = a.min(degree);
                let got = beta(&pairs, a, degree - a);
                assert!((got - 1.0).abs() < 4.0 * f64::from(degree + 8) * f64::EPSILON, "{nodes} nodes, t^{a}: {got}");
            }
        }
    }

    #[test]
    fn one_degree_more_than_a_rule_can() {
        assert!((beta(&gauss_legendre(4), 4, 4) - 1.0).abs() > 1e-4);
    }
}
