//! Text files that a system reads as settings: links of the web and of desktops, folders, libraries.

use std::sync::LazyLock;

use regex::Regex;

use super::{CONNECTS, REMOTE, RUNS, STARTS, commands};
use crate::rule::Rule;

/// Whether a file of this name is one.
pub(super) fn is_one(extension: &str, name: &str) -> bool {
    ENDINGS.contains(&extension)
        || name.eq_ignore_ascii_case("desktop.ini")
        || name.eq_ignore_ascii_case("autorun.inf")
}

const ENDINGS: &[&str] = &[
    "appref-ms",
    "desktop",
    "inf",
    "iqy",
    "jnlp",
    "library-ms",
    "lnk",
    "rdp",
    "reg",
    "scf",
    "search-ms",
    "searchconnector-ms",
    "settingcontent-ms",
    "slk",
    "theme",
    "themepack",
    "url",
    "website",
    "contact",
];

type Found = (&'static Rule, Option<String>);

/// What is wrong with it, and where.
pub(super) fn judge(extension: &str, name: &str, text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let line = |at: &str| {
        let is_it = |it: &&str| it.to_ascii_lowercase().contains(at);
        text.lines().take(10_000).find(is_it).map(ToOwned::to_owned)
    };
    let name = name.to_ascii_lowercase();
    match extension {
        "url" | "website" | "scf" | "theme" | "themepack" | "library-ms" | "searchconnector-ms"
        | "search-ms" | "contact" => of_links(text, &mut found),
        "desktop" => of_desktop(text, &mut found),
        "settingcontent-ms" => {
            if let Some(link) = line("<deeplink>") {
                found.push((&RUNS, Some(link)));
            }
        }
        "reg"
            if text.contains("\\Run]")
                || text.contains("\\RunOnce]")
                || text.contains("\\Run\\") =>
        {
            found.push((&RUNS, line("\\run")));
        }
        "rdp" if text.to_ascii_lowercase().contains("full address:") => {
            found.push((&CONNECTS, line("full address:")));
        }
        "iqy" if text.trim_start().starts_with("WEB") => found.push((&REMOTE, None)),
        "slk" if text.starts_with("ID;") => {
            if let Some(line) = SYLK.find(text) {
                found.push((&RUNS, Some(line.as_str().to_owned())));
            }
        }
        "jnlp" | "appref-ms" => found.push((&CONNECTS, None)),
        _ if name == "autorun.inf" => found.push((&STARTS, line("open="))),
        "inf" | "ini" | "" => {
            if let Some(found_line) = INF.find(text) {
                found.push((&RUNS, Some(found_line.as_str().to_owned())));
            }
            of_links(text, &mut found);
        }
        _ => {}
    }
    found
}

fn of_links(text: &str, found: &mut Vec<Found>) {
    for line in text.lines().take(10_000) {
        if !VALUE.is_match(line) {
            continue;
        }
        if commands::is_on_the_net(line) || FILE.is_match(line) {
            found.push((&REMOTE, Some(line.to_owned())));
        } else if line.to_ascii_lowercase().contains("http") && commands::named(line).is_some() {
            found.push((&RUNS, Some(line.to_owned())));
        }
    }
}

fn of_desktop(text: &str, found: &mut Vec<Found>) {
    let lines = text.lines().take(10_000).map(str::trim);
    for line in lines.filter(|it| it.starts_with("Exec=") || it.starts_with("URL=")) {
        if DESKTOP.is_match(line) {
            found.push((&RUNS, Some(line.to_owned())));
        }
    }
}

static VALUE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\s*(url|iconfile|iconresource|baseurl|workingdirectory|wallpaper|dualimage|mswallpaper)\s*=|<(simplelocation|url|searchconnectordescription)|<(?:\w+:)?url>|folderpath",
    )
});
static FILE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)=\s*file:|=\s*[^\r\n]{0,200}\.(exe|hta|vbs|js|jse|wsf|bat|cmd|ps1|scr|cpl|lnk|jar|msi|zip)\s*$|<url>\s*https?://|<url>\s*\\\\",
    )
});
static DESKTOP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(ba|z|da)?sh\s+-\w*c\b.*(curl|wget|/dev/tcp|base64|\bnc\s|mkfifo|python|perl|chmod|/tmp/|/dev/shm)|\|\s*(ba|z|da)?sh\b|base64\s+-d|/dev/tcp/|(curl|wget)\s.*https?://.*(&&|;|\|)|powershell|python[0-9.]*\s+-c\b.*(exec|socket|urllib|os\.)",
    )
});
static INF: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(scrobj\.dll|RunPreSetupCommands|UnRegisterOCXs)[^\r\n]{0,200}|(Reg|Un)isterOCXs[^\r\n]{0,20}=",
    )
});
static SYLK: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)[;E](EXEC|CALL|REGISTER|ERROR)\([^\r\n]{0,100}|auto_open"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern that a test uses")
}
