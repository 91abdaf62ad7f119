//! A solver that asks for values, written as one function: it stops at each question until somebody answers.
//!
//! The solver is an `async` function that awaits [`Asker::values`]. It runs on no executor: whoever has the answers
//! resumes it, on threads of this process (`answer.rs`) or on ranks of a job (`mpi/questions.rs`).

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::Coalition;

/// Coalitions whose values a solver wants, all at once.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) coalitions: Vec<Coalition>,
    /// The first of them, which must be answered even after an observer broke or the time was up.
    pub(crate) at_least: usize,
    /// The largest half width that the solver knows of, for an observer to see.
    pub(crate) half_width: f64,
}

/// The values of the first coalitions of a question: of all, unless an observer broke or the time was up.
#[derive(Debug)]
pub(crate) struct Answer<V> {
    pub(crate) values: Vec<V>,
    /// Whether an observer broke.
    pub(crate) is_stopped: bool,
    /// Whether coalitions were left out since the time was up.
    pub(crate) is_late: bool,
}

/// What passes between a solver and whoever drives it.
struct Slot<V> {
    question: Option<Question>,
    answer: Option<Answer<V>>,
}

/// The solver's side.
pub(crate) struct Asker<V>(Arc<Mutex<Slot<V>>>);

impl<V> Asker<V> {
    /// Asks a question and waits for its answer.
    pub(crate) async fn values(&self, question: Question) -> Answer<V> {
        lock(&self.0).question = Some(question);
        poll_fn(|_| lock(&self.0).answer.take().map_or(Poll::Pending, Poll::Ready)).await
    }
}

/// What a solver does when it is resumed.
pub(crate) enum Step<T> {
    Asks(Question),
    Ends(T),
}

/// The driver's side of a solver that gives a `T` in the end.
pub(crate) struct Questions<'a, V, T> {
    solver: Pin<Box<dyn Future<Output = T> + 'a>>,
    slot: Arc<Mutex<Slot<V>>>,
}

impl<'a, V, T> Questions<'a, V, T> {
    pub(crate) fn new<S: Future<Output = T> + 'a>(solver: impl FnOnce(Asker<V>) -> S) -> Self {
        let slot = Arc::new(Mutex::new(Slot { question: None, answer: None }));
        Self { solver: Box::pin(solver(Asker(Arc::clone(&slot)))), slot }
    }

    /// Runs the solver up to its next question or its end: at first without an answer, then with the one to its last
    /// question. It must not be resumed after its end.
    pub(crate) fn resume(&mut self, answer: Option<Answer<V>>) -> Step<T> {
        lock(&self.slot).answer = answer;
        match self.solver.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Step::Ends(result),
            Poll::Pending => {
                Step::Asks(lock(&self.slot).question.take().expect("a solver waits for nothing but answers"))
            }
        }
    }
}

fn lock<V>(slot: &Mutex<Slot<V>>) -> std::sync::MutexGuard<'_, Slot<V>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solver_goes_on_with_each_answer() {
        let ask = |size| Question { coalitions: vec![Coalition::grand(size)], at_least: 0, half_width: f64::INFINITY };
        let mut questions = Questions::new(|asker: Asker<usize>| async move {
            let mut sum = 0;
            for size in 1..4 {
                sum += asker.values(ask(size)).await.values.iter().sum::<usize>();
            }
            sum
        });
        let mut answer = None;
        let sum = loop {
            match questions.resume(answer.take()) {
                Step::Asks(Question { coalitions, .. }) => {
                    let values = coalitions.iter().map(|coalition| 10 * coalition.len()).collect();
                    answer = Some(Answer { values, is_stopped: false, is_late: false });
                }
                Step::Ends(sum) => break sum,
            }
        };
        assert_eq!(sum, 60);
    }
}
