//! What a server can draw and sign itself: everything but what needs a key that it does not have.

use std::time::Duration;

use agentdrop_protocol::text::ContentType;
use agentdrop_protocol::{AgentId, SignedStatement, Timestamp, TransferId};
use agentdrop_seal::SecretKey;
use agentdrop_seal::identity::{Bundle, IdentityKey, KemKey, Prekey, Rotation, SignedBundle};
use agentdrop_seal::native::{About, File, FileSalt, Outgoing, Policy, Recipient, Sender};

/// An identity that the server drew for an agent.
pub(super) struct Forger {
    agent: AgentId,
    identity: IdentityKey,
}

#[expect(
    clippy::disallowed_methods,
    reason = "who is deceived has the real time"
)]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

fn later() -> Timestamp {
    now().plus(Duration::from_hours(24))
}

fn text(bytes: Vec<u8>) -> String {
    SignedStatement::new(bytes).unwrap().to_string()
}

impl Forger {
    pub(super) fn draw(agent: AgentId) -> Self {
        Self {
            agent,
            identity: IdentityKey::generate().unwrap(),
        }
    }

    /// A bundle of this version, with an encryption key of its own.
    pub(super) fn bundle(&self, version: u64) -> String {
        self.suite(version, 0)
    }

    /// The same, for senders of at least this suite.
    pub(super) fn suite(&self, version: u64, min_suite: u8) -> String {
        text(self.signed(version, min_suite, later()).to_bytes())
    }

    /// One whose time is over.
    pub(super) fn expired(&self) -> String {
        let over = Timestamp::from_millis(now().as_millis() - 1000);
        text(self.signed(1, 0, over).to_bytes())
    }

    fn signed(&self, version: u64, min_suite: u8, not_after: Timestamp) -> SignedBundle {
        let compatible = *SecretKey::generate().unwrap().public_key().as_bytes();
        self.identity.sign_bundle(Bundle {
            agent: self.agent,
            version,
            identity: self.identity.public_key(),
            kem: KemKey::generate().unwrap().public_key().clone(),
            compatible: compatible.try_into().unwrap(),
            min_suite,
            not_after,
            previous: (version > 1).then_some([7; 32]),
        })
    }

    /// A prekey that it signed.
    pub(super) fn prekey(&self) -> String {
        let prekey = Prekey {
            agent: self.agent,
            kem: KemKey::generate().unwrap().public_key().clone(),
            not_after: later(),
        };
        text(self.identity.sign_prekey(prekey).to_bytes())
    }

    /// A bundle, and a rotation to it from a key that it drew as well.
    pub(super) fn rotated(&self) -> (String, String) {
        let old = IdentityKey::generate().unwrap();
        let rotation = old.sign_rotation(Rotation {
            agent: self.agent,
            from: old.public_key(),
            to: self.identity.public_key(),
            since: 2,
            previous: [7; 32],
        });
        (self.bundle(2), text(rotation.to_bytes()))
    }

    /// An envelope and its one file, for `to`, whose bundle this is, and as if the agent had sent it.
    pub(super) fn sealed(
        &self,
        id: TransferId,
        to: AgentId,
        bundle: &str,
        content: &[u8],
    ) -> (Vec<u8>, Vec<u8>) {
        let bundle: SignedStatement = bundle.parse().unwrap();
        let bundle = SignedBundle::read(bundle.as_bytes()).unwrap();
        let bundle = bundle.check(to, None, now()).unwrap();
        let outgoing = Outgoing::generate(id).unwrap();
        let mut sealed = Vec::new();
        let mut sealer = outgoing.file(1, FileSalt::generate().unwrap(), &mut sealed);
        sealer.update(content, &mut sealed).unwrap();
        let file = sealer.finish(&mut sealed).unwrap();
        let file = File {
            name: "pay.txt".parse().unwrap(),
            content_type: ContentType::octet_stream(),
            size: file.size,
            sealed_size: file.sealed_size,
            sealed_sha256: file.sealed_sha256,
        };
        let about = About {
            message: None,
            created: now(),
            expires: later(),
            seq: u64::MAX,
            policy: Policy {
                max_downloads: 10,
                auto_delete: false,
            },
        };
        let from = Sender {
            agent: self.agent,
            identity: &self.identity,
        };
        let to = [Recipient::new(&bundle).unwrap()];
        let envelope = outgoing.envelope(&from, &to, about, vec![file]).unwrap();
        (envelope.object, sealed)
    }

    /// A statement of which a byte of the signature is another.
    pub(super) fn damaged(statement: &str) -> String {
        let statement: SignedStatement = statement.parse().unwrap();
        let mut bytes = statement.as_bytes().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        text(bytes)
    }
}
