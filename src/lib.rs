//! Fair credit.
mod attribution;
mod coalition;
mod error;
mod exact;
mod function;
mod game;
pub mod games;
mod progress;
#[cfg(feature = "rational")]
mod rational;
mod table;
mod value;

pub use attribution::Attribution;
pub use coalition::{Coalition, Players};
pub use error::Error;
pub use exact::{Exact, exact};
pub use function::{from_fn, try_from_fn};
pub use game::{Game, TryGame};
pub use progress::Progress;
pub use table::Table;
pub use value::Value;
