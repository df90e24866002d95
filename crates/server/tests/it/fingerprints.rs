//! Fingerprints of identities, wherever two people may want to compare them.

use agentdrop_testkit::http::Answer;
use agentdrop_testkit::server::text;
use serde_json::{Value, json};

use crate::identity::Identity;
use crate::parties::Parties;

#[tokio::test]
async fn wherever_an_agent_is_named_to_be_trusted_its_fingerprint_stands() {
    for parties in &Parties::each().await {
        let (http, alex, jamie) = (&parties.server.http, &parties.alex, &parties.jamie);
        let pipeline = alex.get("/v1/agents/data-pipeline").await.expect(200);
        let bot = jamie.get("/v1/agents/analysis-bot").await.expect(200);
        let connection = parties.connect().await;
        let listed = async || {
            let path = format!("/v1/connections/{connection}/agents");
            alex.get(&path).await.expect(200)["agents"][0].clone()
        };
        for none in [&pipeline, &listed().await] {
            assert!(none.get("key_fingerprint").is_none(), "{none}");
            assert!(none.get("bundle_version").is_none(), "{none}");
        }
        let mut mine = Identity::of(&pipeline, 1);
        mine.publish(http, &alex.account.key).await.expect(200);
        let mut theirs = Identity::of(&bot, 2);
        theirs.publish(http, &jamie.account.key).await.expect(200);
        let (mine, theirs) = (mine.fingerprint(), theirs.fingerprint());
        assert!(mine.starts_with("adk1") && mine.len() == 62);
        let own = alex.get("/v1/agents/data-pipeline").await.expect(200);
        assert_eq!(
            (&own["key_fingerprint"], &own["bundle_version"]),
            (&json!(mine), &json!(1))
        );
        assert_eq!(listed().await["key_fingerprint"], json!(theirs));

        let agents = ["data-pipeline", "analysis-bot"];
        let proposed = alex.propose(&connection, agents, "both").await.expect(201);
        assert_eq!(proposed["my_agent"]["key_fingerprint"], json!(mine));
        assert_eq!(proposed["their_agent"]["key_fingerprint"], json!(theirs));
        // Who confirms says what they compared.
        let id = text(&proposed, "id");
        let confirm = async |compared: Value| -> Answer {
            let path = format!("/v1/pairings/{id}/confirm");
            jamie
                .post(&path, &json!({ "their_key_fingerprint": compared }))
                .await
        };
        let typo = mine.replace("adk1", "adk2");
        confirm(json!(typo))
            .await
            .expect_error(400, "VALIDATION_ERROR");
        confirm(json!(theirs))
            .await
            .expect_error(409, "TERMS_CHANGED");
        confirm(json!(mine)).await.expect(200);
        let list = format!("/v1/connections/{connection}/pairings");
        let sides = async || {
            let list = jamie.get(&list).await.expect(200)["pairings"][0].clone();
            let mut sides = ["agent_a", "agent_b"].map(|it| list[it].clone());
            sides.sort_by_key(|it| text(it, "agent_id"));
            sides.map(|it| it.get("key_fingerprint").cloned())
        };
        assert_eq!(sides().await, [Some(json!(theirs)), Some(json!(mine))]);

        let resolved = "/v1/agents/resolve?agent_id=data-pipeline";
        let resolved = jamie.get(resolved).await.expect(200);
        assert_eq!(resolved["key_fingerprint"], json!(mine));
        assert_eq!(resolved["bundle_version"], 1);
        let between = json!({ "agent_id": "analysis-bot", "target_agent_id": "data-pipeline" });
        let made = jamie.post("/v1/channels", &between).await.expect(200);
        assert_eq!(made["my_key_fingerprint"], json!(theirs));
        assert_eq!(made["their_key_fingerprint"], json!(mine));
        let channel = format!("/v1/channels/{}", text(&made, "id"));
        let channel = jamie.get(&channel).await.expect(200);
        for side in ["a", "b"] {
            let agent = text(&channel, &format!("agent_{side}_id"));
            let expected = if agent == text(&pipeline, "id") {
                &mine
            } else {
                &theirs
            };
            assert_eq!(
                channel[format!("agent_{side}_key_fingerprint")],
                json!(expected)
            );
        }
        // What is over tells no more of the other's agent.
        alex.delete(&format!("/v1/connections/{connection}"))
            .await
            .expect(200);
        assert_eq!(sides().await, [Some(json!(theirs)), None]);
    }
}
