//! What other programs do to the file of a store while it is open: cut it, remove it, move it, put another in its
//! place. The next flush says so, by an error that names what happened, and no value that was acknowledged is gone
//! without a word.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use shapley::store::{DiskError, Store};
use shapley::{Coalition, DiskStore};
use tempfile::TempDir;

const BEFORE: u64 = 3000;

fn coalition(mask: u64) -> Coalition {
    Coalition::from_mask(20, mask)
}

fn value(mask: u64) -> f64 {
    (mask as f64).sqrt() - 3.0
}

/// A store that is open, with values that are in the file.
fn opened() -> (TempDir, PathBuf, DiskStore<f64>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("game.store");
    let store = DiskStore::open(&path, "game").unwrap();
    insert(&store, 0..BEFORE - 4).unwrap();
    // The newest pages are not the last of the file then.
    for mask in BEFORE - 4..BEFORE {
        insert(&store, mask..mask + 1).unwrap();
        store.flush().unwrap();
    }
    (directory, path, store)
}

fn insert(store: &DiskStore<f64>, mut masks: impl Iterator<Item = u64>) -> Result<(), DiskError> {
    masks.try_for_each(|mask| store.insert(&coalition(mask), &value(mask)).map_err(|error| error.0))
}

/// How many of these there are, each with its value.
fn present(store: &DiskStore<f64>, masks: impl Iterator<Item = u64>) -> u64 {
    let right = |mask: &u64| match store.get(&coalition(*mask)).unwrap() {
        Some(found) => {
            assert_eq!(found.to_bits(), value(*mask).to_bits());
            true
        }
        None => false,
    };
    masks.filter(right).count() as u64
}

fn cut(path: &Path, len: u64) -> u64 {
    let file = fs::File::options().write(true).open(path).unwrap();
    let before = file.metadata().unwrap().len();
    file.set_len(len).unwrap();
    before
}

#[test]
fn a_store_that_is_cut_says_what_is_lost_and_goes_on_with_the_rest() {
    let whole = fs::metadata(opened().1).unwrap().len();
    let (mut saved, mut some_lost) = (0, 0);
    for len in [0, 100, 4096, whole / 4, whole / 2, whole * 4 / 5, whole - 4097, whole - 1] {
        let (_directory, path, store) = opened();
        let store = store.commit_every(1);
        let before = cut(&path, len);
        let error = insert(&store, BEFORE..BEFORE + 1).unwrap_err();
        let DiskError::Cut { path: of, len: found, expected, lost } = &error else { panic!("{len}: {error}") };
        assert_eq!((of, *found, *expected), (&path, len, before));
        let text = format!("the store {} was cut to {len} bytes, of {before}, while it was open: ", path.display());
        let Some(lost) = *lost else {
            // Nothing is left: what was not said to be durable is kept, and the file is left alone.
            assert_eq!(error.to_string(), text + "nothing in it can be read");
            for mask in BEFORE + 1..BEFORE + 3 {
                let error = insert(&store, mask..mask + 1).unwrap_err();
                assert!(matches!(error, DiskError::Cut { lost: None, .. }), "{error}");
            }
            assert!(matches!(store.flush(), Err(DiskError::Cut { lost: None, .. })));
            assert_eq!(present(&store, BEFORE..BEFORE + 3), 3);
            drop(store);
            assert_eq!(fs::metadata(&path).unwrap().len(), len);
            continue;
        };
        saved += 1;
        some_lost += u32::from(lost > 0);
        assert_eq!(error.to_string(), format!("{text}{lost} of its values are lost, the others are in a new file"));
        // Said once, and then all is as after any damage.
        insert(&store, BEFORE + 1..BEFORE + 50).unwrap();
        store.flush().unwrap();
        assert!(store.repaired() && store.verify().unwrap().whole);
        drop(store);
        let store = DiskStore::open(&path, "game").unwrap();
        assert_eq!(present(&store, BEFORE..BEFORE + 50), 50);
        let gone = BEFORE - present(&store, 0..BEFORE);
        assert_eq!(lost, gone, "cut to {len}");
    }
    assert!(saved >= 3 && some_lost >= 2, "{saved} and {some_lost}");
}

