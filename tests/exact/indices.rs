//! The oracle for interactions: each index straight from its published definition, in exact fractions, from nothing but
//! v as a function of bit masks. As slow as definitions are.

use std::collections::BTreeMap;

use crate::common::naive::Number;
use crate::common::sets::sets;
use crate::fraction::Fraction;
use crate::naive::for_each_order;

/// One number for each set of players, by its mask.
pub(crate) type BySet = BTreeMap<u64, Fraction>;

fn size(set: u64) -> usize {
    set.count_ones() as usize
}

fn is_subset(inner: u64, outer: u64) -> bool {
    inner & !outer == 0
}

fn factorial(n: usize) -> Fraction {
    Fraction::of((1..=n as u64).product())
}

fn total(terms: impl Iterator<Item = Fraction>) -> Fraction {
    terms.fold(Fraction::whole(0), |sum, term| sum + term)
}

/// What the players `set` add together to those of `on`: Δ_K v(S) = Σ over L ⊆ K of (−1)^(|K|−|L|) v(S ∪ L).
fn derivative(set: u64, on: u64, value: &impl Fn(u64) -> i64) -> Fraction {
    let subsets = (0..=set).filter(|inner| is_subset(*inner, set));
    let signed =
        subsets.map(|inner| if size(set ^ inner).is_multiple_of(2) { value(on | inner) } else { -value(on | inner) });
    Fraction::whole(signed.sum())
}

/// The Möbius transform by inclusion and exclusion: m(K) = Σ over L ⊆ K of (−1)^(|K|−|L|) v(L).
pub(crate) fn moebius(players: usize, order: usize, value: impl Fn(u64) -> i64) -> BySet {
    sets(players, order).map(|set| (set, derivative(set, 0, &value))).collect()
}

/// Σ over S ⊆ N∖K of weight(n, |K|, |S|) Δ_K v(S).
fn averaged(
    players: usize,
    order: usize,
    value: impl Fn(u64) -> i64,
    weight: impl Fn(usize, usize, usize) -> Fraction,
) -> BySet {
    let one = |set: u64| {
        let others = (0..1_u64 << players).filter(|on| on & set == 0);
        total(others.map(|on| weight(players, size(set), size(on)) * derivative(set, on, &value)))
    };
    sets(players, order).map(|set| (set, one(set))).collect()
}

/// The Shapley interaction index, Grabisch & Roubens 1999: weights (n−s−κ)! s! / (n−κ+1)!.
pub(crate) fn shapley(players: usize, order: usize, value: impl Fn(u64) -> i64) -> BySet {
    averaged(players, order, value, |n, k, s| factorial(n - s - k) * factorial(s) / factorial(n - k + 1))
}

/// The Banzhaf interaction index, Grabisch & Roubens 1999: weights 1 / 2^(n−κ).
pub(crate) fn banzhaf(players: usize, order: usize, value: impl Fn(u64) -> i64) -> BySet {
    averaged(players, order, value, |n, k, _| Fraction::new(1, 1 << (n - k)))
}

/// The Bernoulli numbers.
const BERNOULLI: [(i128, i128); 8] = [(1, 1), (-1, 2), (1, 6), (0, 1), (-1, 30), (0, 1), (1, 42), (0, 1)];

/// The k-Shapley values by their recursion, Bordt & von Luxburg 2023. Of order |K|, what K has is its
/// Shapley interaction; of an order k above, what it has of order k−1, and B_(k−|K|) times the Shapley interactions of
/// all sets of k players that K is part of. The empty set has v(∅).
pub(crate) fn k_shapley(players: usize, order: usize, value: impl Fn(u64) -> i64) -> BySet {
    fn one(players: usize, order: usize, set: u64, interactions: &BySet) -> Fraction {
        if size(set) == order {
            return interactions[&set];
        }
        let (numerator, denominator) = BERNOULLI[order - size(set)];
        let larger = sets(players, order).filter(|other| size(*other) == order && is_subset(set, *other));
        let shared = total(larger.map(|other| interactions[&other]));
        one(players, order - 1, set, interactions) + Fraction::new(numerator, denominator) * shared
    }
    let empty = (0, Fraction::whole(value(0)));
    let interactions = shapley(players, order, value);
    let others = sets(players, order).skip(1).map(|set| (set, one(players, order, set, &interactions)));
    others.chain([empty]).collect()
}

