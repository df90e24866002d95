//! `agentdrop admin backup`: everything of an installation in a folder.

use std::path::PathBuf;

use agentdrop_server::admin;

use super::installation::Installation;
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
    #[command(flatten)]
    installation: Installation,
}

/// Makes a backup.
pub(super) async fn run(args: Args, printer: &Printer) -> Result<Exit> {
    let config = args.installation.config()?;
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
