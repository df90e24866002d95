//! Calls to a server that answers nonsense, too much, or later.

use agentdrop_client::{Client, Error, Identity, Page};
use agentdrop_protocol::api_key::KeyKind;
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::json;

use crate::hostile::{ALICE, BOB, Hostile, api_key, grant, list};

const AGENTS: &str = "GET /v1/agents";

#[tokio::test]
async fn an_error_that_is_no_json_or_huge_is_an_error_of_its_status() {
    let huge = format!(
        r#"{{"error":{{"code":"GONE","message":"{}"}}}}"#,
        "x".repeat(100_000)
    );
    for body in ["", "<html>", r#"{"error":"text"}"#, "\u{0}", &huge] {
        let server = Hostile::start().await;
        server
            .world()
            .answer_raw(AGENTS, StatusCode::IM_A_TEAPOT, &[], body.to_owned());
        let error = server.client().agents().await.unwrap_err();
        let Error::Api(error) = error else {
            panic!("{error}")
        };
        assert_eq!((error.status, error.code.as_str()), (418, "UNKNOWN"));
        assert!(error.message.len() < 100);
    }
}

#[tokio::test]
async fn an_answer_that_is_no_answer_is_an_error() {
    for body in ["", "[]", "{", "{\"agents\":1}", "<html>"] {
        let server = Hostile::start().await;
        server.world().answer_raw(AGENTS, StatusCode::OK, &[], body);
        assert_eq!(
            server.client().agents().await.unwrap_err().code(),
            "BAD_ANSWER",
            "{body}"
        );
    }
    // Deeper than a stack.
    let server = Hostile::start().await;
    server
        .world()
        .answer_raw(AGENTS, StatusCode::OK, &[], "[".repeat(1_000_000));
    assert_eq!(
        server.client().agents().await.unwrap_err().code(),
        "BAD_ANSWER"
    );
}

#[tokio::test]
async fn another_transfer_is_no_answer_to_who_asked_for_one() {
    let server = Hostile::with_transfer(&[("a", b"1")]).await;
    let other = "tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f7";
    server.world().change(&list(), |it| it["id"] = json!(other));
    server.refuses_for_now("BAD_ANSWER").await;
}

