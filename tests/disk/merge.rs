//! Stores of machines that worked apart, united.

use std::fs;
use std::path::PathBuf;

use redb::{ReadableTable as _, TableDefinition};
use shapley::store::{DiskError, Store};
use shapley::{Coalition, DiskStore};
use tempfile::TempDir;

fn places() -> (TempDir, PathBuf, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["ours.store", "theirs.store"].map(|name| directory.path().join(name));
    (directory, ours, theirs)
}

fn coalition(mask: u64) -> Coalition {
    Coalition::from_mask(13, mask)
}

fn value(mask: u64) -> f64 {
    (mask as f64).sqrt() - 3.0
}

fn fill(store: &DiskStore<f64>, masks: impl Iterator<Item = u64>) {
    let (coalitions, values): (Vec<_>, Vec<_>) = masks.map(|mask| (coalition(mask), value(mask))).unzip();
    store.insert_many(&coalitions, &values).unwrap();
}

#[test]
fn all_that_either_has_is_in_the_one() {
    let (_directory, ours, theirs) = places();
    let (ours, theirs) = (DiskStore::open(&ours, "game").unwrap(), DiskStore::open(theirs, "game").unwrap());
    fill(&ours, (0..6_000).filter(|mask| mask % 3 == 0));
    // More than are looked up at once, and some that are not committed yet.
    fill(&theirs, (0..6_000).filter(|mask| mask % 2 == 0));
    theirs.insert(&coalition(8_000), &value(8_000)).unwrap();
    let merged = ours.merge_from(&theirs).unwrap();
    assert_eq!((merged.added, merged.in_both, merged.damaged), (2_001, 1_000, 0));
    assert_eq!((ours.len(), theirs.len()), (4_001, 3_001));
    for mask in (0..6_000).filter(|mask| mask % 3 == 0 || mask % 2 == 0).chain([8_000]) {
        assert_eq!(ours.get(&coalition(mask)).unwrap(), Some(value(mask)));
    }
    // Again, and with itself: nothing is new.
    let merged = ours.merge_from(&theirs).unwrap();
    assert_eq!((merged.added, merged.in_both), (0, 3_001));
    let merged = ours.merge_from(&ours).unwrap();
    assert_eq!((merged.added, merged.in_both), (0, 4_001));
    assert!(ours.verify().unwrap().whole && theirs.verify().unwrap().whole);
}

#[test]
fn an_empty_store_takes_and_gives() {
    let (_directory, ours, theirs) = places();
    let path = ours.clone();
    let (ours, theirs) = (DiskStore::open(&ours, "game").unwrap(), DiskStore::open(theirs, "game").unwrap());
    assert_eq!(ours.merge_from(&theirs).unwrap().added, 0);
    fill(&theirs, 0..10);
    assert_eq!(theirs.merge_from(&ours).unwrap().added, 0);
    assert_eq!(ours.merge_from(&theirs).unwrap().added, 10);
    assert_eq!(ours.num_players(), Some(13));
    drop(ours);
    let ours = DiskStore::<f64>::open(path, "game").unwrap();
    assert_eq!((ours.len(), ours.get(&coalition(9)).unwrap()), (10, Some(0.0)));
}

#[test]
fn stores_of_different_games_are_refused() {
    let (_directory, ours, theirs) = places();
    let (ours, other) = (DiskStore::open(&ours, "game").unwrap(), DiskStore::open(&theirs, "another").unwrap());
    fill(&ours, 0..3);
    fill(&other, 3..6);
    let error = ours.merge_from(&other).unwrap_err();
    assert!(
        matches!(&error, DiskError::Fingerprint { found, expected, .. } if found == "game" && expected == "another"),
        "{error}"
    );
    drop(other);
    fs::remove_file(&theirs).unwrap();
    let other = DiskStore::open(&theirs, "game").unwrap();
    other.insert(&Coalition::grand(12), &0.5).unwrap();
    let error = ours.merge_from(&other).unwrap_err();
    assert!(matches!(error, DiskError::Players { store: 13, asked: 12, .. }), "{error}");
    assert_eq!(ours.len(), 3);
}

#[test]
fn values_that_differ_in_a_bit_are_an_error_that_names_the_coalition() {
    let (_directory, ours, theirs) = places();
    let (ours, theirs) = (DiskStore::open(&ours, "game").unwrap(), DiskStore::open(&theirs, "game").unwrap());
    fill(&ours, 0..100);
    fill(&theirs, 0..100);
    theirs.insert(&coalition(77), &f64::from_bits(value(77).to_bits() + 1)).unwrap();
    let error = ours.merge_from(&theirs).unwrap_err();
    assert!(matches!(&error, DiskError::Conflict { coalition: at, .. } if *at == coalition(77)), "{error}");
    assert!(
        error.to_string().ends_with("have different values of {0, 2, 3, 6}, so they are not of one game"),
        "{error}"
    );
    assert_eq!(ours.get(&coalition(77)).unwrap(), Some(value(77)));
}

/// A bit of an entry's value is turned behind redb's back, so that its pages are whole and the entry is not.
fn damage(path: &PathBuf, mask: u64) {
    let table = TableDefinition::<&[u8], &[u8]>::new("shapley.entries");
    let key: Vec<u8> = coalition(mask).bytes().collect();
    let database = redb::Database::open(path).unwrap();
    let write = database.begin_write().unwrap();
    {
        let mut entries = write.open_table(table).unwrap();
        let mut entry = entries.get(&*key).unwrap().unwrap().value().to_vec();
        entry[3] ^= 1;
        entries.insert(&*key, &*entry).unwrap();
    }
    write.commit().unwrap();
}

#[test]
fn damaged_entries_are_left_out_there_and_replaced_here() {
    let (_directory, ours_path, theirs_path) = places();
    for path in [&ours_path, &theirs_path] {
        fill(&DiskStore::open(path, "game").unwrap(), 0..100);
    }
    damage(&ours_path, 3);
    damage(&theirs_path, 5);
    let (ours, theirs) =
        (DiskStore::<f64>::open(&ours_path, "game").unwrap(), DiskStore::<f64>::open(&theirs_path, "game").unwrap());
    let merged = ours.merge_from(&theirs).unwrap();
    assert_eq!((merged.added, merged.in_both, merged.damaged), (1, 98, 1));
    assert_eq!([3, 5].map(|mask| ours.get(&coalition(mask)).unwrap()), [3, 5].map(|mask| Some(value(mask))));
    assert_eq!(theirs.get(&coalition(5)).unwrap(), None);
}
