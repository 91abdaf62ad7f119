//! Semivalues and interactions from one sample.

use shapley::games::{Counted, Unanimity};
use shapley::{
    Coalition, Error, Exact, Game, Index, InteractionEstimate, KernelShap, Permutation, Semivalue, Stopped, Surrogate,
    Table, from_fn,
};

use crate::common::every_index::INDICES;

/// A curve of a sum, with a product of three players.
fn smooth(n: usize) -> impl Game<Value = f64> {
    from_fn(n, |s| {
        let sum: f64 = s.iter().map(|k| (k as f64 + 1.0).sqrt()).sum();
        (0.2 * sum - 1.5).tanh() + if [0, 2, 3].iter().all(|&k| s.contains(k)) { 0.3 } else { 0.0 }
    })
}

fn semivalues(n: usize) -> Vec<Semivalue> {
    let sizes: Vec<f64> = (0..n).map(|s| 2.0 * (n - s) as f64 / (n * (n + 1)) as f64).collect();
    vec![
        Semivalue::shapley(),
        Semivalue::banzhaf(),
        Semivalue::beta(16.0, 1.0).unwrap(),
        Semivalue::binomial(0.7).unwrap(),
        Semivalue::thinned(0.98).unwrap(),
        Semivalue::by_size_distribution(sizes).unwrap(),
    ]
}

/// The root mean square error over that of the values, and how many of them lie within four standard errors.
fn errors(estimate: &InteractionEstimate<f64>, exact: &shapley::Interactions<f64>) -> (f64, f64) {
    let (mut error, mut length, mut inside, mut count) = (0.0, 0.0, 0.0, 0.0);
    for (set, value) in exact.iter() {
        let players: Vec<usize> = set.iter().collect();
        let off = estimate.get(&players).unwrap() - value;
        error += off * off;
        length += value * value;
        inside += f64::from(u8::from(off.abs() <= 4.0 * estimate.std_error(&players).unwrap() + 1e-9));
        count += 1.0;
    }
    ((error / length).sqrt(), inside / count)
}

#[test]
fn everything_is_near_the_exact_answers() {
    let game = smooth(12);
    let exact = Exact::new().summary(&game, 2).unwrap();
    let counted = Counted::new(smooth(12));
    let summary = Surrogate::new(600).seed(3).summary(&counted, 2).unwrap();
    assert_eq!((summary.estimate().evaluations(), counted.evaluations(), summary.order()), (600, 600, 2));
    for semivalue in semivalues(12) {
        let (got, want) = (summary.values(&semivalue).unwrap(), exact.values(&semivalue).unwrap());
        for player in 0..12 {
            let off = (got.values()[player] - want[player]).abs();
            assert!(off < 0.01 && off <= 4.0 * got.std_errors()[player] + 1e-9, "{semivalue:?} {player}: {got}");
        }
        assert_eq!((got.evaluations(), got.stopped()), (600, Stopped::Evaluations));
    }
    for index in INDICES {
        let (error, inside) = errors(&summary.interactions(index).unwrap(), &exact.interactions(index).unwrap());
        assert!(error < 0.1 && inside > 0.95, "{index:?}: {error} {inside}");
    }
    assert_eq!(counted.evaluations(), 600, "all from the same evaluations");
}

/// The Shapley values of a summary are those of the estimate, and every other way to a result gives the same bits.
#[test]
fn all_ways_to_a_result_give_the_same_bits() {
    let game = smooth(11);
    let solver = Surrogate::new(300).seed(5);
    let summary = solver.summary(&game, 2).unwrap();
    let estimate = solver.estimate(&game).unwrap();
    assert_eq!(summary.estimate(), &estimate);
    assert_eq!(summary.values(&Semivalue::shapley()).unwrap(), estimate);
    let again = Surrogate::summary_of(&estimate, 2).unwrap();
    for index in INDICES {
        let want = summary.interactions(index).unwrap();
        assert_eq!(again.interactions(index).unwrap(), want);
        assert_eq!(solver.interactions(&game, index, 2).unwrap(), want);
    }
    for semivalue in semivalues(11) {
        let want = summary.values(&semivalue).unwrap();
        assert_eq!(solver.semivalue(&game, &semivalue).unwrap(), want);
        assert_eq!(again.values(&semivalue).unwrap(), want);
    }
    for (threads, batch) in [(1, 1), (3, 7)] {
        let other = solver.clone().threads(threads).batch(batch).interactions(&game, Index::Shapley, 2).unwrap();
        assert_eq!(other, summary.interactions(Index::Shapley).unwrap());
    }
    assert_ne!(
        solver.seed(6).interactions(&game, Index::Shapley, 2).unwrap(),
        summary.interactions(Index::Shapley).unwrap()
    );
}

