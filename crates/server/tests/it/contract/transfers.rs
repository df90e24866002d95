//! Transfers: sent, listed, shown, downloaded, deleted.

use std::num::NonZeroU32;
use std::time::Duration;

use agentdrop_server::{Config, Rates};
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::Answer;
use agentdrop_testkit::server::{TestServer, text};
use serde_json::{Value, json};

use super::agents::assert_ambiguous;
use super::{Page, anonymous, each};
use crate::parties::{Parties, Party};

const AGENTS: [&str; 2] = ["data-pipeline", "analysis-bot"];
const SIZE: usize = 1_000;

/// The fields of the page's newer `curl` call.
const NEWER: &[(&str, &str)] = &[
    ("sender", "data-pipeline"),
    ("recipient", "analysis-bot"),
    ("mode", "agent-to-agent"),
    ("is_encrypted", "true"),
    ("message", "Weekly report files"),
    ("auto_delete", "true"),
    ("max_downloads", "3"),
    ("expires_in", "12h"),
];
/// Those of its older one.
const OLDER: &[(&str, &str)] = &[
    ("sender", "data-pipeline"),
    ("recipient", "analysis-bot"),
    ("encrypted", "true"),
    ("max_downloads", "3"),
    ("expires_in", "12h"),
];

async fn create(server: &TestServer, by: &Party, fields: &[(&'static str, &str)]) -> Answer {
    let files: [(&str, &[u8]); 2] = [("report.pdf", &[1; SIZE]), ("data.csv", b"a,b\n")];
    let key = &by.account.key;
    server.http.form("/v1/transfers", key, fields, &files).await
}

fn sent() -> Value {
    json!({
        "id": "string", "url": "url", "api_url": "url", "status": "=active",
        "mode": "=agent-to-agent", "sender": "=data-pipeline", "recipient": "=analysis-bot",
        "files": [{ "name": "string", "size": "integer", "type": "string" }],
        "max_downloads": "integer", "downloads": "integer", "total_size": "integer",
        "created_at": "time", "expires_at": "time", "is_encrypted": "boolean",
        "auto_delete": "boolean", "message": "string?",
    })
}

#[tokio::test]
async fn create_transfer() {
    const ROWS: &[(u16, &str)] = &[
        (400, "VALIDATION_ERROR"),
        (401, "UNAUTHORIZED"),
        (413, "FILE_TOO_LARGE"),
        (429, "RATE_LIMITED"),
    ];
    let mut newer = Page::new(
        "create-transfer",
        &[
            (400, "VALIDATION_ERROR"),
            (400, "AMBIGUOUS_RECIPIENT"),
            (401, "UNAUTHORIZED"),
            (403, "SHARE_REQUIRED"),
            (413, "FILE_TOO_LARGE"),
            (429, "RATE_LIMITED"),
            (429, "INVITE_RATE_LIMIT"),
        ],
    );
    let mut older = Page::new("create-transfer v1", ROWS);
    for engine in Engine::ALL {
        let limit = u64::try_from(SIZE).unwrap();
        let server = TestServer::start(engine, |it| it.limits.max_file_bytes = limit).await;
        let mallory = Party::new(&server, "Mallory", "mallory@example.org").await;
        let parties = Parties::on(server).await;
        let Parties {
            server,
            alex,
            jamie,
        } = &parties;
        newer.refuses(&create(server, alex, NEWER).await, (403, "SHARE_REQUIRED"));
        parties.pair("both").await;

        let answer = newer.answers(&create(server, alex, NEWER).await, 201, &sent());
        assert_eq!(answer["message"], "Weekly report files");
        assert_eq!(answer["total_size"], SIZE + 4);
        assert_eq!(
            (&answer["max_downloads"], &answer["downloads"]),
            (&json!(3), &json!(0))
        );
        assert_eq!(
            (&answer["is_encrypted"], &answer["auto_delete"]),
            (&json!(true), &json!(true))
        );
        let names: Vec<_> = answer["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["name"])
            .collect();
        assert_eq!(names, [&json!("report.pdf"), &json!("data.csv")]);
        // The human-readable URL, and the one for programs.
        let id = text(&answer, "id");
        assert!(id.starts_with("tr_") && text(&answer, "url").ends_with(&format!("/t/{id}")));
        assert!(text(&answer, "api_url").ends_with(&format!("/v1/transfers/{id}/download")));
        let mut example = sent();
        for field in [
            "mode",
            "downloads",
            "total_size",
            "created_at",
            "is_encrypted",
            "auto_delete",
            "message",
        ] {
            example.as_object_mut().unwrap().remove(field);
        }
        let answer = older.answers(&create(server, alex, OLDER).await, 201, &example);
        assert_eq!(
            (&answer["is_encrypted"], &answer["encrypted"]),
            (&json!(false), &json!(true))
        );

        for (page, fields) in [(&mut newer, NEWER), (&mut older, OLDER)] {
            refused_calls(page, server, alex, fields).await;
        }

        server.agent(&mallory.account, "analysis-bot").await;
        let other = alex.connect(&mallory).await;
        alex.pair(&mallory, &other, AGENTS, "both").await;
        let refused = create(server, alex, NEWER).await;
        let error = newer.refuses(&refused, (400, "AMBIGUOUS_RECIPIENT"));
        assert_ambiguous(&error);
        for account in [&*jamie.account.id, &jamie.email, "Jamie Chen"] {
            let mut fields = NEWER.to_vec();
            fields.push(("recipient_account", account));
            let answer = newer.answers(&create(server, alex, &fields).await, 201, &sent());
            assert_eq!(answer["recipient_account_id"], jamie.account.id);
        }
        too_many_strangers(&mut newer, server, alex).await;
        asked_too_often(engine, [&mut newer, &mut older]).await;
    }
    newer.end();
    older.end();
}

/// The table of recipients who are people is replayed in `people`; here, the row of the errors.
async fn too_many_strangers(page: &mut Page, server: &TestServer, alex: &Party) {
    let mut fields: Vec<_> = OLDER.to_vec();
    fields.retain(|it| it.0 != "recipient");
    fields.extend([("mode", "agent-to-human"), ("recipient", "new@example.org")]);
    let mut example = sent();
    example["status"] = json!("=pending_recipient");
    example["mode"] = json!("=agent-to-human");
    example["recipient"] = json!("=new@example.org");
    example["is_encrypted"] = json!("boolean");
    example["message"] = json!("string?");
    example["pending_reason"] = json!("string");
    for _ in 0..5 {
        page.answers(&create(server, alex, &fields).await, 201, &example);
    }
    let refused = create(server, alex, &fields).await;
    page.refuses(&refused, (429, "INVITE_RATE_LIMIT"));
}

/// Too many requests, whatever they ask for.
async fn asked_too_often(engine: Engine, pages: [&mut Page; 2]) {
    let rates = |config: &mut Config| {
        config.rates = Some(Rates {
            burst: NonZeroU32::new(8).unwrap(),
            ..Rates::default()
        });
    };
    let parties = Parties::on(TestServer::start(engine, rates).await).await;
    let (server, alex) = (&parties.server, &parties.alex);
    while alex.get("/v1/agents").await.status == 200 {}
    for (page, fields) in pages.into_iter().zip([NEWER, OLDER]) {
        let refused = create(server, alex, fields).await;
        page.refuses(&refused, (429, "RATE_LIMITED"));
        assert!(!refused.header("retry-after").is_empty());
    }
}

/// What is wrong with a call whatever the account has.
async fn refused_calls(
    page: &mut Page,
    server: &TestServer,
    alex: &Party,
    fields: &'static [(&'static str, &'static str)],
) {
    let refused = create(server, &anonymous(alex), fields).await;
    page.refuses(&refused, (401, "UNAUTHORIZED"));
    // Each field that has to be there, and values that no field takes.
    for (field, value) in [
        ("sender", None),
        ("recipient", None),
        ("max_downloads", Some("0")),
        ("max_downloads", Some("1001")),
        ("expires_in", Some("soon")),
    ] {
        let mut fields: Vec<_> = fields.iter().copied().filter(|it| it.0 != field).collect();
        fields.extend(value.map(|it| (field, it)));
        let refused = create(server, alex, &fields).await;
        let error = page.refuses(&refused, (400, "VALIDATION_ERROR"));
        assert_eq!(error["details"][0]["field"], field);
    }
    let key = &alex.account.key;
    let none = server.http.form("/v1/transfers", key, fields, &[]).await;
    page.refuses(&none, (400, "VALIDATION_ERROR"));
    let large: [(&str, &[u8]); 1] = [("large.bin", &[0; SIZE + 1])];
    let refused = server.http.form("/v1/transfers", key, fields, &large).await;
    page.refuses(&refused, (413, "FILE_TOO_LARGE"));
}

#[tokio::test]
async fn list_and_get_transfer() {
    let mut list = Page::new("list-transfers", &[(401, "UNAUTHORIZED")]);
    let mut get = Page::new("get-transfer", &[(401, "UNAUTHORIZED"), (404, "NOT_FOUND")]);
    for (parties, mallory) in &each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        parties.pair("both").await;
        let made = create(server, alex, NEWER).await.expect(201);
        let file = json!({ "name": "string", "size": "integer", "type": "string" });
        let example = json!({
            "transfers": [{
                "id": "string", "status": "=active", "mode": "=agent-to-agent",
                "sender": "=data-pipeline", "recipient": "=analysis-bot", "files": [file],
                "is_encrypted": "true", "auto_delete": "true", "downloads": "integer",
                "max_downloads": "integer", "total_size": "integer", "file_count": "integer",
                "created_at": "time", "expires_at": "time",
            }],
            "total": "integer", "offset": "integer", "limit": "integer", "has_more": "boolean",
        });
        for path in [
            "/v1/transfers",
            "/v1/transfers?status=active&mode=agent-to-agent&offset=0",
        ] {
            let listed = list.answers(&alex.get(path).await, 200, &example);
            assert_eq!(
                (&listed["limit"], &listed["has_more"]),
                (&json!(20), &json!(false))
            );
        }
        // Of those that were sent, and not of those that came.
        assert_eq!(jamie.get("/v1/transfers").await.expect(200)["total"], 0);
        let refused = anonymous(alex).get("/v1/transfers").await;
        list.refuses(&refused, (401, "UNAUTHORIZED"));

        let mut example = sent();
        example["file_count"] = json!("integer");
        // As the older page calls it.
        example["download_count"] = json!("integer");
        let path = format!("/v1/transfers/{}", text(&made, "id"));
        for party in [alex, jamie] {
            get.answers(&party.get(&path).await, 200, &example);
        }
        get.refuses(&anonymous(alex).get(&path).await, (401, "UNAUTHORIZED"));
        get.refuses(&mallory.get(&path).await, (404, "NOT_FOUND"));
        for id in ["txfr_abc123", "tr_abc123"] {
            let refused = alex.get(&format!("/v1/transfers/{id}")).await;
            get.refuses(&refused, (404, "NOT_FOUND"));
        }
    }
    list.end();
    get.end();
}

#[tokio::test]
async fn download_and_delete_transfer() {
    let mut download = Page::new(
        "download-transfer",
        &[(401, "UNAUTHORIZED"), (404, "NOT_FOUND"), (410, "GONE")],
    );
    let mut delete = Page::new(
        "delete-transfer",
        &[(401, "UNAUTHORIZED"), (404, "NOT_FOUND")],
    );
    for (parties, mallory) in &each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        parties.pair("both").await;
        let path_of = |it: &Value| format!("/v1/transfers/{}", text(it, "id"));
        let path = path_of(&create(server, alex, NEWER).await.expect(201));
        let bytes = format!("{path}/download");
        download.refuses(&anonymous(jamie).get(&bytes).await, (401, "UNAUTHORIZED"));
        download.refuses(&mallory.get(&bytes).await, (404, "NOT_FOUND"));
        let example = json!({
            "id": "string",
            "files": [{
                "file_name": "string", "name": "string", "download_url": "url", "size": "integer",
                "encryption_iv": "string?", "content_type": "string", "file_id": "uuid",
            }],
            "downloads": "integer", "downloads_remaining": "integer", "expires_at": "time",
            "auto_delete": "true", "is_encrypted": "true", "encrypted_key": "string?",
            "encryption_algorithm": "string?", "recipient_key_version": "integer?",
            "sender_signature": "string?", "channel_id": "uuid?", "encryption_salt": "string?",
            "sender_public_key": "key", "recipient_public_key": "key?",
        });
        for n in 1..=3 {
            let granted = download.answers(&jamie.get(&bytes).await, 200, &example);
            assert_eq!(
                (&granted["downloads"], &granted["downloads_remaining"]),
                (&json!(n), &json!(3 - n))
            );
            // Without a key, and exactly 200.
            let got = server
                .http
                .get(&text(&granted["files"][1], "download_url"), "")
                .await;
            assert_eq!((got.status, &*got.bytes), (200, &b"a,b\n"[..]));
        }
        download.refuses(&jamie.get(&bytes).await, (410, "GONE"));

        delete.refuses(&anonymous(alex).delete(&path).await, (401, "UNAUTHORIZED"));
        delete.refuses(&mallory.delete(&path).await, (404, "NOT_FOUND"));
        let example = json!({ "id": "string", "status": "=deleted", "deleted_at": "time" });
        delete.answers(&alex.delete(&path).await, 200, &example);
        delete.refuses(&alex.delete(&path).await, (404, "NOT_FOUND"));
        // The recipient learns that it is gone, and its record is kept.
        download.refuses(&jamie.get(&bytes).await, (410, "GONE"));
        assert_eq!(alex.get(&path).await.expect(200)["status"], "deleted");

        let late = path_of(&create(server, alex, NEWER).await.expect(201));
        server.clock.advance(Duration::from_hours(12));
        let late = jamie.get(&format!("{late}/download")).await;
        download.refuses(&late, (410, "GONE"));
    }
    download.end();
    delete.end();
}

#[tokio::test]
async fn presigned_upload_and_confirm_transfer() {
    let mut presigned = Page::new("presigned-upload", &[(401, "UNAUTHORIZED")]);
    let mut confirm = Page::new(
        "confirm-transfer",
        &[
            (400, "FILES_MISSING"),
            (401, "UNAUTHORIZED"),
            (404, "NOT_FOUND"),
            (409, "ALREADY_CONFIRMED"),
        ],
    );
    for (parties, mallory) in &each().await {
        let Parties { server, alex, .. } = parties;
        parties.pair("both").await;
        let body = json!({
            "mode": "agent-to-agent", "sender": "data-pipeline", "recipient": "analysis-bot",
            "files": [{ "name": "report.pdf", "size": 10, "content_type": "application/pdf",
                        "encryption_iv": "AAAAAAAAAAAAAAAA" }],
            "expires_in": "24h", "max_downloads": 10, "message": "Weekly report files",
            "metadata": { "a": 1 }, "is_encrypted": true, "encrypted_key": "AAAA",
            "encryption_algorithm": "AES-256-GCM", "auto_delete": true,
        });
        let path = "/v1/transfers/presigned";
        presigned.refuses(
            &anonymous(alex).post(path, &body).await,
            (401, "UNAUTHORIZED"),
        );
        let example = json!({
            "id": "string", "confirm_url": "url", "expires_at": "time",
            "upload_urls": [{
                "file_id": "uuid", "file_name": "=report.pdf", "upload_url": "url",
                "method": "=PUT", "headers": "object",
            }],
        });
        let announced = presigned.answers(&alex.post(path, &body).await, 201, &example);
        let path = format!("/v1/transfers/{}/confirm", text(&announced, "id"));
        let nothing = json!({});
        confirm.refuses(
            &anonymous(alex).post(&path, &nothing).await,
            (401, "UNAUTHORIZED"),
        );
        confirm.refuses(&mallory.post(&path, &nothing).await, (404, "NOT_FOUND"));
        confirm.refuses(&alex.post(&path, &nothing).await, (400, "FILES_MISSING"));
        let url = text(&announced["upload_urls"][0], "upload_url");
        let came = crate::uploads::put(&server.http, &url, b"0123456789").await;
        assert_eq!(came.status, 200);
        let example = json!({ "id": "string", "status": "=active" });
        confirm.answers(&alex.post(&path, &nothing).await, 200, &example);
        confirm.refuses(
            &alex.post(&path, &nothing).await,
            (409, "ALREADY_CONFIRMED"),
        );
    }
    presigned.end();
    confirm.end();
}
