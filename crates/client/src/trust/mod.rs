//! What is known of other agents, and what is remembered of what went between.
//!
//! - [`KnownAgents`]: by which key each is known. A change that the known key does not say blocks until
//!   a person decides.
//! - [`Sequence`]: numbers of what is sent, none of them twice.
//! - [`Received`]: what was received, so that it is not received again.
//! - [`SentTransfers`]: what receipts are checked against.
//!
//! All of it is in the folder of the identity, and several processes change it. It waits for the disk
//! and for them: asynchronous code calls it on a thread that may.

mod decisions;
mod exchange;
mod known;
mod meeting;
mod pins;
mod received;
mod sent;
mod sequence;
#[cfg(test)]
mod tests;

pub use agentdrop_seal::identity::{Fingerprint, FingerprintError, Verdict, digits, words};
pub use exchange::Contradictions;
pub use known::{How, Known, NativePin, Offer, Refusal, Refused};
pub use pins::{KnownAgents, Met, MetHow};
pub use received::{Arrival, Received};
pub use sent::{SentTo, SentTransfers};
pub use sequence::Sequence;
