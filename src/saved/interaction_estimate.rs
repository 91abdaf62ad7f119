//! Estimated interactions, saved and loaded.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Refusal, SavedInteractions, VERSION, check_values, saved};
use crate::{InteractionEstimate, Stopped, Value};

saved!(InteractionEstimate<V> => SavedInteractionEstimate<V>);

#[derive(Serialize, Deserialize)]
#[serde(rename = "InteractionEstimate")]
struct SavedInteractionEstimate<V> {
    version: u32,
    values: SavedInteractions<V>,
    /// In the order of the values.
    std_errors: Vec<V>,
    evaluations: u64,
    stopped: Stopped,
}

impl<V: Value> SavedInteractionEstimate<V> {
    fn of(result: &InteractionEstimate<V>) -> Result<Self, Refusal> {
        let values = SavedInteractions::of(result.values())?;
        let std_errors = result.std_errors().iter().map(|(_, error)| error.clone()).collect();
        let (evaluations, stopped) = (result.evaluations(), result.stopped());
        Ok(Self { version: VERSION, values, std_errors, evaluations, stopped })
    }

    fn load(self) -> Result<InteractionEstimate<V>, Refusal> {
        super::check_version(self.values.version)?;
        let values = self.values.load()?;
        check_values("standard errors", &self.std_errors)?;
        if self.std_errors.len() != values.len() {
            return Err(format!("{} standard errors of {} interactions", self.std_errors.len(), values.len()));
        }
        if let Some(error) = self.std_errors.iter().flat_map(|error| error.components()).find(|error| *error < 0.0) {
            return Err(format!("a standard error of {error}"));
        }
        let is_exact = self.std_errors.iter().all(|error| error.magnitude() <= 0.0);
        if self.stopped == Stopped::Exact && !is_exact {
            return Err("an exact answer with standard errors".to_owned());
        }
        let all = u32::try_from(values.num_players()).ok().and_then(|n| 1_u64.checked_shl(n)).unwrap_or(u64::MAX);
        if !(2..=1 << 60).contains(&self.evaluations) || (self.stopped == Stopped::Exact && self.evaluations < all) {
            return Err(format!("{} evaluations of {} players", self.evaluations, values.num_players()));
        }
        let sets = values.iter().map(|(set, _)| set).zip(self.std_errors).collect();
        let std_errors = crate::Interactions::from_values(values.index(), values.order(), values.num_players(), sets)
            .map_err(|error: crate::Error| error.to_string())?;
        Ok(InteractionEstimate::new(values, std_errors, self.evaluations, self.stopped))
    }
}
