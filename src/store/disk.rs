//! The store in a file.

use std::fmt;
use std::fs::Metadata;
use std::marker::PhantomData;
use std::path::Path;
use std::slice;
use std::time::Duration;

use crate::Coalition;
use crate::fingerprint::Fingerprint;
use crate::store::{Store, StoreError};
use crate::value::Encode;

mod backend;
mod buffer;
mod create;
mod engine;
mod error;
mod format;
mod guard;
mod header;
mod merge;
mod process;
mod salvage;
mod verify;
mod whereabouts;

use buffer::{Buffer, Entry, Key};
use engine::Engine;
pub use error::DiskError;
pub use merge::Merged;
use process::OfProcess;
pub use verify::Verified;

/// Values in a file, which outlive the process.
///
/// A store is of one game: of a [`Fingerprint`], a type of values, and a number of players, which is that of the first
/// coalition. It does not open for another. One process has it open at a time; threads share it.
///
/// ```
/// use shapley::{Coalition, DiskStore, store::Store};
///
/// # let directory = std::env::temp_dir().join(format!("shapley-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = directory.join("game.store");
/// let store = DiskStore::<f64>::open(&path, "credit model 7, data of March")?; // made, if it is not there
/// let coalition = Coalition::from_players(20, [3, 5]);
/// store.insert(&coalition, &0.25)?;
/// store.flush()?; // on the disk, whatever happens now
/// drop(store);
///
/// let store = DiskStore::<f64>::open(&path, "credit model 7, data of March")?;
/// assert_eq!(store.get(&coalition)?, Some(0.25));
/// # drop(store);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What is lost when a process dies
///
/// Values are committed [every so many](Self::commit_every), or when one is [so old](Self::commit_within), whichever is
/// first. A commit is whole or not there, and durable, against loss of power too, when it is done. A process that is
/// killed loses the values that wait, about `commit_every` at most and none older than `commit_within`, and those of
/// the commit under way. So does one that ends by `process::exit`, or has the store in a `static`: neither drops it. A
/// batch of `insert_many` of `commit_every` values or more is durable when it returns, and so is all that was put in
/// before a [`flush`](Self::flush).
///
/// Dropping the store commits what waits, and has nobody to tell of a failure. Call `flush` first if it matters: values
/// that could not be committed are kept, and a later `flush` tries again.
///
/// # Damage
///
/// Each entry has a checksum over the game's identity, the coalition and the value. A value that does not match is
/// never returned: it is `None`, is [counted](Self::damaged), and is replaced when it is put in again.
///
/// A file is checked as a whole when it is opened. If it is damaged, all entries that are whole go to a new file, which
/// takes its place; the damaged one is kept beside it, with `.damaged` after its name, or `.damaged.2` and so on.
/// [`repaired`](Self::repaired) says so. Damage of which nothing can be saved is [`DiskError::Damaged`], and changes no
/// file. So is a panic of redb's code over a file that was damaged since: the store does nothing more then, and can be
/// opened again. (A program that is built with `panic = "abort"` ends.) [`verify`](Self::verify) looks at everything
/// while the store is open.
///
/// # Other programs and processes
///
/// A [`flush`](Self::flush), and an `insert` that commits, look at what became of the file since: whether it was
/// [cut](DiskError::Cut), [removed](DiskError::Removed), [replaced by another](DiskError::Replaced) or
/// [moved](DiskError::Moved). Each is an error that says what to do next. Bytes that another program writes into the
/// file are not looked for at a flush: [`verify`](Self::verify) finds them, and so does the next opening.
///
/// Only the process that opened a store can use it. In one that was forked from it every call is
/// [`DiskError::Forked`], `len` is 0, and dropping the store does nothing. If the first process is killed, the file is
/// in use until such a child has ended too.
///
/// A file that replaces a damaged one has its owner and permissions, from its first byte on.
///
/// The file is a database of [redb](https://docs.rs/redb). A million values of 8 bytes, of 64 players, take 50 to 70
/// MB; up to 64 MiB of a file are kept in memory, and as much again while it is verified. What is in it is described,
/// field by field, in [`docs/store-format.md`](https://docs.rs/crate/shapley/latest/source/docs/store-format.md).
pub struct DiskStore<V> {
    buffer: OfProcess,
    values: PhantomData<fn() -> V>,
}

impl<V: Encode> DiskStore<V> {
    /// Opens the store of a game, or makes it if there is no file. It is made whole: a process that dies meanwhile
    /// leaves no file at `path`.
    ///
    /// The whole file is read, to see that it is not damaged: that takes from 30 to 130 ms for a million values.
    ///
    /// # Errors
    ///
    /// The file is not a store, or one of something else ([`Foreign`](DiskError::Foreign), [`Empty`](DiskError::Empty),
    /// [`Directory`](DiskError::Directory), [`Version`](DiskError::Version), [`Type`](DiskError::Type),
    /// [`Fingerprint`](DiskError::Fingerprint)); it is [`ReadOnly`](DiskError::ReadOnly), [`InUse`](DiskError::InUse)
    /// or [`Damaged`](DiskError::Damaged); the system says no ([`Io`](DiskError::Io)); the fingerprint is [too
    /// long](DiskError::FingerprintTooLong), or the type [breaks its contract](DiskError::Encoding).
    pub fn open(path: impl AsRef<Path>, fingerprint: impl Into<Fingerprint>) -> Result<Self, DiskError> {
        Self::open_like(path.as_ref(), &fingerprint.into(), None)
    }

