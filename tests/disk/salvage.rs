//! What the repair of a damaged store must not do: touch another file, take the place of one that is no use, report
//! nonsense, or run twice.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use shapley::store::{DiskError, Store};
use shapley::{Coalition, DiskStore};
use tempfile::TempDir;

const PAGE: usize = 4096;

fn coalition(mask: u64) -> Coalition {
    Coalition::from_mask(14, mask)
}

fn value(mask: u64) -> f64 {
    (mask as f64 + 0.3).sqrt()
}

/// A store that is closed, and its bytes.
fn made(entries: u64) -> (TempDir, PathBuf, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("game.store");
    let store = DiskStore::open(&path, "game").unwrap();
    let masks = 0..entries;
    let coalitions: Vec<Coalition> = masks.clone().map(coalition).collect();
    store.insert_many(&coalitions, &masks.map(value).collect::<Vec<f64>>()).unwrap();
    drop(store);
    let bytes = fs::read(&path).unwrap();
    (directory, path, bytes)
}

/// Where redb's pages of a kind begin: leaves are 1, branches are 2.
fn pages(bytes: &[u8], kind: u8) -> Vec<usize> {
    (0..bytes.len()).step_by(PAGE).filter(|&at| bytes[at] == kind).collect()
}

/// Damages one entry.
fn damage(bytes: &mut [u8], mask: u64) {
    let sought = value(mask).to_le_bytes();
    let places: Vec<usize> = (0..bytes.len() - 8).filter(|&at| bytes[at..at + 8] == sought).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| bytes[at + 3] ^= 0x10);
}

fn files_in(path: &Path) -> usize {
    fs::read_dir(path.parent().unwrap()).unwrap().count()
}

/// A store is found damaged while it is open, and by then another file has its path: that one is left alone.
#[cfg(unix)]
#[test]
fn only_the_damaged_file_itself_is_replaced() {
    for other in [Some("another program's"), None] {
        let (_directory, path, mut bytes) = made(300);
        let store = DiskStore::<f64>::open(&path, "game").unwrap();
        damage(&mut bytes, 123);
        fs::write(&path, &bytes).unwrap();
        assert!(!store.verify().unwrap().whole);
        let elsewhere = path.with_extension("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        if let Some(other) = other {
            fs::write(&path, other).unwrap();
        }
        let error = store.get(&coalition(5)).unwrap_err().0;
        assert!(matches!(error, DiskError::Damaged { .. }), "{error}");
        assert!(error.to_string().ends_with("it was damaged, and it is not at its path any more"), "{error}");
        drop(store);
        assert_eq!(fs::read(&path).ok().as_deref(), other.map(str::as_bytes));
        assert_eq!(files_in(&path), 1 + usize::from(other.is_some()), "nothing was made");
        let store = DiskStore::<f64>::open(&elsewhere, "game").unwrap();
        assert_eq!((store.repaired(), store.damaged(), store.len()), (true, 1, 299));
    }
}

#[cfg(unix)]
#[test]
fn what_a_link_leads_to_is_replaced_and_not_the_link() {
    let (directory, path, mut bytes) = made(300);
    damage(&mut bytes, 123);
    fs::write(&path, &bytes).unwrap();
    let apart = tempfile::tempdir().unwrap();
    let link = apart.path().join("link.store");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let store = DiskStore::<f64>::open(&link, "game").unwrap();
    assert_eq!((store.repaired(), store.len()), (true, 299));
    drop(store);
    assert_eq!(fs::read_link(&link).unwrap(), path);
    assert_eq!(files_in(&link), 1);
    assert_eq!(files_in(&path), 2);
    assert!(directory.path().join("game.store.damaged").exists());
    assert!(!DiskStore::<f64>::open(&path, "game").unwrap().repaired());
}

/// A process that died between the two has left the damaged file with both names.
#[cfg(unix)]
#[test]
fn the_damaged_file_is_kept_once() {
    let (_directory, path, mut bytes) = made(300);
    damage(&mut bytes, 123);
    fs::write(&path, &bytes).unwrap();
    fs::hard_link(&path, path.with_extension("store.damaged")).unwrap();
    assert!(DiskStore::<f64>::open(&path, "game").unwrap().repaired());
    assert_eq!(files_in(&path), 2);
}

#[test]
fn a_store_without_a_whole_entry_is_left_as_it_is() {
    let (_directory, path, mut bytes) = made(40);
    (0..40).for_each(|mask| damage(&mut bytes, mask));
    fs::write(&path, &bytes).unwrap();
    let error = DiskStore::<f64>::open(&path, "game").unwrap_err();
    assert!(matches!(error, DiskError::Damaged { .. }), "{error}");
    assert!(error.to_string().ends_with("no entry can be read"), "{error}");
    assert_eq!(files_in(&path), 1, "nothing was made");
    assert_eq!(fs::read(&path).unwrap().len(), bytes.len());
}

#[test]
fn losses_are_counted_by_what_can_have_been_there() {
    // The tree says that there are as many as numbers go.
    let (_directory, path, bytes) = made(331);
    let mut absurd = bytes.clone();
    let places: Vec<usize> = (0..bytes.len() - 8).filter(|&at| bytes[at..at + 8] == 331_u64.to_le_bytes()).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| absurd[at..at + 8].copy_from_slice(&(u64::MAX / 3).to_le_bytes()));
    fs::write(&path, &absurd).unwrap();
    let store = DiskStore::<f64>::open(&path, "game").unwrap();
    assert!(store.repaired() && store.len() == 331);
    assert!(store.damaged() <= (bytes.len() / 16) as u64, "{}", store.damaged());
    drop(store);

    // The way to the leaves is gone, and all of them are found: among them can be some that were never committed, so
    // another can be lost.
    let (_directory, path, mut bytes) = made(2_000);
    let root = pages(&bytes, 2);
    assert!(!root.is_empty());
    root.into_iter().for_each(|at| bytes[at..at + PAGE].fill(0));
    fs::write(&path, &bytes).unwrap();
    let store = DiskStore::<f64>::open(&path, "game").unwrap();
    assert_eq!((store.repaired(), store.len(), store.damaged()), (true, 2_000, 1));
}

