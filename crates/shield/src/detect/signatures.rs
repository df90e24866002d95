//! Patterns of bytes: rules in YARA's language, which are data.
//!
//! The same words are a script's deed and a manual's example, so a rule has two levels: `level` is that
//! for programs, `prose` that for texts about them.

use std::collections::HashMap;

use agentdrop_protocol::report::{Finding, Layer, ThreatLevel};
use boreal::MetadataValue;
use boreal::compiler::CompilerBuilder;
use boreal::scanner::ScanParams;

use super::names;
use crate::budget::Step;
use crate::error::ScanError;
use crate::excerpt::escaped;
use crate::kind::Kind;
use crate::walk::{MAX_EXCERPT, Walk, Window};

/// The rules about bytes, compiled.
#[derive(Debug)]
pub(crate) struct Signatures {
    scanner: boreal::Scanner,
    about: HashMap<String, About>,
}

/// What a rule says of itself.
#[derive(Debug)]
struct About {
    id: String,
    /// In programs.
    level: ThreatLevel,
    /// In texts for people; nothing where it is no finding there.
    prose: Option<ThreatLevel>,
    reason: String,
    advice: String,
}

const FILES: &[(&str, &str)] = &[
    (
        "credentials.yar",
        include_str!("../../rules/yara/credentials.yar"),
    ),
    (
        "destruction.yar",
        include_str!("../../rules/yara/destruction.yar"),
    ),
    (
        "droppers.yar",
        include_str!("../../rules/yara/droppers.yar"),
    ),
    (
        "fetch_and_run.yar",
        include_str!("../../rules/yara/fetch_and_run.yar"),
    ),
    ("miners.yar", include_str!("../../rules/yara/miners.yar")),
    (
        "persistence.yar",
        include_str!("../../rules/yara/persistence.yar"),
    ),
    (
        "reverse_shells.yar",
        include_str!("../../rules/yara/reverse_shells.yar"),
    ),
    ("tools.yar", include_str!("../../rules/yara/tools.yar")),
    (
        "webshells.yar",
        include_str!("../../rules/yara/webshells.yar"),
    ),
];

impl Signatures {
    pub(crate) fn load() -> Result<Self, ScanError> {
        let mut compiler = CompilerBuilder::new().build();
        for (file, text) in FILES {
            compiler
                .add_rules_str(text)
                .map_err(|it| wrong(file, &it))?;
        }
        let test_file = test_file();
        compiler
            .add_rules_str(&test_file)
            .map_err(|it| wrong("the test file's rule", &it))?;
        let mut scanner = compiler.finalize();
        scanner.set_scan_params(
            ScanParams::default()
                .compute_full_matches(true)
                .string_max_nb_matches(16)
                .match_max_length(256),
        );
        let mut about = HashMap::new();
        for rule in scanner.rules().filter(|it| !it.is_private) {
            about.insert(rule.name.to_owned(), About::of(&scanner, &rule)?);
        }
        Ok(Self { scanner, about })
    }
}

impl About {
    fn of(
        scanner: &boreal::Scanner,
        rule: &boreal::scanner::RuleDetails<'_>,
    ) -> Result<Self, ScanError> {
        let meta = |name: &str| {
            let found = rule
                .metadatas
                .iter()
                .find(|it| scanner.get_string_symbol(it.name) == name)?;
            let MetadataValue::Bytes(value) = found.value else {
                return None;
            };
            String::from_utf8(scanner.get_bytes_symbol(value).to_vec()).ok()
        };
        let wrong = |why: &str| ScanError::Rules {
            file: "rules/yara".to_owned(),
            why: format!("{}: {why}", rule.name),
        };
        let needed = |name: &str| meta(name).ok_or_else(|| wrong(&format!("it has no {name}")));
        let level =
            |text: String| level_of(&text).ok_or_else(|| wrong(&format!("{text} is not a level")));
        Ok(Self {
            id: needed("id")?,
            level: level(needed("level")?)?,
            prose: match meta("prose") {
                Some(text) if text == "CLEAN" => None,
                Some(text) => Some(level(text)?),
                None => Some(level(needed("level")?)?),
            },
            reason: needed("reason")?,
            advice: meta("advice").unwrap_or_else(|| "do not run it".to_owned()),
        })
    }
}

