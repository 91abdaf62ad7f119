//! Gauss–Jacobi quadrature: polynomials integrated against a beta distribution.

/// A node t of a rule, 1 − t, and its weight. Both distances are precise for their size, near 0 and near 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chance {
    pub(crate) t: f64,
    pub(crate) rest: f64,
    pub(crate) weight: f64,
}

/// The rule of so many nodes, the smallest first, for t ~ Beta(β, α): of density t^(β−1) (1−t)^(α−1) / B(β, α), the
/// order of [`Semivalue::beta`](super::Semivalue::beta). It is exact for polynomials of degree 2·nodes − 1, and its
/// weights sum to one.
///
/// Where the distribution is so narrow that one node is as good as all, there is that one. Between, for α and β of many
/// millions, floats lie too far apart for the nodes: then `None`.
pub(crate) fn gauss_jacobi(nodes: usize, alpha: f64, beta: f64) -> Option<Vec<Chance>> {
    let degree = 2 * nodes - 1;
    [nodes, 1]
        .into_iter()
        .map(|nodes| roots_and_weights(nodes, alpha, beta))
        .find(|rule| has_moments(rule, degree, alpha, beta))
}

fn roots_and_weights(nodes: usize, alpha: f64, beta: f64) -> Vec<Chance> {
    let low = Polynomials::new(nodes, alpha, beta);
    let below_half = low.at(0.5).zeros_below;
    let from_zero = low.smallest_zeros(below_half);
    // The others by their distance from 1, which is what they are for the mirrored distribution.
    let from_one = Polynomials::new(nodes, beta, alpha).smallest_zeros(nodes - below_half);
    let low = from_zero.into_iter().map(|(t, weight)| Chance { t, rest: 1.0 - t, weight });
    let high = from_one.into_iter().rev().map(|(rest, weight)| Chance { t: 1.0 - rest, rest, weight });
    low.chain(high).collect()
}

/// Jacobi polynomials P_0 = 1 to P_N on [0, 1], each with P(0) = 1, by differences of neighbours:
///
/// −t P_k = up_k (P_{k+1} − P_k) − down_k (P_k − P_{k−1}),
/// up_k = (k−1+α+β) (k+β) / ((2k−1+α+β) (2k+α+β)), down_k = k (k−1+α) / ((2k−2+α+β) (2k−1+α+β))
///
/// All coefficients are positive, so that zeros near 0 are as precise for their size as others (Karlin & McGregor 1957,
/// *Trans. Amer. Math. Soc.* 85, 489–546, doi:10.1090/S0002-9947-1957-0091566-1).
struct Polynomials {
    steps: Vec<Step>,
    /// P′ at a zero of P_N is N · slope · (P_N − P_{N−1}) / (t (1 − t)).
    slope: f64,
}

struct Step {
    up: f64,
    down: f64,
    /// √(up_k / down_{k+1}): the factor from P_k to P_{k+1} where both have a mean square of one.
    norm: f64,
}

/// P_N at some t.
struct At {
    zeros_below: usize,
    /// Newton's step.
    step: f64,
    /// The weight of a node at t.
    weight: f64,
}

impl Polynomials {
    fn new(degree: usize, alpha: f64, beta: f64) -> Self {
        let sum = alpha + beta;
        // Where k is 0 and α + β is small, k − 1 + α + β would lose it, or divide zero by zero.
        let up = |k: f64| {
            if k == 0.0 { beta / sum } else { (k - 1.0 + sum) / (2.0 * k - 1.0 + sum) * ((k + beta) / (2.0 * k + sum)) }
        };
        let down = |k: f64| k / (2.0 * k - 1.0 + sum) * ((k - 1.0 + alpha) / (2.0 * (k - 1.0) + sum));
        let step = |k: usize| {
            let k = k as f64;
            Step { up: up(k), down: if k == 0.0 { 0.0 } else { down(k) }, norm: (up(k) / down(k + 1.0)).sqrt() }
        };
        let last = degree as f64 - 1.0;
        Self { steps: (0..degree).map(step).collect(), slope: (last + alpha) / (2.0 * last + sum) }
    }

