//! How much one scan may cost.

use std::time::Duration;

/// How much one scan may cost. What is beyond is not looked at, and that is a finding.
///
/// Bytes are counted as they come out of a decoder, never as a header announces them.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that come out of archives, compressed streams and decoders, all together.
    pub expanded: u64,
    /// How many times as much may come out as went in, once it is more than [`Self::RATIO_FROM`].
    pub ratio: u64,
    /// How deep things may lie in each other.
    pub depth: u8,
    /// How many files archives may hold, all together.
    pub entries: u64,
    /// Bytes of one input that are held in memory; what is longer is looked at in passing.
    pub held: u64,
    /// How long it may take, and a second more for each 40 MB of the input.
    pub time: Duration,
    /// How many findings are kept.
    pub findings: usize,
}

impl Limits {
    /// What little is packed may well be packed tightly.
    pub const RATIO_FROM: u64 = 8 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            expanded: 1 << 30,
            ratio: 200,
            depth: 8,
            entries: 20_000,
            held: 32 << 20,
            time: Duration::from_secs(4),
            findings: 100,
        }
    }
}
