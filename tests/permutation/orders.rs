//! The orders that a sampler draws, as the game sees them: uniform and independent. And what it makes of them, held
//! against the same computed here.
//!
//! Seeds are fixed. Each statistic is beyond its critical value with a probability of 1e-4 if orders are what they
//! should be; there are 42 of them, so another generator would give a false alarm with a probability of 0.004.

use std::sync::Mutex;

use crate::common::compare::close;
use crate::common::masks::pseudo;
use crate::samples::{mean_and_error, samples_of};
use shapley::{Coalition, Estimate, Game, Permutation};

/// A normal number is farther from its mean than so many standard deviations with a probability of 1e-4.
const Z: f64 = 3.891;

/// A game that writes down the orders it is walked along.
struct Recorder<F> {
    players: usize,
    /// Of the members, in any order.
    value: F,
    orders: Mutex<Vec<Vec<usize>>>,
}

impl<F: Fn(&[usize]) -> f64 + Sync> Game for Recorder<F> {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.players
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        (self.value)(&coalition.iter().collect::<Vec<_>>())
    }

    fn walk(&self, order: &[usize], values: &mut Vec<f64>) {
        // v(N) is known, so the last player goes without saying.
        assert_eq!(order.len(), self.players - 1);
        values.extend((1..self.players).map(|size| (self.value)(&order[..size])));
        let last = (0..self.players).sum::<usize>() - order.iter().sum::<usize>();
        let all = order.iter().copied().chain([last]).collect();
        self.orders.lock().expect("nobody panicked").push(all);
    }
}

/// What a sampler makes of a game, and along which orders. On one thread, which takes them by their numbers.
fn run(
    players: usize,
    value: impl Fn(&[usize]) -> f64 + Sync,
    sampler: Permutation,
) -> (Estimate<f64>, Vec<Vec<usize>>) {
    let game = Recorder { players, value, orders: Mutex::new(Vec::new()) };
    let estimate = sampler.threads(1).estimate(&game).expect("an estimate");
    (estimate, game.orders.into_inner().expect("nobody panicked"))
}

/// The first orders of a seed.
fn drawn(players: usize, seed: u64, count: usize) -> Vec<Vec<usize>> {
    let sampler = Permutation::new((2 + count * (players - 1)) as u64).seed(seed).antithetic(false);
    let (_, orders) = run(players, |_| 0.0, sampler);
    assert_eq!(orders.len(), count);
    orders
}

/// The players' places.
fn places(order: &[usize]) -> Vec<usize> {
    let mut places = vec![usize::MAX; order.len()];
    for (place, &player) in order.iter().enumerate() {
        assert_eq!(std::mem::replace(&mut places[player], place), usize::MAX, "player {player} comes twice");
    }
    assert!(!places.contains(&usize::MAX), "somebody does not come");
    places
}

/// An order's number among all of its players'.
fn rank(order: &[usize]) -> usize {
    let later = |place: usize| order[place + 1..].iter().filter(|&&other| other < order[place]).count();
    (0..order.len()).fold(0, |rank, place| rank * (order.len() - place) + later(place))
}

/// Pearson's statistic for cells that are equally likely.
fn chi_square(cells: usize, hits: impl IntoIterator<Item = usize>) -> f64 {
    let mut counts = vec![0_u32; cells];
    let mut total = 0.0;
    for hit in hits {
        counts[hit] += 1;
        total += 1.0;
    }
    let expected = total / cells as f64;
    assert!(expected >= 5.0, "{expected} in a cell are too few for the statistic to have its distribution");
    counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum()
}

/// What chi-square is above with a probability of 1e-4, with 1, 5, 23, 35 and 119 degrees of freedom.
fn critical(freedom: usize) -> f64 {
    match freedom {
        1 => 15.14,
        5 => 25.74,
        23 => 57.08,
        35 => 74.93,
        119 => 185.09,
        _ => panic!("the critical value for {freedom} is not here"),
    }
}

#[test]
fn all_orders_of_a_few_players_are_equally_likely() {
    for (players, orders) in [(2, 2), (3, 6), (4, 24), (5, 120)] {
        let found = chi_square(orders, drawn(players, 1, 24_000).iter().map(|order| rank(order)));
        assert!(found < critical(orders - 1), "{players} players: {found}");
    }
}

#[test]
fn the_first_orders_of_seeds_are_equally_likely() {
    let first = (0..6_000).map(|seed| rank(&drawn(4, seed, 1)[0]));
    let found = chi_square(24, first);
    assert!(found < critical(23), "{found}");
}

/// 36 pairs of orders of three players: of orders 2k and 2k + 1, and of order k of two seeds.
#[test]
fn pairs_of_orders_are_equally_likely() {
    let pair = |a: &Vec<usize>, b: &Vec<usize>| 6 * rank(a) + rank(b);
    let (ours, theirs) = (drawn(3, 2, 20_000), drawn(3, 3, 20_000));
    let of_a_seed = chi_square(36, ours.chunks_exact(2).map(|two| pair(&two[0], &two[1])));
    assert!(of_a_seed < critical(35), "one seed: {of_a_seed}");
    let of_two = chi_square(36, ours.iter().zip(&theirs).map(|(a, b)| pair(a, b)));
    assert!(of_two < critical(35), "two seeds: {of_two}");
}

