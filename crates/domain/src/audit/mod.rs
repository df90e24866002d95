//! The audit log: who did what, when, and from where.
//!
//! Each account has a log of its own, to which entries are only added. Each entry is hashed
//! together with the hash of the one before, so whoever remembers the hash of one entry can tell
//! whether anything up to it was changed, left out or put in. It does not stop who can write to
//! the database from writing the whole chain anew; a hash that is kept elsewhere shows that.

mod chain;
mod subject;
mod who;

use std::net::IpAddr;

pub use agentdrop_protocol::wire::audit::{Action, ActorKind};
use agentdrop_protocol::{AccountId, Timestamp};

pub use chain::{Fault, Head};
pub use subject::{Subject, Thing};
pub use who::Who;

/// Something that was done, before it has its place in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// The account whose log it goes into.
    pub account: AccountId,
    /// When it was done.
    pub at: Timestamp,
    /// What was done.
    pub action: Action,
    /// Who did it.
    pub who: Who,
    /// From where, if that is this account's to know.
    pub address: Option<IpAddr>,
    /// The id of the request, if that is this account's to know.
    pub request_id: Option<String>,
    /// What it was done to.
    pub subject: Subject,
}

/// Something that was done, in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the log of its account, from 1 on and without gaps.
    pub seq: u64,
    /// What was done.
    pub event: NewEntry,
    /// The hash of the entry before; zeros for the first.
    pub previous: [u8; 32],
    /// What [`Entry::digest`] was when it was written.
    pub hash: [u8; 32],
}

#[cfg(test)]
mod tests;
