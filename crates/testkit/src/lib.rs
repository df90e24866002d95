//! A whole AgentDrop server in a test: engines, frozen clock, agents.

#![expect(
    clippy::missing_panics_doc,
    reason = "a test fails by panicking, and so does what it stands on"
)]

pub mod engines;
