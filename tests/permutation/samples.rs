//! The samples of a ledger's walks, and the naive mean of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

use crate::common::ledger::Call;
use crate::common::masks::pseudo;
use crate::common::rough::hash_of;
use shapley::Coalition;

/// A game that is nearly v(N) after a few players, whoever they are: what truncation is for.
pub(crate) fn saturating(coalition: &Coalition) -> f64 {
    // 7/10, 91/100, …: the first five players matter.
    1.0 - 0.3_f64.powi(coalition.len() as i32) * (1.0 + 0.1 * pseudo(1, hash_of(coalition)))
}

/// The whole orders of the walks among some calls: of a walk the last player is not asked for.
pub(crate) fn orders_of(players: usize, calls: &[Call]) -> Vec<Vec<usize>> {
    let whole = |order: &Vec<usize>| {
        assert_eq!(order.len(), players - 1, "a walk goes up to the last player but one");
        let last = (0..players).find(|player| !order.contains(player)).expect("one is left");
        order.iter().copied().chain([last]).collect()
    };
    let walk = |call: &Call| match call {
        Call::Walk(order) => Some(whole(order)),
        _ => None,
    };
    calls.iter().filter_map(walk).collect()
}

/// What each player adds along an order.
pub(crate) fn contributions(order: &[usize], value: impl Fn(&Coalition) -> f64) -> Vec<f64> {
    let mut sample = vec![0.0; order.len()];
    let mut here = Coalition::empty(order.len());
    for &player in order {
        let before = value(&here);
        here.insert(player);
        sample[player] = value(&here) - before;
    }
    sample
}

/// The samples of some walks: each alone, or the means of two and two.
pub(crate) fn samples_of(walks: &[Vec<f64>], antithetic: bool) -> Vec<Vec<f64>> {
    if !antithetic {
        return walks.to_vec();
    }
    let mean = |pair: &[Vec<f64>]| pair[0].iter().zip(&pair[1]).map(|(a, b)| (a + b) / 2.0).collect();
    walks.chunks(2).map(mean).collect()
}

/// Means and standard errors by the textbook, of each player.
pub(crate) fn mean_and_error(samples: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let count = samples.len() as f64;
    let of_player = |player: usize| {
        let mean = samples.iter().map(|sample| sample[player]).sum::<f64>() / count;
        let squares: f64 = samples.iter().map(|sample| (sample[player] - mean).powi(2)).sum();
        (mean, (squares / (count - 1.0) / count).sqrt())
    };
    (0..samples[0].len()).map(of_player).unzip()
}

/// What `run` gives, or what its panic says; it has a minute to end.
pub(crate) fn within_a_minute<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(run));
        let result =
            result.map_err(|payload| payload.downcast::<String>().map_or_else(|_| "?".to_owned(), |text| *text));
        // Nobody listens any more if the minute is over.
        _ = sender.send(result);
    });
    receiver.recv_timeout(Duration::from_secs(60)).expect("the run must end")
}
