//! The algebra of sets, as a textbook orders it: membership, equality, inclusion, complement, number, order, and how a
//! set is written. `Coalition` is held against `BTreeSet<usize>`, and as a number against big integers.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use num_bigint::BigUint;
use proptest::prelude::*;
use shapley::Coalition;

/// The universes that have room for mistakes: none, one, and both sides of 64 and of 128 players, where words end and
/// where the heap begins.
const BORDERS: [usize; 10] = [0, 1, 2, 63, 64, 65, 127, 128, 129, 192];

fn universes() -> impl Strategy<Value = usize> {
    prop_oneof![proptest::sample::select(BORDERS.to_vec()), 0..=200_usize]
}

/// A universe and some of its subsets. Any density, so that empty, grand and nearly grand coalitions come up.
fn sets<const K: usize>() -> impl Strategy<Value = (usize, [BTreeSet<usize>; K])> {
    let one = |n: usize| {
        (0..=8_u32, proptest::collection::vec(0..8_u32, n))
            .prop_map(|(density, draws)| (0..draws.len()).filter(|&player| draws[player] < density).collect())
    };
    universes().prop_flat_map(move |n| (Just(n), std::array::from_fn::<_, K, _>(|_| one(n))))
}

/// Insertions and removals that have an effect or none, as they come.
#[derive(Clone, Debug)]
enum Step {
    Insert(usize),
    Remove(usize),
}

fn histories() -> impl Strategy<Value = (usize, Vec<Step>)> {
    let step =
        |players: Range<usize>| prop_oneof![players.clone().prop_map(Step::Insert), players.prop_map(Step::Remove)];
    universes().prop_flat_map(move |n| {
        // Without players there is no step to take.
        let steps =
            if n == 0 { Just(Vec::new()).boxed() } else { proptest::collection::vec(step(0..n), 0..300).boxed() };
        (Just(n), steps)
    })
}

