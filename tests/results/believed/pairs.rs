//! Files of estimates from pairs of coalitions.

use super::*;
use crate::common::masks::mask_of;

fn estimate() -> Estimate<f64> {
    Surrogate::new(100).seed(3).estimate(&game()).unwrap()
}

fn first(json: &mut Json) -> &mut Json {
    &mut json["pairs"]["asked"][0]
}

#[test]
fn what_a_design_cannot_be_is_refused() {
    type Change<'a> = &'a dyn Fn(&mut Json);
    let changes: [(&str, Change<'_>); 16] = [
        ("000 pairs of size 4 are expected: there are 126", &|json| json["pairs"]["expected"][3] = json!(1e308)),
        ("127 pairs of size 4 are expected: there are 126", &|json| json["pairs"]["expected"][3] = json!(127)),
        ("-1 pairs of size 2 are expected", &|json| json["pairs"]["expected"][1] = json!(-1.0)),
        ("3 expected numbers of pairs, not 4", &|json| {
            json["pairs"]["expected"].as_array_mut().unwrap().pop();
        }),
        ("pairs are expected, and 49 are there", &|json| json["pairs"]["expected"] = json!([9, 36, 84, 126])),
        ("is there twice", &|json| {
            let pair = first(json).clone();
            let asked = json["pairs"]["asked"].as_array_mut().unwrap();
            for other in &mut asked[1..20] {
                other.clone_from(&pair);
            }
        }),
        ("a pair of [9] of 9 players", &|json| first(json)["members"] = json!([9])),
        ("a pair of [] of 9 players", &|json| first(json)["members"] = json!([])),
        ("a pair of [0, 1, 2, 3, 4] of 9 players", &|json| first(json)["members"] = json!([0, 1, 2, 3, 4])),
        ("a pair of [1, 0] of 9 players", &|json| first(json)["members"] = json!([1, 0])),
        ("99 evaluations do not pay for 49 pairs", &|json| json["evaluations"] = json!(99)),
        ("a standard error of -1", &|json| json["std_errors"][4] = json!(-1.0)),
        ("8 standard errors of 9 players", &|json| {
            json["std_errors"].as_array_mut().unwrap().pop();
        }),
        ("100 evaluations give no exact answer for 9 players", &|json| json["stopped"] = json!("Exact")),
        ("no streams, and saves no evaluations", &|json| json["saved"] = json!(8)),
        ("a solver \"Owen\"", &|json| json["pairs"]["solver"] = json!("Owen")),
    ];
    for (says, change) in changes {
        assert_refused(changed(&estimate(), change), says);
    }
}

#[test]
fn an_exact_answer_is_exact() {
    let exact = Surrogate::new(512).estimate(&game()).unwrap();
    assert_eq!(exact.stopped(), Stopped::Exact);
    assert!(serde_json::from_value::<Estimate<f64>>(changed(&exact, |_| {})).is_ok());
    let pairs = serde_json::to_value(estimate()).unwrap()["pairs"].clone();
    assert_refused(changed(&exact, |json| json["evaluations"] = json!(511)), "511 evaluations give no exact answer");
    assert_refused(changed(&exact, |json| json["std_errors"][0] = json!(0.5)), "a standard error that is not 0");
    assert_refused(changed(&exact, |json| json["pairs"]["asked"] = pairs["asked"].clone()), "has no pairs");
}

/// Pairs of half the players are each two halves: one of them, that with player 0, stands for both.
#[test]
fn a_pair_of_two_halves_is_one_pair() {
    let game = table(8, |mask| pseudo(5, mask));
    let estimate = Surrogate::new(100).seed(3).estimate(&game).unwrap();
    let half = changed(&estimate, |json| {
        let asked = json["pairs"]["asked"].as_array_mut().unwrap();
        let pair = asked.iter_mut().find(|pair| pair["members"].as_array().unwrap().len() == 4).unwrap();
        pair["members"] = json!([4, 5, 6, 7]);
    });
    assert_refused(half, "or the one with player 0");
}

#[test]
fn pairs_of_more_players_than_the_solver_takes_are_refused() {
    let estimate = KernelShap::new(100).estimate(&game()).unwrap();
    let many = changed(&estimate, |json| {
        json["values"] = json!(vec![0.0; 4001]);
        json["std_errors"] = json!(vec![0.0; 4001]);
        json["baseline"] = json["grand"].clone();
    });
    assert_refused(many, "pairs of 4001 players: at most 4000");
}

/// Everything that a run wrote is read: stopped anywhere, resumed again and again, of games that are self-dual,
/// nearly so, or not.
#[test]
fn what_runs_write_is_read() {
    use std::ops::ControlFlow;
    let vote = |quota: u32| {
        from_fn(10, move |s: &Coalition| {
            let votes: u32 = s.iter().map(|player| [1, 2, 3, 4, 4, 5, 6, 7, 8, 11][player]).sum();
            f64::from(u8::from(votes >= quota))
        })
    };
    let rough = from_fn(10, |s: &Coalition| pseudo(2, mask_of(s)));
    for seed in 0..10 {
        let stop = |at: u64| {
            move |progress: &shapley::Progress| match progress.evaluations >= at {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let solver = |budget| KernelShap::new(budget).seed(seed).batch(3).threads(1);
        for game in [&vote(26) as &dyn shapley::Game<Value = f64>, &vote(25), &vote(40), &rough] {
            let mut estimate = solver(700).observe(stop(40 + 17 * seed)).estimate(&game).unwrap();
            for more in [8, 9, 40, 11, 100, 4, 300, 1000] {
                let json = serde_json::to_value(&estimate).unwrap();
                assert_eq!(serde_json::from_value::<Estimate<f64>>(json).unwrap(), estimate, "{seed}, {more}");
                let budget = estimate.evaluations() + more;
                estimate = match seed % 2 {
                    0 => solver(budget).resume(&game, &estimate).unwrap(),
                    _ => solver(budget)
                        .observe(stop(budget - 5))
                        .resume(&game, &estimate)
                        .or_else(|error| match error {
                            Error::Stopped { .. } => Ok::<_, Error>(estimate),
                            error => Err(error),
                        })
                        .unwrap(),
                };
                assert!(estimate.evaluations() <= budget);
            }
        }
    }
}

/// Files that are read although no run wrote them: the budget is kept all the same.
#[test]
fn no_budget_is_passed_whatever_was_loaded() {
    let mut loaded = 0;
    for seed in 0..60 {
        let estimate = KernelShap::new(100).seed(seed).estimate(&game()).unwrap();
        let forged = changed(&estimate, |json| {
            let number = |purpose: u64| pseudo(seed, purpose).abs();
            // Some pairs go, and what is expected moves from size to size.
            let asked = json["pairs"]["asked"].as_array_mut().unwrap();
            let mut place = 0;
            asked.retain(|_| {
                place += 1;
                number(place) > 0.2
            });
            let count = asked.len() as f64;
            let parts: Vec<f64> = (0..4).map(|size| number(100 + size) + 0.01).collect();
            let sum: f64 = parts.iter().sum();
            let expected: Vec<f64> =
                parts.iter().zip([9.0, 36.0, 84.0, 126.0]).map(|(part, most)| (part * count / sum).min(most)).collect();
            json["pairs"]["expected"] = json!(expected);
        });
        let Ok(estimate) = serde_json::from_value::<Estimate<f64>>(forged) else { continue };
        loaded += 1;
        for more in [3, 4, 10, 100, 411, 412, 413, 414] {
            let asked = AtomicU64::new(0);
            let table = game();
            let game = from_fn(9, |s| {
                asked.fetch_add(1, Ordering::SeqCst);
                shapley::Game::value(&table, s)
            });
            let result = KernelShap::new(100 + more).seed(seed).resume(&game, &estimate).unwrap();
            let asked = asked.load(Ordering::SeqCst);
            assert!(asked <= more && result.evaluations() == 100 + asked, "{asked} of {more}");
        }
    }
    assert!(loaded > 10, "{loaded}");
}
