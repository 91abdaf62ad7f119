//! What goes wrong on one rank is the same error on all of them, soon, and never a hang.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::games::{noise, of_attribution};
use crate::job::{Job, run};

fn fine_after_all() -> String {
    of_attribution(&shapley::exact(&noise(8)).expect("values"))
}

pub(crate) fn an_error_on_one_rank() {
    for (ranks, rank) in [(1, 0), (3, 0), (3, 2)] {
        let ended = run(ranks, &["error", &rank.to_string()]);
        let said = ended.alike(ranks);
        for line in &said[..3] {
            let (size, text) = line.split_once(' ').expect("a size");
            assert!((2..14).contains(&size.parse::<usize>().expect("a size")));
            let expected =
                format!("the solver failed on rank {rank}: the game failed at coalition S: no connection for 7");
            assert_eq!(text, expected);
        }
        assert_eq!(said[3], fine_after_all());
        assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
    }
}

pub(crate) fn a_panic_on_one_rank() {
    for (ranks, rank) in [(1, 0), (3, 0), (3, 2)] {
        let ended = run(ranks, &["panic", &rank.to_string()]);
        let said = ended.alike(ranks);
        let expected = format!("the game panicked on rank {rank}: no such model");
        assert!(said[..3].iter().all(|line| *line == expected), "{said:#?}");
        assert_eq!(said[3], "the game panicked on rank 0: 2 eyes");
        assert_eq!(said[4], fine_after_all());
        assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
    }
}

/// The others wait for a rank that is gone: its end is that of all.
pub(crate) fn a_panic_outside_of_the_solvers() {
    let ended = Job::start(3, &["panic-outside"]).end(Duration::from_secs(10));
    assert_eq!(ended.code, Some(101));
    assert!(ended.said.values().all(Vec::is_empty));
}

pub(crate) fn the_first_of_several_failures() {
    for ranks in [1, 3] {
        let ended = run(ranks, &["several"]);
        // Each rank asks for v(N), and rank 0's is the first unit.
        assert_eq!(
            ended.alike(ranks),
            [
                "the solver failed on rank 0: the game failed at coalition {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}: no \
                 connection for 0",
                "the solver failed on rank 0: the value of coalition {} is not finite",
                "the solver failed on rank 0: the result for {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11} exceeds the range of the \
                 value type: use a wider type, or smaller values",
            ]
        );
    }
}

pub(crate) fn different_settings() {
    let ended = run(3, &["settings"]);
    assert_eq!(
        ended.alike(3),
        [
            "the seed differs: 7 on rank 0, 8 on rank 1",
            "the budget differs: 1000 on rank 0, 999 on rank 1",
            "the order differs: 1 on rank 0, 2 on rank 1",
            "the fingerprint differs: \"mine\" on rank 0, \"yours\" on rank 1",
            "the call differs: exact on rank 0, permutation on rank 1",
            "the seed differs: 0 on rank 0, 1 on rank 1",
            "the budget differs: 1000 on rank 0, 3 on rank 1",
        ]
    );
}

pub(crate) fn different_games() {
    let ended = run(3, &["games"]);
    let said = ended.alike(3);
    assert_eq!(said[0], "the number of players differs: 6 on rank 0, 7 on rank 1");
    for (lines, (what, value)) in said[1..].chunks(3).zip([("v(empty)", 0.5_f64), ("v(N)", 11.5)]) {
        let other = f64::from_bits(value.to_bits() + 1);
        assert!(
            lines.iter().all(|line| *line == format!("{what} differs: {value} on rank 0, {other} on rank 1")),
            "{lines:?}"
        );
    }
}

pub(crate) fn settings_that_make_no_sense() {
    for ranks in [1, 2] {
        let ended = run(ranks, &["senseless"]);
        let said: Vec<&str> =
            ended.alike(ranks).iter().map(|line| line.trim_start_matches("the solver failed on rank 0: ")).collect();
        assert_eq!(
            said,
            [
                "the game has no players: its 1 evaluation, v({}), has nobody to be attributed to",
                "6 players are over the limit of 5: an exact answer takes 2^6 = 64 evaluations. `Permutation`, or `Surrogate` \
                 with the feature `surrogate`, estimates Shapley values from fewer",
                "interactions of order 7 are out of reach for 6 players: the order must be from 1 to 6",
                "10 evaluation(s) are not enough for an estimate: it takes at least 12",
                "the truncation of a part cannot be 0.1: it must be left out, since its samples must not depend on others",
                "precision cannot be -1: it must be positive and finite",
                "5 evaluation(s) are not enough for an estimate: it takes at least 14",
                "18446744073709551615 players are over the limit of 62: no solver takes more than 16777216",
                "18446744073709551615 players are over the limit of 16777216: no solver takes more than 16777216",
                "18446744073709551615 players are over the limit of 4000: no solver takes more than 16777216",
                "1000000000 players are over the limit of 62: no solver takes more than 16777216",
                "1000000000 players are over the limit of 16777216: no solver takes more than 16777216",
                "1000000000 players are over the limit of 4000: no solver takes more than 16777216",
            ]
        );
    }
}

pub(crate) fn stores_that_are_not_the_jobs() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let ended = run(2, &["stores", path.to_str().expect("text")]);
    let said = ended.alike(2);
    assert_eq!(said[0], "fine");
    let (united, own) = (path.join("united.store"), path.join("rank-"));
    assert!(said[1].starts_with(&format!("rank 0 could not use {}", own.display())), "{}", said[1]);
    assert!(said[1].contains("in use"), "{}", said[1]);
    let (file, of) = (united.display(), r#"is of game "mine", and game "yours" was asked for"#);
    assert_eq!(said[2], format!("rank 0 could not use {file}: the store {file} {of}"));
    let [a, b] = ["a", "b"].map(|name| path.join(name));
    assert_eq!(said[3], format!("the directory differs: {} on rank 0, {} on rank 1", a.display(), b.display()));
    assert_eq!(said[4], r#"the fingerprint differs: "a" on rank 0, "b" on rank 1"#);
    assert_eq!(said[5], "the call differs: store on rank 0, exact on rank 1");
    assert_eq!(said[6], "the call differs: exact on rank 0, store on rank 1");
}

/// A file system of a few megabytes, gone when this is dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// None if that is not allowed.
    fn new() -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(directory.path());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

pub(crate) fn a_full_disk() {
    let Some(disk) = SmallDisk::new() else {
        println!(
            "\n*** SKIPPED: a rank whose disk is full. No small file system can be mounted here; it takes root. ***\n"
        );
        return;
    };
    let room = tempfile::tempdir().expect("a directory");
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let ended = run(2, &["full", &text(disk.path()), &text(room.path())]);
    assert_eq!(ended.alike(2), ["a full disk", "full sums", "full stores"]);
}
