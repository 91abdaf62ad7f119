//! MPI, started and ended.

use std::fmt;
use std::ops::Deref;

use ::mpi::Threading;
use ::mpi::environment::Universe;
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::Communicator as _;

use super::Error;

/// The exit code of a job in which a rank panicked outside of the solvers: that of a program that panics.
const PANICKED: i32 = 101;

/// MPI, from [`start`](Self::start) until this is dropped; and all ranks that were started together, as what solvers are called with.
///
/// A program has one, keeps it in `main`, and returns from `main` on all ranks. (Who uses [`rsmpi`](super::rsmpi) already goes on doing
/// so: solvers take the [`SimpleCommunicator`] that this is a pointer to.) If it is dropped by a panic it ends the job on all ranks: MPI's
/// own end would wait for them for ever. A rank that means to end early, because of a failure that the others do not know of, says
/// [`abort`](Self::abort) for the same reason.
pub struct World {
    world: SimpleCommunicator,
    /// MPI ends when this is dropped.
    _universe: Universe,
}

impl World {
    /// Starts MPI, for programs with threads of which one talks.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] if it was started before in this process, or the library does not allow threads.
    pub fn start() -> Result<Self, Error> {
        match ::mpi::initialize_with_threading(Threading::Funneled) {
            Some((universe, granted)) if granted >= Threading::Funneled => {
                Ok(Self { world: universe.world(), _universe: universe })
            }
            Some((_, granted)) => Err(Error::Start { what: format!("this library allows no threads: {granted:?}") }),
            None => Err(Error::Start { what: "it was started before".to_owned() }),
        }
    }

    /// The number of this rank, from 0.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    /// The number of ranks: 1 without `mpirun`.
    #[must_use]
    pub fn ranks(&self) -> usize {
        self.world.size() as usize
    }

    /// Whether this is rank 0: the one that prints.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// Ends the job at once, on all ranks.
    pub fn abort(&self, exit_code: i32) -> ! {
        self.world.abort(exit_code)
    }
}

impl Deref for World {
    type Target = SimpleCommunicator;

    fn deref(&self) -> &SimpleCommunicator {
        &self.world
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() && self.ranks() > 1 {
            self.abort(PANICKED);
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("rank", &self.rank()).field("ranks", &self.ranks()).finish()
    }
}
