//! How much one scan may cost.

use std::time::Duration;

/// How much one scan may cost. What is beyond is not looked at, and that is a finding.
///
/// Bytes are counted as they come out of a decoder, never as a header announces them. Being long is no
/// sign of a bomb, so what only goes beyond a limit is of medium level; what an ordinary file never does
/// is high: very much out of very little, things in each other without end, entries that share bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that come out of archives, compressed streams and decoders, all together.
    pub expanded: u64,
    /// How many times as much may come out as went in, once it is more than [`Self::RATIO_FROM`]. It
    /// holds for the input and for each thing inside it.
    pub ratio: u64,
    /// How deep things may lie in each other.
    pub depth: u8,
    /// How many files archives may hold, all together.
    pub entries: u64,
    /// Bytes of one input that are held in memory; what is longer is looked at in passing.
    pub held: u64,
    /// Bytes that decoders may keep of what they decode, all together.
    pub decoders: u64,
    /// How long it may work, and a second more for each 40 MB of the input. Where the system does not
    /// say how long a thread has worked, it is the time that went by.
    pub time: Duration,
    /// How many findings are kept.
    pub findings: usize,
}

impl Limits {
    /// What little is packed may well be packed tightly: logs, empty tables, blank pictures.
    pub const RATIO_FROM: u64 = 32 << 20;

    /// Who looks at fewer bytes in a second is kept busy on purpose.
    pub(crate) const SLOW: u64 = 64 << 10;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            expanded: 4 << 30,
            ratio: 200,
            depth: 10,
            // The sources of a large program are 80,000 files.
            entries: 150_000,
            held: 32 << 20,
            // Enough for `xz -9`, and something inside it.
            decoders: 80 << 20,
            time: Duration::from_secs(4),
            findings: 100,
        }
    }
}
