//! Archives that are not opened.

use super::rules;
use crate::budget::Step;
use crate::walk::{Input, Walk};

/// Says so.
#[expect(clippy::unnecessary_wraps, reason = "an extractor may end the scan")]
pub(in crate::extract) fn whole(walk: &mut Walk<'_>, _: &mut Input<'_>) -> Step {
    walk.found(&rules::UNSUPPORTED, None);
    Ok(())
}
