//! Opening what a person was sent, from a server that lies.

use std::fs;

use agentdrop_client::{Client, Incoming, ReceiveKey, Received, Security};
use agentdrop_protocol::api_key::KeyKind;
use agentdrop_protocol::wire::receive_passwords::ReceivePassword;
use agentdrop_protocol::{LinkToken, Password, Timestamp};
use agentdrop_seal::SecretKey;
use agentdrop_seal::compat::human;
use agentdrop_seal::person::{self, About, FileSalt, Policy};
use agentdrop_seal::receive_password::WrappedReceiveKey;
use axum::http::{StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::hostile::{
    DOWNLOAD, Hostile, NOW, Served, TRANSFER, acknowledgement, add_file, api_key, grant, id, list,
    names, public, transfer,
};

const TWO: [(&str, &[u8]); 2] = [("one.txt", b"pay 10"), ("two.txt", b"pay 99")];
const PASSWORD: &str = "correct horse battery";
/// Long after any of these tests runs.
const LATE: Timestamp = Timestamp::from_millis(9_000_000_000_000);

/// Files as they were sealed, and what opens them.
struct Sealed {
    algorithm: &'static str,
    ephemeral: String,
    salt: String,
    files: Vec<(String, Vec<u8>)>,
}

fn ours(files: &[(&str, &[u8])], recipient: &SecretKey, expires: Timestamp) -> Sealed {
    let out = person::Outgoing::generate(id(), &recipient.public_key()).unwrap();
    let (mut said, mut sealed) = (Vec::new(), Vec::new());
    for (i, (name, content)) in (1..).zip(files) {
        let mut bytes = Vec::new();
        let mut sealer = out.file(i, FileSalt::generate().unwrap(), &mut bytes);
        sealer.update(content, &mut bytes).unwrap();
        let it = sealer.finish(&mut bytes).unwrap();
        said.push(person::File {
            name: name.parse().unwrap(),
            content_type: "text/plain".parse().unwrap(),
            size: it.size,
            sealed_size: it.sealed_size,
            digest: it.digest,
        });
        sealed.push((i.to_string(), bytes));
    }
    let about = About {
        sender: None,
        message: Some("hello".parse().unwrap()),
        created: Timestamp::from_millis(0),
        expires,
        policy: Policy {
            max_downloads: 10,
            auto_delete: true,
        },
    };
    let envelope = out.envelope(about, said).unwrap();
    sealed.insert(0, (person::ENVELOPE.to_owned(), envelope));
    Sealed {
        algorithm: person::ALGORITHM,
        ephemeral: STANDARD.encode(out.ephemeral.as_bytes()),
        salt: STANDARD.encode(out.salt.as_bytes()),
        files: sealed,
    }
}

fn theirs(files: &[(&str, &[u8])], recipient: &SecretKey) -> Sealed {
    let out = human::Outgoing::generate(&recipient.public_key()).unwrap();
    let seal = |(name, content): &(&str, &[u8])| {
        let mut bytes = Vec::new();
        human::seal_to(&out.content_key, *content, &mut bytes).unwrap();
        ((*name).to_owned(), bytes)
    };
    Sealed {
        algorithm: human::ALGORITHM,
        ephemeral: STANDARD.encode(out.ephemeral.as_bytes()),
        salt: STANDARD.encode(out.salt.as_bytes()),
        files: files.iter().map(seal).collect(),
    }
}

/// A server that has something for the person.
async fn server(seal: impl FnOnce(&SecretKey) -> Sealed) -> Hostile {
    let server = Hostile::start().await;
    let (key, _) = person().await;
    let it = seal(key);
    let mut listed = transfer(true);
    listed["mode"] = json!("agent-to-human");
    listed["encryption_algorithm"] = json!(it.algorithm);
    listed["recipient"] = json!("bob@example.org");
    let mut granted = json!({
        "id": TRANSFER, "download_id": DOWNLOAD, "download_expires_at": NOW, "sender": "alice",
        "files": [], "downloads": 1, "downloads_remaining": 9, "expires_at": NOW,
        "auto_delete": true, "is_encrypted": true, "encryption_algorithm": it.algorithm,
        "encrypted_key": it.ephemeral, "encryption_salt": it.salt,
        "recipient_public_key": public(key), "message": "what the server says",
    });
    let mut world = server.world();
    for (n, (name, bytes)) in it.files.into_iter().enumerate() {
        add_file(&mut listed, &mut granted, n, &name, bytes.len(), None);
        let served = Served {
            bytes,
            ..Served::default()
        };
        world.files.insert(format!("/files/{n}"), served);
    }
    let acked = json!({"download_id": DOWNLOAD, "status": "received", "at": NOW});
    world.answer(&list(), &listed);
    world.answer(&grant(), &granted);
    world.answer(&acknowledgement(), &acked);
    drop(world);
    server
}

async fn honest() -> Hostile {
    server(|key| ours(&TWO, key, LATE)).await
}

fn kept(key: &SecretKey) -> ReceivePassword {
    let wrapped = WrappedReceiveKey::wrap(key, PASSWORD).unwrap();
    serde_json::from_value(json!({
        "public_key": public(key), "set_at": NOW,
        "encrypted_private_key": {
            "v": 1, "kdf": "PBKDF2-HMAC-SHA256", "iterations": wrapped.iterations,
            "salt": STANDARD.encode(wrapped.salt), "cipher": "AES-256-GCM",
            "nonce": STANDARD.encode(wrapped.nonce.as_bytes()),
            "ciphertext": STANDARD.encode(wrapped.ciphertext),
        },
    }))
    .unwrap()
}

/// The one person whom everything here is for: unlocking their key takes long, on purpose.
async fn person() -> &'static (SecretKey, ReceiveKey) {
    static PERSON: OnceCell<(SecretKey, ReceiveKey)> = OnceCell::const_new();
    let unlock = async || {
        let key = SecretKey::generate().unwrap();
        let unlocked = ReceiveKey::unlock(&kept(&key), password(PASSWORD)).await;
        (key, unlocked.unwrap())
    };
    PERSON.get_or_init(unlock).await
}

