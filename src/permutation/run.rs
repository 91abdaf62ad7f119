//! A run of the sampler: rounds of samples, and the rules that end it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Permutation;
use super::walks::{PATIENCE, Walker, ask};
use crate::estimate::{Design, Moments, Samples};
use crate::progress::Meter;
use crate::work::{self, Queue};
use crate::{Coalition, Error, Estimate, Progress, Stopped, TryGame};

/// A thread takes as many samples at once as take about this long: long beside the taking, short beside a user's patience.
const UNIT: Duration = Duration::from_millis(1);

/// Intervals are first looked at after so many samples.
const FIRST_LOOK: u64 = 30;

/// The numbers of samples at which intervals are looked at: each is half as many more.
fn looks() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(FIRST_LOOK), |look| look.checked_add(look / 2))
}

impl<F> Permutation<F> {
    /// What its samples of a game are, if its settings make sense.
    fn design<E>(&self, players: usize) -> Result<Design, Error<E>> {
        if players == 0 {
            return Err(Error::NoPlayers {});
        }
        let positive = |name, value: Option<f64>| match value {
            Some(value) if !(value > 0.0 && value.is_finite()) => {
                Err(Error::Setting { name, value, allowed: "positive and finite" })
            }
            _ => Ok(()),
        };
        positive("precision", self.precision)?;
        positive("the tolerance of truncation", self.truncation)?;
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return Err(Error::Setting {
                name: "confidence",
                value: self.confidence,
                allowed: "between 0 and 1, both excluded",
            });
        }
        Ok(Design { players, antithetic: self.antithetic, truncation: self.truncation })
    }

    /// How often the intervals may be looked at within the budget.
    fn looks(&self, design: Design) -> u32 {
        let cheapest = match design.truncation {
            Some(_) => design.walks() * PATIENCE.min(design.players - 1) as u64,
            None => design.cost(),
        };
        let most = self.evaluations.saturating_sub(2) / cheapest.max(1);
        u32::try_from(looks().take_while(|&look| look <= most).count()).unwrap_or(u32::MAX).max(1)
    }
}

/// Samples of a game, from none or from those of an estimate, until one of the sampler's rules says stop.
pub(super) fn run<G, F>(
    game: &G,
    options: &Permutation<F>,
    from: Option<&Estimate<G::Value>>,
) -> Result<Estimate<G::Value>, Error<G::Error>>
where
    G: TryGame + ?Sized,
    F: Fn(&Progress) -> ControlFlow<()> + Sync,
{
    let deadline = options.deadline.and_then(|after| Instant::now().checked_add(after));
    let design = options.design(game.num_players())?;
    let made = from.map_or(0, Estimate::evaluations);
    let meter = Meter::new(made, options.evaluations, options.observer.as_ref());
    let mut samples = match from {
        Some(estimate) => {
            let samples = estimate.samples();
            design.check(samples.design)?;
            if !samples.streams.contains_key(&options.seed) {
                let theirs = samples.streams.keys().map(u64::to_string).collect::<Vec<_>>().join(" and ");
                return Err(Error::Mismatch { what: "the seed", ours: options.seed.to_string(), theirs });
            }
            samples.clone()
        }
        None => {
            let needed = u64::try_from(2 + u128::from(design.cost())).unwrap_or(u64::MAX);
            if options.evaluations < needed {
                return Err(Error::BudgetTooSmall { evaluations: options.evaluations, needed });
            }
            let [baseline, grand] = ends(game, design.players)?;
            let streams = BTreeMap::from([(options.seed, Moments::new())]);
            Samples { design, looks: 0, evaluations: 2, saved: 0, baseline, grand, streams }
        }
    };
    if options.precision.is_some() {
        samples.looks = samples.looks.max(options.looks(design));
    }
    let (baseline, grand) = (samples.baseline.clone(), samples.grand.clone());
    let run = Run { game, options, design, deadline, meter, ends: (&baseline, &grand), samples: Mutex::new(samples) };
    // The sample of a single player costs nothing more, and is there to be seen with the first evaluations.
    let (before, after) = if design.cost() > 0 { (2, 0) } else { (0, 2) };
    if from.is_none() {
        run.count(before);
    }
    let stopped = loop {
        match run.next() {
            ControlFlow::Continue(until) => run.round(until)?,
            ControlFlow::Break(stopped) => break stopped,
        }
    };
    if from.is_none() {
        run.count(after);
    }
    run.samples.into_inner().unwrap_or_else(PoisonError::into_inner).estimate(stopped)
}

/// v(∅) and v(N).
fn ends<G: TryGame + ?Sized>(game: &G, players: usize) -> Result<[G::Value; 2], Error<G::Error>> {
    let mut values = Vec::with_capacity(2);
    ask(game, &[Coalition::empty(players), Coalition::grand(players)], &mut values)?;
    values.try_into().map_err(|values: Vec<_>| Error::BatchLength { asked: 2, got: values.len() })
}

struct Run<'a, G: TryGame + ?Sized, F> {
    game: &'a G,
    options: &'a Permutation<F>,
    design: Design,
    deadline: Option<Instant>,
    meter: Meter<'a, F>,
    ends: (&'a G::Value, &'a G::Value),
    samples: Mutex<Samples<G::Value>>,
}

