//! The key of a PDF that anybody may open: encrypted, but with no password
//! ([ISO 32000-2, 7.6](https://pdfa.org/resource/iso-32000-2/)). Readers open it without a word.

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use md5::{Digest, Md5};
use sha2::{Sha256, Sha384, Sha512};

use super::file::File;
use super::object::Dict;

/// What opens a document.
pub(super) struct Key {
    bytes: Vec<u8>,
    streams: Method,
    strings: Method,
}

/// How it is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Aes128,
    Aes256,
    None,
    Rc4,
}

/// What stands for a password that is none.
const PADDING: [u8; 32] = *b"\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08\
    \x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A";

impl Key {
    /// Where no password is enough.
    pub(super) fn of(file: &File<'_>, how: &Dict, id: &[u8]) -> Option<Self> {
        let integer = |name: &str| file.of(how, name).integer();
        let (version, revision) = (integer("V")?, integer("R")?);
        let key = if revision >= 5 {
            new_key(file, how, revision)?
        } else {
            old_key(file, how, id, version, revision)?
        };
        let method = |name: &str| match version {
            ..=3 => Method::Rc4,
            _ => method(file, how, name),
        };
        Some(Self {
            bytes: key,
            streams: method("StmF"),
            strings: method("StrF"),
        })
    }

    pub(super) fn opened_stream(&self, number: u32, bytes: &[u8]) -> Vec<u8> {
        self.opened(self.streams, number, bytes)
    }

    pub(super) fn opened_string(&self, number: u32, bytes: &[u8]) -> Vec<u8> {
        self.opened(self.strings, number, bytes)
    }

    fn opened(&self, method: Method, number: u32, bytes: &[u8]) -> Vec<u8> {
        match method {
            Method::None => bytes.to_vec(),
            Method::Rc4 => rc4(&self.for_object(number, b""), bytes),
            Method::Aes128 => {
                let cipher = Aes128::new_from_slice(&self.for_object(number, b"sAlT"));
                cipher.map_or_else(|_| Vec::new(), |it| unchained(&it, bytes))
            }
            Method::Aes256 => {
                let cipher = Aes256::new_from_slice(&self.bytes);
                cipher.map_or_else(|_| Vec::new(), |it| unchained(&it, bytes))
            }
        }
    }

    /// Each object has a key of its own. Of generations but the first nobody writes encrypted ones.
    fn for_object(&self, number: u32, salt: &[u8]) -> Vec<u8> {
        let mut hash = Md5::new();
        hash.update(&self.bytes);
        hash.update(number.to_le_bytes().get(..3).unwrap_or_default());
        hash.update([0, 0]);
        hash.update(salt);
        let mut key = hash.finalize().to_vec();
        key.truncate(self.bytes.len() + 5);
        key
    }
}

fn method(file: &File<'_>, how: &Dict, name: &str) -> Method {
    let filters = file.of(how, "CF").dict();
    let named = file.of(how, name).name().unwrap_or("Identity");
    let filter = filters.and_then(|it| file.of(it, named).dict());
    match filter.and_then(|it| file.of(it, "CFM").name()) {
        Some("V2") => Method::Rc4,
        Some("AESV2") => Method::Aes128,
        Some("AESV3") => Method::Aes256,
        _ => Method::None,
    }
}

/// Algorithms 2, 4 and 5: of documents before PDF 2.0.
fn old_key(file: &File<'_>, how: &Dict, id: &[u8], version: i64, revision: i64) -> Option<Vec<u8>> {
    let bits = file.of(how, "Length").integer().unwrap_or(40);
    let length = match version {
        1 => 5,
        4 => 16,
        _ => usize::try_from(bits / 8).ok()?.clamp(5, 16),
    };
    let permissions = file.of(how, "P").integer()?.to_le_bytes();
    let owner = file.of(how, "O").string()?.get(..32)?;
    let user = file.of(how, "U").string()?;
    let mut hash = Md5::new();
    hash.update(PADDING);
    hash.update(owner);
    hash.update(permissions.get(..4)?);
    hash.update(id);
    // Whether what is said about it is encrypted has a part in the key, of which writers differ when.
    for mark in [&[][..], &[0xFF; 4]] {
        let mut hash = hash.clone();
        hash.update(mark);
        let mut key = hash.finalize().to_vec();
        key.truncate(length);
        if revision >= 3 {
            for _ in 0..50 {
                key = Md5::digest(&key).to_vec();
                key.truncate(length);
            }
        }
        if check(&key, id, revision) == user.get(..16)? {
            return Some(key);
        }
    }
    None
}

