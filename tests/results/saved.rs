//! Results that are saved and loaded again: the same bits, and nothing that no solver could have returned.

use std::ops::ControlFlow;

use crate::common::masks::{mask_of, pseudo};
use crate::common::resumed::assert_same_samples;
use crate::common::tables::table;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use shapley::{
    Attribution, Coalition, Estimate, Exact, Index, Interactions, Permutation, Semivalue, Stopped, Summary, Table,
    exact, from_fn, interactions, parts::PermutationPartial,
};

/// What comes back from a file.
fn reloaded<T: Serialize + DeserializeOwned>(result: &T) -> T {
    let text = serde_json::to_string(result).expect("results can be written");
    serde_json::from_str(&text).expect("what was written can be read")
}

/// What is said of a file in which something was changed.
fn refused<T: Serialize + DeserializeOwned>(result: &T, change: impl Fn(&mut Json)) -> String {
    let mut json = serde_json::to_value(result).expect("results can be written");
    change(&mut json);
    match serde_json::from_value::<T>(json) {
        Ok(_) => "read".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// What is said of a file, and the change that was made to it.
type Refusal<'a> = (&'a str, &'a dyn Fn(&mut Json));

fn game() -> Table<f64> {
    table(7, |mask| pseudo(5, mask))
}

#[test]
fn every_result_comes_back_bit_for_bit() -> Result<(), shapley::Error> {
    let attribution = exact(&game())?;
    assert_eq!(reloaded(&attribution), attribution);
    for order in [1, 2, 7] {
        let summary = Exact::new().summary(&game(), order)?;
        assert_eq!(reloaded(&summary), summary);
        let shapley = Semivalue::shapley();
        assert_eq!(reloaded(&summary).values(&shapley)?, summary.values(&shapley)?);
    }
    let pairs = interactions(&game(), Index::FaithfulShapley, 3)?;
    assert_eq!(reloaded(&pairs), pairs);
    for n in [0, 1, 64, 65, 200] {
        for set in [Coalition::empty(n), Coalition::grand(n), Coalition::from_players(n, (0..n).step_by(3))] {
            assert_eq!(reloaded(&set), set);
        }
    }
    for stopped in [Stopped::Evaluations, Stopped::Precision, Stopped::Deadline, Stopped::Observer] {
        assert_eq!(reloaded(&stopped), stopped);
    }
    for index in crate::common::every_index::INDICES {
        assert_eq!(reloaded(&index), index);
    }
    let outputs = from_fn(5, |s| [s.len() as f64, pseudo(1, mask_of(s))]);
    let estimate = Permutation::new(300).estimate(&outputs)?;
    assert_eq!(reloaded(&estimate), estimate);
    Ok(())
}

/// One sample, a power of two, and one less; pairs and single walks; truncated; looked at; stopped by an observer.
#[test]
fn an_estimate_goes_on_from_a_file_as_if_nothing_had_happened() -> Result<(), shapley::Error> {
    let game = game();
    let samplers: [fn(Permutation) -> Permutation; 4] = [
        |sampler| sampler,
        |sampler| sampler.antithetic(false),
        |sampler| sampler.truncate(0.2),
        |sampler| sampler.precision(0.001).confidence(0.9),
    ];
    for options in samplers {
        let with = |evaluations| options(Permutation::new(evaluations).seed(9));
        let sampler = with(5_000);
        let whole = sampler.estimate(&game)?;
        for samples in [1, 2, 31, 32] {
            let stop = sampler.clone().threads(1).batch(1).observe(|progress| {
                if progress.permutations >= samples { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            let part = stop.estimate(&game)?;
            assert_eq!(part.stopped(), Stopped::Observer);
            let part = reloaded(&part);
            // 5002 pay for v(∅) and v(N) again.
            let more = with(5_002).resume(&game, &part)?;
            assert_same_samples(&more, &whole, 1, "from a file");
        }
    }
    Ok(())
}

/// JSON has no infinity: squares of values beyond 1e154 are one.
#[test]
fn what_is_too_large_to_square_is_saved_too() -> Result<(), shapley::Error> {
    let game = table(4, |mask| 1e200 * pseudo(2, mask));
    let estimate = Permutation::new(200).estimate(&game)?;
    assert!(estimate.std_errors()[0].is_infinite());
    let text = serde_json::to_string(&estimate).expect("results can be written");
    assert_eq!(serde_json::from_str::<Estimate<f64>>(&text).expect("what was written can be read"), estimate);
    Ok(())
}

#[test]
fn a_single_sample_is_enough_where_all_are_the_same() -> Result<(), shapley::Error> {
    let estimate = Permutation::new(100).estimate(&table(2, |mask| pseudo(2, mask)))?;
    assert_eq!(reloaded(&estimate), estimate);
    let said = refused(&estimate, |json| {
        json["streams"][0]["nodes"][0]["level"] = json!(1);
        json["streams"][0]["nodes"][0]["squares"] = json!([1.0, 1.0]);
        json["evaluations"] = json!(6);
    });
    assert!(said.contains("of 2 player(s), one sample"), "{said}");
    Ok(())
}

/// A run spread over processes: each saves what it has, and one reads and merges all.
#[test]
fn estimates_from_files_merge() -> Result<(), shapley::Error> {
    let game = game();
    let parts: Vec<Estimate<f64>> =
        (0..4).map(|seed| Permutation::new(1_000).seed(seed).estimate(&game)).collect::<Result<_, _>>()?;
    let (mut kept, mut loaded) = (parts[0].clone(), reloaded(&parts[0]));
    for part in &parts[1..] {
        kept.merge(part)?;
        loaded.merge(reloaded(part))?;
    }
    assert_eq!(loaded, kept);
    assert_eq!(reloaded(&loaded), kept);
    Ok(())
}

/// The first file of its kind. Every later version of the crate reads it.
#[test]
fn a_file_of_version_1_is_read() -> Result<(), Box<dyn std::error::Error>> {
    let file = include_str!("../data/estimate-v1.json");
    let estimate: Estimate<f64> = serde_json::from_str(file)?;
    assert_eq!((estimate.permutations(), estimate.evaluations(), estimate.stopped()), (54, 326, Stopped::Evaluations));
    // It is written as it was, with what was added since; and errors are those of today's rule.
    let mut written = serde_json::from_str::<Json>(file)?;
    for field in ["pairs", "orders", "semivalue"] {
        written[field] = Json::Null;
    }
    written["std_errors"] = serde_json::to_value(estimate.std_errors())?;
    for node in written["streams"][0]["nodes"].as_array_mut().expect("nodes") {
        node["tails"] = json!([]);
    }
    assert_eq!(serde_json::to_value(&estimate)?, written);
    assert_eq!(reloaded(&estimate), estimate);
    Ok(())
}

/// Orders of version 2 are others than those of version 1, by the same numbers: what is of version 1 is read and finished,
/// and nothing goes on with it.
#[test]
fn samples_of_other_orders_are_not_added() -> Result<(), Box<dyn std::error::Error>> {
    fn is_refused<T: std::fmt::Debug, E>(result: Result<T, shapley::Error<E>>, versions: [&str; 2]) {
        let Err(shapley::Error::Mismatch { what, ours, theirs }) = result else { panic!("no mismatch") };
        assert_eq!((what, [&*ours, &*theirs]), ("the version of the orders", versions));
    }
    let old: Estimate<f64> = serde_json::from_str(include_str!("../data/estimate-v1.json"))?;
    is_refused(Permutation::new(2_002).seed(u64::MAX).resume(&game(), &old), ["2", "1"]);
    // Of the same seed or another one.
    for seed in [3, u64::MAX] {
        let mut new = Permutation::new(1_000).seed(seed).estimate(&game())?;
        let kept = new.clone();
        is_refused(new.merge(&old), ["2", "1"]);
        assert_eq!(new, kept);
        is_refused(old.clone().merge(&new), ["1", "2"]);
    }

    let mut new = Permutation::new(1_000).part(1, 2).run(&game())?;
    let mut json = serde_json::to_value(Permutation::new(1_000).part(0, 2).run(&game())?)?;
    json["orders"] = Json::Null;
    // The checksum is that of a file of version 1, which the refusal says.
    let said = serde_json::from_value::<PermutationPartial<f64>>(json.clone()).expect_err("the checksum").to_string();
    let (_, wanted) = said.split_once("that of the numbers is ").expect("the checksum is said");
    json["checksum"] = json!(wanted[..16]);
    let old: PermutationPartial<f64> = serde_json::from_value(json.clone())?;
    assert_eq!(serde_json::to_value(&old)?, json);
    is_refused(new.merge(old.clone()), ["2", "1"]);
    is_refused(old.clone().merge(new), ["1", "2"]);

    for version in [0, 1, 3, u32::MAX] {
        let estimate = Permutation::new(1_000).estimate(&game())?;
        let said = refused(&estimate, |json| json["orders"] = json!(version));
        assert!(said.contains(&format!("orders of version {version}: ")), "{said}");
        json["orders"] = json!(version);
        let said = serde_json::from_value::<PermutationPartial<f64>>(json.clone()).expect_err("a version").to_string();
        assert!(said.contains(&format!("orders of version {version}: ")), "{said}");
    }
    Ok(())
}

/// `KernelShap` was called `Regression` in version 0.2, and so are the estimates that it saved.
#[cfg(feature = "surrogate")]
#[test]
fn a_file_of_regression_is_one_of_kernel_shap() -> Result<(), Box<dyn std::error::Error>> {
    let game = from_fn(8, |s| {
        let votes: u32 = s.iter().map(|k| [5, 4, 3, 3, 2, 2, 1, 1][k]).sum();
        f64::from(votes * votes) + if s.contains(2) && s.contains(5) { 7.0 } else { 0.0 }
    });
    let file = include_str!("../data/estimate-regression-v1.json");
    let estimate: Estimate<f64> = serde_json::from_str(file)?;
    assert_eq!((estimate.evaluations(), estimate.stopped()), (60, Stopped::Evaluations));
    assert_eq!(reloaded(&estimate), estimate);
    let mut written = serde_json::from_str::<Json>(file)?;
    written["pairs"]["solver"] = json!("KernelShap");
    (written["orders"], written["semivalue"]) = (Json::Null, Json::Null);
    assert_eq!(serde_json::to_value(&estimate)?, written);

    let solver = |evaluations| shapley::KernelShap::new(evaluations).seed(11);
    let more = solver(100).resume(&game, &estimate)?;
    assert!((61..=100).contains(&more.evaluations()), "{}", more.evaluations());
    let other = shapley::Surrogate::new(100).seed(11).resume(&game, &estimate).unwrap_err().to_string();
    assert!(other.contains("KernelShap"), "{other}");

    // A new run gives the values of the file, up to rounding.
    let today = solver(60).estimate(&game)?;
    for (then, now) in estimate.values().iter().zip(today.values()) {
        assert!((then - now).abs() < 1e-9, "{then} then, {now} now");
    }
    Ok(())
}

#[test]
fn what_no_solver_returns_is_refused() -> Result<(), shapley::Error> {
    let set = Coalition::from_players(5, [1, 3]);
    for (change, says) in [
        (json!({"num_players": 5, "members": [1, 5]}), "member 5 does not exist: there are 5 players"),
        (json!({"num_players": 5, "members": [3, 1]}), "member 3 before 1"),
        (json!({"num_players": 5, "members": [3, 3]}), "member 3 before 3"),
        (json!({"num_players": 1_u64 << 40, "members": []}), "1099511627776 players: at most"),
    ] {
        let said = refused(&set, |json| *json = change.clone());
        assert!(said.contains(says), "{said}");
    }

    let attribution: Attribution<f64> = exact(&game())?;
    assert!(refused(&attribution, |json| json["version"] = json!(2)).contains("version 2"));
    assert!(refused(&attribution, |json| json["values"] = json!([])).contains("no values"));

    let pairs: Interactions<f64> = interactions(&game(), Index::Shapley, 2)?;
    assert!(refused(&pairs, |json| json["version"] = json!(0)).contains("version 0"));
    assert!(refused(&pairs, |json| json["order"] = json!(3)).contains("29 interactions: of order 3"));
    assert!(refused(&pairs, |json| json["order"] = json!(0)).contains("order 0"));
    assert!(refused(&pairs, |json| json["num_players"] = json!(4_000_000_000_u64)).contains("4000000000 players"));
    assert!(refused(&pairs, |json| json["interactions"][1]["players"] = json!([7])).contains("[7]"));
    assert!(refused(&pairs, |json| json["interactions"][1]["players"] = json!([1])).contains("ascend"));
    Ok(())
}

#[test]
fn what_no_sampler_returns_is_refused() -> Result<(), shapley::Error> {
    let estimate = Permutation::new(326).estimate(&game())?;
    let node = |json: &mut Json, field: &str, value: Json| json["streams"][0]["nodes"][0][field] = value;
    let changes: [Refusal<'_>; 22] = [
        ("version 3", &|json| json["version"] = json!(3)),
        ("level 64: a level is at most 63", &|json| node(json, "level", json!(64))),
        ("too many samples", &|json| node(json, "start", json!(1_u64 << 63))),
        ("start at multiples", &|json| node(json, "start", json!(3))),
        ("nodes ascend", &|json| node(json, "start", json!(16))),
        ("6 sums", &|json| node(json, "sums", json!([1, 2, 3, 4, 5, 6]))),
        ("0 squares", &|json| node(json, "squares", json!([]))),
        ("is -1", &|json| node(json, "squares", json!([1, 1, 1, -1, 1, 1, 1]))),
        ("2 tails, not 1", &|json| node(json, "tails", json!([[1, 2], [1, 2]]))),
        ("a tail of 3 in 2 groups", &|json| node(json, "tails", json!([[3, 2]]))),
        ("there are at most 28", &|json| node(json, "tails", json!([[3, 29]]))),
        ("twice", &|json| {
            let stream = json["streams"][0].clone();
            json["streams"].as_array_mut().expect("streams").push(stream);
        }),
        ("are not those of 0 samples", &|json| json["streams"] = json!([])),
        ("18446744073709552000: it must be at most 2^60", &|json| json["saved"] = json!(u64::MAX)),
        ("326 evaluations made and 0 saved are not those of", &|json| json["antithetic"] = json!(false)),
        ("325 evaluations made and 0 saved are not those of", &|json| json["evaluations"] = json!(325)),
        ("327 evaluations made and 0 saved are not those of", &|json| json["evaluations"] = json!(327)),
        // 27 samples are those of at most 27 runs, each of which asked for v(∅) and v(N).
        ("380 evaluations made and 0 saved are not those of", &|json| json["evaluations"] = json!(326 + 2 * 27)),
        ("2 evaluations saved without truncation", &|json| {
            json["evaluations"] = json!(324);
            json["saved"] = json!(2);
        }),
        ("tolerance", &|json| json["truncation"] = json!(-1.0)),
        ("no values", &|json| json["values"] = json!([])),
        ("exceeds the range", &|json| {
            for node in json["streams"][0]["nodes"].as_array_mut().expect("nodes") {
                node["sums"][2] = json!(f64::MAX);
            }
        }),
    ];
    for (says, change) in changes {
        let said = refused(&estimate, change);
        assert!(said.contains(says), "{says}: {said}");
    }
    Ok(())
}

#[test]
fn summaries_that_do_not_fit_together_are_refused() -> Result<(), shapley::Error> {
    let summary = Exact::new().summary(&game(), 2)?;
    let refusals: [Refusal; 7] = [
        ("a result of version 2: this is a reader of version 1", &|json| json["version"] = json!(2)),
        ("a summary of order 0 among 7 players", &|json| json["order"] = json!(0)),
        ("a summary of order 8 among 7 players", &|json| json["order"] = json!(8)),
        ("a summary of order 2 among 63 players", &|json| json["num_players"] = json!(63)),
        ("29 rows of sums: of order 1 among 7 players there are others, or of other lengths", &|json| {
            json["order"] = json!(1);
        }),
        ("29 rows of sums: of order 2 among 7 players there are others, or of other lengths", &|json| {
            let row = json["sums"][3].as_array_mut().expect("a row");
            row.pop();
        }),
        ("28 rows of sums: of order 2 among 7 players there are others, or of other lengths", &|json| {
            json["sums"].as_array_mut().expect("rows").pop();
        }),
    ];
    for (said, change) in refusals {
        assert_eq!(refused::<Summary<f64>>(&summary, change), said);
    }
    Ok(())
}

/// Semivalues come back as they were, with their samples; what no run can have written is refused.
#[test]
fn estimates_of_semivalues_are_saved_and_loaded() -> Result<(), Box<dyn std::error::Error>> {
    let players = shapley::Game::num_players(&game());
    let sizes = vec![1.0 / players as f64; players];
    for semivalue in [
        Semivalue::banzhaf(),
        Semivalue::beta(16.0, 1.0)?,
        Semivalue::binomial(0.7)?,
        Semivalue::thinned(0.98)?,
        Semivalue::by_size_distribution(sizes)?,
    ] {
        let sampler = Permutation::new(500).weighted(semivalue.clone());
        let estimate = sampler.estimate(&game())?;
        assert_eq!(reloaded(&estimate), estimate, "{semivalue:?}");
        let more = Permutation::new(1_000).weighted(semivalue).resume(&game(), reloaded(&estimate))?;
        assert!(more.permutations() > estimate.permutations());
        let partial = sampler.part(0, 2).run(&game())?;
        let read: PermutationPartial<f64> = serde_json::from_value(serde_json::to_value(&partial)?)?;
        assert_eq!(read, partial);
        let mut json = serde_json::to_value(&partial)?;
        json["semivalue"] = json!({"Binomial": {"p": 0.71}});
        assert!(serde_json::from_value::<PermutationPartial<f64>>(json).is_err());
    }
    let estimate = Permutation::new(500).semivalue(&game(), &Semivalue::beta(16.0, 1.0)?)?;
    for (semivalue, said) in [
        (json!({"Beta": {"alpha": 0.0, "beta": 1.0}}), "0"),
        (json!({"Binomial": {"p": 1.5}}), "1.5"),
        (json!({"Thinned": {"p": 1.0}}), "the Shapley value"),
        (json!({"BySize": [1.0]}), "1"),
        (json!("Shapley"), "Shapley"),
    ] {
        let refusal = refused(&estimate, |json| json["semivalue"] = semivalue.clone());
        assert!(refusal.contains(said), "{semivalue}: {refusal}");
    }
    let refusal = refused(&estimate, |json| json["antithetic"] = json!(true));
    assert!(refusal.contains("antithetic"), "{refusal}");
    let refusal = refused(&estimate, |json| json["truncation"] = json!(0.1));
    assert!(refusal.contains("truncation"), "{refusal}");
    Ok(())
}
