//! Stores of the ranks of a job, in one directory: what earlier runs paid for, and what this one pays for.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use ::mpi::topology::SimpleCommunicator;

use super::checkpoint::{Lock, file_error};
use super::error::Error;
use super::handshake::{agree, all_or_none};
use super::transport::Transport;
use crate::engine::files;
use crate::fingerprint::Fingerprint;
use crate::store::{DiskError, Store, StoreError};
use crate::value::Encode;
use crate::{Coalition, DiskStore};

/// The store of one rank: all values that earlier runs have paid for, and a file of its own for those that are new.
/// [`store`] makes it.
#[derive(Debug)]
pub struct RankStore<V> {
    known: DiskStore<V>,
    own: DiskStore<V>,
}

impl<V: Encode> RankStore<V> {
    /// The values that were there when the job began, on every rank the same.
    #[must_use]
    pub fn known(&self) -> u64 {
        self.known.len()
    }

    /// The store of what this rank has paid for since.
    #[must_use]
    pub fn own(&self) -> &DiskStore<V> {
        &self.own
    }

    /// Returns when all values that were put in before are durable: [`DiskStore::flush`].
    ///
    /// # Errors
    ///
    /// Those of `DiskStore::flush`.
    pub fn flush(&self) -> Result<(), DiskError> {
        self.own.flush()
    }
}

impl<V: Encode> Store<V> for RankStore<V> {
    type Error = StoreError<DiskError>;

    fn get(&self, coalition: &Coalition) -> Result<Option<V>, Self::Error> {
        match self.known.get(coalition)? {
            Some(value) => Ok(Some(value)),
            None => self.own.get(coalition),
        }
    }

    fn get_many(&self, coalitions: &[Coalition], values: &mut Vec<Option<V>>) -> Result<(), Self::Error> {
        let first = values.len();
        self.known.get_many(coalitions, values)?;
        let found = &mut values[first..];
        let missing: Vec<usize> = (0..found.len()).filter(|&place| found[place].is_none()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let asked: Vec<Coalition> = missing.iter().map(|&place| coalitions[place].clone()).collect();
        let mut own = Vec::with_capacity(asked.len());
        self.own.get_many(&asked, &mut own)?;
        for (place, value) in missing.into_iter().zip(own) {
            found[place] = value;
        }
        Ok(())
    }

    fn insert(&self, coalition: &Coalition, value: &V) -> Result<(), Self::Error> {
        self.own.insert(coalition, value)
    }

    fn insert_many(&self, coalitions: &[Coalition], values: &[V]) -> Result<(), Self::Error> {
        self.own.insert_many(coalitions, values)
    }

    fn fingerprint(&self) -> Option<&str> {
        Some(DiskStore::fingerprint(&self.own))
    }

    fn len(&self) -> u64 {
        self.known.len() + self.own.len()
    }
}

/// Opens a store for each rank, in a directory that all of them see. Whatever a store of an earlier run in this
/// directory had on the disk is in each of them, whoever paid for it, on however many ranks: nothing is evaluated
/// again. All ranks must call it.
///
/// ```no_run
/// use shapley::{Cached, mpi};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let world = mpi::World::start()?;
/// let model = shapley::from_fn(14, |s| (s.len() as f64).sqrt()); // a minute each
/// let store = mpi::store(&world, "credit", "credit model 7, data of March")?;
/// let game = Cached::with_store(model, &store);
/// let phi = mpi::Cluster::new(&world).directory("credit").exact(&game, &shapley::Exact::new().batch(1))?;
/// # Ok(())
/// # }
/// ```
///
/// # What is in the directory
///
/// `united.store` has the values of all earlier runs. Rank 0 first takes into it what the ranks of the last run have
/// left in `rank-0.store`, `rank-1.store` and so on, with [`DiskStore::merge_from`], and removes those once it is all
/// on the disk. Then each rank makes a copy of it for itself (`known-0.store` and so on: one process at a time can have
/// such a file open), and begins a file of its own. A process that is killed at any moment of this leaves every value
/// in one of the files.
///
/// # Cost
///
/// A copy of `united.store` for each rank, on the disk of the directory: 50 to 70 bytes a value and rank. A million
/// values and a hundred ranks are 6 GB, which a parallel file system writes in some seconds, and a single disk in a
/// minute. Where that is too much, let a rank have more threads, of which all share one store.
///
/// # Errors
///
/// The same on all ranks: [`Error::Mismatch`] if they were called with different directories, fingerprints or types;
/// [`Error::File`] with a [`DiskError`] if a store is of another game, or damaged, or if another job is using the
/// directory; and if a rank does not see the directory, or its disk is full.
pub fn store<V: Encode>(
    world: &SimpleCommunicator,
    directory: impl AsRef<Path>,
    fingerprint: impl Into<Fingerprint>,
) -> Result<RankStore<V>, Error> {
    let directory = directory.as_ref();
    let fingerprint = fingerprint.into();
    let mut link = Transport::new(world);
    let settings = vec![
        ("the call", "store".to_owned()),
        ("the type of values", V::type_name()),
        ("the directory", directory.display().to_string()),
        ("the fingerprint", format!("{:?}", fingerprint.as_str())),
    ];
    agree(&mut link, settings, 1)?;
    let rank = link.rank();
    // Held until all ranks have theirs open, which then keeps others away.
    let (_lock, old) = match rank {
        0 => all_or_none(&mut link, unite::<V>(directory, &fingerprint).map(|(lock, old)| (Some(lock), old)))?,
        _ => all_or_none(&mut link, Ok((None, Vec::new())))?,
    };
    for path in old {
        // What is in it is in the other; it would be taken in again, for nothing.
        let _ = fs::remove_file(path);
    }
    // Nobody begins a file while old ones are removed.
    all_or_none(&mut link, Ok(()))?;
    all_or_none(&mut link, open::<V>(rank, directory, &fingerprint))
}

fn united(directory: &Path) -> PathBuf {
    directory.join("united.store")
}

/// Takes all that earlier runs have left into one store. The files that are then of no more use are returned, of former
/// ranks that may be no more.
fn unite<V: Encode>(directory: &Path, fingerprint: &Fingerprint) -> Result<(Lock, Vec<PathBuf>), Error> {
    fs::create_dir_all(directory).map_err(|error| file_error(0, directory, error))?;
    let lock = Lock::new(&directory.join("stores.lock"))?;
    let path = united(directory);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| file_error(0, &path, error)
    };
    let mut old = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| file_error(0, directory, error))? {
        let theirs = entry.map_err(|error| file_error(0, directory, error))?.path();
        if kind(&theirs).is_some() {
            old.push(theirs);
        }
    }
    old.sort_unstable();
    let ranks: Vec<&PathBuf> = old.iter().filter(|path| kind(path) == Some("rank")).collect();
    // If somebody has removed it, it is made with the permissions of what goes into it.
    let like = ranks.first().and_then(|first| fs::metadata(first).ok());
    let all = DiskStore::<V>::open_like(&path, fingerprint, like.as_ref()).map_err(failed(&path))?;
    for theirs in ranks {
        let store = DiskStore::<V>::open(theirs, fingerprint.clone()).map_err(failed(theirs))?;
        all.merge_from(&store).map_err(failed(theirs))?;
    }
    all.flush().map_err(failed(&path))?;
    Ok((lock, old))
}

