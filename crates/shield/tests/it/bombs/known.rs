//! Bombs that are known.

use agentdrop_shield::ThreatLevel;

use super::{assert_told, is_apart, scan_apart};
use crate::made::{bzip2, gzip, noise, xz, zstd};
use crate::tars::{header, summed, tar};
use crate::zipped::{Entry, zip, zip_with};

fn zeros(mebibytes: usize) -> Vec<u8> {
    vec![0; mebibytes << 20]
}

/// Looks at it, and says by which rule it was told and how bad that is.
fn told(test: &str, name: &str, bomb: &[u8]) -> ThreatLevel {
    let report = scan_apart(&format!("bombs::known::{test}"), name, bomb);
    assert_told(name, &report);
    report.threat_level
}

macro_rules! bombs {
    ($($test:ident, $name:literal, $level:ident, $bomb:expr;)*) => {$(
        #[test]
        fn $test() {
            if is_apart() {
                return;
            }
            let level = told(stringify!($test), $name, &$bomb);
            assert_eq!(level, ThreatLevel::$level);
        }
    )*};
}

bombs! {
    a_gzip_of_zeros, "a.gz", High, gzip(&zeros(64));
    a_gzip_of_many_members, "a.gz", High, {
        let member = gzip(&zeros(1));
        member.repeat(100)
    };
    a_bzip2_of_zeros_in_less_than_a_thousand_bytes, "a.bz2", High, {
        let bomb = bzip2(&zeros(256));
        assert!(bomb.len() < 1000);
        bomb
    };
    forty_two_bzip2_in_a_bzip2, "a.bz2", High, bzip2(&bzip2(&zeros(64)).repeat(42));
    an_xz_of_zeros, "a.xz", High, xz(&zeros(64));
    a_zstandard_of_zeros, "a.zst", High, zstd(&zeros(64));
    a_gzip_in_a_gzip_in_a_gzip, "a.gz", High, (0..40).fold(b"hi".to_vec(), |inner, _| gzip(&inner));
    a_bomb_among_much_that_is_none, "a.zip", High, {
        let noise = noise(8 << 20);
        zip(&[Entry::stored("noise", &noise), Entry::deflated("a", &zeros(64)), Entry::stored("more", &noise)])
    };
    a_zip_of_zeros_behind_something, "a.bin", High,
        zip_with(&noise(1000), &[Entry::deflated("a", &zeros(64))], b"");
    a_zip_whose_sizes_lie, "a.zip", High, {
        zip(&[Entry { size: 100, ..Entry::deflated("a", &zeros(64)) }])
    };
    a_zip_whose_sizes_lie_a_little, "a.zip", High, {
        zip(&[Entry { size: 100, ..Entry::deflated("a", &zeros(1)) }])
    };
    zips_in_zips, "a.zip", High, {
        let mut inner = Entry::deflated("a", &zeros(4));
        for _ in 0..4 {
            let entries = |n| Entry { name: format!("{n}.zip").into(), ..inner.clone() };
            let all: Vec<_> = (0..16).map(entries).collect();
            inner = Entry::deflated("a.zip", &zip(&all));
        }
        zip(&[inner])
    };
    a_zip_whose_files_share_their_bytes, "a.zip", High, {
        let kernel = Entry::deflated("0", &zeros(16));
        let again = (1..250).map(|n| Entry { name: n.to_string().into(), at: Some(0), ..kernel.clone() });
        zip(&std::iter::once(kernel.clone()).chain(again).collect::<Vec<_>>())
    };
    a_zip_of_sixty_five_thousand_files, "a.zip", Medium, {
        let entries = (0..65_000).map(|n| Entry::stored(&n.to_string(), b"x"));
        zip(&entries.collect::<Vec<_>>())
    };
    a_zip_in_itself, "a.zip", High, {
        // As deep as anybody looks, and as flat as can be: each is the whole of the one around it.
        (0..100).fold(zip(&[]), |inner, _| zip(&[Entry::stored("a.zip", &inner)]))
    };
    an_xz_that_wants_four_gibibytes, "a.xz", Medium, crate::streams::hungry_xz();
    a_zstandard_that_wants_terabytes, "a.zst", Medium, [0x28, 0xB5, 0x2F, 0xFD, 0, 0xFF, 1, 0, 0];
    a_tape_of_terabytes_of_holes, "a.tar", High, {
        let mut block = header("a", b'S', 512, "");
        block[483..494].copy_from_slice(b"77777777777");
        let file = [summed(block).to_vec(), vec![0; 512]].concat();
        tar(&vec![file; 1000])
    };
    a_7z_whose_directory_lists_a_million_files, "a.7z", Medium, million_files();
    a_png_whose_comment_is_one, "a.png", High, crate::images::bomb();
}

