//! Sealing while uploading: one thread reads, seals in place and hands on a few pieces ahead of the
//! network.

use std::io::{self, ErrorKind};
use std::sync::PoisonError;

use agentdrop_protocol::wire::transfers::Transfer;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Sources;
use super::plan::{Out, Plan};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::multipart::{Form, PART_END};
use crate::progress::{Phase, Watcher};
use crate::transport::Pulse;

/// Pieces that may wait for the network.
const PIECES_AHEAD: usize = 4;

impl Client {
    /// Sends a form, with its files sealed as they go.
    pub(super) async fn upload(
        &self,
        plan: Plan,
        sources: Sources,
        watcher: Watcher,
    ) -> Result<Transfer> {
        let mut form = Form::new()?;
        for (name, value) in &plan.said.0 {
            form.field(name, value);
        }
        for object in &plan.objects {
            form.file(&object.name, object.sealed_bytes);
        }
        let (content_type, length) = (form.content_type(), form.length());
        let (sink, pieces) = mpsc::channel(PIECES_AHEAD);
        // Whichever way this ends, also by being dropped, the sealing thread ends too.
        let stop = CancellationToken::new();
        let _stop_with_us = stop.clone().drop_guard();
        let pulse = Pulse::default();
        let pump = Pump {
            sink,
            stop: stop.clone(),
            runtime: Handle::current(),
        };
        let pumping =
            tokio::task::spawn_blocking(move || pump.run(form, &plan, &sources, &watcher));

        let beat = pulse.clone();
        let body = futures_util::stream::unfold(pieces, move |mut pieces| {
            beat.beat();
            async move { Some((pieces.recv().await?, pieces)) }
        });
        let url = self.transport().server.endpoint(&["transfers"]);
        let body = reqwest::Body::wrap_stream(body);
        let sent = self
            .transport()
            .upload(url, &content_type, length, body, &pulse)
            .await;
        let Err(error) = sent else { return sent };
        stop.cancel();
        // What went wrong here is why it went wrong there.
        match pumping.await {
            Ok(Err(Stopped::Failed(cause))) => Err(cause),
            _ => Err(error),
        }
    }
}

/// Why the sealing thread ended before the last file's end.
pub(super) enum Stopped {
    /// The upload is over, whatever became of it.
    Cancelled,
    /// It could not go on.
    Failed(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Seals on a thread of its own, and hands what it sealed to the network.
struct Pump {
    sink: mpsc::Sender<io::Result<Bytes>>,
    stop: CancellationToken,
    runtime: Handle,
}

impl Pump {
    fn run(
        self,
        form: Form,
        plan: &Plan,
        sources: &Sources,
        watcher: &Watcher,
    ) -> Result<(), Stopped> {
        let pumped = self.pump(form, plan, sources, watcher);
        if matches!(pumped, Err(Stopped::Failed(_))) {
            // The body must not seem to be complete.
            let broken = io::Error::new(ErrorKind::InvalidData, "sealing failed");
            self.hand_on(Err(broken)).ok();
        }
        pumped
    }

    fn pump(
        &self,
        form: Form,
        plan: &Plan,
        sources: &Sources,
        watcher: &Watcher,
    ) -> Result<(), Stopped> {
        let mut sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
        let total_bytes = sources.iter().map(|it| it.bytes).sum();
        let mut done_bytes = 0;
        watcher.report(Phase::Sending, done_bytes, total_bytes);
        let (fields, heads, end) = form.into_parts();
        self.hand_on(Ok(fields))?;
        let mut heads = heads.into_iter();
        plan.run(&mut sources, |out| match out {
            Out::Begin(_) => self.hand_on(Ok(heads.next().unwrap_or_default())),
            Out::Bytes(bytes, of_file) => {
                self.hand_on(Ok(bytes))?;
                done_bytes += of_file;
                if of_file > 0 {
                    watcher.report(Phase::Sending, done_bytes, total_bytes);
                }
                Ok(())
            }
            Out::End => self.hand_on(Ok(PART_END)),
        })?;
        self.hand_on(Ok(end))
    }

    fn hand_on(&self, piece: io::Result<Bytes>) -> Result<(), Stopped> {
        if piece.as_ref().is_ok_and(Bytes::is_empty) {
            return Ok(());
        }
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => Err(Stopped::Cancelled),
                sent = self.sink.send(piece) => sent.map_err(|_| Stopped::Cancelled),
            }
        })
    }
}
