//! Samples of a semivalue: what a thread does with a range of sample numbers.

use std::ops::Range;

use super::order::Orders;
use super::walks::{MOST_BATCH, Spent};
use crate::engine::Random;
use crate::engine::ask::ask;
use crate::results::{Design, Moments};
use crate::value::difference;
use crate::weights::{Window, Windows, scale_by_float};
use crate::{Coalition, Error, TryGame, Value};

/// The domain of random numbers of windows; their orders are those of walks.
const DOMAIN: &[u8; 24] = b"shapley windows, vers. 1";

/// A call of at most this number of bits of coalitions, where no batch is asked for.
const MOST_BITS: usize = 1 << 23;

/// One thread's way to make samples of a semivalue, with its buffers.
pub(super) struct WindowWalker<'a, G: TryGame + ?Sized> {
    game: &'a G,
    windows: &'a Windows,
    players: usize,
    antithetic: bool,
    seed: u64,
    /// The most coalitions of a call.
    batch: usize,
    /// How many samples share a call.
    group: u64,
    ends: &'a [G::Value; 2],
    orders: Orders,
    samples: Vec<Sample>,
    coalitions: Vec<Coalition>,
    answers: Vec<G::Value>,
}

/// An order and its windows.
#[derive(Clone, Debug, Default)]
struct Sample {
    order: Vec<usize>,
    windows: Vec<Window>,
}

/// A window that is walked along: forwards, or from the complement of its last coalition to that of its first.
#[derive(Clone, Copy, Debug)]
struct Walked<'a> {
    order: &'a [usize],
    window: Window,
    backwards: bool,
}

impl Walked<'_> {
    /// How many players are there before the first of the window comes.
    fn size(self) -> usize {
        let Window { len, size, .. } = self.window;
        if self.backwards { self.order.len() - size - len } else { size }
    }

    /// Those who come, in turn.
    fn player(self, step: usize) -> usize {
        let Window { place, len, .. } = self.window;
        self.order[place + if self.backwards { len - 1 - step } else { step }]
    }

    /// Whether the values of the first coalition and of the last are known.
    fn is_known(self) -> [bool; 2] {
        let known = self.window.is_known;
        if self.backwards { [known[1], known[0]] } else { known }
    }

    /// The coalitions whose values are asked for.
    fn coalitions(self) -> impl Iterator<Item = Coalition> {
        let (n, Window { place, len, .. }) = (self.order.len(), self.window);
        let size = self.size();
        // Forwards those before the window, backwards those after it, in an order that goes round.
        let from = if self.backwards { place + len } else { place + n - size };
        let there = (from..from + size).map(|at| self.order[at % n]);
        let mut coalition = Coalition::from_players(n, there);
        let [first, last] = self.is_known().map(usize::from);
        (0..=len)
            .map(move |step| {
                if step > 0 {
                    coalition.insert(self.player(step - 1));
                }
                coalition.clone()
            })
            .skip(first)
            .take(len + 1 - first - last)
    }

    /// The values from ∅ or the first that was asked for to N or the last.
    fn values<V: Value>(self, answers: &mut impl Iterator<Item = V>, ends: &[V; 2]) -> Vec<V> {
        let [first, last] = self.is_known();
        let asked = self.window.len + 1 - usize::from(first) - usize::from(last);
        let mut values = Vec::with_capacity(self.window.len + 1);
        values.extend(first.then(|| ends[0].clone()));
        values.extend(answers.take(asked));
        values.extend(last.then(|| ends[1].clone()));
        values
    }
}

impl Sample {
    fn walked(&self, antithetic: bool) -> impl Iterator<Item = Walked<'_>> {
        let directions = if antithetic { &[false, true][..] } else { &[false] };
        self.windows.iter().flat_map(move |&window| {
            directions.iter().map(move |&backwards| Walked { order: &self.order, window, backwards })
        })
    }
}

