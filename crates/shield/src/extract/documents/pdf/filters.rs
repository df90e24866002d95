//! Streams as they are meant.

use std::io::Read;

use flate2::read::{DeflateDecoder, ZlibDecoder};

use super::lexer::{is_space, unhex};
use super::object::{Dict, Object};
use crate::budget::Step;
use crate::walk::Walk;

/// Filters behind each other.
pub(super) const MAX_FILTERS: usize = 8;

/// Bytes of one stream that are looked at.
const MAX_STREAM: usize = 16 << 20;

/// Undoes what is said to have been done to it, as far as it can be undone. `None` is a picture.
pub(super) fn decoded(walk: &Walk<'_>, dict: &Dict, raw: &[u8]) -> Step<Option<Vec<u8>>> {
    let get = |long: &str, short: &str| dict.get(long).or_else(|| dict.get(short));
    let filters = get("Filter", "F").map_or(&[][..], Object::values);
    let parameters = get("DecodeParms", "DP").map_or(&[][..], Object::values);
    let mut bytes = raw.get(..MAX_STREAM).unwrap_or(raw).to_vec();
    for (n, filter) in filters.iter().take(MAX_FILTERS).enumerate() {
        let parameters = parameters.get(n).and_then(Object::dict);
        bytes = match filter.name().unwrap_or_default() {
            "FlateDecode" | "Fl" => {
                let flat = inflated(walk, &bytes)?;
                predicted(flat, parameters)
            }
            "LZWDecode" | "LZW" => predicted(unpacked(walk, &bytes, parameters)?, parameters),
            "ASCIIHexDecode" | "AHx" => unhex(until(&bytes, b'>')),
            "ASCII85Decode" | "A85" => from_85(&bytes),
            "RunLengthDecode" | "RL" => unrolled(walk, &bytes)?,
            "Crypt" => bytes,
            _ => return Ok(None),
        };
    }
    Ok(Some(bytes))
}

/// As far as it goes.
pub(in crate::extract::documents) fn inflated(walk: &Walk<'_>, bytes: &[u8]) -> Step<Vec<u8>> {
    let flat = all_of(walk, &mut ZlibDecoder::new(bytes))?;
    if flat.is_empty() && bytes.len() > 2 {
        // Its head may be broken.
        let behind = bytes.get(2..).unwrap_or_default();
        return all_of(walk, &mut DeflateDecoder::new(behind));
    }
    Ok(flat)
}

fn all_of(walk: &Walk<'_>, from: &mut dyn Read) -> Step<Vec<u8>> {
    let (mut out, mut buffer) = (Vec::new(), [0; 1 << 14]);
    while out.len() < MAX_STREAM {
        let Ok(read @ 1..) = from.read(&mut buffer) else {
            break;
        };
        walk.budget.expand(read as u64)?;
        out.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
    Ok(out)
}

/// Rows that say how they differ from the one before, as in PNG.
fn predicted(bytes: Vec<u8>, parameters: Option<&Dict>) -> Vec<u8> {
    let number = |name: &str, usual: f32| {
        let number = parameters.and_then(|it| it.get(name)?.number());
        // It saturates, and no row is longer.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is clamped"
        )]
        return number.unwrap_or(usual).clamp(1.0, 1e6) as usize;
    };
    if number("Predictor", 1.0) < 10 {
        return bytes;
    }
    let pixel = (number("Colors", 1.0) * number("BitsPerComponent", 8.0)).div_ceil(8);
    let row = (number("Columns", 1.0) * pixel).max(1);
    let mut before = vec![0_u8; row];
    let mut out = Vec::with_capacity(bytes.len());
    for coded in bytes.chunks(row + 1) {
        let Some((kind, coded)) = coded.split_first() else {
            continue;
        };
        let mut decoded = vec![0_u8; row];
        for (n, it) in coded.iter().enumerate() {
            let at = |of: &[u8], n: Option<usize>| n.and_then(|n| of.get(n)).copied().unwrap_or(0);
            let left = at(&decoded, n.checked_sub(pixel));
            let (up, corner) = (at(&before, Some(n)), at(&before, n.checked_sub(pixel)));
            let guess = match kind {
                1 => left,
                2 => up,
                3 => left.midpoint(up),
                4 => paeth(left, up, corner),
                _ => 0,
            };
            if let Some(out) = decoded.get_mut(n) {
                *out = it.wrapping_add(guess);
            }
        }
        out.extend_from_slice(decoded.get(..coded.len()).unwrap_or_default());
        before = decoded;
    }
    out
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let guess = i16::from(left) + i16::from(up) - i16::from(corner);
    let far = |it: u8| (guess - i16::from(it)).abs();
    if far(left) <= far(up) && far(left) <= far(corner) {
        left
    } else if far(up) <= far(corner) {
        up
    } else {
        corner
    }
}

