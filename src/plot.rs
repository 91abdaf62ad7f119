//! Pictures of results: SVG, and HTML where pictures answer to the reader, as text that opens anywhere.
//!
//! Functions take labels and a result by reference, and return the file's text: no fonts, scripts or styles are
//! fetched, and the same result gives the same bytes. An [`Estimate`](crate::Estimate) is drawn with whiskers of one
//! standard error; of an `InteractionEstimate` (feature `surrogate`), pairs that could be zero are drawn fainter.
//!
//! | picture | of | what it shows |
//! |---|---|---|
//! | [`text`] | one explanation | a text whose words are coloured by their values; HTML |
//! | [`bar`] | one explanation | values, the largest first |
//! | [`waterfall`] | one explanation | how values carry the base value to the output |
//! | [`force`] | one explanation | what adds against what takes away |
//! | [`beeswarm`] | many explanations | how values are spread, and how they go with the features |
//! | [`network`] | interactions of order 2 or more | who is worth more, or less, together |
//! | [`convergence`] | observed progress | how an estimate grew sure |
//!
//! Colours are of two hues that people with colour blindness tell apart, and signs are shown by shape or stroke too.
//! Texts have contrasts of 4.5 or more (WCAG AA), on light ground and on the dark one that readers can prefer. Labels
//! can be anything. Characters that are not seen stand as their numbers, such as `\u{202e}`, which would turn the text
//! beside it; white space that is not seen has symbols: `␣`, `↵` for a line's end, `⇥`; a label of nothing is
//! `(empty)`. Long labels are shortened where they are alike, so that those that differ are shown different (point at
//! one for the whole of it).
//!
//! ```
//! use shapley::{games::Words, plot};
//!
//! let game = Words::new("not bad at all", |text: &str| if text.contains("not bad") { 1.0 } else { 0.0 });
//! let phi = shapley::exact(&game)?;
//! let html = plot::text(game.words(), &phi)?;
//! std::fs::write(std::env::temp_dir().join("not bad.html"), html)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bar;
mod beeswarm;
mod color;
mod convergence;
mod error;
mod explanation;
mod force;
mod graph;
mod label;
mod network;
mod number;
mod rows;
mod svg;
mod text;
mod waterfall;

pub use bar::bar;
pub use beeswarm::beeswarm;
pub use convergence::convergence;
pub use error::PlotError;
pub use explanation::Explanation;
pub use force::force;
pub use graph::InteractionGraph;
pub use network::network;
pub use text::{Text, text};
pub use waterfall::waterfall;
