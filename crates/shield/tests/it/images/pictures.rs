//! Pictures, without any picture in them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;

use crate::made::ORDER;

pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

pub(super) fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
    [&length(data).to_be_bytes()[..], kind, data, &[0; 4]].concat()
}

pub(super) fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    let head = chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
    let body = [
        head,
        chunks.concat(),
        chunk(b"IDAT", &zlib(&[0, 0])),
        chunk(b"IEND", b""),
    ];
    [b"\x89PNG\r\n\x1A\n", &*body.concat()].concat()
}

pub(super) fn segment(kind: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, kind], &length[..], data].concat()
}

pub(super) fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    let scan = [
        segment(0xDA, b"\x01\x01\0\0\x3F\0"),
        b"\x12\xFF\0\x34\xFF\xD0\x56".to_vec(),
    ];
    [
        &b"\xFF\xD8"[..],
        &segments.concat(),
        &scan.concat(),
        b"\xFF\xD9",
    ]
    .concat()
}

fn blocks(data: &[u8]) -> Vec<u8> {
    let blocks = data
        .chunks(255)
        .map(|it| [&[u8::try_from(it.len()).unwrap()], it].concat());
    [blocks.collect::<Vec<_>>().concat(), vec![0]].concat()
}

pub(super) fn gif(extensions: &[Vec<u8>]) -> Vec<u8> {
    let picture = b"\x2C\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
    let head = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xFF\xFF\xFF";
    [head, &*extensions.concat(), picture, b"\x3B"].concat()
}

pub(super) fn riff(form: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = [form.to_vec(), chunks.concat()].concat();
    [b"RIFF".as_slice(), &length(&body).to_le_bytes(), &body].concat()
}

pub(super) fn riff_chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
    let padding = &[0][..data.len() & 1];
    [kind, &length(data).to_le_bytes(), data, padding].concat()
}

