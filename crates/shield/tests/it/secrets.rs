//! Keys and passwords, before they are sent.

use agentdrop_protocol::api_key::{ApiKey, KeyKind};
use agentdrop_shield::ThreatLevel::{self, Clean, High, Low, Medium};
use agentdrop_shield::{RuleSet, ScanReport, Scanner};

use crate::looked::{level, look};

fn look_before_sending(name: &str, text: &str) -> ScanReport {
    let rules = RuleSet::load().unwrap();
    Scanner::new(&rules)
        .looking_for_secrets()
        .bytes(name, text.as_bytes())
}

/// Letters by chance enough, and never a key that stands whole in a source.
fn letters(count: usize) -> String {
    let all = b"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cX0fR";
    (0..count)
        .map(|it| char::from(all[it * 7 % all.len()]))
        .collect()
}

fn upper(count: usize) -> String {
    let all = b"Q2W3E4R5T6Y7UAISODPFGHJKLZXCVBNM";
    (0..count)
        .map(|it| char::from(all[it * 11 % all.len()]))
        .collect()
}

#[test]
fn keys_are_found_before_they_are_sent_and_never_shown() {
    let chance: [u8; 64] = std::array::from_fn(|it| (it * 37 % 248) as u8);
    let ours = ApiKey::new(KeyKind::Agent, &chance).unwrap();
    let body = letters(64);
    let keys: Vec<(String, &str, ThreatLevel)> = vec![
        (
            format!("-----BEGIN OPENSSH {} KEY-----\n{body}\n", "PRIVATE"),
            "secret/private-key",
            High,
        ),
        (format!("AKIA{}", upper(16)), "secret/aws", High),
        (format!("ghp_{}", letters(36)), "secret/github", High),
        (format!("glpat-{}", letters(20)), "secret/gitlab", High),
        (
            format!("xoxb-{}-{}", "482917365028", letters(24)),
            "secret/slack",
            High,
        ),
        (format!("sk_live_{}", letters(24)), "secret/stripe", High),
        (
            format!("sk-ant-{}-{}", "api03", letters(80)),
            "secret/anthropic",
            High,
        ),
        (format!("npm_{}", letters(36)), "secret/npm", High),
        (
            format!("eyJ{}.eyJ{}.{}", letters(30), letters(40), letters(43)),
            "secret/jwt",
            Medium,
        ),
        (ours.expose_secret().to_owned(), "secret/agentdrop", High),
        (
            format!("db_password = \"{}\"", letters(20)),
            "secret/assigned",
            Low,
        ),
    ];
    for (key, rule, is) in keys {
        let text = format!("first line\nkey: {key}\n");
        let report = look_before_sending("config.txt", &text);
        assert_eq!(
            level(&report, rule),
            Some(is),
            "{rule}: {:#?}",
            report.findings
        );
        let shown = format!("{:?}", report.findings);
        let hidden = key
            .rsplit(['=', '\n', '_', '-'])
            .find(|it| it.len() > 12)
            .unwrap();
        assert!(
            !shown.contains(hidden.trim_matches(['"', ' '])),
            "{rule} is shown"
        );
        // For who receives it, it is no reason to refuse.
        assert!(
            look("config.txt", text.as_bytes()).threat_level <= Low,
            "{rule}"
        );
    }
}

#[test]
fn what_only_looks_like_a_key_passes() {
    let chance: [u8; 64] = std::array::from_fn(|it| (it * 37 % 248) as u8);
    let mut mistyped = ApiKey::new(KeyKind::Agent, &chance)
        .unwrap()
        .expose_secret()
        .to_owned();
    mistyped.replace_range(12..13, if &mistyped[12..13] == "a" { "b" } else { "a" });
    let texts = [
        "AKIAIOSFODNN7EXAMPLE\n".to_owned(),
        format!("ghp_{}\n", "x".repeat(36)),
        "password = \"changeme\"\n".to_owned(),
        "password: ${DB_PASSWORD}\n".to_owned(),
        "-----BEGIN PUBLIC KEY-----\nMIIB\n".to_owned(),
        "token = os.environ['TOKEN']\n".to_owned(),
        "secret_path = /etc/app/v1.2/secret.conf\n".to_owned(),
        format!("{mistyped}\n"),
    ];
    for text in texts {
        let report = look_before_sending("notes.txt", &text);
        assert_eq!(report.threat_level, Clean, "{text}: {:#?}", report.findings);
    }
}

#[test]
fn a_file_whose_name_says_that_it_is_private_is_told_before_it_is_sent() {
    for name in [
        ".env",
        "id_rsa",
        ".netrc",
        "server.key",
        "secrets.kdbx",
        ".env.production",
    ] {
        let report = look_before_sending(name, "x\n");
        assert_eq!(level(&report, "secret/file-name"), Some(Medium), "{name}");
    }
    for name in [".env.example", "id_rsa.pub", "notes.txt", "cert.pem"] {
        assert_eq!(
            level(&look_before_sending(name, "x\n"), "secret/file-name"),
            None,
            "{name}"
        );
    }
    assert_eq!(level(&look(".env", b"x\n"), "secret/file-name"), None);
}
