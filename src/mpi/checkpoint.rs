//! The partial result of a job, in a file of rank 0: saved as a whole or not at all, and never taken for another.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Failure;
use super::{Error, transport};
use crate::engine::{envelope, files};

/// How a file begins.
const MAGIC: &[u8; 24] = b"shapley partial result 1";

/// Saves a partial result, now and then. While it lives, no other job saves to the same directory.
pub(super) struct Checkpoint {
    path: PathBuf,
    every: Duration,
    last: Instant,
    /// What the file is of: the solver, and the type of values.
    kind: [String; 2],
    _lock: Lock,
}

impl Checkpoint {
    pub(super) fn new<V>(directory: &Path, every: Duration, solver: &str) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(|error| file_error(0, directory, error))?;
        let lock = Lock::new(&directory.join("job.lock"))?;
        let kind = [solver.to_owned(), std::any::type_name::<V>().to_owned()];
        let path = directory.join(format!("{solver}.partial"));
        Ok(Self { path, every, last: Instant::now(), kind, _lock: lock })
    }

    /// What an earlier run saved, if there was one.
    pub(super) fn load<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        let bytes = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| file_error(0, &self.path, error))?,
        };
        let message = envelope::open(MAGIC, "a partial result", &bytes).map_err(|what| self.refuse(what))?;
        let (kind, rest) = postcard::take_from_bytes::<[String; 2]>(message).map_err(|error| self.refuse(error))?;
        for (what, (ours, theirs)) in ["the solver", "the type of values"].into_iter().zip(self.kind.iter().zip(kind)) {
            if *ours != theirs {
                let ours = ours.clone();
                return Err(self.refuse(crate::Error::<std::convert::Infallible>::Mismatch { what, ours, theirs }));
            }
        }
        transport::decode(0, rest).map(Some).map_err(|error| self.refuse(error))
    }

    pub(super) fn refuse(&self, error: impl std::error::Error + Send + Sync + 'static) -> Error {
        Error::Saved { path: self.path.clone(), source: Failure::new(error) }
    }

    pub(super) fn is_due(&self) -> bool {
        self.last.elapsed() >= self.every
    }

    /// Saves. When it returns, the file is on the disk.
    pub(super) fn save(&mut self, partial: &impl Serialize) -> Result<(), Error> {
        let mut message = transport::encode(0, &self.kind)?;
        message.append(&mut transport::encode(0, partial)?);
        let temporary = self.path.with_extension("partial.new");
        files::replace(&self.path, &temporary, None, |file| envelope::write(MAGIC, &message, file))
            .map_err(|error| file_error(0, &self.path, error))?;
        self.last = Instant::now();
        Ok(())
    }
}

pub(super) fn file_error(rank: usize, path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::File { rank, path: path.to_owned(), source: Failure::new(error) }
}

/// A file that only one process has at a time; given back when this is dropped, or the process dies.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "it is kept open")] File);

/// Another process has the lock.
#[derive(Debug, thiserror::Error)]
#[error("another job is using the directory: its lock is taken")]
struct InUse;