/// Of tags: what they are, of which type, and what they hold.
pub(super) fn tiff(tags: &[(u16, u16, &[u8])]) -> Vec<u8> {
    let mut out = b"II*\0\x08\0\0\0".to_vec();
    out.extend(u16::try_from(tags.len()).unwrap().to_le_bytes());
    let mut at = 8 + 2 + tags.len() * 12 + 4;
    let mut behind = Vec::new();
    for (tag, kind, data) in tags {
        out.extend(tag.to_le_bytes());
        out.extend(kind.to_le_bytes());
        let count = if *kind == 4 {
            data.len() / 4
        } else {
            data.len()
        };
        out.extend(u32::try_from(count).unwrap().to_le_bytes());
        if data.len() <= 4 {
            out.extend(*data);
            out.extend(vec![0; 4 - data.len()]);
        } else {
            out.extend(u32::try_from(at).unwrap().to_le_bytes());
            at += data.len();
            behind.extend(*data);
        }
    }
    out.extend([0; 4]);
    [out, behind].concat()
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn iptc() -> Vec<u8> {
    let order = ORDER.as_bytes();
    let record = [
        b"\x1C\x02\x78\0",
        &[u8::try_from(order.len()).unwrap()][..],
        order,
    ]
    .concat();
    let head = [
        b"Photoshop 3.0\08BIM\x04\x04\0\0".as_slice(),
        &length(&record).to_be_bytes(),
    ];
    [head.concat(), record].concat()
}

#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn all() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let order = ORDER.as_bytes();
    let zero = |before: &[u8], after: &[u8]| [before, after].concat();
    let xmp = format!("<?xml version=\"1.0\"?><x:xmpmeta>{ORDER}</x:xmpmeta>");
    let xmp = xmp.as_bytes();
    let described = tiff(&[(0x010E, 2, order)]);
    let exif = zero(b"Exif\0\0", &described);
    let comment = zero(b"ASCII\0\0\0", order);
    let wide_comment = [&b"UNICODE\0"[..], &wide(ORDER)].concat();
    vec![
        (
            "a.png",
            "tEXt Comment",
            png(&[chunk(b"tEXt", &zero(b"Comment\0", order))]),
        ),
        (
            "a.png",
            "zTXt Comment",
            png(&[chunk(b"zTXt", &zero(b"Comment\0\0", &zlib(order)))]),
        ),
        (
            "a.png",
            "iTXt Title",
            png(&[chunk(b"iTXt", &zero(b"Title\0\0\0en\0Titel\0", order))]),
        ),
        (
            "a.png",
            "iTXt Title",
            png(&[chunk(
                b"iTXt",
                &zero(b"Title\0\x01\0en\0Titel\0", &zlib(order)),
            )]),
        ),
        (
            "a.png",
            "XMP",
            png(&[chunk(b"iTXt", &zero(b"XML:com.adobe.xmp\0\0\0\0\0", xmp))]),
        ),
        (
            "a.png",
            "EXIF › ImageDescription",
            png(&[chunk(b"eXIf", &described)]),
        ),
        ("a.png", "prVt", png(&[chunk(b"prVt", order)])),
        ("a.jpg", "comment", jpeg(&[segment(0xFE, order)])),
        (
            "a.jpg",
            "EXIF › ImageDescription",
            jpeg(&[segment(0xE1, &exif)]),
        ),
        (
            "a.jpg",
            "EXIF › UserComment",
            jpeg(&[segment(
                0xE1,
                &zero(b"Exif\0\0", &tiff(&[(0x9286, 7, &comment)])),
            )]),
        ),
        (
            "a.jpg",
            "EXIF › UserComment",
            jpeg(&[segment(
                0xE1,
                &zero(b"Exif\0\0", &tiff(&[(0x9286, 7, &wide_comment)])),
            )]),
        ),
        (
            "a.jpg",
            "EXIF › XPComment",
            jpeg(&[segment(
                0xE1,
                &zero(b"Exif\0\0", &tiff(&[(0x9C9C, 1, &wide(ORDER))])),
            )]),
        ),
        (
            "a.jpg",
            "XMP",
            jpeg(&[segment(0xE1, &zero(b"http://ns.adobe.com/xap/1.0/\0", xmp))]),
        ),
        (
            "a.jpg",
            "extended XMP",
            jpeg(&[
                segment(
                    0xE1,
                    &[
                        b"http://ns.adobe.com/xmp/extension/\0",
                        &[0; 40][..],
                        &xmp[..40],
                    ]
                    .concat(),
                ),
                segment(
                    0xE1,
                    &[
                        b"http://ns.adobe.com/xmp/extension/\0",
                        &[0; 40][..],
                        &xmp[40..],
                    ]
                    .concat(),
                ),
            ]),
        ),
        ("a.jpg", "IPTC 2:120", jpeg(&[segment(0xED, &iptc())])),
        ("a.jpg", "APP12", jpeg(&[segment(0xEC, order)])),
        (
            "a.gif",
            "comment",
            gif(&[zero(b"\x21\xFE", &blocks(order))]),
        ),
        (
            "a.gif",
            "text",
            gif(&[[b"\x21\x01\x0C", &[0; 12][..], &blocks(order)].concat()]),
        ),
        (
            "a.gif",
            "application extension",
            gif(&[[b"\x21\xFF\x0BNETSCAPE2.0", &blocks(order)[..]].concat()]),
        ),
        (
            "a.gif",
            "XMP",
            gif(&[[
                b"\x21\xFF\x0BXMP DataXMP",
                xmp,
                &std::iter::once(1)
                    .chain((0..=0xFF).rev())
                    .collect::<Vec<_>>(),
                &[0],
            ]
            .concat()]),
        ),
        (
            "a.webp",
            "EXIF › ImageDescription",
            riff(b"WEBP", &[riff_chunk(b"EXIF", &described)]),
        ),
        (
            "a.webp",
            "XMP",
            riff(
                b"WEBP",
                &[riff_chunk(b"VP8 ", &[1, 2, 3]), riff_chunk(b"XMP ", xmp)],
            ),
        ),
        ("a.tif", "ImageDescription", described),
        ("a.tif", "XMP", tiff(&[(0x02BC, 1, xmp)])),
    ]
}
