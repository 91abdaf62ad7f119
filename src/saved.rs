//! Results and coalitions, saved and loaded by serde: what is written, and what is checked when it is read.
//!
//! The shapes are described for readers in other languages in `docs/results.md`. What does not fit together is refused, by
//! shape, count and sign. The numbers themselves are believed.

mod parts;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::results::{Design, SampleNode, SampleTree, Samples, sample_tree};
#[cfg(feature = "surrogate")]
use crate::results::{Method, Origin, Pair, Pairs};
use crate::weights::{MOST_PLAYERS as MOST_EXACT, binomial, most_order};
use crate::{Attribution, Coalition, Error, Estimate, Index, Interactions, Stopped, Summary, Value};

/// The version that is written, and the only one so far.
const VERSION: u32 = 1;

/// A coalition of more players than this is not read: it would take half a gigabyte.
const MOST_PLAYERS: usize = u32::MAX as usize;

/// More samples than this have never been made.
const MOST_SAMPLES: u64 = 1 << 60;

fn check_version<E: serde::de::Error>(version: u32) -> Result<(), E> {
    match version {
        VERSION => Ok(()),
        _ => Err(E::custom(format!("a result of version {version}: this is a reader of version {VERSION}"))),
    }
}

fn check_values<V: Value, E: serde::de::Error>(name: &str, values: &[V]) -> Result<(), E> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(place) => Err(E::custom(format!("{name}: number {place} is not finite"))),
        None => Ok(()),
    }
}

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
        if num_players > MOST_PLAYERS {
            return Err(D::Error::custom(format!("{num_players} players: at most {MOST_PLAYERS} are read")));
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

impl<V: Value + Serialize> Serialize for Attribution<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SavedAttribution {
            version: VERSION,
            values: self.values().iter().collect(),
            baseline: self.baseline(),
            grand: self.grand(),
            evaluations: self.evaluations(),
        }
        .serialize(serializer)
    }
}

impl<'de, V: Value + Deserialize<'de>> Deserialize<'de> for Attribution<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = SavedAttribution::<V>::deserialize(deserializer)?;
        check_version(saved.version)?;
        if saved.values.is_empty() {
            return Err(D::Error::custom("no values: a result has one for each player"));
        }
        check_values("values", &saved.values)?;
        check_values("baseline and grand", &[saved.baseline.clone(), saved.grand.clone()])?;
        Ok(Attribution::new(saved.values, saved.baseline, saved.grand, saved.evaluations))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Summary")]
struct SavedSummary<Rows> {
    version: u32,
    order: usize,
    num_players: usize,
    sums: Rows,
}

impl<V: Value + Serialize> Serialize for Summary<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sums: Vec<&[V]> = self.rows().map(|(_, row)| row).collect();
        SavedSummary { version: VERSION, order: self.order(), num_players: self.num_players(), sums }
            .serialize(serializer)
    }
}

impl<'de, V: Value + Deserialize<'de>> Deserialize<'de> for Summary<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = SavedSummary::<Vec<Vec<V>>>::deserialize(deserializer)?;
        check_version(saved.version)?;
        let (order, players, got) = (saved.order, saved.num_players, saved.sums.len());
        let most = if players > MOST_EXACT { 0 } else { most_order(players) };
        if !(1..=most).contains(&order) {
            return Err(D::Error::custom(format!("a summary of order {order} among {players} players")));
        }
        for row in &saved.sums {
            check_values("sums", row)?;
        }
        Summary::from_rows(players, order, saved.sums).ok_or_else(|| {
            D::Error::custom(format!(
                "{got} rows of sums: of order {order} among {players} players there are others, or of other lengths"
            ))
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

impl<V: Value + Serialize> Serialize for Interactions<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let saved = |(set, value): (Coalition, _)| SavedInteraction { players: set.iter().collect(), value };
        SavedInteractions {
            version: VERSION,
            index: self.index(),
            order: self.order(),
            num_players: self.num_players(),
            interactions: self.iter().map(saved).collect(),
        }
        .serialize(serializer)
    }
}

impl<'de, V: Value + Deserialize<'de>> Deserialize<'de> for Interactions<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = SavedInteractions::<V>::deserialize(deserializer)?;
        check_version(saved.version)?;
        let (order, players) = (saved.order, saved.num_players);
        let got = saved.interactions.len();
        if order == 0 || order > players || players > MOST_EXACT {
            return Err(D::Error::custom(format!("interactions of order {order} among {players} players")));
        }
        // Sets that ascend, each of at most `order` players, and as many as there are: so these are all of them.
        let wanted: i128 = (0..=order).map(|size| binomial(players, size)).sum();
        if got as i128 != wanted {
            return Err(D::Error::custom(format!(
                "{got} interactions: of order {order} among {players} players there are {wanted}"
            )));
        }
        let mut entries = Vec::with_capacity(got);
        for SavedInteraction { players: set, value } in saved.interactions {
            if set.len() > order || set.iter().any(|&player| player >= players) {
                return Err(D::Error::custom(format!("an interaction of players {set:?}, order {order} of {players}")));
            }
            check_values("interactions", std::slice::from_ref(&value))?;
            entries.push((Coalition::from_players(players, set), value));
        }
        Interactions::from_entries(saved.index, order, players, entries)
            .ok_or_else(|| D::Error::custom("the sets of players do not ascend by size and players"))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Estimate")]