#[test]
fn outputs_are_what_they_would_be_alone() {
    let (a, b) = (smooth(9), from_fn(9, |s| (s.len() * s.len()) as f64 + f64::from(u8::from(s.contains(2)))));
    let both = from_fn(9, |s| [a.value(s), b.value(s)]);
    let solver = Surrogate::new(150).seed(2);
    let pairs = solver.interactions(&both, Index::ShapleyTaylor, 2).unwrap();
    let alone = [
        solver.interactions(&a, Index::ShapleyTaylor, 2).unwrap(),
        solver.interactions(&b, Index::ShapleyTaylor, 2).unwrap(),
    ];
    for (set, value) in pairs.values().iter() {
        let players: Vec<usize> = set.iter().collect();
        for (output, alone) in alone.iter().enumerate() {
            assert_eq!(value[output].to_bits(), alone.get(&players).unwrap().to_bits());
            let error = pairs.std_error(&players).unwrap()[output];
            assert_eq!(error.to_bits(), alone.std_error(&players).unwrap().to_bits());
        }
    }
}

/// With 2^n evaluations all is exact, with errors of zero: from the start, and at the end of stages.
#[test]
fn what_is_exact_says_so() {
    for n in 1..=6 {
        let game = smooth(n);
        let order = n.min(2);
        let exact = Exact::new().summary(&game, order).unwrap();
        let counted = Counted::new(smooth(n));
        let whole = Surrogate::new(1 << n).summary(&counted, order).unwrap();
        assert_eq!(counted.evaluations(), 1 << n);
        let staged = Surrogate::new(1 << n).precision(1e-12).summary(&game, order).unwrap();
        for summary in [whole, staged] {
            assert_eq!(summary.estimate().stopped(), Stopped::Exact);
            for index in INDICES {
                let (got, want) = (summary.interactions(index).unwrap(), exact.interactions(index).unwrap());
                assert_eq!(got.stopped(), Stopped::Exact);
                for (set, value) in want.iter() {
                    let players: Vec<usize> = set.iter().collect();
                    assert!((got.get(&players).unwrap() - value).abs() < 1e-12);
                    assert_eq!(got.std_error(&players), Some(&0.0));
                }
            }
            for semivalue in semivalues(n) {
                let (got, want) = (summary.values(&semivalue).unwrap(), exact.values(&semivalue).unwrap());
                assert!((0..n).all(|k| (got.values()[k] - want[k]).abs() < 1e-12 && got.std_errors()[k] == 0.0));
            }
        }
    }
}

/// Where nothing is noise, values and interactions that have to sum to v(N) − v(∅) do.
#[test]
fn efficient_indices_sum_to_what_there_is_to_share() {
    let game = smooth(10);
    let summary = Surrogate::new(200).seed(1).summary(&game, 2).unwrap();
    for index in [Index::KShapley, Index::ShapleyTaylor, Index::FaithfulShapley] {
        let all = summary.interactions(index).unwrap();
        let sum: f64 = all.values().iter().map(|(_, value)| value).sum();
        let grand = *summary.estimate().attribution().grand();
        assert!((sum - grand).abs() < 1e-12, "{index:?}: {sum} {grand}");
        assert!((all.get(&[]).unwrap() - summary.estimate().attribution().baseline()).abs() < 1e-9);
    }
}

/// Möbius coefficients of at most two players are known exactly once all small coalitions were asked for.
#[test]
fn what_was_asked_for_is_known() {
    let game = smooth(8);
    let exact = shapley::interactions(&game, Index::Moebius, 2).unwrap();
    let estimate = Surrogate::new(200).interactions(&game, Index::Moebius, 2).unwrap();
    for (set, value) in exact.iter() {
        let players: Vec<usize> = set.iter().collect();
        let off = (estimate.get(&players).unwrap() - value).abs();
        assert!(off < 1e-9 && *estimate.std_error(&players).unwrap() < 1e-9, "{set}: {off}");
    }
}

