//! A store that is open, in this process or another, cannot be opened again.

use std::path::Path;
use std::process::Command;

use shapley::DiskStore;
use shapley::store::DiskError;

/// In a process that is told of a path, the child of the test below.
#[test]
fn holder() {
    if let Ok(path) = std::env::var("DISK_STORE_HELD") {
        let _store = DiskStore::<f64>::open(path, "game 1").unwrap();
        println!("open");
        std::io::Read::read(&mut std::io::stdin(), &mut [0]).unwrap(); // until the parent is done
    }
}

#[test]
fn one_process_at_a_time_and_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("game.store");
    let in_use = |path: &Path| {
        let error = DiskStore::<f64>::open(path, "game 1").expect_err("it opened");
        assert!(matches!(error, DiskError::InUse { .. }), "{error}");
        let text = format!("{} is in use: another process, or this one, has the store open", path.display());
        assert_eq!(error.to_string(), text);
    };
    let store = DiskStore::<f64>::open(&path, "game 1").unwrap();
    in_use(&path);
    drop(store);

    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "in_use::holder", "--nocapture"]).env("DISK_STORE_HELD", &path);
    child.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = child.spawn().unwrap();
    let mut said = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while line.trim_end() != "open" && !line.ends_with("open\n") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut said, &mut line).unwrap() > 0, "the child ended");
    }
    in_use(&path);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(DiskStore::<f64>::open(&path, "game 1").is_ok());
}
