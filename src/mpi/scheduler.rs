//! Rank 0 deals units of work, and takes in what comes of them; the other ranks do as they are told.
//!
//! Shares are large at first and small at the end (guided self-scheduling: Polychronopoulos & Kuck 1987, *IEEE
//! Transactions on Computers* C-36(12), 1425–1439), and never longer than about half a second by what the rank has done
//! so far, so that a slow rank holds nobody up. A rank whose units are short has one that waits, so that it need not
//! wait for messages. Who does what makes no difference to results, which are put together by numbers.

use std::ops::ControlFlow;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Error;
use super::error::Sent;
use super::handshake::{agree, mismatch};
use super::transport::{Pause, Transport, decode, encode};
use super::worker::{Answer, Answerer, Outcome, Task, Worker, guarded, with_worker};
use crate::Value;
use crate::engine::partial::ends_differ;

/// About how long a unit takes: long beside a message, short beside a user's patience.
const UNIT: Duration = Duration::from_millis(500);

/// A unit is at most so many times as large as the rank's last.
const GROWTH: u64 = 16;

/// The number of the unit of a failure that belongs to none.
const NO_UNIT: u64 = u64::MAX;

/// What there is to do, on rank 0. The numbers of things to do are counted in **grains**: coalitions or samples.
pub(super) trait Plan {
    /// What a coalition is worth.
    type Value: Value + DeserializeOwned;
    /// What comes of it on all ranks.
    type Output: Serialize + DeserializeOwned;

    /// v(∅) and v(N) are known, and things begin.
    fn begin(&mut self, ends: [Self::Value; 2]) -> Result<(), Error>;

    /// The grains that nobody was asked for yet.
    fn left(&self) -> u64;

    /// The next unit, of about so many grains or fewer, and how many it has; `None` if there is none now.
    fn next(&mut self, share: Share) -> Option<(Task, u64)>;

    /// Takes in what came of a unit of a rank.
    fn take(&mut self, rank: usize, task: Task, answer: &[u8]) -> Result<(), Error>;

    /// Shows, saves, and looks at the clock, again and again. Breaks if what is under way is to be broken off, since no
    /// more is wanted.
    fn look(&mut self) -> Result<ControlFlow<()>, Error>;

    /// Whether no more units will come.
    fn is_done(&self) -> bool;

    /// What came of it.
    fn finish(self) -> Result<Self::Output, Error>;
}

/// What a rank can be given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// About so many grains.
    pub(super) grains: u64,
    /// In the time that a unit shall take at most, it does so many; 0 if that is not known.
    pub(super) in_time: u64,
    /// The number of ranks.
    pub(super) ranks: usize,
}

impl Share {
    /// The grains that all ranks do in a second, if they are like this one.
    pub(super) fn of_all_in_a_second(self) -> f64 {
        self.ranks as f64 * self.in_time as f64 / UNIT.as_secs_f64()
    }
}

