//! A store on disk gives back what was put in, bit for bit, also when it is opened again.

use std::path::PathBuf;

use shapley::store::{DiskError, Fingerprint, Store, StoreError};
use shapley::{Coalition, DiskStore};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("game.store");
    (directory, path)
}

/// Values whose bits are easily lost: signed zeros, subnormals, NaN with a payload, infinity.
const ODD: [f64; 7] =
    [0.0, -0.0, f64::MIN_POSITIVE / 3.0, f64::NEG_INFINITY, f64::from_bits(0x7ff8_dead_beef_0001), -1.5e300, 1.0 / 3.0];

/// Some coalitions of n players: the empty one, the grand one, those of one player, and others.
fn some(n: usize) -> Vec<Coalition> {
    let mut some = vec![Coalition::empty(n), Coalition::grand(n)];
    some.extend((0..n).map(|player| Coalition::from_players(n, [player])));
    some.extend((2..7).map(|step| Coalition::from_players(n, (0..n).step_by(step))));
    some.sort();
    some.dedup();
    some
}

fn odd(k: usize) -> f64 {
    if k < ODD.len() { ODD[k] } else { (k as f64).sin() }
}

#[test]
fn every_bit_comes_back_for_games_of_any_size() {
    for n in [0, 1, 7, 8, 9, 63, 64, 65, 128, 200] {
        let (_directory, path) = place();
        let coalitions = some(n);
        let check = |store: &DiskStore<f64>| {
            assert_eq!(store.len(), coalitions.len() as u64, "{n} players");
            assert_eq!(store.num_players(), Some(n));
            let mut many = Vec::new();
            store.get_many(&coalitions, &mut many).unwrap();
            assert_eq!(many.len(), coalitions.len());
            for (k, coalition) in coalitions.iter().enumerate() {
                let one = store.get(coalition).unwrap().expect("it was put in");
                assert_eq!(one.to_bits(), odd(k).to_bits(), "{coalition} of {n}");
                assert_eq!(many[k].unwrap().to_bits(), odd(k).to_bits(), "{coalition} of {n}");
            }
        };
        let store = DiskStore::open(&path, "game").unwrap();
        assert_eq!((store.len(), store.num_players(), store.is_empty()), (0, None, true));
        assert_eq!(store.get(&coalitions[0]).unwrap(), None);
        let values: Vec<f64> = (0..coalitions.len()).map(odd).collect();
        store.insert_many(&coalitions[1..], &values[1..]).unwrap();
        store.insert(&coalitions[0], &values[0]).unwrap();
        check(&store); // from the buffer
        store.flush().unwrap();
        check(&store); // from the file
        let found = store.verify().unwrap();
        assert_eq!((found.entries, found.damaged, found.whole), (coalitions.len() as u64, 0, true));
        drop(store);

        let store = DiskStore::open(&path, "game").unwrap();
        check(&store);
        assert_eq!(store.damaged(), 0);
        if n > 1 {
            assert_eq!(store.get(&Coalition::from_players(n, 1..n)).unwrap(), None);
        }
    }
}

#[test]
fn it_keeps_the_contract_of_stores() {
    let directory = tempfile::tempdir().unwrap();
    for commit_every in [20, 1000, 1 << 20] {
        shapley::store::check_store(|n| {
            let path = directory.path().join(format!("{commit_every} {n}"));
            DiskStore::open(path, "checked").unwrap().commit_every(commit_every)
        });
    }
}

#[test]
fn arrays_and_single_precision_keep_their_bits() {
    let (_directory, path) = place();
    let value = [[f32::from_bits(0xffc0_1234), -0.0], [f32::MIN_POSITIVE / 2.0, 1.0 / 3.0]];
    let store = DiskStore::<[[f32; 2]; 2]>::open(&path, 1_u32).unwrap();
    store.insert(&Coalition::grand(5), &value).unwrap();
    drop(store);
    let store = DiskStore::<[[f32; 2]; 2]>::open(&path, 1_u32).unwrap();
    let found = store.get(&Coalition::grand(5)).unwrap().unwrap();
    assert_eq!(found.map(|pair| pair.map(f32::to_bits)), value.map(|pair| pair.map(f32::to_bits)));
}

/// A whole configuration of 6 kB, by its hash; what it was made of before keeps its text.
#[test]
fn a_game_is_known_by_a_long_description() {
    let (_directory, path) = place();
    let configuration = "line = 1 2 0.37\n".repeat(400);
    let store = DiskStore::<f64>::open(&path, Fingerprint::hash_of(&configuration)).unwrap();
    store.insert(&Coalition::grand(5), &1.5).unwrap();
    drop(store);
    let changed = configuration.replacen("0.37", "0.38", 1);
    let refused = DiskStore::<f64>::open(&path, Fingerprint::hash_of(changed)).unwrap_err();
    assert!(matches!(refused, DiskError::Fingerprint { .. }), "{refused:?}");
    let store = DiskStore::<f64>::open(&path, Fingerprint::hash_of(configuration.as_bytes())).unwrap();
    assert_eq!(store.get(&Coalition::grand(5)).unwrap(), Some(1.5));

    assert_eq!(Fingerprint::from("credit model 7").as_str(), "credit model 7");
    assert_eq!(Fingerprint::from(7_u64).as_str(), "7");
    assert_eq!(Fingerprint::from([0xbe, 0x0f]).as_str(), "be0f");
    let lengths: Vec<usize> = [0, 1, 4097, 1 << 20].map(|len| Fingerprint::hash_of(vec![7; len]).as_str().len()).into();
    assert!(lengths.iter().all(|len| *len < 64), "{lengths:?}");
}

