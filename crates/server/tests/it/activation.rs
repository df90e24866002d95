//! What waited for a person is theirs alone once they have a key.

use agentdrop_cobblestone::{HEADER_BYTES, Opener, SEALED_CHUNK_BYTES};
use agentdrop_envelope::{FileKey, Header, Manifest, file_context, open_manifest};
use agentdrop_testkit::server::text;
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::parties::{Parties, Party};
use crate::receive_passwords::{KEY, password, put};
use crate::world::{blobs, everything, until};

/// A receive key, with its private half.
struct Key(PrivateKey);

impl Key {
    fn new() -> Self {
        Self(PrivateKey::generate(&X25519).unwrap())
    }

    fn public(&self) -> String {
        STANDARD.encode(self.0.compute_public_key().unwrap())
    }

    /// What a grant says its files are encrypted with.
    fn opens(&self, grant: &Value) -> FileKey {
        struct Length;
        impl KeyType for Length {
            fn len(&self) -> usize {
                32
            }
        }
        assert_eq!(grant["encryption_algorithm"], "AGENTDROP-2-A2H");
        assert_eq!(grant["recipient_public_key"], self.public());
        let bytes = |field| STANDARD.decode(text(grant, field)).unwrap();
        let (ephemeral, salt) = (bytes("encrypted_key"), bytes("encryption_salt"));
        let peer = UnparsedPublicKey::new(&X25519, ephemeral);
        let key = agree(&self.0, peer, (), |shared| {
            let mut key = [0; 32];
            let prk = Salt::new(HKDF_SHA256, &salt).extract(shared);
            let okm = prk.expand(&[b"agentdrop/v2 a2h"], Length).unwrap();
            okm.fill(&mut key).unwrap();
            Ok(FileKey::take(&mut key))
        });
        key.unwrap()
    }
}

/// All files of a grant, opened: their names, and what they hold.
async fn opened(by: &Party, parties: &Parties, grant: &Value, key: &Key) -> Vec<(String, Vec<u8>)> {
    let file_key = key.opens(grant);
    let mut objects = Vec::new();
    for file in grant["files"].as_array().unwrap() {
        let url = text(file, "download_url");
        let got = parties.server.http.get(&url, &by.account.key).await;
        assert_eq!(
            (got.status, got.bytes.len() as u64),
            (200, file["size"].as_u64().unwrap())
        );
        objects.push(got.bytes);
    }
    let envelope = objects.remove(0);
    let (header, behind) = Header::read(&envelope).unwrap();
    assert!(header.stanzas.is_empty());
    let manifest = open_manifest(&envelope, behind, &file_key).unwrap();
    let (manifest, _, signature) = Manifest::read(&manifest).unwrap();
    assert_eq!(signature, [0; 64], "the server signs in nobody's name");
    assert_eq!(manifest.files.len(), objects.len());
    let mut files = Vec::new();
    for ((i, object), said) in (1..).zip(&objects).zip(&manifest.files) {
        let (begin, sealed) = object.split_at(HEADER_BYTES);
        let context = file_context(&header.transfer, i);
        let mut opener =
            Opener::new(&file_key.file(i), &context, begin.try_into().unwrap()).unwrap();
        let (mut sealed, mut plain) = (sealed.to_vec(), Vec::new());
        for chunk in sealed.chunks_mut(SEALED_CHUNK_BYTES) {
            plain.extend_from_slice(opener.open_next(chunk).unwrap());
        }
        opener.finish().unwrap();
        assert_eq!(plain.len() as u64, said.size);
        files.push((said.name.as_str().to_owned(), plain));
    }
    files
}

async fn send(parties: &Parties, email: &str, files: &[(&str, &[u8])]) -> Value {
    let fields = [
        ("sender", "data-pipeline"),
        ("recipient", email),
        ("mode", "agent-to-human"),
        ("message", "Weekly report"),
    ];
    let (http, key) = (&parties.server.http, &parties.alex.account.key);
    let sent = http.form("/v1/transfers", key, &fields, files).await;
    let sent = sent.expect(201);
    assert_eq!(sent["status"], "pending_recipient");
    sent
}

