//! What is between a store and its file: values wait here for a commit, which takes as long as the disk does.
//!
//! Two locks. `state` is held for moments, never during a commit and never while code of the user's runs. `commits` is
//! held for a whole commit, so that there is one at a time, and taken before `state`. What waits is seen by readers
//! until it can be read from the file: they look here first, and in the file after.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use redb::ReadableTableMetadata;

use super::DiskError;
use super::engine::{ENTRIES, Engine, HEADER, HEADER_KEY};
use super::format::Header;
use crate::store::sync::lock;

pub(super) type Key = Box<[u8]>;
/// As it is in the file: value and checksum.
pub(super) type Entry = Box<[u8]>;
/// In the order of the file: the same values are then written alike.
type Entries = BTreeMap<Key, Entry>;

/// After a failure the background thread waits at least this long.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) engine: Engine,
    /// The store's header without a number of players.
    header: Header,
    players: OnceLock<Players>,
    state: Mutex<State>,
    wake: Condvar,
    /// Held during a commit: whether the number of players is in the file.
    commits: Mutex<bool>,
}

/// What is known from the first value on.
#[derive(Debug)]
struct Players {
    number: u64,
    /// What checksums begin from.
    seed: u64,
}

#[derive(Debug, Default)]
struct State {
    waiting: Entries,
    /// What the running commit writes.
    in_commit: Arc<Entries>,
    /// When the oldest that waits came.
    since: Option<Instant>,
    /// Not before, for the background thread.
    not_before: Option<Instant>,
    /// Of the background thread, for the next who asks.
    failure: Option<DiskError>,
    commit_every: usize,
    commit_within: Duration,
    thread: Option<thread::JoinHandle<()>>,
    stop: bool,
}

impl Buffer {
    pub(super) fn new(engine: Engine, header: Header) -> Self {
        let players = OnceLock::new();
        if let Some(number) = header.players {
            let _ = players.set(Players { number, seed: header.seed() });
        }
        Self {
            engine,
            commits: Mutex::new(header.players.is_some()),
            header,
            players,
            state: Mutex::new(State { commit_every: 1000, commit_within: Duration::from_secs(1), ..State::default() }),
            wake: Condvar::new(),
        }
    }

    pub(super) fn fingerprint(&self) -> &str {
        &self.header.fingerprint
    }

    /// The header that the file has, once what waits is committed.
    pub(super) fn header(&self) -> Header {
        Header { players: self.players(), ..self.header.clone() }
    }

    pub(super) fn players(&self) -> Option<u64> {
        self.players.get().map(|players| players.number)
    }

    /// What checksums begin from; `None` before the first value.
    pub(super) fn seed(&self) -> Option<u64> {
        self.players.get().map(|players| players.seed)
    }

    /// The same, for a value of a coalition of so many players, which may be the first.
    pub(super) fn seed_for(&self, number: u64) -> Result<u64, DiskError> {
        let players = self.players.get_or_init(|| {
            let header = Header { players: Some(number), ..self.header.clone() };
            Players { number, seed: header.seed() }
        });
        self.check_players(number)?;
        Ok(players.seed)
    }

