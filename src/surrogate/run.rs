//! From a game to an estimate.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::Options;
use super::design::PairedDesign;
use super::questions::Game;
use super::quota::Form;
use super::solve::{of_all, solve};
use super::stages::Stages;
use super::summary::{SampleSummary, check_order};
use crate::engine::answer::{Threads, is_past};
use crate::engine::ask::both_ends;
use crate::engine::partial::check_ends;
use crate::engine::progress::{Meter, Observer};
use crate::engine::question::{Asker, Questions};
use crate::engine::settings::Settings;
use crate::game::ByRef;
use crate::results::{Method, Origin, Pairs, coalitions};
use crate::store::Store;
use crate::weights::MOST_PLAYERS as MOST_EXACT;
use crate::{
    Attribution, Cached, Coalition, Error, Estimate, Exact, MemoryStore, Progress, Semivalue, Stopped, TryGame, Value,
};

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
    let deadline = options.stopping.until();
    let players = game.num_players();
    let known = from.map(|estimate| known(estimate, method, options, players)).transpose()?;
    check_players(players)?;
    options.stopping.check()?;
    let known = known.zip(from);
    let made = from.map_or(0, Estimate::evaluations);
    let left = options.evaluations.saturating_sub(made);
    if let Some((pairs, estimate)) = known {
        if estimate.stopped() == Stopped::Exact {
            return Ok(estimate.clone());
        }
        if is_precise(options, half_width(estimate, options)) {
            return Ok(estimate.clone().stopped_by(Stopped::Precision));
        }
        if left < ENDS_AND_A_PAIR {
            return Ok(estimate.clone());
        }
        let pays_for_all = all(players).is_some_and(|all| left - 2 >= all.saturating_sub(pairs.coalitions()));
        let is_exact = pays_for_all && !options.stopping.is_there();
        if !is_exact {
            check_budget(options, players)?;
        }
        let ends = both_ends(game, players)?;
        check_ends(&ends, &estimate.ends())?;
        if is_exact {
            return exact_from(game, method, options, settings, (pairs, estimate));
        }
        return ask_for_pairs(game, method, options, settings, (made, ends, deadline), known);
    }
    if is_exact(options, players) {
        return Ok(of_exact(exact(settings, players).solve(game)?, method, options.seed));
    }
    check_budget(options, players)?;
    let ends = both_ends(game, players)?;
    ask_for_pairs(game, method, options, settings, (0, ends, deadline), None)
}

/// A summary of what the budget pays for.
pub(super) fn summary<G: TryGame + ?Sized, F: Observer>(
    game: &G,
    order: usize,
    options: &Options,
    settings: &Settings<F>,
) -> Result<SampleSummary<G::Value>, Error<G::Error>> {
    let players = game.num_players();
    check_players(players)?;
    options.stopping.check()?;
    check_order(players, order)?;
    let of_all = |estimate, summary| SampleSummary::of_all(estimate, summary, order, options.seed);
    if is_exact(options, players) {
        let summary = exact(settings, players).summary(game, order)?;
        let values = summary.values(&Semivalue::shapley()).map_err(|error| error.map(|never| match never {}))?;
        return Ok(of_all(of_exact(values, Method::Surrogate, options.seed), summary));
    }
    // A run in stages may end with all values, which are then to be summed once more.
    if all(players).is_some_and(|all| options.evaluations >= all) && options.stopping.is_there() {
        let cached = Cached::new(ByRef::new(game));
        let estimate = run(&cached, Method::Surrogate, options, settings, None)?;
        if estimate.stopped() == Stopped::Exact {
            let settings = settings.with_observer(None::<fn(&Progress) -> ControlFlow<()>>);
            return Ok(of_all(estimate, exact(&settings, players).summary(&cached, order)?));
        }
        return SampleSummary::of(&estimate, order);
    }
    SampleSummary::of(&run(game, Method::Surrogate, options, settings, None)?, order)
}

