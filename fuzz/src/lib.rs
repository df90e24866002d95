//! What is fuzzed; see README.md.

pub mod programs;
pub mod targets;