/// Pages of older commits are looked at too, and what they have is older.
#[test]
fn a_value_that_was_replaced_does_not_come_back() {
    let (_directory, path, _) = made(2_000);
    let store = DiskStore::<f64>::open(&path, "game").unwrap();
    for mask in 0..20 {
        store.insert(&coalition(mask), &-value(mask)).unwrap();
    }
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let old = value(3).to_le_bytes();
    assert!((0..bytes.len() - 8).any(|at| bytes[at..at + 8] == old), "an old page is there");
    // The tree leads to the first leaves, and no further than this one. Keys are compared by their first byte first.
    let last = Coalition::from_mask(14, 0x06ff).bytes().collect::<Vec<u8>>();
    let has = |at: usize| bytes[at..at + PAGE].windows(2).any(|two| two == last);
    let leaves: Vec<usize> = pages(&bytes, 1).into_iter().filter(|&at| has(at)).collect();
    assert!(!leaves.is_empty());
    leaves.into_iter().for_each(|at| bytes[at..at + PAGE].fill(0));
    fs::write(&path, &bytes).unwrap();
    let store = DiskStore::<f64>::open(&path, "game").unwrap();
    assert!(store.repaired());
    for mask in 0..3 {
        assert_eq!(store.get(&coalition(mask)).unwrap(), Some(-value(mask)), "{mask}");
    }
}

/// A tree whose branches have one child many times each: few pages, and more ways through them than there is time for.
#[test]
fn a_tree_that_leads_to_the_same_page_again_and_again_ends() {
    let (_directory, path, mut bytes) = made(4_000);
    // A branch: 2, a byte, the number of keys, 4 bytes, the checksum of each child (16 bytes), the page of each (8).
    let number = |bytes: &[u8], at: usize| u64::from_le_bytes(*bytes[at..].first_chunk().unwrap()) as usize;
    for at in pages(&bytes, 2) {
        let children = 1 + usize::from(u16::from_le_bytes([bytes[at + 2], bytes[at + 3]]));
        if children < 10 {
            continue; // of an older commit
        }
        let child = |at: usize, k: usize| at + 8 + 16 * children + 8 * k;
        let numbers: Vec<usize> = (0..children).map(|k| number(&bytes, child(at, k))).collect();
        // Pages are counted from one whose place the file's head says: from there all children are leaves.
        let is_leaf = |page: usize| bytes.get(page) == Some(&1);
        let is_first = |first: &usize| numbers.iter().all(|page| is_leaf(first + PAGE * page));
        let first = (0..16).map(|page| page * PAGE).find(is_first).expect("the first page");
        // Eight leaves become copies of it, and each of these leads to the next only.
        let branch = bytes[at..at + PAGE].to_vec();
        let chain = &numbers[1..9];
        for (place, &page) in chain.iter().enumerate() {
            let from = if place == 0 { at } else { first + PAGE * chain[place - 1] };
            bytes[from..from + PAGE].copy_from_slice(&branch);
            (0..children).for_each(|k| bytes[child(from, k)..][..8].copy_from_slice(&(page as u64).to_le_bytes()));
        }
        bytes[first + PAGE * chain[7]..][..PAGE].copy_from_slice(&branch);
        let leaf = (numbers[9] as u64).to_le_bytes();
        (0..children).for_each(|k| bytes[child(first + PAGE * chain[7], k)..][..8].copy_from_slice(&leaf));
    }
    fs::write(&path, &bytes).unwrap();
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let store = DiskStore::<f64>::open(&path, "game").unwrap();
        send.send((store.repaired(), store.len() + store.damaged())).unwrap();
    });
    assert_eq!(receive.recv_timeout(Duration::from_secs(60)).expect("it ends"), (true, 4_000));
}

/// Both would put a new file in its place, and one of them would go on with a file that has no name any more.
#[test]
fn of_those_who_open_a_damaged_store_at_once_one_has_it() {
    for _ in 0..10 {
        let (_directory, path, mut bytes) = made(3_000);
        damage(&mut bytes, 123);
        fs::write(&path, &bytes).unwrap();
        let results: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| DiskStore::<f64>::open(&path, "game"))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let opened: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
        assert_eq!(opened.len(), 1);
        opened[0].flush().unwrap();
        assert_eq!(opened[0].len(), 2_999);
        for error in results.iter().filter_map(|result| result.as_ref().err()) {
            let outrun = error.to_string().ends_with("it is not at its path any more");
            assert!(outrun || matches!(error, DiskError::InUse { .. }), "{error}");
        }
        assert_eq!(files_in(&path), 2);
    }
}

#[cfg(unix)]
#[test]
fn a_repaired_store_is_of_the_same_owner_and_can_be_read_by_no_more_people() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

    for mode in [0o600, 0o640, 0o644] {
        let (_directory, path, mut bytes) = made(300);
        damage(&mut bytes, 123);
        fs::write(&path, &bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let root = chown(&path, Some(12_345), Some(54_321)).is_ok();
        let before = fs::metadata(&path).unwrap();
        assert!(DiskStore::<f64>::open(&path, "game").unwrap().repaired());
        for path in [&path, &path.with_extension("store.damaged")] {
            let after = fs::metadata(path).unwrap();
            assert_eq!(after.mode() & 0o777, mode);
            assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()), "as root: {root}");
        }
    }
}
