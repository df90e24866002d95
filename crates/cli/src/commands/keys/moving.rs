//! An identity, taken to another machine.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use agentdrop_client::{Identity, MovingKey};
use serde_json::json;
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::printer::{Mode, Printer};
use crate::profile::Profile;
use crate::secret_input::Source;

/// More is no exported identity.
const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// More is no file of one key.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// Write this agent's whole identity, encrypted, to move it to another machine
#[derive(clap::Args)]
#[command(
    after_help = "It holds the private keys, the agents that are known, and what was received, in the format of age. \
    Move the identity, do not copy it: two machines that use one would give the same numbers to what they send, and \
    erase keys that the other needs."
)]
pub(super) struct Export {
    /// For whom to encrypt it: a recipient of age, `age1...`
    #[arg(long, value_name = "RECIPIENT", required_unless_present = "passphrase")]
    age: Option<String>,
    /// Encrypt it with a passphrase, which is asked for
    #[arg(long, conflicts_with = "age")]
    passphrase: bool,
    /// The file, which must not be there yet [default: standard output]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
}

/// Put an exported identity into the folder of `--config-dir`, where none may be yet
#[derive(clap::Args)]
pub(super) struct Import {
    /// What `agentdrop keys export` wrote
    file: PathBuf,
    /// The key that it was encrypted for, in a file as `age-keygen` writes it
    #[arg(
        long,
        value_name = "AGE_KEY_FILE",
        required_unless_present = "passphrase"
    )]
    identity: Option<PathBuf>,
    /// Open it with the passphrase that it was encrypted with, which is asked for
    #[arg(long, conflicts_with = "identity")]
    passphrase: bool,
    #[command(flatten)]
    source: Source,
}

pub(super) async fn export(args: Export, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.agent()?;
    let folder = client.identity().map(|it| it.folder().to_owned());
    let folder = folder.unwrap_or_default();
    if args.to.is_none() && (printer.mode() == Mode::Json || io::stdout().is_terminal()) {
        let message = "what is exported is no text";
        let hint = "name a file with `--to`, or lead standard output into one";
        return Err(Failure::refused("OUTPUT_TAKEN", message, hint));
    }
    let key = if let Some(recipient) = &args.age {
        MovingKey::recipient(recipient)?
    } else {
        let passphrase = args.source.new_password("Passphrase").await?;
        MovingKey::passphrase(passphrase.expose_secret())
    };
    let exported = Identity::export(&folder, &key)?;
    match &args.to {
        None => printer.raw_bytes(&exported),
        Some(path) => {
            write(path, &exported)?;
            let shown = path.display().to_string();
            printer.json(&json!({ "path": shown, "bytes": exported.len() }));
            printer.bare(&shown);
            printer.done(&format!("wrote {shown}, {} bytes", exported.len()));
        }
    }
    let message = "two machines must not use one identity at a time";
    let hint = format!(
        "once it is imported there, use {} no more",
        folder.display()
    );
    printer.warning(message, &hint);
    Ok(Exit::Done)
}

pub(super) async fn import(args: Import, global: &Global, printer: &Printer) -> Result<Exit> {
    let folder = Identity::folder_for_new(global.config_dir.as_deref());
    let exported = read(&args.file, MAX_BYTES)?;
    let key = if let Some(path) = &args.identity {
        let text = read(path, MAX_KEY_BYTES)?;
        MovingKey::key_file(&String::from_utf8_lossy(&text))?
    } else {
        let passphrase = args.source.password("Passphrase").await?;
        MovingKey::passphrase(passphrase.expose_secret())
    };
    let identity = Identity::import(&folder, &exported, &key)?;
    let shown = folder.display().to_string();
    printer.json(&json!({
        "agent_id": identity.agent_id(),
        "agent_uuid": identity.agent_uuid(),
        "folder": shown,
    }));
    printer.bare(identity.agent_id().as_str());
    printer.done(&format!("{} is in {shown}", identity.agent_id()));
    printer.note("Use it on the other machine no more; `agentdrop doctor` looks at it here.");
    Ok(Exit::Done)
}

fn read(path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |error: io::Error| Failure::io(&format!("read {}", path.display()), &error);
    let file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len().min(most);
    let room = usize::try_from(bytes).unwrap_or_default() + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    file.take(most).read_to_end(&mut content).map_err(failed)?;
    Ok(content)
}

/// There whole or not at all, for its owner alone, and never in place of another.
fn write(path: &Path, content: &[u8]) -> Result<()> {
    let failed = |error: io::Error| Failure::io(&format!("write {}", path.display()), &error);
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let mut writing = tempfile::Builder::new()
        .prefix(".exporting-")
        .tempfile_in(folder.unwrap_or_else(|| Path::new(".")))
        .map_err(failed)?;
    writing.write_all(content).map_err(failed)?;
    writing.as_file().sync_all().map_err(failed)?;
    let placed = writing.persist_noclobber(path);
    placed.map(drop).map_err(|it| failed(it.error))
}
