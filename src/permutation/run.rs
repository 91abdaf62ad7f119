//! A run of the sampler: rounds of samples, and the rules that end it.

use std::cell::Cell;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Permutation;
use super::collect::{Collector, Seen};
use super::walks::{PATIENCE, Walker};
use crate::answer::ask;
use crate::clock::{self, Start};
use crate::estimate::{Design, Moments, Samples};
use crate::progress::Meter;
use crate::work::{self, Queue};
use crate::{Coalition, Error, Estimate, Progress, Stopped, TryGame};

/// A thread takes as many samples at once as take about this long: long beside the taking, short beside a user's patience.
const UNIT: Duration = Duration::from_millis(1);

/// Intervals are first looked at after so many samples.
const FIRST_LOOK: u64 = 30;

/// The numbers of samples at which intervals are looked at: each is half as many more.
pub(crate) fn looks() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(FIRST_LOOK), |look| look.checked_add(look / 2))
}

/// Whether intervals are looked at after so many.
pub(super) fn is_look(samples: u64) -> bool {
    looks().take_while(|&look| look <= samples).last() == Some(samples)
}

impl<F> Permutation<F> {
    /// What its samples of a game are, if its settings make sense.
    pub(super) fn design<E>(&self, players: usize) -> Result<Design, Error<E>> {
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
        if let Some(deadline) = self.deadline.filter(|_| !clock::IS_THERE) {
            let (name, allowed) = ("deadline", "left out on this target, which has no clock");
            return Err(Error::Setting { name, value: deadline.as_secs_f64(), allowed });
        }
        Ok(Design { players, antithetic: self.antithetic, truncation: self.truncation })
    }

    /// The samples that the budget pays for, if none is truncated.
    pub(super) fn payable(&self, design: Design) -> u64 {
        match self.evaluations.saturating_sub(2).checked_div(design.cost()) {
            Some(payable) if !design.is_constant() => payable,
            _ => 1,
        }
    }

    /// Refuses a budget that does not pay for a sample.
    pub(super) fn check_budget<E>(&self, design: Design) -> Result<(), Error<E>> {
        let needed = u64::try_from(2 + u128::from(design.cost())).unwrap_or(u64::MAX);
        match self.evaluations {
            evaluations if evaluations < needed => Err(Error::BudgetTooSmall { evaluations, needed }),
            _ => Ok(()),
        }
    }

    /// No samples yet, but v(∅) and v(N). `empty` is where the samples shall go.
    pub(super) fn none_yet<V>(
        &self,
        design: Design,
        empty: Moments<V>,
        [baseline, grand]: [V; 2],
        evaluations: u64,
    ) -> Samples<V> {
        let looks = if self.precision.is_some() { self.looks(design) } else { 0 };
        Samples { design, looks, evaluations, saved: 0, baseline, grand, streams: [(self.seed, empty)].into() }
    }

    /// The evaluations that a run is expected to take.
    pub(crate) fn expected(&self, design: Design, seen: Seen) -> u64 {
        let cost = design.cost();
        let left = self.evaluations.saturating_sub(seen.evaluations);
        let budget = match design.is_constant() {
            true => 2 + cost,
            false => seen.evaluations + left - left % cost.max(1),
        };
        let Some(precision) = self.precision.filter(|_| seen.half_width.is_finite()) else { return budget };
        // Intervals narrow by the root of the number of samples.
        let needed = seen.samples as f64 * (seen.half_width / precision).powi(2);
        let look = looks().find(|&look| look as f64 >= needed && look >= seen.samples);
        let more = look.map_or(u64::MAX, |look| (look - seen.samples).saturating_mul(cost));
        seen.evaluations.saturating_add(more).min(budget)
    }

    /// The threads for so many samples.
    fn threads_for(&self, samples: u64) -> usize {
        work::available(self.threads).min(usize::try_from(samples).unwrap_or(usize::MAX)).max(1)
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
    let design = options.design(game.num_players())?;
    let deadline = options.deadline.and_then(|after| Instant::now().checked_add(after));
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
            options.check_budget(design)?;
            options.none_yet(design, Moments::new(), ends(game, design.players)?, 2)
        }
    };
    if options.precision.is_some() {
        samples.looks = samples.looks.max(options.looks(design));
    }
    let (baseline, grand) = (samples.baseline.clone(), samples.grand.clone());
    let ends = (&baseline, &grand);
    let run = Run::new(game, options, samples, ends, meter, deadline);
    // The sample of a single player costs nothing more, and is there to be seen with the first evaluations.
    let (before, after) = if design.cost() > 0 { (2, 0) } else { (0, 2) };
    if from.is_none() {
        run.count(before);
    }
    let threads = options.threads_for(options.evaluations.saturating_sub(made) / design.cost().max(1));
    // Once, and not in every round: threads that are not there have to be started.
    let stopped =
        work::with_threads(threads, || run.rounds(threads)).map_err(|threads| Error::Threads { threads })??;
    if from.is_none() {
        run.count(after);
    }
    run.collector.take().estimate(stopped)
}

