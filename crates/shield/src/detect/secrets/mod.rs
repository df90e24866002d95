//! Keys and passwords: whoever sends a file is told before, whoever gets one is told quietly.
//!
//! No excerpt shows one: four letters and how many there are.

mod assigned;
mod forms;

use agentdrop_protocol::report::{Finding, Layer, ThreatLevel};

use super::names;
use crate::budget::Step;
use crate::kind::Kind;
use crate::walk::{Input, Walk, Window};

/// Looks for the forms of keys in what passes.
pub(crate) fn look(walk: &mut Walk<'_>, window: &Window<'_>) -> Step {
    let is_text = matches!(
        window.kind,
        Kind::Text | Kind::Html | Kind::Xml | Kind::Rtf | Kind::Email
    );
    if !is_text {
        return Ok(());
    }
    for found in forms::all(window.bytes) {
        note(walk, window, &found);
    }
    if walk.looks_for_secrets {
        walk.budget.work(window.bytes.len() as u64)?;
        for found in assigned::all(window.bytes) {
            note(walk, window, &found);
        }
    }
    Ok(())
}

/// Looks at the name of a file, which often says that it is nobody else's.
pub(crate) fn look_at_name(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    walk.budget.work(input.name.len() as u64)?;
    if walk.looks_for_secrets && is_private(names::base(input.name)) {
        let place = walk.place();
        walk.add(Finding {
            rule: "secret/file-name".to_owned(),
            layer: Layer::Secrets,
            threat_level: ThreatLevel::Medium,
            confidence: 0.6,
            place,
            line: None,
            excerpt: None,
            reason: "files of this name usually hold keys or passwords".to_owned(),
            advice: ADVICE.to_owned(),
        });
    }
    Ok(())
}

/// A key that was found.
#[derive(Debug)]
struct Secret {
    rule: &'static str,
    /// What it opens.
    what: &'static str,
    level: ThreatLevel,
    at: usize,
    /// The beginning and the length.
    shown: String,
}

impl Secret {
    /// Shows the first four letters and how many there are.
    fn shown(bytes: &[u8]) -> String {
        let first: String = bytes.iter().take(4).map(|it| char::from(*it)).collect();
        format!("{first}… ({} characters)", bytes.len())
    }
}

const ADVICE: &str =
    "send it only if it is meant for the recipient; a key that was sent should be replaced";

fn note(walk: &mut Walk<'_>, window: &Window<'_>, found: &Secret) {
    let before = window.bytes.get(..found.at).unwrap_or_default();
    let line = 1 + memchr::memchr_iter(b'\n', before).count() as u64;
    let level = if walk.looks_for_secrets {
        found.level
    } else {
        ThreatLevel::Low
    };
    let place = walk.place();
    walk.add(Finding {
        rule: found.rule.to_owned(),
        layer: Layer::Secrets,
        threat_level: level,
        confidence: 0.9,
        place,
        line: (window.offset == 0).then_some(line),
        excerpt: Some(found.shown.clone()),
        reason: format!("it has {} in it", found.what),
        advice: ADVICE.to_owned(),
    });
}

fn is_private(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_sample = ["example", "sample", "template", "dist", "test"];
    let whole = [
        ".env",
        ".netrc",
        "_netrc",
        ".pgpass",
        ".my.cnf",
        ".git-credentials",
        ".htpasswd",
        ".npmrc",
        ".pypirc",
        "id_rsa",
        "id_dsa",
        "id_ecdsa",
        "id_ed25519",
        "credentials",
        "credentials.json",
        "kubeconfig",
        "wallet.dat",
        "logins.json",
        "key4.db",
        "shadow",
        "secring.gpg",
        ".dockercfg",
        "login data",
        "service-account.json",
        "accesstokens.json",
        ".vault-token",
        "terraform.tfstate",
    ];
    let ending = names::extension(&name);
    let endings = [
        "pem", "key", "p12", "pfx", "ppk", "kdbx", "jks", "keystore", "asc", "ovpn",
    ];
    if is_sample.iter().any(|it| name.contains(it)) {
        return false;
    }
    whole.contains(&name.as_str())
        || name.starts_with(".env.")
        || (endings.contains(&ending.as_str()) && ending != "asc" && ending != "pem")
}
