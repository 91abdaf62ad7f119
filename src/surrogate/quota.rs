//! How many pairs of each size: quotas, and the chance of each pair to be in the design.

use crate::engine::Random;

/// Pairs by the size of their smaller coalition, from 1 to n/2: place s − 1 is size s.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quota {
    /// How many there are; infinite where there are more than can be counted.
    pub(super) population: Vec<f64>,
    /// The expected number in the design: not whole.
    pub(super) expected: Vec<f64>,
}

impl Quota {
    /// The same for every size, but no more than there are; of size n/2 half as many, since its pairs are both of that
    /// size.
    pub(super) fn new(players: usize, pairs: u64) -> Self {
        let sizes = players / 2;
        let mut population = Vec::with_capacity(sizes);
        let mut choose = 1.0_f64;
        for size in 1..=sizes {
            choose = choose * (players - size + 1) as f64 / size as f64;
            // Whole numbers as long as they are exact.
            choose = if choose < 2.0_f64.powi(52) { choose.round() } else { choose };
            population.push(if 2 * size == players { choose / 2.0 } else { choose });
        }
        let mass: Vec<f64> = (1..=sizes).map(|size| if 2 * size == players { 0.5 } else { 1.0 }).collect();
        let mut expected = population.clone();
        let mut full = vec![false; sizes];
        // What the small sizes cannot take is shared by the others, which may fill some of those.
        loop {
            let taken: f64 = (0..sizes).filter(|&s| full[s]).map(|s| population[s]).sum();
            let open: f64 = (0..sizes).filter(|&s| !full[s]).map(|s| mass[s]).sum();
            if open <= 0.0 {
                break;
            }
            let each = (pairs as f64 - taken) / open;
            let mut changed = false;
            for s in 0..sizes {
                if !full[s] {
                    expected[s] = each * mass[s];
                    if expected[s] >= population[s] {
                        (full[s], changed, expected[s]) = (true, true, population[s]);
                    }
                }
            }
            if !changed {
                break;
            }
        }
        Self { population, expected }
    }

    /// With these expectations.
    pub(super) fn expecting(players: usize, expected: Vec<f64>) -> Self {
        Self { expected, ..Self::new(players, 0) }
    }

    /// The chance of each pair of size s to be in the design.
    pub(super) fn inclusion(&self, size: usize) -> f64 {
        (self.expected[size - 1] / self.population[size - 1]).min(1.0)
    }

    pub(super) fn is_full(&self, size: usize) -> bool {
        self.expected[size - 1] >= self.population[size - 1]
    }

    /// Whole numbers whose expectations are the quota's, and whose sum is its sum: one systematic draw.
    pub(super) fn draw(&self, random: &mut Random) -> Vec<u64> {
        systematic(&self.expected, &self.population, random)
    }

    /// Adds pairs, so many in all, to those there are, as far as it can towards the quota of a larger design; and what
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
        (Self { population: self.population.clone(), expected }, more)
    }
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
        for players in [2, 3, 4, 7, 10, 14, 63, 64, 65, 1000] {
            let all = if players < 40 { (1_u64 << (players - 1)) - 1 } else { u64::MAX };
            for pairs in [1, 2, 5, 49, 124, 499, 999, 100_000] {
                let pairs = all.min(pairs);
                let quota = Quota::new(players, pairs);
                assert!((quota.expected.iter().sum::<f64>() - pairs as f64).abs() < 1e-6 * pairs as f64);
                for seed in 0..20 {
                    let counts = quota.draw(&mut generator(seed, 0));
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
