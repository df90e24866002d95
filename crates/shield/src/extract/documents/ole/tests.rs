use std::io::{Cursor, Write};

use crate::extract::documents::tests::{Heard, cut_at_every_length};
use crate::walk::Setting::{Hidden, Metadata, Name, Visible};

fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for (path, bytes) in streams {
        let folder = path.rsplit_once('/').unwrap().0;
        if !folder.is_empty() {
            file.create_storage_all(folder).unwrap();
        }
        file.create_stream(path).unwrap().write_all(bytes).unwrap();
    }
    file.into_inner().into_inner()
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn text_stands_in_streams_in_letters_of_one_byte_or_two() {
    let word = [
        b"\xEC\xA5\x01\0\x03".as_slice(),
        b"plain words\rof one byte\0\x01",
        &wide("слова и 言葉言葉言葉"),
        &[0, 1, 2],
    ];
    let document = compound(&[
        ("/WordDocument", &word.concat()),
        (
            "/\u{5}SummaryInformation",
            b"\xFE\xFF\0\0\x1E\0\0\0\x0A\0\0\0the title\0",
        ),
        ("/ObjectPool/_1/CONTENTS", b"<html><p>in an object"),
        ("/Data", b"\0\0\0words that are elsewhere\0\0"),
    ]);
    let heard = Heard::of("a.doc", &document);
    heard.has("a.doc › WordDocument", Visible, "plain words\nof one byte");
    heard.has("a.doc › WordDocument", Visible, "слова и 言葉言葉言葉");
    heard.has("a.doc › \\u{5}SummaryInformation", Metadata, "the title");
    heard.has("a.doc › ObjectPool/_1/CONTENTS", Visible, "in an object");
    heard.has("a.doc › Data", Hidden, "words that are elsewhere");
}

#[test]
fn mails_of_outlook_are_read_property_for_property() {
    let packed = [
        b"\x20\0\0\0\x10\0\0\0LZFu\0\0\0\0".as_slice(),
        b"\0{\\rtf1 s\0mall wor\0ds}     ",
    ]
    .concat();
    let mail = compound(&[
        ("/__properties_version1.0", &[0; 32]),
        ("/__substg1.0_0037001F", &wide("the subject")),
        ("/__substg1.0_1000001F", &wide("the body")),
        ("/__substg1.0_10130102", b"<p>a page<p hidden>the words"),
        ("/__substg1.0_10090102", &packed),
        (
            "/__attach_version1.0_#00000000/__substg1.0_37010102",
            b"<html><p>in a file",
        ),
        (
            "/__attach_version1.0_#00000000/__substg1.0_3707001F",
            &wide("a.html"),
        ),
    ]);
    let heard = Heard::of("a.msg", &mail);
    heard.has("a.msg › headers", Metadata, "the subject");
    heard.has("a.msg › body", Visible, "the body");
    heard.has("a.msg › hidden text", Hidden, "the words");
    heard.has("a.msg", Visible, "small words");
    let folder = "a.msg › __attach_version1.0_#00000000";
    heard.has(folder, Name, "a.html");
    heard.has(&format!("{folder} › a.html"), Visible, "in a file");
}

#[test]
fn what_cannot_be_read_is_said_and_its_text_is_read() {
    let heard = Heard::of(
        "a.doc",
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0words that are here\0",
    );
    heard.found("a.doc", "format/unreadable");
    heard.has("a.doc", Visible, "words that are here");
    let locked = compound(&[("/EncryptedPackage", b"1234")]);
    Heard::of("a.docx", &locked).found("a.docx", "documents/encrypted");
}

#[test]
fn a_file_may_end_anywhere_and_lie_anywhere() {
    let document = compound(&[
        ("/a/b", b"words that are here"),
        ("/WordDocument", &[b'a'; 5_000]),
    ]);
    for length in (0..document.len()).step_by(401) {
        Heard::of("a.doc", &document[..length]);
    }
    // Every byte of the head, of the table, and of the first entries, turned over.
    for at in (0..1_024).chain(1_024..document.len()).step_by(37) {
        let mut broken = document.clone();
        broken[at] ^= 0xFF;
        Heard::of("a.doc", &broken);
    }
    let looped: Vec<u8> = (0..document.len())
        .map(|it| if it < 512 { document[it] } else { 1 })
        .collect();
    Heard::of("a.doc", &looped);
    cut_at_every_length("a.doc", &document[..530]);
}