fn password(text: &str) -> Password {
    text.parse().unwrap()
}

impl Hostile {
    async fn open(&self) -> agentdrop_client::Result<Received> {
        let (_, key) = person().await;
        self.client().open(id(), key, self.incoming()).await
    }

    async fn does_not_open(&self, code: &str) {
        let error = self.open().await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(names(self.target.path()), [""; 0], "{error}");
        assert_eq!(self.world().calls(&acknowledgement()), 0, "{error}");
    }
}

#[tokio::test]
async fn what_was_sealed_for_a_person_opens_in_both_formats() {
    let large: Vec<u8> = (0..300_000_u32).map(|it| it.to_le_bytes()[1]).collect();
    let files: [(&str, &[u8]); 3] = [("empty", b""), ("large.bin", &large), ("a.txt", b"x")];
    let ours = server(|key| ours(&files, key, LATE)).await;
    let theirs = server(|key| theirs(&files, key)).await;
    for (server, security, message) in [
        (ours, Security::Sealed, "hello"),
        (theirs, Security::Compatible, "what the server says"),
    ] {
        let received = server.open().await.unwrap();
        assert_eq!(received.security, security);
        assert_eq!(received.message.unwrap().as_str(), message);
        assert!(received.unacknowledged.is_none());
        for (got, (name, content)) in received.files.iter().zip(files) {
            assert_eq!(got.path, server.target.path().join(name));
            assert_eq!(fs::read(&got.path).unwrap(), content);
            assert_eq!(got.bytes, content.len() as u64);
        }
        assert_eq!(names(server.target.path()).len(), 3);
        assert_eq!(server.world().calls(&acknowledgement()), 1);
    }
}

#[tokio::test]
async fn what_a_grant_says_otherwise_is_refused() {
    let other = public(&SecretKey::generate().unwrap());
    let zeros = STANDARD.encode([0; 32]);
    for (field, value, code) in [
        (
            "recipient_public_key",
            json!(other),
            "FOR_ANOTHER_RECEIVE_KEY",
        ),
        ("recipient_public_key", Value::Null, "E2EE_INCOMPLETE"),
        ("encrypted_key", Value::Null, "E2EE_INCOMPLETE"),
        ("encrypted_key", json!("AAAA"), "E2EE_INCOMPLETE"),
        ("encrypted_key", json!(zeros), "E2EE_INCOMPLETE"),
        ("encrypted_key", json!(other), "OPEN_REFUSED"),
        ("encryption_salt", Value::Null, "E2EE_INCOMPLETE"),
        ("encryption_salt", json!(zeros), "OPEN_REFUSED"),
        ("is_encrypted", json!(false), "DOWNGRADE"),
        (
            "encryption_algorithm",
            json!("AGENTDROP-9"),
            "TRANSFER_CHANGED",
        ),
        ("encryption_algorithm", Value::Null, "TRANSFER_CHANGED"),
        (
            "encryption_algorithm",
            json!(human::ALGORITHM),
            "TRANSFER_CHANGED",
        ),
        (
            "id",
            json!("tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f7"),
            "TRANSFER_CHANGED",
        ),
    ] {
        let server = honest().await;
        server.world().change(&grant(), |it| it[field] = value);
        server.does_not_open(code).await;
    }
    // Also where it was announced so.
    let server = honest().await;
    for call in [list(), grant()] {
        let name = json!(human::ALGORITHM);
        server
            .world()
            .change(&call, |it| it["encryption_algorithm"] = name);
    }
    server.does_not_open("OPEN_REFUSED").await;
}

