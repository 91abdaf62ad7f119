//! Why a store on disk did not open, read or write.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::Coalition;
use crate::display::Visible;
use crate::error::write_causes;

/// Why a [`DiskStore`](crate::DiskStore) did not open, read or write. `{:#}` writes the causes too.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DiskError {
    /// The file is there and has no bytes: something cut it, or made it in the store's place.
    #[error(
        "{} is empty, and a store never is: it was cut, or another program made it. Remove it to begin a new store",
        path.display()
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },

    /// The path is a directory.
    #[error("{} is a directory, and a store is a file", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },

    /// The file is not to be written, by its permissions or those of its file system.
    #[error("{} is read-only, and a store must be written", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },

    /// Another process has the store open, or this one has it open a second time.
    #[error("{} is in use: another process, or this one, has the store open", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },

    /// The file is not a store: another program wrote it.
    #[error("{} is not a store of this crate: {}", path.display(), Visible(found))]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead, as far as can be told.
        found: String,
    },

    /// The store is of a format that this version of the crate does not know.
    #[error("the store {} has format {found}, and this version reads format {supported}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The store's format.
        found: u32,
        /// The format this version reads.
        supported: u32,
    },

    /// The store holds values of another type.
    #[error(
        "the store {} holds values of type {}, and {} was asked for",
        path.display(), Visible(found), Visible(expected)
    )]
    Type {
        /// The file.
        path: PathBuf,
        /// The type in the store.
        found: String,
        /// The type asked for.
        expected: String,
    },

    /// The store is of another game.
    #[error("the store {} is of game {found:?}, and game {expected:?} was asked for", path.display())]
    Fingerprint {
        /// The file.
        path: PathBuf,
        /// The fingerprint in the store.
        found: String,
        /// The fingerprint asked for.
        expected: String,
    },

    /// The store is of a game with another number of players than the coalition.
    #[error("the store {} is of a game of {store} players, and a coalition of {asked} was asked for", path.display())]
    Players {
        /// The file.
        path: PathBuf,
        /// The number of players in the store.
        store: u64,
        /// The number of players of the coalition.
        asked: u64,
    },

    /// The fingerprint is longer than a header has room for.
    #[error("a fingerprint of {len} bytes is over the limit of {limit}: use a hash of it, by `Fingerprint::hash_of`")]
    FingerprintTooLong {
        /// Its bytes.
        len: usize,
        /// The limit.
        limit: usize,
    },

    /// The file is damaged where that prevents reading. What was flushed can still be in it; copy it before anything
    /// else.
    #[error("the store {} is damaged: {}", path.display(), Visible(what))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },

    /// The file was removed while the store was open, so that what is put in will be lost when it is closed. It can
    /// still be read.
    #[error("the store {} was removed while it was open: what is in it is lost when it is closed", path.display())]
    Removed {
        /// Where it was.
        path: PathBuf,
    },

    /// Reading or writing failed: there is no such directory, the disk is full, and so on.
    #[error(fmt = write_io)]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// The type's [`Encode`](crate::store::Encode) does not keep its contract, so nothing was written.
    #[error("{} breaks the contract of its encoding: {}", Visible(type_name), Visible(what))]
    Encoding {
        /// The type.
        type_name: String,
        /// What it did.
        what: String,
    },

    /// An entry is whole, but [`Encode::decode`](crate::store::Encode::decode) does not take it for a value.
    #[error(
        "the bytes that the store {} has for {coalition} are not a value of type {}: was its encoding changed?",
        path.display(), Visible(type_name)
    )]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// The type.
        type_name: String,
        /// Whose value it is.
        coalition: Coalition,
    },

    /// Two stores of one game have different values of a coalition: the game is not what its fingerprint says, or does
    /// not give the same value each time.
    #[error(
        "the stores {} and {} have different values of {coalition}, so they are not of one game",
        path.display(), other.display()
    )]
    Conflict {
        /// The file that was to be added to.
        path: PathBuf,
        /// The file of the other store.
        other: PathBuf,
        /// Whose value differs.
        coalition: Coalition,
    },
}

impl DiskError {
    /// What an error of the file system is for the store at `path`.
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self + Copy {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }
}

fn write_io(path: &Path, source: &io::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "the store {} could not be read or written", path.display())?;
    write_causes(f, source)
}