struct SavedEstimate<V> {
    version: u32,
    /// For readers: what follows from the streams, and is computed again.
    values: Vec<V>,
    /// As the values; none while there is one sample.
    std_errors: Option<Vec<V>>,
    baseline: V,
    grand: V,
    evaluations: u64,
    saved: u64,
    stopped: Stopped,
    antithetic: bool,
    truncation: Option<f64>,
    looks: u32,
    streams: Vec<SavedStream<V>>,
    /// Of a solver that asks for pairs of coalitions; the streams are then empty.
    pairs: Option<SavedPairs<V>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Pairs")]
struct SavedPairs<V> {
    solver: String,
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

#[derive(Serialize, Deserialize)]
#[serde(rename = "Stream")]
struct SavedStream<V> {
    seed: u64,
    nodes: Vec<SavedNode<V>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Node")]
struct SavedNode<V> {
    start: u64,
    level: u32,
    sums: Vec<V>,
    /// None where it is infinite, for which JSON has no number.
    squares: Vec<Option<f64>>,
}

impl<V: Value + Serialize> Serialize for Estimate<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let errors = || self.std_errors().iter().all(Value::is_finite).then(|| self.std_errors().to_vec());
        #[cfg(feature = "surrogate")]
        if let Origin::Pairs(pairs) = self.origin() {
            let asked = pairs.asked.iter().map(|pair| SavedPair {
                members: pair.coalition.iter().collect(),
                value: pair.value.clone(),
                complement: pair.complement.clone(),
            });
            let pairs = SavedPairs {
                solver: pairs.method.name().to_owned(),
                seed: pairs.seed,
                expected: pairs.expected.clone(),
                asked: asked.collect(),
            };
            return SavedEstimate {
                version: VERSION,
                values: self.values().to_vec(),
                std_errors: errors(),
                baseline: self.attribution().baseline().clone(),
                grand: self.attribution().grand().clone(),
                evaluations: self.evaluations(),
                saved: 0,
                stopped: self.stopped(),
                antithetic: false,
                truncation: None,
                looks: 0,
                streams: Vec::new(),
                pairs: Some(pairs),
            }
            .serialize(serializer);
        }
        let Some(samples) = self.walks() else {
            return Err(serde::ser::Error::custom("an estimate that is made of nothing known"));
        };
        SavedEstimate {
            version: VERSION,
            values: self.values().to_vec(),
            std_errors: errors(),
            baseline: samples.ends[0].clone(),
            grand: samples.ends[1].clone(),
            evaluations: samples.evaluations,
            saved: samples.saved,
            stopped: self.stopped(),
            antithetic: samples.design.antithetic,
            truncation: samples.design.truncation,
            looks: samples.looks,
            streams: samples.streams.iter().map(saved_stream).collect(),
            pairs: None,
        }
        .serialize(serializer)
    }
}

fn saved_stream<V: Value>((&seed, tree): (&u64, &SampleTree<V>)) -> SavedStream<V> {
    SavedStream { seed, nodes: tree.iter().map(SavedNode::new).collect() }
}

impl<V: Value> SavedNode<V> {
    fn new((start, node): (u64, &SampleNode<V>)) -> Self {
        let squares = node.squares.iter().map(|&square| Some(square).filter(|square| square.is_finite())).collect();
        Self { start, level: node.level, sums: node.sums.clone(), squares }
    }
}

/// Fills a tree with a file's nodes, if they can be those of samples of so many players.
fn load_nodes<V: Value, E: serde::de::Error>(
    tree: &mut SampleTree<V>,
    seed: u64,
    nodes: Vec<SavedNode<V>>,
    players: usize,
) -> Result<(), E> {
    for SavedNode { start, level, sums, squares } in nodes {
        let refuse = |what: String| E::custom(format!("seed {seed}, node {start}, level {level}: {what}"));
        if sums.len() != players {
            return Err(refuse(format!("{} sums, and {players} players", sums.len())));
        }
        check_values("sums", &sums)?;
        let wanted = if level == 0 { 0 } else { sums.iter().flat_map(V::components).count() };
        if squares.len() != wanted {
            return Err(refuse(format!("{} squares, not {wanted}", squares.len())));
        }
        let squares: Vec<f64> = squares.into_iter().map(|square| square.unwrap_or(f64::INFINITY)).collect();
        if let Some(square) = squares.iter().find(|square| square.is_nan() || **square < 0.0) {
            return Err(refuse(format!("a sum of squares is {square}")));
        }
        tree.load(start, SampleNode { level, sums, squares }, MOST_SAMPLES, "samples").map_err(refuse)?;
    }
    Ok(())
}

impl<'de, V: Value + Deserialize<'de>> Deserialize<'de> for Estimate<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = SavedEstimate::<V>::deserialize(deserializer)?;
        check_version(saved.version)?;
        let players = saved.values.len();
        if players == 0 {
            return Err(D::Error::custom("no values: a result has one for each player"));
        }
        check_values("baseline and grand", &[saved.baseline.clone(), saved.grand.clone()])?;
        #[cfg(feature = "surrogate")]
        if saved.pairs.is_some() {
            return of_pairs(saved);
        }
        if let Some(SavedPairs { solver, .. }) = &saved.pairs {
            return Err(D::Error::custom(format!("an estimate of {solver}: it needs the feature surrogate")));
        }
        if saved.truncation.is_some_and(|tolerance| !(tolerance > 0.0 && tolerance.is_finite())) {
            return Err(D::Error::custom("the tolerance of truncation is not positive and finite"));
        }
        let design = Design { players, antithetic: saved.antithetic, truncation: saved.truncation };
        let mut streams = BTreeMap::new();
        for stream in saved.streams {
            let seed = stream.seed;
            let mut tree = sample_tree(Arc::default());
            load_nodes(&mut tree, seed, stream.nodes, players)?;
            if streams.insert(seed, tree).is_some() {
                return Err(D::Error::custom(format!("seed {seed} is there twice")));
            }
        }
        let samples = Samples {
            design,
            looks: saved.looks,
            evaluations: saved.evaluations,
            saved: saved.saved,
            ends: [saved.baseline, saved.grand],
            streams,
        };
        // Each run that was merged, of a seed of its own, asked for v(∅) and v(N).
        let spent = samples.count().filter(|&count| count > 0).and_then(|count| count.checked_mul(design.cost()));
        let made = saved.evaluations.checked_add(saved.saved);
        let ends = made.zip(spent).and_then(|(made, spent)| made.checked_sub(spent));
        if !ends.is_some_and(|ends| ends % 2 == 0 && (1..=samples.streams.len() as u64).contains(&(ends / 2))) {
            return Err(D::Error::custom(format!(
                "{} evaluations made and {} saved do not pay for the samples",
                saved.evaluations, saved.saved
            )));
        }
        if design.is_constant() && samples.streams.values().any(|stream| stream.len() != 1) {
            return Err(D::Error::custom(format!("of {players} player(s), one sample of a seed is enough")));
        }
        if saved.truncation.is_none() && saved.saved > 0 {
            return Err(D::Error::custom(format!("{} evaluations saved without truncation", saved.saved)));
        }
        samples.estimate(saved.stopped).map_err(|error: Error| D::Error::custom(error))
    }
}

