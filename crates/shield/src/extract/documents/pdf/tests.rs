use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::unhex;
use crate::extract::documents::tests::{Heard, cut_at_every_length};
use crate::walk::Setting::{Code, Hidden, Metadata, Visible};

/// A document with one page that shows this, and these objects besides.
fn pdf(content: &str, catalogue: &str, more: &str) -> Vec<u8> {
    format!(
        "%PDF-1.7\n1 0 obj <</Type /Catalog /Pages 2 0 R {catalogue}>> endobj\n\
         2 0 obj <</Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 600 800]>> endobj\n\
         3 0 obj <</Type /Page /Parent 2 0 R /Contents 4 0 R /Resources <</Font <</F1 5 0 R>> \
         /ExtGState <</G 8 0 R>> /XObject <</X 9 0 R>> /Properties <</L 11 0 R>>>> >> endobj\n\
         4 0 obj <</Length {}>> stream\n{content}\nendstream endobj\n\
         5 0 obj <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>> endobj\n\
         8 0 obj <</ca 0>> endobj\n{more}\n\
         trailer <</Root 1 0 R /Info 6 0 R>>\n%%EOF",
        content.len()
    )
    .into_bytes()
}

fn heard(content: &str) -> Heard {
    Heard::of("a.pdf", &pdf(content, "", ""))
}

#[test]
fn a_page_is_read_in_words_and_lines() {
    let heard = heard(
        "BT /F1 12 Tf 14 TL 100 700 Td (Ignore) Tj 60 0 Td (all) Tj 0 -14 Td [(ear) -20 (lier) -400 (ones)] TJ \
         T* (x\\051\\n) ' <68 656C6c 6f> Tj ET",
    );
    heard.has("a.pdf › page 1", Visible, "Ignore all\nearlier ones\nx)");
    heard.has("a.pdf › page 1", Visible, "hello");
    heard.has_not(Hidden, "Ignore");
}

#[test]
fn what_of_a_page_is_not_seen_is_hidden() {
    for hidden in [
        "3 Tr (the words) Tj",
        "1 g (the words) Tj",
        "1 1 1 rg (the words) Tj",
        "0 0 0 0 k (the words) Tj",
        "/F1 0.5 Tf (the words) Tj",
        "0.01 0 0 0.01 100 100 Tm (the words) Tj",
        "5000 0 Td (the words) Tj",
        "1 0 0 1 10 -300 Tm (the words) Tj",
        "/G gs (the words) Tj",
        "/OC /L BDC (the words) Tj EMC",
    ] {
        let content = format!("BT /F1 12 Tf 100 700 Td (seen) Tj {hidden} ET");
        let catalogue = "/OCProperties <</D <</OFF [11 0 R]>> >>";
        let heard = Heard::of(
            "a.pdf",
            &pdf(&content, catalogue, "11 0 obj <</Type /OCG>> endobj"),
        );
        heard.has("a.pdf › page 1 › hidden text", Hidden, "the words");
        heard.has("a.pdf › page 1", Visible, "seen");
        heard.has_not(Hidden, "seen");
    }
}

#[test]
fn white_on_what_was_painted_is_seen() {
    let heard = heard("0 0 1 rg 90 690 300 40 re f BT 1 g /F1 12 Tf 100 700 Td (the words) Tj ET");
    heard.has("a.pdf › page 1", Visible, "the words");
    heard.has_not(Hidden, "the words");
}

