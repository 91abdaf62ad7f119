//! Estimates from pairs of coalitions: rank 0 decides what to ask for, all ranks answer, and rank 0 fits.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::Scope;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;
use super::deal::{Plan, Share};
use super::exact::{refusal, until_stopped};
use super::hand::{Labour, Refusal, Task, guarded};
use super::link::{decode, encode};
use crate::engine::progress::Meter;
use crate::results::Method;
use crate::surrogate::{Local, Options, Source, pairs};
use crate::{Coalition, Estimate, Progress, TryGame, Value};

/// A rank's way to ask the game.
pub(super) struct Worker<'a, G: ?Sized> {
    pub(super) rank: usize,
    pub(super) game: &'a G,
    pub(super) options: &'a Options,
}

impl<G: TryGame<Value: Serialize> + ?Sized> Labour for Worker<'_, G> {
    fn run(&self, task: Task, stop: &AtomicBool) -> Result<Vec<u8>, Refusal> {
        let observer = until_stopped(stop);
        let meter = Meter::new(0, u64::MAX, Some(&observer));
        let here = Local { game: self.game, options: self.options, meter };
        let refuse = |error| refusal(self.rank, error);
        let Task::Coalitions(coalitions) = task else {
            return Ok(encode(self.rank, &here.ends().map_err(refuse)?)?);
        };
        let values = here.values(&coalitions, 0).map_err(refuse)?;
        match values.len() == coalitions.len() {
            true => Ok(encode(self.rank, &values)?),
            false => Err(Refusal::Cancelled),
        }
    }
}

/// What the solver wants to know.
struct Wanted {
    coalitions: Vec<Coalition>,
    at_least: usize,
}

/// What it learns: values, and whether the observer broke.
type Learned<V> = (Vec<V>, bool);

/// The ranks, as the solver sees them: it waits for their answers on a thread of its own.
struct Ranks<V> {
    ends: Receiver<[V; 2]>,
    wanted: Sender<Wanted>,
    learned: Receiver<Learned<V>>,
    is_stopped: AtomicBool,
}

/// The job is over for another reason, which rank 0 knows; this one is not seen.
fn over() -> crate::Error {
    crate::Error::Stopped { evaluations: 0, total: 0 }
}

impl<V: Value> Source for Ranks<V> {
    type Value = V;
    type Error = Infallible;

    fn ends(&self) -> Result<[V; 2], crate::Error> {
        self.ends.recv().map_err(|_| over())
    }

    fn values(&self, coalitions: &[Coalition], at_least: usize) -> Result<Vec<V>, crate::Error> {
        let wanted = Wanted { coalitions: coalitions.to_vec(), at_least };
        self.wanted.send(wanted).map_err(|_| over())?;
        let (values, is_stopped) = self.learned.recv().map_err(|_| over())?;
        self.is_stopped.store(is_stopped, std::sync::atomic::Ordering::Relaxed);
        Ok(values)
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// The questions of a solver, dealt as they come.
pub(super) struct Questions<'a, V, F> {
    observer: Option<&'a F>,
    budget: u64,
    ends: Option<Sender<[V; 2]>>,
    wanted: Receiver<Wanted>,
    learned: Sender<Learned<V>>,
    result: Receiver<Result<Estimate<V>, Error>>,
    /// What is being asked, and the answers by place.
    asked: Vec<Coalition>,
    at_least: usize,
    answers: Vec<Option<V>>,
    /// How many were dealt, from the first on, and how many are answered.
    dealt: usize,
    answered: usize,
    /// The ranges of places under way, by the first coalition's place.
    under_way: VecDeque<Range<usize>>,
    made: u64,
    shown: u64,
    stopped: bool,
    finished: Option<Result<Estimate<V>, Error>>,
    start: Instant,
}

impl<'a, V, F> Questions<'a, V, F>
where
    V: Value + Serialize + DeserializeOwned,
{
    /// Starts the solver beside.
    pub(super) fn new<'s>(
        scope: &'s Scope<'s, '_>,
        players: usize,
        method: Method,
        options: &'s Options,
        observer: Option<&'a F>,
    ) -> Self
    where
        V: 's,
    {
        let (ends, their_ends) = channel();
        let (wants, wanted) = channel();
        let (learned, learns) = channel();
        let (finishes, result) = channel();
        scope.spawn(move || {
            let ranks = Ranks { ends: their_ends, wanted: wants, learned: learns, is_stopped: AtomicBool::new(false) };
            let solved = guarded(0, || pairs(&ranks, players, method, options, None));
            let _ = finishes.send(solved.and_then(|solved| solved.map_err(|error| Error::solve(0, error))));
        });
        Self {
            observer,
            budget: options.evaluations,
            ends: Some(ends),
            wanted,
            learned,
            result,
            asked: Vec::new(),
            at_least: 0,
            answers: Vec::new(),
            dealt: 0,
            answered: 0,
            under_way: VecDeque::new(),
            made: 0,
            shown: 0,
            stopped: false,
            finished: None,
            start: Instant::now(),
        }
    }

