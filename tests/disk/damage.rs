//! Damaged files: each gives right values, misses or errors, never a wrong value and never a panic.
//!
//! Seeded, so every run damages the same files in the same ways. The panics that are printed elsewhere are redb's, and
//! are caught by the store; here they are silent.

use std::collections::BTreeMap;
use std::fs;
use std::panic;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use shapley::store::{DiskError, Store};
use shapley::{Coalition, DiskStore};

/// redb's page.
const PAGE: usize = 4096;
/// A file takes milliseconds, so one that takes this long does not end.
const TOO_LONG: Duration = Duration::from_secs(60);

fn value(mask: u64) -> f64 {
    (mask as f64).sqrt() - 3.0
}

/// The bytes of a store of so many values, of 14 players, of which every third is a step from its neighbours.
fn whole(path: &Path, fingerprint: &str, entries: u64, closed: bool) -> Vec<u8> {
    let store = DiskStore::open(path, fingerprint).unwrap().commit_every(500);
    for mask in 0..entries {
        store.insert(&coalition(mask), &value(mask)).unwrap();
    }
    store.flush().unwrap();
    if closed {
        drop(store);
    }
    let bytes = fs::read(path).unwrap(); // of a store that is open: as a process that is killed leaves it
    fs::remove_file(path).unwrap();
    bytes
}

fn coalition(mask: u64) -> Coalition {
    Coalition::from_mask(14, mask)
}

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        (self.0.next_u64() % n as u64) as usize
    }
}

/// The pages that hold something.
fn used(bytes: &[u8]) -> Vec<usize> {
    let pages = bytes.chunks(PAGE).enumerate();
    pages.filter(|(_, page)| page.iter().any(|&byte| byte != 0)).map(|(at, _)| at * PAGE).collect()
}

/// Damages the bytes in one of the ways there are, and says in which.
fn damage(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) -> &'static str {
    let pages = used(bytes);
    let page = |random: &mut Random| pages[random.below(pages.len())];
    let flip = |bytes: &mut [u8], at: usize, random: &mut Random| bytes[at] ^= 1 << random.below(8);
    match random.below(12) {
        0 => {
            let at = page(random) + random.below(PAGE);
            flip(bytes, at, random);
            "one bit"
        }
        1 => {
            for _ in 0..2 + random.below(60) {
                let at = page(random) + random.below(PAGE);
                flip(bytes, at, random);
            }
            "many bits"
        }
        2 => {
            let at = random.below(320);
            flip(bytes, at, random);
            "a bit of the file's head"
        }
        3 => {
            // Where a page says what it is: its kind, its length, where its parts are.
            let at = page(random) + random.below(64);
            flip(bytes, at, random);
            "a bit of a page's head"
        }
        4 => {
            let at = page(random);
            let byte = random.below(256) as u8;
            bytes[at..at + 4 + random.below(60)].fill(byte);
            "a page's head overwritten"
        }
        5 => {
            let len = random.below(bytes.len());
            bytes.truncate(len);
            "cut anywhere"
        }
        6 => {
            let len = random.below(bytes.len() / PAGE) * PAGE;
            bytes.truncate(len);
            "cut at a page"
        }
        7 => {
            let at = page(random);
            bytes[at..at + PAGE].fill(0);
            "a page zeroed"
        }
        8 => {
            let (a, b) = (page(random), page(random));
            for k in 0..PAGE {
                bytes.swap(a + k, b + k);
            }
            "two pages swapped"
        }
        9 => {
            // Pages that point at pages above them are made so.
            let (a, b) = (page(random), page(random));
            bytes.copy_within(a..a + PAGE, b);
            "a page in another's place"
        }
        10 => {
            let (from, to) = (used(other), page(random));
            let from = from[random.below(from.len())];
            bytes[to..to + PAGE].copy_from_slice(&other[from..from + PAGE]);
            "a page of another store"
        }
        _ => {
            for _ in 0..=random.below(3 * PAGE) {
                bytes.push(random.below(256) as u8);
            }
            "bytes after the end"
        }
    }
}

/// What came of a file. All that is not here fails the test.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    files: u32,
    unopened: u32,
    all_right: u32,
    repaired: u32,
    right: u64,
    misses: u64,
    damaged: u64,
    errors: u64,
    verified_whole: u32,
    verified_not: u32,
    unverified: u32,
    insert_errors: u32,
    panics: u32,
}

