//! From pairs and their values to Shapley values of each output, and what is known of their errors.

use super::constants::{FIRST_CHECKS, ROUNDING};
use super::correction::{Values, has_few_values, scaled};
use super::design::PairedDesign;
use super::fit::{Fit, Output, of_inferred, of_zeros};
use super::functional::Functional;
use super::generator;
use super::kernel_shap::least_squares;
use crate::results::{Method, Pair};
use crate::{Coalition, Value};

/// The halves of all pairs, for each component.
pub(super) fn outputs<V: Value>(asked: &[Pair<V>], [baseline, grand]: [&V; 2]) -> Vec<Output> {
    let components = |value: &V| -> Vec<f64> { value.components().collect() };
    let (low, high) = (components(baseline), components(grand));
    let players = asked.first().map_or(0, |pair| pair.coalition.num_players());
    let is_all = asked.len() as u64 == (1 << (players.clamp(1, 63) - 1)) - 1;
    let is_inferred: Vec<bool> = asked.iter().map(|pair| pair.complement.is_none()).collect();
    let of_component = |k: usize| {
        let at = |value: &V| value.components().nth(k).unwrap_or_default();
        let middle = low[k] / 2.0 + high[k] / 2.0;
        let of_pair = |pair: &Pair<V>| (at(&pair.value), pair.complement.as_ref().map(at));
        // How far the mean of a pair is from the middle of the ends, on average over the pairs of which both are known.
        // It is zero for games that are self-dual, and near it for those that nearly are, which alone have pairs with a
        // complement missing.
        let (mut count, mut average) = (0.0, 0.0);
        for (value, other) in asked.iter().map(of_pair).filter_map(|(value, other)| Some((value, other?))) {
            count += 1.0;
            average += (value / 2.0 + other / 2.0 - middle - average) / count;
        }
        let (odd, even): (Vec<f64>, Vec<f64>) = asked
            .iter()
            .map(of_pair)
            .map(|(value, other)| match other {
                Some(other) => (value / 2.0 - other / 2.0, value / 2.0 + other / 2.0 - middle),
                None => (value - middle - average, average),
            })
            .unzip();
        // A half that is zero but for rounding is zero: a model would explain the rounding, and be sure of it.
        let sizes = asked.iter().flat_map(|pair| [Some(&pair.value), pair.complement.as_ref()]).flatten().map(at);
        let largest = sizes.chain([low[k], high[k]]).fold(0.0_f64, |most, value| most.max(value.abs()));
        let without_rounding = |numbers: Vec<f64>, first: f64| {
            let is_zero = numbers.iter().chain([&first]).all(|number| number.abs() <= ROUNDING * largest);
            if is_zero { vec![0.0; numbers.len()] } else { numbers }
        };
        let difference = high[k] / 2.0 - low[k] / 2.0;
        let (odd, even) = (without_rounding(odd, difference), without_rounding(even, 0.0));
        let inferred =
            if is_inferred.contains(&true) { inferred(asked, is_all, at, [low[k], high[k]]) } else { [0.0; 2] };
        let grand =
            if odd.iter().any(|odd| *odd != 0.0) || difference.abs() > ROUNDING * largest { difference } else { 0.0 };
        Output { odd, even, grand, middle, is_inferred: is_inferred.clone(), inferred }
    };
    (0..low.len()).map(of_component).collect()
}

/// The root mean square by which an even half is off that was not asked for, but taken from the others. Of c pairs of
/// which both coalitions are known, k are not dual: about (k + 1) / (c + 2) of the others are not either (Laplace's rule
/// of succession), and each of these is off by half the range of the values seen at most. First for Shapley
/// values, of which all sizes are a part; then for others, which may hang on the few pairs that no check was of.
fn inferred<V>(asked: &[Pair<V>], is_all: bool, at: impl Fn(&V) -> f64, [low, high]: [f64; 2]) -> [f64; 2] {
    let middle = low / 2.0 + high / 2.0;
    let (mut least, mut most) = (low.min(high), low.max(high));
    let (mut checks, mut not_dual) = (0.0, 0.0);
    for Pair { value, complement, .. } in asked {
        let value = at(value);
        (least, most) = (least.min(value), most.max(value));
        if let Some(complement) = complement.as_ref().map(&at) {
            (least, most) = (least.min(complement), most.max(complement));
            checks += 1.0;
            let off = (value / 2.0 + complement / 2.0 - middle).abs();
            not_dual += f64::from(u8::from(off > 1e-9 * (most - least)));
        }
    }
    // Where values are many, it is no chance that all checks held to nine digits.
    let is_chance = has_few_values(asked.iter().map(|pair| at(&pair.value)));
    // Nor of few checks, where all pairs are there and nothing else is in doubt.
    let may_be_chance = is_chance || (is_all && checks < FIRST_CHECKS as f64);
    let off = |share: f64| (most / 2.0 - least / 2.0) * share.sqrt();
    let more = f64::from(u8::from(may_be_chance));
    [off((not_dual + more) / (checks + 2.0)), off((not_dual + 1.0) / (checks + 2.0))]
}

