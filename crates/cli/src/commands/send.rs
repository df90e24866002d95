//! `agentdrop send`: seals files and sends them.

use std::path::PathBuf;

use agentdrop_client::Outgoing;
use agentdrop_protocol::limits::MAX_DOWNLOADS;
use agentdrop_protocol::text::Message;
use agentdrop_protocol::{AgentRef, Lifetime};

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;
use crate::progress::Bar;

/// Send files to an agent, sealed so that only it can open them
#[derive(clap::Args)]
#[command(
    after_help = "The server learns the names and sizes of the files, and the message; never what is in the \
    files."
)]
pub(crate) struct Args {
    /// The agent to send to: its name, or its id
    recipient: AgentRef,
    /// The files; a folder has to be packed first
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Whose agent it is, if several go by its name: the account's e-mail address, id or name
    #[arg(long)]
    account: Option<String>,
    /// A message beside the files, which the server can read
    #[arg(long, short, value_name = "TEXT")]
    message: Option<Message>,
    /// How long it can be received, from 1m to 365d: 90m, 24h, 7d [default: 24h]
    #[arg(long, value_name = "TIME")]
    expires_in: Option<Lifetime>,
    /// How often it can be downloaded [default: 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_DOWNLOADS)))]
    max_downloads: Option<u32>,
    /// Keep the files at the server after they were received, until they expire
    #[arg(long)]
    keep: bool,
}

/// Seals files and sends them.
pub(crate) async fn run(args: Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.agent()?;
    let bar = Bar::new(printer);
    let mut outgoing = Outgoing::to(args.recipient)
        .files(args.files)
        .progress(bar.progress());
    if let Some(account) = args.account {
        outgoing = outgoing.account(account);
    }
    if let Some(message) = args.message {
        outgoing = outgoing.message(message);
    }
    if let Some(lifetime) = args.expires_in {
        outgoing = outgoing.expires_in(lifetime);
    }
    if let Some(downloads) = args.max_downloads {
        outgoing = outgoing.max_downloads(downloads);
    }
    if args.keep {
        outgoing = outgoing.keep();
    }
    let sent = client.send(outgoing).await;
    drop(bar);
    let sent = sent?;

    printer.json(&sent);
    printer.bare(&sent.id.to_string());
    let names: Vec<&str> = sent.files.iter().map(|it| it.name.as_str()).collect();
    let bytes = human::bytes(human::content_bytes(&sent));
    printer.done(&format!(
        "sent {}, {bytes}, to {}",
        human::files(&names),
        sent.recipient
    ));
    let ends = if sent.auto_delete {
        "deleted when it was received"
    } else {
        "kept when it was received"
    };
    let expires = human::duration(sent.expires_at.since(sent.created_at));
    let downloads = human::count(
        usize::try_from(sent.max_downloads).unwrap_or(usize::MAX),
        "download",
    );
    printer.fields(&[
        ("transfer", &sent.id.to_string()),
        (
            "expires",
            &format!("in {expires}, or after {downloads}; {ends}"),
        ),
    ]);
    Ok(Exit::Done)
}
