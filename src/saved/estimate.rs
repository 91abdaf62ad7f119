//! Estimates, saved and loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::pairs::SavedPairs;
use super::semivalue::SavedSemivalue;
use super::{Refusal, VERSION, check_sum, check_values, saved};
use crate::engine::partial::check_evaluations;
use crate::permutation::{ORDERS_VERSION, most_looks};
#[cfg(feature = "surrogate")]
use crate::results::Origin;
use crate::results::{Design, SampleNode, SampleTree, Samples, Tail, Weighted, sample_tree};
use crate::{Error, Estimate, Stopped, Value};

/// More samples than this have never been made.
pub(super) const MOST_SAMPLES: u64 = 1 << 60;

saved!(Estimate<V> => SavedEstimate<V>);

/// The version of the orders that walks went along. The first had no field.
pub(super) type SavedOrders = Option<u32>;

pub(super) fn save_orders(version: u32) -> SavedOrders {
    Some(version).filter(|&version| version > 1)
}

pub(super) fn load_orders(orders: SavedOrders) -> Result<u32, Refusal> {
    match orders {
        None => Ok(1),
        Some(version) if (2..=ORDERS_VERSION).contains(&version) => Ok(version),
        Some(version) => {
            Err(format!("orders of version {version}: this is a reader of versions up to {ORDERS_VERSION}"))
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Estimate")]
pub(super) struct SavedEstimate<V> {
    version: u32,
    /// For readers: what follows from the streams, and is computed again.
    pub(super) values: Vec<V>,
    /// As the values; none while there is one sample.
    pub(super) std_errors: Option<Vec<V>>,
    pub(super) baseline: V,
    pub(super) grand: V,
    pub(super) evaluations: u64,
    pub(super) saved: u64,
    pub(super) stopped: Stopped,
    antithetic: bool,
    truncation: Option<f64>,
    looks: u32,
    pub(super) streams: Vec<SavedStream<V>>,
    /// Of a solver that asks for pairs of coalitions; the streams are then empty.
    pub(super) pairs: Option<SavedPairs<V>>,
    /// Of walks.
    orders: SavedOrders,
    /// Of what the values are, if not of the Shapley value.
    semivalue: Option<SavedSemivalue>,
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
    /// For each output a sum and a number; a file of an earlier version has none.
    #[serde(default)]
    tails: Vec<[f64; 2]>,
}

impl<V: Value> SavedNode<V> {
    pub(super) fn of(start: u64, node: &SampleNode<V>) -> Self {
        let squares = node.squares.iter().map(|&square| Some(square).filter(|square| square.is_finite())).collect();
        let tails = node.tails.iter().map(|tail| [tail.sum, tail.groups]).collect();
        Self { start, level: node.level, sums: node.sums.clone(), squares, tails }
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
    for SavedNode { start, level, sums, squares, tails } in nodes {
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
        let outputs = if level < 2 { 0 } else { wanted / players };
        if tails.len() != outputs && !tails.is_empty() {
            return Err(refuse(format!("{} tails, not {outputs}", tails.len())));
        }
        let most = players as f64 * 2_f64.powi(level as i32 - 2);
        let is_possible = |&[sum, groups]: &[f64; 2]| (0.0..=most).contains(&groups) && (0.0..=groups).contains(&sum);
        if let Some([sum, groups]) = tails.iter().find(|tail| !is_possible(tail)) {
            return Err(refuse(format!("a tail of {sum} in {groups} groups: there are at most {most}")));
        }
        let tails = tails.into_iter().map(|[sum, groups]| Tail { sum, groups }).collect();
        tree.push(start, Box::new(SampleNode { level, sums, squares, tails }));
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
            orders: None,
            semivalue: None,
        };
        if let Some(Samples { design, looks, streams, .. }) = estimate.walks() {
            (form.antithetic, form.truncation, form.looks) = (design.antithetic, design.truncation, *looks);
            form.orders = save_orders(design.orders);
            form.semivalue = SavedSemivalue::of(design.weighted.as_ref());
            let stream = |(&seed, tree): (_, &SampleTree<V>)| SavedStream {
                seed,
                nodes: tree.iter().map(|(start, node)| SavedNode::of(start, node)).collect(),
            };
            form.streams = streams.iter().map(stream).collect();
        }
        #[cfg(feature = "surrogate")]
        if let Origin::Pairs(pairs) = estimate.origin() {
            form.pairs = Some(SavedPairs::of(pairs));
        }
        Ok(form)
    }

    fn load(self) -> Result<Estimate<V>, Refusal> {
        if self.values.is_empty() {
            return Err("no values: a result has one for each player".to_owned());
        }
        check_values("baseline and grand", &[self.baseline.clone(), self.grand.clone()])?;
        check_evaluations([self.evaluations, self.saved]).map_err(|error: Error| error.to_string())?;
        match &self.pairs {
            None => self.load_walks(),
            #[cfg(feature = "surrogate")]
            Some(_) => super::pairs::load(self),
            #[cfg(not(feature = "surrogate"))]
            Some(pairs) => Err(format!("an estimate of {:?}: it needs the feature surrogate", pairs.solver)),
        }
    }

    fn load_walks(self) -> Result<Estimate<V>, Refusal> {
        let (players, evaluations, saved, truncation) =
            (self.values.len(), self.evaluations, self.saved, self.truncation);
        if truncation.is_some_and(|tolerance| !(tolerance > 0.0 && tolerance.is_finite())) {
            return Err("the tolerance of truncation is not positive and finite".to_owned());
        }
        let orders = load_orders(self.orders)?;
        let semivalue = self.semivalue.map(SavedSemivalue::load).transpose()?;
        let weighted = semivalue.map(|semivalue| Weighted::new(&semivalue, players)).transpose();
        let weighted = weighted.map_err(|error| format!("the semivalue: {error}"))?;
        if let Some(weighted) = &weighted {
            if truncation.is_some() {
                return Err("truncation of a semivalue".to_owned());
            }
            if self.antithetic && !weighted.windows.is_symmetric {
                return Err(
                    "antithetic samples of a semivalue of which sizes s and n − 1 − s do not count alike".to_owned()
                );
            }
        }
        let is_shapley = weighted.is_none();
        let design = Design { players, antithetic: self.antithetic, truncation, orders, weighted };
        let mut streams = BTreeMap::new();
        for stream in self.streams {
            let (seed, mut tree) = (stream.seed, sample_tree(Arc::default()));
            load_nodes(&mut tree, stream, players, (MOST_SAMPLES, "too many samples"))?;
            if streams.insert(seed, tree).is_some() {
                return Err(format!("seed {seed} is there twice"));
            }
        }
        let ends = [self.baseline, self.grand];
        let looks = self.looks;
        match (self.stopped, looks) {
            (Stopped::Exact, _) => return Err("walks are never exact".to_owned()),
            (Stopped::Precision, 0) => return Err("a precision was reached without a look at the intervals".to_owned()),
            (_, looks) if looks > most_looks() => return Err(format!("{looks} looks: at most {}", most_looks())),
            _ => {}
        }
        let samples = Samples { design, looks, evaluations, saved, ends, streams };
        // Each run has asked for v(∅) and v(N), and has made a sample. A seed has one run or, resumed, several.
        let (seeds, count) = (samples.streams.len() as u64, samples.count().unwrap_or(u64::MAX));
        let (cost, is_constant) = (samples.design.cost(), samples.design.is_constant());
        let spent = count.checked_mul(cost);
        let ends = spent.and_then(|spent| (evaluations + saved).checked_sub(spent));
        let runs = seeds..=count;
        if samples.streams.values().any(|stream| stream.len() == 0)
            || !ends.is_some_and(|ends| ends.is_multiple_of(2) && runs.contains(&(ends / 2)))
        {
            return Err(format!(
                "{evaluations} evaluations made and {saved} saved are not those of {count} samples, {cost} each, and 2 for each \
                 of {seeds} to {count} runs"
            ));
        }
        if is_constant && samples.streams.values().any(|stream| stream.missing().start != 1 || stream.len() != 1) {
            return Err(format!("of {players} player(s), one sample of a seed is enough"));
        }
        if truncation.is_none() && saved > 0 {
            return Err(format!("{saved} evaluations saved without truncation"));
        }
        let estimate = samples.estimate(self.stopped).map_err(|error: Error| error.to_string())?;
        if is_shapley {
            check_sum(estimate.attribution(), None)?;
        }
        Ok(estimate)
    }
}
