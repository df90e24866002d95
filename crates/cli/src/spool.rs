//! Standard input, taken in before it is sent: its size is not known before its end.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::thread;

use agentdrop_client::{Phase, Progress, Report};
use tokio::sync::oneshot;

use crate::exit::{Failure, Result};
use crate::progress::Bar;

/// Takes in what comes from standard input, whose size is not known before its end: to a file without
/// a name, which is gone with this process.
pub(crate) async fn spool(bar: &Bar) -> Result<File> {
    let progress = bar.progress();
    let (tell, told) = oneshot::channel();
    // Not a thread of the runtime, which would wait for it when a signal ends the run.
    thread::spawn(move || tell.send(read_stdin(&progress)).ok());
    let spooled = told.await.map_err(|_| Failure::interrupted())?;
    spooled.map_err(|error| Failure::io("take in standard input", &error))
}

fn read_stdin(progress: &impl Progress) -> io::Result<File> {
    let (mut file, mut stdin) = (tempfile::tempfile()?, io::stdin().lock());
    let (mut piece, mut bytes) = (vec![0; 256 * 1024], 0);
    loop {
        let read = match stdin.read(&mut piece) {
            Ok(0) => return Ok(file),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read?,
        };
        file.write_all(piece.get(..read).unwrap_or_default())?;
        bytes += read as u64;
        progress.report(Report::new(Phase::Reading, bytes, bytes));
    }
}
