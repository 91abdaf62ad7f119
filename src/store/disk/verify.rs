//! A look at every byte of a store, which changes none.

use super::backend::Overlay;
use super::buffer::Buffer;
use super::format::Header;
use super::salvage::Reader;
use super::{DiskError, engine, guard};

/// What [`DiskStore::verify`](crate::DiskStore::verify) found in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The entries that are as they were written.
    pub entries: u64,
    /// The entries that are not, of those that can be found.
    pub damaged: u64,
    /// Whether all of the file is as it was written: no entry is damaged, and none can be missing. A store that is not
    /// whole still gives right values only.
    pub whole: bool,
}

pub(super) fn verify(buffer: &Buffer) -> Result<Verified, DiskError> {
    buffer.flush()?;
    buffer.between_commits(|| {
        let verified = look(buffer);
        if !verified.as_ref().is_ok_and(|verified| verified.whole) {
            buffer.engine.suspect();
        }
        verified
    })
}

fn look(buffer: &Buffer) -> Result<Verified, DiskError> {
    let (path, file) = (buffer.engine.path(), buffer.engine.file()?);
    // redb's check is for whoever has the database to himself, and gives up one that it finds damaged, though most of
    // it can be read. So it is done on the file opened a second time, and what it would write stays in memory.
    let overlay = Overlay::new(&file).map_err(DiskError::io(path))?;
    let check = || Ok(engine::builder().set_check_integrity_on_open(true).create_with_backend(overlay)?.close()?);
    let sound = match guard::guarded(path, check) {
        Ok(()) => true,
        Err(DiskError::Damaged { .. }) => false,
        Err(error) => return Err(error),
    };
    let reader = Reader::open(path, &file)?;
    let header = buffer.header();
    let found = reader.header()?;
    let counts = reader.scan(&header)?;
    // The first value can have come since the flush: then it waits, and the file does not have the number of players
    // yet.
    let same = found == header || (counts.whole == 0 && found == Header { players: None, ..header });
    let whole = sound && same && counts.damaged == 0;
    Ok(Verified { entries: counts.whole, damaged: counts.damaged, whole })
}