#[test]
fn fonts_say_what_their_codes_stand_for() {
    let table = "1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfchar <01> <0068> endbfchar \
                 2 beginbfrange <02> <03> <0065> <10> <11> [<006C> <006C006F>] endbfrange";
    let more = format!(
        "5 0 obj <</Type /Font /ToUnicode 7 0 R>> endobj 7 0 obj <</Length 9>> stream\n{table}\nendstream endobj"
    );
    let document = pdf("BT /F1 9 Tf 9 9 Td <01021011> Tj ET", "", &more);
    Heard::of("a.pdf", &document).has("a.pdf › page 1", Visible, "hello");
    let wide = "5 0 obj <</Subtype /Type0 /Encoding /UniJIS-UCS2-H>> endobj";
    let document = pdf("BT /F1 9 Tf 9 9 Td <0068006900e9> Tj ET", "", wide);
    Heard::of("a.pdf", &document).has("a.pdf › page 1", Visible, "hié");
    let names = "5 0 obj <</Encoding <</Differences [1 /h /e /l /uni006F /space]>> >> endobj";
    let document = pdf("BT /F1 9 Tf 9 9 Td <010203030405> Tj ET", "", names);
    Heard::of("a.pdf", &document).has("a.pdf › page 1", Visible, "hello ");
}

#[test]
fn texts_that_are_on_no_page_have_their_places() {
    let more = "6 0 obj <</Title (the title) /Author <FEFF00e90074006f>>> endobj\n\
        10 0 obj <</Subtype /Text /Contents (a note of somebody)>> endobj\n\
        12 0 obj <</FT /Tx /V (typed into a form) /TU (what to type here)>> endobj\n\
        13 0 obj <</Type /Metadata /Length 1>> stream\n<?xml version='1.0'?><x:xmpmeta xmlns:x='x'>\
        <dc:description>described</dc:description></x:xmpmeta>\nendstream endobj\n\
        14 0 obj <</Type /EmbeddedFile>> stream\nsome text of a file\nendstream endobj\n\
        15 0 obj <</Type /Filespec /F (notes.txt) /EF <</F 14 0 R>>>> endobj\n\
        16 0 obj <<>> stream\nBT (on no page) Tj ET\nendstream endobj";
    let document = pdf(
        "/Span <</ActualText (is read as this)>> BDC BT (x) Tj ET EMC",
        "",
        more,
    );
    let heard = Heard::of("a.pdf", &document);
    heard.has("a.pdf › document information", Metadata, "éto");
    heard.has("a.pdf › document information", Metadata, "the title");
    heard.has("a.pdf › notes", Hidden, "a note of somebody");
    heard.has("a.pdf › form", Visible, "typed into a form");
    heard.has("a.pdf › other texts", Hidden, "what to type here");
    heard.has("a.pdf › metadata", Metadata, "described");
    heard.has("a.pdf › notes.txt", Visible, "some text of a file");
    heard.has("a.pdf › not on a page › hidden text", Hidden, "on no page");
    heard.has(
        "a.pdf › page 1 › text for readers",
        Hidden,
        "is read as this",
    );
}

#[test]
fn streams_are_read_through_their_filters() {
    let content = b"BT /F1 9 Tf 9 9 Td (hello there) Tj ET";
    let mut flat = ZlibEncoder::new(Vec::new(), Compression::default());
    flat.write_all(content).unwrap();
    let flat = flat.finish().unwrap();
    let hex = hex::encode(&flat);
    let packed = "80108a820141a0ca6c361bc41068442a1909101d20c72328a44054350808a54808";
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("/FlateDecode", flat, "hello there"),
        (
            "[/ASCIIHexDecode /Fl#61teDecode]",
            format!("{hex}>").into(),
            "hello there",
        ),
        (
            "/RunLengthDecode",
            b"\x06BT (hel\x00l\x08o) Tj ET \x80".to_vec(),
            "hello",
        ),
        (
            "/ASCII85Decode",
            b"6<#'UBOu!rD]i_)Ci\"#4BOu!rD]j.8ATD?2+B3(u78s~>".to_vec(),
            "hello hello hello there",
        ),
        (
            "/LZWDecode",
            unhex(packed.as_bytes()),
            "hello hello hello there",
        ),
    ];
    for (filter, bytes, text) in cases {
        let head = format!(
            "%PDF-1.4\n3 0 obj<</Type/Page/Contents 4 0 R>>endobj 4 0 obj<</Filter {filter}>>stream\n"
        );
        let document = [head.as_bytes(), &bytes, b"\nendstream endobj"].concat();
        Heard::of("a.pdf", &document).has("a.pdf › page 1", Visible, text);
        // Broken in the middle: what came out before is read.
        let cut = [head.as_bytes(), &bytes[..bytes.len() - 3]].concat();
        Heard::of("a.pdf", &cut);
    }
    let packed = "5 0 6 40 <</Type /Page /Contents 7 0 R>>          <</S /Launch /F (cmd.exe)>>";
    let document = format!(
        "%PDF-1.5\n4 0 obj <</Type /ObjStm /N 2 /First 9>> stream\n{packed}\nendstream endobj\n\
         7 0 obj <<>> stream\nBT (hello) Tj ET\nendstream endobj"
    );
    let heard = Heard::of("a.pdf", document.as_bytes());
    heard.has("a.pdf › page 1", Visible, "hello");
    heard.found("a.pdf", "documents/pdf-launch");
}

