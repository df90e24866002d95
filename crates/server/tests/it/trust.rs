//! Files across accounts: only between paired agents, only as agreed, and no longer than that.

use agentdrop_testkit::http::send;
use agentdrop_testkit::server::text;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::parties::{Parties, Party};
use crate::world::{assert_same, blobs, file_url, rows, until};

const AGENTS: [&str; 2] = ["data-pipeline", "analysis-bot"];

#[tokio::test]
async fn paired_agents_exchange_files_and_nobody_else_does() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        let [mine, theirs] = AGENTS;
        let before = rows(server).await;
        let unknown = alex.send(mine, "nobody", &[]).await;
        unknown.expect_error(403, "SHARE_REQUIRED");
        let bot = jamie.get("/v1/agents/analysis-bot").await.expect(200);
        for recipient in [theirs, &text(&bot, "id")] {
            let refused = alex.send(mine, recipient, &[]).await;
            assert_same("a stranger's agent", &refused, &unknown);
        }
        assert_eq!(rows(server).await, before);
        let connection = alex.connect(jamie).await;
        let refused = alex.send(mine, theirs, &[]).await;
        assert_same("connected, not paired", &refused, &unknown);
        let proposed = alex.propose(&connection, AGENTS, "both").await.expect(201);
        let refused = alex.send(mine, theirs, &[]).await;
        assert_same("proposed, not confirmed", &refused, &unknown);
        jamie.confirm(&text(&proposed, "id")).await.expect(200);

        let sent = alex.send(mine, theirs, &[]).await.expect(201);
        assert_eq!(sent["recipient_account_id"], jamie.account.id);
        assert_eq!(sent["sender_account_id"], alex.account.id);
        let by_id = alex.send(mine, &text(&bot, "id"), &[]).await.expect(201);
        assert_eq!(by_id["recipient"], theirs);
        // Across accounts an agent sends, and only the paired one.
        server.agent(&alex.account, "other").await;
        for sender in ["a label", "other"] {
            let refused = alex.send(sender, theirs, &[]).await;
            assert_same(sender, &refused, &unknown);
        }

        let inbox = jamie.get("/v1/agents/analysis-bot/inbox").await.expect(200);
        assert_eq!(inbox["total"], 2);
        assert_eq!(alex.waiting().await, 0);
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        let grant = jamie.get(&format!("{path}/download")).await.expect(200);
        let fetched = jamie.get(&file_url(&grant, 0)).await;
        assert_eq!(fetched.bytes, b"0123456789");
        let ack = json!({ "download_id": grant["download_id"], "status": "received" });
        let not_mine = alex.post(&format!("{path}/ack"), &ack).await;
        not_mine.expect_error(404, "NOT_FOUND");
        jamie.post(&format!("{path}/ack"), &ack).await.expect(200);
        let shown = alex.get(&path).await.expect(200);
        assert_eq!(shown["deliveries"][0]["status"], "received");
        jamie.delete(&path).await.expect(200);
        let stranger = Party::new(server, "Mallory", "mallory@example.org").await;
        let path = format!("/v1/transfers/{}", text(&by_id, "id"));
        stranger.get(&path).await.expect_error(404, "NOT_FOUND");
        jamie.get(&path).await.expect(200);
    }
}

