//! The pages that mailed links lead to: a form each, with no script.
//!
//! Showing one changes nothing, for the programs that look through mails follow their links; the
//! form's button does. They are no part of the API.

mod page;
pub(crate) mod reset;
pub(crate) mod verify;

/// The most that a form of these takes.
const MAX_FORM_BYTES: usize = 8 * 1024;
