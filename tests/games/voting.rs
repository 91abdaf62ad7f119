//! Votes by weights: what they are worth, what their closed forms must be, and what is refused.

use crate::common::compare::close;
use crate::common::masks::mix;
use proptest::prelude::*;
use shapley::games::{GameError, WeightedVoting};
use shapley::{Attribution, Coalition, Game};

/// The solver's bound for 10 players, relative to the game's largest value, 1.
const SOLVER: f64 = 1e-13;

fn bits(phi: &Attribution<f64>) -> Vec<u64> {
    phi.iter().map(|value| value.to_bits()).collect()
}

/// A quota from 1 to the sum of weights, of which one is not zero.
fn votes(players: std::ops::RangeInclusive<usize>, most: u64) -> impl Strategy<Value = WeightedVoting> {
    (proptest::collection::vec(0..=most, players), any::<u64>()).prop_map(|(mut weights, quota)| {
        weights[0] += 1;
        let total: u64 = weights.iter().sum();
        WeightedVoting::new(1 + quota % total, weights).expect("a quota that can be reached")
    })
}

proptest! {
    #[test]
    fn closed_forms_are_what_the_solvers_find(game in prop_oneof![votes(1..=10, 6), votes(1..=10, u64::MAX / 16)]) {
        let (shapley, banzhaf) = (shapley::exact(&game).unwrap(), shapley::banzhaf(&game).unwrap());
        for (got, expected) in [(game.shapley_shubik(), shapley), (game.banzhaf(), banzhaf)] {
            prop_assert_eq!((*got.baseline(), *got.grand(), got.evaluations()), (0.0, 1.0, 0));
            prop_assert_eq!(got.len(), expected.len());
            for (got, expected) in got.iter().zip(&expected) {
                prop_assert!(close(*got, *expected, SOLVER), "{} is not {}", got, expected);
                // Who has no power has none, and nobody else.
                prop_assert_eq!(got.to_bits() == 0, expected.to_bits() == 0);
            }
        }
    }

    #[test]
    fn a_walk_gives_the_values_of_its_prefixes(game in votes(1..=70, 9), seed: u64) {
        let n = game.num_players();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|player| mix(seed ^ *player as u64));
        order.truncate(1 + (seed % n as u64) as usize);
        let mut walked = vec![7.0];
        game.walk(&order, &mut walked);
        let prefix = |k: usize| Coalition::from_players(n, order[..k].iter().copied());
        let asked: Vec<u64> = (1..=order.len()).map(|k| game.value(&prefix(k)).to_bits()).collect();
        prop_assert_eq!(walked[1..].iter().map(|value| value.to_bits()).collect::<Vec<_>>(), asked);
    }

    /// What a whole body of voters does not need to know of itself: the unit of its weights, who has no vote, who comes
    /// first.
    #[test]
    fn power_does_not_depend_on_the_unit_of_the_weights_or_the_order(game in votes(1..=12, 9), unit in 1..1_000_000_u64) {
        let (quota, weights) = (game.quota(), game.weights());
        let mut changed: Vec<u64> = weights.iter().rev().map(|weight| weight * unit).collect();
        changed.push(0);
        // Quotas between two multiples are as good as the upper one.
        let other = WeightedVoting::new((quota - 1) * unit + 1 + unit / 2, changed).unwrap();
        for (one, other) in [(game.shapley_shubik(), other.shapley_shubik()), (game.banzhaf(), other.banzhaf())] {
            let mut expected: Vec<u64> = bits(&one).into_iter().rev().collect();
            expected.push(0);
            prop_assert_eq!(bits(&other), expected);
        }
    }

    /// Blocking takes more than W − q: the dual game has the same values.
    #[test]
    fn power_to_block_is_power_to_win(game in votes(30..=60, 9)) {
        let total: u64 = game.weights().iter().sum();
        let dual = WeightedVoting::new(total - game.quota() + 1, game.weights()).unwrap();
        let relative = 8.0 * 60.0 * f64::EPSILON;
        for (one, other) in [(game.shapley_shubik(), dual.shapley_shubik()), (game.banzhaf(), dual.banzhaf())] {
            for (one, other) in one.iter().zip(&other) {
                prop_assert!(close(*one, *other, relative * one), "{one}, {other}");
            }
        }
    }
}

#[test]
fn quotas_and_weights_that_make_no_game() {
    assert_eq!(WeightedVoting::new(1, []), Err(GameError::NoPlayers {}));
    assert_eq!(WeightedVoting::new(0, [3, 2]), Err(GameError::Quota { quota: 0, total: 5 }));
    assert_eq!(WeightedVoting::new(6, [3, 2]), Err(GameError::Quota { quota: 6, total: 5 }));
    assert_eq!(WeightedVoting::new(0, [0, 0, 0]), Err(GameError::NoWeight { players: 3 }));
    let overflow = WeightedVoting::new(1, [1, u64::MAX - 1, 0, 1, 5]);
    assert_eq!(overflow, Err(GameError::WeightOverflow { player: 3 }));
    // In a function of the user's, beside what solvers return.
    let both = || -> Result<_, shapley::Error> { shapley::exact(&WeightedVoting::new(9, vec![3, 2])?) };
    let said = both().expect_err("5 votes are not 9").to_string();
    assert_eq!(said, "a quota of 9 decides nothing: it must be from 1 to 5, the sum of the weights");
}

#[test]
fn weights_come_as_arrays_vectors_and_slices() {
    let weights: &[u64] = &[3, 2, 1];
    let games =
        [WeightedVoting::new(4, [3, 2, 1]), WeightedVoting::new(4, vec![3, 2, 1]), WeightedVoting::new(4, weights)];
    for game in games {
        let game = game.unwrap();
        assert_eq!((game.quota(), game.weights(), game.num_players()), (4, weights, 3));
    }
}

