//! Asking a game for pairs: all of them or, while it looks self-dual, one coalition of each.

use super::Options;
use super::constants::{CHECK_EVERY, FEW_NOT_DUAL, FEWEST_OF_ROUND, FIRST_CHECKS, MOST_ROUNDS};
use super::design::PairedDesign;
use super::generator;
use super::quota::Form;
use crate::engine::question::{Answer, Asker, Question};
use crate::results::Pair;
use crate::{Coalition, Value};

fn rounds(pairs: usize) -> usize {
    (pairs / FEWEST_OF_ROUND).clamp(1, MOST_ROUNDS)
}

/// A game under question.
pub(super) struct Game<'a, V> {
    asker: &'a Asker<V>,
    options: &'a Options,
    players: usize,
    /// v(∅) and v(N).
    pub(super) ends: [V; 2],
    /// The evaluations made.
    pub(super) made: u64,
    /// What is not to be passed in this stage.
    pub(super) limit: u64,
    /// The largest half width of the stage before.
    pub(super) half_width: f64,
    /// Whether the observer broke, and whether the time was up.
    pub(super) is_stopped: bool,
    pub(super) is_late: bool,
    /// The largest |v(S) − (v(∅) + v(N)) / 2| seen, in each component.
    largest: Vec<f64>,
}

/// The pairs that were asked for, as a design and with their values.
pub(super) type Asked<V> = (PairedDesign, Vec<Pair<V>>);

impl<'a, V: Value> Game<'a, V> {
    /// Of a game whose ends are known.
    pub(super) fn new(asker: &'a Asker<V>, options: &'a Options, players: usize, ends: [V; 2], made: u64) -> Self {
        let largest = vec![0.0; ends[0].components().count()];
        let (limit, half_width) = (options.evaluations, f64::INFINITY);
        let (is_stopped, is_late) = (false, false);
        let mut game = Self { asker, options, players, ends, made, limit, half_width, is_stopped, is_late, largest };
        let baseline = game.ends[0].clone();
        game.look(&baseline);
        game
    }

    fn left(&self) -> u64 {
        self.limit.min(self.options.evaluations).saturating_sub(self.made)
    }

    /// The values of some coalitions: of all, or of those up to where the observer broke or the time was up, but at
    /// least of the first `at_least`.
    async fn ask(&mut self, mut coalitions: Vec<Coalition>, at_least: usize) -> Vec<V> {
        // A design that was loaded may lack pairs that it is expected to have, and then grows by more than is paid for.
        coalitions.truncate(usize::try_from(self.left()).unwrap_or(usize::MAX));
        let question = Question { coalitions, at_least, half_width: self.half_width };
        let Answer { values, is_stopped, is_late } = self.asker.values(question).await;
        (self.is_stopped, self.is_late) = (self.is_stopped || is_stopped, self.is_late || is_late);
        self.made += values.len() as u64;
        values.iter().for_each(|value| self.look(value));
        values
    }

    /// Remembers how far values are from the middle.
    fn look(&mut self, value: &V) {
        let middle = self.ends[0].components().zip(self.ends[1].components());
        for ((largest, value), (low, high)) in self.largest.iter_mut().zip(value.components()).zip(middle) {
            *largest = largest.max((value - (low / 2.0 + high / 2.0)).abs());
        }
    }

    /// Whether v(S) + v(N∖S) = v(N) + v(∅), up to rounding.
    fn is_dual(&self, value: &V, complement: &V) -> bool {
        let middle = self.ends[0].components().zip(self.ends[1].components());
        let pair = value.components().zip(complement.components());
        pair.zip(middle).zip(&self.largest).all(|(((a, b), (low, high)), largest)| {
            ((a / 2.0 + b / 2.0) - (low / 2.0 + high / 2.0)).abs() <= 1e-9 * largest
        })
    }

    /// Both coalitions of some pairs, or of those up to where the observer broke.
    async fn ask_pairs(&mut self, design: &PairedDesign, pairs: &[usize], at_least: usize) -> Vec<Pair<V>> {
        let both = |&pair: &usize| {
            let coalition = design.coalition(pair);
            [coalition.complement(), coalition]
        };
        let coalitions: Vec<Coalition> = pairs.iter().flat_map(both).collect();
        let mut values = self.ask(coalitions.clone(), at_least.saturating_mul(2)).await;
        if let (1, Some(other)) = (values.len() % 2, coalitions.get(values.len())) {
            // A stop came between the two: half a pair says nothing, and would be paid for in vain.
            values.extend(self.ask(vec![other.clone()], 1).await);
        }
        let mut coalitions = coalitions.into_iter();
        let mut values = values.into_iter();
        let next = || {
            let (complement, value) = (values.next()?, values.next()?);
            let coalition = coalitions.nth(1)?;
            Some(Pair { coalition, value, complement: Some(complement) })
        };
        std::iter::from_fn(next).collect()
    }

