//! The database of a store: every call into redb goes through here, so that no panic of it gets out.

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use redb::{
    Builder, Database, ReadTransaction, ReadableDatabase, ReadableTableMetadata as _, TableDefinition, TableError,
    WriteTransaction,
};

use super::backend::{Cut, Lock, Overlay, Switch, Switched};
use super::format::Header;
use super::guard::{guarded, panicked, translate};
use super::whereabouts::Whereabouts;
use super::{DiskError, create, header, salvage};
use crate::engine::panics::catch;
use crate::store::sync::lock;

/// One record, the header, under `HEADER_KEY`.
pub(super) const HEADER: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("shapley.header");
pub(super) const HEADER_KEY: &[u8] = b"header";
/// The value of each coalition, under its bytes.
pub(super) const ENTRIES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("shapley.entries");

/// redb's own cache. The operating system has another, so a larger one gains little; redb's default is a gigabyte.
const CACHE: usize = 64 << 20;

/// A path, and the database that is open there.
#[derive(Debug)]
pub(super) struct Engine {
    /// As it was given.
    path: PathBuf,
    /// The same from the root, whatever directory is the current one later.
    absolute: PathBuf,
    expected: Header,
    state: RwLock<State>,
    /// Something went wrong. The database is not written to again before it was opened again, and so checked.
    suspect: AtomicBool,
    losses: Losses,
    /// The entries of the newest commit.
    entries: AtomicU64,
    /// The file was cut, and the user was not told; and how many entries were lost, when that is known.
    cut: Mutex<Option<(Cut, Option<u64>)>>,
}

/// What is known to be lost.
#[derive(Debug, Default)]
struct Losses {
    /// Entries that were found damaged.
    damaged: AtomicU64,
    /// Whether the file was replaced, by one with what is whole.
    replaced: AtomicBool,
}

#[derive(Debug)]
enum State {
    Open(Session),
    /// It could not be opened again for writing, which writes: the disk may be full. What is in it can be read until a
    /// write finds room.
    Reading(Reading),
    /// It could not be opened again at all. The file is kept, and the next call tries.
    Closed(Option<File>),
    /// redb panicked. What state its memory is in nobody knows, so it is not used any more; this is what it said.
    Broken(String),
}

impl Engine {
    /// Opens the store at `path`, or makes it, with the owner and permissions of `like`. Its header is returned.
    pub(super) fn open(path: &Path, expected: Header, like: Option<&Metadata>) -> Result<(Self, Header), DiskError> {
        let losses = Losses::default();
        let absolute = std::path::absolute(path).map_err(DiskError::io(path))?;
        let file = create::open_or_create(path, &expected.encode(), like)?;
        let session = Session::open(path, file, &expected, &losses).map_err(|(error, _)| error)?;
        let engine = Self {
            path: path.to_owned(),
            absolute,
            expected,
            state: RwLock::new(State::Open(session)),
            suspect: AtomicBool::new(false),
            losses,
            entries: AtomicU64::new(0),
            cut: Mutex::new(None),
        };
        let found = header::parse(path, engine.read(header)?)?;
        engine.entries.store(engine.read(entries)?, Ordering::Relaxed);
        header::check(path, &found, &engine.expected)?;
        Ok((engine, found))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn damaged(&self) -> u64 {
        self.losses.damaged.load(Ordering::Relaxed)
    }

    pub(super) fn replaced(&self) -> bool {
        self.losses.replaced.load(Ordering::Relaxed)
    }

    /// Counts an entry that was found damaged.
    pub(super) fn found_damage(&self) {
        self.losses.damaged.fetch_add(1, Ordering::Relaxed);
        self.suspect();
    }

    /// Has the file checked before anything else is done.
    pub(super) fn suspect(&self) {
        self.suspect.store(true, Ordering::Release);
    }

    /// The file, for a reader that goes by the database.
    pub(super) fn file(&self) -> Result<File, DiskError> {
        let io = DiskError::io(&self.path);
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Open(Session { file, .. }) | State::Reading(Reading { file, .. }) => file.try_clone().map_err(io),
            state => Err(self.no_session(state)),
        }
    }

