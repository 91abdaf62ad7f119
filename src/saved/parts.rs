//! Partial results, saved and loaded.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::Xxh3Default;

use super::estimate::{MOST_SAMPLES, SavedNode, SavedOrders, SavedStream, load_nodes, load_orders, save_orders};
use super::semivalue::SavedSemivalue;
use super::{Refusal, VERSION, check_sum, check_values, saved};
use crate::engine::partial::{Job, Partial, Summation, Sums, check_evaluations, is_same};
use crate::engine::tree::Node as _;
use crate::exact::CoalitionSums;
use crate::parts::{ExactPartial, PermutationPartial};
use crate::permutation::Rules;
use crate::results::Design;
use crate::weights::MOST_PLAYERS as MOST_EXACT;
use crate::{Coalition, Error, Permutation, Stopped, Value};

/// A checksum of what a file says, so that what was damaged is not taken for an answer. It also finds the bits that a
/// reader of decimal numbers has lost.
struct Checksum(Xxh3Default);

impl Checksum {
    fn new(numbers: &[u64], fingerprint: Option<&str>) -> Self {
        let mut checksum = Self(Xxh3Default::new());
        checksum.numbers(numbers);
        checksum.numbers(&[fingerprint.map_or(u64::MAX, |text| text.len() as u64)]);
        checksum.0.update(fingerprint.unwrap_or_default().as_bytes());
        checksum
    }

    fn numbers(&mut self, numbers: &[u64]) {
        numbers.iter().for_each(|number| self.0.update(&number.to_le_bytes()));
    }

    /// The components of values, as floats: of other types those are nearly the values.
    fn values<'a, V: Value + 'a>(&mut self, values: impl IntoIterator<Item = &'a V>) {
        values.into_iter().flat_map(V::components).for_each(|component| self.numbers(&[component.to_bits()]));
    }

    fn finish(&self) -> String {
        format!("{:016x}", self.0.digest())
    }
}

fn check(found: &str, expected: &str) -> Result<(), Refusal> {
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "the checksum is {found}, and that of the numbers is {expected}: the file is damaged, or its numbers were not read to the \
         last bit (serde_json needs its feature float_roundtrip)"
    ))
}

saved!(
    ExactPartial<V> => SavedExact<'_, V>,
    PermutationPartial<V> => SavedPermutation<V>
);

/// A partial result without its nodes, if the rest of a file makes one.
fn begin<S: Sums>(
    sums: S,
    of: u64,
    fingerprint: Option<String>,
    ends: [S::Value; 2],
    evaluations: u64,
) -> Result<Partial<S>, Refusal> {
    let job = Job::new(sums, of, fingerprint.map(Into::into)).map_err(|error: Error| error.to_string())?;
    check_values("baseline and grand", &ends)?;
    Ok(Partial::new(job, ends, evaluations))
}

/// Refuses evaluations that do not pay for what is here, which takes `spent`.
fn check_paid<S: Sums>(partial: &Partial<S>, spent: u64) -> Result<(), Refusal> {
    let evaluations = partial.evaluations;
    check_evaluations([evaluations]).map_err(|error: Error| error.to_string())?;
    match evaluations {
        evaluations if evaluations < spent => Err(format!("{evaluations} evaluations do not pay for sums of {spent}")),
        _ => Ok(()),
    }
}

fn fingerprint<S>(job: &Job<S>) -> Option<String> {
    job.fingerprint.as_ref().map(|fingerprint| fingerprint.as_str().to_owned())
}

/// The checksum of a partial result whose settings are `numbers`: `values` are those of a node.
fn checksum<S: Sums>(
    partial: &Partial<S>,
    numbers: &[u64],
    more: &[u64],
    values: impl Fn(&mut Checksum, &<S as Summation>::Node),
) -> String {
    let fingerprint = partial.job.fingerprint.as_ref();
    let mut checksum = Checksum::new(numbers, fingerprint.map(|fingerprint| fingerprint.as_str()));
    checksum.numbers(more);
    checksum.values(&partial.ends);
    for (start, node) in partial.tree.iter() {
        checksum.numbers(&[start, u64::from(node.level())]);
        values(&mut checksum, node);
    }
    checksum.finish()
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "ExactPartial")]
struct SavedExact<'a, V: Clone> {
    version: u32,
    num_players: usize,
    order: usize,
    of: u64,
    block_bits: usize,
    fingerprint: Option<String>,
    baseline: V,
    grand: V,
    evaluations: u64,
    nodes: Vec<SavedCube<'a, V>>,
    checksum: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Cube")]
