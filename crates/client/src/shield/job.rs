//! What a scanner is asked, and what it answers: lines of JSON, one a question and one an answer.

use std::ffi::OsString;
use std::io::{self, BufRead as _, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use agentdrop_shield::{Policy, RuleSet, ScanReport, Scanner};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{open, sandbox};

/// Something to judge.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A file.
    File {
        /// Where it is.
        path: Bytes,
        /// What its sender called it.
        name: String,
    },
    /// A text that came beside the files.
    Message(String),
}

/// A path, which need not be text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(String);

/// What a scanner is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    /// What holds the files.
    pub(super) roots: Vec<Bytes>,
    pub(super) policy: Policy,
    pub(super) is_first_contact: bool,
    pub(super) looks_for_secrets: bool,
    pub(super) items: Vec<Item>,
}

/// What it answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// It begins, and is not shut in as it should be for this reason.
    Ready { degraded: Option<String> },
    /// Of the next item.
    Report(Box<ScanReport>),
    /// The next item could not be read.
    Failed(String),
}

/// No question is longer: names and paths of [`BATCH`](super::worker::BATCH) files, and a message.
const MAX_QUESTION: u64 = 64 << 20;

impl Bytes {
    pub(super) fn of(path: &Path) -> Self {
        Self(STANDARD.encode(path.as_os_str().as_bytes()))
    }

    pub(super) fn path(&self) -> PathBuf {
        let bytes = STANDARD.decode(&self.0).unwrap_or_default();
        OsString::from_vec(bytes).into()
    }
}

impl Item {
    /// A file, and what its sender called it.
    pub fn file(path: &Path, name: impl Into<String>) -> Self {
        Self::File {
            path: Bytes::of(path),
            name: name.into(),
        }
    }

    /// What it is called in a report.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::File { name, .. } => name,
            Self::Message(_) => "message",
        }
    }

    /// How many bytes there are to look at.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::File { path, .. } => path.path().metadata().map_or(0, |it| it.len()),
            Self::Message(text) => text.len() as u64,
        }
    }
}

impl Job {
    /// Judges one of its items.
    pub(super) fn scan(&self, rules: &RuleSet, item: &Item) -> Result<ScanReport, String> {
        let mut scanner = Scanner::new(rules)
            .policy(self.policy)
            .first_contact(self.is_first_contact);
        if self.looks_for_secrets {
            scanner = scanner.looking_for_secrets();
        }
        match item {
            Item::Message(text) => Ok(scanner.message(text)),
            Item::File { path, name } => {
                let scanned = open(&path.path()).map_err(|it| it.to_string());
                let scanned = scanned.and_then(|mut file| {
                    let scanned = scanner.file(name, &mut file);
                    scanned.map_err(|it| it.to_string())
                });
                scanned.map_err(|it| format!("it cannot be read: {it}"))
            }
        }
    }
}

/// Is a scanner: reads one question from `input`, shuts itself in, and answers to `output`.
///
/// Call it in a process that has one thread, and does nothing else.
pub fn run_worker(input: impl io::Read, output: &mut impl Write) -> io::Result<()> {
    let mut question = String::new();
    io::BufReader::new(input.take(MAX_QUESTION)).read_line(&mut question)?;
    let job: Job = serde_json::from_str(&question)?;
    // Before it is shut in: whatever rules need is in the program.
    let rules = RuleSet::load().map_err(io::Error::other)?;
    let bytes = job.items.iter().map(Item::length);
    let bytes = bytes.fold(0_u64, u64::saturating_add);
    let roots: Vec<PathBuf> = job.roots.iter().map(Bytes::path).collect();
    let degraded = sandbox::shut_in(&roots, job.items.len(), bytes).err();
    answer(output, &Answer::Ready { degraded })?;
    for item in &job.items {
        let said = match job.scan(&rules, item) {
            Ok(report) => Answer::Report(Box::new(report)),
            Err(why) => Answer::Failed(why),
        };
        answer(output, &said)?;
    }
    Ok(())
}

fn answer(output: &mut impl Write, answer: &Answer) -> io::Result<()> {
    serde_json::to_writer(&mut *output, answer)?;
    output.write_all(b"\n")?;
    output.flush()
}
