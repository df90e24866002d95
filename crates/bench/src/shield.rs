//! What Shield says of files, one line each.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use agentdrop_shield::{Finding, RuleSet, ScanReport, Scanner};
use serde_json::{Value, json};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files, and folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Say of each finding where it is and what it shows, too
    #[arg(long)]
    findings: bool,
}

/// Judges all of them, as whoever receives one. What comes last is about all.
pub(crate) fn run(args: &Args) -> io::Result<Value> {
    let (rules, load) = load()?;
    let scanner = Scanner::new(&rules);
    let mut paths = Vec::new();
    for path in &args.paths {
        files(path, &mut paths)?;
    }
    let (mut out, began, mut bytes) = (io::stdout().lock(), Instant::now(), 0);
    for path in &paths {
        bytes += fs::metadata(path)?.len();
        let line = judge(&scanner, path, args.findings)?;
        // Each as it comes: whoever waits for one that takes too long knows which.
        writeln!(out, "{line}")?;
        out.flush()?;
    }
    Ok(json!({
        "files": paths.len(),
        "bytes": bytes,
        "seconds": began.elapsed().as_secs_f64(),
        "load_ms": load.as_secs_f64() * 1000.0,
        "rule_set": rules.version(),
        "peak_mib": peak()?,
    }))
}

/// The most memory that this process had, where the system says so.
fn peak() -> io::Result<Option<f64>> {
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let mut lines = status.lines();
    let most = lines.find_map(|it| it.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    Ok(most.and_then(|it| Some(it.parse::<f64>().ok()? / 1024.0)))
}

/// The rules, and how long it took to have them.
pub(crate) fn load() -> io::Result<(RuleSet, Duration)> {
    let began = Instant::now();
    let rules = RuleSet::load().map_err(io::Error::other)?;
    Ok((rules, began.elapsed()))
}

fn judge(scanner: &Scanner<'_>, path: &Path, with_findings: bool) -> io::Result<Value> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut file = File::open(path)?;
    let began = Instant::now();
    // One file that it cannot bear must not keep the others from being judged.
    let judged = catch_unwind(AssertUnwindSafe(|| scanner.file(&name, &mut file)));
    let ms = began.elapsed().as_secs_f64() * 1000.0;
    let mut line = match judged {
        Ok(report) => said(&report.map_err(io::Error::other)?, with_findings),
        Err(_) => json!({ "level": "PANIC", "blocked": false, "rules": [] }),
    };
    line["path"] = json!(path);
    line["ms"] = json!(ms);
    Ok(line)
}

fn said(report: &ScanReport, with_findings: bool) -> Value {
    let rules = report.findings.iter();
    let rules: Vec<_> = rules.map(|it| (&it.rule, it.threat_level)).collect();
    let mut line = json!({
        "level": report.threat_level,
        "blocked": report.blocked,
        "rules": rules,
        "intent": report.intent_score,
        "semantic": report.semantic_score,
    });
    if with_findings {
        let shown = |it: &Finding| json!([it.rule, it.threat_level, it.place, it.line, it.excerpt]);
        line["findings"] = report.findings.iter().map(shown).collect();
    }
    line
}

/// The files in a folder and those further in, in an order that stays. No links: not what they lead to.
pub(crate) fn files(path: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let kind = fs::symlink_metadata(path)?.file_type();
    if kind.is_file() {
        found.push(path.to_owned());
    } else if kind.is_dir() {
        let inside = fs::read_dir(path)?.map(|it| Ok(it?.path()));
        let mut inside = inside.collect::<io::Result<Vec<_>>>()?;
        inside.sort();
        for path in &inside {
            files(path, found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        let mut file = File::create(path).unwrap();
        io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    }

    #[test]
    fn what_is_further_in_is_found_in_an_order_that_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["c", "b/z", "b/a", "a"] {
            write(&folder.path().join(name), name);
        }
        let mut found = Vec::new();
        files(folder.path(), &mut found).unwrap();
        let names = ["a", "b/a", "b/z", "c"].map(|it| folder.path().join(it));
        assert_eq!(found, names);
    }

    #[test]
    fn a_line_says_what_became_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        write(&path, "The meeting is on Tuesday.\n");
        let rules = RuleSet::load().unwrap();
        let line = judge(&Scanner::new(&rules), &path, true).unwrap();
        assert_eq!(
            (&line["level"], &line["blocked"]),
            (&json!("CLEAN"), &json!(false))
        );
        assert_eq!(line["path"], json!(path));
    }
}
