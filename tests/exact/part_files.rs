//! Partial results in files: they come back with the same bits, and damaged files are errors.

use crate::parts::{game, shuffled};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use shapley::Estimate;
use shapley::parts::{ExactPartial, PermutationPartial};
use shapley::{Error, Exact, Permutation, Table, from_fn};

fn text(result: &impl Serialize) -> String {
    serde_json::to_string(result).expect("it can be written")
}

fn loaded<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect("what was written can be read")
}

#[test]
fn parts_go_through_files() -> Result<(), Error> {
    let game = game(13);
    let mut all: Option<ExactPartial<f64>> = None;
    for k in shuffled(7, 1) {
        let part = text(&Exact::new().part(k, 7).order(2).fingerprint("game").run(&game)?);
        match &mut all {
            Some(all) => all.merge(loaded::<ExactPartial<f64>>(&part))?,
            None => all = Some(loaded(&part)),
        }
        all = Some(loaded(&text(&all)));
    }
    assert_eq!(all.expect("parts").finish()?, Exact::new().summary(&game, 2)?);

    let precise = Permutation::new(2_000).seed(3).antithetic(false).precision(0.2);
    for sampler in [Permutation::new(2_000), precise.clone(), precise.at_least(1_000)] {
        let mut all: Option<PermutationPartial<f64>> = None;
        for k in shuffled(7, 2) {
            let part = text(&sampler.clone().part(k, 7).run(&game)?);
            match &mut all {
                Some(all) => all.merge(loaded::<PermutationPartial<f64>>(&part))?,
                None => all = Some(loaded(&part)),
            }
            all = Some(loaded(&text(&all)));
        }
        let estimate: Estimate<f64> = all.expect("parts").finish()?;
        assert_eq!(estimate, sampler.estimate(&game)?);
        assert_eq!(text(&estimate), text(&sampler.estimate(&game)?));
    }
    Ok(())
}

#[test]
fn cut_files_are_errors() -> Result<(), Error> {
    let game = game(11);
    let exact = text(&Exact::new().part(1, 2).run(&game)?);
    let sampled = text(&Permutation::new(500).precision(0.1).part(1, 2).run(&game)?);
    for end in (0..exact.len()).step_by(7).chain([exact.len() - 1]) {
        assert!(serde_json::from_str::<ExactPartial<f64>>(&exact[..end]).is_err());
    }
    for end in (0..sampled.len()).step_by(7).chain([sampled.len() - 1]) {
        assert!(serde_json::from_str::<PermutationPartial<f64>>(&sampled[..end]).is_err());
    }
    // Nor is one taken for the other.
    assert!(serde_json::from_str::<PermutationPartial<f64>>(&exact).is_err());
    assert!(serde_json::from_str::<ExactPartial<f64>>(&sampled).is_err());
    Ok(())
}

fn refused<T: DeserializeOwned>(json: &Json, change: &dyn Fn(&mut Json)) -> String {
    let mut json = json.clone();
    change(&mut json);
    serde_json::from_value::<T>(json).map_or_else(|error| error.to_string(), |_| "read".to_owned())
}

