//! From bytes to text.

use encoding_rs::{Encoding, UTF_8};

use crate::budget::Step;
use crate::kind::Kind;
use crate::walk::{Setting, Walk, Window};

/// Whether bytes are text, in whatever encoding.
pub(crate) fn is_text(head: &[u8]) -> bool {
    if Encoding::for_bom(head).is_some() {
        return true;
    }
    let is_odd = |it: &&u8| matches!(it, 0..=8 | 0x0E..=0x1A | 0x1C..=0x1F | 0x7F);
    head.iter().filter(is_odd).count() * 100 <= head.len()
}

/// A text on its way past.
pub(crate) struct Passing {
    is_text: bool,
    encoding: Option<&'static Encoding>,
}

impl Passing {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            is_text: matches!(
                kind,
                Kind::Text | Kind::Html | Kind::Xml | Kind::Rtf | Kind::Email
            ),
            encoding: None,
        }
    }

    pub(crate) fn take(&mut self, walk: &mut Walk<'_>, window: &Window<'_>) -> Step {
        if !self.is_text {
            return Ok(());
        }
        let encoding = *self.encoding.get_or_insert_with(|| guess(window.bytes));
        let text = encoding.decode_without_bom_handling(window.bytes).0;
        walk.text(&text, Setting::Visible)
    }
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    if str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, chardetng::Utf8Detection::Allow)
}
