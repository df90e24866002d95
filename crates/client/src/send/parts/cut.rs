//! Sealing on a thread of its own, and cutting what comes out into parts.
//!
//! Parts lie in a few buffers, as many as are sent at once: when all are on their way it waits for one,
//! so memory does not grow with the files. What a part is sealed to is on disk before it leaves.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::Sources;
use super::super::kept::Kept;
use super::super::plan::{Making, Object, Out, Plan};
use super::super::source::changed;
use super::calls::Standing;
use crate::error::{Error, Result};
use crate::progress::{Phase, Watcher};

/// A part that is to be sent.
pub(super) struct Job {
    pub(super) at: (usize, u32),
    pub(super) bytes: Bytes,
}

/// Why the sealing thread ended before the last file's end.
pub(super) enum Cut {
    /// The upload is over, whatever became of it.
    Cancelled,
    /// A part is not what it was when it was sent first.
    OtherVersion(Error),
    Failed(Error),
}

impl From<Error> for Cut {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Seals, and cuts.
pub(super) struct Cutter {
    pub(super) kept: Arc<Kept>,
    pub(super) plan: Arc<Plan>,
    pub(super) sources: Sources,
    pub(super) standing: Arc<Standing>,
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) buffers: Buffers,
    pub(super) stop: CancellationToken,
    pub(super) runtime: Handle,
    pub(super) watcher: Watcher,
}

/// Where it is.
#[derive(Default)]
struct At {
    file: usize,
    part: u32,
    buffer: Option<Vec<u8>>,
    /// Bytes that were passed over, as long as nothing else was found.
    passed_bytes: Option<u64>,
}

impl Cutter {
    pub(super) fn run(mut self) -> Result<(), Cut> {
        let (plan, sources) = (Arc::clone(&self.plan), Arc::clone(&self.sources));
        let mut sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at = At {
            passed_bytes: Some(0),
            ..At::default()
        };
        let cut = plan.run(&mut sources, |out| self.take(&mut at, out));
        match cut {
            Err(Cut::OtherVersion(_)) => {
                let ready = plan.objects.iter().take(at.file);
                let is_of_none =
                    |it: &&Object| matches!(it.making, Making::Ready(_) | Making::Last);
                let ready = ready.filter(is_of_none);
                let source = sources.get(at.file - ready.count());
                let error = source.map(|it| changed(&it.path));
                Err(Cut::OtherVersion(error.unwrap_or_else(differs)))
            }
            cut => cut,
        }
    }

    fn take(&mut self, at: &mut At, out: Out) -> Result<(), Cut> {
        match out {
            Out::Begin(file) => {
                (at.file, at.part) = (file, 1);
                Ok(())
            }
            Out::Bytes(mut bytes, _) => {
                let part_bytes = usize::try_from(self.kept.head.part_bytes).unwrap_or(usize::MAX);
                while !bytes.is_empty() {
                    let mut buffer = match at.buffer.take() {
                        Some(buffer) => buffer,
                        None => self.buffer(part_bytes)?,
                    };
                    let room = part_bytes.saturating_sub(buffer.len());
                    buffer.extend_from_slice(&bytes.split_to(bytes.len().min(room)));
                    if buffer.len() < part_bytes {
                        at.buffer = Some(buffer);
                    } else {
                        self.end_part(at, buffer)?;
                    }
                }
                Ok(())
            }
            Out::End => match at.buffer.take() {
                Some(buffer) if !buffer.is_empty() => self.end_part(at, buffer),
                // The room that a part had which is there: behind the last part there is no other.
                room => {
                    at.buffer = room;
                    Ok(())
                }
            },
        }
    }

    fn end_part(&self, at: &mut At, mut buffer: Vec<u8>) -> Result<(), Cut> {
        let (file, part) = (at.file, at.part);
        at.part += 1;
        // An envelope that is made last has another salt and other keys each time: none is used twice.
        if !self.kept.head.is_made_last(file) {
            let mac = self.kept.mac(file, part, &buffer)?;
            match self.kept.known_mac(file, part) {
                Some(before) if before != mac => return Err(Cut::OtherVersion(differs())),
                Some(_) => {}
                None => self.kept.write_sending(file, part, &mac)?,
            }
        }
        if self.standing.there.contains(&(file, part)) {
            if let Some(passed) = &mut at.passed_bytes {
                *passed += buffer.len() as u64;
                self.watcher
                    .report(Phase::Reading, *passed, self.plan.sealed_bytes());
            }
            buffer.clear();
            at.buffer = Some(buffer);
            return Ok(());
        }
        at.passed_bytes = None;
        let job = Job {
            at: (file, part),
            bytes: Bytes::from_owner(self.buffers.lend(buffer)),
        };
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => Err(Cut::Cancelled),
                sent = self.jobs.send(job) => sent.map_err(|_| Cut::Cancelled),
            }
        })
    }

    fn buffer(&mut self, part_bytes: usize) -> Result<Vec<u8>, Cut> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => Err(Cut::Cancelled),
                buffer = self.buffers.take(part_bytes) => Ok(buffer),
            }
        })
    }
}

fn differs() -> Error {
    Error::Answer("a file is not what it was".to_owned())
}

/// A few buffers, which go round.
pub(super) struct Buffers {
    unmade: usize,
    back: mpsc::UnboundedReceiver<Vec<u8>>,
    give_back: mpsc::UnboundedSender<Vec<u8>>,
}

impl Buffers {
    pub(super) fn new(count: usize) -> Self {
        let (give_back, back) = mpsc::unbounded_channel();
        Self {
            unmade: count,
            back,
            give_back,
        }
    }

    async fn take(&mut self, bytes: usize) -> Vec<u8> {
        if self.unmade > 0 {
            self.unmade -= 1;
            return Vec::with_capacity(bytes);
        }
        // It does not close: this holds its other end.
        self.back.recv().await.unwrap_or_default()
    }

    fn lend(&self, buffer: Vec<u8>) -> Lent {
        Lent {
            buffer,
            give_back: self.give_back.clone(),
        }
    }
}

/// A buffer that goes back when nobody needs its bytes any more.
struct Lent {
    buffer: Vec<u8>,
    give_back: mpsc::UnboundedSender<Vec<u8>>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        self.give_back.send(buffer).ok();
    }
}
