//! What a store owes, tested.

use std::collections::BTreeSet;
use std::fmt::Debug;

use crate::Coalition;
use crate::store::Store;

/// Values whose bits a careless store changes.
const ODD: [u64; 10] = [
    0x0000_0000_0000_0000, // 0
    0x8000_0000_0000_0000, // -0
    0x0000_0000_0000_0001, // the least above 0
    0x800f_ffff_ffff_ffff, // a subnormal
    0x3fd5_5555_5555_5555, // a third
    0x7fef_ffff_ffff_ffff, // the largest
    0x7ff0_0000_0000_0000, // infinity
    0xfff0_0000_0000_0000, // -infinity
    0x7ff8_0000_0000_0000, // NaN
    0xfff8_0000_dead_beef, // NaN with a payload
];

/// Tests what a [`Store`] owes, on a store of `f64`: call it from the tests of your own.
///
/// `open` opens a new, empty store for games of a number of players. A store that keeps its values in a file or on a
/// server takes another place for each number, and for each run. It is asked once more for the same number after the
/// first store was dropped: a store that outlives the process opens again what it kept; another begins anew. Games have
/// 0 to 200 players, one store has up to some thousand values, and four threads ask at once.
///
/// ```
/// use shapley::{MemoryStore, store::check_store};
///
/// check_store(|_num_players| MemoryStore::unbounded());
/// check_store(|_num_players| MemoryStore::bounded(100));
/// ```
///
/// # Panics
///
/// If the store fails, or does not keep its contract: the message says which of its obligations.
pub fn check_store<S: Store<f64>>(mut open: impl FnMut(usize) -> S) {
    for num_players in [0, 1, 6, 7, 13, 63, 64, 65, 128, 129, 200] {
        let coalitions = coalitions(num_players);
        let store = open(num_players);
        nothing_yet(&store, &coalitions);
        remembers(&store, &coalitions);
        threads(&store, &coalitions);
        table(&store, num_players);
        drop(store);
        comes_back_or_not_at_all(&open(num_players), &coalitions);
    }
}

/// Different coalitions, among them neighbours and near complements.
fn coalitions(num_players: usize) -> Vec<Coalition> {
    let mut all = BTreeSet::from([Coalition::empty(num_players), Coalition::grand(num_players)]);
    for player in 0..num_players {
        let one = Coalition::from_players(num_players, [player]);
        all.insert(one.complement());
        all.insert(one);
    }
    // Weyl's sequence of the golden ratio: as good as random here, and the same every time.
    let mut state = 0_u64;
    for _ in 0..1000 {
        let random = (0..num_players).filter(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            (state ^ state >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 63 == 1
        });
        all.insert(Coalition::from_players(num_players, random.collect::<Vec<_>>()));
    }
    all.into_iter().collect()
}

/// The value that the check gives to the coalition of this number.
fn value(number: usize) -> f64 {
    match number % 3 {
        0 => f64::from_bits(ODD[number / 3 % ODD.len()]),
        _ => (number as f64).sqrt(),
    }
}

fn ok<T>(answer: Result<T, impl Debug>) -> T {
    answer.unwrap_or_else(|error| panic!("the store failed: {error:?}"))
}

fn get_many(store: &impl Store<f64>, coalitions: &[Coalition]) -> Vec<Option<f64>> {
    let mut values = vec![Some(-1.5)];
    ok(store.get_many(coalitions, &mut values));
    assert!(values[0] == Some(-1.5), "get_many appends: what was there stays");
    assert_eq!(values.len() - 1, coalitions.len(), "get_many appends an answer for each coalition");
    values.split_off(1)
}

/// Looks at what the store says of the coalition of this number.
fn right_or_absent(got: Option<f64>, number: usize, coalition: &Coalition) -> bool {
    let Some(got) = got else { return false };
    let (bits, expected) = (got.to_bits(), value(number).to_bits());
    assert!(
        bits == expected,
        "coalition {coalition} has {bits:016x}, and was given {expected:016x}: bit for bit, or not at all"
    );
    true
}

/// How many of the coalitions have a value, which is the right one.
fn all_right_or_absent(store: &impl Store<f64>, coalitions: &[Coalition]) -> u64 {
    let numbered = coalitions.iter().zip(get_many(store, coalitions)).enumerate();
    numbered.map(|(number, (coalition, got))| u64::from(right_or_absent(got, number, coalition))).sum()
}

