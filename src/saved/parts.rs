//! Partial results, saved and loaded.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::Xxh3Default;

use super::{MOST_PLAYERS, SavedNode, SavedStream, VERSION, check_values, check_version};
use crate::estimate::{Design, Moments};
use crate::exact::ExactPartial;
use crate::exact::{Frame, MOST_PLAYERS as MOST_EXACT, Nodes, Rows, most_order};
use crate::parts::{Cut, is_same};
use crate::permutation::PermutationPartial;
use crate::{Error, Permutation, Value};

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
        for value in values {
            let _ = value.zip_with(value, |component, _| {
                self.numbers(&[component.to_bits()]);
                component
            });
        }
    }

    fn finish(&self) -> String {
        format!("{:016x}", self.0.digest())
    }
}

fn check<E: serde::de::Error>(found: &str, expected: &str) -> Result<(), E> {
    if found == expected {
        return Ok(());
    }
    Err(E::custom(format!(
        "the checksum is {found}, and that of the numbers is {expected}: the file is damaged, or its numbers were not read to the \
         last bit (serde_json needs its feature float_roundtrip)"
    )))
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "ExactPartial")]
struct SavedExact<V, Sums> {
    version: u32,
    num_players: usize,
    order: usize,
    of: u64,
    block_bits: usize,
    fingerprint: Option<String>,
    baseline: V,
    grand: V,
    evaluations: u64,
    nodes: Vec<SavedCube<Sums>>,
    checksum: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Cube")]
struct SavedCube<Sums> {
    start: u64,
    level: u32,
    sums: Sums,
}

impl<V: Value + Serialize> Serialize for ExactPartial<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Frame { players, order, block_bits } = self.nodes.frame;
        let mut nodes = Vec::new();
        for (start, rows) in self.nodes.iter() {
            check_values("sums", &rows.entries).map_err(|error: serde::de::value::Error| S::Error::custom(error))?;
            let level = (rows.players - block_bits) as u32;
            nodes.push(SavedCube { start, level, sums: rows.entries.iter().collect::<Vec<_>>() });
        }
        SavedExact {
            version: VERSION,
            num_players: players,
            order,
            of: self.cut.of(),
            block_bits,
            fingerprint: self.fingerprint.as_ref().map(|fingerprint| fingerprint.as_str().to_owned()),
            baseline: &self.baseline,
            grand: &self.grand,
            evaluations: self.evaluations,
            nodes,
            checksum: exact_checksum(self),
        }
        .serialize(serializer)
    }
}

fn exact_checksum<V: Value>(partial: &ExactPartial<V>) -> String {
    let Frame { players, order, block_bits } = partial.nodes.frame;
    let numbers = [players as u64, order as u64, block_bits as u64, partial.cut.of(), partial.evaluations];
    let mut checksum = Checksum::new(&numbers, partial.fingerprint.as_ref().map(|fingerprint| fingerprint.as_str()));
    checksum.values(partial.ends());
    for (start, rows) in partial.nodes.iter() {
        checksum.numbers(&[start, (rows.players - block_bits) as u64]);
        checksum.values(&rows.entries);
    }
    checksum.finish()
}

impl<'de, V: Value + Deserialize<'de>> Deserialize<'de> for ExactPartial<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = SavedExact::<V, Vec<V>>::deserialize(deserializer)?;
        check_version(saved.version)?;
        let (players, order) = (saved.num_players, saved.order);
        let most = if players > MOST_EXACT { 0 } else { most_order(players) };
        if players == 0 || !(1..=most).contains(&order) {
            return Err(D::Error::custom(format!("a partial result of order {order} among {players} players")));
        }
        let frame = Frame::new::<V>(players, order);
        if saved.block_bits != frame.block_bits {
            let (theirs, ours) = (saved.block_bits, frame.block_bits);
            return Err(D::Error::custom(format!("blocks of 2^{theirs} values: this version has blocks of 2^{ours}")));
        }
        let cut = Cut::new(frame.blocks(), saved.of).map_err(|error: Error| D::Error::custom(error))?;
        check_values("baseline and grand", &[saved.baseline.clone(), saved.grand.clone()])?;
        let mut nodes = Nodes::new(frame);
        for SavedCube { start, level, sums } in saved.nodes {
            let refuse = |what: &str| D::Error::custom(format!("node {start}, level {level}: {what}"));
            check_values("sums", &sums)?;
            let free = usize::try_from(level).ok().and_then(|level| level.checked_add(frame.block_bits));
            let free = free.filter(|&free| free <= players).ok_or_else(|| refuse("there is no such level"))?;
            nodes.push(start, Rows { players: free, entries: sums }).map_err(|what| refuse(&what))?;
        }
        for (name, end, here) in
            [("baseline", &saved.baseline, nodes.baseline()), ("grand", &saved.grand, nodes.grand())]
        {
            if here.is_some_and(|here| !is_same(here, end)) {
                return Err(D::Error::custom(format!("{name} is not the value among the sums")));
            }
        }
        let solved: u64 = nodes.ranges().iter().map(|range| (range.end - range.start) << frame.block_bits).sum();
        if saved.evaluations < solved {
            return Err(D::Error::custom(format!(
                "{} evaluations do not make the sums of {solved}",
                saved.evaluations
            )));
        }
        let SavedExact { baseline, grand, evaluations, checksum, .. } = saved;
        let fingerprint = saved.fingerprint.map(Into::into);
        let partial = Self { cut, nodes, fingerprint, baseline, grand, evaluations };
        check(&checksum, &exact_checksum(&partial))?;
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
    of: u64,
    fingerprint: Option<String>,
    baseline: V,
    grand: V,
    evaluations: u64,
    nodes: Vec<SavedNode<V>>,
    checksum: String,
}