/// By whom it is found makes no difference: the thread in the background, a reader, or nobody until a flush of nothing.
#[test]
fn a_cut_is_told_to_whoever_flushes_next() {
    let whole = fs::metadata(opened().1).unwrap().len();
    for finder in ["flush", "thread", "len", "get", "verify"] {
        let (_directory, path, store) = opened();
        let store = store.commit_within(Duration::from_millis(5));
        cut(&path, whole / 2);
        match finder {
            "thread" => {
                // It goes on committing what comes meanwhile, and that is no reason to forget.
                let aside = path.with_extension("store.damaged");
                let mut masks = (BEFORE..BEFORE + 5_000).take_while(|_| !aside.exists());
                let found = masks.try_for_each(|mask| {
                    thread::sleep(Duration::from_millis(1));
                    insert(&store, mask..mask + 1)
                });
                thread::sleep(Duration::from_millis(50));
                if let Err(told) = found {
                    assert!(matches!(told, DiskError::Cut { lost: Some(_), .. }), "{told:?}");
                    continue; // by `insert`
                }
            }
            "len" => _ = store.len(),
            "get" => _ = (0..BEFORE).map(|mask| store.get(&coalition(mask))).filter(Result::is_err).count(),
            _ => {}
        }
        let told = if finder == "verify" { store.verify().map(drop) } else { store.flush() };
        assert!(matches!(told, Err(DiskError::Cut { lost: Some(_), .. })), "{finder}: {told:?}");
        store.flush().unwrap();
        assert!(store.repaired());
    }
}

/// A commit that is under way when it happens does not make the file long again, so that nobody sees it.
#[test]
fn a_cut_in_the_middle_of_commits_is_seen() {
    for round in 0..12 {
        let (_directory, path, store) = opened();
        let store = store.commit_every(1);
        let done = AtomicBool::new(false);
        let mut told = thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_micros(700 * round));
                cut(&path, 0);
                done.store(true, Ordering::Release);
            });
            let mut told = false;
            for mask in BEFORE.. {
                told |= insert(&store, mask..mask + 1).is_err();
                if done.load(Ordering::Acquire) {
                    break;
                }
            }
            told
        });
        told |= store.flush().is_err();
        assert!(told, "round {round}");
    }
}

/// On Linux a file can be removed while it is open. Whoever flushes is told, what was put in can be read until the end,
/// and another store can take it in.
#[test]
fn a_file_that_is_removed_or_replaced_is_an_error_and_its_values_can_be_saved() {
    for replaced in [false, true] {
        let (directory, path, store) = opened();
        fs::remove_file(&path).unwrap();
        if replaced {
            fs::write(&path, "something else").unwrap();
        }
        let check = |error: DiskError| match &error {
            DiskError::Removed { path: gone } if !replaced => {
                assert_eq!(*gone, path);
                assert!(error.to_string().contains("was removed while it was open"), "{error}");
            }
            DiskError::Replaced { path: gone } if replaced => {
                assert_eq!(*gone, path);
                let text = format!("another file is in the place of the store {}, which was open", path.display());
                assert!(error.to_string().starts_with(&text), "{error}");
            }
            _ => panic!("{error:?}"),
        };
        for mask in BEFORE..BEFORE + 2 {
            check(store.flush().unwrap_err());
            insert(&store, mask..mask + 1).unwrap();
        }
        let store = store.commit_every(1);
        check(insert(&store, BEFORE + 2..BEFORE + 3).unwrap_err());
        assert_eq!(present(&store, 0..BEFORE + 3), BEFORE + 3);
        let other = DiskStore::open(directory.path().join("other.store"), "game").unwrap();
        assert_eq!(other.merge_from(&store).unwrap().added, BEFORE + 3);
        other.flush().unwrap();
        drop(store);
        assert_eq!(path.exists(), replaced);
        assert!(!replaced || fs::read(&path).unwrap() == b"something else", "the other file is left alone");
    }
}

