//! The models of a whole game, from the pairs that were asked for, and linear functions of it.

use super::constants::MOST_LEFT;
use super::correction::{HalfFit, HalfOfPairs, Values, scaled, surprise, together};
use super::covariance::Half;
use super::design::PairedDesign;
use super::devices::{Device, is_on};
use super::functional::Functional;
use super::kernel_shap::least_squares;
use super::pair_weights::{inclusions, reach};
use super::quadratic::Quadratic;
use super::rows::Rows;
use super::set_sums::sums_over_rows;
use crate::Coalition;
use crate::engine::Random;

/// The halves of all pairs of one output, both less the mean of v(∅) and v(N).
#[derive(Clone, Debug)]
pub(super) struct Output {
    /// (v(S) − v(N∖S)) / 2 and (v(S) + v(N∖S)) / 2. Where a complement was not asked for, the even half is set to the
    /// average over the pairs whose complements were.
    pub(super) odd: Vec<f64>,
    pub(super) even: Vec<f64>,
    /// The odd half of (N, ∅), and the mean of v(∅) and v(N).
    pub(super) grand: f64,
    pub(super) middle: f64,
    /// Whether the complement of a pair was not asked for; and the root mean square by which such pairs are off: for
    /// Shapley values, to which all sizes count the same, and for others.
    pub(super) is_inferred: Vec<bool>,
    pub(super) inferred: [f64; 2],
}

/// The models of a game's halves: of the even one, only if it is wanted.
#[derive(Debug)]
pub(super) struct Fit {
    design: PairedDesign,
    /// The unit of all numbers of the halves.
    scale: f64,
    odd: HalfFit,
    even: Option<HalfFit>,
    /// The Shapley values of a game whose odd half is linear, and its even half if that is quadratic.
    linear: Option<Vec<f64>>,
    quadratic: Option<Quadratic>,
    output: Output,
}

impl Fit {
    /// None if all values are the same, or differ by less than normal numbers.
    pub(super) fn new(design: PairedDesign, output: Output, is_even_wanted: bool, random: &mut Random) -> Option<Self> {
        let unit = scaled(&output.odd, output.grand).or_else(|| scaled(&output.even, 0.0));
        // Below normal numbers there are no units: what is left of such a game is rounding.
        let (scale, _) = unit.filter(|(scale, _)| scale.is_normal())?;
        let in_units = |numbers: &[f64], first: f64| -> Vec<f64> {
            std::iter::once(&first).chain(numbers).map(|number| number / scale).collect()
        };
        let (odd, even) = (in_units(&output.odd, output.grand), in_units(&output.even, 0.0));
        let is_whole = !output.is_inferred.contains(&true);
        let (linear, not_linear) = linear(&design, &output.odd, output.grand);
        let largest = |numbers: &[f64]| numbers.iter().fold(0.0_f64, |most, number| most.max(number.abs()));
        let of_odd = HalfOfPairs {
            half: Half::Odd,
            y: &odd,
            other: is_whole.then_some(&even[..]),
            not_simple: not_linear / scale,
            step: largest(&even),
        };
        let odd_fit = HalfFit::new(&design, of_odd, None, random);
        let even_fit = is_even_wanted.then(|| {
            let mean = even.iter().sum::<f64>() / even.len() as f64;
            let spread = even.iter().map(|even| (even - mean).powi(2)).sum::<f64>() / even.len() as f64;
            let of_even = HalfOfPairs {
                half: Half::Even,
                y: &even,
                other: is_whole.then_some(&odd[..]),
                not_simple: spread.sqrt(),
                step: largest(&odd),
            };
            HalfFit::new(&design, of_even, odd_fit.saturated(), random)
        });
        let quadratic = if is_even_wanted { Quadratic::new(&design, &even[1..]) } else { None };
        Some(Self { design, scale, odd: odd_fit, even: even_fit, linear, quadratic, output })
    }

