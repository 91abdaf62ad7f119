//! Every way to get no result: each error can be reached, names what is wrong, and is the same on any number of
//! threads. Batches that go wrong are in `batches.rs`, and how a run ends early in `stopping.rs`.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::common::failing::Failure;
use crate::common::masks::mask_of;
use crate::common::said::said;
use shapley::{Coalition, Error, Exact, Game, Table, TryGame, exact, from_fn, try_from_fn};

const THREADS: [usize; 3] = [1, 2, 4];

/// As many players as give many batches: 2^14 coalitions in batches of 512 at the most.
const MANY: usize = 14;

fn coalition(players: usize, mask: u64) -> Coalition {
    Coalition::from_players(players, (0..players).filter(|player| mask >> player & 1 == 1))
}

fn panicking(players: usize) -> impl Game<Value = f64> {
    from_fn(players, |s| -> f64 { panic!("{s} was asked for before the size was looked at") })
}

#[test]
fn no_players() {
    assert!(matches!(exact(&panicking(0)), Err(Error::NoPlayers {})));
    assert!(matches!(Table::tabulate(&panicking(0)), Err(Error::NoPlayers {})));
    let text = said(exact(&panicking(0)));
    assert!(text.contains("no players") && text.contains("v({})"), "{text}");
    // Nobody is too few, whatever the limit.
    assert!(matches!(Exact::new().max_players(0).solve(&panicking(0)), Err(Error::NoPlayers {})));
}

#[test]
fn too_many_players_are_refused_before_the_first_evaluation() {
    for (players, limit, says) in [
        (31, None, "31 players are over the limit of 30: an exact answer takes 2^31 = 2147483648 evaluations"),
        (5, Some(4), "5 players are over the limit of 4: an exact answer takes 2^5 = 32 evaluations"),
        (1, Some(0), "1 players are over the limit of 0: an exact answer takes 2^1 = 2 evaluations"),
        // 62 is as far as the limit goes.
        (63, Some(1000), "63 players are over the limit of 62: an exact answer takes 2^63 = 9223372036854775808"),
        (64, None, "64 players are over the limit of 30: an exact answer takes 2^64 evaluations"),
        (1000, None, "1000 players are over the limit of 30: an exact answer takes 2^1000 evaluations"),
    ] {
        let solver = limit.map_or(Exact::new(), |limit| Exact::new().max_players(limit));
        match solver.solve(&panicking(players)) {
            Err(Error::TooManyPlayers { players: named, limit: over }) => {
                assert_eq!((named, over), (players, limit.unwrap_or(30).min(62)));
            }
            other => panic!("{other:?}"),
        }
        let text = said(solver.solve(&panicking(players)));
        assert!(text.contains(says), "{text}");
        assert!(text.contains(&players.to_string()), "{text}");
        // What can be done instead.
        assert!(text.contains("`Permutation`") && text.contains("`Surrogate`"), "{text}");
    }
    assert!(matches!(Table::tabulate(&panicking(31)), Err(Error::TooManyPlayers { players: 31, limit: 30 })));
}

#[test]
fn the_limit_itself_is_allowed() {
    for limit in [1, 4, 31] {
        let phi = Exact::new().max_players(limit).solve(&from_fn(limit.min(4), |s| s.len() as f64)).unwrap();
        assert_eq!(phi.len(), limit.min(4));
    }
}

fn assert_not_finite<G: TryGame<Value: fmt::Debug> + ?Sized>(game: &G, mask: u64) {
    let bad = coalition(game.num_players(), mask);
    for threads in THREADS {
        let solver = Exact::new().threads(threads);
        match solver.solve(game) {
            Err(Error::NotFinite { coalition }) => assert_eq!(coalition, bad, "{threads} threads"),
            other => panic!("{other:?} for {bad:?} on {threads} threads"),
        }
        assert_eq!(said(solver.solve(game)), format!("the value of coalition {bad} is not finite"));
    }
    assert!(matches!(Table::tabulate(game), Err(Error::NotFinite { coalition }) if coalition == bad));
}

#[test]
fn values_that_are_not_finite() {
    for n in [1, 3, 9, MANY] {
        let grand = (1 << n) - 1;
        for bad in [0, 1, grand / 2, grand / 2 + 1, grand / 3, grand - 1, grand] {
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let game = from_fn(n, |s| if mask_of(s) == bad { value } else { s.len() as f64 });
                assert_not_finite(&game, bad);
            }
        }
    }
}

#[test]
fn a_table_with_a_value_that_is_not_finite() {
    // A table takes any value: the solver says which is bad. 15 players are read on several threads.
    for n in [3, 15] {
        let mut values = vec![1.0; 1 << n];
        values[5] = f64::NAN;
        assert_not_finite(&Table::new(values).unwrap(), 5);
    }
}

