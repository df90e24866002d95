//! The scanner in a process of its own, as who asks it sees it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use agentdrop_shield::{Limits, Scanner};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::Scan;
use super::job::{Answer, Item, Job};
use crate::error::{Result, ShieldError};

/// Files that one process is asked about.
pub(super) const BATCH: usize = 500;
/// No answer is longer: a hundred findings, each with a place and an excerpt.
const MAX_ANSWER: u64 = 4 << 20;
/// How long a process may take to begin.
const START: Duration = Duration::from_secs(30);

/// The program that is the scanner.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
}

struct Running {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    pub(super) async fn scan(&self, job: Job) -> Result<Scan> {
        let mut scan = Scan::default();
        let Job {
            roots,
            policy,
            is_first_contact,
            looks_for_secrets,
            items,
        } = job;
        let mut behind = 0;
        for batch in items.chunks(BATCH) {
            let (mut left, mut first) = (batch, first_of(&mut behind, batch));
            while !left.is_empty() {
                let job = Job {
                    roots: roots.clone(),
                    policy,
                    is_first_contact,
                    looks_for_secrets,
                    items: left.to_vec(),
                };
                let done = self.some(&job, first, &mut scan).await?;
                first += done;
                left = left.get(done..).unwrap_or_default();
            }
        }
        Ok(scan)
    }

    /// Judges items until all are done, or the scanner ends at one of them: that one is judged by that.
    /// The first of them is item `first` of all.
    async fn some(&self, job: &Job, first: usize, scan: &mut Scan) -> Result<usize> {
        let mut running = self.begin(job).await?;
        scan.degraded = match running.answer(START).await {
            Some(Answer::Ready { degraded }) => degraded,
            _ => return Err(ShieldError::Worker("it does not begin".to_owned()).into()),
        };
        for (n, item) in job.items.iter().enumerate() {
            let name = item.name();
            match running.answer(patience(item)).await {
                Some(Answer::Report(report)) => scan.add(first + n, name, Ok(*report)),
                Some(Answer::Failed(why)) => scan.add(first + n, name, Err(why)),
                Some(Answer::Ready { .. }) | None => {
                    running.child.kill().await.ok();
                    let report = Scanner::not_survived(name, job.policy);
                    scan.add(first + n, name, Ok(report));
                    return Ok(n + 1);
                }
            }
        }
        Ok(job.items.len())
    }

    async fn begin(&self, job: &Job) -> Result<Running> {
        let failed = |error: std::io::Error| ShieldError::Worker(error.to_string());
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let mut question = serde_json::to_vec(job).expect("a job has text keys");
        question.push(b'\n');
        let mut input = child.stdin.take().expect("it is piped");
        // It reads all of it before it answers anything, so neither waits for the other.
        input.write_all(&question).await.map_err(failed)?;
        drop(input);
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Ok(Running { child, answers })
    }
}

impl Running {
    /// The next answer; none, if it ended, takes too long, or says what is none.
    async fn answer(&mut self, patience: Duration) -> Option<Answer> {
        let mut line = String::new();
        let mut limited = (&mut self.answers).take(MAX_ANSWER);
        let read = timeout(patience, limited.read_line(&mut line)).await;
        read.ok()?.ok()?;
        serde_json::from_str(&line).ok()
    }
}

/// Which of all items the first of a batch is; those behind it are counted on.
fn first_of(behind: &mut usize, batch: &[Item]) -> usize {
    let first = *behind;
    *behind += batch.len();
    first
}

/// How long judging it may take. The scanner counts what it works, and ends by itself: this is for one
/// that waits for ever, on a machine that is busy with much else.
fn patience(item: &Item) -> Duration {
    let more = Duration::from_secs(item.length() / 2_000_000);
    Limits::default().time * 30 + more
}
