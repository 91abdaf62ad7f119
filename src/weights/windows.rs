//! Windows: parts of random orders along which a sampler of a semivalue walks.
//!
//! A semivalue of n players is a mean of a player's contributions to random coalitions of s others, where s has the
//! distribution P. A walk along a whole order has one contribution to each number of others. If P is narrow, most of
//! them count next to nothing. So a sample is an order that is cut into m windows, whose lengths differ by one at most.
//! The walk along a window starts from a coalition of its own, whose size is a: the a players before the window, in an
//! order that goes round. The player at place t of the window contributes to a + t others. So each player has one
//! contribution in a sample.
//!
//! Of the m windows, some start at ∅ and some end at N, whose values are known. For the others, a is drawn from a
//! distribution Q, systematically: one a from each of equal parts of Q. Let R(s) be the chance that a player
//! contributes to s others. A contribution times P(s) / R(s) then has the semivalue as its mean. Q is fitted by
//! expectation maximisation, which makes the likelihood of P under R largest. The number m is the one with the least
//! product of a sample's cost and Σ P² / R, to which the variance is proportional if contributions to all sizes have
//! one mean square.

/// The part of Q that is uniform over all a whose windows have sizes that count: it bounds P / R where the fit is next
/// to zero.
const EVEN_PART: f64 = 0.05;

/// Chances below this are rounding, while Q is fitted. P is next to zero there, too.
const LEAST_REACHED: f64 = 1e-12;

/// The part at which expectation maximisation begins for the last a, whose long windows end at N without knowing it.
const LEAST_PART: f64 = 1e-3;

/// Steps of expectation maximisation.
const STEPS: usize = 30;

/// How samples of a semivalue are made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Windows {
    players: usize,
    /// P(s) / R(s), by size.
    pub(crate) factors: Vec<f64>,
    /// How many windows there are; how many of them begin at ∅, and how many end at N.
    count: usize,
    first: usize,
    last: usize,
    /// The sums of Q up to each a.
    cumulated: Vec<f64>,
    /// Whether P is that of s and n − 1 − s alike, so that the complements of a window's coalitions are one too.
    pub(crate) is_symmetric: bool,
}

/// A window of an order that goes round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    /// The place of its first player, and its length.
    pub(crate) place: usize,
    pub(crate) len: usize,
    /// How many players, those who come before it, are there already.
    pub(crate) size: usize,
    /// Whether it begins at ∅, and whether it ends at N, whose values are known. (A window whose size is drawn may do
    /// so, too. That is rare, and it asks again.)
    pub(crate) is_known: [bool; 2],
}

impl Windows {
    /// For the chances P of sizes 0 to n − 1, which need not sum to one.
    pub(crate) fn new(chances: &[f64]) -> Self {
        let n = chances.len();
        let counts = std::iter::successors(Some(1), |count| Some(count + (count / 2).max(1)));
        let counts = counts.take_while(|&count| count < n).chain([n]);
        let mut best: Option<(f64, Self)> = None;
        for count in counts {
            let windows = Self::of_count(chances, count);
            let spread: f64 = chances.iter().zip(&windows.factors).map(|(chance, factor)| chance * factor).sum();
            let work = windows.cost() as f64 * spread;
            // Of the same work, more windows have weights that vary less.
            if best.as_ref().is_none_or(|(least, _)| work <= *least) {
                best = Some((work, windows));
            }
        }
        best.map_or_else(|| Self::of_count(chances, 1), |(_, windows)| windows)
    }

