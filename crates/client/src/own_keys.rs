//! The keys by which this agent is verified: made, brought to the server, renewed, and never short of
//! prekeys.

use std::sync::Arc;

use agentdrop_protocol::wire::bundles::{AgentBundle, Prekeys, PublishBundle};
use agentdrop_protocol::{AgentId, ErrorCode, SignedStatement};
use agentdrop_seal::identity::{Fingerprint, SignedBundle, SignedPrekey};

use crate::blocking::blocking;
use crate::bundles::{Wanted, read_bundle};
use crate::client::Client;
use crate::clock::now;
use crate::error::{ConfigError, Error, KeyringError, Result};
use crate::identity::Identity;
use crate::keyring::{Draft, Keyring};
use crate::trust::{Received, SentTransfers};

/// How many one-time prekeys the server is to have.
const PREKEYS: u32 = 64;
/// With fewer than this it gets more.
const FEW: u32 = 32;

/// The keys of this agent, as its server has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedKeys {
    /// What people compare.
    pub fingerprint: Fingerprint,
    /// The version of the bundle.
    pub version: u64,
    /// How many one-time prekeys the server has.
    pub prekeys: u32,
}

impl Client {
    /// Makes the keys by which this agent can be verified, unless it has them, and brings them to the
    /// server. From then on what comes from other clients of ours is sealed for these keys, which the
    /// published clients do not know.
    pub async fn publish_keys(&self) -> Result<PublishedKeys> {
        let (mine, agent) = self.agent_with_id()?;
        // Before keys are made: with keys that cannot be published, nothing could be sent any more.
        self.prekeys_of(agent).await.map_err(unknown)?;
        let mine = Arc::clone(mine);
        let keyring = blocking(move || match Keyring::open(mine.folder(), agent)? {
            Some(keyring) => Ok(keyring),
            None => Keyring::create(mine.folder(), agent, mine.public_key(), now()),
        });
        let keyring = self.bring_bundle(keyring.await?).await?;
        let (keyring, left) = Box::pin(self.bring_prekeys(keyring)).await?;
        Ok(PublishedKeys {
            fingerprint: keyring.fingerprint(),
            version: keyring.bundle().map_or(0, |it| it.bundle.version),
            prekeys: left.prekeys_left,
        })
    }

    /// Publishes the keys of this agent where the server has later ones of the same identity: a person
    /// says that these were restored from an older copy, and are to be used from now on.
    ///
    /// What was sealed for the keys that only the other copy has cannot be opened here.
    pub async fn adopt_keys(&self) -> Result<PublishedKeys> {
        let (mine, agent) = self.agent_with_id()?;
        let keyring = Keyring::open(mine.folder(), agent)?.ok_or(ConfigError::NoKeys)?;
        let theirs = self.bundle_of(agent).await?;
        let theirs = theirs.map(|it| read_bundle(&it)).transpose()?;
        let drafted = keyring.draft().map(|it| &it.bundle);
        // Where these are the ones it has, or will have, there is nothing to adopt.
        let is_mine = theirs.as_ref() == keyring.bundle() || theirs.as_ref() == drafted;
        if let (Some(theirs), false) = (theirs, is_mine) {
            changed(keyring, move |it| it.adopt(&theirs)).await?;
        }
        self.publish_keys().await
    }

    /// The keys of this agent, if it is one that has them; without asking the server.
    pub(crate) fn keyring(&self) -> Result<Option<Keyring>> {
        let Some(mine) = self.identity() else {
            return Ok(None);
        };
        let Some(agent) = mine.agent_uuid() else {
            return Ok(None);
        };
        Keyring::open(mine.folder(), agent)
    }

    /// The keys of this agent, of which the server has the bundle: what a kill left undone is done, and
    /// what is due is renewed.
    pub(crate) async fn published_keyring(&self) -> Result<Option<Keyring>> {
        match self.keyring()? {
            Some(keyring) => self.bring_bundle(keyring).await.map(Some),
            None => Ok(None),
        }
    }

    /// Gives the agent another identity key, of which the old one says so, and publishes it.
    pub async fn rotate_identity(&self) -> Result<PublishedKeys> {
        let (mine, agent) = self.agent_with_id()?;
        let Some(keyring) = Keyring::open(mine.folder(), agent)? else {
            return Err(ConfigError::NoKeys.into());
        };
        let (keyring, key) = (self.bring_bundle(keyring).await?, mine.public_key());
        changed(keyring, move |it| it.rotate_identity(key, now())).await?;
        self.publish_keys().await
    }

    /// Sees to the keys of this agent, if it has any: erases what is over, renews the bundle that is
    /// due, and gives the server more prekeys if it has few of them. An agent that only receives is
    /// to call it now and then: of one whose bundle is over nobody can be sure any more.
    pub async fn tend_own_keys(&self) -> Result<()> {
        match self.keyring()? {
            // Large, and moved by whoever awaits it.
            Some(keyring) => Box::pin(self.tend_keys(keyring)).await,
            None => Ok(()),
        }
    }

    /// What receiving calls when a key was used.
    pub(crate) async fn tend_prekeys(&self, keyring: Keyring) -> Result<()> {
        Box::pin(self.tend_keys(keyring)).await
    }

