//! An agent that signs what it says of its keys, without any code of our clients.

use agentdrop_envelope::identity::{
    Bundle, Fingerprint, IdentityPublicKey, KemPublicKey, Prekey, Rotation, SignedBundle,
    SignedPrekey, SignedRotation,
};
use agentdrop_envelope::{Receipt, Signature, Statement, Verdict};
use agentdrop_protocol::{AgentId, EncryptionPublicKey, Timestamp};
use agentdrop_testkit::http::{Answer, Http, send};
use agentdrop_testkit::server::text;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

/// When the servers of the tests are: bundles are good for a month from there.
const NOW: &str = "2026-04-17T12:00:00.000Z";
const MONTH_MILLIS: i64 = 30 * 24 * 3_600_000;

const KEY: &str = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";

/// The keys of an agent, and its last bundle.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) agent: AgentId,
    pub(crate) key: SigningKey,
    compatible: EncryptionPublicKey,
    pub(crate) last: Option<Bundle>,
}

impl Identity {
    /// Of an agent, as the API shows it, with an identity key of its own.
    pub(crate) fn of(agent: &Value, chance: u8) -> Self {
        Self {
            agent: text(agent, "id").parse().unwrap(),
            key: SigningKey::from_bytes(&[chance; 32]),
            compatible: text(agent, "public_key").parse().unwrap(),
            last: None,
        }
    }

    /// Of the agent with this id and the key that the tests register; of nobody, if it is no id.
    pub(crate) fn named(agent: &str) -> Self {
        let nobody = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6";
        let id = agent.parse::<AgentId>().map_or(nobody, |_| agent);
        Self::of(&json!({ "id": id, "public_key": KEY }), 1)
    }

    pub(crate) fn public(&self) -> IdentityPublicKey {
        IdentityPublicKey::from_bytes(self.key.verifying_key().as_bytes()).unwrap()
    }

    pub(crate) fn fingerprint(&self) -> String {
        Fingerprint::of(self.agent, &self.public()).to_string()
    }

    fn sign(&self, statement: &Statement<'_>) -> Signature {
        self.key.sign(&statement.to_bytes()).to_bytes()
    }

    /// The bundle that comes next.
    pub(crate) fn next(&self) -> Bundle {
        Bundle {
            agent: self.agent,
            version: self.last.as_ref().map_or(1, |it| it.version + 1),
            identity: self.public(),
            kem: kem(1),
            compatible: self.compatible,
            min_suite: 0,
            not_after: later(MONTH_MILLIS),
            previous: self.last.as_ref().map(Bundle::hash),
        }
    }

    /// A bundle, signed.
    pub(crate) fn signed(&self, bundle: &Bundle) -> Vec<u8> {
        let signature = self.sign(&Statement::Bundle(&bundle.to_cbor()));
        let bundle = bundle.clone();
        SignedBundle { bundle, signature }.to_bytes()
    }

    /// That this key follows the last bundle of `old`, signed by the key of `old`.
    pub(crate) fn rotation(&self, old: &Self) -> Rotation {
        let last = old.last.as_ref().unwrap();
        Rotation {
            agent: self.agent,
            from: old.public(),
            to: self.public(),
            since: last.version + 1,
            previous: last.hash(),
        }
    }

    /// A rotation, signed.
    pub(crate) fn signed_rotation(&self, rotation: &Rotation) -> Vec<u8> {
        let signature = self.sign(&Statement::Rotation(&rotation.to_cbor()));
        let rotation = rotation.clone();
        SignedRotation {
            rotation,
            signature,
        }
        .to_bytes()
    }

    /// A prekey that is good for so long, signed.
    pub(crate) fn prekey(&self, chance: u64, millis: i64) -> Vec<u8> {
        let prekey = Prekey {
            agent: self.agent,
            kem: kem(chance),
            not_after: later(millis),
        };
        let signature = self.sign(&Statement::Prekey(&prekey.to_cbor()));
        SignedPrekey { prekey, signature }.to_bytes()
    }

    /// What became of a transfer, signed.
    pub(crate) fn receipt(&self, transfer: &str, verdict: Verdict) -> String {
        let id = hex::decode(transfer.strip_prefix("tr_").unwrap()).unwrap();
        let mut receipt = Receipt {
            transfer: id.try_into().unwrap(),
            manifest: [7; 64],
            verdict,
            signature: [0; 64],
        };
        receipt.signature = self.sign(&receipt.statement());
        STANDARD.encode(receipt.to_bytes())
    }

    /// Publishes the next bundle under this credential.
    pub(crate) async fn publish(&mut self, http: &Http, key: &str) -> Answer {
        let next = self.next();
        let body = publishing(&self.signed(&next));
        let answer = put(http, key, &self.agent.to_string(), &body).await;
        if answer.status == 200 {
            self.last = Some(next);
        }
        answer
    }
}

/// A body that publishes the first bundle of an agent.
pub(crate) fn first_bundle(agent: &str) -> Value {
    let identity = Identity::named(agent);
    publishing(&identity.signed(&identity.next()))
}

/// A body that adds a prekey of an agent.
pub(crate) fn a_prekey(agent: &str) -> Value {
    let prekey = Identity::named(agent).prekey(1, MONTH_MILLIS);
    json!({ "prekeys": [STANDARD.encode(prekey)] })
}

/// A body that publishes a bundle.
pub(crate) fn publishing(bundle: &[u8]) -> Value {
    json!({ "bundle": STANDARD.encode(bundle) })
}

/// The same, of another identity key.
pub(crate) fn rotating(bundle: &[u8], rotation: &[u8]) -> Value {
    json!({ "bundle": STANDARD.encode(bundle), "rotation": STANDARD.encode(rotation) })
}

/// Publishes a bundle.
pub(crate) async fn put(http: &Http, key: &str, agent: &str, body: &Value) -> Answer {
    let path = format!("/v1/agents/{agent}/bundle");
    send(http.request("PUT", &path, key).json(body)).await
}

/// A moment, so long after the beginning of the test.
pub(crate) fn later(millis: i64) -> Timestamp {
    let now: Timestamp = NOW.parse().unwrap();
    Timestamp::from_millis(now.as_millis() + millis)
}

/// A key to seal for, of which nobody has the private half: its numbers are small enough, and its
/// point is of no low order.
pub(crate) fn kem(chance: u64) -> KemPublicKey {
    let mut bytes = [9; KemPublicKey::BYTES];
    // Behind the numbers stands a seed, which may be any.
    let digits = bytes.iter_mut().skip(1152);
    for (place, byte) in digits.zip(chance.to_be_bytes()) {
        *place = byte;
    }
    KemPublicKey::from_bytes(&bytes).unwrap()
}
