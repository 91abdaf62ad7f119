//! Estimates, saved and loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[cfg(feature = "surrogate")]
use super::MOST_PLAYERS;
use super::{Refusal, VERSION, check_values, saved};
use crate::results::{Design, SampleNode, SampleTree, Samples, sample_tree};
#[cfg(feature = "surrogate")]
use crate::results::{Method, Origin, Pair, Pairs};
#[cfg(feature = "surrogate")]
use crate::{Attribution, Coalition};
use crate::{Error, Estimate, Stopped, Value};

/// More samples than this have never been made.
pub(super) const MOST_SAMPLES: u64 = 1 << 60;

saved!(Estimate<V> => SavedEstimate<V>);

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
pub(super) struct SavedStream<V> {
    pub(super) seed: u64,
    pub(super) nodes: Vec<SavedNode<V>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Node")]
pub(super) struct SavedNode<V> {
    start: u64,
    level: u32,
    sums: Vec<V>,
    /// None where it is infinite, for which JSON has no number.
    squares: Vec<Option<f64>>,
}

impl<V: Value> SavedNode<V> {
    pub(super) fn of((start, node): (u64, &SampleNode<V>)) -> Self {
        let squares = node.squares.iter().map(|&square| Some(square).filter(|square| square.is_finite())).collect();
        Self { start, level: node.level, sums: node.sums.clone(), squares }
    }
}

/// Fills a tree with a file's nodes, if they can be those of samples of `players`. `limit` is the largest number of
/// samples, and `beyond` the error's text for more.
pub(super) fn load_nodes<V: Value>(
    tree: &mut SampleTree<V>,
    SavedStream { seed, nodes }: SavedStream<V>,
    players: usize,
    (limit, beyond): (u64, &str),
) -> Result<(), Refusal> {
    for SavedNode { start, level, sums, squares } in nodes {
        let refuse = |what: String| format!("seed {seed}, node {start}, level {level}: {what}");
        tree.check_place(start, level, limit, beyond).map_err(refuse)?;
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
        tree.push(start, SampleNode { level, sums, squares });
    }
    Ok(())
}

impl<V: Value> SavedEstimate<V> {
    fn of(estimate: &Estimate<V>) -> Result<Self, Refusal> {
        let (values, errors) = (estimate.values().to_vec(), estimate.std_errors());
        let attribution = estimate.attribution();
        let mut form = Self {
            version: VERSION,
            values,
            std_errors: errors.iter().all(Value::is_finite).then(|| errors.to_vec()),
            baseline: attribution.baseline().clone(),
            grand: attribution.grand().clone(),
            evaluations: estimate.evaluations(),
            saved: estimate.saved(),
            stopped: estimate.stopped(),
            antithetic: false,
            truncation: None,
            looks: 0,
            streams: Vec::new(),
            pairs: None,
        };
        if let Some(Samples { design, looks, streams, .. }) = estimate.walks() {
            (form.antithetic, form.truncation, form.looks) = (design.antithetic, design.truncation, *looks);
            let stream = |(&seed, tree): (_, &SampleTree<V>)| SavedStream {
                seed,
                nodes: tree.iter().map(SavedNode::of).collect(),
            };
            form.streams = streams.iter().map(stream).collect();
        }
        #[cfg(feature = "surrogate")]
        if let Origin::Pairs(Pairs { method, seed, expected, asked }) = estimate.origin() {
            let asked = asked.iter().cloned().map(|Pair { coalition, value, complement }| SavedPair {
                members: coalition.iter().collect(),
                value,
                complement,
            });
            let (solver, expected, asked) = (method.name().to_owned(), expected.clone(), asked.collect());
            form.pairs = Some(SavedPairs { solver, seed: *seed, expected, asked });
        }
        Ok(form)
    }

    fn load(self) -> Result<Estimate<V>, Refusal> {
        if self.values.is_empty() {
            return Err("no values: a result has one for each player".to_owned());
        }
        check_values("baseline and grand", &[self.baseline.clone(), self.grand.clone()])?;
        match &self.pairs {
            None => self.load_walks(),
            #[cfg(feature = "surrogate")]
            Some(_) => self.load_pairs(),
            #[cfg(not(feature = "surrogate"))]
            Some(SavedPairs { solver, .. }) => Err(format!("an estimate of {solver}: it needs the feature surrogate")),
        }
    }

