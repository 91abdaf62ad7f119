//! Answers to a solver's questions, on threads of this process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::ask::ask;
use super::progress::{Meter, Observer};
use super::question::{Answer, Question, Questions, Step};
use super::settings::Settings;
use super::threads::{self, Queue};
use crate::{Error, Progress, TryGame};

/// A larger batch would fill the memory rather than a model.
const MOST_BATCH: usize = 1 << 16;

/// A game, asked on threads of this process.
pub(crate) struct Threads<'a, G: ?Sized, S, F> {
    pub(crate) game: &'a G,
    pub(crate) settings: &'a Settings<S>,
    pub(crate) meter: Meter<'a, F>,
    /// When the time is up.
    pub(crate) deadline: Option<Instant>,
}

impl<G: TryGame + ?Sized, S: Sync, F: Observer> Threads<'_, G, S, F> {
    /// Answers all questions of a solver, and returns its result.
    pub(crate) fn drive<T>(&self, mut solver: Questions<'_, G::Value, T>) -> Result<T, Error<G::Error>> {
        let mut answer = None;
        loop {
            match solver.resume(answer.take()) {
                Step::Asks(question) => {
                    let values = self.values(&question)?;
                    let is_late = values.len() < question.coalitions.len() && is_past(self.deadline);
                    answer = Some(Answer { values, is_stopped: self.is_stopped(), is_late });
                }
                Step::Ends(result) => return Ok(result),
            }
        }
    }

    /// The values of a question's coalitions: of all, or of those up to where the observer broke or the
    /// time was up.
    pub(crate) fn values(&self, question: &Question) -> Result<Vec<G::Value>, Error<G::Error>> {
        let &Question { ref coalitions, at_least, half_width } = question;
        let threads = threads::available(self.settings.threads).max(1);
        let batch = match self.settings.batch {
            0 => (coalitions.len() / (32 * threads)).clamp(1, 512),
            batch => batch.min(MOST_BATCH),
        };
        let taken = AtomicU64::new(0);
        let more = || {
            let begun = taken.fetch_add(1, Ordering::Relaxed).saturating_mul(batch as u64);
            begun < at_least as u64 || !(self.is_stopped() || is_past(self.deadline))
        };
        let queue = Queue::new(0..coalitions.len().div_ceil(batch) as u64);
        let batches = queue.map(threads, more, |unit| {
            let first = unit as usize * batch;
            let coalitions = &coalitions[first..coalitions.len().min(first + batch)];
            let mut values = Vec::with_capacity(coalitions.len());
            ask(self.game, coalitions, &mut values)?;
            let _ = self.meter.add_with(coalitions.len() as u64, |progress| Progress { half_width, ..progress });
            Ok(values)
        })?;
        Ok(batches.into_iter().flatten().collect())
    }

    fn is_stopped(&self) -> bool {
        self.meter.wanted().is_break()
    }
}

/// Whether the time is up.
pub(crate) fn is_past(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}
