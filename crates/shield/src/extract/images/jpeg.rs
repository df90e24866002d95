//! JPEG, ITU-T T.81, with JFIF and EXIF.

use std::io::{self, BufRead};

use super::super::compressed::packed::Packed;
use super::notes::{MOST, note, profile, step, xmp};
use super::{behind, iptc, tiff};
use crate::budget::Step;
use crate::walk::Walk;

/// What comes in more than one segment.
#[derive(Default)]
struct Joined {
    xmp: Vec<u8>,
    profile: Vec<u8>,
}

pub(super) fn look(walk: &mut Walk<'_>, from: &mut Packed<'_>) -> io::Result<Step> {
    let mut joined = Joined::default();
    from.skip(2)?;
    loop {
        step!(walk.budget.work(64));
        match marker(from)? {
            // Cameras put smaller pictures behind the large one, in no other way than they put this.
            0xD9 if from.peek(3)? == b"\xFF\xD8\xFF" => {}
            0xD9 => break,
            0x01 | 0xD0..=0xD8 => {}
            kind => {
                let length = u64::from(u16::from_be_bytes(from.exactly()?)).saturating_sub(2);
                let data = from.some(length, length)?;
                step!(segment(walk, kind, &data, &mut joined));
            }
        }
    }
    step!(profile(walk, "ICC profile", &joined.profile));
    if !joined.xmp.is_empty() {
        step!(xmp(walk, "extended XMP", &joined.xmp));
    }
    behind(walk, from)
}

/// The next marker: what stands before it is the picture.
fn marker(from: &mut Packed<'_>) -> io::Result<u8> {
    loop {
        let ahead = from.fill_buf()?;
        if ahead.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(at) = memchr::memchr(0xFF, ahead) else {
            let length = ahead.len();
            from.consume(length);
            continue;
        };
        from.consume(at + 1);
        let [mut kind] = from.exactly()?;
        while kind == 0xFF {
            [kind] = from.exactly()?;
        }
        if !matches!(kind, 0 | 0xD0..=0xD7) {
            return Ok(kind);
        }
    }
}

const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const MORE_XMP: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";

fn segment(walk: &mut Walk<'_>, kind: u8, data: &[u8], joined: &mut Joined) -> Step {
    let join = |to: &mut Vec<u8>, more: Option<&[u8]>| {
        if to.len() as u64 <= MOST {
            to.extend(more.unwrap_or_default());
        }
        Ok(())
    };
    match (kind, data) {
        (0xFE, _) => note(walk, "comment", data),
        (0xE1, [b'E', b'x', b'i', b'f', 0, _, rest @ ..]) => tiff::exif(walk, rest),
        (0xE1, _) if data.starts_with(XMP) => xmp(walk, "XMP", &data[XMP.len()..]),
        // An identity, a length, a place, and then what comes.
        (0xE1, _) if data.starts_with(MORE_XMP) => {
            join(&mut joined.xmp, data.get(MORE_XMP.len() + 40..))
        }
        (0xE2, _) if data.starts_with(b"ICC_PROFILE\0") => {
            join(&mut joined.profile, data.get(14..))
        }
        (0xED, _) if data.starts_with(b"Photoshop 3.0\0") => iptc::resources(walk, &data[14..]),
        (0xE0..=0xEF, _) => note(walk, &format!("APP{}", kind & 15), data),
        _ => Ok(()),
    }
}
