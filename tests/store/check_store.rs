//! The test of what a store owes finds stores that do not: each way to break the contract, and what is said of it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use shapley::store::{Store, StoreError, check_store};
use shapley::{Coalition, MemoryStore};

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    LosesTheSignOfZero,
    LosesTheLastBitOfNan,
    MakesNanOneNan,
    FlushesSubnormals,
    RoundsToF32,
    LosesInfinities,
    ForgetsTheSize,
    KnowsTheLowWordOnly,
    KnowsTheCountOnly,
    KnowsTheSumOnly,
    KnowsTheComplement,
    ManyOutOfOrder,
    ManyTooFew,
    ManyTooMany,
    ManyOverwrites,
    ManyOnlyWhatIsThere,
    InsertManyShifted,
    InsertManyRounds,
    CountsTwice,
    CountsNothing,
    CountsBatchesTwice,
    SaysItIsEmpty,
    InventsZero,
    InventsNan,
    FailsToRead,
    FailsToKeep,
    FailsOnEmptyBatches,
    Torn,
    ChangesOnReopening,
    LosesCountOnReopening,
    BeginsWithSomething,
    GivesAnotherExample,
}

#[derive(Debug)]
struct Broke;

impl fmt::Display for Broke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broke")
    }
}

impl std::error::Error for Broke {}

type Values = Arc<Mutex<HashMap<Vec<u64>, f64>>>;

struct Broken {
    fault: Fault,
    values: Values,
    reopened: bool,
    inserts: Mutex<u64>,
}

impl Broken {
    fn key(&self, coalition: &Coalition) -> Vec<u64> {
        let members = || coalition.iter().map(|player| player as u64);
        let size = coalition.num_players() as u64;
        match self.fault {
            Fault::ForgetsTheSize => members().collect(),
            Fault::KnowsTheLowWordOnly => [size].into_iter().chain(members().filter(|&player| player < 64)).collect(),
            Fault::KnowsTheCountOnly => vec![size, members().count() as u64],
            Fault::KnowsTheSumOnly => vec![size, members().sum()],
            Fault::KnowsTheComplement if coalition.contains(0) => {
                [size].into_iter().chain(coalition.complement().iter().map(|player| player as u64)).collect()
            }
            _ => [size].into_iter().chain(members()).collect(),
        }
    }

    fn read(&self, value: f64) -> f64 {
        match self.fault {
            Fault::LosesTheSignOfZero => value + 0.0,
            Fault::LosesTheLastBitOfNan if value.is_nan() => f64::from_bits(value.to_bits() & !1),
            Fault::MakesNanOneNan if value.is_nan() => f64::NAN,
            Fault::FlushesSubnormals if value.is_subnormal() => 0.0,
            Fault::RoundsToF32 if value.is_finite() => f64::from(value as f32),
            Fault::LosesInfinities => value.clamp(f64::MIN, f64::MAX),
            Fault::ChangesOnReopening if self.reopened => f64::from_bits(value.to_bits().swap_bytes()),
            _ => value,
        }
    }
}

impl Store<f64> for Broken {
    type Error = StoreError<Broke>;

    fn get(&self, coalition: &Coalition) -> Result<Option<f64>, Self::Error> {
        let found = self.values.lock().unwrap().get(&self.key(coalition)).map(|&value| self.read(value));
        match self.fault {
            Fault::FailsToRead if coalition.len() == 3 => Err(Broke)?,
            Fault::InventsZero => Ok(found.or(Some(0.0))),
            // Once there are some, it knows neighbours too.
            Fault::InventsNan if self.values.lock().unwrap().len() > 20 => Ok(found.or(Some(f64::NAN))),
            _ => Ok(found),
        }
    }

    fn insert(&self, coalition: &Coalition, value: &f64) -> Result<(), Self::Error> {
        *self.inserts.lock().unwrap() += 1;
        if self.fault == Fault::FailsToKeep && coalition.len() == 3 {
            Err(Broke)?;
        }
        if self.fault == Fault::Torn {
            // In two steps, of which others can see the first.
            let half = f64::from_bits(value.to_bits() >> 32 << 32);
            if self.values.lock().unwrap().insert(self.key(coalition), half).is_none() {
                thread::sleep(Duration::from_micros(200));
            }
        }
        self.values.lock().unwrap().insert(self.key(coalition), *value);
        Ok(())
    }

