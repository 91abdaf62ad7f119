//! Whether the values of a store are those of the game that is cached.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::cached::{Cached, ErrorOf};
use super::flights::Landed;
use super::{Store, StoreFailure};
use crate::engine::partial::is_same;
use crate::value::Shown;
use crate::{Coalition, TryGame, Value};

const UNKNOWN: u8 = 0;
const SAME: u8 = 1;
const ANOTHER: u8 = 2;

/// What is known of the game whose values a store has. It is known before anything is put into the store, so whoever
/// finds a value there, under a lock of the store, finds this as well.
pub(super) struct SameGame<V> {
    is: AtomicU8,
    /// The value of one coalition by the game and by the store, where they differ.
    differ: OnceLock<[String; 2]>,
    /// What was evaluated apart from the store.
    apart: Mutex<HashMap<Coalition, V>>,
}

/// Who answers what a cache is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answerer {
    /// The store, and the game for what it does not have.
    Store,
    /// The game, remembered apart from the store, which is another's; or not known to be its own, while the game asks
    /// itself for its own check.
    Apart,
    /// The game, which gives a wrong number of values: the solver will see it.
    Game,
}

impl<V> SameGame<V> {
    pub(super) fn unknown() -> Self {
        Self { is: AtomicU8::new(UNKNOWN), differ: OnceLock::new(), apart: Mutex::default() }
    }

    /// Takes the store's values for the game's, unchecked.
    #[cfg(feature = "surrogate")]
    pub(super) fn believe(&self) {
        self.is.store(SAME, Ordering::Release);
    }

    /// The value of one coalition by the game and by the store, where they differ.
    pub(super) fn differ(&self) -> Option<&[String; 2]> {
        self.differ.get()
    }

    fn apart(&self) -> MutexGuard<'_, HashMap<Coalition, V>> {
        self.apart.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<G: TryGame, S: Store<G::Value>> Cached<G, S> {
    /// Who is to answer. Before the first look into a store that has values and does not know its game, one of its
    /// coalitions is evaluated again, by one thread.
    pub(super) fn answerer(&self) -> Result<Answerer, ErrorOf<G, S>> {
        loop {
            match self.same_game.is.load(Ordering::Acquire) {
                SAME => return Ok(Answerer::Store),
                ANOTHER => return Ok(Answerer::Apart),
                _ => {}
            }
            let example = match self.store.fingerprint() {
                None if !self.store.is_empty() => {
                    self.store.example(self.num_players()).map_err(StoreFailure::of_store)?
                }
                _ => None,
            };
            let Some((coalition, stored)) = example else {
                self.same_game.is.store(SAME, Ordering::Release);
                continue;
            };
            let coalitions = [coalition];
            let claim = self.flights.claim(&coalitions, &[0]);
            if let Some(own) = claim.own {
                if self.same_game.is.load(Ordering::Acquire) == UNKNOWN {
                    self.misses.fetch_add(1, Ordering::Relaxed);
                    let mut values = Vec::with_capacity(1);
                    self.game.try_values(&coalitions, &mut values).map_err(S::Error::of_game)?;
                    let [value] = &values[..] else { return Ok(Answerer::Game) };
                    let is = if is_same(value, &stored) { SAME } else { ANOTHER };
                    if is == ANOTHER {
                        // All members of a large coalition would fill the screen.
                        let name = match &coalitions[0] {
                            grand if grand.is_grand() => "v(N)".to_owned(),
                            empty if empty.is_empty() => "v(empty)".to_owned(),
                            large if large.len() > 20 => format!("v of {} of the players", large.len()),
                            other => format!("v({other})"),
                        };
                        let shown = |value| format!("{name} = {}", Shown(value));
                        let _ = self.same_game.differ.set([shown(value), shown(&stored)]);
                    }
                    if is == SAME {
                        let apart = std::mem::take(&mut *self.same_game.apart()).into_iter();
                        let (coalitions, values): (Vec<_>, Vec<_>) =
                            apart.filter(|(_, value)| value.is_finite()).unzip();
                        self.store.insert_many(&coalitions, &values).map_err(StoreFailure::of_store)?;
                    } else {
                        self.same_game.apart().insert(coalitions[0].clone(), value.clone());
                    }
                    self.same_game.is.store(is, Ordering::Release);
                }
                own.land(&[Some(stored)]);
                continue;
            }
            for (_, wait) in claim.others {
                // The game is being evaluated for this very check, and asks its own cache.
                if matches!(wait.wait(), Landed::Circle) {
                    return Ok(Answerer::Apart);
                }
            }
        }
    }

    /// The values of coalitions by the game, without the store.
    pub(super) fn without_store(
        &self,
        answerer: Answerer,
        coalitions: &[Coalition],
        values: &mut Vec<G::Value>,
    ) -> Result<(), ErrorOf<G, S>> {
        if answerer == Answerer::Game && coalitions.len() != 1 {
            self.misses.fetch_add(coalitions.len() as u64, Ordering::Relaxed);
            return self.game.try_values(coalitions, values).map_err(S::Error::of_game);
        }
        // One by one: a game that asks itself asks for each once.
        for coalition in coalitions {
            let known = self.same_game.apart().get(coalition).cloned();
            let value = match known {
                Some(value) => {
                    self.hits.fetch_add(1, Ordering::Relaxed);
                    value
                }
                None => {
                    self.misses.fetch_add(1, Ordering::Relaxed);
                    let value = self.game.try_value(coalition).map_err(S::Error::of_game)?;
                    self.same_game.apart().insert(coalition.clone(), value.clone());
                    value
                }
            };
            values.push(value);
        }
        Ok(())
    }
}
