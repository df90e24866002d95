//! Where in a file something is.

use std::fmt;

use crate::excerpt::escaped;

/// Where something is, from the file inwards: `a.zip › report.docx › word/document.xml`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place(Vec<String>);

/// Of one name.
const MAX_SEGMENT: usize = 200;

impl Place {
    /// One step further in; names are the sender's, so they are escaped here once.
    pub(crate) fn push(&mut self, segment: &str) {
        self.0.push(escaped(segment, MAX_SEGMENT));
    }

    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" › "))
    }
}
