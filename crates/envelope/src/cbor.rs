//! Deterministic CBOR (RFC 8949 §4.2.1), read value by value.
//!
//! Whatever was read is encoded anew and compared, by whoever reads: one value, one spelling.

use agentdrop_protocol::Timestamp;
use minicbor::encode::Error;
use minicbor::{Decoder, Encoder, data::Type, decode};

use crate::{Malformed, Signature};

/// Which version of everything that is written here.
pub(crate) const VERSION: u8 = 2;

/// Writing to memory, which cannot fail.
pub(crate) type Written = Result<(), Error<std::convert::Infallible>>;

/// What `encode` writes.
pub(crate) fn to_vec(encode: impl FnOnce(&mut Encoder<Vec<u8>>) -> Written) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    let Ok(()) = encode(&mut encoder) else {
        unreachable!("memory takes whatever is written to it");
    };
    encoder.into_writer()
}

/// Reads `CBOR ‖ signature`, at most `max` bytes and nothing behind.
pub(crate) fn signed<T>(
    bytes: &[u8],
    max: usize,
    read: impl FnOnce(&mut Decoder<'_>) -> Result<T, decode::Error>,
    write: impl FnOnce(&T) -> Vec<u8>,
) -> Result<(T, Signature), Malformed> {
    if bytes.len() > max {
        return Err(Malformed);
    }
    let (cbor, signature) = bytes.split_last_chunk().ok_or(Malformed)?;
    let mut decoder = Decoder::new(cbor);
    let it = read(&mut decoder).map_err(|_| Malformed)?;
    if write(&it) != cbor {
        return Err(Malformed);
    }
    Ok((it, *signature))
}

/// The key and the value that everything begins with.
pub(crate) fn version(from: &mut Decoder<'_>) -> Result<(), decode::Error> {
    key(from, "v")?;
    if from.u8()? == VERSION {
        Ok(())
    } else {
        Err(decode::Error::message("another version"))
    }
}

/// What was read, if it is what it should be.
pub(crate) fn checked<T, E>(it: Result<T, E>) -> Result<T, decode::Error> {
    it.map_err(|_| decode::Error::message("not such bytes"))
}

/// A map of this many entries.
pub(crate) fn expect_map(from: &mut Decoder<'_>, entries: u64) -> Result<(), decode::Error> {
    if from.map()? == Some(entries) {
        Ok(())
    } else {
        Err(decode::Error::message("not a map of this size"))
    }
}

/// The next key of a map, which has to be `name`.
pub(crate) fn key(from: &mut Decoder<'_>, name: &str) -> Result<(), decode::Error> {
    if from.str()? == name {
        Ok(())
    } else {
        Err(decode::Error::message("another key"))
    }
}

/// An array of at most `max` items; each is told its number, from 1.
pub(crate) fn items<T>(
    from: &mut Decoder<'_>,
    max: usize,
    item: impl Fn(&mut Decoder<'_>, u32) -> Result<T, decode::Error>,
) -> Result<Vec<T>, decode::Error> {
    let count = from.array()?.and_then(|it| usize::try_from(it).ok());
    let count = count.filter(|it| *it <= max);
    let count = count.ok_or_else(|| decode::Error::message("not an array of this size"))?;
    (1..).take(count).map(|i| item(from, i)).collect()
}

/// A value, or null.
pub(crate) fn optional<T>(
    from: &mut Decoder<'_>,
    read: impl Fn(&mut Decoder<'_>) -> Result<T, decode::Error>,
) -> Result<Option<T>, decode::Error> {
    if from.datatype()? == Type::Null {
        from.null()?;
        return Ok(None);
    }
    read(from).map(Some)
}

/// A text that is one of a `T`.
pub(crate) fn parsed<T: std::str::FromStr>(from: &mut Decoder<'_>) -> Result<T, decode::Error> {
    let text = from.str()?;
    text.parse()
        .map_err(|_| decode::Error::message("not such a text"))
}

/// Bytes, as many as there must be.
pub(crate) fn bytes<const N: usize>(from: &mut Decoder<'_>) -> Result<[u8; N], decode::Error> {
    let bytes = from.bytes()?;
    bytes
        .try_into()
        .map_err(|_| decode::Error::message("not of this length"))
}

/// Milliseconds since 1970; before it nothing was sent.
pub(crate) fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.as_millis()).unwrap_or_default()
}

/// A time in milliseconds since 1970.
pub(crate) fn timestamp(from: &mut Decoder<'_>) -> Result<Timestamp, decode::Error> {
    let millis = i64::try_from(from.u64()?);
    let millis = millis.map_err(|_| decode::Error::message("not a time"))?;
    Ok(Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_long_as_may_be_is_read_and_not_a_byte_more() {
        let at = Timestamp::from_millis(1_790_000_000_000);
        let write = |it: &Timestamp| to_vec(|to| to.u64(millis(*it))?.ok());
        let bytes = [&write(&at)[..], &[1; 64]].concat();
        let read = |max| signed(&bytes, max, timestamp, write);
        assert_eq!(read(bytes.len()), Ok((at, [1; 64])));
        assert_eq!(read(bytes.len() + 1), Ok((at, [1; 64])));
        assert_eq!(read(bytes.len() - 1), Err(Malformed));
    }
}
