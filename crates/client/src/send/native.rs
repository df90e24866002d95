//! What seals for an agent that can be verified: an envelope for one of its keys, signed by ours.

use std::sync::{Arc, OnceLock, PoisonError};

use agentdrop_protocol::limits::DEFAULT_DOWNLOADS;
use agentdrop_protocol::wire::agents::ResolvedAgent;
use agentdrop_protocol::wire::transfers::TransferMode;
use agentdrop_protocol::{SignedStatement, Timestamp, TransferId};
use agentdrop_seal::identity::IdentityPublicKey;
use agentdrop_seal::native::{self, FileKeys, Recipient};
use agentdrop_seal::{SealError, random_bytes};

use super::letter::{self, Letter, Writer};
use super::plan::{self, Plan, Said, Seal};
use super::{Outgoing, Passes, Sources, chunks};
use crate::blocking::blocking;
use crate::client::Client;
use crate::clock::now;
use crate::error::{Error, Peer, PeerError, Result, TrustError};
use crate::identity::Identity;
use crate::keyring::Keyring;
use crate::peers::KnownBy;
use crate::trust::{Met, MetHow, SentTransfers, Sequence};

/// The way to an agent that is known by its signature.
pub(super) struct ToPeer {
    recipient: ResolvedAgent,
    keyring: Arc<Keyring>,
    met: Met,
    /// How the keys were met that came with the prekey: others than a moment ago, it may be.
    claimed: OnceLock<MetHow>,
}

impl ToPeer {
    pub(super) fn new(recipient: ResolvedAgent, keyring: Keyring, met: Met) -> Self {
        let keyring = Arc::new(keyring);
        Self {
            recipient,
            keyring,
            met,
            claimed: OnceLock::new(),
        }
    }

    /// By what the recipient is known, once a plan was made: until then it may still have other keys.
    pub(super) fn known_by(&self, client: &Client) -> Result<Option<KnownBy>> {
        let how = match self.met.how {
            MetHow::Known => self.claimed.get().copied().unwrap_or(MetHow::Known),
            news => news,
        };
        client.known_by(self.recipient.id, how)
    }

    /// What has to be the same for an upload to go on: the two identities, whatever keys they have.
    pub(super) fn peer(&self, mine: Option<&Identity>) -> plan::Peer {
        plan::Peer {
            recipient: self.recipient.id.to_string(),
            key: Some(self.met.bundle.bundle().fingerprint().to_string()),
            sender: mine.map(|it| {
                let by = self.keyring.fingerprint();
                (it.agent_ref().to_string(), by.to_string())
            }),
            ..plan::Peer::default()
        }
    }

    /// Takes a prekey, draws a key for the files, and says what is sent.
    pub(super) async fn plan(
        &self,
        client: &Client,
        mine: &Identity,
        outgoing: &Outgoing,
        sources: &Sources,
        passes: Passes,
    ) -> Result<Plan> {
        let claimed = self.claim(client).await?;
        let created = now();
        let expires = created.plus(outgoing.expires_in.unwrap_or_default().as_duration());
        // Before its bytes are sealed: they are bound to it.
        let id = TransferId::new(created, random_bytes()?);
        let seal = native::Outgoing::generate(id)?;
        let sequence = Sequence::open(mine.folder());
        let seq = blocking(move || sequence.next(created)).await?;
        let keys = seal.file_keys();
        let mut writer = Writer {
            letter: Letter {
                bundle: claimed.bundle,
                prekey: claimed.prekey,
                message: outgoing.message.clone(),
                created,
                expires,
                seq,
                max_downloads: outgoing.max_downloads.unwrap_or(DEFAULT_DOWNLOADS),
                auto_delete: outgoing.deletes(),
                files: Vec::new(),
            },
            seal,
            to: claimed.to,
            identity: claimed.identity,
            keyring: Arc::clone(&self.keyring),
            sent: SentTransfers::open(mine.folder()),
            transfer: id,
        };
        let said = self.said(mine, outgoing, id);
        let (objects, writer) = match passes {
            Passes::One => {
                let sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
                let objects = chunks::objects_ahead(&sources, |files| {
                    writer.letter.enclose(files);
                    writer.size()
                })?;
                (objects, Some(writer))
            }
            Passes::Two => {
                let reading = writer.seal.file_keys();
                let envelope = move |files| writer.write(files);
                let objects = chunks::objects(reading, outgoing, sources, envelope).await?;
                (objects, None)
            }
        };
        Ok(Plan {
            said,
            seal: Seal::Chunks(keys),
            objects,
            writer,
        })
    }

    /// What makes the envelope of an upload that was kept, if it can be made still.
    pub(super) fn writer(
        &self,
        mine: &Identity,
        letter: Letter,
        keys: &FileKeys,
        now: Timestamp,
    ) -> Result<Writer> {
        let identity = self.met.bundle.bundle().identity;
        Ok(Writer {
            to: letter.recipient(self.recipient.id, &identity, now)?,
            letter,
            seal: native::Outgoing::again(keys),
            identity,
            keyring: Arc::clone(&self.keyring),
            sent: SentTransfers::open(mine.folder()),
            transfer: keys.transfer(),
        })
    }

    /// Whom it is sealed for: by a key that nobody else is given, if there is one.
    async fn claim(&self, client: &Client) -> Result<Claimed> {
        let (agent, label) = (self.recipient.id, self.recipient.agent_id.as_str());
        let Some(claimed) = client.claim_prekey(agent).await? else {
            // It had signed keys a moment ago: this is refused, and written down.
            let no_key = || TrustError::E2eeUnavailable(label.to_owned());
            let key = self.recipient.public_key.ok_or_else(no_key)?;
            client.meet_compatible(agent, label, key).await?;
            return Err(no_key().into());
        };
        let bundle = claimed.of.bundle.clone();
        let met = client.meet_bundle(label, claimed.of).await?;
        self.claimed.get_or_init(|| met.how);
        let to = letter::recipient(&met.bundle, claimed.prekey.as_ref(), now());
        let to = to.map_err(|error| match error {
            SealError::Untrusted(_) => {
                let label = label.to_owned();
                PeerError::BundleNotGenuine(Peer { agent, label }).into()
            }
            error => Error::from(error),
        })?;
        Ok(Claimed {
            to,
            identity: met.bundle.bundle().identity,
            bundle,
            prekey: claimed.prekey,
        })
    }

    /// What the server learns: who sends to whom, until when, and how often. No name, no message.
    fn said(&self, mine: &Identity, outgoing: &Outgoing, id: TransferId) -> Said {
        let mut said = Said::default();
        said.add("sender", mine.agent_id().as_str());
        said.mode(TransferMode::AgentToAgent);
        said.add("recipient", self.recipient.id.to_string());
        if let Some(account) = &outgoing.account {
            said.add("recipient_account", account);
        }
        said.add("is_encrypted", "true");
        said.add("encryption_algorithm", native::ALGORITHM);
        let digits = id.to_string();
        said.add("transfer_id", digits.trim_start_matches("tr_"));
        outgoing.say_terms(&mut said);
        said
    }
}

/// A key of the recipient's, and what it signed of it.
struct Claimed {
    to: Recipient,
    identity: IdentityPublicKey,
    bundle: SignedStatement,
    prekey: Option<SignedStatement>,
}
