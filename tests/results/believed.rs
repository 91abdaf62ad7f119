//! Files that no run can have written: refused before they take memory or evaluations, whoever wrote them.

#[cfg(feature = "surrogate")]
mod pairs;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::common::masks::pseudo;
use crate::common::tables::table;
use serde_json::{Value as Json, json};
use shapley::{Coalition, Error, Estimate, Permutation, Stopped, Table, Value, from_fn};
#[cfg(feature = "surrogate")]
use shapley::{KernelShap, Surrogate};

fn game() -> Table<f64> {
    table(9, |mask| pseudo(5, mask))
}

/// A file that a solver wrote, with one change.
fn changed(estimate: &Estimate<f64>, change: impl Fn(&mut Json)) -> Json {
    let mut json = serde_json::to_value(estimate).expect("estimates can be written");
    change(&mut json);
    json
}

#[track_caller]
fn assert_refused(json: Json, says: &str) {
    match serde_json::from_value::<Estimate<f64>>(json) {
        Ok(estimate) => panic!("{says}: it was read, as {estimate:?}"),
        Err(error) => assert!(error.to_string().contains(says), "{says}: {error}"),
    }
}

#[test]
fn values_sum_to_what_was_to_be_shared() {
    let walks = Permutation::new(500).estimate(&game()).unwrap();
    for (field, value) in [("baseline", 1e9), ("grand", -1e9), ("grand", f64::MAX)] {
        assert_refused(changed(&walks, |json| json[field] = json!(value)), "the values sum to");
    }
    #[cfg(feature = "surrogate")]
    for pairs in [Surrogate::new(100).estimate(&game()).unwrap(), Surrogate::new(512).estimate(&game()).unwrap()] {
        assert_refused(changed(&pairs, |json| json["baseline"] = json!(1e9)), "grand less baseline is -");
        if pairs.stopped() != Stopped::Exact {
            assert_refused(changed(&pairs, |json| json["values"][3] = json!(1e9)), "the values sum to 99999999");
            assert_refused(changed(&pairs, |json| json["baseline"] = json!(5)), "grand less baseline is -");
        }
    }
}

/// Games by size whose values are huge between v(∅) and v(N), so that contributions cancel to rounding errors: what a
/// solver returned is read again, whatever it is worth.
#[test]
fn values_that_cancel_are_no_forgery() {
    fn read_again<V: Value + serde::Serialize + serde::de::DeserializeOwned + PartialEq>(estimate: &Estimate<V>) {
        let text = serde_json::to_string(estimate).unwrap();
        match serde_json::from_str::<Estimate<V>>(&text) {
            Ok(read) => assert_eq!(read, *estimate),
            Err(error) => panic!("{error}: {text}"),
        }
    }
    for players in [2, 3, 4, 8] {
        for size in [5e-324, 1e-44, 1e6, 1e15] {
            for seed in 0..2 {
                let hump = move |s: &Coalition| {
                    let (inside, outside) = (s.len() as f64, (players - s.len()) as f64);
                    size * inside * outside * (1.0 + 0.1 * (inside * outside * 7.0).sin()) + inside * 0.001
                };
                let (game, narrow) = (from_fn(players, hump), from_fn(players, move |s| hump(s) as f32));
                // Nothing to share out: the values are rounding errors.
                let nothing = from_fn(players, |s: &Coalition| match s.is_empty() || s.is_grand() {
                    true => 0.0,
                    false => size * [1.0, 0.0, 0.5][s.iter().sum::<usize>() % 3],
                });
                read_again(&Permutation::new(100).seed(seed).estimate(&nothing).unwrap());
                #[cfg(feature = "surrogate")]
                for evaluations in [2 * players as u64 + 2, 600] {
                    read_again(&Surrogate::new(evaluations).seed(seed).estimate(&nothing).unwrap());
                    read_again(&KernelShap::new(evaluations).seed(seed).estimate(&nothing).unwrap());
                }
                for evaluations in [2 * players as u64, 40, 400] {
                    read_again(&Permutation::new(evaluations).seed(seed).estimate(&game).unwrap());
                    read_again(&Permutation::new(evaluations).seed(seed).estimate(&narrow).unwrap());
                    let part = Permutation::new(evaluations).seed(seed).precision(0.1).part(0, 2).run(&narrow).unwrap();
                    let text = serde_json::to_string(&part).unwrap();
                    assert_eq!(serde_json::from_str::<shapley::parts::PermutationPartial<f32>>(&text).unwrap(), part);
                    #[cfg(feature = "surrogate")]
                    if evaluations > 2 * players as u64 && evaluations < 1 << players {
                        read_again(&Surrogate::new(evaluations).seed(seed).estimate(&game).unwrap());
                        read_again(&KernelShap::new(evaluations).seed(seed).estimate(&narrow).unwrap());
                        read_again(&KernelShap::new(evaluations).seed(seed).estimate(&game).unwrap());
                    }
                }
            }
        }
    }
}