#[test]
fn an_output_that_is_not_finite() {
    for bad in [0, 6, 7] {
        for output in 0..2 {
            let game = from_fn(3, |s| {
                let mut value = [1.0, 2.0];
                if mask_of(s) == bad {
                    value[output] = f64::NAN;
                }
                value
            });
            assert_not_finite(&game, bad);
        }
    }
    assert_not_finite(&from_fn(3, |s| if s.is_grand() { f32::INFINITY } else { 0.0 }), 7);
}

#[test]
fn infinities_that_would_cancel() {
    for (low, high) in [(f64::INFINITY, f64::NEG_INFINITY), (f64::NEG_INFINITY, f64::INFINITY), (f64::NAN, 1.0)] {
        // The same size (1 and 2), different sizes (3 and 4), and different blocks: the lower mask is named.
        for (first, second) in [(1, 2), (3, 4), (1000, 9000)] {
            let value = |mask| match mask {
                mask if mask == first => low,
                mask if mask == second => high,
                _ => 0.0,
            };
            assert_not_finite(&from_fn(MANY, |s| value(mask_of(s))), first);
        }
    }
    assert_not_finite(&from_fn(MANY, |s| if s.len() % 2 == 0 { f64::INFINITY } else { f64::NEG_INFINITY }), 0);
}

#[test]
fn sums_that_overflow() {
    // A difference of two finite values that is not finite: the first of the players that have it is named.
    let game = from_fn(2, |s| if s.contains(1) { f64::MAX } else { -f64::MAX });
    for threads in THREADS {
        match Exact::new().threads(threads).solve(&game) {
            Err(Error::Overflow { coalition }) => assert_eq!(coalition, Coalition::from_players(2, [1])),
            other => panic!("{other:?}"),
        }
    }
    let text = said(exact(&game));
    assert!(text.contains("the result for {1}") && text.contains("range"), "{text}");
    // The same game in units that leave room for a sum.
    let phi = exact(&from_fn(2, |s| if s.contains(1) { 0.5_f64 } else { -0.5 })).unwrap();
    assert!((phi[1] - 1.0).abs() < f64::EPSILON && phi[0].abs() < f64::EPSILON);
    // An f64 far below its own limits can be over those of an f32.
    let small = from_fn(2, |s| if s.contains(1) { f32::MAX } else { -f32::MAX });
    assert!(matches!(exact(&small), Err(Error::Overflow { .. })));
    let pair = from_fn(2, |s| [0.0, if s.contains(1) { f64::MAX } else { -f64::MAX }]);
    assert!(matches!(exact(&pair), Err(Error::Overflow { .. })));
}

#[test]
fn finite_values_that_overflow_are_not_called_infinite() {
    // The sums over a block are infinite already here, though no value is.
    let game = from_fn(MANY, |_| f64::MAX);
    assert!(matches!(exact(&game), Err(Error::Overflow { .. })));
    assert!(Table::tabulate(&game).is_ok(), "a table sums nothing");
}

#[test]
fn a_failing_game() {
    for bad in [0, 1, 100, 8191, 8192, (1 << MANY) - 1] {
        let game = try_from_fn(MANY, |s| if mask_of(s) == bad { Err(Failure(bad)) } else { Ok(s.len() as f64) });
        for threads in THREADS {
            for batch in [0, 1, 64] {
                let error = Exact::new().threads(threads).batch(batch).solve(&game).unwrap_err();
                let at = coalition(MANY, bad);
                assert_eq!(error.to_string(), format!("the game failed at coalition {at}"));
                let source = error.source().and_then(|source| source.downcast_ref::<Failure>());
                assert_eq!(source, Some(&Failure(bad)));
                assert!(
                    matches!(error, Error::Game { coalition, source: Failure(mask) } if coalition == at && mask == bad)
                );
            }
        }
        assert!(matches!(Table::tabulate(&game), Err(Error::Game { source, .. }) if source == Failure(bad)));
    }
}