    fn load_walks(self) -> Result<Estimate<V>, Refusal> {
        let (players, evaluations, saved, truncation) =
            (self.values.len(), self.evaluations, self.saved, self.truncation);
        if truncation.is_some_and(|tolerance| !(tolerance > 0.0 && tolerance.is_finite())) {
            return Err("the tolerance of truncation is not positive and finite".to_owned());
        }
        let design = Design { players, antithetic: self.antithetic, truncation };
        let mut streams = BTreeMap::new();
        for stream in self.streams {
            let (seed, mut tree) = (stream.seed, sample_tree(Arc::default()));
            load_nodes(&mut tree, stream, players, (MOST_SAMPLES, "too many samples"))?;
            if streams.insert(seed, tree).is_some() {
                return Err(format!("seed {seed} is there twice"));
            }
        }
        let ends = [self.baseline, self.grand];
        let samples = Samples { design, looks: self.looks, evaluations, saved, ends, streams };
        // Each run that was merged, of a seed of its own, asked for v(∅) and v(N).
        let spent = samples.count().filter(|&count| count > 0).and_then(|count| count.checked_mul(design.cost()));
        let ends = evaluations.checked_add(saved).zip(spent).and_then(|(made, spent)| made.checked_sub(spent));
        if !ends.is_some_and(|ends| ends % 2 == 0 && (1..=samples.streams.len() as u64).contains(&(ends / 2))) {
            return Err(format!("{evaluations} evaluations made and {saved} saved do not pay for the samples"));
        }
        if design.is_constant() && samples.streams.values().any(|stream| stream.len() != 1) {
            return Err(format!("of {players} player(s), one sample of a seed is enough"));
        }
        if truncation.is_none() && saved > 0 {
            return Err(format!("{saved} evaluations saved without truncation"));
        }
        samples.estimate(self.stopped).map_err(|error: Error| error.to_string())
    }

    /// An estimate from pairs of coalitions. Its values are believed, like all numbers: they are not computed again.
    #[cfg(feature = "surrogate")]
    fn load_pairs(self) -> Result<Estimate<V>, Refusal> {
        let (players, made) = (self.values.len(), self.evaluations);
        let (Some(SavedPairs { solver, seed, expected, asked }), Some(std_errors)) = (self.pairs, self.std_errors)
        else {
            return Err("an estimate from pairs without standard errors".to_owned());
        };
        let Some(method) = Method::named(&solver) else {
            return Err(format!("an estimate of a solver {solver:?} from pairs: none is known"));
        };
        check_values("values", &self.values)?;
        check_values("std_errors", &std_errors)?;
        if std_errors.len() != players {
            return Err(format!("{} standard errors of {players} players", std_errors.len()));
        }
        if players > MOST_PLAYERS || !self.streams.is_empty() {
            return Err("an estimate from pairs has no streams".to_owned());
        }
        let is_exact = self.stopped == Stopped::Exact;
        let sizes = if is_exact { 0 } else { players / 2 };
        if expected.len() != sizes || expected.iter().any(|&count| !(count >= 0.0 && count.is_finite())) {
            return Err(format!("{} expected numbers of pairs, not {sizes} that are positive", expected.len()));
        }
        let mut cost = 2_u64;
        let mut pairs = Vec::with_capacity(asked.len());
        for SavedPair { members, value, complement } in asked {
            let ascend = members.windows(2).all(|pair| pair[0] < pair[1]);
            if !ascend || members.len() > players / 2 || members.is_empty() || members.iter().any(|&m| m >= players) {
                return Err(format!("a pair of {members:?} of {players} players: the smaller half, ascending"));
            }
            check_values("asked", std::slice::from_ref(&value))?;
            check_values("asked", complement.as_slice())?;
            cost += 1 + u64::from(complement.is_some());
            let coalition = Coalition::from_players(players, members);
            if expected[coalition.len() - 1] <= 0.0 {
                return Err(format!("a pair of {coalition}, of which none was expected"));
            }
            pairs.push(Pair { coalition, value, complement });
        }
        // A run that found out late that the game is not self-dual has dropped some.
        if !is_exact && (made < cost || pairs.is_empty()) {
            return Err(format!("{made} evaluations do not pay for {} pairs", pairs.len()));
        }
        let attribution = Attribution::new(self.values, self.baseline, self.grand, made);
        Ok(Estimate::new(
            attribution,
            std_errors,
            self.stopped,
            Origin::Pairs(Pairs { method, seed, expected, asked: pairs }),
        ))
    }
}
