//! What is fuzzed; see README.md.

pub mod documents;
pub mod programs;
pub mod scanned;
pub mod targets;
