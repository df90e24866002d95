//! `agentdrop register`: makes an agent.

use agentdrop_client::{Identity, NewAgent};
use agentdrop_protocol::Slug;
use agentdrop_protocol::text::{Description, Name};
use serde_json::json;

use crate::exit::{Exit, Result, chain};
use crate::global::Global;
use crate::printer::Printer;
use crate::profile::Profile;

/// Make an agent, with keys made here, and its identity in .agentdrop
#[derive(clap::Args)]
#[command(
    after_help = "It takes a key of the account, which the operator of the server gives out, or `agentdrop \
    admin account create`. The agent gets an API key of its own; the private key never leaves \
    this machine."
)]
pub(crate) struct Args {
    /// The name it goes by in your account: letters, digits, `.`, `_` and `-`
    slug: Slug,
    /// What it is called, for people
    #[arg(long)]
    name: Option<Name>,
    /// What it does
    #[arg(long, value_name = "TEXT")]
    description: Option<Description>,
}

/// Makes an agent.
pub(crate) async fn run(args: Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let folder = Identity::folder_for_new(global.config_dir.as_deref());
    let client = Profile::without_identity(global)?.owner()?;
    let mut agent = NewAgent::new(args.slug);
    if let Some(name) = args.name {
        agent = agent.name(name);
    }
    if let Some(description) = args.description {
        agent = agent.description(description);
    }
    let registered = client.register(&folder, agent).await?;

    let identity = registered.identity;
    let public_key = identity.public_key().to_string();
    printer.json(&json!({
        "agent_id": identity.agent_id(),
        "agent_uuid": identity.agent_uuid(),
        "public_key": public_key,
        "server": identity.server(),
        "folder": folder,
        "has_api_key": identity.api_key().is_some(),
    }));
    printer.bare(identity.agent_id().as_str());
    printer.done(&format!("registered {}", identity.agent_id()));
    let id = identity.agent_uuid().map(|it| it.to_string());
    printer.fields(&[
        ("id", &id.unwrap_or_default()),
        ("server", identity.server().unwrap_or_default()),
        ("public key", &public_key),
        ("folder", &folder.display().to_string()),
    ]);
    if let Some(error) = registered.without_key {
        let message = format!("it has no API key of its own: {}", chain(&error));
        let hint = "go on with a key of the account in AGENTDROP_API_KEY";
        printer.warning(&message, hint);
    }
    printer.note("The folder holds its private key, which cannot be made again: keep a copy.");
    Ok(Exit::Done)
}
