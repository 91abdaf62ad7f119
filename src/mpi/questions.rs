//! Estimates from pairs of coalitions: rank 0 decides what to ask for, all ranks answer, and rank 0 fits.

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;
use super::partials::{refusal, until_stopped};
use super::scheduler::{Plan, Share};
use super::transport::{decode, encode};
use super::worker::{Answerer, Refusal, Task};
use crate::engine::answer::{Threads, is_past};
use crate::engine::ask::both_ends;
use crate::engine::progress::{Meter, Observer};
use crate::engine::question::{Answer, Question, Questions, Step};
use crate::engine::settings::Settings;
use crate::results::Method;
use crate::surrogate::{Options, pairs};
use crate::{Estimate, Progress, TryGame, Value};

/// A rank's way to ask the game.
pub(super) struct ValueAnswers<'a, G: ?Sized, F> {
    pub(super) rank: usize,
    pub(super) game: &'a G,
    pub(super) settings: &'a Settings<F>,
}

impl<G: TryGame<Value: Serialize> + ?Sized, F: Sync> Answerer for ValueAnswers<'_, G, F> {
    fn run(&self, task: Task, stop: &AtomicBool) -> Result<Vec<u8>, Refusal> {
        let refuse = |error| refusal(self.rank, error);
        let Task::Coalitions(coalitions) = task else {
            let ends = both_ends(self.game, self.game.num_players()).map_err(refuse)?;
            return Ok(encode(self.rank, &ends)?);
        };
        let observer = until_stopped(stop);
        let meter = Meter::new(0, u64::MAX, Some(&observer));
        let question = Question { coalitions, at_least: 0, half_width: f64::INFINITY };
        let values = Threads { game: self.game, settings: self.settings, meter, deadline: None }
            .values(&question)
            .map_err(refuse)?;
        match values.len() == question.coalitions.len() {
            true => Ok(encode(self.rank, &values)?),
            false => Err(Refusal::Cancelled),
        }
    }
}

/// The questions of a solver, dealt as they come.
pub(super) struct Asked<'a, V, F> {
    observer: Option<&'a F>,
    players: usize,
    method: Method,
    options: &'a Options,
    /// None before v(∅) and v(N) are known.
    solver: Option<Questions<'a, V, Result<Estimate<V>, crate::Error>>>,
    /// What is being asked, and the answers by place.
    question: Question,
    answers: Vec<Option<V>>,
    /// The places dealt and answered: the first ones of the question.
    dealt: usize,
    answered: usize,
    /// The ranges of places under way, by the first coalition's place.
    under_way: VecDeque<Range<usize>>,
    made: u64,
    shown: u64,
    stopped: bool,
    finished: Option<Result<Estimate<V>, crate::Error>>,
    start: Instant,
    deadline: Option<Instant>,
    /// Whether the time was up before all of the question was dealt.
    is_late: bool,
}

impl<'a, V: Value, F> Asked<'a, V, F> {
    pub(super) fn new(players: usize, method: Method, options: &'a Options, observer: Option<&'a F>) -> Self {
        Self {
            observer,
            players,
            method,
            options,
            solver: None,
            question: Question { coalitions: Vec::new(), at_least: 0, half_width: f64::INFINITY },
            answers: Vec::new(),
            dealt: 0,
            answered: 0,
            under_way: VecDeque::new(),
            made: 0,
            shown: 0,
            stopped: false,
            finished: None,
            start: Instant::now(),
            deadline: options.stopping.until(),
            is_late: false,
        }
    }

    /// Coalitions still to be answered: all, or the required minimum once stopped.
    fn wanted(&self) -> usize {
        let all = self.question.coalitions.len();
        if self.stopped || self.is_late { self.question.at_least.min(all).max(self.dealt) } else { all }
    }

    /// Resumes the solver until it asks for something.
    fn resume(&mut self, mut answer: Option<Answer<V>>) {
        let Some(solver) = &mut self.solver else { return };
        match solver.resume(answer.take()) {
            Step::Asks(question) => {
                self.answers = vec![None; question.coalitions.len()];
                (self.question, self.dealt, self.answered, self.is_late) = (question, 0, 0, false);
            }
            Step::Ends(result) => {
                self.solver = None;
                self.finished = Some(result);
            }
        }
    }
}

impl<'a, V, F> Plan for Asked<'a, V, F>
where
    V: Value + Serialize + DeserializeOwned + 'a,
    F: Observer,
{
    type Value = V;
    type Output = Estimate<V>;

    fn begin(&mut self, ends: [V; 2]) -> Result<(), Error> {
        self.made += 2;
        let (players, method, options, deadline) = (self.players, self.method, self.options, self.deadline);
        self.solver = Some(Questions::new(|asker| pairs(asker, players, method, options, ends, None, deadline)));
        self.resume(None);
        Ok(())
    }

    fn left(&self) -> u64 {
        (self.wanted() - self.dealt.min(self.wanted())) as u64
    }

    fn next(&mut self, Share { grains, .. }: Share) -> Option<(Task, u64)> {
        let first = self.dealt;
        let end = self.wanted().min(first.saturating_add(usize::try_from(grains).unwrap_or(usize::MAX)));
        let coalitions = self.question.coalitions.get(first..end).filter(|coalitions| !coalitions.is_empty())?.to_vec();
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
        let is_it = |places: &Range<usize>| {
            self.question.coalitions.get(places.clone()).is_some_and(|asked| asked == coalitions)
        };
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
            let (permutations, half_width, elapsed) = (0, self.question.half_width, self.start.elapsed());
            let (evaluations, total) = (self.made, self.options.evaluations);
            let progress = Progress { evaluations, total, permutations, half_width, elapsed };
            self.stopped |= observer(&progress).is_break() && self.made < total;
        }
        self.is_late |= self.dealt < self.question.coalitions.len() && is_past(self.deadline);
        // A solver may ask for nothing that is wanted any more.
        while self.solver.is_some() && self.answered == self.wanted() {
            let values = self.answers.drain(..).map_while(|value| value).collect();
            self.resume(Some(Answer { values, is_stopped: self.stopped, is_late: self.is_late }));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn is_done(&self) -> bool {
        self.finished.is_some()
    }

    fn finish(self) -> Result<Estimate<V>, Error> {
        // It is over for another reason, which rank 0 knows; this one is not seen.
        let over = || Err(crate::Error::Stopped { evaluations: 0, total: 0 });
        self.finished.unwrap_or_else(over).map_err(|error| Error::solve(0, error))
    }
}