    fn get_many(&self, coalitions: &[Coalition], values: &mut Vec<Option<f64>>) -> Result<(), Self::Error> {
        let before = values.len();
        for coalition in coalitions {
            values.push(self.get(coalition)?);
        }
        match self.fault {
            Fault::ManyOutOfOrder => values[before..].reverse(),
            Fault::ManyTooFew => values.truncate(before + coalitions.len().saturating_sub(1)),
            Fault::ManyTooMany => values.push(None),
            Fault::ManyOverwrites => drop(values.drain(..before)),
            Fault::ManyOnlyWhatIsThere => values.retain(Option::is_some),
            Fault::FailsOnEmptyBatches if coalitions.is_empty() => Err(Broke)?,
            _ => {}
        }
        Ok(())
    }

    fn insert_many(&self, coalitions: &[Coalition], values: &[f64]) -> Result<(), Self::Error> {
        for (k, coalition) in coalitions.iter().enumerate() {
            let value = match self.fault {
                Fault::InsertManyShifted => values[(k + 1) % values.len()],
                Fault::InsertManyRounds if values[k].is_finite() => f64::from(values[k] as f32),
                _ => values[k],
            };
            self.insert(coalition, &value)?;
        }
        Ok(())
    }

    fn len(&self) -> u64 {
        let len = self.values.lock().unwrap().len() as u64;
        match self.fault {
            Fault::CountsTwice => *self.inserts.lock().unwrap(),
            Fault::CountsNothing => 0,
            Fault::CountsBatchesTwice => 2 * len,
            Fault::LosesCountOnReopening if self.reopened => 0,
            Fault::BeginsWithSomething => len + 1,
            _ => len,
        }
    }

    fn is_empty(&self) -> bool {
        self.fault != Fault::SaysItIsEmpty && self.len() == 0
    }

    fn example(&self, num_players: usize) -> Result<Option<(Coalition, f64)>, Self::Error> {
        let empty = Coalition::empty(num_players);
        let value = self.get(&empty)?;
        Ok(value.map(|value| (empty, if self.fault == Fault::GivesAnotherExample { value + 1.0 } else { value })))
    }
}

/// What the check says of a store, if anything. A store keeps its values in what stands for a file, one for each size.
fn said(fault: Fault) -> Option<String> {
    let mut files: HashMap<usize, Values> = HashMap::new();
    let open = |num_players| {
        let reopened = files.contains_key(&num_players);
        let values = files.entry(num_players).or_default().clone();
        Broken { fault, values, reopened, inserts: Mutex::new(0) }
    };
    let panic = catch_unwind(AssertUnwindSafe(|| check_store(open))).err()?;
    let text = panic.downcast_ref::<String>().cloned();
    Some(text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned())).unwrap_or_default())
}

#[track_caller]
fn assert_caught(fault: Fault, says: &str) {
    match said(fault) {
        Some(text) => assert!(text.contains(says), "{fault:?}: {text}"),
        None => panic!("{fault:?} is not found"),
    }
}

const BIT_FOR_BIT: &str = "bit for bit, or not at all";

#[test]
fn a_good_store_passes_whether_or_not_it_outlives_the_process() {
    assert_eq!(said(Fault::None), None);
    check_store(|_| Broken { fault: Fault::None, values: Values::default(), reopened: false, inserts: Mutex::new(0) });
}

#[test]
fn values_that_change_are_found() {
    for fault in [
        Fault::LosesTheSignOfZero,
        Fault::LosesTheLastBitOfNan,
        Fault::MakesNanOneNan,
        Fault::FlushesSubnormals,
        Fault::RoundsToF32,
        Fault::LosesInfinities,
        Fault::InsertManyShifted,
        Fault::InsertManyRounds,
        Fault::ChangesOnReopening,
    ] {
        assert_caught(fault, BIT_FOR_BIT);
    }
}

#[test]
fn keys_that_mix_coalitions_are_found() {
    for fault in
        [Fault::KnowsTheLowWordOnly, Fault::KnowsTheCountOnly, Fault::KnowsTheSumOnly, Fault::KnowsTheComplement]
    {
        let text = said(fault).unwrap_or_else(|| panic!("{fault:?} is not found"));
        assert!(
            text.contains(BIT_FOR_BIT) || text.contains("was never inserted, and has a value"),
            "{fault:?}: {text}"
        );
    }
}

/// "Games of different sizes never share a key": a store for one size may refuse others, and must not mix them up.
#[test]
fn keys_that_mix_games_of_different_sizes_are_found() {
    // A store is opened anew for each size, so it can only be seen by asking it for another.
    assert!(said(Fault::ForgetsTheSize).is_some(), "a key without the number of players is not found");
}

#[test]
fn answers_for_many_that_are_not_as_many_are_found() {
    assert_caught(Fault::ManyTooFew, "get_many appends an answer for each coalition");
    assert_caught(Fault::ManyTooMany, "get_many appends an answer for each coalition");
    assert_caught(Fault::ManyOnlyWhatIsThere, "get_many appends an answer for each coalition");
    assert_caught(Fault::ManyOverwrites, "get_many appends: what was there stays");
    let text = said(Fault::ManyOutOfOrder).expect("found");
    assert!(text.contains(BIT_FOR_BIT) || text.contains("was never inserted, and has a value"), "{text}");
}

