//! Sealing while uploading: one thread reads, seals in place and hands on a few pieces ahead of the
//! network.

use std::io::{self, ErrorKind};

use agentdrop_protocol::wire::transfers::Transfer;
use agentdrop_seal::FileSealer;
use bytes::{Bytes, BytesMut};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::source::{Source, expect_end, read_whole};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::multipart::{Form, PART_END};
use crate::progress::{Phase, Watcher};
use crate::transport::Pulse;

/// A piece of a file on its way: large enough that switching threads costs nothing.
const PIECE_BYTES: usize = 256 * 1024;
/// Pieces that may wait for the network.
const PIECES_AHEAD: usize = 4;

impl Client {
    /// Sends the form, with its files sealed as they go.
    pub(super) async fn upload(
        &self,
        form: Form,
        files: Vec<(Source, FileSealer)>,
        watcher: Watcher,
    ) -> Result<Transfer> {
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
        let pumping = tokio::task::spawn_blocking(move || pump.run(form, files, &watcher));

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
enum Stopped {
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
        files: Vec<(Source, FileSealer)>,
        watcher: &Watcher,
    ) -> Result<(), Stopped> {
        let pumped = self.pump(form, files, watcher);
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
        files: Vec<(Source, FileSealer)>,
        watcher: &Watcher,
    ) -> Result<(), Stopped> {
        let total_bytes = files.iter().map(|(source, _)| source.bytes).sum();
        let mut done_bytes = 0;
        watcher.report(Phase::Sending, done_bytes, total_bytes);
        let (fields, heads, end) = form.into_parts();
        self.hand_on(Ok(fields))?;
        for (head, (mut source, mut sealer)) in heads.into_iter().zip(files) {
            self.hand_on(Ok(head))?;
            let mut left = source.bytes;
            while left > 0 {
                let len = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
                let mut piece = BytesMut::zeroed(len);
                read_whole(&mut source.file, &mut piece, &source.path)?;
                sealer.update(&mut piece).map_err(Error::from)?;
                self.hand_on(Ok(piece.freeze()))?;
                left -= len as u64;
                done_bytes += len as u64;
                watcher.report(Phase::Sending, done_bytes, total_bytes);
            }
            expect_end(&mut source.file, &source.path)?;
            let tag = sealer.finish().map_err(Error::from)?;
            self.hand_on(Ok(Bytes::copy_from_slice(&tag)))?;
            self.hand_on(Ok(PART_END))?;
        }
        self.hand_on(Ok(end))
    }

    fn hand_on(&self, piece: io::Result<Bytes>) -> Result<(), Stopped> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => Err(Stopped::Cancelled),
                sent = self.sink.send(piece) => sent.map_err(|_| Stopped::Cancelled),
            }
        })
    }
}