#[test]
fn damaged_files_are_errors() -> Result<(), Error> {
    let game = game(13);
    let mut part = Exact::new().part(0, 8).run(&game)?;
    part.merge(Exact::new().part(2, 8).run(&game)?)?;
    let json = serde_json::to_value(&part).expect("it can be written");
    type Change<'a> = (&'a str, &'a dyn Fn(&mut Json));
    let changes: [Change<'_>; 19] = [
        ("version 2", &|json| json["version"] = json!(2)),
        ("order 1 among 0", &|json| json["num_players"] = json!(0)),
        ("among 63", &|json| json["num_players"] = json!(63)),
        ("order 14", &|json| json["order"] = json!(14)),
        ("blocks of 2^9", &|json| json["block_bits"] = json!(9)),
        ("number of parts", &|json| json["of"] = json!(0)),
        ("checksum", &|json| json["nodes"][0]["start"] = json!(1)),
        ("checksum", &|json| json["nodes"][1]["sums"][5] = json!(0.5)),
        ("checksum", &|json| json["fingerprint"] = json!("another")),
        ("multiples", &|json| json["nodes"][1]["level"] = json!(2)),
        ("no such level", &|json| json["nodes"][1]["level"] = json!(4)),
        ("no such level", &|json| json["nodes"][1]["level"] = json!(u32::MAX)),
        ("there are 8 blocks", &|json| json["nodes"][1]["start"] = json!(8)),
        ("in common", &|json| json["nodes"][1]["start"] = json!(0)),
        ("other half", &|json| json["nodes"][1]["start"] = json!(1)),
        ("sums, not", &|json| drop(json["nodes"][0]["sums"].as_array_mut().expect("sums").pop())),
        ("invalid type", &|json| json["nodes"][0]["sums"][3] = Json::Null),
        ("baseline is not", &|json| json["baseline"] = json!(0.5)),
        ("evaluations do not", &|json| json["evaluations"] = json!(2047)),
    ];
    assert_eq!(refused::<ExactPartial<f64>>(&json, &|_| ()), "read");
    for (said, change) in changes {
        let text = refused::<ExactPartial<f64>>(&json, change);
        assert!(text.contains(said), "{said}: {text}");
    }

    let sampler = Permutation::new(2_000).precision(1e-9);
    let part = sampler.part(1, 3).run(&game)?;
    let json = serde_json::to_value(&part).expect("it can be written");
    let changes: [Change<'_>; 14] = [
        ("checksum", &|json| json["seed"] = json!(1)),
        ("checksum", &|json| json["nodes"][0]["sums"][5] = json!(0.5)),
        ("version 0", &|json| json["version"] = json!(0)),
        ("no players", &|json| json["num_players"] = json!(0)),
        ("players", &|json| json["num_players"] = json!(12)),
        ("precision cannot be -1", &|json| json["precision"] = json!(-1.0)),
        ("confidence cannot be 1", &|json| json["confidence"] = json!(1.0)),
        ("number of parts", &|json| json["of"] = json!(0)),
        ("are not enough", &|json| json["budget"] = json!(25)),
        ("the budget pays for", &|json| json["budget"] = json!(1_000)),
        ("both sides of a look", &|json| {
            json["nodes"] = json!([{"start": 28, "level": 2, "sums": [0.0], "squares": [0.0]}]);
        }),
        ("squares", &|json| json["nodes"][0]["squares"] = json!([1.0])),
        ("evaluations do not pay", &|json| json["evaluations"] = json!(30)),
        ("finite", &|json| json["grand"] = Json::Null),
    ];
    assert_eq!(refused::<PermutationPartial<f64>>(&json, &|_| ()), "read");
    for (said, change) in &changes[..13] {
        let text = refused::<PermutationPartial<f64>>(&json, change);
        assert!(text.contains(said), "{said}: {text}");
    }
    assert_ne!(refused::<PermutationPartial<f64>>(&json, changes[13].1), "read");

    // A checksum can be forged, since the refusal says it; sums that do not share out v(N) − v(∅) are refused then.
    let forge = |json: &mut Json| json["baseline"] = json!(1e9);
    let said = refused::<PermutationPartial<f64>>(&json, &forge);
    let (_, wanted) = said.split_once("that of the numbers is ").expect("the checksum is said");
    let said = refused::<PermutationPartial<f64>>(&json, &|json| {
        forge(json);
        json["checksum"] = json!(wanted[..16]);
    });
    assert!(said.contains("the values sum to"), "{said}");
    Ok(())
}

/// The files that `docs/results.md` shows.
#[test]
fn files_are_as_documented() -> Result<(), Error> {
    let documented = include_str!("../../docs/results.md");
    let game = Table::new(vec![0.0, 6.5, 1.5, 10.0]).expect("a table");
    let part = Exact::new().part(0, 1).fingerprint("model 7").run(&game)?;
    let sampled = Permutation::new(4).seed(7).antithetic(false).part(0, 1).run(&game)?;
    for json in [text(&part), text(&sampled)] {
        let squeezed: String = documented.split_whitespace().collect();
        let wanted: String = json.split_whitespace().collect();
        assert!(squeezed.contains(&wanted), "{json}");
    }
    Ok(())
}

/// JSON has no infinity: what overflowed is an error when it is written, not a file that cannot be read.
#[test]
fn sums_that_overflowed_are_not_written() -> Result<(), Error> {
    let game = from_fn(11, |_| f64::MAX);
    let error = serde_json::to_string(&Exact::new().part(0, 2).run(&game)?).expect_err("it was written");
    assert!(error.to_string().contains("not finite"), "{error}");
    Ok(())
}