/// Uses a file as a program would, and looks at every answer. It is damaged before, or by `then` when it is open.
fn use_it(path: &Path, entries: u64, what: &str, then: impl FnOnce() -> bool) -> Tally {
    let mut tally = Tally { files: 1, ..Tally::default() };
    let store = match DiskStore::<f64>::open(path, "game") {
        Ok(store) => store.commit_every(100),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            tally.unopened = 1;
            tally.panics = u32::from(error.to_string().contains("panicked"));
            return tally;
        }
    };
    let open = then();
    let ask = |tally: &mut Tally, mask: u64, put_in: bool| match store.get(&coalition(mask)) {
        Ok(Some(found)) => {
            assert!(put_in, "{what}: a value that was never there, {mask}");
            assert_eq!(found.to_bits(), value(mask).to_bits(), "{what}: a wrong value, {mask}");
            tally.right += 1;
        }
        Ok(None) => tally.misses += u64::from(put_in),
        Err(error) => {
            tally.errors += 1;
            tally.panics |= u32::from(error.to_string().contains("panicked"));
        }
    };
    for mask in 0..entries + 50 {
        ask(&mut tally, mask, mask < entries);
    }
    tally.damaged = store.damaged();
    tally.all_right = u32::from(tally.right == entries);
    tally.repaired = u32::from(store.repaired());
    let told = store.repaired() || store.damaged() > 0 || tally.errors > 0;
    assert!(tally.right == entries || told || open, "{what}: values are missing, and nobody is told");
    match store.verify() {
        Ok(found) if found.whole => {
            assert!(tally.right == entries || store.repaired() || open, "{what}: whole, and values are missing");
            tally.verified_whole = 1;
        }
        Ok(_) => tally.verified_not = 1,
        Err(_) => tally.unverified = 1,
    }
    // Values that are paid for again are put in again. They come back from the buffer and, once flushed, from the file.
    let again: Vec<u64> = (0..entries + 200).step_by(7).collect();
    for &mask in &again {
        tally.insert_errors += u32::from(store.insert(&coalition(mask), &value(mask)).is_err());
    }
    let flushed = store.flush();
    tally.insert_errors += u32::from(flushed.is_err());
    let mut scratch = Tally::default();
    for &mask in &again {
        ask(&mut scratch, mask, true);
    }
    tally.panics |= scratch.panics;
    assert!(flushed.is_err() || scratch.misses == 0 || open, "{what}: values that were flushed are gone");
    drop(store);

    if let Ok(store) = DiskStore::<f64>::open(path, "game") {
        let mut answers = Vec::new();
        let masks: Vec<u64> = (0..entries + 250).collect();
        let all: Vec<Coalition> = masks.iter().map(|&mask| coalition(mask)).collect();
        if store.get_many(&all, &mut answers).is_ok() {
            for (mask, answer) in masks.into_iter().zip(answers) {
                let put_in = mask < entries || again.contains(&mask);
                assert!(
                    answer.is_none_or(|found| put_in && found.to_bits() == value(mask).to_bits()),
                    "{what}: {mask}"
                );
            }
        }
    } else {
        assert!(flushed.is_err() || open, "{what}: it took values and does not open again");
    }
    tally
}

/// In what state a file is when it is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Killed,
    Open,
}

/// Damages files, and uses each, on a thread that is watched.
fn campaign(files: u32, seed: u64, entries: u64, state: State) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("game.store");
    let bytes_of_whole = whole(&path, "game", entries, state != State::Killed);
    let other = whole(&path, "another game", entries, true);
    let mut random = Random(ChaCha8Rng::seed_from_u64(seed));
    let mut tallies: BTreeMap<&'static str, Tally> = BTreeMap::new();
    let mut caught = 0;
    for file in 0..files {
        let mut bytes = bytes_of_whole.clone();
        let what = damage(&mut bytes, &other, &mut random);
        let whole = bytes_of_whole.clone();
        fs::write(&path, if state == State::Open { &whole } else { &bytes }).unwrap();
        let (send, receive) = mpsc::channel();
        let at = path.clone();
        let user = thread::Builder::new().name("quiet".to_owned()).spawn(move || {
            let name = format!("file {file} ({what})");
            let then = || {
                if state == State::Open {
                    fs::write(&at, &bytes).unwrap();
                }
                state == State::Open
            };
            let _ = send.send(use_it(&at, entries, &name, then));
        });
        let user = user.unwrap();
        let tally = match receive.recv_timeout(TOO_LONG) {
            Ok(tally) => tally,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("file {file} ({what}) does not end"),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let message = user.join().unwrap_err();
                let message = message.downcast_ref::<String>().map_or("", |message| message);
                panic!("file {file} ({what}): {message}");
            }
        };
        user.join().unwrap();
        caught += tally.panics;
        let sum = tallies.entry(what).or_default();
        *sum = Tally {
            files: sum.files + 1,
            unopened: sum.unopened + tally.unopened,
            all_right: sum.all_right + tally.all_right,
            repaired: sum.repaired + tally.repaired,
            right: sum.right + tally.right,
            misses: sum.misses + tally.misses,
            damaged: sum.damaged + tally.damaged,
            errors: sum.errors + tally.errors,
            verified_whole: sum.verified_whole + tally.verified_whole,
            verified_not: sum.verified_not + tally.verified_not,
            unverified: sum.unverified + tally.unverified,
            insert_errors: sum.insert_errors + tally.insert_errors,
            panics: sum.panics + tally.panics,
        };
        let _ = fs::remove_file(&path);
    }
    for (what, tally) in &tallies {
        println!("{what}: {tally:?}");
    }
    println!("{caught} panics of redb's were caught");
    assert!(tallies.len() == 12 && tallies.values().map(|tally| tally.files).sum::<u32>() == files);
}

