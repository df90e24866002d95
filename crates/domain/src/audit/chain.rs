//! How entries follow each other.

use aws_lc_rs::digest::{Context, SHA256};

use super::{Entry, NewEntry};

/// What a hash begins with, so that it cannot be one that was made for something else.
const LABEL: &str = "agentdrop audit entry v1";

/// Where a log stands: the number and the hash of its last entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// How many entries there are.
    pub seq: u64,
    /// The hash of the last; zeros if there is none.
    pub hash: [u8; 32],
}

/// Why an entry cannot be one that was written in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It stands behind where the log ends.
    #[error("the log ends before this entry, which was put in")]
    Beyond,
    /// Its hash is not the hash of what it says, or it says what no server writes.
    #[error("the entry is not what it was when it was written")]
    Changed,
    /// It was written behind another entry than the one that stands before it.
    #[error("the entry follows another one than the one that stands before it")]
    Forked,
    /// It is the last, and not the one that the log says it ends with.
    #[error("the log says that it ends with another entry")]
    Head,
    /// It is not there.
    #[error("the entry is missing")]
    Missing,
    /// What the log says of where it ends is not there.
    #[error("where the log ends is not written down")]
    NoHead,
}

impl Fault {
    /// The fault in one word, for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Beyond => "beyond_head",
            Self::Changed => "changed",
            Self::Forked => "forked",
            Self::Head => "head_mismatch",
            Self::Missing => "missing",
            Self::NoHead => "head_missing",
        }
    }
}

impl Head {
    /// Gives what was done the next place in the log.
    pub fn append(self, event: NewEntry) -> Entry {
        let entry = Entry {
            seq: self.seq + 1,
            event,
            previous: self.hash,
            hash: [0; 32],
        };
        Entry {
            hash: entry.digest(),
            ..entry
        }
    }

    /// Where a log that stood here stands behind `entry`, if that is the next one.
    pub fn follow(self, entry: &Entry) -> Result<Self, Fault> {
        if entry.seq > self.seq + 1 {
            return Err(Fault::Missing);
        }
        if entry.hash != entry.digest() {
            return Err(Fault::Changed);
        }
        if entry.seq <= self.seq || entry.previous != self.hash {
            return Err(Fault::Forked);
        }
        Ok(Self::of(entry))
    }

    /// Where a log stands that ends with `entry`.
    pub const fn of(entry: &Entry) -> Self {
        Self {
            seq: entry.seq,
            hash: entry.hash,
        }
    }
}

impl Entry {
    /// `SHA-256(field(label) ‖ previous ‖ field(account) ‖ field(seq) ‖ field(at) ‖ field(action)
    /// ‖ field(actor kind) ‖ field(actor id) ‖ field(actor agent) ‖ field(address)
    /// ‖ field(request id) ‖ field(name₁) ‖ field(value₁) ‖ … )`
    ///
    /// `field(x)` is the length of `x` in bytes, as four bytes with the highest first, and `x`.
    /// `label` is `agentdrop audit entry v1`, `previous` is 32 bytes, and each `x` is the text
    /// that the API answers: `seq` in decimal digits, `at` in RFC 3339 with milliseconds and `Z`,
    /// `action` and `actor.kind` as they are spelled. What is absent is the empty text, which
    /// nothing that is there is. The names and values are those of `subject`, by the bytes of
    /// the names in ascending order. So no two entries have the same bytes, and the first one of
    /// a log, whose `previous` is zeros, is bound to its account by the field that names it.
    pub fn digest(&self) -> [u8; 32] {
        let it = &self.event;
        let mut hash = Context::new(&SHA256);
        field(&mut hash, LABEL);
        hash.update(&self.previous);
        field(&mut hash, &it.account.to_string());
        field(&mut hash, &self.seq.to_string());
        field(&mut hash, &it.at.to_string());
        field(&mut hash, it.action.as_str());
        field(&mut hash, it.who.kind().as_str());
        field(&mut hash, &it.who.id().unwrap_or_default());
        field(&mut hash, &optional(it.who.agent()));
        field(&mut hash, &optional(it.address));
        field(&mut hash, it.request_id.as_deref().unwrap_or_default());
        for (name, value) in it.subject.things() {
            field(&mut hash, name);
            field(&mut hash, value);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(hash.finish().as_ref());
        digest
    }
}

fn optional(it: Option<impl ToString>) -> String {
    it.map_or_else(String::new, |it| it.to_string())
}

fn field(hash: &mut Context, text: &str) {
    // None is near that long: the longest is a request's id.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    hash.update(&length.to_be_bytes());
    hash.update(text.as_bytes());
}
