//! Signals that ask for an end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Failure, Result};
use crate::going_on::GoingOn;

/// Listens for SIGINT (Ctrl-C) and SIGTERM from when it is made on.
#[derive(Debug)]
pub(crate) struct Interrupts {
    int: Signal,
    term: Signal,
}

impl Interrupts {
    /// Begins to listen.
    pub(crate) fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(|it| Failure::io("listen for signals", &it));
        Ok(Self {
            int: listen(SignalKind::interrupt())?,
            term: listen(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
        }
    }
}

/// Does the work, unless a signal comes first; then it is dropped where it is.
pub(crate) async fn interruptible<T>(
    work: impl Future<Output = Result<T>> + Send,
    going_on: &GoingOn,
) -> Result<T> {
    let mut interrupts = Interrupts::listen()?;
    let done = tokio::select! {
        done = work => done,
        () = interrupts.next() => Err(Failure::interrupted()),
    };
    done.map_err(|it| going_on.told(it))
}
