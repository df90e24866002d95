//! Programs, disguised or not, and files that are two things.

use agentdrop_shield::ThreatLevel::{Clean, High, Low, Medium};

use crate::looked::{assert_at_most, assert_finds, look};

/// A program of Windows with one section of these rights, and what was appended to it.
fn windows(flags: u32, appended: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 0x400];
    let mut put = |at: usize, what: &[u8]| bytes[at..at + what.len()].copy_from_slice(what);
    put(0, b"MZ\x90\0\x03\0\0\0");
    put(0x3C, &0x80_u32.to_le_bytes());
    put(0x80, b"PE\0\0\x4C\x01\x01\0");
    put(0x94, &0xE0_u16.to_le_bytes());
    let optional = 0x98;
    put(optional, &0x10B_u16.to_le_bytes());
    put(optional + 16, &0x1000_u32.to_le_bytes());
    put(optional + 68, &2_u16.to_le_bytes());
    let section = optional + 0xE0;
    put(section, b".text\0\0\0");
    put(section + 8, &0x200_u32.to_le_bytes());
    put(section + 12, &0x1000_u32.to_le_bytes());
    put(section + 16, &0x200_u32.to_le_bytes());
    put(section + 20, &0x200_u32.to_le_bytes());
    put(section + 36, &flags.to_le_bytes());
    bytes.extend(appended);
    bytes
}

const READ_AND_RUN: u32 = 0x6000_0020;
const WRITE_TOO: u32 = 0xE000_0020;

#[test]
fn a_program_under_its_own_name_is_no_crime() {
    let program = windows(READ_AND_RUN, b"");
    for name in ["tool.exe", "lib.dll", "tool", "data.bin"] {
        assert_finds(name, &program, "program/native", Low);
        assert_at_most(name, &program, Low);
    }
    assert_at_most(
        "lib.so",
        b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0",
        Low,
    );
    assert_at_most("A.class", b"\xCA\xFE\xBA\xBE\0\0\0\x34\0\x10\0\0", Low);
}

#[test]
fn a_program_under_a_document_s_name_is_found() {
    let program = windows(READ_AND_RUN, b"");
    for name in [
        "invoice.pdf",
        "photo.jpg",
        "notes.txt",
        "table.xlsx",
        "film.mp4",
        "data.json",
    ] {
        assert_finds(name, &program, "format/disguised-program", High);
    }
    assert_finds("invoice.pdf.exe", &program, "name/double-extension", High);
    assert_finds("a.pdf", b"#!/bin/sh\nid\n", "format/disguised-script", High);
}

#[test]
fn a_program_that_writes_its_own_code_is_found() {
    assert_finds("a.exe", &windows(WRITE_TOO, b""), "program/packed", High);
    let mut installer = b"\0\0\0\0\xEF\xBE\xAD\xDENullsoftInst".to_vec();
    installer.resize(4096, 7);
    assert_finds(
        "a.exe",
        &windows(READ_AND_RUN, &installer),
        "program/installer",
        High,
    );
    let program = windows(WRITE_TOO, &installer);
    for end in 0..program.len() {
        look("a.exe", &program[..end]);
    }
}

#[test]
fn files_that_are_two_things_are_found() {
    let png = b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\0\0\0\0\0\0\0\0IEND\xAE\x42\x60\x82";
    assert_at_most("a.png", png, Clean);
    let program = windows(READ_AND_RUN, b"");
    assert_finds(
        "a.png",
        &[png, program.as_slice()].concat(),
        "format/polyglot-program",
        High,
    );
    assert_finds(
        "a.png",
        &[&png[..], b"#!/bin/sh\nid"].concat(),
        "format/polyglot-program",
        High,
    );
    assert_finds(
        "a.png",
        &[&png[..], b"<?php system('id');"].concat(),
        "format/polyglot-script",
        High,
    );
    let mut zip = b"PK\x03\x04\x14\0\0\0\0\0".to_vec();
    zip.resize(64, 0);
    let list_at = zip.len();
    zip.extend(b"PK\x01\x02");
    zip.resize(list_at + 50, 0);
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(50_u32.to_le_bytes());
    zip.extend((list_at as u32).to_le_bytes());
    zip.extend([0, 0]);
    assert_finds(
        "a.png",
        &[png, zip.as_slice()].concat(),
        "format/polyglot",
        High,
    );
    assert_finds(
        "a.gif",
        b"GIF89a=1;/* a picture */alert(document.cookie);//",
        "format/polyglot-script",
        High,
    );
}

#[test]
fn what_stands_in_letters_is_looked_into() {
    use base64::Engine as _;
    let program = windows(READ_AND_RUN, b"");
    let letters = base64::engine::general_purpose::STANDARD.encode(&program);
    let lines: Vec<&str> = letters
        .as_bytes()
        .chunks(76)
        .map(|it| str::from_utf8(it).unwrap())
        .collect();
    let hex: String = program.iter().map(|it| format!("{it:02x}")).collect();
    for text in [format!("payload = '{letters}'\n"), lines.join("\r\n"), hex] {
        assert_finds("a.txt", text.as_bytes(), "encoded/program", Medium);
        assert_finds("a.txt", text.as_bytes(), "program/native", Low);
    }
    assert_at_most(
        "a.txt",
        b"TVqQ is how a program of Windows begins in base 64.\n",
        Clean,
    );
}

#[test]
fn an_archive_that_cannot_be_looked_into_is_judged_by_its_list() {
    let mut cabinet = b"MSCF\0\0\0\0".to_vec();
    cabinet.resize(60, 0);
    let harmless = [cabinet.as_slice(), b"notes.txt\0"].concat();
    assert_finds("a.cab", &harmless, "archive/unopened", Medium);
    let program = [cabinet.as_slice(), b"setup.exe\0"].concat();
    assert_finds("a.cab", &program, "archive/unopened-program", High);
    // A locked entry of a zip archive.
    let entry = |flags: u8, name: &str| {
        let mut zip = b"PK\x03\x04\x14\0\0\0\0\0".to_vec();
        zip.resize(64, 0);
        let mut list = b"PK\x01\x02\x14\0\x14\0".to_vec();
        list.extend([flags, 0, 8, 0]);
        list.resize(28, 0);
        list.push(name.len() as u8);
        list.resize(46, 0);
        list.extend(name.as_bytes());
        zip.extend(list);
        zip
    };
    assert_finds(
        "a.zip",
        &entry(1, "invoice.pdf.lnk"),
        "archive/unopened-program",
        High,
    );
    for zip in [entry(0, "tool.exe"), entry(1, "photo.jpg")] {
        let report = look("a.zip", &zip);
        assert!(
            report
                .findings
                .iter()
                .all(|it| it.rule != "archive/unopened-program")
        );
    }
}
