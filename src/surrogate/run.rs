//! From a game to an estimate.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Options;
use super::correction::{self, Values};
use super::design::PairedDesign;
use super::generator;
use super::questions::Game;
use super::quota::Form;
use crate::engine::answer::Threads;
use crate::engine::ask::both_ends;
use crate::engine::partial::check_ends;
use crate::engine::progress::{Meter, Observer};
use crate::engine::question::{Asker, Questions};
use crate::engine::settings::Settings;
use crate::game::ByRef;
use crate::results::{Method, Origin, Pair, Pairs};
use crate::store::Store;
use crate::weights::MOST_PLAYERS as MOST_EXACT;
use crate::{Attribution, Cached, Coalition, Error, Estimate, Exact, MemoryStore, Progress, Stopped, TryGame, Value};

/// More players than this have matrices of gigabytes.
pub(crate) const MOST_PLAYERS: usize = 4000;

/// More evaluations have pairs of gigabytes.
const MOST_EVALUATIONS: u64 = 1 << 24;

/// What the least that an estimate can go on with takes.
const ENDS_AND_A_PAIR: u64 = 4;

/// An estimate, and the pairs that it is made of.
pub(crate) type Known<'a, V> = (&'a Pairs<V>, &'a Estimate<V>);

/// Asks for what the budget pays for, from nothing or from an estimate on.
pub(super) fn run<G: TryGame + ?Sized, F: Observer>(
    game: &G,
    method: Method,
    options: &Options,
    settings: &Settings<F>,
    from: Option<&Estimate<G::Value>>,
) -> Result<Estimate<G::Value>, Error<G::Error>> {
    let players = game.num_players();
    let known = from.map(|estimate| known(estimate, method, options, players)).transpose()?;
    check_players(players)?;
    let known = known.zip(from);
    let made = from.map_or(0, Estimate::evaluations);
    let left = options.evaluations.saturating_sub(made);
    if let Some((pairs, estimate)) = known {
        if left < ENDS_AND_A_PAIR || estimate.stopped() == Stopped::Exact {
            return Ok(estimate.clone());
        }
        let pays_for_all = all(players).is_some_and(|all| left - 2 >= all.saturating_sub(pairs.coalitions()));
        if !pays_for_all {
            check_budget(options, players)?;
        }
        let ends = both_ends(game, players)?;
        check_ends(&ends, &estimate.ends())?;
        if pays_for_all {
            return exact_from(game, method, options, settings, (pairs, estimate));
        }
        return ask_for_pairs(game, method, options, settings, (made, ends), Some((pairs, estimate)));
    }
    if pays_for_all(options, players) {
        return Ok(of_exact(exact(settings, players).solve(game)?, method, options));
    }
    check_budget(options, players)?;
    let ends = both_ends(game, players)?;
    ask_for_pairs(game, method, options, settings, (0, ends), None)
}

/// Asks for pairs, v(∅) and v(N) being paid for after the first `made` evaluations.
fn ask_for_pairs<G: TryGame + ?Sized, F: Observer>(
    game: &G,
    method: Method,
    options: &Options,
    settings: &Settings<F>,
    (made, ends): (u64, [G::Value; 2]),
    known: Option<Known<'_, G::Value>>,
) -> Result<Estimate<G::Value>, Error<G::Error>> {
    let players = game.num_players();
    let meter = Meter::new(made, options.evaluations, settings.observer.as_ref());
    let _ = meter.add(2);
    let solver = Questions::new(|asker| pairs(asker, players, method, options, ends, known));
    Threads { game, settings, meter }.drive(solver)?
}

/// Refuses games that are out of reach.
pub(crate) fn check_players<E>(players: usize) -> Result<(), Error<E>> {
    if players == 0 {
        return Err(Error::NoPlayers {});
    }
    if players > MOST_PLAYERS {
        return Err(Error::TooManyPlayers { players, limit: MOST_PLAYERS });
    }
    Ok(())
}

