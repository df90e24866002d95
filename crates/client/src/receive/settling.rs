//! What has to be done once all files of an envelope are placed, in any process: it is remembered, so
//! that it is not received again; its sender is told, signed; and the key it was sealed for is erased.

use agentdrop_protocol::{AgentId, DownloadId, SignedStatement, Timestamp, TransferId};
use agentdrop_seal::identity::KemKeyId;
use agentdrop_seal::native::Receipt;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::blocking::blocking;
use crate::client::Client;
use crate::clock::now;
use crate::error::{ConfigError, Result};
use crate::own_keys::statement;
use crate::trust::{Arrival, Received as Replays};

/// It is written down before the first file is placed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Settling {
    sender: AgentId,
    transfer: TransferId,
    seq: u64,
    expires: Timestamp,
    /// Which of our keys it was sealed for, in base64.
    key: String,
    receipt: SignedStatement,
    /// What the sender is told instead, where it is kept from the agent.
    #[serde(default)]
    quarantined: Option<SignedStatement>,
}

/// What is left to do once what is kept from the agent is in quarantine, in any process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Untold {
    /// Under which grant it came.
    pub(super) download: DownloadId,
    pub(super) settling: Option<Settling>,
}

impl Settling {
    pub(super) fn new(
        arrival: &Arrival,
        key: KemKeyId,
        placed: &Receipt,
        quarantined: &Receipt,
    ) -> Self {
        let signed = |it: &Receipt| statement(it.to_bytes().to_vec());
        let receipt = signed(placed).expect("a receipt is a statement");
        let quarantined = signed(quarantined).ok();
        Self {
            sender: arrival.sender,
            transfer: arrival.transfer,
            seq: arrival.seq,
            expires: arrival.expires,
            key: STANDARD.encode(key.0),
            receipt,
            quarantined,
        }
    }

    /// The same, for what is kept from the agent.
    pub(super) fn into_quarantined(mut self) -> Self {
        self.receipt = self.quarantined.take().unwrap_or(self.receipt);
        self
    }

    /// What the sender is told.
    pub(super) const fn receipt(&self) -> &SignedStatement {
        &self.receipt
    }

    /// Remembers it, before anybody is told.
    pub(super) async fn remember(&self, client: &Client) -> Result<()> {
        let Some(arrival) = self.arrival() else {
            return Ok(());
        };
        let replays = Replays::open(client.needed_identity()?.folder());
        blocking(move || replays.remember(&arrival, now()).map(drop)).await
    }

    /// Whether it was remembered already: then all of it was placed.
    pub(super) fn is_remembered(&self, client: &Client) -> Result<bool> {
        let Some(arrival) = self.arrival() else {
            return Ok(false);
        };
        let mine = client.needed_identity()?;
        Replays::open(mine.folder()).is_remembered(&arrival)
    }

    fn arrival(&self) -> Option<Arrival> {
        let receipt = Receipt::read(self.receipt.as_bytes()).ok()?;
        Some(Arrival {
            sender: self.sender,
            transfer: self.transfer,
            manifest_hash: receipt.manifest,
            seq: self.seq,
            expires: self.expires,
        })
    }

    /// Erases the key, if it is one that is used once, and sees to it that there are more.
    pub(super) async fn erase(&self, client: &Client) -> Result<()> {
        let (own, key) = (client.clone(), STANDARD.decode(&self.key).ok());
        let erase = move || {
            let keyring = own.keyring()?.ok_or(ConfigError::NoKeys)?;
            if let Some(key) = key.and_then(|it| it.try_into().ok()) {
                keyring.erase_prekey(KemKeyId(key))?;
            }
            Ok(keyring)
        };
        let keyring = blocking(erase).await?;
        client.tend_prekeys(keyring).await
    }
}
