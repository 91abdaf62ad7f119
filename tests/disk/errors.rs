//! What cannot be opened: each reason is its own error, which names the file and both sides.

use std::fs;
use std::path::{Path, PathBuf};

use redb::ReadableTable as _;
use shapley::store::{DiskError, Encode, Store, StoreError};
use shapley::{Coalition, DiskStore, Value};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("game.store");
    (directory, path)
}

/// A store with one value in it, closed.
fn made(path: &Path) {
    DiskStore::open(path, "game 1").unwrap().insert(&Coalition::grand(9), &0.5).unwrap();
}

fn error(path: &Path) -> DiskError {
    DiskStore::<f64>::open(path, "game 1").expect_err("it opened")
}

#[test]
fn another_game_or_type_is_an_error_that_names_both() {
    let (_directory, path) = place();
    made(&path);
    let shown = path.display();
    let error = DiskStore::<f64>::open(&path, "game 2").unwrap_err();
    assert!(
        matches!(&error, DiskError::Fingerprint { found, expected, .. } if found == "game 1" && expected == "game 2")
    );
    assert_eq!(
        error.to_string(),
        format!("the store {shown} is of game \"game 1\", and game \"game 2\" was asked for")
    );

    let error = DiskStore::<[f64; 2]>::open(&path, "game 1").unwrap_err();
    assert!(matches!(&error, DiskError::Type { found, expected, .. } if found == "f64" && expected == "[f64; 2]"));
    assert_eq!(error.to_string(), format!("the store {shown} holds values of type f64, and [f64; 2] was asked for"));

    // None of this harmed it.
    let store = DiskStore::<f64>::open(&path, "game 1").unwrap();
    assert_eq!(store.get(&Coalition::grand(9)).unwrap(), Some(0.5));
}

