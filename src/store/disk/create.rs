//! The file of a store: what is at the path, and how it comes there.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use redb::Table;
use redb::backends::FileBackend;
use xxhash_rust::xxh3::xxh3_64;

use super::DiskError;
use super::engine::{self, ENTRIES, HEADER, HEADER_KEY};
use crate::engine::files::{directory_of, sync_directory};

/// How a file of redb's begins.
const REDB: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";
/// What a process that died left unfinished is removed when it is this old. Making a store takes milliseconds.
const STALE: Duration = Duration::from_secs(3600);

/// The file of the store at `path`, which is made with `header` if there is none.
pub(super) fn open_or_create(path: &Path, header: &[u8]) -> Result<File, DiskError> {
    for _ in 0..4 {
        match open(path) {
            Err(DiskError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        // If somebody else makes it at the same moment, theirs is the store.
        create(path, header)?;
    }
    // It is made and it is not there: a link that leads nowhere, or it is removed as often.
    Err(DiskError::io(path)(io::ErrorKind::NotFound.into()))
}

/// Opens the file, if it can be a store.
pub(super) fn open(path: &Path) -> Result<File, DiskError> {
    let error = DiskError::io(path);
    let metadata = fs::metadata(path).map_err(error)?;
    if metadata.is_dir() {
        return Err(DiskError::Directory { path: path.to_owned() });
    }
    let foreign = |found: String| DiskError::Foreign { path: path.to_owned(), found };
    if !metadata.is_file() {
        return Err(foreign("it is not a regular file".to_owned()));
    }
    if metadata.len() == 0 {
        return Err(DiskError::Empty { path: path.to_owned() });
    }
    // Root could write it all the same, and whoever took the permission away meant it.
    if metadata.permissions().readonly() {
        return Err(DiskError::ReadOnly { path: path.to_owned() });
    }
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(|refused| match refused.kind() {
        io::ErrorKind::ReadOnlyFilesystem => DiskError::ReadOnly { path: path.to_owned() },
        io::ErrorKind::PermissionDenied if File::open(path).is_ok() => DiskError::ReadOnly { path: path.to_owned() },
        _ => error(refused),
    })?;
    let mut start = Vec::new();
    // A file that cannot be read here is locked, on some systems; redb says so in a moment.
    if (&file).take(REDB.len() as u64).read_to_end(&mut start).is_ok() && start != REDB {
        return Err(foreign(format!("it begins with {start:02x?}")));
    }
    Ok(file)
}

/// Makes a store at the path, unless somebody else does: whole or not at all.
fn create(path: &Path, header: &[u8]) -> Result<(), DiskError> {
    make(path, header, |_| Ok(()), |temporary| place(temporary, path))
}

/// Puts a store with the entries that `fill` writes in the place of the file at the path, which is kept as `aside`.
pub(super) fn replace(
    path: &Path,
    aside: &Path,
    header: &[u8],
    fill: impl FnOnce(&mut Table<'_, &[u8], &[u8]>) -> Result<(), redb::Error>,
) -> Result<(), DiskError> {
    make(path, header, fill, |temporary| {
        // Whoever could not read the damaged one cannot read the new one.
        fs::set_permissions(temporary, fs::metadata(path)?.permissions())?;
        if fs::hard_link(path, aside).is_err() {
            fs::copy(path, aside)?;
        }
        fs::rename(temporary, path)
    })
}

/// Makes a store under a name of its own, and has `place` give it the path's when it is whole and durable.
fn make(
    path: &Path,
    header: &[u8],
    fill: impl FnOnce(&mut Table<'_, &[u8], &[u8]>) -> Result<(), redb::Error>,
    place: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), DiskError> {
    let error = DiskError::io(path);
    let Some(name) = path.file_name() else {
        return Err(error(io::Error::new(io::ErrorKind::InvalidInput, "the path does not end in a file's name")));
    };
    let directory = directory_of(path);
    // Of fixed length, so that a name of any length has one.
    let prefix = format!(".shapley-{:016x}-", xxh3_64(name.as_encoded_bytes()));
    remove_stale(directory, &prefix);
    let (temporary, file) = new_file(directory, &prefix).map_err(error)?;
    let made = file.try_clone().map_err(error).and_then(|file| {
        engine::guarded(path, || {
            let database = engine::builder().create_with_backend(FileBackend::new(file)?)?;
            engine::write(&database, |transaction| {
                transaction.open_table(HEADER)?.insert(HEADER_KEY, header)?;
                fill(&mut transaction.open_table(ENTRIES)?)
            })?;
            Ok(database.close()?)
        })
    });
    let placed = made.and_then(|()| file.sync_all().and_then(|()| place(&temporary)).map_err(error));
    let _ = fs::remove_file(&temporary); // it has another name by now, or was no use
    placed?;
    sync_directory(path); // a store whose name is lost is only empty
    Ok(())
}

/// A new file of a name that nobody has.
fn new_file(directory: &Path, prefix: &str) -> io::Result<(PathBuf, File)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let temporary = directory.join(format!("{prefix}{}-{count}", process::id()));
        match OpenOptions::new().read(true).write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            // Of a process that died, or of one of another machine that has the same number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Gives the file its name, unless another has it.
fn place(temporary: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(temporary, path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // There are file systems without links. Between this look and the renaming another process could make the
        // store, and go on with a file that has no name any more: what it finds is then lost, and nothing is wrong.
        Err(_) if fs::symlink_metadata(path).is_ok() => Ok(()),
        Err(_) => fs::rename(temporary, path),
    }
}

/// Removes what processes that died left unfinished. None of it matters, so nor do errors.
fn remove_stale(directory: &Path, prefix: &str) {
    let stale = |entry: &fs::DirEntry| -> bool {
        let name: OsString = entry.file_name();
        name.as_encoded_bytes().starts_with(prefix.as_bytes())
            && entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > STALE))
    };
    for entry in fs::read_dir(directory).into_iter().flatten().flatten().filter(stale) {
        let _ = fs::remove_file(entry.path());
    }
}
