//! What the tests of caches and stores share: a game that counts, threads that start together, and a limit on patience.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use shapley::Coalition;

use crate::common::masks::pseudo;

/// The coalition of `n` players that stands for a mask of `bits` bits: its members lie apart, over all words there are.
pub(crate) fn spread(n: usize, bits: usize, mask: u64) -> Coalition {
    Coalition::from_players(n, (0..bits).filter(|bit| mask >> bit & 1 == 1).map(|bit| bit * (n / bits)))
}

/// The mask that a coalition stands for, as `spread` has it.
pub(crate) fn gathered(bits: usize, coalition: &Coalition) -> u64 {
    let apart = coalition.num_players() / bits;
    coalition.iter().fold(0, |mask, player| mask | 1 << (player / apart))
}

/// The value of a mask, in the tests that only look whether it is the right one.
pub(crate) fn worth(mask: u64) -> f64 {
    pseudo(7, mask)
}

/// How often each mask was evaluated.
pub(crate) struct Counts(Vec<AtomicU32>);

impl Counts {
    pub(crate) fn new(bits: usize) -> Self {
        Self((0..1 << bits).map(|_| AtomicU32::new(0)).collect())
    }

    /// Counts an evaluation. Returns how many there were before.
    pub(crate) fn add(&self, mask: u64) -> u32 {
        self.0[mask as usize].fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn of(&self, mask: u64) -> u32 {
        self.0[mask as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn all(&self) -> Vec<u32> {
        self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    pub(crate) fn sum(&self) -> u64 {
        self.all().into_iter().map(u64::from).sum()
    }
}

/// Runs `work` on so many threads that start together, and returns what each gives. A panic of one is a panic here.
pub(crate) fn at_once<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let gate = Barrier::new(threads);
    let (gate, work) = (&gate, &work);
    thread::scope(|scope| {
        let start = |number| {
            scope.spawn(move || {
                gate.wait();
                work(number)
            })
        };
        let running: Vec<_> = (0..threads).map(start).collect();
        running.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    })
}

/// Threads that are on their way to ask the same cache.
pub(crate) struct Crowd {
    size: usize,
    there: AtomicUsize,
}

impl Crowd {
    pub(crate) fn new(size: usize) -> Self {
        Self { size, there: AtomicUsize::new(0) }
    }

    /// Says that a thread is about to ask.
    pub(crate) fn arrive(&self) {
        self.there.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits, within an evaluation, until all are about to ask.
    pub(crate) fn gather(&self) {
        while self.there.load(Ordering::Relaxed) < self.size {
            thread::yield_now();
        }
        // From "about to ask" to "waits" is a step that nobody can see. The tests hold without it; with it, they test
        // what they are for.
        thread::sleep(Duration::from_millis(10));
    }
}

/// Runs what must end, and ends the process if it does not: threads that wait for ever cannot be ended otherwise.
pub(crate) fn must_end<T>(what: &'static str, run: impl FnOnce() -> T) -> T {
    let (running, ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        // If the run panics, it has ended, and the channel is closed.
        if ended.recv_timeout(Duration::from_secs(300)) == Err(RecvTimeoutError::Timeout) {
            eprintln!("{what}: no end after five minutes");
            std::process::abort();
        }
    });
    let result = run();
    drop(running);
    result
}