/// Adds a range of samples to those of a part: all of them, unless the observer breaks, at so many evaluations of so many.
/// What was made until then is there. An observer that looks at no half width spares its computation.
#[expect(clippy::type_complexity, reason = "the samples, and where the observer broke")]
pub(super) fn add<G, F>(
    game: &G,
    options: &Permutation<F>,
    samples: Samples<G::Value>,
    numbers: Range<u64>,
    shows_width: bool,
) -> Result<(Samples<G::Value>, Option<[u64; 2]>), Error<G::Error>>
where
    G: TryGame + ?Sized,
    F: Fn(&Progress) -> ControlFlow<()> + Sync,
{
    let made = samples.evaluations;
    let count = numbers.end - numbers.start;
    let total = made.saturating_add(count.saturating_mul(samples.design.cost()));
    let meter = Meter::new(0, total, options.observer.as_ref());
    let (baseline, grand) = (samples.baseline.clone(), samples.grand.clone());
    let mut run = Run { is_part: true, ..Run::new(game, options, samples, (&baseline, &grand), meter, None) };
    if !shows_width {
        run.collector.hide_width();
    }
    run.count(made);
    let threads = options.threads_for(count);
    let round = Round { start: numbers.start, samples: count, is_first: false };
    let make = || run.make(&round, threads);
    work::with_threads(threads, make).map_err(|threads| Error::Threads { threads })??;
    let broke = match run.meter.wanted() {
        ControlFlow::Break(evaluations) => Some([evaluations, total]),
        ControlFlow::Continue(()) => None,
    };
    Ok((run.collector.take(), broke))
}

/// v(∅) and v(N).
pub(super) fn ends<G: TryGame + ?Sized>(game: &G, players: usize) -> Result<[G::Value; 2], Error<G::Error>> {
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
    /// What a thread's samples begin with.
    empty: Moments<G::Value>,
    /// Whether all samples of a range are made, and no rule ends it.
    is_part: bool,
}

/// The samples of the next round: how many, from which number on.
struct Round {
    start: u64,
    samples: u64,
    is_first: bool,
}

impl<'a, G, F> Run<'a, G, F>
where
    G: TryGame + ?Sized,
    F: Fn(&Progress) -> ControlFlow<()> + Sync,
{
    fn new(
        game: &'a G,
        options: &'a Permutation<F>,
        samples: Samples<G::Value>,
        ends: (&'a G::Value, &'a G::Value),
        meter: Meter<'a, F>,
        deadline: Option<Instant>,
    ) -> Self {
        let design = samples.design;
        let empty = samples.streams.get(&options.seed).map_or_else(Moments::new, Moments::emptied);
        let shown = options.observer.is_some().then_some(options.confidence);
        let collector = Collector::new(samples, options.seed, shown);
        Self { game, options, design, deadline, meter, ends, collector, empty, is_part: false }
    }

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
        let is_at_look = |_: &f64| is_look(made) && missing.end == u64::MAX;
        if let Some(precision) = self.options.precision.filter(is_at_look)
            && samples.half_width(self.options.confidence) <= precision
        {
            return ControlFlow::Break(Stopped::Precision);
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
            Thread { walker, moments: self.empty.emptied(), size }
        };
        // The first sample is made whatever the time.
        let size = |thread: &Thread<'_, G>| {
            let is_first = first.swap(false, Ordering::Relaxed);
            if self.is_over() { u64::from(is_first) } else { thread.size }
        };
        let queue = Queue::new(round.start..round.start.saturating_add(round.samples));
        queue.run(threads, state, size, |thread, numbers| {
            let Thread { walker, moments, size } = thread;
            let begun = Start::now();
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
        if self.is_part { self.meter.total() } else { self.options.expected(self.design, seen) }
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
