//! Opening what an agent sent that can be verified: the envelope first, and nothing of its files before
//! it is known who signed it, for whom, and that it did not come before.

use std::sync::Arc;

use agentdrop_protocol::wire::downloads::DownloadFile;
use agentdrop_protocol::wire::transfers::Transfer;
use agentdrop_protocol::{AgentId, Timestamp, TransferId};
use agentdrop_seal::OpenError;
use agentdrop_seal::identity::{IdentityPublicKey, KemKeyId, Verdict};
use agentdrop_seal::native::{ALGORITHM, Arrived, Incoming, MAX_ENVELOPE_BYTES};

use super::Security;
use super::packed::is_packed;
use super::reception::{Opened, Outcome, Reception, refused};
use super::settling::Settling;
use crate::client::Client;
use crate::clock::now;
use crate::error::{ConfigError, Error, PeerError, Result, TrustError};
use crate::keyring::Keyring;
use crate::trust::{Arrival, Known, MetHow, Received as Replays};

/// What opens what another agent signed.
pub(super) struct ForPeer {
    keyring: Keyring,
    sender: AgentId,
}

/// An envelope that is genuine, and new.
struct Genuine {
    incoming: Incoming,
    met: MetHow,
    key: KemKeyId,
}

/// Whether a transfer comes in an envelope between agents.
pub(super) fn is_native(listed: &Transfer) -> bool {
    listed.is_encrypted && listed.encryption_algorithm.as_deref() == Some(ALGORITHM)
}

impl ForPeer {
    /// How many files come beside those that were sent.
    pub(super) const ENVELOPES: usize = 1;

    pub(super) fn of(client: &Client, listed: &Transfer) -> Result<Self> {
        let keyring = client.keyring()?.ok_or(ConfigError::NoKeys)?;
        let sender = listed.sender_agent_id;
        let sender = sender.ok_or(TrustError::SenderUnverified(listed.id))?;
        // Before it costs a download.
        if let Some(known) = client.known_agents()? {
            known.expect_unblocked(sender)?;
        }
        Ok(Self { keyring, sender })
    }

    /// An error, if it was received before: that costs no download.
    pub(super) fn expect_new(&self, client: &Client, listed: &Transfer) -> Result<()> {
        let replays = Replays::open(client.needed_identity()?.folder());
        if replays.knows(self.sender, listed.id)? {
            return Err(PeerError::Replayed(listed.id).into());
        }
        Ok(())
    }

    /// Fetches and opens all files.
    pub(super) async fn open(
        &self,
        client: &Client,
        reception: &mut Reception<'_>,
        listed: &Transfer,
    ) -> Result<(Vec<Opened>, Outcome)> {
        let id = listed.id;
        let changed = || Error::from(TrustError::Changed(id));
        if reception.grant.encryption_algorithm != listed.encryption_algorithm {
            return Err(changed());
        }
        let files = reception.grant.files.clone();
        let (first, rest) = files.split_first().ok_or_else(changed)?;
        if first.size > MAX_ENVELOPE_BYTES as u64 || rest.is_empty() {
            return Err(changed());
        }
        reception.fetch(0).await?;
        let genuine = match self.envelope(client, reception, listed, first).await {
            // What an earlier process left may have been cut short, or be what a server lied about then.
            Err(Error::Open { .. } | Error::Trust(_)) if reception.fetch_again(0).await? => {
                self.envelope(client, reception, listed, first).await?
            }
            opened => opened?,
        };
        let manifest = genuine.incoming.manifest().clone();
        let said = manifest.files.iter().map(|it| it.sealed_size);
        if !said.eq(rest.iter().map(|it| it.size)) {
            return Err(changed());
        }
        let settling = self.settling(client, &genuine, id)?;
        reception.count_opened(&genuine.incoming).await?;
        let incoming = Arc::new(genuine.incoming);
        let mut opened = Vec::new();
        for (n, said) in (1..).zip(&manifest.files) {
            let file = reception.open_as_it_comes(n, &incoming).await?;
            opened.push(Opened {
                is_folder: is_packed(&said.content_type, &said.name),
                ..file
            });
        }
        let outcome = Outcome {
            security: Security::Verified,
            message: manifest.message,
            sender_key: None,
            peer: client.known_by(self.sender, genuine.met)?,
            settling: Some(settling),
        };
        Ok((opened, outcome))
    }