    /// An error if the store is of a game of another number of players.
    pub(super) fn check_players(&self, asked: u64) -> Result<(), DiskError> {
        match self.players() {
            Some(store) if store != asked => {
                Err(DiskError::Players { path: self.engine.path().to_owned(), store, asked })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn set_commit_every(&self, entries: usize) {
        lock(&self.state).commit_every = entries.max(1);
    }

    pub(super) fn set_commit_within(&self, age: Duration) {
        lock(&self.state).commit_within = age;
        self.wake.notify_all();
    }

    /// Takes entries in, and commits if that makes enough.
    pub(super) fn insert(self: &Arc<Self>, entries: Vec<(Key, Entry)>) -> Result<(), DiskError> {
        // A batch of enough values is committed, also if some of them are of one coalition.
        let given = entries.len();
        let mut state = lock(&self.state);
        state.waiting.extend(entries);
        if state.since.is_none() && !state.waiting.is_empty() {
            state.since = Some(Instant::now());
            self.wake.notify_all();
        }
        let is_enough = move |state: &State| state.waiting.len().max(given) >= state.commit_every;
        let enough = is_enough(&state);
        if let Some(failure) = state.failure.take() {
            return Err(failure);
        }
        if !enough && state.thread.is_none() {
            let buffer = Arc::clone(self);
            let thread = thread::Builder::new().name("shapley store".to_owned()).spawn(move || buffer.run());
            state.thread = Some(thread.map_err(DiskError::io(self.engine.path()))?);
        }
        drop(state);
        // Whoever finds it full waits for the running commit, so that no more than twice a full buffer is in memory.
        if enough { self.commit(is_enough) } else { Ok(()) }
    }

    /// All that was taken in before this call is durable when it returns, and the file is where it should be.
    pub(super) fn flush(&self) -> Result<(), DiskError> {
        self.commit(|_| true)
    }

    /// All that was taken in before this call is in the file, wherever that is.
    pub(super) fn write_all(&self) -> Result<(), DiskError> {
        self.write(&mut lock(&self.commits), |_| true)
    }

    /// Calls `f` while nothing is written to the file.
    pub(super) fn between_commits<T>(&self, f: impl FnOnce() -> T) -> T {
        let _commits = lock(&self.commits);
        f()
    }

    /// Commits what waits, after the running commit, if it is still wanted then; and looks at what became of the file.
    fn commit(&self, wanted: impl FnOnce(&State) -> bool) -> Result<(), DiskError> {
        self.commit_alone(&mut lock(&self.commits), wanted)
    }

    /// The same, by whoever has the lock of commits.
    fn commit_alone(&self, has_players: &mut bool, wanted: impl FnOnce(&State) -> bool) -> Result<(), DiskError> {
        self.write(has_players, wanted)?;
        // What is lost stays so, whatever was written since.
        match lock(&self.state).failure.take_if(|failure| failure.is_loss()) {
            Some(loss) => Err(loss),
            None => self.engine.look(),
        }
    }

    /// What could not be committed waits on.
    fn write(&self, has_players: &mut bool, wanted: impl FnOnce(&State) -> bool) -> Result<(), DiskError> {
        let entries = {
            let mut state = lock(&self.state);
            if !wanted(&state) || state.waiting.is_empty() {
                return Ok(());
            }
            state.in_commit = Arc::new(std::mem::take(&mut state.waiting));
            state.since = None;
            Arc::clone(&state.in_commit)
        };
        let header = (!*has_players).then(|| self.header().encode());
        let result = self.engine.write(|transaction| {
            if let Some(header) = &header {
                transaction.open_table(HEADER)?.insert(HEADER_KEY, header.as_slice())?;
            }
            let mut table = transaction.open_table(ENTRIES)?;
            for (key, entry) in &*entries {
                table.insert(&**key, &**entry)?;
            }
            Ok(table.len()?)
        });
        let mut state = lock(&self.state);
        state.in_commit = Arc::default();
        state.failure.take_if(|failure| !failure.is_loss()); // there is newer news
        match result {
            Ok(()) => {
                *has_players = true;
                state.not_before = None;
                Ok(())
            }
            Err(error) => {
                for (key, entry) in &*entries {
                    // What came meanwhile is newer.
                    state.waiting.entry(key.clone()).or_insert_with(|| entry.clone());
                }
                let now = Instant::now();
                state.since = Some(now);
                state.not_before = now.checked_add(PAUSE);
                self.wake.notify_all();
                Err(error)
            }
        }
    }

    /// The background thread: commits what has waited long enough.
    fn run(&self) {
        let mut state = lock(&self.state);
        while !state.stop {
            let now = Instant::now();
            match state.due() {
                Some(due) if due <= now => {
                    drop(state);
                    // What goes wrong is kept before another commit begins: a flush in between would know nothing of it.
                    let mut has_players = lock(&self.commits);
                    let result = self.commit_alone(&mut has_players, |state| state.due().is_some_and(|due| due <= now));
                    state = lock(&self.state);
                    if let Err(failure) = result
                        && !state.failure.as_ref().is_some_and(DiskError::is_loss)
                    {
                        state.failure = Some(failure);
                    }
                    drop(has_players);
                }
                Some(due) => {
                    let waited = self.wake.wait_timeout(state, due - now);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                None => state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Stops the thread and commits what waits.
    pub(super) fn finish(&self) {
        let thread = {
            let mut state = lock(&self.state);
            state.stop = true;
            state.thread.take()
        };
        self.wake.notify_all();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
        let _ = self.flush();
    }

    /// The entry of each key: `found` is told its place and its bytes.
    pub(super) fn get(&self, keys: &[Key], mut found: impl FnMut(usize, &[u8])) -> Result<(), DiskError> {
        let mut missing = Vec::with_capacity(keys.len());
        let mut here = Vec::new();
        {
            let state = lock(&self.state);
            for (place, key) in keys.iter().enumerate() {
                match state.waiting.get(key).or_else(|| state.in_commit.get(key)) {
                    Some(entry) => here.push((place, entry.clone())),
                    None => missing.push(place),
                }
            }
        }
        for (place, entry) in &here {
            found(*place, entry);
        }
        if missing.is_empty() {
            return Ok(());
        }
        self.engine.read(|transaction| {
            let table = transaction.open_table(ENTRIES)?;
            for &place in &missing {
                if let Some(entry) = table.get(&*keys[place])? {
                    found(place, entry.value());
                }
            }
            Ok(())
        })
    }

    /// The next entries of the file, in the order of their keys: at most so many, and those after a key.
    pub(super) fn next(&self, after: Option<&[u8]>, most: usize) -> Result<Vec<(Key, Entry)>, DiskError> {
        self.engine.read(|transaction| {
            let table = transaction.open_table(ENTRIES)?;
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let mut entries = Vec::with_capacity(most);
            for entry in table.range::<&[u8]>((from, Bound::Unbounded))?.take(most) {
                let (key, entry) = entry?;
                entries.push((key.value().into(), entry.value().into()));
            }
            Ok(entries)
        })
    }

    /// How many entries there are, in the file and here.
    pub(super) fn len(&self) -> u64 {
        let keys: Vec<Key> = {
            let state = lock(&self.state);
            let running = state.in_commit.keys().filter(|key| !state.waiting.contains_key(*key));
            state.waiting.keys().chain(running).cloned().collect()
        };
        let len = self.engine.read(|transaction| {
            let table = transaction.open_table(ENTRIES)?;
            let mut len = table.len()?;
            for key in &keys {
                len += u64::from(table.get(&**key)?.is_none());
            }
            Ok(len)
        });
        len.unwrap_or(keys.len() as u64)
    }
}

impl State {
    /// When the background thread should commit.
    fn due(&self) -> Option<Instant> {
        let due = self.since?.checked_add(self.commit_within)?;
        Some(self.not_before.map_or(due, |pause| pause.max(due)))
    }
}
