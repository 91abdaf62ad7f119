//! The same bits, whatever the number of threads, the size of batches and the kind of game; and each coalition asked
//! for once, in batches of bounded size.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::common::masks::{mask_of, pseudo};
use crate::common::naive::by_subsets;
use shapley::{Coalition, Exact, Game, Table, TryGame, Value, from_fn};

const THREADS: [usize; 3] = [1, 2, 4];

/// 0 is the solver's own choice, which depends on the number of threads; 7 is rounded down to 4.
const BATCHES: [usize; 5] = [0, 1, 7, 64, 4096];

/// No batch is larger, whatever was asked for.
const LARGEST_BATCH: usize = 4096;

/// A larger game than the others, with blocks of more than one call and tables that are read on several threads.
const LARGE: usize = 18;

/// Values of many magnitudes, so that no two orders of summation round alike.
fn rough(seed: u64, mask: u64) -> f64 {
    pseudo(seed, mask) * 10_f64.powf(6.0 * pseudo(!seed, mask))
}

/// The bits of every number in a result.
trait Bits {
    fn bits(&self) -> Vec<u64>;
}

impl Bits for f64 {
    fn bits(&self) -> Vec<u64> {
        vec![self.to_bits()]
    }
}

impl Bits for f32 {
    fn bits(&self) -> Vec<u64> {
        vec![u64::from(self.to_bits())]
    }
}

impl<V: Bits, const N: usize> Bits for [V; N] {
    fn bits(&self) -> Vec<u64> {
        self.iter().flat_map(V::bits).collect()
    }
}

fn solved<G: TryGame<Value: Bits> + ?Sized>(game: &G, threads: usize, batch: usize) -> Vec<u64> {
    let phi = Exact::new().threads(threads).batch(batch).solve(game).expect("the values are finite");
    phi.iter().chain([phi.baseline(), phi.grand()]).flat_map(Bits::bits).collect()
}

/// One game on every number of threads and size of batches, as a closure and as a table.
fn assert_same_bits<V: Value + Bits>(players: usize, value: impl Fn(u64) -> V + Sync) {
    let table = Table::new((0..1 << players).map(&value).collect()).unwrap();
    let closure = from_fn(players, |s| value(mask_of(s)));
    let expected = solved(&table, 1, 0);
    for threads in THREADS {
        for batch in BATCHES {
            let how = format!("{players} players, {threads} threads, batches of {batch}");
            assert!(solved(&closure, threads, batch) == expected, "{how}: closure");
            assert!(solved(&table, threads, batch) == expected, "{how}: table");
        }
    }
}

#[test]
fn f64_small() {
    (1..=14).for_each(|n| assert_same_bits(n, |mask| rough(1, mask)));
}

#[test]
fn f64_large() {
    assert_same_bits(LARGE, |mask| rough(2, mask));
}

#[test]
fn f32_small() {
    (1..=14).for_each(|n| assert_same_bits(n, |mask| rough(3, mask) as f32));
}

#[test]
fn f32_large() {
    assert_same_bits(LARGE, |mask| rough(4, mask) as f32);
}

#[test]
fn several_outputs() {
    (1..=12).for_each(|n| assert_same_bits(n, |mask| [rough(5, mask), rough(6, mask)]));
}

/// The games above can tell one order of summation from another: the formula, summed in the order of the masks, gets
/// other bits. Without this, all the tests above could pass on games where nothing is ever rounded.
#[test]
fn another_order_of_summation_would_show() {
    for n in [8, 12] {
        let value = |mask| rough(1, mask);
        let phi = shapley::exact(&from_fn(n, |s| value(mask_of(s)))).unwrap();
        let other = by_subsets(n, value);
        let differ = phi.iter().zip(&other).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
        assert!(differ > n / 2, "only {differ} of {n}");
    }
}

#[test]
fn the_same_run_again_has_the_same_bits() {
    let game = from_fn(13, |s| rough(7, mask_of(s)));
    let first = solved(&game, 4, 0);
    // Which thread gets which block changes from run to run.
    for _ in 0..20 {
        assert!(solved(&game, 4, 0) == first);
    }
}

/// A game that keeps account of what it is asked.
struct Recorder {
    players: usize,
    asked: Vec<AtomicU32>,
    batches: AtomicUsize,
    largest_batch: AtomicUsize,
    mistakes: Mutex<Vec<String>>,
}

