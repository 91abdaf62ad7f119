//! A store is of the process that opened it, and not of one that is forked from that.
//!
//! A fork copies the memory: locks that other threads hold, which nobody gives back there, and what redb knows of the
//! file, which is wrong as soon as the other process writes. It shares the lock on the file: that keeps neither away.

use std::mem;
use std::process;
use std::sync::Arc;

use super::DiskError;
use super::buffer::Buffer;

/// What a store has, for the process that opened it.
#[derive(Debug)]
pub(super) struct OfProcess {
    buffer: Arc<Buffer>,
    opened_by: u32,
}

impl OfProcess {
    pub(super) fn new(buffer: Buffer) -> Self {
        Self { buffer: Arc::new(buffer), opened_by: process::id() }
    }

    /// For all that takes a lock or uses the file: an error in another process.
    pub(super) fn get(&self) -> Result<&Arc<Buffer>, DiskError> {
        let process = process::id();
        if process == self.opened_by {
            return Ok(&self.buffer);
        }
        Err(DiskError::Forked { path: self.buffer.engine.path().to_owned(), opened_by: self.opened_by, process })
    }

    /// For what never changes, or is one atomic number.
    pub(super) fn known(&self) -> &Buffer {
        &self.buffer
    }
}

impl Drop for OfProcess {
    fn drop(&mut self) {
        match self.get() {
            Ok(buffer) => buffer.finish(),
            // Nothing is closed: that could wait for ever, write to the file, or unlock it. The process has it until it
            // ends.
            Err(_) => mem::forget(Arc::clone(&self.buffer)),
        }
    }
}
