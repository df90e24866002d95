//! Files that make a system start or fetch something when they are opened, or only seen in a folder.

mod commands;
mod lnk;
mod settings;

use agentdrop_protocol::report::ThreatLevel::{High, Low, Medium};

use crate::budget::Step;
use crate::kind::Kind;
use crate::rule::Rule;
use crate::walk::{Input, Walk};

/// So much of one is read.
const MOST: usize = 1 << 20;

/// Looks at links of Windows, of desktops, and at settings that name commands or places on the net.
pub(crate) fn look(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    let extension = super::names::extension(input.name);
    if input.kind == Kind::Lnk {
        let bytes = super::head(input, MOST);
        walk.budget.work(bytes.len() as u64)?;
        link(walk, &bytes);
    } else if settings::is_one(&extension, super::names::base(input.name)) {
        let bytes = super::head(input, MOST);
        walk.budget.work(bytes.len() as u64)?;
        let text = text_of(&bytes);
        for (rule, excerpt) in settings::judge(&extension, super::names::base(input.name), &text) {
            walk.found(rule, excerpt.as_deref());
        }
    }
    Ok(())
}

fn link(walk: &mut Walk<'_>, bytes: &[u8]) {
    let said = lnk::read(bytes);
    let all = said
        .as_ref()
        .map_or_else(|| lnk::any_text(bytes), lnk::Link::all);
    if let Some(command) = commands::named(&all) {
        walk.found(&RUNS, Some(command));
    } else if commands::is_on_the_net(&all) {
        walk.found(&REMOTE, Some(&all));
    } else if said.is_some_and(|it| it.hides_arguments()) {
        walk.found(&PADDED, None);
    } else {
        walk.found(&LINK, Some(&all));
    }
}

/// UTF-16 with a mark, or whatever else it is.
fn text_of(bytes: &[u8]) -> String {
    let encoding = encoding_rs::Encoding::for_bom(bytes).map_or(encoding_rs::UTF_8, |it| it.0);
    encoding.decode(bytes).0.into_owned()
}

const ADVICE: &str = "do not open it; ask the sender for the file that it leads to";

static RUNS: Rule = Rule::code(
    "shortcut/runs",
    High,
    "a link that runs commands when it is opened",
    ADVICE,
);
static REMOTE: Rule = Rule::code(
    "shortcut/remote",
    High,
    "a link to a file on the net, which is opened as one of this machine, and may tell who opens it",
    ADVICE,
);
static PADDED: Rule = Rule::code(
    "shortcut/padded",
    High,
    "a link whose command is pushed out of sight",
    ADVICE,
);
static LINK: Rule = Rule::code(
    "shortcut/link",
    Medium,
    "a link to a file of another machine, which is of no use here",
    ADVICE,
);
static STARTS: Rule = Rule::code(
    "shortcut/starts",
    Low,
    "it starts a program when it is opened",
    "look at the command in it first",
);
static CONNECTS: Rule = Rule::code(
    "shortcut/connects",
    Medium,
    "opening it connects to a machine of somebody, who may then reach this one",
    ADVICE,
);
