//! Samples from walks: what a thread does with a range of sample numbers.

use std::ops::Range;

use super::order::Orders;
use crate::engine::ask::{ask, check_answer};
use crate::results::{Design, Moments};
use crate::value::difference;
use crate::{Coalition, Error, TryGame, Value};

/// A walk is truncated after so many prefixes in a row that are worth nearly v(N): one alone may be so by chance.
pub(super) const PATIENCE: usize = 3;

/// A larger batch would fill the memory rather than a model.
pub(super) const MOST_BATCH: usize = 1 << 16;

/// What samples took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    pub(super) evaluations: u64,
    /// Evaluations that truncation spared.
    pub(super) saved: u64,
}

/// One thread's way to make samples of a game, with its buffers.
pub(super) struct Walker<'a, G: TryGame + ?Sized> {
    game: &'a G,
    design: &'a Design,
    /// The most coalitions of a call, or 0 for walks of the game's own.
    batch: usize,
    ends: &'a [G::Value; 2],
    orders: Orders,
    /// The walks under way: one of a sample or two, of one sample or of as many as share a call.
    walks: Vec<Walk<G::Value>>,
    coalitions: Vec<Coalition>,
    answers: Vec<G::Value>,
}

/// A walk along an order of all players.
#[derive(Clone, Debug)]
struct Walk<V> {
    order: Vec<usize>,
    /// v(∅) and the values of the prefixes.
    values: Vec<V>,
    /// For a walk prefix by prefix: the prefix reached, and how many values in a row were nearly v(N).
    prefix: Coalition,
    near: usize,
}

impl<V: Value> Walk<V> {
    fn new() -> Self {
        Self { order: Vec::new(), values: Vec::new(), prefix: Coalition::empty(0), near: 0 }
    }

    fn begin(&mut self, baseline: &V) {
        self.values.clear();
        self.values.push(baseline.clone());
    }

    /// Completes the values with v(N). Where the walk was cut short, what is left is shared by those who did not come.
    fn finish(&mut self, grand: &V) {
        let Some(last) = self.values.last().cloned() else { return };
        let missing = self.order.len() - self.values.len();
        let rest = difference(grand, &last);
        for come in 1..=missing {
            let mut share = rest.clone();
            share.scale(come as i128, missing as i128 + 1);
            share.add_assign(&last);
            self.values.push(share);
        }
        self.values.push(grand.clone());
    }
}

impl<'a, G: TryGame + ?Sized> Walker<'a, G> {
    pub(super) fn new(game: &'a G, design: &'a Design, batch: usize, seed: u64, ends: &'a [G::Value; 2]) -> Self {
        let orders = Orders::new(design.players, seed);
        let (walks, coalitions, answers) = (Vec::new(), Vec::new(), Vec::new());
        let batch = batch.min(MOST_BATCH);
        Self { game, design, batch, ends, orders, walks, coalitions, answers }
    }

