//! Who can read the files that a store makes beside its own, and what becomes of them when a process dies.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use shapley::store::Store;
use shapley::{Coalition, DiskStore};

const PATH: &str = "PRIVATE_STORE";

fn coalition(mask: u64) -> Coalition {
    Coalition::from_mask(30, mask)
}

/// The child of the tests below, which repairs a store.
#[test]
fn child() {
    if let Ok(path) = std::env::var(PATH) {
        let store = DiskStore::<f64>::open(path, "game").unwrap();
        assert!(store.repaired());
    }
}

fn repair(path: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "privacy::child", "--nocapture"]).env(PATH, path);
    child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// A damaged store whose repair takes a while.
fn damaged(path: &Path, entries: u64) {
    let store = DiskStore::open(path, "game").unwrap();
    let coalitions: Vec<Coalition> = (0..entries).map(coalition).collect();
    store.insert_many(&coalitions, &vec![0.25; entries as usize]).unwrap();
    drop(store);
    let mut bytes = fs::read(path).unwrap();
    let leaf = (0..bytes.len()).step_by(4096).find(|&at| bytes[at] == 1 && bytes[at + 2] > 20).unwrap();
    bytes[leaf + 2000] ^= 1;
    fs::write(path, &bytes).unwrap();
}

fn unfinished(directory: &Path) -> Option<PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.into_iter().find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(".shapley-"))
}

fn signal(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

#[test]
fn an_unfinished_repair_can_be_read_by_no_more_people_and_is_removed_when_its_process_is_dead() {
    for mode in [0o600, 0o640] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("game.store");
        damaged(&path, 40_000);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let _ = chown(&path, Some(12_345), Some(54_321)); // where that is allowed
        let original = fs::metadata(&path).unwrap();
        let mut child = repair(&path);
        let begun = Instant::now();
        let temporary = loop {
            assert!(begun.elapsed() < Duration::from_secs(60), "no file is made");
            match unfinished(directory.path()) {
                Some(temporary) => {
                    let now = fs::metadata(&temporary).unwrap();
                    assert_eq!(now.mode() & 0o777 & !mode, 0, "from the first moment");
                    if now.len() > 0 {
                        assert_eq!(now.mode() & 0o777, mode);
                        assert_eq!((now.uid(), now.gid()), (original.uid(), original.gid()));
                        break temporary;
                    }
                }
                None => assert!(child.try_wait().unwrap().is_none(), "it was faster"),
            }
        };
        // A process that lives is not in a hurry.
        signal(&child, "-STOP");
        assert!(DiskStore::<f64>::open(&path, "game").is_err());
        assert!(temporary.exists(), "a living process is writing it");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(temporary.exists());
        let store = DiskStore::<f64>::open(&path, "game").unwrap();
        assert!(store.repaired() && store.len() > 39_000);
        assert_eq!(unfinished(directory.path()), None);
        drop(store);
        let now = fs::metadata(&path).unwrap();
        assert_eq!((now.mode() & 0o777, now.uid(), now.gid()), (mode, original.uid(), original.gid()));
    }
}

#[test]
fn only_what_was_left_of_this_store_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let hash = xxhash_rust::xxh3::xxh3_64(b"game.store");
    let name = |hash: u64, rest: &str| directory.path().join(format!(".shapley-{hash:016x}-{rest}"));
    let left = [name(hash, "0"), name(hash, "1"), name(hash, "7")];
    let kept = [name(hash ^ 1, "0"), name(hash, "notes"), name(hash, "2"), name(hash, "3"), directory.path().join("a")];
    for path in left.iter().chain(&kept[..2]).chain(&kept[4..]) {
        fs::write(path, "half a store").unwrap();
    }
    symlink(&kept[4], &kept[2]).unwrap();
    fs::create_dir(&kept[3]).unwrap();
    let path = directory.path().join("game.store");
    for opening in ["the first", "the next"] {
        drop(DiskStore::<f64>::open(&path, "game").unwrap());
        assert!(left.iter().all(|path| !path.exists()), "{opening}");
        assert!(kept.iter().all(|path| fs::symlink_metadata(path).is_ok()), "{opening}");
        assert_eq!(fs::read(&kept[4]).unwrap(), b"half a store");
        left.iter().for_each(|path| fs::write(path, "half a store").unwrap());
    }
    // It died between the two names of a store that is whole.
    fs::remove_file(&left[0]).unwrap();
    fs::hard_link(&path, &left[0]).unwrap();
    drop(DiskStore::<f64>::open(&path, "game").unwrap());
    assert!(!left[0].exists() && path.exists());
}

/// A store by its name from the current directory is the same when that is another.
#[test]
fn a_store_is_where_it_was_opened() {
    const TO: &str = "STORE_AND_DIRECTORY";
    if std::env::var(TO).is_ok() {
        let store = DiskStore::<f64>::open("game.store", "game").unwrap().commit_every(1);
        std::env::set_current_dir("elsewhere").unwrap();
        store.insert(&coalition(1), &1.0).unwrap();
        let file = fs::File::options().write(true).open("../game.store").unwrap();
        file.set_len(file.metadata().unwrap().len() - 1).unwrap();
        assert!(store.flush().unwrap_err().to_string().contains("was cut to"));
        store.insert(&coalition(2), &2.0).unwrap();
        assert_eq!((store.len(), store.repaired(), store.path()), (2, true, Path::new("game.store")));
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("elsewhere")).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "privacy::a_store_is_where_it_was_opened", "--nocapture"]).env(TO, "");
    let output = child.current_dir(directory.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let store = DiskStore::<f64>::open(directory.path().join("game.store"), "game").unwrap();
    assert_eq!(store.len(), 2);
    assert_eq!(fs::read_dir(directory.path().join("elsewhere")).unwrap().count(), 0);
}