fn level_of(text: &str) -> Option<ThreatLevel> {
    Some(match text {
        "LOW" => ThreatLevel::Low,
        "MEDIUM" => ThreatLevel::Medium,
        "HIGH" => ThreatLevel::High,
        "CRITICAL" => ThreatLevel::Critical,
        _ => return None,
    })
}

fn wrong(file: &str, why: &impl std::fmt::Display) -> ScanError {
    ScanError::Rules {
        file: file.to_owned(),
        why: why.to_string(),
    }
}

/// The file by which every scanner is tested, put together here: whole, it would be found in our own
/// sources and programs.
fn test_file() -> String {
    let parts = [
        r"X5O!P%@AP[4\\PZX54(P^)7CC)7}$",
        "EICAR",
        "-STANDARD-ANTIVIRUS-TEST-FILE!",
    ];
    let reversed: String = parts.concat().replace(r"\\", r"\").chars().rev().collect();
    let whole = parts.concat();
    let reversed = reversed.replace('\\', r"\\");
    format!(
        r#"rule test_file {{
            meta:
                id = "program/test-file"
                level = "CRITICAL"
                reason = "it is the file by which scanners are tested (EICAR)"
                advice = "it does no harm by itself; do not send it on"
            strings:
                $whole = "{whole}" ascii wide
                $reversed = "{reversed}"
                $coded = "{whole}" base64
            condition:
                any of them
        }}"#
    )
}

/// Looks for the patterns in what passes.
pub(crate) fn look(walk: &mut Walk<'_>, window: &Window<'_>) -> Step {
    if window.bytes.is_empty() {
        return Ok(());
    }
    let signatures = &walk.rules.signatures;
    let result = match signatures.scanner.scan_mem(window.bytes) {
        Ok(it) | Err((_, it)) => it,
    };
    let is_prose = is_prose(window);
    for rule in &result.rules {
        let Some(about) = signatures.about.get(rule.name) else {
            continue;
        };
        let matches = rule.matches.iter().flat_map(|it| &it.matches);
        let first = matches.min_by_key(|it| it.offset);
        // A text that begins with the deed is no text about it.
        let begins = window.offset == 0 && first.is_some_and(|it| it.offset < 200);
        let level = match about.prose {
            Some(_) if !is_prose || begins => Some(about.level),
            None if !is_prose => Some(about.level),
            prose => prose,
        };
        let Some(threat_level) = level else {
            continue;
        };
        let line = first
            .map(|it| line_of(window, it.offset))
            .unwrap_or_default();
        let excerpt = first.map(|it| String::from_utf8_lossy(&it.data).into_owned());
        let place = walk.place();
        walk.add(Finding {
            rule: about.id.clone(),
            layer: Layer::Code,
            threat_level,
            confidence: 1.0,
            place,
            line,
            excerpt: excerpt.map(|it| escaped(&it, MAX_EXCERPT)),
            reason: about.reason.clone(),
            advice: about.advice.clone(),
        });
    }
    Ok(())
}

/// Whether it is a text for people: it is text, and neither its name nor its first line says program.
fn is_prose(window: &Window<'_>) -> bool {
    let is_text = matches!(
        window.kind,
        Kind::Text | Kind::Html | Kind::Xml | Kind::Rtf | Kind::Email
    );
    let is_started = window.offset == 0 && window.bytes.starts_with(b"#!");
    let extension = names::extension(window.name);
    is_text
        && !is_started
        && !names::is_of_script(&extension)
        && !(names::is_of_program(&extension))
}

fn line_of(window: &Window<'_>, offset: usize) -> Option<u64> {
    let before = window.bytes.get(..offset)?;
    let is_known = window.offset == 0 && window.kind == Kind::Text;
    is_known.then(|| 1 + before.iter().filter(|it| **it == b'\n').count() as u64)
}
