//! What is known, taken to another machine.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use agentdrop_client::Client;
use agentdrop_client::trust::Contradictions;
use serde_json::json;

use super::named::known_agents;
use crate::exit::{Exit, Failure, Result};
use crate::human;
use crate::printer::Printer;

/// More than is ever written.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Write what is known to a file, for another machine
#[derive(clap::Args)]
#[command(
    after_help = "There is no secret in it; but whoever changes it on its way makes the other machine believe other \
    keys. What was refused is not in it."
)]
pub(super) struct Export {
    /// The file, which must not be there yet; `-` for standard output
    #[arg(default_value = "-")]
    file: PathBuf,
}

/// Add what was exported elsewhere
#[derive(clap::Args)]
#[command(
    after_help = "Nothing becomes weaker by it. Where it contradicts what is known here, nothing is added."
)]
pub(super) struct Import {
    /// The file; `-` for standard input
    file: PathBuf,
    /// Believe the file where it contradicts what is known here
    #[arg(long)]
    force: bool,
}

pub(super) fn export(args: &Export, client: &Client, printer: &Printer) -> Result<Exit> {
    let mut known = known_agents(client)?.export()?;
    known.push('\n');
    if args.file == Path::new("-") {
        printer.raw(&known);
        return Ok(Exit::Done);
    }
    let path = args.file.display().to_string();
    let failed = |error: std::io::Error| Failure::io(&format!("write {path}"), &error);
    let folder = args.file.parent().filter(|it| !it.as_os_str().is_empty());
    let mut writing = tempfile::Builder::new()
        .prefix(".exporting-")
        .tempfile_in(folder.unwrap_or_else(|| Path::new(".")))
        .map_err(failed)?;
    writing.write_all(known.as_bytes()).map_err(failed)?;
    writing.as_file().sync_all().map_err(failed)?;
    let placed = writing.persist_noclobber(&args.file);
    placed.map_err(|it| failed(it.error))?;
    printer.json(&json!({ "path": path }));
    printer.bare(&path);
    printer.done(&format!("wrote {path}"));
    Ok(Exit::Done)
}

pub(super) fn import(args: &Import, client: &Client, printer: &Printer) -> Result<Exit> {
    let shown = args.file.display();
    let failed = |error: std::io::Error| Failure::io(&format!("read {shown}"), &error);
    let mut text = String::new();
    if args.file == Path::new("-") {
        let read = std::io::stdin()
            .lock()
            .take(MAX_BYTES)
            .read_to_string(&mut text);
        read.map_err(failed)?;
    } else {
        let file = File::open(&args.file).map_err(failed)?;
        file.take(MAX_BYTES)
            .read_to_string(&mut text)
            .map_err(failed)?;
    }
    let contradictions = if args.force {
        Contradictions::TakeImported
    } else {
        Contradictions::Refuse
    };
    let changed = known_agents(client)?.import(&text, contradictions)?;
    printer.json(&json!({ "changed": changed }));
    printer.bare(&changed.to_string());
    printer.done(&format!(
        "imported: {} changed",
        human::count(changed, "agent")
    ));
    Ok(Exit::Done)
}