/// Asks for pairs, v(∅) and v(N) being paid for after the first `made` evaluations.
fn ask_for_pairs<G: TryGame + ?Sized, F: Observer>(
    game: &G,
    method: Method,
    options: &Options,
    settings: &Settings<F>,
    (made, ends, deadline): (u64, [G::Value; 2], Option<Instant>),
    known: Option<Known<'_, G::Value>>,
) -> Result<Estimate<G::Value>, Error<G::Error>> {
    let players = game.num_players();
    let unknown = |all: u64| made + 2 + all - known.map_or(2, |(pairs, _)| pairs.coalitions());
    let total = all(players).map_or(options.evaluations, |all| options.evaluations.min(unknown(all)));
    let meter = Meter::new(made, total, settings.observer.as_ref());
    let _ = meter.add(2);
    let solver = Questions::new(|asker| pairs(asker, players, method, options, ends, known, deadline));
    Threads { game, settings, meter, deadline }.drive(solver)?
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

/// Whether the answer is to be exact: there are evaluations for all coalitions, and nothing that may stop it before.
pub(crate) fn is_exact(options: &Options, players: usize) -> bool {
    !options.stopping.is_there() && all(players).is_some_and(|all| options.evaluations >= all)
}

/// Refuses a budget that does not pay for a pair for each player, and the ends; or for more pairs than are kept.
pub(crate) fn check_budget<E>(options: &Options, players: usize) -> Result<(), Error<E>> {
    let pairs = 2 + 2 * players as u64;
    let needed = all(players).map_or(pairs, |all| pairs.min(all));
    // Stages end when all coalitions are known.
    match options.evaluations.min(all(players).unwrap_or(u64::MAX)) {
        evaluations if evaluations < needed => Err(Error::BudgetTooSmall { evaluations, needed }),
        evaluations if evaluations > MOST_EVALUATIONS => {
            Err(Error::BudgetTooLarge { evaluations: options.evaluations, limit: MOST_EVALUATIONS })
        }
        _ => Ok(()),
    }
}

/// Asks for pairs, from nothing or from what is known on, and makes an estimate of them; and again, if it is not as
/// precise as is asked for.
pub(crate) async fn pairs<V: Value, E>(
    asker: Asker<V>,
    players: usize,
    method: Method,
    options: &Options,
    ends: [V; 2],
    known: Option<Known<'_, V>>,
    deadline: Option<Instant>,
) -> Result<Estimate<V>, Error<E>> {
    let made = 2 + known.map_or(0, |(_, estimate)| estimate.evaluations());
    let mut game = Game::new(&asker, options, players, ends, made);
    let form = Form::of(method);
    let stages = Stages::new(players, options);
    let mut so_far = known.map(|(pairs, _)| {
        let rows = pairs.asked.iter().map(|pair| pair.coalition.clone()).collect();
        (PairedDesign::of(players, form, pairs.expected.clone(), rows), pairs.asked.clone())
    });
    loop {
        let before = game.made;
        game.limit = stages.end(before);
        let (design, asked) = match so_far.take() {
            Some((design, asked)) => game.more(design, asked).await,
            None => game.first(form).await,
        };
        let is_exact = all(players).is_some_and(|all| coalitions(&asked) == all);
        let is_late = game.is_late || (game.limit < options.evaluations && is_past(deadline));
        let is_last = game.is_stopped || is_late || game.limit >= options.evaluations || game.made == before;
        if !is_last && !is_exact && options.stopping.precision.is_none() {
            so_far = Some((design, asked));
            continue;
        }
        let ends = [&game.ends[0], &game.ends[1]];
        let (values, std_errors) = match is_exact {
            true => of_all(players, &asked, ends),
            false => solve(&design, &asked, ends, method, options.seed),
        };
        for (player, value) in values.iter().enumerate() {
            if !value.is_finite() {
                return Err(Error::Overflow { coalition: Coalition::from_players(players, [player]) });
            }
        }
        let [baseline, grand] = game.ends.clone();
        let attribution = Attribution::new(values, baseline, grand, game.made);
        if is_exact {
            return Ok(of_exact(attribution, method, options.seed));
        }
        let pairs = Pairs { method, seed: options.seed, expected: design.expected().to_vec(), asked };
        let estimate = Estimate::new(attribution, std_errors, Stopped::Evaluations, Origin::Pairs(pairs));
        game.half_width = half_width(&estimate, options);
        let stopped = match () {
            () if game.is_stopped => Stopped::Observer,
            () if is_precise(options, game.half_width) => Stopped::Precision,
            () if is_late => Stopped::Deadline,
            () if is_last => Stopped::Evaluations,
            () => {
                so_far = estimate.into_pairs().map(|pairs| (design, pairs.asked));
                continue;
            }
        };
        return Ok(estimate.stopped_by(stopped));
    }
}

/// The largest half width of an estimate's intervals.
fn half_width<V: Value>(estimate: &Estimate<V>, options: &Options) -> f64 {
    let level = options.stopping.confidence;
    let widths = (0..estimate.values().len()).map(|player| estimate.half_width(player, level).magnitude());
    widths.fold(0.0, f64::max)
}

/// Whether this is as narrow as is asked for, if anything is.
fn is_precise(options: &Options, half_width: f64) -> bool {
    options.stopping.precision.is_some_and(|precision| half_width <= precision)
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
    Ok(of_exact(attribution, method, options.seed))
}

/// An exact answer as an estimate.
pub(crate) fn of_exact<V: Value>(attribution: Attribution<V>, method: Method, seed: u64) -> Estimate<V> {
    let std_errors = attribution.values().iter().map(|value| value.zip_with(value, |_, _| 0.0)).collect();
    let pairs = Pairs { method, seed, expected: Vec::new(), asked: Vec::new() };
    Estimate::new(attribution, std_errors, Stopped::Exact, Origin::Pairs(pairs))
}
