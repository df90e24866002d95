//! Programs for machines: which are just programs, and which hide what they do.

mod elf;
mod installer;
pub(super) mod pe;

use agentdrop_protocol::report::ThreatLevel::{High, Low, Medium};

use crate::budget::Step;
use crate::kind::Kind;
use crate::rule::Rule;
use crate::walk::{Input, Walk};

/// Looks at a program by itself. Being one is no crime: a tool is sent by that name.
pub(crate) fn look(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    let head;
    let bytes = if let Some(bytes) = input.held {
        bytes
    } else {
        head = super::head(input, 1 << 20);
        &head
    };
    match input.kind {
        Kind::Pe => {
            walk.budget.work(bytes.len() as u64)?;
            windows(walk, bytes);
        }
        Kind::Elf => linux(walk, bytes),
        Kind::MachO | Kind::JavaClass | Kind::Wasm => walk.found(&NATIVE, None),
        Kind::Ole | Kind::Rtf if !is_installer(input.name) && pe::embedded(bytes) => {
            walk.budget.work(bytes.len() as u64)?;
            walk.found(&EMBEDDED, None);
        }
        _ => {}
    }
    Ok(())
}

fn windows(walk: &mut Walk<'_>, bytes: &[u8]) {
    let Some(program) = pe::Program::read(bytes) else {
        return walk.found(&NATIVE, None);
    };
    if program.unpacks_itself() {
        walk.found(&PACKED, program.packer());
    } else if let Some(name) = installer::named(bytes, &program) {
        let rule = if program.is_signed(bytes) {
            &SIGNED_INSTALLER
        } else {
            &INSTALLER
        };
        walk.found(rule, Some(name));
    } else {
        walk.found(&NATIVE, None);
    }
}

fn linux(walk: &mut Walk<'_>, bytes: &[u8]) {
    let rule = match elf::shape(bytes) {
        elf::Shape::Loader => &LOADER,
        elf::Shape::Packed => &PACKED_LINUX,
        elf::Shape::Plain => &NATIVE,
    };
    walk.found(rule, None);
}

/// Installers of Windows are compound files that carry the programs that they install.
fn is_installer(name: &str) -> bool {
    matches!(
        super::names::extension(name).as_str(),
        "msi" | "msp" | "mst"
    )
}

static NATIVE: Rule = Rule::code(
    "program/native",
    Low,
    "it is a program",
    "run it only if you asked for it",
);
static PACKED: Rule = Rule::code(
    "program/packed",
    High,
    "it is a program that writes its own code when it starts, so that nobody can see before what it does",
    "do not run it; ask the sender for one that is not packed",
);
static PACKED_LINUX: Rule = Rule::code(
    "program/packed-elf",
    Medium,
    "it is a program that unpacks itself when it starts, so that what it does is not seen before",
    "do not run it; ask the sender for one that is not packed",
);
static LOADER: Rule = Rule::code(
    "program/loader",
    High,
    "it is a program of a few bytes that can write its own code, as those are that fetch another one",
    "do not run it",
);
static INSTALLER: Rule = Rule::code(
    "program/installer",
    High,
    "it is an installer without a signature; what it installs cannot be looked into",
    "do not run it; ask the sender for the files themselves",
);
static SIGNED_INSTALLER: Rule = Rule::code(
    "program/installer-signed",
    Medium,
    "it is an installer; what it installs cannot be looked into, and its signature was not checked",
    "run it only if you asked for it and its signature is the maker's",
);
static EMBEDDED: Rule = Rule::code(
    "program/embedded",
    High,
    "a program is embedded in a document",
    "do not open it; ask the sender for the document without it",
);
