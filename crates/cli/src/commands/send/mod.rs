//! `agentdrop send`: seals files and sends them.

mod secrets;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use agentdrop_client::error::PersonError;
use agentdrop_client::{
    Client, DEFAULT_PARALLEL, Error, MAX_PARALLEL, Notice, Outgoing, Progress as _, Report, Sent,
    Unenrolled,
};
use agentdrop_protocol::limits::MAX_DOWNLOADS;
use agentdrop_protocol::text::{Email, Message};
use agentdrop_protocol::wire::transfers::Transfer;
use agentdrop_protocol::{AgentRef, FileName, Lifetime, ParseError};
use serde::Serialize;
use serde_json::Value;

use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::going_on::{Afresh, GoingOn, Upload};
use crate::human;
use crate::printer::Printer;
use crate::profile::{Profile, SendAs};
use crate::progress::Bar;
use crate::security;
use crate::spool::spool;

/// Send files to an agent or a person, sealed so that only they can open them
#[derive(clap::Args)]
#[command(
    after_help = "Of files to an agent that has published its keys, the server learns how many they are and how long each \
    is; of files to any other agent, in the formats of the published clients, their names and the message too, and never \
    what is in them. Of files to a person who has set a receive password it learns how many they are, and their sizes; for \
    one who has not, nothing can be sealed: you are asked whether the server may encrypt them until they have. \
    Whoever signed in and has no agent here sends as a person."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Args {
    /// Whom to send to: an agent's name or id, or a person's e-mail address
    #[arg(value_name = "RECIPIENT")]
    recipient: To,
    /// The files; folders, which are packed on their way; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What standard input is to be called [default: stdin]
    #[arg(long)]
    name: Option<FileName>,
    /// Whose agent it is, if several go by its name: the account's e-mail address, id or name
    #[arg(long)]
    account: Option<String>,
    /// A message beside the files, which the server can read if they are for an agent without published keys
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
    /// Leave out symbolic links in folders, and pipes, sockets and devices, instead of sending nothing
    #[arg(long)]
    skip_links: bool,
    /// Send as the person who signed in, also where there is an agent
    #[arg(long)]
    as_me: bool,
    /// Begin anew what broke off, instead of going on where it stopped
    #[arg(long)]
    fresh: bool,
    /// How many parts of large files are sent at once
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PARALLEL, value_parser = parallel)]
    parallel: usize,
    /// Send files too that look as if keys or passwords were in them, without being asked
    #[arg(long)]
    allow_secrets: bool,
    /// Answer yes to what would be asked: whether to send what may be secret, and whether to let the server encrypt for a person who has no receive password
    #[arg(long, short)]
    yes: bool,
}