/// Of n² counts whose rows and columns all have the same sum, (n − 1)/n times Pearson's statistic is chi-square with
/// (n − 1)² degrees of freedom. Too small is as suspect as too large: 5e-5 on either side.
#[test]
fn every_player_is_as_likely_in_every_place() {
    let cases = [(20, 10_000, 262.0..480.0), (70, 6_000, 4_390.0..5_151.0), (300, 2_000, 87_765.0..91_056.0)];
    for (players, count, expected) in cases {
        let orders = drawn(players, 4, count);
        let cell = |(place, player): (usize, &usize)| place * players + player;
        let statistic =
            chi_square(players * players, orders.iter().flat_map(|order| order.iter().enumerate().map(cell)));
        let found = statistic * (players - 1) as f64 / players as f64;
        assert!(expected.contains(&found), "{players} players: {found}");
    }
}

/// Of two independent orders, the number of players who have the same place in both has mean and variance 1; and the
/// correlation of places has mean 0 and variance 1/(n − 1). So have the means over pairs of neighbours, as if these
/// were independent, since any two of them are.
fn check_independence<'a>(what: &str, players: usize, pairs: impl Iterator<Item = (&'a Vec<usize>, &'a Vec<usize>)>) {
    let (mut count, mut fixed, mut correlation) = (0.0, 0, 0.0);
    let middle = (players - 1) as f64 / 2.0;
    let largest = (players * (players * players - 1)) as f64 / 12.0;
    for (a, b) in pairs {
        let (a, b) = (places(a), places(b));
        fixed += a.iter().zip(&b).filter(|(a, b)| a == b).count();
        let product = |(&a, &b): (&usize, &usize)| (a as f64 - middle) * (b as f64 - middle);
        correlation += a.iter().zip(&b).map(product).sum::<f64>() / largest;
        count += 1.0;
    }
    let fixed = (fixed as f64 / count - 1.0) * f64::sqrt(count);
    assert!(fixed.abs() < Z, "{what}, {players} players: {fixed} standard errors more in the same places than one");
    let correlation = correlation / count * f64::sqrt(count * (players - 1) as f64);
    assert!(correlation.abs() < Z, "{what}, {players} players: a correlation of {correlation} standard errors");
}

#[test]
fn orders_of_neighbouring_numbers_and_seeds_are_independent() {
    for (players, count) in [(5, 10_000), (20, 5_000), (70, 2_000), (300, 1_000)] {
        let (ours, theirs) = (drawn(players, 5, count), drawn(players, 6, count));
        check_independence("neighbours", players, ours.iter().zip(&ours[1..]));
        check_independence("the next but one", players, ours.iter().zip(&ours[2..]));
        check_independence("two seeds", players, ours.iter().zip(&theirs));
        check_independence("two seeds, number by number and one", players, ours[1..].iter().zip(&theirs));
    }
}

#[test]
fn pairs_are_an_order_and_its_reverse() {
    for players in [3, 20, 70] {
        let sampler = Permutation::new((2 + 2 * 100 * (players - 1)) as u64).seed(7);
        let (_, walked) = run(players, |_| 0.0, sampler);
        let forward = drawn(players, 7, 100);
        let expected = forward.into_iter().flat_map(|order| [order.clone(), order.into_iter().rev().collect()]);
        assert_eq!(walked, expected.collect::<Vec<_>>());
    }
}

/// What a player adds along an order.
fn contribution(player: usize, order: &[usize], value: impl Fn(&[usize]) -> f64) -> f64 {
    let before = order.iter().position(|&other| other == player).expect("all players come");
    value(&order[..=before]) - value(&order[..before])
}

#[test]
fn values_and_errors_are_those_of_the_orders() {
    for players in 3..=6 {
        let value = |members: &[usize]| pseudo(players as u64, members.iter().map(|member| 1 << member).sum());
        for (samples, antithetic) in
            [2, 3, 7, 64, 501].into_iter().flat_map(|samples| [(samples, true), (samples, false)])
        {
            let walks = if antithetic { 2 } else { 1 };
            let sampler = Permutation::new((2 + samples * walks * (players - 1)) as u64).seed(8).antithetic(antithetic);
            let (estimate, orders) = run(players, value, sampler);
            assert_eq!(orders.len(), samples * walks);
            let walk = |order: &Vec<usize>| (0..players).map(|player| contribution(player, order, value)).collect();
            let walked: Vec<Vec<f64>> = orders.iter().map(walk).collect();
            let (means, errors) = mean_and_error(&samples_of(&walked, antithetic));
            for player in 0..players {
                let (mean, error) = (means[player], errors[player]);
                let (got, its) = (estimate.values()[player], estimate.std_errors()[player]);
                let what = format!("{players} players, {samples} samples of {walks}, player {player}");
                assert!(close(got, mean, 1e-12), "{what}: {got} is not {mean}");
                assert!(close(its, error, 1e-12), "{what}: an error of {its}, not {error}");
            }
        }
    }
}
