//! A run of the command whose memory is looked at as long as it lives.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::sleep;

/// How often it is looked at: what grows only in its last moments is missed.
const EVERY: Duration = Duration::from_millis(10);

pub(super) struct Watched {
    process: Child,
    peak: u64,
}

/// How a run ended.
pub(super) struct Ended {
    pub(super) status: Option<i32>,
    /// What it said to people.
    pub(super) stderr: String,
    /// The most memory that it had, in KiB.
    pub(super) peak: u64,
}

impl Watched {
    /// Begins; what it says to people goes to the file `log`.
    pub(super) fn start(command: &mut Command, log: &Path) -> Self {
        let said = std::fs::File::create(log).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let process = command.stderr(said).spawn().unwrap();
        Self { process, peak: 0 }
    }

    /// Waits for its end.
    pub(super) async fn ended(&mut self, log: &Path) -> Ended {
        loop {
            self.look();
            if let Some(status) = self.process.try_wait().unwrap() {
                return Ended {
                    status: status.code(),
                    stderr: std::fs::read_to_string(log).unwrap(),
                    peak: self.peak,
                };
            }
            sleep(EVERY).await;
        }
    }

    /// Ends it at once; answers the most memory that it had.
    pub(super) fn kill(mut self) -> u64 {
        self.look();
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.peak
    }

    fn look(&mut self) {
        self.peak = self.peak.max(peak(self.process.id()));
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // A test that failed leaves none behind.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The most memory that a process had, in KiB; nothing, once it has ended.
pub(super) fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let kib = line.and_then(|it| it.trim().strip_suffix(" kB"));
    kib.map_or(0, |it| it.parse().unwrap())
}
