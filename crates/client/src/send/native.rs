//! What seals for an agent that can be verified: an envelope for one of its keys, signed by ours.

use std::slice;
use std::sync::Arc;

use agentdrop_protocol::limits::DEFAULT_DOWNLOADS;
use agentdrop_protocol::wire::agents::ResolvedAgent;
use agentdrop_protocol::wire::transfers::TransferMode;
use agentdrop_protocol::{Timestamp, TransferId};
use agentdrop_seal::identity::{IdentityPublicKey, SignedPrekey, Untrusted};
use agentdrop_seal::native::{self, About, File, Policy, Recipient};
use agentdrop_seal::{SealError, random_bytes};

use super::plan::{self, Plan, Said, Seal};
use super::{Outgoing, Sources, chunks};
use crate::client::Client;
use crate::clock::now;
use crate::error::{Error, Peer, PeerError, Result, TrustError};
use crate::identity::Identity;
use crate::keyring::Keyring;
use crate::peers::KnownBy;
use crate::trust::{Met, SentTo, SentTransfers, Sequence};

/// The way to an agent that is known by its signature.
pub(super) struct ToPeer {
    recipient: ResolvedAgent,
    keyring: Arc<Keyring>,
    met: Met,
}

impl ToPeer {
    pub(super) fn new(recipient: ResolvedAgent, keyring: Keyring, met: Met) -> Self {
        let keyring = Arc::new(keyring);
        Self {
            recipient,
            keyring,
            met,
        }
    }

    pub(super) fn known_by(&self, client: &Client) -> Result<Option<KnownBy>> {
        client.known_by(self.recipient.id, self.met.how)
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

    /// Takes a prekey, draws a key for the files, reads them, and says what is sent.
    pub(super) async fn plan(
        &self,
        client: &Client,
        mine: &Identity,
        outgoing: &Outgoing,
        sources: &Sources,
    ) -> Result<Plan> {
        let (to, identity) = self.recipient(client).await?;
        let created = now();
        let expires = created.plus(outgoing.expires_in.unwrap_or_default().as_duration());
        // Before its bytes are sealed: they are bound to it.
        let id = TransferId::new(created, random_bytes()?);
        let seal = native::Outgoing::generate(id)?;
        let about = About {
            message: outgoing.message.clone(),
            created,
            expires,
            seq: Sequence::open(mine.folder()).next(created)?,
            policy: Policy {
                max_downloads: outgoing.max_downloads.unwrap_or(DEFAULT_DOWNLOADS),
                auto_delete: outgoing.deletes(),
            },
        };
        let said = self.said(mine, outgoing, id);
        let (keys, reading) = (seal.file_keys(), seal.file_keys());
        let sending = Sending {
            keyring: Arc::clone(&self.keyring),
            sent: SentTransfers::open(mine.folder()),
            to: SentTo {
                agent: self.recipient.id,
                identity,
            },
            id,
            expires,
        };
        let envelope = move |files| sending.envelope(&seal, &to, about, files);
        let objects = chunks::objects(reading, outgoing, sources, envelope).await?;
        Ok(Plan {
            said,
            seal: Seal::Chunks(keys),
            objects,
        })
    }

    /// Whom it is sealed for: a key that nobody else is given, if there is one.
    async fn recipient(&self, client: &Client) -> Result<(Recipient, IdentityPublicKey)> {
        let (agent, label) = (self.recipient.id, self.recipient.agent_id.as_str());
        let Some(claimed) = client.claim_prekey(agent).await? else {
            // It had signed keys a moment ago: this is refused, and written down.
            let no_key = || TrustError::E2eeUnavailable(label.to_owned());
            let key = self.recipient.public_key.ok_or_else(no_key)?;
            client.meet_compatible(agent, label, key)?;
            return Err(no_key().into());
        };
        let met = client.meet_bundle(label, &claimed.of)?;
        let to = match claimed.prekey {
            // A prekey that the server made up is not signed by the agent.
            Some(prekey) => SignedPrekey::read(prekey.as_bytes())
                .map_err(|it| SealError::Untrusted(Untrusted::Malformed(it)))
                .and_then(|it| Recipient::with_prekey(&met.bundle, it, now())),
            None => Recipient::new(&met.bundle),
        };
        let to = to.map_err(|error| match error {
            SealError::Untrusted(_) => {
                let label = label.to_owned();
                PeerError::BundleNotGenuine(Peer { agent, label }).into()
            }
            error => Error::from(error),
        })?;
        Ok((to, met.bundle.bundle().identity))
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

/// What makes the envelope when the files were read.
struct Sending {
    keyring: Arc<Keyring>,
    sent: SentTransfers,
    to: SentTo,
    id: TransferId,
    expires: Timestamp,
}

impl Sending {
    fn envelope(
        &self,
        seal: &native::Outgoing,
        to: &Recipient,
        about: About,
        files: Vec<File>,
    ) -> Result<Vec<u8>> {
        let from = native::Sender {
            agent: self.keyring.agent(),
            identity: self.keyring.identity(),
        };
        let envelope = seal.envelope(&from, slice::from_ref(to), about, files)?;
        // What its receipts are checked against: before the server has anything of it.
        let (hash, to) = (envelope.manifest_hash, [self.to]);
        self.sent.remember(self.id, hash, &to, self.expires)?;
        Ok(envelope.object)
    }
}
