//! The files of an archive as they are listed: names, links, and how many.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use unicode_normalization::UnicodeNormalization;

use super::rules;
use crate::budget::Step;
use crate::walk::{Setting, Walk};

/// What was seen of the files of one archive. Of names only their hashes are kept.
#[derive(Default)]
pub(super) struct Members {
    /// By the name as it is, and what tells the content.
    names: HashMap<u64, u64>,
    /// Names without capital letters and accents.
    alike: HashSet<u64>,
    /// Links that lead out.
    links: HashSet<u64>,
    files: u64,
    bytes: u64,
}

/// What sort of member it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// With what tells its content from another one's, if that is known.
    File(u64),
    Folder,
    Link,
}

/// With fewer bytes for each of so many files, they are there for their number.
const HOLLOW_FROM: u64 = 20_000;
const HOLLOW_BYTES: u64 = 200;

/// What a file system takes.
const MAX_NAME: usize = 255;
const MAX_PATH: usize = 4096;

impl Members {
    /// Looks at the name of a member.
    pub(super) fn name(&mut self, walk: &mut Walk<'_>, name: &str, sort: Sort) -> Step {
        walk.inside(name, |walk| self.judge(walk, name, sort));
        walk.text_in(name, name, Setting::Name)
    }

    /// Looks at another name that some programs take for the member's.
    pub(super) fn also(walk: &mut Walk<'_>, name: &str, other: &str) {
        if other != name && leads_astray(other) {
            walk.inside(name, |walk| walk.found(&rules::TRAVERSAL, Some(other)));
        }
    }

    /// Looks at where a link leads, if it is followed from here.
    pub(super) fn link(
        &mut self,
        walk: &mut Walk<'_>,
        here: &str,
        name: &str,
        target: &str,
    ) -> Step {
        let rule = match leads(here, target) {
            Leads::Inside => None,
            Leads::ToSecret => Some(&rules::LINK_TO_SECRET),
            Leads::ToSystem => Some(&rules::LINK_TO_SYSTEM),
            Leads::Out => Some(&rules::LINK_OUT),
        };
        if let Some(rule) = rule {
            self.links.insert(hashed(parts(name).as_slice()));
            walk.inside(name, |walk| walk.found(rule, Some(target)));
        }
        walk.text_in(name, target, Setting::Name)
    }

    /// Counts what a file holds.
    pub(super) fn holds(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Says what can be said at the end only.
    pub(super) fn end(&self, walk: &mut Walk<'_>) {
        if self.files > HOLLOW_FROM && self.bytes / self.files < HOLLOW_BYTES {
            walk.found(&rules::HOLLOW, None);
        }
    }

    fn judge(&mut self, walk: &mut Walk<'_>, name: &str, sort: Sort) {
        if leads_astray(name) {
            walk.found(&rules::TRAVERSAL, Some(name));
        }
        if name.contains(['\0', '\u{202D}', '\u{202E}']) {
            walk.found(&rules::DISGUISED, Some(name));
        } else if name.contains(char::is_control) {
            walk.found(&rules::CONTROL, Some(name));
        }
        let parts = parts(name);
        if name.len() > MAX_PATH || parts.iter().any(|it| it.len() > MAX_NAME) {
            walk.found(&rules::LONG_NAME, None);
        }
        let is_through = |n: usize| self.links.contains(&hashed(&parts[..n]));
        let own = usize::from(matches!(sort, Sort::File(_)));
        if !self.links.is_empty() && (1..parts.len().min(64) + own).any(is_through) {
            walk.found(&rules::THROUGH_LINK, Some(name));
        }
        if let Sort::File(content) = sort {
            let before = self.names.insert(hashed(parts.as_slice()), content);
            let lower: String = name.nfc().flat_map(char::to_lowercase).collect();
            let is_new = self.alike.insert(hashed(&lower));
            match before {
                Some(before) if before != content => walk.found(&rules::DUPLICATE, None),
                None if !is_new => walk.found(&rules::ALIKE, None),
                _ => {}
            }
        }
    }
}

fn hashed(what: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// Its folders and its name, as whoever unpacks it on any system splits them.
fn parts(name: &str) -> Vec<&str> {
    let parts = name.split(['/', '\\']);
    parts.filter(|it| !it.is_empty() && *it != ".").collect()
}

/// Whether a file of this name is written elsewhere than below the folder.
fn leads_astray(name: &str) -> bool {
    name.starts_with(['/', '\\']) || has_drive(name) || parts(name).contains(&"..")
}

fn has_drive(name: &str) -> bool {
    matches!(name.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic())
}

enum Leads {
    Inside,
    ToSystem,
    Out,
    ToSecret,
}

/// Folders that links of programs lead to.
const SYSTEM: &[&str] = &[
    "bin", "dev", "lib", "lib32", "lib64", "libx32", "nix", "opt", "run", "sbin", "snap", "srv",
    "tmp", "usr", "var",
];

/// What nobody links to who means well.
const SECRETS: &[&str] = &[
    ".aws",
    ".bash_history",
    ".config",
    ".docker",
    ".env",
    ".git-credentials",
    ".gnupg",
    ".kube",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".ssh",
    "gshadow",
    "id_ed25519",
    "id_rsa",
    "passwd",
    "shadow",
    "sudoers",
];

fn leads(name: &str, target: &str) -> Leads {
    let to = parts(target);
    let is_absolute = target.starts_with(['/', '\\']) || has_drive(target);
    let mut depth = parts(name).len().saturating_sub(1);
    let mut is_out = is_absolute;
    for part in &to {
        match (*part, depth.checked_sub(1)) {
            ("..", Some(up)) => depth = up,
            ("..", None) => is_out = true,
            _ => depth += 1,
        }
    }
    if !is_out {
        return Leads::Inside;
    }
    let is_process = to.first() == Some(&"proc") && !to.contains(&"fd") && !to.contains(&"mounts");
    if is_process || to.iter().any(|it| SECRETS.contains(it)) {
        return Leads::ToSecret;
    }
    let is_system = |it: &&str| SYSTEM.contains(it) || it.eq_ignore_ascii_case("etc");
    if is_absolute && to.first().is_some_and(is_system) {
        return Leads::ToSystem;
    }
    Leads::Out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_out_is_told_from_one_that_does_not() {
        let astray = [
            "../a",
            "a/../../b",
            "/etc/passwd",
            "C:\\a",
            "c:/a",
            "..\\a",
            "a\\..\\b",
            "\\\\host\\a",
            "..",
        ];
        assert_eq!(astray.into_iter().find(|it| !leads_astray(it)), None);
        let ordinary = ["a/b", "./a", "a..b", "...", "..a/b", "a/b..", "c:a"];
        assert_eq!(ordinary.into_iter().find(|it| leads_astray(it)), None);
    }

    #[test]
    fn a_link_within_the_archive_is_ordinary() {
        assert!(matches!(
            leads("node_modules/.bin/x", "../x/bin.js"),
            Leads::Inside
        ));
        assert!(matches!(leads("a/b", "../../c"), Leads::Out));
        assert!(matches!(leads("a/b", "x/../../../c"), Leads::Out));
        assert!(matches!(leads("a", "/usr/bin/python3"), Leads::ToSystem));
        assert!(matches!(leads("a", "/srv/x/.ssh/known"), Leads::ToSecret));
        assert!(matches!(leads("a", "/home/me"), Leads::Out));
        assert!(matches!(leads("a", "passwd"), Leads::Inside));
    }
}