#[test]
fn a_type_name_tells_a_terminal_nothing() {
    for (name, shown) in [("\u{1b}[m", "\\u{1b}[m"), ("\u{202e}", "\\u{202e}"), ("a\nb", "a↵b")] {
        let (_directory, path) = place();
        made(&path);
        rewrite_header(&path, |header| {
            let at = header.windows(3).position(|bytes| bytes == b"f64").unwrap();
            header[at..at + 3].copy_from_slice(name.as_bytes());
        });
        let error = error(&path);
        assert!(matches!(&error, DiskError::Type { found, .. } if found == name), "{error:?}");
        let text = format!("the store {} holds values of type {shown}, and f64 was asked for", path.display());
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn an_empty_file_is_not_a_new_store() {
    let (_directory, path) = place();
    fs::write(&path, []).unwrap();
    let error = error(&path);
    assert!(matches!(error, DiskError::Empty { .. }), "{error}");
    assert!(error.to_string().starts_with(&format!("{} is empty", path.display())), "{error}");
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[test]
fn a_directory_is_not_a_store() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path(), &directory.path().join("."), Path::new("/"), Path::new(".."), Path::new(".")] {
        let error = error(path);
        assert!(matches!(error, DiskError::Directory { .. }), "{error}");
        assert_eq!(error.to_string(), format!("{} is a directory, and a store is a file", path.display()));
    }
}

#[test]
fn a_read_only_file_is_left_alone() {
    let (_directory, path) = place();
    made(&path);
    let bytes = fs::read(&path).unwrap();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let error = error(&path);
    assert!(matches!(error, DiskError::ReadOnly { .. }), "{error}");
    assert_eq!(error.to_string(), format!("{} is read-only, and a store must be written", path.display()));
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn what_other_programs_wrote_is_foreign() {
    let (_directory, path) = place();
    for bytes in [&b"PNG and then some"[..], b"redb", b"{}", &[0; 5000]] {
        fs::write(&path, bytes).unwrap();
        let error = error(&path);
        assert!(matches!(error, DiskError::Foreign { .. }), "{error}");
        let start = &bytes[..bytes.len().min(9)];
        let text = format!("{} is not a store of this crate: it begins with {start:02x?}", path.display());
        assert_eq!(error.to_string(), text);
        assert_eq!(fs::read(&path).unwrap(), bytes, "it was written to");
    }
    fs::remove_file(&path).unwrap();
    let database = redb::Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    const OTHER: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("of another program");
    transaction.open_table(OTHER).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let text = format!("{} is not a store of this crate: it is a redb file without a store's header", path.display());
    assert_eq!(error(&path).to_string(), text);
}

#[test]
fn no_directory_is_an_error_of_the_system() {
    let (directory, _) = place();
    let path = directory.path().join("none").join("game.store");
    let error = error(&path);
    assert!(matches!(&error, DiskError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound), "{error}");
    assert_eq!(error.to_string(), format!("the store {} could not be read or written", path.display()));
}

#[cfg(unix)]
#[test]
fn links_lead_to_the_store_or_nowhere() {
    let (directory, path) = place();
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(error(&link), DiskError::Io { .. })); // nowhere yet
    made(&path);
    assert_eq!(DiskStore::open(&link, "game 1").unwrap().get(&Coalition::grand(9)).unwrap(), Some(0.5));
    let device = Path::new("/dev/null");
    assert!(error(device).to_string().ends_with("it is not a regular file"));
}

/// The header's record, with a checksum that is right again.
fn rewrite_header(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    const HEADER: redb::TableDefinition<'_, &[u8], &[u8]> = redb::TableDefinition::new("shapley.header");
    let database = redb::Database::create(path).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(HEADER).unwrap();
        let mut header = table.get(&b"header"[..]).unwrap().unwrap().value().to_vec();
        header.truncate(header.len() - 8);
        change(&mut header);
        let checksum = xxhash_rust::xxh3::xxh3_64(&header);
        header.extend_from_slice(&checksum.to_le_bytes());
        table.insert(&b"header"[..], header.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
}

#[test]
fn a_later_format_is_an_error_that_names_both() {
    let (_directory, path) = place();
    made(&path);
    rewrite_header(&path, |header| {
        header[0] = 7;
        header.extend_from_slice(b"what later versions add");
    });
    let error = error(&path);
    assert!(matches!(error, DiskError::Version { found: 7, supported: 1, .. }), "{error}");
    assert_eq!(
        error.to_string(),
        format!("the store {} has format 7, and this version reads format 1", path.display())
    );
}

#[test]
fn a_type_whose_width_changed_is_another() {
    let (_directory, path) = place();
    made(&path);
    rewrite_header(&path, |header| header[4] = 16);
    let text =
        format!("the store {} holds values of type f64 of 16 bytes, and f64 of 8 bytes was asked for", path.display());
    assert_eq!(error(&path).to_string(), text);
}

#[test]
fn long_fingerprints_are_refused_before_anything_is_made() {
    let (_directory, path) = place();
    let error = DiskStore::<f64>::open(&path, "x".repeat(4097)).unwrap_err();
    assert!(matches!(error, DiskError::FingerprintTooLong { len: 4097, limit: 4096 }));
    assert_eq!(
        error.to_string(),
        "a fingerprint of 4097 bytes is over the limit of 4096: use a hash of it, by `Fingerprint::hash_of`"
    );
    assert!(!path.exists());
    let longest = "x".repeat(4096);
    assert_eq!(DiskStore::<f64>::open(&path, &longest).unwrap().fingerprint(), longest);
}

/// A type whose encoding does not keep its word.
#[derive(Clone, Debug)]
struct Liar<const NAME: usize, const WIDTH: usize, const BYTES: usize>;

impl<const NAME: usize, const WIDTH: usize, const BYTES: usize> Value for Liar<NAME, WIDTH, BYTES> {
    fn add_assign(&mut self, _: &Self) {}
    fn sub_assign(&mut self, _: &Self) {}
    fn scale(&mut self, _: i128, _: i128) {}
    fn is_finite(&self) -> bool {
        true
    }
    fn zip_with(&self, _: &Self, _: impl FnMut(f64, f64) -> f64) -> Self {
        self.clone()
    }
}

impl<const NAME: usize, const WIDTH: usize, const BYTES: usize> Encode for Liar<NAME, WIDTH, BYTES> {
    const WIDTH: usize = WIDTH;

    fn type_name() -> String {
        "x".repeat(NAME)
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&[7; BYTES]);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        (bytes[0] != 7).then_some(Self)
    }
}

#[test]
fn encodings_that_break_their_contract_are_errors() {
    let (_directory, path) = place();
    let error = DiskStore::<Liar<257, 8, 8>>::open(&path, 1).unwrap_err();
    assert!(error.to_string().ends_with("a name of 257 bytes is over the limit of 256"), "{error}");
    let error = DiskStore::<Liar<1, 0, 0>>::open(&path, 1).unwrap_err();
    assert_eq!(error.to_string(), "x breaks the contract of its encoding: values of 0 bytes do not fit the format");
    assert!(!path.exists());

    let store = DiskStore::<Liar<256, 8, 3>>::open(&path, 1).unwrap();
    let error = store.insert(&Coalition::grand(3), &Liar).unwrap_err();
    assert!(error.to_string().ends_with("it encoded a value in 3 bytes, and promised 8"), "{error}");
    assert_eq!((store.len(), store.num_players()), (0, None));
    drop(store);

    // It decodes nothing of what it encodes.
    let path = path.with_extension("other");
    let store = DiskStore::<Liar<2, 8, 8>>::open(&path, 1).unwrap();
    store.insert(&Coalition::grand(3), &Liar).unwrap();
    let StoreError(error) = store.get(&Coalition::grand(3)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the bytes that the store {} has for {{0, 1, 2}} are not a value of type xx: was its encoding changed?",
            path.display()
        )
    );
    assert_eq!(store.damaged(), 0);
}