struct SavedCube<'a, V: Clone> {
    start: u64,
    level: u32,
    sums: Cow<'a, [V]>,
}

fn exact_checksum<V: Value>(partial: &ExactPartial<V>) -> String {
    let CoalitionSums { players, order, block_bits, .. } = partial.job.sums;
    let numbers = [players as u64, order as u64, block_bits as u64, partial.job.partition.of(), partial.evaluations];
    checksum(partial, &numbers, &[], |checksum, rows| checksum.values(&rows.entries))
}

impl<'a, V: Value> SavedExact<'a, V> {
    fn of(partial: &'a ExactPartial<V>) -> Result<Self, Refusal> {
        let CoalitionSums { players, order, block_bits, .. } = partial.job.sums;
        let mut nodes = Vec::new();
        for (start, rows) in partial.tree.iter() {
            check_values("sums", &rows.entries)?;
            nodes.push(SavedCube { start, level: rows.level, sums: Cow::Borrowed(&rows.entries) });
        }
        let [baseline, grand] = partial.ends.clone();
        Ok(Self {
            version: VERSION,
            num_players: players,
            order,
            of: partial.job.partition.of(),
            block_bits,
            fingerprint: fingerprint(&partial.job),
            baseline,
            grand,
            evaluations: partial.evaluations,
            nodes,
            checksum: exact_checksum(partial),
        })
    }

    fn load(self) -> Result<ExactPartial<V>, Refusal> {
        let (players, order) = (self.num_players, self.order);
        let sums = CoalitionSums::new(players, order, MOST_EXACT)
            .map_err(|_: Error| format!("a partial result of order {order} among {players} players"))?;
        let (theirs, ours) = (self.block_bits, sums.block_bits);
        if theirs != ours {
            return Err(format!("blocks of 2^{theirs} values: this version has blocks of 2^{ours}"));
        }
        let mut partial = begin(sums, self.of, self.fingerprint, [self.baseline, self.grand], self.evaluations)?;
        let blocks = partial.job.sums.units();
        for SavedCube { start, level, sums } in self.nodes {
            let refuse = |what: String| format!("node {start}, level {level}: {what}");
            check_values("sums", &sums)?;
            if level > partial.job.sums.height() {
                return Err(refuse("there is no such level".to_owned()));
            }
            let beyond = format!("there are {blocks} blocks");
            partial.tree.check_place(start, level, blocks, &beyond).map_err(refuse)?;
            let rows = partial.job.sums.rows(level, sums.into_owned()).map_err(refuse)?;
            partial.tree.push(start, rows);
        }
        let here = partial.job.sums.ends(&partial.tree);
        for (name, end, here) in [("baseline", &partial.ends[0], here[0]), ("grand", &partial.ends[1], here[1])] {
            if here.is_some_and(|here| !is_same(here, end)) {
                return Err(format!("{name} is not the value among the sums"));
            }
        }
        check_paid(&partial, partial.tree.len() << ours)?;
        check(&self.checksum, &exact_checksum(&partial))?;
        Ok(partial)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "PermutationPartial")]
struct SavedPermutation<V> {
    version: u32,
    num_players: usize,
    antithetic: bool,
    seed: u64,
    budget: u64,
    precision: Option<f64>,
    confidence: f64,
    /// None in a file of an earlier version.
    #[serde(default)]
    at_least: u64,
    of: u64,
    fingerprint: Option<String>,
    baseline: V,
    grand: V,
    evaluations: u64,
    nodes: Vec<SavedNode<V>>,
    checksum: String,
    orders: SavedOrders,
    semivalue: Option<SavedSemivalue>,
}

