//! The files of an envelope, chunk by chunk: the same to a person and between agents, but for the padding.

mod arriving;
mod kept;
mod keys;
mod opening;
mod range;
mod sealing;

pub use arriving::FileOpening;
pub use kept::Kept;
pub use keys::{FileKeys, FileSalt};
pub(crate) use opening::Contents;
pub use range::FileReader;
pub use sealing::{FileMeasuring, FileSealer, FileTail, Sealed};
