//! A run of the sampler: rounds of samples, and the rules that end it.

use std::cell::Cell;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Permutation;
use super::collect::Collector;
use super::rules::{Rules, Seen};
use super::walks::{Spent, Walker};
use super::window_walks::WindowWalker;
use crate::engine::ask::both_ends;
use crate::engine::clock::Start;
use crate::engine::partial::check_ends;
use crate::engine::progress::{Meter, Observer};
use crate::engine::threads::{self, Queue};
use crate::results::{Moments, SampleTree, Samples, sample_tree};
use crate::{Error, Estimate, Progress, Stopped, TryGame};

/// A thread takes as many samples at once as take about this long: long beside the taking, short beside a user's
/// patience.
const UNIT: Duration = Duration::from_millis(1);

/// Samples of a game, from none or from those of an estimate, until one of the sampler's rules says stop.
pub(super) fn run<G: TryGame + ?Sized, F: Observer>(
    game: &G,
    options: &Permutation<F>,
    from: Option<&Estimate<G::Value>>,
) -> Result<Estimate<G::Value>, Error<G::Error>> {
    let rules = options.rules(game.num_players())?;
    let deadline = options.stopping.until();
    let design = rules.design.clone();
    let made = from.map_or(0, Estimate::evaluations);
    let samples = match from {
        Some(estimate) => {
            let Some(samples) = estimate.walks() else {
                let (ours, theirs) = ("Permutation".to_owned(), estimate.solver().to_owned());
                return Err(Error::Mismatch { what: "the solver", ours, theirs });
            };
            design.check(&samples.design)?;
            if !samples.streams.contains_key(&options.seed) {
                let theirs = samples.streams.keys().map(u64::to_string).collect::<Vec<_>>().join(" and ");
                return Err(Error::Mismatch { what: "the seed", ours: options.seed.to_string(), theirs });
            }
            let mut samples = samples.clone();
            samples.looks = samples.looks.max(rules.most_looks());
            if let ControlFlow::Break(stopped) = rules.next_after(&samples, 2) {
                return samples.estimate(stopped);
            }
            check_ends(&both_ends(game, design.players)?, &samples.ends)?;
            samples.evaluations += 2;
            samples
        }
        None => {
            rules.check_budget()?;
            rules.none_yet(both_ends(game, design.players)?, 2)
        }
    };
    let ends = samples.ends.clone();
    let meter = Meter::new(made, options.evaluations, options.settings.observer.as_ref());
    let run = Run::new(game, options, rules, samples, &ends, meter, deadline);
    // The sample of a single player costs nothing more, and is there to be seen with the first evaluations.
    let (before, after) = if design.cost() > 0 { (2, 0) } else { (0, 2) };
    run.count(before);
    let threads =
        threads_for(options.settings.threads, options.evaluations.saturating_sub(made) / design.cost().max(1));
    // Once, and not in every round: threads that are not there have to be started.
    let stopped =
        threads::with_threads(threads, || run.rounds(threads)).map_err(|threads| Error::Threads { threads })??;
    run.count(after);
    run.collector.take().estimate(stopped)
}

/// Adds a range of samples to those of a part. Returns `Some([made, total])` evaluations if the observer stopped it;
/// the samples made until then are there.
#[expect(clippy::type_complexity, reason = "the samples, and where the observer broke")]
pub(super) fn add<G: TryGame + ?Sized, F: Observer>(
    game: &G,
    options: &Permutation<F>,
    rules: Rules,
    samples: Samples<G::Value>,
    numbers: Range<u64>,
) -> Result<(Samples<G::Value>, Option<[u64; 2]>), Error<G::Error>> {
    let made = samples.evaluations;
    let count = numbers.end - numbers.start;
    let total = made.saturating_add(count.saturating_mul(samples.design.cost()));
    let meter = Meter::new(0, total, options.settings.observer.as_ref());
    let ends = samples.ends.clone();
    let run = Run { is_part: true, ..Run::new(game, options, rules, samples, &ends, meter, None) };
    run.count(made);
    let threads = threads_for(options.settings.threads, count);
    let make = || run.make(numbers, false, threads);
    threads::with_threads(threads, make).map_err(|threads| Error::Threads { threads })??;
    let broke = match run.meter.wanted() {
        ControlFlow::Break(evaluations) => Some([evaluations, total]),
        ControlFlow::Continue(()) => None,
    };
    Ok((run.collector.take(), broke))
}

/// The threads for a number of samples.
fn threads_for(asked: usize, samples: u64) -> usize {
    threads::available(asked).min(usize::try_from(samples).unwrap_or(usize::MAX)).max(1)
}

