//! Games that are files, and the errors that others reach on them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use shapley::Table;

use crate::Result;
use crate::sets::Set;

const FIVE: [&str; 5] = ["diabetes_r2", "bike_rf", "forest_digits", "sent14", "voting16"];

/// The least error of all estimators that others measured at a number of evaluations, and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Best {
    pub(crate) estimator: String,
    pub(crate) error: f64,
}

/// By estimator and evaluations.
type Errors = BTreeMap<String, BTreeMap<String, f64>>;

fn folder(set: Set) -> PathBuf {
    let folder = if set == Set::Five { "../tests/data/accuracy" } else { "data/published" };
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder)
}

fn table(bytes: &[u8]) -> Result<Table<f64>> {
    let (numbers, _) = bytes.as_chunks::<8>();
    Ok(Table::new(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect::<Vec<f64>>())?)
}

/// Kind, instance and table of all games in `data/published`.
pub(crate) fn games() -> Result<Vec<(String, u32, Table<f64>)>> {
    let mut games = Vec::new();
    for entry in fs::read_dir(folder(Set::Published))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some((kind, instance)) = name.strip_suffix(".f64.gz").and_then(|name| name.rsplit_once("__")) else {
            continue;
        };
        let mut bytes = Vec::new();
        GzDecoder::new(File::open(&path)?).read_to_end(&mut bytes)?;
        games.push((kind.to_owned(), instance.parse::<u32>()?, table(&bytes)?));
    }
    // A folder is read in any order.
    games.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    Ok(games)
}

/// The five games in `tests/data/accuracy`.
pub(crate) fn five() -> Result<Vec<(&'static str, Table<f64>)>> {
    let read = |name| Ok((name, table(&fs::read(folder(Set::Five).join(format!("{name}.f64")))?)?));
    FIVE.into_iter().map(read).collect()
}

/// Others' errors, by kind, then by estimator and evaluations: mean squared errors of a value for the set `published`,
/// relative squared errors for `five`. Nothing is published of other sets.
fn all_errors(set: Set) -> Result<BTreeMap<String, Errors>> {
    let file = match set {
        Set::Published => "published.json",
        Set::Five => "peers.json",
        Set::Unseen | Set::Votes | Set::Large | Set::Pairs => return Ok(BTreeMap::new()),
    };
    Ok(serde_json::from_str(&fs::read_to_string(folder(set).join(file))?)?)
}

/// The best of others by kind and evaluations.
pub(crate) fn errors(set: Set) -> Result<BTreeMap<String, BTreeMap<String, Best>>> {
    let mut best = BTreeMap::new();
    for (kind, estimators) in all_errors(set)? {
        let of_kind: &mut BTreeMap<String, Best> = best.entry(kind).or_default();
        for (estimator, errors) in estimators {
            for (evaluations, error) in errors {
                let best =
                    of_kind.entry(evaluations).or_insert(Best { estimator: String::new(), error: f64::INFINITY });
                if error < best.error {
                    *best = Best { estimator: estimator.clone(), error };
                }
            }
        }
    }
    Ok(best)
}

/// The published estimator with the least geometric mean of errors over these kinds at one budget, and that mean. Only
/// estimators that were measured on all the kinds count.
pub(crate) fn best_single(set: Set, kinds: &[&str], evaluations: &str) -> Result<Option<Best>> {
    let mut logs: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (_, estimators) in all_errors(set)?.into_iter().filter(|(kind, _)| kinds.contains(&&kind[..])) {
        for (estimator, errors) in estimators {
            logs.entry(estimator).or_default().extend(errors.get(evaluations).map(|error| error.ln()));
        }
    }
    let whole = logs.into_iter().filter(|(_, logs)| logs.len() == kinds.len());
    let means = whole.map(|(estimator, logs)| {
        let error = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
        Best { estimator, error }
    });
    Ok(means.min_by(|a, b| a.error.total_cmp(&b.error)))
}

/// The relative squared errors of the numpy prototype of `Surrogate` on the five games, by game and evaluations.
pub(crate) fn prototype() -> Result<Errors> {
    Ok(serde_json::from_str(&fs::read_to_string(folder(Set::Five).join("prototype.json"))?)?)
}