impl<V: Value + Serialize> Serialize for PermutationPartial<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut nodes = Vec::new();
        for (&seed, moments) in &self.samples.streams {
            nodes.append(&mut SavedStream::new(seed, moments).nodes);
        }
        for node in &nodes {
            check_values("sums", &node.sums).map_err(|error: serde::de::value::Error| S::Error::custom(error))?;
        }
        SavedPermutation {
            version: VERSION,
            num_players: self.samples.design.players,
            antithetic: self.samples.design.antithetic,
            seed: self.seed,
            budget: self.budget,
            precision: self.precision,
            confidence: self.confidence,
            of: self.cut.of(),
            fingerprint: self.fingerprint.as_ref().map(|fingerprint| fingerprint.as_str().to_owned()),
            baseline: self.samples.baseline.clone(),
            grand: self.samples.grand.clone(),
            evaluations: self.samples.evaluations,
            nodes,
            checksum: permutation_checksum(self),
        }
        .serialize(serializer)
    }
}

fn permutation_checksum<V: Value>(partial: &PermutationPartial<V>) -> String {
    let Design { players, antithetic, .. } = partial.samples.design;
    // No precision is none that could be asked for.
    let [precision, confidence] = [partial.precision.unwrap_or_default(), partial.confidence].map(f64::to_bits);
    let numbers = [players as u64, u64::from(antithetic), partial.seed, partial.budget, precision, confidence];
    let mut checksum = Checksum::new(&numbers, partial.fingerprint.as_ref().map(|fingerprint| fingerprint.as_str()));
    checksum.numbers(&[partial.cut.of(), partial.samples.evaluations]);
    checksum.values(partial.ends());
    for node in partial.samples.streams.values().flat_map(Moments::nodes) {
        checksum.numbers(&[node.start, u64::from(node.level)]);
        checksum.values(&node.sums);
        checksum.values(&node.squares);
    }
    checksum.finish()
}

impl<'de, V: Value + Deserialize<'de>> Deserialize<'de> for PermutationPartial<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = SavedPermutation::<V>::deserialize(deserializer)?;
        check_version(saved.version)?;
        let players = saved.num_players;
        if players > MOST_PLAYERS {
            return Err(D::Error::custom(format!("{players} players: at most {MOST_PLAYERS} are read")));
        }
        check_values("baseline and grand", &[saved.baseline.clone(), saved.grand.clone()])?;
        // Through the sampler, which knows what settings make sense.
        let mut sampler = Permutation::new(saved.budget).seed(saved.seed).antithetic(saved.antithetic);
        sampler = sampler.confidence(saved.confidence);
        if let Some(precision) = saved.precision {
            sampler = sampler.precision(precision);
        }
        let mut part = sampler.part(0, saved.of);
        if let Some(fingerprint) = saved.fingerprint {
            part = part.fingerprint(fingerprint);
        }
        let frame = part.frame(players).map_err(|error: Error| D::Error::custom(error))?;
        let mut partial = part.none_yet(frame, [saved.baseline, saved.grand], saved.evaluations);
        let (design, cut) = frame;
        let empty = partial.samples.streams.remove(&saved.seed).unwrap_or_else(Moments::new);
        let moments = SavedStream { seed: saved.seed, nodes: saved.nodes }.moments(players, empty)?;
        let (made, end) = (moments.len(), moments.ranges().last().map_or(0, |range| range.end));
        if end > cut.units() {
            return Err(D::Error::custom(format!("{end} samples: the budget pays for {}", cut.units())));
        }
        if made.checked_mul(design.cost()).is_none_or(|spent| spent > saved.evaluations) {
            let evaluations = saved.evaluations;
            return Err(D::Error::custom(format!("{evaluations} evaluations do not pay for the {made} samples")));
        }
        partial.samples.streams.insert(saved.seed, moments);
        check(&saved.checksum, &permutation_checksum(&partial))?;
        Ok(partial)
    }
}
