//! Properties of what is parsed, and frozen examples of what travels.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod properties;
mod wire;