#[tokio::test]
async fn whoever_sets_a_receive_password_gets_what_waited_and_nobody_else_reads_it() {
    for parties in &Parties::each().await {
        let server = &parties.server;
        let large: Vec<u8> = (0..200_001_u32).map(|it| it.to_le_bytes()[0]).collect();
        let files: [(&str, &[u8]); 3] = [("a.txt", b"0123456789"), ("b", b""), ("c.bin", &large)];
        let sent = send(parties, "pat@example.org", &files).await;
        let before = everything(server).await["transfers"].clone();
        assert_eq!(blobs(server).len(), 3);

        let (pat, key) = (
            Party::new(server, "Pat", "pat@example.org").await,
            Key::new(),
        );
        let session = server.session_of(&pat.account).await;
        put(server, &session, &password(&key.public()))
            .await
            .expect(200);
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        // By itself: nobody has to come back for it.
        let active = async || pat.get(&path).await.expect(200)["status"] == "active";
        until("what waited is activated", active).await;
        let mail = server.mail_to("pat@example.org", "are ready").await;
        assert!(mail.text.contains("c.bin (200001 bytes)"), "{}", mail.text);

        // What the server could read is gone, and so is the key to it.
        let replaced = async || blobs(server).len() == 4;
        until("the bytes before are deleted", replaced).await;
        for blob in blobs(server) {
            let name = blob.file_name().unwrap().to_str().unwrap().to_owned();
            let position: u32 = name.rsplit('.').next().unwrap().parse().unwrap();
            assert!(position >= 3, "{name}");
        }
        let wrapped = |rows: &[String]| {
            let cells = rows[0]
                .split('\u{1f}')
                .find(|it| it.starts_with("wrapped_key="));
            cells.unwrap().to_owned()
        };
        let after = everything(server).await["transfers"].clone();
        assert_ne!(wrapped(&before), wrapped(&after));

        let grant = pat.get(&format!("{path}/download")).await.expect(200);
        let found = opened(&pat, parties, &grant, &key).await;
        let expected = files.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
        assert_eq!(found, expected);
        server.activate().await;
        assert_eq!(everything(server).await["transfers"].len(), 1);
    }
}

/// Their lookup was before, and the files after.
#[tokio::test]
async fn what_comes_plain_for_who_has_a_key_is_activated_at_once() {
    for parties in &Parties::each().await {
        let (server, jamie, key) = (&parties.server, &parties.jamie, Key::new());
        let session = server.session_of(&jamie.account).await;
        put(server, &session, &password(&key.public()))
            .await
            .expect(200);
        let sent = send(parties, &jamie.email, &[("a.txt", b"x")]).await;
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        let active = async || jamie.get(&path).await.expect(200)["status"] == "active";
        until("it is activated", active).await;
        let mails = server.mails();
        let told = mails
            .iter()
            .filter(|it| it.header("Subject").contains("wait for you"));
        assert_eq!(told.count(), 0);
    }
}

/// What a server left behind that was stopped on the way is in nobody's way.
#[tokio::test]
async fn what_was_begun_before_is_begun_anew() {
    for parties in &Parties::each().await {
        let (server, jamie, key) = (&parties.server, &parties.jamie, Key::new());
        let sent = send(parties, &jamie.email, &[("a.txt", b"x")]).await;
        let deleted = send(parties, &jamie.email, &[("a.txt", b"y")]).await;
        let path = format!("/v1/transfers/{}", text(&deleted, "id"));
        parties.alex.delete(&path).await.expect(200);
        for blob in blobs(server) {
            let name = blob.display().to_string();
            let (transfer, _) = name.rsplit_once('.').unwrap();
            let mut half = std::fs::File::create(format!("{transfer}.1")).unwrap();
            std::io::Write::write_all(&mut half, b"half of it").unwrap();
        }
        let session = server.session_of(&jamie.account).await;
        put(server, &session, &password(&key.public()))
            .await
            .expect(200);
        server.activate().await;
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        let active = async || jamie.get(&path).await.expect(200)["status"] == "active";
        until("it is activated", active).await;
        let grant = jamie.get(&format!("{path}/download")).await.expect(200);
        let found = opened(jamie, parties, &grant, &key).await;
        assert_eq!(found, [("a.txt".to_owned(), b"x".to_vec())]);
        let gone = format!("/v1/transfers/{}", text(&deleted, "id"));
        assert_eq!(jamie.get(&gone).await.expect(200)["status"], "deleted");
        assert_ne!(key.public(), KEY);
    }
}
