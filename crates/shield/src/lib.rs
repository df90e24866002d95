//! Judges what was received before an agent reads it.
//!
//! A [`RuleSet`] is loaded once and never changes; a [`Scanner`] is cheap, looks at one input at a time
//! and answers with a report. Finding something is not an error, and finding nothing is not a promise:
//! the answer is "no finding under these rules". Nothing in here talks to anybody, reads a clock of the
//! day, or writes a file.
//!
//! What is looked at goes through one [walk](walk::Walk): it is told apart by its content, taken apart by
//! the extractor for its kind, and whatever text or file comes out of that walks the same way, within one
//! [budget] for all of it. Text is [judged](text) where it is found; [detectors](detect) look at
//! bytes.

pub mod limits;
mod literals;
mod many;
pub mod policy;
pub mod rules;
pub mod scanner;

mod budget;
mod clock;
mod detect;
mod error;
mod excerpt;
mod extract;
mod findings;
mod kind;
mod phrase_table;
mod place;
mod rule;
mod text;
#[cfg(feature = "training")]
pub mod training;
mod walk;

pub use agentdrop_protocol::report::{Finding, Layer, ScanReport, ThreatLevel};

pub use self::error::ScanError;
pub use self::limits::Limits;
pub use self::policy::{Mode, Policy, Strictness};
pub use self::rules::RuleSet;
pub use self::scanner::Scanner;
