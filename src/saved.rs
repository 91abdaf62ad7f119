//! Results and coalitions, saved and loaded by serde: what is written, and what is checked when it is read.
//!
//! Each result has a **saved form**, a struct that serde derives. Saving makes the form of the result; loading checks
//! the form and makes the result of it. The shapes are described for readers in other languages in `docs/results.md`.
//! What no run can have written is refused: by shape, count, sign, and the sum of the values. Beyond that the numbers
//! are believed.

mod estimate;
#[cfg(feature = "surrogate")]
mod interaction_estimate;
mod pairs;
mod parts;
mod semivalue;

use std::borrow::Cow;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::engine::partial::check_evaluations;
use crate::weights::{MOST_PLAYERS as MOST_EXACT, checked_binomial, most_order};
use crate::{Attribution, Coalition, Error, Index, Interactions, Summary, Value};

/// The version that is written, and the only one so far.
const VERSION: u32 = 1;

/// Why a saved form is refused.
type Refusal = String;

fn check_version(version: u32) -> Result<(), Refusal> {
    match version {
        VERSION => Ok(()),
        _ => Err(format!("a result of version {version}: this is a reader of version {VERSION}")),
    }
}

fn check_values<V: Value>(name: &str, values: &[V]) -> Result<(), Refusal> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(place) => Err(format!("{name}: number {place} is not finite")),
        None => Ok(()),
    }
}

/// Refuses Shapley values that do not sum to v(N) − v(∅), up to the rounding of values up to `largest`. Where it is not
/// known how large these were, the sum of values that cancel may be all rounding: then only a difference is refused
/// that is beyond all of them together.
fn check_sum<V: Value>(result: &Attribution<V>, largest: Option<f64>) -> Result<(), Refusal> {
    /// The resolution of 32-bit floats next to zero.
    const LEAST: f64 = 1e-38;
    let ends = result.baseline().components().zip(result.grand().components());
    let mut sums: Vec<[f64; 4]> = ends.map(|(low, high)| [0.0, 0.0, high - low, low.abs() + high.abs()]).collect();
    for value in result.values() {
        for (sum, component) in sums.iter_mut().zip(value.components()) {
            sum[0] += component;
            sum[1] += component.abs();
        }
    }
    let is_off = |&[sum, sizes, difference, ends]: &[f64; 4]| {
        let allowed = match largest {
            Some(largest) => LEAST + 1e-3 * (sizes + ends + largest),
            None if sizes > 0.0 => LEAST + 1e6 * sizes,
            None => f64::INFINITY,
        };
        (sum - difference).abs() > allowed
    };
    match sums.into_iter().find(is_off) {
        Some([sum, _, difference, _]) => {
            Err(format!("the values sum to {sum}, and grand less baseline is {difference}"))
        }
        None => Ok(()),
    }
}

/// Saves a result by its form, and loads it from that: `form` makes the form, or says why it cannot be saved; `load`
/// checks it.
macro_rules! saved {
    ($($result:ty => $form:ty),*) => {$(
        impl<V: Value + Serialize> Serialize for $result {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$form>::of(self).map_err(serde::ser::Error::custom)?.serialize(serializer)
            }
        }

        impl<'de, V: Value + Deserialize<'de>> Deserialize<'de> for $result {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let form = <$form>::deserialize(deserializer)?;
                $crate::saved::check_version(form.version).and_then(|()| form.load()).map_err(serde::de::Error::custom)
            }
        }
    )*};
}
use saved;

saved!(
    Attribution<V> => SavedAttribution<V>,
    Summary<V> => SavedSummary<'_, V>,
    Interactions<V> => SavedInteractions<V>
);

#[derive(Serialize, Deserialize)]
#[serde(rename = "Coalition")]
struct SavedCoalition {
    num_players: usize,
    members: Vec<usize>,
}

/// As `{"num_players": n, "members": [..]}`, members ascending.
impl Serialize for Coalition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SavedCoalition { num_players: self.num_players(), members: self.iter().collect() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Coalition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedCoalition { num_players, members } = Deserialize::deserialize(deserializer)?;
        if num_players > Coalition::MAX_PLAYERS {
            let limit = Coalition::MAX_PLAYERS;
            return Err(D::Error::custom(format!("{num_players} players: at most {limit} are read")));
        }
        if let Some(member) = members.iter().find(|&&member| member >= num_players) {
            return Err(D::Error::custom(format!("member {member} does not exist: there are {num_players} players")));
        }
        if let Some(pair) = members.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(D::Error::custom(format!("member {} before {}: members ascend", pair[0], pair[1])));
        }
        Ok(Coalition::from_players(num_players, members))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Attribution")]
