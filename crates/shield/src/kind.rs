//! What an input is, told by its content.

use std::borrow::Cow;

use memchr::memmem;

/// What an input is. Its name has no say in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Text without a form of its own: notes, source code, Markdown, JSON, YAML, CSV.
    Text,
    /// Text for a browser.
    Html,
    /// Text in elements, SVG among it.
    Xml,
    /// Text with control words, of word processors.
    Rtf,
    /// Text with headers: mail.
    Email,
    /// Portable document.
    Pdf,
    /// Compound file: documents of old Office, mails of Outlook, installers.
    Ole,
    /// Archive, and all of new Office, `OpenDocument`, EPUB, Java, Android.
    Zip,
    /// Archive without compression: libraries, packages of Debian.
    Ar,
    /// Archive without compression, of packages and systems.
    Cpio,
    /// Archive without compression.
    Tar,
    /// Archive.
    SevenZip,
    /// Archive that is not opened.
    Rar,
    /// Compressed stream.
    Gzip,
    /// Compressed stream.
    Bzip2,
    /// Compressed stream.
    Lzma,
    /// Compressed stream.
    Xz,
    /// Compressed stream.
    Zstd,
    /// Picture.
    Png,
    /// Picture.
    Jpeg,
    /// Picture.
    Gif,
    /// Picture.
    Webp,
    /// Picture, or raw pictures of cameras.
    Tiff,
    /// Sound or film: MP3, MP4, Ogg, FLAC, WAV, Matroska.
    Media,
    /// Program of Windows.
    Pe,
    /// Program of Linux.
    Elf,
    /// Program of macOS.
    MachO,
    /// Program of the Java machine.
    JavaClass,
    /// Program of the web.
    Wasm,
    /// Link of Windows.
    Lnk,
    /// Objects of Python, which are programs.
    Pickle,
    /// What a program says in another language, of gettext.
    Catalogue,
    /// None of those that are known.
    Binary,
}

/// How many bytes tell what an input is.
pub(crate) const HEAD: usize = 4096;

/// What begins like this is that.
const BEGINNINGS: &[(&[u8], Kind)] = &[
    (b"PK\x03\x04", Kind::Zip),
    (b"PK\x05\x06", Kind::Zip),
    (b"%PDF-", Kind::Pdf),
    (b"{\\rtf", Kind::Rtf),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Kind::Ole),
    (b"!<arch>\n", Kind::Ar),
    (b"070701", Kind::Cpio),
    (b"070702", Kind::Cpio),
    (b"7z\xBC\xAF\x27\x1C", Kind::SevenZip),
    (b"Rar!\x1A\x07", Kind::Rar),
    (b"\x1F\x8B", Kind::Gzip),
    (b"BZh", Kind::Bzip2),
    (b"\xFD7zXZ\0", Kind::Xz),
    (b"\x28\xB5\x2F\xFD", Kind::Zstd),
    (b"\x89PNG\r\n\x1A\n", Kind::Png),
    (b"\xFF\xD8\xFF", Kind::Jpeg),
    (b"GIF8", Kind::Gif),
    (b"II*\0", Kind::Tiff),
    (b"MM\0*", Kind::Tiff),
    (b"ID3", Kind::Media),
    (b"OggS", Kind::Media),
    (b"fLaC", Kind::Media),
    (b"\x1A\x45\xDF\xA3", Kind::Media),
    (b"\x7FELF", Kind::Elf),
    (b"\xFE\xED\xFA\xCE", Kind::MachO),
    (b"\xFE\xED\xFA\xCF", Kind::MachO),
    (b"\xCE\xFA\xED\xFE", Kind::MachO),
    (b"\xCF\xFA\xED\xFE", Kind::MachO),
    (b"\0asm", Kind::Wasm),
    (b"\xDE\x12\x04\x95", Kind::Catalogue),
    (b"\x95\x04\x12\xDE", Kind::Catalogue),
    (b"L\0\0\0\x01\x14\x02\0", Kind::Lnk),
];