/// An estimate from pairs of coalitions. Its values are believed, like all numbers: they are not computed again.
#[cfg(feature = "surrogate")]
fn of_pairs<V: Value, E: serde::de::Error>(saved: SavedEstimate<V>) -> Result<Estimate<V>, E> {
    let (players, made) = (saved.values.len(), saved.evaluations);
    let (Some(pairs), Some(std_errors)) = (saved.pairs, saved.std_errors) else {
        return Err(E::custom("an estimate from pairs without standard errors"));
    };
    let SavedPairs { solver, seed, expected, asked } = pairs;
    let Some(method) = Method::named(&solver) else {
        return Err(E::custom(format!("an estimate of a solver {solver:?} from pairs: none is known")));
    };
    check_values("values", &saved.values)?;
    check_values("std_errors", &std_errors)?;
    if std_errors.len() != players {
        return Err(E::custom(format!("{} standard errors of {players} players", std_errors.len())));
    }
    if players > MOST_PLAYERS || !saved.streams.is_empty() {
        return Err(E::custom("an estimate from pairs has no streams"));
    }
    let is_exact = saved.stopped == Stopped::Exact;
    let sizes = if is_exact { 0 } else { players / 2 };
    if expected.len() != sizes || expected.iter().any(|&count| !(count >= 0.0 && count.is_finite())) {
        return Err(E::custom(format!("{} expected numbers of pairs, not {sizes} that are positive", expected.len())));
    }
    let mut cost = 2_u64;
    let mut pairs = Vec::with_capacity(asked.len());
    for SavedPair { members, value, complement } in asked {
        let ascend = members.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascend || members.len() > players / 2 || members.is_empty() || members.iter().any(|&m| m >= players) {
            return Err(E::custom(format!("a pair of {members:?} of {players} players: the smaller half, ascending")));
        }
        check_values("asked", &[Some(&value), complement.as_ref()].into_iter().flatten().cloned().collect::<Vec<_>>())?;
        cost += 1 + u64::from(complement.is_some());
        let coalition = Coalition::from_players(players, members);
        if expected[coalition.len() - 1] <= 0.0 {
            return Err(E::custom(format!("a pair of {coalition}, of which none was expected")));
        }
        pairs.push(Pair { coalition, value, complement });
    }
    // A run that found out late that the game is not self-dual has dropped some.
    if !is_exact && (made < cost || pairs.is_empty()) {
        return Err(E::custom(format!("{made} evaluations do not pay for {} pairs", pairs.len())));
    }
    let attribution = Attribution::new(saved.values, saved.baseline, saved.grand, made);
    Ok(Estimate::of_pairs(attribution, std_errors, saved.stopped, Pairs { method, seed, expected, asked: pairs }))
}
