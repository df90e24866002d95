//! What an envelope is made of when all its files were sealed, also in another process: with the keys,
//! in the same private file.

use std::fmt;
use std::slice;
use std::sync::Arc;

use agentdrop_protocol::text::{ContentType, Message};
use agentdrop_protocol::{AgentId, FileName, SignedStatement, Timestamp, TransferId};
use agentdrop_seal::SealError;
use agentdrop_seal::identity::{
    IdentityPublicKey, SignedBundle, SignedPrekey, Untrusted, VerifiedBundle,
};
use agentdrop_seal::native::{self, About, File, Policy, Recipient, Sealed, Unsealed};
use serde::{Deserialize, Serialize};

use super::plan::io_mismatch;
use crate::error::Result;
use crate::keyring::Keyring;
use crate::trust::{SentTo, SentTransfers};

/// What an envelope is made of, but for what its files are sealed to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Letter {
    /// What the recipient signed of its keys, as the server gave it.
    pub(super) bundle: SignedStatement,
    pub(super) prekey: Option<SignedStatement>,
    pub(super) message: Option<Message>,
    pub(super) created: Timestamp,
    pub(super) expires: Timestamp,
    pub(super) seq: u64,
    pub(super) max_downloads: u32,
    pub(super) auto_delete: bool,
    pub(super) files: Vec<Enclosed>,
}

/// A file that it tells of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Enclosed {
    name: FileName,
    content_type: ContentType,
    size: u64,
}

impl Letter {
    /// Whom it is for, if the agent that is known by `identity` signed all of it, and it is not over.
    pub(super) fn recipient(
        &self,
        agent: AgentId,
        identity: &IdentityPublicKey,
        now: Timestamp,
    ) -> Result<Recipient, SealError> {
        let malformed = |it| SealError::Untrusted(Untrusted::Malformed(it));
        let bundle = SignedBundle::read(self.bundle.as_bytes()).map_err(malformed)?;
        let bundle = bundle.check(agent, None, now);
        let bundle = bundle.map_err(SealError::Untrusted)?;
        if bundle.bundle().identity != *identity {
            return Err(SealError::Untrusted(Untrusted::OtherIdentity));
        }
        recipient(&bundle, self.prekey.as_ref(), now)
    }

    pub(super) fn about(&self) -> About {
        About {
            message: self.message.clone(),
            created: self.created,
            expires: self.expires,
            seq: self.seq,
            policy: Policy {
                max_downloads: self.max_downloads,
                auto_delete: self.auto_delete,
            },
        }
    }

    pub(super) fn enclose(&mut self, files: Vec<Unsealed>) {
        let files = files.into_iter().map(|it| Enclosed {
            name: it.name,
            content_type: it.content_type,
            size: it.size,
        });
        self.files = files.collect();
    }

    fn unsealed(&self) -> impl Iterator<Item = Unsealed> {
        self.files.iter().map(|it| Unsealed {
            name: it.name.clone(),
            content_type: it.content_type.clone(),
            size: it.size,
        })
    }
}

/// Whom something is for, by what it signed of itself. A prekey that the server made up is not signed
/// by the agent.
pub(super) fn recipient(
    bundle: &VerifiedBundle,
    prekey: Option<&SignedStatement>,
    now: Timestamp,
) -> Result<Recipient, SealError> {
    let Some(prekey) = prekey else {
        return Recipient::new(bundle);
    };
    let prekey = SignedPrekey::read(prekey.as_bytes());
    let prekey = prekey.map_err(|it| SealError::Untrusted(Untrusted::Malformed(it)))?;
    Recipient::with_prekey(bundle, prekey, now)
}

/// Makes an envelope.
pub(super) struct Writer {
    pub(super) letter: Letter,
    pub(super) seal: native::Outgoing,
    pub(super) to: Recipient,
    /// By what the recipient is known, for its receipt.
    pub(super) identity: IdentityPublicKey,
    pub(super) keyring: Arc<Keyring>,
    pub(super) sent: SentTransfers,
    pub(super) transfer: TransferId,
}

impl Writer {
    /// How many bytes the envelope will have.
    pub(super) fn size(&self) -> Result<u64> {
        let files: Vec<_> = self.letter.unsealed().collect();
        let to = slice::from_ref(&self.to);
        Ok(self.seal.envelope_size(&self.letter.about(), to, &files)?)
    }

    /// The envelope of the files that these were sealed to.
    pub(super) fn write_of(&self, sealed: &[Sealed]) -> Result<Vec<u8>> {
        if sealed.len() != self.letter.files.len() {
            return Err(io_mismatch());
        }
        let files = self.letter.unsealed().zip(sealed);
        self.write(files.map(|(it, sealed)| it.sealed(*sealed)).collect())
    }

