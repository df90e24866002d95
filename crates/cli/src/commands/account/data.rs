//! All that the server knows of an account: taken along, or deleted.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use agentdrop_client::SavedSession;
use serde_json::json;

use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::printer::Printer;
use crate::profile::Profile;
use crate::secret_input::Source;

#[derive(clap::Args)]
pub(super) struct Export {
    /// The file, which must not be there yet; `-` for standard output
    file: PathBuf,
}

#[derive(clap::Args)]
pub(super) struct Delete {
    /// Delete it without being asked, as scripts have to
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    source: Source,
}

pub(super) async fn export(args: Export, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.person()?;
    if args.file == Path::new("-") {
        let print = |piece: &[u8]| {
            printer.raw_bytes(piece);
            Ok(())
        };
        client.export_account(print).await?;
        return Ok(Exit::Done);
    }
    let failed = |error: std::io::Error| {
        let what = format!("write {}", args.file.display());
        Failure::io(&what, &error)
    };
    // Beside its place, so that it is there whole or not at all; for its owner only.
    let folder = args.file.parent().filter(|it| !it.as_os_str().is_empty());
    let mut writing = tempfile::Builder::new()
        .prefix(".exporting-")
        .tempfile_in(folder.unwrap_or_else(|| Path::new(".")))
        .map_err(failed)?;
    let bytes = client.export_account(|it| writing.write_all(it)).await?;
    writing.as_file().sync_all().map_err(failed)?;
    let placed = writing.persist_noclobber(&args.file);
    placed.map_err(|it| failed(it.error))?;
    let path = args.file.display().to_string();
    printer.json(&json!({ "path": path, "bytes": bytes }));
    printer.bare(&path);
    printer.done(&format!("wrote {path}, {bytes} bytes"));
    Ok(Exit::Done)
}

pub(super) async fn delete(args: Delete, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.person()?;
    let account = client.account().await?;
    if !args.yes {
        let question = format!(
            "Delete the account {} ({}), its agents, its keys and all it sent or was sent, for ever?",
            account.name, account.email
        );
        if !printer.asks() || !printer.agreed(&question).await? {
            return Err(Failure::refused(
                "NOT_CONFIRMED",
                "the account was not deleted",
                "answer the question with yes, or give `--yes`",
            ));
        }
    }
    let password = args.source.password("Password").await?;
    let done = client.delete_account(password).await?;
    // The session went with it.
    if let Ok(Some(saved)) = SavedSession::load(global.config_dir.as_deref())
        && saved.server() == client.server()
        && *saved.email() == account.email
    {
        saved.forget()?;
    }
    printer.json(&done);
    printer.bare(account.email.as_str());
    printer.done(&done.message);
    Ok(Exit::Done)
}
