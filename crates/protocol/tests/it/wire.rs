//! What the published documentation shows is read, and what we write is frozen.

use agentdrop_protocol::wire::agents::{RegisterAgent, UpdateAgent};
use agentdrop_protocol::wire::channels::CreateChannel;
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
    };
    let written = json!({
        "download_id": download, "status": "rejected", "reason": "not mine",
        "at": "2026-04-17T12:00:00.000Z",
    });
    assert_eq!(serde_json::to_value(answer).unwrap(), written);
}
