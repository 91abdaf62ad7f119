//! Stores and processes: who has a file open, processes that are killed, several at one file, a full disk.
//!
//! These tests start processes, so they have a program of their own: until a child runs its own program, it shares the
//! file locks of its parent, and a store that another test closes and opens again in that moment would be in use.
#![cfg(feature = "disk")]

#[cfg(unix)]
mod disk;
#[cfg(unix)]
mod forked;
mod in_use;
#[cfg(unix)]
mod privacy;