impl Kind {
    /// By the first bytes, [`HEAD`] of them where there are so many.
    pub(crate) fn of(head: &[u8]) -> Self {
        if let Some((_, kind)) = BEGINNINGS.iter().find(|it| head.starts_with(it.0)) {
            return *kind;
        }
        match head {
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Self::Webp,
            [b'R', b'I', b'F', b'F', ..]
            | [_, _, _, _, b'f', b't', b'y', b'p', ..]
            | [0xFF, 0xE2 | 0xE3 | 0xF2 | 0xF3 | 0xFA | 0xFB, ..] => Self::Media,
            // A fat program of macOS counts its architectures where Java has its version.
            [0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 0..20, ..] => Self::MachO,
            [0xCA, 0xFE, 0xBA, 0xBE, ..] => Self::JavaClass,
            [b'M', b'Z', ..] if !crate::text::is_text(head) => Self::Pe,
            [0x80, 2..=5, ..] => Self::Pickle,
            // A frame that decoders pass over stands before those with content.
            [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Self::Zstd,
            _ if crate::extract::is_lzma(head) => Self::Lzma,
            _ if head.get(257..262) == Some(b"ustar") || crate::extract::is_tar(head) => Self::Tar,
            _ if crate::text::is_text(head) => Self::of_text(head),
            _ => Self::Binary,
        }
    }

    /// What sort of text it is that begins like this.
    fn of_text(head: &[u8]) -> Self {
        let lower = without_bom(head).to_ascii_lowercase();
        let head = lower.trim_ascii_start();
        let has = |what: &[u8]| memmem::find(head, what).is_some();
        if head.starts_with(b"<!doctype html") || head.starts_with(b"<html") || has(b"<html") {
            return Self::Html;
        }
        let is_xml = |it: &[u8]| it.starts_with(b"<?xml") || it.starts_with(b"<?xpacket");
        if is_xml(head) || head.starts_with(b"<svg") || head.starts_with(b"<") && has(b" xmlns") {
            return Self::Xml;
        }
        if head.starts_with(b"<") && (has(b"<body") || has(b"<div") || has(b"<p>") || has(b"<!--"))
        {
            return Self::Html;
        }
        let is_header =
            |it: &str| head.starts_with(it.as_bytes()) || has(&[b"\n", it.as_bytes()].concat());
        let headers = [
            "from: ",
            "subject: ",
            "received: ",
            "mime-version: ",
            "return-path: ",
        ];
        if headers.into_iter().filter(|it| is_header(it)).count() >= 2 {
            return Self::Email;
        }
        Self::Text
    }
}

/// The bytes without the mark of an encoding, and without the zeros of UTF-16.
fn without_bom(head: &[u8]) -> Cow<'_, [u8]> {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let head = head.strip_prefix(b"\xFF\xFE").unwrap_or(head);
    let head = head.strip_prefix(b"\xFE\xFF").unwrap_or(head);
    if memchr::memchr(0, head).is_none() {
        return Cow::Borrowed(head);
    }
    head.iter().copied().filter(|it| *it != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_something_is_is_told_by_how_it_begins() {
        let cases: &[(&[u8], Kind)] = &[
            (b"hello", Kind::Text),
            (b"", Kind::Text),
            (b"\xFF\xFE<\0h\0t\0m\0l\0>\0", Kind::Html),
            (b"<!DOCTYPE html><p>", Kind::Html),
            (b"<?xml version=\"1.0\"?><svg/>", Kind::Xml),
            (b"From: a@b.example\nSubject: x\n\nhi", Kind::Email),
            (b"PK\x03\x04\x14", Kind::Zip),
            (b"\x80\x04\x95", Kind::Pickle),
            (b"MZ\x90\0\x03\0\0\0", Kind::Pe),
            (b"MZ is a text too", Kind::Text),
            (b"\xCA\xFE\xBA\xBE\0\0\0\x02", Kind::MachO),
            (b"\xCA\xFE\xBA\xBE\0\0\0\x34", Kind::JavaClass),
            (b"\0\x01\x02\x03", Kind::Binary),
        ];
        for (head, kind) in cases {
            assert_eq!(Kind::of(head), *kind, "{head:?}");
        }
    }
}
