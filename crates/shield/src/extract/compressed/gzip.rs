//! gzip, RFC 1952.

use std::io;

use flate2::bufread::GzDecoder;

use super::packed::Packed;
use super::series::{Next, Stream, begins};

pub(in crate::extract) fn begin(mut packed: Packed<'_>) -> io::Result<Next<'_>> {
    if begins(&mut packed, b"\x1F\x8B")? != Some(true) {
        return Ok(Next::Rest(packed));
    }
    Ok(Next::Stream(Box::new(GzDecoder::new(packed))))
}

impl<'a> Stream<'a> for GzDecoder<Packed<'a>> {
    fn rest(self: Box<Self>) -> Packed<'a> {
        self.into_inner()
    }

    fn texts(&self) -> Vec<(&'static str, String)> {
        let header = self.header();
        let texts = [
            ("name", header.and_then(|it| it.filename())),
            ("comment", header.and_then(|it| it.comment())),
            ("extra field", header.and_then(|it| it.extra())),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(place, it)| Some((place, it?)));
        let texts = texts.filter(|(_, it)| crate::text::is_text(it));
        texts
            .map(|(place, it)| (place, String::from_utf8_lossy(it).into_owned()))
            .collect()
    }
}
