//! bzip2.

use std::io;

use bzip2::bufread::BzDecoder;

use super::packed::Packed;
use super::series::{Next, Stream, begins};

pub(in crate::extract) fn begin(mut packed: Packed<'_>) -> io::Result<Next<'_>> {
    if begins(&mut packed, b"BZh")? != Some(true) {
        return Ok(Next::Rest(packed));
    }
    Ok(Next::Stream(Box::new(BzDecoder::new(packed))))
}

impl<'a> Stream<'a> for BzDecoder<Packed<'a>> {
    fn rest(self: Box<Self>) -> Packed<'a> {
        self.into_inner()
    }
}
