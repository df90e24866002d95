//! RTF as mails of Outlook hold it
//! ([MS-OXRTFCP](https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxrtfcp)).

use crate::budget::Step;
use crate::walk::Walk;

/// What the dictionary holds at the beginning.
const FIRST: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \
    \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \
    \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// Its length, and so that of what may be repeated.
const LENGTH: usize = 4096;

const MAX_OUT: usize = 16 << 20;

/// As it is meant, as far as it goes.
pub(super) fn unpacked(walk: &Walk<'_>, bytes: &[u8]) -> Step<Vec<u8>> {
    let (head, rest) = bytes.split_at_checked(16).unwrap_or_default();
    if head.get(8..12) != Some(b"LZFu") {
        return Ok(rest.to_vec());
    }
    let mut out = Out {
        dictionary: [b' '; LENGTH],
        at: 0,
        bytes: Vec::new(),
    };
    for it in FIRST {
        out.put(*it);
    }
    out.bytes.clear();
    let mut rest = rest;
    while let Some((control, behind)) = rest.split_first() {
        rest = behind;
        let before = out.bytes.len();
        for bit in 0..8 {
            if control >> bit & 1 == 0 {
                let Some((it, behind)) = rest.split_first() else {
                    return Ok(out.bytes);
                };
                out.put(*it);
                rest = behind;
                continue;
            }
            let [high, low, behind @ ..] = rest else {
                return Ok(out.bytes);
            };
            rest = behind;
            let word = usize::from(u16::from_be_bytes([*high, *low]));
            let (from, length) = (word >> 4, (word & 0xF) + 2);
            if from == out.at {
                return Ok(out.bytes);
            }
            for n in from..from + length {
                out.put(out.dictionary.get(n % LENGTH).copied().unwrap_or_default());
            }
        }
        walk.budget.expand((out.bytes.len() - before) as u64)?;
        if out.bytes.len() > MAX_OUT {
            break;
        }
    }
    Ok(out.bytes)
}

/// What came out, and the last of it, which may be repeated.
struct Out {
    dictionary: [u8; LENGTH],
    at: usize,
    bytes: Vec<u8>,
}

impl Out {
    fn put(&mut self, it: u8) {
        if let Some(into) = self.dictionary.get_mut(self.at) {
            *into = it;
        }
        self.at = (self.at + 1) % LENGTH;
        self.bytes.push(it);
    }
}
