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

/// Means and standard errors of the samples of one seed, of each player: as docs/permutation.md has it, step by step.
pub(crate) fn mean_and_error(samples: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    mean_and_error_of_seeds(&[samples])
}

/// The same for samples of several seeds.
pub(crate) fn mean_and_error_of_seeds(seeds: &[&[Vec<f64>]]) -> (Vec<f64>, Vec<f64>) {
    let samples = seeds.concat();
    let (count, players) = (samples.len() as f64, 0..samples[0].len());
    let of_player = |player: usize| {
        let mean = samples.iter().map(|sample| sample[player]).sum::<f64>() / count;
        let squares: f64 = samples.iter().map(|sample| (sample[player] - mean).powi(2)).sum();
        (mean, squares / (count - 1.0))
    };
    let (means, variances): (Vec<f64>, Vec<f64>) = players.clone().map(of_player).unzip();
    let (part, mean) = (shared_part(seeds), variances.iter().sum::<f64>() / players.len() as f64);
    let error = |variance: &f64| ((part * mean + (1.0 - part) * variance) / count).sqrt();
    let errors = variances.iter().map(error).collect();
    (means, errors)
}

/// The part of a player's variance that is the mean of all players' variances.
fn shared_part(seeds: &[&[Vec<f64>]]) -> f64 {
    let (mut terms, mut count) = (0.0, 0.0);
    for group in seeds.iter().flat_map(|samples| samples.chunks_exact(4)) {
        let players = 0..group[0].len();
        let sums = players.clone().map(|i| (group[0][i] + group[1][i]).powi(2) + (group[2][i] + group[3][i]).powi(2));
        let rounding = 1e-20 * sums.sum::<f64>();
        for i in players {
            let [a, b] = [(group[0][i] - group[1][i]).powi(2) / 2.0, (group[2][i] - group[3][i]).powi(2) / 2.0];
            if a + b > rounding {
                terms += ((a - b) / (a + b)).powi(2);
                count += 1.0;
            }
        }
    }
    let tail = if count > 0.0 { (2.0 * terms / count - 1.0_f64).clamp(0.0, 1.0) } else { 0.5 };
    let samples: usize = seeds.iter().map(|samples| samples.len()).sum();
    let (shared, own) = (6.0 * (2.0 * tail).min(1.0), ((samples - 1) as f64 * (1.0 - tail)).max(1.0));
    shared / (shared + own)
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
