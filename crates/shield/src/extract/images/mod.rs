//! What is noted in pictures and recordings, and what stands behind their ends. No picture is decoded.

mod flac;
mod gif;
mod iptc;
mod jpeg;
mod matroska;
mod mp3;
mod mp4;
mod notes;
mod ogg;
mod png;
mod riff;
mod tiff;

use std::io::{self, SeekFrom};

use super::compressed::packed::Packed;
use crate::budget::Step;
use crate::walk::{Input, Walk};

/// Reads a picture or a recording; what it cannot read ends it.
type Look = fn(&mut Walk<'_>, &mut Packed<'_>) -> io::Result<Step>;

pub(super) fn gif(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    look(walk, input, gif::look)
}

pub(super) fn jpeg(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    look(walk, input, jpeg::look)
}

pub(super) fn png(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    look(walk, input, png::look)
}

pub(super) fn riff(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    look(walk, input, riff::look)
}

pub(super) fn tiff(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    tiff::look(walk, &mut *input.source)
}

/// Sound and film, by how they begin.
pub(super) fn media(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    let mut head = [0; 12];
    input.source.read_exact(&mut head).ok();
    input.source.seek(SeekFrom::Start(0)).ok();
    match head {
        [b'R', b'I', b'F', b'F', ..] => look(walk, input, riff::look),
        [b'O', b'g', b'g', b'S', ..] => look(walk, input, ogg::look),
        [b'f', b'L', b'a', b'C', ..] => look(walk, input, flac::look),
        [0x1A, 0x45, 0xDF, 0xA3, ..] => look(walk, input, matroska::look),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => look(walk, input, mp4::look),
        _ => {
            look(walk, input, mp3::look)?;
            mp3::end(walk, input)
        }
    }
}

fn look(walk: &mut Walk<'_>, input: &mut Input<'_>, look: Look) -> Step {
    let mut packed = Packed::new(walk.budget.counted(&mut *input.source));
    let looked = look(walk, &mut packed);
    walk.budget.work(0)?;
    walk.read(looked).unwrap_or(Ok(()))
}

/// Looks at what stands behind the end.
pub(super) fn behind(walk: &mut Walk<'_>, from: &mut Packed<'_>) -> io::Result<Step> {
    // Zeros are there to fill a block.
    loop {
        let ahead = from.peek(4096)?;
        if ahead.is_empty() {
            return Ok(Ok(()));
        }
        if ahead.iter().any(|it| *it != 0) {
            return Ok(walk.look_into("(behind the end)", from));
        }
        let zeros = ahead.len() as u64;
        from.skip(zeros)?;
    }
}