#[tokio::test]
async fn files_go_the_way_that_was_agreed() {
    for (permission, there, back) in [
        ("both", true, true),
        ("send_only", true, false),
        ("receive_only", false, true),
    ] {
        for parties in &Parties::each().await {
            let Parties { alex, jamie, .. } = parties;
            parties.pair(permission).await;
            let [mine, theirs] = AGENTS;
            for (by, sender, recipient, may) in
                [(alex, mine, theirs, there), (jamie, theirs, mine, back)]
            {
                let sent = by.send(sender, recipient, &[]).await;
                if may {
                    sent.expect(201);
                } else {
                    sent.expect_error(403, "SHARE_REQUIRED");
                }
                let sendable = by.get("/v1/agents/sendable").await.expect(200);
                let agents = sendable["agents"].as_array().unwrap().clone();
                assert_eq!(agents[0]["own"], true);
                assert!(agents[0].get("account_name").is_none());
                assert_eq!(agents.len(), if may { 2 } else { 1 }, "{permission}");
                if may {
                    assert_eq!(agents[1]["own"], false);
                    assert!(agents[1]["account_name"].is_string());
                }
                // Whichever way: to open what comes, one has to know the other's key.
                let path = format!("/v1/agents/resolve?agent_id={recipient}");
                let found = by.get(&path).await.expect(200);
                assert_eq!(found["agent_id"], recipient);
                assert!(found["public_key"].is_string());
                let me = by.get("/v1/agents/me").await.expect(200);
                assert_eq!(me["connections"]["active"], 1);
                assert_eq!(me["connections"]["paired_agents"], json!([recipient]));
            }
        }
    }
}

#[tokio::test]
async fn of_several_agents_of_one_name_the_sender_says_which() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let kim = Party::new(server, "Kim Roe", "k@example.net").await;
        for party in [jamie, &kim] {
            server.agent(&party.account, "claude-code-agent").await;
            // Candidates come oldest agent first, which the clock of a test has to tell.
            server.clock.advance(std::time::Duration::from_secs(1));
            let connection = alex.connect(party).await;
            let agents = ["data-pipeline", "claude-code-agent"];
            alex.pair(party, &connection, agents, "both").await;
        }
        let ask = "/v1/agents/resolve?agent_id=claude-code-agent";
        let channel =
            json!({ "agent_id": "data-pipeline", "target_agent_id": "claude-code-agent" });
        for refused in [
            alex.send("data-pipeline", "claude-code-agent", &[]).await,
            alex.get(ask).await,
            alex.post("/v1/channels", &channel).await,
        ] {
            let error = refused.expect_error(400, "AMBIGUOUS_RECIPIENT");
            assert_eq!(
                error["message"],
                "Multiple agents with this agent_id exist across paired accounts. Pass \
                 `recipient_account` (email or account UUID) to disambiguate."
            );
            assert_eq!(error["status"], 400);
            assert_eq!(
                error["candidates"],
                json!([
                    { "account_id": jamie.account.id, "account_name": "Jamie Chen",
                      "email_masked": "ja***@example.com" },
                    { "account_id": kim.account.id, "account_name": "Kim Roe",
                      "email_masked": "*@example.net" },
                ])
            );
            let said = String::from_utf8(refused.bytes).unwrap();
            assert!(!said.contains(&jamie.email) && !said.contains(&kim.email));
        }
        for (party, names) in [
            (
                jamie,
                [&*jamie.account.id, "Jamie@Example.com", "Jamie Chen"],
            ),
            (&kim, [&*kim.account.id, "k@example.net", "Kim Roe"]),
        ] {
            for name in names {
                let more = [("recipient_account", name)];
                let sent = alex.send("data-pipeline", "claude-code-agent", &more).await;
                assert_eq!(sent.expect(201)["recipient_account_id"], party.account.id);
                let name = name.replace(' ', "%20");
                let found = alex.get(&format!("{ask}&account={name}")).await.expect(200);
                assert_eq!(found["account_id"], party.account.id);
            }
            assert_eq!(party.waiting().await, 3);
        }
        let more = [("recipient_account", "Nobody")];
        let refused = alex.send("data-pipeline", "claude-code-agent", &more).await;
        refused.expect_error(403, "SHARE_REQUIRED");
        let found = alex.get(&format!("{ask}&account=Nobody")).await;
        found.expect_error(404, "NOT_FOUND");
        // An own one wins, unless another is asked for.
        server.agent(&alex.account, "claude-code-agent").await;
        let sent = alex.send("data-pipeline", "claude-code-agent", &[]).await;
        assert_eq!(sent.expect(201)["recipient_account_id"], alex.account.id);
        // For a channel nobody can say which, so the published client has to do without.
        let refused = alex.post("/v1/channels", &channel).await;
        let error = refused.expect_error(400, "AMBIGUOUS_RECIPIENT");
        assert_eq!(error["candidates"].as_array().unwrap().len(), 3);
        let more = [("recipient_account", &*kim.email)];
        let sent = alex.send("data-pipeline", "claude-code-agent", &more).await;
        assert_eq!(sent.expect(201)["recipient_account_id"], kim.account.id);
    }
}

