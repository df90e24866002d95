//! Passwords by the name that they are given: `db_password = "…"`.

use std::sync::LazyLock;

use agentdrop_protocol::report::ThreatLevel::Low;
use regex::bytes::Regex;

use super::{Secret, forms};

static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?i-u)\b[\w.-]{0,40}(?:password|passwd|passphrase|secret|api_?key|access_?key|auth_?token|access_?token|private_?key|client_?secret)[\w-]{0,20}["']?[ \t]{0,4}(?:=>|:=|[:=])[ \t]{0,4}["']?([^\s"'`,;<>(){}\[\]$]{8,128})"#,
    )
    .expect("a pattern that a test uses")
});

const MOST: usize = 20;

/// Every one in these bytes.
pub(super) fn all(bytes: &[u8]) -> Vec<Secret> {
    let found = ASSIGNED.captures_iter(bytes).filter_map(|it| {
        let value = it.get(1)?;
        is_likely(value.as_bytes()).then(|| Secret {
            rule: "secret/assigned",
            what: "what looks like a password or a token",
            level: Low,
            at: value.start(),
            shown: Secret::shown(value.as_bytes()),
        })
    });
    found.take(MOST).collect()
}

/// Whether it is drawn by chance: letters and digits, and as many different ones as chance has.
fn is_likely(value: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| value.iter().any(is);
    let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let is_path = value.contains(&b'/') && value.contains(&b'.') || value.starts_with(b"http");
    value.len() >= 12
        && is_mixed
        && !is_path
        && !forms::is_placeholder(value)
        && entropy(value) > 3.2
}

fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for it in value {
        counts[usize::from(*it)] += 1;
    }
    let all = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    let shares = counts
        .iter()
        .filter(|it| **it > 0)
        .map(|it| f64::from(*it) / all);
    -shares.map(|it| it * it.log2()).sum::<f64>()
}
