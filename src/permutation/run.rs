//! A run of the sampler: rounds of samples, and the rules that end it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Permutation;
use super::collect::{Collector, Seen};
use super::walks::{PATIENCE, Walker};
use crate::answer::ask;
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
            let Some(samples) = estimate.walks() else {
                let (ours, theirs) = ("Permutation".to_owned(), estimate.solver().to_owned());
                return Err(Error::Mismatch { what: "the solver", ours, theirs });
            };
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
    let shown = options.observer.is_some().then_some(options.confidence);
    let collector = Collector::new(samples, options.seed, shown);
    let run = Run { game, options, design, deadline, meter, ends: (&baseline, &grand), collector };
    // The sample of a single player costs nothing more, and is there to be seen with the first evaluations.
    let (before, after) = if design.cost() > 0 { (2, 0) } else { (0, 2) };
    if from.is_none() {
        run.count(before);
    }
    let payable = usize::try_from(options.evaluations.saturating_sub(made) / design.cost().max(1));
    let threads = work::available(options.threads).min(payable.unwrap_or(usize::MAX)).max(1);
    // Once, and not in every round: threads that are not there have to be started.
    let stopped =
        work::with_threads(threads, || run.rounds(threads)).map_err(|threads| Error::Threads { threads })??;
    if from.is_none() {
        run.count(after);
    }
    run.collector.take().estimate(stopped)
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
    collector: Collector<G::Value>,
}

/// The samples of the next round: how many, from which number on.
struct Round {
    start: u64,
    samples: u64,
    is_first: bool,
}

impl<G, F> Run<'_, G, F>
where
    G: TryGame + ?Sized,
    F: Fn(&Progress) -> ControlFlow<()> + Sync,
{
    /// Round after round, until a rule says stop.
    fn rounds(&self, threads: usize) -> Result<Stopped, Error<G::Error>> {
        loop {
            let samples = self.collector.take();
            let next = self.next(&samples);
            self.collector.put_back(samples);
            match next {
                ControlFlow::Continue(round) => self.make(&round, threads)?,
                ControlFlow::Break(stopped) => return Ok(stopped),
            }
        }
    }

    /// The next round; or why there shall be none.
    fn next(&self, samples: &Samples<G::Value>) -> ControlFlow<Stopped, Round> {
        let made = samples.len();
        if made > 0 && self.design.is_constant() {
            return ControlFlow::Break(Stopped::Evaluations);
        }
        let missing = samples.streams.get(&self.options.seed).map_or(0..u64::MAX, Moments::missing);
        if let Some(precision) = self.options.precision {
            let at_look = looks().take_while(|&look| look <= made).last() == Some(made) && missing.end == u64::MAX;
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
        let to_look = self.options.precision.and_then(|_| looks().find(|&look| look > made)).map(|look| look - made);
        let most = if self.design.is_constant() { 1 } else { payable.min(missing.end - missing.start) };
        let samples = to_look.map_or(most, |to_look| to_look.min(most));
        ControlFlow::Continue(Round { start: missing.start, samples, is_first: made == 0 })
    }

    /// Whether time or the observer ends the run.
    fn is_over(&self) -> bool {
        self.meter.wanted().is_break() || self.is_late()
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Makes the samples of a round, or fewer if time or the observer ends it.
    fn make(&self, round: &Round, threads: usize) -> Result<(), Error<G::Error>> {
        struct Thread<'a, G: TryGame + ?Sized> {
            walker: Walker<'a, G>,
            moments: Moments<G::Value>,
            size: u64,
        }
        let options = self.options;
        let first = AtomicBool::new(round.is_first);
        let state = || {
            let walker = Walker::new(self.game, self.design, options.batch, options.seed, self.ends);
            let size = walker.group();
            Thread { walker, moments: Moments::new(), size }
        };
        // The first sample is made whatever the time.
        let size = |thread: &Thread<'_, G>| {
            let is_first = first.swap(false, Ordering::Relaxed);
            if self.is_over() { u64::from(is_first) } else { thread.size }
        };
        let queue = Queue::new(round.start..round.start.saturating_add(round.samples));
        queue.run(threads, state, size, |thread, numbers| {
            let Thread { walker, moments, size } = thread;
            let begun = Instant::now();
            // The last evaluations are counted once their samples are there to be seen. Those before are, too, if that is
            // soon, since looking is not free.
            let uncounted = Cell::new(0);
            let many = numbers.end - numbers.start > walker.group();
            let count = |evaluations| {
                let before = uncounted.get();
                if options.observer.is_some() && before > 0 && !(many && begun.elapsed() < UNIT * 4) {
                    self.count(before);
                    uncounted.set(evaluations);
                } else {
                    uncounted.set(before + evaluations);
                }
            };
            let spent = walker.make(numbers, moments, &count, &|| !self.is_over())?;
            let to_count = self.collector.add(moments, spent, uncounted.get());
            self.count(to_count);
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
            let seen = self.collector.seen();
            let total = self.expected(seen).max(progress.evaluations);
            Progress {
                permutations: seen.samples * self.design.walks(),
                half_width: seen.half_width,
                total,
                ..progress
            }
        });
    }

    /// The evaluations that the run is expected to take.
    fn expected(&self, seen: Seen) -> u64 {
        let cost = self.design.cost();
        let left = self.options.evaluations.saturating_sub(seen.evaluations);
        let budget = match self.design.is_constant() {
            true => 2 + cost,
            false => seen.evaluations + left - left % cost.max(1),
        };
        let Some(precision) = self.options.precision.filter(|_| seen.half_width.is_finite()) else { return budget };
        // Intervals narrow by the root of the number of samples.
        let needed = seen.samples as f64 * (seen.half_width / precision).powi(2);
        let look = looks().find(|&look| look as f64 >= needed && look >= seen.samples);
        let more = look.map_or(u64::MAX, |look| (look - seen.samples).saturating_mul(cost));
        seen.evaluations.saturating_add(more).min(budget)
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
        assert_eq!(looks(u64::MAX, 16), 93);
        assert_eq!(looks(u64::MAX, 2), 100);
    }
}