/// The first of what is said of the password that opens it, if it is none.
fn check(key: &[u8], id: &[u8], revision: i64) -> Vec<u8> {
    if revision == 2 {
        return rc4(key, PADDING.get(..16).unwrap_or_default());
    }
    let mut hash = Md5::new();
    hash.update(PADDING);
    hash.update(id);
    (0..20).fold(hash.finalize().to_vec(), |check, n| {
        let turned: Vec<u8> = key.iter().map(|it| it ^ n).collect();
        rc4(&turned, &check)
    })
}

/// Algorithm 2.A: of PDF 2.0, and of what came before it.
fn new_key(file: &File<'_>, how: &Dict, revision: i64) -> Option<Vec<u8>> {
    let user = file.of(how, "U").string()?;
    let sealed = file.of(how, "UE").string()?.get(..32)?;
    let hash = |salt: &[u8]| match revision {
        5 => Sha256::digest(salt).to_vec(),
        _ => hardened(salt),
    };
    if hash(user.get(32..40)?) != user.get(..32)? {
        return None;
    }
    let cipher = Aes256::new_from_slice(&hash(user.get(40..48)?)).ok()?;
    Some(chain_of(&cipher, [0; 16], sealed))
}

/// Algorithm 2.B, for a password that is none.
fn hardened(salt: &[u8]) -> Vec<u8> {
    let mut key = Sha256::digest(salt).to_vec();
    for round in 0_u8.. {
        let (own, start) = key.split_at_checked(16).unwrap_or_default();
        let Ok(cipher) = Aes128::new_from_slice(own) else {
            return key;
        };
        let mut before = start.first_chunk().copied().unwrap_or([0; 16]);
        let mut coded = key.repeat(64);
        for block in coded.as_chunks_mut::<16>().0 {
            for (it, before) in block.iter_mut().zip(before) {
                *it ^= before;
            }
            cipher.encrypt_block(block.into());
            before = *block;
        }
        let sum: u32 = coded.iter().take(16).map(|it| u32::from(*it)).sum();
        key = match sum % 3 {
            0 => Sha256::digest(&coded).to_vec(),
            1 => Sha384::digest(&coded).to_vec(),
            _ => Sha512::digest(&coded).to_vec(),
        };
        let last = coded.last().copied().unwrap_or_default();
        // It ends by itself after some hundred rounds at most.
        if round >= 63 && last <= round - 31 || round == u8::MAX {
            break;
        }
    }
    key.truncate(32);
    key
}

/// Behind its first block, which is what the chain begins with, and without the padding at its end.
fn unchained(
    cipher: &impl BlockCipherDecrypt<BlockSize = aes::cipher::consts::U16>,
    bytes: &[u8],
) -> Vec<u8> {
    let Some((start, rest)) = bytes.split_first_chunk::<16>() else {
        return Vec::new();
    };
    let mut out = chain_of(cipher, *start, rest);
    let padding = out.last().copied().map_or(0, usize::from);
    if padding <= 16 {
        out.truncate(out.len() - padding.min(out.len()));
    }
    out
}

/// Blocks that are each turned with the one before.
fn chain_of(
    cipher: &impl BlockCipherDecrypt<BlockSize = aes::cipher::consts::U16>,
    start: [u8; 16],
    bytes: &[u8],
) -> Vec<u8> {
    let (mut out, mut before) = (Vec::with_capacity(bytes.len()), start);
    for block in bytes.as_chunks::<16>().0 {
        let mut open = *block;
        cipher.decrypt_block((&mut open).into());
        out.extend(open.iter().zip(before).map(|(it, before)| it ^ before));
        before = *block;
    }
    out
}

fn rc4(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut state: [u8; 256] = std::array::from_fn(|it| it.to_le_bytes()[0]);
    let mut j = 0_u8;
    for (i, key) in (0..256).zip(key.iter().cycle()) {
        j = j.wrapping_add(state[i]).wrapping_add(*key);
        state.swap(i, usize::from(j));
    }
    let (mut i, mut j) = (0_u8, 0_u8);
    let turned = bytes.iter().map(|it| {
        i = i.wrapping_add(1);
        j = j.wrapping_add(state[usize::from(i)]);
        state.swap(usize::from(i), usize::from(j));
        let sum = state[usize::from(i)].wrapping_add(state[usize::from(j)]);
        it ^ state[usize::from(sum)]
    });
    turned.collect()
}
