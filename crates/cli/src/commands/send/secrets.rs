//! Before files are sent: whether keys or passwords are among them.

use std::path::PathBuf;

use agentdrop_client::shield::{Finding, Item, Layer, Policy, ThreatLevel};

use super::{Args, is_stdin};
use crate::exit::{Failure, Result};
use crate::printer::Printer;
use crate::screening::shield;
use crate::walked::{Target, targets};

/// Longer files hold no keys that somebody forgot there.
const MAX_FILE: u64 = 8 << 20;
/// So much is looked through: it must not hold up who sends folders of a million files.
const MAX_FILES: usize = 2_000;
const MAX_BYTES: u64 = 128 << 20;
/// Findings that are told one by one.
const TOLD: usize = 5;

/// Asks, where keys or passwords are about to be sent; without somebody to ask, nothing is sent.
pub(super) async fn expect_none(args: &Args, printer: &Printer) -> Result<()> {
    if args.allow_secrets || args.yes {
        return Ok(());
    }
    let found = found(args).await?;
    if found.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = found.iter().take(TOLD).map(told).collect();
    let more = match found.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let message = format!("there may be secrets in it: {}{more}", told.join("; "));
    if printer.asks() {
        printer.note(&message);
        if printer.agreed("Send it all the same?").await? {
            return Ok(());
        }
        let hint = "leave out what is secret, or send it with `--allow-secrets`";
        return Err(Failure::refused("NOT_CONFIRMED", "nothing was sent", hint));
    }
    let hint = "leave it out; if it is meant for the recipient, send it with `--allow-secrets`";
    Err(Failure::refused("SECRETS_FOUND", message, hint))
}

fn told((path, finding): &(String, Finding)) -> String {
    let line = finding.line.map(|it| format!(", line {it}"));
    format!("{path}{}: {}", line.unwrap_or_default(), finding.reason)
}

async fn found(args: &Args) -> Result<Vec<(String, Finding)>> {
    let mut files = Vec::new();
    for path in args.files.iter().filter(|it| !is_stdin(it)) {
        // What cannot be read is told by who sends it.
        targets(path, &mut files, &mut |_, _| {});
    }
    let mut left = MAX_BYTES;
    files.retain(|it| {
        let is_looked_at = it.bytes <= MAX_FILE.min(left);
        left -= if is_looked_at { it.bytes } else { 0 };
        is_looked_at
    });
    files.truncate(MAX_FILES);
    let mut roots: Vec<PathBuf> = files.iter().map(|it| it.root.clone()).collect();
    roots.dedup();
    let items = files.iter().map(|it| Item::file(&it.path, &*it.name));
    let shield = shield(Policy::default())?.looking_for_secrets();
    let scan = shield.scan(roots, items.collect()).await?;
    let mut found = Vec::new();
    for it in scan.scanned {
        let shown = files.get(it.n).map(|it: &Target| it.shown.clone());
        let secrets = it
            .report
            .findings
            .into_iter()
            .find(|it| it.layer == Layer::Secrets && it.threat_level >= ThreatLevel::Medium);
        found.extend(shown.zip(secrets));
    }
    Ok(found)
}
