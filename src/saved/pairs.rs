//! Estimates from pairs of coalitions, saved and loaded.

#[cfg(feature = "surrogate")]
use std::collections::HashSet;

use serde::{Deserialize, Serialize};

#[cfg(feature = "surrogate")]
use super::estimate::SavedEstimate;
#[cfg(feature = "surrogate")]
use super::{Refusal, check_sum, check_values};
#[cfg(feature = "surrogate")]
use crate::results::{Method, Origin, Pair, Pairs};
#[cfg(feature = "surrogate")]
use crate::surrogate::{MOST_PLAYERS, population};
#[cfg(feature = "surrogate")]
use crate::{Attribution, Coalition, Estimate, Stopped, Value, weights};

#[derive(Serialize, Deserialize)]
#[serde(rename = "Pairs")]
pub(super) struct SavedPairs<V> {
    pub(super) solver: String,
    seed: u64,
    expected: Vec<f64>,
    asked: Vec<SavedPair<V>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Pair")]
struct SavedPair<V> {
    members: Vec<usize>,
    value: V,
    complement: Option<V>,
}

#[cfg(feature = "surrogate")]
impl<V: Value> SavedPairs<V> {
    pub(super) fn of(Pairs { method, seed, expected, asked }: &Pairs<V>) -> Self {
        let asked = asked.iter().cloned().map(|Pair { coalition, value, complement }| SavedPair {
            members: coalition.iter().collect(),
            value,
            complement,
        });
        Self { solver: method.name().to_owned(), seed: *seed, expected: expected.clone(), asked: asked.collect() }
    }

    /// Checks the pairs of a game of `players`, of which `evaluations` were made.
    fn check(&self, players: usize, evaluations: u64) -> Result<(), Refusal> {
        let Self { expected, asked, .. } = self;
        let most = population(players);
        if expected.len() != most.len() {
            return Err(format!("{} expected numbers of pairs, not {}", expected.len(), most.len()));
        }
        for (place, (&expected, &most)) in expected.iter().zip(&most).enumerate() {
            // Rounding may add a little.
            if !(0.0..=most * (1.0 + 1e-9)).contains(&expected) {
                let size = place + 1;
                return Err(format!("{expected} pairs of size {size} are expected: there are {most}"));
            }
        }
        // A design has as many pairs as are expected in all, but for rounding in each run.
        let (sum, count) = (expected.iter().sum::<f64>(), asked.len() as f64);
        if (sum - count).abs() > 0.1 * count + 2.0 * (expected.len() + 1) as f64 {
            return Err(format!("{sum} pairs are expected, and {count} are there"));
        }
        let mut seen = HashSet::with_capacity(asked.len());
        for SavedPair { members, value, complement } in asked {
            let ascend = members.windows(2).all(|pair| pair[0] < pair[1]);
            let is_half = members.len() * 2 == players;
            if !ascend
                || members.is_empty()
                || members.len() > players / 2
                || members.iter().any(|&member| member >= players)
                || (is_half && members[0] != 0)
            {
                return Err(format!(
                    "a pair of {members:?} of {players} players: the smaller half, ascending, or the one with player 0"
                ));
            }
            // Weights are numbers over these: no design expects less of a size that it has pairs of.
            if expected[members.len() - 1] < 1e-9 {
                return Err(format!("a pair of {members:?}, and none of its size is expected"));
            }
            if !seen.insert(members) {
                return Err(format!("the pair of {members:?} is there twice"));
            }
            check_values("asked", std::slice::from_ref(value))?;
            check_values("asked", complement.as_slice())?;
        }
        // A run that found out late that the game is not self-dual has dropped some.
        let cost = 2 + asked.iter().map(|pair| 1 + u64::from(pair.complement.is_some())).sum::<u64>();
        if evaluations < cost || asked.is_empty() {
            return Err(format!("{evaluations} evaluations do not pay for {} pairs", asked.len()));
        }
        Ok(())
    }
}

/// Checks an estimate from pairs. Its values are believed, but for their sum: they are not computed again.
#[cfg(feature = "surrogate")]
pub(super) fn load<V: Value>(form: SavedEstimate<V>) -> Result<Estimate<V>, Refusal> {
    let SavedEstimate { values, std_errors, baseline, grand, evaluations, saved, stopped, streams, pairs, .. } = form;
    let players = values.len();
    let Some(pairs) = pairs else { return Err("an estimate without streams and pairs".to_owned()) };
    let Some(method) = Method::named(&pairs.solver) else {
        return Err(format!("an estimate of a solver {:?} from pairs: none is known", pairs.solver));
    };
    if players > MOST_PLAYERS {
        return Err(format!("pairs of {players} players: at most {MOST_PLAYERS} can be asked for"));
    }
    if saved > 0 || !streams.is_empty() {
        return Err("an estimate from pairs has no streams, and saves no evaluations".to_owned());
    }
    check_values("values", &values)?;
    let std_errors = match std_errors {
        Some(std_errors) => {
            check_values("std_errors", &std_errors)?;
            std_errors
        }
        // Those of values near the largest float are infinite, which JSON cannot say.
        None => values.iter().map(|value| value.zip_with(value, |_, _| f64::INFINITY)).collect(),
    };
    if std_errors.len() != players {
        return Err(format!("{} standard errors of {players} players", std_errors.len()));
    }
    if let Some(error) = std_errors.iter().flat_map(V::components).find(|error| *error < 0.0) {
        return Err(format!("a standard error of {error}"));
    }
    match stopped {
        Stopped::Exact => {
            let all = 1_u64.checked_shl(players as u32).filter(|_| players <= weights::MOST_PLAYERS);
            if all.is_none_or(|all| evaluations < all) {
                return Err(format!("{evaluations} evaluations give no exact answer for {players} players"));
            }
            if !(pairs.expected.is_empty() && pairs.asked.is_empty()) {
                return Err("an exact answer has no pairs".to_owned());
            }
            if std_errors.iter().flat_map(V::components).any(|error| error > 0.0) {
                return Err("an exact answer has a standard error that is not 0".to_owned());
            }
        }
        Stopped::Evaluations | Stopped::Observer | Stopped::Precision | Stopped::Deadline => {
            pairs.check(players, evaluations)?;
        }
    }
    let attribution = Attribution::new(values, baseline, grand, evaluations);
    // Values are made of differences of those that were asked for, some of which may be much larger.
    let all = pairs.asked.iter().flat_map(|pair| [Some(&pair.value), pair.complement.as_ref()]).flatten();
    let largest = all.map(V::magnitude).fold(0.0, f64::max);
    // Other semivalues than Shapley's need not sum to anything.
    if method != Method::Semivalue {
        check_sum(&attribution, (stopped != Stopped::Exact).then_some(largest))?;
    }
    let SavedPairs { seed, expected, asked, .. } = pairs;
    let pair = |SavedPair { members, value, complement }| Pair {
        coalition: Coalition::from_players(players, members),
        value,
        complement,
    };
    let asked = asked.into_iter().map(pair).collect();
    Ok(Estimate::new(attribution, std_errors, stopped, Origin::Pairs(Pairs { method, seed, expected, asked })))
}