impl<G, F> Run<'_, G, F>
where
    G: TryGame + ?Sized,
    F: Fn(&Progress) -> ControlFlow<()> + Sync,
{
    fn lock(&self) -> MutexGuard<'_, Samples<G::Value>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many samples there shall be after the next round; or why there shall be no other.
    fn next(&self) -> ControlFlow<Stopped, u64> {
        let samples = self.lock();
        let made = samples.len();
        if made > 0 && self.design.is_constant() {
            return ControlFlow::Break(Stopped::Evaluations);
        }
        if let Some(precision) = self.options.precision {
            let at_look = looks().take_while(|&look| look <= made).last() == Some(made);
            if at_look && samples.half_width(self.options.confidence) <= precision {
                return ControlFlow::Break(Stopped::Precision);
            }
        }
        let left = self.options.evaluations.saturating_sub(samples.evaluations);
        // A sample may cost nothing only where one is enough.
        let payable = left.checked_div(self.design.cost()).unwrap_or(1);
        if payable == 0 {
            return ControlFlow::Break(Stopped::Evaluations);
        }
        if made > 0 && self.meter.wanted().is_break() {
            return ControlFlow::Break(Stopped::Observer);
        }
        if made > 0 && self.is_late() {
            return ControlFlow::Break(Stopped::Deadline);
        }
        let until = if self.design.is_constant() { 1 } else { made.saturating_add(payable) };
        let next_look = self.options.precision.and_then(|_| looks().find(|&look| look > made));
        ControlFlow::Continue(next_look.map_or(until, |look| look.min(until)))
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Makes samples until there are as many, or until time or the observer ends it.
    fn round(&self, until: u64) -> Result<(), Error<G::Error>> {
        struct Thread<'a, G: TryGame + ?Sized> {
            walker: Walker<'a, G>,
            moments: Moments<G::Value>,
            size: u64,
        }
        let (options, seed) = (self.options, self.options.seed);
        let (made, start) = {
            let samples = self.lock();
            let ranges = samples.streams.get(&seed).map(Moments::ranges).unwrap_or_default();
            (samples.len(), ranges.last().map_or(0, |range| range.end))
        };
        let first = AtomicBool::new(made == 0);
        let state = || {
            let walker = Walker::new(self.game, self.design, options.batch, seed, self.ends);
            let size = walker.group();
            Thread { walker, moments: Moments::new(), size }
        };
        let size = |thread: &Thread<'_, G>| match self.meter.wanted().is_break() || self.is_late() {
            true => u64::from(first.swap(false, Ordering::Relaxed)),
            false => {
                first.store(false, Ordering::Relaxed);
                thread.size
            }
        };
        let queue = Queue::new(start..start.saturating_add(until - made));
        queue.run(work::available(options.threads), state, size, |thread, numbers| {
            let Thread { walker, moments, size } = thread;
            let begun = Instant::now();
            // The last evaluations are counted once their samples are there to be seen; and if there are many samples,
            // all are, since that is soon and looking is not free.
            let waiting = Cell::new(0);
            let many = numbers.end - numbers.start > walker.group();
            let count = |evaluations| match (many, waiting.get()) {
                (false, before @ 1..) => {
                    waiting.set(evaluations);
                    self.count(before);
                }
                (_, before) => waiting.set(before + evaluations),
            };
            let spent = walker.make(numbers, moments, &count)?;
            {
                let samples = &mut *self.lock();
                if let Some(stream) = samples.streams.get_mut(&seed) {
                    stream.absorb(moments);
                }
                samples.evaluations += spent.evaluations;
                samples.saved += spent.saved;
            }
            self.count(waiting.get());
            let took = begun.elapsed();
            if took < UNIT / 2 {
                *size = size.saturating_mul(2);
            } else if took > UNIT * 2 {
                *size = (*size / 2).max(walker.group());
            }
            Ok(())
        })
    }

    /// Counts evaluations, and shows them to the observer.
    fn count(&self, evaluations: u64) {
        let _ = self.meter.add_with(evaluations, |progress| {
            let samples = self.lock();
            let half_width = samples.half_width(self.options.confidence);
            let total = self.expected(&samples, half_width).max(progress.evaluations);
            Progress { permutations: samples.len() * self.design.walks(), half_width, total, ..progress }
        });
    }

    /// The evaluations that the run is expected to take.
    fn expected(&self, samples: &Samples<G::Value>, half_width: f64) -> u64 {
        let cost = self.design.cost();
        let left = self.options.evaluations.saturating_sub(samples.evaluations);
        let budget = match self.design.is_constant() {
            true => 2 + cost,
            false => samples.evaluations + left - left % cost.max(1),
        };
        let Some(precision) = self.options.precision.filter(|_| half_width.is_finite()) else { return budget };
        // Intervals narrow by the root of the number of samples.
        let needed = samples.len() as f64 * (half_width / precision).powi(2);
        let look = looks().find(|&look| look as f64 >= needed && look >= samples.len());
        let more = look.map_or(u64::MAX, |look| (look - samples.len()).saturating_mul(cost));
        samples.evaluations.saturating_add(more).min(budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_grow_by_halves() {
        assert_eq!(looks().take(6).collect::<Vec<_>>(), [30, 45, 67, 100, 150, 225]);
        assert_eq!(looks().count(), 102);
    }

    #[test]
    fn a_look_is_counted_only_if_it_can_be_paid_for() {
        let looks = |evaluations, players| {
            let sampler = Permutation::new(evaluations);
            sampler.looks(sampler.design::<std::convert::Infallible>(players).expect("a design"))
        };
        assert_eq!(looks(2 + 30 * 30, 16), 1);
        assert_eq!(looks(2 + 45 * 30 - 1, 16), 1);
        assert_eq!(looks(2 + 45 * 30, 16), 2);
        assert_eq!(looks(1_000_000, 16), 18);
        assert_eq!(looks(u64::MAX, 2), 100);
    }
}