/// Sums that are large and cancel, in 32 bits: what a solver returned is read again.
#[test]
fn rounding_is_no_forgery() {
    for (players, size) in [(6, 1.0), (40, 1e6), (300, 1e30)] {
        let game = from_fn(players, |s: &Coalition| {
            let rough =
                pseudo(3, s.iter().fold(7, |hash: u64, player| hash.wrapping_mul(31).wrapping_add(player as u64)));
            if s.is_grand() { 1.0_f32 } else { (size * rough) as f32 }
        });
        for evaluations in [2 * players as u64, 20_000] {
            let estimate = Permutation::new(evaluations).estimate(&game).unwrap();
            let text = serde_json::to_string(&estimate).unwrap();
            assert_eq!(serde_json::from_str::<Estimate<f32>>(&text).unwrap(), estimate);
        }
        #[cfg(feature = "surrogate")]
        if players < 100 {
            let estimate = KernelShap::new(2 + 4 * players as u64).estimate(&game).unwrap();
            let text = serde_json::to_string(&estimate).unwrap();
            assert_eq!(serde_json::from_str::<Estimate<f32>>(&text).unwrap(), estimate);
        }
    }
}

#[test]
fn walks_stop_as_walks_do() {
    let walks = Permutation::new(500).estimate(&game()).unwrap();
    let stopped = |stopped: Stopped, looks: u32| {
        changed(&walks, |json| {
            json["stopped"] = json!(stopped);
            json["looks"] = json!(looks);
        })
    };
    assert_refused(stopped(Stopped::Exact, 0), "walks are never exact");
    assert_refused(stopped(Stopped::Precision, 0), "without a look");
    assert_refused(stopped(Stopped::Evaluations, 103), "103 looks: at most 102");
    assert!(serde_json::from_value::<Estimate<f64>>(stopped(Stopped::Precision, 102)).is_ok());
}

#[test]
fn a_coalition_takes_no_more_memory_than_one_that_can_be_asked_for() {
    for players in [u64::from(u32::MAX), 1 << 32, u64::MAX] {
        let error = serde_json::from_value::<Coalition>(json!({"num_players": players, "members": [0]})).unwrap_err();
        assert!(error.to_string().contains(&format!("{players} players: at most ")), "{error}");
    }
}

