//! The account of the caller: shown, changed, told whole, deleted.

use std::time::Duration;

use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::{PASSWORD, TestServer, text};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::parties::{Parties, Party};
use crate::world::{World, blobs, everything, rows};

const NEW: &str = "a better password";

async fn delete(server: &TestServer, session: &str, password: &str) -> Answer {
    let request = server.http.request("DELETE", "/v1/account", session);
    send(request.json(&json!({ "password": password }))).await
}

#[tokio::test]
async fn an_account_is_shown_and_renamed_by_its_keys() {
    for world in &World::each().await {
        let shown = world.get("/v1/account").await.expect(200);
        assert_eq!(shown["id"], world.account.id);
        assert_eq!(shown["email_verified"], true);
        assert_eq!(shown["has_password"], false);
        assert_eq!(shown["require_encryption"], false);
        let change = json!({ "name": "Other", "require_encryption": true });
        let changed = world.patch("/v1/account", &change).await.expect(200);
        assert_eq!(changed["name"], "Other");
        assert_eq!(changed["require_encryption"], true);
        assert_eq!(world.get("/v1/account").await.expect(200), changed);
        // What is left out stays.
        let same = world.patch("/v1/account", &json!({})).await.expect(200);
        assert_eq!(same, changed);
        let password = json!({ "password": NEW, "current_password": PASSWORD });
        let refused = world.patch("/v1/account", &password).await;
        refused.expect_error(403, "SESSION_REQUIRED");
        let refused = world.get("/v1/account/export").await;
        refused.expect_error(403, "SESSION_REQUIRED");
        let refused = delete(&world.server, &world.account.key, PASSWORD).await;
        refused.expect_error(403, "SESSION_REQUIRED");
    }
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_and_ends_the_other_sessions() {
    for world in &World::each().await {
        let (server, http) = (&world.server, &world.server.http);
        let mine = server.session_of(&world.account).await;
        let account = world.get("/v1/account").await.expect(200);
        let email = text(&account, "email");
        let other = server.sign_in(&email).await;
        let unlogged = async || {
            let mut found = rows(server).await;
            found.retain(|table, _| !table.starts_with("audit_"));
            found
        };
        let before = unlogged().await;
        let refuse = async |body: Value, status, code: &str| {
            let refused = http.patch("/v1/account", &mine, &body).await;
            refused.expect_error(status, code)
        };
        let error = refuse(json!({ "password": NEW }), 400, "VALIDATION_ERROR").await;
        assert_eq!(error["details"][0]["field"], "current_password");
        let wrong = json!({ "password": NEW, "current_password": "a wrong one", "name": "x" });
        refuse(wrong, 401, "UNAUTHORIZED").await;
        let known = json!({ "password": email, "current_password": PASSWORD });
        let error = refuse(known, 400, "VALIDATION_ERROR").await;
        assert_eq!(error["details"][0]["field"], "password");
        assert_eq!(unlogged().await, before);
        // Written behind the answer, and nothing else is.
        let refusals = async || {
            let log = rows(server).await.remove("audit_entries").unwrap();
            let refusals = log
                .iter()
                .filter(|it| it.contains("action=session.refused"));
            refusals.count()
        };
        crate::world::until("it is noted", async || refusals().await == 1).await;

        let change = json!({ "password": NEW, "current_password": PASSWORD });
        http.patch("/v1/account", &mine, &change).await.expect(200);
        http.get("/v1/account", &mine).await.expect(200);
        let ended = http.get("/v1/account", &other).await;
        ended.expect_error(401, "UNAUTHORIZED");
        world.get("/v1/account").await.expect(200);
        let old = server.try_password(&email, PASSWORD).await;
        old.expect_error(401, "UNAUTHORIZED");
        server.try_password(&email, NEW).await.expect(201);
        let told = server.mail_to(&email, "password for AgentDrop was changed");
        assert!(told.await.text.contains("If that was not you"));

        // A session that was stolen is no way to guess.
        let guess = json!({ "password": PASSWORD, "current_password": "a wrong one" });
        let guesses = (0..12).map(|_| http.patch("/v1/account", &mine, &guess));
        let limited = join_all(guesses).await.into_iter();
        assert!(limited.filter(|it| it.status == 429).count() >= 4);
    }
}

#[tokio::test]
async fn where_encryption_is_required_nothing_goes_without_it_either_way() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        parties.pair("both").await;
        let require = async |by: &Party, it: bool| {
            let body = json!({ "require_encryption": it });
            by.patch("/v1/account", &body).await.expect(200);
        };
        let [a, b] = ["data-pipeline", "analysis-bot"];
        require(jamie, true).await;
        let before = (rows(server).await, blobs(server));
        for refused in [
            alex.send(a, b, &[]).await,
            alex.send(a, b, &[("encrypted", "true")]).await,
            jamie.send(b, a, &[]).await,
            jamie.send(b, b, &[]).await,
        ] {
            refused.expect_error(400, "ENCRYPTION_REQUIRED");
        }
        assert_eq!((rows(server).await, blobs(server)), before);
        let sealed = [("is_encrypted", "true")];
        alex.send(a, b, &sealed).await.expect(201);
        jamie.send(b, a, &sealed).await.expect(201);
        alex.send(a, a, &[]).await.expect(201);
        require(jamie, false).await;
        alex.send(a, b, &[]).await.expect(201);
    }
}

