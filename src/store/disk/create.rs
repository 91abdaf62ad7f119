//! The file of a store: what is at the path, and how it comes there.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use redb::Table;
use xxhash_rust::xxh3::xxh3_64;

use super::DiskError;
use super::backend::{Lock, Switched};
use super::engine::{self, ENTRIES, HEADER, HEADER_KEY};
use super::guard;
use crate::engine::files::{self, directory_of, sync_directory};

/// How a file of redb's begins.
const REDB: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";
/// So many processes can make one store at the same time and die, and what they leave is removed.
const AT_ONCE: usize = 8;

/// The file of the store at `path`, which is made with `header` if there is none; then with the owner and permissions
/// of `like`, if there is that.
pub(super) fn open_or_create(path: &Path, header: &[u8], like: Option<&Metadata>) -> Result<File, DiskError> {
    remove_unfinished(path);
    for _ in 0..4 {
        match open(path) {
            Err(DiskError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        // If somebody else makes it at the same moment, theirs is the store.
        make(path, header, like, |_| Ok(()), |temporary| place(temporary, path))?;
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

/// Puts a store with the entries that `fill` writes in the place of the damaged file at the path, which is kept beside
/// it.
pub(super) fn replace(
    path: &Path,
    damaged: &File,
    header: &[u8],
    fill: impl FnOnce(&mut Table<'_, &[u8], &[u8]>) -> Result<(), redb::Error>,
) -> Result<(), DiskError> {
    // Whoever could not read the damaged one cannot read the new one.
    let like = damaged.metadata().map_err(DiskError::io(path))?;
    make(path, header, Some(&like), fill, |temporary| {
        keep(path, damaged, &like)?;
        fs::rename(temporary, path)
    })
}

/// Gives the damaged file at the path a name that nothing has, beside its own.
fn keep(path: &Path, damaged: &File, like: &Metadata) -> io::Result<()> {
    let name = |number: u64| {
        let mut name = OsString::from(path);
        name.push(if number == 1 { ".damaged".to_owned() } else { format!(".damaged.{number}") });
        PathBuf::from(name)
    };
    for aside in (1..).map(name) {
        let kept = fs::hard_link(path, &aside).or_else(|error| match error.kind() {
            // By a process that died before the new one was in its place.
            io::ErrorKind::AlreadyExists if is_linked(damaged, &aside) => Ok(()),
            io::ErrorKind::AlreadyExists => Err(error),
            // There are file systems without links.
            _ => {
                let mut copy = files::create(&aside, Some(like))?;
                io::copy(&mut File::open(path)?, &mut copy).and_then(|_| copy.sync_all())
            }
        });
        match kept {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other,
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Makes a store under a name of its own, and has `place` give it the path's when it is whole and durable.
fn make(
    path: &Path,
    header: &[u8],
    like: Option<&Metadata>,
    fill: impl FnOnce(&mut Table<'_, &[u8], &[u8]>) -> Result<(), redb::Error>,
    place: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), DiskError> {
    let error = DiskError::io(path);
    let Some(names) = unfinished(path) else {
        return Err(error(io::Error::new(io::ErrorKind::InvalidInput, "the path does not end in a file's name")));
    };
    let (temporary, file, lock) = new_file(names, like).map_err(error)?;
    let made = guard::guarded(path, || {
        let database = engine::builder().create_with_backend(Switched::locked(&file)?)?;
        engine::write(&database, |transaction| {
            transaction.open_table(HEADER)?.insert(HEADER_KEY, header)?;
            fill(&mut transaction.open_table(ENTRIES)?)
        })?;
        Ok(database.close()?)
    });
    let placed = made.and_then(|()| file.sync_all().and_then(|()| place(&temporary)).map_err(error));
    let _ = fs::remove_file(&temporary); // it has another name by now, or was no use
    drop(lock); // not before: it says that somebody is writing
    placed?;
    sync_directory(path); // a store whose name is lost is only empty
    Ok(())
}

/// The names for a file that becomes the store at the path when it is whole, which are of fixed length, so that a name
/// of any length has them.
fn unfinished(path: &Path) -> Option<impl Iterator<Item = PathBuf>> {
    let hash = xxh3_64(path.file_name()?.as_encoded_bytes());
    let directory = directory_of(path).to_owned();
    Some((0_u64..).map(move |number| directory.join(format!(".shapley-{hash:016x}-{number}"))))
}

/// A new file, under the first of these names that is free, and locked for as long as it is being written.
fn new_file(names: impl Iterator<Item = PathBuf>, like: Option<&Metadata>) -> io::Result<(PathBuf, File, Lock)> {
    for temporary in names {
        match files::create(&temporary, like) {
            Ok(file) => match Lock::take(&temporary, &file) {
                Ok(lock) if files::is_at(&file, &temporary).unwrap_or(false) => return Ok((temporary, file, lock)),
                // Between the two, somebody has taken it for one that was left, and removes it.
                Ok(_) | Err(DiskError::InUse { .. }) => {}
                Err(DiskError::Io { source, .. }) => return Err(source),
                Err(error) => return Err(io::Error::other(error)),
            },
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
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

/// Removes what processes that died left unfinished of the store at the path. None of it matters, so nor do errors.
fn remove_unfinished(path: &Path) {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()); // it lies beside what a link leads to
    for (number, temporary) in unfinished(&path).into_iter().flatten().enumerate() {
        // A link, or what cannot be written, is not of this store.
        match files::open_itself(&temporary) {
            Ok(file) => remove_if_dead(&temporary, &file, &path),
            Err(_) if number >= AT_ONCE => break,
            Err(_) => {}
        }
    }
}

/// Removes an unfinished file, unless a living process has its lock.
fn remove_if_dead(temporary: &Path, file: &File, path: &Path) {
    // The store itself, if the process died between the two names: to lock that would be in the way of others.
    let finished = is_linked(file, path);
    let lock = if finished { None } else { Lock::held(file).ok().flatten() };
    if (finished || lock.is_some()) && files::is_at(file, temporary).unwrap_or(false) {
        let _ = fs::remove_file(temporary);
    }
}

/// Whether the path is a name of this file, for certain.
fn is_linked(file: &File, path: &Path) -> bool {
    cfg!(unix) && files::is_at(file, path).unwrap_or(false)
}