    /// The pairs that can be paid for of a game that nothing is known of but its ends.
    pub(super) async fn first(&mut self, form: Form) -> Asked<V> {
        let design = PairedDesign::drawn(self.players, form, self.payable(self.left() / 2), self.options.seed);
        let mut order: Vec<usize> = (0..design.len()).collect();
        generator(self.options.seed, 2).shuffle(&mut order);
        let (first, rest) = order.split_at(FIRST_CHECKS.min(design.len() / 3));
        let mut asked = self.ask_pairs(&design, first, usize::MAX).await;
        let mut looks_dual = !asked.is_empty();
        for Pair { value, complement, .. } in &asked {
            looks_dual &= complement.as_ref().is_some_and(|complement| self.is_dual(value, complement));
        }
        if looks_dual {
            return self.more_of_dual(design, first.to_vec(), asked).await;
        }
        let needed = self.players.saturating_sub(asked.len());
        asked.extend(self.ask_pairs(&design, rest, needed).await);
        (design.cut(&order[..asked.len()], (0, &vec![0.0; design.expected().len()])), asked)
    }

    /// Goes on with pairs: of `design` those in `known` are there, and as many more follow as can be paid for.
    pub(super) async fn more(&mut self, mut design: PairedDesign, mut asked: Vec<Pair<V>>) -> Asked<V> {
        let known: Vec<usize> = (0..design.len()).collect();
        if asked.iter().any(|pair| pair.complement.is_none()) {
            return self.more_of_dual(design, known, asked).await;
        }
        let (before, expected) = (design.len(), design.expected().to_vec());
        let pairs = self.payable(before as u64 + self.left() / 2);
        design.extend(pairs, generator(self.options.seed, 16 + before as u64));
        let mut order: Vec<usize> = (before..design.len()).collect();
        generator(self.options.seed, 2).shuffle(&mut order);
        // At least one: v(∅) and v(N) were asked for again.
        asked.extend(self.ask_pairs(&design, &order, 1).await);
        let order: Vec<usize> = known.into_iter().chain(order).collect();
        (design.cut(&order[..asked.len()], (before, &expected)), asked)
    }

    /// No more pairs than there are.
    fn payable(&self, pairs: u64) -> u64 {
        if self.players <= 63 { pairs.min((1 << (self.players - 1)) - 1) } else { pairs }
    }