fn coalition(n: usize, members: &BTreeSet<usize>) -> Coalition {
    Coalition::from_players(n, members.iter().copied())
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The number whose binary digits the members are.
fn number(members: &BTreeSet<usize>) -> BigUint {
    members.iter().map(|&player| BigUint::from(1_u8) << player).sum()
}

proptest! {
    // Membership.

    #[test]
    fn a_player_is_a_member_if_it_was_given((n, [set]) in sets()) {
        let s = coalition(n, &set);
        for player in 0..n + 200 {
            prop_assert_eq!(s.contains(player), set.contains(&player));
        }
        prop_assert!(!s.contains(usize::MAX), "a player that does not exist is no member");
        prop_assert_eq!(s.num_players(), n);
    }

    #[test]
    fn members_come_in_any_order_and_any_number_of_times((n, [set]) in sets(), rotation in 0..200_usize) {
        let mut members: Vec<usize> = set.iter().chain(&set).copied().collect();
        if !members.is_empty() {
            let middle = rotation % members.len();
            members.rotate_left(middle);
        }
        prop_assert_eq!(Coalition::from_players(n, members), coalition(n, &set));
    }

    #[test]
    fn insert_and_remove_say_whether_they_did_anything((n, steps) in histories()) {
        let mut s = Coalition::empty(n);
        let mut model = BTreeSet::new();
        for step in steps {
            match step {
                Step::Insert(player) => prop_assert_eq!(s.insert(player), model.insert(player)),
                Step::Remove(player) => prop_assert_eq!(s.remove(player), model.remove(&player)),
            }
            prop_assert_eq!(s.len(), model.len());
        }
        prop_assert!(s.iter().eq(model.iter().copied()));
    }

    #[test]
    fn removing_who_does_not_exist_changes_nothing((n, [set]) in sets()) {
        let mut s = coalition(n, &set);
        for player in [n, n + 1, n + 64, n + 1000, usize::MAX] {
            prop_assert!(!s.remove(player));
        }
        prop_assert_eq!(s, coalition(n, &set));
    }

    // Equality: the same members of the same universe, whatever the history.

    #[test]
    fn equality_order_and_hash_forget_the_history((n, steps) in histories()) {
        let mut s = Coalition::empty(n);
        // The same set by another road: from the grand coalition, through the complement of every step.
        let mut t = Coalition::grand(n);
        let mut model = BTreeSet::new();
        for step in &steps {
            match *step {
                Step::Insert(player) => {
                    s.insert(player);
                    t.remove(player);
                    model.insert(player);
                }
                Step::Remove(player) => {
                    s.remove(player);
                    t.insert(player);
                    model.remove(&player);
                }
            }
        }
        for same in [t.complement(), coalition(n, &model), s.clone(), s.iter().fold(Coalition::empty(n), |mut u, i| {
            u.insert(i);
            u
        })] {
            prop_assert_eq!(&s, &same);
            prop_assert_eq!(s.cmp(&same), Ordering::Equal);
            prop_assert_eq!(hash(&s), hash(&same));
        }
    }

    #[test]
    fn one_member_more_or_less_makes_another_set((n, [set]) in sets(), pick in any::<prop::sample::Index>()) {
        prop_assume!(n > 0);
        let s = coalition(n, &set);
        let mut t = s.clone();
        let player = pick.index(n);
        if !t.insert(player) {
            t.remove(player);
        }
        prop_assert_ne!(&s, &t);
        prop_assert_ne!(s.cmp(&t), Ordering::Equal);
    }

    #[test]
    fn the_universe_is_part_of_the_set((n, [set]) in sets(), more in 1..100_usize) {
        let (s, t) = (coalition(n, &set), coalition(n + more, &set));
        prop_assert_ne!(&s, &t, "the same members of {} and of {}", n, n + more);
        prop_assert!(s < t, "the smaller universe comes first");
        prop_assert!(s.is_subset(&t) && t.is_subset(&s), "inclusion goes by members alone");
    }

    // Inclusion: a partial order with the empty coalition below all and the grand coalition above.

    #[test]
    fn inclusion_is_the_models((n, [a, b]) in sets()) {
        let (s, t) = (coalition(n, &a), coalition(n, &b));
        prop_assert_eq!(s.is_subset(&t), a.is_subset(&b));
        let common: BTreeSet<usize> = a.intersection(&b).copied().collect();
        let either: BTreeSet<usize> = a.union(&b).copied().collect();
        // Of two random sets neither is likely to include the other, so here are two that one does.
        prop_assert!(coalition(n, &common).is_subset(&s) && s.is_subset(&coalition(n, &either)));
        prop_assert!(s.is_subset(&s));
        prop_assert_eq!(s.is_subset(&t) && t.is_subset(&s), s == t);
        prop_assert!(Coalition::empty(n).is_subset(&s) && s.is_subset(&Coalition::grand(n)));
    }

    #[test]
    fn inclusion_across_universes_goes_by_members((n, [a]) in sets(), (m, [b]) in sets()) {
        prop_assert_eq!(coalition(n, &a).is_subset(&coalition(m, &b)), a.is_subset(&b));
    }

    // Complement.

    #[test]
    fn the_complement_has_all_others((n, [set]) in sets()) {
        let s = coalition(n, &set);
        let others = s.complement();
        // Disjoint, and together everybody: each player is in exactly one, and nobody beyond n is in either.
        for player in 0..n + 130 {
            prop_assert_eq!(others.contains(player), player < n && !set.contains(&player));
        }
        prop_assert_eq!(others.complement(), s, "an involution");
        prop_assert_eq!(others.num_players(), n);
        prop_assert_eq!(others.len() + set.len(), n);
    }

    #[test]
    fn the_complement_turns_inclusion_round((n, [a, b]) in sets()) {
        let common: BTreeSet<usize> = a.intersection(&b).copied().collect();
        for (small, large) in [(&a, &b), (&common, &b)] {
            let (s, t) = (coalition(n, small), coalition(n, large));
            prop_assert_eq!(s.is_subset(&t), t.complement().is_subset(&s.complement()));
        }
    }

    // Number.

    #[test]
    fn the_number_of_members((n, [set]) in sets()) {
        let s = coalition(n, &set);
        prop_assert_eq!(s.len(), set.len());
        prop_assert_eq!(s.is_empty(), set.is_empty());
        prop_assert_eq!(s.is_grand(), set.len() == n);
    }

    #[test]
    fn iteration_ascends_and_counts_down((n, [set]) in sets()) {
        let s = coalition(n, &set);
        let mut players = s.iter();
        for (gone, &expected) in set.iter().enumerate() {
            prop_assert_eq!(players.len(), set.len() - gone);
            prop_assert_eq!(players.size_hint(), (set.len() - gone, Some(set.len() - gone)));
            prop_assert_eq!(players.next(), Some(expected));
        }
        prop_assert_eq!(players.len(), 0);
        prop_assert_eq!(players.next(), None);
        prop_assert_eq!(players.next(), None, "fused");
        let mut by_reference = Vec::new();
        for player in &s {
            by_reference.push(player);
        }
        prop_assert!(by_reference.iter().eq(&set));
    }

    // Order: by the universe, then as numbers whose binary digits the members are.

    #[test]
    fn coalitions_are_ordered_as_numbers((n, [a, b]) in sets(), (m, [c]) in sets()) {
        for ((n, a), (m, b)) in [((n, &a), (n, &b)), ((n, &a), (m, &c))] {
            let expected = n.cmp(&m).then_with(|| number(a).cmp(&number(b)));
            let (s, t) = (coalition(n, a), coalition(m, b));
            prop_assert_eq!(s.cmp(&t), expected);
            prop_assert_eq!(t.cmp(&s), expected.reverse());
            prop_assert_eq!(s.partial_cmp(&t), Some(expected));
        }
    }

    #[test]
    fn the_highest_player_decides((n, [set]) in sets(), pick in any::<prop::sample::Index>()) {
        prop_assume!(n > 0);
        // All the players below one against that one alone: one less as a number.
        let player = pick.index(n);
        let lower: BTreeSet<usize> = (0..player).collect();
        let above: BTreeSet<usize> = set.iter().copied().filter(|&other| other > player).collect();
        let with_lower = coalition(n, &lower.union(&above).copied().collect());
        let mut with_player = coalition(n, &above);
        with_player.insert(player);
        prop_assert!(with_lower < with_player);
    }

    // Writing.

    #[test]
    fn a_set_is_written_as_in_a_book((n, [set]) in sets()) {
        let members: Vec<String> = set.iter().map(usize::to_string).collect();
        prop_assert_eq!(coalition(n, &set).to_string(), format!("{{{}}}", members.join(", ")));
    }
}

#[test]
fn the_empty_and_the_grand_coalition() {
    for n in BORDERS {
        let (empty, grand) = (Coalition::empty(n), Coalition::grand(n));
        assert_eq!((empty.len(), grand.len()), (0, n));
        assert!(empty.is_empty() && grand.is_grand());
        assert_eq!(empty.is_grand(), n == 0, "with nobody, nobody is everybody");
        assert_eq!(grand.is_empty(), n == 0);
        assert_eq!(grand, Coalition::from_players(n, 0..n));
        assert_eq!((empty.complement(), grand.complement()), (grand.clone(), empty.clone()));
        assert!(grand.iter().eq(0..n));
    }
}

#[test]
fn examples_of_writing() {
    assert_eq!(Coalition::from_players(5, [2, 0]).to_string(), "{0, 2}");
    assert_eq!(Coalition::empty(3).to_string(), "{}");
    assert_eq!(Coalition::from_players(200, [199]).to_string(), "{199}");
}

#[test]
fn all_masks_of_a_small_universe_are_in_order() {
    let all: Vec<Coalition> =
        (0..1_usize << 7).map(|mask| Coalition::from_players(7, (0..7).filter(|p| mask >> p & 1 == 1))).collect();
    assert!(all.is_sorted_by(|s, t| s < t));
}

#[test]
#[should_panic(expected = "player 5 does not exist: there are 5")]
fn a_set_of_a_player_that_does_not_exist() {
    let _ = Coalition::from_players(5, [0, 5]);
}

#[test]
#[should_panic(expected = "player 0 does not exist: there are 0")]
fn a_set_of_a_player_where_there_are_none() {
    let _ = Coalition::from_players(0, [0]);
}

// 65 players use one bit of the second word: a check of the words' number alone would let player 70 in, and tell of
// words where player 128 of 128 is meant.

#[test]
#[should_panic(expected = "player 70 does not exist: there are 65")]
fn inserting_beyond_the_universe_within_the_word() {
    Coalition::empty(65).insert(70);
}

#[test]
#[should_panic(expected = "player 128 does not exist: there are 128")]
fn inserting_at_the_border_of_two_words() {
    Coalition::grand(128).insert(128);
}

/// A panic that says so, and not the end of the process.
#[test]
fn a_coalition_for_which_there_is_no_memory_panics() {
    for players in [usize::MAX, usize::MAX - 63, 1 << 62] {
        for make in [Coalition::empty, Coalition::grand, |players| Coalition::from_players(players, [0])] {
            let panic = std::panic::catch_unwind(|| make(players)).unwrap_err();
            let text = panic.downcast_ref::<String>().unwrap();
            assert_eq!(*text, format!("there is no memory for a coalition of {players} players"));
        }
    }
}
