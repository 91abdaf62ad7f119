//! How many pairs of each size: quotas, and the chance of each pair to be in the design.

use super::constants::{FEWEST_OTHERS, MODEL_PAIRS, PLAYERS_PER_OTHER};
use crate::engine::Random;
use crate::results::Method;

/// How pairs are shared by the sizes. docs/surrogate.md has the measurements behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The same for every size: samples then follow leverage scores, which least squares is best with.
    Equal,
    /// All single players, and of the first others s (n − s) for size s, as the variance of a linear function grows.
    /// (For a model this has 0.78 to 0.9 times the error of equal shares, from 100 to 1600 evaluations.)
    Singles,
}

impl Form {
    pub(super) fn of(method: Method) -> Self {
        match method {
            Method::Surrogate | Method::Semivalue => Self::Singles,
            Method::KernelShap => Self::Equal,
        }
    }

    /// The fewest pairs that it asks for all single players with.
    pub(super) fn fewest(self, players: usize) -> u64 {
        match self {
            Self::Equal => players as u64,
            Self::Singles => (players + players.div_ceil(PLAYERS_PER_OTHER).max(FEWEST_OTHERS)) as u64,
        }
    }

    /// What each size has a share in proportion to. Of size n/2 half, since its pairs are both of that size.
    fn shares(self, players: usize, pairs: u64) -> Vec<f64> {
        let sizes = players / 2;
        let half = |size: usize| if 2 * size == players { 0.5 } else { 1.0 };
        if self == Self::Equal || pairs < self.fewest(players) {
            return (1..=sizes).map(half).collect();
        }
        let growing = |size: usize| half(size) * (size * (players - size)) as f64;
        let [of_growing, of_equal] =
            [&growing as &dyn Fn(usize) -> f64, &half].map(|share| (2..=sizes).map(share).sum::<f64>());
        // The first pairs teach the model, and all after them mostly correct it.
        let first = MODEL_PAIRS.min(pairs as f64);
        let share = |size| first * growing(size) / of_growing + (pairs as f64 - first) * half(size) / of_equal;
        std::iter::once(f64::INFINITY).chain((2..=sizes).map(share)).collect()
    }
}

/// Pairs by the size of their smaller coalition, from 1 to n/2: place s − 1 is size s.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quota {
    /// How many there are; infinite where there are more than can be counted.
    pub(super) population: Vec<f64>,
    /// The expected number in the design: not whole.
    pub(super) expected: Vec<f64>,
}

impl Quota {
    /// As the form has it, but no more of any size than there are.
    pub(super) fn new(players: usize, form: Form, pairs: u64) -> Self {
        let population = population(players);
        let shares = form.shares(players, pairs);
        let sizes = 0..population.len();
        let mut full: Vec<bool> = shares.iter().map(|share| share.is_infinite()).collect();
        let mut expected = population.clone();
        // What the small sizes cannot take is shared by the others, which may fill some of those.
        loop {
            let taken: f64 = sizes.clone().filter(|&s| full[s]).map(|s| population[s]).sum();
            let open: f64 = sizes.clone().filter(|&s| !full[s]).map(|s| shares[s]).sum();
            let mut changed = false;
            for s in sizes.clone().filter(|&s| !full[s]).collect::<Vec<_>>() {
                expected[s] = (pairs as f64 - taken) / open * shares[s];
                if expected[s] >= population[s] {
                    (full[s], changed, expected[s]) = (true, true, population[s]);
                }
            }
            if !changed {
                return Self { population, expected };
            }
        }
    }

    /// With these expectations.
    pub(super) fn expecting(players: usize, expected: Vec<f64>) -> Self {
        Self { population: population(players), expected }
    }

    /// The chance of each pair of size s to be in the design.
    pub(super) fn inclusion(&self, size: usize) -> f64 {
        (self.expected[size - 1] / self.population[size - 1]).min(1.0)
    }

    pub(super) fn is_full(&self, size: usize) -> bool {
        self.expected[size - 1] >= self.population[size - 1]
    }