#[test]
fn the_last_of_two_values_comes_back() {
    let (_directory, path) = place();
    let store = DiskStore::open(&path, "game").unwrap();
    let coalition = Coalition::from_players(9, [8]);
    for value in [1.0, 2.0] {
        store.insert(&coalition, &value).unwrap();
        assert_eq!((store.get(&coalition).unwrap(), store.len()), (Some(value), 1));
        store.flush().unwrap();
        assert_eq!((store.get(&coalition).unwrap(), store.len()), (Some(value), 1));
    }
    store.insert(&coalition, &3.0).unwrap();
    assert_eq!((store.get(&coalition).unwrap(), store.len()), (Some(3.0), 1));
}

#[test]
fn coalitions_of_another_size_are_an_error_and_change_nothing() {
    let (_directory, path) = place();
    let store = DiskStore::open(&path, "game").unwrap();
    // Before there is a value the number of players is not known; a batch of two sizes does not settle it.
    let (five, six) = (Coalition::grand(5), Coalition::grand(6));
    assert_eq!(store.get(&five).unwrap(), None);
    assert_eq!(store.get(&six).unwrap(), None);
    let mixed = store.insert_many(&[six.clone(), five.clone()], &[1.0, 2.0]);
    assert!(matches!(mixed, Err(StoreError(DiskError::Players { store: 6, asked: 5, .. }))), "{mixed:?}");
    assert_eq!((store.num_players(), store.len()), (None, 0));

    store.insert(&five, &5.0).unwrap();
    let expected =
        format!("the store {} is of a game of 5 players, and a coalition of 6 was asked for", path.display());
    let check = |store: &DiskStore<f64>| {
        for error in [
            store.get(&six).map(drop).unwrap_err(),
            store.insert(&six, &0.0).unwrap_err(),
            store.get_many(&[five.clone(), six.clone()], &mut Vec::new()).unwrap_err(),
            store.insert_many(&[five.clone(), six.clone()], &[9.0, 9.0]).unwrap_err(),
        ] {
            assert_eq!(error.to_string(), expected);
        }
        assert_eq!((store.get(&five).unwrap(), store.len()), (Some(5.0), 1));
    };
    check(&store);
    drop(store);
    check(&DiskStore::open(&path, "game").unwrap());
}

#[test]
fn empty_batches_are_nothing() {
    let (_directory, path) = place();
    let store = DiskStore::<f64>::open(&path, "game").unwrap().commit_every(0);
    store.insert_many(&[], &[]).unwrap();
    let mut values = vec![Some(1.0)];
    store.get_many(&[], &mut values).unwrap();
    assert_eq!((values, store.num_players()), (vec![Some(1.0)], None));
    store.flush().unwrap();
    assert_eq!(store.verify().unwrap().entries, 0);
}

#[test]
fn fingerprints_are_of_text_numbers_and_bytes() {
    let of = |fingerprint: Fingerprint| fingerprint.as_str().to_owned();
    assert_eq!(of("a".into()), "a");
    assert_eq!(of(String::from("b").into()), "b");
    assert_eq!(of((&String::from("c")).into()), "c");
    assert_eq!(of(7_u32.into()), "7");
    assert_eq!(of(u64::MAX.into()), "18446744073709551615");
    assert_eq!(of(u128::MAX.into()), u128::MAX.to_string());
    assert_eq!(of(8_usize.into()), "8");
    assert_eq!(of((-9_i32).into()), "-9");
    assert_eq!(of(i64::MIN.into()), i64::MIN.to_string());
    for bytes in [Fingerprint::from([0, 0xab]), (&[0, 0xab]).into(), [0, 0xab].as_slice().into(), vec![0, 0xab].into()]
    {
        assert_eq!(of(bytes), "00ab");
    }
    let (_directory, path) = place();
    for _ in 0..2 {
        assert_eq!(DiskStore::<f64>::open(&path, -9_i64).unwrap().fingerprint(), "-9");
    }
}

#[test]
fn it_says_what_it_is() {
    fn shared<T: Send + Sync + Unpin + std::panic::UnwindSafe + 'static>(_: &T) {}
    let (_directory, path) = place();
    let store = DiskStore::<f64>::open(&path, "model 7").unwrap();
    shared(&store);
    store.insert(&Coalition::grand(3), &1.0).unwrap();
    let text = format!("{store:?}");
    assert!(text.contains("model 7") && text.contains("Some(3)") && text.contains("game.store"), "{text}");
    assert_eq!(store.path(), path);
    // A store behind a pointer is a store, as any.
    let boxed: Box<dyn Store<f64, Error = StoreError<DiskError>>> = Box::new(store);
    assert_eq!(boxed.get(&Coalition::grand(3)).unwrap(), Some(1.0));
}

#[test]
fn paths_of_all_kinds_work() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["no extension", ".hidden", "ünïcode ∅ name", &"long".repeat(60)] {
        let path = directory.path().join(name);
        DiskStore::open(&path, name).unwrap().insert(&Coalition::grand(2), &2.0).unwrap();
        assert_eq!(DiskStore::open(&path, name).unwrap().get(&Coalition::grand(2)).unwrap(), Some(2.0));
    }
    // Nothing else is left in the directory.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 4);
}
