//! Sending parts, a few at once, each until it was acknowledged.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::try_join_all;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, mpsc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::super::notice::Anew;
use super::calls::Standing;
use super::cut::{Buffers, Cut, Cutter, Job};
use super::{PART_BYTES, Stop, Upload};
use crate::error::{Error, Result, SendProblem, TransportProblem};
use crate::progress::Phase;
use crate::transport::pause_of_part;

/// So often a connection breaks by itself.
const TRIES_BEFORE_LOOK: u32 = 2;

impl Upload<'_> {
    /// Seals everything once, and sends what is not there.
    pub(super) async fn pass(&self, standing: Standing) -> Result<(), Stop> {
        let parallel = self.parallel();
        let standing = Arc::new(standing);
        let (jobs, waiting) = mpsc::channel(parallel);
        // Whichever way this ends, also by being dropped, the sealing thread ends too.
        let stop = CancellationToken::new();
        let _stop_with_us = stop.clone().drop_guard();
        let cutter = Cutter {
            kept: Arc::clone(&self.kept),
            plan: Arc::clone(&self.plan),
            sources: Arc::clone(&self.sources),
            standing: Arc::clone(&standing),
            jobs,
            buffers: Buffers::new(parallel),
            stop: stop.clone(),
            runtime: Handle::current(),
            watcher: self.outgoing.watcher.clone(),
        };
        let cutting = tokio::task::spawn_blocking(move || cutter.run());
        let waiting = Mutex::new(waiting);
        let sending = (0..parallel).map(|_| self.put_parts(&waiting, &standing));
        let sent = try_join_all(sending).await;
        if sent.is_err() {
            stop.cancel();
        }
        let cut = cutting.await.expect("sealing does not panic");
        match (cut, sent) {
            (Err(Cut::OtherVersion(error)), _) => Err(Stop::Over(Anew::FilesChanged, error)),
            (Err(Cut::Failed(error)), _) if is_changed(&error) => {
                Err(Stop::Over(Anew::FilesChanged, error))
            }
            (Err(Cut::Failed(error)), _) => Err(Stop::Failed(error)),
            (_, Err(stop)) => Err(stop),
            (Err(Cut::Cancelled), Ok(_)) => {
                let nobody = Error::Answer("sealing ended before the last file".to_owned());
                Err(Stop::Failed(nobody))
            }
            (Ok(()), Ok(_)) => Ok(()),
        }
    }

    /// How many parts are in memory: of larger ones fewer.
    fn parallel(&self) -> usize {
        let room = self.outgoing.parallel as u64 * PART_BYTES;
        let parts = room / self.kept.head.part_bytes;
        usize::try_from(parts).unwrap_or(1).max(1)
    }

    async fn put_parts(
        &self,
        waiting: &Mutex<mpsc::Receiver<Job>>,
        standing: &Standing,
    ) -> Result<(), Stop> {
        loop {
            let job = waiting.lock().await.recv().await;
            let Some(job) = job else {
                return Ok(());
            };
            let tag = self.put(&job, standing).await?;
            let (file, part) = job.at;
            self.kept.write_acknowledged(file, part, &tag)?;
            let (bytes, done) = (job.bytes.len() as u64, &self.progress);
            let sent_bytes = done.sent_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
            self.report(sent_bytes);
        }
    }

    pub(super) fn report(&self, sent_bytes: u64) {
        let there_bytes = self.progress.there_bytes.load(Ordering::Relaxed);
        let (done, total) = (there_bytes + sent_bytes, self.plan.sealed_bytes());
        let watcher = &self.outgoing.watcher;
        watcher.report_resumed(Phase::Sending, done, total, there_bytes);
    }

    /// Whether it still comes. A server that cannot be asked now may be there for the next try.
    async fn look_again(&self) -> Result<(), Stop> {
        let Some(announced) = self.kept.announced() else {
            return Ok(());
        };
        match self.look(announced.transfer).await {
            Err(Stop::Over(why, error)) => Err(Stop::Over(why, error)),
            _ => Ok(()),
        }
    }

    async fn put(&self, job: &Job, standing: &Standing) -> Result<String, Stop> {
        let url = self.part_url(standing, job.at)?;
        for tries in 1.. {
            let error = match self.client.transport().put(&url, &job.bytes).await {
                Ok(tag) => return Ok(tag),
                Err(error) => error,
            };
            let broke_off =
                matches!(&error, Error::Transport(it) if it.problem == TransportProblem::BrokenOff);
            if broke_off && tries == TRIES_BEFORE_LOOK {
                // Who refuses before all was sent is not heard: it may be refused for good.
                self.look_again().await?;
            }
            if let Some(pause) = pause_of_part(&error, tries) {
                sleep(pause).await;
                continue;
            }
            return Err(match &error {
                _ if broke_off => Stop::AddressesOver(error),
                Error::Api(it) if it.is_of_api() && matches!(it.status, 404 | 409 | 410) => {
                    match self.kept.announced() {
                        Some(it) => Stop::Over(Anew::Gone, Error::UploadEnded(it.transfer)),
                        None => Stop::Failed(error),
                    }
                }
                // A bucket says so, or whatever is in between: the server knows where it stands.
                Error::Api(it) if matches!(it.status, 403 | 404 | 409 | 410) => {
                    Stop::AddressesOver(error)
                }
                _ => Stop::Failed(error),
            });
        }
        unreachable!("the last try ends the loop")
    }
}

/// Whether a file changed while it was read: what was sent of it belongs to nothing that there is.
const fn is_changed(error: &Error) -> bool {
    matches!(
        error,
        Error::Send {
            problem: SendProblem::Changed,
            ..
        }
    )
}
