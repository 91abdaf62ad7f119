//! How redb gets at a file: with a switch, or so that nothing of the file changes.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use super::DiskError;

/// The methods of a backend that lock ranges of a file.
macro_rules! locks {
    ($self:ident, $start:ident, $end:ident, { $($method:ident -> $of:ty: $answer:expr;)* }) => {$(
        fn $method(&$self, $start: Bound<u64>, $end: Bound<u64>) -> Result<$of, BackendError> {
            $answer
        }
    )*};
}

/// A file that can be switched off: nothing of it is read or written any more. A database writes when it is dropped,
/// and one that is not to be trusted must not. Nor is a file written to that another program has cut: it would be
/// longer again, and look whole.
#[derive(Debug)]
pub(super) struct Switched {
    file: FileBackend,
    switch: Arc<Switch>,
    /// Whether the database locks the file; otherwise whoever opened it has done so.
    locks: bool,
}

/// What is known of a file to the database that writes it and to whoever opened that.
#[derive(Debug)]
pub(super) struct Switch {
    off: AtomicBool,
    /// How long the database has made the file.
    len: AtomicU64,
}

impl Switch {
    pub(super) fn off(&self) {
        self.off.store(true, Ordering::Release);
    }

    /// How long the file should be, and is, if that is less. Not while the database writes in another thread.
    pub(super) fn cut(&self, file: &File) -> Option<Cut> {
        let expected = self.len.load(Ordering::Acquire);
        file.metadata()
            .ok()
            .map(|metadata| metadata.len())
            .filter(|&len| len < expected)
            .map(|len| Cut { len, expected })
    }
}

/// The file is shorter than it was made.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it was cut to {len} bytes, of {expected}, by another program")]
pub(super) struct Cut {
    pub(super) len: u64,
    pub(super) expected: u64,
}

impl Switched {
    pub(super) fn new(file: &File) -> io::Result<Self> {
        let file = backend(file)?;
        let switch = Switch { off: AtomicBool::new(false), len: AtomicU64::new(file.len()?) };
        Ok(Self { file, switch: Arc::new(switch), locks: true })
    }

    /// The same, of a file that is locked already.
    pub(super) fn locked(file: &File) -> io::Result<Self> {
        Ok(Self { locks: false, ..Self::new(file)? })
    }

    pub(super) fn switch(&self) -> Arc<Switch> {
        Arc::clone(&self.switch)
    }

    fn on(&self) -> io::Result<&FileBackend> {
        if self.switch.off.load(Ordering::Acquire) { Err(io::Error::other("switched off")) } else { Ok(&self.file) }
    }

    /// The file, if it is as long as it should be.
    fn uncut(&self) -> io::Result<&FileBackend> {
        let file = self.on()?;
        let (expected, len) = (self.switch.len.load(Ordering::Acquire), file.len()?);
        if len < expected { Err(io::Error::other(Cut { len, expected })) } else { Ok(file) }
    }

    fn lock(&self) -> Option<&FileBackend> {
        self.locks.then_some(&self.file)
    }
}

impl StorageBackend for Switched {
    fn len(&self) -> io::Result<u64> {
        self.on()?.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.on()?.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let file = self.uncut()?;
        self.switch.len.fetch_min(len, Ordering::AcqRel);
        file.set_len(len)?;
        self.switch.len.store(len, Ordering::Release);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.uncut()?.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        // Only this could make it as long as it should be. After any other write it is still seen at the next sync, and
        // to look each time makes a commit of 1000 values a fifth slower.
        let reaches_end = offset + data.len() as u64 >= self.switch.len.load(Ordering::Acquire);
        if reaches_end { self.uncut()? } else { self.on()? }.write(offset, data)
    }

    // Locks are given back when it is off, too.

    fn close(&self) -> io::Result<()> {
        self.lock().map_or(Ok(()), StorageBackend::close)
    }

    locks!(self, start, end, {
        try_lock_range -> bool: self.lock().map_or(Ok(true), |file| file.try_lock_range(start, end));
        try_lock_shared_range -> bool: self.lock().map_or(Ok(true), |file| file.try_lock_shared_range(start, end));
        lock_range -> (): self.lock().map_or(Ok(()), |file| file.lock_range(start, end));
        lock_shared_range -> (): self.lock().map_or(Ok(()), |file| file.lock_shared_range(start, end));
        unlock_range -> (): self.lock().map_or(Ok(()), |file| file.unlock_range(start, end));
        query_lock_range -> bool: self.lock().map_or(Ok(false), |file| file.query_lock_range(start, end));
    });
}

