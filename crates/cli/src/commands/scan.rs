//! `agentdrop scan`: judges files as those that are received are.

use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread::available_parallelism;

use agentdrop_client::Shield;
use agentdrop_client::shield::{Finding, Item, Policy, Scan, ThreatLevel};
use agentdrop_protocol::FileName;
use serde_json::json;
use tempfile::NamedTempFile;
use tokio::task::JoinSet;

use crate::exit::{Exit, Failure, Result};
use crate::human;
use crate::printer::{Mark, Printer};
use crate::progress::Bar;
use crate::screening::{Strict, say_degraded, shield};
use crate::spool::spool;
use crate::walked::{Target, targets};

/// Judge files as those that are received are judged
#[derive(clap::Args)]
#[command(
    after_help = "Nothing leaves this machine. With `--json`, one object a file: `path`, `threat_level` (CLEAN LOW MEDIUM HIGH \
    CRITICAL), `blocked`, `injection_findings`, `warnings`, `details`, `findings`, `scan_time_ms`. That nothing is found does \
    not say that a file is harmless.\n\nExit status: 0 nothing would be kept from an agent, 1 something would, 2 something \
    could not be scanned."
)]
pub(crate) struct Args {
    /// Files, and folders with all that is below them; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    strict: Strict,
    /// What standard input is called [default: stdin]
    #[arg(long)]
    name: Option<FileName>,
    /// Say of each finding where it is, what it is, and what to do about it
    #[arg(long)]
    explain: bool,
}

/// Files that one process of the scanner judges.
const BATCH: usize = 100;

#[derive(Default)]
struct Tally {
    files: usize,
    flagged: usize,
    blocked: usize,
    failed: usize,
}

/// Judges them.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit> {
    let mut tally = Tally::default();
    let stdin = if args.paths.iter().any(|it| it.as_os_str() == "-") {
        Some(spooled(printer).await?)
    } else {
        None
    };
    let mut all = Vec::new();
    for path in &args.paths {
        match &stdin {
            Some(file) if path.as_os_str() == "-" => {
                let name = args.name.as_ref().map_or("stdin", FileName::as_str);
                all.push(Target {
                    shown: "-".to_owned(),
                    name: name.to_owned(),
                    ..Target::of(file.path(), file.path(), 0)
                });
            }
            _ => targets(path, &mut all, &mut |path, error| {
                tally.failed += 1;
                fail(&path.display().to_string(), &error.to_string(), printer);
            }),
        }
    }
    let policy = Policy {
        strictness: args.strict.strictness,
        ..Policy::default()
    };
    let shield = shield(policy)?;
    let mut degraded = None;
    let workers = available_parallelism().map_or(1, NonZero::get).min(4);
    let batches = batches(all);
    let (mut running, mut batches) = (JoinSet::new(), batches.into_iter());
    for batch in batches.by_ref().take(workers) {
        running.spawn(judge(shield.clone(), batch));
    }
    while let Some(done) = running.join_next().await {
        let (batch, scan) = done.expect("scanning does not panic")?;
        if let Some(batch) = batches.next() {
            running.spawn(judge(shield.clone(), batch));
        }
        tell(&batch, &scan, args.explain, &mut tally, printer);
        degraded = degraded.or(scan.degraded);
    }
    say_degraded(degraded.as_deref(), printer);
    Ok(tally.said(printer))
}

fn batches(targets: Vec<Target>) -> Vec<Vec<Target>> {
    let mut batches: Vec<Vec<Target>> = Vec::new();
    for target in targets {
        match batches.last_mut().filter(|it| it.len() < BATCH) {
            Some(batch) => batch.push(target),
            None => batches.push(vec![target]),
        }
    }
    batches
}

