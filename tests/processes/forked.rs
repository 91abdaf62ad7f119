//! A process that forks while it has a store open: the child is refused, and the parent loses nothing.
//!
//! The test starts its own program, and that forks: a fork has one thread only, and this program has others.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fork::Fork;
use shapley::store::{DiskError, Store};
use shapley::{Coalition, DiskStore};

const DIRECTORY: &str = "FORKED_STORE_DIRECTORY";
const ROLE: &str = "FORKED_STORE_ROLE";

fn coalition(mask: u64) -> Coalition {
    Coalition::from_mask(30, mask)
}

fn value(mask: u64) -> f64 {
    1.0 / (mask as f64 + 1.0)
}

fn forked<T>(what: &str, result: Result<T, DiskError>) {
    match result {
        Err(DiskError::Forked { opened_by, process, .. }) => {
            assert!(process == std::process::id() && opened_by != process, "{what}: {opened_by}, {process}");
        }
        Err(error) => panic!("{what}: {error}"),
        Ok(_) => panic!("{what} is done in the child"),
    }
}

/// What a child must not do. It does not return from this.
fn use_in_child(store: DiskStore<f64>, directory: &Path) -> ! {
    let used = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        forked("get", store.get(&coalition(1)).map_err(|error| error.0));
        forked("get_many", store.get_many(&[coalition(1)], &mut Vec::new()).map_err(|error| error.0));
        for mask in 1_000..1_200 {
            forked("insert", store.insert(&coalition(mask), &-1.0).map_err(|error| error.0));
        }
        forked("insert_many", store.insert_many(&[coalition(1)], &[-1.0]).map_err(|error| error.0));
        forked("flush", store.flush());
        forked("verify", store.verify());
        let path = directory.join(format!("{}.store", std::process::id()));
        let own = DiskStore::<f64>::open(path, "game").unwrap();
        own.insert(&coalition(1), &value(1)).unwrap();
        forked("merge_from it", own.merge_from(&store));
        forked("merge_from", store.merge_from(&own));
        own.flush().unwrap();
        assert_eq!((own.get(&coalition(1)).unwrap(), store.len()), (Some(value(1)), 0));
        assert_eq!((store.fingerprint(), store.num_players(), store.repaired()), ("game", Some(30), false));
        assert!(format!("{store:?}").contains("game.store"));
        // Nor is it open to the child in another way.
        let again = DiskStore::<f64>::open(directory.join("game.store"), "game");
        assert!(matches!(again, Err(DiskError::InUse { .. })));
        drop(store.commit_every(1).commit_within(Duration::from_millis(1)));
    }));
    std::process::exit(i32::from(used.is_err()))
}

/// Waits for a process; says that it hangs if it does.
fn succeeds(process: i32) {
    let begun = Instant::now();
    loop {
        match fork::waitpid_nohang(process).unwrap() {
            Some(status) => return assert_eq!(status, 0, "the child failed"),
            None => assert!(begun.elapsed() < Duration::from_secs(30), "the child hangs"),
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn fork_child(store: DiskStore<f64>, directory: &Path) -> (DiskStore<f64>, i32) {
    match fork::fork().unwrap() {
        Fork::Child => use_in_child(store, directory),
        Fork::Parent(child) => (store, child),
    }
}

#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let directory = std::env::var(DIRECTORY).unwrap();
    let directory = Path::new(&directory);
    let store = DiskStore::<f64>::open(directory.join("game.store"), "game").unwrap().commit_every(1);
    (0..100).for_each(|mask| store.insert(&coalition(mask), &value(mask)).unwrap());
    if role == "once" {
        let (store, child) = fork_child(store, directory);
        (100..300).for_each(|mask| store.insert(&coalition(mask), &value(mask)).unwrap());
        succeeds(child);
        // Its end has not taken the lock away.
        let again = DiskStore::<f64>::open(directory.join("game.store"), "game");
        assert!(matches!(again, Err(DiskError::InUse { .. })));
        (300..400).for_each(|mask| store.insert(&coalition(mask), &value(mask)).unwrap());
        assert!(store.verify().unwrap().whole);
    } else {
        in_the_middle_of_commits(&store, directory);
    }
}

/// The fork finds the locks of this store held by threads that it does not have.
fn in_the_middle_of_commits(store: &DiskStore<f64>, directory: &Path) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut mask = 100;
            while !done.load(Ordering::Acquire) || mask < 400 {
                store.insert(&coalition(mask), &value(mask)).unwrap();
                mask += 1;
            }
        });
        for _ in 0..20 {
            thread::sleep(Duration::from_millis(3));
            match fork::fork().unwrap() {
                Fork::Child => {
                    let used = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        forked("get", store.get(&coalition(1)).map_err(|error| error.0));
                        forked("flush", store.flush());
                        assert_eq!(store.len(), 0);
                        let path = directory.join("game.store");
                        assert!(matches!(DiskStore::<f64>::open(path, "game"), Err(DiskError::InUse { .. })));
                    }));
                    std::process::exit(i32::from(used.is_err()))
                }
                Fork::Parent(child) => succeeds(child),
            }
        }
        done.store(true, Ordering::Release);
    });
}

#[test]
fn a_fork_loses_nothing_and_its_child_is_refused() {
    for role in ["once", "in the middle of commits"] {
        let directory = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "forked::child", "--nocapture"]).env(ROLE, role).env(DIRECTORY, directory.path());
        let output = child.stdout(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{role}: {}", String::from_utf8_lossy(&output.stderr));
        let store = DiskStore::<f64>::open(directory.path().join("game.store"), "game").unwrap();
        assert!(!store.repaired() && store.len() >= 400, "{role}: {}", store.len());
        for mask in 0..400 {
            assert_eq!(store.get(&coalition(mask)).unwrap(), Some(value(mask)), "{role}: {mask}");
        }
        let stores = fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(stores, if role == "once" { 2 } else { 1 });
    }
}
