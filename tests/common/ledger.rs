//! A game that keeps account of what it is asked.

use std::sync::Mutex;

use shapley::{Coalition, Game};

/// A call of the game.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Value(Coalition),
    Values(Vec<Coalition>),
    Walk(Vec<usize>),
}

/// A value function and the calls that were made of it, by three games that share it.
pub(crate) struct Ledger<F> {
    pub(crate) players: usize,
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

    /// The calls since the last time.
    pub(crate) fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    pub(crate) fn one(&self, coalition: &Coalition) -> f64 {
        self.calls.lock().unwrap().push(Call::Value(coalition.clone()));
        (self.value)(coalition)
    }

    pub(crate) fn many(&self, coalitions: &[Coalition], values: &mut Vec<f64>) {
        self.calls.lock().unwrap().push(Call::Values(coalitions.to_vec()));
        values.extend(coalitions.iter().map(&self.value));
    }

    pub(crate) fn along(&self, order: &[usize], values: &mut Vec<f64>) {
        self.calls.lock().unwrap().push(Call::Walk(order.to_vec()));
        let mut prefix = Coalition::empty(self.players);
        values.extend(order.iter().map(|&player| {
            prefix.insert(player);
            (self.value)(&prefix)
        }));
    }
}

/// By `value`, `values` and `walk`.
pub(crate) struct Walked<'a, F>(pub(crate) &'a Ledger<F>);

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
