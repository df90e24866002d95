//! How what comes in is judged: the flags, the scanner's process, and what is said of what it found.

use std::env;
use std::io;
use std::str::FromStr;

use agentdrop_client::Shield;
use agentdrop_client::shield::{Mode, Policy, Scan, Scanned, Strictness, ThreatLevel, run_worker};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure, Result};
use crate::printer::Printer;

/// How what comes in is judged.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Shield")]
pub(crate) struct Screening {
    /// What becomes of files that the scanner takes for harmful: `block` keeps them in quarantine, `review` too, to be decided about; `off` scans nothing
    #[arg(long = "shield", value_name = "MODE", env = "AGENTDROP_SHIELD", default_value_t, value_parser = Mode::from_str)]
    mode: Mode,
    #[command(flatten)]
    strictness: Strict,
}

/// From which level on.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Strict {
    /// From which level on something is kept from the agent: `permissive` critical, `standard` high, `strict` medium, `paranoid` low
    #[arg(long, value_name = "LEVEL", env = "AGENTDROP_STRICTNESS", default_value_t, value_parser = Strictness::from_str)]
    pub(crate) strictness: Strictness,
}

impl Screening {
    /// The scanner, under this policy.
    pub(crate) fn shield(self) -> Result<Shield> {
        shield(Policy {
            strictness: self.strictness.strictness,
            mode: self.mode,
        })
    }
}

/// The scanner, which is this program once more.
pub(crate) fn shield(policy: Policy) -> Result<Shield> {
    let program = env::current_exe().map_err(|it| Failure::io("find this program", &it))?;
    Ok(Shield::in_worker(
        program,
        vec!["scan-worker".into()],
        policy,
    ))
}

/// Is the scanner: judges what standard input says, and answers on standard output.
pub(crate) fn work() -> Result<Exit> {
    let done = run_worker(io::stdin().lock(), &mut io::stdout().lock());
    done.map_err(|it| Failure::io("scan", &it))?;
    Ok(Exit::Done)
}

/// What is said of what was found in files that were placed all the same.
pub(crate) fn say(scan: &Scan, printer: &Printer) {
    say_degraded(scan.degraded.as_deref(), printer);
    for it in &scan.scanned {
        if it.report.threat_level < ThreatLevel::Medium {
            continue;
        }
        if let Some(worst) = it.report.findings.first() {
            let message = format!("{}: {}", worst.place, worst.reason);
            printer.warning(&message, &worst.advice);
        }
    }
}

/// Says why the scanner was not shut in as it should be, if it was not.
pub(crate) fn say_degraded(why: Option<&str>, printer: &Printer) {
    if let Some(why) = why {
        let message = format!("the scanner worked without its sandbox: {why}");
        printer.warning(
            &message,
            "its limits of size and time held; update the kernel",
        );
    }
}

/// What was found, for programs.
pub(crate) fn as_json(scan: &Scan) -> Value {
    json!({
        "threat_level": scan.level(),
        "files": scan.scanned.iter().map(found).collect::<Vec<_>>(),
        "degraded": scan.degraded,
    })
}

fn found(it: &Scanned) -> Value {
    json!({
        "name": it.name,
        "threat_level": it.report.threat_level,
        "findings": it.report.findings,
    })
}
