//! Files that are sealed in chunks behind an envelope, which holds their digests: read ahead of being
//! sent, where it goes first, and else announced as long as they will be.

use std::sync::{Arc, PoisonError};

use agentdrop_protocol::FileName;
use agentdrop_protocol::text::ContentType;
use agentdrop_seal::SealError;
use agentdrop_seal::native::{File, FileKeys, FileSalt, Sealed, Unsealed, sealed_len};
use tokio_util::sync::CancellationToken;

use super::plan::{Making, Object};
use super::source::{PIECE_BYTES, Source};
use super::{Outgoing, Sources};
use crate::error::Result;
use crate::progress::{Phase, Watcher};
use crate::receive::FOLDER;

/// What object 0 is called.
const ENVELOPE: &str = agentdrop_seal::native::ENVELOPE;

/// Reads the files, makes the envelope of what they come to, and answers what is to be sent. The server
/// learns numbers in the place of names.
pub(super) async fn objects(
    keys: FileKeys,
    outgoing: &Outgoing,
    sources: &Sources,
    envelope: impl FnOnce(Vec<File>) -> Result<Vec<u8>> + Send + 'static,
) -> Result<Vec<Object>> {
    let stop = CancellationToken::new();
    let _stop_with_us = stop.clone().drop_guard();
    let (watcher, sources) = (outgoing.watcher.clone(), Arc::clone(sources));
    let reading = tokio::task::spawn_blocking(move || {
        let mut sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = Reading {
            keys: &keys,
            watcher: &watcher,
            stop: &stop,
            total_bytes: sources.iter().map(|it| it.bytes).sum(),
        };
        let (mut objects, files) = reading.objects(&mut sources)?;
        let envelope = envelope(files)?;
        objects.insert(
            0,
            Object {
                name: ENVELOPE.parse().expect("a word is a name"),
                sealed_bytes: envelope.len() as u64,
                making: Making::Ready(envelope.into()),
            },
        );
        Ok(objects)
    });
    reading.await.expect("reading does not panic")
}

/// The same without reading them: the envelope is made when they were sealed and sent, of as many bytes
/// as `envelope` says, and goes last.
pub(super) fn objects_ahead(
    sources: &[Source],
    envelope: impl FnOnce(Vec<Unsealed>) -> Result<u64>,
) -> Result<Vec<Object>> {
    let files = sources.iter().map(|it| Unsealed {
        name: it.name.clone(),
        content_type: content_type(it),
        size: it.bytes,
    });
    let mut objects = vec![Object {
        name: ENVELOPE.parse().expect("a word is a name"),
        sealed_bytes: envelope(files.collect())?,
        making: Making::Last,
    }];
    for (i, source) in (1..).zip(sources) {
        let i: u32 = i;
        objects.push(Object {
            name: i.to_string().parse().expect("a number is a name"),
            sealed_bytes: sealed_len(source.bytes).ok_or(SealError::TooLong)?,
            // With it this file is sealed, and whatever differs from what left of it never is.
            making: Making::Chunks {
                salt: FileSalt::generate()?,
                expected: None,
            },
        });
    }
    Ok(objects)
}

/// Folders are packed, and the server does not learn which of the files they are.
fn content_type(source: &Source) -> ContentType {
    if source.is_folder() {
        return FOLDER.parse().expect("it is a media type");
    }
    ContentType::octet_stream()
}

struct Reading<'a> {
    keys: &'a FileKeys,
    watcher: &'a Watcher,
    stop: &'a CancellationToken,
    total_bytes: u64,
}

impl Reading<'_> {
    fn objects(&self, sources: &mut [Source]) -> Result<(Vec<Object>, Vec<File>)> {
        let (mut objects, mut files) = (Vec::new(), Vec::new());
        let mut done_bytes = 0;
        for (i, source) in (1..).zip(sources) {
            let salt = FileSalt::generate()?;
            let expected = self.measure(i, source, &mut done_bytes)?;
            files.push(File {
                name: source.name.clone(),
                content_type: content_type(source),
                size: expected.size,
                sealed_size: expected.sealed_size,
                digest: expected.digest,
            });
            let name: FileName = i.to_string().parse().expect("a number is a name");
            // What is sent is what was read, or nothing: so the salt is used for one text alone.
            objects.push(Object {
                name,
                sealed_bytes: expected.sealed_size,
                making: Making::Chunks {
                    salt,
                    expected: Some(expected),
                },
            });
        }
        Ok((objects, files))
    }

    /// Reads a file, and answers what it comes to when it is sealed.
    fn measure(&self, i: u32, source: &mut Source, done_bytes: &mut u64) -> Result<Sealed> {
        let mut measuring = self.keys.measuring(i);
        source.rewind()?;
        let (mut left, mut piece) = (source.bytes, vec![0; PIECE_BYTES]);
        while left > 0 && !self.stop.is_cancelled() {
            let len = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
            piece.truncate(len);
            source.read_whole(&mut piece)?;
            measuring.update(&piece);
            left -= len as u64;
            *done_bytes += len as u64;
            self.watcher
                .report(Phase::Reading, *done_bytes, self.total_bytes);
        }
        source.expect_end()?;
        source.rewind()?;
        Ok(measuring.finish()?)
    }
}