#[tokio::test]
async fn what_the_envelope_does_not_say_is_refused() {
    // Another transfer's, for the same key.
    let server = honest().await;
    let other = ours(&TWO, &person().await.0, LATE);
    let bytes = other.files[0].1.clone();
    server.world().files.get_mut("/files/0").unwrap().bytes = bytes;
    server.does_not_open("OPEN_REFUSED").await;

    // Two files of one size, one in the other's place.
    let server = honest().await;
    {
        let mut world = server.world();
        let one = std::mem::take(&mut world.files.get_mut("/files/1").unwrap().bytes);
        let two = std::mem::replace(&mut world.files.get_mut("/files/2").unwrap().bytes, one);
        world.files.get_mut("/files/1").unwrap().bytes = two;
    }
    server.does_not_open("OPEN_REFUSED").await;

    // One left out, or one more, also where it was announced so.
    for more in [false, true] {
        let server = honest().await;
        for call in [list(), grant()] {
            server.world().change(&call, |it| {
                let files = it["files"].as_array_mut().unwrap();
                if more {
                    let mut file = files[2].clone();
                    file["file_id"] = json!("019a9f3e-5c1a-7b2d-8e4f-0000000000ff");
                    files.push(file);
                } else {
                    files.pop();
                }
            });
        }
        server.does_not_open("TRANSFER_CHANGED").await;
    }

    // The envelope alone, or one that is larger than any.
    let server = honest().await;
    for call in [list(), grant()] {
        server
            .world()
            .change(&call, |it| it["files"].as_array_mut().unwrap().truncate(1));
    }
    server.does_not_open("TRANSFER_CHANGED").await;
    let server = honest().await;
    for call in [list(), grant()] {
        let size = json!(person::MAX_ENVELOPE_BYTES + 1);
        server
            .world()
            .change(&call, |it| it["files"][0]["size"] = size);
    }
    server.does_not_open("TRANSFER_CHANGED").await;
    assert_eq!(server.world().calls("GET /files/0"), 0);

    let server = server_after_its_time().await;
    server.does_not_open("ENVELOPE_EXPIRED").await;
}

async fn server_after_its_time() -> Hostile {
    server(|key| ours(&TWO, key, Timestamp::from_millis(1_000))).await
}

#[tokio::test]
async fn a_byte_that_was_changed_in_either_format_leaves_nothing() {
    for is_ours in [true, false] {
        for n in 0..2 {
            let server = server(|key| {
                if is_ours {
                    ours(&TWO, key, LATE)
                } else {
                    theirs(&TWO, key)
                }
            })
            .await;
            let file = format!("/files/{n}");
            let last = server.world().files[&file].bytes.len() - 1;
            server.world().files.get_mut(&file).unwrap().bytes[last] ^= 1;
            server.does_not_open("OPEN_REFUSED").await;
        }
    }
}

#[tokio::test]
async fn what_could_not_be_opened_costs_no_download() {
    for (field, value, code) in [
        ("status", json!("pending_recipient"), "PENDING_RECIPIENT"),
        ("is_encrypted", json!(false), "PLAINTEXT"),
        ("mode", json!("agent-to-agent"), "FOR_AN_AGENT"),
        (
            "encryption_algorithm",
            json!("AGENTDROP-9"),
            "UNKNOWN_ALGORITHM",
        ),
        ("encryption_algorithm", Value::Null, "UNKNOWN_ALGORITHM"),
    ] {
        let server = honest().await;
        server.world().change(&list(), |it| it[field] = value);
        server.does_not_open(code).await;
        assert_eq!(server.world().calls(&grant()), 0);
    }
}