    fn of_count(chances: &[f64], count: usize) -> Self {
        let n = chances.len();
        let (short, long) = (n / count, n.div_ceil(count));
        // Of each length, the part of the players in such windows, over the length.
        let longer = n - short * count;
        let shares: Vec<(usize, f64)> = [(short, count - longer), (long, longer)]
            .into_iter()
            .filter(|(_, windows)| *windows > 0)
            .map(|(len, windows)| (len, windows as f64 / n as f64))
            .collect();
        let is_symmetric = chances.iter().zip(chances.iter().rev()).all(|(a, b)| (a - b).abs() <= 1e-12 * (a + b));
        // The parts of windows by the size from which they start; the last part is that of windows that end at N.
        let starts = n - long + 1;
        let mut parts = vec![1.0; starts + 1];
        // Long windows from the last a end at N, too.
        parts[starts - 1] = LEAST_PART;
        for _ in 0..STEPS {
            let reached = reached(n, &shares, &parts);
            let ratios: Vec<f64> = chances.iter().zip(&reached).map(|(p, r)| p / r.max(LEAST_REACHED)).collect();
            let sums = cumulated(&ratios);
            let mut total = 0.0;
            for (start, part) in parts.iter_mut().enumerate() {
                let of_length = |&(len, share): &(usize, f64)| {
                    let from = if start == starts { n - len } else { start };
                    share * (sums[from + len] - sums[from])
                };
                *part *= shares.iter().map(of_length).sum::<f64>();
                total += *part;
            }
            if total <= 0.0 {
                // All chances are zero.
                parts.fill(1.0 / (starts + 1) as f64);
                break;
            }
            parts.iter_mut().for_each(|part| *part /= total);
        }
        let whole = |part: f64| (part * count as f64 + 1e-9).floor() as usize;
        let (mut first, mut last) = if count == 1 { (1, 0) } else { (whole(parts[0]), whole(parts[starts])) };
        let has_all = |first: usize, last: usize| {
            let is_there =
                |(size, p): (usize, &f64)| *p <= 0.0 || (first > 0 && size < short) || (last > 0 && size >= n - short);
            first + last < count || chances.iter().enumerate().all(is_there)
        };
        while !has_all(first, last) {
            if first >= last { first -= 1 } else { last -= 1 }
        }
        let between = (count - first - last) as f64 / count as f64;
        let [of_first, of_last] = [first, last].map(|windows| windows as f64 / count as f64);
        let rest = parts[starts] - of_last;
        parts.truncate(starts);
        parts[0] = (parts[0] - of_first).max(0.0);
        parts[starts - 1] += rest.max(0.0);
        // No window is spent where no size counts.
        let counting = cumulated(chances);
        let counts: Vec<bool> = (0..starts).map(|start| counting[start + long] > counting[start]).collect();
        let even = 1.0 / counts.iter().filter(|counts| **counts).count().max(1) as f64;
        parts.iter_mut().zip(&counts).filter(|(_, counts)| !**counts).for_each(|(part, _)| *part = 0.0);
        let total: f64 = parts.iter().sum();
        for (part, counts) in parts.iter_mut().zip(&counts) {
            let own = if total > 0.0 { *part / total } else { even };
            *part = if *counts { (1.0 - EVEN_PART) * own + EVEN_PART * even } else { 0.0 };
        }
        if !counts.contains(&true) {
            parts[0] = 1.0;
        }
        let cumulated: Vec<f64> = cumulated(&parts).split_off(1);
        let mut all: Vec<f64> = parts.iter().map(|part| part * between).collect();
        all[0] += of_first;
        all.push(of_last);
        let reached = reached(n, &shares, &all);
        let factors = chances.iter().zip(&reached).map(|(p, r)| if *p > 0.0 { p / r } else { 0.0 }).collect();
        Self { players: n, factors, count, first, last, cumulated, is_symmetric }
    }

    /// The most evaluations that a sample of one order takes, v(∅) and v(N) being known.
    pub(crate) fn cost(&self) -> u64 {
        let whole = u64::from(self.count == 1 && self.first + self.last == 1);
        (self.players + self.count - self.first - self.last) as u64 - whole
    }

    /// How many windows a sample has.
    pub(crate) fn count(&self) -> u64 {
        self.count as u64
    }

    /// The windows of a sample, from a random number below their count and one from 0 to 1.
    pub(crate) fn draw(&self, turn: u64, start: f64, windows: &mut Vec<Window>) {
        let (n, count) = (self.players, self.count);
        let between = count - self.first - self.last;
        windows.clear();
        let mut place = 0;
        for window in 0..count {
            let len = (window + 1) * n / count - window * n / count;
            let kind = (window + turn as usize) % count;
            let (size, is_known) = if kind < self.first {
                (0, [true, len == n])
            } else if kind < self.first + self.last {
                (n - len, [false, true])
            } else {
                // One of each part of Q, in which all have the same chance.
                let at = (start + (kind - self.first - self.last) as f64 / between as f64) % 1.0;
                (self.cumulated.partition_point(|sum| *sum <= at).min(self.cumulated.len() - 1), [false; 2])
            };
            windows.push(Window { place, len, size, is_known });
            place += len;
        }
    }
}

