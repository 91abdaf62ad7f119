//! Calls into redb: its panics and its errors, as errors of a store.

use std::io;
use std::path::Path;

use super::DiskError;
use crate::engine::panics::catch;

/// What `f` makes of redb; an error if it panics.
pub(super) fn guarded<T>(path: &Path, f: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, DiskError> {
    match catch(f) {
        Ok(result) => result.map_err(|error| translate(path, error)),
        Err(panic) => Err(DiskError::damaged(path, panicked(&panic))),
    }
}

pub(super) fn panicked(message: &str) -> String {
    format!("reading it panicked ({message})")
}

/// What an error of redb's means to those who have a store and not a database.
pub(super) fn translate(path: &Path, error: redb::Error) -> DiskError {
    let path = path.to_owned();
    match error {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => DiskError::InUse { path },
        redb::Error::Io(source) => match source.kind() {
            io::ErrorKind::UnexpectedEof => {
                DiskError::Damaged { path, what: "it is cut short, or refers to what is beyond its end".to_owned() }
            }
            io::ErrorKind::InvalidData => DiskError::Damaged { path, what: source.to_string() },
            _ => DiskError::Io { path, source },
        },
        redb::Error::PreviousIo | redb::Error::DatabaseClosed => {
            DiskError::Io { path, source: io::Error::other("it failed just before, and is opened again") }
        }
        redb::Error::UpgradeRequired(version) => {
            DiskError::Foreign { path, found: format!("it is a redb file of the older format {version}") }
        }
        redb::Error::Corrupted(what) => DiskError::Damaged { path, what },
        error => DiskError::Damaged { path, what: error.to_string() },
    }
}
