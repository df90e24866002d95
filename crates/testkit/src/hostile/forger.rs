//! What a server can draw and sign itself: everything but what needs a key that it does not have.

use std::time::Duration;

use agentdrop_protocol::text::ContentType;
use agentdrop_protocol::{AgentId, SignedStatement, Timestamp, TransferId};
use agentdrop_seal::SecretKey;
use agentdrop_seal::identity::{Bundle, IdentityKey, KemKey, Prekey, Rotation, SignedBundle};
use agentdrop_seal::native::{About, File, FileSalt, Outgoing, Policy, Recipient, Sender};

/// An identity that the server drew for an agent.
#[derive(Debug)]
pub struct Forger {
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
        .expect("it is after 1970");
    Timestamp::from_millis(i64::try_from(since.as_millis()).expect("the time fits"))
}

fn later() -> Timestamp {
    now().plus(Duration::from_hours(24))
}

fn text(bytes: Vec<u8>) -> String {
    SignedStatement::new(bytes)
        .expect("it is of a length that statements have")
        .to_string()
}

impl Forger {
    /// Draws one.
    pub fn draw(agent: AgentId) -> Self {
        Self {
            agent,
            identity: IdentityKey::generate().expect("there is chance"),
        }
    }

    /// A bundle of this version, with an encryption key of its own.
    pub fn bundle(&self, version: u64) -> String {
        self.suite(version, 0)
    }

    /// The same, for senders of at least this suite.
    pub fn suite(&self, version: u64, min_suite: u8) -> String {
        text(self.signed(version, min_suite, later()).to_bytes())
    }

    /// One whose time is over.
    pub fn expired(&self) -> String {
        let over = Timestamp::from_millis(now().as_millis() - 1000);
        text(self.signed(1, 0, over).to_bytes())
    }

    fn signed(&self, version: u64, min_suite: u8, not_after: Timestamp) -> SignedBundle {
        let compatible = *SecretKey::generate()
            .expect("there is chance")
            .public_key()
            .as_bytes();
        self.identity.sign_bundle(Bundle {
            agent: self.agent,
            version,
            identity: self.identity.public_key(),
            kem: KemKey::generate()
                .expect("there is chance")
                .public_key()
                .clone(),
            compatible: compatible.try_into().expect("a key has 32 bytes"),
            min_suite,
            not_after,
            previous: (version > 1).then_some([7; 32]),
        })
    }

    /// A prekey that it signed.
    pub fn prekey(&self) -> String {
        let prekey = Prekey {
            agent: self.agent,
            kem: KemKey::generate()
                .expect("there is chance")
                .public_key()
                .clone(),
            not_after: later(),
        };
        text(self.identity.sign_prekey(prekey).to_bytes())
    }

    /// A bundle, and a rotation to it from a key that it drew as well.
    pub fn rotated(&self) -> (String, String) {
        let old = IdentityKey::generate().expect("there is chance");
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
    pub fn sealed(
        &self,
        id: TransferId,
        to: AgentId,
        bundle: &str,
        content: &[u8],
    ) -> (Vec<u8>, Vec<u8>) {
        let bundle: SignedStatement = bundle.parse().expect("a bundle is a statement");
        let bundle = SignedBundle::read(bundle.as_bytes()).expect("it is a bundle");
        let bundle = bundle
            .check(to, None, now())
            .expect("it is theirs, and its time is not over");
        let outgoing = Outgoing::generate(id).expect("there is chance");
        let mut sealed = Vec::new();
        let mut sealer = outgoing.file(
            1,
            FileSalt::generate().expect("there is chance"),
            &mut sealed,
        );
        sealer
            .update(content, &mut sealed)
            .expect("memory takes everything");
        let file = sealer.finish(&mut sealed).expect("memory takes everything");
        let file = File {
            name: "pay.txt".parse().expect("it is a name"),
            content_type: ContentType::octet_stream(),
            size: file.size,
            sealed_size: file.sealed_size,
            digest: file.digest,
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
        let to = [Recipient::new(&bundle).expect("they are a recipient")];
        let envelope = outgoing
            .envelope(&from, &to, about, vec![file])
            .expect("one file and one recipient are few enough");
        (envelope.object, sealed)
    }

    /// A statement of which a byte of the signature is another.
    pub fn damaged(statement: &str) -> String {
        let statement: SignedStatement = statement.parse().expect("it is a statement");
        let mut bytes = statement.as_bytes().to_vec();
        *bytes.last_mut().expect("it is not empty") ^= 1;
        text(bytes)
    }
}