/// The chance that a player's contribution is to each number of others: from the parts of windows by where they begin,
/// the last part being that of windows that end at N.
fn reached(n: usize, shares: &[(usize, f64)], parts: &[f64]) -> Vec<f64> {
    let starts = parts.len() - 1;
    let mut steps = vec![0.0; n + 1];
    for &(len, share) in shares {
        for (start, part) in parts.iter().enumerate() {
            let from = if start == starts { n - len } else { start };
            steps[from] += share * part;
            steps[from + len] -= share * part;
        }
    }
    cumulated(&steps)[1..=n].to_vec()
}

/// The sums of the first numbers: of none, one, and so on.
fn cumulated(numbers: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    std::iter::once(0.0)
        .chain(numbers.iter().map(|number| {
            sum += number;
            sum
        }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Semivalue;
    use std::convert::Infallible;

    fn distributions(n: usize) -> Vec<(String, Vec<f64>)> {
        let all = [
            Semivalue::shapley(),
            Semivalue::banzhaf(),
            Semivalue::beta(16.0, 1.0).unwrap(),
            Semivalue::beta(1.0, 4.0).unwrap(),
            Semivalue::beta(0.5, 0.5).unwrap(),
            Semivalue::binomial(0.9).unwrap(),
            Semivalue::binomial(0.0).unwrap(),
            Semivalue::binomial(1.0).unwrap(),
            Semivalue::thinned(0.5).unwrap(),
            Semivalue::thinned(0.0).unwrap(),
        ];
        let of =
            |semivalue: Semivalue| (format!("{semivalue:?}"), semivalue.size_distribution::<Infallible>(n).unwrap());
        all.into_iter().map(of).collect()
    }

    /// Evaluations for each player, times the variance of weights: 1 is what independent contributions to the wanted
    /// sizes would have, if their coalitions cost one evaluation each.
    fn work(chances: &[f64]) -> f64 {
        let windows = Windows::new(chances);
        let spread: f64 = chances.iter().zip(&windows.factors).map(|(chance, factor)| chance * factor).sum();
        windows.cost() as f64 / chances.len() as f64 * spread
    }

    #[test]
    fn windows_are_near_the_sizes_that_count() {
        for n in [12, 16, 100, 1000] {
            let most = if n < 100 { 1.4 } else { 1.25 };
            for (name, chances) in distributions(n) {
                let total: f64 = chances.iter().sum();
                let whole: f64 = chances.iter().map(|p| p * p * (n - 1) as f64).sum();
                let work = work(&chances);
                assert!(
                    work <= (most * total * total).min(whole) + 1e-9,
                    "{n} players, {name}: {work}, by walks {whole}"
                );
            }
        }
        // Whole walks take 17.8.
        assert!(work(&Semivalue::banzhaf().size_distribution::<Infallible>(1000).unwrap()) < 1.08);
    }

    /// Each place is in one window; windows begin and end where they may; sizes that count can be reached; and no
    /// contribution counts for many.
    #[test]
    fn windows_cover_all_players() {
        for n in 1..40 {
            for (name, chances) in distributions(n) {
                let windows = Windows::new(&chances);
                let mut drawn = Vec::new();
                for turn in 0..windows.count() {
                    for start in [0.0, 0.3, 1.0 - f64::EPSILON] {
                        windows.draw(turn, start, &mut drawn);
                        assert_eq!(drawn.len() as u64, windows.count());
                        let mut place = 0;
                        let mut asked = 0;
                        for window in &drawn {
                            assert_eq!(window.place, place);
                            place += window.len;
                            assert!(window.len > 0 && window.size + window.len <= n, "{name} of {n}: {window:?}");
                            assert!(!window.is_known[0] || window.size == 0);
                            assert!(!window.is_known[1] || window.size + window.len == n);
                            asked += window.len + 1 - window.is_known.iter().filter(|known| **known).count();
                        }
                        assert_eq!((place, asked as u64), (n, windows.cost()), "{name} of {n}");
                    }
                }
                for (chance, factor) in chances.iter().zip(&windows.factors) {
                    let limit = 1.0 / EVEN_PART * n as f64;
                    assert!(
                        factor.is_finite() && (*chance <= 0.0) == (*factor <= 0.0) && *factor <= limit,
                        "{name} of {n}"
                    );
                }
            }
        }
    }
}