#[test]
fn what_was_never_inserted_and_is_there_is_found() {
    assert_caught(Fault::InventsZero, "what was never inserted is not there");
    assert_caught(Fault::InventsNan, "was never inserted, and has a value");
    assert_caught(Fault::GivesAnotherExample, "example has another value");
}

#[test]
fn lengths_that_are_wrong_are_found() {
    assert_caught(Fault::CountsTwice, "is one entry");
    assert_caught(Fault::CountsNothing, "and the store says it has 0");
    assert_caught(Fault::CountsBatchesTwice, "the store has");
    assert_caught(Fault::SaysItIsEmpty, "a new store is empty");
    assert_caught(Fault::BeginsWithSomething, "a new store is empty");
    assert_caught(Fault::LosesCountOnReopening, "values came back, and the store says it has 0");
}

#[test]
fn failures_are_found() {
    assert_caught(Fault::FailsToRead, "the store failed: StoreError(Broke)");
    assert_caught(Fault::FailsToKeep, "the store failed: StoreError(Broke)");
    assert_caught(Fault::FailsOnEmptyBatches, "the store failed: StoreError(Broke)");
}

/// By chance, but a chance that comes hundreds of times: a value is torn for a while whenever one is new. The panic is
/// one of a thread's, so its text is not the check's.
#[test]
fn values_that_other_threads_see_half_written_are_found() {
    assert!(said(Fault::Torn).is_some());
}

/// A file with something in it is not what the check opens.
#[test]
fn a_store_that_has_been_used_is_refused() {
    let used = Values::default();
    used.lock().unwrap().insert(vec![0], 1.0);
    let open = |_| Broken { fault: Fault::None, values: used.clone(), reopened: false, inserts: Mutex::new(0) };
    assert!(catch_unwind(AssertUnwindSafe(|| check_store(open))).is_err());
}

/// A store whose table is not what `get` says.
struct OddTable {
    inner: MemoryStore<f64>,
    table: OnceLock<Vec<f64>>,
    odd: fn(&mut Vec<f64>),
}

impl Store<f64> for OddTable {
    type Error = Infallible;

    fn get(&self, coalition: &Coalition) -> Result<Option<f64>, Infallible> {
        self.inner.get(coalition)
    }

    fn insert(&self, coalition: &Coalition, value: &f64) -> Result<(), Infallible> {
        self.inner.insert(coalition, value)
    }

    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn tabulated(&self, num_players: usize) -> Option<&[f64]> {
        let values = self.inner.tabulated(num_players)?;
        Some(self.table.get_or_init(|| {
            let mut values = values.to_vec();
            (self.odd)(&mut values);
            values
        }))
    }
}

#[test]
fn tables_that_are_wrong_are_found() {
    let said = |odd: fn(&mut Vec<f64>)| {
        let open = || check_store(|_| OddTable { inner: MemoryStore::unbounded(), table: OnceLock::new(), odd });
        catch_unwind(AssertUnwindSafe(open))
            .err()
            .map(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
    };
    assert_eq!(said(|_| ()), None);
    for odd in [|values: &mut Vec<f64>| values.reverse(), |values: &mut Vec<f64>| values[0] += 1.0] {
        assert!(said(odd).is_some_and(|text| text.contains("tabulated has another value")));
    }
    assert!(said(|values| values.truncate(1)).is_some_and(|text| text.contains("a table of 1 values for 1 players")));
}

/// Each value was paid for, so one that cannot be kept does not take the others with it.
#[test]
fn a_batch_goes_on_after_a_failure() {
    struct Full(MemoryStore<f64>);

    impl Store<f64> for Full {
        type Error = StoreError<Broke>;

        fn get(&self, coalition: &Coalition) -> Result<Option<f64>, Self::Error> {
            let Ok(value) = self.0.get(coalition);
            Ok(value)
        }

        fn insert(&self, coalition: &Coalition, value: &f64) -> Result<(), Self::Error> {
            let Ok(()) = self.0.insert(coalition, value);
            if coalition.len() == 1 { Err(Broke)? } else { Ok(()) }
        }

        fn len(&self) -> u64 {
            self.0.len()
        }
    }

    let store = Full(MemoryStore::unbounded());
    let coalitions: Vec<Coalition> = (0..8).map(|mask| Coalition::from_mask(3, mask)).collect();
    assert!(store.insert_many(&coalitions, &[1.0; 8]).is_err());
    assert_eq!(store.len(), 8);
}
