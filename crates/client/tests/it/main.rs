//! The client against a server that lies, breaks off, and answers nonsense.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod between;
mod calls;
mod hostile;
mod native;
mod opening;
mod people;
mod receiving;
mod registering;
mod resuming;
mod sending;
