//! Judges text: what it asks of whoever reads it.

mod decode;
mod judge;
pub(crate) mod rules;

pub(crate) use self::decode::{Passing, is_text};
pub(crate) use self::judge::look;

/// What was said of the worst passage so far.
#[derive(Debug, Default)]
pub(crate) struct Scores {
    /// By the surest rule, from 0 to 1.
    pub(crate) rules: f32,
    /// By the model, from 0 to 1.
    pub(crate) model: f32,
}
