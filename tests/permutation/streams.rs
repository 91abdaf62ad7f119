//! Which orders are drawn: those of the documented generator and shuffle, derived here a second time, and the same for
//! ever. (`orders.rs` asks whether they are random.)

use crate::common::estimates::{assert_same, bits_of};
use crate::common::ledger::Ledger;
use crate::common::masks::{mask_of, mix, pseudo};
use crate::samples::orders_of;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use shapley::{Coalition, Permutation, from_fn};

/// The orders of the first samples, as a game sees them.
fn drawn(players: usize, seed: u64, samples: u64) -> Vec<Vec<usize>> {
    let ledger = Ledger::new(players, |s: &Coalition| s.len() as f64);
    let sampler = Permutation::new(2 + samples * (players as u64 - 1)).seed(seed).antithetic(false).threads(1);
    let estimate = sampler.estimate(&ledger.walked()).unwrap();
    let orders = orders_of(players, &ledger.take());
    assert_eq!((estimate.permutations(), orders.len() as u64), (samples, samples));
    orders
}

/// An order by the letter of the documentation, and how often words were drawn again: ChaCha8 with the seed and the
/// name of the purpose as its key; Fisher & Yates from the last place down; draws share a word as long as the product
/// of their bounds is at most 2⁵⁶; of stream 0, order i has the words from i w on, w being the number of words that an
/// order takes; and a word whose last low half is below 2⁶⁴ mod the product is replaced by the next of stream i + 1.
fn derived(players: usize, seed: u64, number: u64) -> (Vec<usize>, u32) {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..].copy_from_slice(b"shapley permutations, v2");
    let mut groups: Vec<Vec<u128>> = Vec::new();
    for bound in (2..=players as u128).rev() {
        match groups.last_mut() {
            Some(group) if group.iter().product::<u128>() * bound <= 1 << 56 => group.push(bound),
            _ => groups.push(vec![bound]),
        }
    }
    let [mut words, mut replacements] = [0, number + 1].map(|stream| {
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(stream);
        generator
    });
    // Words of 32 bits.
    words.set_word_pos(2 * u128::from(number) * groups.len() as u128);
    let mut order: Vec<usize> = (0..players).collect();
    let mut again = 0;
    for group in groups {
        let surplus = (1_u128 << 64) % group.iter().product::<u128>();
        let mut word = words.next_u64();
        let draws = loop {
            let mut low = u128::from(word);
            let mut draws = Vec::new();
            for bound in &group {
                draws.push((low * bound) >> 64);
                low = (low * bound) % (1 << 64);
            }
            if low >= surplus {
                break draws;
            }
            word = replacements.next_u64();
            again += 1;
        };
        for (bound, draw) in group.into_iter().zip(draws) {
            order.swap(bound as usize - 1, draw as usize);
        }
    }
    (order, again)
}

fn fingerprint(order: &[usize]) -> u64 {
    order.iter().fold(0, |hash, &player| mix(hash ^ player as u64))
}

/// The generator's own known answer.
#[test]
fn the_generator_is_chacha_8() {
    let mut generator = ChaCha8Rng::from_seed([7; 32]);
    generator.set_stream(3);
    assert_eq!([generator.next_u64(), generator.next_u64()], [0x2052_a131_e7e4_9f55, 0x728e_bf7a_fc4e_5022]);
}

#[test]
fn orders_are_as_documented() {
    let mut again = 0;
    for (players, samples) in
        [(2, 100), (3, 100), (4, 50), (5, 50), (6, 50), (15, 500), (16, 500), (17, 500), (19, 2000), (20, 500)]
            .into_iter()
            .chain([(21, 200), (22, 200), (33, 200), (64, 200), (65, 100), (129, 50), (300, 20), (1000, 3)])
    {
        for seed in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            for (number, order) in (0..).zip(drawn(players, seed, samples)) {
                let (expected, rejected) = derived(players, seed, number);
                assert_eq!(order, expected, "{players} players, seed {seed}, order {number}");
                again += rejected;
            }
        }
    }
    assert!(again > 10, "words were to be drawn again, or the test shows nothing of it: {again}");
}

