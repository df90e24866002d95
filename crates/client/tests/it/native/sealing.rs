//! What Alice sends to Bob in an envelope, through a server that does with it what a test wants.

use std::time::UNIX_EPOCH;

use agentdrop_client::Keyring;
use agentdrop_protocol::{AgentId, Timestamp};
use agentdrop_seal::identity::{IdentityKey, KemKey, SignedBundle};
use agentdrop_seal::native::{
    About, ENVELOPE, File, FileSalt, Outgoing, Policy, Recipient, Sender,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::hostile::{
    ALICE, BOB, DOWNLOAD, Hostile, NOW, Served, TRANSFER, acknowledgement, add_file, grant, id,
    list, transfer,
};

pub(super) const TAG: &str = "\"v1\"";

/// By this machine's clock, as files have it.
fn now(server: &Hostile) -> Timestamp {
    let about = server.home.path().metadata().unwrap();
    let since = about.modified().unwrap().duration_since(UNIX_EPOCH);
    Timestamp::from_millis(i64::try_from(since.unwrap().as_millis()).unwrap())
}

fn agent(text: &str) -> AgentId {
    text.parse().unwrap()
}

/// Bob's keys, as if they had been published.
fn keyring_of_bob(server: &Hostile) -> Keyring {
    let key = server.bob.public_key().as_bytes().to_owned();
    let key = key.try_into().unwrap();
    let mut keyring = Keyring::create(server.home.path(), agent(BOB), key, now(server)).unwrap();
    let first = keyring.draft().unwrap().bundle.clone();
    keyring.published(&first).unwrap();
    keyring
}

fn shown(agent: &str, label: &str, bundle: &SignedBundle) -> Value {
    json!({
        "id": agent, "agent_uuid": agent, "agent_id": label, "version": bundle.bundle.version,
        "bundle": STANDARD.encode(bundle.to_bytes()), "rotations": [],
        "key_fingerprint": bundle.bundle.fingerprint().to_string(),
    })
}

/// A server that has these files for Bob, sealed and signed by Alice.
pub(super) async fn sent(files: &[(&str, &[u8])]) -> Hostile {
    let server = Hostile::start().await;
    let bob = keyring_of_bob(&server);
    let (now, alice) = (now(&server), IdentityKey::generate().unwrap());
    let bundle = alice.sign_bundle(agentdrop_seal::identity::Bundle {
        agent: agent(ALICE),
        kem: KemKey::generate().unwrap().public_key().clone(),
        identity: alice.public_key(),
        ..bob.bundle().unwrap().bundle.clone()
    });
    let to = bob.bundle().unwrap().clone();
    let to = Recipient::new(&to.check(agent(BOB), None, now).unwrap()).unwrap();

    let seal = Outgoing::generate(id()).unwrap();
    let mut objects = Vec::new();
    let mut told = Vec::new();
    for (i, (name, content)) in (1..).zip(files) {
        let mut stream = Vec::new();
        let mut sealer = seal.file(i, FileSalt::generate().unwrap(), &mut stream);
        sealer.update(content, &mut stream).unwrap();
        let sealed = sealer.finish(&mut stream).unwrap();
        told.push(File {
            name: name.parse().unwrap(),
            content_type: "text/plain".parse().unwrap(),
            size: sealed.size,
            sealed_size: sealed.sealed_size,
            digest: sealed.digest,
        });
        objects.push((i.to_string(), stream));
    }
    let about = About {
        message: Some("hello".parse().unwrap()),
        created: now,
        expires: now.plus(std::time::Duration::from_hours(24)),
        seq: 7,
        policy: Policy {
            max_downloads: 10,
            auto_delete: true,
        },
    };
    let from = Sender {
        agent: agent(ALICE),
        identity: &alice,
    };
    let envelope = seal.envelope(&from, &[to], about, told).unwrap();
    objects.insert(0, (ENVELOPE.to_owned(), envelope.object));

    announce(&server, objects);
    let mut world = server.world();
    let prekeys = json!({"prekeys_left": 64, "max_prekeys": 64});
    world.answer(&format!("GET /v1/agents/{BOB}/prekeys"), &prekeys);
    let bundle = shown(ALICE, "alice", &bundle);
    world.answer(&format!("GET /v1/agents/{ALICE}/bundle"), &bundle);
    drop(world);
    server
}

fn announce(server: &Hostile, objects: Vec<(String, Vec<u8>)>) {
    let mut listed = transfer(true);
    let mut granted = json!({
        "id": TRANSFER, "download_id": DOWNLOAD, "download_expires_at": NOW,
        "sender": "alice", "files": [], "downloads": 1, "downloads_remaining": 9,
        "expires_at": NOW, "auto_delete": true, "message": null, "is_encrypted": true,
    });
    for it in [&mut listed, &mut granted] {
        it["encryption_algorithm"] = json!(agentdrop_seal::native::ALGORITHM);
    }
    let mut world = server.world();
    for (n, (name, bytes)) in objects.into_iter().enumerate() {
        add_file(&mut listed, &mut granted, n, &name, bytes.len(), None);
        let served = Served {
            bytes,
            etag: Some(TAG),
            ..Served::default()
        };
        world.files.insert(format!("/files/{n}"), served);
    }
    world.answer(&list(), &listed);
    world.answer(&grant(), &granted);
    let told = json!({"download_id": DOWNLOAD, "status": "received", "at": NOW});
    world.answer(&acknowledgement(), &told);
}
