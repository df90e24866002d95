//! The document that describes the API; made from the code, never by hand.

use std::collections::BTreeMap;

use agentdrop_protocol::text::{Label, Message};
use agentdrop_protocol::wire::connections::ConnectionFilter;
use agentdrop_protocol::wire::transfers::TransferMode;
use agentdrop_protocol::{
    ChannelId, EncryptionPublicKey, ErrorBody, ErrorCode, IdempotencyKey, Lifetime,
};
use axum::Json;
use axum::extract::State;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi as _, PartialSchema as _, ToSchema};

use std::sync::Arc;

/// What every operation may also answer.
pub(crate) struct Errors;

impl IntoResponses for Errors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let schema = Ref::from_schema_name(ErrorBody::name());
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new()
            .description("An error; `error.code` says which")
            .content("application/json", content)
            .build();
        BTreeMap::from([("default".to_owned(), response.into())])
    }
}

/// The form that creates a transfer. Its fields come in any order.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a form that is read field by field")]
pub(crate) struct TransferForm {
    /// The sending agent, by slug or id; with a key of the account also any label. Required, but in
    /// the mode `human-to-agent`, where it is any label, and the account's address if nothing is said.
    sender: Option<Label>,
    /// The receiving agent, by slug or id; or, in the mode `agent-to-human`, an e-mail address.
    #[schema(min_length = 1, max_length = 256)]
    recipient: String,
    /// The recipient's account, if it is not clear: its e-mail address, id or name.
    #[schema(max_length = 256)]
    recipient_account: Option<String>,
    /// The files, at least one and at most 100; one more where an envelope goes before them.
    #[schema(value_type = Vec<String>, format = Binary, min_items = 1, max_items = 101)]
    files: Vec<Vec<u8>>,
    /// Between whom it goes; `agent-to-agent` if nothing is said. `human-to-agent` in a session alone.
    mode: Option<TransferMode>,
    /// A message beside the files.
    message: Option<Message>,
    /// A JSON object to carry along.
    #[schema(max_length = 16384)]
    metadata: Option<String>,
    /// How long it lives: a number and `m`, `h` or `d`; `24h` if nothing is said.
    expires_in: Option<Lifetime>,
    /// How often it may be downloaded, from 1 to 1000; 10 if nothing is said.
    #[schema(minimum = 1, maximum = 1000)]
    max_downloads: Option<u32>,
    /// Whether its files go once they were delivered.
    auto_delete: Option<bool>,
    /// Whether its sender has encrypted the files.
    is_encrypted: Option<bool>,
    /// Asks the server to encrypt before it stores, which it does whenever the sender has not.
    encrypted: Option<bool>,
    /// The key that a person encrypted with, made for this transfer; in the mode `human-to-agent`
    /// alone, and required there of what is encrypted.
    sender_public_key: Option<EncryptionPublicKey>,
    /// How its sender encrypted the files.
    #[schema(pattern = "^[!-~]{0,64}$")]
    encryption_algorithm: Option<String>,
    /// The wrapped file key, or the sender's ephemeral public key, in base64.
    #[schema(format = Byte, max_length = 4096)]
    encrypted_key: Option<String>,
    /// The channel it is encrypted for.
    channel_id: Option<ChannelId>,
    /// The salt its key is derived with, in base64.
    #[schema(format = Byte, max_length = 44)]
    encryption_salt: Option<String>,
    /// A JSON array of nonces in base64, one a file.
    #[schema(max_length = 65536)]
    encryption_ivs: Option<String>,
    /// What the sender signed, in base64.
    #[schema(format = Byte, max_length = 4096)]
    sender_signature: Option<String>,
    /// The version of the recipient's key that it is encrypted for; refused if that is another now.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    recipient_key_version: Option<u32>,
    /// The recipient's key that it is encrypted for; refused if that is another now.
    recipient_public_key: Option<EncryptionPublicKey>,
    /// The hex digits of the id that it gets, for a sender that binds what it encrypts to it: a UUID of
    /// version 7, made within the last 24 hours.
    #[schema(pattern = "^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$")]
    transfer_id: Option<String>,
}

/// What stands around the operations.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "AgentDrop",
        description = "AI agents send each other files, end-to-end encrypted.",
        license(name = "MIT OR Apache-2.0")
    ),
    components(schemas(ErrorBody, ConnectionFilter, IdempotencyKey)),
    security(("api_key" = [])),
    modifiers(&Credentials, &Codes)
)]
struct Frame;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, description) in [
            (
                "api_key",
                "A key of an account, `agd_live_…`, or of an agent, `ada_live_…`",
            ),
            (
                "connection_token",
                "A token that connects an agent once, `agt_…`",
            ),
        ] {
            let scheme = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some(description));
            components.add_security_scheme(name, SecurityScheme::Http(scheme.build()));
        }
    }
}

/// Lists the codes with their meaning where they are defined.
struct Codes;

impl Modify for Codes {
    fn modify(&self, document: &mut OpenApi) {
        let line = |it: &ErrorCode| format!("- `{it}` ({}): {}", it.status(), it.meaning());
        let lines: Vec<_> = ErrorCode::ALL.iter().map(line).collect();
        let mut schema = ErrorCode::schema();
        if let RefOr::T(utoipa::openapi::Schema::Object(object)) = &mut schema {
            object.description = Some(format!("What kind of error it is.\n\n{}", lines.join("\n")));
        }
        let components = document.components.get_or_insert_default();
        components
            .schemas
            .insert(ErrorCode::name().into_owned(), schema);
    }
}

/// What stands around the operations.
pub(crate) fn frame() -> OpenApi {
    Frame::openapi()
}

/// The document.
pub(crate) async fn show(State(document): State<Arc<OpenApi>>) -> Json<OpenApi> {
    Json(OpenApi::clone(&document))
}
