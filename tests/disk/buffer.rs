//! When values are durable, and that they can be read before.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use shapley::store::Store;
use shapley::{Coalition, DiskStore};
use tempfile::TempDir;

const NEVER: Duration = Duration::MAX;

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("game.store");
    (directory, path)
}

fn coalition(mask: u64) -> Coalition {
    Coalition::from_mask(20, mask)
}

fn value(mask: u64) -> f64 {
    mask as f64 + 0.25
}

/// How many values of 0.. would be there if the process died now: what a copy of the file has.
fn durable(path: &Path) -> u64 {
    let copy = path.with_extension("copy");
    fs::copy(path, &copy).unwrap();
    let store = DiskStore::<f64>::open(&copy, "game").unwrap();
    assert!(!store.repaired());
    let len = store.len();
    let found = (0..).take_while(|&mask| store.get(&coalition(mask)).unwrap() == Some(value(mask))).count() as u64;
    assert_eq!(found, len, "they are there in the order in which they came");
    drop(store);
    fs::remove_file(copy).unwrap();
    len
}

fn insert(store: &DiskStore<f64>, masks: std::ops::Range<u64>) {
    for mask in masks {
        store.insert(&coalition(mask), &value(mask)).unwrap();
    }
}

fn assert_all(store: &DiskStore<f64>, masks: std::ops::Range<u64>) {
    let coalitions: Vec<Coalition> = masks.clone().map(coalition).collect();
    let mut answers = Vec::new();
    store.get_many(&coalitions, &mut answers).unwrap();
    let expected: Vec<Option<f64>> = masks.clone().map(|mask| Some(value(mask))).collect();
    assert_eq!(answers, expected);
    assert_eq!(store.len(), masks.end - masks.start);
}

#[test]
fn a_batch_of_enough_values_is_durable_also_if_some_are_of_one_coalition() {
    let (_directory, path) = place();
    let store = DiskStore::open(&path, "game").unwrap().commit_every(10).commit_within(NEVER);
    let masks = (0..9).chain(0..1);
    let (coalitions, values): (Vec<_>, Vec<_>) = masks.map(|mask| (coalition(mask), value(mask))).unzip();
    store.insert_many(&coalitions, &values).unwrap();
    assert_eq!(durable(&path), 9);
}

/// The number of players is not in the file before the first commit; a value that waits for it is no damage.
#[test]
fn a_first_value_that_comes_while_the_store_is_verified_is_no_damage() {
    for _ in 0..40 {
        let (_directory, path) = place();
        let store = DiskStore::open(&path, "game").unwrap().commit_within(NEVER);
        thread::scope(|scope| {
            scope.spawn(|| store.insert(&coalition(0), &value(0)).unwrap());
            for _ in 0..2 {
                let found = store.verify().unwrap();
                assert!(found.whole && found.damaged == 0 && found.entries <= 1, "{found:?}");
            }
        });
        assert!(!store.repaired());
    }
}

#[test]
fn commits_come_with_every_so_many_values() {
    let (_directory, path) = place();
    let store = DiskStore::open(&path, "game").unwrap().commit_every(10).commit_within(NEVER);
    assert_eq!(durable(&path), 0); // before the first value it is a store
    insert(&store, 0..9);
    assert_eq!(durable(&path), 0);
    insert(&store, 9..10);
    assert_eq!(durable(&path), 10);
    insert(&store, 10..19);
    assert_eq!(durable(&path), 10);
    assert_all(&store, 0..19);
    // A batch is in one commit, however many values it has.
    let coalitions: Vec<Coalition> = (19..50).map(coalition).collect();
    let values: Vec<f64> = (19..50).map(value).collect();
    store.insert_many(&coalitions, &values).unwrap();
    assert_eq!(durable(&path), 50);
    assert_all(&store, 0..50);
}

#[test]
fn at_one_each_value_is_durable_at_once() {
    let (_directory, path) = place();
    for (k, every) in [1, 0].into_iter().enumerate() {
        let store = DiskStore::open(&path, "game").unwrap().commit_every(every).commit_within(NEVER);
        for mask in 5 * k as u64..5 * (k as u64 + 1) {
            insert(&store, mask..mask + 1);
            assert_eq!(durable(&path), mask + 1);
        }
    }
}

