//! `agentdrop admin restore`: a backup in a new place.

use std::path::PathBuf;

use agentdrop_server::admin;
use serde_json::json;

use crate::commands::serve::Storage;
use crate::commands::serve::files::Files;
use crate::exit::{Exit, Result};
use crate::human;
use crate::printer::Printer;

#[derive(clap::Args)]
#[command(
    after_help = "The data directory has to be missing or empty, and so have the database of `--database-url` and \
    the place of `--blobs`. The backup is only read. Should it be interrupted, delete what it made, and begin \
    again: no server runs on half of it."
)]
pub(super) struct Args {
    /// The folder with the backup
    dir: PathBuf,
    /// Where the server's key goes [default: server.key in the data directory]
    #[arg(long, value_name = "FILE", env = "AGENTDROP_SERVER_KEY")]
    server_key: Option<PathBuf>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    storage: Storage,
}

/// Brings a backup back.
pub(super) async fn run(args: Args, printer: &Printer) -> Result<Exit> {
    let mut config = args.storage.into_config();
    args.files.tell(&mut config)?;
    config.server_key = args.server_key.filter(|it| !it.as_os_str().is_empty());
    let restored = Box::pin(admin::restore(&config, &args.dir)).await?;
    let (made, files) = (&restored.manifest, restored.files);
    printer.json(&json!({
        "made_at": made.made_at,
        "rows": made.rows,
        "transfers": files.transfers,
        "blobs": files.blobs,
        "bytes": files.bytes,
        "given_up": files.given_up,
        "server_key": restored.has_key,
    }));
    let folder = config.data_dir.display().to_string();
    printer.bare(&folder);
    let made_at = human::moment(made.made_at, human::now());
    printer.done(&format!("restored the backup of {made_at} into {folder}"));
    printer.fields(&[
        ("rows", &made.rows.to_string()),
        ("transfers", &files.transfers.to_string()),
        ("files and parts", &files.blobs.to_string()),
        ("bytes", &human::bytes(files.bytes)),
    ]);
    if files.given_up > 0 {
        let message = format!(
            "{} transfers were on their way to the bucket, and are deleted",
            files.given_up
        );
        printer.warning(&message, "their senders have to send them again");
    }
    if !restored.has_key {
        let message = "the server's key is not in the backup";
        let hint = "put it into the data directory as server.key, or name it with `--server-key`: no server \
                    starts without it";
        printer.warning(message, hint);
    }
    Ok(Exit::Done)
}
