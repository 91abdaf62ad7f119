//! Processes that are killed, that race for a file, and whose disk is full.
//!
//! Children are this test's own program: one test of it, told by an environment variable what to do.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use shapley::store::{DiskError, Store};
use shapley::{Coalition, DiskStore};

const DIRECTORY: &str = "DISK_STORE_DIRECTORY";
const ROLE: &str = "DISK_STORE_ROLE";

fn coalition(mask: u64) -> Coalition {
    Coalition::from_mask(30, mask)
}

fn value(mask: u64) -> f64 {
    1.0 / (mask as f64 + 1.0)
}

fn role(role: &str, directory: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "disk::child", "--nocapture"]).env(ROLE, role).env(DIRECTORY, directory);
    child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let directory = std::env::var(DIRECTORY).unwrap();
    let directory = Path::new(&directory);
    match role.as_str() {
        "create" => {
            for k in 0.. {
                drop(DiskStore::<f64>::open(directory.join(format!("{k}.store")), "game").unwrap());
            }
        }
        "write" => {
            let store = DiskStore::open(directory.join("game.store"), "game").unwrap().commit_every(20);
            for mask in store.len().. {
                store.insert(&coalition(mask), &value(mask)).unwrap();
                if mask % 20 == 19 {
                    fs::write(directory.join("acknowledged"), (mask + 1).to_string()).unwrap();
                }
            }
        }
        "full" => full_disk(directory),
        _ => unreachable!(),
    }
}

/// Waits for something to be there, and a little longer, and kills the child.
fn kill_after(mut child: Child, what: &Path, longer: Duration) {
    for _ in 0..6000 {
        if what.exists() {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    thread::sleep(longer);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_store_is_made_whole_or_not_at_all() {
    for round in 0..25 {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let child = role("create", directory);
        kill_after(child, &directory.join("2.store"), Duration::from_micros(1700 * round));
        let (mut stores, mut others) = (0, 0);
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "store") {
                let store = DiskStore::<f64>::open(&path, "game").unwrap();
                assert!(store.is_empty() && !store.repaired());
                stores += 1;
            } else {
                others += 1;
            }
        }
        assert!(stores >= 3 && others <= 1, "{stores} stores, {others} other files");
        // What was left does not hinder the next.
        let next = directory.join(format!("{stores}.store"));
        let store = DiskStore::open(&next, "game").unwrap();
        store.insert(&coalition(1), &1.0).unwrap();
        drop(store);
        assert_eq!(DiskStore::open(&next, "game").unwrap().get(&coalition(1)).unwrap(), Some(1.0));
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let mut last = 0;
    for round in 0..12 {
        let _ = fs::remove_file(directory.join("acknowledged"));
        let child = role("write", directory);
        kill_after(child, &directory.join("acknowledged"), Duration::from_millis(13 * round));
        let acknowledged: u64 = fs::read_to_string(directory.join("acknowledged")).unwrap().parse().unwrap_or(0);
        let store = DiskStore::<f64>::open(directory.join("game.store"), "game").unwrap();
        let len = store.len();
        assert!(len >= acknowledged.max(last), "{len} of {acknowledged}, and {last} before");
        let mut answers = Vec::new();
        store.get_many(&(0..len).map(coalition).collect::<Vec<_>>(), &mut answers).unwrap();
        assert!(answers.into_iter().eq((0..len).map(|mask| Some(value(mask)))));
        assert!(store.verify().unwrap().whole && !store.repaired());
        last = len;
    }
}

#[test]
fn of_those_who_make_a_store_at_once_one_has_it() {
    for _ in 0..20 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("game.store");
        let results: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..6).map(|_| scope.spawn(|| DiskStore::<f64>::open(&path, "game"))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        for error in results.into_iter().filter_map(Result::err) {
            assert!(matches!(error, DiskError::InUse { .. }), "{error}");
        }
        assert!(DiskStore::<f64>::open(&path, "game").is_ok());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "something is left");
    }
}

/// The child of the test below, in which files cannot be longer than some megabytes.
fn full_disk(directory: &Path) {
    let path = directory.join("game.store");
    let store = DiskStore::open(&path, "game").unwrap().commit_every(500).commit_within(Duration::from_millis(50));
    let mut count = 0;
    let failure = loop {
        count += 1;
        assert!(count < 1_000_000, "the disk is never full");
        if let Err(error) = store.insert(&coalition(count - 1), &value(count - 1)) {
            break error;
        }
    };
    assert!(matches!(failure.0, DiskError::Io { .. } | DiskError::Damaged { .. }), "{failure:?}");
    let all = |store: &DiskStore<f64>| {
        let mut answers = Vec::new();
        store.get_many(&(0..count).map(coalition).collect::<Vec<_>>(), &mut answers).unwrap();
        assert!(answers.into_iter().eq((0..count).map(|mask| Some(value(mask)))));
        assert_eq!(store.len(), count);
    };
    all(&store); // what could not be committed is kept
    assert!(store.flush().is_err());
    all(&store);
    // The thread in the background fails too, and the next to ask is told.
    thread::sleep(Duration::from_millis(1500));
    assert!(store.insert(&coalition(0), &value(0)).is_err());
    all(&store);
    let raised = Command::new("prlimit").args(["--pid", &std::process::id().to_string(), "--fsize=unlimited"]).status();
    assert!(raised.unwrap().success());
    store.flush().unwrap();
    all(&store);
    assert!(store.verify().unwrap().whole);
    drop(store);
    let store = DiskStore::open(&path, "game").unwrap();
    all(&store);
    assert!(!store.repaired());
}

#[test]
fn values_wait_until_the_disk_has_room() {
    if !Command::new("prlimit").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
        return eprintln!("skipped: prlimit is not installed");
    }
    let directory = tempfile::tempdir().unwrap();
    // 512-byte blocks in any shell that follows POSIX, or twice that. A write beyond is an error if its signal is
    // ignored.
    let mut child = Command::new("sh");
    child.args(["-c", "trap '' XFSZ; ulimit -S -f 4200; exec \"$0\" --exact disk::child --nocapture"]);
    child.arg(std::env::current_exe().unwrap()).env(ROLE, "full").env(DIRECTORY, directory.path());
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(directory.path().join("game.store").exists(), "the child ran");
}