    fn at(&self, t: f64) -> At {
        // Far from the zeros the polynomials leave the range of floats: a common factor is taken out.
        const LARGE: f64 = f64::from_bits((1023 + 500) << 52); // 2^500
        let (mut p, mut difference, mut squares, mut scale) = (1.0_f64, 0.0_f64, 0.0, 1.0);
        let (mut zeros_below, mut positive) = (0, true);
        for step in &self.steps {
            squares += p * p;
            difference = (step.down * difference - t * p) / step.up;
            p = (p + difference) * step.norm;
            difference *= step.norm;
            // As many as there are changes of sign; a zero counts as one.
            if (p > 0.0) != positive {
                zeros_below += 1;
                positive = !positive;
            }
            if p.abs().max(difference.abs()) > LARGE {
                p /= LARGE;
                difference /= LARGE;
                squares /= LARGE * LARGE;
                scale /= LARGE * LARGE;
            }
        }
        let slope = self.steps.len() as f64 * (self.slope * difference - t * p) / (t * (1.0 - t));
        At { zeros_below, step: -p / slope, weight: scale / squares }
    }

    /// The smallest zeros, ascending, with their weights: Newton's method from where the two before point to, within an
    /// interval that is known to have the zero.
    fn smallest_zeros(&self, count: usize) -> Vec<(f64, f64)> {
        let mut found: Vec<(f64, f64)> = Vec::with_capacity(count);
        for index in 0..count {
            // They are about equally far apart in the angle arcsin √t.
            let angle = |(t, _): (f64, f64)| t.sqrt().asin();
            let (low, guess) = match found[..] {
                [.., before, last] => (last.0, (2.0 * angle(last) - angle(before)).sin().powi(2)),
                [last] => (last.0, 0.0),
                [] => (0.0, 0.0),
            };
            found.push(self.zero(index, low, guess));
        }
        found
    }

    fn zero(&self, index: usize, mut low: f64, guess: f64) -> (f64, f64) {
        let mut high = 1.0;
        let mut next = guess;
        loop {
            // Halfway by magnitude: the smallest may be 1e-100.
            let middle = f64::from_bits(low.to_bits().midpoint(f64::to_bits(high)));
            let t = if low < next && next < high { next } else { middle };
            let at = self.at(t);
            // Newton's method goes to this zero from between its neighbours.
            let is_near = at.zeros_below == index || at.zeros_below == index + 1;
            if is_near && at.step.abs() <= 2.0 * f64::EPSILON * t {
                return (t + at.step, at.weight);
            }
            if middle.to_bits() == low.to_bits() {
                return (t, at.weight);
            }
            *(if at.zeros_below > index { &mut high } else { &mut low }) = t;
            next = if is_near { t + at.step } else { middle };
        }
    }
}

/// Whether moments up to this degree are right, but for rounding.
fn has_moments(rule: &[Chance], degree: usize, alpha: f64, beta: f64) -> bool {
    let tolerance = 16.0 * (degree + 64) as f64 * f64::EPSILON;
    let is_right = |a: usize, b: usize| {
        let expected = moment(alpha, beta, a, b);
        let got: f64 = rule.iter().map(|x| x.weight * x.t.powi(a as i32) * x.rest.powi(b as i32)).sum();
        // Terms may underflow: so every power of two is looked at, not only the last.
        expected < 1e-250 && got < 1e-249 || (got / expected - 1.0).abs() <= tolerance
    };
    let powers = std::iter::successors(Some(1), |power| Some(2 * power)).take_while(|&power| power < degree);
    powers.chain([0, degree]).all(|power| is_right(power, 0) && is_right(0, power))
        && is_right(degree / 2, degree - degree / 2)
}

