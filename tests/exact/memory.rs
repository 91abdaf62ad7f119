//! How many values are in memory at a time: what the docs say, for values that own memory.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use shapley::{Exact, Permutation, Value, from_fn};

/// The values that are alive, and the most that were.
static ALIVE: AtomicI64 = AtomicI64::new(0);
static MOST: AtomicI64 = AtomicI64::new(0);
/// One test at a time counts.
static COUNTING: Mutex<()> = Mutex::new(());

/// A value that counts those that are there, as large as a vector.
#[derive(Debug)]
struct Owning(f64, #[expect(dead_code, reason = "room")] [usize; 2]);

impl Owning {
    fn new(number: f64) -> Self {
        MOST.fetch_max(ALIVE.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Self(number, [0; 2])
    }
}

impl Clone for Owning {
    fn clone(&self) -> Self {
        Self::new(self.0)
    }
}

impl Drop for Owning {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Value for Owning {
    fn add_assign(&mut self, other: &Self) {
        self.0 += other.0;
    }

    fn sub_assign(&mut self, other: &Self) {
        self.0 -= other.0;
    }

    fn scale(&mut self, numerator: i128, denominator: i128) {
        self.0.scale(numerator, denominator);
    }

    fn is_finite(&self) -> bool {
        self.0.is_finite()
    }

    fn zip_with(&self, other: &Self, mut f: impl FnMut(f64, f64) -> f64) -> Self {
        Self::new(f(self.0, other.0))
    }
}

fn most_alive<T>(run: impl FnOnce() -> T) -> i64 {
    MOST.store(ALIVE.load(Ordering::SeqCst), Ordering::SeqCst);
    let before = ALIVE.load(Ordering::SeqCst);
    drop(run());
    MOST.load(Ordering::SeqCst) - before
}

#[test]
fn an_exact_solver_has_three_blocks_of_values_on_each_thread() {
    let _counting = COUNTING.lock();
    for n in [3_i64, 8, 10, 12, 14, 18, 19] {
        let game = from_fn(n as usize, |s| Owning::new((s.len() as f64).sqrt()));
        let bits = n.min(10.max(n - 8));
        for threads in [1, 2] {
            let most = most_alive(|| Exact::new().threads(threads as usize).solve(&game).unwrap());
            let documented = threads * 3 * (1 << bits) + n * n * (n - bits + 2);
            assert!(most <= documented, "{n} players, {threads} threads: {most} values, not {documented}");
        }
    }
}

#[test]
fn a_sampler_has_some_values_for_each_player() {
    let _counting = COUNTING.lock();
    for n in [3, 20, 200] {
        let game = from_fn(n, |s| Owning::new((s.len() as f64).sqrt()));
        for samples in [1, 31, 1000_u64] {
            let budget = 2 + samples * 2 * (n as u64 - 1);
            let most = most_alive(|| Permutation::new(budget).threads(1).estimate(&game).unwrap());
            let documented = n as i64 * (20 + 2 * i64::from(samples.ilog2()));
            assert!(most <= documented, "{n} players, {samples} samples: {most} values, not {documented}");
        }
    }
}