fn nothing_yet(store: &impl Store<f64>, coalitions: &[Coalition]) {
    assert!(store.is_empty() && store.len() == 0, "a new store is empty: open one that nobody has used");
    assert!(get_many(store, coalitions).iter().all(Option::is_none), "what was never inserted is not there");
    assert!(get_many(store, &[]).is_empty(), "an empty batch has no answers");
    ok(store.insert_many(&[], &[]));
    assert!(store.is_empty(), "an empty batch inserts nothing");
}

fn remembers(store: &impl Store<f64>, coalitions: &[Coalition]) {
    let inserted = coalitions.len().div_ceil(2);
    let (one_by_one, at_once) = coalitions[..inserted].split_at(inserted / 2);
    for (number, coalition) in one_by_one.iter().enumerate() {
        ok(store.insert(coalition, &value(number)));
        right_or_absent(ok(store.get(coalition)), number, coalition);
    }
    let values: Vec<f64> = (one_by_one.len()..inserted).map(value).collect();
    ok(store.insert_many(at_once, &values));

    let mut there = 0;
    for (number, (coalition, got)) in coalitions.iter().zip(get_many(store, coalitions)).enumerate() {
        assert!(number < inserted || got.is_none(), "{coalition} was never inserted, and has a value");
        there += u64::from(right_or_absent(got, number, coalition));
        right_or_absent(ok(store.get(coalition)), number, coalition);
    }
    let len = store.len();
    assert!(there <= len, "{there} values are there, and the store says it has {len}");
    assert!(len <= inserted as u64, "the store has {len} of {inserted} values");
    assert_eq!(store.is_empty(), len == 0, "is_empty() and len() do not agree");
    of_another_size_is_another(store, coalitions);
    if let Some((coalition, value)) = ok(store.example(coalitions[0].num_players())) {
        let got = ok(store.get(&coalition)).map(f64::to_bits);
        assert!(got.is_none() || got == Some(value.to_bits()), "example has another value for {coalition} than get");
    }

    // Again, in another order, and with a coalition twice in a batch.
    let twice: Vec<Coalition> = coalitions[..inserted].iter().rev().chain(&coalitions[..inserted]).cloned().collect();
    let values: Vec<f64> = (0..inserted).rev().chain(0..inserted).map(value).collect();
    ok(store.insert_many(&twice, &values));
    assert!(store.len() <= inserted as u64, "a coalition that is inserted again is one entry");
    all_right_or_absent(store, &coalitions[..inserted]);
}

/// Values as a table are those that come one by one, and all of them.
fn table(store: &impl Store<f64>, num_players: usize) {
    assert!(store.tabulated(num_players + 1).is_none(), "nothing was inserted for a game of one player more");
    let Some(all) = store.tabulated(num_players) else { return };
    assert!(
        num_players < 64 && all.len() == 1 << num_players,
        "a table of {} values for {num_players} players",
        all.len()
    );
    for (mask, value) in (0..).zip(all) {
        let coalition = Coalition::from_mask(num_players, mask);
        let got = ok(store.get(&coalition)).map(f64::to_bits);
        assert!(got == Some(value.to_bits()), "tabulated has another value for {coalition} than get");
    }
}

/// The same members among more players, or fewer, are another coalition: not there, or refused.
fn of_another_size_is_another(store: &impl Store<f64>, coalitions: &[Coalition]) {
    for coalition in coalitions {
        let members = || coalition.iter();
        let fewest = members().last().map_or(0, |last| last + 1);
        for num_players in [fewest, coalition.num_players() + 1, coalition.num_players() + 64] {
            let other = Coalition::from_players(num_players, members());
            if other != *coalition && matches!(store.get(&other), Ok(Some(_))) {
                panic!("{other:?} was never inserted, and has the value of {coalition:?}");
            }
        }
    }
}

fn threads(store: &impl Store<f64>, coalitions: &[Coalition]) {
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for step in 0..coalitions.len() {
                    // Each thread goes round by a step of its own.
                    let number = (step * (2 * thread + 1) + thread) % coalitions.len();
                    let coalition = &coalitions[number];
                    ok(store.insert(coalition, &value(number)));
                    right_or_absent(ok(store.get(coalition)), number, coalition);
                    let next = (number + 1) % coalitions.len();
                    let both = [coalition.clone(), coalitions[next].clone()];
                    for (got, number) in get_many(store, &both).into_iter().zip([number, next]) {
                        right_or_absent(got, number, &coalitions[number]);
                    }
                }
            });
        }
    });
    assert!(store.len() <= coalitions.len() as u64, "a coalition that several threads insert is one entry");
}

fn comes_back_or_not_at_all(store: &impl Store<f64>, coalitions: &[Coalition]) {
    let there = all_right_or_absent(store, coalitions);
    assert!(there <= store.len(), "{there} values came back, and the store says it has {}", store.len());
}