/// What makes samples: of whole walks, or of windows.
enum Sampler<'a, G: TryGame + ?Sized> {
    Walks(Walker<'a, G>),
    Windows(WindowWalker<'a, G>),
}

impl<'a, G: TryGame + ?Sized> Sampler<'a, G> {
    fn new(game: &'a G, rules: &'a Rules, batch: usize, ends: &'a [G::Value; 2]) -> Self {
        match &rules.design.weighted {
            None => Self::Walks(Walker::new(game, &rules.design, batch, rules.seed, ends)),
            Some(weighted) => {
                let design = (&rules.design, &weighted.windows);
                Self::Windows(WindowWalker::new(game, design, batch, rules.seed, ends))
            }
        }
    }

    fn group(&self) -> u64 {
        match self {
            Self::Walks(walker) => walker.group(),
            Self::Windows(walker) => walker.group(),
        }
    }

    fn make(
        &mut self,
        numbers: Range<u64>,
        moments: &mut Moments<G::Value>,
        count: &impl Fn(u64),
        go_on: &impl Fn() -> bool,
    ) -> Result<Spent, Error<G::Error>> {
        match self {
            Self::Walks(walker) => walker.make(numbers, moments, count, go_on),
            Self::Windows(walker) => walker.make(numbers, moments, count, go_on),
        }
    }
}

struct Run<'a, G: TryGame + ?Sized, F> {
    game: &'a G,
    options: &'a Permutation<F>,
    rules: Rules,
    deadline: Option<Instant>,
    meter: Meter<'a, F>,
    ends: &'a [G::Value; 2],
    collector: Collector<G::Value>,
    /// A tree without samples, with the cuts of the run's.
    empty: SampleTree<G::Value>,
    /// Whether all samples of a range are made, and no rule ends it.
    is_part: bool,
}

impl<'a, G: TryGame + ?Sized, F: Observer> Run<'a, G, F> {
    fn new(
        game: &'a G,
        options: &'a Permutation<F>,
        rules: Rules,
        samples: Samples<G::Value>,
        ends: &'a [G::Value; 2],
        meter: Meter<'a, F>,
        deadline: Option<Instant>,
    ) -> Self {
        let tree = samples.streams.get(&rules.seed);
        let empty = tree.map_or_else(|| sample_tree(Arc::default()), |tree| tree.emptied());
        let shows = options.settings.observer.is_some() && options.settings.shows_width;
        let collector = Collector::new(samples, rules.seed, shows.then_some(rules.confidence));
        Self { game, options, rules, deadline, meter, ends, collector, empty, is_part: false }
    }

    /// Round after round, until a rule says stop. The first sample of a run is always made: v(∅) and v(N) were paid
    /// for.
    fn rounds(&self, threads: usize) -> Result<Stopped, Error<G::Error>> {
        let mut is_first = true;
        loop {
            let samples = self.collector.take();
            let next = self.rules.next(&samples);
            self.collector.put_back(samples);
            match next {
                ControlFlow::Break(stopped) => return Ok(stopped),
                ControlFlow::Continue(_) if !is_first && self.meter.wanted().is_break() => {
                    return Ok(Stopped::Observer);
                }
                ControlFlow::Continue(_) if !is_first && self.is_late() => return Ok(Stopped::Deadline),
                ControlFlow::Continue(numbers) => self.make(numbers, is_first, threads)?,
            }
            is_first = false;
        }
    }

    /// Whether time or the observer ends the run.
    fn is_over(&self) -> bool {
        self.meter.wanted().is_break() || self.is_late()
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Makes the samples of a range, or fewer if time or the observer ends it; the first sample of a run always.
    fn make(&self, numbers: Range<u64>, is_first: bool, threads: usize) -> Result<(), Error<G::Error>> {
        struct Thread<'a, G: TryGame + ?Sized> {
            walker: Sampler<'a, G>,
            moments: Moments<G::Value>,
            size: u64,
        }
        let options = self.options;
        let first = AtomicBool::new(is_first);
        let state = || {
            let walker = Sampler::new(self.game, &self.rules, options.settings.batch, self.ends);
            let size = walker.group();
            Thread { walker, moments: Moments::of(self.empty.emptied()), size }
        };
        // The first sample is made whatever the time.
        let size = |thread: &Thread<'_, G>| {
            let is_first = first.swap(false, Ordering::Relaxed);
            if self.is_over() { u64::from(is_first) } else { thread.size }
        };
        Queue::new(numbers).run(threads, state, size, |thread, numbers| {
            let Thread { walker, moments, size } = thread;
            let begun = Start::now();
            // The last evaluations are counted once their samples are there to be seen. Those before are, too, if that
            // is soon, since looking is not free.
            let uncounted = Cell::new(0);
            let many = numbers.end - numbers.start > walker.group();
            let count = |evaluations| {
                let before = uncounted.get();
                if options.settings.observer.is_some() && before > 0 && !(many && begun.elapsed() < UNIT * 4) {
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
                permutations: seen.samples * self.rules.design.walks(),
                half_width: seen.half_width,
                total,
                ..progress
            }
        });
    }

    /// The evaluations that the run is expected to take.
    fn expected(&self, seen: Seen) -> u64 {
        if self.is_part { self.meter.total() } else { self.rules.expected(seen) }
    }
}
