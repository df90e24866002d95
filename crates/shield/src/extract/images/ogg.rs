//! Ogg, RFC 3533, with Vorbis, Opus, FLAC or Speex inside.

use std::collections::HashMap;
use std::io;

use super::super::compressed::packed::Packed;
use super::flac;
use super::notes::{MOST, step};
use crate::budget::Step;
use crate::walk::Walk;

/// Streams side by side, and packets of one, in which notes are looked for.
const STREAMS: usize = 16;
const PACKETS: usize = 4;

pub(super) fn look(walk: &mut Walk<'_>, from: &mut Packed<'_>) -> io::Result<Step> {
    // What came of the packet of each stream, and how many were before it.
    let mut streams: HashMap<u32, (Vec<u8>, usize)> = HashMap::new();
    while !from.peek(1)?.is_empty() {
        step!(walk.budget.work(64));
        let head: [u8; 27] = from.exactly()?;
        if !head.starts_with(b"OggS") {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let lengths = from.some(u64::from(head[26]), 255)?;
        let stream = u32::from_le_bytes([head[14], head[15], head[16], head[17]]);
        let page: u64 = lengths.iter().map(|it| u64::from(*it)).sum();
        if streams.len() >= STREAMS && !streams.contains_key(&stream) {
            from.skip(page)?;
            continue;
        }
        let (packet, count) = streams.entry(stream).or_default();
        if *count >= PACKETS {
            from.skip(page)?;
            continue;
        }
        for length in lengths {
            let part = from.some(u64::from(length), 255)?;
            if (packet.len() as u64) < MOST {
                packet.extend(part);
            }
            if length < 255 {
                step!(notes(walk, &std::mem::take(packet)));
                *count += 1;
            }
        }
    }
    Ok(Ok(()))
}

fn notes(walk: &mut Walk<'_>, packet: &[u8]) -> Step {
    let heads: [&[u8]; 4] = [b"\x03vorbis", b"OpusTags", b"\x81theora", b"\x04"];
    let notes = match heads.into_iter().find(|it| packet.starts_with(it)) {
        // A block of FLAC says how long it is.
        Some(b"\x04") => packet.get(4..),
        Some(head) => packet.get(head.len()..),
        None => None,
    };
    flac::comments(walk, notes.unwrap_or_default())
}
