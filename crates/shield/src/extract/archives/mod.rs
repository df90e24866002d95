//! Archives.

mod members;
mod rules;
mod tar;
mod zip;

pub(crate) use self::tar::is_header as is_tar;
pub(super) use self::tar::{through as tar_through, whole as tar};
pub(super) use self::zip::{behind as zip_behind, through as zip_through, whole as zip};