/// Games of single players and pairs are exact once there are a pair of coalitions for each pair of players and one
/// more: all values and interactions, up to rounding.
/// Coalitions of one player are all asked for. What they add is known, however many players there are, also where
/// models know only some of the pairs: from 4002 evaluations on.
#[test]
fn what_was_asked_for_is_known_beside_models_of_fewer_pairs() {
    // Neither few values nor order two: halves of pairs that models and regressions see wrongly.
    let floors =
        |n| from_fn(n, |s| s.iter().map(|k| ((k * k) as f64 * 0.37).sin()).sum::<f64>().floor() + s.len() as f64);
    let curve =
        |n| from_fn(n, move |s| 1.0 / (1.0 + (-s.iter().map(|k| (k as f64 - 4.0) / n as f64).sum::<f64>()).exp()));
    fn check(game: &impl Game<Value = f64>, evaluations: u64) {
        let n = game.num_players();
        let summary = Surrogate::new(evaluations).seed(1).summary(game, 2).unwrap();
        let taylor = summary.interactions(Index::ShapleyTaylor).unwrap();
        for player in 0..n {
            let alone = game.value(&Coalition::from_players(n, [player])) - game.value(&Coalition::empty(n));
            let off = taylor.get(&[player]).unwrap() - alone;
            assert!(off.abs() < 1e-6, "{player} of {n}: {off}");
        }
    }
    check(&floors(13), 5000);
    check(&curve(16), 500);
    check(&curve(32), 4400);
}

#[test]
fn games_of_order_two_are_exact() {
    for n in [6, 11, 14] {
        let weight = |i: usize, j: usize| ((7 * i + 3 * j) % 11) as f64 / 5.0 - 1.0;
        let game = from_fn(n, |s| {
            let alone: f64 = s.iter().map(|i| weight(i, i)).sum();
            alone + s.iter().flat_map(|i| s.iter().filter(move |&j| j > i).map(move |j| weight(i, j))).sum::<f64>()
        });
        let exact = Exact::new().summary(&game, 2).unwrap();
        for seed in 0..3 {
            let evaluations = ((n * n - n + 4) as u64).min((1 << n) - 2);
            let summary = Surrogate::new(evaluations).seed(seed).summary(&game, 2).unwrap();
            for index in INDICES {
                let (got, want) = (summary.interactions(index).unwrap(), exact.interactions(index).unwrap());
                for (set, value) in want.iter() {
                    let players: Vec<usize> = set.iter().collect();
                    let off = (got.get(&players).unwrap() - value).abs();
                    assert!(off < 1e-9, "{n} players, {index:?} {set}: {off}");
                }
            }
            for semivalue in semivalues(n) {
                let (got, want) = (summary.values(&semivalue).unwrap(), exact.values(&semivalue).unwrap());
                assert!((0..n).all(|k| (got.values()[k] - want[k]).abs() < 1e-9), "{n} players, {semivalue:?}");
            }
        }
    }
}

/// Pairs of coalitions may be as many as coefficients and not tell them all.
#[test]
fn what_pairs_do_not_tell_is_in_doubt() {
    for n in 5..=8 {
        let game = from_fn(n, |s| if s.contains(0) && s.contains(1) { 1.5 } else { 0.0 });
        for more in [0, 2] {
            for seed in 0..12 {
                let evaluations = ((n * n - n + 4) as u64 + more).min((1 << n) - 2);
                let pairs = Surrogate::new(evaluations).seed(seed).interactions(&game, Index::Shapley, 2).unwrap();
                for (set, value) in pairs.values().iter().filter(|(set, _)| set.len() == 2) {
                    let players: Vec<usize> = set.iter().collect();
                    let want: f64 = if players == [0, 1] { 1.5 } else { 0.0 };
                    let off = (value - want).abs();
                    let error = *pairs.std_error(&players).unwrap();
                    assert!(off <= 6.0 * error + 1e-9, "{n} players, {evaluations}, seed {seed}, {set}: {off} {error}");
                }
            }
        }
    }
}