    /// A linear function of the game, and its standard errors.
    pub(super) fn of(&self, functional: &Functional, random: &mut Random) -> Values {
        let sets = functional.sets().len();
        let (mut values, mut variances) = (vec![0.0; sets], vec![0.0; sets]);
        let halves = [(Half::Odd, Some(&self.odd)), (Half::Even, self.even.as_ref())];
        for (half, fit) in halves {
            let Some(fit) = fit.filter(|_| !functional.is_nil(half)) else { continue };
            let (of_half, own) = fit.of(&self.design, functional, random);
            let plainly = match half {
                Half::Odd => self.linear(functional),
                Half::Even => self.quadratic.as_ref().map(|quadratic| quadratic.of(functional)),
            };
            values.iter_mut().zip(plainly.unwrap_or(of_half)).for_each(|(value, of_half)| *value += of_half);
            variances.iter_mut().zip(own).for_each(|(variance, own)| *variance += own);
        }
        let is_of_both = ![Half::Odd, Half::Even].iter().any(|&half| functional.is_nil(half));
        if let Some(even) = self.even.as_ref().filter(|_| is_of_both && is_on(Device::Together)) {
            let factor = together(&self.design, functional, &self.odd, even);
            variances.iter_mut().for_each(|variance| *variance *= factor);
        }
        let inferred = of_inferred(&self.design, &self.output, functional);
        // The mean of v(∅) and v(N) was left out: derivatives know nothing of it.
        let level = if functional.order == 0 { self.output.middle * functional.mass() } else { 0.0 };
        Values {
            values: values.into_iter().map(|value| level + self.scale * value).collect(),
            std_errors: (variances.iter().zip(inferred))
                .map(|(variance, inferred)| (self.scale * variance.sqrt()).hypot(inferred))
                .collect(),
        }
    }

    /// Of a linear odd half, in units of the halves.
    fn linear(&self, functional: &Functional) -> Option<Vec<f64>> {
        let values = self.linear.as_ref()?;
        let moments = functional.moments();
        Some(match functional.order {
            0 => vec![moments.get(1).copied().unwrap_or_default() * values.iter().sum::<f64>() / 2.0 / self.scale],
            1 => values.iter().map(|value| moments[0] * value / self.scale).collect(),
            _ => vec![0.0; functional.sets().len()],
        })
    }
}

/// What complements that were not asked for, but taken from others, add to the standard errors.
pub(super) fn of_inferred(design: &PairedDesign, output: &Output, functional: &Functional) -> Vec<f64> {
    let missing: Vec<usize> = (0..design.len()).filter(|&pair| output.is_inferred[pair]).collect();
    let rows = Rows::new(design.players, missing.iter().map(|&pair| design.rows[pair].words()));
    let [sums] = sums_over_rows(&rows, functional.order, |row| {
        let size = design.size(missing[row]);
        let share = if 2 * size == design.players { 0.5 } else { 1.0 } / design.expected()[size - 1];
        let [odd, even] = [Half::Odd, Half::Even].map(|half| functional.coefficients(size, half));
        // Of a coalition whose value is known, the odd half is off by as much as the even one, the other way.
        let mut numbers = [0.0; 3];
        for (number, (odd, even)) in numbers.iter_mut().zip(odd.into_iter().zip(even)) {
            *number = (share * (odd - even)).powi(2);
        }
        [numbers]
    });
    let inferred = output.inferred[usize::from(!functional.is_of_all_sizes())];
    sums.into_iter().map(|square| inferred * square.sqrt()).collect()
}

/// Values of a half that is zero on all pairs. Those that were not asked for may be off by a step.
pub(super) fn of_zeros(design: &PairedDesign, step: f64) -> Values {
    let shapley = Functional::shapley(design.players);
    let error = reach(design.players, &shapley, Half::Odd) * surprise(step, &inclusions(design));
    Values { values: vec![0.0; design.players], std_errors: vec![error; design.players] }
}

