//! What something was done to.

use std::collections::BTreeMap;
use std::fmt::Display;

use agentdrop_protocol::{
    AccountId, AgentId, BlockId, ChannelId, ConnectionId, DownloadId, KeyId, PairingId, SessionId,
    Slug, TransferId,
};
use serde::{Deserialize, Serialize};

/// What something was done to: ids and agents' names, each under what it is of.
///
/// Only a [`Thing`] goes in, so that no file name, message, address or token can get into a log
/// that is kept when what it tells of is long gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(BTreeMap<String, String>);

/// What a log may name.
pub trait Thing: Display {
    /// What it is, as the log says it.
    const FIELD: &'static str;
}

macro_rules! things {
    ($($thing:ty = $field:literal),* $(,)?) => {
        $(impl Thing for $thing { const FIELD: &'static str = $field; })*
    };
}
things! {
    AccountId = "account_id",
    AgentId = "agent_uuid",
    BlockId = "block_id",
    ChannelId = "channel_id",
    ConnectionId = "connection_id",
    DownloadId = "download_id",
    KeyId = "key_id",
    PairingId = "pairing_id",
    SessionId = "session_id",
    Slug = "agent_id",
    TransferId = "transfer_id",
}

impl Subject {
    /// One thing.
    pub fn of<T: Thing>(thing: &T) -> Self {
        Self::default().and(thing)
    }

    /// This, and another thing.
    pub fn and<T: Thing>(mut self, thing: &T) -> Self {
        self.0.insert(T::FIELD.to_owned(), thing.to_string());
        self
    }

    /// The things with what they are, in the order of that.
    pub const fn things(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}
