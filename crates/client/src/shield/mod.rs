//! What was received is judged before an agent reads it.
//!
//! [`Shield`] says by which policy, and where: in a process of its own that can do nothing but read what
//! it is given and answer, or, for callers who ask for it, in this one. What is kept from the agent is in
//! the [`Quarantine`].

mod job;
mod quarantine;
mod sandbox;
mod worker;

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use agentdrop_shield::RuleSet;
pub use agentdrop_shield::{Finding, Layer, Mode, Policy, ScanReport, Strictness, ThreatLevel};
use serde::{Deserialize, Serialize};

pub use self::job::{Item, run_worker};
pub(crate) use self::quarantine::Taken;
pub use self::quarantine::{Held, HeldFile, Quarantine};
use self::worker::Worker;
use crate::blocking::blocking;
use crate::error::{Result, ShieldError};

/// By which policy is judged, and where.
#[derive(Clone, Debug)]
pub struct Shield {
    policy: Policy,
    how: How,
    is_first_contact: bool,
    looks_for_secrets: bool,
}

#[derive(Clone, Debug)]
enum How {
    InProcess(Arc<RuleSet>),
    Worker(Worker),
}

/// What was judged, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scanned {
    /// Which of the items it was.
    #[serde(skip)]
    pub n: usize,
    /// What its sender called it.
    pub name: String,
    /// What was found.
    #[serde(flatten)]
    pub report: ScanReport,
}

/// What came of judging several things.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// In the order in which they were given.
    pub scanned: Vec<Scanned>,
    /// Which of them could not be judged, and why.
    pub failed: Vec<(usize, String)>,
    /// Why the scanner was not shut in as it should be, if it was not.
    pub degraded: Option<String>,
}

impl Shield {
    /// Judges in this process. A file that is made to break a scanner may break this process with it.
    pub fn in_process(policy: Policy) -> Result<Self> {
        static RULES: OnceLock<Arc<RuleSet>> = OnceLock::new();
        let rules = if let Some(rules) = RULES.get() {
            Arc::clone(rules)
        } else {
            let rules = Arc::new(RuleSet::load().map_err(ShieldError::Scan)?);
            Arc::clone(RULES.get_or_init(|| rules))
        };
        Ok(Self::new(policy, How::InProcess(rules)))
    }

    /// Judges in a process of its own: a program that calls [`run_worker`] when it is begun like this.
    pub fn in_worker(program: PathBuf, arguments: Vec<OsString>, policy: Policy) -> Self {
        Self::new(policy, How::Worker(Worker { program, arguments }))
    }

    fn new(policy: Policy, how: How) -> Self {
        Self {
            policy,
            how,
            is_first_contact: false,
            looks_for_secrets: false,
        }
    }

    /// By which policy.
    pub const fn policy(&self) -> Policy {
        self.policy
    }

    /// From whom nothing came before: what is hidden in it weighs more.
    pub(crate) const fn first_contact(mut self, is_first: bool) -> Self {
        self.is_first_contact = is_first;
        self
    }

    /// For who is about to send: keys and passwords are findings of their own weight.
    pub const fn looking_for_secrets(mut self) -> Self {
        self.looks_for_secrets = true;
        self
    }

    /// Judges all of them. `roots` are the folders and files that hold them: a process of its own can
    /// read nothing else.
    pub async fn scan(&self, roots: Vec<PathBuf>, items: Vec<Item>) -> Result<Scan> {
        if self.policy.mode == Mode::Off || items.is_empty() {
            return Ok(Scan::default());
        }
        let job = job::Job {
            roots: roots.iter().map(|it| job::Bytes::of(it)).collect(),
            policy: self.policy,
            is_first_contact: self.is_first_contact,
            looks_for_secrets: self.looks_for_secrets,
            items,
        };
        match &self.how {
            How::Worker(worker) => worker.scan(job).await,
            How::InProcess(rules) => {
                let rules = Arc::clone(rules);
                blocking(move || {
                    let mut scan = Scan::default();
                    for (n, item) in job.items.iter().enumerate() {
                        scan.add(n, item.name(), job.scan(&rules, item));
                    }
                    Ok(scan)
                })
                .await
            }
        }
    }
}

impl Scan {
    /// Whether something is kept from the agent.
    pub fn is_blocked(&self) -> bool {
        self.scanned.iter().any(|it| it.report.blocked)
    }

    fn add(&mut self, n: usize, name: &str, scanned: Result<ScanReport, String>) {
        match scanned {
            Ok(report) => self.scanned.push(Scanned {
                n,
                name: name.to_owned(),
                report,
            }),
            Err(why) => self.failed.push((n, why)),
        }
    }

    /// The worst level of all.
    pub fn level(&self) -> ThreatLevel {
        let levels = self.scanned.iter().map(|it| it.report.threat_level);
        levels.max().unwrap_or_default()
    }
}

/// Opens a file to be read, unless its name is a link or it is no file.
fn open(path: &Path) -> std::io::Result<File> {
    use rustix::fs::{CWD, Mode as Bits, OFlags, openat};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat(CWD, path, flags, Bits::empty())?);
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    Ok(file)
}
