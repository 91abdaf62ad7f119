//! What is done about a damaged file: all whole entries go to a new one, which takes its place.
//!
//! redb reads a damaged file, most of the time, but must not write to one: it can panic half way, and again while it
//! cleans up, which ends the process. So a store writes only to files of which every page was checked, and a file that
//! fails the check is read here, once, without a page of it being changed.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use redb::{
    ConcurrencyMode, ReadOnlyDatabase, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    StorageError,
};

use super::backend::{Lock, Overlay};
use super::engine::{self, ENTRIES, HEADER_KEY};
use super::format::Header;
use super::{DiskError, create, guard, header};
use crate::engine::files;

/// What there is of a store's entries.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) whole: u64,
    pub(super) damaged: u64,
}

/// Puts a new file, with all whole entries, in the place of a damaged one, if it is of the store `expected` and its
/// entries can be listed. How many are lost is returned, as far as is known. The damaged file is kept beside.
pub(super) fn rebuild(path: &Path, file: &File, expected: &Header) -> Result<u64, DiskError> {
    let error = DiskError::io(path);
    let _lock = Lock::take(path, file)?;
    // Of a file whose tree cannot be entered, pages can be read all the same.
    let reader = Reader { path, file, database: Reader::database(path, file).ok() };
    let header = match reader.header() {
        Err(error @ DiskError::Damaged { .. }) => reader.header_of_leaves(expected)?.ok_or(error)?,
        other => other?,
    };
    header::check(path, &header, expected)?;
    // What a link leads to is replaced, and not the link.
    let path = &match fs::canonicalize(path) {
        Ok(path) if files::is_at(file, &path).map_err(error)? => path,
        Err(other) if other.kind() != io::ErrorKind::NotFound => return Err(error(other)),
        _ => return Err(DiskError::damaged(path, "it was damaged, and it is not at its path any more")),
    };
    let mut lost = 0;
    create::replace(path, file, &header.encode(), |table| {
        let counts = reader.entries(&header, |key, entry| table.insert(key, entry).map(drop))?;
        if counts.whole == 0 && counts.damaged > 0 {
            return Err(redb::Error::Corrupted("no entry can be read".to_owned()));
        }
        lost = counts.damaged;
        Ok(())
    })?;
    Ok(lost)
}

/// A database that nobody vouches for, open for reading.
pub(super) struct Reader<'a> {
    path: &'a Path,
    file: &'a File,
    /// None if its tree cannot be entered.
    database: Option<ReadOnlyDatabase>,
}

/// What is done with each whole entry.
type Each<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), StorageError> + 'a;

/// What a reader has read so far.
struct Scan<'a> {
    header: &'a Header,
    each: &'a mut Each<'a>,
    /// The keys of the whole entries.
    whole: HashSet<Vec<u8>>,
    damaged: u64,
    /// Why what was read could not be written.
    unwritten: Option<StorageError>,
}

impl<'a> Reader<'a> {
    /// Opens the file without a look at locks, and without a look at most of it.
    pub(super) fn open(path: &'a Path, file: &'a File) -> Result<Self, DiskError> {
        Ok(Self { path, file, database: Some(Self::database(path, file)?) })
    }

    fn database(path: &Path, file: &File) -> Result<ReadOnlyDatabase, DiskError> {
        let overlay = Overlay::as_closed(file).map_err(DiskError::io(path))?;
        // Of redb's ways to open a file this needs the least of it: not the map of free pages.
        let mut builder = engine::builder();
        builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
        guard::guarded(path, || Ok(builder.open_read_only_with_backend(overlay)?))
    }

    fn read(&self) -> Result<ReadTransaction, redb::Error> {
        match &self.database {
            Some(database) => Ok(database.begin_read()?),
            None => Err(redb::Error::Corrupted("its tree cannot be entered".to_owned())),
        }
    }

    pub(super) fn header(&self) -> Result<Header, DiskError> {
        header::parse(self.path, guard::guarded(self.path, || engine::header(&self.read()?))?)
    }

