//! What a PDF does.

use std::collections::BTreeSet;

use agentdrop_protocol::report::{Layer, ThreatLevel};

use super::file::File;
use super::object::{Dict, Object, text_of};
use crate::budget::Step;
use crate::extract::documents::xml::runs;
use crate::rule::Rule;
use crate::walk::{Setting, Walk};

const fn rule(id: &'static str, level: ThreatLevel, reason: &'static str) -> Rule {
    Rule {
        id,
        layer: Layer::Code,
        level,
        reason,
        advice: "read its text only, or open it where scripts and actions are off",
    }
}

const SCRIPT: Rule = rule(
    "documents/pdf-script",
    ThreatLevel::Low,
    "the document holds a script, as forms do",
);
const SCRIPT_OPENS: Rule = rule(
    "documents/pdf-script-on-open",
    ThreatLevel::Medium,
    "the document holds a script that runs when it is opened",
);
const SCRIPT_ATTACKS: Rule = rule(
    "documents/pdf-script-attacks",
    ThreatLevel::High,
    "a script of the document does what attacks do and forms do not: it hides what it runs, writes \
     files, or starts programs",
);
const LAUNCH: Rule = rule(
    "documents/pdf-launch",
    ThreatLevel::High,
    "the document starts a program",
);
const FETCHES: Rule = rule(
    "documents/pdf-fetches",
    ThreatLevel::Medium,
    "the document goes to an address or to another machine when it is opened",
);
const SUBMITS: Rule = rule(
    "documents/pdf-submits",
    ThreatLevel::Low,
    "a form of the document sends what is typed in to an address",
);
const RICH: Rule = rule(
    "documents/pdf-rich-media",
    ThreatLevel::Medium,
    "the document holds a film or a program that plays in it, as no reader of today plays them",
);
const ADDRESS: Rule = rule(
    "documents/address-runs",
    ThreatLevel::High,
    "an address in the document starts a program where it is opened",
);

/// What runs without being asked: of the document and of pages, by the numbers of their objects.
pub(super) struct Automatic(BTreeSet<u32>);

impl Automatic {
    pub(super) fn of(file: &File<'_>) -> Self {
        let mut all = BTreeSet::new();
        let root = file.of(&file.trailer, "Root").dict();
        let pages = file.pages();
        for dict in root.into_iter().chain(pages.iter().map(|it| it.dict)) {
            for name in ["OpenAction", "AA"] {
                collect(file, dict.get(name), &mut all, 0);
            }
        }
        if let Some(names) = root.and_then(|it| file.of(it, "Names").dict()) {
            collect(file, names.get("JavaScript"), &mut all, 0);
        }
        Self(all)
    }

    /// Whether the object of this number is one of them.
    pub(super) fn has(&self, number: u32) -> bool {
        self.0.contains(&number)
    }
}

/// All that is referred to from there, as far as anybody goes.
fn collect(file: &File<'_>, from: Option<&Object>, all: &mut BTreeSet<u32>, depth: u8) {
    const MAX_DEPTH: u8 = 12;
    const MAX: usize = 5_000;
    let Some(from) = from.filter(|_| depth < MAX_DEPTH && all.len() < MAX) else {
        return;
    };
    if let Object::Ref(number) = from
        && !all.insert(*number)
    {
        return;
    }
    match file.resolve(from) {
        Object::Array(values) => {
            for it in values {
                collect(file, Some(it), all, depth + 1);
            }
        }
        Object::Dict(dict) => {
            // Not to pages, from which all is reached.
            for name in [
                "JS", "Next", "Kids", "Names", "O", "C", "WC", "WS", "DS", "WP", "DP",
            ] {
                collect(file, dict.get(name), all, depth + 1);
            }
        }
        _ => {}
    }
}

/// Judges a dictionary that may be an action.
pub(super) fn judge(walk: &mut Walk<'_>, file: &File<'_>, dict: &Dict, is_automatic: bool) -> Step {
    let text = |name: &str| file.of(dict, name).string().map(text_of);
    match file.of(dict, "S").name() {
        Some("Launch") => {
            let target = target(file, dict).unwrap_or_default();
            walk.found(&LAUNCH, Some(&target));
        }
        Some("URI") => {
            let address = text("URI").unwrap_or_default();
            if runs(&address) {
                walk.found(&ADDRESS, Some(&address));
            } else if is_automatic {
                walk.found(&FETCHES, Some(&address));
            }
        }
        Some("SubmitForm" | "ImportData") => {
            let rule = if is_automatic { &FETCHES } else { &SUBMITS };
            walk.found(rule, target(file, dict).as_deref());
        }
        Some("GoToR" | "GoToE") => {
            let target = target(file, dict).unwrap_or_default();
            if target.starts_with("\\\\") || target.starts_with("//") {
                walk.found(&FETCHES, Some(&target));
            }
        }
        _ => {}
    }
    if let Some("RichMedia" | "Screen" | "Movie") = file.of(dict, "Subtype").name() {
        walk.found(&RICH, None);
    }
    match dict.get("JS").map(|it| (it, file.resolve(it))) {
        Some((_, Object::String(script))) => self::script(walk, &text_of(script), is_automatic),
        Some((Object::Ref(number), _)) => {
            let Some(held) = file.get(*number) else {
                return Ok(());
            };
            let script = file.stream(walk, held)?.unwrap_or_default();
            self::script(walk, &text_of(&script), is_automatic)
        }
        _ => Ok(()),
    }
}

/// Which file or address an action is about.
fn target(file: &File<'_>, dict: &Dict) -> Option<String> {
    let of = |dict: &Dict| {
        ["UF", "F", "P", "Unix"]
            .into_iter()
            .find_map(|it| file.of(dict, it).string().map(text_of))
    };
    let inner = ["F", "Win"]
        .into_iter()
        .find_map(|it| file.of(dict, it).dict());
    of(dict).or_else(|| of(inner?))
}

fn script(walk: &mut Walk<'_>, text: &str, is_automatic: bool) -> Step {
    let lower: String = text
        .chars()
        .take(1 << 16)
        .flat_map(char::to_lowercase)
        .collect();
    let has = |what: &&&str| lower.contains(**what);
    let is_attack = ATTACKS.iter().any(|it| has(&it)) || HIDES.iter().filter(has).count() >= 2;
    let rule = match (is_attack, is_automatic) {
        (true, _) => &SCRIPT_ATTACKS,
        (false, true) => &SCRIPT_OPENS,
        (false, false) => &SCRIPT,
    };
    walk.found(rule, Some(text.trim()));
    walk.text_in("script", text, Setting::Code)
}

/// What no form does.
const ATTACKS: &[&str] = &[
    "exportdataobject",
    "collab.collectemailinfo",
    "collab.geticon",
    "media.newplayer",
    "util.printf(\"%45000",
    "spell.customdictionaryopen",
    "this.getannots({",
    "%u9090",
    "%u0c0c",
    "app.launchurl(\"file",
    "activexobject",
    "wscript.shell",
];

/// What hides what is run, where two come together.
const HIDES: &[&str] = &["eval(", "unescape(", "fromcharcode", "replace(/", "%u"];
