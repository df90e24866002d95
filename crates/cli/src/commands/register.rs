//! `agentdrop register`: makes an agent.

use agentdrop_client::{FirstKeys, Identity, NewAgent};
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
    this machine. Its keys are published too, signed by it, so that others can verify what it sends and seal \
    for it alone; published clients cannot open that."
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
    /// Keep to the formats of the published clients, for an identity that one of them is to use
    #[arg(long)]
    compatible: bool,
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
    if args.compatible {
        agent = agent.compatible();
    }
    let registered = client.register(&folder, agent).await?;

    let identity = registered.identity;
    let public_key = identity.public_key().to_string();
    let fingerprint = match &registered.keys {
        FirstKeys::Published(keys) => Some(keys.fingerprint.to_string()),
        _ => None,
    };
    printer.json(&json!({
        "agent_id": identity.agent_id(),
        "agent_uuid": identity.agent_uuid(),
        "public_key": public_key,
        "key_fingerprint": fingerprint,
        "server": identity.server(),
        "folder": folder,
        "has_api_key": identity.api_key().is_some(),
    }));
    printer.bare(identity.agent_id().as_str());
    printer.done(&format!("registered {}", identity.agent_id()));
    let id = identity.agent_uuid().map(|it| it.to_string());
    let (id, folder) = (id.unwrap_or_default(), folder.display().to_string());
    let mut fields = vec![
        ("id", &*id),
        ("server", identity.server().unwrap_or_default()),
        ("public key", &public_key),
        ("folder", &folder),
    ];
    fields.extend(fingerprint.as_deref().map(|it| ("fingerprint", it)));
    printer.fields(&fields);
    if let Some(error) = &registered.without_key {
        let message = format!("it has no API key of its own: {}", chain(error));
        let hint = "go on with a key of the account in AGENTDROP_API_KEY";
        printer.warning(&message, hint);
    }
    match &registered.keys {
        FirstKeys::NotPublished(error) if registered.without_key.is_none() => {
            let message = format!("others cannot verify it yet: {}", chain(error));
            printer.warning(&message, "publish its keys with `agentdrop keys publish`");
        }
        FirstKeys::UnknownToServer => printer.note(
            "The server knows nothing of keys that agents are verified by: files are sealed as the published \
             clients do, and whose key it is, is the server's word.",
        ),
        _ => {}
    }
    printer.note("The folder holds its private key, which cannot be made again: keep a copy.");
    Ok(Exit::Done)
}