/// What a rank was called with.
pub(super) struct Call {
    /// What must be the same on all ranks, by name.
    pub(super) settings: Vec<(&'static str, String)>,
    /// The threads of this rank.
    pub(super) threads: usize,
    /// What is wrong with the call: on all ranks alike, as it depends on the settings alone. So each tells its caller
    /// by itself.
    pub(super) wrong: Option<Error>,
}

#[derive(Serialize, Deserialize)]
enum Order {
    Unit(u64, Task),
    /// Breaks off all units, which are answered all the same.
    Stop,
    End(Result<Vec<u8>, Sent>),
}

/// Runs a job on all ranks: the same result on each, or the same error. `plan` is made on rank 0.
pub(super) fn run<P: Plan>(
    transport: &mut Transport,
    call: Call,
    answerer: &dyn Answerer,
    plan: impl FnOnce() -> Result<P, Error>,
) -> Result<P::Output, Error> {
    let Call { settings, threads, wrong } = call;
    let all_threads = agree(transport, settings, threads)?;
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    let rank = transport.rank();
    with_worker(rank, threads, answerer, |worker| {
        if rank > 0 {
            return match follow(transport, worker)? {
                Ok(bytes) => decode(0, &bytes),
                Err(sent) => Err(worker.with_original(sent.received())),
            };
        }
        // What the others get of it is what this one gets.
        let result = lead(transport, worker, all_threads, plan).and_then(|output| {
            let bytes = encode(0, &output)?;
            Ok((decode(0, &bytes)?, bytes))
        });
        let (end, result) = match result {
            Ok((output, bytes)) => (Ok(bytes), Ok(output)),
            Err(error) => (Err(error.sent()), Err(worker.with_original(error))),
        };
        let order = encode(0, &Order::End(end))?;
        (1..transport.ranks()).for_each(|rank| transport.send(rank, &order));
        result
    })
}

/// Does as it is told, until the end.
fn follow(transport: &mut Transport, worker: &mut Worker<'_>) -> Result<Result<Vec<u8>, Sent>, Error> {
    let rank = transport.rank();
    let mut pause = Pause::new();
    loop {
        while let Some((_, bytes)) = transport.receive() {
            pause.reset();
            match decode(0, &bytes) {
                Ok(Order::Unit(number, task)) => worker.put(number, task),
                Ok(Order::Stop) => worker.stop(),
                Ok(Order::End(end)) => return Ok(end),
                // Others wait for this rank, so it does not go.
                Err(error) => {
                    let answer = Answer { number: NO_UNIT, nanos: 0, outcome: Outcome::Failed(error.sent()) };
                    transport.send(0, &encode(rank, &answer)?);
                }
            }
        }
        while let Some(answer) = worker.wait(pause.next()) {
            pause.reset();
            transport.send(0, &encode(rank, &answer)?);
        }
    }
}

/// What rank 0 knows of a rank.
struct Helper {
    threads: u64,
    /// The units that it has, with their sizes.
    has: Vec<(u64, Task, u64)>,
    /// Grains a second.
    rate: Option<f64>,
    /// The size of its last unit.
    last: u64,
}

impl Helper {
    fn new(threads: u64) -> Self {
        let threads = threads.max(1);
        Self { threads, has: Vec::new(), rate: None, last: threads }
    }

    /// The grains that it does in the time of a unit, as far as is known.
    fn in_time(&self) -> u64 {
        self.rate.map_or(0, |rate| (rate * UNIT.as_secs_f64()) as u64)
    }

    /// How many grains it gets next, if there are so many for so many ranks.
    fn share(&self, left: u64, ranks: usize) -> u64 {
        let share = left / (4 * ranks as u64);
        // No fewer than keep its threads busy.
        share.min(self.in_time()).min(self.last.saturating_mul(GROWTH)).max(self.threads).min(left)
    }

    /// Whether it can be given another unit: it has none, or one that takes no longer than a unit shall.
    fn takes(&self, waiting: usize) -> bool {
        match &self.has[..] {
            [] => true,
            [(_, _, size)] => waiting == 1 && *size / 2 < self.in_time(),
            _ => false,
        }
    }

    fn learn(&mut self, grains: f64, nanos: u64) {
        let rate = grains / (nanos.max(1) as f64 / 1e9);
        // What a unit takes differs. The mean is that of the times, since what a store has costs next to nothing: the
        // mean of the paces would remember that for many units, each of which could take minutes.
        self.rate = Some(self.rate.map_or(rate, |before| before.recip().midpoint(rate.recip()).recip()));
    }
}

/// The ranks, and what is between them and rank 0.
struct Team<'l, 'h, 'a> {
    transport: &'l mut Transport,
    worker: &'h mut Worker<'a>,
    helpers: Vec<Helper>,
    /// The number of the next unit.
    next: u64,
    stopped: bool,
}

