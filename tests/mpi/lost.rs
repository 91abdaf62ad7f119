//! Jobs that die, and are started again: nothing that was safe is lost, and no bit is another.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use shapley::{Permutation, from_fn};

use crate::common::masks::{mask_of, pseudo};
use crate::games::{of_attribution, of_estimate, smooth};
use crate::job::{Ended, Job, run};

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// Kills a rank of a job, once `enough` says so, and waits for the end of all.
fn kill(job: Job, rank: usize, enough: impl Fn() -> bool) -> Ended {
    let begun = Instant::now();
    while job.said().get(&rank).is_none_or(Vec::is_empty) || !enough() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the job does not get so far: {:#?}", job.said());
        std::thread::sleep(Duration::from_millis(5));
    }
    let said = job.said()[&rank][0].clone();
    let pid = said.split(' ').nth(1).expect("a process");
    assert!(Command::new("kill").args(["-9", pid]).status().is_ok_and(|status| status.success()));
    let killed = Instant::now();
    let ended = job.end(begun.elapsed() + Duration::from_secs(10));
    assert!(killed.elapsed() < Duration::from_secs(10), "all end soon after one");
    assert_eq!(ended.code, Some(137));
    ended
}

/// What all ranks have evaluated so far, in all runs, and how much of it was safe.
struct Log {
    evaluated: Vec<u64>,
    safe: BTreeSet<u64>,
}

impl Log {
    fn read(directory: &Path) -> Self {
        let mut log = Self { evaluated: Vec::new(), safe: BTreeSet::new() };
        for entry in fs::read_dir(directory).expect("it is there") {
            let text = fs::read_to_string(entry.expect("an entry").path()).expect("a log");
            let begins = log.evaluated.len();
            for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
                match line.trim_end() {
                    "safe" => log.safe.extend(&log.evaluated[begins..]),
                    mask => log.evaluated.push(mask.parse().expect("a mask")),
                }
            }
        }
        log
    }
}

pub(crate) fn a_rank_killed_in_the_middle() {
    let here = shapley::exact(&from_fn(12, |s| pseudo(9, mask_of(s)))).expect("values");
    for (first, second, rank) in [(3, 2, 1), (2, 5, 0)] {
        let directory = tempfile::tempdir().expect("a directory");
        let directory = directory.path();
        let mut safe: BTreeSet<u64> = BTreeSet::new();
        let mut evaluated = 0;
        // Twice, each time with a log of its own; then to the end.
        for (run_number, ranks) in [first, second, first].into_iter().enumerate() {
            let log = directory.join(format!("log-{run_number}"));
            fs::create_dir(&log).expect("a directory");
            let job = Job::start(ranks, &["stored", text(directory), text(&log)]);
            let ended = match run_number {
                2 => job.end(Duration::from_secs(60)),
                _ => kill(job, rank, || Log::read(&log).safe.len() > 400),
            };
            let here_and_now = Log::read(&log);
            let again: Vec<u64> = here_and_now.evaluated.iter().copied().filter(|mask| safe.contains(mask)).collect();
            assert!(again.is_empty(), "{} coalitions were safe, and are evaluated again: {again:?}", again.len());
            evaluated += here_and_now.evaluated.len();
            safe.extend(&here_and_now.safe);
            if run_number == 2 {
                assert_eq!(ended.code, Some(0));
                assert!(ended.said.values().all(|said| said[1] == of_attribution(&here)), "the bits of one process");
                assert_eq!(ended.said.len(), ranks);
                let known: HashSet<&str> =
                    ended.said.values().map(|said| said[0].split(' ').nth(3).expect("a number")).collect();
                assert_eq!(known.len(), 1, "each rank knows what all know");
                println!(
                    "  {} of 4096 were safe before the last run; {evaluated} evaluations in three runs",
                    known.into_iter().next().expect("a number")
                );
            }
        }
        // Once each, and what was under way or waited for its commit, and v(∅) and v(N) on each rank.
        assert!((4096..4096 + 1_500).contains(&evaluated), "{evaluated}");
        // Again: nothing is left to do.
        let log = directory.join("log-again");
        fs::create_dir(&log).expect("a directory");
        let ended = run(second, &["stored", text(directory), text(&log)]);
        assert!(ended.said.values().all(|said| said[1] == of_attribution(&here)));
        assert_eq!(Log::read(&log).evaluated, [] as [u64; 0]);
    }
}

