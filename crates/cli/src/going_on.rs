//! What is kept of files that were on their way when a command ended, for whoever runs it again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use agentdrop_client::{Phase, Report};

use crate::exit::{Exit, Failure};
use crate::human;

/// How much is kept, of how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeptBytes {
    pub(crate) there: u64,
    pub(crate) total: u64,
}

type Look = Box<dyn Fn() -> Option<KeptBytes> + Send>;

/// Looks, once a command has ended, whether the same command would go on.
#[derive(Default)]
pub(crate) struct GoingOn(Mutex<Option<(Look, Afresh)>>);

/// Whether whoever ran it wanted it to begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afresh {
    No,
    Yes,
}

impl Afresh {
    pub(crate) const fn said(fresh: bool) -> Self {
        if fresh { Self::Yes } else { Self::No }
    }
}

impl GoingOn {
    /// From now on, `look` says what would be kept. It is asked after the work was dropped.
    pub(crate) fn watch(
        &self,
        afresh: Afresh,
        look: impl Fn() -> Option<KeptBytes> + Send + 'static,
    ) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Box::new(look), afresh));
    }

    /// The failure, with what is kept in its hint. The same again is refused again, whatever is kept.
    pub(crate) fn told(&self, failure: Failure) -> Failure {
        if failure.exit == Exit::Refused {
            return failure;
        }
        let look = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((look, afresh)) = look else {
            return failure;
        };
        let said = match look().filter(|it| it.there > 0) {
            Some(KeptBytes { there, total }) => {
                let command = match afresh {
                    Afresh::No => "the same command goes on there",
                    Afresh::Yes => "the same command without `--fresh` goes on there",
                };
                let (there, total) = (human::bytes(there.min(total)), human::bytes(total));
                format!("{there} of {total} are kept, and {command}")
            }
            None if failure.exit == Exit::Interrupted => {
                "nothing is kept; the same command begins anew".to_owned()
            }
            None => return failure,
        };
        let hint = if failure.exit == Exit::Interrupted {
            said
        } else {
            format!("{}; {said}", failure.hint)
        };
        Failure { hint, ..failure }
    }
}

/// Where an upload is kept, and how much of it arrived.
#[derive(Default)]
pub(crate) struct Upload {
    path: Mutex<Option<PathBuf>>,
    arrived: AtomicU64,
    total: AtomicU64,
}

impl Upload {
    pub(crate) fn report(&self, report: Report) {
        if report.phase == Phase::Sending {
            self.arrived.store(report.done_bytes, Ordering::Relaxed);
            self.total.store(report.total_bytes, Ordering::Relaxed);
        }
    }

    pub(crate) fn is_kept_in(&self, path: &Path) {
        *self.path.lock().unwrap_or_else(PoisonError::into_inner) = Some(path.to_owned());
    }

    /// What is kept of it; nothing, once it has ended.
    pub(crate) fn look(&self) -> Option<KeptBytes> {
        let path = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        let is_kept = path.as_ref().is_some_and(|it| it.exists());
        is_kept.then(|| KeptBytes {
            there: self.arrived.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(failure: Failure, kept: Option<u64>) -> String {
        let going_on = GoingOn::default();
        let total = 2_000_000;
        going_on.watch(Afresh::No, move || {
            kept.map(|there| KeptBytes { there, total })
        });
        going_on.told(failure).hint
    }

    #[test]
    fn what_is_kept_stands_behind_what_helps() {
        let broken = || Failure::broken("UNREACHABLE", "cannot connect", "check it");
        assert_eq!(
            told(broken(), Some(500_000)),
            "check it; 500.0 kB of 2.0 MB are kept, and the same command goes on there"
        );
        for nothing in [None, Some(0)] {
            assert_eq!(told(broken(), nothing), "check it");
            assert_eq!(
                told(Failure::interrupted(), nothing),
                "nothing is kept; the same command begins anew"
            );
        }
    }

    #[test]
    fn what_is_refused_is_not_said_to_go_on() {
        let refused = Failure::refused("ALREADY_RECEIVING", "it is", "wait");
        assert_eq!(told(refused, Some(500_000)), "wait");
        let other = GoingOn::default().told(Failure::interrupted());
        assert_eq!(other.hint, "run it again");
    }
}