    /// The same; a file that is made has the owner and the permissions of `like`.
    pub(crate) fn open_like(
        path: &Path,
        fingerprint: &Fingerprint,
        like: Option<&Metadata>,
    ) -> Result<Self, DiskError> {
        let (engine, header) = Engine::open(path, header::expected::<V>(fingerprint)?, like)?;
        Ok(Self { buffer: OfProcess::new(Buffer::new(engine, header)), values: PhantomData })
    }

    /// How many values wait until they are committed together: 1000 unless said otherwise, and at least 1. At 1 a value
    /// is durable when `insert` returns. A commit takes as long as the disk takes to be sure, often milliseconds.
    #[must_use]
    pub fn commit_every(self, entries: usize) -> Self {
        if let Ok(buffer) = self.buffer.get() {
            buffer.set_commit_every(entries);
        }
        self
    }

    /// How long a value waits at most until its commit begins: a second unless said otherwise. After a commit that
    /// failed the next is tried a second later.
    #[must_use]
    pub fn commit_within(self, age: Duration) -> Self {
        if let Ok(buffer) = self.buffer.get() {
            buffer.set_commit_within(age);
        }
        self
    }

    /// Returns when all values that were put in before are durable.
    ///
    /// # Errors
    ///
    /// The commit failed: the values are kept, can be read, and wait for the next. Or another program has
    /// [cut](DiskError::Cut), [removed](DiskError::Removed), [replaced](DiskError::Replaced) or
    /// [moved](DiskError::Moved) the file: then all that was put in is in it, wherever it is.
    pub fn flush(&self) -> Result<(), DiskError> {
        self.buffer.get()?.flush()
    }

    /// Flushes, and then reads the whole file: all checksums, those of entries and those of redb's own pages. It
    /// changes nothing; if it finds damage, the next call has the file repaired, as `open` does. Meanwhile values are
    /// read and put in, and no commit runs. A million values take about a quarter of a second.
    ///
    /// # Errors
    ///
    /// The flush failed, or not all entries can be looked at. What is damaged, and can be looked at, is no error.
    pub fn verify(&self) -> Result<Verified, DiskError> {
        verify::verify(self.buffer.get()?)
    }

    /// Takes in the entries of another store of the same game: of machines that worked on it apart. What both have
    /// stays as it is; what is damaged here is replaced; what is damaged there is left out, and counted. Both stores
    /// can be used meanwhile; the other is flushed first, and not changed. Call [`flush`](Self::flush) after it.
    ///
    /// It takes about as long as reading the other store and writing what is new.
    ///
    /// # Errors
    ///
    /// [`Fingerprint`](DiskError::Fingerprint), [`Type`](DiskError::Type) or [`Players`](DiskError::Players) if the
    /// stores are of different games: nothing is taken in then. [`Conflict`](DiskError::Conflict) if they differ in the
    /// value of a coalition, by a single bit: what was taken in before it, in the order of the file, stays. And what
    /// [`flush`](Self::flush) and `insert` can fail with.
    ///
    /// ```
    /// use shapley::{Coalition, DiskStore, store::Store};
    ///
    /// # let directory = std::env::temp_dir().join(format!("shapley-doc-merge-{}", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let ours = DiskStore::<f64>::open(directory.join("1.store"), "model 7")?;
    /// let theirs = DiskStore::<f64>::open(directory.join("2.store"), "model 7")?;
    /// ours.insert(&Coalition::from_players(20, [1]), &0.25)?;
    /// theirs.insert(&Coalition::from_players(20, [1]), &0.25)?;
    /// theirs.insert(&Coalition::from_players(20, [3, 5]), &0.5)?;
    /// let merged = ours.merge_from(&theirs)?;
    /// assert_eq!((merged.added, merged.in_both, merged.damaged), (1, 1, 0));
    /// assert_eq!(ours.get(&Coalition::from_players(20, [3, 5]))?, Some(0.5));
    /// # drop((ours, theirs));
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn merge_from(&self, other: &Self) -> Result<Merged, DiskError> {
        merge::merge(self.buffer.get()?, other.buffer.get()?)
    }

