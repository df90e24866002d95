//! Archives.

mod members;
mod rules;
mod zip;

pub(super) use self::zip::{behind as zip_behind, through as zip_through, whole as zip};
