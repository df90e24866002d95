//! What agencies note in pictures: IPTC-IIM, among the resources of Photoshop.

use super::notes::note;
use crate::budget::Step;
use crate::walk::Walk;

/// All resources.
pub(super) fn resources(walk: &mut Walk<'_>, mut bytes: &[u8]) -> Step {
    while let [b'8', b'B', b'I', b'M', a, b, length, rest @ ..] = bytes {
        let id = u16::from_be_bytes([*a, *b]);
        // A name of an even length, with its own.
        let name = usize::from(*length) | 1;
        let Some([a, b, c, d, rest @ ..]) = rest.get(name..) else {
            break;
        };
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let data = &rest[..length.min(rest.len())];
        match id {
            0x0404 => records(walk, data)?,
            _ => note(walk, &format!("Photoshop {id:#06x}"), data)?,
        }
        bytes = rest.get(length.next_multiple_of(2)..).unwrap_or_default();
    }
    Ok(())
}

/// All records of one resource.
pub(super) fn records(walk: &mut Walk<'_>, mut bytes: &[u8]) -> Step {
    while let [0x1C, set, record, a, b, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*a, *b]));
        let data = &rest[..length.min(rest.len())];
        note(walk, &format!("IPTC {set}:{record}"), data)?;
        bytes = rest.get(length..).unwrap_or_default();
    }
    Ok(())
}