/// The Shapley-Taylor index, Sundararajan, Dhamdhere & Agarwal 2020: the players come in a random order. A
/// set of k players gets what it adds together to those who came before all of it, in the mean over all orders; a
/// smaller set what it adds to nobody.
pub(crate) fn shapley_taylor(players: usize, order: usize, value: impl Fn(u64) -> i64) -> BySet {
    let mut sums = moebius(players, order, &value);
    let largest: Vec<u64> = sets(players, order).filter(|set| size(*set) == order).collect();
    for set in &largest {
        let known: Vec<Fraction> = (0..1 << players).map(|on| derivative(*set, on & !set, &value)).collect();
        let (mut sum, mut orders) = (Fraction::whole(0), 0);
        for_each_order(&mut Vec::new(), players, &mut |order| {
            let before: u64 =
                order.iter().take_while(|player| set >> **player & 1 == 0).map(|player| 1 << player).sum();
            sum = sum + known[before as usize];
            orders += 1;
        });
        sums.insert(*set, sum / Fraction::of(orders));
    }
    sums
}

/// The faithful Shapley index, Tsai, Yeh & Ravikumar 2023: the best fit under the Shapley kernel
/// (n−1) / (C(n, s) s (n−s)) that is exact for the empty and for the grand coalition.
pub(crate) fn faithful_shapley(players: usize, order: usize, value: impl Fn(u64) -> i64) -> BySet {
    let n = players;
    let choose = |k: usize| factorial(n) / (factorial(k) * factorial(n - k));
    let kernel = |s: usize| Fraction::of(n as u64 - 1) / (choose(s) * Fraction::of((s * (n - s)) as u64));
    best_fit(players, order, value, kernel, &[0, (1 << n) - 1])
}

/// The faithful Banzhaf index, Tsai, Yeh & Ravikumar 2023: the best fit with all coalitions weighted alike.
pub(crate) fn faithful_banzhaf(players: usize, order: usize, value: impl Fn(u64) -> i64) -> BySet {
    best_fit(players, order, value, |_| Fraction::whole(1), &[])
}

/// The numbers a(K), |K| ≤ order, for which Σ over S of weight(|S|) (v(S) − Σ over K ⊆ S of a(K))² is least, and that
/// give the value of some coalitions, which have no weight, exactly. By the normal equations, with a multiplier for
/// each exact coalition.
fn best_fit(
    players: usize,
    order: usize,
    value: impl Fn(u64) -> i64,
    weight: impl Fn(usize) -> Fraction,
    exact: &[u64],
) -> BySet {
    let unknowns: Vec<u64> = sets(players, order).collect();
    let weighted: Vec<(u64, Fraction)> =
        (0..1 << players).filter(|on| !exact.contains(on)).map(|on| (on, weight(size(on)))).collect();
    // Two unknowns meet in the coalitions that hold both.
    let holding = |set: u64| weighted.iter().filter(move |(on, _)| is_subset(set, *on));
    let meetings: Vec<Fraction> = (0..1 << players).map(|set| total(holding(set).map(|(_, weight)| *weight))).collect();
    let one_if = |condition: bool| Fraction::whole(i64::from(condition));
    let mut equations: Vec<Vec<Fraction>> = Vec::new();
    for set in &unknowns {
        let mut equation: Vec<_> = unknowns.iter().map(|other| meetings[(set | other) as usize]).collect();
        equation.extend(exact.iter().map(|on| one_if(is_subset(*set, *on))));
        equation.push(total(holding(*set).map(|(on, weight)| *weight * Fraction::whole(value(*on)))));
        equations.push(equation);
    }
    for on in exact {
        let mut equation: Vec<_> = unknowns.iter().map(|set| one_if(is_subset(*set, *on))).collect();
        equation.extend(exact.iter().map(|_| Fraction::whole(0)));
        equation.push(Fraction::whole(value(*on)));
        equations.push(equation);
    }
    unknowns.into_iter().zip(solution(equations)).collect()
}

/// Gauss elimination. Each equation has its right-hand side at the end.
fn solution(mut equations: Vec<Vec<Fraction>>) -> Vec<Fraction> {
    let zero = Fraction::whole(0);
    for column in 0..equations.len() {
        let pivot = (column..equations.len()).find(|row| equations[*row][column] != zero);
        equations.swap(column, pivot.expect("the best fit is unique"));
        let (above, below) = equations.split_at_mut(column + 1);
        let pivot = &above[column];
        for equation in below.iter_mut().filter(|equation| equation[column] != zero) {
            let factor = equation[column] / pivot[column];
            for (mine, theirs) in equation.iter_mut().zip(pivot).skip(column) {
                if *theirs != zero {
                    *mine = *mine - factor * *theirs;
                }
            }
        }
    }
    let mut solved: Vec<Fraction> = Vec::new();
    for (row, equation) in equations.iter().enumerate().rev() {
        let (coefficients, right) = equation.split_at(equations.len());
        let known = total(coefficients[row + 1..].iter().zip(solved.iter().rev()).map(|(a, x)| *a * *x));
        solved.push((right[0] - known) / coefficients[row]);
    }
    solved.reverse();
    solved
}