    /// Goes on with one coalition of each pair, looking now and then whether that is enough.
    async fn more_of_dual(&mut self, mut design: PairedDesign, known: Vec<usize>, mut asked: Vec<Pair<V>>) -> Asked<V> {
        // What is known are random pairs of the design, or all of them.
        let mut surely = known.len();
        let part = surely as f64 / design.len() as f64;
        let mut expected: Vec<f64> = design.expected().iter().map(|expected| part * expected).collect();
        let before = design.len();
        let checks = self.left() / CHECK_EVERY + rounds(self.left() as usize) as u64;
        let pairs = self.payable(known.len() as u64 + self.left().saturating_sub(checks)).max(before as u64);
        if pairs > before as u64 {
            design.extend(pairs, generator(self.options.seed, 16 + before as u64));
        }
        let mut order = known;
        let mut is_known = vec![false; design.len()];
        order.iter().for_each(|&pair| is_known[pair] = true);
        let mut rest: Vec<usize> = (0..design.len()).filter(|&pair| !is_known[pair]).collect();
        generator(self.options.seed, 3).shuffle(&mut rest);
        order.extend(&rest);
        asked.iter().for_each(|pair| self.look(&pair.value));
        let mut is_dual = asked.iter().all(|Pair { value, complement, .. }| {
            complement.as_ref().is_none_or(|complement| self.is_dual(value, complement))
        });
        if !is_dual {
            rest.clear();
        }
        for part in rest.chunks(rest.len().div_ceil(rounds(rest.len())).max(1)) {
            let part = &part[..part.len().min(self.left() as usize)];
            if part.is_empty() {
                break;
            }
            // The complements of some come right after the coalitions of all of this round.
            let every = (CHECK_EVERY as usize).min(part.len());
            let mut coalitions: Vec<Coalition> = part.iter().map(|&pair| design.coalition(pair)).collect();
            let affordable = (self.left() as usize).saturating_sub(coalitions.len());
            let checked: Vec<usize> = (0..part.len()).step_by(every).take(affordable).collect();
            coalitions.extend(checked.iter().map(|&place| coalitions[place].complement()).collect::<Vec<_>>());
            let needed = self.players.saturating_sub(asked.len()).max(1);
            let values = self.ask(coalitions.clone(), needed).await;
            let made = values.len().min(part.len());
            let (singles, complements) = values.split_at(made);
            let start = asked.len();
            asked.extend(coalitions.into_iter().zip(singles).map(|(coalition, value)| Pair {
                coalition,
                value: value.clone(),
                complement: None,
            }));
            for (&place, complement) in checked.iter().zip(complements) {
                let pair = &mut asked[start + place];
                is_dual &= self.is_dual(&pair.value, complement);
                pair.complement = Some(complement.clone());
            }
            if !is_dual || made < part.len() {
                break;
            }
        }
        // What is left pays for complements: where all pairs are there, nothing else was not asked for.
        if !is_dual || !(self.is_stopped || self.is_late) {
            let at_least = if is_dual { 0 } else { usize::MAX };
            let survivors = self.complete(&mut asked, &mut order, surely, at_least).await;
            expected.iter_mut().for_each(|expected| *expected *= survivors as f64 / surely.max(1) as f64);
            surely = survivors;
            // What is left pays for pairs of both.
            let next = order.get(asked.len()..).unwrap_or_default();
            let next = &next[..next.len().min(self.left() as usize / 2)];
            asked.extend(self.ask_pairs(&design, next, 0).await);
        }
        (design.cut(&order[..asked.len()], (surely, &expected)), asked)
    }

    /// Asks for the complements that are missing, as far as can be paid for, and past the end of the stage if many
    /// are not dual. Where some stay missing, and few of those
    /// that are there are not dual, the rest is taken to be what these are on average ([`super::run`] does); if many
    /// are not, what is not whole is dropped. How many of the first `known` are still there.
    async fn complete(
        &mut self,
        asked: &mut Vec<Pair<V>>,
        order: &mut Vec<usize>,
        known: usize,
        at_least: usize,
    ) -> usize {
        for at_least in [at_least, usize::MAX] {
            let missing = asked.iter().enumerate().filter(|(_, pair)| pair.complement.is_none());
            let missing: Vec<usize> = missing.map(|(place, _)| place).take(self.left() as usize).collect();
            let coalitions: Vec<Coalition> = missing.iter().map(|&place| asked[place].coalition.complement()).collect();
            if !coalitions.is_empty() {
                let values = self.ask(coalitions, at_least).await;
                for (place, value) in missing.into_iter().zip(values) {
                    asked[place].complement = Some(value);
                }
            }
            let complements = asked.iter().filter_map(|pair| Some((pair, pair.complement.as_ref()?)));
            let (whole, dual) = complements.fold((0_usize, 0_usize), |(whole, dual), (pair, complement)| {
                (whole + 1, dual + usize::from(self.is_dual(&pair.value, complement)))
            });
            if whole == asked.len() || (whole - dual) * FEW_NOT_DUAL <= whole {
                return known;
            }
            // Past the end of the stage, if need be: what is not completed would be dropped, and asked for again.
            self.limit = self.limit.max(self.made + (asked.len() - whole) as u64);
        }
        let whole: Vec<bool> = asked.iter().map(|pair| pair.complement.is_some()).collect();
        let mut place = 0;
        // Those that were dropped go behind those that were kept, and those not yet asked for stay last.
        let kept: Vec<usize> =
            order.iter().copied().zip(&whole).filter(|(_, whole)| **whole).map(|(pair, _)| pair).collect();
        let dropped = order.iter().copied().zip(&whole).filter(|(_, whole)| !**whole).map(|(pair, _)| pair);
        let rest = order.iter().copied().skip(whole.len());
        *order = kept.iter().copied().chain(rest).chain(dropped).collect();
        asked.retain(|_| {
            place += 1;
            whole[place - 1]
        });
        whole[..known.min(whole.len())].iter().filter(|whole| **whole).count()
    }
}
