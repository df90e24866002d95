//! What is fuzzed; see README.md.

#[cfg(feature = "scanner")]
pub mod scanned;
pub mod targets;