#[tokio::test]
async fn a_key_is_the_one_that_the_password_opens_or_none() {
    let (key, other) = (
        SecretKey::generate().unwrap(),
        SecretKey::generate().unwrap(),
    );
    let kept = kept(&key);
    let wrong = ReceiveKey::unlock(&kept, password("wrong horse battery")).await;
    assert_eq!(wrong.unwrap_err().code(), "WRONG_RECEIVE_PASSWORD");
    let swapped = ReceivePassword {
        public_key: public(&other).parse().unwrap(),
        ..kept
    };
    let differs = ReceiveKey::unlock(&swapped, password(PASSWORD)).await;
    assert_eq!(differs.unwrap_err().code(), "RECEIVE_KEY_DIFFERS");
}

#[tokio::test]
async fn a_link_opens_without_a_key_of_the_server() {
    let server = honest().await;
    let token: LinkToken = api_key(KeyKind::MailedLink)
        .expose_secret()
        .parse()
        .unwrap();
    let link = format!("/v1/d/{}", token.as_key().expose_secret());
    {
        let mut world = server.world();
        let (mut listed, mut granted) = (Value::Null, Value::Null);
        world.change(&list(), |it| listed = it.clone());
        world.change(&grant(), |it| granted = it.clone());
        listed["sender_account"] = json!({ "name": "Me", "email": "me@example.org" });
        listed["downloads_remaining"] = json!(9);
        let shown = json!({ "transfer": listed, "next_step": "open", "receive_password": null });
        world.answer(&format!("GET {link}"), &shown);
        world.answer(&format!("POST {link}/downloads"), &granted);
        let acked = json!({"download_id": DOWNLOAD, "status": "received", "at": NOW});
        world.answer(&format!("POST {link}/ack"), &acked);
    }
    let client = Client::builder(&server.url).build().unwrap();
    let incoming = Incoming::into_folder(server.target.path());
    let received = client
        .open_link(&token, &person().await.1, incoming)
        .await
        .unwrap();
    assert_eq!(received.files.len(), 2);
    let world = server.world();
    assert_eq!(world.calls(&format!("POST {link}/ack")), 1);
    assert_eq!(world.calls(&grant()) + world.calls(&acknowledgement()), 0);
    for seen in &world.seen {
        assert!(!seen.headers.contains_key(header::AUTHORIZATION));
    }
}

#[tokio::test]
async fn what_is_called_another_format_than_it_is_does_not_open() {
    let server = server(|key| {
        let mut it = theirs(&TWO, key);
        it.algorithm = person::ALGORITHM;
        it
    })
    .await;
    server.does_not_open("OPEN_REFUSED").await;
}

type Seal<'a> = &'a dyn Fn(&SecretKey) -> Sealed;

#[tokio::test]
async fn a_person_goes_on_where_it_ended_in_both_formats() {
    let large = vec![7; 3_000_000];
    let files: [(&str, &[u8]); 2] = [("one.txt", b"pay 10"), ("large", &large)];
    let (ours, theirs): (Seal<'_>, Seal<'_>) =
        (&|key| ours(&files, key, LATE), &|key| theirs(&files, key));
    for (seal, last, bytes) in [
        (ours, "/files/2", "GET /files/2"),
        (theirs, "/files/1", "GET /files/1"),
    ] {
        let server = server(seal).await;
        {
            let mut world = server.world();
            let file = world.files.get_mut(last).unwrap();
            (file.etag, file.cuts) = (Some("\"v1\""), vec![2_000_000, 1]);
            file.refuses = Some(StatusCode::INTERNAL_SERVER_ERROR);
        }
        let error = server.open().await.unwrap_err();
        assert_eq!(error.code(), "UNKNOWN");
        assert_eq!(server.visible(), [""; 0]);
        let received = server.open().await.unwrap();
        assert!(received.resumed_bytes > 2_000_000);
        assert!(fs::read(server.target.path().join("large")).unwrap() == large);
        assert_eq!(names(server.target.path()), ["large", "one.txt"]);
        let world = server.world();
        assert_eq!((world.calls(&grant()), world.calls(bytes)), (1, 4));
        assert_eq!(
            world.calls("GET /files/0"),
            1,
            "what was whole is not fetched again"
        );
    }
}
