//! A whole AgentDrop server in a test: engines, frozen clock, agents.

#![expect(
    clippy::missing_panics_doc,
    reason = "a test fails by panicking, and so does what it stands on"
)]

#[cfg(feature = "server")]
pub mod at_rest;
#[cfg(feature = "server")]
pub mod clock;
pub mod engines;
#[cfg(feature = "hostile")]
pub mod hostile;
#[cfg(feature = "server")]
pub mod http;
pub mod mailbox;
#[cfg(feature = "server")]
pub mod person;
pub mod python;
#[cfg(feature = "server")]
pub mod s3;
#[cfg(feature = "server")]
pub mod server;
mod shared;
