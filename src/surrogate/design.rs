//! Which pairs of coalitions to ask for.

use super::constants::MOST_OF_A_WALK;
use super::far_apart::{Spread, stands_for_pair};
use super::generator;
use super::quota::{Form, Quota};
use crate::Coalition;
use crate::engine::Random;

/// Pairs of complementary coalitions, drawn without replacement: what to ask a game for when not all can be asked.
///
/// Only half the difference of S and N∖S, (v(S) − v(N∖S)) / 2, carries Shapley values, so coalitions come in such
/// pairs. How many there are of each size is expected to be as a [form](Form) has it, as far as there are enough;
/// sizes that have fewer are all there. Each pair has an [inclusion probability](Self::inclusion) that is known
/// exactly, which estimators that weight by it need. Within a size, pairs lie far apart: each is, of several
/// candidates, the one that those before say least of.
///
/// The pairs do not depend on values, and are a function of the number of players, the number of pairs and the seed.
#[derive(Clone, Debug)]
pub(super) struct PairedDesign {
    pub(super) players: usize,
    form: Form,
    quota: Quota,
    /// One coalition of each pair: the smaller one, or of two of the same size that with player 0.
    pub(super) rows: Vec<Coalition>,
}

impl PairedDesign {
    /// No pairs yet, for a game of at least two players.
    pub(super) fn empty(players: usize, form: Form) -> Self {
        Self::of(players, form, vec![0.0; players / 2], Vec::new())
    }

    /// This number of pairs, at most all 2ⁿ⁻¹ − 1 of them.
    pub(super) fn drawn(players: usize, form: Form, pairs: u64, seed: u64) -> Self {
        let mut design = Self::empty(players, form);
        let mut random = generator(seed, 0);
        if form == Form::Equal && pairs + 1 >= players as u64 && pairs as f64 <= MOST_OF_A_WALK * players as f64 {
            let mut order: Vec<usize> = (0..players).collect();
            random.shuffle(&mut order);
            design.rows = walk(&order);
            // Two of each size, and one of size n/2: as equal shares have it.
            design.quota = Quota::new(players, form, players as u64 - 1);
        }
        design.extend(pairs, random);
        design
    }

    /// The pairs of least squares.
    #[cfg(test)]
    pub(super) fn new(players: usize, pairs: u64, seed: u64) -> Self {
        Self::drawn(players, Form::Equal, pairs, seed)
    }

    /// Pairs that were drawn before, with the expected number of each size.
    pub(super) fn of(players: usize, form: Form, expected: Vec<f64>, rows: Vec<Coalition>) -> Self {
        Self { players, form, quota: Quota::expecting(players, expected), rows }
    }

    /// Adds pairs, up to this number. The probabilities are then those of a design of that many, or, of one that was
    /// cut short, as near to them as the added pairs can bring them: exactly, but where a size that was rounded up has
    /// no room for what rounding up gives it again, which other sizes then get.
    pub(super) fn extend(&mut self, pairs: u64, random: Random) {
        let mut spread = Spread::new(self.players, std::mem::take(&mut self.rows), random);
        let have = spread.counts();
        let added = pairs.saturating_sub(have.iter().sum());
        let (quota, more) =
            self.quota.grow(&Quota::new(self.players, self.form, pairs), added, &have, &mut spread.random);
        spread.choose(&more, &quota);
        (self.rows, self.quota) = (spread.chosen, quota);
    }

