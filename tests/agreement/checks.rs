//! What every solver must say of every game.

use std::collections::HashMap;

use shapley::{Coalition, Estimate};

use crate::common::compare::{close, largest};
use crate::common::rounding::rounding;
use crate::known::Known;
use crate::solvers::{Answer, Kind, Output, Settings, Solver};

/// How far an estimate may be from the known value, in standard errors.
///
/// A sampler of orders is compared with an upper bound of its true error, computed from all values of the game. A
/// normal number is further away once in 5·10⁸ times. The most skewed mean counts pivots, of which 1.3 are expected; it
/// is further away once in 10⁷ times. There are fewer than 3000 means, so another seed fails by chance at most once in
/// 3000 times.
///
/// A sampler of coalitions is compared with the error that it states. No theorem gives a rate for that. Votes are left
/// out: where no pivot of a player was among the coalitions, the solver cannot know that there are any.
///
/// The seeds are fixed, so that a test that passes does so every time.
const STANDARD_ERRORS: f64 = 6.0;

/// The level of the intervals, and the least share of them that must have the known value. The players of one game
/// depend on each other, so 400 intervals count as about 80 independent ones: of those, fewer than 0.85 have the value
/// once in 6000 times.
const LEVEL: f64 = 0.95;
const COVERED: f64 = 0.85;

/// Each game is solved with the first, the defaults, and with one of the others.
const SETTINGS: [Settings; 4] = [
    Settings { threads: 0, batch: 0 },
    Settings { threads: 1, batch: 1 },
    Settings { threads: 2, batch: 7 },
    Settings { threads: 3, batch: 64 },
];

/// What all values of a game, of one output, say of it.
struct Facts {
    largest: f64,
    /// Whether all values are 0 or 1.
    is_vote: bool,
    /// Players who never change the value.
    is_null: Vec<bool>,
    /// The standard deviation of what a player adds, over all orders.
    deviations: Vec<f64>,
}

impl Facts {
    fn new(players: usize, values: &[f64]) -> Self {
        let largest = largest(values.iter().copied());
        let factorial = |n: usize| (1..=n).map(|k| k as f64).product::<f64>();
        let weights: Vec<f64> =
            (0..players).map(|size| factorial(size) * factorial(players - 1 - size) / factorial(players)).collect();
        // With the weight of the coalition, and relative to the largest value, so that squares do not overflow.
        let additions = |player: usize| {
            let without = (0..values.len()).filter(move |mask| mask >> player & 1 == 0);
            let addition = |mask: usize| (values[mask | 1 << player] - values[mask]) / largest.max(f64::MIN_POSITIVE);
            without.map(|mask| (weights[mask.count_ones() as usize], addition(mask))).collect::<Vec<_>>()
        };
        let deviation = |additions: &Vec<(f64, f64)>| {
            let mean: f64 = additions.iter().map(|(weight, addition)| weight * addition).sum();
            let variance: f64 = additions.iter().map(|(weight, addition)| weight * (addition - mean).powi(2)).sum();
            variance.sqrt() * largest
        };
        let additions: Vec<_> = (0..players).map(additions).collect();
        Self {
            largest,
            is_vote: values.iter().all(|value| [0.0, 1.0].contains(value)),
            is_null: additions.iter().map(|additions| additions.iter().all(|(_, addition)| *addition == 0.0)).collect(),
            deviations: additions.iter().map(deviation).collect(),
        }
    }
}

/// Intervals of players who change the value, and how many of them have the known value.
#[derive(Debug, Default)]
struct Coverage {
    intervals: u32,
    hits: u32,
}

/// One output of some values.
fn component<V: Output>(values: &[V], output: usize) -> Vec<f64> {
    values.iter().map(|value| value.outputs()[output]).collect()
}

fn bits<'a, V: Output + 'a>(values: impl IntoIterator<Item = &'a V>) -> Vec<u64> {
    values.into_iter().flat_map(|value| value.outputs()).map(f64::to_bits).collect()
}

/// The bits of values and of standard errors.
fn all_bits<V: Output>(answer: &Answer<V>) -> Vec<u64> {
    let mut all = bits(answer.attribution().values());
    if let Answer::Estimate(estimate) = answer {
        // Errors of zero are left out, since an exact attribution has none.
        all.extend(bits(estimate.std_errors()).into_iter().filter(|bits| *bits != 0));
    }
    all
}

