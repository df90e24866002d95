//! Records of the audit logs that do not follow each other, as they are printed.

use agentdrop_server::Verified;
use serde_json::{Value, json};

use crate::printer::{Mark, Printer};

/// The broken ones, for programs.
pub(super) fn as_json(verified: &Verified) -> Vec<Value> {
    let broken = verified.broken.iter().map(|it| {
        json!({
            "account_id": it.account,
            "seq": it.seq,
            "fault": it.fault.as_str(),
            "message": it.fault.to_string(),
        })
    });
    broken.collect()
}

/// How many there are.
pub(super) fn print_count(verified: &Verified, printer: &Printer) {
    let (records, logs) = (verified.records, verified.logs);
    printer.line(&format!(
        "{records} records in {logs} logs follow each other"
    ));
}

/// The broken ones, for people.
pub(super) fn print(verified: &Verified, printer: &Printer) {
    for it in &verified.broken {
        let (account, seq, fault) = (it.account, it.seq, it.fault);
        printer.bare(&format!("{account} {seq} {}", fault.as_str()));
        let text = format!("account {account}, record {seq}: {fault}");
        printer.mark(Mark::Failed, &text);
    }
}
