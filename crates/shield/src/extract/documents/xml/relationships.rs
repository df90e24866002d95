//! What belongs to a part of an Office document and is elsewhere.

use agentdrop_protocol::report::{Layer, ThreatLevel};

use super::{Part, Tag};
use crate::budget::Step;
use crate::rule::Rule;
use crate::walk::Walk;

/// What comes with it may bring macros.
const REMOTE: Rule = Rule {
    id: "documents/remote-template",
    layer: Layer::Code,
    level: ThreatLevel::High,
    reason: "the document fetches a template or an object from elsewhere when it is opened, which may run macros",
    advice: "do not open it in an office program; read its text only",
};

/// An address that starts a program.
const ADDRESS: Rule = Rule {
    id: "documents/address-runs",
    layer: Layer::Code,
    level: ThreatLevel::High,
    reason: "an address in the document starts a program where it is opened",
    advice: "do not follow it",
};

/// Where the parts of a document are.
pub(super) struct Relationships;

impl Part for Relationships {
    fn start(&mut self, walk: &mut Walk<'_>, tag: &Tag<'_>) -> Step {
        let kind = tag.get("Type").unwrap_or_default();
        let target = tag.get("Target").unwrap_or_default();
        let is_external = tag
            .get("TargetMode")
            .is_some_and(|it| it.eq_ignore_ascii_case("external"));
        let kind = kind.rsplit('/').next().unwrap_or_default();
        if runs(&target) {
            walk.found(&ADDRESS, Some(&target));
        } else if is_external
            && is_away(&target)
            && matches!(
                kind,
                "attachedTemplate" | "oleObject" | "frame" | "subDocument" | "aFChunk"
            )
        {
            walk.found(&REMOTE, Some(&target));
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Walk<'_>, _: &str) -> Step {
        Ok(())
    }

    fn text(&mut self, _: &mut Walk<'_>, _: &str) -> Step {
        Ok(())
    }

    fn finish(self: Box<Self>, _: &mut Walk<'_>) -> Step {
        Ok(())
    }
}

/// Judges where a template is.
pub(in crate::extract::documents) fn template(walk: &mut Walk<'_>, target: &str) {
    if is_away(target) {
        walk.found(&REMOTE, Some(target.trim()));
    }
}

fn is_away(target: &str) -> bool {
    let target = target.trim().to_ascii_lowercase();
    [
        "http:",
        "https:",
        "ftp:",
        "\\\\",
        "//",
        "file://\\\\",
        "file:////",
        "mhtml:",
        "its:",
        "ms-its:",
    ]
    .iter()
    .any(|it| target.starts_with(it))
}

/// Whether an address starts a program instead of showing something.
pub(in crate::extract::documents) fn runs(target: &str) -> bool {
    let target = target.trim().to_ascii_lowercase();
    [
        "javascript:",
        "vbscript:",
        "ms-msdt:",
        "search-ms:",
        "ms-search:",
        "ms-officecmd:",
        "mhtml:http",
        "shell:",
        "powershell:",
        "cmd:",
        "ms-appinstaller:",
        "vnd.sun.star.script:",
        "macro:",
    ]
    .iter()
    .any(|it| target.starts_with(it))
}