/// All that is named by an account is deleted with it, and nothing of others.
#[tokio::test]
async fn a_deleted_account_leaves_no_row_and_no_blob() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        let (_, pairing) = parties.pair("both").await;
        let [a, b] = ["data-pipeline", "analysis-bot"];
        let between = json!({ "agent_id": a, "target_agent_id": b, "account": jamie.email });
        alex.post("/v1/channels", &between).await.expect(200);
        alex.send(a, b, &[]).await.expect(201);
        let sent = jamie.send(b, a, &[]).await.expect(201);
        let grant = format!("/v1/transfers/{}/download", text(&sent, "id"));
        let grant = alex.get(&grant).await.expect(200);
        let url = crate::world::file_url(&grant, 0);
        server.http.get(&url, "").await;
        jamie.send(b, b, &[]).await.expect(201);
        let kept = blobs(server);
        alex.invite("new@example.org").await.expect(201);
        alex.post("/v1/agents/register", &json!({ "agent_id": "later" }))
            .await
            .expect(201);
        let pest = Party::new(server, "Pest", "pest@example.org").await;
        let unwanted = text(&pest.invite(&alex.email).await.expect(201), "id");
        let path = format!("/v1/connections/{unwanted}/accept");
        alex.post(&path, &json!({})).await.expect(200);
        let path = format!("/v1/connections/{unwanted}/block");
        alex.post(&path, &json!({})).await.expect(200);
        let session = server.session_of(&alex.account).await;
        let email = alex.email.clone();
        let reset = json!({ "email": email });
        server
            .http
            .post("/v1/password-resets", "", &reset)
            .await
            .expect(200);
        let ids = [
            alex.account.id.clone(),
            pairing,
            text(&grant, "download_id"),
        ];
        for id in &ids {
            let there = format!("{:?}", everything(server).await);
            assert!(there.contains(id), "{id}");
        }
        // Written behind the answer; it is to go, too.
        let mailed = async || !everything(server).await["mailed_links"].is_empty();
        crate::world::until("the link is written", mailed).await;

        let wrong = delete(server, &session, "a wrong one").await;
        wrong.expect_error(401, "UNAUTHORIZED");
        let deleted = delete(server, &session, PASSWORD).await;
        deleted.expect(200);

        let left = everything(server).await;
        for (table, rows) in &left {
            // What others' logs say stays as it was hashed.
            let is_others = |it: &&String| {
                table == "audit_entries" && !it.contains(&format!("account_id={}\u{1f}", ids[0]))
            };
            let own: Vec<_> = rows.iter().filter(|it| !is_others(it)).collect();
            for id in &ids {
                let named = own.iter().any(|it| it.contains(id.as_str()));
                assert!(!named, "{table} names {id}: {own:?}");
            }
            let named = rows.iter().any(|it| it.contains(&email));
            assert!(!named || table == "connections", "{table}: {rows:?}");
        }
        for table in ["mailed_links", "mails", "sessions", "downloads", "blocks"] {
            assert_eq!(left[table], [""; 0], "{table}");
        }
        let own: Vec<_> = blobs(server);
        assert_eq!(own.len(), 1);
        assert!(kept.contains(&own[0]));
        for key in [&session, &alex.account.key] {
            let gone = server.http.get("/v1/account", key).await;
            gone.expect_error(401, "UNAUTHORIZED");
        }
        assert!(server.http.get(&url, "").await.status >= 400);
        let gone = server.try_password(&email, PASSWORD).await;
        gone.expect_error(401, "UNAUTHORIZED");
        let list = jamie.get("/v1/connections").await.expect(200);
        assert_eq!(list["connections"], json!([]));
        // The address is free.
        Party::new(server, "Alex", &email).await;
    }
}

