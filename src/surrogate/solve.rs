//! From pairs and their values to Shapley values of each output, and what is known of their errors.

use super::constants::{FIRST_CHECKS, MOST_LEFT};
use super::correction::{self, PairValues, Values, has_few_values};
use super::design::PairedDesign;
use super::generator;
use super::kernel_shap::least_squares;
use crate::results::{Method, Pair};
use crate::{Coalition, Value};

/// Values and standard errors of all components.
pub(super) fn solve<V: Value>(
    design: &PairedDesign,
    asked: &[Pair<V>],
    [baseline, grand]: [&V; 2],
    method: Method,
    seed: u64,
) -> (Vec<V>, Vec<V>) {
    let players = design.players;
    let components = |value: &V| -> Vec<f64> { value.components().collect() };
    let (low, high) = (components(baseline), components(grand));
    let middle: Vec<f64> = low.iter().zip(&high).map(|(low, high)| low / 2.0 + high / 2.0).collect();
    // How far the mean of a pair is from the middle of the ends, on average over the pairs of which both are known. It
    // is zero for games that are self-dual, and near it for those that nearly are, which alone have pairs with a
    // complement missing.
    let mut even = vec![0.0; low.len()];
    let mut odd = vec![Vec::with_capacity(asked.len()); low.len()];
    let mut means = vec![Vec::with_capacity(asked.len()); low.len()];
    if asked.iter().any(|pair| pair.complement.is_none()) {
        let whole =
            asked.iter().filter_map(|pair| Some((components(&pair.value), components(pair.complement.as_ref()?))));
        let mut count = 0.0;
        for (value, complement) in whole {
            count += 1.0;
            for (k, even) in even.iter_mut().enumerate() {
                *even += (value[k] / 2.0 + complement[k] / 2.0 - middle[k] - *even) / count;
            }
        }
    }
    let inferred = inferred_errors(design, asked, [&low, &high]);
    // Half the difference of the two; where one was not asked for, their mean is taken to be that of others.
    for pair in asked {
        let value = components(&pair.value);
        let complement = pair.complement.as_ref().map(&components);
        if let Some(other) = &complement {
            for (k, means) in means.iter_mut().enumerate() {
                means.push(value[k] / 2.0 + other[k] / 2.0 - middle[k]);
            }
        }
        for (k, odd) in odd.iter_mut().enumerate() {
            odd.push(match &complement {
                Some(other) => value[k] / 2.0 - other[k] / 2.0,
                None => value[k] - middle[k] - even[k],
            });
        }
    }
    let mut solved: Vec<Values> = odd
        .iter()
        .enumerate()
        .map(|(k, odd)| {
            let grand = high[k] / 2.0 - low[k] / 2.0;
            let even = (means[k].len() == odd.len()).then_some(means[k].as_slice());
            if correction::scaled(odd, grand).is_none() {
                return correction::all_even(design, even);
            }
            match method {
                // Each output has the random numbers that it would have alone.
                Method::Surrogate => {
                    let (linear, not_linear) = linear(design, odd, grand);
                    let pairs = PairValues { odd, even, grand, not_linear };
                    let model = correction::estimate(design, pairs, &mut generator(seed, 1));
                    Values { values: linear.unwrap_or(model.values), ..model }
                }
                Method::KernelShap => least_squares(design, odd, grand),
            }
        })
        .collect();
    for (output, inferred) in solved.iter_mut().zip(&inferred) {
        for (error, inferred) in output.std_errors.iter_mut().zip(inferred) {
            *error = error.hypot(*inferred);
        }
    }
    let assemble = |of: &dyn Fn(&Values) -> f64| {
        let mut outputs = solved.iter();
        baseline.zip_with(baseline, |_, _| outputs.next().map_or(0.0, of))
    };
    let values = (0..players).map(|player| assemble(&|output| output.values[player])).collect();
    let std_errors = (0..players).map(|player| assemble(&|output| output.std_errors[player])).collect();
    (values, std_errors)
}

