//! What is done about a damaged file: all whole entries go to a new one, which takes its place.
//!
//! redb reads a damaged file, most of the time, but must not write to one: it can panic half way, and again while it
//! cleans up, which ends the process. So a store writes only to files of which every page was checked, and a file that
//! fails the check is read here, once, without a page of it being changed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use redb::{ConcurrencyMode, ReadOnlyDatabase, ReadableDatabase, ReadableTable, ReadableTableMetadata, StorageError};

use super::backend::{Lock, Overlay};
use super::engine::{self, ENTRIES};
use super::format::Header;
use super::{DiskError, create, header};

/// What there is of a store's entries.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) whole: u64,
    pub(super) damaged: u64,
}

/// Puts a new file, with all whole entries, in the place of a damaged one, if it is of the store `expected` and its
/// entries can be listed. How many are lost is returned, as far as is known. The damaged file is kept beside, as `.damaged`.
pub(super) fn rebuild(path: &Path, file: &File, expected: &Header) -> Result<u64, DiskError> {
    let error = |source| DiskError::Io { path: path.to_owned(), source };
    let Some(_lock) = Lock::take(file).map_err(error)? else {
        return Err(DiskError::InUse { path: path.to_owned() });
    };
    let reader = Reader::open(path, file)?;
    let header = reader.header()?;
    header::check(path, &header, expected)?;
    let path = fs::canonicalize(path).map_err(error)?; // what a link leads to is replaced, and not the link
    if !is_at(file, &path).map_err(error)? {
        return Err(DiskError::Damaged {
            path,
            what: "it was damaged, and another file is in its place now".to_owned(),
        });
    }
    let mut lost = 0;
    create::replace(&path, &aside(&path), &header.encode(), |table| {
        let counts = reader.entries(&header, |key, entry| table.insert(key, entry).map(drop))?;
        if counts.whole == 0 && counts.damaged > 0 {
            return Err(redb::Error::Corrupted("no entry can be read".to_owned()));
        }
        lost = counts.damaged;
        Ok(())
    })?;
    Ok(lost)
}

/// Whether the file is the one at the path.
#[cfg(unix)]
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;

    let (file, there) = (file.metadata()?, fs::metadata(path)?);
    Ok((file.dev(), file.ino()) == (there.dev(), there.ino()))
}

/// Elsewhere an open file keeps its path.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Where the damaged file is kept: the last one, if there were several.
fn aside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".damaged");
    PathBuf::from(name)
}

/// A database that nobody vouches for, open for reading.
pub(super) struct Reader<'a> {
    path: &'a Path,
    file: &'a File,
    database: ReadOnlyDatabase,
}

/// What a reader has read so far.
#[derive(Default)]
struct Progress {
    counts: Counts,
    last: Option<Vec<u8>>,
    /// Why what was read could not be written.
    unwritten: Option<StorageError>,
}

impl<'a> Reader<'a> {
    /// Opens the file without a look at locks, and without a look at most of it.
    pub(super) fn open(path: &'a Path, file: &'a File) -> Result<Self, DiskError> {
        let overlay = Overlay::as_closed(file).map_err(|source| DiskError::Io { path: path.to_owned(), source })?;
        // Of redb's ways to open a file this needs the least of it: not the map of free pages.
        let mut builder = engine::builder();
        builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
        let database = engine::guarded(path, || Ok(builder.open_read_only_with_backend(overlay)?))?;
        Ok(Self { path, file, database })
    }

    pub(super) fn header(&self) -> Result<Header, DiskError> {
        header::parse(self.path, engine::guarded(self.path, || engine::header(&self.database.begin_read()?))?)
    }

    /// Looks at all entries.
    pub(super) fn scan(&self, header: &Header) -> Result<Counts, DiskError> {
        engine::guarded(self.path, || self.entries(header, |_, _| Ok(())))
    }

    /// Shows `each` the whole entries, as far as they can be reached: a page that cannot be read ends the way from the
    /// first entry on, and then there is the way from the last one back.
    fn entries(
        &self,
        header: &Header,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), StorageError>,
    ) -> Result<Counts, redb::Error> {
        let mut progress = Progress::default();
        let mut walk = engine::guarded(self.path, || self.walk(header, None, &mut progress, &mut each));
        if walk.is_err() && progress.unwritten.is_none() {
            let reached = progress.last.take().unwrap_or_default();
            // Of the reader that panicked nothing is known.
            walk = Self::open(self.path, self.file).and_then(|reader| {
                engine::guarded(self.path, || reader.walk(header, Some(&reached), &mut progress, &mut each))
            });
        }
        if let Some(error) = progress.unwritten {
            return Err(error.into());
        }
        let mut counts = progress.counts;
        let expected = engine::guarded(self.path, || {
            let len = self.database.begin_read()?.open_table(ENTRIES)?.len()?;
            Ok(len.min(self.file.metadata()?.len() / (u64::from(header.width) + 8)))
        });
        // The tree says how many there should be; what it leads to no more is damaged too, and one at the least where
        // it cannot be read.
        let lost = expected.unwrap_or(0).saturating_sub(counts.whole).max(u64::from(walk.is_err()));
        counts.damaged = counts.damaged.max(lost);
        Ok(counts)
    }

    /// All entries in order, or those after `after` from the last one back.
    fn walk(
        &self,
        header: &Header,
        after: Option<&[u8]>,
        progress: &mut Progress,
        each: &mut impl FnMut(&[u8], &[u8]) -> Result<(), StorageError>,
    ) -> Result<(), redb::Error> {
        let seed = header.seed();
        let room = self.file.metadata()?.len();
        let table = self.database.begin_read()?.open_table(ENTRIES)?;
        let mut entries = table.iter()?;
        while let Some(entry) = if after.is_none() { entries.next() } else { entries.next_back() } {
            let (key, entry) = entry?;
            let (key, entry) = (key.value(), entry.value());
            if after.is_some_and(|after| key <= after) {
                break;
            }
            if header.is_entry(seed, key, entry) {
                if let Err(error) = each(key, entry) {
                    progress.unwritten = Some(error);
                    break;
                }
                progress.counts.whole += 1;
                progress.last = Some(key.to_owned());
            } else {
                progress.counts.damaged += 1;
            }
            // Pages that point at one another in circles have more entries than the file has bytes.
            if progress.counts.whole + progress.counts.damaged > room {
                return Err(redb::Error::Corrupted("its pages go in circles".to_owned()));
            }
        }
        Ok(())
    }
}