    /// An error if another program has done something to the file since it was opened. Not during a commit.
    pub(super) fn look(&self) -> Result<(), DiskError> {
        if self.is_cut() {
            self.suspect();
        }
        self.reopen()?;
        let path = self.path.clone();
        if let Some((Cut { len, expected }, lost)) = lock(&self.cut).take() {
            return Err(DiskError::Cut { path, len, expected, lost });
        }
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Open(Session { file, .. }) => match Whereabouts::of(file, &self.absolute) {
                Whereabouts::AtPath => Ok(()),
                Whereabouts::Removed => Err(DiskError::Removed { path }),
                Whereabouts::Replaced => Err(DiskError::Replaced { path }),
                Whereabouts::Moved => Err(DiskError::Moved { path }),
            },
            _ => Ok(()),
        }
    }

    fn is_cut(&self) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        matches!(&*state, State::Open(session) if session.switch.cut(&session.file).is_some())
    }

    /// Calls `f` with a view of the newest commit, and again if a failure in another thread ends that. It must not run
    /// code of the user's.
    pub(super) fn read<T>(
        &self,
        mut f: impl FnMut(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, DiskError> {
        for _ in 0..3 {
            let mut not_ours = false;
            let result = self.with(false, |database| {
                let result = database.begin_read().map_err(redb::Error::from).and_then(|transaction| f(&transaction));
                not_ours = matches!(result, Err(redb::Error::PreviousIo | redb::Error::DatabaseClosed));
                result
            });
            if !not_ours {
                return result;
            }
        }
        self.with(false, |database| f(&database.begin_read()?))
    }

    /// Commits what `f` writes, which says how many entries there are then: it is durable on return. `f` must not run
    /// code of the user's. One commit at a time.
    pub(super) fn write(&self, f: impl FnOnce(&WriteTransaction) -> Result<u64, redb::Error>) -> Result<(), DiskError> {
        if self.is_cut() {
            self.suspect(); // before it is written to, what is left is moved to another file
        }
        let entries = self.with(true, |database| write(database, f)).inspect_err(|_| self.suspect())?;
        self.entries.store(entries, Ordering::Relaxed);
        Ok(())
    }

    fn with<T>(&self, writing: bool, f: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, DiskError> {
        let can_read = || matches!(&*self.state.read().unwrap_or_else(PoisonError::into_inner), State::Reading(_));
        if self.suspect.load(Ordering::Acquire) && (writing || !can_read()) {
            let reopened = self.reopen();
            if writing || !can_read() {
                reopened?;
            }
        }
        let what = match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Reading(_) if writing => return Err(self.no_session(&State::Closed(None))),
            State::Open(Session { database, .. }) | State::Reading(Reading { database, .. }) => {
                match catch(|| f(database)) {
                    Ok(result) => {
                        return result.map_err(|error| {
                            self.suspect();
                            translate(&self.path, error)
                        });
                    }
                    Err(panic) => panicked(&panic),
                }
            }
            state => return Err(self.no_session(state)),
        };
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Broken(what.clone())) {
            State::Open(session) => _ = session.abandon(),
            State::Reading(reading) => std::mem::forget(reading.database), // as good as abandoned: it is all in memory
            State::Closed(_) | State::Broken(_) => {}
        }
        Err(DiskError::damaged(&self.path, what))
    }

    /// If something went wrong, closes the database and opens it again, which checks all of it. After a failure of the
    /// file redb does nothing more until then.
    fn reopen(&self) -> Result<(), DiskError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if !self.suspect.load(Ordering::Acquire) {
            return Ok(()); // nothing did, or somebody was faster
        }
        let file = match std::mem::replace(&mut *state, State::Closed(None)) {
            State::Open(session) => {
                if let Some(cut) = session.switch.cut(&session.file) {
                    *lock(&self.cut) = Some((cut, None));
                }
                session.abandon()
            }
            State::Reading(reading) => reading.close(),
            State::Closed(Some(file)) => file,
            other => {
                let error = self.no_session(&other);
                *state = other;
                return Err(error);
            }
        };
        let (mut error, file) = match Session::open(&self.absolute, file, &self.expected, &self.losses) {
            Ok(session) => {
                let there = guarded(&self.path, || entries(&session.database.begin_read()?)).unwrap_or(0);
                let before = self.entries.swap(there, Ordering::Relaxed);
                if let Some((_, lost)) = &mut *lock(&self.cut) {
                    *lost = Some(before.saturating_sub(there));
                }
                *state = State::Open(session);
                self.suspect.store(false, Ordering::Release);
                return Ok(());
            }
            Err(failed) => failed,
        };
        *state = match (&error, file) {
            (DiskError::Io { .. }, Some(file)) => match Reading::open(&self.path, &file) {
                Ok((database, lock)) => State::Reading(Reading { database, file, _lock: lock }),
                Err(_) => State::Closed(Some(file)),
            },
            (_, file) => State::Closed(file),
        };
        if let (DiskError::Damaged { .. } | DiskError::Empty { .. }, Some((cut, _))) = (&error, *lock(&self.cut)) {
            error = DiskError::Cut { path: self.path.clone(), len: cut.len, expected: cut.expected, lost: None };
        }
        Err(error)
    }

    fn no_session(&self, state: &State) -> DiskError {
        let what = match state {
            State::Broken(what) => what.clone(),
            _ => "it could not be opened again after a failure".to_owned(),
        };
        DiskError::damaged(&self.path, what)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let State::Open(session) = std::mem::replace(state, State::Closed(None)) {
            if *self.suspect.get_mut() {
                session.abandon();
            } else {
                let _ = catch(|| drop(session));
            }
        }
    }
}