    /// How many samples share a call.
    pub(super) fn group(&self) -> u64 {
        let of_a_sample = match self.design.truncation {
            Some(_) => self.design.walks(),
            None => self.design.cost().max(1),
        };
        (self.batch as u64 / of_a_sample).max(1)
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
            let group = numbers.start..numbers.end.min(numbers.start.saturating_add(self.group()));
            numbers.start = group.end;
            self.begin(group.clone());
            match self.design.truncation {
                Some(tolerance) => self.step_by_step(tolerance, count)?,
                None if self.batch == 0 => self.walk(count)?,
                None => self.in_batches(count)?,
            }
            let inner = self.design.players - 1;
            for walk in &mut self.walks {
                let made = walk.values.len() - 1;
                spent.evaluations += made as u64;
                spent.saved += (inner - made) as u64;
                walk.finish(&self.ends[1]);
            }
            self.samples(group, moments);
            if !go_on() {
                break;
            }
        }
        Ok(spent)
    }

    /// Draws the orders of some samples.
    fn begin(&mut self, numbers: Range<u64>) {
        let &Design { players, antithetic, .. } = self.design;
        let walks = (numbers.end - numbers.start) * self.design.walks();
        self.walks.resize_with(usize::try_from(walks).unwrap_or(usize::MAX), Walk::new);
        let mut walks = self.walks.iter_mut();
        for number in numbers {
            let Some(forward) = walks.next() else { return };
            forward.begin(&self.ends[0]);
            self.orders.draw(number, &mut forward.order, players);
            if let Some(backward) = antithetic.then(|| walks.next()).flatten() {
                backward.begin(&self.ends[0]);
                backward.order.clear();
                backward.order.extend(forward.order.iter().rev());
            }
        }
    }

    /// By the game's own walk.
    fn walk(&mut self, count: &impl Fn(u64)) -> Result<(), Error<G::Error>> {
        let players = self.design.players;
        let Some(asked) = players.checked_sub(1).filter(|&asked| asked > 0) else { return Ok(()) };
        for Walk { order, values, .. } in &mut self.walks {
            let order = &order[..asked];
            let answer = self.game.try_walk(order, values);
            let prefix = |index: usize| Coalition::from_players(players, order[..=index].iter().copied());
            check_answer(self.game, asked, values.get(1..).unwrap_or_default(), answer, prefix)?;
            count(asked as u64);
        }
        Ok(())
    }

    /// Walk after walk, with prefixes of several in one call.
    fn in_batches(&mut self, count: &impl Fn(u64)) -> Result<(), Error<G::Error>> {
        let players = self.design.players;
        let prefixes = self.walks.iter().flat_map(|walk| {
            let mut prefix = Coalition::empty(players);
            walk.order[..players - 1].iter().map(move |&player| {
                prefix.insert(player);
                prefix.clone()
            })
        });
        self.answers.clear();
        self.coalitions.clear();
        let mut prefixes = prefixes.peekable();
        while let Some(prefix) = prefixes.next() {
            self.coalitions.push(prefix);
            if self.coalitions.len() == self.batch || prefixes.peek().is_none() {
                ask(self.game, &self.coalitions, &mut self.answers)?;
                count(self.coalitions.len() as u64);
                self.coalitions.clear();
            }
        }
        let mut answers = self.answers.drain(..);
        for walk in &mut self.walks {
            walk.values.extend(answers.by_ref().take(players - 1));
        }
        Ok(())
    }

    /// All walks in step, one prefix of each in a call, until each has come near enough to v(N). So no value is asked
    /// for that is not used, whatever the size of batches.
    fn step_by_step(&mut self, tolerance: f64, count: &impl Fn(u64)) -> Result<(), Error<G::Error>> {
        let players = self.design.players;
        for walk in &mut self.walks {
            walk.prefix = Coalition::empty(players);
            walk.near = 0;
        }
        for step in 0..players - 1 {
            self.coalitions.clear();
            for walk in self.walks.iter_mut().filter(|walk| walk.near < PATIENCE) {
                walk.prefix.insert(walk.order[step]);
                self.coalitions.push(walk.prefix.clone());
            }
            if self.coalitions.is_empty() {
                break;
            }
            self.answers.clear();
            let batch = if self.batch == 0 { self.coalitions.len() } else { self.batch };
            for call in self.coalitions.chunks(batch) {
                ask(self.game, call, &mut self.answers)?;
                count(call.len() as u64);
            }
            let live = self.walks.iter_mut().filter(|walk| walk.near < PATIENCE);
            for (walk, value) in live.zip(self.answers.drain(..)) {
                let left = difference(&self.ends[1], &value);
                walk.near = if left.magnitude() < tolerance { walk.near + 1 } else { 0 };
                walk.values.push(value);
            }
        }
        Ok(())
    }

    /// Adds the samples that finished walks make.
    fn samples(&self, numbers: Range<u64>, moments: &mut Moments<G::Value>) {
        for (number, walks) in numbers.zip(self.walks.chunks(if self.design.antithetic { 2 } else { 1 })) {
            let mut sample = moments.buffer();
            // Every place is written below.
            let contributions = &mut sample.sums;
            contributions.resize(self.design.players, self.ends[0].clone());
            match walks {
                [forward, backward] => {
                    // Who comes k-th in one order comes k-th from the end in the other.
                    let steps = forward.values.windows(2).zip(backward.values.windows(2).rev());
                    for (&player, (there, back)) in forward.order.iter().zip(steps) {
                        let mut contribution = difference(&there[1], &there[0]);
                        contribution.add_assign(&difference(&back[1], &back[0]));
                        contribution.scale(1, 2);
                        contributions[player] = contribution;
                    }
                }
                walks => {
                    for Walk { order, values, .. } in walks {
                        for (&player, there) in order.iter().zip(values.windows(2)) {
                            contributions[player] = difference(&there[1], &there[0]);
                        }
                    }
                }
            }
            moments.add(number, sample);
        }
    }
}