#[tokio::test]
async fn no_more_is_read_than_an_answer_can_have() {
    let server = Hostile::start().await;
    let body = format!(r#"{{"agents":[],"x":"{}"}}"#, "x".repeat(9 * 1024 * 1024));
    server.world().answer_raw(AGENTS, StatusCode::OK, &[], body);
    assert_eq!(
        server.client().agents().await.unwrap_err().code(),
        "BAD_ANSWER"
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (server, other) = (Hostile::start().await, Hostile::start().await);
    other.world().answer(AGENTS, &json!({"agents": []}));
    for status in [StatusCode::FOUND, StatusCode::PERMANENT_REDIRECT] {
        let to = format!("{}/v1/agents", other.url);
        server
            .world()
            .answer_raw(AGENTS, status, &[("location", &to)], "");
        assert_eq!(
            server.client().agents().await.unwrap_err().code(),
            "BAD_ANSWER"
        );
    }
    assert!(other.world().seen.is_empty());
}

#[tokio::test]
async fn what_can_be_repeated_is_repeated_and_nothing_else() {
    let server = Hostile::start().await;
    let busy = (StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new(), "".into());
    server.world().answer(AGENTS, &json!({"agents": []}));
    for _ in 0..2 {
        server
            .world()
            .answers
            .get_mut(AGENTS)
            .unwrap()
            .insert(0, busy.clone());
    }
    server.client().agents().await.unwrap();
    assert_eq!(server.world().calls(AGENTS), 3);

    let keys = "POST /v1/api-keys";
    server
        .world()
        .answer_raw(keys, StatusCode::SERVICE_UNAVAILABLE, &[], "");
    server
        .client()
        .create_key("x".parse().unwrap())
        .await
        .unwrap_err();
    assert_eq!(server.world().calls(keys), 1);

    // A server that wants to be left alone for an hour is.
    server.world().answer_raw(
        AGENTS,
        StatusCode::TOO_MANY_REQUESTS,
        &[("retry-after", "3600")],
        "",
    );
    let error = server.client().agents().await.unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("try again in 3600 s"));
    assert_eq!(server.world().calls(AGENTS), 4);
}

#[tokio::test]
async fn a_grant_is_asked_for_once() {
    let server = Hostile::start().await;
    let call = grant();
    server
        .world()
        .answer_raw(&call, StatusCode::BAD_GATEWAY, &[], "");
    server
        .client()
        .download(crate::hostile::id())
        .await
        .unwrap_err();
    assert_eq!(server.world().calls(&call), 1);
}

#[tokio::test]
async fn who_acts_is_said_where_the_key_does_not_say_it() {
    let server = Hostile::start().await;
    let inbox = json!({"transfers": [], "total": 0, "limit": 50, "offset": 0, "has_more": false});
    server.world().answer("GET /v1/transfers/inbox", &inbox);
    let identity = || Identity::load(server.home.path()).unwrap();
    let builder = || Client::builder(&server.url).identity(identity());
    builder()
        .build()
        .unwrap()
        .inbox(Page::default())
        .await
        .unwrap();
    let whole_account = builder()
        .api_key(api_key(KeyKind::Account))
        .build()
        .unwrap();
    whole_account.inbox(Page::default()).await.unwrap();

    let world = server.world();
    let acting = |n: usize| world.seen[n].headers.get("x-agentdrop-agent");
    assert_eq!(acting(0), None);
    assert_eq!(acting(1).unwrap(), BOB);
    let key = format!("Bearer {}", api_key(KeyKind::Account).expose_secret());
    assert_eq!(world.seen[1].headers[header::AUTHORIZATION], *key);
    let agent = &world.seen[1].headers[header::USER_AGENT];
    assert!(agent.to_str().unwrap().starts_with("agentdrop/"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_so() {
    let client = Client::builder("http://127.0.0.1:1").build().unwrap();
    let error = client.agents().await.unwrap_err();
    assert_eq!(error.code(), "UNREACHABLE");
    assert!(
        error
            .to_string()
            .starts_with("cannot connect to http://127.0.0.1:1: "),
        "{error}"
    );
    assert!(!error.is_refusal());
}

#[test]
fn a_key_does_not_cross_a_network_in_the_clear() {
    let error = Client::builder("http://drop.example.org")
        .build()
        .unwrap_err();
    assert_eq!(error.code(), "PLAIN_HTTP");
    Client::builder("http://drop.example.org")
        .allow_plain_http()
        .build()
        .unwrap();
}

#[test]
fn a_client_does_not_show_its_key() {
    let key = api_key(KeyKind::Account);
    let secret = key.expose_secret().to_owned();
    let client = Client::builder("http://127.0.0.1:1").api_key(key);
    assert!(!format!("{client:?}").contains(&secret));
    assert!(!format!("{:?}", client.build().unwrap()).contains(&secret));
}

#[tokio::test]
async fn what_is_for_another_is_not_asked_for() {
    let server = Hostile::with_transfer(&[("a", b"1")]).await;
    server.world().change(&list(), |it| {
        it["recipient"] = json!("carol");
        it["recipient_agent_id"] = json!(ALICE);
    });
    server.refuses("NOT_THE_RECIPIENT").await;
    // For a person, who has a password and no identity.
    server.world().change(&list(), |it| {
        it["recipient"] = json!("carol@example.org");
        it["recipient_agent_id"] = json!(null);
        it["mode"] = json!("agent-to-human");
    });
    server.refuses("NOT_THE_RECIPIENT").await;
    assert_eq!(server.world().calls(&grant()), 0);
    // One that was registered anew under its name.
    server.world().change(&list(), |it| {
        it["recipient"] = json!("bob");
        it["recipient_agent_id"] = json!(ALICE);
        it["mode"] = json!("agent-to-agent");
    });
    server.receive().await.unwrap();
}
