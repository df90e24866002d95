//! `agentdrop quarantine`: what the scanner kept from the agent, and what becomes of it.

use std::path::PathBuf;

use agentdrop_client::shield::{Held, Quarantine};
use agentdrop_protocol::TransferId;
use agentdrop_protocol::text::Message;
use serde_json::json;

use super::scan;
use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;

/// Decide about what the scanner kept from the agent
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// List what is there
    List,
    /// Show what was found in it
    Show {
        /// The transfer
        #[arg(value_name = "TRANSFER")]
        id: TransferId,
    },
    /// Hand the files out all the same, into a folder
    Release {
        /// The transfer
        #[arg(value_name = "TRANSFER")]
        id: TransferId,
        /// The folder to put them into; it is made if there is none
        #[arg(long, value_name = "DIR", default_value = ".")]
        to: PathBuf,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Delete the files
    Discard {
        /// The transfers
        #[arg(value_name = "TRANSFER", required = true)]
        ids: Vec<TransferId>,
    },
}

/// Does it.
pub(crate) async fn run(args: Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let folder = Profile::load(global)?.folder().ok_or_else(|| {
        let hint = "name it with `--config-dir`";
        Failure::refused(
            "NO_QUARANTINE",
            "there is no folder with a quarantine",
            hint,
        )
    })?;
    let quarantine = Quarantine::beside(&folder);
    match args.what {
        What::List => list(&quarantine, printer)?,
        What::Show { id } => show(&quarantine.look_up(id)?, printer),
        What::Release { id, to, yes } => return release(&quarantine, id, to, yes, printer).await,
        What::Discard { ids } => {
            for id in &ids {
                quarantine.discard(*id)?;
                printer.bare(&id.to_string());
                printer.done(&format!("deleted what was kept of {id}"));
            }
            printer.json(&json!({ "discarded": ids }));
        }
    }
    Ok(Exit::Done)
}

fn list(quarantine: &Quarantine, printer: &Printer) -> Result<()> {
    let found = quarantine.list()?;
    // What may be an order is shown to whoever asks for it, and not to whoever looks what there is.
    let shown: Vec<Held> = found.iter().map(Held::without_message).collect();
    printer.json(&json!({ "quarantine": shown }));
    let now = human::now();
    let mut rows = Vec::new();
    for it in &found {
        printer.bare(&it.id.to_string());
        let names: Vec<&str> = it.files.iter().map(|it| it.name.as_str()).collect();
        rows.push([
            it.id.to_string(),
            human::moment(it.since, now),
            it.sender.to_string(),
            human::files(&names),
            it.why(),
        ]);
    }
    if rows.is_empty() {
        printer.line("nothing is in quarantine");
    } else {
        printer.table(["TRANSFER", "SINCE", "FROM", "FILES", "WHY"], &rows);
    }
    Ok(())
}

fn show(held: &Held, printer: &Printer) {
    printer.json(held);
    let names: Vec<&str> = held.files.iter().map(|it| it.name.as_str()).collect();
    printer.heading(&held.id.to_string());
    let (files, sender) = (human::files(&names), held.sender.to_string());
    let since = human::moment(held.since, human::now());
    let mut fields = vec![("from", &*sender), ("files", &*files), ("since", &*since)];
    let message = held.message.as_ref().map(Message::as_str);
    // It is the sender's text, and may be what was found.
    fields.extend(message.map(|it| ("message", it)));
    printer.fields(&fields);
    printer.line("");
    for it in &held.scanned {
        it.report
            .findings
            .iter()
            .for_each(|it| scan::say(it, printer));
    }
}

async fn release(
    quarantine: &Quarantine,
    id: TransferId,
    to: PathBuf,
    yes: bool,
    printer: &Printer,
) -> Result<Exit> {
    let held = quarantine.look_up(id)?;
    if !yes && printer.asks() {
        printer.note(&held.why());
        if !printer.agreed("Hand them out all the same?").await? {
            let hint = "`agentdrop quarantine discard` deletes them";
            return Err(Failure::refused(
                "NOT_CONFIRMED",
                "nothing was handed out",
                hint,
            ));
        }
    }
    let placed = quarantine.release(id, &to).await?;
    let files = placed.iter().map(|it| {
        json!({ "path": it.path.display().to_string(), "name": it.name, "bytes": it.bytes, "folder": it.is_folder })
    });
    printer.json(&json!({ "id": id, "released": files.collect::<Vec<_>>() }));
    for it in &placed {
        printer.bare(&it.path.display().to_string());
        printer.done(&format!("handed out {}", it.path.display()));
    }
    Ok(Exit::Done)
}