    /// Adds pairs, `added` in all, to those there are, as far as it can towards the quota of a larger design; and what
    /// then is expected. Where some sizes have more than the larger design would give them, as in one that was cut
    /// short, the others cannot have all of theirs.
    pub(super) fn grow(&self, target: &Self, added: u64, have: &[u64], random: &mut Random) -> (Self, Vec<u64>) {
        let sizes = 0..have.len();
        let growth = |place: usize| (target.expected[place] - self.expected[place]).max(0.0);
        let all: f64 = sizes.clone().map(growth).sum();
        let part = if all > 0.0 { (added as f64 / all).min(1.0) } else { 0.0 };
        let fills = |place: usize| part > 1.0 - 1e-9 && target.is_full(place + 1);
        let room: Vec<f64> = self.population.iter().zip(have).map(|(all, &have)| all - have as f64).collect();
        // Sizes that are filled take what they lack, which is not quite what is expected, and the others share the
        // rest.
        let filling: f64 = sizes.clone().filter(|&place| fills(place)).map(|place| room[place]).sum();
        let open: f64 = sizes.clone().filter(|&place| !fills(place)).map(growth).sum();
        let share = if open > 0.0 { (added as f64 - filling).max(0.0) / open } else { 0.0 };
        let wanted: Vec<f64> =
            sizes.clone().map(|place| if fills(place) { 0.0 } else { share * growth(place) }).collect();
        let mut more = systematic(&wanted, &room, random);
        let mut expected = self.expected.clone();
        for place in sizes {
            if fills(place) {
                (more[place], expected[place]) = (room[place] as u64, self.population[place]);
            } else {
                expected[place] += part * growth(place);
            }
        }
        // What a size that was rounded up has no room for goes to the sizes that lack most of what is expected: no
        // evaluation is left. There alone probabilities are not exact.
        let mut short = added.saturating_sub(more.iter().sum());
        let mut by_lack: Vec<usize> = (0..have.len()).filter(|&place| expected[place] > 0.0).collect();
        by_lack.sort_by(|&a, &b| {
            let lack = |place: usize| expected[place] - (have[place] + more[place]) as f64;
            lack(b).total_cmp(&lack(a))
        });
        for place in by_lack {
            let taken = short.min(room[place] as u64 - more[place]);
            (more[place], short) = (more[place] + taken, short - taken);
        }
        (Self { population: self.population.clone(), expected }, more)
    }
}

/// How many pairs there are of each size: whole numbers as long as they are exact.
pub(super) fn population(players: usize) -> Vec<f64> {
    let mut choose = 1.0_f64;
    let mut of_size = |size: usize| {
        choose = choose * (players - size + 1) as f64 / size as f64;
        choose = if choose < 2.0_f64.powi(52) { choose.round() } else { choose };
        if 2 * size == players { choose / 2.0 } else { choose }
    };
    (1..=players / 2).map(&mut of_size).collect()
}

/// Rounds numbers up or down so that each is right on average, and so is the sum of any that follow each other.
fn systematic(expected: &[f64], most: &[f64], random: &mut Random) -> Vec<u64> {
    let total = expected.iter().sum::<f64>().round();
    let start = random.unit() * (1.0 - 1e-9) + 1e-9;
    let mut sum = 0.0;
    let mut before = 0.0;
    let mut counts = Vec::with_capacity(expected.len());
    for (expected, most) in expected.iter().zip(most) {
        sum += expected;
        let edge = (sum + start).floor().min(total);
        counts.push((edge - before).clamp(0.0, *most) as u64);
        before = edge;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::generator;

    #[test]
    fn counts_are_whole_and_sum_to_the_pairs() {
        let forms = [Form::Equal, Form::Singles];
        let sizes = [2, 3, 4, 7, 10, 14, 63, 64, 65, 1000];
        for (players, form) in sizes.into_iter().flat_map(|players| forms.map(|form| (players, form))) {
            let all = if players < 40 { (1_u64 << (players - 1)) - 1 } else { u64::MAX };
            for pairs in [1, 2, 5, 49, 124, 499, 999, 100_000] {
                let pairs = all.min(pairs);
                let quota = Quota::new(players, form, pairs);
                assert!((quota.expected.iter().sum::<f64>() - pairs as f64).abs() < 1e-6 * pairs as f64);
                for seed in 0..20 {
                    let none = vec![0; players / 2];
                    let empty = Quota::expecting(players, vec![0.0; players / 2]);
                    let (grown, counts) = empty.grow(&quota, pairs, &none, &mut generator(seed, 0));
                    assert!(grown.expected.iter().zip(&quota.expected).all(|(a, b)| (a - b).abs() < 1e-9 * (1.0 + b)));
                    assert_eq!(counts.iter().sum::<u64>(), pairs, "{players} {quota:?}");
                    for (place, &count) in counts.iter().enumerate() {
                        assert!(count as f64 <= quota.population[place]);
                        assert!((count as f64 - quota.expected[place]).abs() < 1.0 + 1e-6);
                        if quota.is_full(place + 1) {
                            assert!(
                                (count as f64 - quota.population[place]).abs() < 0.5,
                                "{players} {quota:?} {counts:?}"
                            );
                        }
                    }
                }
            }
        }
    }
}