fn parallel(text: &str) -> Result<usize, String> {
    let number = text
        .parse()
        .ok()
        .filter(|it| (1..=MAX_PARALLEL).contains(it));
    number.ok_or_else(|| format!("must be from 1 to {MAX_PARALLEL}"))
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
pub(crate) async fn run(
    args: Args,
    global: &Global,
    printer: &Printer,
    going_on: &GoingOn,
) -> Result<Exit> {
    let sender = match &args.recipient {
        _ if args.as_me => SendAs::Person,
        To::Agent(_) => SendAs::Agent,
        To::Person(_) => SendAs::AgentOrOwner,
    };
    let profile = Profile::load(global)?;
    let folder = profile.folder();
    let client = profile.sender(sender)?;
    secrets::expect_none(&args, printer).await?;
    let unenrolled = if args.yes {
        Unenrolled::LetServerEncrypt
    } else {
        Unenrolled::Refuse
    };
    let typed = if typed(&args, global)? {
        Some(Arc::new(spool(&Bar::new(printer)).await?))
    } else {
        None
    };
    let kept = Kept {
        folder,
        typed,
        upload: Arc::default(),
    };
    let upload = Arc::clone(&kept.upload);
    going_on.watch(Afresh::said(args.fresh), move || upload.look());
    let sent = match send(&client, &args, &kept, unenrolled, printer).await {
        Err(Error::Person(PersonError::RecipientHasNoKey(email))) if printer.asks() => {
            ask(&email, printer).await?;
            let unenrolled = Unenrolled::LetServerEncrypt;
            send(&client, &args, &kept, unenrolled, printer).await
        }
        sent => sent,
    }?;

    printer.json(&Said {
        transfer: &sent.transfer,
        resumed: sent.resumed,
        bytes_sent: sent.bytes_sent,
        left_out: &sent.left_out,
        security: sent.security.as_str(),
        peer: security::peer(sent.peer.as_ref()),
    });
    printer.bare(&sent.transfer.id.to_string());
    say(&args, &sent, printer);
    say_left_out(&sent.left_out, printer);
    security::say_news(
        sent.security,
        sent.peer.as_ref(),
        &sent.transfer.recipient,
        printer,
    );
    Ok(Exit::Done)
}

/// What there is beside the arguments.
struct Kept {
    /// Where uploads are kept.
    folder: Option<PathBuf>,
    /// What standard input had.
    typed: Option<Arc<File>>,
    /// What was told of the upload.
    upload: Arc<Upload>,
}

impl Args {
    fn stdin_name(&self) -> FileName {
        let default = || "stdin".parse().expect("it is a name");
        self.name.clone().unwrap_or_else(default)
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether standard input is among the files.
fn typed(args: &Args, global: &Global) -> Result<bool> {
    let refused = |message: &str, hint: &str| Err(Failure::refused("STDIN", message, hint));
    match args.files.iter().filter(|it| is_stdin(it)).count() {
        0 if args.name.is_some() => refused(
            "`--name` is of standard input, and that is not sent",
            "send `-`, or rename the file",
        ),
        0 => Ok(false),
        1 if global.api_key.as_deref() == Some("-") => refused(
            "the key and a file cannot both come from standard input",
            "set AGENTDROP_API_KEY instead",
        ),
        1 => Ok(true),
        _ => refused("standard input can be sent once", "name it once"),
    }
}

/// What was sent, as a program reads it.
#[derive(Serialize)]
struct Said<'a> {
    #[serde(flatten)]
    transfer: &'a Transfer,
    resumed: bool,
    bytes_sent: u64,
    left_out: &'a [PathBuf],
    security: &'static str,
    peer: Value,
}

async fn send(
    client: &Client,
    args: &Args,
    kept: &Kept,
    unenrolled: Unenrolled,
    printer: &Printer,
) -> Result<Sent, Error> {
    let bar = Bar::new(printer);
    let notes = bar.notes(printer);
    let outgoing = match &args.recipient {
        To::Agent(agent) => Outgoing::to(agent.clone()),
        To::Person(email) => Outgoing::to_person(email.clone()).unenrolled(unenrolled),
    };
    let (progress, upload) = (bar.progress(), Arc::clone(&kept.upload));
    let mut outgoing = outgoing.progress(move |it: Report| {
        upload.report(it);
        progress.report(it);
    });
    for file in &args.files {
        outgoing = match &kept.typed {
            Some(typed) if is_stdin(file) => {
                outgoing.open_file(args.stdin_name(), Arc::clone(typed))
            }
            _ => outgoing.file(file),
        };
    }
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
    if args.skip_links {
        outgoing = outgoing.leave_out_links();
    }
    if args.fresh {
        outgoing = outgoing.anew();
    }
    if let Some(folder) = &kept.folder {
        outgoing = outgoing.kept_in(folder);
    }
    let upload = Arc::clone(&kept.upload);
    let outgoing = outgoing
        .parallel(args.parallel)
        .notices(move |it| match &it {
            Notice::Kept(path) => upload.is_kept_in(path),
            it => notes(&noted(it)),
        });
    client.send(outgoing).await
}

/// What there is to know about an upload, for people.
fn noted(notice: &Notice) -> String {
    match notice {
        Notice::Resumes {
            there_bytes,
            total_bytes,
        } => format!(
            "resuming: {} of {} are there",
            human::bytes(*there_bytes),
            human::bytes(*total_bytes)
        ),
        Notice::BeginsAnew(why) => format!("beginning anew: {why}"),
        Notice::Ignored { path, problem } => format!(
            "beginning anew: {} is not trusted: {problem}; delete it",
            path.display()
        ),
        Notice::Others { folder, count } => format!(
            "{} in {}: each goes on when the same is sent to the same on the same terms, or is deleted a day after it began",
            human::count(*count, "other upload"),
            folder.display()
        ),
        Notice::NotKept(problem) => {
            format!("if this breaks off it cannot go on where it stopped: {problem}")
        }
        _ => "something is new about this upload".to_owned(),
    }
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

fn say_left_out(left_out: &[PathBuf], printer: &Printer) {
    const NAMED: usize = 5;
    if left_out.is_empty() {
        return;
    }
    let first = left_out.iter().take(NAMED);
    let first: Vec<_> = first.map(|it| it.display().to_string()).collect();
    let more = match left_out.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!("left out {}{more}", first.join(", "));
    printer.warning(&message, "they are symbolic links, or no files");
}

fn say(args: &Args, whole: &Sent, printer: &Printer) {
    let sent = &whole.transfer;
    // What a person is sent goes without its names.
    let stdin = args.stdin_name();
    let name = |it: &Path| {
        if is_stdin(it) {
            return Some(stdin.to_string());
        }
        // `.` has a name as well.
        let whole = it.canonicalize().unwrap_or_else(|_| it.to_owned());
        let name = it.file_name().or_else(|| whole.file_name())?.to_str()?;
        let end = if it.is_dir() { "/" } else { "" };
        Some(format!("{name}{end}"))
    };
    let names: Vec<String> = args.files.iter().filter_map(|it| name(it)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
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
    let protected = security::words(whole.security, whole.peer.as_ref());
    fields.extend(protected.as_deref().map(|it| ("sealed", it)));
    printer.fields(&fields);
}
