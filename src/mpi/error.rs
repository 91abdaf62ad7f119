//! Why a job of several ranks gave no result: the same on all of them.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Coalition;
use crate::display::Visible;
use crate::error::write_causes;

/// Why a job of several ranks gave no result.
///
/// All ranks get the same error, whichever of them it happened on. An error of the game's own type cannot be sent to
/// others: they get its text, and the rank where it happened also has [the error itself](Failure::downcast_ref). `{:#}`
/// writes the causes too.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The solver failed on a rank: because of the game or its store, or since the settings make no sense.
    #[error(fmt = write_solve)]
    Solve {
        /// Where. Of what all ranks find alike, such as settings that make no sense, rank 0.
        rank: usize,
        /// Why.
        source: crate::Error<Failure>,
    },

    /// The game, its store or the observer panicked.
    #[error("the game panicked on rank {rank}: {message}")]
    Panicked {
        /// Where.
        rank: usize,
        /// What the panic said.
        message: String,
    },

    /// The ranks do not do the same: they were called with other solvers or settings, or have other games.
    #[error("{} differs: {} on rank 0, {} on rank {rank}", Visible(what), Visible(ours), Visible(theirs))]
    Mismatch {
        /// What differs.
        what: String,
        /// What it is on rank 0.
        ours: String,
        /// The rank where it differs.
        rank: usize,
        /// What it is there.
        theirs: String,
    },

    /// The partial result that an earlier run saved cannot be gone on with: it is damaged, or of another job.
    #[error(fmt = write_saved)]
    Saved {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Failure,
    },

    /// A file of the job could not be read, written or locked: the partial result, or a store.
    #[error(fmt = write_file)]
    File {
        /// Where.
        rank: usize,
        /// The file.
        path: PathBuf,
        /// Why.
        source: Failure,
    },

    /// MPI could not be started.
    #[error("MPI could not be started: {what}")]
    Start {
        /// Why.
        what: String,
    },

    /// A message could not be made or understood: the ranks run different programs, or a value's serde does not give
    /// back what it was given.
    #[error("a message of rank {rank} cannot be understood: {what}")]
    Message {
        /// Whose message.
        rank: usize,
        /// Why.
        what: String,
    },
}

fn write_solve(rank: &usize, source: &crate::Error<Failure>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "the solver failed on rank {rank}")?;
    write_causes(f, source)
}

fn write_saved(path: &Path, source: &Failure, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "the partial result in {} cannot be gone on with", path.display())?;
    write_causes(f, source)
}

fn write_file(rank: &usize, path: &Path, source: &Failure, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "rank {rank} could not use {}", path.display())?;
    write_causes(f, source)
}

/// An error of one rank, as all ranks have it: its text and that of its causes.
///
/// ```
/// use shapley::mpi::Failure;
///
/// let failure = Failure::new("12x".parse::<u32>().unwrap_err());
/// assert_eq!(failure.to_string(), "invalid digit found in string");
/// assert!(failure.downcast_ref::<std::num::ParseIntError>().is_some()); // where it happened
/// ```
#[derive(Clone)]
pub struct Failure {
    text: String,
    cause: Option<Box<Failure>>,
    original: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Failure {
    /// Of an error of this rank.
    #[must_use]
    pub fn new(error: impl StdError + Send + Sync + 'static) -> Self {
        let mut texts = vec![error.to_string()];
        let mut cause = error.source();
        while let Some(error) = cause {
            texts.push(error.to_string());
            cause = error.source();
        }
        let mut failure = Self::of_texts(texts);
        failure.original = Some(Arc::new(error));
        failure
    }

    /// The error itself, on the rank where it happened; `None` elsewhere, or if it is of another type. That of a game
    /// with a store is a [`CacheError`](crate::store::CacheError), which has the game's own in it.
    #[must_use]
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.original.as_deref().and_then(|original| original.downcast_ref())
    }

    /// Of an error's text, and those of its causes.
    pub(super) fn of_texts(texts: impl IntoIterator<Item = String, IntoIter: DoubleEndedIterator>) -> Self {
        let mut cause = None;
        for text in texts.into_iter().rev() {
            cause = Some(Box::new(Self { text, cause, original: None }));
        }
        cause.map_or_else(|| Self { text: String::new(), cause: None, original: None }, |failure| *failure)
    }