impl Team<'_, '_, '_> {
    fn give(&mut self, rank: usize, task: Task, size: u64) -> Result<(), Error> {
        let number = self.next;
        self.next += 1;
        self.helpers[rank].has.push((number, task.clone(), size));
        match rank {
            0 => self.worker.put(number, task),
            _ => self.transport.send(rank, &encode(0, &Order::Unit(number, task))?),
        }
        Ok(())
    }

    /// Breaks off what is under way.
    fn stop(&mut self) -> Result<(), Error> {
        if !std::mem::replace(&mut self.stopped, true) {
            let order = encode(0, &Order::Stop)?;
            self.worker.stop();
            for rank in 1..self.helpers.len() {
                if !self.helpers[rank].has.is_empty() {
                    self.transport.send(rank, &order);
                }
            }
        }
        Ok(())
    }

    fn is_idle(&self) -> bool {
        self.helpers.iter().all(|helper| helper.has.is_empty())
    }

    /// Deals what there is, first to those who have nothing.
    fn deal<P: Plan>(&mut self, plan: &mut P) -> Result<(), Error> {
        for waiting in [0, 1] {
            for rank in 0..self.helpers.len() {
                let left = plan.left();
                if left == 0 {
                    return Ok(());
                }
                if self.helpers[rank].takes(waiting) {
                    let (helper, ranks) = (&self.helpers[rank], self.helpers.len());
                    let share = Share { grains: helper.share(left, ranks), in_time: helper.in_time(), ranks };
                    let Some((task, size)) = plan.next(share) else { return Ok(()) };
                    self.helpers[rank].last = size;
                    self.give(rank, task, size)?;
                }
            }
        }
        Ok(())
    }

    /// The next answers, of whichever ranks; none, if none comes soon.
    fn hear(&mut self, pause: &mut Pause) -> Vec<(usize, Answer)> {
        let mut heard = Vec::new();
        while let Some((rank, bytes)) = self.transport.receive() {
            // Of what cannot be understood it is not known what it answers.
            let broken = |error: Error| Answer { number: NO_UNIT, nanos: 0, outcome: Outcome::Failed(error.sent()) };
            heard.push((rank, decode(rank, &bytes).unwrap_or_else(broken)));
        }
        // Messages that have come are no reason to sleep.
        let time = if heard.is_empty() { pause.next() } else { Duration::ZERO };
        heard.extend(self.worker.wait(time).map(|answer| (0, answer)));
        if !heard.is_empty() {
            pause.reset();
        }
        heard
    }

    /// The unit that an answer is to.
    fn done(&mut self, rank: usize, number: u64) -> Option<(Task, u64)> {
        let has = &mut self.helpers[rank].has;
        if number == NO_UNIT {
            // Which of its units it did not understand is not known.
            has.clear();
            return Some((Task::Ends, 0));
        }
        let place = has.iter().position(|(other, _, _)| *other == number)?;
        let (_, task, size) = has.remove(place);
        Some((task, size))
    }
}

/// The failure of the unit with the lowest number, of those that were heard of.
#[derive(Default)]
struct Failed(Option<(u64, Error)>);

impl Failed {
    fn add(&mut self, number: u64, error: Error) {
        if self.0.as_ref().is_none_or(|(lowest, _)| number < *lowest) {
            self.0 = Some((number, error));
        }
    }
}

fn lead<P: Plan>(
    transport: &mut Transport,
    worker: &mut Worker<'_>,
    all_threads: Vec<u64>,
    plan: impl FnOnce() -> Result<P, Error>,
) -> Result<P::Output, Error> {
    let helpers = all_threads.into_iter().map(Helper::new).collect();
    let mut plan = guarded(0, plan)??;
    let mut team = Team { transport, worker, helpers, next: 0, stopped: false };
    let mut failed = Failed::default();
    match work(&mut team, &mut plan, &mut failed) {
        Ok(()) => {}
        Err(error) => failed.add(0, error),
    }
    match failed.0 {
        Some((_, error)) => {
            // All must be told that it is over, and none may have anything left to say.
            team.stop()?;
            let mut pause = Pause::new();
            while !team.is_idle() {
                for (rank, answer) in team.hear(&mut pause) {
                    team.done(rank, answer.number);
                }
            }
            Err(error)
        }
        None => guarded(0, || plan.finish())?,
    }
}

/// Deals and takes in, until all is done or something has failed.
fn work<P: Plan>(team: &mut Team<'_, '_, '_>, plan: &mut P, failed: &mut Failed) -> Result<(), Error> {
    for rank in 0..team.helpers.len() {
        team.give(rank, Task::Ends, 0)?;
    }
    let mut ends = Ends { ours: None, theirs: Vec::new() };
    let mut pause = Pause::new();
    loop {
        if !team.stopped {
            if guarded(0, || plan.look())??.is_break() {
                team.stop()?;
            } else if ends.ours.is_some() {
                guarded(0, || team.deal(plan))??;
            }
        }
        if team.is_idle() && (team.stopped || (ends.ours.is_some() && plan.is_done())) {
            return Ok(());
        }
        for (rank, answer) in team.hear(&mut pause) {
            let Some((task, size)) = team.done(rank, answer.number) else { continue };
            let number = answer.number;
            // Whatever is wrong with it, the answers after it have been heard as well.
            if let Err(error) = take(&mut team.helpers[rank], &mut ends, plan, (rank, task, size), answer) {
                failed.add(number, error);
                team.stop()?;
            }
        }
        if failed.0.is_some() && team.is_idle() {
            return Ok(());
        }
    }
}

