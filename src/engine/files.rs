//! Files that survive a crash of the machine, and that are nobody else's.
//!
//! All files that this crate makes are made here. None is made through a link that somebody has put in its place, and
//! one that is to replace another can be read by no more people than that one, from before its first byte on.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

/// Makes the name of a file durable. Not every file system can, so this does not fail.
pub(crate) fn sync_directory(path: &Path) {
    #[cfg(unix)]
    let _ = File::open(directory_of(path)).and_then(|directory| directory.sync_all());
    #[cfg(not(unix))]
    let _ = path;
}

/// The directory that a file is in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a file where nothing is, and no link either: `AlreadyExists` otherwise. It has the owner and the permissions
/// of the file `like`; without one, what files of this process have.
pub(crate) fn create(path: &Path, like: Option<&Metadata>) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    if let Some(like) = like {
        use std::os::unix::fs::OpenOptionsExt as _;
        let file = options.mode(0o600).open(path)?;
        return match give(&file, like) {
            Ok(()) => Ok(file),
            Err(error) => {
                let _ = fs::remove_file(path);
                Err(error)
            }
        };
    }
    #[cfg(not(unix))]
    let _ = like; // files have the permissions of their directory
    options.open(path)
}

/// Gives a file that only its owner can read the owner and the permissions of another.
#[cfg(unix)]
fn give(file: &File, like: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

    let new = file.metadata()?;
    let mut mode = like.mode() & 0o777;
    let (owner, group) = (like.uid(), like.gid());
    // Only root can give a file away. Others can keep its group, if they are in it.
    if (new.uid(), new.gid()) != (owner, group)
        && fchown(file, Some(owner), Some(group)).is_err()
        && new.gid() != group
        && fchown(file, None, Some(group)).is_err()
    {
        // Another group, of which nobody may read it; and the old one is among the others now.
        mode &= 0o700 | (mode >> 3 & 0o007);
    }
    if new.mode() & 0o777 == mode { Ok(()) } else { file.set_permissions(fs::Permissions::from_mode(mode)) }
}

/// Opens the regular file at the path for reading and writing. A link is not followed, and nothing is made or cut.
pub(crate) fn open_itself(path: &Path) -> io::Result<File> {
    let check = |metadata: Metadata| match metadata.is_file() {
        true => Ok(metadata),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a link, or not a regular file")),
    };
    check(fs::symlink_metadata(path)?)?;
    let file = File::options().read(true).append(true).open(path)?;
    // Somebody can have put a link there since.
    match same(&file.metadata()?, &check(fs::symlink_metadata(path)?)?) {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "another file was put in its place meanwhile")),
    }
}

/// Whether the file is the one that the path leads to.
#[cfg(feature = "disk")]
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    Ok(same(&file.metadata()?, &fs::metadata(path)?))
}

/// Whether these are of the same file.
#[cfg(unix)]
fn same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere it cannot be told, and links take rights that few have.
#[cfg(not(unix))]
fn same(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// Opens the file of a lock, or makes it. A link is not followed.
#[cfg(feature = "mpi")]
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    match create(path, None) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open_itself(path),
        other => other,
    }
}

/// Replaces the file at `path` by one that `write` fills, as a whole or not at all. It is made at `temporary`, in the
/// same directory, which no other process may use; with the owner and the permissions of `like`, or else of the file
/// that it replaces. When this returns, the file is on the disk.
#[cfg(feature = "mpi")]
pub(crate) fn replace<T>(
    path: &Path,
    temporary: &Path,
    like: Option<&Metadata>,
    write: impl FnOnce(&mut File) -> io::Result<T>,
) -> io::Result<()> {
    // What a process that died has left; or a link, of which what it leads to is left alone.
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let replaced = fs::symlink_metadata(path).ok().filter(Metadata::is_file);
    let mut file = create(temporary, like.or(replaced.as_ref()))?;
    let written = write(&mut file).and_then(|_| file.sync_all());
    drop(file);
    let replaced = written.and_then(|()| fs::rename(temporary, path));
    if replaced.is_err() {
        let _ = fs::remove_file(temporary); // the disk may be full
    }
    sync_directory(path);
    replaced
}
