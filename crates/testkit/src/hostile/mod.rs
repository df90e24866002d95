//! A hostile server: a real one, and in front of it a relay that lies.
//!
//! What the relay changes is what an operator could: every answer, every byte of a file. The library's
//! lies and those to the command are told by this one, with the same words (`lies`) and what the
//! server can sign itself (`forger`).

pub mod forger;
pub mod lies;
mod relay;

pub use self::relay::{Answered, Asked, Lie, Relay};
