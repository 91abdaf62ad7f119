use super::PlotError;
use super::number::Format;
use crate::{Attribution, Estimate, Value};

/// What pictures are drawn of: the values of an [`Attribution`] or an [`Estimate`], with standard errors where there
/// are any.
///
/// Functions of [`plot`](crate::plot) take results by reference, and make this of them. It is named where one of
/// several outputs is to be drawn:
///
/// ```
/// use shapley::plot::{self, Explanation};
///
/// let phi = shapley::exact(&shapley::from_fn(2, |s| [s.len() as f64, 1.0]))?;
/// let svg = plot::bar(&["first", "second"], Explanation::from(&phi).output(0)?)?;
/// assert!(svg.starts_with("<svg"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Explanation {
    pub(crate) outputs: Vec<Output>,
}

/// One output of what is explained.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Output {
    pub(crate) values: Vec<f64>,
    pub(crate) std_errors: Option<Vec<f64>>,
    pub(crate) baseline: f64,
    pub(crate) grand: f64,
}

impl Explanation {
    /// This output alone, counted from 0.
    ///
    /// # Errors
    ///
    /// [`NoOutput`](PlotError::NoOutput).
    pub fn output(mut self, output: usize) -> Result<Self, PlotError> {
        let outputs = self.outputs.len();
        if output >= outputs {
            return Err(PlotError::NoOutput { output, outputs });
        }
        Ok(Self { outputs: vec![self.outputs.swap_remove(output)] })
    }

    /// How many outputs there are.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs.len()
    }

    /// The only output.
    pub(crate) fn only(&self, labels: usize) -> Result<&Output, PlotError> {
        let [output] = self.outputs.as_slice() else {
            return Err(PlotError::SeveralOutputs { outputs: self.outputs.len() });
        };
        self.check(labels)?;
        Ok(output)
    }

    pub(crate) fn players(&self) -> usize {
        self.outputs.first().map_or(0, |output| output.values.len())
    }

    /// As many labels as players, and nothing but numbers.
    pub(crate) fn check(&self, labels: usize) -> Result<(), PlotError> {
        let players = self.players();
        if labels != players {
            return Err(PlotError::Labels { labels, players });
        }
        for output in &self.outputs {
            // Half of what a float can hold leaves room for differences.
            let drawable = |value: f64| value.abs() <= f64::MAX / 4.0 / (players.max(1) as f64);
            let ends = [output.baseline, output.grand];
            if let Some(player) = output.values.iter().position(|value| !drawable(*value)) {
                return Err(PlotError::NotFinite { player, value: output.values[player] });
            }
            if let Some(value) = ends.into_iter().find(|value| !drawable(*value)) {
                return Err(PlotError::NotFinite { player: 0, value });
            }
        }
        Ok(())
    }
}

impl Output {
    pub(crate) fn error(&self, player: usize) -> Option<f64> {
        self.std_errors.as_ref().map(|errors| errors[player])
    }

    /// The standard error, if it can be drawn.
    pub(crate) fn whisker(&self, player: usize) -> Option<f64> {
        self.error(player).filter(|error| error.is_finite() && *error > 0.0)
    }

    pub(crate) fn format(&self) -> Format {
        Format::of(self.values.iter().copied())
    }

    /// How base value and output are written: as fine as the values.
    pub(crate) fn ends_format(&self) -> Format {
        let ends = Format::of([self.baseline, self.grand]);
        if self.baseline.abs().max(self.grand.abs()) > 0.0 { ends } else { self.format() }
    }

    pub(crate) fn number(&self, player: usize) -> String {
        self.format().with_error(self.values[player], self.error(player))
    }

    /// Players by the size of their values, the largest first.
    pub(crate) fn order(&self) -> Vec<usize> {
        crate::display::largest_first(self.values.iter())
    }
}

fn transposed<V: Value>(values: &[V]) -> Vec<Vec<f64>> {
    let rows: Vec<Vec<f64>> = values.iter().map(|value| value.components().collect()).collect();
    let outputs = rows.first().map_or(0, Vec::len);
    (0..outputs).map(|k| rows.iter().map(|row| row.get(k).copied().unwrap_or(f64::NAN)).collect()).collect()
}

impl<V: Value> From<&Attribution<V>> for Explanation {
    fn from(result: &Attribution<V>) -> Self {
        let ends = transposed(&[result.baseline().clone(), result.grand().clone()]);
        let outputs = transposed(result.values()).into_iter().zip(ends);
        let output = |(values, ends): (Vec<f64>, Vec<f64>)| Output {
            values,
            std_errors: None,
            baseline: ends[0],
            grand: ends[1],
        };
        Self { outputs: outputs.map(output).collect() }
    }
}

impl<V: Value> From<&Estimate<V>> for Explanation {
    fn from(result: &Estimate<V>) -> Self {
        let mut explanation = Self::from(result.attribution());
        for (output, errors) in explanation.outputs.iter_mut().zip(transposed(result.std_errors())) {
            output.std_errors = Some(errors);
        }
        explanation
    }
}

impl From<&Explanation> for Explanation {
    fn from(explanation: &Explanation) -> Self {
        explanation.clone()
    }
}