/// redb panics at some damage. That is expected, and printed only for other threads.
fn silence() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if std::env::var_os("SHOW_PANICS").is_some()
                || thread::current().name() != Some("quiet") && thread::current().name() != Some("shapley store")
            {
                print(info);
            }
        }));
    });
}

/// How many files, of each kind: more for a long run.
fn files() -> u32 {
    std::env::var("DISK_DAMAGE_FILES").map_or(260, |files| files.parse().unwrap())
}

#[test]
fn files_of_closed_stores() {
    silence();
    campaign(files(), 1, 600, State::Closed);
}

#[test]
fn files_of_killed_processes() {
    silence();
    campaign(files(), 2, 600, State::Killed);
}

#[test]
fn files_of_open_stores() {
    silence();
    campaign(files(), 3, 600, State::Open);
}

#[test]
fn the_damaged_file_is_kept_and_the_new_one_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("game.store");
    let mut bytes = whole(&path, "game", 300, true);
    let sought = value(123).to_le_bytes();
    for at in 0..bytes.len() - 8 {
        if bytes[at..at + 8] == sought {
            bytes[at + 3] ^= 0x10;
        }
    }
    fs::write(&path, &bytes).unwrap();
    let aside = directory.path().join("game.store.damaged");
    // Of another game it is not repaired.
    assert!(matches!(DiskStore::<f64>::open(&path, "another"), Err(DiskError::Fingerprint { .. })));
    assert!(!aside.exists());

    let store = DiskStore::<f64>::open(&path, "game").unwrap();
    assert_eq!((store.repaired(), store.damaged(), store.len()), (true, 1, 299));
    assert_eq!(store.get(&coalition(123)).unwrap(), None);
    assert_eq!(store.get(&coalition(124)).unwrap(), Some(value(124)));
    store.insert(&coalition(123), &value(123)).unwrap();
    drop(store);
    let kept = fs::read(&aside).unwrap();
    let differ = kept.iter().zip(&bytes).filter(|(kept, given)| kept != given).count();
    assert!(kept.len() == bytes.len() && differ <= 320, "more than the file's head was changed: {differ} bytes");

    let store = DiskStore::<f64>::open(&path, "game").unwrap();
    assert_eq!((store.repaired(), store.damaged(), store.len()), (false, 0, 300));
    assert!(store.verify().unwrap().whole);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

/// Pages that are gone take their own entries with them, and not those between them.
#[test]
fn what_lies_between_two_lost_pages_is_saved() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("game.store");
    let entries = 16_000;
    let bytes = whole(&path, "game", entries, true);
    // Leaves begin with a 1 and the number of entries.
    let leaves: Vec<usize> =
        (0..bytes.len()).step_by(4096).filter(|&at| bytes[at] == 1 && bytes[at + 2] > 20).collect();
    let gone: [&[usize]; 2] = [&[5, leaves.len() - 5], &[1, 2, 40, 90]];
    for (number, gone) in gone.into_iter().enumerate() {
        let mut bytes = bytes.clone();
        gone.iter().for_each(|&leaf| bytes[leaves[leaf]..][..4096].fill(0));
        fs::write(&path, &bytes).unwrap();
        let store = DiskStore::<f64>::open(&path, "game").unwrap();
        assert!(store.repaired());
        assert_eq!(store.len() + store.damaged(), entries);
        assert!(store.damaged() <= 200 * gone.len() as u64, "{} of {entries} are lost", store.damaged());
        let right = (0..entries).filter(|&mask| store.get(&coalition(mask)).unwrap() == Some(value(mask))).count();
        assert_eq!(right as u64, store.len());
        drop(store);
        // The damaged ones are all kept.
        let aside =
            if number == 0 { "game.store.damaged".to_owned() } else { format!("game.store.damaged.{}", number + 1) };
        assert_eq!(fs::read(directory.path().join(aside)).unwrap().len(), bytes.len());
    }
}

/// A page that points at itself, or at another in its place, is no reason to lose the others.
#[test]
fn a_page_in_the_place_of_another_loses_only_that() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("game.store");
    let entries = 16_000;
    let bytes = whole(&path, "game", entries, true);
    let pages = |kind: u8| (0..bytes.len()).step_by(4096).filter(|&at| bytes[at] == kind).collect::<Vec<_>>();
    let (leaves, branches) = (pages(1), pages(2));
    let mut damaged = bytes.clone();
    damaged.copy_within(branches[0]..branches[0] + 4096, leaves[leaves.len() / 2]);
    fs::write(&path, &damaged).unwrap();
    let store = DiskStore::<f64>::open(&path, "game").unwrap();
    assert!(store.len() + 400 >= entries, "{} of {entries} are left", store.len());
    assert_eq!(store.len() + store.damaged(), entries);
}