#[test]
fn a_file_that_is_moved_is_an_error_until_it_is_back() {
    let (directory, path, store) = opened();
    let elsewhere = directory.path().join("elsewhere.store");
    fs::rename(&path, &elsewhere).unwrap();
    insert(&store, BEFORE..BEFORE + 1).unwrap();
    match store.flush() {
        Err(DiskError::Moved { path: gone }) => assert_eq!(gone, path),
        other => panic!("{other:?}"),
    }
    // What it says: whoever opens the path now has a new store.
    drop(DiskStore::<f64>::open(&path, "game").unwrap());
    assert!(matches!(store.flush(), Err(DiskError::Replaced { .. })));
    fs::rename(&elsewhere, &path).unwrap();
    store.flush().unwrap();
    // Through a link it is the same file.
    fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    insert(&store, BEFORE + 1..BEFORE + 2).unwrap();
    store.flush().unwrap();
    drop(store);
    assert_eq!(present(&DiskStore::open(&elsewhere, "game").unwrap(), 0..BEFORE + 2), BEFORE + 2);
}

/// How many of the values of these coalitions are somewhere in the file.
fn in_the_file(path: &Path, masks: std::ops::Range<u64>) -> u64 {
    let bytes = fs::read(path).unwrap();
    let all: HashSet<[u8; 8]> = bytes.windows(8).map(|window| window.try_into().unwrap()).collect();
    // Zeros are everywhere.
    masks.filter(|mask| value(*mask) != 0.0 && all.contains(&value(*mask).to_le_bytes())).count() as u64
}

/// Wherever the file is cut, and whatever page leads to the others: what is in the file comes back.
#[test]
fn all_that_is_left_of_a_cut_file_is_saved() {
    for (values, percent) in [(20_000, 99), (20_000, 90), (20_000, 70), (20_000, 60), (2_000, 30), (500, 50)] {
        for is_open in [true, false] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("game.store");
            let store = DiskStore::open(&path, "game").unwrap();
            insert(&store, 0..values).unwrap();
            store.flush().unwrap();
            let mut store = Some(store);
            if !is_open {
                store = None;
            }
            let len = fs::metadata(&path).unwrap().len() * percent / 100;
            cut(&path, len);
            let left = in_the_file(&path, 0..values);
            let how = format!("{values} values, cut to {percent} %, open: {is_open}: {left} left");
            match &store {
                Some(store) => match store.flush() {
                    Err(DiskError::Cut { lost: Some(lost), .. }) => {
                        assert_eq!(present(store, 0..values), values - lost, "{how}");
                    }
                    Err(DiskError::Cut { lost: None, .. }) if left == 0 => continue,
                    other => panic!("{how}: {other:?}"),
                },
                None if left == 0 => continue,
                None => store = Some(DiskStore::open(&path, "game").unwrap()),
            }
            // The value of an entry can be left, and not its checksum.
            let there = present(store.as_ref().unwrap(), 0..values);
            assert!(there <= left + 1 && there + 1 >= left, "{how}, {there} came back");
        }
    }
}

/// A closed file of which a half was overwritten.
#[test]
fn all_that_is_left_of_an_overwritten_file_is_saved() {
    for half in 0..2 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("game.store");
        let store = DiskStore::open(&path, "game").unwrap();
        insert(&store, 0..20_000).unwrap();
        store.flush().unwrap();
        drop(store);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2 / 4096 * 4096;
        // The first page tells a store from other files. Of a page without its beginning nothing can be read.
        let range = if half == 0 { 4096..middle } else { middle..bytes.len() };
        bytes[range].fill(0);
        fs::write(&path, bytes).unwrap();
        let left = in_the_file(&path, 0..20_000);
        match DiskStore::<f64>::open(&path, "game") {
            Ok(store) => {
                let there = present(&store, 0..20_000);
                assert!(there <= left + 1 && there + 2 >= left && left > 5000, "{there} of {left} came back");
                assert!(store.damaged() > 0);
            }
            Err(error) => panic!("half {half}: {left} are left: {error}"),
        }
    }
}
