//! Documents: every text that a reader of one could meet, with the place where it stands.
//!
//! A reader is a person, who sees what is drawn, or a program that turns the file into text, which sees
//! what is white on white too. So a text is judged as both would have it; see [`flow`].

mod decode;
mod email;
mod flow;
mod html;
mod office;
mod ole;
mod pdf;
mod rtf;
#[cfg(test)]
mod tests;
mod uri;
mod xml;

pub(super) use self::email::email;
pub(super) use self::html::html;
pub(super) use self::office::office;
pub(super) use self::ole::ole;
pub(super) use self::pdf::pdf;
pub(super) use self::rtf::rtf;
pub(super) use self::xml::xml;
