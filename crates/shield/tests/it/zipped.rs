//! Zip archives, written by hand: programs do not write the bad ones.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;

/// A file in a zip archive. What is not set is as it should be.
#[derive(Clone, Default)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    /// Another name in the header in front of the file.
    pub(crate) local_name: Option<Vec<u8>>,
    /// What stands in the archive.
    pub(crate) packed: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) sum: u32,
    pub(crate) size: u32,
    pub(crate) mode: u32,
    pub(crate) extra: Vec<u8>,
    pub(crate) comment: Vec<u8>,
    /// Where the directory says it is, if it lies.
    pub(crate) at: Option<u32>,
    pub(crate) is_listed: bool,
}

pub(crate) fn sum(bytes: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum()
}

pub(crate) fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

impl Entry {
    pub(crate) fn stored(name: &str, content: &[u8]) -> Self {
        Self {
            name: name.into(),
            packed: content.to_vec(),
            sum: sum(content),
            size: u32::try_from(content.len()).unwrap(),
            is_listed: true,
            ..Self::default()
        }
    }

    pub(crate) fn deflated(name: &str, content: &[u8]) -> Self {
        Self::packed(name, content, 8, deflated(content))
    }

    pub(crate) fn packed(name: &str, content: &[u8], method: u16, packed: Vec<u8>) -> Self {
        Self {
            packed,
            method,
            ..Self::stored(name, content)
        }
    }

    pub(crate) fn link(name: &str, target: &str) -> Self {
        Self {
            mode: 0o120_777,
            ..Self::stored(name, target.as_bytes())
        }
    }

    fn shared(&self, out: &mut Vec<u8>, name: &[u8], extra: &[u8]) {
        out.extend([20, 0]);
        out.extend(self.flags.to_le_bytes());
        out.extend(self.method.to_le_bytes());
        out.extend([0; 4]);
        out.extend(self.sum.to_le_bytes());
        out.extend(u32::try_from(self.packed.len()).unwrap().to_le_bytes());
        out.extend(self.size.to_le_bytes());
        out.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        out.extend(u16::try_from(extra.len()).unwrap().to_le_bytes());
    }
}

pub(crate) fn zip(entries: &[Entry]) -> Vec<u8> {
    zip_with(b"", entries, b"")
}

/// A zip archive behind something, and with a comment.
pub(crate) fn zip_with(prefix: &[u8], entries: &[Entry], comment: &[u8]) -> Vec<u8> {
    let mut out = prefix.to_vec();
    let (mut directory, mut count) = (Vec::new(), 0_u16);
    for it in entries {
        let at = it
            .at
            .unwrap_or_else(|| u32::try_from(out.len() - prefix.len()).unwrap());
        if it.at.is_none() {
            let name = it.local_name.as_ref().unwrap_or(&it.name);
            out.extend(b"PK\x03\x04");
            if it.flags & 8 == 0 {
                it.shared(&mut out, name, &[]);
            } else {
                let none = Entry {
                    packed: Vec::new(),
                    sum: 0,
                    size: 0,
                    ..it.clone()
                };
                none.shared(&mut out, name, &[]);
            }
            out.extend(name);
            out.extend(&it.packed);
            if it.flags & 8 != 0 {
                out.extend(b"PK\x07\x08");
                out.extend(it.sum.to_le_bytes());
                out.extend(u32::try_from(it.packed.len()).unwrap().to_le_bytes());
                out.extend(it.size.to_le_bytes());
            }
        }
        if it.is_listed {
            count = count.wrapping_add(1);
            directory.extend(b"PK\x01\x02\x14\x03");
            it.shared(&mut directory, &it.name, &it.extra);
            directory.extend(u16::try_from(it.comment.len()).unwrap().to_le_bytes());
            directory.extend([0; 4]);
            directory.extend((it.mode << 16).to_le_bytes());
            directory.extend(at.to_le_bytes());
            directory.extend(&it.name);
            directory.extend(&it.extra);
            directory.extend(&it.comment);
        }
    }
    let at = u32::try_from(out.len() - prefix.len()).unwrap();
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
    out.extend(comment);
    out
}
