//! `agentdrop admin backup`: everything of an installation in a folder.

use std::path::PathBuf;

use agentdrop_server::admin;

use super::existing;
use crate::commands::serve::Storage;
use crate::commands::serve::files::Files;
use crate::exit::{Exit, Result};
use crate::human;
use crate::printer::Printer;

#[derive(clap::Args)]
#[command(
    after_help = "The rows are those of one moment, and the files those that they stand on. Files are linked where \
    the disk allows that, so that they take no room, and are copied otherwise: copy the folder to another disk, \
    or a failing one takes both. backup.json is written last; without it, a backup is not whole."
)]
pub(super) struct Args {
    /// The folder to fill, which is missing or empty; for its owner alone
    dir: PathBuf,
    /// Leave the server's key out, where others can read the backup: keep it elsewhere
    #[arg(long)]
    without_key: bool,
    /// The file with the server's key [default: server.key in the data directory]
    #[arg(long, value_name = "FILE", env = "AGENTDROP_SERVER_KEY")]
    server_key: Option<PathBuf>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    storage: Storage,
}

/// Makes a backup.
pub(super) async fn run(args: Args, printer: &Printer) -> Result<Exit> {
    let mut config = existing(args.storage)?;
    args.files.tell(&mut config)?;
    config.server_key = args.server_key.filter(|it| !it.as_os_str().is_empty());
    let made = Box::pin(admin::backup(&config, &args.dir, !args.without_key)).await?;
    printer.json(&made);
    let folder = args.dir.display().to_string();
    printer.bare(&folder);
    printer.done(&format!("made a backup in {folder}"));
    printer.fields(&[
        ("rows", &made.rows.to_string()),
        ("transfers", &made.transfers.to_string()),
        ("files and parts", &made.blobs.to_string()),
        ("bytes", &human::bytes(made.bytes)),
    ]);
    if made.server_key {
        printer.note("The server's key is in it: keep it where nobody else reads it.");
    } else {
        let hint = "keep server.key elsewhere: without it, no server runs on what is restored";
        printer.warning("the server's key is not in it", hint);
    }
    Ok(Exit::Done)
}