#[tokio::test]
async fn an_export_tells_all_and_nothing_that_works() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        let (connection, pairing) = parties.pair("both").await;
        let said = [("message", "for your eyes only")];
        let [a, b] = ["data-pipeline", "analysis-bot"];
        let between = json!({ "agent_id": a, "target_agent_id": b });
        let channel = alex.post("/v1/channels", &between).await.expect(200);
        server.clock.advance(Duration::from_millis(1));
        // More than one page.
        for _ in 0..101 {
            alex.send(a, b, &said).await.expect(201);
        }
        let received = jamie.send(b, a, &said).await.expect(201);
        jamie.send(b, b, &[]).await.expect(201);
        // Of whom it invited the account does not learn more by exporting.
        let invited = Party::new(server, "Kim", "kim@example.org").await;
        let open = text(&alex.invite("kim@example.org").await.expect(201), "id");
        let session = server.session_of(&alex.account).await;
        let answer = server.http.get("/v1/account/export", &session).await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(
            answer
                .header("content-disposition")
                .starts_with("attachment")
        );
        let export = answer.expect(200);
        assert_eq!(export["account"]["id"], alex.account.id);
        assert_eq!(export["agents"][0]["agent_id"], a);
        assert_eq!(export["keys"].as_array().unwrap().len(), 1);
        assert_eq!(export["sessions"][0]["current"], true);
        assert_eq!(export["pairings"][0]["id"], *pairing);
        assert_eq!(export["channels"][0]["id"], channel["id"]);
        let log = export["audit"].as_array().unwrap();
        let numbers: Vec<_> = log.iter().map(|it| it["seq"].as_u64().unwrap()).collect();
        let all = u64::try_from(log.len()).unwrap();
        assert!(all > 100, "more than one page: {all}");
        assert_eq!(numbers, (1..=all).rev().collect::<Vec<_>>());
        let newest = server
            .http
            .get("/v1/audit?limit=1", &session)
            .await
            .expect(200);
        assert_eq!(log[0], newest["entries"][0]);
        let connections = export["connections"].as_array().unwrap();
        assert_eq!(connections[0]["id"], *connection);
        assert_eq!(connections[0]["other_account_id"], jamie.account.id);
        assert_eq!(connections[1]["id"], *open);
        assert_eq!(connections[1]["other_account_id"], json!(null));
        let sent = export["sent_transfers"].as_array().unwrap();
        assert_eq!(sent.len(), 101);
        let mut ids: Vec<_> = sent.iter().map(|it| text(it, "id")).collect();
        ids.dedup();
        assert_eq!(ids.len(), 101);
        assert_eq!(sent[100]["message"], "for your eyes only");
        assert_eq!(sent[0]["files"][0]["name"], "a.txt");
        let shown = export["received_transfers"].as_array().unwrap();
        assert_eq!(shown.len(), 1);
        assert_eq!(shown[0]["id"], received["id"]);
        let whole = export.to_string();
        for secret in [&alex.account.key, &session, &invited.account.id] {
            assert!(!whole.contains(secret.as_str()), "{secret}");
        }
        let nobody = json!([]);
        let session = server.session_of(&invited.account).await;
        let export = server.http.get("/v1/account/export", &session).await;
        let export = export.expect(200);
        assert_eq!(export["connections"][0]["id"], *open);
        for list in ["agents", "pairings", "blocks", "sent_transfers"] {
            assert_eq!(export[list], nobody, "{list}");
        }
    }
}