    /// The header, of any page that can be read as a leaf with one: that with the number of players came last. If there
    /// is none, the one that is expected, if an entry has the checksum that it would give it.
    fn header_of_leaves(&self, expected: &Header) -> Result<Option<Header>, DiskError> {
        let bytes = self.bytes().map_err(DiskError::io(self.path))?;
        let leaves = || (0..bytes.len()).step_by(PAGE).flat_map(|start| leaf(&bytes[start..]));
        let record = |(key, record): (&[u8], _)| (key == HEADER_KEY).then(|| Header::decode(record).ok()).flatten();
        let of_entry = |(key, entry): (&[u8], &[u8])| {
            // A key is the bits of the players, in whole bytes.
            let most = 8 * key.len() as u64;
            let header = |players| Header { players: Some(players), ..expected.clone() };
            let mut headers = (most.saturating_sub(7)..=most).map(header);
            headers.find(|header| header.is_entry(header.seed(), key, entry))
        };
        let found = leaves().filter_map(record).max_by_key(|header| header.players);
        Ok(found.or_else(|| leaves().find_map(of_entry)))
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        let (mut file, mut bytes) = (self.file, Vec::new());
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Looks at all entries.
    pub(super) fn scan(&self, header: &Header) -> Result<Counts, DiskError> {
        guard::guarded(self.path, || self.entries(header, |_, _| Ok(())))
    }

    /// Shows `each` the whole entries: those that the tree leads to; and where it leads no further, those of all pages
    /// that can be read as its leaves, wherever they are.
    fn entries(
        &self,
        header: &Header,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), StorageError>,
    ) -> Result<Counts, redb::Error> {
        let mut scan = Scan { header, each: &mut each, whole: HashSet::new(), damaged: 0, unwritten: None };
        let walk = guard::guarded(self.path, || self.walk(&mut scan));
        if walk.is_err() {
            self.leaves(&mut scan)?;
        }
        if let Some(error) = scan.unwritten {
            return Err(error.into());
        }
        let mut counts = Counts { whole: scan.whole.len() as u64, damaged: scan.damaged };
        let expected = guard::guarded(self.path, || {
            let len = self.read()?.open_table(ENTRIES)?.len()?;
            Ok(len.min(self.file.metadata()?.len() / (u64::from(header.width) + 8)))
        });
        // The tree says how many there should be; what it leads to no more is damaged too, and one at the least where
        // it cannot be read.
        let lost = expected.unwrap_or(0).saturating_sub(counts.whole).max(u64::from(walk.is_err()));
        counts.damaged = counts.damaged.max(lost);
        Ok(counts)
    }

    /// All entries in order.
    fn walk(&self, scan: &mut Scan<'_>) -> Result<(), redb::Error> {
        let table = self.read()?.open_table(ENTRIES)?;
        let mut last: Option<Vec<u8>> = None;
        for entry in table.iter()? {
            let (key, entry) = entry?;
            let (key, entry) = (key.value(), entry.value());
            if last.as_ref().is_some_and(|last| key <= last.as_slice()) {
                return Err(redb::Error::Corrupted("its pages go in circles".to_owned()));
            }
            scan.take(key, entry);
            last = Some(key.to_owned());
        }
        Ok(())
    }

    /// All entries of pages that can be read as leaves, in the tree or not: a page of an older version of the tree has
    /// values of the same game.
    fn leaves(&self, scan: &mut Scan<'_>) -> Result<(), redb::Error> {
        let bytes = self.bytes()?;
        for start in (0..bytes.len()).step_by(PAGE) {
            for (key, entry) in leaf(&bytes[start..]) {
                if scan.is_entry(key, entry) {
                    scan.take(key, entry);
                }
            }
        }
        Ok(())
    }
}

impl Scan<'_> {
    fn is_entry(&self, key: &[u8], entry: &[u8]) -> bool {
        self.header.is_entry(self.header.seed(), key, entry)
    }

    fn take(&mut self, key: &[u8], entry: &[u8]) {
        if !self.is_entry(key, entry) {
            self.damaged += 1;
        } else if self.unwritten.is_none() && self.whole.insert(key.to_owned()) {
            // What was found before is newer, if it is of the same key.
            self.unwritten = (self.each)(key, entry).err();
        }
    }
}

/// redb's pages begin at multiples of this.
const PAGE: usize = 4096;

/// The entries of a leaf of redb's tree, of keys and values of any width: a byte 1, a byte, the number of entries (2
/// bytes), where each key ends, where each value ends (4 bytes each, from the page's start), the keys, the values.
/// Nothing if it is no leaf.
fn leaf(page: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let number = |at: usize| {
        let bytes = page.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
    };
    let entries = match page {
        &[1, _, low, high, ..] => usize::from(u16::from_le_bytes([low, high])),
        _ => 0,
    };
    let (keys, values) = (4, 4 + 4 * entries);
    let first_key = values + 4 * entries;
    let first_value = entries.checked_sub(1).and_then(|last| number(keys + 4 * last)).unwrap_or(first_key);
    (0..entries).filter_map(move |k| {
        let start = |ends: usize, first: usize| if k == 0 { Some(first) } else { number(ends + 4 * (k - 1)) };
        let key = page.get(start(keys, first_key)?..number(keys + 4 * k)?)?;
        let value = page.get(start(values, first_value)?..number(values + 4 * k)?)?;
        Some((key, value))
    })
}