#[tokio::test]
async fn revoking_and_blocking_act_at_once() {
    for how in ["revoke", "block"] {
        for parties in &Parties::each().await {
            let Parties {
                server,
                alex,
                jamie,
            } = parties;
            let [mine, theirs] = AGENTS;
            let (connection, pairing) = parties.pair("both").await;
            let ask = json!({ "agent_id": mine, "target_agent_id": theirs });
            let channel = alex.post("/v1/channels", &ask).await.expect(200);
            let channel = format!("/v1/channels/{}", text(&channel, "id"));
            let (there, back) = (
                alex.send(mine, theirs, &[]).await.expect(201),
                jamie.send(theirs, mine, &[]).await.expect(201),
            );
            let to_jamie = format!("/v1/transfers/{}", text(&there, "id"));
            let grant = jamie.get(&format!("{to_jamie}/download")).await.expect(200);
            jamie.get(&file_url(&grant, 0)).await;
            server.agent(&alex.account, "other").await;
            let kept = alex.send(mine, "other", &[]).await.expect(201);

            let path = format!("/v1/connections/{connection}");
            let ended = if how == "revoke" {
                jamie.delete(&path).await
            } else {
                jamie.post(&format!("{path}/block"), &json!({})).await
            };
            assert_eq!(ended.expect(200)["pairings_revoked"], 1);

            jamie
                .get(&file_url(&grant, 0))
                .await
                .expect_error(410, "GONE");
            for (by, transfer) in [(jamie, &there), (alex, &back)] {
                let path = format!("/v1/transfers/{}", text(transfer, "id"));
                let refused = by.get(&format!("{path}/download")).await;
                refused.expect_error(410, "GONE");
                assert_eq!(by.get(&path).await.expect(200)["status"], "deleted");
            }
            assert_eq!((alex.waiting().await, jamie.waiting().await), (1, 0));
            alex.get(&format!("/v1/transfers/{}/download", text(&kept, "id")))
                .await
                .expect(200);
            let gone = async || {
                server.sweep().await;
                blobs(server).len() == 1
            };
            until("the bytes go", gone).await;
            for (by, other, one, two) in [(alex, theirs, mine, theirs), (jamie, mine, theirs, mine)]
            {
                let sent = by.send(one, two, &[]).await;
                sent.expect_error(403, "SHARE_REQUIRED");
                let path = format!("/v1/agents/resolve?agent_id={other}");
                by.get(&path).await.expect_error(404, "NOT_FOUND");
                let shown = by.get(&channel).await.expect(200);
                assert_eq!(shown["status"], "revoked");
                let keys = [&shown["agent_a_public_key"], &shown["agent_b_public_key"]];
                let known = keys.iter().filter(|it| it.is_string()).count();
                assert_eq!(known, 1, "of the other's agent nothing more is told");
                let me = by.get("/v1/agents/me").await.expect(200);
                assert_eq!(me["connections"]["paired_agents"], json!([]));
                assert_eq!(me["connections"]["active"], 0);
                by.confirm(&pairing)
                    .await
                    .expect_error(400, "INVALID_STATUS");
            }
            let refused = alex.post("/v1/channels", &ask).await;
            refused.expect_error(404, "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn what_is_sent_while_it_ends_is_refused_or_ends_with_it() {
    for parties in &Parties::each().await {
        let Parties { alex, jamie, .. } = parties;
        let [mine, theirs] = AGENTS;
        let (mut connection, _) = parties.pair("both").await;
        for _ in 0..5 {
            let path = format!("/v1/connections/{connection}");
            let sending = join_all((0..6).map(|_| alex.send(mine, theirs, &[])));
            let (answers, ended) = tokio::join!(sending, jamie.delete(&path));
            ended.expect(200);
            for answer in answers {
                if answer.status != 201 {
                    answer.expect_error(403, "SHARE_REQUIRED");
                }
            }
            assert_eq!(jamie.waiting().await, 0);
            connection = alex.connect(jamie).await;
            alex.pair(jamie, &connection, AGENTS, "both").await;
        }
    }
}

#[tokio::test]
async fn agents_and_accounts_come_and_go_at_once_without_deadlock() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        let connection = alex.connect(jamie).await;
        for n in 0..6 {
            let slug = format!("short-lived-{n}");
            server.agent(&alex.account, &slug).await;
            let agents = [&*slug, AGENTS[1]];
            alex.pair(jamie, &connection, agents, "both").await;
            let (ask, path) = (
                json!({ "agent_id": slug, "target_agent_id": AGENTS[1] }),
                format!("/v1/agents/{slug}"),
            );
            let (gone, sent, channel, back) = tokio::join!(
                alex.delete(&path),
                alex.send(&slug, AGENTS[1], &[]),
                alex.post("/v1/channels", &ask),
                jamie.send(AGENTS[1], &slug, &[]),
            );
            gone.expect(200);
            // A sender that is gone is a label, which nobody is paired with.
            assert!(matches!(sent.status, 201 | 403), "{:?}", sent.json());
            assert!(matches!(channel.status, 200 | 404), "{:?}", channel.json());
            assert!(matches!(back.status, 201 | 403), "{:?}", back.json());
        }
        assert_eq!(jamie.waiting().await, 0);
    }
}

#[tokio::test]
async fn a_channel_across_accounts_takes_a_pairing_or_both_sides() {
    for parties in &Parties::each().await {
        let Parties { alex, jamie, .. } = parties;
        let [mine, theirs] = AGENTS;
        let ask = |one: &str, other: &str| json!({ "agent_id": one, "target_agent_id": other });
        let bot = jamie.get("/v1/agents/analysis-bot").await.expect(200);
        let bot_id = text(&bot, "id");
        for target in [theirs, &bot_id] {
            let refused = alex.post("/v1/channels", &ask(mine, target)).await;
            refused.expect_error(404, "NOT_FOUND");
        }
        let connection = alex.connect(jamie).await;
        let made = alex.post("/v1/channels", &ask(mine, &bot_id)).await;
        let made = made.expect(200);
        assert_eq!(made["status"], "pending");
        assert_eq!(made["their_public_key"], bot["public_key"]);
        let again = alex.post("/v1/channels", &ask(mine, theirs)).await;
        assert_eq!(again.expect(200), made, "asking twice is not both asking");
        let path = format!("/v1/channels/{}", text(&made, "id"));
        let list = jamie.get("/v1/channels").await.expect(200);
        assert_eq!(list["channels"][0]["status"], "pending");
        assert_eq!(list["channels"][0], jamie.get(&path).await.expect(200));
        assert!(list["channels"][0]["agent_a_public_key"].is_string());
        assert!(list["channels"][0]["agent_b_public_key"].is_string());
        let asked = jamie.post("/v1/channels", &ask(theirs, mine)).await;
        let asked = asked.expect(200);
        assert_eq!(
            (&asked["id"], &asked["status"]),
            (&made["id"], &json!("active"))
        );
        // A channel alone lets no files pass.
        let sealed = [
            ("is_encrypted", "true"),
            ("channel_id", &*text(&made, "id")),
        ];
        let sent = alex.send(mine, theirs, &sealed).await;
        sent.expect_error(403, "SHARE_REQUIRED");
        jamie.delete(&path).await.expect(200);
        let pending = alex.post("/v1/channels", &ask(mine, theirs)).await;
        let pending = pending.expect(200);
        assert_eq!(pending["status"], "pending");
        alex.pair(jamie, &connection, AGENTS, "both").await;
        let sealed = [
            ("is_encrypted", "true"),
            ("channel_id", &*text(&pending, "id")),
        ];
        let sent = alex.send(mine, theirs, &sealed).await;
        sent.expect_error(400, "VALIDATION_ERROR");
        let open = alex.post("/v1/channels", &ask(mine, theirs)).await;
        let open = open.expect(200);
        assert_eq!(
            (&open["id"], &open["status"]),
            (&pending["id"], &json!("active"))
        );
        alex.send(mine, theirs, &sealed).await.expect(201);

        let path = format!("/v1/connections/{connection}");
        alex.delete(&path).await.expect(200);
        // Of an agent it has dealt with, it may know that; of a name, it does not.
        let refused = alex.post("/v1/channels", &ask(mine, &bot_id)).await;
        refused.expect_error(403, "NO_CONNECTION");
        let refused = alex.post("/v1/channels", &ask(mine, theirs)).await;
        refused.expect_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn the_acting_agent_narrows_what_is_reached() {
    for parties in &Parties::each().await {
        let Parties { server, alex, .. } = parties;
        parties.pair("both").await;
        server.agent(&alex.account, "other").await;
        let http = &server.http;
        let ask = async |path: &str, agent: &str| {
            let request = http.request("GET", path, &alex.account.key);
            send(request.header("x-agentdrop-agent", agent)).await
        };
        let resolve = "/v1/agents/resolve?agent_id=analysis-bot";
        ask(resolve, "data-pipeline").await.expect(200);
        ask(resolve, "other").await.expect_error(404, "NOT_FOUND");
        let sendable = ask("/v1/agents/sendable", "other").await.expect(200);
        let own = |it: &Value| it["own"] == true;
        assert!(sendable["agents"].as_array().unwrap().iter().all(own));
    }
}

#[tokio::test]
async fn what_is_agreed_while_it_ends_is_over() {
    for Parties { alex, jamie, .. } in &Parties::each().await {
        let change = json!({ "permission": "both" });
        for round in 0..6 {
            let invited = text(&alex.invite(&jamie.email).await.expect(201), "id");
            let (path, nothing) = (format!("/v1/connections/{invited}"), json!({}));
            let accept = format!("{path}/accept");
            if round < 3 {
                let (accepted, taken_back) =
                    tokio::join!(jamie.post(&accept, &nothing), alex.delete(&path));
                taken_back.expect(200);
                assert!(matches!(accepted.status, 200 | 409));
            } else {
                jamie.post(&accept, &nothing).await.expect(200);
                let made = alex.propose(&invited, AGENTS, "both").await.expect(201);
                let pairing = text(&made, "id");
                let patch = format!("/v1/pairings/{pairing}");
                let (confirmed, changed, ended) = tokio::join!(
                    jamie.confirm(&pairing),
                    alex.patch(&patch, &change),
                    jamie.delete(&path),
                );
                ended.expect(200);
                for answer in [confirmed, changed] {
                    assert!(matches!(answer.status, 200 | 400), "{:?}", answer.json());
                }
                let shown = alex.get(&format!("{path}/pairings")).await.expect(200);
                assert_eq!(shown["pairings"][0]["status"], "revoked");
            }
            let list = alex.get("/v1/connections").await.expect(200);
            assert_eq!(list["connections"], json!([]));
            let sent = alex.send(AGENTS[0], AGENTS[1], &[]).await;
            sent.expect_error(403, "SHARE_REQUIRED");
        }
    }
}
