//! The settings that all solvers share: threads, the size of batches, the observer.

/// How a solver asks the game, and whom it shows its progress.
#[derive(Clone, Copy)]
pub(crate) struct Settings<F> {
    /// 0: as many threads as rayon's current pool has.
    pub(crate) threads: usize,
    /// The most coalitions of a call; 0: chosen by the solver.
    pub(crate) batch: usize,
    pub(crate) observer: Option<F>,
    /// Whether the observer looks at half widths, which take a pass over all sums.
    pub(crate) shows_width: bool,
}

impl<F> Settings<F> {
    pub(crate) fn new() -> Self {
        Self { threads: 0, batch: 0, observer: None, shows_width: true }
    }

    pub(crate) fn with_observer<O>(&self, observer: Option<O>) -> Settings<O> {
        let Self { threads, batch, shows_width, .. } = *self;
        Settings { threads, batch, observer, shows_width }
    }

    /// The same settings for ranks that show nothing, and stop when `observer` breaks.
    #[cfg(feature = "mpi")]
    pub(crate) fn quiet<O>(&self, observer: O) -> Settings<O> {
        Settings { shows_width: false, ..self.with_observer(Some(observer)) }
    }
}
