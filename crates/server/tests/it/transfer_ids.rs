//! Ids that senders choose: each is given away once, and whoever comes second loses nothing of the first.

use std::time::Duration;

use agentdrop_protocol::TransferId;
use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::{TestServer, text};
use futures_util::future::join_all;
use reqwest::multipart;
use serde_json::json;

use crate::parties::{Parties, Party};
use crate::receive_passwords::{KEY, password, put};
use crate::world::{blobs, rows};

/// Another good key.
const OTHER_KEY: &str = "WGmv9FBUlzLLqu1eXfmzCm2jHLDldCutWtShp2jxpns=";
const SALT: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn id(server: &TestServer, chance: u8) -> TransferId {
    TransferId::new(server.clock.now(), [chance; 10])
}

fn digits(id: TransferId) -> String {
    id.to_string().trim_start_matches("tr_").to_owned()
}

/// To an agent of the same account, with a file of its own.
async fn to_bot(server: &TestServer, from: &Party, id: TransferId, file: &[u8]) -> Answer {
    let id = digits(id);
    let to = ("recipient", "data-pipeline");
    let fields = [("sender", "data-pipeline"), to, ("transfer_id", &id)];
    let files = [("a.txt", file)];
    let key = &from.account.key;
    server
        .http
        .form("/v1/transfers", key, &fields, &files)
        .await
}

/// What its one file holds.
async fn content(server: &TestServer, of: &Party, id: TransferId) -> Vec<u8> {
    let path = format!("/v1/transfers/{id}/download");
    let grant = of.get(&path).await.expect(200);
    let url = text(&grant["files"][0], "download_url");
    let path = url.trim_start_matches(&server.url);
    server.http.get(path, "").await.bytes
}

#[tokio::test]
async fn an_id_is_given_away_once() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        server.agent(&jamie.account, "data-pipeline").await;
        let chosen = id(server, 1);
        let sent = to_bot(server, alex, chosen, b"first").await.expect(201);
        assert_eq!(text(&sent, "id"), chosen.to_string());
        let before = (rows(server).await, blobs(server));
        // Also one that is on the disk, in the place of one that is not.
        let large = vec![7; 20_000];
        for (who, file) in [
            (alex, &b"second"[..]),
            (jamie, b"third"),
            (alex, b""),
            (alex, &large),
        ] {
            let refused = to_bot(server, who, chosen, file).await;
            refused.expect_error(409, "TRANSFER_EXISTS");
        }
        assert_eq!((rows(server).await, blobs(server)), before);
        assert_eq!(content(server, alex, chosen).await, b"first");

        // Also of one that is no more: whoever kept its id would take the new one for it.
        alex.delete(&format!("/v1/transfers/{chosen}"))
            .await
            .expect(200);
        server.sweep().await;
        let refused = to_bot(server, alex, chosen, b"fourth").await;
        refused.expect_error(409, "TRANSFER_EXISTS");
        assert_eq!(blobs(server).len(), 0);
    }
}

#[tokio::test]
async fn an_id_is_of_about_now() {
    for Parties { server, alex, .. } in &Parties::each().await {
        let now = server.clock.now();
        let day = Duration::from_hours(24);
        let (lead, more) = (Duration::from_mins(5), Duration::from_millis(1));
        for good in [now, now.minus(day), now.plus(lead)] {
            let id = TransferId::new(good, [1; 10]);
            to_bot(server, alex, id, b"x").await.expect(201);
        }
        for bad in [now.minus(day).minus(more), now.plus(lead).plus(more)] {
            let refused = to_bot(server, alex, TransferId::new(bad, [1; 10]), b"x").await;
            let error = refused.expect_error(400, "VALIDATION_ERROR");
            assert_eq!(error["details"][0]["field"], "transfer_id");
        }
    }
}

#[tokio::test]
async fn of_many_that_come_with_one_id_one_is_taken_and_whole() {
    for Parties { server, alex, .. } in &Parties::each().await {
        for round in 0..5 {
            let chosen = id(server, round);
            // Some for the disk, and some to be kept beside the row.
            let files = (b'a'..b'i').map(|it| vec![it; [100_000, 1_000][usize::from(it % 2)]]);
            let files: Vec<Vec<u8>> = files.collect();
            let sent = files.iter().map(|it| to_bot(server, alex, chosen, it));
            let answers = join_all(sent).await;
            let mut taken = Vec::new();
            for (answer, file) in answers.into_iter().zip(&files) {
                if answer.status == 201 {
                    taken.push(file);
                } else {
                    answer.expect_error(409, "TRANSFER_EXISTS");
                }
            }
            let [file] = taken[..] else {
                panic!("{} were taken", taken.len())
            };
            assert_eq!(content(server, alex, chosen).await, *file);
            assert_eq!(blobs(server).len(), usize::from(round) + 1);
        }
    }
}