#[test]
fn of_several_failures_the_first_is_reported() {
    // Later ones fail at once and the first takes its time, so that others would be reported if it went by the clock.
    let game = try_from_fn(MANY, |s| match mask_of(s) {
        700 => {
            std::thread::sleep(Duration::from_millis(20));
            Err(Failure(700))
        }
        mask if mask > 700 && mask % 5 == 0 => Err(Failure(mask)),
        _ => Ok(s.len() as f64),
    });
    for threads in THREADS {
        for batch in [0, 1, 64, 4096] {
            match Exact::new().threads(threads).batch(batch).solve(&game) {
                Err(Error::Game { coalition, source }) => {
                    assert_eq!((mask_of(&coalition), source), (700, Failure(700)), "{threads} threads, {batch}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn of_failures_of_different_kinds_the_first_is_reported() {
    // How large a batch is by default depends on the number of threads, so these can be in one batch or in two.
    for (not_finite, fails) in [(1, 200), (1, 90), (100, 8000), (200, 1), (90, 1), (8000, 100)] {
        let game = try_from_fn(MANY, |s| match mask_of(s) {
            mask if mask == not_finite => Ok(f64::NAN),
            mask if mask == fails => Err(Failure(fails)),
            _ => Ok(0.0),
        });
        for threads in THREADS {
            let first = match Exact::new().threads(threads).solve(&game) {
                Err(Error::NotFinite { coalition } | Error::Game { coalition, .. }) => mask_of(&coalition),
                other => panic!("{other:?}"),
            };
            assert_eq!(first, not_finite.min(fails), "{threads} threads: NaN at {not_finite}, failure at {fails}");
        }
    }
}

#[test]
fn only_a_games_error_has_a_source() {
    for error in [exact(&panicking(0)).unwrap_err(), exact(&from_fn(1, |_| f64::NAN)).unwrap_err()] {
        assert!(error.source().is_none(), "{error}");
    }
}

#[test]
fn tables_of_the_wrong_length() {
    for wrong in [0, 1, 3, 6, 1023] {
        let result = Table::new(vec![0.0; wrong]);
        assert!(matches!(result, Err(Error::TableLength { len }) if len == wrong));
        let text = said(Table::new(vec![0.0; wrong]));
        assert_eq!(
            text,
            format!("a table of {wrong} values is not a game: the length must be a power of two, at least 2")
        );
    }
    for right in [2, 4, 1024] {
        assert!(Table::new(vec![0.0; right]).is_ok());
    }
}

#[test]
fn refused_threads_are_named() {
    let error: Error = Error::Threads { threads: 64 };
    assert_eq!(error.to_string(), "could not start 64 threads");
}

/// A partial result of another type may come from a file that anybody wrote.
#[test]
fn what_differs_tells_a_terminal_nothing() {
    for (text, shown) in [
        ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
        ("f64\u{2066}\u{202e}", "f64\\u{2066}\\u{202e}"),
        ("two\nlines", "two↵lines"),
        ("", "(empty)"),
        ("[f64; 3]", "[f64; 3]"),
    ] {
        let [ours, theirs] = ["f64", text].map(String::from);
        let error: Error = Error::Mismatch { what: "the type of values", ours, theirs };
        assert_eq!(error.to_string(), format!("the type of values differs: f64 here, {shown} in the other"));
        assert!(matches!(&error, Error::Mismatch { theirs, .. } if theirs == text), "the value is kept as it is");
    }
}

/// Threads that the system refuses: a test in a process of its own, that has room for a few stacks or for none.
#[cfg(all(feature = "parallel", target_os = "linux"))]
mod refused {
    use super::*;

    /// Set in the child.
    const CHILD: &str = "SHAPLEY_TEST_WITH_FEW_THREADS";

    fn is_child() -> bool {
        std::env::var_os(CHILD).is_some()
    }

    /// Runs a test of this file with 2 GiB of addresses, and threads that want `stack` bytes each.
    fn run_child(test: &str, stack: u64) {
        let output = std::process::Command::new("sh")
            .args(["-c", "ulimit -v 2097152 && exec \"$0\" --exact \"$1\" --test-threads=1"])
            .arg(std::env::current_exe().unwrap())
            .arg(test)
            .env("RUST_MIN_STACK", stack.to_string())
            .env("RAYON_NUM_THREADS", "1")
            .env(CHILD, "yes")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }

    #[test]
    fn too_many_threads() {
        if !is_child() {
            // Room for the one thread of rayon's own pool, and not for 64.
            return run_child("errors::refused::too_many_threads", 1 << 28);
        }
        let result = Exact::new().threads(64).solve(&from_fn(MANY, |s| s.len() as f64));
        assert!(matches!(result, Err(Error::Threads { threads: 64 })), "{result:?}");
    }

    #[test]
    fn any_thread() {
        if !is_child() {
            return run_child("errors::refused::any_thread", 1 << 32);
        }
        let game = from_fn(MANY, |s| s.len() as f64);
        assert!(Exact::new().threads(1).solve(&game).is_ok(), "one thread is there already");
        let result = Exact::new().threads(2).solve(&game);
        assert!(matches!(result, Err(Error::Threads { .. })), "{result:?}");
    }
}
