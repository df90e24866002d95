//! Programs that carry other programs, in forms that are not opened.

use super::pe::Program;

/// What stands where the sections of an installer end, or in what is appended, and whose it is.
const MARKS: &[(&[u8], &str)] = &[
    (b"\xEF\xBE\xAD\xDENullsoftInst", "NSIS"),
    (b"Inno Setup Setup Data", "Inno Setup"),
    (b"zlb\x1A", "Inno Setup"),
    (b"AU3!EA0", "AutoIt"),
    (b"ISSetupStream", "InstallShield"),
    (b"InstallShield", "InstallShield"),
    (b"data1.cab\0", "InstallShield"),
    (b"MEI\x0C\x0B\x0A\x0B\x0E", "PyInstaller"),
    (b"MSCF\0\0\0\0", "cabinet"),
];

/// How much of what is appended is looked at.
const BEGINNING: usize = 64 << 10;

/// Whose installer it is, where it is one.
pub(super) fn named(bytes: &[u8], program: &Program) -> Option<&'static str> {
    let appended = bytes.get(program.end()..)?;
    if appended.len() < 512 {
        return None;
    }
    let first = appended.get(..appended.len().min(BEGINNING))?;
    let last = appended.get(appended.len().saturating_sub(BEGINNING)..)?;
    let has = |what: &[u8]| {
        [first, last]
            .iter()
            .any(|it| memchr::memmem::find(it, what).is_some())
    };
    let found = MARKS.iter().find(|it| has(it.0));
    found.map(|it| it.1)
}
