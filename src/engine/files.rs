//! Files that survive a crash of the machine.

#[cfg(feature = "mpi")]
use std::fs;
use std::fs::File;
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

/// Replaces the file at `path` by one that `write` makes at `temporary`, in the same directory: as a whole or not at
/// all. When it returns, the file is on the disk.
#[cfg(feature = "mpi")]
pub(crate) fn replace<T>(
    path: &Path,
    temporary: &Path,
    write: impl FnOnce(&Path) -> std::io::Result<T>,
) -> std::io::Result<()> {
    let sync = |_| File::options().write(true).open(temporary)?.sync_all();
    let replaced = write(temporary).and_then(sync).and_then(|()| fs::rename(temporary, path));
    if replaced.is_err() {
        let _ = fs::remove_file(temporary); // the disk may be full
    }
    sync_directory(path);
    replaced
}
