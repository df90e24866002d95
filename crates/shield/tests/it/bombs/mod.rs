//! Bombs: what is small and would be large, or takes for ever. Each is looked at in a process of its own,
//! for what counts is the most memory that it ever had.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod generated;
mod known;
mod texts;

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use agentdrop_shield::{Limits, RuleSet, ScanReport, Scanner};

const BOMB: &str = "TEST_SHIELD_BOMB";

/// What a scan may take, all told.
const MOST_MEMORY: u64 = 256 << 20;

/// Looks at a bomb in this process.
fn scan(path: &Path) -> ScanReport {
    let rules = RuleSet::load().unwrap();
    // A bomb is told by what it is. Time would depend on the machine.
    let limits = Limits {
        time: Duration::from_mins(10),
        ..Limits::default()
    };
    let mut file = File::open(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let scanner = Scanner::new(&rules).limits(limits);
    scanner.file(name, &mut file).unwrap()
}

/// Looks at a bomb in another process, which is this test once more.
fn scan_apart(test: &str, name: &str, bomb: &[u8]) -> ScanReport {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    write(&path, bomb);
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", test])
        .env(BOMB, &path)
        .output()
        .unwrap();
    let out = String::from_utf8(child.stdout).unwrap();
    let errors = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{name}: {out}\n{errors}");
    let said = out.split_once('{').map(|it| it.1);
    let said = said.and_then(|it| it.rsplit_once('}')).unwrap().0;
    serde_json::from_str(&format!("{{{said}}}")).unwrap()
}

/// What that process does, if it is that one: scans, says what it found, and how much memory it had.
fn is_apart() -> bool {
    let Some(path) = env::var_os(BOMB) else {
        return false;
    };
    let report = scan(Path::new(&path));
    assert_memory();
    let mut out = std::io::stdout();
    serde_json::to_writer(&mut out, &report).unwrap();
    true
}

/// Asserts that this process never had more memory than it may.
fn assert_memory() {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find_map(|it| it.strip_prefix("VmHWM:"))
        .unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak << 10 <= MOST_MEMORY, "{} MiB", peak >> 10);
}

#[expect(
    clippy::disallowed_methods,
    reason = "nobody else sees what a test writes"
)]
fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

/// Asserts that it was told as what goes beyond a limit, and not because a clock ran out.
fn assert_told(name: &str, report: &ScanReport) {
    let told = report.findings.iter().find(|it| {
        it.rule.starts_with("resource-limit/")
            && it.threat_level >= agentdrop_shield::ThreatLevel::Medium
    });
    let told = told.unwrap_or_else(|| panic!("{name}: {:#?}", report.findings));
    assert!(
        !matches!(&*told.rule, "resource-limit/time" | "resource-limit/slow"),
        "{name}: {told:#?}"
    );
}