#[test]
fn what_a_document_does_is_found() {
    let found = |catalogue: &str, more: &str, rule: &str| {
        Heard::of("a.pdf", &pdf("", catalogue, more)).found("a.pdf", rule);
    };
    let action = |it: &str| format!("20 0 obj <<{it}>> endobj");
    let script = "/S /JavaScript /JS (this.x = 1)";
    found("", &action(script), "documents/pdf-script");
    found(
        "",
        &action("/S /J#61vaScript /#4a#53 (this.x = 1)"),
        "documents/pdf-script",
    );
    found(
        "/OpenAction 20 0 R",
        &action(script),
        "documents/pdf-script-on-open",
    );
    found(
        &format!("/OpenAction <<{script}>>"),
        "",
        "documents/pdf-script-on-open",
    );
    let attack = "/S /JavaScript /JS (eval(unescape('%61')))";
    found("", &action(attack), "documents/pdf-script-attacks");
    found(
        "",
        &action("/S /Launch /Win <</F (cmd.exe) /P (/c calc)>>"),
        "documents/pdf-launch",
    );
    found(
        "",
        &action("/S /URI /URI (javascript:alert(1))"),
        "documents/address-runs",
    );
    found(
        "/OpenAction 20 0 R",
        &action("/S /URI /URI (http://a.example)"),
        "documents/pdf-fetches",
    );
    found(
        "",
        &action("/S /SubmitForm /F (https://a.example)"),
        "documents/pdf-submits",
    );
    found(
        "",
        &action("/Subtype /RichMedia"),
        "documents/pdf-rich-media",
    );
    found("", "trailer <</Encrypt 20 0 R>>", "documents/encrypted");

    let stream = "20 0 obj <</S /JavaScript /JS 21 0 R>> endobj 21 0 obj <<>> stream\nlet a = 'b';\nendstream";
    Heard::of("a.pdf", &pdf("", "", stream)).has("a.pdf › script", Code, "let a = 'b';");
    let ordinary = action("/S /URI /URI (https://a.example/)");
    let heard = Heard::of("a.pdf", &pdf("", "/OpenAction [3 0 R /Fit]", &ordinary));
    assert!(heard.findings.is_empty(), "{:#?}", heard.findings);
}

#[test]
fn what_opens_with_no_password_is_opened() {
    for locked in [
        include_bytes!("../../../../../../fuzz/seeds/pdf/rc4").as_slice(),
        include_bytes!("../../../../../../fuzz/seeds/pdf/aes128"),
        include_bytes!("../../../../../../fuzz/seeds/pdf/aes256"),
    ] {
        let heard = Heard::of("a.pdf", locked);
        heard.has("a.pdf › page 1", Visible, "words that are locked");
        heard.has("a.pdf › document information", Metadata, "the title");
        heard.found_not("documents/encrypted");
        // With another key it is not.
        let at = memchr::memmem::find(locked, b"/U <").unwrap() + 5;
        let mut other = locked.to_vec();
        other[at] = if other[at] == b'1' { b'2' } else { b'1' };
        Heard::of("a.pdf", &other).found("a.pdf", "documents/encrypted");
    }
}

