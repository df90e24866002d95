//! What others say of themselves, and the server hands on: descriptions, names, messages, reasons.
//!
//! Whoever lists agents reads it too, so it is judged as what comes with files is. What would be kept
//! from the agent there is withheld here.

use std::collections::BTreeSet;
use std::{env, mem};

use agentdrop_client::shield::{Item, Mode, Policy, Scanned};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::exit::{Failure, Result};
use crate::printer::Printer;
use crate::screening::shield;

/// What stands in the place of what is withheld.
const WITHHELD: &str = "(withheld)";

/// Where others write what they like.
const FIELDS: &[&str] = &[
    "account_name",
    "description",
    "message",
    "metadata",
    "name",
    "reason",
    "sender",
];

/// What the server said, without what others should not say to an agent.
pub(crate) struct Judged<T> {
    pub(crate) it: T,
    withheld: Vec<Scanned>,
    /// Why nothing could be judged, if nothing could.
    failed: Option<String>,
}

impl<T: Serialize> Judged<T> {
    /// For programs: what there is, and beside it what was withheld and why.
    pub(crate) fn json(&self) -> Value {
        self.beside(json!(self.it))
    }

    /// The same beside something that was made of it.
    pub(crate) fn beside(&self, mut said: Value) -> Value {
        if self.withheld.is_empty() && self.failed.is_none() {
            return said;
        }
        let withheld = self.withheld.iter().map(|it| {
            let rules: BTreeSet<&str> = it.report.findings.iter().map(|it| &*it.rule).collect();
            json!({ "threat_level": it.report.threat_level, "rules": rules })
        });
        let withheld: Vec<Value> = withheld.collect();
        said["shield"] = json!({ "withheld": withheld, "failed": self.failed });
        said
    }

    /// Says to a person what was withheld.
    pub(crate) fn say(&self, printer: &Printer) {
        for it in &self.withheld {
            if let Some(worst) = it.report.findings.first() {
                let message = format!("a text of another is withheld: {}", worst.reason);
                printer.warning(&message, "with `AGENTDROP_SHIELD=off` it is shown");
            }
        }
        if let Some(why) = &self.failed {
            let message = format!("what others wrote is withheld: {why}");
            printer.warning(&message, "with `AGENTDROP_SHIELD=off` it is shown");
        }
    }
}

/// Judges what others say in it.
pub(crate) async fn judged<T: Serialize + DeserializeOwned>(it: T) -> Result<Judged<T>> {
    let mut judged = Judged {
        it,
        withheld: Vec::new(),
        failed: None,
    };
    let mut said = json!(judged.it);
    let mut texts = BTreeSet::new();
    each(&mut said, false, &mut |text| {
        texts.insert(text.clone());
    });
    let policy = policy();
    if texts.is_empty() || policy.mode == Mode::Off {
        return Ok(judged);
    }
    let texts: Vec<String> = texts.into_iter().collect();
    let items = texts.iter().cloned().map(Item::Message).collect();
    let bad: BTreeSet<&str> = match shield(policy)?.scan(Vec::new(), items).await {
        Ok(scan) => {
            let failed = scan.failed.iter().map(|it| it.0);
            let blocked = scan.scanned.iter().filter(|it| it.report.blocked);
            let bad = blocked.map(|it| it.n).chain(failed);
            let bad = bad.filter_map(|n| texts.get(n)).map(String::as_str);
            let bad = bad.collect();
            let kept = scan.scanned.into_iter().filter(|it| it.report.blocked);
            judged.withheld = kept.collect();
            bad
        }
        Err(error) => {
            judged.failed = Some(error.to_string());
            texts.iter().map(String::as_str).collect()
        }
    };
    if !bad.is_empty() {
        each(&mut said, false, &mut |text| {
            if bad.contains(text.as_str()) {
                WITHHELD.clone_into(text);
            }
        });
        // What the server says is a stranger's, too: it may be such that no other text fits there.
        judged.it = serde_json::from_value(said).map_err(|_| {
            let message =
                "a text of another is withheld, and what is left of the answer cannot be read";
            Failure::refused(
                "BAD_ANSWER",
                message,
                "with `AGENTDROP_SHIELD=off` it is shown",
            )
        })?;
    }
    Ok(judged)
}

/// Every text in it that somebody wrote, and that can be more than a name.
fn each(said: &mut Value, is_theirs: bool, with: &mut impl FnMut(&mut String)) {
    match said {
        Value::String(text)
            if is_theirs && (text.contains(char::is_whitespace) || !text.is_ascii()) =>
        {
            with(text);
        }
        Value::Array(all) => all.iter_mut().for_each(|it| each(it, is_theirs, with)),
        Value::Object(fields) => {
            if is_theirs {
                // Of what is wholly theirs, the names of values are theirs as well.
                let all = mem::take(fields).into_iter().map(|(name, it)| {
                    let mut name = Value::String(name);
                    each(&mut name, true, with);
                    (name.as_str().unwrap_or(WITHHELD).to_owned(), it)
                });
                *fields = all.collect();
            }
            for (name, it) in fields {
                let is_theirs = is_theirs || FIELDS.contains(&name.as_str());
                each(it, is_theirs, with);
            }
        }
        _ => {}
    }
}

/// That of the environment, as where files are received.
fn policy() -> Policy {
    let said = |name| env::var(name).ok();
    let (mode, strictness) = (said("AGENTDROP_SHIELD"), said("AGENTDROP_STRICTNESS"));
    Policy {
        mode: mode.and_then(|it| it.parse().ok()).unwrap_or_default(),
        strictness: strictness
            .and_then(|it| it.parse().ok())
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_write_is_met_wherever_it_stands() {
        let mut said = json!({
            "id": "not theirs",
            "message": "one text",
            "metadata": { "a name": { "plain": ["two texts", "word"], "another name": 1 } },
        });
        let mut met = Vec::new();
        each(&mut said, false, &mut |it| {
            met.push(mem::replace(it, WITHHELD.to_owned()));
        });
        met.sort();
        assert_eq!(met, ["a name", "another name", "one text", "two texts"]);
        let left = json!({
            "id": "not theirs",
            "message": WITHHELD,
            "metadata": { WITHHELD: { "plain": [WITHHELD, "word"], WITHHELD: 1 } },
        });
        assert_eq!(said, left);
    }
}