/// E t^a (1−t)^b for t ~ Beta(β, α).
fn moment(alpha: f64, beta: f64, a: usize, b: usize) -> f64 {
    let sum = alpha + beta;
    let of_t: f64 = (0..a).map(|k| (beta + k as f64) / (sum + k as f64)).product();
    let of_rest: f64 = (0..b).map(|k| (alpha + k as f64) / (sum + (a + k) as f64)).product();
    of_t * of_rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B(β+a, α+b) / B(β, α) = mantissa · 10^scale.
    fn known(alpha: f64, beta: f64, a: usize, b: usize) -> (f64, i32) {
        let rising = |x: f64, count: usize| (0..count).map(move |k| x + k as f64);
        let up = rising(beta, a).chain(rising(alpha, b));
        up.zip(rising(alpha + beta, a + b)).fold((1.0, 0), |(product, scale), (up, down)| {
            let product = product * (up / down);
            if product < 1e-100 { (product * 1e100, scale - 100) } else { (product, scale) }
        })
    }

    fn got(rule: &[Chance], a: usize, b: usize) -> f64 {
        rule.iter().map(|x| x.weight * x.t.powi(a as i32) * x.rest.powi(b as i32)).sum()
    }

    const PARAMETERS: [f64; 6] = [0.05, 0.5, 1.0, 4.0, 16.0, 1000.0];

    /// Compares moments of degree up to that of the rule: those of t, of 1 − t, and of both.
    fn assert_moments(rule: &[Chance], alpha: f64, beta: f64, degree: usize, tolerance: f64) {
        for a in [0, 1, 2, degree / 3, degree / 2, degree - 1, degree].map(|a| a.min(degree)) {
            for (a, b) in [(a, 0), (0, a), (a, degree - a), (degree - a, a)] {
                let (mantissa, scale) = known(alpha, beta, a, b);
                let got = got(rule, a, b);
                // Below 1e-200 terms underflow.
                let off =
                    if scale > -200 { got / (mantissa * 10_f64.powi(scale)) - 1.0 } else { (got / 1e-200).floor() };
                assert!(off.abs() <= tolerance, "Beta({alpha}, {beta}), {degree}: t^{a} (1 − t)^{b} is off by {off}");
            }
        }
    }

    #[test]
    fn moments() {
        for n in [1, 2, 3, 10, 62, 200, 1000_usize] {
            let nodes = n.div_ceil(2);
            for alpha in PARAMETERS {
                for beta in PARAMETERS {
                    let rule = gauss_jacobi(nodes, alpha, beta).unwrap();
                    assert_eq!(rule.len(), nodes);
                    assert!(rule.is_sorted_by(|a, b| a.t < b.t && a.rest > b.rest), "{nodes} {alpha} {beta}");
                    assert_moments(&rule, alpha, beta, 2 * nodes - 1, 2.0 * (n + 20) as f64 * f64::EPSILON);
                }
            }
        }
    }

    #[test]
    fn one_degree_more_than_a_rule_can() {
        for (alpha, beta) in [(0.5, 1.0), (4.0, 4.0)] {
            let rule = gauss_jacobi(3, alpha, beta).unwrap();
            let (expected, _) = known(alpha, beta, 3, 3);
            assert!((got(&rule, 3, 3) / expected - 1.0).abs() > 1e-4, "{alpha} {beta}");
        }
    }

    /// Chebyshev's nodes, near both ends: sin²((2k+1) π / 4N), all of the same weight.
    #[test]
    fn nodes_are_precise_for_their_distance_from_either_end() {
        let nodes = 500;
        let rule = gauss_jacobi(nodes, 0.5, 0.5).unwrap();
        let sine = |k: usize| ((2 * k + 1) as f64 * std::f64::consts::PI / (4 * nodes) as f64).sin().powi(2);
        for (k, node) in rule.iter().enumerate() {
            let expected = [sine(k), sine(nodes - 1 - k), 1.0 / nodes as f64];
            for (got, expected) in [node.t, node.rest, node.weight].into_iter().zip(expected) {
                assert!((got / expected - 1.0).abs() < 1e-13, "{k}: {node:?}, {expected}");
            }
        }
    }

    /// Either the moments are right, or there is no rule; and there is one unless both parameters are large.
    #[test]
    fn extreme_parameters() {
        let all = [1e-100, 1e-10, 1e-3, 1.0, 1e4, 1e6, 1e8, 1e12, 1e20, 1e100];
        for n in [1, 2, 3, 4, 10, 62, 200_usize] {
            for alpha in all {
                for beta in all {
                    let Some(rule) = gauss_jacobi(n.div_ceil(2), alpha, beta) else {
                        assert!((1e8..1e20).contains(&alpha.min(beta)), "no rule of {n}: Beta({alpha}, {beta})");
                        continue;
                    };
                    assert!(rule.iter().all(|x| (0.0..=1.0).contains(&x.t) && x.weight.is_finite()));
                    assert_moments(&rule, alpha, beta, 2 * n.div_ceil(2) - 1, 20.0 * (n + 60) as f64 * f64::EPSILON);
                }
            }
        }
        // One point, two points.
        let rule = gauss_jacobi(50, 1e100, 1e100).unwrap();
        assert_eq!((rule.len(), rule[0].t, rule[0].weight), (1, 0.5, 1.0));
        let rule = gauss_jacobi(50, 1e-100, 1e-100).unwrap();
        assert!((rule[0].weight - 0.5).abs() < 1e-15 && rule[0].t < 1e-90, "{rule:?}");
        assert!((rule[49].weight - 0.5).abs() < 1e-15 && rule[49].rest < 1e-90, "{rule:?}");
    }
}