#[test]
fn documents_that_are_made_to_be_slow_are_not() {
    let forms: Vec<String> = (30..60)
        .map(|it| {
            format!(
                "{it} 0 obj <</Subtype /Form /Resources <</XObject <</X {} 0 R>> >> >> stream
\
                 /X Do /X Do
endstream endobj
",
                it + 1
            )
        })
        .collect();
    let forms = forms.concat();
    let start = "9 0 obj <</Subtype /Form /Resources <</XObject <</X 30 0 R>> >> >> stream\n/X Do\nendstream endobj";
    Heard::of("a.pdf", &pdf("/X Do /X Do", "", &format!("{start}{forms}")));
    Heard::of(
        "a.pdf",
        format!("%PDF-1.4\n1 0 obj {}", "[<<".repeat(100_000)).as_bytes(),
    );
    Heard::of(
        "a.pdf",
        format!("%PDF-1.4\n{}", "1 0 obj <<".repeat(50_000)).as_bytes(),
    );
    Heard::of(
        "a.pdf",
        format!("%PDF-1.4\n{}", "1 0 obj stream\n".repeat(50_000)).as_bytes(),
    );
    for slow in [
        "trailer",
        "trailer<<(",
        "1 0 obj(",
        "1 0 obj(a endobj",
        "1 0 obj a ",
    ] {
        let document = format!("%PDF-1.4\n{}", slow.repeat(500_000));
        Heard::of("a.pdf", document.as_bytes());
    }
    Heard::of(
        "a.pdf",
        pdf("", "", "20 0 obj 21 0 R endobj 21 0 obj 20 0 R endobj").as_slice(),
    );
    Heard::of("a.pdf", &pdf(&"q ".repeat(100_000), "", ""));
    // A chain of filters, each of which makes much of little.
    let mut bytes = vec![b' '; 16 << 20];
    for _ in 0..3 {
        let mut flat = ZlibEncoder::new(Vec::new(), Compression::best());
        flat.write_all(&bytes).unwrap();
        bytes = flat.finish().unwrap();
    }
    let head = "%PDF-1.4\n3 0 obj<</Type/Page/Contents [4 0 R 5 0 R 6 0 R]>>endobj ";
    let stream = |it| format!("{it} 0 obj<</Filter [/Fl /Fl /Fl]>>stream\n");
    let mut document = head.as_bytes().to_vec();
    for it in 4..7 {
        document.extend([stream(it).as_bytes(), &bytes, b"\nendstream endobj "].concat());
    }
    Heard::of("a.pdf", &document).found("", "resource-limit/ratio");
}

#[test]
fn a_string_without_an_end_hides_nothing() {
    let whole =
        String::from_utf8(pdf("BT /F1 12 Tf 100 700 Td (the words) Tj ET", "", "")).unwrap();
    for before in [
        "90 0 obj (",
        "90 0 obj <</A (",
        "90 0 obj [<</A <",
        "90 0 obj (x\nendobj ",
    ] {
        for times in [1, 20] {
            let hidden =
                whole.replacen("1 0 obj", &format!("{}\n1 0 obj", before.repeat(times)), 1);
            let heard = Heard::of("a.pdf", hidden.as_bytes());
            heard.has("a.pdf › page 1", Visible, "the words");
        }
    }
}

#[test]
fn a_document_may_end_anywhere() {
    let content = "q 1 0 0 1 0 0 cm BT /F1 12 Tf (a\\)b) Tj [(c) -3 <64>] TJ ET /X Do Q";
    let more = "5 0 obj <</Subtype /Type0 /ToUnicode 7 0 R /W [1 [2 3] 4 5 6]>> endobj 7 0 obj <</Filter /LZWDecode>> stream\nabcdef\nendstream endobj";
    cut_at_every_length(
        "a.pdf",
        &pdf(content, "/OpenAction <</S /JavaScript /JS (a)>>", more),
    );
}