/// Computed by another program, in another language, with a ChaCha8 of its own.
#[test]
fn known_orders() {
    assert_eq!(drawn(5, 0, 4), [[3, 1, 0, 2, 4], [2, 0, 3, 4, 1], [0, 2, 1, 4, 3], [2, 0, 1, 3, 4]]);
    assert_eq!(drawn(5, 7, 4), [[3, 2, 1, 4, 0], [4, 3, 1, 0, 2], [2, 1, 3, 0, 4], [3, 4, 2, 0, 1]]);
    assert_eq!(drawn(16, 0, 1), [[7, 5, 10, 12, 6, 13, 2, 1, 3, 4, 8, 11, 15, 0, 9, 14]]);
    assert_eq!(drawn(20, 7, 3)[2], [17, 18, 4, 13, 1, 3, 2, 12, 11, 19, 8, 15, 14, 0, 9, 10, 16, 6, 5, 7]);
    // With a word that was replaced.
    assert_eq!(drawn(21, 7, 229)[228], [9, 11, 4, 0, 18, 17, 2, 6, 1, 16, 3, 7, 14, 12, 19, 20, 5, 15, 10, 13, 8]);
    for (players, seed, fingerprints) in [
        (5, u64::MAX, [0x62b9_2e32_7367_1021, 0xb41e_39bf_1cbc_a694, 0xaa58_14c7_1da6_b2c6]),
        (16, 0, [0x3bf4_f612_1457_777d, 0x74f8_2440_6f3e_accc, 0x06ab_6857_9157_8cf7]),
        (16, 7, [0x146a_310e_17db_e817, 0xa467_0570_dde1_5ade, 0x1dc0_e6fd_2d15_1970]),
        (16, u64::MAX, [0x5b25_4b21_b628_b6f8, 0x6ee7_929e_ddcf_2994, 0x1fd5_3220_b3ef_cf3b]),
        (20, 0, [0x9553_130d_38e8_4929, 0xdac9_6bb5_2b35_076b, 0x2254_ba6f_40b9_8fa3]),
        (20, 7, [0xd7ab_995b_48ea_57ca, 0xf6a6_7789_e898_7321, 0xe0be_f1a2_1e9c_efc5]),
        (64, 0, [0xa3f0_1eaf_e800_7229, 0xdbfe_1742_7a28_ea26, 0xe61d_58bc_97ff_7cdd]),
        (64, 7, [0x0074_109f_d19e_7996, 0x2210_9eec_a17c_7a51, 0xc7f1_4d3d_a2e7_b485]),
        (200, 7, [0x4d95_c76e_4941_6409, 0x857a_29a8_7162_5043, 0x7168_e620_1daf_d6f3]),
        (200, u64::MAX, [0x50c8_24a3_0069_17ea, 0xc7bd_6290_9bcb_4f48, 0x1065_5b8d_cf49_7ccf]),
    ] {
        let found: Vec<u64> = drawn(players, seed, 3).iter().map(|order| fingerprint(order)).collect();
        assert_eq!(found, fingerprints, "{players} players, seed {seed}");
    }
}

#[test]
fn orders_are_of_all_players_and_differ() {
    for players in [3, 16, 70, 300] {
        let mut all = Vec::new();
        for seed in 0..4 {
            for order in drawn(players, seed, 20) {
                let mut sorted = order.clone();
                sorted.sort_unstable();
                assert!(sorted.into_iter().eq(0..players), "{order:?}");
                all.push(order);
            }
        }
        if players > 3 {
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), 80, "{players} players: seeds and numbers have orders of their own");
        }
    }
}

/// Values have the same bits as when orders of version 2 were first drawn, and all bits are those of every other machine: the
/// game's values come from integer arithmetic.
#[test]
fn known_values() {
    let game = from_fn(5, |s| pseudo(11, mask_of(s)));
    let estimate = Permutation::new(100).seed(7).estimate(&game).unwrap();
    assert_eq!((estimate.evaluations(), estimate.permutations()), (98, 24));
    assert_eq!(
        bits_of(&estimate),
        [
            0xbfb0_9e22_42fa_2c30,
            0xbfe4_e84c_36f9_e456,
            0xbfd1_0613_ca38_c0d3,
            0xbfa8_446c_609d_581b,
            0xbf61_677d_d6f0_5c00,
            0x3fd3_4fce_eeb4_565b,
            0x3fc8_f5c9_d8aa_85d4,
            0x3fc8_ffce_a88b_2e47,
            0x3fc7_8cb0_a702_9ef6,
            0x3fcd_0af2_c892_b814
        ]
    );
    let single = Permutation::new(100).seed(7).antithetic(false).estimate(&game).unwrap();
    assert_eq!(
        bits_of(&single),
        [
            0xbfde_6418_a4fa_c078,
            0xbfe0_593e_2589_e937,
            0x3f7d_afd1_163e_2cc0,
            0xbfa7_41e0_573c_b5b3,
            0xbf84_2ff3_41ed_eb45,
            0x3fc8_8395_33dc_1caf,
            0x3fc6_0aea_4186_1e41,
            0x3fc6_e83b_abfa_c7d7,
            0x3fc5_8d63_0ee0_4089,
            0x3fc5_6fa2_4a43_0de6
        ]
    );
}

#[test]
fn the_default_seed_is_zero() {
    let game = from_fn(9, |s| pseudo(12, mask_of(s)));
    let estimate = shapley::permutation(&game, 500).unwrap();
    assert_same(&estimate, &Permutation::new(500).seed(0).antithetic(true).estimate(&game).unwrap(), "");
    assert_ne!(bits_of(&estimate), bits_of(&Permutation::new(500).seed(1).estimate(&game).unwrap()));
}