/// LZW, with codes of 9 to 12 bits.
fn unpacked(walk: &Walk<'_>, bytes: &[u8], parameters: Option<&Dict>) -> Step<Vec<u8>> {
    const CLEAR: usize = 256;
    const END: usize = 257;
    const FIRST: usize = 258;
    let early = parameters.and_then(|it| it.get("EarlyChange")?.number());
    let early = usize::from(early != Some(0.0));
    // Each word is where it was written last, and how long it is.
    let (mut out, mut words) = (Vec::new(), Vec::<(usize, usize)>::new());
    let (mut bits, mut held, mut last) = (0_u32, 0_u32, None::<(usize, usize)>);
    let mut charged = 0;
    for byte in bytes {
        bits = (bits << 8 | u32::from(*byte)) & 0xFF_FFFF;
        held += 8;
        let width = match FIRST + words.len() + early {
            ..512 => 9,
            512..1024 => 10,
            1024..2048 => 11,
            _ => 12,
        };
        if held < width {
            continue;
        }
        held -= width;
        let code = (bits >> held & ((1 << width) - 1)) as usize;
        let from = out.len();
        match (code, last) {
            (CLEAR, _) => {
                words.clear();
                last = None;
                continue;
            }
            (0..CLEAR, _) => out.extend(u8::try_from(code)),
            (END, _) | (_, None) => break,
            (_, Some(last)) => {
                if let Some((at, length)) = words.get(code - FIRST).copied() {
                    out.extend_from_within(at..at + length);
                } else {
                    out.extend_from_within(last.0..last.0 + last.1);
                    out.extend_from_within(last.0..=last.0);
                }
            }
        }
        if let Some((at, length)) = last
            && words.len() < 4096 - FIRST
        {
            // The word before, and the first byte of this one, which stands right behind it.
            words.push((at, length + 1));
        }
        last = Some((from, out.len() - from));
        if out.len() - charged > 1 << 14 {
            walk.budget.expand((out.len() - charged) as u64)?;
            charged = out.len();
        }
        if out.len() > MAX_STREAM {
            break;
        }
    }
    walk.budget.expand((out.len() - charged) as u64)?;
    Ok(out)
}

fn from_85(text: &[u8]) -> Vec<u8> {
    let (mut out, mut group) = (Vec::new(), Vec::with_capacity(5));
    let text = text.strip_prefix(b"<~").unwrap_or(text);
    let take = |group: &mut Vec<u8>, out: &mut Vec<u8>| {
        let length = group.len();
        group.resize(5, 84);
        let number = group.iter().fold(0_u32, |number, it| {
            number.wrapping_mul(85).wrapping_add(u32::from(*it))
        });
        group.clear();
        let bytes = number.to_be_bytes();
        out.extend_from_slice(bytes.get(..length.saturating_sub(1)).unwrap_or_default());
    };
    for it in until(text, b'~') {
        match it {
            b'z' if group.is_empty() => out.extend([0; 4]),
            b'!'..=b'u' => {
                group.push(it - b'!');
                if group.len() == 5 {
                    take(&mut group, &mut out);
                }
            }
            _ => {}
        }
    }
    if !group.is_empty() {
        take(&mut group, &mut out);
    }
    out
}

fn unrolled(walk: &Walk<'_>, bytes: &[u8]) -> Step<Vec<u8>> {
    let (mut out, mut rest) = (Vec::new(), bytes);
    while let [length, behind @ ..] = rest {
        let before = out.len();
        rest = match length {
            0..=127 => {
                let (run, behind) = behind.split_at((usize::from(*length) + 1).min(behind.len()));
                out.extend_from_slice(run);
                behind
            }
            128 => break,
            _ => {
                let Some((it, behind)) = behind.split_first() else {
                    break;
                };
                out.extend(std::iter::repeat_n(*it, 257 - usize::from(*length)));
                behind
            }
        };
        walk.budget.expand((out.len() - before) as u64)?;
        if out.len() > MAX_STREAM {
            break;
        }
    }
    Ok(out)
}

fn until(bytes: &[u8], end: u8) -> &[u8] {
    let at = bytes.iter().position(|it| *it == end && !is_space(*it));
    bytes.get(..at.unwrap_or(bytes.len())).unwrap_or_default()
}
