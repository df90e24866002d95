//! Sizes, times and counts, as people read them.

use std::time::Duration;

use agentdrop_client::{SealedAs, folder_name};
use agentdrop_protocol::Timestamp;
use agentdrop_protocol::wire::transfers::Transfer;

/// What sealing adds to a file: the tag of AES-256-GCM.
const TAG_BYTES: u64 = 16;
/// Characters of a name that a table shows.
const SHOWN_CHARS: usize = 40;

/// Bytes, in powers of 1000.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // In tenths of a unit, rounded half up; integers, so that no size is shown wrong.
    let mut divisor = 100_u64;
    for unit in units {
        let tenths = bytes / divisor + u64::from(bytes % divisor >= divisor / 2);
        if tenths < 10_000 || unit == "EB" {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        divisor *= 1000;
    }
    unreachable!("the last unit holds every number of bytes")
}

/// A time span, to its largest unit.
pub(crate) fn duration(span: Duration) -> String {
    let seconds = span.as_secs();
    // A unit is used from twice its length on, except where nothing finer is worth saying.
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// How long something took.
pub(crate) fn took(span: Duration) -> String {
    if span < Duration::from_millis(100) {
        return format!("{} ms", span.as_millis());
    }
    format!("{:.1} s", span.as_secs_f64())
}

/// A moment, seen from `now`.
pub(crate) fn moment(at: Timestamp, now: Timestamp) -> String {
    if at > now {
        // Rounded up: what was given a day has a day, not 23 hours.
        format!(
            "in {}",
            duration(at.since(now) + Duration::from_millis(999))
        )
    } else {
        format!("{} ago", duration(now.since(at)))
    }
}

/// So many of a thing.
pub(crate) fn count(count: usize, thing: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{s}")
}

/// How many bytes the files of a transfer have that are not its seal.
pub(crate) fn content_bytes(transfer: &Transfer) -> u64 {
    if SealedAs::of(transfer).has_envelope() {
        let files = transfer.files.iter().skip(1);
        return files.map(|it| chunked_content(it.size)).sum();
    }
    let seals = if transfer.is_encrypted {
        TAG_BYTES * transfer.files.len() as u64
    } else {
        0
    };
    transfer.total_size.saturating_sub(seals)
}

/// The names of a transfer's files, for a table.
pub(crate) fn names(transfer: &Transfer) -> String {
    if SealedAs::of(transfer).has_envelope() {
        return count(transfer.files.len().saturating_sub(1), "file");
    }
    let Some(first) = transfer.files.first() else {
        return String::new();
    };
    let name = match folder_name(transfer, &first.name) {
        Some(folder) => format!("{}/", shortened(folder)),
        None => shortened(first.name.as_str()),
    };
    match transfer.files.len() {
        1 => name,
        files => format!("{name} and {} more", files - 1),
    }
}

/// How many bytes a file of chunks holds: 16 KiB and a tag each, behind 56 bytes.
const fn chunked_content(bytes: u64) -> u64 {
    let chunks = bytes.saturating_sub(56);
    chunks.saturating_sub(chunks.div_ceil(16 * 1024 + TAG_BYTES) * TAG_BYTES)
}

/// The files of a transfer: one by its name, several by their number.
pub(crate) fn files(names: &[&str]) -> String {
    match names {
        [name] => shortened(name),
        _ => count(names.len(), "file"),
    }
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= SHOWN_CHARS {
        return name.to_owned();
    }
    let begin: String = name.chars().take(SHOWN_CHARS - 3).collect();
    format!("{begin}...")
}

/// What a stranger chose, as one word of a POSIX shell, for a command that can be pasted.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "@._+-".contains(it);
    if text.starts_with(|it: char| it.is_ascii_alphanumeric()) && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The time on this machine's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the one clock of the command line, for showing times"
)]
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_millis(0).plus(since.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_in_powers_of_a_thousand() {
        for (n, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (1_049, "1.0 kB"),
            (1_050, "1.1 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (5_242_880, "5.2 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(n), text);
        }
    }

    #[test]
    fn what_a_stranger_chose_is_one_word_of_a_shell() {
        for (text, word) in [
            ("ann.b+c@example.org", "ann.b+c@example.org"),
            ("", "''"),
            ("-x@y", "'-x@y'"),
            ("$(touch${IFS}x)@y", "'$(touch${IFS}x)@y'"),
            ("a'`touch x`'@y", r"'a'\''`touch x`'\''@y'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }

    #[test]
    fn a_moment_is_seen_from_now() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let later = |seconds| now.plus(Duration::from_secs(seconds));
        assert_eq!(moment(later(86_400), now), "in 24 h");
        assert_eq!(moment(later(90), now), "in 90 s");
        assert_eq!(moment(now, later(150)), "2 min ago");
        assert_eq!(moment(now, later(3 * 86_400)), "3 days ago");
        assert_eq!(moment(now, now), "0 s ago");
    }
}
