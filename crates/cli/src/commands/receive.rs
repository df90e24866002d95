//! `agentdrop receive`: fetches, opens and places what was sent here.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use agentdrop_client::{Client, Note, Page, Received, Security};
use agentdrop_protocol::TransferId;
use agentdrop_protocol::limits::MAX_PAGE;
use agentdrop_protocol::text::Message;
use agentdrop_protocol::wire::transfers::{DeliveryStatus, Transfer, TransferMode, TransferStatus};
use serde_json::{Value, json};

use crate::destination::{How, folder, is_stdout};
use crate::exit::{Exit, Failure, Result, chain};
use crate::global::Global;
use crate::going_on::GoingOn;
use crate::human;
use crate::printer::{Mark, Printer};
use crate::profile::Profile;
use crate::progress::Bar;
use crate::screening;
use crate::security;

/// Receive what was sent here
#[derive(clap::Args)]
#[command(
    after_help = "Without a transfer, the one that waits is received. No file is ever replaced: a file whose \
    name is taken gets a number. The files of a transfer appear when all of them were checked, \
    or not at all. Where receiving was interrupted, the same command goes on with what is here \
    already; it waits in a hidden folder for a week. What goes to standard output is on disk before the server \
    is told that it is here, if that is a file; if it is a pipe, it is gone when whoever reads it loses it: \
    `agentdrop send --keep` keeps it at the server."
)]
pub(crate) struct Args {
    /// The transfer, if more than one waits
    #[arg(value_name = "TRANSFER", conflicts_with = "all")]
    id: Option<TransferId>,
    /// Receive all that wait and were not received yet
    #[arg(long)]
    all: bool,
    /// The folder to receive into; it is made if there is none. With `-`, the one file goes to standard output
    #[arg(long, value_name = "DIR", default_value = ".")]
    to: PathBuf,
    /// Take files too that were not sealed, which the server could read and change
    #[arg(long)]
    accept_plaintext: bool,
    #[command(flatten)]
    how: How,
}

/// Receives.
pub(crate) async fn run(
    args: Args,
    global: &Global,
    printer: &Printer,
    going_on: &GoingOn,
) -> Result<Exit> {
    if is_stdout(&args.to) && args.all {
        let message = "standard output takes one file, and not all that wait";
        let hint = "leave out `--all`, or name a folder with `--to`";
        return Err(Failure::refused("OUTPUT_TAKEN", message, hint));
    }
    let client = Profile::load(global)?.agent()?;
    let transfers = match args.id {
        Some(id) => vec![client.transfer(id).await?],
        None => waiting(&client, &folder(&args.to)).await?,
    };
    if transfers.len() > 1 && !args.all {
        let message = format!("{} transfers wait", transfers.len());
        let hint = "name one (`agentdrop inbox` lists them), or receive them with `--all`";
        return Err(Failure::refused("WHICH_TRANSFER", message, hint));
    }
    tend_keys(&client, printer).await;
    let (mut received, mut failed) = (Vec::new(), Vec::new());
    let mut exit = Exit::Done;
    for transfer in transfers {
        let id = transfer.id;
        match one(&client, transfer, &args, printer, going_on).await {
            Ok(it) => {
                show(&it, printer, &args.to);
                received.push(it);
            }
            Err(failure) if !args.all => return Err(failure),
            Err(failure) => {
                let failure = going_on.told(failure);
                printer.mark(Mark::Failed, &format!("{id}: {}", failure.message));
                printer.fields(&[("hint", &failure.hint)]);
                exit = exit.max(failure.exit);
                // Without the server, or without room, it is so for the next one too.
                let is_the_end = ["UNREACHABLE", "IO"].contains(&failure.code);
                failed.push(json!({ "id": id, "error": failure }));
                if is_the_end {
                    break;
                }
            }
        }
    }
    if received.is_empty() && failed.is_empty() {
        if is_stdout(&args.to) {
            let hint = "`agentdrop inbox` lists what waits";
            return Err(Failure::refused("NOTHING_WAITS", "nothing waits", hint));
        }
        printer.line("nothing waits");
    }
    let received: Vec<Value> = received.iter().map(as_json).collect();
    printer.json(&json!({ "received": received, "failed": failed }));
    Ok(exit)
}

/// Renews what is due of the keys of this agent, which otherwise only sending does. What was asked for
/// goes on without.
pub(super) async fn tend_keys(client: &Client, printer: &Printer) {
    if let Err(error) = Box::pin(client.tend_own_keys()).await {
        let why = chain(&error);
        printer.note(&format!("the keys of this agent were not tended: {why}"));
    }
}