/// A file as it is, with all that would be written to it kept in memory. It takes no locks: whoever has it has those of
/// the file.
#[derive(Debug)]
pub(super) struct Overlay {
    file: FileBackend,
    over: Mutex<Over>,
    /// Whether the file passes as one that was closed.
    closed: bool,
}

#[derive(Debug)]
struct Over {
    /// Where and what, the newest last. There are a few dozen.
    writes: Vec<(u64, Vec<u8>)>,
    len: u64,
    /// How much of the file still shows: what it is made longer by is zero.
    shown: u64,
}

/// Where the file says whether it was closed: a bit that is set while it is open for writing.
const STATE_BYTE: u64 = 9;
const NOT_CLOSED: u8 = 2;

impl Overlay {
    pub(super) fn new(file: &File) -> io::Result<Self> {
        let file = backend(file)?;
        let len = file.len()?;
        Ok(Self { file, over: Mutex::new(Over { writes: Vec::new(), len, shown: len }), closed: false })
    }

    /// The same, passing as closed: redb refuses to read a file that was not, unless it can repair all of it.
    pub(super) fn as_closed(file: &File) -> io::Result<Self> {
        Ok(Self { closed: true, ..Self::new(file)? })
    }

    fn over(&self) -> MutexGuard<'_, Over> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.over().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let over = self.over();
        let end = offset.saturating_add(out.len() as u64);
        if end > over.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let shown = over.shown.clamp(offset, end) - offset;
        let (from_file, zeros) = out.split_at_mut(shown as usize);
        self.file.read(offset, from_file)?;
        zeros.fill(0);
        for (at, bytes) in &over.writes {
            let (from, to) = ((*at).max(offset), (at + bytes.len() as u64).min(end));
            if from < to {
                let written = &bytes[(from - at) as usize..(to - at) as usize];
                out[(from - offset) as usize..(to - offset) as usize].copy_from_slice(written);
            }
        }
        if self.closed && (offset..end).contains(&STATE_BYTE) {
            out[(STATE_BYTE - offset) as usize] &= !NOT_CLOSED;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut over = self.over();
        over.len = len;
        over.shown = over.shown.min(len);
        for (at, bytes) in &mut over.writes {
            bytes.truncate(len.saturating_sub(*at) as usize);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut over = self.over();
        over.len = over.len.max(offset.saturating_add(data.len() as u64));
        over.writes.push((offset, data.to_vec()));
        Ok(())
    }

    locks!(self, _start, _end, {
        try_lock_range -> bool: Ok(true);
        try_lock_shared_range -> bool: Ok(true);
        lock_range -> (): Ok(());
        lock_shared_range -> (): Ok(());
        unlock_range -> (): Ok(());
        query_lock_range -> bool: Ok(false);
    });
}

/// The lock that a database takes on its file, without the database.
#[derive(Debug)]
pub(super) struct Lock(FileBackend);

impl Lock {
    /// Where files cannot be locked, this succeeds.
    pub(super) fn take(path: &Path, file: &File) -> Result<Self, DiskError> {
        match Self::held(file) {
            Ok(Some(lock)) => Ok(lock),
            Ok(None) => Err(DiskError::InUse { path: path.to_owned() }),
            Err(BackendError::Unsupported) => Ok(Self(backend(file).map_err(DiskError::io(path))?)),
            Err(error) => Err(DiskError::io(path)(error.into())),
        }
    }

    /// Nothing if somebody else has it, and an error where files cannot be locked.
    pub(super) fn held(file: &File) -> Result<Option<Self>, BackendError> {
        let file = backend(file)?;
        Ok(file.try_lock_range(Bound::Unbounded, Bound::Unbounded)?.then_some(Self(file)))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.close();
    }
}

fn backend(file: &File) -> io::Result<FileBackend> {
    FileBackend::new(file.try_clone()?).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the middle of a commit nobody else looks.
    #[test]
    fn a_file_that_was_cut_is_not_written_to() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(100).expect("it is ours");
        let backend = Switched::new(&file).expect("it is open");
        backend.write(0, &[1; 100]).expect("it is whole");
        for len in [200, 50] {
            backend.set_len(len).expect("it is whole");
            backend.write(len - 1, &[1]).expect("it is as long as the database made it");
        }
        assert!(backend.switch().cut(&file).is_none());
        file.set_len(49).expect("it is ours");
        for result in [backend.write(49, &[1]), backend.set_len(60), backend.sync_data()] {
            let error = result.expect_err("it was cut").to_string();
            assert_eq!(error, "it was cut to 49 bytes, of 50, by another program");
        }
        assert_eq!(file.metadata().expect("it is ours").len(), 49);
        assert!(backend.switch().cut(&file).is_some_and(|cut| (cut.len, cut.expected) == (49, 50)));
    }
}