/// What a file is, if it is a rank's: its store of its own, or a copy of what all know, which is `.new` if it was never
/// whole.
fn kind(path: &Path) -> Option<&str> {
    let extension = path.extension()?.to_str()?;
    let (kind, rank) = path.file_stem()?.to_str()?.split_once('-')?;
    rank.parse::<u32>().ok()?;
    matches!((kind, extension), (_, "store") | ("known", "new")).then_some(kind)
}

fn open<V: Encode>(rank: usize, directory: &Path, fingerprint: &Fingerprint) -> Result<RankStore<V>, Error> {
    let known = directory.join(format!("known-{rank}.store"));
    let own = directory.join(format!("rank-{rank}.store"));
    let failed = |error| file_error(rank, &known, error);
    let mut united = File::open(united(directory)).map_err(failed)?;
    // Whoever may not read the one may not read the others.
    let like = united.metadata().map_err(failed)?;
    files::replace(&known, &known.with_extension("new"), Some(&like), |file| io::copy(&mut united, file))
        .map_err(failed)?;
    let opened = |path: &Path| {
        DiskStore::<V>::open_like(path, fingerprint, Some(&like)).map_err(|error| file_error(rank, path, error))
    };
    Ok(RankStore { known: opened(&known)?, own: opened(&own)? })
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};

    use super::*;

    /// What each rank does at the beginning of a job, one after the other.
    fn begin(directory: &Path, ranks: usize) -> Vec<RankStore<f64>> {
        let fingerprint = Fingerprint::from("game");
        let (_lock, old) = unite::<f64>(directory, &fingerprint).unwrap_or_else(|error| panic!("{error}"));
        old.iter().for_each(|path| fs::remove_file(path).expect("it is there"));
        let opened = |rank| open(rank, directory, &fingerprint).unwrap_or_else(|error| panic!("{error}"));
        (0..ranks).map(opened).collect()
    }

    fn fill(stores: &[RankStore<f64>]) {
        for (rank, store) in stores.iter().enumerate() {
            store.insert(&Coalition::from_mask(9, rank as u64), &0.5).expect("it takes a value");
        }
    }

    fn of(path: &Path) -> (u32, u32, u32) {
        let file = fs::metadata(path).expect("a file");
        (file.mode() & 0o777, file.uid(), file.gid())
    }

    #[test]
    fn all_files_of_a_private_store_are_private() {
        let directory = tempfile::tempdir().expect("a directory");
        let directory = directory.path();
        fill(&begin(directory, 1));
        let path = united(directory);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        let _ = chown(&path, Some(12_345), Some(54_321)); // where that is allowed
        let private = of(&path);
        fill(&begin(directory, 2));
        let check = |names: &[&str]| {
            for name in names {
                assert_eq!(of(&directory.join(name)), private, "{name}");
            }
        };
        check(&["united.store", "known-0.store", "rank-0.store", "known-1.store", "rank-1.store"]);
        // Made again, of what is private.
        fs::remove_file(&path).expect("it is there");
        let stores = begin(directory, 1);
        check(&["united.store", "known-0.store", "rank-0.store"]);
        assert_eq!(stores[0].known(), 2);
    }

    #[test]
    fn planted_links_are_not_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        let directory = directory.path();
        let target = directory.join("of somebody");
        fs::write(&target, "precious").expect("a file");
        symlink(&target, directory.join("known-0.new")).expect("a link");
        drop(begin(directory, 1));
        symlink(&target, directory.join("known-0.new")).expect("a link");
        symlink(&target, directory.join("known-1.new")).expect("a link");
        drop(begin(directory, 2));
        fs::remove_file(directory.join("stores.lock")).expect("it is there");
        symlink(&target, directory.join("stores.lock")).expect("a link");
        let error = unite::<f64>(directory, &Fingerprint::from("game")).expect_err("the lock is a link");
        assert!(matches!(error, Error::File { .. }), "{error}");
        assert_eq!(fs::read(&target).expect("a file"), b"precious");
    }
}