/// An open database, of which every page was checked.
#[derive(Debug)]
struct Session {
    database: Database,
    /// The same file, so that it can be opened again wherever its path leads by then.
    file: File,
    switch: Arc<Switch>,
}

impl Session {
    /// Opens the store in a file. If it is damaged, what is whole is moved to a new file, and that is opened. On
    /// failure the file is given back, if it is still the one to try.
    fn open(path: &Path, file: File, expected: &Header, losses: &Losses) -> Result<Self, (DiskError, Option<File>)> {
        let first = match Self::checked(path, &file) {
            Ok((database, switch)) => return Ok(Self { database, file, switch }),
            Err(DiskError::Damaged { what, .. }) => what,
            Err(error) => return Err((error, Some(file))),
        };
        match salvage::rebuild(path, &file, expected) {
            Ok(entries) => {
                losses.damaged.fetch_add(entries, Ordering::Relaxed);
                losses.replaced.store(true, Ordering::Relaxed);
            }
            Err(DiskError::Damaged { path, what }) => {
                let what = if what == first { first } else { format!("{first}; {what}") };
                return Err((DiskError::Damaged { path, what }, Some(file)));
            }
            Err(error) => return Err((error, Some(file))),
        }
        let file = create::open(path).map_err(|error| (error, None))?;
        match Self::checked(path, &file) {
            Ok((database, switch)) => Ok(Self { database, file, switch }),
            Err(error) => Err((error, Some(file))),
        }
    }

    fn checked(path: &Path, file: &File) -> Result<(Database, Arc<Switch>), DiskError> {
        let io = DiskError::io(path);
        // redb makes a new database of an empty file, which must not happen to one that was cut meanwhile.
        if file.metadata().map_err(io)?.len() == 0 {
            return Err(DiskError::Empty { path: path.to_owned() });
        }
        let backend = Switched::new(file).map_err(io)?;
        let switch = backend.switch();
        let open = || Ok(builder().set_check_integrity_on_open(true).create_with_backend(backend)?);
        Ok((guarded(path, open)?, switch))
    }

    /// Drops the database without a further byte written. Dropping it else ends with a commit, and to commit to a
    /// database in an unknown state is how to lose what is in it, or to panic.
    fn abandon(self) -> File {
        let Self { mut database, file, switch } = self;
        switch.off();
        // It reads the file, finds it failing, and remembers that: nothing is committed then.
        let _ = catch(|| database.check_integrity().is_ok());
        let _ = catch(|| drop(database));
        file
    }
}

/// A checked database of which nothing reaches the file.
#[derive(Debug)]
struct Reading {
    database: Database,
    file: File,
    /// What another process would write is not to be read.
    _lock: Lock,
}

impl Reading {
    fn open(path: &Path, file: &File) -> Result<(Database, Lock), DiskError> {
        let lock = Lock::take(path, file)?;
        let overlay = Overlay::new(file).map_err(DiskError::io(path))?;
        let open = || Ok(builder().set_check_integrity_on_open(true).create_with_backend(overlay)?);
        Ok((guarded(path, open)?, lock))
    }

    fn close(self) -> File {
        let Self { database, file, _lock } = self;
        let _ = catch(|| drop(database));
        file
    }
}

/// The record of the header, if there is one.
pub(super) fn header(transaction: &ReadTransaction) -> Result<Option<Vec<u8>>, redb::Error> {
    match transaction.open_table(HEADER) {
        Ok(table) => Ok(table.get(HEADER_KEY)?.map(|header| header.value().to_vec())),
        Err(TableError::Storage(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// How many entries there are.
fn entries(transaction: &ReadTransaction) -> Result<u64, redb::Error> {
    match transaction.open_table(ENTRIES) {
        Ok(table) => Ok(table.len()?),
        Err(TableError::Storage(error)) => Err(error.into()),
        Err(_) => Ok(0),
    }
}

/// One durable commit, in two phases: what is in the file then is the newest commit, or damage that redb's check finds.
/// In one phase a damaged commit passes for one that was cut short, and is silently undone.
pub(super) fn write<T>(
    database: &Database,
    f: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
) -> Result<T, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    transaction.set_durability(redb::Durability::Immediate)?;
    let written = f(&transaction)?;
    transaction.commit()?;
    Ok(written)
}

pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder
}
