//! `agentdrop send`: seals files and sends them.

use std::path::PathBuf;
use std::str::FromStr;

use agentdrop_client::error::PersonError;
use agentdrop_client::{Client, Error, Outgoing, Unenrolled};
use agentdrop_protocol::limits::MAX_DOWNLOADS;
use agentdrop_protocol::text::{Email, Message};
use agentdrop_protocol::wire::transfers::Transfer;
use agentdrop_protocol::{AgentRef, Lifetime, ParseError};

use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::{Profile, SendAs};
use crate::progress::Bar;

/// Send files to an agent or a person, sealed so that only they can open them
#[derive(clap::Args)]
#[command(
    after_help = "Of files to an agent, the server learns the names, the sizes and the message; never what is in \
    them. Of files to a person who has set a receive password it learns how many they are, and their sizes; for \
    one who has not, nothing can be sealed: you are asked whether the server may encrypt them until they have. \
    Whoever signed in and has no agent here sends as a person."
)]
pub(crate) struct Args {
    /// Whom to send to: an agent's name or id, or a person's e-mail address
    #[arg(value_name = "RECIPIENT")]
    recipient: To,
    /// The files; a folder has to be packed first
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Whose agent it is, if several go by its name: the account's e-mail address, id or name
    #[arg(long)]
    account: Option<String>,
    /// A message beside the files, which the server can read if they are for an agent
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
    /// Send as the person who signed in, also where there is an agent
    #[arg(long)]
    as_me: bool,
    /// Let the server encrypt for a person who has no receive password, without being asked
    #[arg(long, short)]
    yes: bool,
}

/// Whom files are sent to.
#[derive(Clone, Debug)]
enum To {
    Agent(AgentRef),
    Person(Email),
}

impl FromStr for To {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.contains('@') {
            return text.parse().map(Self::Person);
        }
        text.parse().map(Self::Agent)
    }
}

/// Seals files and sends them.
pub(crate) async fn run(args: Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let sender = match &args.recipient {
        _ if args.as_me => SendAs::Person,
        To::Agent(_) => SendAs::Agent,
        To::Person(_) => SendAs::AgentOrOwner,
    };
    let client = Profile::load(global)?.sender(sender)?;
    let unenrolled = if args.yes {
        Unenrolled::LetServerEncrypt
    } else {
        Unenrolled::Refuse
    };
    let sent = match send(&client, &args, unenrolled, printer).await {
        Err(Error::Person(PersonError::RecipientHasNoKey(email))) if printer.asks() => {
            ask(&email, printer).await?;
            send(&client, &args, Unenrolled::LetServerEncrypt, printer).await
        }
        sent => sent,
    }?;

    printer.json(&sent);
    printer.bare(&sent.id.to_string());
    say(&args, &sent, printer);
    Ok(Exit::Done)
}

async fn send(
    client: &Client,
    args: &Args,
    unenrolled: Unenrolled,
    printer: &Printer,
) -> Result<Transfer, Error> {
    let bar = Bar::new(printer);
    let outgoing = match &args.recipient {
        To::Agent(agent) => Outgoing::to(agent.clone()),
        To::Person(email) => Outgoing::to_person(email.clone()).unenrolled(unenrolled),
    };
    let mut outgoing = outgoing.files(&args.files).progress(bar.progress());
    if let Some(account) = &args.account {
        outgoing = outgoing.account(account);
    }
    if let Some(message) = &args.message {
        outgoing = outgoing.message(message.clone());
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
    client.send(outgoing).await
}

/// Nothing goes to the server that it can read before somebody has agreed to that.
async fn ask(email: &Email, printer: &Printer) -> Result<()> {
    printer.note(&format!(
        "{email} has set no receive password, so nothing can be sealed for them. The server can encrypt the \
         files until they have set one, and then encrypts them for them alone; until then it could read them."
    ));
    if printer.agreed("Let the server encrypt them?").await? {
        return Ok(());
    }
    Err(Failure::refused(
        "NOT_CONFIRMED",
        "nothing was sent",
        format!("ask {email} to run `agentdrop receive-password set`, and send it then"),
    ))
}

fn say(args: &Args, sent: &Transfer, printer: &Printer) {
    // What a person is sent goes without its names.
    let names = args.files.iter().filter_map(|it| it.file_name()?.to_str());
    let names: Vec<&str> = names.collect();
    let bytes = human::bytes(human::content_bytes(sent));
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
    let id = sent.id.to_string();
    let expires = format!("in {expires}, or after {downloads}; {ends}");
    let mut fields = vec![("transfer", &*id), ("expires", &*expires)];
    if matches!(args.recipient, To::Person(_)) {
        fields.push((
            "sealed",
            if sent.is_encrypted {
                "for them alone, with the names and the message"
            } else {
                "not yet: by the server, which could read it until they have set a receive password"
            },
        ));
    }
    printer.fields(&fields);
}
