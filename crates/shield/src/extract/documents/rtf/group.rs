//! What holds within a group of braces.

use encoding_rs::Encoding;

/// What text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// The document.
    Body,
    Colours,
    /// Names of fonts.
    Fonts,
    Field,
    /// About the document.
    Info,
    /// Notes at its edge, and what only some programs know.
    Unseen,
    /// An object in hex.
    Object,
    ObjectClass,
    /// A picture in hex.
    Picture,
    /// Where its template is.
    Template,
    /// Styles, lists, and other tables.
    Table,
}

/// What holds within a group of braces.
#[derive(Clone, Copy)]
pub(super) struct Group {
    pub(super) destination: Destination,
    pub(super) is_hidden: bool,
    pub(super) colour: usize,
    pub(super) background: usize,
    /// In half points.
    pub(super) size: i32,
    /// Bytes behind a character that stand for it where it is not known.
    pub(super) fallback: usize,
    pub(super) encoding: Option<&'static Encoding>,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            destination: Destination::Body,
            is_hidden: false,
            colour: 0,
            background: 0,
            size: 24,
            fallback: 1,
            encoding: None,
        }
    }
}

impl Destination {
    /// For this control word, if it begins one.
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "colortbl" => Self::Colours,
            "fonttbl" => Self::Fonts,
            "fldinst" => Self::Field,
            "info" | "userprops" | "generator" => Self::Info,
            "annotation" | "atnid" | "atnauthor" | "docvar" | "deleted" => Self::Unseen,
            "objdata" => Self::Object,
            "objclass" => Self::ObjectClass,
            "pict" => Self::Picture,
            "template" => Self::Template,
            "stylesheet" | "listtable" | "listoverridetable" | "rsidtbl" | "revtbl" | "filetbl"
            | "themedata" | "colorschememapping" | "datastore" | "latentstyles" | "blipuid" => {
                Self::Table
            }
            _ => return None,
        })
    }
}
