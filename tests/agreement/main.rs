//! Games whose Shapley values are known, times the solvers: every solver must agree with every game.
//!
//! A new game is an entry of `known::written`, a new solver one of `solvers::solvers`. It then inherits all of
//! `checks`: the values, v(∅) and v(N), efficiency, null players, the number of evaluations, intervals, and the same
//! bits in every run, with any number of threads and any batch size.

mod checks;
#[path = "../common"]
mod common {
    pub(crate) mod compare;
    pub(crate) mod entries;
    pub(crate) mod rounding;
}
mod known;
mod solvers;

use checks::check;
use known::{Known, games, in_pairs};
use solvers::{Kind, Output, solvers};

/// Holds the solvers of a kind against games. Returns the number of values that were compared with known ones.
fn compared<V: Output>(kind: Kind, games: &[Known<V>]) -> usize {
    let solvers: Vec<_> = solvers().into_iter().filter(|solver| solver.kind == kind).collect();
    check(games, &solvers)
}

#[test]
fn exact_solvers() {
    assert!(compared(Kind::Exact, &games()) > 3000);
}

#[test]
fn exact_solvers_of_two_outputs() {
    assert!(compared(Kind::Exact, &in_pairs()) > 1000);
}

#[test]
fn samplers_of_orders() {
    assert!(compared(Kind::Orders, &games()) > 1000);
}

#[test]
fn samplers_of_orders_of_two_outputs() {
    assert!(compared(Kind::Orders, &in_pairs()) > 200);
}

#[cfg(feature = "surrogate")]
#[test]
fn samplers_of_coalitions() {
    assert!(compared(Kind::Coalitions, &games()) > 300);
}

#[cfg(feature = "surrogate")]
#[test]
fn samplers_of_coalitions_of_two_outputs() {
    assert!(compared(Kind::Coalitions, &in_pairs()) > 100);
}
