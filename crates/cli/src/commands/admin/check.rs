//! `agentdrop admin check`: whether all that should be there is.

use agentdrop_server::admin::{self, Checked, Finding};
use serde_json::{Value, json};

use super::broken;
use super::installation::Installation;
use crate::exit::{Exit, Failure, Result};
use crate::human;
use crate::printer::{Mark, Printer};

#[derive(clap::Args)]
#[command(
    after_help = "What the server encrypted is decrypted to its end, which shows every byte that was changed. What \
    its sender sealed is measured only: nobody here has the key. Audit logs are followed as by `admin audit \
    verify`. Files are counted from 0. Blobs that belong to no transfer are named, and are no fault: the server \
    deletes them. The exit status is 1 if something is wrong, and 2 if it cannot be looked for."
)]
pub(super) struct Args {
    #[command(flatten)]
    installation: Installation,
}

/// Checks everything.
pub(super) async fn run(args: Args, printer: &Printer) -> Result<Exit> {
    // What is wrong alone is 1: whoever watches must not take a wrong folder for it.
    let checked = look(args).await.map_err(|failure| Failure {
        exit: Exit::Broken.max(failure.exit),
        ..failure
    })?;
    printer.json(&report(&checked));
    let (blobs, transfers) = (checked.blobs, checked.transfers);
    printer.line(&format!("{blobs} files and parts of {transfers} transfers"));
    printer.fields(&[
        ("decrypted", &human::bytes(checked.decrypted)),
        ("measured only", &human::bytes(checked.measured)),
    ]);
    broken::print_count(&checked.audit, printer);
    for it in &checked.findings {
        let place = place(it);
        printer.bare(&format!("{place} {}", it.fault.as_str()));
        printer.mark(Mark::Failed, &format!("transfer {place}: {}", it.fault));
    }
    let unnamed = checked.wrong - checked.findings.len() as u64;
    if unnamed > 0 {
        printer.mark(Mark::Failed, &format!("and {unnamed} more"));
    }
    broken::print(&checked.audit, printer);
    let orphans = &checked.orphans;
    if orphans.young + orphans.old > 0 {
        let (young, old) = (orphans.young, orphans.old);
        printer.line(&format!(
            "{} in blobs that belong to no transfer: {old} older than a day, {young} younger",
            human::bytes(orphans.bytes)
        ));
        for name in &orphans.named {
            printer.mark(Mark::Skipped, name);
        }
    }
    if checked.is_well() {
        printer.done("everything that should be there is");
        return Ok(Exit::Done);
    }
    Ok(Exit::Refused)
}

async fn look(args: Args) -> Result<Checked> {
    let config = args.installation.config()?;
    Ok(Box::pin(admin::check(&config)).await?)
}

/// Where something is wrong.
fn place(it: &Finding) -> String {
    let named = |name: &str, number: Option<u32>| number.map(|it| format!(" {name} {it}"));
    let (file, part) = (named("file", it.file), named("part", it.part));
    let (file, part) = (file.unwrap_or_default(), part.unwrap_or_default());
    format!("{}{file}{part}", it.transfer)
}

fn report(checked: &Checked) -> Value {
    let findings: Vec<_> = checked
        .findings
        .iter()
        .map(|it| {
            json!({
                "transfer_id": it.transfer,
                "file": it.file,
                "part": it.part,
                "fault": it.fault.as_str(),
                "message": it.fault.to_string(),
            })
        })
        .collect();
    json!({
        "ok": checked.is_well(),
        "transfers": checked.transfers,
        "blobs": checked.blobs,
        "decrypted_bytes": checked.decrypted,
        "measured_bytes": checked.measured,
        "wrong": checked.wrong,
        "findings": findings,
        "orphans": {
            "young": checked.orphans.young,
            "old": checked.orphans.old,
            "bytes": checked.orphans.bytes,
            "named": checked.orphans.named,
        },
        "audit": {
            "logs": checked.audit.logs,
            "records": checked.audit.records,
            "broken": broken::as_json(&checked.audit),
        },
    })
}
