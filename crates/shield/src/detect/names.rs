//! Names that are made to be read as something else.

use agentdrop_protocol::report::ThreatLevel::{High, Low, Medium};

use crate::budget::Step;
use crate::rule::Rule;
use crate::walk::{Input, Walk};

/// Looks at what a file is called.
pub(crate) fn look(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Step {
    walk.budget.work(input.name.len() as u64)?;
    for rule in judge(base(input.name)) {
        walk.found(rule, Some(input.name));
    }
    Ok(())
}

/// The name without its folders.
pub(crate) fn base(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// What stands behind the last full stop, in small letters; empty where there is none.
pub(crate) fn extension(name: &str) -> String {
    let name = base(name).trim_end_matches(['.', ' ']);
    let cut = name.rsplit_once('.').filter(|it| !it.0.is_empty());
    cut.map(|it| it.1.trim().to_ascii_lowercase())
        .unwrap_or_default()
}

/// Whether the system of somebody starts what is called so when it is opened.
pub(crate) fn is_of_program(extension: &str) -> bool {
    STARTED.contains(&extension)
}

/// Whether what is called so is something to read, to look at, or to listen to.
pub(crate) fn is_of_document(extension: &str) -> bool {
    OFFICE.contains(&extension) || SEEN.contains(&extension) || READ.contains(&extension)
}

/// Whether what is called so is a picture, sound or film.
pub(crate) fn is_of_picture(extension: &str) -> bool {
    SEEN.contains(&extension)
}

/// Whether what is called so is a document of an office.
pub(crate) fn is_of_office(extension: &str) -> bool {
    OFFICE.contains(&extension)
}

/// Whether what is called so is the text of a program.
pub(crate) fn is_of_script(extension: &str) -> bool {
    SCRIPTS.contains(&extension)
}

fn judge(name: &str) -> impl Iterator<Item = &'static Rule> {
    let has = |what: &[char]| name.contains(what);
    let is_between_letters = |what: fn(char) -> bool| {
        let all: Vec<char> = name.chars().take(1024).collect();
        let unseen = |it: &[char]| {
            let [a, b, c] = *it else { return false };
            a.is_ascii() && what(b) && c.is_ascii()
        };
        all.windows(3).any(unseen)
    };
    let hidden = |it: char| matches!(it, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}');
    let tags = |it: char| matches!(it, '\u{e0000}'..='\u{e007f}');
    let dots = ['\u{2024}', '\u{ff0e}', '\u{a4f8}', '\u{701}', '\u{702}'];
    let trailing = name.ends_with(['.', ' ', '\u{a0}', '\u{3000}']);
    let found = [
        (has(&['\u{202d}', '\u{202e}']), &TURNED),
        (double(name), &DOUBLE),
        (is_between_letters(hidden) || name.contains(tags), &UNSEEN),
        (
            name.contains(|it: char| it.is_ascii_control() || it == '\u{9b}'),
            &CONTROL,
        ),
        (
            has(&dots) && is_of_program(&extension(&name.replace(dots, "."))),
            &LOOKALIKE,
        ),
        (
            trailing && is_of_program(&extension(name)),
            &TRAILING_PROGRAM,
        ),
        (trailing && !is_of_program(&extension(name)), &TRAILING),
        (is_stream(name), &STREAM),
    ];
    found.into_iter().filter(|it| it.0).map(|it| it.1)
}

/// Whether a document's ending stands before a program's: `invoice.pdf.exe`, with spaces or not.
fn double(name: &str) -> bool {
    let name = name.trim_end_matches(['.', ' ']);
    let mut parts = name.rsplit('.').map(|it| it.trim().to_ascii_lowercase());
    let (Some(last), Some(before)) = (parts.next(), parts.next()) else {
        return false;
    };
    if parts.next().is_none() {
        // `.pdf.exe` has no name, but is none the better.
        return is_bait(&before) && is_of_program(&last);
    }
    // What builds web pages calls its files `icon.svg.js`; nobody calls one `invoice.pdf.js`.
    let is_script = SCRIPTS.contains(&last.as_str());
    (is_bait(&before) && (is_of_program(&last) || is_script))
        || (is_of_document(&before) && is_of_program(&last) && !is_script)
}

fn is_bait(extension: &str) -> bool {
    OFFICE.contains(&extension) && extension != "csv"
}

/// `notes.txt:evil.exe` is a second file behind the first on some systems.
fn is_stream(name: &str) -> bool {
    let cut = name.rsplit_once(':');
    cut.is_some_and(|(before, after)| before.len() > 1 && is_of_program(&extension(after)))
}

/// A system starts these by a click, or loads them.
const STARTED: &[&str] = &[
    "apk", "app", "appx", "bat", "chm", "cmd", "com", "command", "cpl", "dll", "dmg", "exe",
    "gadget", "hta", "jar", "jnlp", "jse", "lnk", "msi", "msix", "msp", "pif", "ps1", "psm1",
    "reg", "scr", "sct", "vb", "vbe", "vbs", "wsc", "wsf", "wsh", "xll",
];

/// The text of programs.
const SCRIPTS: &[&str] = &[
    "awk", "bash", "bat", "cjs", "cmd", "command", "fish", "hta", "js", "jse", "jsp", "jspx",
    "ksh", "lua", "mjs", "php", "php3", "php5", "phtml", "pl", "pm", "ps1", "psd1", "psm1", "py",
    "pyw", "rb", "sct", "sh", "tcl", "ts", "vb", "vba", "vbe", "vbs", "wsc", "wsf", "zsh", "asp",
    "aspx", "ashx", "cgi", "bas", "cls", "service", "desktop",
];

/// Documents of an office.
const OFFICE: &[&str] = &[
    "csv", "doc", "docm", "docx", "dotx", "epub", "odp", "ods", "odt", "pdf", "ppt", "pptm",
    "pptx", "rtf", "xls", "xlsb", "xlsm", "xlsx",
];

/// Pictures, sound, film.
const SEEN: &[&str] = &[
    "avi", "avif", "bmp", "flac", "gif", "heic", "ico", "jpeg", "jpg", "m4a", "mkv", "mov", "mp3",
    "mp4", "mpeg", "mpg", "ogg", "png", "svg", "tif", "tiff", "wav", "webm", "webp", "wmv",
];

/// Texts.
const READ: &[&str] = &[
    "eml", "htm", "html", "ini", "json", "log", "markdown", "md", "msg", "rst", "tex", "tsv",
    "txt", "xml", "yaml", "yml",
];

const ADVICE: &str = "do not open it by its name; ask the sender what it is";

static TURNED: Rule = Rule::format(
    "name/turned",
    High,
    "the name turns its own direction, so that its ending is shown where it is not",
    ADVICE,
);
static DOUBLE: Rule = Rule::format(
    "name/double-extension",
    High,
    "the name looks like a document's, and the ending behind it starts a program",
    ADVICE,
);
static UNSEEN: Rule = Rule::format(
    "name/unseen",
    Medium,
    "characters that are not seen stand in the name",
    ADVICE,
);
static CONTROL: Rule = Rule::format(
    "name/control",
    Medium,
    "characters that steer a terminal stand in the name",
    ADVICE,
);
static LOOKALIKE: Rule = Rule::format(
    "name/lookalike",
    High,
    "a character that only looks like a full stop hides that the name is a program's",
    ADVICE,
);
static TRAILING_PROGRAM: Rule = Rule::format(
    "name/trailing-program",
    High,
    "stops or spaces behind the name hide that it is a program's",
    ADVICE,
);
static TRAILING: Rule = Rule::format(
    "name/trailing",
    Low,
    "stops or spaces behind the name, which some systems drop",
    "save it under another name",
);
static STREAM: Rule = Rule::format(
    "name/stream",
    High,
    "the name is that of a program in a second stream of a file",
    ADVICE,
);

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(name: &str) -> Vec<&'static str> {
        judge(name).map(|it| it.id).collect()
    }

    #[test]
    fn names_that_hide_what_they_are_are_found() {
        let cases = [
            ("invoice.pdf.exe", "name/double-extension"),
            ("photo.jpg                 .scr", "name/double-extension"),
            ("Invoice.PDF.js", "name/double-extension"),
            (".docx.lnk", "name/double-extension"),
            ("report\u{202e}fdp.exe", "name/turned"),
            ("in\u{200b}voice.pdf", "name/unseen"),
            ("a\u{1b}[2J.txt", "name/control"),
            ("photo.jpg\u{2024}exe", "name/lookalike"),
            ("setup.exe . ", "name/trailing-program"),
            ("notes.txt:evil.exe", "name/stream"),
            ("notes.txt.", "name/trailing"),
        ];
        for (name, rule) in cases {
            assert!(rules(name).contains(&rule), "{name:?}: {:?}", rules(name));
        }
    }

    #[test]
    fn ordinary_names_pass() {
        let names = [
            "notes.txt",
            "README",
            ".gitignore",
            "archive.tar.gz",
            "icon.svg.js",
            "data.json.py",
            "v1.2.3.dll",
            "jquery.min.js",
            "report 2026.01.02.pdf",
            "عربي.pdf",
            "می‌خواهم.txt",
            "👩‍💻.png",
            "style.css.map",
            "a.html.erb",
            "setup.exe",
            "mail@example.com",
            "12:30 call.txt",
            "libc.so.6",
            "messages.txt.pl",
            "",
        ];
        for name in names {
            assert_eq!(rules(name), Vec::<&str>::new(), "{name:?}");
        }
    }

    #[test]
    fn an_extension_is_what_a_system_takes_for_one() {
        let cases = [
            ("a/b.c/d.EXE", "exe"),
            ("x\\y.pdf . .", "pdf"),
            ("none", ""),
            (".bashrc", ""),
        ];
        for (name, is) in cases {
            assert_eq!(extension(name), is, "{name:?}");
        }
    }
}