    /// Opens the envelope, and asks everything that there is to ask of it.
    async fn envelope(
        &self,
        client: &Client,
        reception: &Reception<'_>,
        listed: &Transfer,
        first: &DownloadFile,
    ) -> Result<Genuine> {
        let id = listed.id;
        let envelope = reception.read(0, MAX_ENVELOPE_BYTES as u64).await?;
        let wrong = |error| match error {
            OpenError::NotForMe => TrustError::SealedForAnotherKey(id).into(),
            OpenError::OtherSender => TrustError::SenderUnverified(id).into(),
            OpenError::Expired => TrustError::Expired(id).into(),
            error => refused(error, &first.name),
        };
        // Before anybody is asked: who is known is known by the key of the last time.
        let pinned = client.known_agents()?.map(|it| it.look_up(self.sender));
        let pinned = pinned.transpose()?.flatten();
        let known = self.opened_as_known(id, pinned.as_ref(), &envelope);
        let label = listed.sender.as_str();
        let (opened, met) = match known {
            Ok(opened) => {
                // Withheld or older keys change nothing of what was signed; a decision that is due does.
                client
                    .known_agents()?
                    .map(|it| it.expect_unblocked(self.sender))
                    .transpose()?;
                (opened, MetHow::Known)
            }
            Err(Failure::NoKey) => return Err(TrustError::KeyGone(id).into()),
            Err(Failure::Open(OpenError::OtherSender)) => {
                let met = client.meet(self.sender, label).await?;
                let met = met.ok_or(TrustError::SenderUnverified(id))?;
                let identity = met.bundle.bundle().identity;
                let opened = self.opened(id, &identity, &envelope);
                let opened = opened.map_err(|it| match it {
                    Failure::NoKey => TrustError::KeyGone(id).into(),
                    Failure::Open(it) => wrong(it),
                    Failure::Other(it) => it,
                })?;
                (opened, met.how)
            }
            Err(Failure::Open(error)) => return Err(wrong(error)),
            Err(Failure::Other(error)) => return Err(error),
        };
        let (incoming, key) = opened;
        Ok(Genuine { incoming, met, key })
    }

    /// Opens the envelope as one of whom is known: by what they are known by, or were when they made it.
    fn opened_as_known(
        &self,
        id: TransferId,
        known: Option<&Known>,
        envelope: &[u8],
    ) -> Result<(Incoming, KemKeyId), Failure> {
        let other = || Failure::from(OpenError::OtherSender);
        if self.sender == self.keyring.agent() {
            // Who one is oneself, no server says.
            let now = [self.keyring.identity().public_key()].into_iter();
            let mut mine = now.chain(self.keyring.former_identities());
            let opened = mine.find_map(|it| self.opened(id, &it, envelope).ok());
            return opened.ok_or_else(other);
        }
        let known = known.ok_or_else(other)?;
        let pin = known.native.ok_or_else(other)?;
        let opened = self.opened(id, &pin.identity(), envelope);
        let Err(Failure::Open(OpenError::OtherSender)) = opened else {
            return opened;
        };
        let before = known.former_identities().find_map(|it| {
            let opened = self.opened(id, &it, envelope).ok()?;
            (opened.0.manifest().created < known.since).then_some(opened)
        });
        before.ok_or_else(other)
    }

    /// Opens the envelope as one that the agent of this identity signed.
    fn opened(
        &self,
        id: TransferId,
        sender: &IdentityPublicKey,
        envelope: &[u8],
    ) -> Result<(Incoming, KemKeyId), Failure> {
        let me = self.keyring.agent();
        // Something may be on its way that was sealed for who we were.
        let current = self.keyring.identity().public_key();
        let mine = [current]
            .into_iter()
            .chain(self.keyring.former_identities());
        let mut last = OpenError::NotForMe;
        for identity in mine {
            let arrived = Arrived::read(id, me, &identity, envelope)?;
            let key_id = arrived.key_id();
            let key = self.keyring.key_for(key_id).map_err(Failure::Other)?;
            let Some((key, kind)) = key else {
                return Err(Failure::NoKey);
            };
            match arrived.open(&key, kind) {
                Ok(claimed) => {
                    let incoming = claimed.verify(self.sender, sender, with_grace(now()))?;
                    return Ok((incoming, key_id));
                }
                Err(error) => last = error,
            }
        }
        Err(last.into())
    }

    /// What has to be done when it is placed: remembered that it came, said so, and its key erased.
    fn settling(&self, client: &Client, genuine: &Genuine, id: TransferId) -> Result<Settling> {
        let signed = |verdict| {
            let incoming = &genuine.incoming;
            incoming.receipt(self.keyring.identity(), verdict)
        };
        let (receipt, quarantined) = (signed(Verdict::Placed), signed(Verdict::Quarantined));
        let manifest = genuine.incoming.manifest();
        let arrival = Arrival {
            sender: self.sender,
            transfer: id,
            manifest_hash: receipt.manifest,
            seq: manifest.seq,
            expires: manifest.expires,
        };
        let mine = client.needed_identity()?;
        Replays::open(mine.folder()).check(&arrival)?;
        Ok(Settling::new(&arrival, genuine.key, &receipt, &quarantined))
    }
}

/// A day ago: the time in an envelope is by its sender's clock, and replays are known for a month.
fn with_grace(now: Timestamp) -> Timestamp {
    const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
    Timestamp::from_millis(now.as_millis().saturating_sub(DAY_MILLIS))
}

/// Why an envelope did not open.
enum Failure {
    /// The key that it was sealed for is here no more.
    NoKey,
    Open(OpenError),
    Other(Error),
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}