/// What waits and was not received yet, oldest first.
///
/// What its sender keeps at the server waits still after it was received.
async fn waiting(client: &Client, folder: &Path) -> Result<Vec<Transfer>> {
    let me = client.identity().map(agentdrop_client::Identity::agent_ref);
    let (mut found, mut listed) = (Vec::new(), HashSet::new());
    let whole = Page::default()
        .status(TransferStatus::Active)
        .limit(MAX_PAGE);
    let mut page = whole.clone();
    loop {
        let inbox = match &me {
            Some(me) => client.agent_inbox(me, page).await?,
            None => client.inbox(page).await?,
        };
        let before = found.len();
        let transfers = inbox.transfers.into_iter();
        found.extend(transfers.filter(|it| listed.insert(it.id)));
        // A server that says the same again and again would be asked for ever.
        if !inbox.has_more || found.len() == before {
            break;
        }
        let behind = inbox.next_cursor.map(|it| whole.clone().cursor(it));
        page = behind.unwrap_or_else(|| {
            // A server that knows no cursors.
            let offset = u32::try_from(found.len()).unwrap_or(u32::MAX);
            whole.clone().offset(offset)
        });
    }
    found.reverse();
    // What took the last download, and was interrupted, waits for nobody else.
    for id in client.unfinished(folder).await? {
        if found.iter().any(|it| it.id == id) {
            continue;
        }
        match client.transfer(id).await {
            Ok(transfer) => found.push(transfer),
            // Another agent's, or of another server.
            Err(error) if error.is_refusal() => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut waiting = Vec::new();
    for transfer in found {
        let again = transfer.downloads > 0 && {
            let ended = client.transfer(transfer.id).await?.deliveries;
            ended.iter().any(|it| it.status == DeliveryStatus::Received)
        };
        if !again {
            waiting.push(transfer);
        }
    }
    Ok(waiting)
}

async fn one(
    client: &Client,
    transfer: Transfer,
    args: &Args,
    printer: &Printer,
    going_on: &GoingOn,
) -> Result<Received> {
    let (id, bar) = (transfer.id, Bar::new(printer));
    let mut incoming = args
        .how
        .incoming(&args.to, transfer, &bar, printer, going_on)?;
    if args.accept_plaintext {
        incoming = incoming.accept_plaintext();
    }
    Ok(client.receive(id, incoming).await?)
}

pub(super) fn show(it: &Received, printer: &Printer, to: &Path) {
    let names: Vec<&str> = it.files.iter().map(|it| it.name.as_str()).collect();
    let bytes = human::bytes(it.files.iter().map(|it| it.bytes).sum());
    let said = format!(
        "received {}, {bytes}, from {}{}",
        human::files(&names),
        it.sender,
        if it.mode == TransferMode::HumanToAgent {
            ", a person"
        } else {
            ""
        }
    );
    if is_stdout(to) {
        printer.note(&said);
    } else {
        for file in &it.files {
            printer.bare(&file.path.display().to_string());
        }
        printer.done(&said);
        show_files(it, printer);
    }
    for note in &it.notes {
        show_note(note, printer);
    }
    screening::say(&it.scan, printer);
    security::say_news(it.security, it.peer.as_ref(), it.sender.as_str(), printer);
    if it.security == Security::Plaintext {
        let message = "it was not sealed: the server could read and change it";
        printer.warning(message, "ask the sender to seal what it sends");
    }
    if let Some(error) = &it.unacknowledged {
        let message = format!("the sender does not know that it arrived: {}", chain(error));
        printer.warning(&message, "the files are here; nothing has to be done");
    }
}

fn show_files(it: &Received, printer: &Printer) {
    let message = it.message.as_ref().map(Message::as_str);
    let mut fields = Vec::new();
    if let Some(message) = message.filter(|it| !it.is_empty()) {
        fields.push(("message", message.to_owned()));
    }
    let protected = security::words(it.security, it.peer.as_ref());
    fields.extend(protected.map(|it| ("sealed", it)));
    for file in &it.files {
        let path = file.path.display();
        if file.is_folder {
            fields.push(("folder", format!("{path}/")));
            continue;
        }
        let renamed = file.path.file_name() != Some(Path::new(file.name.as_str()).as_os_str());
        let was = if renamed {
            format!("  (sent as {})", file.name)
        } else {
            String::new()
        };
        fields.push(("file", format!("{path}{was}")));
    }
    let fields: Vec<_> = fields.iter().map(|(name, text)| (*name, &**text)).collect();
    printer.fields(&fields);
}

fn show_note(note: &Note, printer: &Printer) {
    match note {
        Note::LeftoverIgnored { path, reason } => {
            let message = format!("{} was not gone on with: {reason}", path.display());
            printer.warning(&message, "it was received from its beginning");
        }
        Note::NotUnpacked { name, reason } => {
            let message = format!("{name} was not unpacked: {reason}");
            printer.warning(&message, "it is here as it came, whole");
        }
        Note::KeysNotTended(reason) => {
            let message = format!("the keys of this agent were not tended: {reason}");
            printer.warning(
                &message,
                "`agentdrop keys publish` brings the server what it lacks of them",
            );
        }
        _ => {}
    }
}

pub(super) fn as_json(it: &Received) -> Value {
    let files = it.files.iter().map(|file| {
        json!({ "path": file.path.display().to_string(), "name": file.name, "bytes": file.bytes, "folder": file.is_folder })
    });
    json!({
        "id": it.id,
        "mode": it.mode,
        "sender": it.sender,
        "message": it.message,
        "security": it.security.as_str(),
        "sender_key": it.sender_key,
        "peer": security::peer(it.peer.as_ref()),
        "files": files.collect::<Vec<_>>(),
        "notes": it.notes.iter().map(note_as_json).collect::<Vec<_>>(),
        "resumed_bytes": it.resumed_bytes,
        "shield": screening::as_json(&it.scan),
        "acknowledged": it.unacknowledged.is_none(),
    })
}

fn note_as_json(note: &Note) -> Value {
    match note {
        Note::LeftoverIgnored { path, reason } => {
            json!({ "leftover_ignored": path.display().to_string(), "reason": reason })
        }
        Note::NotUnpacked { name, reason } => json!({ "not_unpacked": name, "reason": reason }),
        Note::KeysNotTended(reason) => json!({ "keys_not_tended": reason }),
        _ => json!({}),
    }
}
