use super::explanation::Output;
use super::number::Format;
use super::{Explanation, PlotError};
#[cfg(feature = "surrogate")]
use crate::InteractionEstimate;
use crate::display::isolated;
use crate::{Coalition, Interactions, Value};

/// Players with their values, and pairs of players with their interactions: what [`network`](crate::plot::network) and
/// [`Text::interactions`](crate::plot::Text::interactions) draw, of [`Interactions`] or of an `InteractionEstimate`
/// (feature `surrogate`), with standard errors where there are any.
///
/// Both functions take results by reference, and make this of them. It is named where one of several outputs is to be
/// drawn:
///
/// ```
/// use shapley::plot::{self, InteractionGraph};
///
/// let game = shapley::from_fn(2, |s| [s.len() as f64, (s.len() * s.len()) as f64]);
/// let pairs = shapley::interactions(&game, shapley::Index::Shapley, 2)?;
/// let svg = plot::network(&["first", "second"], InteractionGraph::from(&pairs).output(1)?)?;
/// assert!(svg.contains("{first, second}"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A pair whose interaction is no larger than the rounding of the values is taken for zero: most pairs of an additive
/// game have such a one.
///
/// A pair whose interval at 95 % holds zero is drawn fainter: it could be zero. Of twenty pairs that are zero, one on
/// average has an interval without zero, and is drawn like any other.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct InteractionGraph {
    order: usize,
    nodes: Explanation,
    /// All pairs, for each output.
    edges: Vec<Vec<Edge>>,
}

/// A pair of players, and one output of their interaction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Edge {
    pub(crate) players: [usize; 2],
    pub(crate) value: f64,
    pub(crate) std_error: Option<f64>,
    /// Whether the interval at [`LEVEL`] holds zero.
    pub(crate) could_be_zero: bool,
}

/// Of the intervals by which a pair could be zero.
#[cfg(feature = "surrogate")]
const LEVEL: f64 = 0.95;

/// What is said of a pair whose interval holds zero.
pub(crate) const COULD_BE_ZERO: &str = "could be zero";

impl InteractionGraph {
    /// This output alone, counted from 0.
    ///
    /// # Errors
    ///
    /// [`NoOutput`](PlotError::NoOutput).
    pub fn output(mut self, output: usize) -> Result<Self, PlotError> {
        self.nodes = self.nodes.output(output)?;
        self.edges = vec![self.edges.swap_remove(output)];
        Ok(self)
    }

    /// How many outputs there are.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.nodes.outputs()
    }

    pub(crate) fn players(&self) -> usize {
        self.nodes.players()
    }

    /// The only output.
    pub(crate) fn only(&self, labels: usize) -> Result<(&Output, &[Edge]), PlotError> {
        let nodes = self.nodes.only(labels)?;
        Ok((nodes, &self.edges()?[0]))
    }

    /// The pairs of each output, if there are any and they can be drawn.
    pub(crate) fn edges(&self) -> Result<&[Vec<Edge>], PlotError> {
        if self.order < 2 {
            return Err(PlotError::NoPairs { order: self.order });
        }
        match self.edges.iter().flatten().find(|edge| !edge.value.is_finite()) {
            Some(edge) => Err(PlotError::NotFinite { player: edge.players[0], value: edge.value }),
            None => Ok(&self.edges),
        }
    }
}

impl Edge {
    /// Its number and its standard error, and whether it could be zero. The format is that of all pairs.
    pub(crate) fn number(&self, format: Format) -> String {
        let number = format.with_error(self.value, self.std_error);
        if self.could_be_zero { format!("{number} ({COULD_BE_ZERO})") } else { number }
    }

    /// The pair with its number, as tables write sets of players.
    pub(crate) fn title(&self, names: &[String], format: Format) -> String {
        let [one, other] = self.players.map(|player| isolated(&names[player]));
        format!("{{{one}, {other}}}: {}", self.number(format))
    }
}

/// One output of a value that may be missing.
fn component<V: Value>(value: Option<&V>, output: usize) -> f64 {
    value.and_then(|value| value.components().nth(output)).unwrap_or(f64::NAN)
}

/// How far rounding alone can take a pair from zero. A value of n players is at most about n times as large as the
/// largest interaction; a pair is a mean of differences of four values.
fn rounding<V: Value>(interactions: &Interactions<V>, output: usize) -> f64 {
    let sizes = interactions.iter().map(|(_, value)| component(Some(value), output).abs());
    let largest = sizes.filter(|size| size.is_finite()).fold(0.0, f64::max);
    4.0 * f64::EPSILON * interactions.num_players() as f64 * largest
}

impl<V: Value> From<&Interactions<V>> for InteractionGraph {
    fn from(interactions: &Interactions<V>) -> Self {
        let players = interactions.num_players();
        let outputs = interactions.get(&[]).map_or(0, |value| value.components().count());
        let nodes = |output: usize| Output {
            values: (0..players).map(|player| component(interactions.get(&[player]), output)).collect(),
            std_errors: None,
            baseline: 0.0,
            grand: 0.0,
        };
        let pair = |(set, value): (Coalition, _)| {
            let mut players = set.iter();
            (set.len() == 2).then(|| ([(); 2].map(|()| players.next().unwrap_or(0)), value))
        };
        let pairs: Vec<([usize; 2], &V)> = interactions.iter().filter_map(pair).collect();
        let edges = |output: usize| {
            let rounding = rounding(interactions, output);
            let edge = |&(players, value): &([usize; 2], &V)| {
                let value = component(Some(value), output);
                let value = if value.abs() <= rounding { 0.0 } else { value };
                Edge { players, value, std_error: None, could_be_zero: false }
            };
            pairs.iter().map(edge).collect()
        };
        Self {
            order: interactions.order(),
            nodes: Explanation { outputs: (0..outputs).map(nodes).collect() },
            edges: (0..outputs).map(edges).collect(),
        }
    }
}

#[cfg(feature = "surrogate")]
impl<V: Value> From<&InteractionEstimate<V>> for InteractionGraph {
    fn from(estimate: &InteractionEstimate<V>) -> Self {
        let mut graph = Self::from(estimate.values());
        for (output, nodes) in graph.nodes.outputs.iter_mut().enumerate() {
            let error = |player| component(estimate.std_error(&[player]), output);
            nodes.std_errors = Some((0..nodes.values.len()).map(error).collect());
        }
        for (output, edges) in graph.edges.iter_mut().enumerate() {
            for edge in edges {
                edge.std_error = Some(component(estimate.std_error(&edge.players), output));
                let (low, high) = estimate.interval(&edge.players, LEVEL).unzip();
                let [low, high] = [low, high].map(|bound| component(bound.as_ref(), output));
                // Where the error is not known, nothing is sure.
                edge.could_be_zero = !(low > 0.0 || high < 0.0);
            }
        }
        graph
    }
}

impl From<&InteractionGraph> for InteractionGraph {
    fn from(graph: &InteractionGraph) -> Self {
        graph.clone()
    }
}