/// The values of a function that is linear on all pairs, up to rounding: of games of single players and pairs of them,
/// and of all whose orders are even beside. A model takes everything for a little noisy, and with few pairs, for more.
/// It knows how sure it is: with n pairs and (N, ∅) only one equation more is met than there are values.
fn linear(design: &PairedDesign, odd: &[f64], grand: f64) -> (Option<Vec<f64>>, f64) {
    let Values { values, .. } = least_squares(design, odd, grand);
    let largest = odd.iter().fold(grand.abs(), |most, odd| most.max(odd.abs()));
    // Half the sum of the members' values less half that of the others, all of which sum to v(N) − v(∅).
    let said = |row: &Coalition| row.iter().map(|player| values[player]).sum::<f64>() - grand;
    let left: Vec<f64> = design.rows.iter().zip(odd).map(|(row, odd)| said(row) - odd).collect();
    let is_met = design.len() >= design.players && left.iter().all(|left| left.abs() <= MOST_LEFT * largest);
    let squares = left.iter().map(|left| (left / largest.max(f64::MIN_POSITIVE)).powi(2)).sum::<f64>();
    let not_linear = if is_met { 0.0 } else { largest * (squares / left.len() as f64).sqrt() };
    (is_met.then_some(values), not_linear)
}

/// What complements that were not asked for, but taken from the others, add to the standard errors of the values, in
/// squares, for each output and player. Of c pairs of which both coalitions are known, k are not dual: about (k + 1) /
/// (c + 2) of the others are not either (Laplace's rule of succession), and each of these is off by half the range of
/// the values seen at most, in d(S).
fn inferred_errors<V: Value>(design: &PairedDesign, asked: &[Pair<V>], [low, high]: [&[f64]; 2]) -> Vec<Vec<f64>> {
    let players = design.players;
    let outputs = low.len();
    let missing: Vec<usize> = (0..asked.len()).filter(|&pair| asked[pair].complement.is_none()).collect();
    if missing.is_empty() {
        return vec![vec![0.0; players]; outputs];
    }
    // The sum of squared weights of the pairs that were inferred, each over its chance to be there: as `weight` has it,
    // where nothing is out of range.
    let mut squares = vec![0.0; players];
    for &pair in &missing {
        let coalition = &asked[pair].coalition;
        let size = coalition.len();
        let both = if 2 * size == players { 1.0 } else { 2.0 } / design.expected()[size - 1];
        for (player, sum) in squares.iter_mut().enumerate() {
            let members = if coalition.contains(player) { size } else { players - size };
            *sum += (both / members as f64).powi(2);
        }
    }
    let of_output = |k: usize| {
        let at = |value: &V| value.components().nth(k).unwrap_or_default();
        let middle = low[k] / 2.0 + high[k] / 2.0;
        let (mut least, mut most) = (low[k].min(high[k]), low[k].max(high[k]));
        let (mut checks, mut not_dual) = (0.0, 0.0);
        for Pair { value, complement, .. } in asked {
            let value = at(value);
            (least, most) = (least.min(value), most.max(value));
            if let Some(complement) = complement.as_ref().map(at) {
                (least, most) = (least.min(complement), most.max(complement));
                checks += 1.0;
                let off = (value / 2.0 + complement / 2.0 - middle).abs();
                not_dual += f64::from(u8::from(off > 1e-9 * (most - least)));
            }
        }
        // Where values are many, it is no chance that all checks held to nine digits.
        let is_chance = has_few_values(asked.iter().map(|pair| at(&pair.value)));
        // Nor of few checks, where all pairs are there and nothing else is in doubt.
        let is_all = design.len() as u64 == (1 << (players.min(63) - 1)) - 1;
        let may_be_chance = is_chance || (is_all && checks < FIRST_CHECKS as f64);
        let share = (not_dual + f64::from(u8::from(may_be_chance))) / (checks + 2.0);
        let half = most / 2.0 - least / 2.0;
        squares.iter().map(|square| half * (share * square).sqrt()).collect()
    };
    (0..outputs).map(of_output).collect()
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