impl Recorder {
    fn new(players: usize) -> Self {
        let asked = (0..1 << players).map(|_| AtomicU32::new(0)).collect();
        let (batches, largest_batch) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { players, asked, batches, largest_batch, mistakes: Mutex::new(Vec::new()) }
    }
}

impl Game for Recorder {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.players
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        let mask = mask_of(coalition);
        // A panic here might be on another thread: what is wrong is told at the end.
        if coalition.num_players() != self.players {
            self.mistakes.lock().unwrap().push(format!("{coalition:?} in a game of {}", self.players));
        }
        match self.asked.get(mask as usize) {
            Some(count) => _ = count.fetch_add(1, Ordering::Relaxed),
            None => self.mistakes.lock().unwrap().push(format!("{coalition:?} does not exist")),
        }
        rough(8, mask)
    }

    fn values(&self, coalitions: &[Coalition], values: &mut Vec<f64>) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.largest_batch.fetch_max(coalitions.len(), Ordering::Relaxed);
        values.extend(coalitions.iter().map(|coalition| self.value(coalition)));
    }
}

#[test]
fn each_coalition_is_asked_for_once_in_batches_of_bounded_size() {
    for n in [1, 2, 5, 8, 9, 12, 13, 14, LARGE] {
        let expected = solved(&Table::new((0..1 << n).map(|mask| rough(8, mask)).collect()).unwrap(), 1, 0);
        for threads in THREADS {
            for batch in [0, 1, 7, 64, 100_000] {
                let how = format!("{n} players, {threads} threads, batches of {batch}");
                let recorder = Recorder::new(n);
                // A game that overrides `values` gives the same bits too.
                assert!(solved(&recorder, threads, batch) == expected, "{how}");
                assert_eq!(*recorder.mistakes.lock().unwrap(), Vec::<String>::new(), "{how}");
                let other = recorder.asked.iter().position(|count| count.load(Ordering::Relaxed) != 1);
                assert_eq!(other, None, "{how}: a mask that was not asked for just once");
                let limit = if batch == 0 { LARGEST_BATCH } else { LARGEST_BATCH.min(batch) };
                let largest = recorder.largest_batch.load(Ordering::Relaxed);
                assert!(largest <= limit, "{how}: a batch of {largest}");
                // A batch size that is a power of two is what is asked for, not only a limit.
                if batch == 64 && n >= 6 {
                    assert_eq!(recorder.batches.load(Ordering::Relaxed), 1 << (n - 6), "{how}");
                }
            }
        }
    }
}

#[test]
fn tabulating_asks_for_each_coalition_once_too() {
    for n in [1, 6, 13, LARGE] {
        let recorder = Recorder::new(n);
        let table = Table::tabulate(&recorder).unwrap();
        assert!(recorder.asked.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        assert!(recorder.largest_batch.load(Ordering::Relaxed) <= LARGEST_BATCH);
        assert!((0_u64..).zip(table.values()).all(|(mask, value)| value.to_bits() == rough(8, mask).to_bits()));
        assert_eq!((Game::num_players(&table), table.values().len()), (n, 1 << n));
        assert!(solved(&table, 2, 0) == solved(&recorder, 2, 0));
    }
}

#[test]
fn a_table_is_read_and_not_asked() {
    /// A table that must not be evaluated.
    struct Quiet(Vec<f64>);
    impl Game for Quiet {
        type Value = f64;

        fn num_players(&self) -> usize {
            self.0.len().ilog2() as usize
        }

        fn value(&self, coalition: &Coalition) -> f64 {
            panic!("{coalition} was asked for")
        }

        fn tabulated(&self) -> Option<&[f64]> {
            Some(&self.0)
        }
    }
    for n in [1, 14, 15] {
        let values: Vec<f64> = (0..1 << n).map(|mask| rough(9, mask)).collect();
        let table = Table::new(values.clone()).unwrap();
        let quiet: Box<dyn Game<Value = f64>> = Box::new(Quiet(values));
        assert!(solved(&*quiet, 2, 0) == solved(&table, 1, 0));
        assert!(solved(&quiet, 2, 0) == solved(&table, 1, 0), "through a pointer");
    }
}
