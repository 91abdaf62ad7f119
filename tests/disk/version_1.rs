//! A store that format version 1 wrote, kept for ever: version 1 must always be read.

use std::fs;
use std::path::{Path, PathBuf};

use shapley::store::Store;
use shapley::{Coalition, DiskStore};

const FINGERPRINT: &str = "the first version's store, 7";

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/store-v1.redb")
}

/// 11 players, and a few values whose bits are easily lost.
fn entries() -> Vec<(Coalition, [f64; 2])> {
    let odd = [0.0, -0.0, f64::MIN_POSITIVE / 3.0, f64::NEG_INFINITY, f64::from_bits(0x7ff8_dead_beef_0001), -1.5e300];
    (0..200)
        .map(|k: u64| {
            let first = odd.get(k as usize).copied().unwrap_or(k as f64 / 4.0);
            (Coalition::from_mask(11, k * 10), [first, -(k as f64)])
        })
        .collect()
}

#[test]
fn the_kept_file_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    fs::copy(kept(), &path).unwrap();
    let store = DiskStore::<[f64; 2]>::open(&path, FINGERPRINT).unwrap();
    assert_eq!((store.num_players(), store.len(), store.repaired()), (Some(11), 200, false));
    for (coalition, value) in entries() {
        let found = store.get(&coalition).unwrap().unwrap();
        assert_eq!(found.map(f64::to_bits), value.map(f64::to_bits), "{coalition}");
    }
    let found = store.verify().unwrap();
    assert_eq!((found.entries, found.damaged, found.whole), (200, 0, true));
    // It is written to as well, and is the same after.
    let another = Coalition::from_mask(11, 7);
    store.insert(&another, &[0.5, 0.25]).unwrap();
    drop(store);
    let store = DiskStore::<[f64; 2]>::open(&path, FINGERPRINT).unwrap();
    assert_eq!((store.get(&another).unwrap(), store.len()), (Some([0.5, 0.25]), 201));
}

#[test]
#[ignore = "it made the kept file, once, and must not make it again"]
fn make_the_kept_file() {
    assert!(!kept().exists(), "it is to be kept");
    let store = DiskStore::<[f64; 2]>::open(kept(), FINGERPRINT).unwrap();
    for (coalition, value) in entries() {
        store.insert(&coalition, &value).unwrap();
    }
    drop(store);
}
