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

    /// Another program cut the file while the store was open, so values that were committed are lost. What is whole is
    /// in a new file in its place, as [after any damage](crate::DiskStore#damage), and with it all that was put in
    /// since: the store can be used on. This is said once. If nothing in the file can be read any more (`lost` is
    /// `None`), it is the error of each commit: the values that wait can still be read; remove the file, and open the
    /// store again.
    #[error(fmt = write_cut)]
    Cut {
        /// The file.
        path: PathBuf,
        /// Its length when that was found, in bytes.
        len: u64,
        /// The length that the store had given it.
        expected: u64,
        /// How many values are lost; `None` if nothing can be read.
        lost: Option<u64>,
    },

    /// The file was removed while the store was open, so that what is put in will be lost when it is closed. It can
    /// still be read: open a store at another path, and [take its values in](crate::DiskStore::merge_from).
    #[error("the store {} was removed while it was open: what is in it is lost when it is closed", path.display())]
    Removed {
        /// Where it was.
        path: PathBuf,
    },

    /// Another file was put in the store's place while it was open. The store still has its own, and whoever opens the
    /// path gets the other. If that is a store too, or at another path, [take the values
    /// in](crate::DiskStore::merge_from) there.
    #[error(
        "another file is in the place of the store {}, which was open: what is put in does not go there",
        path.display()
    )]
    Replaced {
        /// Where it was.
        path: PathBuf,
    },

    /// The file was renamed, or moved to another directory, while the store was open. Values go to it wherever it is,
    /// and are durable there; whoever opens the path gets a new store. Move it back, or open it at its new path.
    #[error("the store {} was moved while it was open: what is put in goes to its new place", path.display())]
    Moved {
        /// Where it was.
        path: PathBuf,
    },

    /// This process was forked from the one that opened the store, which alone can use it. It loses nothing there. Open
    /// stores after the fork, each process its own, and unite them by
    /// [`merge_from`](crate::DiskStore::merge_from).
    #[error(
        "the store {} was opened by process {opened_by}, and this is process {process}: open it after the fork",
        path.display()
    )]
    Forked {
        /// The file.
        path: PathBuf,
        /// The number of the process that opened the store.
        opened_by: u32,
        /// The number of this process.
        process: u32,
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

    /// Whether it says that values are lost for good, and not that a call failed that can succeed later.
    pub(super) fn is_loss(&self) -> bool {
        matches!(self, Self::Cut { lost: Some(_), .. })
    }

    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }
}

fn write_cut(path: &Path, len: &u64, expected: &u64, lost: &Option<u64>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "the store {} was cut to {len} bytes, of {expected}, while it was open: ", path.display())?;
    match lost {
        Some(lost) => write!(f, "{lost} of its values are lost, the others are in a new file"),
        None => write!(f, "nothing in it can be read"),
    }
}

fn write_io(path: &Path, source: &io::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "the store {} could not be read or written", path.display())?;
    write_causes(f, source)
}
