//! Objects of Python, whose form is a program: what it would call when it is loaded is read without
//! calling anything. Opcodes: the `Lib/pickletools.py` of Python, protocols 0 to 5.

mod calls;
mod machine;

use agentdrop_protocol::report::ThreatLevel::{Critical, Low, Medium};

use self::calls::Judgement;
use self::machine::Machine;
use crate::budget::Step;
use crate::kind::Kind;
use crate::rule::Rule;
use crate::walk::{Input, Walk};

/// So much of an input is read; those who attack need little, and models are long.
const MOST: usize = 16 << 20;

/// Looks for objects that run commands when they are loaded.
pub(crate) fn look(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    let is_named = NAMES.contains(&super::names::extension(input.name).as_str());
    let may_be = is_named || matches!(input.kind, Kind::Pickle | Kind::Binary | Kind::Text);
    if !may_be {
        return Ok(());
    }
    let head = super::head(input, MOST);
    let from = match begin(&head) {
        Some(from) => from,
        None if is_named => 0,
        None => return Ok(()),
    };
    walk.budget.work(head.len() as u64)?;
    judge(
        walk,
        head.get(from..).unwrap_or_default(),
        input.kind == Kind::Pickle || is_named,
    );
    Ok(())
}

/// What objects are usually called, of which the old form is text.
const NAMES: &[&str] = &[
    "ckpt", "dill", "joblib", "model", "p", "pck", "pickle", "pkl", "pt", "pth", "sav",
];

/// Where the objects begin, if they may.
fn begin(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0x80, 0..=5, ..] => Some(0),
        // An array of NumPy whose elements are objects.
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, low, high, ..] => {
            let header = usize::from(u16::from_le_bytes([*low, *high]));
            let has = bytes
                .get(10..10 + header)?
                .windows(2)
                .any(|it| it == b"|O" || it == b"'O");
            has.then_some(10 + header)
        }
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d, ..] => {
            let header = u32::from_le_bytes([*a, *b, *c, *d]).min(1 << 20) as usize;
            let has = bytes
                .get(12..12 + header)?
                .windows(2)
                .any(|it| it == b"|O" || it == b"'O");
            has.then_some(12 + header)
        }
        // The first protocol is text: `cposix\nsystem\n`, or a mark and then that.
        [b'c' | b'(' | b'i' | b']' | b'}' | b')', ..] => {
            let first = bytes.get(..bytes.len().min(512))?;
            let is_call = |it: &[u8]| matches!(it, [b'c' | b'i', rest @ ..] if is_name(rest));
            first
                .split(|it| *it == b'\n')
                .any(|line| {
                    let line = line.trim_ascii_start();
                    let bare = line
                        .iter()
                        .position(|it| !b"()]}.0tpRab1234567890".contains(it));
                    is_call(line.get(bare.unwrap_or(0)..).unwrap_or_default())
                })
                .then_some(0)
        }
        _ => None,
    }
}

fn is_name(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes.len() < 128
        && bytes
            .iter()
            .all(|it| it.is_ascii_alphanumeric() || b"._".contains(it))
}

fn judge(walk: &mut Walk<'_>, mut bytes: &[u8], is_pickle: bool) {
    let mut is_any = false;
    // Several may stand behind each other.
    for _ in 0..64 {
        let mut machine = Machine::new(bytes);
        let end = machine.run();
        is_any |= end.is_some();
        for call in machine.calls() {
            let found = match calls::judge(&call.module, &call.name) {
                Judgement::Harmful => Some(&RUNS),
                Judgement::Doubtful if machine.says_odd_names() => Some(&RUNS),
                Judgement::Doubtful => Some(&REACHES),
                Judgement::Code => Some(&CODE),
                Judgement::Known => None,
            };
            if let Some(rule) = found {
                walk.found(rule, Some(&format!("{}.{}", call.module, call.name)));
            }
        }
        let Some(rest) = end.and_then(|it| bytes.get(it..)) else {
            break;
        };
        if rest.is_empty() {
            break;
        }
        bytes = rest;
    }
    if is_any && is_pickle {
        walk.found(&PICKLE, None);
    }
}

const ADVICE: &str = "do not load it; ask the sender for the data in a form that is only data";

static RUNS: Rule = Rule::code(
    "pickle/runs",
    Critical,
    "loading it runs commands on the machine",
    ADVICE,
);
static REACHES: Rule = Rule::code(
    "pickle/reaches",
    Medium,
    "loading it calls what can reach anything of Python",
    ADVICE,
);
static CODE: Rule = Rule::code(
    "pickle/code",
    Medium,
    "it carries functions, whose code runs when they are called",
    ADVICE,
);
static PICKLE: Rule = Rule::code(
    "pickle/plain",
    Low,
    "objects of Python, which are programs that run when they are loaded; what they call is usual",
    "load it only if you know the sender",
);
