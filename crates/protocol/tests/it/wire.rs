//! What the published documentation shows is read, and what we write is frozen.

use agentdrop_protocol::wire::agents::{RegisterAgent, UpdateAgent};
use agentdrop_protocol::wire::channels::CreateChannel;
use agentdrop_protocol::wire::connections::{Connections, CreateConnection};
use agentdrop_protocol::wire::pairings::{CreatePairing, Permission};
use agentdrop_protocol::wire::transfers::{Acknowledge, Delivery, TransferFile};
use agentdrop_protocol::{AgentRef, ErrorBody, ErrorCode, FileId, Timestamp};
use serde_json::json;

const KEY: &str = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";

#[test]
fn unknown_fields_are_ignored_and_null_is_absent() {
    let body = json!({
        "agent_id": "my-agent", "public_key": KEY, "public_key_algorithm": "X25519",
        "signing_public_key": null, "name": null, "metadata": null, "surprise": [1, 2, 3],
    });
    let read: RegisterAgent = serde_json::from_value(body).unwrap();
    assert_eq!(read.public_key.unwrap().to_string(), KEY);
    assert_eq!(
        (read.signing_public_key, read.name, read.metadata),
        (None, None, None)
    );
    assert_eq!(
        serde_json::from_value::<UpdateAgent>(json!({})).unwrap(),
        UpdateAgent::default()
    );
}

#[test]
fn agents_are_named_by_slug_or_id() {
    let id = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6";
    let read: CreateChannel =
        serde_json::from_value(json!({ "agent_id": "alice", "target_agent_id": id })).unwrap();
    assert!(matches!(read.agent_id, AgentRef::Slug(_)));
    assert!(matches!(read.target_agent_id, AgentRef::Id(_)));
}

#[test]
fn a_code_that_a_later_server_sends_is_still_an_error() {
    let later = json!({ "error": { "code": "NOT_INVENTED_YET", "message": "…", "status": 418 } });
    let read: ErrorBody = serde_json::from_value(later).unwrap();
    assert_eq!(
        (read.error.code, read.error.status),
        (ErrorCode::Unknown, 418)
    );
}

#[test]
fn both_generations_of_names_are_written() {
    let id = FileId::new(Timestamp::from_millis(1_790_000_000_000), [7; 10]);
    let file = TransferFile {
        file_id: id,
        name: "report.pdf".parse().unwrap(),
        size: 1_048_576,
        media_type: "application/pdf".parse().unwrap(),
        content_type: "application/pdf".parse().unwrap(),
    };
    insta::assert_json_snapshot!(file, @r#"
    {
      "file_id": "01a0c450-6c00-7707-8707-070707070707",
      "name": "report.pdf",
      "size": 1048576,
      "type": "application/pdf",
      "content_type": "application/pdf"
    }
    "#);
}

#[test]
fn an_acknowledgement_is_read_and_answered() {
    let download = "dl_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6";
    let asked = json!({ "download_id": download, "status": "rejected", "reason": "not mine" });
    let read: Acknowledge = serde_json::from_value(asked).unwrap();
    let answer = Delivery {
        download_id: read.download_id,
        status: read.status,
        reason: read.reason,
        at: "2026-04-17T12:00:00Z".parse().unwrap(),
        receipt: None,
    };
    let written = json!({
        "download_id": download, "status": "rejected", "reason": "not mine",
        "at": "2026-04-17T12:00:00.000Z",
    });
    assert_eq!(serde_json::to_value(answer).unwrap(), written);
}

#[test]
fn candidates_stand_beside_what_every_error_has() {
    let written = json!({ "error": {
        "code": "AMBIGUOUS_RECIPIENT", "message": "which", "status": 400, "request_id": "r1",
        "candidates": [{
            "account_id": "ee9b1017-4d9d-457d-9006-6f70daa6bfd6",
            "account_name": "Alex Morgan",
            "email_masked": "et***********@gmail.com",
        }],
    } });
    let read: ErrorBody = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(read.error.code, ErrorCode::AmbiguousRecipient);
    assert_eq!(serde_json::to_value(&read).unwrap(), written);
    let mut without = written;
    without["error"]
        .as_object_mut()
        .unwrap()
        .remove("candidates");
    let read: ErrorBody = serde_json::from_value(without.clone()).unwrap();
    assert_eq!(read.error.candidates, []);
    assert_eq!(serde_json::to_value(&read).unwrap(), without);
}

#[test]
fn the_published_list_of_connections_is_read() {
    let invite = json!({
        "id": "550e8400-e29b-41d4-a716-446655440000", "message": null,
        "created_at": "2026-03-20T10:00:00.000Z",
    });
    let with = |more: serde_json::Value| {
        let mut it = invite.clone();
        let more = more.as_object().unwrap().clone();
        it.as_object_mut().unwrap().extend(more);
        it
    };
    let account = json!({
        "id": "7c9e2d1a-3b4f-4a5e-9d8c-6e7f0a1b2c3d", "name": "Alex",
        "email": "alex@example.org", "avatar_url": null,
    });
    let active = with(json!({
        "other_account": account, "status": "active",
        "invited_by": "a0a64aa4-0263-4a46-8d4a-ec220f12b983",
        "accepted_at": "2026-03-20T10:05:00.000Z",
        "pairing_count": 2, "pending_pairing_count": 0,
    }));
    let written = json!({
        "connections": [active], "active": [active],
        "pending_incoming": [with(json!({ "from": account }))],
        "pending_outgoing": [with(json!({ "to_email": "jamie@example.org" }))],
        "pending_pairings_count": 1,
    });
    let read: Connections = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(read.connections, read.active);
    assert_eq!(serde_json::to_value(read).unwrap(), written);
}

#[test]
fn what_asks_for_trust_is_read() {
    let asked = json!({ "email": "bob@example.org" });
    let read: CreateConnection = serde_json::from_value(asked).unwrap();
    assert_eq!(read.message, None);
    let long = json!({ "email": "bob@example.org", "message": "x".repeat(501) });
    assert!(serde_json::from_value::<CreateConnection>(long).is_err());

    let asked = json!({
        "my_agent_id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "their_agent_id": "analysis-bot", "permission": "send_only",
    });
    let read: CreatePairing = serde_json::from_value(asked).unwrap();
    assert!(matches!(read.my_agent_id, AgentRef::Id(_)));
    assert_eq!(read.permission, Some(Permission::SendOnly));
}
