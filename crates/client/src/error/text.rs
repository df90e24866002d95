//! Strangers' texts, made fit for a message.

use std::path::{Path, PathBuf};

/// Characters of a server's message that are repeated; a longer one is no message.
const MAX_MESSAGE_CHARS: usize = 1_000;

/// Makes a stranger's text fit for one line of a terminal.
pub(crate) fn shown(text: &str) -> String {
    let short: String = text.chars().take(MAX_MESSAGE_CHARS).collect();
    agentdrop_protocol::text::printable(&short)
}

/// The same for a path, whose last component can be a stranger's choice.
pub(super) fn shown_path(path: &Path) -> String {
    shown(&path.to_string_lossy())
}

pub(super) fn listed(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|it| shown_path(it)).collect();
    paths.join(", ")
}

pub(super) fn more(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!(" and {count} more"),
    }
}

/// The path as one word of a POSIX shell, for a command that can be pasted.
pub(super) fn shell_quoted(path: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "/._-+,@%".contains(it);
    if !path.is_empty() && path.chars().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}