impl<'a, G: TryGame + ?Sized> WindowWalker<'a, G> {
    pub(super) fn new(
        game: &'a G,
        (design, windows): (&Design, &'a Windows),
        batch: usize,
        seed: u64,
        ends: &'a [G::Value; 2],
    ) -> Self {
        let players = design.players;
        let batch = batch.min(MOST_BATCH);
        Self {
            game,
            windows,
            players,
            antithetic: design.antithetic,
            seed,
            batch: if batch > 0 { batch } else { (MOST_BITS / players).clamp(1, MOST_BATCH) },
            group: (batch as u64 / design.cost().max(1)).max(1),
            ends,
            orders: Orders::new(players, seed),
            samples: Vec::new(),
            coalitions: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// How many samples share a call.
    pub(super) fn group(&self) -> u64 {
        self.group
    }

    /// Makes a range of samples, or the first of them if `go_on` says no after a group. `count` is told of evaluations
    /// as they are made.
    pub(super) fn make(
        &mut self,
        mut numbers: Range<u64>,
        moments: &mut Moments<G::Value>,
        count: &impl Fn(u64),
        go_on: &impl Fn() -> bool,
    ) -> Result<Spent, Error<G::Error>> {
        let mut spent = Spent::default();
        while !numbers.is_empty() {
            let group = numbers.start..numbers.end.min(numbers.start.saturating_add(self.group));
            numbers.start = group.end;
            self.draw(group.clone());
            self.ask(count)?;
            spent.evaluations += self.answers.len() as u64;
            self.add(group, moments);
            if !go_on() {
                break;
            }
        }
        Ok(spent)
    }

    fn draw(&mut self, numbers: Range<u64>) {
        self.samples.resize_with((numbers.end - numbers.start) as usize, Sample::default);
        for (number, sample) in numbers.zip(&mut self.samples) {
            self.orders.draw(number, &mut sample.order, self.players);
            let mut random = Random::new(DOMAIN, self.seed, number);
            let turn = random.below(self.windows.count());
            self.windows.draw(turn, random.unit(), &mut sample.windows);
        }
    }

    fn ask(&mut self, count: &impl Fn(u64)) -> Result<(), Error<G::Error>> {
        let Self { game, antithetic, batch, samples, coalitions, answers, .. } = self;
        answers.clear();
        coalitions.clear();
        let walked = samples.iter().flat_map(|sample| sample.walked(*antithetic));
        let mut wanted = walked.flat_map(Walked::coalitions).peekable();
        while let Some(coalition) = wanted.next() {
            coalitions.push(coalition);
            if coalitions.len() == *batch || wanted.peek().is_none() {
                ask(*game, coalitions, answers)?;
                count(coalitions.len() as u64);
                coalitions.clear();
            }
        }
        Ok(())
    }

    /// Adds the samples of answers.
    fn add(&mut self, numbers: Range<u64>, moments: &mut Moments<G::Value>) {
        let mut answers = self.answers.drain(..);
        for (number, sample) in numbers.zip(&self.samples) {
            let mut node = moments.buffer();
            // Every place is written below: by the first walk along a player's window.
            node.sums.resize(self.players, self.ends[0].clone());
            for walked in sample.walked(self.antithetic) {
                let values = walked.values(&mut answers, self.ends);
                for (step, two) in values.windows(2).enumerate() {
                    let mut contribution = difference(&two[1], &two[0]);
                    // By what it counts forwards: the sizes of both are as likely, if there are two.
                    let Window { len, size, .. } = walked.window;
                    let others = size + if walked.backwards { len - 1 - step } else { step };
                    contribution.scale(1, if self.antithetic { 2 } else { 1 });
                    scale_by_float(&mut contribution, self.windows.factors[others]);
                    let sum = &mut node.sums[walked.player(step)];
                    if walked.backwards {
                        sum.add_assign(&contribution);
                    } else {
                        *sum = contribution;
                    }
                }
            }
            moments.add(number, node);
        }
    }
}
