//! Sealing while uploading: one thread reads, seals in place and hands on a few pieces ahead of the
//! network.

use std::io::{self, ErrorKind};

use agentdrop_protocol::wire::transfers::Transfer;
use agentdrop_seal::{FileSealer, SealError, TAG_BYTES, person};
use bytes::{Bytes, BytesMut};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::source::{PIECE_BYTES, Source, changed, expect_end, read_whole};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::multipart::{Form, PART_END};
use crate::progress::{Phase, Watcher};
use crate::transport::Pulse;

/// Pieces that may wait for the network.
const PIECES_AHEAD: usize = 4;

/// What stands in a form behind the head of a file.
pub(super) enum Part {
    /// These bytes.
    Bytes(Bytes),
    /// A file, sealed as it goes.
    File(Source, Sealer),
}

/// How a file is sealed.
pub(super) enum Sealer {
    /// In chunks, as when it was read for the first time: its digest went ahead.
    Chunks {
        sealer: Box<person::FileSealer>,
        begin: Vec<u8>,
        expected: person::Sealed,
    },
    /// As one message.
    Message(FileSealer),
    /// Not at all: its sender said that the server may read it.
    Plain,
}

impl Part {
    /// How many bytes it has on its way.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(source, sealer) => match sealer {
                Sealer::Chunks { expected, .. } => expected.sealed_size,
                Sealer::Message(_) => source.bytes + TAG_BYTES as u64,
                Sealer::Plain => source.bytes,
            },
        }
    }

    /// How many bytes of somebody's file it has.
    fn content_bytes(&self) -> u64 {
        match self {
            Self::Bytes(_) => 0,
            Self::File(source, _) => source.bytes,
        }
    }
}

impl Sealer {
    fn begin(&mut self) -> Bytes {
        match self {
            Self::Chunks { begin, .. } => std::mem::take(begin).into(),
            Self::Message(_) | Self::Plain => Bytes::new(),
        }
    }

    fn update(&mut self, mut piece: BytesMut) -> Result<Bytes, SealError> {
        match self {
            Self::Chunks { sealer, .. } => {
                let mut sealed = Vec::new();
                sealer.update(&piece, &mut sealed)?;
                return Ok(sealed.into());
            }
            Self::Message(sealer) => sealer.update(&mut piece)?,
            Self::Plain => {}
        }
        Ok(piece.freeze())
    }

    /// What stands at its end; nothing, if it is another file than it was.
    fn finish(self) -> Result<Option<Bytes>, SealError> {
        Ok(match self {
            Self::Chunks {
                sealer, expected, ..
            } => {
                let mut end = Vec::new();
                let sealed = sealer.finish(&mut end)?;
                (sealed == expected).then(|| end.into())
            }
            Self::Message(sealer) => Some(Bytes::copy_from_slice(&sealer.finish()?)),
            Self::Plain => Some(Bytes::new()),
        })
    }
}

impl Client {
    /// Sends the form, with its files sealed as they go.
    pub(super) async fn upload(
        &self,
        form: Form,
        parts: Vec<Part>,
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
        let pumping = tokio::task::spawn_blocking(move || pump.run(form, parts, &watcher));

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
    fn run(self, form: Form, parts: Vec<Part>, watcher: &Watcher) -> Result<(), Stopped> {
        let pumped = self.pump(form, parts, watcher);
        if matches!(pumped, Err(Stopped::Failed(_))) {
            // The body must not seem to be complete.
            let broken = io::Error::new(ErrorKind::InvalidData, "sealing failed");
            self.hand_on(Err(broken)).ok();
        }
        pumped
    }

    fn pump(&self, form: Form, parts: Vec<Part>, watcher: &Watcher) -> Result<(), Stopped> {
        let total_bytes = parts.iter().map(Part::content_bytes).sum();
        let mut done_bytes = 0;
        watcher.report(Phase::Sending, done_bytes, total_bytes);
        let (fields, heads, end) = form.into_parts();
        self.hand_on(Ok(fields))?;
        for (head, part) in heads.into_iter().zip(parts) {
            self.hand_on(Ok(head))?;
            match part {
                Part::Bytes(bytes) => self.hand_on(Ok(bytes))?,
                Part::File(mut source, mut sealer) => {
                    self.hand_on(Ok(sealer.begin()))?;
                    let mut left = source.bytes;
                    while left > 0 {
                        let len =
                            usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
                        let mut piece = BytesMut::zeroed(len);
                        read_whole(&mut source.file, &mut piece, &source.path)?;
                        self.hand_on(Ok(sealer.update(piece).map_err(Error::from)?))?;
                        left -= len as u64;
                        done_bytes += len as u64;
                        watcher.report(Phase::Sending, done_bytes, total_bytes);
                    }
                    expect_end(&mut source.file, &source.path)?;
                    let end = sealer.finish().map_err(Error::from)?;
                    self.hand_on(Ok(end.ok_or_else(|| changed(&source.path))?))?;
                }
            }
            self.hand_on(Ok(PART_END))?;
        }
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