    async fn tend_keys(&self, keyring: Keyring) -> Result<()> {
        // First what needs no server: one that does not answer keeps no key from being erased.
        let mine = Arc::clone(self.needed_identity()?);
        let swept = changed(keyring, move |it| {
            it.sweep(now())?;
            SentTransfers::open(mine.folder()).sweep(now())?;
            Received::open(mine.folder()).sweep(now())
        });
        let (keyring, ()) = swept.await?;
        let keyring = self.bring_bundle(keyring).await?;
        let left = self.prekeys_of(keyring.agent()).await?;
        if left.prekeys_left < FEW {
            self.bring_prekeys(keyring).await?;
        }
        Ok(())
    }

    fn agent_with_id(&self) -> Result<(&Arc<Identity>, AgentId)> {
        let mine = self.needed_identity()?;
        let agent = mine.agent_uuid().ok_or(ConfigError::NoAgentId)?;
        Ok((mine, agent))
    }

    /// Brings the bundle to the server that it does not have yet, if there is one.
    async fn bring_bundle(&self, mut keyring: Keyring) -> Result<Keyring> {
        let key = self.needed_identity()?.public_key();
        // One that was left by a kill, and then the one that is due, if it is another.
        for _ in 0..2 {
            let next = changed(keyring, move |it| it.next_bundle(key, now()));
            let draft;
            (keyring, draft) = next.await?;
            let Some(draft) = draft else {
                break;
            };
            keyring = Box::pin(self.bring_draft(keyring, draft)).await?;
        }
        Ok(keyring)
    }

    async fn bring_draft(&self, keyring: Keyring, draft: Draft) -> Result<Keyring> {
        let body = PublishBundle {
            bundle: statement(draft.bundle.to_bytes())?,
            rotation: draft
                .rotation
                .as_ref()
                .map(|it| statement(it.to_bytes()))
                .transpose()?,
        };
        match self.publish_bundle(keyring.agent(), &body).await {
            Ok(answer) if is_same(&answer, &draft.bundle) => {
                let taken = changed(keyring, move |it| it.published(&draft.bundle));
                taken.await.map(|it| it.0)
            }
            Ok(_) => Err(Error::Answer(
                "it has another bundle than was published".to_owned(),
            )),
            // It does not follow what the server has; or its time is over, because it was left long ago.
            Err(Error::Api(it))
                if matches!(
                    it.code,
                    ErrorCode::BundleConflict | ErrorCode::ValidationError
                ) =>
            {
                let theirs = self.bundle_of(keyring.agent()).await?;
                let theirs = theirs.map(|it| read_bundle(&it)).transpose()?;
                let reconciled = changed(keyring, move |keyring| {
                    match keyring.reconcile(theirs.as_ref(), now()) {
                        // Of an agent that has other keys elsewhere: with these nothing could be sent.
                        Err(Error::Keyring(KeyringError::Replaced))
                            if keyring.discard(&draft)? =>
                        {
                            return Err(KeyringError::NotTaken.into());
                        }
                        reconciled => reconciled?,
                    }
                    match keyring.draft() {
                        // Nothing explains why it was refused.
                        Some(left) if *left == draft => Err(Error::Api(it)),
                        _ => Ok(()),
                    }
                });
                reconciled.await.map(|it| it.0)
            }
            Err(error) => Err(error),
        }
    }

    /// Brings so many prekeys to the server that it has enough.
    async fn bring_prekeys(&self, mut keyring: Keyring) -> Result<(Keyring, Prekeys)> {
        let agent = keyring.agent();
        let mut left = self.prekeys_of(agent).await?;
        // Of those that a kill left it may have had all, and given them away: then it takes others.
        for _ in 0..2 {
            let wanted = PREKEYS.min(left.max_prekeys);
            let missing = wanted.saturating_sub(left.prekeys_left);
            if missing == 0 {
                break;
            }
            let missing = usize::try_from(missing).unwrap_or(Wanted::MOST);
            let made = changed(keyring, move |it| {
                let mut prekeys = it.unpublished_prekeys(now())?;
                prekeys.truncate(Wanted::MOST);
                let more = missing.saturating_sub(prekeys.len());
                prekeys.extend(it.new_prekeys(more, now())?);
                Ok(prekeys)
            });
            let prekeys;
            (keyring, prekeys) = made.await?;
            if prekeys.is_empty() {
                break;
            }
            let signed = prekeys
                .iter()
                .map(|it: &SignedPrekey| statement(it.to_bytes()));
            let signed = signed.collect::<Result<_>>()?;
            left = self.add_prekeys(agent, signed).await?;
            let published = changed(keyring, move |it| it.prekeys_published(&prekeys));
            (keyring, ()) = published.await?;
        }
        Ok((keyring, left))
    }
}

/// Does something with keys where it may wait for the disk and for other processes. The keys are gone with
/// an error; they are on disk.
async fn changed<T: Send + 'static>(
    mut keyring: Keyring,
    change: impl FnOnce(&mut Keyring) -> Result<T> + Send + 'static,
) -> Result<(Keyring, T)> {
    let change = move || change(&mut keyring).map(|it| (keyring, it));
    blocking(change).await
}

/// A server that does not even know the path of prekeys.
fn unknown(error: Error) -> Error {
    match error {
        Error::Api(it) if it.is_of_api() && matches!(it.status, 404 | 405) => {
            ConfigError::KeysUnknown.into()
        }
        error => error,
    }
}

fn is_same(answer: &AgentBundle, bundle: &SignedBundle) -> bool {
    answer.bundle.as_bytes() == bundle.to_bytes()
}

pub(crate) fn statement(bytes: Vec<u8>) -> Result<SignedStatement> {
    SignedStatement::new(bytes).map_err(|it| Error::Answer(format!("a statement {it}")))
}
