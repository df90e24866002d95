//! Names of files, which come from strangers.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization as _;

use crate::limits::MAX_FILE_NAME_BYTES;
use crate::text::is_unprintable;
use crate::{ParseError, serde_as_text};

/// A file name: one path component in NFC, at most 255 bytes, without control characters.
///
/// It is never `.` or `..` and holds no separator of any system, so joining it to a folder stays
/// in that folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 255, example = "report.pdf"))]
pub struct FileName(String);

impl FileName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reduces whatever a stranger sent to a name that is safe to create here.
    ///
    /// For the receiving side, which has a file in hand and cannot ask for a better name: what a
    /// strict reading refuses is replaced by `_`, and so is what Windows reserves.
    #[must_use]
    pub fn cleaned(text: &str) -> Self {
        let allowed = |it: char| !is_unprintable(it) && !r#"<>:"|?*"#.contains(it);
        let mut name: String = last_component(text)
            .nfc()
            .map(|it| if allowed(it) { it } else { '_' })
            .collect();
        name.truncate(name.trim_end_matches(['.', ' ']).len());
        let stem = name.split('.').next().unwrap_or_default().trim_end();
        if name.is_empty() || is_reserved_on_windows(stem) {
            name.insert(0, '_');
        }
        Self(shortened(name, MAX_FILE_NAME_BYTES))
    }

    /// The name with ` (n)` before its extension, for when the name itself is taken.
    #[must_use]
    pub fn numbered(&self, n: u32) -> Self {
        let dot = self
            .0
            .rfind('.')
            .filter(|it| *it > 0)
            .unwrap_or(self.0.len());
        let (stem, extension) = self.0.split_at(dot);
        let number = format!(" ({n})");
        let room = MAX_FILE_NAME_BYTES.saturating_sub(number.len() + extension.len());
        if room == 0 {
            let room = MAX_FILE_NAME_BYTES - number.len();
            return Self(shortened(self.0.clone(), room) + &number);
        }
        Self(shortened(stem.to_owned(), room) + &number + extension)
    }
}

/// A file name tells of what is in the file: what is printed for debugging, and ends in logs, has none.
impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileName(…)")
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for FileName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let name: String = last_component(text).nfc().collect();
        if name.trim().is_empty() || matches!(&*name, "." | "..") {
            return Err(ParseError::new("is not a file name"));
        }
        if name.len() > MAX_FILE_NAME_BYTES {
            return Err(ParseError::new(format!(
                "must be at most {MAX_FILE_NAME_BYTES} bytes"
            )));
        }
        if name.chars().any(is_unprintable) {
            return Err(ParseError::new(
                "must not contain control or text-direction characters",
            ));
        }
        Ok(Self(name))
    }
}

serde_as_text!(FileName);

/// What stands behind the last separator of any system.
fn last_component(text: &str) -> &str {
    text.rsplit(['/', '\\']).next().unwrap_or_default()
}

fn shortened(mut name: String, max_bytes: usize) -> String {
    name.truncate(name.floor_char_boundary(max_bytes));
    name
}

/// Device names, which Windows opens in place of a file, whatever the extension.
fn is_reserved_on_windows(stem: &str) -> bool {
    let stem = stem.to_ascii_uppercase();
    let numbered = |device: &str| {
        stem.strip_prefix(device)
            .is_some_and(|it| it.len() == 1 && it.as_bytes()[0].is_ascii_digit())
    };
    matches!(&*stem, "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_reduced_to_its_last_component() {
        for (path, name) in [
            ("../../etc/passwd", "passwd"),
            ("/abs/x", "x"),
            (r"C:\Users\x\report.pdf", "report.pdf"),
            ("e\u{301}.txt", "é.txt"),
        ] {
            assert_eq!(path.parse::<FileName>().unwrap().as_str(), name);
        }
        for bad in [
            "",
            " ",
            ".",
            "..",
            "a/..",
            "a/",
            "a\0b",
            "a\nb",
            "x\u{202e}gpj",
            &"x".repeat(256),
        ] {
            assert!(bad.parse::<FileName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn cleaning_always_gives_a_name_that_is_safe_to_create() {
        for (text, name) in [
            ("../x", "x"),
            ("..", "_"),
            ("", "_"),
            ("a/", "_"),
            ("a\0b\u{202e}c", "a_b_c"),
            ("nul.txt", "_nul.txt"),
            ("COM1", "_COM1"),
            ("a: b?.txt. .", "a_ b_.txt"),
            (".env", ".env"),
        ] {
            assert_eq!(FileName::cleaned(text).as_str(), name, "{text:?}");
        }
        assert_eq!(FileName::cleaned(&"é".repeat(300)).as_str().len(), 254);
    }

    #[test]
    fn a_number_goes_before_the_extension() {
        for (name, numbered) in [
            ("a.txt", "a (2).txt"),
            ("a", "a (2)"),
            (".env", ".env (2)"),
            ("a.tar.gz", "a.tar (2).gz"),
        ] {
            assert_eq!(FileName::cleaned(name).numbered(2).as_str(), numbered);
        }
        let long = FileName::cleaned(&format!("{}.txt", "x".repeat(251)));
        assert_eq!(long.numbered(10).as_str().len(), 255);
        let all_extension = FileName::cleaned(&format!("a.{}", "x".repeat(253)));
        assert!(all_extension.numbered(10).as_str().ends_with(" (10)"));
    }
}
