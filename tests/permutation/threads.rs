//! The sampler on many threads: values that use threads themselves, games that become slow, runs ended in the middle.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use crate::common::resumed::assert_same_samples;
use crate::common::rough::rough;
use shapley::{Coalition, Permutation, Stopped, from_fn};

/// A value whose additions wait for other threads, which may have the waiting one do some of the sampler's work.
#[cfg(feature = "parallel")]
#[test]
fn values_may_use_threads_themselves() {
    use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelIterator};
    use shapley::{Estimate, Value};

    #[derive(Clone, Debug, PartialEq)]
    struct Picture(Vec<f64>);

    impl Value for Picture {
        fn add_assign(&mut self, other: &Self) {
            self.0.par_iter_mut().zip(other.0.par_iter()).for_each(|(mine, theirs)| *mine += theirs);
        }
        fn sub_assign(&mut self, other: &Self) {
            self.0.par_iter_mut().zip(other.0.par_iter()).for_each(|(mine, theirs)| *mine -= theirs);
        }
        fn scale(&mut self, numerator: i128, denominator: i128) {
            self.0.iter_mut().for_each(|mine| mine.scale(numerator, denominator));
        }
        fn is_finite(&self) -> bool {
            self.0.iter().all(|pixel| pixel.is_finite())
        }
        fn zip_with(&self, other: &Self, mut f: impl FnMut(f64, f64) -> f64) -> Self {
            Self(self.0.iter().zip(&other.0).map(|(&a, &b)| f(a, b)).collect())
        }
    }

    let run = || -> Vec<Estimate<Picture>> {
        let game = from_fn(5, |s: &Coalition| Picture((0..64).map(|pixel| rough(pixel, s)).collect()));
        let go_on = |_: &shapley::Progress| ControlFlow::Continue(());
        let estimate = |threads| Permutation::new(402).threads(threads).observe(go_on).estimate(&game).unwrap();
        (0..40).flat_map(|_| [1, 8].map(estimate)).collect()
    };
    let estimates = crate::samples::within_a_minute(run).unwrap();
    assert!(estimates.windows(2).all(|pair| pair[0] == pair[1]));
}

/// Fast games are walked by the thousand between two looks at the clock, until one takes its time.
#[test]
fn a_game_that_becomes_slow_is_stopped_in_time() {
    for observed in [false, true] {
        let start = Instant::now();
        let game = from_fn(10, |s: &Coalition| {
            if start.elapsed() > Duration::from_millis(100) {
                std::thread::sleep(Duration::from_millis(1));
            }
            s.len() as f64
        });
        let end = Duration::from_millis(150);
        let sampler = Permutation::new(u64::MAX).threads(2);
        let late = |_: &shapley::Progress| match start.elapsed() > end {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let (estimate, stopped) = match observed {
            true => (sampler.observe(late).estimate(&game), Stopped::Observer),
            false => (sampler.deadline(end).estimate(&game), Stopped::Deadline),
        };
        assert_eq!(estimate.unwrap().stopped(), stopped);
        // A sample takes 20 ms or so; a unit of a millisecond's worth of samples, minutes.
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}

/// Threads that are stopped leave numbers out between those they made. Whoever goes on makes these first.
#[test]
fn a_run_that_was_ended_in_the_middle_goes_on_to_the_same_bits() {
    let game = from_fn(6, |s: &Coalition| rough(3, s));
    let whole = Permutation::new(30_000).seed(4).estimate(&game).unwrap();
    for attempt in 0..30 {
        let evaluations = AtomicU64::new(0);
        let slow = AtomicBool::new(false);
        let game = from_fn(6, |s: &Coalition| {
            let count = evaluations.fetch_add(1, SeqCst);
            if slow.load(SeqCst) && count.is_multiple_of(3) {
                std::thread::sleep(Duration::from_micros(300));
            }
            rough(3, s)
        });
        let stop = |progress: &shapley::Progress| {
            slow.store(progress.evaluations > 500, SeqCst);
            let end = 1_000 + 300 * attempt;
            if progress.evaluations > end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let sampler = Permutation::new(30_000).seed(4).threads(4);
        let part = sampler.clone().observe(stop).estimate(&game).unwrap();
        assert_eq!(part.evaluations(), 2 + 5 * part.permutations());
        slow.store(false, SeqCst);
        let rest = Permutation::new(30_002).seed(4).threads(4).resume(&game, &part).unwrap();
        assert_same_samples(&rest, &whole, 1, &format!("after {} permutations", part.permutations()));
        assert_eq!(evaluations.load(SeqCst), rest.evaluations());
    }
}

#[test]
fn more_threads_than_work_are_no_harm() {
    let game = from_fn(20, |s: &Coalition| rough(1, s));
    let sampler = Permutation::new(2_000).precision(1e-9).batch(usize::MAX);
    let one = sampler.clone().threads(1).estimate(&game).unwrap();
    for threads in [0, 3, 64, usize::MAX] {
        assert_eq!(sampler.clone().threads(threads).estimate(&game).unwrap(), one);
    }
}
