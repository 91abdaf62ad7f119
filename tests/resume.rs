//! The example of a game that goes on where it was, killed at random moments.
//!
//! A program of its own: it counts the kills that come while the example is at work, and another test beside it would
//! slow the example down.
#![cfg(all(feature = "disk", unix))]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const KILLS: usize = 50;

/// The example, compiled with this test's profile beside it.
fn example() -> PathBuf {
    let this = std::env::current_exe().expect("a test knows where it is");
    let profile = this.ancestors().nth(2).expect("target/profile/deps/test");
    let target = profile.parent().expect("target/profile");
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--quiet", "--example", "resume", "--all-features"]);
    if profile.ends_with("release") {
        build.arg("--release");
    }
    let built = build.arg("--target-dir").arg(target).status().expect("cargo runs");
    assert!(built.success(), "the example compiles");
    profile.join("examples/resume")
}

fn start(example: &Path, store: &Path, trace: &Path) -> Child {
    let mut command = Command::new(example);
    command.arg(store).arg("--trace").arg(trace).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().expect("the example starts")
}

/// Runs to the end, and returns what it printed of the players: values, and their bits.
fn finish(child: Child) -> String {
    let output = child.wait_with_output().expect("the example ends");
    assert!(output.status.success(), "the example succeeds after any number of kills: {output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().filter(|line| line.starts_with("player")).map(|line| format!("{line}\n")).collect()
}

/// Moments that look random, the same each time: milliseconds.
fn moments() -> impl Iterator<Item = u64> {
    let mut state = 1_u64;
    std::iter::from_fn(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Some so early that the store is just being made, most while values come in.
        Some(if (state >> 33).is_multiple_of(5) { (state >> 40) % 8 } else { (state >> 40) % 100 })
    })
}

/// What the log says was evaluated, and checks that nothing safe was evaluated again. Its last line may be cut short.
fn evaluated(log: &str) -> Vec<u64> {
    let mut safe = HashSet::new();
    let mut evaluated = Vec::new();
    for line in log.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let (what, masks) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        let masks = masks.split_whitespace().map(|mask| mask.parse::<u64>().expect("a mask"));
        match what {
            "safe" => safe.extend(masks),
            "evaluated" => evaluated.extend(masks),
            other => panic!("the log says {other:?}"),
        }
        if what == "evaluated" {
            let mask = evaluated.last().expect("one mask a line");
            assert!(!safe.contains(mask), "coalition {mask} was safe, and is evaluated again");
        }
    }
    evaluated
}

#[test]
fn fifty_kills_lose_nothing_that_was_safe_and_change_no_bit() {
    let example = example();
    let directory = tempfile::tempdir().expect("a directory for the test");
    let file = |name: &str| directory.path().join(name);

    let undisturbed = finish(start(&example, &file("undisturbed"), &file("undisturbed.log")));
    assert_eq!(undisturbed.lines().count(), 12);
    let log = fs::read_to_string(file("undisturbed.log")).expect("a log");
    assert_eq!(evaluated(&log).len(), 4096, "each coalition once");

    // Killed until it is done; then another store, until there were enough kills.
    let (mut kills, mut at_work, mut stores, mut total) = (0, 0, 0, 0);
    let mut moments = moments();
    while kills < KILLS {
        stores += 1;
        let (store, trace) = (file(&format!("killed-{stores}")), file(&format!("killed-{stores}.log")));
        let mut before = 0;
        while kills < KILLS {
            let mut child = start(&example, &store, &trace);
            std::thread::sleep(Duration::from_millis(moments.next().expect("there is always another")));
            if child.try_wait().expect("it can be asked").is_some() {
                break;
            }
            child.kill().expect("SIGKILL");
            child.wait().expect("it is dead");
            kills += 1;
            // A line that was cut by the kill is taken away, so that the next run's first is whole.
            let log = fs::read_to_string(&trace).unwrap_or_default();
            let log = &log[..log.rfind('\n').map_or(0, |end| end + 1)];
            fs::write(&trace, log).expect("the log can be written");
            let after = evaluated(log).len();
            at_work += usize::from(after > before);
            before = after;
        }
        assert_eq!(finish(start(&example, &store, &trace)), undisturbed, "bit for bit");
        let evaluated = evaluated(&fs::read_to_string(&trace).expect("a log"));
        assert_eq!(evaluated.iter().collect::<HashSet<_>>().len(), 4096);
        total += evaluated.len();
    }
    assert!(at_work > KILLS / 2, "most kills come while there is something to lose, {at_work} of {KILLS}");
    println!("{kills} kills, {at_work} at work: {total} evaluations for {stores} times 4096 coalitions");
}