/// Values and standard errors of all components.
pub(super) fn solve<V: Value>(
    design: &PairedDesign,
    asked: &[Pair<V>],
    [baseline, grand]: [&V; 2],
    method: Method,
    seed: u64,
) -> (Vec<V>, Vec<V>) {
    let shapley = Functional::shapley(design.players);
    let solve = |output: Output| {
        let step = output.even.iter().fold(0.0_f64, |most, even| most.max(even.abs()));
        let (total, is_zero) = (2.0 * output.grand, scaled(&output.odd, output.grand).is_none());
        match method {
            // A half that is zero on all pairs says nothing of those that were not asked for.
            _ if is_zero => of_zeros(design, step),
            // Each output has the random numbers that it would have alone.
            Method::Surrogate | Method::Semivalue => {
                match Fit::new(design.clone(), output, false, &mut generator(seed, 1)) {
                    Some(fit) => with_total(fit.of(&shapley, &mut generator(seed, 4)), total),
                    None => of_zeros(design, step),
                }
            }
            Method::KernelShap => {
                let inferred = of_inferred(design, &output, &shapley);
                let (Values { values, std_errors }, _) = least_squares(design, &output.odd, output.grand);
                let std_errors = std_errors.iter().zip(inferred).map(|(error, more)| error.hypot(more)).collect();
                Values { values, std_errors }
            }
        }
    };
    let solved: Vec<Values> = outputs(asked, [baseline, grand]).into_iter().map(solve).collect();
    let assemble = |of: &dyn Fn(&Values) -> f64| {
        let mut outputs = solved.iter();
        baseline.zip_with(baseline, |_, _| outputs.next().map_or(0.0, of))
    };
    let values = (0..design.players).map(|player| assemble(&|output| output.values[player])).collect();
    let std_errors = (0..design.players).map(|player| assemble(&|output| output.std_errors[player])).collect();
    (values, std_errors)
}

/// Values that sum to this, which they do already but for rounding.
fn with_total(mut found: Values, total: f64) -> Values {
    let missing = (total - found.values.iter().sum::<f64>()) / found.values.len() as f64;
    found.values.iter_mut().for_each(|value| *value += missing);
    found
}

/// (s − 1)! (n − s)! / n! for the sizes s from 1 to n.
fn weights(players: usize) -> Vec<f64> {
    let n = players as f64;
    let mut weights = vec![1.0 / n];
    for size in 1..players {
        weights.push(weights[size - 1] * size as f64 / (n - size as f64));
    }
    weights
}

/// What d(S) of a pair counts in a player's value: with p(s) = s! (n − 1 − s)! / n!, 2 p(|S| − 1) for a member, and
/// −2 p(|S|) for others, who are members of the complement.
fn weight(weights: &[f64], coalition: &Coalition, player: usize) -> f64 {
    match coalition.contains(player) {
        true => 2.0 * weights[coalition.len() - 1],
        false => -2.0 * weights[coalition.len()],
    }
}

/// The exact values, from all pairs with both coalitions, and what is left of their errors: nothing. φᵢ =
/// (v(N) − v(∅)) / n + Σ over pairs of [`weight`] × d(S).
pub(super) fn of_all<V: Value>(players: usize, asked: &[Pair<V>], [baseline, grand]: [&V; 2]) -> (Vec<V>, Vec<V>) {
    let (n, weights) = (players as f64, weights(players));
    let mut values = vec![grand.zip_with(baseline, |grand, baseline| grand / n - baseline / n); players];
    for Pair { coalition, value, complement } in asked {
        let Some(complement) = complement else { continue };
        let difference = value.zip_with(complement, |value, complement| value / 2.0 - complement / 2.0);
        for (player, sum) in values.iter_mut().enumerate() {
            let weight = weight(&weights, coalition, player);
            *sum = sum.zip_with(&difference, |sum, difference| sum + weight * difference);
        }
    }
    let errors = values.iter().map(|value| value.zip_with(value, |_, _| 0.0)).collect();
    (values, errors)
}
