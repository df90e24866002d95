//! What is fuzzed; see README.md.

pub mod documents;
pub mod targets;