async fn judge(shield: Shield, batch: Vec<Target>) -> Result<(Vec<Target>, Scan)> {
    let mut roots: Vec<PathBuf> = batch.iter().map(|it| it.root.clone()).collect();
    roots.dedup();
    let items = batch.iter().map(|it| Item::file(&it.path, &*it.name));
    let scan = shield.scan(roots, items.collect()).await?;
    Ok((batch, scan))
}

async fn spooled(printer: &Printer) -> Result<NamedTempFile> {
    let mut typed = spool(&Bar::new(printer)).await?;
    let kept = || -> io::Result<NamedTempFile> {
        use io::Seek as _;
        let mut kept = NamedTempFile::new()?;
        typed.rewind()?;
        io::copy(&mut typed, &mut kept)?;
        Ok(kept)
    };
    let mut kept = kept;
    kept().map_err(|it| Failure::io("take in standard input", &it))
}

fn tell(batch: &[Target], scan: &Scan, explain: bool, tally: &mut Tally, printer: &Printer) {
    for (n, why) in &scan.failed {
        if let Some(target) = batch.get(*n) {
            tally.failed += 1;
            fail(&target.shown, why, printer);
        }
    }
    for it in &scan.scanned {
        let (Some(target), report) = (batch.get(it.n), &it.report) else {
            continue;
        };
        tally.files += 1;
        tally.flagged += usize::from(report.threat_level >= ThreatLevel::Medium);
        tally.blocked += usize::from(report.blocked);
        let mut object = json!({ "path": target.shown });
        if let (Some(object), Ok(serde_json::Value::Object(report))) =
            (object.as_object_mut(), serde_json::to_value(report))
        {
            object.extend(report);
        }
        printer.json(&object);
        if report.blocked {
            printer.bare(&target.shown);
        }
        let Some(worst) = report.findings.first() else {
            continue;
        };
        let mark = if report.blocked {
            Mark::Failed
        } else {
            Mark::Skipped
        };
        let level = level(report.threat_level);
        printer.mark(
            mark,
            &format!("{}: {level}: {}", target.shown, worst.reason),
        );
        if explain {
            report.findings.iter().for_each(|it| say(it, printer));
        }
    }
}

/// Says all of a finding.
pub(super) fn say(it: &Finding, printer: &Printer) {
    let line = it.line.map(|it| it.to_string());
    let rule = format!("{} ({})", it.rule, level(it.threat_level));
    let mut fields = vec![("rule", &*rule), ("where", &*it.place)];
    fields.extend(line.as_deref().map(|it| ("line", it)));
    fields.extend(it.excerpt.as_deref().map(|it| ("text", it)));
    fields.extend([("why", &*it.reason), ("advice", &*it.advice)]);
    printer.fields(&fields);
    printer.line("");
}

pub(super) const fn level(level: ThreatLevel) -> &'static str {
    match level {
        ThreatLevel::Clean => "clean",
        ThreatLevel::Low => "low",
        ThreatLevel::Medium => "medium",
        ThreatLevel::High => "high",
        ThreatLevel::Critical => "critical",
    }
}

fn fail(path: &str, why: &str, printer: &Printer) {
    printer.json(&json!({ "path": path, "error": { "code": "SCAN_FAILED", "message": why } }));
    printer.mark(Mark::Failed, &format!("{path}: {why}"));
}

impl Tally {
    fn said(&self, printer: &Printer) -> Exit {
        let scanned = human::count(self.files, "file");
        let said = match (self.blocked, self.flagged) {
            (0, 0) => format!("scanned {scanned}: nothing was found that counts"),
            (0, flagged) => format!("scanned {scanned}: {flagged} to be looked at"),
            (blocked, _) => format!("scanned {scanned}: {blocked} would be kept from an agent"),
        };
        let mark = if self.blocked == 0 {
            Mark::Ok
        } else {
            Mark::Failed
        };
        printer.mark(mark, &said);
        match self {
            Self { failed: 1.., .. } => Exit::Broken,
            Self { blocked: 1.., .. } => Exit::Refused,
            _ => Exit::Done,
        }
    }
}
