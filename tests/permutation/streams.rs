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
/// name of the purpose as its key and the number as its stream; Fisher & Yates from the last place down; draws share a
/// word as long as the product of their bounds is at most 2⁵⁶, and a word whose last low half is below 2⁶⁴ mod the
/// product is not used.
fn derived(players: usize, seed: u64, number: u64) -> (Vec<usize>, u32) {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..].copy_from_slice(b"shapley permutations, v1");
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(number);
    let mut order: Vec<usize> = (0..players).collect();
    let mut again = 0;
    let mut bounds = (2..=players as u128).rev().peekable();
    while let Some(first) = bounds.next() {
        let mut group = vec![first];
        while let Some(next) = bounds.next_if(|next| group.iter().product::<u128>() * next <= 1 << 56) {
            group.push(next);
        }
        let surplus = (1_u128 << 64) % group.iter().product::<u128>();
        let draws = loop {
            let mut low = u128::from(generator.next_u64());
            let mut draws = Vec::new();
            for bound in &group {
                draws.push((low * bound) >> 64);
                low = (low * bound) % (1 << 64);
            }
            if low >= surplus {
                break draws;
            }
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
    assert_eq!(drawn(5, 0, 4), [[2, 1, 0, 3, 4], [3, 4, 0, 1, 2], [4, 2, 3, 1, 0], [4, 1, 3, 0, 2]]);
    assert_eq!(drawn(5, 7, 4), [[4, 2, 0, 3, 1], [4, 3, 0, 2, 1], [1, 0, 2, 4, 3], [0, 2, 4, 1, 3]]);
    assert_eq!(drawn(16, 0, 1), [[7, 8, 2, 13, 14, 11, 5, 4, 1, 9, 0, 3, 10, 12, 6, 15]]);
    assert_eq!(drawn(20, 7, 3)[2], [12, 4, 18, 6, 3, 17, 8, 10, 9, 5, 1, 11, 13, 7, 16, 2, 0, 19, 14, 15]);
    for (players, seed, fingerprints) in [
        (5, u64::MAX, [0x2b75_fcce_7547_d1ab, 0x8682_ce8b_2ec8_3c3a, 0x84dd_3294_8c8c_e2a4]),
        (16, 0, [0x253d_c42a_bd62_c46e, 0x5c3b_2793_83e2_f3f8, 0x443b_e4ea_10fe_4992]),
        (16, 7, [0x2630_eba4_aa2d_374b, 0xf6be_83f0_7ca3_6154, 0x8856_17b1_f6b8_c3c9]),
        (16, u64::MAX, [0x681c_bd6f_592b_b268, 0x17d3_aaf4_2579_d304, 0xd89d_3ab4_3723_5988]),
        (20, 0, [0x0809_efa3_c464_52e1, 0x9daf_ecc4_b971_e40c, 0xa136_ccd0_4e9d_e7ae]),
        (20, 7, [0x04d7_9cc0_ea20_602c, 0xcfcc_5e0f_8dbf_8d6f, 0x5a20_bfa3_e5b0_d6e2]),
        (64, 0, [0x389a_e616_3bd8_9cc9, 0x6cb6_6a5e_8b8e_0f13, 0x03c6_4c8c_5c63_842c]),
        (64, 7, [0x60d6_c8ee_171b_c9e7, 0x8c85_c4f0_785f_6085, 0x6f60_aee5_afcc_57a0]),
        (200, 7, [0xfa62_6b9f_c147_100c, 0xff6c_6971_f4af_804b, 0xb03c_a7fb_98e6_ed56]),
        (200, u64::MAX, [0x0d9f_c799_f9b3_4c4e, 0x4e31_6b90_32d5_1b1b, 0xf1f2_455f_8063_4809]),
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

/// Values have the same bits as when the sampler was first released, and all bits are those of every other machine: the
/// game's values come from integer arithmetic.
#[test]
fn known_values() {
    let game = from_fn(5, |s| pseudo(11, mask_of(s)));
    let estimate = Permutation::new(100).seed(7).estimate(&game).unwrap();
    assert_eq!((estimate.evaluations(), estimate.permutations()), (98, 24));
    assert_eq!(
        bits_of(&estimate),
        [
            0xbfc2_df21_aee0_b9a7,
            0xbfe2_c3dc_b7d0_894d,
            0x3f9e_37a4_dab6_53d3,
            0xbfd9_2535_d2ab_83d8,
            0x3fb0_3dd1_ed93_b711,
            0x3fd0_b2c9_8c72_6963,
            0x3fce_b11d_420a_9f82,
            0x3fca_2ea6_fd81_a338,
            0x3fca_e80d_7f70_428a,
            0x3fcc_51be_cff6_1c3f
        ]
    );
    let single = Permutation::new(100).seed(7).antithetic(false).estimate(&game).unwrap();
    assert_eq!(
        bits_of(&single),
        [
            0xbfbe_da0b_ad31_2d70,
            0xbfe0_a41a_a3b5_51da,
            0x3fb9_0229_2b25_076d,
            0xbfe1_bf1a_0f45_45dc,
            0x3fb0_4b42_d72e_62a3,
            0x3fcb_fca6_4faa_62a3,
            0x3fce_ca69_625c_7179,
            0x3fc9_73fb_a945_18bd,
            0x3fc6_6e8f_b69a_0b96,
            0x3fc9_9ea5_b77a_5d67
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
