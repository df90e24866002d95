//! Where files are received to: a folder, or standard output.

use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use agentdrop_client::{Incoming, half_received};
use agentdrop_protocol::wire::transfers::Transfer;

use crate::exit::{Failure, Result};
use crate::going_on::{Afresh, GoingOn, KeptBytes};
use crate::printer::{Mode, Printer};
use crate::progress::Bar;
use crate::screening::Screening;

/// How files are received, to wherever.
#[derive(Debug, clap::Args)]
pub(crate) struct How {
    /// Throw away what is here already of a transfer that was interrupted
    #[arg(long)]
    fresh: bool,
    /// Leave folders that their sender packed as the tars that they came as
    #[arg(long)]
    no_unpack: bool,
    #[command(flatten)]
    screening: Screening,
}

impl How {
    /// Receives a transfer to there, with a bar that says how far it is. Whatever ends that, how much
    /// of it is kept is told afterwards.
    pub(crate) fn incoming(
        &self,
        to: &Path,
        transfer: Transfer,
        bar: &Bar,
        printer: &Printer,
        going_on: &GoingOn,
    ) -> Result<Incoming> {
        self.watch(going_on, to, &transfer);
        let incoming = incoming(to, self, printer)?;
        Ok(incoming.progress(bar.progress()).listed(transfer))
    }

    fn watch(&self, going_on: &GoingOn, to: &Path, transfer: &Transfer) {
        let (folder, id, total) = (folder(to), transfer.id, transfer.total_size);
        going_on.watch(Afresh::said(self.fresh), move || {
            let there = half_received(&folder, id)?;
            Some(KeptBytes { there, total })
        });
    }
}

/// What stands for standard output.
const STDOUT: &str = "-";

/// Whether it is standard output.
pub(crate) fn is_stdout(to: &Path) -> bool {
    to == Path::new(STDOUT)
}

/// The folder that holds what is not done yet.
pub(crate) fn folder(to: &Path) -> PathBuf {
    if !is_stdout(to) {
        return to.to_owned();
    }
    let absolute = |it: &PathBuf| it.is_absolute();
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.filter(absolute);
    let cache = cache.or_else(|| env::home_dir().filter(absolute).map(|it| it.join(".cache")));
    // What is made in there is for its owner alone, wherever that is.
    cache.map_or_else(env::temp_dir, |it| it.join("agentdrop"))
}

/// Receives to there.
fn incoming(to: &Path, how: &How, printer: &Printer) -> Result<Incoming> {
    let mut incoming = Incoming::into_folder(folder(to)).shield(how.screening.shield()?);
    if how.fresh {
        incoming = incoming.afresh();
    }
    if how.no_unpack {
        incoming = incoming.keep_packed();
    }
    if !is_stdout(to) {
        return Ok(incoming);
    }
    if printer.mode() == Mode::Json {
        let message = "standard output is for the file, and cannot be for JSON too";
        let hint = "leave out `--json`, or name a folder with `--to`";
        return Err(Failure::refused("OUTPUT_TAKEN", message, hint));
    }
    Ok(incoming.write_to(Durable(Printer::taken()?)))
}

/// What brings to disk what it was given, where it has a disk: the server is told that the file is here
/// once it was flushed, and may delete it then. What a pipe does with it nobody can know.
struct Durable(File);

impl Write for Durable {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.0.metadata()?.is_file() {
            self.0.sync_all()?;
        }
        Ok(())
    }
}
