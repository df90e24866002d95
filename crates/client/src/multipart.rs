//! The form that carries files, RFC 7578, of a length that is known before it begins.

use agentdrop_protocol::FileName;
use agentdrop_seal::SealError;
use bytes::{BufMut as _, Bytes, BytesMut};

/// What stands behind each part.
pub(crate) const PART_END: Bytes = Bytes::from_static(b"\r\n");

/// A form: fields first, so that the server can refuse before the files come, then files.
pub(crate) struct Form {
    boundary: String,
    fields: BytesMut,
    files: Vec<(Bytes, u64)>,
}

impl Form {
    /// An empty form, with a boundary that occurs in no file but by chance of 1 in 2^192.
    pub(crate) fn new() -> Result<Self, SealError> {
        let chance: [u8; 24] = agentdrop_seal::random_bytes()?;
        let boundary = chance.iter().fold("agentdrop-".to_owned(), |text, byte| {
            text + &format!("{byte:02x}")
        });
        Ok(Self {
            boundary,
            fields: BytesMut::new(),
            files: Vec::new(),
        })
    }

    /// Adds a field.
    pub(crate) fn field(&mut self, name: &'static str, value: &str) {
        let boundary = &self.boundary;
        let head =
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        self.fields.put_slice(head.as_bytes());
        self.fields.put_slice(value.as_bytes());
        self.fields.put_slice(&PART_END);
    }

    /// Adds a file of `bytes` bytes, as the field `files`.
    ///
    /// A name has no control characters and no backslash, so a quote is all that needs to be escaped.
    pub(crate) fn file(&mut self, name: &FileName, bytes: u64) {
        let boundary = &self.boundary;
        let name = name.as_str().replace('"', "\\\"");
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        self.files.push((head.into(), bytes));
    }

    pub(crate) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// How many bytes the whole form has.
    pub(crate) fn length(&self) -> u64 {
        let files = self.files.iter();
        let files = files.map(|(head, bytes)| head.len() as u64 + bytes + PART_END.len() as u64);
        self.fields.len() as u64 + files.sum::<u64>() + self.end().len() as u64
    }

    /// What is sent: the fields; before each file its head, and behind it [`PART_END`]; the end.
    pub(crate) fn into_parts(self) -> (Bytes, Vec<Bytes>, Bytes) {
        let end = self.end();
        let heads = self.files.into_iter().map(|(head, _)| head).collect();
        (self.fields.freeze(), heads, end)
    }

    fn end(&self) -> Bytes {
        format!("--{}--\r\n", self.boundary).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_as_long_as_it_says() {
        let mut form = Form::new().unwrap();
        form.field("message", "one\r\ntwo");
        form.file(&"a \"b\".txt".parse().unwrap(), 3);
        form.file(&"é".parse().unwrap(), 0);
        let length = form.length();
        let (fields, heads, end) = form.into_parts();
        let whole = [&fields[..], &heads[0], b"abc\r\n", &heads[1], b"\r\n", &end].concat();
        assert_eq!(whole.len() as u64, length);
        let text = String::from_utf8(whole).unwrap();
        assert!(text.contains("name=\"message\"\r\n\r\none\r\ntwo\r\n--agentdrop-"));
        assert!(text.contains(r#"filename="a \"b\".txt""#));
    }
}