#[test]
fn commits_come_after_so_long() {
    let (_directory, path) = place();
    let age = Duration::from_millis(300);
    let store = DiskStore::open(&path, "game").unwrap().commit_within(age);
    let start = Instant::now();
    insert(&store, 0..3);
    let before = durable(&path);
    assert!(before == 0 || start.elapsed() >= age, "too early");
    while durable(&path) < 3 {
        assert!(start.elapsed() < Duration::from_secs(60), "never");
        thread::sleep(Duration::from_millis(20));
    }
    // And again, once the thread that does it had nothing to do; and sooner, when it is told so.
    thread::sleep(age);
    let store = store.commit_within(Duration::ZERO);
    insert(&store, 3..4);
    while durable(&path) < 4 {
        assert!(start.elapsed() < Duration::from_secs(60), "never");
        thread::sleep(Duration::from_millis(20));
    }
    assert_all(&store, 0..4);
}

#[test]
fn flush_makes_durable_and_drop_flushes() {
    let (_directory, path) = place();
    let store = DiskStore::open(&path, "game").unwrap().commit_within(NEVER);
    insert(&store, 0..7);
    assert_eq!(durable(&path), 0);
    store.flush().unwrap();
    assert_eq!(durable(&path), 7);
    store.flush().unwrap();
    insert(&store, 7..20);
    drop(store);
    assert_eq!(durable(&path), 20);
}

#[test]
fn reading_writing_and_flushing_at_once() {
    const EACH: u64 = 3000;
    let (_directory, path) = place();
    let store = DiskStore::open(&path, "game").unwrap().commit_every(50).commit_within(Duration::from_millis(1));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let store = &store;
                scope.spawn(move || {
                    let own = writer * EACH..(writer + 1) * EACH;
                    for mask in own.clone() {
                        store.insert(&coalition(mask), &value(mask)).unwrap();
                        // What was put in is there, wherever it is by now: waiting, in a commit, or in the file.
                        for back in [0, 1, 49, 50, 51, 100] {
                            let earlier = mask.saturating_sub(back).max(own.start);
                            assert_eq!(store.get(&coalition(earlier)).unwrap(), Some(value(earlier)));
                        }
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                let len = store.len();
                assert!(last <= len && len <= 3 * EACH, "{last} then {len}");
                last = len;
            }
        });
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                store.flush().unwrap();
                thread::sleep(Duration::from_millis(3));
            }
        });
        let results: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        done.store(true, Ordering::Relaxed);
        results.into_iter().for_each(|result| result.unwrap());
    });
    assert_all(&store, 0..3 * EACH);
    drop(store);
    let store = DiskStore::open(&path, "game").unwrap();
    assert_all(&store, 0..3 * EACH);
    assert!(store.verify().unwrap().whole);
}

#[test]
fn verify_sees_damage_in_the_open_file_and_the_store_is_repaired() {
    use std::io::{Seek, SeekFrom, Write};

    let (_directory, path) = place();
    let store = DiskStore::open(&path, "game").unwrap().commit_within(NEVER);
    insert(&store, 0..500);
    assert!(store.verify().unwrap().whole);
    // The value of one coalition, wherever it is in the file, in each copy of it.
    let mut bytes = fs::read(&path).unwrap();
    let sought = value(321).to_le_bytes();
    let places: Vec<usize> = (0..bytes.len() - 8).filter(|&at| bytes[at..at + 8] == sought).collect();
    assert!(!places.is_empty());
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    for at in places {
        bytes[at] ^= 1;
        file.seek(SeekFrom::Start(at as u64)).unwrap();
        file.write_all(&bytes[at..=at]).unwrap();
    }
    let found = store.verify().unwrap();
    assert_eq!((found.entries, found.damaged, found.whole), (499, 1, false));
    // The next call has the file checked, and goes on with one that is whole.
    assert_eq!(store.get(&coalition(321)).unwrap(), None);
    assert!(store.repaired() && path.with_extension("store.damaged").exists());
    assert_eq!((store.damaged(), store.len()), (1, 499));
    insert(&store, 321..322);
    assert!(store.verify().unwrap().whole);
    assert_all(&store, 0..500);
    drop(store);
    assert_eq!(durable(&path), 500);
}