/// What is merged can be saved and loaded: the two agree on what can be.
#[test]
fn results_made_by_hand_merge_only_to_what_can_be_loaded() {
    let claims = |seed: u64| {
        let walks = Permutation::new(2 + 16 * 32).seed(seed).estimate(&game()).unwrap();
        // 2^55 samples of 16 evaluations each, of the same means.
        serde_json::from_value::<Estimate<f64>>(changed(&walks, |json| {
            let node = &mut json["streams"][0]["nodes"][0];
            assert_eq!(node["level"], 5);
            let sums: Vec<f64> = serde_json::from_value(node["sums"].clone()).unwrap();
            node["level"] = json!(55);
            node["sums"] = json!(sums.iter().map(|sum| sum * (1_u64 << 50) as f64).collect::<Vec<_>>());
            json["evaluations"] = json!((1_u64 << 59) + 2);
        }))
    };
    let [mut one, two] = [1, 2].map(|seed| claims(seed).unwrap());
    let reloaded = |estimate: &Estimate<f64>| {
        let text = serde_json::to_string(estimate).unwrap();
        serde_json::from_str::<Estimate<f64>>(&text).unwrap()
    };
    assert_eq!(one.evaluations(), (1 << 59) + 2);
    let before = one.clone();
    match one.merge(&two) {
        Err(Error::Setting { name: "the number of evaluations", value, allowed: "at most 2^60" }) => {
            assert!(value >= (1_u64 << 60) as f64);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(one, before);
    assert_eq!(reloaded(&one), one);
}

/// Intervals are looked at only where no sample before the last is missing: made by hand, since the runs of several
/// threads leave such gaps only by chance.
#[test]
fn a_gap_is_filled_before_a_precision_is_looked_at() {
    // All samples are alike, so that 30 are as precise as can be.
    let game = from_fn(4, |s| s.iter().map(|player| player as f64 + 1.0).sum::<f64>());
    let node = |start: u64, level: u32| {
        let sums: Vec<f64> = (1..=4).map(|value| f64::from(value * (1 << level))).collect();
        json!({"start": start, "level": level, "sums": sums, "squares": [0.0, 0.0, 0.0, 0.0]})
    };
    let whole = Permutation::new(2 + 30 * 6).estimate(&game).unwrap();
    // 30 samples, of which 24 to 27 are missing: 16 + 8 + 2 + 4.
    let nodes = [node(0, 4), node(16, 3), node(28, 1), node(32, 2)];
    let gap: Estimate<f64> =
        serde_json::from_value(changed(&whole, |json| json["streams"][0]["nodes"] = json!(nodes))).unwrap();
    let asked = AtomicU64::new(0);
    let counted = from_fn(4, |s| {
        asked.fetch_add(1, Ordering::SeqCst);
        s.iter().map(|player| player as f64 + 1.0).sum::<f64>()
    });
    let sampler = |evaluations| Permutation::new(evaluations).precision(0.1);
    let precise = sampler(10_000).resume(&counted, &gap).unwrap();
    assert_eq!((precise.stopped(), precise.permutations()), (Stopped::Precision, 2 * 45));
    assert_eq!(asked.load(Ordering::SeqCst), 2 + 15 * 6);
    // Without a gap there is nothing to do.
    let panicking = from_fn(4, |_| -> f64 { panic!("asked") });
    let same = sampler(10_000).resume(&panicking, &whole).unwrap();
    assert_eq!((same.stopped(), same.permutations()), (Stopped::Precision, 2 * 30));
}

/// NaN cannot be written in JSON, but in binary formats.
#[test]
fn numbers_that_are_none_are_refused_in_binary_formats_too() {
    let nan = |bytes: &[u8], number: f64| {
        let place = bytes.windows(8).position(|eight| eight == number.to_le_bytes()).expect("the number is there");
        let mut bytes = bytes.to_vec();
        bytes[place..place + 8].copy_from_slice(&f64::NAN.to_le_bytes());
        bytes
    };
    let summary = shapley::Exact::new().summary(&game(), 2).unwrap();
    let bytes = postcard::to_stdvec(&summary).unwrap();
    assert_eq!(postcard::from_bytes::<shapley::Summary<f64>>(&bytes).unwrap(), summary);
    let attribution = shapley::exact(&game()).unwrap();
    // The first sum is v(∅).
    assert!(postcard::from_bytes::<shapley::Summary<f64>>(&nan(&bytes, *attribution.baseline())).is_err());

    let bytes = postcard::to_stdvec(&attribution).unwrap();
    for number in [attribution[2], *attribution.baseline(), *attribution.grand()] {
        assert!(postcard::from_bytes::<shapley::Attribution<f64>>(&nan(&bytes, number)).is_err());
    }
    let estimate = Permutation::new(2 + 16).estimate(&game()).unwrap();
    let bytes = postcard::to_stdvec(&estimate).unwrap();
    assert_eq!(postcard::from_bytes::<Estimate<f64>>(&bytes).unwrap(), estimate);
    assert!(postcard::from_bytes::<Estimate<f64>>(&nan(&bytes, *estimate.attribution().grand())).is_err());
}

/// The examples of the page for readers in other languages are files that are read.
#[test]
fn the_examples_of_the_docs_are_read() {
    let page = include_str!("../../docs/results.md");
    let examples: Vec<&str> = page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let [coalition, attribution, interactions, estimated, summary, estimate, exact, sampled] = examples[..] else {
        panic!("{} examples", examples.len())
    };
    fn read<T: serde::Serialize + serde::de::DeserializeOwned>(example: &str) {
        let result: T = serde_json::from_str(example).unwrap_or_else(|error| panic!("{error}: {example}"));
        // And written as it stands there.
        let written = serde_json::to_value(&result).unwrap();
        assert_eq!(written, serde_json::from_str::<Json>(example).unwrap());
    }
    read::<Coalition>(coalition);
    read::<shapley::Attribution<f64>>(attribution);
    read::<shapley::Interactions<f64>>(interactions);
    #[cfg(feature = "surrogate")]
    read::<shapley::InteractionEstimate<f64>>(estimated);
    #[cfg(not(feature = "surrogate"))]
    assert!(!estimated.is_empty());
    read::<shapley::Summary<f64>>(summary);
    read::<Estimate<f64>>(estimate);
    read::<shapley::parts::ExactPartial<f64>>(exact);
    read::<shapley::parts::PermutationPartial<f64>>(sampled);
}

/// A sample that is enough is the first: files of others would not merge to one that is read.
#[test]
fn of_samples_that_are_all_alike_there_is_the_first() {
    let one = Permutation::new(40).estimate(&from_fn(1, |s: &Coalition| s.len() as f64)).unwrap();
    assert_refused(changed(&one, |json| json["streams"][0]["nodes"][0]["start"] = json!(4001)), "one sample of a seed");
}

/// What could not be read again is not written.
#[test]
fn sums_that_overflow_are_not_saved() {
    let game = from_fn(1, |s: &Coalition| if s.is_empty() { -1.7e308 } else { 1.7e308 });
    let summary = shapley::Exact::new().summary(&game, 1).unwrap();
    let error = serde_json::to_string(&summary).unwrap_err();
    assert!(error.to_string().contains("sums: number 0 is not finite"), "{error}");
}
