//! How redb gets at a file: with a switch, or so that nothing of the file changes.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
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
/// and one that is not to be trusted must not.
#[derive(Debug)]
pub(super) struct Switched {
    file: FileBackend,
    off: Arc<AtomicBool>,
}

impl Switched {
    pub(super) fn new(file: &File, off: Arc<AtomicBool>) -> io::Result<Self> {
        Ok(Self { file: backend(file)?, off })
    }

    fn on(&self) -> io::Result<&FileBackend> {
        if self.off.load(Ordering::Acquire) { Err(io::Error::other("switched off")) } else { Ok(&self.file) }
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
        self.on()?.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.on()?.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.on()?.write(offset, data)
    }

    // Locks are given back when it is off, too.

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    locks!(self, start, end, {
        try_lock_range -> bool: self.file.try_lock_range(start, end);
        try_lock_shared_range -> bool: self.file.try_lock_shared_range(start, end);
        lock_range -> (): self.file.lock_range(start, end);
        lock_shared_range -> (): self.file.lock_shared_range(start, end);
        unlock_range -> (): self.file.unlock_range(start, end);
        query_lock_range -> bool: self.file.query_lock_range(start, end);
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
    pub(super) fn take(path: &Path, file: &File) -> Result<Self, DiskError> {
        let file = backend(file).map_err(DiskError::io(path))?;
        match file.try_lock_range(Bound::Unbounded, Bound::Unbounded) {
            Ok(true) | Err(BackendError::Unsupported) => Ok(Self(file)),
            Ok(false) => Err(DiskError::InUse { path: path.to_owned() }),
            Err(error) => Err(DiskError::io(path)(error.into())),
        }
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
