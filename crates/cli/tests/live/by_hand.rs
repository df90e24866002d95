//! What the environment changes of these tests, for a run by hand that takes longer.

use std::fmt::Debug;
use std::path::PathBuf;
use std::str::FromStr;

/// What the variable says, or what is so where it says nothing.
pub(crate) fn said<T: FromStr<Err: Debug>>(variable: &str, otherwise: T) -> T {
    let said = std::env::var(variable).ok();
    said.map_or(otherwise, |it| it.parse().unwrap())
}

/// The command that is tested: the one that was built with the tests, or the one that
/// `AGENTDROP_TEST_BINARY` names.
pub(crate) fn binary() -> PathBuf {
    named_binary().unwrap_or_else(|| env!("CARGO_BIN_EXE_agentdrop").into())
}

/// The command, if it was named: one built for release.
pub(crate) fn named_binary() -> Option<PathBuf> {
    std::env::var_os("AGENTDROP_TEST_BINARY").map(PathBuf::from)
}
