//! How transfers are protected, and by what others are known: in words, and for programs.

use agentdrop_client::trust::{How, MetHow};
use agentdrop_client::{KnownBy, SealedAs, Security};
use agentdrop_protocol::wire::transfers::Transfer;
use serde::Serialize;
use serde_json::{Value, json};

use crate::printer::Printer;

/// What the server listed, with how each transfer is sealed.
pub(crate) fn listed(page: &impl Serialize, transfers: &[Transfer]) -> Value {
    let mut page = json!(page);
    let shown = page.get_mut("transfers").and_then(Value::as_array_mut);
    for (shown, it) in shown.into_iter().flatten().zip(transfers) {
        shown["security"] = json!(SealedAs::of(it).as_str());
    }
    page
}

/// By what another agent is known, as a program reads it.
pub(crate) fn peer(it: Option<&KnownBy>) -> Value {
    let Some(it) = it else {
        return Value::Null;
    };
    let (met, before) = match &it.met {
        MetHow::FirstUse => ("first-use", None),
        MetHow::Known => ("known", None),
        MetHow::Rotated(before) => ("rotated", Some(before.to_string())),
    };
    json!({ "agent_id": it.agent, "key": it.key, "how": it.how, "met": met, "key_before": before })
}

/// What protects a transfer, on one line; none for what is said elsewhere.
pub(crate) fn words(security: Security, peer: Option<&KnownBy>) -> Option<String> {
    Some(match (security, peer) {
        (Security::Verified, Some(it)) => format!("verified, {}", known_by(it.how)),
        (Security::Verified, None) => "verified".to_owned(),
        (Security::Compatible, Some(_)) => {
            "compatible: whose key it is, is the server's word".to_owned()
        }
        _ => return None,
    })
}

const fn known_by(how: How) -> &'static str {
    match how {
        How::Compared => "by a key that was compared",
        How::Pairing => "by the key that was shown at pairing",
        How::Rotated => "by a key that the one before it named, and that was not compared",
        _ => "by a key that was not compared",
    }
}

/// What is new about another agent, if anything is.
pub(crate) fn say_news(security: Security, peer: Option<&KnownBy>, name: &str, printer: &Printer) {
    let Some(it) = peer else { return };
    let compare = format!("agentdrop trust compare {}", it.agent);
    match (security, &it.met) {
        (Security::Verified, MetHow::FirstUse) => printer.note(&format!(
            "This is the first time with {name}, whose key is the server's word until it is compared: `{compare}`."
        )),
        (Security::Verified, MetHow::Rotated(before)) => printer.note(&format!(
            "{name} has another key than {before}, which said so itself. To be sure: `{compare}`."
        )),
        (Security::Compatible, MetHow::FirstUse) => printer.note(&format!(
            "This is the first time with {name}, which signs nothing: whose key it is, is the server's word."
        )),
        _ => {}
    }
}