#[test]
fn dictators_vetoes_and_those_without_power() {
    let power = |quota, weights: &[u64]| WeightedVoting::new(quota, weights).unwrap().shapley_shubik();
    let dictator = power(10, &[10, 4, 5]);
    assert!(close(dictator[0], 1.0, 4.0 * f64::EPSILON));
    assert_eq!(bits(&dictator)[1..], [0, 0]);
    // Unanimity: everyone has a veto, whatever the weight.
    for value in &power(100, &[97, 1, 2]) {
        assert!(close(*value, 1.0 / 3.0, 4.0 * f64::EPSILON));
    }
    // The sum of the weights may be as large as it can be written.
    for value in &power(u64::MAX, &[u64::MAX - 5, 5]) {
        assert!(close(*value, 0.5, 4.0 * f64::EPSILON));
    }
    let one = WeightedVoting::new(1, [7]).unwrap();
    assert_eq!((one.shapley_shubik().values(), one.banzhaf().values()), (&[1.0][..], &[1.0][..]));
}

/// A value of 10^−44 has as many correct digits as any: nothing is ever subtracted.
#[test]
fn small_values_are_as_precise_as_large_ones() {
    // All 149 of weight 2 and one of weight 1, at a quota that nobody can miss: each has 1 swing of 2^149, which is
    // exact.
    let mut weights = vec![2; 149];
    weights.push(1);
    let all = WeightedVoting::new(299, weights).unwrap();
    assert!(all.banzhaf().iter().all(|value| value.to_bits() == f64::exp2(-149.0).to_bits()));
    assert!(all.shapley_shubik().iter().all(|value| close(*value, 1.0 / 150.0, 1e-13 / 150.0)));
    // At 298 the last one has no power; at 297 it is needed where one of the others is missing: 149 of 2^149, and after
    // 148 of the others: one order of 150.
    let last = WeightedVoting::new(297, all.weights()).unwrap();
    assert_eq!(last.banzhaf()[149].to_bits(), (149.0 * f64::exp2(-149.0)).to_bits());
    assert!(close(last.shapley_shubik()[149], 1.0 / 150.0, 1e-13 / 150.0));
    assert_eq!(WeightedVoting::new(298, all.weights()).unwrap().shapley_shubik()[149].to_bits(), 0);
}

/// A hundred large voters and ninety small ones, who all together do not make up for a large one. At 50 large votes and
/// all small ones, a small voter is needed by the other small ones with 50 large ones: C(100, 50) of the 2^189
/// coalitions, and as many of the 190 C(189, 139) equal shares of the orders.
#[test]
fn a_value_of_10_to_the_minus_20() {
    let mut weights = vec![91; 100];
    weights.extend([1; 90]);
    let game = WeightedVoting::new(50 * 91 + 90, weights).unwrap();
    let binomial = |n: u32, k: u32| (1..=k).map(|j| f64::from(n - k + j) / f64::from(j)).product::<f64>();
    let shapley = binomial(100, 50) / (190.0 * binomial(189, 50));
    let banzhaf = binomial(100, 50) / f64::exp2(189.0);
    assert!(shapley < 1e-18 && banzhaf < 1e-27);
    let relative = 8.0 * 190.0 * f64::EPSILON;
    for small in [100, 189] {
        assert!(close(game.shapley_shubik()[small], shapley, relative * shapley), "{shapley}");
        assert!(close(game.banzhaf()[small], banzhaf, relative * banzhaf), "{banzhaf}");
    }
}

#[test]
fn what_is_out_of_reach_is_an_error_or_a_panic_with_numbers() {
    let weights: Vec<u64> = (0..80).map(|player| mix(player) >> 8).collect();
    let quota = weights.iter().sum::<u64>() / 2;
    let game = WeightedVoting::new(quota, weights).unwrap();
    let (shapley, banzhaf) = (game.try_shapley_shubik(), game.try_banzhaf());
    for refused in [shapley.unwrap_err(), banzhaf.unwrap_err()] {
        assert!(matches!(refused, GameError::TooLarge { limit: 1e12, .. }), "{refused}");
    }
    let panic = std::panic::catch_unwind(|| game.banzhaf()).expect_err("it is refused");
    let said = panic.downcast_ref::<String>().expect("a message");
    assert!(said.starts_with("the power index of this voting game would take "), "{said}");
    #[cfg(feature = "rational")]
    assert!(matches!(game.shapley_shubik_exact(), Err(GameError::TooLarge { .. })));
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let weights: Vec<u64> = (0..60).map(|player| 1 + mix(player) % 40).collect();
    let game = WeightedVoting::new(700, weights).unwrap();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (bits(&game.shapley_shubik()), bits(&game.banzhaf())))
    };
    let one = on(1);
    for threads in [2, 3, 8] {
        assert_eq!(on(threads), one, "{threads} threads");
    }
}

/// The game is played by samplers too.
#[test]
fn an_estimate_of_a_large_game_is_near_its_closed_form() {
    let weights: Vec<u64> = (1..=40).collect();
    let game = WeightedVoting::new(411, weights).unwrap();
    let phi = game.shapley_shubik();
    let estimate = shapley::Permutation::new(200_000).seed(3).estimate(&game).unwrap();
    for player in 0..40 {
        // Five standard errors, and as much as nobody sees in 5000 orders.
        let tolerance = 5.0 * estimate.std_errors()[player] + 1e-3;
        assert!(close(estimate.values()[player], phi[player], tolerance), "player {player}");
    }
}
