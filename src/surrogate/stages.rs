//! Stages of a design that grows until the values are precise enough, or the time is up.

use super::Options;
use super::constants::{FIRST_STAGE, FIRST_UNTIL_LATE, STAGE_GROWTH};
use crate::engine::stopping::Stopping;

/// The most evaluations that a run has made after each of its stages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stages {
    players: u64,
    budget: u64,
    ends_by: Ends,
}

/// What may end a run before its budget is spent.
#[derive(Clone, Copy, Debug)]
enum Ends {
    Nothing,
    Time,
    Precision,
}

impl Stages {
    pub(super) fn new(players: usize, options: &Options) -> Self {
        let ends_by = match options.stopping {
            Stopping { precision: Some(_), .. } => Ends::Precision,
            Stopping { deadline: Some(_), .. } => Ends::Time,
            Stopping { .. } => Ends::Nothing,
        };
        Self { players: players as u64, budget: options.evaluations, ends_by }
    }

    /// The end of the stage that begins after `made` evaluations. A last one of less than half a stage is part of the
    /// one before.
    pub(super) fn end(&self, made: u64) -> u64 {
        let first = FIRST_STAGE.saturating_mul(self.players) + 2;
        let (first, more) = match self.ends_by {
            Ends::Nothing => return self.budget,
            Ends::Time => (first.max(FIRST_UNTIL_LATE), made.max(FIRST_UNTIL_LATE)),
            Ends::Precision => (first, (made / STAGE_GROWTH).max(self.players)),
        };
        let end = if made <= 2 { first } else { made.saturating_add(more) };
        if self.budget.saturating_sub(end) < more / 2 { self.budget } else { end.min(self.budget) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn stages_grow_by_halves_up_to_the_budget() {
        let ends = |evaluations, players, made: u64| {
            let stopping = Stopping { precision: Some(0.1), ..Stopping::never() };
            let stages = Stages::new(players, &Options { evaluations, seed: 0, stopping });
            std::iter::successors(Some(stages.end(made)), |&made| (made < evaluations).then(|| stages.end(made)))
                .collect::<Vec<_>>()
        };
        assert_eq!(ends(180, 10, 2), [32, 48, 72, 108, 180]);
        assert_eq!(ends(250, 10, 2), [32, 48, 72, 108, 162, 250]);
        assert_eq!(ends(22, 10, 2), [22]);
        assert_eq!(ends(1000, 10, 600), [1000]);
        assert_eq!(ends(u64::MAX, 10, 600)[..3], [900, 1350, 2025]);
        let stages = Stages::new(10, &Options { evaluations: 500, seed: 0, stopping: Stopping::never() });
        assert_eq!(stages.end(2), 500);
        let stopping = Stopping { deadline: Some(Duration::ZERO), ..Stopping::never() };
        let stages = Stages::new(10, &Options { evaluations: 10_000, seed: 0, stopping });
        assert_eq!([2, 1024, 2048, 4096].map(|made| stages.end(made)), [1024, 2048, 4096, 10_000]);
    }
}