impl Lock {
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let file = files::open_lock(path).map_err(|error| file_error(0, path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(file_error(0, path, InUse)),
            Err(TryLockError::Error(error)) => Err(file_error(0, path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::envelope::Damage;

    fn keeper(directory: &Path, solver: &str) -> Checkpoint {
        Checkpoint::new::<f64>(directory, Duration::ZERO, solver).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn what_was_saved_comes_back_and_nothing_else_does() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut keeper = keeper(directory.path(), "exact");
        assert!(matches!(keeper.load::<Vec<f64>>(), Ok(None)));
        keeper.save(&vec![1.5, -0.0, 1e300]).unwrap_or_else(|error| panic!("{error}"));
        let loaded = keeper.load::<Vec<f64>>().ok().flatten().expect("it is there");
        assert_eq!(loaded.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), [1.5, -0.0, 1e300].map(f64::to_bits));

        let path = directory.path().join("exact.partial");
        let whole = fs::read(&path).expect("a file");
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).expect("it can be written");
            let error = keeper.load::<Vec<f64>>().expect_err("it is cut short");
            let Error::Saved { source, .. } = &error else { panic!("{error:?}") };
            assert!(matches!(source.downcast_ref(), Some(Damage::Short { .. })), "{length}: {source}");
        }
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 4;
            fs::write(&path, &damaged).expect("it can be written");
            let error = keeper.load::<Vec<f64>>().expect_err("it is damaged");
            assert!(
                matches!(&error, Error::Saved { source, .. } if source.downcast_ref::<Damage>().is_some()),
                "{place}"
            );
        }
        let mut longer = whole.clone();
        longer.push(0);
        fs::write(&path, &longer).expect("it can be written");
        assert!(keeper.load::<Vec<f64>>().is_err());
        // Of another solver.
        fs::write(&path, &whole).expect("it can be written");
        keeper.kind[0] = "permutation".to_owned();
        let error = keeper.load::<Vec<f64>>().expect_err("another solver");
        let Error::Saved { source, .. } = &error else { panic!("{error:?}") };
        assert_eq!(source.to_string(), "the solver differs: permutation here, exact in the other");
    }

    #[test]
    fn one_job_at_a_time() {
        let directory = tempfile::tempdir().expect("a directory");
        let again = || Checkpoint::new::<f64>(directory.path(), Duration::ZERO, "exact");
        let first = keeper(directory.path(), "exact");
        let second = again();
        assert!(matches!(second, Err(Error::File { ref source, .. }) if source.downcast_ref::<InUse>().is_some()));
        drop(first);
        assert!(again().is_ok());
    }

    /// In a directory that others can write to, somebody may have put links where these files come.
    #[cfg(unix)]
    #[test]
    fn planted_links_are_not_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = directory.path().join("of somebody");
        let plant = |name: &str| std::os::unix::fs::symlink(&target, directory.path().join(name)).expect("a link");
        let begin = || Checkpoint::new::<f64>(directory.path(), Duration::ZERO, "exact");
        // A link to nothing, and to a file.
        for there in [false, true] {
            if there {
                fs::write(&target, "precious").expect("a file");
            }
            plant("job.lock");
            let Err(error) = begin() else { panic!("the lock is a link") };
            let Error::File { path, source, .. } = &error else { panic!("{error:?}") };
            assert_eq!(*path, directory.path().join("job.lock"));
            assert_eq!(source.to_string(), "it is a link, or not a regular file");
            assert_eq!(target.exists(), there, "nothing is made where the link leads");
            fs::remove_file(directory.path().join("job.lock")).expect("it is there");

            plant("exact.partial.new");
            let mut keeper = begin().unwrap_or_else(|error| panic!("{error}"));
            keeper.save(&vec![1.5]).unwrap_or_else(|error| panic!("{error}"));
            assert!(matches!(keeper.load::<Vec<f64>>(), Ok(Some(saved)) if saved.len() == 1));
            assert_eq!(fs::read(&target).ok().as_deref(), there.then_some(b"precious".as_slice()));
            drop(keeper);
            for name in ["job.lock", "exact.partial"] {
                fs::remove_file(directory.path().join(name)).expect("it is there");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_replaces_a_private_file_is_private_before_it_has_anything_in_it() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

        let directory = tempfile::tempdir().expect("a directory");
        let mut keeper = keeper(directory.path(), "exact");
        keeper.save(&vec![1.5]).unwrap_or_else(|error| panic!("{error}"));
        let path = directory.path().join("exact.partial");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        let _ = chown(&path, Some(12_345), Some(54_321)); // where that is allowed
        let of = |path: &Path| fs::metadata(path).map(|file| (file.mode() & 0o777, file.uid(), file.gid()));
        let before = of(&path).expect("a file");
        let temporary = directory.path().join("exact.partial.new");
        files::replace(&path, &temporary, None, |_| {
            assert_eq!(of(&temporary)?, before);
            Ok(())
        })
        .expect("it is replaced");
        assert_eq!(of(&path).expect("a file"), before);
    }
}