    /// How many entries were found damaged, so far, when the store was opened or by looking them up. Each is `None`
    /// until it is put in again.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.buffer.known().engine.damaged()
    }

    /// Whether the file was found damaged, and replaced by one with all that was whole. The damaged one is kept beside
    /// it, with `.damaged` after its name.
    #[must_use]
    pub fn repaired(&self) -> bool {
        self.buffer.known().engine.replaced()
    }

    /// The game's fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        self.buffer.known().fingerprint()
    }

    /// The number of players of the game; `None` until there is a value.
    #[must_use]
    pub fn num_players(&self) -> Option<usize> {
        self.buffer.known().players().and_then(|players| usize::try_from(players).ok())
    }

    /// Where the file is, as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.buffer.known().engine.path()
    }

    /// The value of an entry that was looked up: `None` if it is damaged.
    fn value(&self, coalition: &Coalition, bytes: Option<Vec<u8>>) -> Result<Option<V>, DiskError> {
        let undecodable = || DiskError::Undecodable {
            path: self.path().to_owned(),
            type_name: V::type_name(),
            coalition: coalition.clone(),
        };
        bytes.map(|bytes| V::decode(&bytes).ok_or_else(undecodable)).transpose()
    }

    fn look_up(&self, coalitions: &[Coalition]) -> Result<Vec<Option<Vec<u8>>>, DiskError> {
        let buffer = self.buffer.get()?;
        coalitions.iter().try_for_each(|coalition| buffer.check_players(coalition.num_players() as u64))?;
        let mut answers = vec![None; coalitions.len()];
        let Some(seed) = buffer.seed() else { return Ok(answers) };
        let keys: Vec<Key> = coalitions.iter().map(|coalition| coalition.bytes().collect()).collect();
        buffer.get(&keys, |place, entry| match format::unseal(seed, &keys[place], V::WIDTH, entry) {
            Some(value) => answers[place] = Some(value.to_vec()),
            None => buffer.engine.found_damage(),
        })?;
        Ok(answers)
    }

    /// The entries of values, ready to be written.
    fn entries(&self, coalitions: &[Coalition], values: &[V]) -> Result<Vec<(Key, Entry)>, DiskError> {
        let buffer = self.buffer.get()?;
        let Some(players) = coalitions.first().map(Coalition::num_players) else { return Ok(Vec::new()) };
        let mut entries = Vec::with_capacity(values.len());
        for (coalition, value) in coalitions.iter().zip(values) {
            let (store, asked) = (players as u64, coalition.num_players() as u64);
            if store != asked {
                buffer.check_players(store)?;
                return Err(DiskError::Players { path: self.path().to_owned(), store, asked });
            }
            let mut bytes = Vec::with_capacity(V::WIDTH + format::CHECKSUM);
            value.encode(&mut bytes);
            if bytes.len() != V::WIDTH {
                let what = format!("it encoded a value in {} bytes, and promised {}", bytes.len(), V::WIDTH);
                return Err(DiskError::Encoding { type_name: V::type_name(), what });
            }
            entries.push((coalition.bytes().collect::<Key>(), bytes));
        }
        // All is well with the values, so if they are the first the store is of so many players from now on.
        let seed = buffer.seed_for(players as u64)?;
        let sealed = entries.into_iter().map(|(key, mut bytes)| {
            format::seal(seed, &key, &mut bytes);
            (key, bytes.into_boxed_slice())
        });
        Ok(sealed.collect())
    }
}

impl<V: Encode> Store<V> for DiskStore<V> {
    type Error = StoreError<DiskError>;

    fn get(&self, coalition: &Coalition) -> Result<Option<V>, Self::Error> {
        let answer = self.look_up(slice::from_ref(coalition))?.pop().flatten();
        Ok(self.value(coalition, answer)?)
    }

    fn get_many(&self, coalitions: &[Coalition], values: &mut Vec<Option<V>>) -> Result<(), Self::Error> {
        values.reserve(coalitions.len());
        for (coalition, answer) in coalitions.iter().zip(self.look_up(coalitions)?) {
            values.push(self.value(coalition, answer)?);
        }
        Ok(())
    }

    /// # Errors
    ///
    /// If this value is one too many to wait, it commits, and that can fail; or a commit in the background failed. The
    /// value is kept all the same. It is not if the coalition is of another size, or the encoding breaks its contract.
    fn insert(&self, coalition: &Coalition, value: &V) -> Result<(), Self::Error> {
        let entries = self.entries(slice::from_ref(coalition), slice::from_ref(value))?;
        Ok(self.buffer.get()?.insert(entries)?)
    }

    /// # Errors
    ///
    /// As of `insert`: all values are kept, or none.
    fn insert_many(&self, coalitions: &[Coalition], values: &[V]) -> Result<(), Self::Error> {
        assert_eq!(coalitions.len(), values.len(), "as many values as coalitions");
        Ok(self.buffer.get()?.insert(self.entries(coalitions, values)?)?)
    }

    fn fingerprint(&self) -> Option<&str> {
        Some(DiskStore::fingerprint(self))
    }

    fn len(&self) -> u64 {
        self.buffer.get().map_or(0, |buffer| buffer.len())
    }
}

impl<V> fmt::Debug for DiskStore<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let buffer = self.buffer.known();
        f.debug_struct("DiskStore")
            .field("path", &buffer.engine.path())
            .field("fingerprint", &buffer.fingerprint())
            .field("num_players", &buffer.players())
            .field("damaged", &buffer.engine.damaged())
            .finish_non_exhaustive()
    }
}
