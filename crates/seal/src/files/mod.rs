//! The files of an envelope, chunk by chunk: the same to a person and between agents.

mod opening;
mod range;
mod sealing;

pub(crate) use opening::Contents;
pub use range::FileReader;
pub(crate) use sealing::begin;
pub use sealing::{FileKeys, FileSalt, FileSealer, FileTail, Sealed};
