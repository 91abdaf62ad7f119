/// Why there is no picture.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// Every player has one label.
    #[error("{labels} labels were given for {players} players: every player needs one")]
    Labels {
        /// The labels given.
        labels: usize,
        /// The players of the result.
        players: usize,
    },
    /// This picture shows one output, and the result has several.
    #[error(
        "the result has {outputs} outputs, and this picture shows one: choose it by `Explanation::output`, or, \
         for interactions, by `InteractionGraph::output`"
    )]
    SeveralOutputs {
        /// The outputs of the result.
        outputs: usize,
    },
    /// There is no such output.
    #[error("there is no output {output}: the result has {outputs}, and the first is 0")]
    NoOutput {
        /// The output asked for.
        output: usize,
        /// The outputs of the result.
        outputs: usize,
    },
    /// Interactions are drawn beside values of the same outputs.
    #[error(
        "the interactions have {outputs} outputs, and the values have {expected}: choose one of either by \
         `InteractionGraph::output` or `Explanation::output`"
    )]
    Outputs {
        /// The outputs of the interactions.
        outputs: usize,
        /// The outputs of the values.
        expected: usize,
    },
    /// Every output has one name.
    #[error("{names} names were given for {outputs} outputs: every output needs one")]
    OutputNames {
        /// The names given.
        names: usize,
        /// The outputs of the result.
        outputs: usize,
    },
    /// A value is NaN or infinite, which no solver returns, or so large that sums of such values could be.
    #[error("a value of player {player} is {value:e}: only values up to 4e307 over the number of players can be drawn")]
    NotFinite {
        /// Whose value it is; 0 if it is v(∅) or v(N).
        player: usize,
        /// What it is.
        value: f64,
    },
    /// Results that belong together have different numbers of players.
    #[error("{what} has {players} players, and the others have {expected}")]
    Players {
        /// Which one.
        what: String,
        /// Its players.
        players: usize,
        /// Those of the others.
        expected: usize,
    },
    /// There are no pairs among interactions of order 1.
    #[error("interactions of order {order} have no pairs: ask for order 2 or more")]
    NoPairs {
        /// The order of the interactions.
        order: usize,
    },
    /// The values of features are a matrix of a row for each explanation and a column for each player.
    #[error(
        "{values} feature values were given for {rows} explanations of {columns} players: {rows} x {columns} are needed, or none"
    )]
    FeatureValues {
        /// The values given.
        values: usize,
        /// The explanations.
        rows: usize,
        /// Their players.
        columns: usize,
    },
    /// There is nothing to draw.
    #[error("there is nothing to draw: {what}")]
    Nothing {
        /// What is missing.
        what: &'static str,
    },
}