fn permutation_checksum<V: Value>(partial: &PermutationPartial<V>) -> String {
    let rules = &partial.job.sums.rules;
    let Design { players, antithetic, orders, ref weighted, .. } = rules.design;
    // No precision is none that could be asked for.
    let [precision, confidence] = [rules.precision.unwrap_or_default(), rules.confidence].map(f64::to_bits);
    let mut numbers = vec![players as u64, u64::from(antithetic), rules.seed, rules.budget, precision, confidence];
    numbers.extend(save_orders(orders).map(u64::from));
    numbers.extend(SavedSemivalue::of(weighted.as_ref()).iter().flat_map(SavedSemivalue::numbers));
    let more = [partial.job.partition.of(), partial.evaluations, rules.at_least];
    // Files of an earlier version have no number to make at least.
    let more = if rules.at_least > 0 { &more[..] } else { &more[..2] };
    checksum(partial, &numbers, more, |checksum, node| {
        checksum.values(&node.sums);
        checksum.values(&node.squares);
        checksum.values(node.tails.iter().flat_map(|tail| [&tail.sum, &tail.groups]));
    })
}

impl<V: Value> SavedPermutation<V> {
    fn of(partial: &PermutationPartial<V>) -> Result<Self, Refusal> {
        let Rules { design, budget, seed, precision, confidence, at_least } = partial.job.sums.rules.clone();
        partial.tree.iter().try_for_each(|(_, node)| check_values("sums", &node.sums))?;
        let [baseline, grand] = partial.ends.clone();
        Ok(Self {
            version: VERSION,
            num_players: design.players,
            antithetic: design.antithetic,
            seed,
            budget,
            precision,
            confidence,
            at_least,
            of: partial.job.partition.of(),
            fingerprint: fingerprint(&partial.job),
            baseline,
            grand,
            evaluations: partial.evaluations,
            nodes: partial.tree.iter().map(|(start, node)| SavedNode::of(start, node)).collect(),
            checksum: permutation_checksum(partial),
            orders: save_orders(design.orders),
            semivalue: SavedSemivalue::of(design.weighted.as_ref()),
        })
    }

    fn load(self) -> Result<PermutationPartial<V>, Refusal> {
        let players = self.num_players;
        if players > Coalition::MAX_PLAYERS {
            return Err(format!("{players} players: at most {} are read", Coalition::MAX_PLAYERS));
        }
        // Through the sampler, which knows what settings are in range.
        let mut sampler = Permutation::new(self.budget).seed(self.seed).antithetic(self.antithetic);
        sampler = sampler.confidence(self.confidence).at_least(self.at_least);
        if let Some(precision) = self.precision {
            sampler = sampler.precision(precision);
        }
        let is_shapley = self.semivalue.is_none();
        if let Some(semivalue) = self.semivalue {
            sampler = sampler.weighted(semivalue.load()?);
        }
        let mut sums = sampler.sums(players).map_err(|error: Error| error.to_string())?;
        if sums.rules.design.antithetic != self.antithetic {
            return Err(
                "antithetic samples of a semivalue of which sizes s and n − 1 − s do not count alike".to_owned()
            );
        }
        sums.rules.design.orders = load_orders(self.orders)?;
        let mut partial = begin(sums, self.of, self.fingerprint, [self.baseline, self.grand], self.evaluations)?;
        let payable = partial.job.sums.units();
        let stream = SavedStream { seed: self.seed, nodes: self.nodes };
        load_nodes(
            &mut partial.tree,
            stream,
            players,
            (payable.min(MOST_SAMPLES), &format!("the budget pays for {payable}")),
        )?;
        check_paid(&partial, partial.tree.len().saturating_mul(partial.job.sums.rules.design.cost()))?;
        check(&self.checksum, &permutation_checksum(&partial))?;
        if is_shapley
            && let Ok::<_, Error>(estimate) = partial.samples(partial.tree.clone()).estimate(Stopped::Evaluations)
        {
            check_sum(estimate.attribution(), None)?;
        }
        Ok(partial)
    }
}
