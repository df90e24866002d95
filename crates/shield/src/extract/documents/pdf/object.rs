//! What a PDF is made of.

use std::collections::BTreeMap;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Object {
    Null,
    Number(f64),
    /// With its escapes resolved: `/J#61vaScript` is `JavaScript`.
    Name(Box<str>),
    String(Box<[u8]>),
    Array(Vec<Self>),
    Dict(Dict),
    /// Another one, by its number.
    Ref(u32),
    /// What is none of these: an operator of a content stream, a keyword.
    Word(Box<[u8]>),
}

/// Values by names.
pub(super) type Dict = BTreeMap<Box<str>, Object>;

impl Object {
    /// As far as places on a page need it.
    #[expect(clippy::cast_possible_truncation, reason = "it is a place on a page")]
    pub(super) fn number(&self) -> Option<f32> {
        match self {
            Self::Number(it) => Some(*it as f32),
            _ => None,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Self::Number(it) => Some(*it as i64),
            _ => None,
        }
    }

    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(it) => Some(it),
            _ => None,
        }
    }

    pub(super) fn string(&self) -> Option<&[u8]> {
        match self {
            Self::String(it) => Some(it),
            _ => None,
        }
    }

    pub(super) fn dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(it) => Some(it),
            _ => None,
        }
    }

    /// An array's values, or the one that stands for an array of one.
    pub(super) fn values(&self) -> &[Self] {
        match self {
            Self::Null => &[],
            Self::Array(it) => it,
            it => std::slice::from_ref(it),
        }
    }
}

/// The text of a string outside of pages.
pub(super) fn text_of(string: &[u8]) -> String {
    match string {
        [0xFE, 0xFF, rest @ ..] => encoding_rs::UTF_16BE
            .decode_without_bom_handling(rest)
            .0
            .into(),
        [0xFF, 0xFE, rest @ ..] => encoding_rs::UTF_16LE
            .decode_without_bom_handling(rest)
            .0
            .into(),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        // What writers of files write who do not know the rule.
        _ => match str::from_utf8(string) {
            Ok(it) => it.to_owned(),
            Err(_) => encoding_rs::WINDOWS_1252
                .decode_without_bom_handling(string)
                .0
                .into(),
        },
    }
}