/// The number of coalitions, if it can be counted.
fn all(players: usize) -> Option<u64> {
    (players <= MOST_EXACT).then(|| 1 << players)
}

/// Whether there are evaluations for all coalitions, so that the answer can be exact.
pub(crate) fn pays_for_all(options: &Options, players: usize) -> bool {
    all(players).is_some_and(|all| options.evaluations >= all)
}

/// Refuses a budget that does not pay for a pair for each player, and the ends; or for more pairs than are kept.
pub(crate) fn check_budget<E>(options: &Options, players: usize) -> Result<(), Error<E>> {
    let pairs = 2 + 2 * players as u64;
    let needed = all(players).map_or(pairs, |all| pairs.min(all));
    match options.evaluations {
        evaluations if evaluations < needed => Err(Error::BudgetTooSmall { evaluations, needed }),
        evaluations if evaluations > MOST_EVALUATIONS => {
            let (name, value) = ("the number of evaluations of pairs", evaluations as f64);
            Err(Error::Setting { name, value, allowed: "at most 2^24, or 2^n for an exact answer" })
        }
        _ => Ok(()),
    }
}

/// Asks for pairs, from nothing or from what is known on, and makes an estimate of them.
pub(crate) async fn pairs<V: Value, E>(
    asker: Asker<V>,
    players: usize,
    method: Method,
    options: &Options,
    ends: [V; 2],
    known: Option<Known<'_, V>>,
) -> Result<Estimate<V>, Error<E>> {
    let made = 2 + known.map_or(0, |(_, estimate)| estimate.evaluations());
    let mut game = Game::new(&asker, options, players, ends, made);
    let form = Form::of(method);
    let (design, asked) = match known {
        Some((pairs, _)) => {
            let rows = pairs.asked.iter().map(|pair| pair.coalition.clone()).collect();
            let design = PairedDesign::of(players, form, pairs.expected.clone(), rows);
            game.more(design, pairs.asked.clone()).await
        }
        None => game.all(PairedDesign::drawn(players, form, (options.evaluations - 2) / 2, options.seed)).await,
    };
    let Game { ends: [baseline, grand], made, is_stopped, .. } = game;
    let stopped = if is_stopped { Stopped::Observer } else { Stopped::Evaluations };
    let (values, std_errors) = solve(&design, &asked, [&baseline, &grand], method, options.seed);
    for (player, value) in values.iter().enumerate() {
        if !value.is_finite() {
            return Err(Error::Overflow { coalition: Coalition::from_players(players, [player]) });
        }
    }
    let attribution = Attribution::new(values, baseline, grand, made);
    let pairs = Pairs { method, seed: options.seed, expected: design.expected().to_vec(), asked };
    Ok(Estimate::new(attribution, std_errors, stopped, Origin::Pairs(pairs)))
}

/// What an estimate knows, if it can be gone on with.
fn known<'a, V: Value, E>(
    estimate: &'a Estimate<V>,
    method: Method,
    options: &Options,
    players: usize,
) -> Result<&'a Pairs<V>, Error<E>> {
    let mismatch = |what, ours: String, theirs: String| Err(Error::Mismatch { what, ours, theirs });
    let theirs = estimate.values().len();
    if theirs != players {
        return mismatch("the number of players", players.to_string(), theirs.to_string());
    }
    match estimate.origin() {
        Origin::Pairs(pairs) if pairs.method == method && pairs.seed == options.seed => Ok(pairs),
        Origin::Pairs(pairs) if pairs.method == method => {
            mismatch("the seed", options.seed.to_string(), pairs.seed.to_string())
        }
        _ => mismatch("the solver", method.name().to_owned(), estimate.solver().to_owned()),
    }
}

/// An exact solver for all 2ⁿ values.
fn exact<F: Observer>(settings: &Settings<F>, players: usize) -> Exact<&F> {
    Exact::new().max_players(players).with_settings(settings.with_observer(settings.observer.as_ref()))
}