    /// How many of what is asked are to be dealt: all, or after the observer broke what must be known all the same.
    fn wanted(&self) -> usize {
        if self.stopped { self.at_least.min(self.asked.len()).max(self.dealt) } else { self.asked.len() }
    }

    /// Hands over what is known, and takes the next question.
    fn turn(&mut self) {
        if !self.asked.is_empty() && self.answered == self.wanted() {
            let values = self.answers.drain(..).map_while(|value| value).collect();
            self.asked.clear();
            let _ = self.learned.send((values, self.stopped));
        }
        if self.asked.is_empty() {
            match self.wanted.try_recv() {
                Ok(Wanted { coalitions, at_least }) => {
                    self.answers = vec![None; coalitions.len()];
                    (self.asked, self.at_least, self.dealt, self.answered) = (coalitions, at_least, 0, 0);
                    if self.asked.is_empty() || self.wanted() == 0 {
                        self.asked.clear();
                        let _ = self.learned.send((Vec::new(), self.stopped));
                    }
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => {
                    if let Ok(result) = self.result.try_recv() {
                        self.finished = Some(result);
                    }
                }
            }
        }
    }
}

impl<V, F> Plan for Questions<'_, V, F>
where
    V: Value + Serialize + DeserializeOwned,
    F: Fn(&Progress) -> ControlFlow<()> + Sync,
{
    type Value = V;
    type Output = Estimate<V>;

    fn begin(&mut self, ends: [V; 2]) -> Result<(), Error> {
        self.made += 2;
        if let Some(to) = self.ends.take() {
            let _ = to.send(ends);
        }
        Ok(())
    }

    fn left(&self) -> u64 {
        (self.wanted() - self.dealt.min(self.wanted())) as u64
    }

    fn next(&mut self, Share { grains, .. }: Share) -> Option<(Task, u64)> {
        let first = self.dealt;
        let end = self.wanted().min(first.saturating_add(usize::try_from(grains).unwrap_or(usize::MAX)));
        let coalitions = self.asked.get(first..end).filter(|coalitions| !coalitions.is_empty())?.to_vec();
        self.dealt = end;
        self.under_way.push_back(first..end);
        let count = coalitions.len() as u64;
        Some((Task::Coalitions(coalitions), count))
    }

    fn take(&mut self, rank: usize, task: Task, answer: &[u8]) -> Result<(), Error> {
        let values: Vec<V> = decode(rank, answer)?;
        let Task::Coalitions(coalitions) = task else {
            return Err(Error::Message { rank, what: format!("an answer to {task:?}") });
        };
        let is_it = |places: &Range<usize>| self.asked.get(places.clone()).is_some_and(|asked| asked == coalitions);
        let place = self.under_way.iter().position(is_it);
        let Some(places) = place.and_then(|place| self.under_way.remove(place)).filter(|all| all.len() == values.len())
        else {
            return Err(Error::Message { rank, what: format!("{} values of what was not asked for", values.len()) });
        };
        self.made += values.len() as u64;
        self.answered += values.len();
        for (answer, value) in self.answers[places].iter_mut().zip(values) {
            *answer = Some(value);
        }
        Ok(())
    }

    fn look(&mut self) -> Result<ControlFlow<()>, Error> {
        if let Some(observer) = self.observer
            && self.made > self.shown
        {
            self.shown = self.made;
            let (permutations, half_width, elapsed) = (0, f64::INFINITY, self.start.elapsed());
            let progress = Progress { evaluations: self.made, total: self.budget, permutations, half_width, elapsed };
            self.stopped |= observer(&progress).is_break() && self.made < self.budget;
        }
        self.turn();
        Ok(ControlFlow::Continue(()))
    }

    fn is_done(&self) -> bool {
        self.finished.is_some()
    }

    fn finish(self) -> Result<Estimate<V>, Error> {
        self.finished.unwrap_or_else(|| Err(Error::solve(0, over())))
    }
}