/// Standard errors do not depend on the unit: an even half that is zero but for rounding is zero. And what was inferred
/// is in doubt for functions of both halves.
#[test]
fn rounding_and_inferred_halves_leave_doubt() {
    let weights = [13.0, 42.0, 7.0, 55.0, 21.0, 34.0, 3.0, 60.0];
    let errors = |unit: f64| {
        let game = from_fn(8, |s| {
            let alone: f64 = s.iter().map(|k| weights[k] * unit).sum();
            alone + if s.iter().eq([1, 3, 4]) { 8.0 * unit } else { 0.0 }
        });
        let summary = Surrogate::new(80).seed(2).summary(&game, 2).unwrap();
        let pair = *summary.interactions(Index::Shapley).unwrap().std_error(&[1, 3]).unwrap();
        [pair / unit, summary.values(&Semivalue::binomial(0.3).unwrap()).unwrap().std_errors()[1] / unit]
    };
    for (tenth, whole) in errors(0.1).into_iter().zip(errors(1.0)) {
        assert!((tenth / whole - 1.0).abs() < 1e-6 && whole > 0.1, "{tenth} {whole}");
    }
    let sign = |s: &shapley::Coalition, k: usize| -> f64 { if s.contains(k) { 1.0 } else { -1.0 } };
    let game = from_fn(10, |s| {
        0.37 * sign(s, 0) * sign(s, 1) * sign(s, 2) + 0.83 * sign(s, 1) - 0.67 * sign(s, 0) * sign(s, 9)
    });
    let mut ends = vec![0.0; 10];
    (ends[0], ends[9]) = (0.5, 0.5);
    let ends = Semivalue::by_size_distribution(ends).unwrap();
    let exact = Exact::new().semivalue(&game, &ends).unwrap();
    for seed in 0..20 {
        let estimate = Surrogate::new(32).seed(seed).semivalue(&game, &ends).unwrap();
        for player in 0..10 {
            let off = (estimate.values()[player] - exact[player]).abs();
            assert!(off <= 8.0 * estimate.std_errors()[player] + 1e-9, "seed {seed}, {player}: {off} {estimate}");
        }
    }
}

#[test]
fn many_players_have_pairs() {
    let terms =
        (0..40).map(|k| ((0..1 + k % 3).map(|i| (7 * k + 5 * i) % 70).collect::<Vec<_>>(), 1.0 + k as f64 / 40.0));
    let game = Unanimity::new(70, terms).unwrap();
    let exact = game.interactions(Index::Shapley, 2).unwrap();
    let estimate = Surrogate::new(3000).seed(2).interactions(&game, Index::Shapley, 2).unwrap();
    let strongest: Vec<_> = exact.strongest(5).into_iter().map(|(set, _)| set).collect();
    let found: Vec<_> = estimate.values().strongest(10).into_iter().map(|(set, _)| set).collect();
    assert!(strongest.iter().filter(|set| found.contains(set)).count() >= 4, "{strongest:?} {found:?}");
}

#[test]
fn refusals_name_what_is_wrong() {
    let game = from_fn(8, |_| -> f64 { panic!("asked") });
    for order in [0, 3, 9] {
        let error = Surrogate::new(100).interactions(&game, Index::Shapley, order).unwrap_err();
        assert!(matches!(error, Error::Order { players: 8, limit: 2, .. }), "{error}");
    }
    let one = from_fn(1, |_| -> f64 { panic!("asked") });
    assert!(matches!(Surrogate::new(10).summary(&one, 2), Err(Error::Order { limit: 1, .. })));
    let large = from_fn(600, |_| -> f64 { panic!("asked") });
    assert!(matches!(Surrogate::new(5000).summary(&large, 2), Err(Error::Order { limit: 1, .. })));
    let three = Semivalue::by_size_distribution(vec![0.5, 0.25, 0.25]).unwrap();
    let error = Surrogate::new(100).semivalue(&game, &three).unwrap_err();
    assert!(matches!(error, Error::WeightLength { len: 3, players: 8 }), "{error}");

    let known = Table::new((0..256_i32).map(|mask| f64::from(mask.count_ones())).collect()).unwrap();
    let exact = Surrogate::new(256).estimate(&known).unwrap();
    let walks = Permutation::new(100).estimate(&known).unwrap();
    for estimate in [exact, walks] {
        let error = Surrogate::summary_of(&estimate, 2).unwrap_err();
        assert!(matches!(error, Error::Mismatch { .. }), "{error}");
    }
    // Another semivalue is no estimate that Shapley values could go on from.
    let banzhaf = Surrogate::new(100).semivalue(&known, &Semivalue::banzhaf()).unwrap();
    assert!(matches!(Surrogate::new(200).resume(&known, &banzhaf), Err(Error::Mismatch { .. })));
}

