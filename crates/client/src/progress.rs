//! How far a transfer has come, for whoever wants to watch.

use std::fmt;
use std::sync::Arc;

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Files are read, to tell ahead of them what they are.
    Reading,
    /// Files are sealed and sent.
    Sending,
    /// Sealed files are fetched.
    Fetching,
    /// Fetched files are checked, and then opened.
    Opening,
}

/// How far it has come. Bytes can become fewer, where something has to be fetched again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// What is being done.
    pub phase: Phase,
    /// Bytes that are done, of all files together.
    pub done_bytes: u64,
    /// Bytes that there are to do.
    pub total_bytes: u64,
    /// Bytes among those done that an earlier process did: they say nothing of how fast it goes.
    pub resumed_bytes: u64,
}

/// Is told how far a transfer has come: any closure that takes a [`Report`].
///
/// It is called from whichever thread does the work, some times a second and more: it must return at once.
pub trait Progress: Send + Sync {
    /// Takes notice.
    fn report(&self, report: Report);
}

impl<F: Fn(Report) + Send + Sync> Progress for F {
    fn report(&self, report: Report) {
        self(report);
    }
}

/// Who watches, if anyone does.
#[derive(Clone, Default)]
pub(crate) struct Watcher(Option<Arc<dyn Progress>>);

impl Watcher {
    pub(crate) fn new(progress: impl Progress + 'static) -> Self {
        Self(Some(Arc::new(progress)))
    }

    pub(crate) fn report(&self, phase: Phase, done_bytes: u64, total_bytes: u64) {
        self.report_resumed(phase, done_bytes, total_bytes, 0);
    }

    pub(crate) fn report_resumed(
        &self,
        phase: Phase,
        done_bytes: u64,
        total_bytes: u64,
        resumed_bytes: u64,
    ) {
        if let Some(progress) = &self.0 {
            progress.report(Report {
                phase,
                done_bytes,
                total_bytes,
                resumed_bytes,
            });
        }
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Watcher(…)"
        } else {
            "Watcher(none)"
        })
    }
}