/// A directory of a mebibyte that says there is a file for each of its bytes.
fn million_files() -> Vec<u8> {
    let mut directory = vec![1, 5];
    // A number of three bytes: two more follow the first.
    let files = 1_000_000_u32;
    directory.extend([0xC0 | u8::try_from(files >> 16).unwrap()]);
    directory.extend(u16::try_from(files & 0xFFFF).unwrap().to_le_bytes());
    // All of them are empty: a bit for each.
    let bits = files / 8;
    directory.extend([0x0E, 0xC0 | u8::try_from(bits >> 16).unwrap()]);
    directory.extend(u16::try_from(bits & 0xFFFF).unwrap().to_le_bytes());
    directory.resize(directory.len() + bits as usize, 0xFF);
    directory.resize(1_060 << 10, 0);
    let mut out = b"7z\xBC\xAF\x27\x1C\0\x04".to_vec();
    let mut start = 0_u64.to_le_bytes().to_vec();
    start.extend((directory.len() as u64).to_le_bytes());
    start.extend(crate::zipped::sum(&directory).to_le_bytes());
    out.extend(crate::zipped::sum(&start).to_le_bytes());
    out.extend(start);
    out.extend(directory);
    out
}

/// What is deep or long in text is told by those who read text; here it is only about memory.
#[test]
fn what_is_deep_takes_no_memory() {
    if is_apart() {
        return;
    }
    let entities = {
        let entity = |(inner, outer): (char, char)| {
            let inner = format!("&{inner};").repeat(10);
            format!("<!ENTITY {outer} \"{inner}\">")
        };
        let entities: Vec<_> = ('a'..'j').zip('b'..='j').map(entity).collect();
        let svg = "<?xml version=\"1.0\"?><!DOCTYPE svg [<!ENTITY a \"lol\">".to_owned();
        svg + &entities.concat()
            + "]><svg xmlns=\"http://www.w3.org/2000/svg\"><text>&j;</text></svg>"
    };
    let bombs = [
        ("a.json", "[".repeat(5 << 20)),
        (
            "a.xml",
            format!("<?xml version=\"1.0\"?>{}", "<a>".repeat(2 << 20)),
        ),
        ("a.html", "<div>".repeat(1 << 20)),
        ("a.svg", entities),
    ];
    let bombs = bombs.map(|(name, bomb)| (name, bomb.into_bytes()));
    let document = ("a.pdf", chained_pdf());
    for (name, bomb) in bombs.into_iter().chain([document]) {
        scan_apart("bombs::known::what_is_deep_takes_no_memory", name, &bomb);
    }
}

/// A document whose page is packed three times.
fn chained_pdf() -> Vec<u8> {
    let zeros = crate::images::zlib(&zeros(64));
    let page = crate::images::zlib(&crate::images::zlib(&zeros));
    let head = format!(
        "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/Contents 4 0 R>>endobj\n\
         4 0 obj<</Length {}/Filter[/FlateDecode/FlateDecode/FlateDecode]>>stream\n",
        page.len()
    );
    let tail = b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
    [head.as_bytes(), &page, tail].concat()
}