struct SavedAttribution<V> {
    version: u32,
    values: Vec<V>,
    baseline: V,
    grand: V,
    evaluations: u64,
}

impl<V: Value> SavedAttribution<V> {
    fn of(result: &Attribution<V>) -> Result<Self, Refusal> {
        let (baseline, grand) = (result.baseline().clone(), result.grand().clone());
        let (values, evaluations) = (result.values().to_vec(), result.evaluations());
        Ok(Self { version: VERSION, values, baseline, grand, evaluations })
    }

    fn load(self) -> Result<Attribution<V>, Refusal> {
        let Self { values, baseline, grand, evaluations, .. } = self;
        if values.is_empty() {
            return Err("no values: a result has one for each player".to_owned());
        }
        check_values("values", &values)?;
        check_values("baseline and grand", &[baseline.clone(), grand.clone()])?;
        check_evaluations([evaluations]).map_err(|error: Error| error.to_string())?;
        Ok(Attribution::new(values, baseline, grand, evaluations))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Summary")]
struct SavedSummary<'a, V: Clone> {
    version: u32,
    order: usize,
    num_players: usize,
    sums: Vec<Cow<'a, [V]>>,
}

impl<'a, V: Value> SavedSummary<'a, V> {
    fn of(summary: &'a Summary<V>) -> Result<Self, Refusal> {
        let sums: Vec<Cow<'a, [V]>> = summary.rows().map(|(_, row)| Cow::Borrowed(row)).collect();
        sums.iter().try_for_each(|row| check_values("sums", row))?;
        Ok(Self { version: VERSION, order: summary.order(), num_players: summary.num_players(), sums })
    }

    fn load(self) -> Result<Summary<V>, Refusal> {
        let (order, players, got) = (self.order, self.num_players, self.sums.len());
        let most = if players > MOST_EXACT { 0 } else { most_order(players) };
        if !(1..=most).contains(&order) {
            return Err(format!("a summary of order {order} among {players} players"));
        }
        self.sums.iter().try_for_each(|row| check_values("sums", row))?;
        let rows = self.sums.into_iter().map(Cow::into_owned).collect();
        Summary::from_rows(players, order, rows).ok_or_else(|| {
            format!(
                "{got} rows of sums: of order {order} among {players} players there are others, or of other lengths"
            )
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Interactions")]
struct SavedInteractions<V> {
    version: u32,
    index: Index,
    order: usize,
    num_players: usize,
    interactions: Vec<SavedInteraction<V>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Interaction")]
struct SavedInteraction<V> {
    players: Vec<usize>,
    value: V,
}

impl<V: Value> SavedInteractions<V> {
    fn of(result: &Interactions<V>) -> Result<Self, Refusal> {
        let form =
            |(set, value): (Coalition, &V)| SavedInteraction { players: set.iter().collect(), value: value.clone() };
        let (index, order, num_players) = (result.index(), result.order(), result.num_players());
        Ok(Self { version: VERSION, index, order, num_players, interactions: result.iter().map(form).collect() })
    }

    fn load(self) -> Result<Interactions<V>, Refusal> {
        let (order, players, got) = (self.order, self.num_players, self.interactions.len());
        // Of many players there are sets of few, from closed forms and estimates.
        let most = if order > 2 { MOST_EXACT } else { Coalition::MAX_PLAYERS };
        if order == 0 || order > players || players > most {
            return Err(format!("interactions of order {order} among {players} players"));
        }
        // Sets that ascend, each of at most `order` players, and as many as there are: so these are all of them.
        let wanted: i128 = (0..=order).filter_map(|size| checked_binomial(players, size)).sum();
        if got as i128 != wanted {
            return Err(format!("{got} interactions: of order {order} among {players} players there are {wanted}"));
        }
        let mut entries = Vec::with_capacity(got);
        for SavedInteraction { players: set, value } in self.interactions {
            if set.len() > order || set.iter().any(|&player| player >= players) {
                return Err(format!("an interaction of players {set:?}, order {order} of {players}"));
            }
            check_values("interactions", std::slice::from_ref(&value))?;
            entries.push((Coalition::from_players(players, set), value));
        }
        Interactions::from_entries(self.index, order, players, entries)
            .ok_or_else(|| "the sets of players do not ascend by size and players".to_owned())
    }
}
