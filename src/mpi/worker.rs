//! A rank's worker: a thread that does the units of work that rank 0 sends, while another thread talks to rank 0.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Error;
use super::error::Sent;
use crate::Coalition;
use crate::engine::panics::catch;
use crate::engine::threads;

/// As large as a main thread's: games that recurse do not run into another limit here.
const STACK: usize = 8 << 20;

/// A unit of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Task {
    /// v(∅) and v(N): the first task of every rank.
    Ends,
    /// Blocks of coalitions, or samples, as a partial result.
    Units(Range<u64>),
    /// The values of coalitions by their masks.
    Masks(Range<u64>),
    /// The values of these.
    Coalitions(Vec<Coalition>),
}

/// What came of a unit.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) number: u64,
    pub(super) nanos: u64,
    pub(super) outcome: Outcome,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Outcome {
    Done(Vec<u8>),
    Failed(Sent),
    /// It was told to stop.
    Cancelled,
}

/// Why a unit has no result.
pub(super) enum Refusal {
    Cancelled,
    Failed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Does units of work: a solver and a game.
pub(super) trait Answerer: Sync {
    /// Does a unit, or gives up as soon as possible once it is told to `stop`.
    fn run(&self, task: Task, stop: &AtomicBool) -> Result<Vec<u8>, Refusal>;
}

/// The thread that works, as the one that talks sees it.
pub(super) struct Worker<'a> {
    tasks: Sender<(u64, Task)>,
    answers: Receiver<(Answer, Option<Error>)>,
    stop: &'a AtomicBool,
    rank: usize,
    /// Failures of this rank, whole.
    mine: Vec<Error>,
    /// Units that there is no thread for.
    refused: Vec<u64>,
}

impl Worker<'_> {
    pub(super) fn put(&mut self, number: u64, task: Task) {
        if self.tasks.send((number, task)).is_err() {
            self.refused.push(number);
        }
    }

    /// Breaks off what is under way, and leaves all that waits.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// An answer, if there is one before this time has passed.
    pub(super) fn wait(&mut self, time: Duration) -> Option<Answer> {
        let answered = match self.refused.pop() {
            Some(number) => Ok(refused(number, 0, Error::solve(self.rank, no_threads(1)))),
            None => self.answers.recv_timeout(time),
        };
        match answered {
            Ok((answer, failure)) => {
                self.mine.extend(failure);
                Some(answer)
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(time);
                None
            }
        }
    }

    /// The error that all ranks have, as this one has it.
    pub(super) fn with_original(&mut self, error: Error) -> Error {
        self.mine.drain(..).fold(error, |error, mine| error.with_original(Some(mine)))
    }
}

/// Runs `talk` on this thread, beside one that works.
pub(super) fn with_worker<R>(
    rank: usize,
    threads: usize,
    answerer: &dyn Answerer,
    talk: impl FnOnce(&mut Worker<'_>) -> R,
) -> R {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let (tasks, to_do) = channel::<(u64, Task)>();
        let (done, answers) = channel();
        let stop = &stop;
        let worker = move || {
            let mut to_do = to_do;
            let (all, to) = (&mut to_do, &done);
            let work = move || {
                all.iter().for_each(|(number, task)| {
                    let _ = to.send(answer(rank, number, task, answerer, stop));
                });
            };
            // Once, and not for each unit: threads that are not there have to be started.
            if let Err(threads) = threads::with_threads(threads, work) {
                for (number, _) in &to_do {
                    let _ = done.send(refused(number, 0, Error::solve(rank, no_threads(threads))));
                }
            }
        };
        // If it cannot be started, units are refused: the other ranks must hear of it.
        let _ = thread::Builder::new().name("shapley".to_owned()).stack_size(STACK).spawn_scoped(scope, worker);
        talk(&mut Worker { tasks, answers, stop, rank, mine: Vec::new(), refused: Vec::new() })
    })
}

fn no_threads(threads: usize) -> crate::Error {
    crate::Error::Threads { threads }
}

fn answer(rank: usize, number: u64, task: Task, answerer: &dyn Answerer, stop: &AtomicBool) -> (Answer, Option<Error>) {
    let begun = Instant::now();
    // Every rank asks for v(∅) and v(N), so that of several failures there the first is the same each time.
    let result = match stop.load(Ordering::Relaxed) && task != Task::Ends {
        true => Err(Refusal::Cancelled),
        false => guarded(rank, || answerer.run(task, stop)).unwrap_or_else(|error| Err(error.into())),
    };
    let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
    match result {
        Ok(bytes) => (Answer { number, nanos, outcome: Outcome::Done(bytes) }, None),
        Err(Refusal::Cancelled) => (Answer { number, nanos, outcome: Outcome::Cancelled }, None),
        Err(Refusal::Failed(error)) => refused(number, nanos, error),
    }
}

fn refused(number: u64, nanos: u64, error: Error) -> (Answer, Option<Error>) {
    (Answer { number, nanos, outcome: Outcome::Failed(error.sent()) }, Some(error))
}

/// Runs code of the user's: a panic of it is an error of the whole job, which must not end on one rank while the others
/// wait.
pub(super) fn guarded<R>(rank: usize, code: impl FnOnce() -> R) -> Result<R, Error> {
    catch(code).map_err(|message| Error::Panicked { rank, message })
}