/// Takes in what came of a unit of a rank.
fn take<P: Plan>(
    helper: &mut Helper,
    ends: &mut Ends<P::Value>,
    plan: &mut P,
    (rank, task, size): (usize, Task, u64),
    Answer { nanos, outcome, .. }: Answer,
) -> Result<(), Error> {
    let bytes = match outcome {
        Outcome::Done(bytes) => bytes,
        Outcome::Cancelled => return Ok(()),
        Outcome::Failed(sent) => return Err(sent.received()),
    };
    if task == Task::Ends {
        // How long they took says nothing of the others: they are often free, and in a store when a job goes on.
        return guarded(0, || ends.add(rank, decode(rank, &bytes)?, plan))?;
    }
    helper.learn(size as f64, nanos);
    guarded(0, || plan.take(rank, task, &bytes))?
}

/// v(∅) and v(N) as the ranks have them: if they differ, the games do.
struct Ends<V> {
    ours: Option<[V; 2]>,
    theirs: Vec<(usize, [V; 2])>,
}

impl<V: Value> Ends<V> {
    fn add(&mut self, rank: usize, ends: [V; 2], plan: &mut impl Plan<Value = V>) -> Result<(), Error> {
        match rank {
            0 => {
                self.ours = Some(ends.clone());
                plan.begin(ends)?;
            }
            _ => self.theirs.push((rank, ends)),
        }
        let Some(ours) = &self.ours else { return Ok(()) };
        for (rank, theirs) in self.theirs.drain(..) {
            if let Some((what, ours, theirs)) = ends_differ(ours, &theirs) {
                return Err(mismatch(what, ours, rank, theirs));
            }
        }
        Ok(())
    }
}

/// The end of a unit that begins at `start` and has at most about `size` numbers, all below `end`: a multiple of a large
/// power of two, so that the unit is a few nodes of the summation tree.
pub(super) fn until(start: u64, size: u64, end: u64) -> u64 {
    match start.saturating_add(size.max(1)) {
        stop if stop >= end => end,
        stop => {
            let step = 1 << (size / 2).max(1).ilog2();
            (stop / step * step).max(start + 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_no_larger_than_asked_for_and_end_well() {
        for (start, size, end, expected) in [
            (0, 0, 9, 1),
            (0, 1, 9, 1),
            (3, 1, 9, 4),
            (5, 8, 100, 12),
            (12, 8, 100, 20),
            (12, 100, 100, 100),
            (64, 100, 1000, 160),
            (u64::MAX - 3, 8, u64::MAX, u64::MAX),
        ] {
            assert_eq!(until(start, size, end), expected, "{start} {size}");
        }
    }

    #[test]
    fn shares_shrink_towards_the_end_and_grow_from_the_start() {
        let mut helper = Helper::new(4);
        assert_eq!(helper.share(1000, 3), 4); // nothing is known of it
        helper.learn(4.0, 1_000_000); // 4000 a second
        assert_eq!(helper.share(1_000_000, 3), 64);
        helper.last = 10_000;
        assert_eq!(helper.share(1_000_000, 3), 2000);
        assert_eq!(helper.share(1200, 3), 100);
        assert_eq!((helper.share(40, 3), helper.share(3, 3)), (4, 3));
        // What was free once does not make a unit of what is dear take long.
        helper.learn(100.0, 1_000);
        helper.learn(1.0, 100_000_000);
        assert!(helper.share(1_000_000, 3) <= 10, "{}", helper.share(1_000_000, 3));
        helper.rate = Some(4000.0);
        // Only what is short may wait.
        assert!(helper.takes(0) && helper.takes(1));
        helper.has.push((7, Task::Masks(0..2000), 2000));
        assert!(!helper.takes(0) && helper.takes(1));
        helper.has[0].2 = 5000;
        assert!(!helper.takes(1));
    }
}
