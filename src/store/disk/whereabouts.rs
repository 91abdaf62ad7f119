//! Where the file of an open store is by now.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

/// What the path of an open file leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    AtPath,
    /// To nothing, and the file has no other name.
    Removed,
    /// To another file.
    Replaced,
    /// To nothing, and the file has another name.
    Moved,
}

impl Whereabouts {
    /// `AtPath` where it cannot be told.
    pub(super) fn of(file: &File, path: &Path) -> Self {
        match (file.metadata(), fs::metadata(path)) {
            (Ok(file), Ok(there)) if is_another(&file, &there) => Self::Replaced,
            (Ok(file), Err(error)) if is_gone(&error) => {
                if has_name(&file) {
                    Self::Moved
                } else {
                    Self::Removed
                }
            }
            _ => Self::AtPath,
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(unix)]
fn is_another(file: &Metadata, there: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (file.dev(), file.ino()) != (there.dev(), there.ino())
}

#[cfg(unix)]
fn has_name(file: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.nlink() > 0
}

/// Elsewhere files have no numbers that std knows.
#[cfg(not(unix))]
fn is_another(_: &Metadata, _: &Metadata) -> bool {
    false
}

/// Elsewhere a file that is open keeps its name, or has another.
#[cfg(not(unix))]
fn has_name(_: &Metadata) -> bool {
    true
}