/// The exact answer, from an estimate whose v(∅) and v(N) were asked for again, and the values that it does not have.
fn exact_from<G: TryGame + ?Sized, F: Observer>(
    game: &G,
    method: Method,
    options: &Options,
    settings: &Settings<F>,
    (pairs, estimate): Known<'_, G::Value>,
) -> Result<Estimate<G::Value>, Error<G::Error>> {
    let players = game.num_players();
    let store = MemoryStore::unbounded();
    let [baseline, grand] = estimate.ends();
    let _ = store.insert(&Coalition::empty(players), &baseline);
    let _ = store.insert(&Coalition::grand(players), &grand);
    for pair in &pairs.asked {
        let _ = store.insert(&pair.coalition, &pair.value);
        if let Some(complement) = &pair.complement {
            let _ = store.insert(&pair.coalition.complement(), complement);
        }
    }
    let cached = Cached::with_own_values(ByRef::new(game), store);
    // The solver counts coalitions, and an observer is shown what was paid for.
    let paid = |misses: u64| estimate.evaluations() + 2 + misses;
    let total = paid(all(players).unwrap_or(u64::MAX).saturating_sub(pairs.coalitions()));
    let shown = AtomicU64::new(0);
    let observer = settings.observer.as_ref().map(|observer| {
        |progress: &Progress| {
            let evaluations = paid(cached.stats().misses).min(total);
            match shown.fetch_max(evaluations, Ordering::SeqCst) < evaluations {
                true => observer(&Progress { evaluations, total, ..progress.clone() }),
                false => ControlFlow::Continue(()),
            }
        }
    });
    let answer = exact(&settings.with_observer(observer), players).solve(&cached)?;
    let evaluations = paid(cached.stats().misses);
    let attribution =
        Attribution::new(answer.values().to_vec(), answer.baseline().clone(), answer.grand().clone(), evaluations);
    Ok(of_exact(attribution, method, options))
}

/// An exact answer as an estimate.
pub(crate) fn of_exact<V: Value>(attribution: Attribution<V>, method: Method, options: &Options) -> Estimate<V> {
    let std_errors = attribution.values().iter().map(|value| value.zip_with(value, |_, _| 0.0)).collect();
    let pairs = Pairs { method, seed: options.seed, expected: Vec::new(), asked: Vec::new() };
    Estimate::new(attribution, std_errors, Stopped::Exact, Origin::Pairs(pairs))
}

/// Values and standard errors of all components.
fn solve<V: Value>(
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
    // Half the difference of the two; where one was not asked for, their mean is taken to be that of others.
    for pair in asked {
        let value = components(&pair.value);
        let complement = pair.complement.as_ref().map(&components);
        for (k, odd) in odd.iter_mut().enumerate() {
            odd.push(match &complement {
                Some(other) => value[k] / 2.0 - other[k] / 2.0,
                None => value[k] - middle[k] - even[k],
            });
        }
    }
    let solved: Vec<Values> = odd
        .iter()
        .enumerate()
        .map(|(k, odd)| {
            let grand = high[k] / 2.0 - low[k] / 2.0;
            match method {
                // Each output has the random numbers that it would have alone.
                Method::Surrogate => correction::values(design, odd, grand, &mut generator(seed, 1)),
                Method::KernelShap => correction::regression(design, odd, grand),
            }
        })
        .collect();
    let assemble = |of: &dyn Fn(&Values) -> f64| {
        let mut outputs = solved.iter();
        baseline.zip_with(baseline, |_, _| outputs.next().map_or(0.0, of))
    };
    let values = (0..players).map(|player| assemble(&|output| output.values[player])).collect();
    let std_errors = (0..players).map(|player| assemble(&|output| output.std_errors[player])).collect();
    (values, std_errors)
}