/// Holds solvers against games. Returns the number of values that were compared with known ones.
pub(crate) fn check<V: Output>(games: &[Known<V>], solvers: &[Solver<V>]) -> usize {
    let mut compared = 0;
    let mut coverages: Vec<Coverage> = solvers.iter().map(|_| Coverage::default()).collect();
    for (number, known) in games.iter().enumerate() {
        let players = known.game.num_players();
        let grand = Coalition::grand(players).mask().unwrap();
        let values: Vec<V> = (0..=grand).map(|mask| known.game.value(&Coalition::from_mask(players, mask))).collect();
        let outputs = values[0].outputs().len();
        let facts: Vec<_> = (0..outputs).map(|output| Facts::new(players, &component(&values, output))).collect();
        let mut groups = HashMap::new();
        for (solver, coverage) in solvers.iter().zip(&mut coverages) {
            let what = format!("{}, {}", known.name, solver.name);
            let answer = (solver.solve)(&*known.game, SETTINGS[0]);
            check_ends(&what, [&values[0], &values[grand as usize]], solver, &answer);
            for (output, facts) in facts.iter().enumerate() {
                check_values(&what, (known, facts, output), solver, &answer, coverage);
            }
            let expected = groups.entry(solver.group).or_insert_with(|| all_bits(&answer));
            let how = SETTINGS[1 + number % (SETTINGS.len() - 1)];
            for answer in [answer, (solver.solve)(&*known.game, how)] {
                assert_eq!(all_bits(&answer), *expected, "{what}: other bits, {how:?}");
            }
            compared += players * outputs;
        }
    }
    for (solver, Coverage { intervals, hits }) in solvers.iter().zip(coverages) {
        let share = f64::from(hits) / f64::from(intervals);
        assert!(intervals == 0 || share >= COVERED, "{}: {share} of the intervals have the value", solver.name);
    }
    compared
}

/// v(∅) and v(N) are those of the game, and the evaluations are within the budget.
fn check_ends<V: Output>(what: &str, ends: [&V; 2], solver: &Solver<V>, answer: &Answer<V>) {
    let found = answer.attribution();
    assert_eq!(bits([found.baseline(), found.grand()]), bits(ends), "{what}: v(∅) and v(N)");
    let budget = solver.kind.budget(found.len());
    assert!(found.evaluations() <= budget, "{what}: {} evaluations of at most {budget}", found.evaluations());
}

/// One output of all values: near the known values, efficient, and zero for null players. Rounding errors of any solver
/// must be within the bound of the exact one, which `common::rounding` derives; that of a sum within n times as much.
fn check_values<V: Output>(
    what: &str,
    (known, facts, output): (&Known<V>, &Facts, usize),
    solver: &Solver<V>,
    answer: &Answer<V>,
    coverage: &mut Coverage,
) {
    let found = answer.attribution();
    let (values, shapley) = (component(found.values(), output), component(&known.shapley, output));
    let players = values.len();
    assert_eq!(players, shapley.len(), "{what}");
    let rounding = rounding(players, facts.largest);

    let shared = found.grand().outputs()[output] - found.baseline().outputs()[output];
    let sum: f64 = values.iter().sum();
    let tolerance = players as f64 * rounding;
    assert!(close(sum, shared, tolerance), "{what}: the values sum to {sum:e} and not to {shared:e} ± {tolerance:e}");

    for player in 0..players {
        let (value, truth) = (values[player], shapley[player]);
        let mut tolerance = rounding;
        if let Answer::Estimate(estimate) = answer {
            let stated = estimate.std_errors()[player].outputs()[output];
            let error = match solver.kind {
                Kind::Exact => 0.0,
                Kind::Orders => largest_error(facts.deviations[player], estimate),
                Kind::Coalitions if facts.is_vote => f64::INFINITY,
                Kind::Coalitions => stated,
            };
            // Players share what they know of each other's spread.
            let all = facts.deviations.iter().map(|deviation| deviation * deviation).sum::<f64>() / players as f64;
            let shared = if solver.kind == Kind::Orders { largest_error(all.sqrt(), estimate) } else { 0.0 };
            let most = 3.0 * error.hypot(shared) + rounding;
            assert!((0.0..=most).contains(&stated), "{what}, player {player}: ± {stated:e}");
            tolerance += STANDARD_ERRORS * error;
            let (low, high) = estimate.interval(player, LEVEL);
            let (low, high) = (low.outputs()[output], high.outputs()[output]);
            if !facts.is_null[player] {
                coverage.intervals += 1;
                coverage.hits += u32::from((low - rounding..=high + rounding).contains(&truth));
            }
        }
        assert!(close(value, truth, tolerance), "{what}, player {player}: {value:e} is not {truth:e} ± {tolerance:e}");
        if facts.is_null[player] && solver.kind != Kind::Coalitions {
            assert_eq!(value.to_bits() << 1, 0, "{what}, player {player} never changes the value, and gets {value}");
        }
    }
}

/// An upper bound of the standard error of a mean over orders: the mean of a pair of walks has at most the variance of
/// one walk.
fn largest_error<V: Output>(deviation: f64, estimate: &Estimate<V>) -> f64 {
    deviation * (2.0 / estimate.permutations() as f64).sqrt()
}
