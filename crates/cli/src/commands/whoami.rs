//! `agentdrop whoami`: who you are, to yourself and to the server.

use agentdrop_client::Error;
use agentdrop_protocol::ErrorCode;
use agentdrop_protocol::api_key::KeyKind;
use serde_json::json;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::printer::Printer;
use crate::profile::Profile;

/// Shows it.
pub(crate) async fn run(global: &Global, printer: &Printer) -> Result<Exit> {
    let caller = Profile::load(global)?.caller()?;
    let client = &caller.client;
    let profile = match client.profile().await {
        Ok(profile) => Some(profile),
        // A key of an account that has no agent yet.
        Err(Error::Api(error)) if caller.agent.is_none() && error.code == ErrorCode::NotFound => {
            None
        }
        Err(error) => return Err(error.into()),
    };
    let email = match &profile {
        Some(profile) => profile.account.email.clone(),
        None => client.account().await?.email,
    };
    let identity = client.identity();
    let public_key = identity.map(|it| it.public_key().to_string());
    let folder = identity.map(|it| it.folder().display().to_string());
    let server = client.server();
    let keys = client.own_keys()?;
    let fingerprint = keys.map(|it| it.fingerprint.to_string());
    // It is no reason to say nothing else.
    let prekeys = match keys {
        Some(_) => client.prekeys_left().await.ok(),
        None => None,
    };

    printer.json(&json!({
        "server": server,
        "key": caller.key_shown,
        "folder": folder,
        "public_key": public_key,
        "key_fingerprint": fingerprint,
        "prekeys_left": prekeys,
        "account": email,
        "profile": profile,
    }));
    // Without an identity the server names some agent of the account.
    let agent = profile.as_ref().filter(|_| caller.agent.is_some());
    let name = agent.map(|it| it.agent.agent_id.as_str());
    printer.bare(name.unwrap_or_default());
    printer.heading(match (name, caller.key_kind) {
        (Some(name), _) => name,
        (None, KeyKind::Session) => "a person who signed in, and no agent",
        (None, _) => "no agent, the account",
    });
    let text = |it: Option<String>| it.unwrap_or_default();
    let id = text(agent.map(|it| it.agent.id.to_string()));
    let status = text(agent.map(|it| it.agent.connection_status.to_string()));
    let account = email.to_string();
    let waiting = text(agent.map(|it| it.inbox.unread_transfers.to_string()));
    let fields = [
        ("id", &*id),
        ("status", &status),
        ("account", &account),
        ("server", &server),
        ("key", &format!("{}...", caller.key_shown)),
        ("public key", public_key.as_deref().unwrap_or_default()),
        ("fingerprint", fingerprint.as_deref().unwrap_or_default()),
        ("prekeys", &text(prekeys.map(|it| format!("{it} left")))),
        ("folder", folder.as_deref().unwrap_or_default()),
        ("waiting", &waiting),
    ];
    let known: Vec<_> = fields
        .into_iter()
        .filter(|(_, it)| !it.is_empty())
        .collect();
    printer.fields(&known);
    Ok(Exit::Done)
}
