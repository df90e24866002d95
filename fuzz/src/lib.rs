//! What is fuzzed; see README.md.

pub mod scanned;
pub mod targets;