/// Estimates of least squares, and those that went on, have summaries without another evaluation.
#[test]
fn estimates_that_are_there_have_summaries() {
    let game = Counted::new(smooth(10));
    let least_squares = KernelShap::new(200).seed(4).estimate(&game).unwrap();
    let first = Surrogate::new(100).seed(4).estimate(&game).unwrap();
    let second = Surrogate::new(300).seed(4).resume(&game, &first).unwrap();
    let made = game.evaluations();
    let exact = shapley::interactions(&smooth(10), Index::Shapley, 2).unwrap();
    for estimate in [least_squares, second] {
        let summary = Surrogate::summary_of(&estimate, 2).unwrap();
        let (error, inside) = errors(&summary.interactions(Index::Shapley).unwrap(), &exact);
        assert!(error < 0.2 && inside > 0.9, "{error} {inside}");
        let values = summary.values(&Semivalue::shapley()).unwrap();
        let sum: f64 = values.values().iter().sum();
        assert!((sum - (values.attribution().grand() - values.attribution().baseline())).abs() < 1e-9);
    }
    assert_eq!(game.evaluations(), made);
}

#[test]
fn tables_show_errors() {
    let pairs = Surrogate::new(60).interactions(&smooth(7), Index::Shapley, 2).unwrap();
    let text = format!("{pairs:#}");
    for part in ["players", "± std. error", "95% interval", "index", "Shapley", "evaluations", "60"] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    assert_eq!(pairs.to_string().lines().count(), 1 + 7 + 21);
    assert!(pairs.named(&["Ann", "Bob"]).to_string().contains("{Ann, Bob}"));
}

/// A vote whose values are all the same on what was asked for, and a game that has one value.
#[test]
fn games_of_one_value_have_no_interactions() {
    let flat = from_fn(8, |_| 2.0);
    let summary = Surrogate::new(60).summary(&flat, 2).unwrap();
    let pairs = summary.interactions(Index::Banzhaf).unwrap();
    assert_eq!((pairs.get(&[0, 3]), pairs.get(&[])), (Some(&0.0), Some(&2.0)));
    assert_eq!(summary.values(&Semivalue::banzhaf()).unwrap().values(), [0.0; 8]);
    // A self-dual vote has no interactions of two players, and half of it was inferred.
    let vote = from_fn(9, |s| f64::from(u8::from(2 * s.len() > 9)));
    let pairs = Surrogate::new(100).interactions(&vote, Index::Shapley, 2).unwrap();
    let exact = shapley::interactions(&vote, Index::Shapley, 2).unwrap();
    for (set, value) in exact.iter().filter(|(set, _)| set.len() == 2) {
        let players: Vec<usize> = set.iter().collect();
        let off = (pairs.get(&players).unwrap() - value).abs();
        assert!(off <= 2.0 * pairs.std_error(&players).unwrap(), "{set}: {off}");
        assert!(*pairs.std_error(&players).unwrap() > 0.0, "not all was asked for");
    }
}

#[cfg(feature = "serde")]
#[test]
fn estimates_of_semivalues_are_saved_and_loaded() {
    let game = smooth(8);
    let solver = Surrogate::new(60);
    for estimate in [
        solver.semivalue(&game, &Semivalue::banzhaf()).unwrap(),
        Surrogate::new(256).semivalue(&game, &Semivalue::banzhaf()).unwrap(),
        solver.semivalue(&game, &Semivalue::thinned(0.5).unwrap()).unwrap(),
    ] {
        let text = serde_json::to_string(&estimate).unwrap();
        let loaded: shapley::Estimate<f64> = serde_json::from_str(&text).unwrap();
        assert_eq!(loaded, estimate);
    }
    let first = solver.estimate(&game).unwrap();
    let loaded: shapley::Estimate<f64> = serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap();
    let [a, b] = [&first, &loaded].map(|estimate| Surrogate::summary_of(estimate, 2).unwrap());
    assert_eq!(a.interactions(Index::Shapley).unwrap(), b.interactions(Index::Shapley).unwrap());

    let known = Surrogate::new(256).interactions(&game, Index::Shapley, 2).unwrap();
    let many = Unanimity::new(70, [(vec![0, 1], 1.0), (vec![5], 2.0)]).unwrap();
    let large = Surrogate::new(300).interactions(&many, Index::Shapley, 2).unwrap();
    for estimate in [a.interactions(Index::FaithfulBanzhaf).unwrap(), known, large] {
        let text = serde_json::to_string(&estimate).unwrap();
        assert_eq!(serde_json::from_str::<InteractionEstimate<f64>>(&text).unwrap(), estimate);
        for (from, to) in
            [("\"evaluations\":", "\"evaluations\":0,\"x\":"), ("\"std_errors\":[", "\"std_errors\":[-1.0,")]
        {
            assert!(serde_json::from_str::<InteractionEstimate<f64>>(&text.replace(from, to)).is_err(), "{to}");
        }
    }
}