    /// The envelope of these files. What its receipts are checked against is on disk when this returns:
    /// before the server has anything of it.
    pub(super) fn write(&self, files: Vec<File>) -> Result<Vec<u8>> {
        let from = native::Sender {
            agent: self.keyring.agent(),
            identity: self.keyring.identity(),
        };
        let (to, about) = (slice::from_ref(&self.to), self.letter.about());
        let envelope = self.seal.envelope(&from, to, about, files)?;
        let to = SentTo {
            agent: self.to.agent(),
            identity: self.identity,
        };
        let (id, expires) = (self.transfer, self.letter.expires);
        let hash = envelope.manifest_hash;
        self.sent.remember(id, hash, &[to], expires)?;
        Ok(envelope.object)
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use agentdrop_protocol::EncryptionPublicKey;
    use agentdrop_seal::native::{Arrived, FileSalt};
    use agentdrop_seal::random_bytes;

    use super::*;

    const FROM: AgentId = AgentId::from_bytes([1; 16]);
    const TO: AgentId = AgentId::from_bytes([2; 16]);
    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
    const DAY: Duration = Duration::from_hours(24);

    fn keyring(folder: &std::path::Path, agent: AgentId) -> Keyring {
        let compatible = EncryptionPublicKey::try_from([9; 32]).unwrap();
        let folder = folder.join(agent.to_string());
        let mut keyring = Keyring::create(&folder, agent, compatible, NOW).unwrap();
        let first = keyring.draft().unwrap().bundle.clone();
        keyring.published(&first).unwrap();
        keyring
    }

    fn statement(bytes: Vec<u8>) -> SignedStatement {
        SignedStatement::new(bytes).unwrap()
    }

    fn letter(bob: &Keyring) -> Letter {
        let prekey = bob.new_prekeys(1, NOW).unwrap().remove(0);
        Letter {
            bundle: statement(bob.bundle().unwrap().to_bytes()),
            prekey: Some(statement(prekey.to_bytes())),
            message: Some("hello".parse().unwrap()),
            created: NOW,
            expires: NOW.plus(DAY),
            seq: 7,
            max_downloads: 3,
            auto_delete: true,
            files: vec![Enclosed {
                name: "a.txt".parse().unwrap(),
                content_type: ContentType::octet_stream(),
                size: 5,
            }],
        }
    }

    #[test]
    fn what_was_kept_makes_an_envelope_that_says_the_same_and_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let [alice, bob] = [FROM, TO].map(|it| keyring(folder.path(), it));
        let alice = Arc::new(alice);
        let transfer = TransferId::new(NOW, random_bytes().unwrap());
        let seal = native::Outgoing::generate(transfer).unwrap();
        let keys = seal.file_keys();
        let mut stream = Vec::new();
        let mut sealer = keys.file(1, FileSalt::generate().unwrap(), &mut stream);
        sealer.update(b"hello", &mut stream).unwrap();
        let sealed = sealer.finish(&mut stream).unwrap();

        let first = letter(&bob);
        let kept = serde_json::to_vec(&first).unwrap();
        let again: Letter = serde_json::from_slice(&kept).unwrap();
        let identity = bob.identity().public_key();
        let writer = |letter: Letter| Writer {
            to: letter.recipient(TO, &identity, NOW).unwrap(),
            letter,
            seal: native::Outgoing::again(&keys),
            identity,
            keyring: Arc::clone(&alice),
            sent: SentTransfers::open(folder.path()),
            transfer,
        };
        let remembered = || {
            let mut sent = std::fs::read_dir(folder.path().join("sent")).unwrap();
            std::fs::read(sent.next().unwrap().unwrap().path()).unwrap()
        };
        let (first, again) = (writer(first), writer(again));
        let one = first.write_of(&[sealed]).unwrap();
        let hash = remembered();
        let two = again.write_of(&[sealed]).unwrap();
        assert_eq!(remembered(), hash, "a receipt is of either");
        assert_ne!(one, two);
        for (writer, envelope) in [(&first, one), (&again, two)] {
            assert_eq!(writer.size().unwrap(), envelope.len() as u64);
            let arrived = Arrived::read(transfer, TO, &identity, &envelope).unwrap();
            let (key, kind) = bob.key_for(arrived.key_id()).unwrap().unwrap();
            let claimed = arrived.open(&key, kind).unwrap();
            let sender = alice.identity().public_key();
            let incoming = claimed.verify(FROM, &sender, NOW).unwrap();
            let mut opened = Vec::new();
            incoming.open_to(1, &*stream, &mut opened).unwrap();
            assert_eq!(opened, b"hello");
            assert_eq!(
                (incoming.manifest().seq, incoming.manifest().created),
                (7, NOW)
            );
        }
        assert!(first.write_of(&[]).is_err());
    }

    #[test]
    fn what_is_over_or_not_signed_by_whom_it_is_for_seals_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let [alice, bob] = [FROM, TO].map(|it| keyring(folder.path(), it));
        let identity = bob.identity().public_key();
        let good = letter(&bob);
        assert!(good.recipient(TO, &identity, NOW).is_ok());
        assert!(good.recipient(FROM, &identity, NOW).is_err());
        assert!(
            good.recipient(TO, &alice.identity().public_key(), NOW)
                .is_err()
        );
        assert!(good.recipient(TO, &identity, NOW.plus(DAY * 61)).is_err());
        let theirs = alice.new_prekeys(1, NOW).unwrap().remove(0);
        let of_another = Letter {
            prekey: Some(statement(theirs.to_bytes())),
            ..good.clone()
        };
        assert!(of_another.recipient(TO, &identity, NOW).is_err());
        let mut bytes = good.bundle.as_bytes().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        let changed = Letter {
            bundle: statement(bytes),
            ..good
        };
        assert!(changed.recipient(TO, &identity, NOW).is_err());
    }

    #[test]
    fn what_it_says_is_not_in_what_is_printed_for_debugging() {
        let folder = tempfile::tempdir().unwrap();
        let letter = letter(&keyring(folder.path(), TO));
        for printed in [format!("{letter:?}"), format!("{letter:#?}")] {
            assert!(printed.contains("seq"), "{printed}");
            for secret in ["hello", "a.txt"] {
                assert!(!printed.contains(secret), "{printed}");
            }
        }
    }
}
