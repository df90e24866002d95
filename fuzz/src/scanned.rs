//! What must hold of any file that is scanned: nothing brings the scanner down, and nothing that it says
//! steers a terminal.

use std::sync::LazyLock;

use agentdrop_shield::{Limits, RuleSet, Scanner};

static RULES: LazyLock<RuleSet> = LazyLock::new(|| RuleSet::load().unwrap());

/// A gzip stream, with streams of other sorts inside.
pub fn gzip(data: &[u8]) {
    scan("a.gz", b"\x1F\x8B\x08", data);
}

/// A JPEG picture, with EXIF.
pub fn jpeg(data: &[u8]) {
    scan("a.jpg", b"\xFF\xD8\xFF", data);
}

/// A PNG picture.
pub fn png(data: &[u8]) {
    scan("a.png", b"\x89PNG\r\n\x1A\n", data);
}

/// A 7z archive.
pub fn sevenzip(data: &[u8]) {
    scan("a.7z", b"7z\xBC\xAF\x27\x1C", data);
}

/// A tape archive; its check digits are made right, for chance does not find them.
pub fn tar(data: &[u8]) {
    let mut tape = data.to_vec();
    for block in tape.chunks_exact_mut(512).filter(|it| it.ends_with(&[0])) {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|it| u32::from(*it)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    }
    scan("a.tar", b"", &tape);
}

/// A zip archive.
pub fn zip(data: &[u8]) {
    scan("a.zip", b"PK\x03\x04", data);
}

/// Scans what begins like this, whatever it goes on with.
fn scan(name: &str, magic: &[u8], data: &[u8]) {
    let mut bytes = data.to_vec();
    bytes.resize(bytes.len().max(magic.len()), 0);
    bytes[..magic.len()].copy_from_slice(magic);
    let limits = Limits {
        expanded: 16 << 20,
        ..Limits::default()
    };
    let report = Scanner::new(&RULES).limits(limits).bytes(name, &bytes);
    assert!(report.findings.len() <= limits.findings);
    for finding in &report.findings {
        let said = [Some(&finding.place), finding.excerpt.as_ref()];
        assert!(
            !said
                .into_iter()
                .flatten()
                .any(|it| it.contains(char::is_control))
        );
    }
}