#[tokio::test]
async fn a_repeated_request_with_an_id_of_its_own_has_one_effect() {
    for Parties { server, alex, .. } in &Parties::each().await {
        let chosen = id(server, 1);
        let once = async |file: &'static [u8]| {
            let form = multipart::Form::new()
                .text("sender", "data-pipeline")
                .text("recipient", "data-pipeline")
                .text("transfer_id", digits(chosen))
                .part(
                    "files",
                    multipart::Part::bytes(file).file_name("a.txt".to_owned()),
                );
            let http = &server.http;
            let request = http.request("POST", "/v1/transfers", &alex.account.key);
            send(request.header("Idempotency-Key", "same").multipart(form)).await
        };
        let first = once(b"first").await.expect(201);
        let again = once(b"first").await;
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(again.expect(201), first);
        once(b"other")
            .await
            .expect_error(409, "IDEMPOTENCY_CONFLICT");
        assert_eq!(content(server, alex, chosen).await, b"first");
        assert_eq!(blobs(server).len(), 1);
    }
}

#[tokio::test]
async fn what_is_for_another_key_than_the_recipients_is_refused() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let session = server.session_of(&jamie.account).await;
        put(server, &session, &password(KEY)).await.expect(200);
        let to = async |named: &str, algorithm, key| {
            let mode = if named.contains('@') {
                "agent-to-human"
            } else {
                "agent-to-agent"
            };
            let fields = [
                ("mode", mode),
                ("is_encrypted", "true"),
                ("encryption_algorithm", algorithm),
                ("encrypted_key", KEY),
                ("encryption_salt", SALT),
                ("recipient_public_key", key),
            ];
            alex.send("data-pipeline", named, &fields).await
        };
        let person = "AGENTDROP-2-A2H";
        let refused = to(&jamie.email, person, OTHER_KEY).await;
        refused.expect_error(409, "KEY_CHANGED");
        to(&jamie.email, person, KEY).await.expect(201);
        let agent = "X25519-HKDF-AES-256-GCM";
        let refused = to("data-pipeline", agent, OTHER_KEY).await;
        refused.expect_error(409, "KEY_CHANGED");
        to("data-pipeline", agent, KEY).await.expect(201);
    }
}

#[tokio::test]
async fn what_is_announced_may_have_an_id_and_a_key_that_its_sender_says() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let session = server.session_of(&jamie.account).await;
        put(server, &session, &password(KEY)).await.expect(200);
        let announce = async |who: &Party, path: &str, id: &str, key: &str| {
            let body = json!({
                "sender": "data-pipeline", "recipient": jamie.email, "mode": "agent-to-human",
                "files": [{ "name": "envelope", "size": 1 }, { "name": "1", "size": 2 }],
                "is_encrypted": true, "encryption_algorithm": "AGENTDROP-2-A2H",
                "encrypted_key": KEY, "encryption_salt": SALT,
                "recipient_public_key": key, "transfer_id": id,
            });
            who.post(path, &body).await
        };
        for (n, path) in (1..).zip(["presigned", "presigned/multipart"]) {
            let path = &format!("/v1/transfers/{path}");
            let chosen = id(server, n);
            let before = (rows(server).await, blobs(server));
            let refused = announce(alex, path, &digits(chosen), OTHER_KEY).await;
            refused.expect_error(409, "KEY_CHANGED");
            for bad in ["x", &chosen.to_string(), &"0".repeat(32)] {
                let refused = announce(alex, path, bad, KEY).await;
                let error = refused.expect_error(400, "VALIDATION_ERROR");
                assert_eq!(error["details"][0]["field"], "transfer_id", "{bad}");
            }
            assert_eq!((rows(server).await, blobs(server)), before);
            let announced = announce(alex, path, &digits(chosen), KEY).await;
            assert_eq!(text(&announced.expect(201), "id"), chosen.to_string());
            for who in [alex, jamie] {
                let again = announce(who, path, &digits(chosen), KEY).await;
                assert!(matches!(again.status, 404 | 409), "{}", again.status);
            }
            let again = announce(alex, path, &digits(chosen), KEY).await;
            again.expect_error(409, "TRANSFER_EXISTS");
        }
    }
}

#[tokio::test]
async fn an_envelope_goes_before_as_many_files_as_may_be() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let session = server.session_of(&jamie.account).await;
        put(server, &session, &password(KEY)).await.expect(200);
        let to = async |algorithm, count| {
            let fields = [
                ("sender", "data-pipeline"),
                ("recipient", &*jamie.email),
                ("mode", "agent-to-human"),
                ("is_encrypted", "true"),
                ("encryption_algorithm", algorithm),
                ("encrypted_key", KEY),
                ("encryption_salt", SALT),
            ];
            let files = vec![("1", &b"x"[..]); count];
            let key = &alex.account.key;
            server
                .http
                .form("/v1/transfers", key, &fields, &files)
                .await
        };
        let sent = to("AGENTDROP-2-A2H", 101).await.expect(201);
        assert_eq!(sent["file_count"], 101);
        for (algorithm, count) in [
            ("AGENTDROP-2-A2H", 102),
            ("X25519-HKDF-AES-256-GCM-A2H", 101),
        ] {
            let error = to(algorithm, count)
                .await
                .expect_error(400, "VALIDATION_ERROR");
            assert_eq!(error["details"][0]["field"], "files");
        }
    }
}