/// The values of a function that is linear on all pairs, up to rounding: of games of single players and pairs of them,
/// and of all whose orders are even beside. A model takes everything for a little noisy, and with few pairs, for more.
/// It knows how sure it is: with n pairs and (N, ∅) only one equation more is met than there are values. And the root
/// mean square of what linear functions leave.
fn linear(design: &PairedDesign, odd: &[f64], grand: f64) -> (Option<Vec<f64>>, f64) {
    let (Values { values, .. }, is_whole) = least_squares(design, odd, grand);
    let largest = odd.iter().fold(grand.abs(), |most, odd| most.max(odd.abs()));
    // Half the sum of the members' values less half that of the others, all of which sum to v(N) − v(∅).
    let said = |row: &Coalition| row.iter().map(|player| values[player]).sum::<f64>() - grand;
    let left: Vec<f64> = design.rows.iter().zip(odd).map(|(row, odd)| said(row) - odd).collect();
    let is_met =
        is_whole && design.len() >= design.players && left.iter().all(|left| left.abs() <= MOST_LEFT * largest);
    let squares = left.iter().map(|left| (left / largest.max(f64::MIN_POSITIVE)).powi(2)).sum::<f64>();
    let not_linear = if is_met { 0.0 } else { largest * (squares / left.len() as f64).sqrt() };
    (is_met.then_some(values), not_linear)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Index;
    use crate::surrogate::generator;

    /// Numbers of no meaning, of the size of one.
    fn noise(row: &[u64]) -> f64 {
        let mixed = (row[0] ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn output(design: &PairedDesign, odd: impl Fn(&[u64]) -> f64, even: impl Fn(&[u64]) -> f64, grand: f64) -> Output {
        let of_pairs = |of: &dyn Fn(&[u64]) -> f64| design.rows.iter().map(|row| of(row.words())).collect();
        let is_inferred = vec![false; design.len()];
        Output { odd: of_pairs(&odd), even: of_pairs(&even), grand, middle: 0.0, is_inferred, inferred: [0.0; 2] }
    }

    #[test]
    fn values_sum_to_what_there_is_to_share() {
        for (n, pairs, grand) in [(2, 1, 3.0), (5, 9, -1.0), (9, 40, 0.0), (12, 60, 1e200), (12, 60, 1e-200)] {
            let design = PairedDesign::new(n, pairs, 3);
            let of_pairs = output(&design, |row| grand * noise(row), |_| 0.0, grand);
            let shapley = Functional::index(Index::Shapley, 1, 1, n);
            let random = || generator(3, 1);
            let model = Fit::new(design.clone(), of_pairs.clone(), false, &mut random());
            let mut found = vec![least_squares(&design, &of_pairs.odd, grand).0];
            found.extend(model.map(|fit| fit.of(&shapley, &mut random())));
            for found in found {
                let sum: f64 = found.values.iter().sum();
                assert!((sum - 2.0 * grand).abs() <= 1e-9 * grand.abs(), "n {n}: {sum} {grand}");
                assert!(found.std_errors.iter().all(|error| *error >= 0.0 && error.is_finite()));
            }
        }
    }

    /// A sum of the members' weights is found exactly, and is sure.
    #[test]
    fn sums_are_exact() {
        let (n, pairs) = (12, 60);
        for seed in 0..5 {
            let design = PairedDesign::new(n, pairs, seed);
            let weight =
                |row: &[u64]| -> f64 { (0..n).map(|k| k as f64 * if row[0] >> k & 1 == 1 { 0.5 } else { -0.5 }).sum() };
            let of_pairs = output(&design, weight, |row| 0.1 * noise(row), weight(&[(1 << n) - 1]));
            let fit = Fit::new(design, of_pairs, false, &mut generator(seed, 1)).unwrap();
            let found = fit.of(&Functional::index(Index::Shapley, 1, 1, n), &mut generator(seed, 2));
            for (player, value) in found.values.iter().enumerate() {
                assert!((value - player as f64).abs() < 1e-9, "{player}: {value}");
            }
        }
    }
}