    /// The first pairs of the design, in this order. The first `known` of them were sure to be there, and `expected` so
    /// many of each size; those after them are random ones of the rest.
    pub(super) fn cut(&self, order: &[usize], (known, expected): (usize, &[f64])) -> Self {
        let others = self.len() - known;
        let part = if others > 0 { (order.len() - known) as f64 / others as f64 } else { 1.0 };
        let all = expected.iter().zip(&self.quota.expected);
        let expected = all.map(|(known, all)| known + part * (all - known)).collect();
        Self::of(self.players, self.form, expected, order.iter().map(|&pair| self.rows[pair].clone()).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn expected(&self) -> &[f64] {
        &self.quota.expected
    }

    pub(super) fn coalition(&self, pair: usize) -> Coalition {
        self.rows[pair].clone()
    }

    pub(super) fn size(&self, pair: usize) -> usize {
        self.rows[pair].len()
    }

    /// How many coalitions there are of a size.
    pub(super) fn population(&self, size: usize) -> f64 {
        let smaller = size.min(self.players - size);
        let pairs = self.quota.population[smaller - 1];
        if 2 * size == self.players { 2.0 * pairs } else { pairs }
    }

    /// The probability that pairs of coalitions of this size and of n less this are in the design.
    pub(super) fn inclusion(&self, size: usize) -> f64 {
        self.quota.inclusion(size.min(self.players - size))
    }
}

/// The pairs of those who have come and those who have not, as players come in this order.
fn walk(order: &[usize]) -> Vec<Coalition> {
    let players = order.len();
    let come = |size: usize| Coalition::from_players(players, order[..size].iter().copied());
    let of_pair = |row: Coalition| if stands_for_pair(&row) { row } else { row.complement() };
    (1..players).map(come).map(of_pair).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// What is expected of designs that were cut short, extended, and cut short again is what there is, on average over
    /// many: within five standard errors of numbers whose variance is their expectation, for each of a dozen sizes;
    /// theirs is less.
    #[test]
    fn designs_that_were_cut_know_what_to_expect() {
        let seeds = 1000;
        let cases = [(8, 40, 12, 16, 16), (8, 30, 9, 60, 30), (7, 20, 20, 50, 25), (8, 9, 7, 30, 20)];
        let forms = [Form::Equal, Form::Singles];
        for ((n, pairs, cut, extended, again), form) in
            cases.into_iter().flat_map(|case| forms.map(|form| (case, form)))
        {
            let (mut counts, mut expected) = (vec![0.0; n / 2], vec![0.0; n / 2]);
            for seed in 0..seeds {
                let shuffled = |from: usize, to: usize, purpose: u64| {
                    let mut order: Vec<usize> = (from..to).collect();
                    generator(seed, purpose).shuffle(&mut order);
                    order
                };
                let design = PairedDesign::drawn(n, form, pairs, seed);
                let mut design = design.cut(&shuffled(0, design.len(), 2)[..cut], (0, &vec![0.0; n / 2]));
                let (known, before) = (design.len(), design.expected().to_vec());
                design.extend(extended, generator(seed, 16));
                assert_eq!(design.len(), extended as usize, "n {n}, seed {seed}");
                let order: Vec<usize> = (0..known).chain(shuffled(known, design.len(), 3)).collect();
                let design = design.cut(&order[..again.min(order.len())], (known, &before));
                (0..design.len()).for_each(|pair| counts[design.size(pair) - 1] += 1.0);
                expected.iter_mut().zip(design.expected()).for_each(|(sum, expected)| *sum += expected);
            }
            for (size, (count, expected)) in counts.iter().zip(&expected).enumerate() {
                let off = (count - expected) / expected.sqrt();
                assert!(off.abs() < 5.0, "{form:?}, n {n}, size {}: {count} instead of {expected}", size + 1);
            }
        }
    }

    /// How often each pair is in designs of many seeds, beside its inclusion probability. Of all counts, the largest
    /// z-score of some hundred has a chance below 10⁻⁴ to exceed 5 (normal, two-sided, times their number); seeds are
    /// fixed.
    #[test]
    fn every_pair_is_there_as_often_as_its_probability_says() {
        let seeds = 3000;
        let cases = [
            (Form::Equal, 6, 12, None),
            // A walk and another one; a walk that is added to.
            (Form::Equal, 6, 6, None),
            (Form::Equal, 7, 7, Some(14)),
            (Form::Equal, 7, 25, None),
            (Form::Equal, 8, 20, Some(45)),
            (Form::Equal, 5, 9, None),
            // Before all single players are there, with them, and when they come.
            (Form::Singles, 8, 9, None),
            (Form::Singles, 7, 12, None),
            (Form::Singles, 8, 30, Some(60)),
            (Form::Singles, 8, 9, Some(25)),
            (Form::Singles, 6, 8, Some(20)),
        ];
        for (form, n, pairs, extended) in cases {
            let mut counts: HashMap<Coalition, u64> = HashMap::new();
            let mut inclusion = Vec::new();
            for seed in 0..seeds {
                let mut design = PairedDesign::drawn(n, form, pairs, seed);
                if let Some(more) = extended {
                    design.extend(more, generator(seed, 16));
                }
                design.rows.iter().for_each(|row| *counts.entry(row.clone()).or_default() += 1);
                inclusion = (1..=n / 2).map(|size| design.inclusion(size)).collect();
            }
            let mut seen = 0;
            for mask in 1..(1_u64 << n) - 1 {
                let size = mask.count_ones() as usize;
                if 2 * size > n || (2 * size == n && mask & 1 == 0) {
                    continue;
                }
                let p: f64 = inclusion[size - 1];
                let count = counts.get(&Coalition::from_mask(n, mask)).copied().unwrap_or(0);
                let sd = (seeds as f64 * p * (1.0 - p)).sqrt();
                let off = count as f64 - seeds as f64 * p;
                assert!(off.abs() <= 5.0 * sd + 1e-6, "{form:?}, n {n}, {mask:b}: {count} times, p {p}");
                seen += count;
            }
            assert_eq!(seen, counts.values().sum::<u64>(), "each pair as the coalition that stands for it");
        }
    }
}
