//! Where threads put their samples together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::rules::Seen;
use super::walks::Spent;
use crate::Value;
use crate::results::{Moments, Samples, sample_tree};

/// The samples of a run, as far as threads have handed them in.
///
/// No thread waits for another that is adding samples up, and nothing of the user's value type runs while the lock is
/// held: a value may use rayon, which could have the waiting thread hand in samples of its own. Who finds the samples
/// taken leaves its own beside them, and the one that took them adds those too. The order makes no difference to the
/// sums.
pub(super) struct Collector<V> {
    seed: u64,
    /// The level of the half width to be shown, if anybody looks at it.
    shown: Option<f64>,
    state: Mutex<State<V>>,
}

struct State<V> {
    /// Nothing while a thread adds to them.
    samples: Option<Samples<V>>,
    waiting: Vec<(Moments<V>, Spent, u64)>,
    seen: Seen,
}

impl<V: Value> Collector<V> {
    pub(super) fn new(samples: Samples<V>, seed: u64, shown: Option<f64>) -> Self {
        let seen = Self::see(&samples, shown);
        Self { seed, shown, state: Mutex::new(State { samples: Some(samples), waiting: Vec::new(), seen }) }
    }

    fn lock(&self) -> MutexGuard<'_, State<V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn see(samples: &Samples<V>, shown: Option<f64>) -> Seen {
        let half_width = shown.map_or(f64::INFINITY, |level| samples.half_width(level));
        Seen { samples: samples.len(), evaluations: samples.evaluations, half_width }
    }

    pub(super) fn seen(&self) -> Seen {
        self.lock().seen
    }

    /// Takes the samples out, between rounds or at the end, when no thread is adding to them.
    pub(super) fn take(&self) -> Samples<V> {
        self.lock().samples.take().expect("a thread puts the samples back before its round ends")
    }

    /// Puts them back.
    pub(super) fn put_back(&self, samples: Samples<V>) {
        self.lock().samples = Some(samples);
    }

    /// Adds samples, what they took, and the evaluations among these that were not counted yet. Gives the number that
    /// is to be counted now that their samples can be seen.
    pub(super) fn add(&self, moments: &mut Moments<V>, spent: Spent, uncounted: u64) -> u64 {
        let mut samples = {
            let mut state = self.lock();
            match state.samples.take() {
                Some(samples) => samples,
                None => {
                    state.waiting.push((moments.take(), spent, uncounted));
                    return 0;
                }
            }
        };
        self.add_to(&mut samples, moments, spent);
        let mut to_count = uncounted;
        loop {
            let seen = Self::see(&samples, self.shown);
            let waiting = {
                let mut state = self.lock();
                if state.waiting.is_empty() {
                    state.samples = Some(samples);
                    state.seen = seen;
                    return to_count;
                }
                std::mem::take(&mut state.waiting)
            };
            for (mut moments, spent, uncounted) in waiting {
                self.add_to(&mut samples, &mut moments, spent);
                to_count += uncounted;
            }
        }
    }

    fn add_to(&self, samples: &mut Samples<V>, moments: &mut Moments<V>, spent: Spent) {
        moments.move_to(samples.streams.entry(self.seed).or_insert_with(|| sample_tree(Arc::default())));
        samples.evaluations += spent.evaluations;
        samples.saved += spent.saved;
    }
}