pub(crate) fn sums_saved_without_a_store() {
    let budget = 20_002;
    let game = from_fn(9, |s| pseudo(3, mask_of(s)));
    let here = Permutation::new(budget).seed(4).threads(1).estimate(&game).expect("an estimate");
    let directory = tempfile::tempdir().expect("a directory");
    let what = ["sums", text(directory.path()), &budget.to_string()];
    let file = directory.path().join("permutation.partial");
    let begun = Instant::now();
    // Some saves after the first.
    kill(Job::start(2, &what), 1, || file.exists() && begun.elapsed() > Duration::from_secs(1));
    let ended = run(3, &what);
    assert!(ended.said.values().all(|said| said[2] == of_estimate(&here)), "the bits of one process");
    let asked: u64 = ended.said.values().map(|said| said[1].parse::<u64>().expect("a number")).sum();
    assert!(asked < budget - 1_000, "{asked} evaluations: what was saved is not made again");
    // Done is done: v(∅) and v(N) on each rank.
    let ended = run(2, &what);
    assert!(ended.said.values().all(|said| said[2] == of_estimate(&here) && said[1] == "2"));
}

pub(crate) fn files_that_are_not_the_jobs() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let run = |seed: &str| run(2, &["files", text(path), seed]).alike(2).to_vec();
    assert_eq!(run("7"), ["fine", "fine"]);
    assert_eq!(run("7"), ["fine", "fine"]);
    let (walks, sums) = (path.join("permutation.partial"), path.join("exact.partial"));
    let cannot =
        |file: &Path, why: &str| format!("the partial result in {} cannot be gone on with: {why}", file.display());
    assert_eq!(run("8")[0], cannot(&walks, "the seed differs: 8 here, 7 in the other"));
    // Cut short; damaged; of another solver; of something else.
    let whole = fs::read(&walks).expect("a file");
    fs::write(&walks, &whole[..whole.len() - 9]).expect("it can be written");
    let (got, expected) = (whole.len() - 9, whole.len());
    assert_eq!(run("7")[0], cannot(&walks, &format!("it is cut short: {got} of {expected} bytes")));
    let mut damaged = whole.clone();
    damaged[expected / 2] ^= 1;
    fs::write(&walks, &damaged).expect("it can be written");
    let said = run("7");
    assert!(said[0].starts_with(&cannot(&walks, "its checksum is ")), "{said:?}");
    fs::write(&sums, &whole).expect("it can be written");
    fs::write(&walks, &whole).expect("it can be written");
    assert_eq!(
        run("7"),
        ["fine".to_owned(), cannot(&sums, "the solver differs: exact here, permutation in the other")]
    );
    fs::write(&sums, "[1, 2, 3]").expect("it can be written");
    assert_eq!(run("7")[1], cannot(&sums, "it does not begin as a partial result does"));
    fs::remove_file(&sums).expect("it is there");
    // Of another game with the same name and the same settings: told by v(∅).
    assert_eq!(run("7"), ["fine", "fine"]);
    let said = crate::job::run(2, &["files", text(path), "7", "doubled"]).alike(2).to_vec();
    assert_eq!(
        said[0],
        cannot(&walks, &format!("v(empty) differs: {} here, {} in the other", 2.0 * nothing(), nothing()))
    );
}

fn nothing() -> f64 {
    shapley::Game::value(&smooth(9), &shapley::Coalition::empty(9))
}