    fn texts(&self) -> Vec<String> {
        std::iter::successors(Some(self), |failure| failure.cause.as_deref()).map(|one| one.text.clone()).collect()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Failure").field(&self.texts()).finish()
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl Error {
    /// A solver's failure.
    pub(super) fn solve<E: StdError + Send + Sync + 'static>(rank: usize, error: crate::Error<E>) -> Self {
        Self::Solve { rank, source: error.map(Failure::new) }
    }

    /// The same error, with the originals that this rank has of it.
    pub(super) fn with_original(self, mine: Option<Self>) -> Self {
        match mine {
            Some(mine) if mine.sent() == self.sent() => mine,
            _ => self,
        }
    }

    pub(super) fn sent(&self) -> Sent {
        match self {
            Self::Solve { rank, source } => Sent::Solve(*rank, SentSolve::of(source)),
            Self::Panicked { rank, message } => Sent::Panicked(*rank, message.clone()),
            Self::Mismatch { what, ours, rank, theirs } => {
                Sent::Mismatch(*rank, [what.clone(), ours.clone(), theirs.clone()])
            }
            Self::Saved { path, source } => Sent::Saved(path.clone(), source.texts()),
            Self::File { rank, path, source } => Sent::File(*rank, path.clone(), source.texts()),
            Self::Start { what } => Sent::Message(0, what.clone()),
            Self::Message { rank, what } => Sent::Message(*rank, what.clone()),
        }
    }
}

/// An [`Error`] on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Sent {
    Solve(usize, SentSolve),
    Panicked(usize, String),
    Mismatch(usize, [String; 3]),
    Saved(PathBuf, Vec<String>),
    File(usize, PathBuf, Vec<String>),
    Message(usize, String),
}

impl Sent {
    /// The error, without what only the rank where it happened has of it.
    pub(super) fn received(self) -> Error {
        match self {
            Self::Solve(rank, error) => Error::Solve { rank, source: error.received() },
            Self::Panicked(rank, message) => Error::Panicked { rank, message },
            Self::Mismatch(rank, [what, ours, theirs]) => Error::Mismatch { what, ours, rank, theirs },
            Self::Saved(path, texts) => Error::Saved { path, source: Failure::of_texts(texts) },
            Self::File(rank, path, texts) => Error::File { rank, path, source: Failure::of_texts(texts) },
            Self::Message(rank, what) => Error::Message { rank, what },
        }
    }
}

/// What a solver can fail with while it is at work. Other failures are found alike on all ranks, and not sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum SentSolve {
    NotFinite(Coalition),
    Overflow(Coalition),
    Game(Coalition, Vec<String>),
    BatchLength(usize, usize),
    Stopped(u64, u64),
    Threads(usize),
    /// One that cannot be met with: as a failure of the game at no coalition.
    Other(String),
}

impl SentSolve {
    fn of(error: &crate::Error<Failure>) -> Self {
        match error {
            crate::Error::NotFinite { coalition } => Self::NotFinite(coalition.clone()),
            crate::Error::Overflow { coalition } => Self::Overflow(coalition.clone()),
            crate::Error::Game { coalition, source } => Self::Game(coalition.clone(), source.texts()),
            crate::Error::BatchLength { asked, got } => Self::BatchLength(*asked, *got),
            crate::Error::Stopped { evaluations, total } => Self::Stopped(*evaluations, *total),
            crate::Error::Threads { threads } => Self::Threads(*threads),
            other => Self::Other(other.to_string()),
        }
    }

    fn received(self) -> crate::Error<Failure> {
        match self {
            Self::NotFinite(coalition) => crate::Error::NotFinite { coalition },
            Self::Overflow(coalition) => crate::Error::Overflow { coalition },
            Self::Game(coalition, texts) => crate::Error::Game { coalition, source: Failure::of_texts(texts) },
            Self::BatchLength(asked, got) => crate::Error::BatchLength { asked, got },
            Self::Stopped(evaluations, total) => crate::Error::Stopped { evaluations, total },
            Self::Threads(threads) => crate::Error::Threads { threads },
            Self::Other(text) => {
                crate::Error::Game { coalition: Coalition::empty(0), source: Failure::of_texts([text]) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no answer")]
    struct NoAnswer(#[source] std::num::ParseIntError);

    #[test]
    fn what_differs_tells_a_terminal_nothing() {
        let [what, ours, theirs] = ["the type of values", "f64", "\u{1b}[31m\u{202e}"].map(String::from);
        let error = Error::Mismatch { what, ours, rank: 2, theirs };
        let text = "the type of values differs: f64 on rank 0, \\u{1b}[31m\\u{202e} on rank 2";
        assert_eq!(error.sent().received().to_string(), text);
    }

    #[test]
    fn a_failure_keeps_its_causes_and_is_itself_where_it_happened() {
        let cause = "x".parse::<u8>().expect_err("no number");
        let failure = Failure::new(NoAnswer(cause.clone()));
        assert_eq!(failure.downcast_ref::<NoAnswer>().map(|error| &error.0), Some(&cause));
        let coalition = Coalition::from_players(9, [1, 8]);
        let error =
            Error::Solve { rank: 3, source: crate::Error::Game { coalition: coalition.clone(), source: failure } };
        let there = error.sent().received();
        let crate::Error::Game { coalition: at, source } = (match &there {
            Error::Solve { rank: 3, source } => source,
            other => panic!("{other:?}"),
        }) else {
            panic!("{there:?}")
        };
        assert_eq!((at, source.to_string()), (&coalition, "no answer".to_owned()));
        assert_eq!(source.source().expect("a cause").to_string(), cause.to_string());
        assert!(source.downcast_ref::<NoAnswer>().is_none());
        // Whoever has the original keeps it.
        let Error::Solve { source, .. } = there.with_original(Some(error)) else { panic!("another error") };
        assert!(matches!(&source, crate::Error::Game { source, .. } if source.downcast_ref::<NoAnswer>().is_some()));
    }
}
