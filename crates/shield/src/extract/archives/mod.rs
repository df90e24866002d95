//! Archives.

mod ar;
mod cpio;
mod members;
mod rules;
mod sevenzip;
mod tar;
mod unopened;
mod zip;

pub(super) use self::ar::{through as ar_through, whole as ar};
pub(super) use self::cpio::{through as cpio_through, whole as cpio};
pub(super) use self::sevenzip::whole as sevenzip;
pub(crate) use self::tar::is_header as is_tar;
pub(super) use self::tar::{through as tar_through, whole as tar};
pub(super) use self::unopened::whole as unopened;
pub(super) use self::zip::{behind as zip_behind, through as zip_through, whole as zip};
