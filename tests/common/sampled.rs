//! What the tests of the sampler share: games that keep account of what they are asked, and the naive mean of samples.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use shapley::{Coalition, Estimate, Game};

use super::{mix, pseudo};

/// What depends on the members alone, whatever their number and order.
pub(crate) fn hash_of(coalition: &Coalition) -> u64 {
    coalition.iter().fold(0, |hash, player| hash ^ mix(player as u64))
}

/// A value of any magnitude from 10⁻³ to 10³ or so, so that no two orders of summation round alike.
pub(crate) fn rough(seed: u64, coalition: &Coalition) -> f64 {
    let hash = hash_of(coalition);
    pseudo(seed, hash) * 10_f64.powf(3.0 * pseudo(!seed, hash))
}

/// A game that is nearly v(N) after a few players, whoever they are: what truncation is for.
pub(crate) fn saturating(coalition: &Coalition) -> f64 {
    // 7/10, 91/100, …: the first five players matter.
    1.0 - 0.3_f64.powi(coalition.len() as i32) * (1.0 + 0.1 * pseudo(1, hash_of(coalition)))
}

/// A call of the game.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Value(Coalition),
    Values(Vec<Coalition>),
    Walk(Vec<usize>),
}

impl Call {
    /// The coalitions asked for.
    pub(crate) fn coalitions(&self, players: usize) -> Vec<Coalition> {
        match self {
            Self::Value(coalition) => vec![coalition.clone()],
            Self::Values(coalitions) => coalitions.clone(),
            Self::Walk(order) => prefixes(players, order),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Value(_) => 1,
            Self::Values(coalitions) => coalitions.len(),
            Self::Walk(order) => order.len(),
        }
    }
}

/// The prefixes of an order that have someone in them.
pub(crate) fn prefixes(players: usize, order: &[usize]) -> Vec<Coalition> {
    (1..=order.len()).map(|len| Coalition::from_players(players, order[..len].iter().copied())).collect()
}

/// A value function and the calls that were made of it, by three games that share it.
pub(crate) struct Ledger<F> {
    players: usize,
    value: F,
    calls: Mutex<Vec<Call>>,
}

impl<F: Fn(&Coalition) -> f64 + Sync> Ledger<F> {
    pub(crate) fn new(players: usize, value: F) -> Self {
        Self { players, value, calls: Mutex::new(Vec::new()) }
    }

    /// The game with all it may override.
    pub(crate) fn walked(&self) -> Walked<'_, F> {
        Walked(self)
    }

    /// The game by `value` alone, with `values`, and with `walk` too.
    pub(crate) fn games(&self) -> [Box<dyn Game<Value = f64> + '_>; 3] {
        [Box::new(Plain(self)), Box::new(Batched(self)), Box::new(Walked(self))]
    }

    /// The calls since the last time.
    pub(crate) fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn one(&self, coalition: &Coalition) -> f64 {
        self.calls.lock().unwrap().push(Call::Value(coalition.clone()));
        (self.value)(coalition)
    }

    fn many(&self, coalitions: &[Coalition], values: &mut Vec<f64>) {
        self.calls.lock().unwrap().push(Call::Values(coalitions.to_vec()));
        values.extend(coalitions.iter().map(&self.value));
    }

    fn along(&self, order: &[usize], values: &mut Vec<f64>) {
        self.calls.lock().unwrap().push(Call::Walk(order.to_vec()));
        let mut prefix = Coalition::empty(self.players);
        values.extend(order.iter().map(|&player| {
            prefix.insert(player);
            (self.value)(&prefix)
        }));
    }
}

/// By `value` alone.
struct Plain<'a, F>(&'a Ledger<F>);

impl<F: Fn(&Coalition) -> f64 + Sync> Game for Plain<'_, F> {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.0.players
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        self.0.one(coalition)
    }
}

/// By `value` and `values`.
struct Batched<'a, F>(&'a Ledger<F>);

impl<F: Fn(&Coalition) -> f64 + Sync> Game for Batched<'_, F> {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.0.players
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        self.0.one(coalition)
    }

    fn values(&self, coalitions: &[Coalition], values: &mut Vec<f64>) {
        self.0.many(coalitions, values);
    }
}

/// By `value`, `values` and `walk`.
pub(crate) struct Walked<'a, F>(&'a Ledger<F>);

impl<F: Fn(&Coalition) -> f64 + Sync> Game for Walked<'_, F> {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.0.players
    }

    fn value(&self, coalition: &Coalition) -> f64 {
        self.0.one(coalition)
    }

    fn values(&self, coalitions: &[Coalition], values: &mut Vec<f64>) {
        self.0.many(coalitions, values);
    }

    fn walk(&self, order: &[usize], values: &mut Vec<f64>) {
        self.0.along(order, values);
    }
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

/// The bits of values and of errors, which tell more than `==` does: 0 is not −0.
pub(crate) fn bits_of(estimate: &Estimate<f64>) -> Vec<u64> {
    estimate.values().iter().chain(estimate.std_errors()).map(|value| value.to_bits()).collect()
}

/// Two estimates are the same, in all that can be seen and all that cannot.
#[track_caller]
pub(crate) fn assert_same(a: &Estimate<f64>, b: &Estimate<f64>, how: &str) {
    assert_eq!(bits_of(a), bits_of(b), "{how}");
    assert_eq!(a, b, "{how}");
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
